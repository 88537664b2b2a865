/* http_stats: what the server tells about its requests: the access log and the counters of
 * /__stats.
 *
 * Threads: any; one leaf lock for the counters, the log line is one fwrite(). Never sees a token:
 * tracker/http.c takes it out of the query before. Limits: the last STATS_MAX_LINES requests,
 * STATS_MAX_TEMPLATES different paths (the rest is "other"), lines cut at STATS_MAX_LINE_BYTES. */
#pragma once

#include <glib.h>
#include <stdio.h>

#define STATS_MAX_LINES 1000
#define STATS_MAX_TEMPLATES 1000
#define STATS_MAX_LINE_BYTES 2048

typedef struct HttpStats HttpStats;

HttpStats *http_stats_new(void);
void http_stats_free(HttpStats *stats);
void http_stats_reset(HttpStats *stats);

/* One answered request. `target` is the path with its query. */
void http_stats_count(HttpStats *stats, const char *method, const char *target, int status,
                      gint64 body_bytes);
/* Owned: {"total", "bytes", "by_path", "by_status", "requests"} */
GString *http_stats_to_json(HttpStats *stats);

/* "/projects/12/stories?limit=5" to "/projects/{id}/stories"; owned. */
char *http_stats_template(const char *target);

typedef struct HttpLogLine {
    gint64 now_ms; /* since 1970 */
    const char *peer, *method, *target;
    const char *forwarded_for; /* what a proxy on this machine said; NULL: none */
    const char *fault;         /* NULL: none */
    int status;                /* 0: no answer */
    gint64 body_bytes, duration_ms;
    gboolean gzip;
} HttpLogLine;
/* time=... peer=... [for="..."] method="..." target="..." status=... bytes=... ms=... [gzip=1]
 * [fault=...] */
void http_log_line(FILE *log, const HttpLogLine *line);

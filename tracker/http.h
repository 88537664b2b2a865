/* http: serves tracker_handle() over HTTP/1.1, with libmicrohttpd.
 *
 * Owns the listening socket, the connections, their limits and deadlines, compression, CORS
 * preflight, the access log and what --faults does to answers. Knows nothing of V5: method, path
 * and query go to tracker_handle() as they came, percent-encoded. No TLS: that is a reverse proxy's
 * work.
 *
 * Paths of its own: GET /healthz; with faults also /__faults (GET, POST a specification of
 * tracker/faults.h), GET /__stats, POST /__stats/reset.
 *
 * Threads: two for all connections, one for timers, and workers that run tracker_handle(), those
 * for writing requests apart; start and stop from one thread. A slow client costs a socket and
 * memory, never a thread; a request that takes long holds up no other connection. Errors:
 * TRACKER_ERROR_FAILED (the address cannot be had), TRACKER_ERROR_BAD_INPUT (it makes no sense).
 * Limits: TRACKER_HTTP_*, and those of the configuration. */
#pragma once

#include "tracker/faults.h"
#include "tracker/service.h"

#include <glib.h>
#include <stdio.h>

#define TRACKER_HTTP_DEFAULT_LISTEN "127.0.0.1:8080"
#define TRACKER_HTTP_MAX_HEADER_BYTES (32 * 1024) /* request line and headers of one request */
/* All request bodies being received, together: more is answered 503. In memory; of uploads, which
 * go to files. */
#define TRACKER_HTTP_MAX_BODIES_BYTES (G_GINT64_CONSTANT(256) * 1024 * 1024)
#define TRACKER_HTTP_MAX_SPOOL_BYTES (G_GINT64_CONSTANT(2) * 1024 * 1024 * 1024)

typedef struct TrackerHttp TrackerHttp;

/* All zero is the default. Only read during the start, except for what is pointed to. */
typedef struct TrackerHttpConfig {
    const char *listen; /* "HOST:PORT" or "[::1]:PORT"; port 0: any free one; NULL: the default */
    gboolean allow_remote;        /* else only loopback addresses */
    Faults *faults;               /* NULL: no fault switches and no /__stats; outlives the server */
    FILE *access_log;             /* NULL: none; outlives the server */
    guint threads;                /* that answer reading requests; 0: 4 */
    guint max_connections;        /* 0: 512 */
    guint max_connections_per_ip; /* 0: 256 */
    guint idle_s;                 /* 0: 60; a connection on which nothing happens */
    guint request_s; /* 0: 30; to send a whole request of usual size; more is given to large ones */
} TrackerHttpConfig;

TrackerHttp *tracker_http_start(Tracker *tracker, const TrackerHttpConfig *config, GError **error);
/* Lets requests that are being answered finish (at most 3 seconds), then closes. NULL is allowed.
 */
void tracker_http_stop(TrackerHttp *http);

guint16 tracker_http_port(TrackerHttp *http);
/* "http://127.0.0.1:8080", borrowed. */
const char *tracker_http_url(TrackerHttp *http);

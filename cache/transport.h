/* transport: how a V5 request reaches a V5 service. The seam below the cache: net.c (HTTP by
 * libcurl) and the in-process tracker (fs/source.c) implement it, and unit tests script it.
 *
 * Sending never blocks. Each request is answered exactly once by its TransportDoneFn, on a thread
 * of the transport's own; the callback must be short and must not call back into the transport
 * except to send. A response of any HTTP status is a response, not an error; `error` is set when
 * there was none (ERR_OFFLINE, ERR_TIMEOUT, ERR_TOO_LARGE, ERR_PROTOCOL for a cut body,
 * ERR_CANCELLED, ERR_NO_SPACE). The transport alone knows the base URL and the token, repeats
 * requests (connection lost, 429, 502, 503, 504, with Retry-After and jittered back-off) until the
 * deadline, but never a POST nor one that is marked `once`: whoever writes must look at what became
 * of it before sending it again. The token goes to the configured host and nowhere else. */
#pragma once

#include <glib.h>

typedef enum {
    PRIORITY_SAVE,     /* an editor waits in close(2) */
    PRIORITY_DEMAND,   /* a reader waits */
    PRIORITY_PREFETCH, /* nobody waits yet */
} Priority;

typedef struct HttpRequest {
    const char *method; /* static string: "GET", "PUT", ... */
    char *target; /* "/projects/1?fields=..." below /services/v5; or, with `at_origin`, a path of
                     the host itself such as "/file_attachments/300/download" */
    gboolean at_origin;
    char *body; /* NULL, or body_bytes bytes */
    gsize body_bytes;
    char *content_type; /* NULL without a body */
    int in_fd;          /* -1, or what follows `body`: in_bytes from its start, then `tail` (an
                           upload: the frame before and after the file); closed with the request */
    gint64 in_bytes;
    char *tail; /* NUL-terminated; NULL: none */
    gboolean once;
    Priority priority;
    gint64
        deadline_ms; /* of clock_monotonic_ms(): the last moment for an answer, repeats included */
    gint64 grace_ms; /* a body that is arriving then may take so much longer */
    gsize max_bytes; /* of the decoded body; more is ERR_TOO_LARGE */
    int out_fd;      /* -1: body in memory; else it is written there (a download, redirects followed
                        without the      token); stays the caller's */
} HttpRequest;

typedef struct HttpResponse {
    int status;
    char *body; /* NUL-terminated for convenience; NULL when it went to out_fd */
    gsize body_bytes;
    gint64 project_version;                /* X-Tracker-Project-Version, -1 when absent */
    gint64 total, limit, offset, returned; /* X-Tracker-Pagination-*, -1 when absent */
    gint64 retry_after_ms;                 /* Retry-After, -1 when absent */
    gboolean is_json;                      /* Content-Type says JSON */
    char *location; /* of a redirect that was not followed, for the message */
} HttpResponse;

/* `response` is the callee's, to be freed with http_response_free(); NULL exactly when `error` is
 * set. `error` is borrowed. */
typedef void (*TransportDoneFn)(HttpResponse *response, const GError *error, gpointer user);

/* Counters since the start; each read alone is exact, together they are not a snapshot. */
typedef struct TransportStats {
    guint64 requests, retries, failures, rate_limited;
    guint64 body_bytes_received;
    guint in_flight;
    guint allowed; /* at once, at present; 0: no limit of the transport's own */
} TransportStats;

typedef struct Transport Transport;
struct Transport {
    /* Takes ownership of `request`. */
    void (*send)(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user);
    void (*get_stats)(Transport *transport, TransportStats *ret_stats);
    /* Answers what is open with ERR_CANCELLED, ends its threads, frees. NULL is fine for callers.
     */
    void (*free)(Transport *transport);
};

HttpRequest *http_request_new_get(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* A write: `once`, of PRIORITY_SAVE. `method` is static. */
HttpRequest *http_request_new_write(const char *method, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
/* Takes over `json` as the body. */
void http_request_set_json(HttpRequest *request, char *json);
/* The body is one file of a form, `part` its name there; takes over `fd`. */
void http_request_set_upload(HttpRequest *request, const char *part, const char *filename, int fd,
                             gint64 bytes);
void http_request_free(HttpRequest *request);
void http_response_free(HttpResponse *response);
void transport_free(Transport *transport);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpRequest, http_request_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpResponse, http_response_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transport, transport_free)

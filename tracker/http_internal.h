/* http_internal: what tracker/http.c (sockets, time) and tracker/http_request.c (requests, answers)
 * share.
 *
 * http.c owns every HttpConn; http_request.c owns every HttpRequest. A request lives between the
 * request line and the end of its answer, on the pool thread of its connection, and needs no lock.
 * The state of a connection that the timer thread looks at is protected by http->mutex. */
#pragma once

#include "tracker/http.h"
#include "tracker/http_stats.h"
#include "tracker/lock.h"

#include <microhttpd.h>
#include <stdatomic.h>

typedef struct HttpConn {
    TrackerHttp *http;
    struct MHD_Connection *handle;
    int fd;
    gint64 deadline_ms;           /* 0: none; protected by mutex */
    gboolean parked;              /* suspended until due_ms; protected by mutex */
    gint64 due_ms;                /* -1: until the client goes; protected by mutex */
    gboolean gone;                /* the client went while parked; protected by mutex */
    struct HttpConn *prev, *next; /* protected by mutex */
} HttpConn;

struct TrackerHttp {
    Tracker *tracker; /* borrowed */
    Faults *faults;   /* borrowed; NULL without faults */
    HttpStats *stats; /* NULL without faults */
    FILE *access_log; /* borrowed */
    gint64 idle_ms, request_ms;
    guint16 port;
    char *url;
    struct MHD_Daemon *daemon;
    pthread_t timer;
    atomic_llong bodies_bytes; /* of request bodies held at this moment */

    pthread_mutex_t mutex;
    pthread_cond_t timer_wake; /* monotonic: a connection was parked, the first one came, or stop */
    pthread_cond_t idle;       /* active became 0 */
    HttpConn *conns;           /* protected by mutex */
    guint active;              /* requests begun and not completed; protected by mutex */
    gboolean stopping;         /* protected by mutex */
    gboolean timer_ends;       /* protected by mutex */
};

HttpConn *http_conn_of(struct MHD_Connection *connection);
/* The client must make progress within `ms` from now, or is cut off; 0: no limit. */
void http_conn_set_deadline(HttpConn *conn, gint64 ms);
/* Suspends the connection for `ms` (negative: until the client goes). Called from a handler or a
 * content reader, which then returns at once. FALSE when the server stops or the client has gone:
 * give up. */
gboolean http_conn_park(HttpConn *conn, gint64 ms);
/* Makes the kernel send RST: the caller then closes the connection. */
void http_conn_reset(HttpConn *conn);

void http_request_begins(TrackerHttp *http);
void http_request_ends(TrackerHttp *http);

/* Callbacks of libmicrohttpd; `cls` is the TrackerHttp. */
void *http_request_line(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_request_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_data_size,
                                    void **req_cls);
void http_request_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                            enum MHD_RequestTerminationCode how);

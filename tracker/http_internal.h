/* http_internal: what tracker/http.c (sockets, time), tracker/http_request.c (requests) and
 * tracker/http_answer.c (answers) share.
 *
 * http.c owns every HttpConn; http_request.c owns every HttpRequest. A request lives between the
 * request line and the end of its answer, on the pool thread of its connection, and needs no lock:
 * while a worker has it the connection is suspended, and http->mutex orders the two.
 * The state of a connection that other threads look at is protected by http->mutex. */
#pragma once

#include "tracker/http.h"
#include "tracker/http_body.h"
#include "tracker/http_stats.h"
#include "tracker/http_workers.h"
#include "tracker/lock.h"

#include <microhttpd.h>

typedef struct HttpConn {
    TrackerHttp *http;
    struct MHD_Connection *handle;
    int fd;
    gint64 deadline_ms;           /* 0: none; protected by mutex */
    gboolean parked;              /* suspended until due_ms; protected by mutex */
    gint64 due_ms;                /* -1: until the client goes; protected by mutex */
    gboolean gone;                /* the client went while parked; protected by mutex */
    gboolean worked;              /* a worker has answered; protected by mutex */
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
    HttpWorkers *workers;
    HttpBudget budget;
    const char *spool_dir; /* borrowed from the tracker */

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
/* Suspends the connection until http_conn_work_done(), after which the handler is called again and
 * http_conn_worked() is TRUE, once. FALSE when the server stops. */
gboolean http_conn_give_to_worker(HttpConn *conn, struct HttpRequest *request, HttpLane lane);
void http_conn_work_done(HttpConn *conn);
gboolean http_conn_worked(HttpConn *conn);
/* Makes the kernel send RST: the caller then closes the connection. */
void http_conn_reset(HttpConn *conn);

gboolean http_is_loopback(const struct sockaddr *address);

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

typedef struct HttpRequest {
    HttpConn *conn;
    char *target; /* path?query for the log, without secrets */
    char *path;
    char *query; /* without the token; NULL: none */
    char *query_token;
    char *basic_user, *basic_password;
    char method[16];
    gboolean begun, planned, upload, answered, accepts_gzip, gzip;
    HttpBody body;
    TrackerRequest question;  /* borrows from the request and its headers */
    TrackerResponse response; /* status 0: none yet */
    FaultPlan plan;
    gboolean hung; /* was parked by the fault hang */
    int status;
    gint64 sent_bytes, started_ms;
} HttpRequest;

/* Borrowed; NULL when absent. */
const char *http_request_header(const HttpRequest *request, const char *name);
void http_request_work(HttpRequest *request, gboolean run);

/* ---- tracker/http_answer.c ---- */

gboolean http_accepts_gzip(const char *accept_encoding);
/* Spoils and compresses the body, as the plan and the client say. Any thread. */
void http_answer_prepare(HttpRequest *request, TrackerResponse *answer);
/* Takes body and descriptor out of `answer`. */
enum MHD_Result http_answer_queue(HttpRequest *request, TrackerResponse *answer);
/* Takes `body`; retry_after_s negative: no such header. */
enum MHD_Result http_answer_text(HttpRequest *request, int status, const char *content_type,
                                 GString *body, gint64 retry_after_s);
/* A V5 error object; the texts are constants and need no escaping. */
enum MHD_Result http_answer_error(HttpRequest *request, int status, const char *code,
                                  const char *error, gint64 retry_after_s);
enum MHD_Result http_answer_redirect(HttpRequest *request, int status, const char *location);
enum MHD_Result http_answer_preflight(HttpRequest *request);
/* No answer: the connection is reset. */
enum MHD_Result http_answer_reset(HttpRequest *request);
/* For /__stats. */
void http_answer_count(const HttpRequest *request);

/* How: libmicrohttpd runs a few epoll loops over one listening socket, which only move bytes:
 * requests are answered by workers (tracker/http_workers.h), so that a long one holds up nobody
 * else's connection. This file makes the socket, keeps a list of the connections and runs one timer
 * thread over it; tracker/http_request.c answers.
 *
 * A connection:  accepted -> (request -> answer)* -> closed
 * While it is answered it may be parked: libmicrohttpd suspends it, and the timer thread resumes it
 * when its time has come (faults wait that way, so that no pool thread does).
 *
 * Time limits. libmicrohttpd closes a connection on which nothing at all happens. A client that
 * sends a byte now and then would live for ever, so each phase has a deadline too; the timer thread
 * then shuts the socket down, and the pool thread sees its end and closes it. The descriptor is
 * valid while the connection is in the list: connection_changed() takes it out before libmicrohttpd
 * closes it.
 *
 * Stop: no new requests (503), parked connections are woken and give up, running answers get 3
 * seconds, the workers are stopped, then the daemon, and the timer thread last.
 *
 * Locks: http->mutex, a leaf except that MHD_resume_connection() is called under it; libmicrohttpd
 * calls nothing of ours while it holds its own. */
#include "tracker/db.h"
#include "tracker/files.h"
#include "tracker/http_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMER_TICK_MS 500
#define STOP_GRACE_MS 3000
#define LISTEN_BACKLOG 512
#define LOOPS 2
#define WRITERS 2 /* they wait for one another at the database: more would not write faster */
#define UPLOADERS 2

/* ---- connections ---- */

HttpConn *
http_conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    g_assert(info && info->socket_context);
    return info->socket_context;
}

static void
conn_open(TrackerHttp *http, struct MHD_Connection *connection, void **ret_conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    HttpConn *conn = g_new0(HttpConn, 1);
    conn->http = http;
    conn->handle = connection;
    conn->fd = info ? info->connect_fd : -1;
    conn->deadline_ms = tracker_monotonic_ms() + http->idle_ms + http->request_ms;
    *ret_conn = conn;
    TRACKER_LOCK(&http->mutex);
    conn->next = http->conns;
    if (conn->next) {
        conn->next->prev = conn;
    } else {
        (void)pthread_cond_signal(&http->timer_wake);
    }
    http->conns = conn;
}

static void
conn_close(HttpConn *conn)
{
    TrackerHttp *http = conn->http;
    {
        TRACKER_LOCK(&http->mutex);
        if (conn->next) {
            conn->next->prev = conn->prev;
        }
        if (conn->prev) {
            conn->prev->next = conn->next;
        } else {
            http->conns = conn->next;
        }
    }
    g_free(conn);
}

static void
connection_changed(void *cls, struct MHD_Connection *connection, void **socket_context,
                   enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_open(cls, connection, socket_context);
    } else if (*socket_context) {
        conn_close(*socket_context);
        *socket_context = NULL;
    }
}

void
http_conn_set_deadline(HttpConn *conn, gint64 ms)
{
    TRACKER_LOCK(&conn->http->mutex);
    conn->deadline_ms = ms > 0 ? tracker_monotonic_ms() + ms : 0;
}

gboolean
http_conn_park(HttpConn *conn, gint64 ms)
{
    TrackerHttp *http = conn->http;
    TRACKER_LOCK(&http->mutex);
    if (http->stopping || conn->gone) {
        return FALSE;
    }
    /* Suspended before the timer thread can see it parked: it must not resume what still runs. */
    MHD_suspend_connection(conn->handle);
    conn->parked = TRUE;
    conn->due_ms = ms < 0 ? -1 : tracker_monotonic_ms() + ms;
    (void)pthread_cond_signal(&http->timer_wake);
    return TRUE;
}

gboolean
http_conn_give_to_worker(HttpConn *conn, HttpRequest *request, HttpLane lane)
{
    TrackerHttp *http = conn->http;
    {
        TRACKER_LOCK(&http->mutex);
        if (http->stopping) {
            return FALSE;
        }
        MHD_suspend_connection(conn->handle);
    }
    http_workers_add(http->workers, request, lane);
    return TRUE;
}

void
http_conn_work_done(HttpConn *conn)
{
    TRACKER_LOCK(&conn->http->mutex);
    conn->worked = TRUE;
    MHD_resume_connection(conn->handle);
}

gboolean
http_conn_worked(HttpConn *conn)
{
    TRACKER_LOCK(&conn->http->mutex);
    gboolean worked = conn->worked;
    conn->worked = FALSE;
    return worked;
}

void
http_conn_reset(HttpConn *conn)
{
    /* A connected TCP socket that is connected to nothing sends RST, whatever is still queued. */
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    (void)connect(conn->fd, &nowhere, sizeof(nowhere));
}

void
http_request_begins(TrackerHttp *http)
{
    TRACKER_LOCK(&http->mutex);
    http->active++;
}

void
http_request_ends(TrackerHttp *http)
{
    TRACKER_LOCK(&http->mutex);
    if (--http->active == 0) {
        (void)pthread_cond_broadcast(&http->idle);
    }
}

/* ---- the timer thread ---- */

/* libmicrohttpd does not look at a suspended socket, so the end of its client is seen here. */
static gboolean
client_has_gone(const HttpConn *conn)
{
    char byte = 0;
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* Wakes what is due, cuts off what is late; returns how long the thread may sleep. */
static gint64
look_at_connections_locked(TrackerHttp *http)
{
    gint64 now = tracker_monotonic_ms();
    gint64 sleep_ms = TIMER_TICK_MS;
    for (HttpConn *conn = http->conns; conn; conn = conn->next) {
        if (conn->parked) {
            conn->gone = conn->gone || client_has_gone(conn);
            gint64 left = conn->due_ms < 0 ? G_MAXINT64 : conn->due_ms - now;
            if (http->stopping || conn->gone || left <= 0) {
                conn->parked = FALSE;
                MHD_resume_connection(conn->handle);
            } else {
                sleep_ms = MIN(sleep_ms, left);
            }
        } else if (conn->deadline_ms > 0 && conn->deadline_ms <= now) {
            conn->deadline_ms = 0;
            (void)shutdown(conn->fd, SHUT_RDWR);
        }
    }
    return sleep_ms;
}

static void
wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    gint64 ns = until.tv_nsec + (ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    (void)pthread_cond_timedwait(cond, mutex, &until);
}

static void *
timer_run(void *user)
{
    TrackerHttp *http = user;
    (void)pthread_setname_np(pthread_self(), "http-timer");
    TRACKER_LOCK(&http->mutex);
    while (!http->timer_ends) {
        gint64 sleep_ms = look_at_connections_locked(http);
        if (http->conns) {
            wait_ms(&http->timer_wake, &http->mutex, sleep_ms);
        } else {
            (void)pthread_cond_wait(&http->timer_wake, &http->mutex);
        }
    }
    return NULL;
}

/* ---- the listening socket ---- */

static gboolean
fail_errno(const char *listen_text, int code, GError **error)
{
    const char *why = code == EADDRINUSE      ? "the port is in use by another program"
                      : code == EADDRNOTAVAIL ? "this machine has no such address"
                      : code == EACCES        ? "ports below 1024 need root"
                                              : g_strerror(code);
    g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED, "cannot listen on %s: %s", listen_text,
                why);
    return FALSE;
}

static gboolean
split_listen(const char *text, char **ret_host, char **ret_port, GError **error)
{
    const char *colon = strrchr(text, ':');
    gint64 port = 0;
    gsize host_bytes = colon ? (gsize)(colon - text) : 0;
    gboolean bracketed = host_bytes > 2 && text[0] == '[' && text[host_bytes - 1] == ']';
    if (host_bytes == 0 || !g_ascii_string_to_signed(colon + 1, 10, 0, 65535, &port, NULL) ||
        (!bracketed && memchr(text, ':', host_bytes))) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT,
                    "“%s” is no address to listen on: write HOST:PORT or [::1]:PORT", text);
        return FALSE;
    }
    *ret_host = bracketed ? g_strndup(text + 1, host_bytes - 2) : g_strndup(text, host_bytes);
    *ret_port = g_strdup(colon + 1);
    return TRUE;
}

gboolean
http_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    }
    return FALSE;
}

static void
note_address(TrackerHttp *http, int fd)
{
    struct sockaddr_storage bound;
    socklen_t bytes = sizeof(bound);
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
    if (getsockname(fd, (struct sockaddr *)&bound, &bytes) == 0) {
        (void)getnameinfo((struct sockaddr *)&bound, bytes, host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV);
    }
    http->port = (guint16)g_ascii_strtoull(port, NULL, 10);
    http->url = strchr(host, ':') ? g_strdup_printf("http://[%s]:%s", host, port)
                                  : g_strdup_printf("http://%s:%s", host, port);
}

static int
bind_socket(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd >= 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
         bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0)) {
        int code = errno;
        (void)close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

/* -1 with an error. */
static int
open_listener(const char *text, gboolean allow_remote, GError **error)
{
    g_autofree char *host = NULL;
    g_autofree char *port = NULL;
    if (!split_listen(text, &host, &port, error)) {
        return -1;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses = NULL;
    int rc = getaddrinfo(host, port, &hints, &addresses);
    if (rc != 0) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED, "cannot listen on %s: %s", text,
                    gai_strerror(rc));
        return -1;
    }
    if (!allow_remote && !http_is_loopback(addresses->ai_addr)) {
        freeaddrinfo(addresses);
        g_set_error(
            error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT,
            "%s can be reached from other machines, without encryption: put a reverse proxy "
            "in front of a loopback address, or say --allow-remote",
            text);
        return -1;
    }
    int fd = bind_socket(addresses);
    int code = errno;
    freeaddrinfo(addresses);
    if (fd < 0) {
        (void)fail_errno(text, code, error);
    }
    return fd;
}

/* ---- start and stop ---- */

static void
http_free(TrackerHttp *http)
{
    http_workers_free(http->workers);
    http_stats_free(http->stats);
    (void)pthread_cond_destroy(&http->idle);
    (void)pthread_cond_destroy(&http->timer_wake);
    (void)pthread_mutex_destroy(&http->mutex);
    g_free(http->url);
    g_free(http);
}

static TrackerHttp *
http_new(Tracker *tracker, const TrackerHttpConfig *config)
{
    TrackerHttp *http = g_new0(TrackerHttp, 1);
    http->tracker = tracker;
    http->faults = config->faults;
    http->stats = config->faults ? http_stats_new() : NULL;
    http->access_log = config->access_log;
    http->spool_dir = db_files_dir(tracker_db(tracker));
    http->idle_ms = 1000 * (gint64)(config->idle_s ? config->idle_s : 60);
    http->request_ms = 1000 * (gint64)(config->request_s ? config->request_s : 30);
    (void)pthread_mutex_init(&http->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&http->timer_wake, &monotonic);
    (void)pthread_cond_init(&http->idle, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return http;
}

/* An answer of megabytes that is given back to the kernel and asked for again costs a fifth of the
 * time that making it takes: page by page is cleared and mapped. Keeping up to this much a thread
 * is what a busy server would use anyway. */
static void
keep_freed_memory(void)
{
    const int kept_bytes = 16 * 1024 * 1024;

    (void)mallopt(M_MMAP_THRESHOLD, kept_bytes);
    (void)mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

static struct MHD_Daemon *
start_daemon(TrackerHttp *http, const TrackerHttpConfig *config, int fd)
{
    guint connections = config->max_connections ? config->max_connections : 512;
    guint per_ip = config->max_connections_per_ip ? config->max_connections_per_ip : 256;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        http_request_handle, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, LOOPS,
        MHD_OPTION_CONNECTION_LIMIT, MAX(connections, LOOPS), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        per_ip, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)(http->idle_ms / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)TRACKER_HTTP_MAX_HEADER_BYTES,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_line, http, MHD_OPTION_NOTIFY_COMPLETED,
        http_request_completed, http, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, http,
        MHD_OPTION_END);
}

TrackerHttp *
tracker_http_start(Tracker *tracker, const TrackerHttpConfig *config, GError **error)
{
    const char *listen_text = config->listen ? config->listen : TRACKER_HTTP_DEFAULT_LISTEN;
    int fd = open_listener(listen_text, config->allow_remote, error);
    if (fd < 0) {
        return NULL;
    }
    keep_freed_memory();
    files_sweep(tracker_db(tracker), tracker_now_ms(tracker));
    TrackerHttp *http = http_new(tracker, config);
    note_address(http, fd);
    const guint threads[HTTP_LANES] = {config->threads ? config->threads : 4, WRITERS, UPLOADERS};
    http->workers = http_workers_new(threads, http_request_work, error);
    if (!http->workers) {
        (void)close(fd);
        http_free(http);
        return NULL;
    }
    http->daemon = start_daemon(http, config, fd);
    if (!http->daemon) {
        /* Whether libmicrohttpd has closed the socket depends on how far it came: leave it. */
        http_free(http);
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED, "cannot start the HTTP server: %s",
                    g_strerror(errno));
        return NULL;
    }
    int rc = pthread_create(&http->timer, NULL, timer_run, http);
    if (rc != 0) {
        http_workers_stop(http->workers);
        MHD_stop_daemon(http->daemon);
        http_free(http);
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED, "cannot start a thread: %s",
                    g_strerror(rc));
        return NULL;
    }
    return http;
}

void
tracker_http_stop(TrackerHttp *http)
{
    if (!http) {
        return;
    }
    {
        TRACKER_LOCK(&http->mutex);
        http->stopping = TRUE;
        (void)pthread_cond_signal(&http->timer_wake);
        gint64 end_ms = tracker_monotonic_ms() + STOP_GRACE_MS;
        gint64 left = STOP_GRACE_MS;
        while (http->active > 0 && left > 0) {
            wait_ms(&http->idle, &http->mutex, left);
            left = end_ms - tracker_monotonic_ms();
        }
        /* libmicrohttpd must not be stopped with a suspended connection; none is parked any more
         * from here on, since http_conn_park() refuses. */
        (void)look_at_connections_locked(http);
    }
    /* The same for those that a worker has: after this it has given all of them back. */
    http_workers_stop(http->workers);
    MHD_stop_daemon(http->daemon);
    {
        TRACKER_LOCK(&http->mutex);
        http->timer_ends = TRUE;
        (void)pthread_cond_signal(&http->timer_wake);
    }
    (void)pthread_join(http->timer, NULL);
    http_free(http);
}

guint16
tracker_http_port(TrackerHttp *http)
{
    return http->port;
}

const char *
tracker_http_url(TrackerHttp *http)
{
    return http->url;
}

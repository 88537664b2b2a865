/* How: a request goes
 *
 *   http_request_line()  the raw target: libmicrohttpd itself would only give it decoded
 *   begin()              headers are complete; what is refused by its headers is refused here
 *   take_body()*         collects the body, up to its limit
 *   answer()             decides on faults; waits for latency by parking and being called again;
 *                        then asks tracker_handle() and queues the answer
 *   http_request_completed()  logs, frees
 *
 * all on the pool thread of the connection. Bodies that faults cut, stall or slow down are fed by
 * drip_read(), which parks the connection instead of sleeping. */
#include "tracker/http_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_MIN_BYTES 1024
#define MULTIPART_OVERHEAD_BYTES (64 * 1024)
#define SLOWEST_UPLOAD_BYTES_PER_S (16 * 1024)
#define SLOWEST_DOWNLOAD_BYTES_PER_S (4 * 1024)
#define DRIPS_PER_SECOND 20
#define FAULT_REDIRECT_STATUS 302

typedef struct HttpRequest {
    HttpConn *conn;
    char *target; /* path?query for the log, without secrets */
    char *path;
    char *query; /* without the token; NULL: none */
    char *query_token;
    char method[16];
    gboolean begun, planned, too_large, answered, gzip;
    GByteArray *body;
    gint64 body_limit, dropped_bytes;
    FaultPlan plan;
    gboolean hung; /* was parked by the fault hang */
    int status;
    gint64 sent_bytes, started_ms;
} HttpRequest;

/* ---- the request line ---- */

static void
append_parameter(GString *query, const char *text)
{
    if (query->len > 0) {
        g_string_append_c(query, '&');
    }
    g_string_append(query, text);
}

/* Moves token=... out of the query, however it is spelled; ret_shown is the query for the log,
 * where the signature of a download, which opens a file to everyone, is left out as well. */
static void
split_query(HttpRequest *request, const char *query, GString *ret_shown)
{
    GString *rest = g_string_new(NULL);
    for (const char *at = query; *at != '\0';) {
        gsize bytes = strcspn(at, "&");
        g_autofree char *pair = g_strndup(at, bytes);
        gsize name_bytes = strcspn(pair, "=");
        g_autofree char *name = g_uri_unescape_segment(pair, pair + name_bytes, NULL);
        gboolean is_token = name && g_str_equal(name, "token");
        if (is_token) {
            g_free(request->query_token);
            request->query_token =
                g_uri_unescape_string(pair + name_bytes + (pair[name_bytes] == '='), NULL);
            append_parameter(ret_shown, "token=REDACTED");
        } else if (bytes > 0) {
            gboolean is_secret = name && g_str_equal(name, "signature");
            append_parameter(rest, pair);
            append_parameter(ret_shown, is_secret ? "signature=REDACTED" : pair);
        }
        at += bytes + (at[bytes] == '&');
    }
    request->query = g_string_free(rest, FALSE);
}

void *
http_request_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)cls;
    HttpRequest *request = g_new0(HttpRequest, 1);
    request->conn = http_conn_of(connection);
    request->started_ms = tracker_monotonic_ms();
    /* An absolute target, as sent to proxies, is allowed by HTTP: only its path counts. */
    if (g_ascii_strncasecmp(uri, "http://", 7) == 0) {
        const char *slash = strchr(uri + 7, '/');
        uri = slash ? slash : "/";
    }
    gsize path_bytes = strcspn(uri, "?");
    request->path = g_strndup(uri, path_bytes);
    g_autoptr(GString) shown = g_string_new(NULL);
    if (uri[path_bytes] == '?') {
        split_query(request, uri + path_bytes + 1, shown);
    }
    request->target = g_strconcat(request->path, shown->len > 0 ? "?" : "", shown->str, NULL);
    http_request_begins(request->conn->http);
    return request;
}

static void
log_request(const HttpRequest *request)
{
    const TrackerHttp *http = request->conn->http;
    if (!http->access_log) {
        return;
    }
    char peer[NI_MAXHOST] = "-";
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->conn->handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr) {
        socklen_t bytes = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                   : sizeof(struct sockaddr_in);
        (void)getnameinfo(info->client_addr, bytes, peer, sizeof(peer), NULL, 0, NI_NUMERICHOST);
    }
    g_autofree char *fault = request->planned ? faults_plan_names(&request->plan) : NULL;
    HttpLogLine line = {
        .now_ms = tracker_now_ms(http->tracker),
        .peer = peer,
        .method = request->method,
        .target = request->target,
        .fault = fault,
        .status = request->status,
        .body_bytes = request->sent_bytes,
        .duration_ms = tracker_monotonic_ms() - request->started_ms,
        .gzip = request->gzip,
    };
    http_log_line(http->access_log, &line);
}

static void
forget_body(HttpRequest *request)
{
    if (request->body) {
        (void)atomic_fetch_sub(&request->conn->http->bodies_bytes, (long long)request->body->len);
        g_clear_pointer(&request->body, g_byte_array_unref);
    }
}

void
http_request_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                       enum MHD_RequestTerminationCode how)
{
    (void)connection;
    (void)how;
    TrackerHttp *http = cls;
    HttpRequest *request = *req_cls;
    if (!request) {
        return;
    }
    *req_cls = NULL;
    log_request(request);
    forget_body(request);
    http_conn_set_deadline(request->conn, http->idle_ms + http->request_ms);
    g_free(request->target);
    g_free(request->path);
    g_free(request->query);
    g_free(request->query_token);
    g_free(request);
    http_request_ends(http);
}

/* ---- queueing answers ---- */

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static void
add_cors(struct MHD_Response *response)
{
    add_header(response, "Access-Control-Allow-Origin", "*");
    add_header(response, "Access-Control-Allow-Credentials", "false");
    add_header(response, "Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
    add_header(response, "Access-Control-Allow-Headers",
               "X-TrackerToken,DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,"
               "If-Modified-Since,Cache-Control,Content-Type,"
               "X-Tracker-Warn-Unless-Project-Version-Is");
}

static void
free_string(void *user)
{
    (void)g_string_free(user, TRUE);
}

/* Takes `body`. */
static struct MHD_Response *
response_from_string(GString *body)
{
    return MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->str, free_string,
                                                                  body);
}

/* status 0: there will be no answer. The paths for tests themselves do not count. */
static void
count_request(const HttpRequest *request)
{
    HttpStats *stats = request->conn->http->stats;
    if (stats && !g_str_has_prefix(request->path, "/__")) {
        http_stats_count(stats, request->method, request->target, request->status,
                         request->sent_bytes);
    }
}

static enum MHD_Result
reset_connection(HttpRequest *request)
{
    count_request(request);
    http_conn_reset(request->conn);
    return MHD_NO;
}

/* Takes `response`. */
static enum MHD_Result
queue(HttpRequest *request, int status, struct MHD_Response *response, gint64 body_bytes)
{
    TrackerHttp *http = request->conn->http;
    request->answered = TRUE;
    request->status = status;
    request->sent_bytes = g_str_equal(request->method, "HEAD") ? 0 : body_bytes;
    count_request(request);
    gboolean shaped = request->planned && faults_plan_shapes_body(&request->plan);
    gint64 allowance = http->request_ms + body_bytes * 1000 / SLOWEST_DOWNLOAD_BYTES_PER_S;
    http_conn_set_deadline(request->conn, shaped ? 0 : allowance);
    enum MHD_Result result =
        MHD_queue_response(request->conn->handle, (unsigned int)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
queue_text(HttpRequest *request, int status, const char *content_type, GString *body,
           gint64 retry_after_s)
{
    gint64 bytes = (gint64)body->len;
    struct MHD_Response *response = response_from_string(body);
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    add_cors(response);
    if (retry_after_s >= 0) {
        char text[32];
        (void)g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, retry_after_s);
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
    return queue(request, status, response, bytes);
}

/* A V5 error object; the texts are constants of this file and need no escaping. */
static enum MHD_Result
queue_error(HttpRequest *request, int status, const char *code, const char *error,
            gint64 retry_after_s)
{
    GString *body = g_string_new(NULL);
    g_string_printf(body, "{\"code\":\"%s\",\"kind\":\"error\",\"error\":\"%s\"}", code, error);
    return queue_text(request, status, "application/json; charset=utf-8", body, retry_after_s);
}

/* ---- bodies under a fault ---- */

typedef struct {
    HttpConn *conn;
    FaultPlan plan;
    GString *body; /* or */
    int fd;
    gint64 total;
    gboolean stalled; /* the stall is over */
    gint64 next_ms;   /* of the next drop */
} Drip;

static void
drip_free(void *user)
{
    Drip *drip = user;
    if (drip->body) {
        (void)g_string_free(drip->body, TRUE);
    }
    if (drip->fd >= 0) {
        (void)close(drip->fd);
    }
    g_free(drip);
}

/* How many bytes may go now; 0 after parking, -1 to break the connection. */
static gint64
drip_allowance(Drip *drip, gint64 pos, gint64 max)
{
    const FaultPlan *plan = &drip->plan;
    gint64 n = MIN(max, drip->total - pos);
    if (plan->cut_at >= 0 && plan->cut_at < drip->total) {
        if (pos >= plan->cut_at) {
            return -1;
        }
        n = MIN(n, plan->cut_at - pos);
    }
    if (plan->stall_at >= 0 && !drip->stalled) {
        if (pos >= MIN(plan->stall_at, drip->total)) {
            drip->stalled = TRUE;
            return http_conn_park(drip->conn, plan->stall_ms) ? 0 : -1;
        }
        n = MIN(n, plan->stall_at - pos);
    }
    if (drip->stalled && plan->stall_ms < 0) {
        return -1; /* for ever has ended: the client went, or the server stops */
    }
    if (plan->bytes_per_second > 0) {
        gint64 now = tracker_monotonic_ms();
        if (now < drip->next_ms) {
            return http_conn_park(drip->conn, drip->next_ms - now) ? 0 : -1;
        }
        n = MIN(n, MAX(1, plan->bytes_per_second / DRIPS_PER_SECOND));
        drip->next_ms = now + MAX(1, n * 1000 / plan->bytes_per_second);
    }
    return n;
}

static ssize_t
drip_read(void *user, uint64_t pos, char *buffer, size_t max)
{
    Drip *drip = user;
    gint64 n = drip_allowance(drip, (gint64)pos, (gint64)max);
    if (n < 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (n == 0 || drip->body) {
        memcpy(buffer, drip->body ? drip->body->str + pos : "", (size_t)n);
        return n;
    }
    ssize_t got = pread(drip->fd, buffer, (size_t)n, (off_t)pos);
    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Takes `body` or `fd`. */
static struct MHD_Response *
response_from_drip(HttpRequest *request, GString *body, int fd, gint64 total, gint64 *ret_bytes)
{
    Drip *drip = g_new0(Drip, 1);
    *drip = (Drip){.conn = request->conn, .plan = request->plan, .body = body, .fd = fd};
    drip->total = total;
    *ret_bytes = drip->plan.cut_at >= 0 ? MIN(total, drip->plan.cut_at) : total;
    return MHD_create_response_from_callback((uint64_t)total, 16 * 1024, drip_read, drip,
                                             drip_free);
}

/* ---- answers of the service ---- */

static gboolean
accepts_gzip(struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (!accept) {
        return FALSE;
    }
    g_auto(GStrv) codings = g_strsplit(accept, ",", 32);
    for (char **coding = codings; *coding; coding++) {
        g_auto(GStrv) parts = g_strsplit(*coding, ";", 2);
        if (!parts[0] || g_ascii_strcasecmp(g_strstrip(parts[0]), "gzip") != 0) {
            continue;
        }
        const char *q = parts[1] ? strstr(parts[1], "q=") : NULL;
        return !q || g_ascii_strtod(q + 2, NULL) > 0;
    }
    return FALSE;
}

/* Owned; NULL when it does not become smaller. */
static GString *
gzip_compress(const GString *body)
{
    z_stream stream = {0};
    /* Level 1: a local link is faster than a better level. 16 asks for the gzip format. */
    if (deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return NULL;
    }
    GString *out = g_string_sized_new(body->len);
    stream.next_in = (Bytef *)body->str;
    stream.avail_in = (uInt)body->len;
    stream.next_out = (Bytef *)out->str;
    stream.avail_out = (uInt)body->len;
    int rc = deflate(&stream, Z_FINISH);
    gsize bytes = stream.total_out;
    (void)deflateEnd(&stream);
    if (rc != Z_STREAM_END) {
        (void)g_string_free(out, TRUE);
        return NULL;
    }
    g_string_set_size(out, bytes);
    return out;
}

static gboolean
is_text(const char *content_type)
{
    return content_type && (g_str_has_prefix(content_type, "application/json") ||
                            g_str_has_prefix(content_type, "text/"));
}

/* "/x" of the service as an address that any client can follow; owned. */
static char *
absolute_location(HttpRequest *request, const char *location)
{
    const char *host =
        MHD_lookup_connection_value(request->conn->handle, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    gboolean relative = location[0] == '/' && location[1] != '/';
    if (!relative || !host || *host == '\0' ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") !=
            strlen(host)) {
        return g_strdup(location);
    }
    const char *proto =
        MHD_lookup_connection_value(request->conn->handle, MHD_HEADER_KIND, "X-Forwarded-Proto");
    return g_strdup_printf("%s://%s%s", proto && g_str_equal(proto, "https") ? "https" : "http",
                           host, location);
}

static void
copy_headers(HttpRequest *request, const TrackerResponse *answer, struct MHD_Response *response)
{
    for (guint i = 0; answer->headers && i < answer->headers->len; i++) {
        const TrackerHeader *header = &g_array_index(answer->headers, TrackerHeader, i);
        if (g_ascii_strcasecmp(header->name, "Content-Length") == 0) {
            continue;
        }
        if (g_ascii_strcasecmp(header->name, "Location") == 0) {
            g_autofree char *location = absolute_location(request, header->value);
            add_header(response, header->name, location);
        } else {
            add_header(response, header->name, header->value);
        }
    }
}

/* Takes body and descriptor out of `answer`. */
static struct MHD_Response *
response_from_answer(HttpRequest *request, TrackerResponse *answer, gint64 *ret_bytes)
{
    gboolean shaped = faults_plan_shapes_body(&request->plan);
    if (answer->file_fd >= 0) {
        int fd = answer->file_fd;
        answer->file_fd = -1;
        *ret_bytes = answer->file_bytes;
        return shaped ? response_from_drip(request, NULL, fd, answer->file_bytes, ret_bytes)
                      : MHD_create_response_from_fd64((uint64_t)answer->file_bytes, fd);
    }
    GString *body = answer->body ? g_steal_pointer(&answer->body) : g_string_new(NULL);
    if (is_text(tracker_response_header(answer, "Content-Type"))) {
        faults_spoil_body(&request->plan, body);
        GString *packed = body->len >= GZIP_MIN_BYTES && accepts_gzip(request->conn->handle)
                              ? gzip_compress(body)
                              : NULL;
        if (packed) {
            (void)g_string_free(body, TRUE);
            body = packed;
            request->gzip = TRUE;
        }
    }
    *ret_bytes = (gint64)body->len;
    return shaped ? response_from_drip(request, body, -1, (gint64)body->len, ret_bytes)
                  : response_from_string(body);
}

static enum MHD_Result
queue_answer(HttpRequest *request, TrackerResponse *answer)
{
    gint64 bytes = 0;
    gboolean text = answer->file_fd < 0 && is_text(tracker_response_header(answer, "Content-Type"));
    struct MHD_Response *response = response_from_answer(request, answer, &bytes);
    if (!response) {
        return MHD_NO;
    }
    copy_headers(request, answer, response);
    if (text) {
        add_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    }
    if (request->gzip) {
        add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    }
    return queue(request, answer->status, response, bytes);
}

/* ---- asking the service ---- */

static const char *
header_value(const HttpRequest *request, const char *name)
{
    return MHD_lookup_connection_value(request->conn->handle, MHD_HEADER_KIND, name);
}

static void
read_basic(const HttpRequest *request, char **ret_user, char **ret_password)
{
    const char *value = header_value(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || g_ascii_strncasecmp(value, "Basic ", 6) != 0) {
        return;
    }
    gsize bytes = 0;
    g_autofree guchar *decoded = g_base64_decode(value + 6, &bytes);
    g_autofree char *text = g_strndup((const char *)decoded, bytes);
    char *colon = strchr(text, ':');
    if (colon) {
        *ret_user = g_strndup(text, (gsize)(colon - text));
        *ret_password = g_strdup(colon + 1);
    }
}

static enum MHD_Result
ask_service(HttpRequest *request)
{
    g_autofree char *user = NULL;
    g_autofree char *password = NULL;
    read_basic(request, &user, &password);
    const char *token = header_value(request, "X-TrackerToken");
    gboolean is_head = g_str_equal(request->method, "HEAD");
    TrackerRequest ask = {
        .method = is_head ? "GET" : request->method,
        .path = request->path,
        .query = request->query,
        .token = token ? token : request->query_token,
        .basic_user = user,
        .basic_password = password,
        .content_type = header_value(request, MHD_HTTP_HEADER_CONTENT_TYPE),
        .body = request->body ? (const char *)request->body->data : NULL,
        .body_bytes = request->body ? request->body->len : 0,
    };
    TrackerResponse answer;
    tracker_handle(request->conn->http->tracker, &ask, &answer);
    forget_body(request);
    enum MHD_Result result =
        request->plan.lose_answer ? reset_connection(request) : queue_answer(request, &answer);
    tracker_response_clear(&answer);
    return result;
}

/* ---- faults that answer by themselves ---- */

static enum MHD_Result
queue_server_error(HttpRequest *request)
{
    int status = request->plan.status;
    if (status == MHD_HTTP_BAD_GATEWAY || status == MHD_HTTP_GATEWAY_TIMEOUT) {
        /* These come from a proxy, which speaks HTML. */
        return queue_text(request, status, "text/html",
                          g_string_new("<html><body><h1>Bad Gateway</h1></body></html>\n"),
                          request->plan.retry_after_s);
    }
    return queue_error(request, status, "unhandled_condition", "An unexpected condition occurred.",
                       request->plan.retry_after_s);
}

static enum MHD_Result
queue_redirect(HttpRequest *request)
{
    g_autofree char *location =
        g_strconcat("http://", request->plan.host, request->path, request->query ? "?" : "",
                    request->query ? request->query : "", NULL);
    struct MHD_Response *response = response_from_string(g_string_new(NULL));
    add_header(response, MHD_HTTP_HEADER_LOCATION, location);
    return queue(request, FAULT_REDIRECT_STATUS, response, 0);
}

static enum MHD_Result
act_out_fault(HttpRequest *request)
{
    switch (request->plan.answer) {
    case FAULT_NONE:
        return ask_service(request);
    case FAULT_HANG:
        count_request(request);
        return http_conn_park(request->conn, -1) ? MHD_YES : MHD_NO;
    case FAULT_RESET:
        return reset_connection(request);
    case FAULT_RATE_LIMIT:
        return queue_error(request, MHD_HTTP_TOO_MANY_REQUESTS, "rate_limited",
                           "Too many requests.", request->plan.retry_after_s);
    case FAULT_SERVER_ERROR:
        return queue_server_error(request);
    case FAULT_HTML:
        return queue_text(request, MHD_HTTP_OK, "text/html; charset=utf-8",
                          g_string_new("<!DOCTYPE html><html><body><h1>Please log in to this "
                                       "network</h1></body></html>\n"),
                          -1);
    case FAULT_REDIRECT:
        return queue_redirect(request);
    case FAULT_REVOKE:
        return queue_error(request, MHD_HTTP_FORBIDDEN, "invalid_authentication",
                           "Invalid authentication credentials were presented.", -1);
    }
    return MHD_NO;
}

/* ---- paths of the server itself ---- */

static enum MHD_Result
answer_faults(HttpRequest *request)
{
    Faults *faults = request->conn->http->faults;
    gboolean is_post = g_str_equal(request->method, "POST");
    if (is_post) {
        g_autofree char *spec =
            request->body ? g_strndup((const char *)request->body->data, request->body->len)
                          : g_strdup("");
        g_autoptr(GError) error = NULL;
        if (!faults_set(faults, g_strstrip(spec), &error)) {
            GString *body = g_string_new(error->message);
            g_string_append_c(body, '\n');
            return queue_text(request, MHD_HTTP_BAD_REQUEST, "text/plain; charset=utf-8", body, -1);
        }
    }
    g_autofree char *now = faults_describe(faults);
    GString *body = g_string_new(now);
    g_string_append_c(body, '\n');
    return queue_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", body, -1);
}

/* TRUE when the path was one of ours, with *ret_result. */
static gboolean
answer_own_path(HttpRequest *request, enum MHD_Result *ret_result)
{
    HttpStats *stats = request->conn->http->stats;
    gboolean is_post = g_str_equal(request->method, "POST");
    gboolean is_get = g_str_equal(request->method, "GET") || g_str_equal(request->method, "HEAD");
    if (is_get && g_str_equal(request->path, "/healthz")) {
        *ret_result = queue_text(request, MHD_HTTP_OK, "text/plain", g_string_new("ok\n"), -1);
    } else if (stats && (is_get || is_post) && g_str_equal(request->path, "/__faults")) {
        *ret_result = answer_faults(request);
    } else if (stats && is_get && g_str_equal(request->path, "/__stats")) {
        *ret_result =
            queue_text(request, MHD_HTTP_OK, "application/json", http_stats_to_json(stats), -1);
    } else if (stats && is_post && g_str_equal(request->path, "/__stats/reset")) {
        http_stats_reset(stats);
        *ret_result = queue_text(request, MHD_HTTP_OK, "text/plain", g_string_new("ok\n"), -1);
    } else {
        return FALSE;
    }
    return TRUE;
}

static enum MHD_Result
queue_preflight(HttpRequest *request)
{
    struct MHD_Response *response = response_from_string(g_string_new(NULL));
    add_cors(response);
    add_header(response, "Access-Control-Max-Age", "1728000");
    return queue(request, MHD_HTTP_OK, response, 0);
}

/* ---- the steps of a request ---- */

static enum MHD_Result
refuse_large(HttpRequest *request)
{
    return queue_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "invalid_parameter",
                       "The body of the request is too large.", -1);
}

static gboolean
is_stopping(TrackerHttp *http)
{
    TRACKER_LOCK(&http->mutex);
    return http->stopping;
}

static enum MHD_Result
begin(HttpRequest *request, const char *method)
{
    TrackerHttp *http = request->conn->http;
    (void)g_strlcpy(request->method, method, sizeof(request->method));
    request->begun = TRUE;
    const char *type = header_value(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    gboolean upload = type && g_ascii_strncasecmp(type, "multipart/", 10) == 0;
    request->body_limit =
        upload ? TRACKER_MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD_BYTES : TRACKER_MAX_BODY_BYTES;
    const char *length_text = header_value(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    gint64 length = length_text ? g_ascii_strtoll(length_text, NULL, 10) : 0;
    if (length > request->body_limit) {
        /* Closing while the client still sends would reset the connection, and the answer with it:
         * one that does not wait for permission is heard out, if it is not much. */
        if (length > 2 * request->body_limit || header_value(request, MHD_HTTP_HEADER_EXPECT)) {
            return refuse_large(request);
        }
        request->too_large = TRUE;
        length = 0;
    }
    if (is_stopping(http) ||
        atomic_load(&http->bodies_bytes) + length > TRACKER_HTTP_MAX_BODIES_BYTES) {
        return queue_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "unhandled_condition",
                           "The server is busy.", 1);
    }
    gint64 expected = upload ? MAX(length, 0) * 1000 / SLOWEST_UPLOAD_BYTES_PER_S : 0;
    http_conn_set_deadline(request->conn, http->request_ms + expected);
    return MHD_YES;
}

static enum MHD_Result
take_body(HttpRequest *request, const char *data, gsize bytes)
{
    TrackerHttp *http = request->conn->http;
    gint64 have = request->body ? (gint64)request->body->len : 0;
    if (request->too_large || have + (gint64)bytes > request->body_limit ||
        atomic_load(&http->bodies_bytes) > TRACKER_HTTP_MAX_BODIES_BYTES) {
        /* The answer can only be given at the end; a client that does not come to one is cut off.
         */
        request->too_large = TRUE;
        request->dropped_bytes += (gint64)bytes;
        return request->dropped_bytes > 2 * request->body_limit ? MHD_NO : MHD_YES;
    }
    if (!request->body) {
        request->body = g_byte_array_new();
    }
    g_byte_array_append(request->body, (const guint8 *)data, (guint)bytes);
    (void)atomic_fetch_add(&http->bodies_bytes, (long long)bytes);
    return MHD_YES;
}

static enum MHD_Result
answer(HttpRequest *request)
{
    TrackerHttp *http = request->conn->http;
    enum MHD_Result result = MHD_NO;
    /* How long the service takes is not the client's time. */
    http_conn_set_deadline(request->conn, 0);
    if (request->too_large) {
        return refuse_large(request);
    }
    if (answer_own_path(request, &result)) {
        return result;
    }
    if (!request->planned) {
        request->planned = TRUE;
        request->plan = (FaultPlan){.cut_at = -1, .stall_at = -1};
        if (http->faults) {
            faults_plan(http->faults, request->path, &request->plan);
        }
        if (request->plan.latency_ms > 0) {
            return http_conn_park(request->conn, request->plan.latency_ms) ? MHD_YES : MHD_NO;
        }
    }
    if (request->hung) { /* woken: the client has gone, or the server stops */
        return MHD_NO;
    }
    request->hung = request->plan.answer == FAULT_HANG;
    if (g_str_equal(request->method, "OPTIONS")) {
        return queue_preflight(request);
    }
    return act_out_fault(request);
}

enum MHD_Result
http_request_handle(void *cls, struct MHD_Connection *connection, const char *url,
                    const char *method, const char *version, const char *upload_data,
                    size_t *upload_data_size, void **req_cls)
{
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    HttpRequest *request = *req_cls;
    if (!request->begun) {
        return begin(request, method);
    }
    if (*upload_data_size > 0) {
        gsize bytes = *upload_data_size;
        *upload_data_size = 0;
        return request->answered ? MHD_YES : take_body(request, upload_data, bytes);
    }
    return request->answered ? MHD_YES : answer(request);
}

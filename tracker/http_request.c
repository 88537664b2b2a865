/* How: a request goes
 *
 *   http_request_line()  the raw target: libmicrohttpd itself would only give it decoded
 *   begin()              headers are complete; what is refused by its headers is refused here
 *   http_body_take()*    collects the body, up to its limit
 *   answer()             decides on faults; waits for latency by parking and being called again;
 *                        then gives the request to a worker, the connection waiting meanwhile
 *   http_request_work()  on the worker: tracker_handle(), and what else takes time
 *   answer()             again: queues what the worker made
 *   http_request_completed()  logs, frees
 *
 * all but the worker's part on the pool thread of the connection. */
#include "tracker/http_internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#define MULTIPART_OVERHEAD_BYTES (64 * 1024)
#define SLOWEST_UPLOAD_BYTES_PER_S (16 * 1024)
#define FAULT_REDIRECT_STATUS 302

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
    request->response.file_fd = -1;
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
    gboolean from_here = FALSE;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->conn->handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr) {
        socklen_t bytes = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                   : sizeof(struct sockaddr_in);
        (void)getnameinfo(info->client_addr, bytes, peer, sizeof(peer), NULL, 0, NI_NUMERICHOST);
        from_here = http_is_loopback(info->client_addr);
    }
    g_autofree char *fault = request->planned ? faults_plan_names(&request->plan) : NULL;
    HttpLogLine line = {
        .now_ms = tracker_now_ms(http->tracker),
        .peer = peer,
        .forwarded_for = from_here ? http_request_header(request, "X-Forwarded-For") : NULL,
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
    http_body_clear(&request->body);
    tracker_response_clear(&request->response);
    http_conn_set_deadline(request->conn, http->idle_ms + http->request_ms);
    g_free(request->target);
    g_free(request->path);
    g_free(request->query);
    g_free(request->query_token);
    g_free(request->basic_user);
    g_free(request->basic_password);
    g_free(request);
    http_request_ends(http);
}

/* ---- asking the service ---- */

const char *
http_request_header(const HttpRequest *request, const char *name)
{
    return MHD_lookup_connection_value(request->conn->handle, MHD_HEADER_KIND, name);
}

static const char *
token_of(const HttpRequest *request)
{
    const char *token = http_request_header(request, "X-TrackerToken");
    return token ? token : request->query_token;
}

static void
read_basic(HttpRequest *request)
{
    const char *value = http_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || g_ascii_strncasecmp(value, "Basic ", 6) != 0) {
        return;
    }
    gsize bytes = 0;
    g_autofree guchar *decoded = g_base64_decode(value + 6, &bytes);
    g_autofree char *text = g_strndup((const char *)decoded, bytes);
    char *colon = strchr(text, ':');
    if (colon) {
        request->basic_user = g_strndup(text, (gsize)(colon - text));
        request->basic_password = g_strdup(colon + 1);
    }
}

void
http_request_work(HttpRequest *request, gboolean run)
{
    Tracker *tracker = request->conn->http->tracker;
    if (run) {
        if (request->plan.n_deeds > 0) {
            faults_do(tracker, &request->plan,
                      tracker_token_person(tracker, request->question.token));
        }
        tracker_handle(tracker, &request->question, &request->response);
        http_answer_prepare(request, &request->response);
    }
    http_conn_work_done(request->conn);
}

static enum MHD_Result
refuse_body(HttpRequest *request)
{
    switch (request->body.state) {
    case HTTP_BODY_NO_SPACE:
        return http_answer_error(request, MHD_HTTP_INSUFFICIENT_STORAGE, "unhandled_condition",
                                 "The server has no room for this upload.", -1);
    case HTTP_BODY_BUSY:
        return http_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "unhandled_condition",
                                 "The server is busy.", 1);
    case HTTP_BODY_TOO_LARGE:
    case HTTP_BODY_OK:
        break;
    }
    return http_answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "invalid_parameter",
                             "The body of the request is too large.", -1);
}

/* The headers stay where they are until the request is completed. */
static enum MHD_Result
ask_service(HttpRequest *request)
{
    const gboolean is_head = g_str_equal(request->method, "HEAD");
    const gboolean is_ignored = request->plan.ignore_put && g_str_equal(request->method, "PUT");
    gsize body_bytes = 0;
    const char *body = http_body_data(&request->body, &body_bytes);
    if (request->body.state != HTTP_BODY_OK) {
        return refuse_body(request);
    }
    read_basic(request);
    request->accepts_gzip =
        http_accepts_gzip(http_request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    request->question = (TrackerRequest){
        .method = is_head || is_ignored ? "GET" : request->method,
        .path = request->path,
        .query = request->query,
        .token = token_of(request),
        .basic_user = request->basic_user,
        .basic_password = request->basic_password,
        .content_type = http_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE),
        .body = is_ignored ? NULL : body,
        .body_bytes = is_ignored ? 0 : body_bytes,
    };
    gboolean reads = tracker_only_reads(request->question.method, request->path);
    HttpLane lane = request->upload ? HTTP_LANE_UPLOAD : reads ? HTTP_LANE_READ : HTTP_LANE_WRITE;
    return http_conn_give_to_worker(request->conn, request, lane) ? MHD_YES : MHD_NO;
}

static enum MHD_Result
answer_from_worker(HttpRequest *request)
{
    http_body_clear(&request->body);
    if (request->response.status == 0) {
        return MHD_NO; /* the server stops */
    }
    return request->plan.lose_answer ? http_answer_reset(request)
                                     : http_answer_queue(request, &request->response);
}

/* ---- faults that answer by themselves ---- */

static enum MHD_Result
queue_server_error(HttpRequest *request)
{
    int status = request->plan.status;
    if (status == MHD_HTTP_BAD_GATEWAY || status == MHD_HTTP_GATEWAY_TIMEOUT) {
        /* These come from a proxy, which speaks HTML. */
        return http_answer_text(request, status, "text/html",
                                g_string_new("<html><body><h1>Bad Gateway</h1></body></html>\n"),
                                request->plan.retry_after_s);
    }
    return http_answer_error(request, status, "unhandled_condition",
                             "An unexpected condition occurred.", request->plan.retry_after_s);
}

static enum MHD_Result
queue_redirect(HttpRequest *request)
{
    g_autofree char *location =
        g_strconcat("http://", request->plan.host, request->path, request->query ? "?" : "",
                    request->query ? request->query : "", NULL);
    return http_answer_redirect(request, FAULT_REDIRECT_STATUS, location);
}

static enum MHD_Result
act_out_fault(HttpRequest *request)
{
    switch (request->plan.answer) {
    case FAULT_NONE:
        return ask_service(request);
    case FAULT_HANG:
        http_answer_count(request);
        return http_conn_park(request->conn, -1) ? MHD_YES : MHD_NO;
    case FAULT_RESET:
        return http_answer_reset(request);
    case FAULT_RATE_LIMIT:
        return http_answer_error(request, MHD_HTTP_TOO_MANY_REQUESTS, "rate_limited",
                                 "Too many requests.", request->plan.retry_after_s);
    case FAULT_SERVER_ERROR:
        return queue_server_error(request);
    case FAULT_HTML:
        return http_answer_text(request, MHD_HTTP_OK, "text/html; charset=utf-8",
                                g_string_new("<!DOCTYPE html><html><body><h1>Please log in to this "
                                             "network</h1></body></html>\n"),
                                -1);
    case FAULT_REDIRECT:
        return queue_redirect(request);
    case FAULT_REVOKE:
        return http_answer_error(request, MHD_HTTP_FORBIDDEN, "invalid_authentication",
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
        gsize bytes = 0;
        const char *text = http_body_data(&request->body, &bytes);
        g_autofree char *spec = text ? g_strndup(text, bytes) : g_strdup("");
        g_autoptr(GError) error = NULL;
        if (!faults_set(faults, g_strstrip(spec), &error)) {
            GString *body = g_string_new(error->message);
            g_string_append_c(body, '\n');
            return http_answer_text(request, MHD_HTTP_BAD_REQUEST, "text/plain; charset=utf-8",
                                    body, -1);
        }
    }
    g_autofree char *now = faults_describe(faults);
    GString *body = g_string_new(now);
    g_string_append_c(body, '\n');
    return http_answer_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", body, -1);
}

/* TRUE when the path was one of ours, with *ret_result. */
static gboolean
answer_own_path(HttpRequest *request, enum MHD_Result *ret_result)
{
    HttpStats *stats = request->conn->http->stats;
    gboolean is_post = g_str_equal(request->method, "POST");
    gboolean is_get = g_str_equal(request->method, "GET") || g_str_equal(request->method, "HEAD");
    if (is_get && g_str_equal(request->path, "/healthz")) {
        *ret_result =
            http_answer_text(request, MHD_HTTP_OK, "text/plain", g_string_new("ok\n"), -1);
    } else if (stats && (is_get || is_post) && g_str_equal(request->path, "/__faults")) {
        *ret_result = answer_faults(request);
    } else if (stats && is_get && g_str_equal(request->path, "/__stats")) {
        *ret_result = http_answer_text(request, MHD_HTTP_OK, "application/json",
                                       http_stats_to_json(stats), -1);
    } else if (stats && is_post && g_str_equal(request->path, "/__stats/reset")) {
        http_stats_reset(stats);
        *ret_result =
            http_answer_text(request, MHD_HTTP_OK, "text/plain", g_string_new("ok\n"), -1);
    } else {
        return FALSE;
    }
    return TRUE;
}

/* ---- the steps of a request ---- */

static gboolean
is_stopping(TrackerHttp *http)
{
    TRACKER_LOCK(&http->mutex);
    return http->stopping;
}

/* An upload goes to a file, and only for someone with a valid token: a stranger's is read to its
 * end and forgotten, and the service then refuses him. */
static void
prepare_body(HttpRequest *request)
{
    TrackerHttp *http = request->conn->http;
    const char *type = http_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    request->upload = type && g_ascii_strncasecmp(type, "multipart/", 10) == 0;
    gint64 limit = request->upload ? TRACKER_MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD_BYTES
                                   : TRACKER_MAX_BODY_BYTES;
    http_body_init(&request->body, &http->budget, limit, request->upload ? http->spool_dir : NULL);
    request->body.ignored =
        request->upload && tracker_token_person(http->tracker, token_of(request)) == 0;
}

typedef struct HeaderCount {
    const char *name;
    guint n;
} HeaderCount;

static enum MHD_Result
count_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    HeaderCount *count = cls;
    (void)kind;
    (void)value;
    if (g_ascii_strcasecmp(name, count->name) == 0) {
        count->n++;
    }
    return MHD_YES;
}

static guint
n_headers(const HttpRequest *request, const char *name)
{
    HeaderCount count = {name, 0};
    (void)MHD_get_connection_values(request->conn->handle, MHD_HEADER_KIND, count_header, &count);
    return count.n;
}

/* Is there one way only to see where the request ends? libmicrohttpd takes the first of several
 * lengths, and a proxy in front that takes another would let one client's body become the next
 * client's request (RFC 9112, 6.3). */
static gboolean
has_one_end(const HttpRequest *request)
{
    const char *coding = http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    guint n_lengths = n_headers(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    guint n_codings = n_headers(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    return n_lengths + n_codings <= 1 && (!coding || g_ascii_strcasecmp(coding, "chunked") == 0);
}

static enum MHD_Result
begin(HttpRequest *request, const char *method)
{
    TrackerHttp *http = request->conn->http;
    (void)g_strlcpy(request->method, method, sizeof(request->method));
    request->begun = TRUE;
    prepare_body(request);
    const char *length_text = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    gint64 length = length_text ? g_ascii_strtoll(length_text, NULL, 10) : 0;
    if (is_stopping(http)) {
        request->body.state = HTTP_BODY_BUSY;
        return refuse_body(request);
    }
    if (!has_one_end(request)) {
        return http_answer_error(request, MHD_HTTP_BAD_REQUEST, "invalid_parameter",
                                 "The headers do not say in one way where the request ends.", -1);
    }
    if (length > request->body.limit) {
        request->body.state = HTTP_BODY_TOO_LARGE;
        /* Closing while the client still sends would reset the connection, and the answer with it:
         * one that does not wait for permission is heard out, if it is not much. */
        if (length > 2 * request->body.limit ||
            http_request_header(request, MHD_HTTP_HEADER_EXPECT)) {
            return refuse_body(request);
        }
    }
    http_conn_set_deadline(request->conn, http->request_ms);
    return MHD_YES;
}

/* Who uploads much may take long, but not for ever. */
static enum MHD_Result
take_body(HttpRequest *request, const char *data, gsize bytes)
{
    TrackerHttp *http = request->conn->http;
    gint64 received = 0;
    if (!http_body_take(&request->body, data, bytes)) {
        return MHD_NO;
    }
    received = request->body.bytes + request->body.dropped;
    if (request->upload) {
        gint64 spent = tracker_monotonic_ms() - request->started_ms;
        gint64 allowed = http->request_ms + received * 1000 / SLOWEST_UPLOAD_BYTES_PER_S;
        http_conn_set_deadline(request->conn, MAX(allowed - spent, 1));
    }
    return MHD_YES;
}

static enum MHD_Result
answer(HttpRequest *request)
{
    TrackerHttp *http = request->conn->http;
    enum MHD_Result result = MHD_NO;
    /* How long the service takes is not the client's time. */
    http_conn_set_deadline(request->conn, 0);
    if (http_conn_worked(request->conn)) {
        return answer_from_worker(request);
    }
    if (request->body.state != HTTP_BODY_OK) {
        return refuse_body(request);
    }
    if (answer_own_path(request, &result)) {
        return result;
    }
    if (!request->planned) {
        request->planned = TRUE;
        request->plan = (FaultPlan){.cut_at = -1, .stall_at = -1};
        if (http->faults) {
            faults_plan(http->faults, request->method, request->path, &request->plan);
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
        return http_answer_preflight(request);
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

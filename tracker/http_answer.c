/* How: an answer is made in two steps. http_answer_prepare() does what takes time (spoiling by a
 * fault, compressing) on the thread that asked the service; http_answer_queue() makes headers and
 * hands it to libmicrohttpd, on the pool thread of the connection. Answers of the server's own
 * (errors by size, faults, preflight) are small and take the second step only.
 *
 * Bodies that faults cut, stall or slow down are fed by drip_read(), which parks the connection
 * instead of sleeping. */
#include "tracker/http_internal.h"

#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_MIN_BYTES 1024
#define SLOWEST_DOWNLOAD_BYTES_PER_S (4 * 1024)
#define DRIPS_PER_SECOND 20
#define PREFLIGHT_VALID_S "1728000"

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

/* `methods` beside OPTIONS: V5 never named PATCH in its answers, but a browser that asks whether it
 * may must hear so. */
static void
add_cors(struct MHD_Response *response, const char *methods)
{
    add_header(response, "Access-Control-Allow-Origin", "*");
    add_header(response, "Access-Control-Allow-Credentials", "false");
    add_header(response, "Access-Control-Allow-Methods", methods);
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

static void
free_body(void *user)
{
    tracker_body_free(user);
}

/* Takes `body`. */
static struct MHD_Response *
response_from_string(GString *body)
{
    return MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->str, free_string,
                                                                  body);
}

/* status 0: there will be no answer. The paths for tests themselves do not count. */
void
http_answer_count(const HttpRequest *request)
{
    HttpStats *stats = request->conn->http->stats;
    if (stats && !g_str_has_prefix(request->path, "/__")) {
        http_stats_count(stats, request->method, request->target, request->status,
                         request->sent_bytes);
    }
}

enum MHD_Result
http_answer_reset(HttpRequest *request)
{
    http_answer_count(request);
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
    http_answer_count(request);
    gboolean shaped = request->planned && faults_plan_shapes_body(&request->plan);
    gint64 allowance = http->request_ms + body_bytes * 1000 / SLOWEST_DOWNLOAD_BYTES_PER_S;
    http_conn_set_deadline(request->conn, shaped ? 0 : allowance);
    enum MHD_Result result =
        MHD_queue_response(request->conn->handle, (unsigned int)status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result
http_answer_text(HttpRequest *request, int status, const char *content_type, GString *body,
                 gint64 retry_after_s)
{
    gint64 bytes = (gint64)body->len;
    struct MHD_Response *response = response_from_string(body);
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    add_cors(response, "GET, POST, PUT, DELETE, OPTIONS");
    if (retry_after_s >= 0) {
        char text[32];
        (void)g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, retry_after_s);
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
    return queue(request, status, response, bytes);
}

enum MHD_Result
http_answer_error(HttpRequest *request, int status, const char *code, const char *error,
                  gint64 retry_after_s)
{
    GString *body = g_string_new(NULL);
    g_string_printf(body, "{\"code\":\"%s\",\"kind\":\"error\",\"error\":\"%s\"}", code, error);
    return http_answer_text(request, status, "application/json; charset=utf-8", body,
                            retry_after_s);
}

enum MHD_Result
http_answer_redirect(HttpRequest *request, int status, const char *location)
{
    struct MHD_Response *response = response_from_string(g_string_new(NULL));
    add_header(response, MHD_HTTP_HEADER_LOCATION, location);
    return queue(request, status, response, 0);
}

enum MHD_Result
http_answer_preflight(HttpRequest *request)
{
    struct MHD_Response *response = response_from_string(g_string_new(NULL));
    add_cors(response, "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    add_header(response, "Access-Control-Max-Age", PREFLIGHT_VALID_S);
    return queue(request, MHD_HTTP_OK, response, 0);
}

/* ---- bodies under a fault ---- */

typedef struct {
    HttpConn *conn;
    FaultPlan plan;
    TrackerBody *body; /* or */
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
        tracker_body_free(drip->body);
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
        memcpy(buffer, drip->body ? drip->body->text->str + pos : "", (size_t)n);
        return n;
    }
    ssize_t got = pread(drip->fd, buffer, (size_t)n, (off_t)pos);
    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Takes `body` or `fd`. */
static struct MHD_Response *
response_from_drip(HttpRequest *request, TrackerBody *body, int fd, gint64 total, gint64 *ret_bytes)
{
    Drip *drip = g_new0(Drip, 1);
    *drip = (Drip){.conn = request->conn, .plan = request->plan, .body = body, .fd = fd};
    drip->total = total;
    *ret_bytes = drip->plan.cut_at >= 0 ? MIN(total, drip->plan.cut_at) : total;
    return MHD_create_response_from_callback((uint64_t)total, 16 * 1024, drip_read, drip,
                                             drip_free);
}

/* ---- answers of the service ---- */

gboolean
http_accepts_gzip(const char *accept)
{
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
    const char *host = http_request_header(request, MHD_HTTP_HEADER_HOST);
    gboolean relative = location[0] == '/' && location[1] != '/';
    if (!relative || !host || *host == '\0' ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") !=
            strlen(host)) {
        return g_strdup(location);
    }
    const char *proto = http_request_header(request, "X-Forwarded-Proto");
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

void
http_answer_prepare(HttpRequest *request, TrackerResponse *answer)
{
    if (answer->file_fd >= 0 || !is_text(tracker_response_header(answer, "Content-Type"))) {
        return;
    }
    if (faults_plan_spoils_body(&request->plan)) {
        tracker_response_own_body(answer);
        faults_spoil_body(&request->plan, answer->body);
    }
    request->gzip = answer->body->len >= GZIP_MIN_BYTES && request->accepts_gzip &&
                    tracker_response_pack(answer, gzip_compress);
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
    TrackerBody *body = tracker_response_take_body(answer);
    gsize total = body->text->len;
    *ret_bytes = (gint64)total;
    return shaped ? response_from_drip(request, body, -1, (gint64)total, ret_bytes)
                  : MHD_create_response_from_buffer_with_free_callback_cls(total, body->text->str,
                                                                           free_body, body);
}

enum MHD_Result
http_answer_queue(HttpRequest *request, TrackerResponse *answer)
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

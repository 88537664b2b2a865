/* tracker_handle(): find the route → take a connection → one transaction → routes_run() → headers
 * around what it wrote. Everything that differs between answers is in the Call; what every V5
 * answer carries is written here.
 *
 * Threads: the Tracker is constant after opening except for its clock, which is set before use;
 * each call has a connection of its own. */
#include "tracker/service.h"

#include <string.h>
#include <unistd.h>

#include "tracker/auth.h"
#include "tracker/changes.h"
#include "tracker/digest.h"
#include "tracker/files.h"
#include "tracker/json_writer.h"
#include "tracker/routes.h"
#include "tracker/webhooks.h"

G_DEFINE_QUARK(tracker - error - quark, tracker_error)

struct Tracker {
    Db *db;
    char *instance_id;
    TrackerClockFn clock; /* set before threads start */
    gpointer clock_user;
    Webhooks *webhooks; /* set before threads start; NULL: nobody delivers here */
    gboolean http_webhooks;
    StoryPages *pages; /* set before threads start; NULL: none */
};

Tracker *
tracker_open(const char *path, TrackerOpenFlags flags, GError **error)
{
    g_autoptr(Tracker) tracker = g_new0(Tracker, 1);
    g_autoptr(DbConn) conn = NULL;

    tracker->db = db_open(path, flags, error);
    if (!tracker->db) {
        return NULL;
    }
    conn = db_take(tracker->db, error);
    if (!conn) {
        return NULL;
    }
    tracker->instance_id = db_meta_get(conn, "instance_id");
    if (!db_check(conn, error)) {
        return NULL;
    }
    if (!tracker->instance_id) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED,
                    "%s: the database has no instance_id: it is damaged", path);
        return NULL;
    }
    db_give(g_steal_pointer(&conn));
    return g_steal_pointer(&tracker);
}

void
tracker_close(Tracker *tracker)
{
    if (!tracker) {
        return;
    }
    webhooks_stop(tracker->webhooks);
    story_pages_free(tracker->pages);
    db_close(tracker->db);
    g_free(tracker->instance_id);
    g_free(tracker);
}

void
tracker_remove(const char *path, gboolean attachments)
{
    db_remove(path, attachments);
}

Db *
tracker_db(Tracker *tracker)
{
    return tracker->db;
}

void
tracker_set_clock(Tracker *tracker, TrackerClockFn clock, gpointer user)
{
    tracker->clock = clock;
    tracker->clock_user = user;
}

gint64
tracker_now_ms(Tracker *tracker)
{
    return tracker->clock ? tracker->clock(tracker->clock_user) : g_get_real_time() / 1000;
}

gboolean
tracker_deliver_webhooks(Tracker *tracker, gboolean allow_http, GError **error)
{
    g_return_val_if_fail(!tracker->webhooks, FALSE);
    if (db_read_only(tracker->db)) {
        return TRUE;
    }
    tracker->http_webhooks = allow_http;
    tracker->webhooks = webhooks_start(tracker, allow_http, error);
    return tracker->webhooks != NULL;
}

void
tracker_wake_webhooks(Tracker *tracker)
{
    if (tracker->webhooks) {
        webhooks_wake(tracker->webhooks);
    }
}

gboolean
tracker_http_webhooks(Tracker *tracker)
{
    return tracker->http_webhooks;
}

void
tracker_keep_pages(Tracker *tracker, gsize max_bytes)
{
    g_return_if_fail(!tracker->pages);
    tracker->pages = story_pages_new(max_bytes);
}

const char *
tracker_instance_id(Tracker *tracker)
{
    return tracker->instance_id;
}

gint64
tracker_local_person(Tracker *tracker)
{
    g_autoptr(DbConn) conn = db_take(tracker->db, NULL);
    g_autofree char *text = conn ? db_meta_get(conn, "local_person_id") : NULL;
    gint64 id;

    return text && g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &id, NULL) ? id : 0;
}

gint64
tracker_token_person(Tracker *tracker, const char *token)
{
    g_autoptr(DbConn) conn = token ? db_take(tracker->db, NULL) : NULL;

    return conn ? auth_token_person(conn, token) : 0;
}

static void
header_clear(gpointer data)
{
    TrackerHeader *header = data;

    g_free(header->name);
    g_free(header->value);
}

static void
add_header(TrackerResponse *response, const char *name, const char *value)
{
    TrackerHeader header = {g_strdup(name), g_strdup(value)};

    g_array_append_val(response->headers, header);
}

static void
add_number(TrackerResponse *response, const char *name, gint64 value)
{
    char text[24];

    (void)g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value);
    add_header(response, name, text);
}

static void
add_page_headers(TrackerResponse *response, const Call *call)
{
    if (call->project_version >= 0) {
        add_number(response, "X-Tracker-Project-Version", call->project_version);
    }
    if (call->last_notification_ms >= 0) {
        add_number(response, "X-Tracker-Last-Notification-Timestamp", call->last_notification_ms);
    }
    if (call->paged) {
        if (!call->total_unknown) {
            add_number(response, "X-Tracker-Pagination-Total", call->total);
        }
        add_number(response, "X-Tracker-Pagination-Limit", call->limit);
        add_number(response, "X-Tracker-Pagination-Offset", call->offset);
        add_number(response, "X-Tracker-Pagination-Returned", call->returned);
    }
}

static void
add_cors(TrackerResponse *response)
{
    add_header(response, "Access-Control-Allow-Origin", "*");
    add_header(response, "Access-Control-Allow-Credentials", "false");
    add_header(response, "Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
    add_header(response, "Access-Control-Allow-Headers",
               "X-TrackerToken,DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,"
               "If-Modified-Since,Cache-Control,Content-Type,"
               "X-Tracker-Warn-Unless-Project-Version-Is");
}

/* What every V5 answer carries. */
static void
add_common(TrackerResponse *response, gint64 started_us)
{
    g_autofree char *id = db_random_hex(16);
    g_autofree char *runtime =
        g_strdup_printf("%.6f", (double)(g_get_monotonic_time() - started_us) / 1e6);

    add_header(response, "Status", problem_status_line(response->status));
    add_header(response, "X-Tracker-Client-Pinger-Interval", "20");
    add_header(response, "X-Request-Id", id);
    add_header(response, "X-Runtime", runtime);
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-XSS-Protection", "1; mode=block");
    add_header(response, "X-Frame-Options", "SAMEORIGIN");
}

static void
add_etag(TrackerResponse *response)
{
    char digest[DIGEST_TEXT_BYTES];
    g_autofree char *tag = NULL;

    if (!response->page) {
        digest_text(response->body->str, response->body->len, digest);
    }
    tag = g_strdup_printf("W/\"%s\"", response->page ? response->page->digest : digest);
    add_header(response, "ETag", tag);
}

static const GString *
answer_of(const Call *call)
{
    return call->page ? &call->page->text : call->body;
}

/* Errors too, as npm's pivotaltracker expects, which was written for the real service (unsure: not
 * recorded). They have neither pages nor a version. */
static GString *
wrap_envelope(const Call *call, const GString *data, int status)
{
    GString *out = g_string_sized_new(data->len + 160);

    g_string_append(out, "{\"data\":");
    g_string_append_len(out, data->str, (gssize)data->len);
    if (call->paged && status == 200) {
        g_string_append(out, ",\"pagination\":{");
        if (!call->total_unknown) {
            g_string_append_printf(out, "\"total\":%" G_GINT64_FORMAT ",", call->total);
        }
        g_string_append_printf(out,
                               "\"limit\":%" G_GINT64_FORMAT ",\"offset\":%" G_GINT64_FORMAT
                               ",\"returned\":%" G_GINT64_FORMAT "}",
                               call->limit, call->offset, call->returned);
    }
    if (call->project_version >= 0 && status == 200) {
        g_string_append(out, ",\"project_version\":");
        json_int(out, call->project_version);
    }
    g_string_append_printf(out, ",\"http_status\":\"%d\"}", status);
    return out;
}

static void
answer_file(Call *call, TrackerResponse *response)
{
    gboolean is_inline = g_strcmp0(call_param(call, "inline"), "true") == 0;
    g_autofree char *escaped = g_uri_escape_string(call->file_name, NULL, FALSE);
    g_autofree char *disposition =
        g_strdup_printf("%s; filename*=UTF-8''%s", is_inline ? "inline" : "attachment", escaped);
    gboolean plain = call->file_type && *call->file_type;

    for (const char *at = call->file_type; plain && *at; at++) {
        plain = *at >= 0x20 && *at < 0x7f; /* a stored type must not write headers */
    }
    response->file_fd = call->file_fd;
    response->file_bytes = call->file_bytes;
    call->file_fd = -1;
    add_header(response, "Content-Type", plain ? call->file_type : "application/octet-stream");
    add_header(response, "Content-Disposition", disposition);
    add_header(response, "Cache-Control", "private, max-age=1800");
    /* A file that someone uploaded must not run as a page of this host. */
    add_header(response, "Content-Security-Policy", "default-src 'none'; sandbox");
}

static void
answer_redirect(Call *call, TrackerResponse *response)
{
    response->status = 302;
    response->body = g_string_new(NULL);
    add_header(response, "Location", call->location);
    add_header(response, "Content-Type", "text/html; charset=utf-8");
    add_header(response, "Cache-Control", "no-cache");
}

/* A body that is neither JSON nor the bytes of a file. */
static void
answer_text(Call *call, TrackerResponse *response)
{
    g_autofree char *escaped = g_uri_escape_string(call->file_name, NULL, FALSE);
    g_autofree char *disposition = g_strdup_printf("attachment; filename*=UTF-8''%s", escaped);

    response->body = g_steal_pointer(&call->body);
    add_header(response, "Content-Type", call->file_type);
    add_header(response, "Content-Disposition", disposition);
    add_header(response, "Cache-Control", "max-age=0, private, must-revalidate");
    add_etag(response);
    add_cors(response);
    add_page_headers(response, call);
}

static void
answer_json(Call *call, TrackerResponse *response)
{
    if (call->envelope) {
        response->body = wrap_envelope(call, answer_of(call), response->status);
    } else if (call->page) {
        response->page = g_steal_pointer(&call->page);
        response->body = &response->page->text;
    } else {
        response->body = g_steal_pointer(&call->body);
    }
    add_header(response, "Content-Type", "application/json; charset=utf-8");
    add_header(response, "Cache-Control", "max-age=0, private, must-revalidate");
    add_etag(response);
    add_cors(response);
    add_page_headers(response, call);
}

static void
answer_nothing(Call *call, TrackerResponse *response)
{
    response->status = 204;
    response->body = g_string_new(NULL);
    add_header(response, "Cache-Control", "no-cache");
    add_cors(response);
    add_page_headers(response, call);
}

static void
answer_problem(Call *call, TrackerResponse *response)
{
    response->status = problem_status(&call->problem);
    g_string_truncate(call->body, 0);
    problem_write(&call->problem, call->body);
    response->body = call->envelope ? wrap_envelope(call, call->body, response->status)
                                    : g_steal_pointer(&call->body);
    add_header(response, "Content-Type", "application/json; charset=utf-8");
    add_header(response, "Cache-Control", "no-cache");
    add_cors(response);
}

/* The token that GET /me gave for a password becomes good: its hash is kept. */
static void
keep_token(Call *call, Tracker *tracker)
{
    g_autoptr(DbConn) conn = db_take(tracker->db, NULL);

    if (!conn ||
        !auth_token_add(conn, call->person_id, call->derived_token, "password", call->now_ms)) {
        (void)call_fail(call, PROBLEM_UNHANDLED);
    }
}

/* What must not hold up other writers: turning away who may not write, storing uploads. */
static gboolean
prepare(Call *call, GError **error)
{
    gboolean ok;

    if (!db_begin(call->conn, DB_READ, error)) {
        return FALSE;
    }
    ok = routes_prepare(call) && db_check(call->conn, error);
    db_rollback(call->conn);
    return ok;
}

/* The request inside its transaction: all of it or nothing. */
static gboolean
run(Call *call, Db *db)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = FALSE, writes;

    if (!routes_find(call)) {
        return FALSE;
    }
    writes = routes_writes(call);
    if (writes && db_read_only(db)) {
        problem_set(&call->problem, PROBLEM_UNAUTHORIZED, "This tracker is opened read-only.");
        return FALSE;
    }
    call->conn = db_take(db, &error);
    call->render.conn = call->conn;
    call->render.pages = writes ? NULL : call->tracker->pages;
    if (call->conn && (!writes || prepare(call, &error)) &&
        db_begin(call->conn, writes ? DB_WRITE : DB_READ, &error)) {
        ok = routes_run(call);
        if (!db_check(call->conn, &error) || (ok && writes && !db_commit(call->conn, &error))) {
            ok = FALSE;
        }
    }
    /* The handlers' own answer to a failing database is luck: it is always the server's fault. */
    if (error) {
        g_debug("tracker: %s", error->message);
        ok = call_fail(call, PROBLEM_UNHANDLED);
    }
    render_clear(&call->render);
    if (ok && writes) {
        files_collect(call->conn);
    }
    db_give(g_steal_pointer(&call->conn));
    return ok;
}

gboolean
tracker_only_reads(const char *method, const char *path)
{
    TrackerRequest request = {.method = method, .path = path};
    Call call = {.request = &request, .file_fd = -1};
    gboolean reads = strcmp(method, "GET") == 0 || !routes_find(&call) || !routes_writes(&call);

    call_clear(&call);
    return reads;
}

static Call
call_for(Tracker *tracker, const TrackerRequest *request, gint64 now_ms)
{
    return (Call){
        .tracker = tracker,
        .request = request,
        .now_ms = now_ms,
        .render.now_ms = now_ms,
        .body = g_string_new(NULL),
        .project_version = -1,
        .last_notification_ms = -1,
        .file_fd = -1,
    };
}

void
call_run_inside(Call *call, const char *url, GString *out)
{
    gsize bytes = strcspn(url, "?");
    g_autofree char *path = g_strndup(url, bytes);
    TrackerRequest request = {
        .method = "GET",
        .path = path,
        .query = url[bytes] ? url + bytes + 1 : NULL,
        .token = call->request->token ? call->request->token : call_param(call, "token"),
        .trusted_person_id = call->request->trusted_person_id,
    };
    Call inside = call_for(call->tracker, &request, call->now_ms);
    g_autoptr(GString) wrapped = NULL;
    const GString *answer;

    inside.conn = call->conn;
    inside.render.conn = call->conn;
    inside.render.pages = call->render.pages;
    if (!g_str_has_prefix(path, "/services/v5/")) {
        (void)call_fail(&inside, PROBLEM_NO_ROUTE);
    } else if (routes_find(&inside)) {
        (void)routes_run(&inside);
    }
    if (inside.problem.code != PROBLEM_NONE) {
        g_string_truncate(inside.body, 0);
        problem_write(&inside.problem, inside.body);
        g_clear_pointer(&inside.page, story_page_unref);
    }
    answer = answer_of(&inside);
    if (inside.envelope) {
        wrapped = wrap_envelope(&inside, answer, problem_status(&inside.problem));
        answer = wrapped;
    }
    json_append(out, answer->str, answer->len);
    inside.conn = NULL;
    call_clear(&inside);
}

void
tracker_handle(Tracker *tracker, const TrackerRequest *request, TrackerResponse *ret_response)
{
    gint64 started_us = g_get_monotonic_time();
    gboolean ok;
    Call call = call_for(tracker, request, tracker_now_ms(tracker));

    *ret_response = (TrackerResponse){.status = 200, .file_fd = -1};
    ret_response->headers = g_array_new(FALSE, TRUE, sizeof(TrackerHeader));
    g_array_set_clear_func(ret_response->headers, header_clear);
    ok = run(&call, tracker->db);
    if (ok) {
        change_hooks_committed(tracker, &call);
    }
    if (ok && call.derived_token) {
        keep_token(&call, tracker);
        ok = call.problem.code == PROBLEM_NONE;
    }
    if (!ok) {
        answer_problem(&call, ret_response);
    } else if (call.no_content) {
        answer_nothing(&call, ret_response);
    } else if (call.file_fd >= 0) {
        answer_file(&call, ret_response);
    } else if (call.location) {
        answer_redirect(&call, ret_response);
    } else if (call.file_type) {
        answer_text(&call, ret_response);
    } else {
        answer_json(&call, ret_response);
    }
    add_common(ret_response, started_us);
    call_clear(&call);
}

TrackerBody *
tracker_response_take_body(TrackerResponse *response)
{
    TrackerBody *body = g_new0(TrackerBody, 1);

    body->text = response->body;
    body->own = response->page ? NULL : response->body;
    body->page = g_steal_pointer(&response->page);
    response->body = NULL;
    return body;
}

void
tracker_body_free(TrackerBody *body)
{
    if (body->own) {
        (void)g_string_free(body->own, TRUE);
    }
    story_page_unref(body->page);
    g_free(body);
}

void
tracker_response_own_body(TrackerResponse *response)
{
    if (response->page) {
        response->body = g_string_new_len(response->body->str, (gssize)response->body->len);
        g_clear_pointer(&response->page, story_page_unref);
    }
}

gboolean
tracker_response_pack(TrackerResponse *response, GString *(*pack)(const GString *body))
{
    GString *own = NULL;
    const GString *packed;

    if (!response->page) {
        packed = own = pack(response->body);
    } else {
        packed = story_page_packed(response->page, pack, &own);
    }
    if (own) {
        tracker_body_free(tracker_response_take_body(response));
    }
    if (packed) {
        response->body = (GString *)(guintptr)packed;
    }
    return packed != NULL;
}

void
tracker_response_clear(TrackerResponse *response)
{
    g_clear_pointer(&response->headers, g_array_unref);
    if (response->body) {
        tracker_body_free(tracker_response_take_body(response));
    }
    if (response->file_fd >= 0) {
        (void)close(response->file_fd);
        response->file_fd = -1;
    }
}

const char *
tracker_response_header(const TrackerResponse *response, const char *name)
{
    for (guint i = 0; response->headers && i < response->headers->len; i++) {
        const TrackerHeader *header = &g_array_index(response->headers, TrackerHeader, i);

        if (g_ascii_strcasecmp(header->name, name) == 0) {
            return header->value;
        }
    }
    return NULL;
}

/* A queue, a thread, and just enough V5. */
#include "tests/unit/cache/support_fake_service.h"

#include <string.h>

#include "cache/base/err.h"

typedef struct {
    HttpRequest *request;
    TransportDoneFn done;
    gpointer user;
} Asked;

static gint64
parameter(const char *target, const char *name, gint64 otherwise)
{
    g_autofree char *key = g_strdup_printf("%s=", name);
    const char *at = strstr(target, key);
    return at ? g_ascii_strtoll(at + strlen(key), NULL, 10) : otherwise;
}

static void
append_story(FakeService *fake, GString *out, guint id)
{
    const char *title = id == fake->changed_id && fake->title ? fake->title : "as it was";
    g_string_append_printf(
        out,
        "%s{\"id\":%u,\"kind\":\"story\",\"project_id\":9,\"name\":\"%s\",\"story_type\":"
        "\"feature\","
        "\"current_state\":\"started\",\"labels\":[],\"owner_ids\":[],\"description\":\"%s %u\","
        "\"created_at\":1000,\"updated_at\":2000%s",
        out->str[out->len - 1] == '[' ? "" : ",", id, title, title, id,
        id > 1 ? ",\"after_id\":" : "");
    if (id > 1) {
        g_string_append_printf(out, "%u", id - 1);
    }
    g_string_append_c(out, '}');
}

static void
answer_stories(FakeService *fake, const char *target, HttpResponse *response, GString *out)
{
    guint limit = MIN((guint)parameter(target, "limit", 100), fake->page_limit);
    guint offset = (guint)parameter(target, "offset", 0);
    guint given = 0;
    for (guint id = offset + 1; id <= fake->n_stories && given < limit; id++) {
        if (fake->loses_a_story && id == 2) {
            given++;
            continue;
        }
        append_story(fake, out, id);
        given++;
    }
    response->total = fake->n_stories;
    response->limit = limit;
    response->offset = offset;
    response->returned = given;
    if (fake->moves_between_pages && offset == 0) {
        fake->version++;
        fake->moves_between_pages = FALSE;
    }
}

static void
answer_activity(FakeService *fake, const char *target, HttpResponse *response, GString *out)
{
    gint64 since = MAX(parameter(target, "since_version", 0), fake->logged_from);
    guint n = 0;
    for (gint64 version = fake->version; version > since; version--) {
        g_string_append_printf(out,
                               "%s{\"kind\":\"%s\",\"guid\":\"9_%" G_GINT64_FORMAT
                               "\",\"project_version\":%" G_GINT64_FORMAT
                               ",\"changes\":[{\"kind\":\"story\",\"change_type\":\"%s\",\"id\":%u}"
                               "],\"primary_resources\":[],"
                               "\"occurred_at\":%" G_GINT64_FORMAT "}",
                               n++ ? "," : "",
                               fake->changed_id ? "story_update_activity" : "story_delete_activity",
                               version, version, fake->changed_id ? "update" : "delete",
                               MAX(fake->changed_id, 1u), version * 1000);
    }
    response->total = n;
    response->limit = 500;
    response->offset = parameter(target, "offset", 0);
    response->returned = n;
}

static void
answer_bulk(FakeService *fake, const char *target, GString *out)
{
    const char *at = strstr(target, "ids=") + 4;
    for (char *end; g_ascii_isdigit(*at); at = *end == ',' ? end + 1 : end) {
        guint id = (guint)g_ascii_strtoull(at, &end, 10);
        if (id <= fake->n_stories && (fake->changed_id != 0 || id != 1)) {
            append_story(fake, out, id);
        }
    }
}

static void
answer_locked(FakeService *fake, const char *target, HttpResponse *response, GString *out)
{
    g_string_append_printf(fake->log, "%s\n", target);
    fake->requests++;
    response->status = 200;
    response->total = response->limit = response->offset = response->returned = -1;
    response->project_version = g_str_has_prefix(target, "/projects/9") ? fake->version : -1;
    if (fake->is_html) {
        (void)g_string_append(out, "<html>hello</html>");
        return;
    }
    if (g_str_equal(target, "/me")) {
        (void)g_string_append(out, "{\"id\":1,\"name\":\"Ada\"}");
        return;
    }
    if (g_str_equal(target, "/projects/9")) {
        g_string_append_printf(out, "{\"id\":9,\"name\":\"P\",\"version\":%" G_GINT64_FORMAT "}",
                               fake->version);
        return;
    }
    g_string_append_c(out, '[');
    if (g_str_equal(target, "/projects")) {
        (void)g_string_append(out, "{\"id\":9,\"name\":\"P\"}");
    } else if (strstr(target, "/stories/bulk")) {
        answer_bulk(fake, target, out);
    } else if (strstr(target, "/activity")) {
        answer_activity(fake, target, response, out);
    } else if (strstr(target, "/stories")) {
        answer_stories(fake, target, response, out);
    } else {
        g_assert_true(strstr(target, "/memberships") || strstr(target, "/labels") ||
                      strstr(target, "/epics") || strstr(target, "/iterations"));
    }
    g_string_append_c(out, ']');
}

static void
answer(FakeService *fake, Asked *asked)
{
    g_autoptr(GError) error = NULL;
    HttpResponse *response = g_new0(HttpResponse, 1);
    g_autoptr(GString) out = g_string_new(NULL);
    {
        LOCK_SCOPE(&fake->lock);
        while (fake->holds_back && !fake->stops) {
            (void)cond_wait_ms(&fake->changed, &fake->lock, -1);
        }
        if (fake->is_offline) {
            error = g_error_new(ERR, ERR_OFFLINE, "unplugged");
            fake->requests++;
        } else if (fake->stops) {
            error = g_error_new(ERR, ERR_CANCELLED, "ending");
        } else {
            answer_locked(fake, asked->request->target, response, out);
        }
    }
    if (error) {
        g_clear_pointer(&response, http_response_free);
    } else {
        response->body_bytes = out->len;
        response->body = g_string_free(g_steal_pointer(&out), FALSE);
    }
    asked->done(response, error, asked->user);
    http_request_free(asked->request);
    g_free(asked);
}

static gpointer
fake_thread(gpointer user)
{
    FakeService *fake = user;
    for (;;) {
        Asked *asked = NULL;
        {
            LOCK_SCOPE(&fake->lock);
            while (!(asked = g_queue_pop_head(&fake->queue)) && !fake->stops) {
                (void)cond_wait_ms(&fake->changed, &fake->lock, -1);
            }
        }
        if (!asked) {
            return NULL;
        }
        answer(fake, asked);
    }
}

static void
fake_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    FakeService *fake = (FakeService *)transport;
    Asked *asked = g_new(Asked, 1);
    *asked = (Asked){request, done, user};
    LOCK_SCOPE(&fake->lock);
    g_queue_push_tail(&fake->queue, asked);
    (void)pthread_cond_broadcast(&fake->changed);
}

static void
fake_get_stats(Transport *transport, TransportStats *ret_stats)
{
    memset(ret_stats, 0, sizeof *ret_stats);
    ret_stats->requests = fake_service_requests((FakeService *)transport);
}

static void
fake_free(Transport *transport)
{
    FakeService *fake = (FakeService *)transport;
    FAKE_SET(fake, stops, TRUE);
    (void)pthread_join(fake->thread, NULL);
    g_string_free(fake->log, TRUE);
    (void)pthread_cond_destroy(&fake->changed);
    (void)pthread_mutex_destroy(&fake->lock);
    g_free(fake);
}

FakeService *
fake_service_new(guint n_stories)
{
    FakeService *fake = g_new0(FakeService, 1);
    fake->transport.send = fake_send;
    fake->transport.get_stats = fake_get_stats;
    fake->transport.free = fake_free;
    fake->n_stories = n_stories;
    fake->version = 10;
    fake->changed_id = 1;
    fake->page_limit = 500;
    fake->log = g_string_new(NULL);
    g_queue_init(&fake->queue);
    (void)pthread_mutex_init(&fake->lock, NULL);
    cond_init_monotonic(&fake->changed);
    g_assert_cmpint(pthread_create(&fake->thread, NULL, fake_thread, fake), ==, 0);
    return fake;
}

guint
fake_service_requests(FakeService *fake)
{
    LOCK_SCOPE(&fake->lock);
    return fake->requests;
}

void
fake_service_reset(FakeService *fake)
{
    LOCK_SCOPE(&fake->lock);
    fake->requests = 0;
    (void)g_string_truncate(fake->log, 0);
}

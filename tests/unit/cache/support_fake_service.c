/* Just enough V5, written by hand. */
#include "tests/unit/cache/support_fake_service.h"

#include <string.h>

static void
append_story(FakeService *fake, GString *out, guint id)
{
    const char *title = id == fake->changed_id && fake->title ? fake->title : "as it was";
    g_string_append_printf(out, "%s{", out->str[out->len - 1] == '[' ? "" : ",");
    if (id < fake->nameless_from || id > fake->nameless_to) {
        g_string_append_printf(out, "\"id\":%u,", id);
    }
    g_string_append_printf(
        out,
        "\"kind\":\"story\",\"project_id\":9,\"name\":\"%s\",\"story_type\":"
        "\"feature\","
        "\"current_state\":\"started\",\"labels\":[],\"owner_ids\":[],\"description\":\"%s %u\","
        "\"created_at\":1000,\"updated_at\":2000%s",
        title, title, id, id > 1 ? ",\"after_id\":" : "");
    if (id > 1) {
        g_string_append_printf(out, "%u", id - 1);
    }
    g_string_append_c(out, '}');
}

static void
answer_stories(FakeService *fake, const char *target, HttpResponse *response, GString *out)
{
    guint limit = MIN((guint)fake_parameter(target, "limit", 100), fake->page_limit);
    guint offset = (guint)fake_parameter(target, "offset", 0);
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
    gint64 since = MAX(fake_parameter(target, "since_version", 0), fake->logged_from);
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
    response->offset = fake_parameter(target, "offset", 0);
    response->returned = n;
}

static void
answer_bulk(FakeService *fake, const char *target, GString *out)
{
    g_autoptr(GArray) ids = fake_ids(target);
    for (guint i = 0; i < ids->len; i++) {
        guint id = (guint)g_array_index(ids, gint64, i);
        if (id <= fake->n_stories && (fake->changed_id != 0 || id != 1)) {
            append_story(fake, out, id);
        }
    }
}

static void
write_answer(FakeService *fake, const char *target, HttpResponse *response, GString *out)
{
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

static HttpResponse *
answer(FakeTransport *wire, const HttpRequest *request, GError **error)
{
    FakeService *fake = (FakeService *)wire;
    gboolean in_project = g_str_has_prefix(request->target, "/projects/9");
    HttpResponse *response = fake_response(200, in_project ? fake->version : -1, NULL);
    GString *out = g_string_new(NULL);
    (void)error;
    write_answer(fake, request->target, response, out);
    g_free(response->body);
    response->body_bytes = out->len;
    response->body = g_string_free(out, FALSE);
    return response;
}

FakeService *
fake_service_new(guint n_stories)
{
    FakeService *fake = g_new0(FakeService, 1);
    fake->wire.answer = answer;
    fake->n_stories = n_stories;
    fake->version = 10;
    fake->changed_id = 1;
    fake->page_limit = 500;
    fake_transport_start(&fake->wire);
    return fake;
}

guint
fake_service_requests(FakeService *fake)
{
    LOCK_SCOPE(&fake->wire.lock);
    return fake->wire.requests;
}

void
fake_service_reset(FakeService *fake)
{
    FAKE_SET(fake, wire.requests, 0);
}

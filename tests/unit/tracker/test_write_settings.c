/* Workspaces, notifications, webhooks, integrations, saved searches and review types, written. */
#include "support_receiver.h"
#include "support_service.h"

#include <jansson.h>

#define P "projects/99"
#define VERSION "SELECT version FROM project WHERE id = 99"

static void
test_workspaces(Fixture *f)
{
    g_assert_cmpstr(
        fixture_send(f, "POST", "my/workspaces", "{\"name\":\"Multi\",\"project_ids\":[99]}"), ==,
        "{\"id\":1,\"kind\":\"workspace\",\"name\":\"Multi\",\"person_id\":101,"
        "\"project_ids\":[99]}");
    g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
    fixture_refused(f, "POST", "my/workspaces", "{}", "this endpoint requires the parameter: name");
    fixture_refused(f, "POST", "my/workspaces", "{\"name\":true}",
                    "'name' must be an extended_string");
    fixture_refused(f, "POST", "my/workspaces", "{\"name\":\" \"}", "Name can't be blank");
    fixture_refused(f, "POST", "my/workspaces", "{\"name\":\"abcdefghijklmnopqrstuvwxyz\"}",
                    "This extended_string is too long:  'abcdefghijklmnopqrstuvwxyz'");
    g_assert_cmpstr(fixture_text(f, "requirement"), ==,
                    "'name' parameter must be 25 characters or less.");
    fixture_refused(f, "POST", "my/workspaces", "{\"name\":\"N\",\"project_ids\":[0]}",
                    "You cannot add project id 0 to your workspace, either you are not a member "
                    "or the project doesn't exist.");
    fixture_refused(f, "PUT", "my/workspaces/1", "{\"project_ids\":[99,22]}",
                    "You cannot add project id 22 to your workspace, either you are not a member "
                    "or the project doesn't exist.");
    fixture_refused(f, "PUT", "my/workspaces/1", "{\"name\":\"Other\"}",
                    "this endpoint cannot accept the parameter: name");
    fixture_sql(f, "UPDATE membership SET role = 'viewer' WHERE id = 9005");
    fixture_expect(f, "PUT", "my/workspaces/1", "{\"project_ids\":[22,99,22]}", 200);
    g_assert_cmpint(json_integer_value(fixture_at(f, "project_ids.0")), ==, 22);
    g_assert_cmpint((gint64)json_array_size(fixture_at(f, "project_ids")), ==, 2);
    fixture_expect(f, "DELETE", "my/workspaces", NULL, 404);
    g_assert_cmpstr(fixture_text(f, "code"), ==, "route_not_found");
    f->token = TOKEN_BO;
    fixture_expect(f, "PUT", "my/workspaces/1", "{\"project_ids\":[]}", 404);
    fixture_expect(f, "DELETE", "my/workspaces/1", NULL, 404);
    f->token = NULL;
    fixture_expect(f, "DELETE", "my/workspaces/1", NULL, 204);
    fixture_expect(f, "GET", "my/workspaces/1", NULL, 404);
}

static void
test_notifications(Fixture *f)
{
    fixture_sql(f, "INSERT INTO notification(id, person_id, project_id, performer_id, message,"
                   " notification_type, action, story_id, created_at, updated_at) VALUES"
                   "(11, 101, 99, 102, 'a', 'story', 'create', 555, 1, 1),"
                   "(12, 101, 99, 102, 'b', 'story', 'create', 555, 2000, 2000),"
                   "(13, 101, 99, 102, 'c', 'story', 'create', 555, 3000, 3000),"
                   "(14, 102, 99, 101, 'd', 'story', 'create', 555, 4000, 4000)");
    fixture_expect(f, "PUT", "my/notifications/11", "{\"read_at\":\"2017-05-03T12:00:00Z\"}", 200);
    g_assert_cmpstr(fixture_text(f, "read_at"), ==, "2017-05-03T12:00:00Z");
    fixture_refused(f, "PUT", "my/notifications/11", "{}",
                    "this endpoint requires the parameter: read_at");
    fixture_refused(f, "PUT", "my/notifications/11", "{\"read_at\":\"2017-05-03\"}",
                    "'read_at' must be a time value represented as milliseconds/iso 8601 date");
    fixture_expect(f, "PUT", "my/notifications/14", "{\"read_at\":1}", 404);
    /* Only what was unread changes. */
    fixture_expect(f, "PUT", "my/notifications/mark_read?fields=id", "{\"before\":12}", 200);
    g_assert_cmpint((gint64)json_array_size(f->json), ==, 1);
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.id")), ==, 12);
    g_assert_cmpint(fixture_number(f, "SELECT read_at FROM notification WHERE id = 11"), ==,
                    G_GINT64_CONSTANT(1493812800000));
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM notification WHERE read_at IS NULL"),
                    ==, 2);
    fixture_refused(f, "PUT", "my/notifications/mark_read", "{}",
                    "this endpoint requires the parameter: before");
    fixture_expect(f, "PUT", "my/notifications/read_list?fields=id", "{\"ids\":[13,14]}", 200);
    g_assert_cmpint((gint64)json_array_size(f->json), ==, 1);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM notification WHERE read_at IS NULL"),
                    ==, 1);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
}

static void
test_webhook_rules(Fixture *f)
{
    fixture_refused(f, "POST", P "/webhooks", "{}", "can't be blank, Webhook must be a valid URL.");
    fixture_refused(f, "POST", P "/webhooks", "{\"webhook_url\":null}",
                    "can't be blank, Webhook must be a valid URL.");
    fixture_refused(f, "POST", P "/webhooks", "{\"webhook_url\":\"hook\"}",
                    "Webhook must be a valid URL.");
    fixture_refused(
        f, "POST", P "/webhooks", "{\"webhook_url\":\"http://hook.example.org/\"}",
        "One or more consistency checks failed on the supplied WebhookActivityChannel.");
    g_assert_cmpstr(fixture_text(f, "requirement"), ==, "Webhook must use https.");
    /* http on this machine is for `serve --faults` and tests: this tracker was not told so. */
    fixture_refused(
        f, "POST", P "/webhooks", "{\"webhook_url\":\"http://127.0.0.1:1/\"}",
        "One or more consistency checks failed on the supplied WebhookActivityChannel.");
    fixture_refused(f, "POST", P "/webhooks",
                    "{\"webhook_url\":\"https://hook.example.org/\",\"webhook_version\":\"v3\"}",
                    "'webhook_version' must be one of: v5");
    fixture_refused(f, "PUT", P "/webhooks/1", "{}",
                    "this endpoint requires at least one of the following parameters: enabled, "
                    "webhook_url, webhook_version");
    f->token = TOKEN_BO;
    fixture_expect(f, "POST", P "/webhooks", "{\"webhook_url\":\"https://hook.example.org/\"}",
                   403);
}

static void
test_webhooks(Fixture *f)
{
    g_assert_cmpstr(
        fixture_send(f, "POST", P "/webhooks", "{\"webhook_url\":\"https://hook.example.org/\"}"),
        ==,
        "{\"kind\":\"webhook\",\"id\":1,\"project_id\":99,"
        "\"webhook_url\":\"https://hook.example.org/\",\"webhook_version\":\"v5\","
        "\"enabled\":true,\"created_at\":\"2017-05-03T23:29:41Z\","
        "\"updated_at\":\"2017-05-03T23:29:41Z\"}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "230");
    fixture_expect(f, "POST", P "/labels", "{\"name\":\"one\"}", 200);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM webhook_delivery"), ==, 1);
    fixture_expect(f, "PUT", P "/webhooks/1",
                   "{\"enabled\":false,\"webhook_url\":\"https://hook.example.org/b\"}", 200);
    g_assert_cmpstr(fixture_text(f, "webhook_url"), ==, "https://hook.example.org/b");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM webhook_delivery"), ==, 0);
    fixture_expect(f, "POST", P "/labels", "{\"name\":\"two\"}", 200);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM webhook_delivery"), ==, 0);
    fixture_expect(f, "PUT", P "/webhooks/1", "{\"enabled\":true}", 200);
    fixture_expect(f, "POST", P "/labels", "{\"name\":\"three\"}", 200);
    fixture_expect(f, "DELETE", P "/webhooks/1", NULL, 204);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM webhook_delivery"), ==, 0);
    fixture_expect(f, "GET", P "/webhooks/1", NULL, 404);
    fixture_expect(f, "DELETE", P "/webhooks/1", NULL, 404);
}

/* From a request to the receiver, through everything. */
static void
test_delivery(Fixture *f)
{
    Receiver *receiver = receiver_start();
    g_autofree char *body = g_strdup_printf("{\"webhook_url\":\"%s\"}", receiver_url(receiver));
    g_autofree char *post = NULL;
    g_autoptr(GError) error = NULL;
    json_t *activity;

    g_assert_true(tracker_deliver_webhooks(f->tracker, TRUE, &error));
    fixture_expect(f, "POST", P "/webhooks", body, 200);
    fixture_expect(f, "POST", P "/stories", "{\"name\":\"Told\"}", 200);
    g_assert_true(receiver_wait(receiver, 1));
    post = receiver_body(receiver, 0);
    activity = json_loads(post, 0, NULL);
    g_assert_cmpstr(json_string_value(json_object_get(activity, "kind")), ==,
                    "story_create_activity");
    g_assert_cmpstr(json_string_value(json_object_get(activity, "guid")), ==, "99_231");
    g_assert_cmpint(json_integer_value(json_object_get(activity, "occurred_at")), ==,
                    FIXTURE_NOW_MS);
    json_decref(activity);
    /* A request that changes nothing tells nothing. */
    fixture_expect(f, "PUT", "stories/801", "{}", 200);
    fixture_expect(f, "PUT", "stories/801", "{\"name\":\"Retold\"}", 200);
    g_assert_true(receiver_wait(receiver, 2));
    g_assert_cmpint(receiver_count(receiver), ==, 2);
    tracker_close(f->tracker);
    f->tracker = tracker_open(f->path, 0, &error);
    receiver_stop(receiver);
}

static void
test_integrations(Fixture *f)
{
    fixture_expect(
        f, "POST", P "/integrations",
        "{\"type\":\"Jira\",\"name\":\"Our Jira\",\"base_url\":\"https://jira.example.org\","
        "\"api_username\":\"u\",\"api_password\":\"hush\",\"update_state\":true}",
        200);
    g_assert_cmpstr(fixture_text(f, "kind"), ==, "jira_integration");
    g_assert_cmpstr(fixture_text(f, "name"), ==, "Our Jira");
    g_assert_cmpstr(fixture_text(f, "api_username"), ==, "u");
    g_assert_true(json_is_true(fixture_at(f, "update_state")));
    g_assert_true(json_is_true(fixture_at(f, "active")));
    g_assert_null(fixture_at(f, "api_password"));
    fixture_expect(f, "PUT", P "/integrations/1",
                   "{\"active\":false,\"api_username\":null,\"filter_id\":\"12\"}", 200);
    g_assert_true(json_is_false(fixture_at(f, "active")));
    g_assert_cmpstr(fixture_text(f, "filter_id"), ==, "12");
    g_assert_null(fixture_at(f, "api_username"));
    g_assert_cmpint(fixture_number(f, "SELECT secrets = '{\"api_password\":\"hush\"}'"
                                      " FROM integration"),
                    ==, 1);
    fixture_refused(f, "POST", P "/integrations", "{}",
                    "this endpoint requires the parameter: type");
    fixture_refused(f, "POST", P "/integrations", "{\"type\":\"mail\"}",
                    "'type' must be one of: lighthouse, jira, get_satisfaction, zendesk, "
                    "bugzilla, other");
    fixture_expect(f, "DELETE", P "/integrations/1", NULL, 204);
    fixture_expect(f, "PUT", P "/integrations/1", "{\"active\":true}", 404);
}

static void
test_saved_searches(Fixture *f)
{
    g_assert_cmpstr(
        fixture_send(f, "POST", P "/my/searches", "{\"name\":\"Mine\",\"query\":\"owner:ada\"}"),
        ==,
        "{\"kind\":\"saved_search\",\"id\":1,\"project_id\":99,\"name\":\"Mine\","
        "\"query\":\"owner:ada\"}");
    fixture_refused(f, "POST", P "/my/searches", "{}",
                    "this endpoint requires the parameters: name, query");
    fixture_refused(f, "POST", P "/my/searches", "{\"name\":\"\",\"query\":\"x\"}",
                    "Name can't be blank");
    fixture_refused(f, "POST", P "/my/searches", "{\"name\":\"x\",\"query\":\" \"}",
                    "Query can't be blank");
    f->token = TOKEN_BO;
    fixture_expect(f, "DELETE", P "/my/searches/1", NULL, 404);
    f->token = NULL;
    fixture_expect(f, "DELETE", P "/my/searches/1", NULL, 204);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
}

static void
test_review_types(Fixture *f)
{
    fixture_expect(f, "POST", P "/review_types", "{\"name\":\"Legal\"}", 200);
    g_assert_cmpstr(fixture_text(f, "name"), ==, "Legal");
    g_assert_true(json_is_false(fixture_at(f, "hidden")));
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    fixture_expect(f, "PUT", P "/review_types/22", "{\"hidden\":true,\"name\":\"Code!\"}", 200);
    g_assert_true(json_is_true(fixture_at(f, "hidden")));
    fixture_expect(f, "GET", P "/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "review_type_update_activity");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.original_values.name"), ==, "Code");
    fixture_refused(f, "POST", P "/review_types", "{}",
                    "this endpoint requires the parameter: name");
    fixture_refused(f, "PUT", P "/review_types/22", "{\"name\":\"\"}", "Name can't be blank");
    fixture_refused(f, "PUT", P "/review_types/22", "{}",
                    "this endpoint requires at least one of the following parameters: hidden, "
                    "name");
    fixture_expect(f, "PUT", P "/review_types/7", "{\"hidden\":true}", 404);
    fixture_expect(f, "DELETE", P "/review_types/22", NULL, 404);
    f->token = TOKEN_BO;
    fixture_expect(f, "POST", P "/review_types", "{\"name\":\"No\"}", 403);
}

static void
test_overrides(Fixture *f)
{
    g_autofree char *changes = NULL;
    char *text;

    /* Iteration 4 is the current one: 1 to 8 May, Los Angeles. */
    g_assert_cmpstr(
        fixture_send(f, "PUT", P "/iteration_overrides/4", "{\"length\":2,\"team_strength\":0.7}"),
        ==,
        "{\"kind\":\"iteration_override\",\"number\":4,\"project_id\":99,"
        "\"length\":2,\"team_strength\":0.7}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    fixture_expect(f, "GET", P "/iterations/4", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "finish"), ==, "2017-05-15T07:00:00Z");
    fixture_expect(f, "GET", P "/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "iteration_update_activity");
    text = json_dumps(fixture_at(f, "0.changes"), JSON_COMPACT);
    changes = g_strdup(text);
    free(text);
    g_assert_cmpstr(
        changes, ==,
        "[{\"kind\":\"iteration_override\",\"change_type\":\"update\",\"number\":4,"
        "\"original_values\":{\"length\":\"default\",\"team_strength\":1,"
        "\"finish\":\"2017-05-08T07:00:00Z\",\"number\":4},\"new_values\":{\"length\":2,"
        "\"team_strength\":0.69999999999999996,\"finish\":\"2017-05-15T07:00:00Z\","
        "\"number\":4}}]");
    fixture_expect(f, "PUT", P "/iteration_overrides/4", "{\"length\":2}", 200);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
    /* null takes it back; nothing is left of an override that says nothing. */
    fixture_expect(f, "PUT", P "/iteration_overrides/4?fields=length", "{\"length\":null}", 200);
    g_assert_cmpint(json_integer_value(fixture_at(f, "length")), ==, 1);
    fixture_expect(f, "PUT", P "/iteration_overrides/4", "{\"team_strength\":1}", 200);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM iteration_override"), ==, 0);
    fixture_expect(f, "PUT", P "/iteration_overrides/5", "{\"team_strength\":0}", 200);
    fixture_refused(f, "PUT", P "/iteration_overrides/5", "{\"length\":2}",
                    "Only done and current iterations may have their length overridden.");
    fixture_refused(f, "PUT", P "/iteration_overrides/4", "{\"length\":100}",
                    "length can only be between 1 and 99.");
    fixture_refused(f, "PUT", P "/iteration_overrides/4", "{\"length\":0}",
                    "length can only be between 1 and 99.");
    fixture_refused(f, "PUT", P "/iteration_overrides/4", "{\"team_strength\":-1}",
                    "team_strength can't be negative.");
    fixture_refused(f, "PUT", P "/iteration_overrides/4", "{\"team_strength\":\"x\"}",
                    "'team_strength' must be a number value");
    fixture_refused(f, "PUT", P "/iteration_overrides/4", "{}",
                    "this endpoint requires at least one of the following parameters: length, "
                    "team_strength");
    fixture_expect(f, "PUT", P "/iteration_overrides/0", "{\"length\":1}", 404);
    fixture_expect(f, "PUT", P "/iteration_overrides/999999", "{\"length\":1}", 404);
}

/* Who may do what: below that 403, without changing anything. */
static void
test_roles(Fixture *f)
{
    static const struct {
        const char *method, *path, *body;
        gboolean member_may;
    } cases[] = {
        {"PUT", P, "{\"name\":\"x\"}", FALSE},
        {"DELETE", P, NULL, FALSE},
        {"POST", P "/memberships", "{\"person_id\":103,\"role\":\"viewer\"}", FALSE},
        {"PUT", P "/memberships/9001", "{\"role\":\"viewer\"}", FALSE},
        {"DELETE", P "/memberships/9001", NULL, FALSE},
        {"POST", P "/review_types", "{\"name\":\"x\"}", FALSE},
        {"PUT", P "/review_types/22", "{\"name\":\"x\"}", FALSE},
        {"POST", P "/webhooks", "{\"webhook_url\":\"https://x.org/\"}", FALSE},
        {"PUT", P "/webhooks/1", "{\"enabled\":true}", FALSE},
        {"DELETE", P "/webhooks/1", NULL, FALSE},
        {"POST", P "/integrations", "{\"type\":\"other\"}", FALSE},
        {"PUT", P "/integrations/1", "{\"name\":\"x\"}", FALSE},
        {"DELETE", P "/integrations/1", NULL, FALSE},
        {"POST", P "/labels", "{\"name\":\"x\"}", TRUE},
        {"PUT", P "/labels/5002", "{\"name\":\"y\"}", TRUE},
        {"DELETE", P "/labels/5002", NULL, TRUE},
        {"POST", P "/epics", "{\"name\":\"x\"}", TRUE},
        {"PUT", P "/epics/4001", "{\"name\":\"x\"}", TRUE},
        {"PUT", P "/iteration_overrides/1", "{\"length\":2}", TRUE},
        {"DELETE", P "/epics/4001", NULL, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 version = fixture_number(f, VERSION);

        g_test_message("%s %s", cases[i].method, cases[i].path);
        f->token = TOKEN_CY; /* of another project */
        fixture_expect(f, cases[i].method, cases[i].path, cases[i].body, 403);
        g_assert_cmpstr(fixture_text(f, "code"), ==, "unauthorized_operation");
        f->token = "00000000000000000000000000000000";
        fixture_expect(f, cases[i].method, cases[i].path, cases[i].body, 403);
        g_assert_cmpstr(fixture_text(f, "code"), ==, "invalid_authentication");
        f->token = TOKEN_BO;
        fixture_sql(f, "UPDATE membership SET role = 'viewer' WHERE id = 9002");
        fixture_expect(f, cases[i].method, cases[i].path, cases[i].body, 403);
        fixture_sql(f, "UPDATE membership SET role = 'member' WHERE id = 9002");
        g_assert_cmpint(fixture_number(f, VERSION), ==, version);
        (void)fixture_json(f, cases[i].method, cases[i].path, cases[i].body);
        if (cases[i].member_may) {
            g_assert_cmpint(fixture_number(f, VERSION), >, version);
        } else {
            g_assert_cmpint(f->response.status, ==, 403);
            g_assert_cmpint(fixture_number(f, VERSION), ==, version);
        }
    }
}

/* Everything of 2.21, on purpose. */
static void
test_not_there(Fixture *f)
{
    static const struct {
        const char *method, *path;
    } cases[] = {
        {"GET", P "/story_templates"},
        {"POST", P "/story_templates"},
        {"POST", P "/stories/555/pull_requests"},
        {"DELETE", P "/stories/555/pull_requests/1"},
        {"GET", P "/stories/555/branches"},
        {"GET", P "/stories/555/cicd_events"},
        {"POST", P "/stories/555/comments/801/reactions"},
        {"GET", "my/followings"},
        {"GET", P "/scm_integrations"},
        {"GET", "my/two_factor"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s %s", cases[i].method, cases[i].path);
        fixture_expect(f, cases[i].method, cases[i].path, NULL, 404);
        g_assert_cmpstr(fixture_text(f, "code"), ==, "route_not_found");
        g_assert_cmpstr(fixture_text(f, "error"), ==,
                        "The path you requested has no valid endpoint.");
    }
}

#define ADD(name, test) fixture_test("/write-settings/" name, test)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("workspaces", test_workspaces);
    ADD("notifications", test_notifications);
    ADD("webhook-rules", test_webhook_rules);
    ADD("webhooks", test_webhooks);
    ADD("delivery", test_delivery);
    ADD("integrations", test_integrations);
    ADD("saved-searches", test_saved_searches);
    ADD("review-types", test_review_types);
    ADD("overrides", test_overrides);
    ADD("roles", test_roles);
    ADD("not-there", test_not_there);
    return g_test_run();
}

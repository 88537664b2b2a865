/* Webhooks, integrations, saved searches and workspace activity, read. */
#include "support_service.h"

#include <string.h>

static const char rows[] =
    "INSERT INTO webhook(id, project_id, webhook_url, webhook_version, enabled,"
    " last_error_code, last_response_body, created_at, updated_at) VALUES"
    "(1, 99, 'https://hook.example.org/a', 'v5', 1, 503, 'down', 1493854100000,"
    " 1493854136000), (2, 22, 'https://hook.example.org/b', 'v5', 0, NULL, NULL, 1, 1);"
    "INSERT INTO integration(id, project_id, kind, name, active, secrets, extra) VALUES"
    "(1, 99, 'jira_integration', 'Jira', 1, '{\"api_password\":\"secret\"}',"
    " '{\"filter_id\":\"7\"}');"
    "INSERT INTO saved_search VALUES(1, 99, 101, 'Mine', 'owner:ada', NULL),"
    "(2, 99, 102, 'Not mine', 'owner:bo', NULL), (3, 22, 101, 'Elsewhere', 'x', NULL);"
    "INSERT INTO workspace(id, person_id, name) VALUES(250, 101, 'Multi'), (251, 103, 'No');"
    "INSERT INTO workspace_project VALUES(250, 0, 99), (250, 1, 22), (251, 0, 22);";

static void
expect_status(Fixture *f, const char *path, int status)
{
    (void)fixture_get(f, path, NULL);
    g_assert_cmpint(f->response.status, ==, status);
}

static void
test_webhooks(Fixture *f)
{
    static const char one[] =
        "{\"kind\":\"webhook\",\"id\":1,\"project_id\":99,\"webhook_url\":"
        "\"https://hook.example.org/a\",\"webhook_version\":\"v5\",\"enabled\":true,"
        "\"last_error_code\":503,\"last_response_body\":\"down\","
        "\"created_at\":\"2017-05-03T23:28:20Z\",\"updated_at\":\"2017-05-03T23:28:56Z\"}";

    g_assert_cmpstr(fixture_get(f, "projects/99/webhooks/1", NULL), ==, one);
    g_assert_cmpstr(fixture_get(f, "projects/99/webhooks", "fields=enabled"), ==,
                    "[{\"id\":1,\"enabled\":true}]");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "230");
    expect_status(f, "projects/99/webhooks/2", 404);
    expect_status(f, "projects/22/webhooks", 403);
    fixture_sql(f, "UPDATE membership SET role = 'member' WHERE id = 9001");
    expect_status(f, "projects/99/webhooks", 403);
    expect_status(f, "projects/99/webhooks/1", 403);
    expect_status(f, "projects/99/integrations", 403);
}

static void
test_integrations(Fixture *f)
{
    g_assert_cmpstr(fixture_get(f, "projects/99/integrations/1", NULL), ==,
                    "{\"kind\":\"jira_integration\",\"id\":1,\"project_id\":99,\"name\":\"Jira\","
                    "\"active\":true,\"filter_id\":\"7\"}");
    g_assert_cmpstr(fixture_get(f, "projects/99", "fields=integration_ids"), ==,
                    "{\"id\":99,\"integration_ids\":[1]}");
    g_assert_null(strstr(fixture_get(f, "projects/99/integrations", NULL), "secret"));
    g_assert_cmpstr(fixture_get(f, "projects/99/integrations/1/stories", "exclude_linked=true"), ==,
                    "[]");
    expect_status(f, "projects/99/integrations/2/stories", 404);
    g_assert_nonnull(
        strstr(fixture_get(f, "projects/99/integrations/1/stories", "exclude_linked=1"),
               "'exclude_linked' must be a non-string boolean true or false value"));
}

static void
test_saved_searches(Fixture *f)
{
    g_assert_cmpstr(fixture_get(f, "projects/99/my/searches", NULL), ==,
                    "[{\"kind\":\"saved_search\",\"id\":1,\"project_id\":99,\"name\":\"Mine\","
                    "\"query\":\"owner:ada\"}]");
}

static void
test_workspace(Fixture *f)
{
    g_assert_cmpstr(fixture_get(f, "my/workspaces/250", "fields=:default"), ==,
                    "{\"id\":250,\"kind\":\"workspace\",\"name\":\"Multi\",\"person_id\":101,"
                    "\"project_ids\":[99]}");
    g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
    g_assert_cmpstr(fixture_get(f, "my/workspaces/250", "fields=:default,projects(name)"), ==,
                    "{\"id\":250,\"kind\":\"workspace\",\"name\":\"Multi\",\"person_id\":101,"
                    "\"projects\":[{\"id\":99,\"name\":\"Demo\"}]}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "230");
    g_assert_nonnull(strstr(fixture_get(f, "my/workspaces", "fields=:default,projects(name)"),
                            "\"project_ids\":[99],\"projects\":"));
}

static void
test_workspace_activity(Fixture *f)
{
    /* Project 22 is in the workspace, but Ada is no member any more. */
    g_assert_cmpstr(
        fixture_get(f, "my/workspaces/250/activity", "fields=guid"), ==,
        "[{\"guid\":\"99_230\",\"project_version\":230},{\"guid\":\"99_229\",\"project_version\":"
        "229}]");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Pagination-Total"), ==, "2");
    expect_status(f, "my/workspaces/251/activity", 404);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test_with("/settings/webhooks", rows, test_webhooks);
    fixture_test_with("/settings/integrations", rows, test_integrations);
    fixture_test_with("/settings/saved-searches", rows, test_saved_searches);
    fixture_test_with("/settings/workspace", rows, test_workspace);
    fixture_test_with("/settings/workspace-activity", rows, test_workspace_activity);
    return g_test_run();
}

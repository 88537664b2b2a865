/* Complete error answers, as clients compare them (v5-reference 5.7, and the recorded ones). */
#include "support_service.h"

#define UNFOUND                                                                                    \
    "{\"code\":\"unfound_resource\",\"kind\":\"error\",\"error\":\"The object you tried to "       \
    "access could not be found.  It may have been removed by another user, you may be using the "  \
    "ID of another object type, or you may be trying to access a sub-resource at the wrong point " \
    "in a tree.\"}"
#define NO_ROUTE                                                                                   \
    "{\"code\":\"route_not_found\",\"kind\":\"error\",\"error\":\"The path you requested has no "  \
    "valid endpoint.\"}"
#define UNAUTHORIZED                                                                               \
    "{\"code\":\"unauthorized_operation\",\"kind\":\"error\",\"error\":\"Authorization "           \
    "failure.\",\"general_problem\":\"You aren't authorized to access the requested resource.\","  \
    "\"possible_fix\":\"Your project permissions are determined on the Project Membership page. "  \
    "If you are receiving this error you may be trying to access the wrong project, or the "       \
    "project API access is disabled, or someone listed as the project's Owner needs to change "    \
    "your membership type.\"}"

static void
test_bodies(Fixture *f)
{
    static const struct {
        const char *method, *path;
        int status;
        const char *body;
    } cases[] = {
        {"GET", "/services/v5/projects/22", 403, UNAUTHORIZED},
        {"GET", "/services/v5/projects/22/stories", 403, UNAUTHORIZED},
        {"GET", "/services/v5/stories/700", 403, UNAUTHORIZED},
        {"GET", "/file_attachments/301/download", 403, UNAUTHORIZED},
        {"GET", "/services/v5/projects/123456789123456789", 404, UNFOUND},
        {"GET", "/services/v5/projects/99999999999999999999999", 404, UNFOUND},
        {"GET", "/services/v5/projects/0", 404, UNFOUND},
        {"GET", "/services/v5/projects/-1", 404, UNFOUND},
        {"GET", "/services/v5/projects/null", 404, UNFOUND},
        {"GET", "/services/v5/projects//epics", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/stories/comments", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/stories/6", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/stories/700", 404, UNFOUND},
        {"GET", "/services/v5/projects/33/stories/555", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/stories/550/comments/801", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/iterations/0", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/iterations/5000", 404, UNFOUND},
        {"GET", "/services/v5/projects/99/releases/555", 404, UNFOUND},
        {"GET", "/services/v5/epics/555", 404, UNFOUND},
        {"GET", "/services/v5/accounts/7", 404, UNFOUND},
        {"GET", "/file_attachments/999/download", 404, UNFOUND},
        {"GET", "/services/v5", 404, NO_ROUTE},
        {"GET", "/services/v5/", 404, NO_ROUTE},
        {"GET", "/services/v5/nonsense", 404, NO_ROUTE},
        {"GET", "/services/v4/me", 404, NO_ROUTE},
        {"GET", "/me", 404, NO_ROUTE},
        {"GET", "", 404, NO_ROUTE},
        {"GET", "me", 404, NO_ROUTE},
        {"GET", "/services/v5/projects/%00", 404, NO_ROUTE},
        {"GET", "/services/v5/projects/%zz", 404, NO_ROUTE},
        {"GET", "/services/v5/projects/99/stories/555/comments/1/2/3/4/5/6/7/8/9/10/11/12", 404,
         NO_ROUTE},
        {"POST", "/services/v5/projects//stories", 404, NO_ROUTE},
        {"PUT", "/services/v5/projects/99/stories", 404, NO_ROUTE},
        {"DELETE", "/services/v5/my/workspaces", 404, NO_ROUTE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        TrackerRequest request = {
            .method = cases[i].method, .path = cases[i].path, .token = TOKEN_ADA};

        g_test_message("%s %s", cases[i].method, cases[i].path);
        g_assert_cmpstr(fixture_request(f, &request), ==, cases[i].body);
        g_assert_cmpint(f->response.status, ==, cases[i].status);
        g_assert_cmpstr(fixture_header(f, "Cache-Control"), ==, "no-cache");
        g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
        g_assert_null(fixture_header(f, "ETag"));
    }
}

static void
test_parameters(Fixture *f)
{
    static const struct {
        const char *path, *query, *problem;
    } cases[] = {
        {"me", "nonsense=1", "this endpoint cannot accept the parameter: nonsense"},
        {"projects/99", "limit=1", "this endpoint cannot accept the parameter: limit"},
        {"projects/99/stories", "limit=x", "'limit' must be an integer value"},
        {"projects/99/stories", "limit=-1", "'limit' must be zero or greater"},
        {"projects/99/stories", "offset=-1", "'offset' must be zero or greater"},
        {"projects/99/stories/bulk", "ids=1,x", "'ids' must be a list of integer values"},
        {"projects/99/stories/bulk", "", "this endpoint requires the parameter: ids"},
        {"projects/99/iterations", "scope=all",
         "'scope' must be one of: done, current, backlog, current_backlog, done_current"},
        {"my/people", "", "this endpoint requires the parameter: project_id"},
        {"me", "fields=nonsense", "'fields' names an unknown attribute: nonsense"},
        {"me", "%22%5C=1", "this endpoint cannot accept the parameter: \\\"\\\\"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf(
            "{\"code\":\"invalid_parameter\",\"kind\":\"error\",\"error\":\"One or more request "
            "parameters was missing or invalid.\",\"general_problem\":\"%s\"}",
            cases[i].problem);

        g_assert_cmpstr(fixture_get(f, cases[i].path, cases[i].query), ==, body);
        g_assert_cmpint(f->response.status, ==, 400);
    }
    (void)fixture_get(f, "me", "=&&=x&a=%");
    g_assert_cmpint(f->response.status, ==, 400);
}

/* A database that fails under the service is a 500 of V5's shape, never a wrong answer. */
static void
test_broken_database(Fixture *f)
{
    fixture_sql(f, "DROP TABLE comment");
    g_assert_cmpstr(
        fixture_get(f, "stories/555/comments", NULL), ==,
        "{\"code\":\"unhandled_condition\",\"kind\":\"error\",\"error\":\"An unexpected "
        "condition occurred.\"}");
    g_assert_cmpint(f->response.status, ==, 500);
    (void)fixture_get(f, "stories/555", NULL);
    g_assert_cmpint(f->response.status, ==, 200);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/tracker/errors/bodies", test_bodies);
    fixture_test("/tracker/errors/parameters", test_parameters);
    fixture_test("/tracker/errors/broken-database", test_broken_database);
    return g_test_run();
}

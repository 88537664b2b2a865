/* Paging: limits in force, the ends of lists, negative offsets of iterations, headers. */
#include "support_service.h"

#include <string.h>

static void
assert_page(Fixture *f, const char *path, const char *query, const char *body, const char *numbers)
{
    g_autofree char *got = NULL;

    g_assert_cmpstr(fixture_get(f, path, query), ==, body);
    got = g_strdup_printf("%s %s %s %s", fixture_header(f, "X-Tracker-Pagination-Total"),
                          fixture_header(f, "X-Tracker-Pagination-Limit"),
                          fixture_header(f, "X-Tracker-Pagination-Offset"),
                          fixture_header(f, "X-Tracker-Pagination-Returned"));
    g_assert_cmpstr(got, ==, numbers);
}

static void
test_stories(Fixture *f)
{
    static const char path[] = "projects/99/stories";

    assert_page(f, path, "fields=id&limit=2", "[{\"id\":550},{\"id\":555}]", "4 2 0 2");
    assert_page(f, path, "fields=id&limit=2&offset=3", "[{\"id\":557}]", "4 2 3 1");
    assert_page(f, path, "fields=id&limit=0", "[]", "4 0 0 0");
    assert_page(f, path, "fields=id&offset=4", "[]", "4 100 4 0");
    assert_page(f, path, "fields=id&offset=9223372036854775807", "[]",
                "4 100 9223372036854775807 0");
    assert_page(f, path, "fields=id&limit=10000&offset=3", "[{\"id\":557}]", "4 500 3 1");
    assert_page(f, path, "fields=id&with_state=started&limit=1", "[{\"id\":555}]", "1 1 0 1");
}

static void
test_iterations(Fixture *f)
{
    static const char path[] = "projects/99/iterations";

    assert_page(f, path, "fields=number&limit=100",
                "[{\"number\":1},{\"number\":2},{\"number\":3},{\"number\":4}]", "4 50 0 4");
    assert_page(f, path, "fields=number&offset=2", "[{\"number\":3},{\"number\":4}]", "4 10 2 2");
    assert_page(f, path, "fields=number&scope=done&offset=-2&limit=1", "[{\"number\":2}]",
                "3 1 -2 1");
    assert_page(f, path, "fields=number&scope=done&offset=-12&limit=2",
                "[{\"number\":1},{\"number\":2}]", "3 2 -12 2");
    assert_page(f, path, "fields=number&scope=done&offset=-9223372036854775808&limit=1",
                "[{\"number\":1}]", "3 1 -9223372036854775808 1");
    assert_page(f, path, "fields=number&scope=done&offset=7", "[]", "3 10 7 0");
    assert_page(f, path, "fields=number&scope=backlog", "[]", "0 10 0 0");
    assert_page(f, path, "fields=story_ids&scope=done_current&offset=3",
                "[{\"number\":4,\"story_ids\":[555,556]}]", "4 10 3 1");
    assert_page(f, path, "fields=story_ids&scope=done_current&offset=3&label=plans",
                "[{\"number\":4,\"story_ids\":[555]}]", "4 10 3 1");
    g_assert_cmpstr(fixture_get(f, path, "fields=number,effective_points&scope=current"), ==,
                    "[{\"number\":4,\"effective_points\":2.0}]");
    g_assert_null(fixture_header(f, "X-Tracker-Pagination-Total"));
    (void)fixture_get(f, path, "offset=-1");
    g_assert_cmpint(f->response.status, ==, 400);
    g_assert_nonnull(strstr(fixture_get(f, "projects/99/iterations/1", NULL), "\"number\":1,"));
}

static void
test_others(Fixture *f)
{
    assert_page(f, "projects/99/activity", "fields=kind&limit=1&offset=1",
                "[{\"kind\":\"story_update_activity\",\"guid\":\"99_229\","
                "\"project_version\":229}]",
                "2 1 1 1");
    assert_page(f, "stories/555/transitions", "fields=state&limit=1",
                "[{\"state\":\"unstarted\",\"story_id\":555}]", "2 1 0 1");
    assert_page(f, "projects/99/releases", "fields=id", "[{\"id\":556}]", "1 100 0 1");
    (void)fixture_get(f, "projects/99/labels", NULL);
    g_assert_null(fixture_header(f, "X-Tracker-Pagination-Total"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/tracker/paging/stories", test_stories);
    fixture_test("/tracker/paging/iterations", test_iterations);
    fixture_test("/tracker/paging/others", test_others);
    return g_test_run();
}

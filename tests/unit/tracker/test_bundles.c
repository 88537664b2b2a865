/* CSV of stories, cell by cell, and many GETs in one request. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

/* 555 has everything twice, 561 what needs quoting, and all the rest is bare. Dates are those of
 * Los Angeles: the first story was created at 2014-02-16 16:00 there. */
static const char more[] =
    "UPDATE story SET description = '=SUM(A1)', story_priority = 'p2' WHERE id = 555;"
    "UPDATE story SET deadline = 1493881200000 WHERE id = 556;"
    "INSERT INTO story(id, project_id, position, name, description, story_type, current_state,"
    " created_at) VALUES (561, 99, 250, 'a \"b\", c', 'one\ntwo', 'bug', 'unstarted', "
    "1493881200000),"
    " (562, 99, 500, ' spaced ', '', 'chore', 'unscheduled', NULL);"
    "INSERT INTO blocker(id, story_id, description, resolved) VALUES (901, 555, 'rain', 1);"
    "INSERT INTO comment(id, story_id, text, person_id, created_at) VALUES"
    " (804, 561, 'by nobody', NULL, 1493881200000);"
    "INSERT INTO pull_request(id, story_id, original_url) VALUES"
    " (1, 555, 'https://github.com/acme/app/pull/148');"
    "INSERT INTO branch(id, story_id, name) VALUES (1, 561, 'fix/it');";

#define HEADER                                                                                     \
    "Id,Title,Labels,Iteration,Iteration Start,Iteration End,Type,Estimate,Priority,Current "      \
    "State,Created at,Accepted at,Deadline,Requested By,Description,URL"
#define SHOW "https://www.pivotaltracker.com/story/show/"

static void
assert_csv(Fixture *fixture, const char *path, const char *body, const char *csv)
{
    g_assert_cmpstr(fixture_send(fixture, "POST", path, body), ==, csv);
    g_assert_cmpint(fixture->response.status, ==, 200);
    g_assert_cmpstr(fixture_header(fixture, "Content-Type"), ==, "text/csv; charset=utf-8");
}

static void
test_project(Fixture *fixture)
{
    fixture_change(fixture, more);
    assert_csv(fixture, "projects/99/export", "{}",
               HEADER
               ",Owned By,Owned By,Blocker,Blocker Status,Blocker,Blocker Status,Comment,Comment,"
               "Task,Task Status,Task,Task Status,Review Type,Reviewer,Review Status,"
               "Pull Request,Git Branch\n"
               "550,Done,plans,1,\"Apr 10, 2017\",\"Apr 16, 2017\",feature,3,none,accepted,"
               "\"Feb 16, 2014\",\"Apr 15, 2017\",,Ada Example,," SHOW "550,,\n"
               "555,Exhaust ports,\"admin, plans\",4,\"May 1, 2017\",\"May 7, 2017\",feature,2,"
               "p2 - Medium,started,\"Feb 16, 2014\",,,Ada Example,'=SUM(A1)," SHOW
               "555,Bo,Ada Example,#557,blocked,rain,resolved,\"Hi (Ada Example - May 3, 2017)\","
               "\"(Bo - May 3, 2017)\",first,not completed,second,completed,Code,Bo,pass,"
               "https://github.com/acme/app/pull/148\n"
               "561,\"a \"\"b\"\", c\",\"\",4,\"May 1, 2017\",\"May 7, 2017\",bug,,none,unstarted,"
               "\"May 4, 2017\",,,,\"one\ntwo\"," SHOW
               "561,,,,,,,\"by nobody (Unknown - May 4, 2017)\",,,,,,,,,,fix/it\n"
               "556,Beta,\"\",4,\"May 1, 2017\",\"May 7, 2017\",release,,none,unstarted,"
               "\"Feb 16, 2014\",,\"May 4, 2017\",Ada Example,," SHOW "556,,\n"
               "557,Half,\"\",,,,feature,0.5,none,unscheduled,\"Feb 16, 2014\",,,Bo,," SHOW
               "557,,\n"
               "562, spaced ,\"\",,,,chore,,none,unscheduled,,,,,," SHOW "562,,\n");
    g_assert_cmpstr(fixture_header(fixture, "Content-Disposition"), ==,
                    "attachment; filename*=UTF-8''demo_20170503_2329.csv");
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Project-Version"), ==, "230");
}

/* Only columns that somebody needs, but always one owner; ids that are not the project's are
 * skipped. */
static void
test_subset(Fixture *fixture)
{
    assert_csv(fixture, "projects/99/export", "{\"story_ids\":[557,700,99999,556]}",
               HEADER ",Owned By\n"
                      "557,Half,\"\",,,,feature,0.5,none,unscheduled,\"Feb 16, 2014\",,,Bo,," SHOW
                      "557,\n"
                      "556,Beta,\"\",4,\"May 1, 2017\",\"May 7, 2017\",release,,none,unstarted,"
                      "\"Feb 16, 2014\",,,Ada Example,," SHOW "556,\n");
    assert_csv(fixture, "projects/99/export", "{\"story_ids\":[]}", HEADER ",Owned By\n");
    /* 700 is closed to Ada, 800 is public. */
    assert_csv(fixture, "stories/export", "{\"ids\":[800,700,557]}",
               HEADER ",Owned By\n800,Public,\"\",1,\"May 1, 2017\",\"May 7, 2017\",bug,,none,"
                      "unstarted,,,,,," SHOW "800,Cy\n"
                      "557,Half,\"\",,,,feature,0.5,none,unscheduled,\"Feb 16, 2014\",,,Bo,," SHOW
                      "557,\n");
}

/* Every column of a recorded export is one of ours, in our order; of the oldest kind only those
 * that were not renamed since. */
static void
check_columns(const char *path, char **ours)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_auto(GStrv) theirs = NULL;
    gboolean oldest;
    char **at = ours;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", 2);
    theirs = g_strsplit(g_strchomp(lines[0]), ",", -1);
    oldest = g_strv_contains((const char *const *)theirs, "Story Type");
    for (char **column = theirs; *column; column++) {
        if (column > theirs && strcmp(column[0], column[-1]) == 0) {
            continue; /* once more */
        }
        if (oldest && !g_strv_contains((const char *const *)ours, *column)) {
            continue;
        }
        at = oldest ? ours : at; /* their order was another */
        while (*at && strcmp(*at, *column) != 0) {
            at++;
        }
        if (!*at) {
            g_error("%s: the column %s is not ours, or not there", path, *column);
        }
    }
}

static void
test_recorded_columns(Fixture *fixture)
{
    const char *shared = g_getenv("TRACKERFS_SHARED_DIR"), *name;
    g_autofree char *folder = g_build_filename(shared ? shared : ".", "csv", NULL);
    g_autoptr(GDir) dir = shared ? g_dir_open(folder, 0, NULL) : NULL;
    g_auto(GStrv) lines = NULL;
    g_auto(GStrv) ours = NULL;
    guint n = 0;

    if (!dir) {
        g_test_skip("no recordings: TRACKERFS_SHARED_DIR has no folder csv");
        return;
    }
    fixture_change(fixture, more);
    lines = g_strsplit(fixture_send(fixture, "POST", "projects/99/export", "{}"), "\n", 2);
    ours = g_strsplit(lines[0], ",", -1);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        check_columns(path, ours);
        n++;
    }
    g_assert_cmpuint(n, >, 0);
}

static void
test_export_refusals(Fixture *fixture)
{
    fixture_refused(fixture, "POST", "stories/export", "{}",
                    "this endpoint requires the parameter: ids");
    fixture_refused(fixture, "POST", "stories/export", "{\"ids\":[1],\"x\":1}",
                    "this endpoint cannot accept the parameter: x");
    fixture_expect(fixture, "POST", "projects/22/export", "{}", 403);
    fixture_expect(fixture, "POST", "projects/98/export", "{}", 404);
    fixture->token = "00000000000000000000000000000000";
    fixture_expect(fixture, "POST", "stories/export", "{\"ids\":[1]}", 403);
}

static void
test_aggregate(Fixture *fixture)
{
    const char *body;

    body = fixture_send(fixture, "POST", "aggregator",
                        "[\"/services/v5/projects/99?fields=name\","
                        "\"/services/v5/projects/99/stories?limit=1&fields=id&envelope=true\","
                        "\"/services/v5/stories/557?fields=estimate\","
                        "\"/services/v5/projects/99?fields=name\"]");
    g_assert_cmpint(fixture->response.status, ==, 200);
    g_assert_cmpstr(body, ==,
                    "{\"/services/v5/projects/99?fields=name\":{\"id\":99,\"name\":\"Demo\"},"
                    "\"/services/v5/projects/99/stories?limit=1&fields=id&envelope=true\":"
                    "{\"data\":[{\"id\":550}],\"pagination\":{\"total\":4,\"limit\":1,\"offset\":0,"
                    "\"returned\":1},\"project_version\":230,\"http_status\":\"200\"},"
                    "\"/services/v5/stories/557?fields=estimate\":{\"id\":557,\"estimate\":0.5}}");
    g_assert_null(fixture_header(fixture, "X-Tracker-Project-Version"));
    g_assert_cmpstr(fixture_send(fixture, "POST", "aggregator", "[]"), ==, "{}");
}

/* One that fails leaves the others alone, and nothing but GET below /services/v5 is reached. */
static void
test_aggregate_errors(Fixture *fixture)
{
    static const struct {
        const char *url, *code;
    } cases[] = {
        {"/services/v5/projects/22", "unauthorized_operation"},
        {"/services/v5/stories/99999", "unfound_resource"},
        {"/services/v5/projects/99/stories?limit=x", "invalid_parameter"},
        {"/services/v5/nothing", "route_not_found"},
        {"/services/v5/aggregator", "route_not_found"},
        {"/file_attachments/300/download", "route_not_found"},
        {"http://elsewhere/services/v5/me", "route_not_found"},
        {"", "route_not_found"},
    };
    g_autoptr(GString) urls = g_string_new("[\"/services/v5/me?fields=name\"");
    json_t *root;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_string_append_printf(urls, ",\"%s\"", cases[i].url);
    }
    g_string_append_c(urls, ']');
    root = json_loads(fixture_send(fixture, "POST", "aggregator", urls->str), 0, NULL);
    g_assert_cmpint(fixture->response.status, ==, 200);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const json_t *error = json_object_get(root, cases[i].url);

        g_assert_cmpstr(json_string_value(json_object_get(error, "code")), ==, cases[i].code);
    }
    g_assert_cmpstr(json_string_value(json_object_get(
                        json_object_get(root, "/services/v5/me?fields=name"), "name")),
                    ==, "Ada Example");
    json_decref(root);
}

static void
test_aggregate_refusals(Fixture *fixture)
{
    g_autoptr(GString) many = g_string_new("[\"a\"");

    for (int i = 0; i < 50; i++) {
        g_string_append(many, ",\"a\"");
    }
    g_string_append_c(many, ']');
    fixture_refused(fixture, "POST", "aggregator", "{}", "the body must be an array of URL paths");
    fixture_refused(fixture, "POST", "aggregator", "[\"/services/v5/me\",1]",
                    "the body must be an array of URL paths");
    fixture_refused(fixture, "POST", "aggregator", many->str,
                    "there must be 50 URL paths or fewer");
    fixture_refused(fixture, "POST", "aggregator", "[", NULL);
    g_assert_nonnull(strstr(fixture->response.body->str, "could_not_parse_body"));
    fixture->token = "00000000000000000000000000000000";
    fixture_expect(fixture, "POST", "aggregator", "[]", 403);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/bundles/export/project", test_project);
    fixture_test("/bundles/export/subset", test_subset);
    fixture_test("/bundles/export/recorded-columns", test_recorded_columns);
    fixture_test("/bundles/export/refusals", test_export_refusals);
    fixture_test("/bundles/aggregate/answers", test_aggregate);
    fixture_test("/bundles/aggregate/errors", test_aggregate_errors);
    fixture_test("/bundles/aggregate/refusals", test_aggregate_refusals);
    return g_test_run();
}

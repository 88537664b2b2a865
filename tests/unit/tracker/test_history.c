/* History day by day, snapshots, and what iterations sum up, with stories whose past is written
 * down here and a clock that stands still. Project 99 is in Los Angeles, its iterations begin on
 * Mondays at 07:00 UTC, the first on 2017-04-10; now is Wednesday, 2017-05-03, 16:29 there. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

/* 600: created, started, rejected, finished and accepted within the iteration of April 17; 601: in
 * the same, a bug, twice through the states on its last day; 602: a chore without transitions; 603:
 * a change two minutes before and one after midnight of Los Angeles. */
static const char past[] =
    "DELETE FROM story WHERE project_id = 99; DELETE FROM story_transition;"
    "INSERT INTO story(id, project_id, position, name, story_type, current_state, estimate,"
    " accepted_at, created_at) VALUES"
    "(600, 99, 1, 'a', 'feature', 'accepted', 2, 1492729200000, 1492412400000),"
    "(601, 99, 2, 'b', 'bug', 'accepted', NULL, 1492725600000, 1492498800000),"
    "(602, 99, 3, 'c', 'chore', 'accepted', 1, 1492704000000, 1492531200000),"
    "(603, 99, 4, 'd', 'feature', 'started', 0.5, NULL, 1492412400000),"
    "(604, 99, 5, 'e', 'release', 'unstarted', NULL, NULL, 1492412400000);"
    "INSERT INTO story_label VALUES (601, 5001);"
    "INSERT INTO story_transition(story_id, project_id, state, occurred_at) VALUES"
    "(600, 99, 'unscheduled', 1492412400000)," /* Apr 17 07:00Z, the first minute of the 17th */
    "(600, 99, 'started', 1492502400000),"     /* 18th */
    "(600, 99, 'delivered', 1492588800000),"   /* 19th */
    "(600, 99, 'rejected', 1492599600000),"    /* 19th */
    "(600, 99, 'started', 1492675200000),"     /* 20th */
    "(600, 99, 'accepted', 1492729200000),"    /* Apr 20 23:00Z, 16:00 there */
    "(601, 99, 'started', 1492700400000),"
    "(601, 99, 'finished', 1492704000000),"
    "(601, 99, 'accepted', 1492725600000),"
    "(603, 99, 'unstarted', 1492412400000),"
    "(603, 99, 'started', 1492585080000),"  /* Apr 18 23:58 there */
    "(603, 99, 'finished', 1492585320000)," /* Apr 19 00:02 there */
    "(603, 99, 'started', 1492758000000);"; /* Apr 21 00:00 there */

#define HEADER                                                                                     \
    "{\"kind\":\"daily_history_container\",\"header\":[\"date\",\"points_accepted\","              \
    "\"points_delivered\",\"points_finished\",\"points_started\",\"points_rejected\","             \
    "\"points_planned\",\"points_unstarted\",\"points_unscheduled\",\"counts_accepted\","          \
    "\"counts_delivered\",\"counts_finished\",\"counts_started\",\"counts_rejected\","             \
    "\"counts_planned\",\"counts_unstarted\",\"counts_unscheduled\"],\"data\":["

static void
assert_body(Fixture *fixture, const char *path, const char *query, const char *body)
{
    g_assert_cmpstr(fixture_get(fixture, path, query), ==, body);
    g_assert_cmpint(fixture->response.status, ==, 200);
}

static void
test_days(Fixture *fixture)
{
    assert_body(fixture, "projects/99/history/days", "start_date=2017-04-16&end_date=2017-04-21",
                HEADER "[\"2017-04-16\",0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0,0,0,0,0,0,0,0],"
                       "[\"2017-04-17\",0.0,0.0,0.0,0.0,0.0,0.0,0.5,2.0,0,0,0,0,0,0,2,1],"
                       "[\"2017-04-18\",0.0,0.0,0.0,2.5,0.0,0.0,1.0,0.0,0,0,0,2,0,0,2,1],"
                       "[\"2017-04-19\",0.0,0.0,0.5,0.0,2.0,0.0,1.0,0.0,0,0,1,0,1,0,2,1],"
                       "[\"2017-04-20\",3.0,0.0,0.5,0.0,0.0,0.0,0.0,0.0,3,0,1,0,0,0,1,0],"
                       "[\"2017-04-21\",3.0,0.0,0.0,0.5,0.0,0.0,0.0,0.0,3,0,0,1,0,0,1,0]]}");
    assert_body(fixture, "projects/99/history/days",
                "start_date=2017-04-20&end_date=2017-04-20&label=PLANS",
                HEADER "[\"2017-04-20\",0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1,0,0,0,0,0,0,0]]}");
}

static gsize
n_rows(Fixture *fixture, const char *path, const char *query, const char **ret_first,
       const char **ret_last)
{
    static json_t *root;
    json_t *data;
    gsize n;

    json_decref(root);
    root = json_loads(fixture_get(fixture, path, query), 0, NULL);
    data = json_object_get(root, "data");
    n = json_array_size(data);
    *ret_first = n ? json_string_value(json_array_get(json_array_get(data, 0), 0)) : NULL;
    *ret_last = n ? json_string_value(json_array_get(json_array_get(data, n - 1), 0)) : NULL;
    return n;
}

/* From the first iteration to today, whatever is asked for. */
static void
test_day_bounds(Fixture *fixture)
{
    static const struct {
        const char *query, *first, *last;
        gsize n;
    } cases[] = {
        {NULL, "2017-04-10", "2017-05-03", 24},
        {"start_date=0001-01-01&end_date=9999-12-31", "2017-04-10", "2017-05-03", 24},
        {"start_date=2017-05-01", "2017-05-01", "2017-05-03", 3},
        {"end_date=2017-04-11", "2017-04-10", "2017-04-11", 2},
        {"start_date=2018-01-01", NULL, NULL, 0},
        {"end_date=2016-01-01", NULL, NULL, 0},
    };
    const char *first, *last;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpuint(n_rows(fixture, "projects/99/history/days", cases[i].query, &first, &last),
                         ==, cases[i].n);
        g_assert_cmpstr(first, ==, cases[i].first);
        g_assert_cmpstr(last, ==, cases[i].last);
    }
    /* Three hours later it is still the third in Los Angeles; eight hours later the fourth. */
    fixture->now_ms += 3 * 3600 * 1000;
    g_assert_cmpuint(n_rows(fixture, "projects/99/history/days", NULL, &first, &last), ==, 24);
    fixture->now_ms += 5 * 3600 * 1000;
    g_assert_cmpuint(n_rows(fixture, "projects/99/history/days", NULL, &first, &last), ==, 25);
    g_assert_cmpstr(last, ==, "2017-05-04");
}

static void
assert_refused(Fixture *fixture, const char *path, const char *query, int status,
               const char *problem)
{
    json_t *root = json_loads(fixture_get(fixture, path, query), 0, NULL);

    g_assert_cmpint(fixture->response.status, ==, status);
    g_assert_cmpstr(json_string_value(json_object_get(root, "general_problem")), ==, problem);
    json_decref(root);
}

static void
test_refusals(Fixture *fixture)
{
    static const char start[] = "'start_date' must be a date value represented as iso 8601 date";
    static const char end[] = "'end_date' must be a date value represented as iso 8601 date";

    assert_refused(fixture, "projects/99/history/days", "start_date=4/20/2017", 400, start);
    assert_refused(fixture, "projects/99/history/days", "end_date=2017-02-30", 400, end);
    assert_refused(fixture, "projects/99/history/snapshots", "end_date=today", 400, end);
    assert_refused(fixture, "projects/99/history/days", "start_date=2017-04-20&end_date=2017-04-19",
                   400, "'end_date' must not be before 'start_date'");
    assert_refused(fixture, "projects/99/history/snapshots", "label=x", 400,
                   "this endpoint cannot accept the parameter: label");
    assert_refused(fixture, "projects/99/history/iterations/99/days", NULL, 404, NULL);
    assert_refused(fixture, "projects/99/history/releases/600/days", NULL, 404, NULL);
    assert_refused(fixture, "projects/99/iterations/99/analytics", NULL, 404, NULL);
    assert_refused(fixture, "projects/99/iterations/99/analytics/cycle_time_details", NULL, 404,
                   NULL);
    fixture_sql(fixture, "UPDATE project SET start_date = '2014-04-14' WHERE id = 99");
    assert_refused(fixture, "projects/99/history/snapshots",
                   "start_date=2015-01-01&end_date=2017-01-01", 400,
                   "'start_date' and 'end_date' must be at most 366 days apart");
}

/* Only the iteration's own stories, only on its days, none of which is in the future. */
static void
test_iteration_days(Fixture *fixture)
{
    const char *first, *last;

    g_assert_cmpuint(n_rows(fixture, "projects/99/history/iterations/2/days", NULL, &first, &last),
                     ==, 7);
    g_assert_cmpstr(first, ==, "2017-04-17");
    g_assert_cmpstr(last, ==, "2017-04-23");
    g_assert_nonnull(strstr(fixture->response.body->str,
                            "[\"2017-04-23\",3.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,3,0,0,0,0,0,0,0]"));
    g_assert_cmpuint(n_rows(fixture, "projects/99/history/iterations/4/days", NULL, &first, &last),
                     ==, 3);
    g_assert_cmpstr(last, ==, "2017-05-03");
    g_assert_nonnull(strstr(fixture->response.body->str,
                            "[\"2017-05-03\",0.0,0.0,0.0,0.5,0.0,0.0,0.0,0.0,0,0,0,1,0,0,1,0]"));
}

static void
test_release_days(Fixture *fixture)
{
    const char *first, *last;

    g_assert_cmpuint(n_rows(fixture, "projects/99/history/releases/604/days", NULL, &first, &last),
                     ==, 17);
    g_assert_cmpstr(first, ==, "2017-04-17");
    fixture_change(fixture, "UPDATE story SET current_state = 'accepted',"
                            " accepted_at = 1492758000000 WHERE id = 604");
    g_assert_cmpuint(n_rows(fixture, "projects/99/history/releases/604/days", NULL, &first, &last),
                     ==, 5);
    g_assert_cmpstr(last, ==, "2017-04-21");
}

static void
test_snapshots(Fixture *fixture)
{
    assert_body(
        fixture, "projects/99/history/snapshots", "start_date=2017-04-17&end_date=2017-04-18",
        "[{\"kind\":\"project_snapshot\",\"date\":\"2017-04-17\",\"current\":[],\"backlog\":["
        "{\"kind\":\"story_snapshot\",\"story_id\":603,\"state\":\"unstarted\","
        "\"estimate\":0.5,\"story_type\":\"feature\"},"
        "{\"kind\":\"story_snapshot\",\"story_id\":604,\"state\":\"unstarted\","
        "\"story_type\":\"release\"}],\"icebox\":["
        "{\"kind\":\"story_snapshot\",\"story_id\":600,\"state\":\"unscheduled\","
        "\"estimate\":2,\"story_type\":\"feature\"}]},"
        "{\"kind\":\"project_snapshot\",\"date\":\"2017-04-18\",\"current\":["
        "{\"kind\":\"story_snapshot\",\"story_id\":600,\"state\":\"started\","
        "\"estimate\":2,\"story_type\":\"feature\"},"
        "{\"kind\":\"story_snapshot\",\"story_id\":603,\"state\":\"started\","
        "\"estimate\":0.5,\"story_type\":\"feature\"}],\"backlog\":["
        "{\"kind\":\"story_snapshot\",\"story_id\":602,\"state\":\"unstarted\","
        "\"estimate\":1,\"story_type\":\"chore\"},"
        "{\"kind\":\"story_snapshot\",\"story_id\":604,\"state\":\"unstarted\","
        "\"story_type\":\"release\"}],\"icebox\":["
        "{\"kind\":\"story_snapshot\",\"story_id\":601,\"state\":\"unscheduled\","
        "\"story_type\":\"bug\"}]}]");
    /* Accepted stories are current in their own iteration and nowhere later. */
    g_assert_nonnull(strstr(fixture_get(fixture, "projects/99/history/snapshots",
                                        "start_date=2017-04-23&end_date=2017-04-23"),
                            "\"story_id\":600,\"state\":\"accepted\""));
    g_assert_null(strstr(fixture_get(fixture, "projects/99/history/snapshots",
                                     "start_date=2017-04-24&end_date=2017-04-24"),
                         "\"story_id\":600"));
    g_assert_true(g_str_has_prefix(fixture_get(fixture, "projects/99/history/snapshots", NULL),
                                   "[{\"kind\":\"project_snapshot\",\"date\":\"2017-05-03\""));
}

static void
test_analytics(Fixture *fixture)
{
    /* 600: 226800 s; 601: 25200 s; their mean. The chore was never started. */
    assert_body(fixture, "projects/99/iterations/2/analytics", NULL,
                "{\"kind\":\"analytics\",\"stories_accepted\":3,\"bugs_created\":1,"
                "\"cycle_time\":126000000,\"rejection_rate\":50.0}");
    assert_body(fixture, "projects/99/iterations/1/analytics", NULL,
                "{\"kind\":\"analytics\",\"stories_accepted\":0,\"bugs_created\":0,"
                "\"cycle_time\":0,\"rejection_rate\":0.0}");
    assert_body(fixture, "projects/99/iterations/2/analytics/cycle_time_details", NULL,
                "[{\"total_cycle_time\":226800000,\"started_time\":140400000,\"started_count\":2,"
                "\"finished_time\":0,\"finished_count\":0,\"delivered_time\":10800000,"
                "\"delivered_count\":1,\"rejected_time\":75600000,\"rejected_count\":1,"
                "\"story_id\":600,\"kind\":\"cycle_time_details\"},"
                "{\"total_cycle_time\":25200000,\"started_time\":3600000,\"started_count\":1,"
                "\"finished_time\":21600000,\"finished_count\":1,\"delivered_time\":0,"
                "\"delivered_count\":0,\"rejected_time\":0,\"rejected_count\":0,\"story_id\":601,"
                "\"kind\":\"cycle_time_details\"},"
                "{\"started_time\":0,\"started_count\":0,\"finished_time\":0,\"finished_count\":0,"
                "\"delivered_time\":0,\"delivered_count\":0,\"rejected_time\":0,"
                "\"rejected_count\":0,\"story_id\":602,\"kind\":\"cycle_time_details\"}]");
}

/* The same facts as attributes of an iteration. */
static void
test_iteration_fields(Fixture *fixture)
{
    const char *body;

    assert_body(fixture, "projects/99/iterations/2", "fields=analytics",
                "{\"number\":2,\"analytics\":{\"kind\":\"analytics\",\"stories_accepted\":3,"
                "\"bugs_created\":1,\"cycle_time\":126000000,\"rejection_rate\":50.0}}");
    body = fixture_get(fixture, "projects/99/iterations/2", "fields=accepted,created");
    g_assert_nonnull(strstr(body, "\"accepted\":" HEADER));
    g_assert_nonnull(strstr(body, "[\"2017-04-23\",3.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,3,"));
    g_assert_nonnull(strstr(body, "\"created\":" HEADER));
    g_assert_nonnull(strstr(body, "[\"2017-04-23\",3.0,0.0,0.0,0.5,0.0,0.0,0.0,0.0,3,0,0,1,"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test_with("/history/days", past, test_days);
    fixture_test_with("/history/day-bounds", past, test_day_bounds);
    fixture_test_with("/history/refusals", past, test_refusals);
    fixture_test_with("/history/iteration-days", past, test_iteration_days);
    fixture_test_with("/history/release-days", past, test_release_days);
    fixture_test_with("/history/snapshots", past, test_snapshots);
    fixture_test_with("/history/analytics", past, test_analytics);
    fixture_test_with("/history/iteration-fields", past, test_iteration_fields);
    return g_test_run();
}

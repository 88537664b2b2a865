/* The service's answers, as clients see them: members, their order, headers. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#define NESTED                                                                                     \
    ":default,comments(:default,person,file_attachments(:default,uploader)),tasks,owners,"         \
    "blockers,reviews(:default,review_type),transitions,requested_by"

static void
test_story(Fixture *f)
{
    g_assert_cmpstr(
        fixture_get(f, "stories/555", NULL), ==,
        "{\"kind\":\"story\",\"id\":555,\"created_at\":\"2014-02-17T00:00:00Z\","
        "\"updated_at\":\"2017-05-03T23:28:56Z\",\"estimate\":2,\"story_type\":\"feature\","
        "\"name\":\"Exhaust ports\",\"description\":\"Text \\\"quoted\\\"\\n\","
        "\"current_state\":\"started\",\"requested_by_id\":101,"
        "\"url\":\"https://www.pivotaltracker.com/story/show/555\",\"project_id\":99,"
        "\"owner_ids\":[102,101],\"labels\":[{\"id\":5002,\"project_id\":99,\"kind\":\"label\","
        "\"name\":\"admin\"},{\"id\":5001,\"project_id\":99,\"kind\":\"label\",\"name\":\"plans\","
        "\"created_at\":\"2015-03-07T12:51:39Z\",\"updated_at\":\"2015-03-07T12:51:39Z\"}],"
        "\"owned_by_id\":102,\"cl_numbers\":\"7\"}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "230");
    g_assert_cmpstr(fixture_header(f, "content-type"), ==, "application/json; charset=utf-8");
    g_assert_cmpstr(fixture_header(f, "Status"), ==, "200 OK");
    g_assert_nonnull(fixture_header(f, "ETag"));
    g_assert_nonnull(fixture_header(f, "X-Request-Id"));
    g_assert_null(fixture_header(f, "X-Tracker-Pagination-Total"));
    g_assert_nonnull(strstr(fixture_get(f, "projects/99/stories/557/", NULL), "\"estimate\":0.5"));
    g_assert_nonnull(strstr(fixture_get(f, "stories/557", "fields=after_id"), "\"after_id\":556"));
}

static void
test_me(Fixture *f)
{
    g_assert_cmpstr(
        fixture_get(f, "me", NULL), ==,
        "{\"kind\":\"me\",\"id\":101,\"name\":\"Ada Example\",\"initials\":\"AE\","
        "\"username\":\"ada\",\"time_zone\":{\"kind\":\"time_zone\",\"olson_name\":\"Europe/"
        "Berlin\",\"offset\":\"+02:00\"},\"api_token\":\"" TOKEN_ADA "\","
        "\"has_google_identity\":false,\"projects\":[{\"kind\":\"membership_summary\",\"id\":9005,"
        "\"project_id\":22,\"project_name\":\"Other\",\"role\":\"inactive\"},"
        "{\"kind\":\"membership_summary\",\"id\":9001,\"project_id\":99,\"project_name\":\"Demo\","
        "\"project_color\":\"8100ea\",\"role\":\"owner\"}],\"email\":\"ada@example.org\","
        "\"receives_in_app_notifications\":true,\"created_at\":\"2014-03-02T07:09:48Z\","
        "\"updated_at\":\"2017-05-03T23:17:22Z\"}");
    g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
}

static void
test_project(Fixture *f)
{
    g_assert_cmpstr(
        fixture_get(f, "projects/99", NULL), ==,
        "{\"id\":99,\"kind\":\"project\",\"name\":\"Demo\",\"version\":230,\"iteration_length\":1,"
        "\"week_start_day\":\"Monday\",\"point_scale\":\"0,1,2,3\",\"point_scale_is_custom\":false,"
        "\"bugs_and_chores_are_estimatable\":false,\"automatic_planning\":true,\"enable_tasks\":"
        "true,\"time_zone\":{\"kind\":\"time_zone\",\"olson_name\":\"America/Los_Angeles\","
        "\"offset\":\"-07:00\"},\"velocity_averaged_over\":3,"
        "\"number_of_done_iterations_to_show\":12,\"has_google_domain\":false,"
        "\"enable_incoming_emails\":true,\"initial_velocity\":10,\"public\":false,"
        "\"atom_enabled\":false,\"project_type\":\"private\",\"start_date\":\"2017-04-10\","
        "\"start_time\":\"2017-04-10T07:00:00Z\",\"created_at\":\"2014-03-02T07:11:04Z\","
        "\"updated_at\":\"2014-03-02T07:11:04Z\",\"account_id\":100,\"current_iteration_number\":4,"
        "\"enable_following\":true,\"enable_planned_mode\":false}");
    g_assert_cmpstr(fixture_get(f, "projects", "fields=name"), ==,
                    "[{\"id\":99,\"name\":\"Demo\"}]");
    g_assert_cmpstr(fixture_get(f, "projects/99", "fields=enable_planned_mode"), ==,
                    "{\"id\":99,\"enable_planned_mode\":false}");
    g_assert_cmpstr(fixture_get(f, "projects", "account_ids=7,8"), ==, "[]");
    g_assert_cmpstr(fixture_get(f, "projects", "account_ids=7,100&fields=id"), ==, "[{\"id\":99}]");
    g_assert_nonnull(strstr(fixture_get(f, "projects/99", "fields=labels(counts)"),
                            "\"sum_of_story_estimates_by_state\":{\"accepted\":3,\"started\":2"));
}

/* Every list that is there parses, is an array, and is of the length that the fixture says. */
static void
test_lists(Fixture *f)
{
    static const struct {
        const char *path;
        gsize length;
    } lists[] = {
        {"projects/99/stories", 4},
        {"projects/99/stories/555/comments", 2},
        {"stories/555/comments/", 2},
        {"projects/99/stories/555/tasks", 2},
        {"projects/99/stories/555/owners", 2},
        {"projects/99/stories/555/labels", 2},
        {"projects/99/stories/555/reviews", 1},
        {"projects/99/stories/555/blockers", 1},
        {"projects/99/stories/555/transitions", 2},
        {"projects/99/stories/555/activity", 2},
        {"projects/99/story_transitions", 2},
        {"projects/99/review_types", 1},
        {"projects/99/memberships", 2},
        {"projects/99/labels", 2},
        {"projects/99/epics", 1},
        {"projects/99/epics/4001/comments", 1},
        {"projects/99/epics/4001/activity", 1},
        {"projects/99/iterations", 4},
        {"projects/99/releases", 1},
        {"projects/99/releases/556/stories", 2},
        {"projects/99/activity", 2},
        {"my/activity", 2},
        {"my/workspaces", 0},
        {"accounts", 1},
        {"account_summaries", 1},
        {"accounts/100/memberships", 1},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        json_t *json = json_loads(fixture_get(f, lists[i].path, NULL), 0, NULL);

        g_test_message("%s: %s", lists[i].path, f->response.body->str);
        g_assert_cmpint(f->response.status, ==, 200);
        g_assert_true(json_is_array(json));
        g_assert_cmpuint(json_array_size(json), ==, lists[i].length);
        json_decref(json);
    }
    g_assert_nonnull(strstr(fixture_get(f, "epics/4001", NULL), "\"label\":{\"id\":5001"));
    g_assert_nonnull(strstr(fixture_get(f, "projects/99/stories/555/tasks", "fields=description"),
                            "[{\"id\":701,"));
    g_assert_nonnull(strstr(fixture_get(f, "my/people", "project_id=99"), "\"name\":\"Bo\""));
    g_assert_nonnull(
        strstr(fixture_get(f, "accounts/100/memberships/101", NULL), "\"owner\":true"));
}

static void
test_filters(Fixture *f)
{
    static const struct {
        const char *query, *ids;
    } filters[] = {
        {"with_label=Plans", "[{\"id\":550},{\"id\":555}]"},
        {"with_state=started", "[{\"id\":555}]"},
        {"with_story_type=release", "[{\"id\":556}]"},
        {"after_story_id=555", "[{\"id\":556},{\"id\":557}]"},
        {"before_story_id=555", "[{\"id\":550}]"},
        {"after_story_id=1", "[]"},
        {"accepted_after=2017-04-01T00:00:00Z", "[{\"id\":550}]"},
        {"accepted_before=1492300000000", "[]"},
        {"updated_after=2017-05-01T00%3A00%3A00Z&with_state=unscheduled", "[{\"id\":557}]"},
        {"project_id=99&story_id=1", NULL},
        {"project_id=99&limit=1", "[{\"id\":550}]"},
        {"with_state=nonsense", NULL},
        {"created_after=2017-05-01", NULL},
        {"filter=exhaust", "[{\"id\":555}]"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        g_autofree char *query = g_strconcat("fields=id&", filters[i].query, NULL);
        const char *body = fixture_get(f, "projects/99/stories", query);

        g_test_message("%s: %s", query, body);
        g_assert_cmpint(f->response.status, ==, filters[i].ids ? 200 : 400);
        if (filters[i].ids) {
            g_assert_cmpstr(body, ==, filters[i].ids);
        }
    }
    g_assert_cmpstr(fixture_get(f, "projects/99/stories/bulk", "ids=557,1,550,700,550&fields=id"),
                    ==, "[{\"id\":557},{\"id\":550}]");
    (void)fixture_get(f, "projects/99/stories/bulk", NULL);
    g_assert_cmpint(f->response.status, ==, 400);
}

static void
test_activity(Fixture *f)
{
    g_assert_cmpstr(
        fixture_get(f, "projects/99/activity", "since_version=228&sort_order=asc&limit=1"), ==,
        "[{\"kind\":\"story_update_activity\",\"guid\":\"99_229\",\"project_version\":229,"
        "\"message\":\"Ada Example edited this feature\",\"highlight\":\"edited\",\"changes\":"
        "[{\"kind\":\"story\",\"id\":555,\"new_values\":{\"updated_at\":\"2017-05-03T23:28:20Z\","
        "\"name\":\"updated_at\"}}],\"primary_resources\":[],\"secondary_resources\":[],"
        "\"project\":{\"kind\":\"project\",\"id\":99,\"name\":\"Demo\"},\"performed_by\":{"
        "\"kind\":\"person\",\"id\":101,\"name\":\"Ada Example\",\"initials\":\"AE\"},"
        "\"occurred_at\":\"2017-05-03T23:28:20Z\"}]");
    g_assert_cmpstr(fixture_get(f, "projects/99/activity",
                                "since_version=228&sort_order=asc&limit=1&date_format=millis&"
                                "fields=changes,occurred_at"),
                    ==,
                    "[{\"guid\":\"99_229\",\"project_version\":229,\"changes\":[{\"kind\":"
                    "\"story\",\"id\":555,\"new_values\":{\"updated_at\":1493854100000,\"name\":"
                    "\"updated_at\"}}],\"occurred_at\":1493854100000}]");
    g_assert_cmpstr(fixture_get(f, "projects/99/activity", "since_version=230"), ==, "[]");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Pagination-Total"), ==, "0");
}

static void
test_envelope(Fixture *f)
{
    g_assert_cmpstr(fixture_get(f, "projects/99/stories", "fields=id&limit=1&envelope=true"), ==,
                    "{\"data\":[{\"id\":550}],\"pagination\":{\"total\":4,\"limit\":1,\"offset\":0,"
                    "\"returned\":1},\"project_version\":230,\"http_status\":\"200\"}");
    g_assert_cmpstr(fixture_get(f, "projects", "fields=id&envelope=true"), ==,
                    "{\"data\":[{\"id\":99}],\"http_status\":\"200\"}");
    g_assert_cmpstr(fixture_get(f, "stories/550", "fields=created_at&date_format=millis"), ==,
                    "{\"id\":550,\"created_at\":1392595200000}");
    (void)fixture_get(f, "projects", "date_format=epoch");
    g_assert_cmpint(f->response.status, ==, 400);
    (void)fixture_get(f, "projects/99/stories/1", "envelope=true");
    g_assert_true(
        g_str_has_prefix(f->response.body->str, "{\"data\":{\"code\":\"unfound_resource\""));
    g_assert_true(g_str_has_suffix(f->response.body->str, "},\"http_status\":\"404\"}"));
}

/* What one may no longer read does not show through a workspace or a list of members. */
static void
test_former_member(Fixture *f)
{
    fixture_sql(f,
                "INSERT INTO workspace(id, person_id, name) VALUES (1, 101, 'Both'), (2, 103, 'x');"
                "INSERT INTO workspace_project VALUES (1, 0, 22), (1, 1, 99);"
                "UPDATE membership SET role = 'inactive' WHERE id = 9002");
    g_assert_cmpstr(fixture_get(f, "my/workspaces", "fields=:default,projects(id)"), ==,
                    "[{\"id\":1,\"kind\":\"workspace\",\"name\":\"Both\",\"person_id\":101,"
                    "\"project_ids\":[99],\"projects\":[{\"id\":99}]}]");
    (void)fixture_get(f, "my/workspaces/2", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    g_assert_cmpstr(fixture_get(f, "projects/99", "fields=memberships(id)"), ==,
                    "{\"id\":99,\"memberships\":[{\"id\":9001}]}");
    g_assert_cmpstr(fixture_get(f, "projects/99/memberships", "fields=id"), ==, "[{\"id\":9001}]");
}

static void
test_summaries(Fixture *f)
{
    g_assert_cmpstr(fixture_get(f, "stories/555", "fields=cycle_time_details"), ==,
                    "{\"id\":555,\"cycle_time_details\":{\"total_cycle_time\":10367117000,"
                    "\"started_time\":10367117000,\"started_count\":1,\"finished_time\":0,"
                    "\"finished_count\":0,\"delivered_time\":0,\"delivered_count\":0,"
                    "\"rejected_time\":0,\"rejected_count\":0,\"story_id\":555,\"kind\":"
                    "\"cycle_time_details\"}}");
    g_assert_cmpstr(fixture_get(f, "stories/557", "fields=blocked_story_ids"), ==,
                    "{\"id\":557,\"blocked_story_ids\":[555]}");
    g_assert_cmpstr(fixture_get(f, "projects/99/releases/556",
                                "fields=points_accepted,points_total,counts_accepted,"
                                "counts_total,projected_completion,story_ids"),
                    ==,
                    "{\"id\":556,\"story_ids\":[550,555],\"projected_completion\":"
                    "\"2017-05-08T07:00:00Z\",\"points_accepted\":3,\"points_total\":5,"
                    "\"counts_accepted\":1,\"counts_total\":2}");
    g_assert_cmpstr(fixture_get(f, "projects/99/stories/bulk",
                                "ids=555,556&fields=points_accepted,points_total,"
                                "counts_accepted,counts_total,projected_completion"),
                    ==,
                    "[{\"id\":555},{\"id\":556,\"projected_completion\":"
                    "\"2017-05-08T07:00:00Z\",\"points_accepted\":3,\"points_total\":5,"
                    "\"counts_accepted\":1,\"counts_total\":2}]");
    g_assert_cmpstr(fixture_get(f, "epics/4001",
                                "fields=past_done_story_estimates,past_done_stories_count,"
                                "past_done_stories_no_point_count"),
                    ==,
                    "{\"id\":4001,\"past_done_story_estimates\":3,\"past_done_stories_count\":1,"
                    "\"past_done_stories_no_point_count\":0}");
    g_assert_cmpstr(
        fixture_get(f, "stories/555/comments/802", "fields=attachment_ids,attachments(id)"), ==,
        "{\"attachment_ids\":[300],\"attachments\":[{\"kind\":"
        "\"file_attachment\",\"id\":300,\"filename\":\"a/b \\\"x\\\".txt\","
        "\"uploader_id\":102,\"size\":5,\"download_url\":\"/file_attachments/300/"
        "download\",\"content_type\":\"text/plain\",\"uploaded\":true,\"big_url\":"
        "\"#\",\"thumbnail_url\":\"#\"}],\"id\":802}");
}

/* A full page with everything nested: correct in every story, and its time told. */
static void
test_full_page(Fixture *f)
{
    gint64 started, best = G_MAXINT64;
    json_t *json, *story;
    gsize index;

    fixture_fill(f, 600);
    for (int i = 0; i < 5; i++) {
        started = g_get_monotonic_time();
        (void)fixture_get(f, "projects/99/stories", "limit=500&offset=4&fields=" NESTED);
        best = MIN(best, g_get_monotonic_time() - started);
    }
    g_assert_cmpint(f->response.status, ==, 200);
    g_test_message("500 nested stories: %" G_GSIZE_FORMAT " bytes in %" G_GINT64_FORMAT " us",
                   f->response.body->len, best);
    json = json_loads(f->response.body->str, 0, NULL);
    g_assert_cmpuint(json_array_size(json), ==, 500);
    json_array_foreach(json, index, story)
    {
        g_assert_cmpint(json_integer_value(json_object_get(story, "id")), ==, 100001 + (int)index);
        g_assert_cmpuint(json_array_size(json_object_get(story, "comments")), ==, 3);
        g_assert_cmpuint(json_array_size(json_object_get(story, "tasks")), ==, 2);
        g_assert_cmpuint(json_array_size(json_object_get(story, "owners")), ==, 1);
        g_assert_cmpuint(json_array_size(json_object_get(story, "blockers")), ==, 1);
        g_assert_cmpuint(json_array_size(json_object_get(story, "reviews")), ==, 1);
        g_assert_cmpuint(json_array_size(json_object_get(story, "transitions")), ==, 1);
    }
    json_decref(json);
}

static gpointer
reader(gpointer user)
{
    Fixture *f = user;

    for (int i = 0; i < 40; i++) {
        TrackerRequest request = {.method = "GET",
                                  .path = "/services/v5/projects/99/stories",
                                  .query = "fields=" NESTED,
                                  .token = TOKEN_ADA};
        TrackerResponse response;

        tracker_handle(f->tracker, &request, &response);
        g_assert_cmpint(response.status, ==, 200);
        tracker_response_clear(&response);
    }
    return NULL;
}

/* Twelve readers, more than the pool keeps, beside a writer. */
static void
test_threads(Fixture *f)
{
    GThread *threads[12];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("reader", reader, f);
    }
    for (int i = 0; i < 20; i++) {
        fixture_sql(f, "UPDATE project SET version = version + 1 WHERE id = 99");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        (void)g_thread_join(threads[i]);
    }
}

static void
test_open(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_build_filename(f->dir, "no.db", NULL);
    Tracker *again;

    g_assert_cmpuint(strlen(tracker_instance_id(f->tracker)), ==, 32);
    g_assert_cmpint(tracker_local_person(f->tracker), ==, 0);
    again = tracker_open(f->path, TRACKER_READ_ONLY, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(tracker_instance_id(again), ==, tracker_instance_id(f->tracker));
    tracker_close(again);

    g_assert_null(tracker_open(text, 0, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_true(
        g_file_set_contents(text, "not a database, but long enough to be one....", -1, NULL));
    g_assert_null(tracker_open(text, 0, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
    g_clear_error(&error);
    fixture_sql(f, "PRAGMA user_version=1000");
    g_assert_null(tracker_open(f->path, 0, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_NEWER);
    g_clear_error(&error);
    fixture_sql(f, "PRAGMA application_id=1");
    g_assert_null(tracker_open(f->path, 0, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
}

static void
test_only_reads(Fixture *f)
{
    (void)f;
    g_assert_true(tracker_only_reads("GET", "/services/v5/me"));
    g_assert_true(tracker_only_reads("POST", "/services/v5/projects/99/export"));
    g_assert_true(tracker_only_reads("POST", "/services/v5/aggregator"));
    g_assert_true(tracker_only_reads("POST", "/services/v5/nowhere"));
    g_assert_false(tracker_only_reads("POST", "/services/v5/projects/99/stories"));
    g_assert_false(tracker_only_reads("PATCH", "/services/v5/stories/555"));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        FixtureTest run;
    } tests[] = {
        {"/tracker/service/story", test_story},
        {"/tracker/service/me", test_me},
        {"/tracker/service/project", test_project},
        {"/tracker/service/lists", test_lists},
        {"/tracker/service/filters", test_filters},
        {"/tracker/service/activity", test_activity},
        {"/tracker/service/envelope", test_envelope},
        {"/tracker/service/former-member", test_former_member},
        {"/tracker/service/summaries", test_summaries},
        {"/tracker/service/full-page", test_full_page},
        {"/tracker/service/threads", test_threads},
        {"/tracker/service/only-reads", test_only_reads},
        {"/tracker/service/open", test_open},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        fixture_test(tests[i].name, tests[i].run);
    }
    return g_test_run();
}

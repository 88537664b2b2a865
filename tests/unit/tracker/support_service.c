#include "support_service.h"

#include <jansson.h>
#include <string.h>

#include "support_query.h"
#include "tests/unit/support_folder.h"
#include "tracker/auth.h"

static gint64
fixed_clock(gpointer user)
{
    return ((Fixture *)user)->now_ms;
}

void
fixture_sql(Fixture *fixture, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(fixture->tracker), &error);

    g_assert_no_error(error);
    (void)db_exec(conn, sql, &error);
    g_assert_no_error(error);
}

void
fixture_change(Fixture *fixture, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(fixture->tracker), &error);

    g_assert_no_error(error);
    (void)db_begin(conn, DB_WRITE, &error);
    (void)db_exec(conn, sql, &error);
    (void)db_commit(conn, &error);
    g_assert_no_error(error);
}

static const char base[] =
    "INSERT INTO person(id, name, email, initials, username, time_zone, has_google_identity,"
    " receives_in_app_notifications, created_at, updated_at) VALUES"
    "(101, 'Ada Example', 'ada@example.org', 'AE', 'ada', 'Europe/Berlin', 0, 1, 1393744188000,"
    " 1493853442000),"
    "(102, 'Bo', 'bo@example.org', 'B', 'bo', NULL, NULL, NULL, NULL, NULL),"
    "(103, 'Cy', 'cy@example.org', 'C', 'cy', NULL, NULL, NULL, NULL, NULL);"
    "INSERT INTO project(id, name, version, iteration_length, week_start_day, point_scale,"
    " point_scale_is_custom, bugs_and_chores_are_estimatable, automatic_planning, enable_tasks,"
    " time_zone, velocity_averaged_over, number_of_done_iterations_to_show, has_google_domain,"
    " enable_incoming_emails, initial_velocity, public, atom_enabled, project_type, start_date,"
    " start_time, account_id, enable_following, created_at, updated_at, extra) VALUES"
    "(99, 'Demo', 230, 1, 'Monday', '0,1,2,3', 0, 0, 1, 1, 'America/Los_Angeles', 3, 12, 0, 1, 10,"
    " 0, 0, 'private', '2017-04-10', 1491807600000, 100, 1, 1393744264000, 1393744264000,"
    " '{\"enable_planned_mode\":false}');"
    "INSERT INTO project(id, name, version, public) VALUES (22, 'Other', 5, 0), (33, 'Open', 7, 1);"
    "INSERT INTO account(id, name, plan, status) VALUES (100, 'Acme', 'Free', 'active');"
    "INSERT INTO account_membership(id, account_id, person_id, owner) VALUES (1, 100, 101, 1);"
    "INSERT INTO membership(id, project_id, person_id, role, project_color) VALUES"
    "(9001, 99, 101, 'owner', '8100ea'), (9002, 99, 102, 'member', NULL),"
    "(9003, 22, 103, 'owner', NULL), (9004, 33, 103, 'owner', NULL),"
    "(9005, 22, 101, 'inactive', NULL);"
    "INSERT INTO label(id, project_id, name, created_at, updated_at) VALUES"
    "(5001, 99, 'plans', 1425732699000, 1425732699000), (5002, 99, 'admin', NULL, NULL);"
    "INSERT INTO story(id, project_id, position, name, description, story_type, current_state,"
    " estimate, accepted_at, requested_by_id, created_at, updated_at, extra) VALUES"
    "(550, 99, 100, 'Done', NULL, 'feature', 'accepted', 3, 1492300000000, 101, 1392595200000,"
    " 1492300000000, NULL),"
    "(555, 99, 200, 'Exhaust ports', 'Text \"quoted\"\n', 'feature', 'started', 2, NULL, 101,"
    " 1392595200000, 1493854136000, '{\"cl_numbers\":\"7\"}'),"
    "(556, 99, 300, 'Beta', NULL, 'release', 'unstarted', NULL, NULL, 101, 1392595200000,"
    " 1493854136000, NULL),"
    "(557, 99, 400, 'Half', NULL, 'feature', 'unscheduled', 0.5, NULL, 102, 1392595200000,"
    " 1493854136000, NULL);"
    "INSERT INTO story(id, project_id, position, name, story_type, current_state) VALUES"
    "(700, 22, 1, 'Secret', 'bug', 'unstarted'), (800, 33, 1, 'Public', 'bug', 'unstarted');"
    "INSERT INTO story_owner VALUES (555, 0, 102), (555, 1, 101), (800, 0, 103);"
    "INSERT INTO story_label VALUES (555, 5001), (555, 5002), (550, 5001);"
    "INSERT INTO task(id, story_id, description, complete, position) VALUES"
    "(702, 555, 'second', 1, 2), (701, 555, 'first', 0, 1);"
    "INSERT INTO comment(id, story_id, epic_id, text, person_id, created_at, updated_at) VALUES"
    "(801, 555, NULL, 'Hi', 101, 1493854136000, 1493854136000),"
    "(802, 555, NULL, NULL, 102, 1493854136000, 1493854136000),"
    "(803, NULL, 4001, 'On epic', 102, 1493854136000, 1493854136000);"
    "INSERT INTO file_attachment(id, project_id, comment_id, filename, content_type, size,"
    " content_hash, uploaded, uploader_id) VALUES"
    "(300, 99, 802, 'a/b \"x\".txt', 'text/plain', 5,"
    " '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 1, 102),"
    "(301, 22, NULL, 'secret.txt', 'text/plain', 5,"
    " '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 1, 103);"
    "INSERT INTO blocker(id, story_id, person_id, description, resolved) VALUES"
    "(900, 555, 101, '#557', 0);"
    "INSERT INTO review_type(id, project_id, name, hidden) VALUES (22, 99, 'Code', 0);"
    "INSERT INTO review(id, story_id, review_type_id, reviewer_id, status) VALUES"
    "(2900, 555, 22, 102, 'pass');"
    "INSERT INTO story_transition(id, story_id, project_id, state, project_version, occurred_at,"
    " performed_by_id) VALUES (1, 555, 99, 'unstarted', 100, 1392595200000, 101),"
    " (2, 555, 99, 'started', 157, 1483487064000, 101);"
    "INSERT INTO epic(id, project_id, position, name, label_id) VALUES (4001, 99, 1, 'Plans', "
    "5001);"
    "INSERT INTO activity(id, project_id, version, kind, message, highlight, performed_by_id,"
    " occurred_at, changes, primary_resources, secondary_resources) VALUES"
    "(1, 99, 229, 'story_update_activity', 'Ada Example edited this feature', 'edited', 101,"
    " 1493854100000, '[{\"kind\":\"story\",\"id\":555,\"new_values\":{\"updated_at\":"
    "\"2017-05-03T23:28:20Z\",\"name\":\"updated_at\"}}]', '[]', '[]'),"
    "(2, 99, 230, 'comment_create_activity', 'Bo added comment', 'added comment:', 102,"
    " 1493854136000, '[]', '[]', NULL),"
    "(3, 22, 5, 'story_create_activity', 'Cy added', 'added', 103, 1493854136000, '[]', '[]', "
    "NULL);"
    "INSERT INTO activity_story VALUES (555, 1), (555, 2);"
    "INSERT INTO activity_epic VALUES (4001, 2);";

void
fixture_open(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = NULL;

    memset(fixture, 0, sizeof *fixture);
    fixture->response.file_fd = -1;
    fixture->now_ms = FIXTURE_NOW_MS;
    fixture->dir = folder_new();
    fixture->path = g_build_filename(fixture->dir, "t.db", NULL);
    fixture->tracker = tracker_open(fixture->path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    tracker_set_clock(fixture->tracker, fixed_clock, fixture);
    fixture_change(fixture, base);
    conn = db_take(tracker_db(fixture->tracker), &error);
    g_assert_no_error(error);
    g_assert_true(auth_token_add(conn, 101, TOKEN_ADA, NULL, FIXTURE_NOW_MS));
    g_assert_true(auth_token_add(conn, 102, TOKEN_BO, NULL, FIXTURE_NOW_MS));
    g_assert_true(auth_token_add(conn, 103, TOKEN_CY, NULL, FIXTURE_NOW_MS));
}

Tracker *
fixture_open_again(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Tracker *tracker = tracker_open(fixture->path, 0, &error);

    g_assert_no_error(error);
    tracker_set_clock(tracker, fixed_clock, fixture);
    return tracker;
}

void
fixture_close(Fixture *fixture)
{
    tracker_response_clear(&fixture->response);
    json_decref(fixture->json);
    tracker_close(fixture->tracker);
    folder_remove(fixture->dir);
    g_free(fixture->path);
}

typedef struct {
    Fixture fixture; /* first: the test is given this one */
    const char *sql; /* NULL: none */
    FixtureTest run;
} Case;

static void
run_case(gconstpointer user)
{
    Case *one = (gpointer)(guintptr)user;

    fixture_open(&one->fixture);
    if (one->sql) {
        fixture_change(&one->fixture, one->sql);
    }
    one->run(&one->fixture);
    fixture_close(&one->fixture);
}

void
fixture_test_with(const char *path, const char *sql, FixtureTest test)
{
    Case *one = g_new0(Case, 1);

    one->sql = sql;
    one->run = test;
    g_test_add_data_func_full(path, one, run_case, g_free);
}

void
fixture_test(const char *path, FixtureTest test)
{
    fixture_test_with(path, NULL, test);
}

const char *
fixture_request(Fixture *fixture, const TrackerRequest *request)
{
    tracker_response_clear(&fixture->response);
    tracker_handle(fixture->tracker, request, &fixture->response);
    return fixture->response.body ? fixture->response.body->str : "";
}

const char *
fixture_get(Fixture *fixture, const char *path, const char *query)
{
    g_autofree char *full = g_strconcat("/services/v5/", path, NULL);
    TrackerRequest request = {.method = "GET", .path = full, .query = query, .token = TOKEN_ADA};

    return fixture_request(fixture, &request);
}

const char *
fixture_send(Fixture *fixture, const char *method, const char *path, const char *body)
{
    g_autofree char *full = g_strconcat("/services/v5/", path, NULL);
    char *query = strchr(full, '?');
    TrackerRequest request = {.method = method,
                              .path = full,
                              .query = query ? query + 1 : NULL,
                              .token = fixture->token ? fixture->token : TOKEN_ADA,
                              .content_type = "application/json",
                              .body = body,
                              .body_bytes = body ? strlen(body) : 0};

    if (query) {
        *query = '\0';
    }
    return fixture_request(fixture, &request);
}

struct json_t *
fixture_json(Fixture *fixture, const char *method, const char *path, const char *body)
{
    const char *text = fixture_send(fixture, method, path, body);

    json_decref(fixture->json);
    fixture->json = json_loads(text, JSON_DECODE_ANY, NULL);
    return fixture->json;
}

struct json_t *
fixture_at(Fixture *fixture, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, ".", -1);
    json_t *value = fixture->json;

    for (char **part = parts; *part && value; part++) {
        value = json_is_array(value)
                    ? json_array_get(value, (size_t)g_ascii_strtoull(*part, NULL, 10))
                    : json_object_get(value, *part);
    }
    return value;
}

const char *
fixture_text(Fixture *fixture, const char *path)
{
    return json_string_value(fixture_at(fixture, path));
}

gint64
fixture_int(Fixture *fixture, const char *path)
{
    return json_integer_value(fixture_at(fixture, path));
}

void
fixture_activity(Fixture *fixture)
{
    fixture_expect(fixture, "GET", "projects/99/activity?limit=1", NULL, 200);
}

int
fixture_entry(Fixture *fixture, const char *kind)
{
    size_t i;
    json_t *entry;

    json_array_foreach(fixture_at(fixture, "0.changes"), i, entry)
    {
        if (g_strcmp0(json_string_value(json_object_get(entry, "kind")), kind) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void
fixture_expect(Fixture *fixture, const char *method, const char *path, const char *body, int status)
{
    (void)fixture_json(fixture, method, path, body);
    if (fixture->response.status != status) {
        g_error("%s %s %s: %d, not %d: %s", method, path, body ? body : "",
                fixture->response.status, status,
                fixture->response.body ? fixture->response.body->str : "");
    }
}

void
fixture_refused(Fixture *fixture, const char *method, const char *path, const char *body,
                const char *general_problem)
{
    (void)fixture_json(fixture, method, path, body);
    g_assert_cmpint(fixture->response.status, ==, 400);
    g_assert_cmpstr(json_string_value(fixture_at(fixture, "general_problem")), ==, general_problem);
}

gint64
fixture_number(Fixture *fixture, const char *sql)
{
    return query_number(tracker_db(fixture->tracker), sql);
}

const char *
fixture_header(Fixture *fixture, const char *name)
{
    return tracker_response_header(&fixture->response, name);
}

void
fixture_fill(Fixture *fixture, int n_stories)
{
    g_autofree char *sql = g_strdup_printf(
        "BEGIN;"
        "CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < %d) SELECT i FROM c;"
        "INSERT INTO story(id, project_id, position, name, description, story_type, current_state,"
        " estimate, requested_by_id, created_at, updated_at) SELECT 100000 + i, 99, 1000 + i,"
        " 'Story number ' || i, 'A description of some length, as people write them. ' || i,"
        " 'feature', CASE i %% 3 WHEN 0 THEN 'unscheduled' ELSE 'unstarted' END, i %% 4, 101,"
        " 1392595200000, 1493854136000 FROM n;"
        "INSERT INTO story_owner SELECT 100000 + i, 0, 102 FROM n;"
        "INSERT INTO story_label SELECT 100000 + i, 5001 FROM n;"
        "INSERT INTO comment(id, story_id, text, person_id, created_at, updated_at) SELECT"
        " 100000 + 3 * i + k.column1, 100000 + i, 'A comment with some words in it ' || i, 102,"
        " 1493854136000, 1493854136000 FROM n, (VALUES (0), (1), (2)) k;"
        "INSERT INTO task(id, story_id, description, complete, position, created_at, updated_at)"
        " SELECT 100000 + 2 * i + k.column1, 100000 + i, 'A task', 0, k.column1 + 1, 1493854136000,"
        " 1493854136000 FROM n, (VALUES (0), (1)) k;"
        "INSERT INTO blocker(id, story_id, person_id, description, resolved) SELECT 100000 + i,"
        " 100000 + i, 101, 'waiting', 0 FROM n;"
        "INSERT INTO review(id, story_id, review_type_id, reviewer_id, status) SELECT 100000 + i,"
        " 100000 + i, 22, 102, 'pass' FROM n;"
        "INSERT INTO story_transition(id, story_id, project_id, state, project_version,"
        " occurred_at, performed_by_id) SELECT 100000 + i, 100000 + i, 99, 'unstarted', i,"
        " 1392595200000, 101 FROM n;"
        "DROP TABLE n; COMMIT;",
        n_stories);

    fixture_sql(fixture, sql);
}

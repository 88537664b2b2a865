/* Projects made, changed and deleted. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#define PROJECT "projects/99"
#define VERSION "SELECT version FROM project WHERE id = 99"

static void
put(Fixture *f, const char *body)
{
    (void)fixture_json(f, "PUT", PROJECT, body);
    g_assert_cmpint(f->response.status, ==, 200);
}

static void
test_create(Fixture *f)
{
    /* The members that a new project had, as recorded in 2019. */
    g_assert_cmpstr(
        fixture_send(f, "POST", "projects", "{\"name\":\"New\"}"), ==,
        "{\"id\":100,\"kind\":\"project\",\"name\":\"New\",\"version\":1,\"iteration_length\":1,"
        "\"week_start_day\":\"Monday\",\"point_scale\":\"0,1,2,3\",\"point_scale_is_custom\":false,"
        "\"bugs_and_chores_are_estimatable\":false,\"automatic_planning\":true,\"enable_tasks\":"
        "true,\"time_zone\":{\"kind\":\"time_zone\",\"olson_name\":\"Europe/Berlin\","
        "\"offset\":\"+02:00\"},\"velocity_averaged_over\":3,"
        "\"number_of_done_iterations_to_show\":4,\"has_google_domain\":false,"
        "\"enable_incoming_emails\":true,\"initial_velocity\":10,\"public\":false,"
        "\"atom_enabled\":false,\"project_type\":\"private\","
        "\"start_time\":\"2017-04-30T22:00:00Z\",\"created_at\":\"2017-05-03T23:29:41Z\","
        "\"updated_at\":\"2017-05-03T23:29:41Z\",\"account_id\":100,\"current_iteration_number\":1,"
        "\"enable_following\":true}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
    g_assert_nonnull(
        strstr(fixture_get(f, "projects/100/memberships", NULL), "\"role\":\"owner\""));
    (void)fixture_json(f, "GET", "projects/100/review_types?fields=name", NULL);
    g_assert_cmpstr(fixture_text(f, "0.name"), ==, "Test (QA)");
    g_assert_cmpstr(fixture_text(f, "3.name"), ==, "Security");
    g_assert_nonnull(strstr(fixture_get(f, "me", NULL), "\"project_name\":\"New\""));
    /* With everything said. */
    (void)fixture_json(
        f, "POST", "projects",
        "{\"name\":\"All\",\"iteration_length\":2,\"week_start_day\":\"SUNDAY\","
        "\"point_scale\":\"0,1,5\",\"start_date\":\"2017-04-09\",\"public\":true,"
        "\"time_zone\":{\"kind\":\"time_zone\",\"olson_name\":\"Asia/Tokyo\",\"offset\":\"x\"},"
        "\"join_as\":\"member\",\"velocity_averaged_over\":4,\"accounting_type\":\"billable\","
        "\"show_story_priority\":true}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_cmpstr(fixture_text(f, "week_start_day"), ==, "Sunday");
    g_assert_cmpstr(fixture_text(f, "project_type"), ==, "public");
    g_assert_cmpstr(fixture_text(f, "start_time"), ==, "2017-04-08T15:00:00Z");
    g_assert_cmpstr(fixture_text(f, "accounting_type"), ==, "billable");
    g_assert_true(json_is_true(fixture_at(f, "point_scale_is_custom")));
    g_assert_true(json_is_true(fixture_at(f, "show_story_priority")));
    g_assert_cmpint(json_integer_value(fixture_at(f, "current_iteration_number")), ==, 2);
    g_assert_nonnull(
        strstr(fixture_get(f, "projects/101/memberships", NULL), "\"role\":\"member\""));
}

static void
test_names(Fixture *f)
{
    static const char long_name[] = "123456789012345678901234567890123456789012345678901";

    fixture_refused(f, "POST", "projects", "{}", "this endpoint requires the parameter: name");
    fixture_refused(f, "POST", "projects", "{\"create_sample\":false}",
                    "unless create_sample is true, this endpoint requires the parameter: name");
    fixture_refused(f, "POST", "projects", "{\"name\":\" \"}", "Name can't be blank");
    fixture_refused(f, "POST", "projects", "{\"name\":null}", "Name can't be blank");
    fixture_refused(f, "POST", "projects", "{\"name\":7}", "'name' must be an extended_string");
    fixture_refused(f, "POST", "projects", "{\"name\":\"Demo\"}",
                    "The project name you entered is already taken.");
    {
        g_autofree char *body = g_strdup_printf("{\"name\":\"%s\"}", long_name);
        g_autofree char *text =
            g_strdup_printf("This extended_string is too long:  '%s'", long_name);

        fixture_refused(f, "POST", "projects", body, text);
        g_assert_cmpstr(fixture_text(f, "requirement"), ==,
                        "'name' parameter must be 50 characters or less.");
    }
    /* Nothing of a refused request stays. */
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM project"), ==, 3);
    (void)fixture_json(f, "POST", "projects", "{\"create_sample\":true}");
    g_assert_cmpstr(fixture_text(f, "name"), ==, "My Sample Project");
    (void)fixture_json(f, "POST", "projects", "{\"name\":\"Twice\"}");
    fixture_refused(f, "PUT", PROJECT, "{\"name\":\"Twice\"}",
                    "The project name you entered is already taken.");
    put(f, "{\"name\":\"Demo\"}");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
}

/* The sample fits the settings that it comes with, and is a history like any other. */
static void
test_sample(Fixture *f)
{
    static const char *const bodies[] = {
        "{\"create_sample\":true}",
        "{\"create_sample\":true,\"name\":\"Odd\",\"point_scale\":\"5\",\"no_owner\":true,"
        "\"bugs_and_chores_are_estimatable\":true,\"automatic_planning\":false}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        (void)fixture_json(f, "POST", "projects", bodies[i]);
        g_assert_cmpint(f->response.status, ==, 200);
        g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
        g_assert_cmpint(fixture_number(f, "SELECT count(DISTINCT story_type) FROM story"
                                          " WHERE project_id = (SELECT max(id) FROM project)"),
                        ==, 4);
        g_assert_cmpint(fixture_number(f, "SELECT p.version - 1 - (SELECT count(*) FROM activity a"
                                          " WHERE a.project_id = p.id AND a.version > 1)"
                                          " FROM project p ORDER BY p.id DESC LIMIT 1"),
                        ==, 0);
        g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM membership WHERE project_id ="
                                          " (SELECT max(id) FROM project)"),
                        ==, i == 0 ? 1 : 0);
    }
}

static void
test_accounts(Fixture *f)
{
    fixture_sql(f, "INSERT INTO account(id, name) VALUES(200, 'Second'), (300, 'Third');"
                   "INSERT INTO account_membership(account_id, person_id, project_creator)"
                   " VALUES(200, 101, 1), (300, 101, 0)");
    fixture_refused(f, "POST", "projects", "{\"name\":\"N\"}",
                    "this endpoint requires the parameter: account_id");
    (void)fixture_json(f, "POST", "projects", "{\"name\":\"N\",\"account_id\":200}");
    g_assert_cmpint(json_integer_value(fixture_at(f, "account_id")), ==, 200);
    (void)fixture_json(f, "POST", "projects", "{\"name\":\"O\",\"account_id\":300}");
    g_assert_cmpint(f->response.status, ==, 403);
    g_assert_cmpstr(fixture_text(f, "requirement"), ==,
                    "You must be a project creator on the destination account.");
    (void)fixture_json(f, "PUT", PROJECT, "{\"account_id\":300}");
    g_assert_cmpint(f->response.status, ==, 403);
    g_assert_cmpstr(fixture_text(f, "code"), ==, "unauthorized_operation");
    g_assert_cmpstr(fixture_text(f, "requirement"), ==,
                    "You must be a project creator on the destination account.");
    put(f, "{\"account_id\":200}");
    /* no_owner: of account 100 Ada is the owner, of 200 only a project creator. */
    (void)fixture_json(f, "POST", "projects",
                       "{\"name\":\"P\",\"account_id\":200,\"no_owner\":true}");
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_json(f, "POST", "projects",
                       "{\"name\":\"P\",\"account_id\":100,\"no_owner\":true}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM membership WHERE project_id ="
                                      " (SELECT id FROM project WHERE name = 'P')"),
                    ==, 0);
    (void)fixture_json(f, "POST", "projects", "{\"name\":\"N\",\"new_account_name\":\"Fresh\"}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_nonnull(strstr(fixture_get(f, "accounts", NULL), "\"name\":\"Fresh\""));
    /* Somebody without any account. */
    f->token = TOKEN_BO;
    (void)fixture_json(f, "POST", "projects", "{\"name\":\"Mine\"}");
    g_assert_cmpint(f->response.status, ==, 200);
    (void)fixture_json(f, "GET", "accounts", NULL);
    g_assert_cmpstr(fixture_text(f, "0.name"), ==, "Bo");
}

static void
test_rules(Fixture *f)
{
    static const struct {
        const char *body, *problem, *field;
    } cases[] = {
        {"{\"iteration_length\":5}", "iteration_length can only be between 1 and 4.",
         "iteration_length"},
        {"{\"iteration_length\":\"a\"}", "'iteration_length' must be an integer value", NULL},
        {"{\"initial_velocity\":0}", "You must specify a value of 1 or greater.",
         "initial_velocity"},
        {"{\"initial_velocity\":1000}", "Initial velocity can't exceed 999.", "initial_velocity"},
        {"{\"velocity_averaged_over\":5}", "is not a valid velocity scheme",
         "velocity_averaged_over"},
        {"{\"number_of_done_iterations_to_show\":2}",
         "Your project must load enough done iterations to calculate your velocity according to "
         "your settings.",
         "number_of_done_iterations_to_show"},
        {"{\"point_scale\":null}",
         "Projects require a point scale., This is not a valid custom point scale.", "point_scale"},
        {"{\"point_scale\":7}", "'point_scale' must be a string", NULL},
        {"{\"point_scale\":\"3,2\"}", "Point values must be provided in ascending order.",
         "point_scale"},
        {"{\"start_date\":\"2019-04-20\",\"week_start_day\":\"sunday\"}",
         "4/20/2019 is a Saturday and Iterations in this project start on Sundays.", "start_date"},
        {"{\"start_date\":\"soon\"}",
         "'start_date' must be a date value represented as iso 8601 date", NULL},
        {"{\"week_start_day\":\"someday\"}",
         "'week_start_day' must be one of: sunday, monday, tuesday, wednesday, thursday, friday, "
         "saturday",
         NULL},
        {"{\"project_type\":\"secret\"}",
         "'project_type' must be one of: demo, private, public, shared", NULL},
        {"{\"project_type\":\"shared\"}",
         "Cannot make a project's type shared on non-enterprise accounts", "project_type"},
        {"{\"public\":\"true\"}", "'public' must be a non-string boolean true or false value",
         NULL},
        {"{\"time_zone\":{\"olson_name\":\"Mars/Base\"}}",
         "Can't use content of 'time_zone' parameter.", NULL},
        {"{\"updated_at\":1}", "this endpoint cannot accept the parameter: updated_at", NULL},
        {"{}",
         "this endpoint requires at least one of the following parameters: account_id, "
         "accounting_type, atom_enabled, automatic_planning, bugs_and_chores_are_estimatable, "
         "description, enable_incoming_emails, enable_tasks, featured, initial_velocity, "
         "iteration_length, name, number_of_done_iterations_to_show, point_scale, "
         "profile_content, project_type, public, start_date, time_zone, velocity_averaged_over, "
         "week_start_day",
         NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_refused(f, "PUT", PROJECT, cases[i].body, cases[i].problem);
        g_assert_cmpstr(fixture_text(f, "validation_errors.0.field"), ==, cases[i].field);
        g_assert_cmpstr(fixture_text(f, "validation_errors.0.problem"), ==,
                        cases[i].field ? cases[i].problem : NULL);
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
    fixture_sql(f, "UPDATE account SET plan = 'Enterprise Yearly'");
    put(f, "{\"project_type\":\"shared\"}");
}

static void
test_update(Fixture *f)
{
    put(f, "{\"name\":\"Renamed\",\"description\":\"What\",\"enable_tasks\":false}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    g_assert_cmpint(json_integer_value(fixture_at(f, "version")), ==, 231);
    g_assert_cmpstr(fixture_text(f, "updated_at"), ==, "2017-05-03T23:29:41Z");
    (void)fixture_json(f, "GET", PROJECT "/activity?limit=1", NULL);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "project_update_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example edited this project");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.kind"), ==, "project");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.original_values.name"), ==, "Demo");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.new_values.name"), ==, "Renamed");
    g_assert_true(json_is_null(fixture_at(f, "0.changes.0.original_values.description")));
    g_assert_true(json_is_false(fixture_at(f, "0.changes.0.new_values.enable_tasks")));
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.name"), ==, "Renamed");
    put(f, "{\"description\":null}");
    g_assert_null(fixture_at(f, "description"));
    put(f, "{\"public\":true}");
    g_assert_cmpstr(fixture_text(f, "project_type"), ==, "public");
    put(f, "{\"public\":false}");
    g_assert_cmpstr(fixture_text(f, "project_type"), ==, "private");
    put(f, "{\"project_type\":\"demo\"}");
    g_assert_true(json_is_false(fixture_at(f, "public")));
    f->token = TOKEN_BO;
    (void)fixture_json(f, "PUT", PROJECT, "{\"name\":\"No\"}");
    g_assert_cmpint(f->response.status, ==, 403);
}

/* The calendar moves as a whole, and overrides do not outlive it. */
static void
test_calendar(Fixture *f)
{
    fixture_sql(f, "INSERT INTO iteration_override VALUES(99, 2, 2, 0.5)");
    put(f, "{\"time_zone\":{\"olson_name\":\"Europe/Berlin\"}}");
    g_assert_cmpstr(fixture_text(f, "start_time"), ==, "2017-04-09T22:00:00Z");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM iteration_override"), ==, 1);
    put(f, "{\"week_start_day\":\"thursday\"}");
    g_assert_cmpstr(fixture_text(f, "week_start_day"), ==, "Thursday");
    g_assert_cmpstr(fixture_text(f, "start_date"), ==, "2017-04-06");
    g_assert_cmpstr(fixture_text(f, "start_time"), ==, "2017-04-05T22:00:00Z");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM iteration_override"), ==, 0);
    put(f, "{\"start_date\":\"2017-04-13\"}");
    g_assert_cmpint(json_integer_value(fixture_at(f, "current_iteration_number")), ==, 4);
    put(f, "{\"start_date\":null}");
    g_assert_null(fixture_at(f, "start_date"));
    g_assert_cmpstr(fixture_text(f, "start_time"), ==, "2017-04-12T22:00:00Z");
}

/* A project of an import may lack any setting: the defaults stand for them. */
static void
test_bare(Fixture *f)
{
    f->token = TOKEN_CY;
    (void)fixture_json(f, "PUT", "projects/22",
                       "{\"time_zone\":{\"olson_name\":\"Europe/Berlin\"},"
                       "\"number_of_done_iterations_to_show\":3}");
    g_assert_cmpint(f->response.status, ==, 200);
    fixture_refused(f, "PUT", "projects/22", "{\"start_date\":\"2019-04-20\"}",
                    "4/20/2019 is a Saturday and Iterations in this project start on Mondays.");
    (void)fixture_json(f, "PUT", "projects/22", "{\"start_date\":\"2017-05-01\"}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_cmpstr(fixture_text(f, "start_time"), ==, "2017-04-30T22:00:00Z");
    (void)fixture_json(f, "PUT", "projects/22", "{\"public\":true}");
    g_assert_cmpstr(fixture_text(f, "project_type"), ==, "public");
    fixture_refused(f, "PUT", "projects/22", "{\"project_type\":\"shared\"}",
                    "Cannot make a project's type shared on non-enterprise accounts");
    (void)fixture_json(f, "PUT", "projects/22/iteration_overrides/1", "{\"length\":2}");
    g_assert_cmpint(f->response.status, ==, 200);
}

static void
test_delete(Fixture *f)
{
    static const char *const tables[] = {"story", "epic", "label", "comment", "task", "activity"};

    f->token = TOKEN_BO;
    (void)fixture_send(f, "DELETE", PROJECT, NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    f->token = NULL;
    g_assert_cmpstr(fixture_send(f, "DELETE", PROJECT, NULL), ==, "");
    g_assert_cmpint(f->response.status, ==, 204);
    (void)fixture_get(f, PROJECT, NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_get(f, "stories/555", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    (void)fixture_get(f, "projects/98", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", tables[i]);

        /* What is left belongs to the projects 22 and 33. */
        g_assert_cmpint(fixture_number(f, sql), ==,
                        strcmp(tables[i], "story") == 0      ? 2
                        : strcmp(tables[i], "activity") == 0 ? 1
                                                             : 0);
    }
    (void)fixture_json(f, "POST", "projects", "{\"name\":\"Next\"}");
    g_assert_cmpint(json_integer_value(fixture_at(f, "id")), ==, 100);
}

#define ADD(name, test) fixture_test("/write-project/" name, test)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("create", test_create);
    ADD("names", test_names);
    ADD("sample", test_sample);
    ADD("accounts", test_accounts);
    ADD("rules", test_rules);
    ADD("update", test_update);
    ADD("calendar", test_calendar);
    ADD("bare", test_bare);
    ADD("delete", test_delete);
    return g_test_run();
}

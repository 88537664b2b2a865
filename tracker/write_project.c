/* Projects: made with defaults, changed setting by setting, deleted with all that is in them.
 *
 * Settings are written first and looked at then: a rule that fails takes the whole transaction
 * back. So one set of rules serves POST and PUT, and a rule over two settings sees both. */
#include <string.h>

#include "tracker/changes.h"
#include "tracker/people.h"
#include "tracker/project_rules.h"
#include "tracker/project_sample.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_membership.h"
#include "tracker/write_person.h"
#include "tracker/zone.h"

/* ---- accounts ---- */

#define MAY_CREATE "(owner = 1 OR admin = 1 OR project_creator = 1)"

/* 403, with the requirement instead of the usual advice. */
static gboolean
fail_creator(Call *call)
{
    (void)call_fail(call, PROBLEM_UNAUTHORIZED);
    g_clear_pointer(&call->problem.possible_fix, g_free);
    call->problem.requirement =
        g_strdup("You must be a project creator on the destination account.");
    return FALSE;
}

static gboolean
may_create_in(Call *call, gint64 account_id)
{
    return row_int(call->conn,
                   "SELECT 1 FROM account_membership WHERE account_id = ?1 AND person_id = ?2"
                   " AND " MAY_CREATE,
                   "ii", account_id, call->person_id) != 0 ||
           fail_creator(call);
}

static gint64
make_account(Call *call, const char *name)
{
    gint64 id;

    (void)row_run(call->conn,
                  "INSERT INTO account(name, plan, status, over_the_limit, created_at, updated_at)"
                  " VALUES(?1, 'Free', 'active', 0, ?2, ?2)",
                  "ti", name, change_now(call));
    id = db_last_id(call->conn);
    (void)row_run(call->conn,
                  "INSERT INTO account_membership(account_id, person_id, created_at, updated_at,"
                  " owner, admin, project_creator, timekeeper, time_enterer)"
                  " VALUES(?1, ?2, ?3, ?3, 1, 1, 1, 0, 0)",
                  "iii", id, call->person_id, change_now(call));
    return id;
}

/* The account of a new project: the one named, a new one, or the caller's only one. Somebody
 * without any gets one of their own, as they would have by signing up (unsure). */
static gboolean
choose_account(Call *call, gint64 *ret_id)
{
    const char *new_name = body_text(call->given, "new_account_name");
    g_autofree char *own = NULL;
    gint64 count;

    if (new_name) {
        *ret_id = make_account(call, new_name);
        return !write_is_blank(new_name) ||
               call_fail_field(call, "new_account_name", "Name can't be blank");
    }
    if (body_has(call->given, "account_id")) {
        *ret_id = body_int(call->given, "account_id", 0);
        return may_create_in(call, *ret_id);
    }
    count = row_int(call->conn,
                    "SELECT count(*) FROM account_membership WHERE person_id = ?1 AND " MAY_CREATE,
                    "i", call->person_id);
    if (count > 1) {
        return call_fail_text(call, "this endpoint requires the parameter: account_id");
    }
    if (count == 1) {
        *ret_id = row_int(
            call->conn,
            "SELECT account_id FROM account_membership WHERE person_id = ?1 AND " MAY_CREATE, "i",
            call->person_id);
        return TRUE;
    }
    if (row_int(call->conn, "SELECT count(*) FROM account_membership WHERE person_id = ?1", "i",
                call->person_id)) {
        return fail_creator(call);
    }
    own = people_name(call->conn, call->person_id);
    *ret_id = make_account(call, own);
    return TRUE;
}

static gboolean
is_account_admin(Call *call, gint64 account_id)
{
    return row_int(call->conn,
                   "SELECT 1 FROM account_membership WHERE account_id = ?1 AND person_id = ?2"
                   " AND (owner = 1 OR admin = 1)",
                   "ii", account_id, call->person_id) != 0;
}

/* ---- settings ---- */

/* Parameters that are columns of the same name. */
static const char *const columns[] = {
    "name",
    "iteration_length",
    "week_start_day",
    "point_scale",
    "bugs_and_chores_are_estimatable",
    "automatic_planning",
    "enable_tasks",
    "start_date",
    "velocity_averaged_over",
    "number_of_done_iterations_to_show",
    "description",
    "profile_content",
    "enable_incoming_emails",
    "initial_velocity",
    "project_type",
    "public",
    "atom_enabled",
    "account_id",
    "show_story_priority",
    "show_priority_icon",
    "show_priority_icon_in_all_panels",
};
/* Old ones that nothing here asks for: kept and given back (kinds.c, historic). */
static const char *const extras[] = {"accounting_type", "featured"};

/* "monday" to "Monday". */
static void
capitalise(json_t *given, const char *name)
{
    g_autofree char *text = g_strdup(body_text(given, name));

    if (text && *text) {
        *text = g_ascii_toupper(*text);
        (void)json_object_set_new(given, name, json_string(text));
    }
}

static void
write_settings(Call *call, gint64 id)
{
    capitalise(call->given, "week_start_day");
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        json_t *value = json_object_get(call->given, columns[i]);
        g_autofree char *sql =
            g_strdup_printf("UPDATE project SET %s = ?2 WHERE id = ?1", columns[i]);

        if (json_is_string(value) || json_is_null(value)) {
            (void)row_run(call->conn, sql, "it", id, json_string_value(value));
        } else if (json_is_boolean(value)) {
            (void)row_run(call->conn, sql, "ib", id, json_is_true(value));
        } else if (value) {
            (void)row_run(call->conn, sql, "ii", id, (gint64)json_integer_value(value));
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(extras); i++) {
        json_t *value = json_object_get(call->given, extras[i]);
        char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

        if (text) {
            (void)row_run(call->conn,
                          "UPDATE project SET extra = json_set(COALESCE(extra, '{}'), '$.' || ?2,"
                          " json(?3)) WHERE id = ?1",
                          "itt", id, extras[i], text);
        }
        free(text);
    }
}

static char *
setting(Call *call, gint64 id, const char *column)
{
    g_autofree char *sql = g_strdup_printf("SELECT %s FROM project WHERE id = ?1", column);
    g_autoptr(DbStmt) stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, id);
    return db_next(stmt) ? g_strdup(db_text(stmt, 0)) : NULL;
}

static gint64
number_setting(Call *call, gint64 id, const char *column)
{
    g_autofree char *sql = g_strdup_printf("SELECT %s FROM project WHERE id = ?1", column);

    return row_int(call->conn, sql, "i", id);
}

static gboolean
fail_if(Call *call, const char *field, const char *problem)
{
    return !problem || call_fail_field(call, field, problem);
}

static gboolean
name_is_blank(Call *call)
{
    const char *name = body_text(call->given, "name");

    return body_has(call->given, "name") && (!name || write_is_blank(name));
}

static gboolean
check_name_is_free(Call *call, gint64 id)
{
    if (!body_has(call->given, "name") && !body_has(call->given, "account_id")) {
        return TRUE;
    }
    return !row_int(call->conn,
                    "SELECT 1 FROM project p JOIN project o ON o.name = p.name AND o.id <> p.id"
                    " AND o.account_id IS p.account_id WHERE p.id = ?1",
                    "i", id) ||
           call_fail_field(call, "name", "The project name you entered is already taken.");
}

static gboolean
check_numbers(Call *call, gint64 id)
{
    const json_t *given = call->given;

    if (body_has(given, "iteration_length") &&
        !fail_if(call, "iteration_length",
                 project_length_problem(body_int(given, "iteration_length", 0)))) {
        return FALSE;
    }
    if (body_has(given, "initial_velocity") &&
        !fail_if(call, "initial_velocity",
                 project_velocity_problem(body_int(given, "initial_velocity", 0)))) {
        return FALSE;
    }
    if (!body_has(given, "velocity_averaged_over") &&
        !body_has(given, "number_of_done_iterations_to_show")) {
        return TRUE;
    }
    return fail_if(
        call,
        body_has(given, "velocity_averaged_over") ? "velocity_averaged_over"
                                                  : "number_of_done_iterations_to_show",
        project_averaging_problem(
            number_setting(call, id, "COALESCE(velocity_averaged_over, 3)"),
            number_setting(call, id, "COALESCE(number_of_done_iterations_to_show, 12)")));
}

/* project_type and public say the same twice; the type has the last word. */
static gboolean
settle_type(Call *call, gint64 id)
{
    const char *type = body_text(call->given, "project_type");

    if (type && strcmp(type, "shared") == 0 &&
        !row_int(call->conn,
                 "SELECT 1 FROM project p JOIN account a ON a.id = p.account_id"
                 " WHERE p.id = ?1 AND lower(a.plan) LIKE '%enterprise%'",
                 "i", id)) {
        return call_fail_field(call, "project_type",
                               "Cannot make a project's type shared on non-enterprise accounts");
    }
    if (type) {
        (void)row_run(call->conn,
                      "UPDATE project SET public = (project_type = 'public') WHERE id = ?1", "i",
                      id);
    } else if (body_has(call->given, "public")) {
        (void)row_run(call->conn,
                      "UPDATE project SET project_type = CASE WHEN public THEN 'public'"
                      " WHEN project_type = 'public' THEN 'private' ELSE project_type END"
                      " WHERE id = ?1",
                      "i", id);
    }
    return TRUE;
}

static gboolean
settle_scale(Call *call, gint64 id)
{
    const char *scale = body_text(call->given, "point_scale");

    if (!body_has(call->given, "point_scale")) {
        return TRUE;
    }
    if (!fail_if(call, "point_scale", project_scale_problem(scale))) {
        return FALSE;
    }
    (void)row_run(call->conn, "UPDATE project SET point_scale_is_custom = ?2 WHERE id = ?1", "ib",
                  id, project_scale_is_custom(scale));
    return TRUE;
}

/* "2017-04-10 Monday", to be compared. */
static char *
calendar_of(Call *call, gint64 id)
{
    return setting(call, id,
                   "COALESCE(start_date, '') || ' ' || COALESCE(week_start_day, 'Monday')");
}

/* The calendar: start_date must be a week's first day; when only the week moves, it moves along.
 * Overrides belong to the calendar that they were made for (v5-reference 4.10). */
static gboolean
settle_calendar(Call *call, gint64 id, gboolean is_new, const char *calendar_before)
{
    gboolean new_date = body_has(call->given, "start_date");
    gboolean new_week = body_has(call->given, "week_start_day");
    g_autofree char *week = setting(call, id, "COALESCE(week_start_day, 'Monday')");
    g_autofree char *date = setting(call, id, "start_date");
    g_autofree char *zone = setting(call, id, "time_zone");
    g_autofree char *problem = NULL, *calendar = NULL;
    g_autoptr(GTimeZone) tz = zone_open_or_utc(zone);
    gint64 day;

    if (!is_new && !new_date && !new_week && !body_has(call->given, "time_zone")) {
        return TRUE;
    }
    if (date && !new_date) {
        g_autofree char *moved = project_week_start_date(date, week);

        g_free(date);
        date = g_steal_pointer(&moved);
        (void)row_run(call->conn, "UPDATE project SET start_date = ?2 WHERE id = ?1", "it", id,
                      date);
    }
    problem = date ? project_start_date_problem(date, week) : NULL;
    if (!fail_if(call, "start_date", problem)) {
        return FALSE;
    }
    if (!date || !zone_day_from_text(date, &day)) {
        day = zone_day_of(tz, number_setting(call, id, "COALESCE(start_time, created_at, 0)"));
    }
    (void)row_run(call->conn, "UPDATE project SET start_time = ?2 WHERE id = ?1", "ii", id,
                  project_start_ms(zone, week, day));
    calendar = calendar_of(call, id);
    if (g_strcmp0(calendar, calendar_before) != 0) {
        (void)row_run(call->conn, "DELETE FROM iteration_override WHERE project_id = ?1", "i", id);
    }
    return TRUE;
}

static gboolean
apply_settings(Call *call, gint64 id, gboolean is_new)
{
    g_autofree char *zone = NULL, *calendar_before = calendar_of(call, id);

    if (name_is_blank(call)) {
        return call_fail_field(call, "name", "Name can't be blank");
    }
    if (!write_time_zone(call, call->given, &zone)) {
        return FALSE;
    }
    write_settings(call, id);
    if (zone) {
        (void)row_run(call->conn, "UPDATE project SET time_zone = ?2 WHERE id = ?1", "it", id,
                      zone);
    }
    return check_name_is_free(call, id) && check_numbers(call, id) && settle_type(call, id) &&
           settle_scale(call, id) && settle_calendar(call, id, is_new, calendar_before);
}

/* ---- create ---- */

static gint64
insert_project(Call *call, gint64 account_id)
{
    g_autofree char *zone = NULL;
    g_autoptr(DbStmt) stmt =
        db_prepare(call->conn, "SELECT COALESCE(time_zone, 'America/Los_Angeles') FROM person"
                               " WHERE id = ?1");

    db_bind_int(stmt, 1, call->person_id);
    zone = g_strdup(db_next(stmt) ? db_text(stmt, 0) : "America/Los_Angeles");
    /* As recorded in 2019. */
    (void)row_run(call->conn,
                  "INSERT INTO project(name, version, iteration_length, week_start_day,"
                  " point_scale, point_scale_is_custom, bugs_and_chores_are_estimatable,"
                  " automatic_planning, enable_tasks, time_zone, velocity_averaged_over,"
                  " number_of_done_iterations_to_show, has_google_domain, enable_incoming_emails,"
                  " initial_velocity, public, atom_enabled, project_type, account_id,"
                  " enable_following, created_at, updated_at)"
                  " VALUES('', 1, 1, 'Monday', '0,1,2,3', 0, 0, 1, 1, ?1, 3, 4, 0, 1, 10, 0, 0,"
                  " 'private', ?2, 1, ?3, ?3)",
                  "tii", zone, account_id, change_now(call));
    return db_last_id(call->conn);
}

static void
add_review_types(Call *call, gint64 project_id)
{
    static const char *const names[] = {"Test (QA)", "Design", "Code", "Security"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        (void)row_run(call->conn,
                      "INSERT INTO review_type(project_id, name, hidden, created_at, updated_at)"
                      " VALUES(?1, ?2, 0, ?3, ?3)",
                      "iti", project_id, names[i], change_now(call));
    }
}

/* A project of create_sample needs no name. */
static gboolean
need_name(Call *call)
{
    if (body_has(call->given, "name")) {
        return TRUE;
    }
    if (!body_has(call->given, "create_sample")) {
        return call_fail_text(call, "this endpoint requires the parameter: name");
    }
    if (!body_bool(call->given, "create_sample", FALSE)) {
        return call_fail_text(
            call, "unless create_sample is true, this endpoint requires the parameter: name");
    }
    (void)json_object_set_new(call->given, "name", json_string("My Sample Project"));
    return TRUE;
}

gboolean
write_project_create(Call *call)
{
    const char *role = body_text(call->given, "join_as");
    gint64 account_id = 0, id;

    if (!need_name(call) || !choose_account(call, &account_id)) {
        return FALSE;
    }
    if (body_bool(call->given, "no_owner", FALSE) && !is_account_admin(call, account_id)) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    (void)json_object_del(call->given, "account_id");
    id = insert_project(call, account_id);
    if (!apply_settings(call, id, TRUE)) {
        return FALSE;
    }
    add_review_types(call, id);
    (void)membership_add(call, id, call->person_id, role ? role : "owner", NULL);
    if (body_bool(call->given, "create_sample", FALSE) && !project_sample_fill(call, id)) {
        return FALSE;
    }
    if (body_bool(call->given, "no_owner", FALSE)) {
        (void)row_run(call->conn, "DELETE FROM membership WHERE project_id = ?1", "i", id);
    }
    return call_answer_one(call, &kind_project, id);
}

/* ---- update ---- */

gboolean
write_project_update(Call *call)
{
    if (body_has(call->given, "account_id") &&
        body_int(call->given, "account_id", 0) !=
            number_setting(call, call->project_id, "account_id") &&
        !may_create_in(call, body_int(call->given, "account_id", 0))) {
        return FALSE;
    }
    change_touch(call, &kind_project, call->project_id);
    if (!apply_settings(call, call->project_id, FALSE)) {
        return FALSE;
    }
    render_clear(&call->render); /* plans that were made with the old calendar */
    change_describe(call, "project_update_activity", "edited", "edited this project");
    return change_close(call) && call_answer_one(call, &kind_project, call->project_id);
}

/* ---- delete ---- */

/* By the id of the project; what hangs on a thing before the thing. */
static const char *const deletions[] = {
#define OF_STORIES(table)                                                                          \
    "DELETE FROM " table " WHERE story_id IN (SELECT id FROM story WHERE project_id = ?1)"
#define OF_COMMENTS(table)                                                                         \
    "DELETE FROM " table " WHERE comment_id IN (SELECT id FROM comment WHERE"                      \
    " story_id IN (SELECT id FROM story WHERE project_id = ?1)"                                    \
    " OR epic_id IN (SELECT id FROM epic WHERE project_id = ?1))"
#define OF_PROJECT(table) "DELETE FROM " table " WHERE project_id = ?1"
    OF_COMMENTS("file_attachment"),
    OF_COMMENTS("google_attachment"),
    OF_PROJECT("file_attachment"),
    OF_STORIES("comment"),
    "DELETE FROM comment WHERE epic_id IN (SELECT id FROM epic WHERE project_id = ?1)",
    OF_STORIES("story_owner"),
    OF_STORIES("story_follower"),
    OF_STORIES("story_label"),
    OF_STORIES("task"),
    OF_STORIES("blocker"),
    OF_STORIES("review"),
    OF_STORIES("pull_request"),
    OF_STORIES("branch"),
    OF_PROJECT("story_transition"),
    "DELETE FROM epic_follower WHERE epic_id IN (SELECT id FROM epic WHERE project_id = ?1)",
    "DELETE FROM activity_story WHERE activity_id IN"
    " (SELECT id FROM activity WHERE project_id = ?1)",
    "DELETE FROM activity_epic WHERE activity_id IN"
    " (SELECT id FROM activity WHERE project_id = ?1)",
    "DELETE FROM webhook_delivery WHERE webhook_id IN"
    " (SELECT id FROM webhook WHERE project_id = ?1)",
    OF_PROJECT("activity"),
    OF_PROJECT("story"),
    OF_PROJECT("epic"),
    OF_PROJECT("label"),
    OF_PROJECT("review_type"),
    OF_PROJECT("iteration_override"),
    OF_PROJECT("membership"),
    OF_PROJECT("webhook"),
    OF_PROJECT("integration"),
    OF_PROJECT("saved_search"),
    OF_PROJECT("notification"),
    OF_PROJECT("workspace_project"),
    "DELETE FROM project WHERE id = ?1",
};

gboolean
write_project_delete(Call *call)
{
    for (gsize i = 0; i < G_N_ELEMENTS(deletions); i++) {
        (void)row_run(call->conn, deletions[i], "i", call->project_id);
    }
    (void)row_run(call->conn, "INSERT INTO deleted_project(id) VALUES(?1)", "i", call->project_id);
    call->project_version = -1;
    return write_answer_nothing(call);
}

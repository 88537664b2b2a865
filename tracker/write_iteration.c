/* Overrides of iterations: another length or strength than the project's. A row of the table says
 * only what differs from the default; none is left when nothing does. */
#include <string.h>

#include "tracker/changes.h"
#include "tracker/computed.h"
#include "tracker/iteration_override.h"
#include "tracker/json_writer.h"
#include "tracker/routes.h"
#include "tracker/rows.h"

#define MAX_LENGTH_WEEKS 99

/* What is in force for an iteration, and what was said about it. */
typedef struct Override {
    gint64 length;
    double team_strength;
    gboolean length_is_given;
    gint64 finish_ms; /* 0: the plan does not reach that far */
} Override;

static void
read_override(Call *call, gint64 number, Override *ret_override)
{
    const Plan *plan = computed_plan(&call->render, call->project_id);
    const PlanIteration *iteration = plan ? plan_iteration(plan, number) : NULL;
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT COALESCE(o.length, p.iteration_length, 1), COALESCE(o.team_strength,"
                    " 1.0), o.length IS NOT NULL FROM project p LEFT JOIN iteration_override o"
                    " ON o.project_id = p.id AND o.number = ?2 WHERE p.id = ?1");

    db_bind_int(stmt, 1, call->project_id);
    db_bind_int(stmt, 2, number);
    *ret_override = (Override){.length = 1, .team_strength = 1};
    if (db_next(stmt)) {
        ret_override->length = db_int(stmt, 0);
        ret_override->team_strength = db_double(stmt, 1);
        ret_override->length_is_given = db_int(stmt, 2) != 0;
    }
    ret_override->finish_ms = iteration ? iteration->finish_ms : 0;
}

/* 1 and not 1.0, as V5 writes it. */
static json_t *
strength_json(double strength)
{
    return strength == (double)(json_int_t)strength ? json_integer((json_int_t)strength)
                                                    : json_real(strength);
}

json_t *
iteration_override_snapshot(Call *call, gint64 number)
{
    json_t *values = json_object();
    Override override;

    read_override(call, number, &override);
    (void)json_object_set_new(values, "length",
                              override.length_is_given ? json_integer(override.length)
                                                       : json_string("default"));
    (void)json_object_set_new(values, "team_strength", strength_json(override.team_strength));
    if (override.finish_ms) {
        g_autoptr(GString) text = g_string_new(NULL);

        json_time(text, override.finish_ms, FALSE);
        (void)json_object_set_new(values, "finish",
                                  json_loadb(text->str, text->len, JSON_DECODE_ANY, NULL));
    }
    return values;
}

/* ---- the request ---- */

static gboolean
check(Call *call)
{
    const Plan *plan = computed_plan(&call->render, call->project_id);
    gint64 length = body_int(call->given, "length", 1);

    if (call->id > PLAN_MAX_ITERATIONS) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    /* None of these texts is known (unsure). */
    if (length < 1 || length > MAX_LENGTH_WEEKS) {
        return call_fail_field(call, "length", "length can only be between 1 and 99.");
    }
    if (body_number(call->given, "team_strength", 1) < 0) {
        return call_fail_field(call, "team_strength", "team_strength can't be negative.");
    }
    if (body_has(call->given, "length") && !body_is_null(call->given, "length") &&
        call->id > plan->iterations[plan->current].number) {
        return call_fail_field(
            call, "length", "Only done and current iterations may have their length overridden.");
    }
    return TRUE;
}

static void
save(Call *call)
{
    (void)row_run(call->conn,
                  "INSERT OR IGNORE INTO iteration_override(project_id, number) VALUES(?1, ?2)",
                  "ii", call->project_id, call->id);
    if (body_has(call->given, "length")) {
        (void)row_run(call->conn,
                      "UPDATE iteration_override SET length = ?3 WHERE project_id = ?1"
                      " AND number = ?2",
                      "iiI", call->project_id, call->id, body_int(call->given, "length", 0));
    }
    if (body_has(call->given, "team_strength")) {
        (void)row_run(call->conn,
                      "UPDATE iteration_override SET team_strength = NULLIF(?3, 1.0)"
                      " WHERE project_id = ?1 AND number = ?2",
                      "iid", call->project_id, call->id,
                      body_number(call->given, "team_strength", 1));
    }
    (void)row_run(call->conn,
                  "DELETE FROM iteration_override WHERE project_id = ?1 AND number = ?2"
                  " AND length IS NULL AND team_strength IS NULL",
                  "ii", call->project_id, call->id);
}

static gboolean
answer(Call *call)
{
    g_autoptr(Selection) selection = call_fields(call, &kind_iteration_override);
    GString *out = call->body;
    Override override;

    if (!selection) {
        return FALSE;
    }
    read_override(call, call->id, &override);
    g_string_append_c(out, '{');
    for (guint i = 0; i < selection->picked->len; i++) {
        const char *name = g_array_index(selection->picked, Picked, i).field->name;

        json_key(out, name);
        if (strcmp(name, "number") == 0) {
            json_int(out, call->id);
        } else if (strcmp(name, "project_id") == 0) {
            json_int(out, call->project_id);
        } else if (strcmp(name, "length") == 0) {
            json_int(out, override.length);
        } else if (strcmp(name, "team_strength") == 0) {
            json_number(out, override.team_strength);
        } else {
            json_text(out, selection->kind->name, strlen(selection->kind->name));
        }
    }
    g_string_append_c(out, '}');
    return TRUE;
}

gboolean
write_iteration_override(Call *call)
{
    if (!check(call)) {
        return FALSE;
    }
    change_touch(call, &kind_iteration_override, call->id);
    save(call);
    render_clear(&call->render); /* the plan is another one now */
    change_subject(call, &kind_project, call->project_id);
    change_describe(call, "iteration_update_activity", "edited",
                    "edited iteration %" G_GINT64_FORMAT, call->id);
    return change_close(call) && answer(call);
}

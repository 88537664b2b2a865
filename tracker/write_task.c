/* Tasks of a story. Their positions are 1 to n without a gap: who moves in between moves the others
 * aside, which changes those, but not when they were last changed. */
#include "tracker/parts.h"
#include "tracker/routes.h"

#include <string.h>

#include "tracker/ids.h"
#include "tracker/rows.h"

static const Param create_params[] = {
    {"description", PARAM_STRING, PARAM_REQUIRED | PARAM_NULL, 1000, NULL},
    {"complete", PARAM_BOOL, 0, 0, NULL},
    {"position", PARAM_INT, 0, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable task_create_table = PARAM_TABLE(create_params, FALSE, NULL);

static const Param update_params[] = {
    {"description", PARAM_STRING, PARAM_NULL, 1000, NULL},
    {"complete", PARAM_BOOL, 0, 0, NULL},
    {"position", PARAM_INT, 0, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable task_update_table = PARAM_TABLE(update_params, TRUE, NULL);

static GArray *
task_ids(Call *call, gint64 story_id)
{
    DbStmt *stmt =
        db_prepare(call->conn, "SELECT id FROM task WHERE story_id = ?1 ORDER BY position, id");

    db_bind_int(stmt, 1, story_id);
    return render_ids(stmt);
}

/* Gives the tasks the positions 1 to n in this order. */
static void
number(Call *call, const GArray *ids)
{
    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);

        if (row_int(call->conn, "SELECT position FROM task WHERE id = ?1", "i", id) !=
            (gint64)i + 1) {
            change_touch_quietly(call, &kind_task, id);
            (void)row_run(call->conn, "UPDATE task SET position = ?2 WHERE id = ?1", "ii", id,
                          (gint64)i + 1);
        }
    }
}

/* A position behind the last one is the last one. */
static void
move_to(Call *call, gint64 story_id, gint64 task_id, gint64 position)
{
    g_autoptr(GArray) ids = task_ids(call, story_id);
    int present = ids_find(ids, task_id);

    if (present >= 0) {
        g_array_remove_index(ids, (guint)present);
    }
    g_array_insert_val(ids, (guint)MIN(position - 1, (gint64)ids->len), task_id);
    number(call, ids);
}

/* The texts of these two are in the catalogue's manner (unsure). */
static gboolean
check(Call *call, const json_t *given)
{
    const char *description = body_text(given, "description");

    if (body_has(given, "description") && (!description || *description == '\0')) {
        return call_fail_field(call, "description", "Description can't be blank");
    }
    if (body_int(given, "position", 1) < 1) {
        return call_fail_field(call, "position", "'position' must be 1 or greater");
    }
    return TRUE;
}

gint64
task_insert(Call *call, gint64 story_id, const json_t *given)
{
    gint64 count, id;

    if (!check(call, given)) {
        return 0;
    }
    count = row_int(call->conn, "SELECT count(*) FROM task WHERE story_id = ?1", "i", story_id);
    (void)row_run(call->conn,
                  "INSERT INTO task(story_id, description, complete, position, created_at,"
                  " updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
                  "itbii", story_id, body_text(given, "description"),
                  body_bool(given, "complete", FALSE), count + 1, change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_task, id);
    move_to(call, story_id, id, body_int(given, "position", count + 1));
    return id;
}

gboolean
write_task_create(Call *call)
{
    gint64 id = task_insert(call, call->story_id, call->given);

    if (!id) {
        return FALSE;
    }
    change_subject(call, &kind_story, call->story_id);
    change_describe(call, "task_create_activity", "added task:", "added task: \"%s\"",
                    body_text(call->given, "description"));
    return change_close(call) && call_answer_one(call, &kind_task, id);
}

typedef struct Task {
    char *description; /* owned */
    gboolean complete;
} Task;

static gboolean
load(Call *call, Task *ret_task)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(call->conn, "SELECT COALESCE(description, ''), COALESCE(complete, 0) FROM task"
                               " WHERE id = ?1 AND story_id = ?2");

    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->story_id);
    if (!db_next(stmt)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    *ret_task = (Task){g_strdup(db_text(stmt, 0)), db_int(stmt, 1) != 0};
    return TRUE;
}

static void
describe_update(Call *call, const Task *before)
{
    const char *description = body_text(call->given, "description");
    gboolean complete = body_bool(call->given, "complete", before->complete);
    const char *verb = "moved task:"; /* and "uncompleted": (unsure) */

    if (description && strcmp(description, before->description) != 0) {
        verb = "rewrote task:";
    } else if (complete != before->complete) {
        verb = complete ? "completed task:" : "uncompleted task:";
    }
    change_describe(call, "task_update_activity", verb, "%s \"%s\"", verb,
                    description ? description : before->description);
}

gboolean
write_task_update(Call *call)
{
    const json_t *given = call->given;
    g_autofree char *held = NULL;
    Task before;

    if (!load(call, &before)) {
        return FALSE;
    }
    held = before.description;
    if (!check(call, given)) {
        return FALSE;
    }
    change_touch(call, &kind_task, call->id);
    (void)row_run(call->conn, "UPDATE task SET description = ?2, complete = ?3 WHERE id = ?1",
                  "itb", call->id,
                  body_has(given, "description") ? body_text(given, "description")
                                                 : before.description,
                  body_bool(given, "complete", before.complete));
    if (body_has(given, "position")) {
        move_to(call, call->story_id, call->id, body_int(given, "position", 1));
    }
    change_subject(call, &kind_story, call->story_id);
    describe_update(call, &before);
    return change_close(call) && call_answer_one(call, &kind_task, call->id);
}

gboolean
write_task_delete(Call *call)
{
    g_autoptr(GArray) left = NULL;
    g_autofree char *held = NULL;
    Task task;

    if (!load(call, &task)) {
        return FALSE;
    }
    held = task.description;
    change_deleted(call, &kind_task, call->id);
    (void)row_run(call->conn, "DELETE FROM task WHERE id = ?1", "i", call->id);
    left = task_ids(call, call->story_id);
    number(call, left);
    change_subject(call, &kind_story, call->story_id);
    change_describe(call, "task_delete_activity", "deleted a task", "deleted a task on this story");
    call->no_content = TRUE;
    return change_close(call);
}

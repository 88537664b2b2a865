/* Labels by themselves: made, renamed, deleted. Renaming onto a name that is there joins the two:
 * the stories of both have the one that was there (label_merge_activity).
 *
 * Stories and epics show the names of their labels, so each of them is part of what a new name
 * changes: whoever follows the activities would keep the old name otherwise. */
#include "tracker/changes.h"
#include "tracker/labels.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

static char *
label_name(Call *call, gint64 id)
{
    g_autoptr(DbStmt) stmt = db_prepare(call->conn, "SELECT name FROM label WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    return g_strdup(db_next(stmt) ? db_text(stmt, 0) : "");
}

/* The label of the path, with the words that its absence has here. */
static gboolean
find_label(Call *call, const char *problem)
{
    if (row_int(call->conn, "SELECT 1 FROM label WHERE id = ?1 AND project_id = ?2", "ii", call->id,
                call->project_id)) {
        return TRUE;
    }
    (void)call_fail_text(call, problem);
    call->problem.possible_fix =
        g_strdup("The label could have already been moved or deleted, or is in another project.");
    return FALSE;
}

static char *
given_name(Call *call)
{
    const char *name = body_text(call->given, "name");

    if (!name || write_is_blank(name)) {
        (void)call_fail_field(call, "name", "Name can't be blank");
        return NULL;
    }
    return label_clean_name(call, name);
}

gboolean
write_label_create(Call *call)
{
    g_autofree char *name = given_name(call);
    gint64 id;

    if (!name) {
        return FALSE;
    }
    if (label_find(call, call->project_id, name)) {
        /* The real text is unknown (unsure). */
        return call_fail_field(call, "name", "Name has already been taken");
    }
    (void)row_run(call->conn,
                  "INSERT INTO label(project_id, name, created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?3)",
                  "iti", call->project_id, name, change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_label, id);
    change_describe(call, "label_create_activity", "created", "created labels: \"%s\"", name);
    return change_close(call) && call_answer_one(call, &kind_label, id);
}

/* ---- what a label hangs on ---- */

static gint64
epic_of(Call *call, gint64 label_id)
{
    return row_int(call->conn, "SELECT id FROM epic WHERE label_id = ?1", "i", label_id);
}

/* Announces every story that has the label. */
static void
touch_stories(Call *call, gint64 label_id)
{
    DbStmt *stmt =
        db_prepare(call->conn, "SELECT s.id FROM story_label x JOIN story s ON s.id = x.story_id"
                               " WHERE x.label_id = ?1 ORDER BY s.position");
    g_autoptr(GArray) ids = NULL;

    db_bind_int(stmt, 1, label_id);
    ids = render_ids(stmt);
    for (guint i = 0; i < ids->len; i++) {
        change_touch(call, &kind_story, g_array_index(ids, gint64, i));
    }
}

static void
remove_label(Call *call, gint64 id)
{
    (void)row_run(call->conn, "DELETE FROM story_label WHERE label_id = ?1", "i", id);
    (void)row_run(call->conn, "DELETE FROM label WHERE id = ?1", "i", id);
}

/* ---- rename ---- */

static gboolean
merge(Call *call, gint64 into, const char *name)
{
    gint64 epic = epic_of(call, call->id);
    g_autofree char *old_name = label_name(call, call->id);

    if (epic && epic_of(call, into)) {
        g_autofree char *problem =
            g_strdup_printf("The label '%s' is already used by another epic.", name);

        return call_fail_field(call, "name", problem);
    }
    touch_stories(call, call->id);
    if (epic) {
        change_touch(call, &kind_epic, epic);
        (void)row_run(call->conn, "UPDATE epic SET label_id = ?2 WHERE id = ?1", "ii", epic, into);
    }
    change_deleted(call, &kind_label, call->id);
    (void)row_run(call->conn,
                  "INSERT OR IGNORE INTO story_label(story_id, label_id)"
                  " SELECT story_id, ?2 FROM story_label WHERE label_id = ?1",
                  "ii", call->id, into);
    remove_label(call, call->id);
    change_subject(call, &kind_label, call->id);
    change_describe(call, "label_merge_activity", "merged", "merged label: \"%s\" into \"%s\"",
                    old_name, name);
    return change_close(call) && call_answer_one(call, &kind_label, into);
}

gboolean
write_label_update(Call *call)
{
    g_autofree char *name = NULL, *old_name = NULL;
    gint64 other;

    if (!find_label(call, "No label found to update.")) {
        return FALSE;
    }
    name = given_name(call);
    if (!name) {
        return FALSE;
    }
    other = label_find(call, call->project_id, name);
    if (other && other != call->id) {
        return merge(call, other, name);
    }
    old_name = label_name(call, call->id);
    change_touch(call, &kind_label, call->id);
    touch_stories(call, call->id);
    if (epic_of(call, call->id)) {
        change_touch(call, &kind_epic, epic_of(call, call->id));
    }
    (void)row_run(call->conn, "UPDATE label SET name = ?2 WHERE id = ?1", "it", call->id, name);
    change_describe(call, "label_update_activity", "renamed", "renamed label: \"%s\" to \"%s\"",
                    old_name, name);
    return change_close(call) && call_answer_one(call, &kind_label, call->id);
}

/* ---- delete ---- */

gboolean
write_label_delete(Call *call)
{
    g_autofree char *name = NULL;

    if (!find_label(call, "No label found to delete.")) {
        return FALSE;
    }
    name = label_name(call, call->id);
    if (epic_of(call, call->id)) {
        /* An epic is nothing without its label; the real text is unknown (unsure). */
        g_autofree char *problem =
            g_strdup_printf("The label '%s' is used by an epic and cannot be deleted.", name);

        return call_fail_text(call, problem);
    }
    touch_stories(call, call->id);
    change_deleted(call, &kind_label, call->id);
    remove_label(call, call->id);
    change_subject(call, &kind_label, call->id);
    change_describe(call, "label_delete_activity", "deleted", "deleted label: \"%s\"", name);
    return change_close(call) && write_answer_nothing(call);
}

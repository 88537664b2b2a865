/* Epics: made with a label of their own, edited, moved among each other, deleted (the label stays).
 * A label that has no name yet is made first, in a version of its own, as for stories. */
#include <string.h>

#include "tracker/changes.h"
#include "tracker/labels.h"
#include "tracker/parts.h"
#include "tracker/positions.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

/* ---- label ---- */

static gboolean
label_is_free(Call *call, gint64 label_id, gint64 epic_id)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(call->conn, "SELECT l.name FROM label l JOIN epic e ON e.label_id = l.id"
                               " WHERE l.id = ?1 AND e.id <> ?2");
    g_autofree char *problem = NULL;

    db_bind_int(stmt, 1, label_id);
    db_bind_int(stmt, 2, epic_id);
    if (!db_next(stmt)) {
        return TRUE;
    }
    problem = g_strdup_printf("The label '%s' is already used by another epic.", db_text(stmt, 0));
    return call_fail_field(call, "label", problem);
}

/* The label of `labels_of_...()`, whose array this takes. */
static gboolean
take_label(Call *call, GArray *ids, gint64 epic_id, gint64 *ret_id)
{
    g_autoptr(GArray) owned = ids;

    if (!owned || owned->len != 1) {
        return owned ? call_fail_text(call, "Can't use content of 'label' parameter.") : FALSE;
    }
    *ret_id = g_array_index(owned, gint64, 0);
    return label_is_free(call, *ret_id, epic_id);
}

/* Makes it if need be: announce nothing before. */
static gboolean
label_by_name(Call *call, const char *name, gint64 epic_id, gint64 *ret_id)
{
    g_autofree char *clean = label_clean_name(call, name);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    gint64 known;

    if (!clean) {
        return FALSE;
    }
    known = label_find(call, call->project_id, clean);
    if (known) {
        *ret_id = known;
        return label_is_free(call, known, epic_id);
    }
    g_ptr_array_add(names, clean);
    return take_label(call, labels_of_names(call, call->project_id, names), epic_id, ret_id);
}

/* The label that the request names; *ret_id stays when it names none. */
static gboolean
given_label(Call *call, gint64 epic_id, gint64 *ret_id)
{
    json_t *label = json_object_get(call->given, "label");

    if (label && body_has(call->given, "label_id")) {
        return call_fail_text(call, "Do not send label_id with label in the same request.");
    }
    if (body_has(call->given, "label_id")) {
        json_t *list = json_pack("[O]", json_object_get(call->given, "label_id"));
        GArray *ids = labels_of_ids(call, call->project_id, list);

        json_decref(list);
        return take_label(call, ids, epic_id, ret_id);
    }
    if (!label) {
        return TRUE;
    }
    if (json_is_string(label)) {
        return label_by_name(call, json_string_value(label), epic_id, ret_id);
    }
    if (json_is_object(label) && json_object_get(label, "id")) {
        json_t *list = json_pack("[O]", label);
        GArray *ids = labels_of_list(call, call->project_id, list);

        json_decref(list);
        return take_label(call, ids, epic_id, ret_id);
    }
    if (!json_is_string(json_object_get(label, "name"))) {
        return call_fail_text(call, "Can't use content of 'label' parameter.");
    }
    return label_by_name(call, json_string_value(json_object_get(label, "name")), epic_id, ret_id);
}

/* Without a label of the request: the epic's name in lower case, as far as it can be one. */
static gboolean
label_of_name(Call *call, const char *name, gint64 *ret_id)
{
    g_autofree char *valid = g_strdelimit(g_strdup(name), ",", ' ');
    g_autofree char *cut =
        g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), (glong)LABEL_MAX_CHARS));

    return label_by_name(call, cut, 0, ret_id);
}

/* ---- place ---- */

static gboolean
is_epic_here(Call *call, gint64 id)
{
    return row_int(call->conn, "SELECT 1 FROM epic WHERE id = ?1 AND project_id = ?2", "ii", id,
                   call->project_id) != 0;
}

/* Where the request puts an epic: *ret_position stays when it says nothing. */
static gboolean
given_place(Call *call, gint64 epic_id, gint64 *ret_position)
{
    gint64 before = body_int(call->given, "before_id", 0);
    gint64 after = body_int(call->given, "after_id", 0);
    gboolean good = TRUE;

    if (!body_has(call->given, "before_id") && !body_has(call->given, "after_id")) {
        return TRUE;
    }
    good = (!before || (before != epic_id && is_epic_here(call, before))) &&
           (!after || (after != epic_id && is_epic_here(call, after)));
    if (good && before) {
        gint64 above = position_above(call->conn, POSITION_EPIC, before, epic_id);

        good = !body_has(call->given, "after_id") || above == after;
        after = above;
    } else if (good && after) {
        before = position_below(call->conn, POSITION_EPIC, after, epic_id);
        good = !body_has(call->given, "before_id") || before == 0;
    } else if (good && body_has(call->given, "before_id")) {
        /* null: nothing comes after it */
        after = row_int(call->conn,
                        "SELECT id FROM epic WHERE project_id = ?1 AND id <> ?2"
                        " ORDER BY position DESC LIMIT 1",
                        "ii", call->project_id, epic_id);
        good = !body_has(call->given, "after_id") || after == 0;
    } else if (good) {
        before = row_int(call->conn,
                         "SELECT id FROM epic WHERE project_id = ?1 AND id <> ?2"
                         " ORDER BY position LIMIT 1",
                         "ii", call->project_id, epic_id);
    }
    if (!good) {
        return call_fail_text(call, "This epic can no longer be moved to that position");
    }
    if (epic_id && position_above(call->conn, POSITION_EPIC, epic_id, 0) == after &&
        position_below(call->conn, POSITION_EPIC, epic_id, 0) == before) {
        return TRUE; /* there already */
    }
    *ret_position = position_between(call->conn, POSITION_EPIC, call->project_id, after, before,
                                     POSITION_MIDDLE);
    return TRUE;
}

/* ---- followers ---- */

static gboolean
set_followers(Call *call, gint64 epic_id)
{
    g_autoptr(GArray) ids = body_ids(call->given, "follower_ids");

    if (!body_has(call->given, "follower_ids")) {
        return TRUE;
    }
    (void)row_run(call->conn, "DELETE FROM epic_follower WHERE epic_id = ?1", "i", epic_id);
    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);

        if (call_role_of(call, call->project_id, id) == ROLE_NONE) {
            g_autofree char *problem =
                g_strdup_printf("Couldn't find Person with 'id'=%" G_GINT64_FORMAT, id);

            return call_fail_text(call, problem);
        }
        (void)row_run(call->conn, "INSERT INTO epic_follower(epic_id, person_id) VALUES(?1, ?2)",
                      "ii", epic_id, id);
    }
    return TRUE;
}

/* A viewer may follow, and nothing else: of the followers only the caller may come or go. */
static gboolean
check_viewer(Call *call)
{
    g_autoptr(GArray) ids = body_ids(call->given, "follower_ids");
    guint others = 0, kept = 0;

    if (call->role >= ROLE_MEMBER) {
        return TRUE;
    }
    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);

        if (id != call->person_id) {
            others++;
            kept += row_int(call->conn,
                            "SELECT 1 FROM epic_follower WHERE epic_id = ?1 AND person_id = ?2",
                            "ii", call->epic_id, id) != 0;
        }
    }
    return json_object_size(call->given) == 1 && body_has(call->given, "follower_ids") &&
                   others == kept &&
                   kept == row_int(call->conn,
                                   "SELECT count(*) FROM epic_follower WHERE epic_id = ?1"
                                   " AND person_id <> ?2",
                                   "ii", call->epic_id, call->person_id)
               ? TRUE
               : call_fail(call, PROBLEM_UNAUTHORIZED);
}

/* ---- create, update, delete ---- */

static gboolean
check_name(Call *call)
{
    const char *name = body_text(call->given, "name");

    /* The sentence is about the label that would have that name. */
    return body_has(call->given, "name") && (!name || write_is_blank(name))
               ? call_fail_field(call, "name", "Please enter a name for the label.")
               : TRUE;
}

static gboolean
insert_comments(Call *call, gint64 epic_id)
{
    json_t *comment;
    gsize i;

    json_array_foreach(json_object_get(call->given, "comments"), i, comment)
    {
        if (!body_check(call, comment, &comment_create_table, "comments") ||
            !comment_insert(call, &kind_epic, epic_id, comment)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
write_epic_create(Call *call)
{
    const char *name = body_text(call->given, "name");
    gint64 label_id = 0, id, position = 0;

    if (!check_name(call) || !given_label(call, 0, &label_id) ||
        (!label_id && !label_of_name(call, name, &label_id)) || !given_place(call, 0, &position)) {
        return FALSE;
    }
    if (position == 0) { /* a new epic is the first, as recorded */
        gint64 top = row_int(call->conn,
                             "SELECT id FROM epic WHERE project_id = ?1 ORDER BY position LIMIT 1",
                             "i", call->project_id);

        position = position_between(call->conn, POSITION_EPIC, call->project_id, 0, top,
                                    POSITION_NEAR_BELOW);
    }
    (void)row_run(call->conn,
                  "INSERT INTO epic(project_id, position, name, label_id, description, created_at,"
                  " updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                  "iititi", call->project_id, position, name, label_id,
                  body_text(call->given, "description"), change_now(call));
    id = db_last_id(call->conn);
    if (!set_followers(call, id)) {
        return FALSE;
    }
    change_created(call, &kind_epic, id);
    if (!insert_comments(call, id)) {
        return FALSE;
    }
    change_describe(call, "epic_create_activity", "added", "added this epic");
    return change_close(call) && call_answer_one(call, &kind_epic, id);
}

static char *
epic_name(Call *call, gint64 id)
{
    g_autoptr(DbStmt) stmt = db_prepare(call->conn, "SELECT name FROM epic WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    return g_strdup(db_next(stmt) ? db_text(stmt, 0) : "");
}

static void
describe_move(Call *call)
{
    gint64 above = position_above(call->conn, POSITION_EPIC, call->epic_id, 0);
    gint64 below = position_below(call->conn, POSITION_EPIC, call->epic_id, 0);
    gboolean after = above && (!below || body_has(call->given, "after_id"));
    g_autofree char *name = epic_name(call, after ? above : below);

    change_describe(call, "epic_move_activity", "moved", "moved this epic %s '%s'",
                    after ? "after" : "before", name);
}

/* Says the request anything besides a place? */
static gboolean
only_moves(const json_t *given)
{
    return json_object_size(given) ==
           (gsize)(body_has(given, "before_id") + body_has(given, "after_id"));
}

gboolean
write_epic_update(Call *call)
{
    gint64 label_id = 0, position = 0;

    if (!check_viewer(call) || !check_name(call) || !given_label(call, call->epic_id, &label_id)) {
        return FALSE;
    }
    change_touch(call, &kind_epic, call->epic_id);
    if (!given_place(call, call->epic_id, &position) || !set_followers(call, call->epic_id)) {
        return FALSE;
    }
    (void)row_run(call->conn,
                  "UPDATE epic SET name = COALESCE(?2, name), label_id = COALESCE(?3, label_id),"
                  " position = COALESCE(?4, position) WHERE id = ?1",
                  "itII", call->epic_id, body_text(call->given, "name"), label_id, position);
    if (body_has(call->given, "description")) {
        (void)row_run(call->conn, "UPDATE epic SET description = ?2 WHERE id = ?1", "it",
                      call->epic_id, body_text(call->given, "description"));
    }
    if (only_moves(call->given)) {
        describe_move(call);
    } else {
        change_describe(call, "epic_update_activity", "edited", "edited this epic");
    }
    return change_close(call) && call_answer_one(call, &kind_epic, call->epic_id);
}

gboolean
write_epic_delete(Call *call)
{
    static const char *const deletions[] = {
        "DELETE FROM file_attachment WHERE comment_id IN"
        " (SELECT id FROM comment WHERE epic_id = ?1)",
        "DELETE FROM google_attachment WHERE comment_id IN"
        " (SELECT id FROM comment WHERE epic_id = ?1)",
        "DELETE FROM comment WHERE epic_id = ?1",
        "DELETE FROM epic_follower WHERE epic_id = ?1",
        "DELETE FROM epic WHERE id = ?1",
    };

    change_deleted(call, &kind_epic, call->epic_id);
    for (gsize i = 0; i < G_N_ELEMENTS(deletions); i++) {
        (void)row_run(call->conn, deletions[i], "i", call->epic_id);
    }
    change_describe(call, "epic_delete_activity", "deleted", "deleted this epic");
    return change_close(call) && write_answer_nothing(call);
}

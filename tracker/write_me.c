/* What a person changes of their own: profile, workspaces, notifications. None of it belongs to a
 * project, so none of it raises a version. */
#include "tracker/changes.h"
#include "tracker/people.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

#include <string.h>

/* ---- /me; which attributes it takes is (unsure): these are the ones that a profile page has ----
 */

static gboolean
is_taken(Call *call, const char *sql, const char *text)
{
    return row_int(call->conn, sql, "ti", text, call->person_id) != 0;
}

static gboolean
check_me(Call *call)
{
    const char *name = body_text(call->given, "name");
    const char *username = body_text(call->given, "username");
    const char *email = body_text(call->given, "email");
    const char *initials = body_text(call->given, "initials");

    if (name && write_is_blank(name)) {
        return call_fail_field(call, "name", "Name can't be blank");
    }
    if (initials && write_is_blank(initials)) {
        return call_fail_field(call, "initials", "Initials can't be blank");
    }
    if (username && !people_username_is_valid(username)) {
        return call_fail_field(call, "username",
                               "Username may only have letters, digits, dots, dashes and "
                               "underscores");
    }
    if (username &&
        is_taken(call, "SELECT count(*) FROM person WHERE username = ?1 AND id <> ?2", username)) {
        return call_fail_field(call, "username", "Username has already been taken");
    }
    if (email && !people_email_is_valid(email)) {
        return write_fail_email(call, email);
    }
    if (email && is_taken(call,
                          "SELECT count(*) FROM person WHERE email = ?1 COLLATE NOCASE"
                          " AND id <> ?2",
                          email)) {
        return call_fail_field(call, "email", "Email has already been taken");
    }
    return TRUE;
}

gboolean
write_me(Call *call)
{
    char *zone = NULL;

    if (!check_me(call) || !write_time_zone(call, call->given, &zone)) {
        return FALSE;
    }
    (void)row_run(call->conn,
                  "UPDATE person SET name = COALESCE(?2, name), initials = COALESCE(?3, initials),"
                  " username = COALESCE(?4, username), email = COALESCE(?5, email),"
                  " time_zone = COALESCE(?6, time_zone), updated_at = ?7 WHERE id = ?1",
                  "ittttti", call->person_id, body_text(call->given, "name"),
                  body_text(call->given, "initials"), body_text(call->given, "username"),
                  body_text(call->given, "email"), zone, change_now(call));
    g_free(zone);
    if (body_has(call->given, "receives_in_app_notifications")) {
        (void)row_run(
            call->conn, "UPDATE person SET receives_in_app_notifications = ?2 WHERE id = ?1", "ib",
            call->person_id, body_bool(call->given, "receives_in_app_notifications", FALSE));
    }
    return call_answer_one(call, &kind_me, call->person_id);
}

/* ---- workspaces ---- */

/* Puts the given projects into it, in place of what was there. */
static gboolean
fill_workspace(Call *call, gint64 workspace_id)
{
    g_autoptr(GArray) ids = body_ids(call->given, "project_ids");

    (void)row_run(call->conn, "DELETE FROM workspace_project WHERE workspace_id = ?1", "i",
                  workspace_id);
    for (guint i = 0; i < ids->len; i++) {
        gint64 project_id = g_array_index(ids, gint64, i);

        if (call_role_of(call, project_id, call->person_id) == ROLE_NONE) {
            g_autofree char *problem =
                g_strdup_printf("You cannot add project id %" G_GINT64_FORMAT
                                " to your workspace, either you are not a member or the project "
                                "doesn't exist.",
                                project_id);

            return call_fail_text(call, problem);
        }
        (void)row_run(call->conn,
                      "INSERT INTO workspace_project(workspace_id, position, project_id)"
                      " VALUES(?1, ?2, ?3)",
                      "iii", workspace_id, (gint64)i, project_id);
    }
    return call_answer_one(call, &kind_workspace, workspace_id);
}

gboolean
write_workspace_create(Call *call)
{
    const char *name = body_text(call->given, "name");

    if (write_is_blank(name)) {
        return call_fail_field(call, "name", "Name can't be blank");
    }
    (void)row_run(call->conn, "INSERT INTO workspace(person_id, name) VALUES(?1, ?2)", "it",
                  call->person_id, name);
    return fill_workspace(call, db_last_id(call->conn));
}

static gboolean
is_my_workspace(Call *call)
{
    return row_int(call->conn, "SELECT 1 FROM workspace WHERE id = ?1 AND person_id = ?2", "ii",
                   call->id, call->person_id) != 0 ||
           call_fail(call, PROBLEM_UNFOUND);
}

gboolean
write_workspace_update(Call *call)
{
    return is_my_workspace(call) && fill_workspace(call, call->id);
}

gboolean
write_workspace_delete(Call *call)
{
    if (!is_my_workspace(call)) {
        return FALSE;
    }
    (void)row_run(call->conn, "DELETE FROM workspace_project WHERE workspace_id = ?1", "i",
                  call->id);
    (void)row_run(call->conn, "DELETE FROM workspace WHERE id = ?1", "i", call->id);
    return write_answer_nothing(call);
}

/* ---- notifications ---- */

gboolean
write_notification(Call *call)
{
    (void)row_run(call->conn,
                  "UPDATE notification SET read_at = ?3, updated_at = ?4 WHERE id = ?1"
                  " AND person_id = ?2",
                  "iiii", call->id, call->person_id, body_int(call->given, "read_at", 0),
                  change_now(call));
    return db_changes(call->conn) > 0 ? call_answer_one(call, &kind_notification, call->id)
                                      : call_fail(call, PROBLEM_UNFOUND);
}

/* Marks those up to an id, or those of a JSON list, and answers them: what V5 answered is (unsure).
 */
static gboolean
mark_read(Call *call, gint64 up_to, const char *list)
{
    DbStmt *stmt =
        db_prepare(call->conn, "SELECT id FROM notification WHERE person_id = ?1"
                               " AND read_at IS NULL AND (?2 IS NOT NULL OR id <= ?3)"
                               " AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))"
                               " ORDER BY created_at DESC, id DESC");
    g_autoptr(GArray) ids = NULL;

    db_bind_int(stmt, 1, call->person_id);
    db_bind_text(stmt, 2, list);
    db_bind_int(stmt, 3, up_to);
    ids = render_ids(stmt);
    for (guint i = 0; i < ids->len; i++) {
        (void)row_run(call->conn,
                      "UPDATE notification SET read_at = ?2, updated_at = ?2 WHERE id = ?1", "ii",
                      g_array_index(ids, gint64, i), change_now(call));
    }
    return call_answer_list(call, &kind_notification, ids);
}

gboolean
write_mark_read(Call *call)
{
    return mark_read(call, body_int(call->given, "before", 0), NULL);
}

/* Only the name of this one is known: its parameter is (unsure), too. */
gboolean
write_read_list(Call *call)
{
    char *list = json_dumps(json_object_get(call->given, "ids"), JSON_COMPACT);
    gboolean ok = mark_read(call, 0, list);

    free(list);
    return ok;
}

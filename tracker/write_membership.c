/* Members of a project: owners invite, change and remove them; everybody may change what is only
 * theirs (colour, favourite, when they last looked) and leave. A project keeps an owner. */
#include "tracker/write_membership.h"

#include <string.h>

#include "tracker/changes.h"
#include "tracker/people.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

/* One colour after the other, so that somebody's projects look different. */
static const char *
next_color(Call *call, gint64 person_id)
{
    static const char *const colors[] = {"8100ea", "74a4d7", "e46642", "00a3d6",
                                         "e2d94b", "26ae66", "c0327e", "555555"};
    gint64 n =
        row_int(call->conn, "SELECT count(*) FROM membership WHERE person_id = ?1", "i", person_id);

    return colors[(gsize)n % G_N_ELEMENTS(colors)];
}

gint64
membership_add(Call *call, gint64 project_id, gint64 person_id, const char *role, const char *color)
{
    gint64 now = change_now(call);
    gint64 id =
        row_int(call->conn, "SELECT id FROM membership WHERE project_id = ?1 AND person_id = ?2",
                "ii", project_id, person_id);

    if (id) { /* an inactive one */
        change_touch(call, &kind_membership, id);
        (void)row_run(call->conn, "UPDATE membership SET role = ?2 WHERE id = ?1", "it", id, role);
        return id;
    }
    (void)row_run(call->conn,
                  "INSERT INTO membership(project_id, person_id, role, project_color, favorite,"
                  " wants_comment_notification_emails,"
                  " will_receive_mention_notifications_or_emails, created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?4, 0, 1, 1, ?5, ?5)",
                  "iitti", project_id, person_id, role, color ? color : next_color(call, person_id),
                  now);
    return db_last_id(call->conn);
}

static gboolean
check_color(Call *call)
{
    const char *color = body_text(call->given, "project_color");

    return !color || (strlen(color) == 6 && strspn(color, "0123456789abcdefABCDEF") == 6)
               ? TRUE
               : call_fail_field(call, "project_color",
                                 "Project color must be six hexadecimal digits.");
}

gboolean
write_membership_create(Call *call)
{
    const char *role = body_text(call->given, "role");
    g_autofree char *name = NULL;
    gint64 person_id, id;
    gboolean is_known;

    if (!check_color(call) || !write_find_person(call, FALSE, &person_id)) {
        return FALSE;
    }
    name = people_name(call->conn, person_id);
    if (call_role_of(call, call->project_id, person_id) != ROLE_NONE) {
        g_autofree char *problem = g_strdup_printf("%s is already a project member", name);

        return call_fail_text(call, problem);
    }
    is_known =
        row_int(call->conn, "SELECT 1 FROM membership WHERE project_id = ?1 AND person_id = ?2",
                "ii", call->project_id, person_id) != 0;
    id = membership_add(call, call->project_id, person_id, role,
                        body_text(call->given, "project_color"));
    if (!is_known) {
        change_created(call, &kind_membership, id);
    }
    change_subject(call, &kind_project, call->project_id);
    change_describe(call, "project_membership_create_activity", "added", "added %s as %s %s", name,
                    strcmp(role, "owner") == 0 ? "an" : "a", role);
    return change_close(call) && call_answer_one(call, &kind_membership, id);
}

/* ---- update and delete ---- */

/* Whose membership the path names; 0 and a 404. */
static gint64
person_of_path(Call *call)
{
    gint64 person_id =
        row_int(call->conn, "SELECT person_id FROM membership WHERE id = ?1 AND project_id = ?2",
                "ii", call->id, call->project_id);

    if (!person_id) {
        (void)call_fail(call, PROBLEM_UNFOUND);
    }
    return person_id;
}

/* May the membership cease to be an owner's? The real text is unknown (unsure). */
static gboolean
leaves_an_owner(Call *call)
{
    return row_int(call->conn,
                   "SELECT 1 FROM membership WHERE project_id = ?1 AND id <> ?2 AND role = 'owner'",
                   "ii", call->project_id, call->id) ||
                   row_int(call->conn, "SELECT role <> 'owner' FROM membership WHERE id = ?1", "i",
                           call->id)
               ? TRUE
               : call_fail_text(call, "A project must have at least one owner.");
}

/* What only concerns the member makes no version. */
static void
set_personal(Call *call)
{
    if (body_has(call->given, "favorite")) {
        (void)row_run(call->conn, "UPDATE membership SET favorite = ?2 WHERE id = ?1", "ib",
                      call->id, body_bool(call->given, "favorite", FALSE));
    }
    if (body_has(call->given, "last_viewed_at")) {
        (void)row_run(call->conn, "UPDATE membership SET last_viewed_at = ?2 WHERE id = ?1", "ii",
                      call->id, body_int(call->given, "last_viewed_at", 0));
    }
}

gboolean
write_membership_update(Call *call)
{
    gint64 person_id = person_of_path(call);
    const char *role = body_text(call->given, "role");
    g_autofree char *name = NULL;

    if (!person_id || !check_color(call)) {
        return FALSE;
    }
    if (call->role < ROLE_OWNER && (person_id != call->person_id || role)) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    if (role && strcmp(role, "owner") != 0 && !leaves_an_owner(call)) {
        return FALSE;
    }
    name = people_name(call->conn, person_id);
    set_personal(call);
    change_touch(call, &kind_membership, call->id);
    (void)row_run(call->conn,
                  "UPDATE membership SET role = COALESCE(?2, role),"
                  " project_color = COALESCE(?3, project_color) WHERE id = ?1",
                  "itt", call->id, role, body_text(call->given, "project_color"));
    change_subject(call, &kind_project, call->project_id);
    if (role) {
        change_describe(call, "project_membership_update_activity", "changed",
                        "changed the role of %s to %s", name, role);
    } else {
        change_describe(call, "project_membership_update_activity", "edited",
                        "edited the membership of %s", name);
    }
    return change_close(call) && call_answer_one(call, &kind_membership, call->id);
}

gboolean
write_membership_delete(Call *call)
{
    gint64 person_id = person_of_path(call);
    g_autofree char *name = NULL;

    if (!person_id) {
        return FALSE;
    }
    if (call->role < ROLE_OWNER && person_id != call->person_id) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    if (!leaves_an_owner(call)) {
        return FALSE;
    }
    name = people_name(call->conn, person_id);
    change_deleted(call, &kind_membership, call->id);
    (void)row_run(call->conn, "DELETE FROM membership WHERE id = ?1", "i", call->id);
    change_subject(call, &kind_project, call->project_id);
    if (person_id == call->person_id) {
        change_describe(call, "project_membership_delete_activity", "left", "left this project");
    } else {
        change_describe(call, "project_membership_delete_activity", "removed",
                        "removed %s from this project", name);
    }
    return change_close(call) && write_answer_nothing(call);
}

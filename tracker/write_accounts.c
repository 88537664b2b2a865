/* Members of accounts. The account's owner and its admins change them; nobody takes the owner out.
 */
#include "tracker/changes.h"
#include "tracker/people.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

/* The account of the path: there, and the caller's to manage. */
static gboolean
manage_account(Call *call)
{
    if (!row_int(call->conn, "SELECT 1 FROM account WHERE id = ?1", "i", call->id)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    return row_int(call->conn,
                   "SELECT 1 FROM account_membership WHERE account_id = ?1 AND person_id = ?2"
                   " AND (owner = 1 OR admin = 1)",
                   "ii", call->id, call->person_id) != 0 ||
           call_fail(call, PROBLEM_UNAUTHORIZED);
}

static gint64
membership_of(Call *call, gint64 person_id)
{
    return row_int(call->conn,
                   "SELECT id FROM account_membership WHERE account_id = ?1 AND person_id = ?2",
                   "ii", call->id, person_id);
}

static void
set_flags(Call *call, gint64 membership_id)
{
    static const char *const flags[] = {"admin", "project_creator", "timekeeper", "time_enterer"};

    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
        const char *name = flags[i];
        g_autofree char *sql =
            g_strdup_printf("UPDATE account_membership SET %s = ?2 WHERE id = ?1", name);

        if (body_has(call->given, name)) {
            (void)row_run(call->conn, sql, "ib", membership_id,
                          body_bool(call->given, name, FALSE));
        }
    }
}

gboolean
write_account_member_create(Call *call)
{
    gint64 person_id, id, now = change_now(call);

    if (!manage_account(call) || !write_find_person(call, TRUE, &person_id)) {
        return FALSE;
    }
    if (membership_of(call, person_id)) {
        return call_fail_text(call, "Member already exists.");
    }
    (void)row_run(call->conn,
                  "INSERT INTO account_membership(account_id, person_id, created_at, updated_at,"
                  " owner, admin, project_creator, timekeeper, time_enterer)"
                  " VALUES(?1, ?2, ?3, ?4, 0, 0, 0, 0, 0)",
                  "iiii", call->id, person_id, body_int(call->given, "created_at", now), now);
    id = db_last_id(call->conn);
    set_flags(call, id);
    return call_answer_one(call, &kind_account_membership, id);
}

/* Of the person of the path; 0 and a 404 when there is none. */
static gint64
managed_membership(Call *call)
{
    gint64 id = manage_account(call) ? membership_of(call, call->path_person_id) : 0;

    if (!id && call->problem.code == PROBLEM_NONE) {
        (void)call_fail(call, PROBLEM_UNFOUND);
    }
    return id;
}

gboolean
write_account_member_update(Call *call)
{
    gint64 id = managed_membership(call);

    if (!id) {
        return FALSE;
    }
    set_flags(call, id);
    (void)row_run(call->conn, "UPDATE account_membership SET updated_at = ?2 WHERE id = ?1", "ii",
                  id, change_now(call));
    return call_answer_one(call, &kind_account_membership, id);
}

gboolean
write_account_member_delete(Call *call)
{
    gint64 id = managed_membership(call);

    if (!id) {
        return FALSE;
    }
    if (row_int(call->conn, "SELECT owner FROM account_membership WHERE id = ?1", "i", id)) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    (void)row_run(call->conn, "DELETE FROM account_membership WHERE id = ?1", "i", id);
    return write_answer_nothing(call);
}

/* The caller's own things: profile, accounts, workspaces, colleagues. */
#include "tracker/routes.h"

gboolean
read_me(Call *call)
{
    return call_answer_one(call, &kind_me, call->person_id);
}

gboolean
read_my_people(Call *call)
{
    gboolean there;
    gint64 project_id;
    DbStmt *stmt;

    if (!call_param_int(call, "project_id", &there, &project_id)) {
        return FALSE;
    }
    if (!there) {
        return call_fail_text(call, "this endpoint requires the parameter: project_id");
    }
    if (!call_enter_project(call, project_id)) {
        return FALSE;
    }
    call->project_version = -1;
    stmt = db_prepare(call->conn, "SELECT id FROM membership WHERE project_id = ?1"
                                  " AND role <> 'inactive' ORDER BY id");
    db_bind_int(stmt, 1, project_id);
    return call_answer_stmt(call, &kind_membership, stmt);
}

gboolean
read_my_workspaces(Call *call)
{
    DbStmt *stmt =
        db_prepare(call->conn, "SELECT id FROM workspace WHERE person_id = ?1 ORDER BY id");

    db_bind_int(stmt, 1, call->person_id);
    return call_answer_stmt(call, &kind_workspace, stmt);
}

/* With its projects the answer has a version, as recorded; of which of them is (unsure). */
gboolean
read_my_workspace(Call *call)
{
    g_autoptr(Selection) selection = call_fields(call, &kind_workspace_alone);

    if (!selection) {
        return FALSE;
    }
    if (selection_has(selection, "projects")) {
        g_autoptr(DbStmt) stmt = db_prepare(
            call->conn, "SELECT p.version FROM workspace_project w JOIN project p"
                        " ON p.id = w.project_id JOIN membership m ON m.project_id = p.id"
                        " AND m.person_id = ?2 AND m.role <> 'inactive' WHERE w.workspace_id = ?1"
                        " ORDER BY w.position DESC LIMIT 1");

        db_bind_int(stmt, 1, call->id);
        db_bind_int(stmt, 2, call->person_id);
        call->project_version = db_next(stmt) ? db_int(stmt, 0) : -1;
    }
    return call_answer_child(call, &kind_workspace_alone,
                             "SELECT 1 FROM workspace WHERE id = ?1 AND person_id = ?2",
                             call->person_id);
}

static DbStmt *
my_accounts(Call *call, const char *condition)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT account_id FROM account_membership WHERE person_id = ?1%s ORDER BY account_id",
        condition);
    DbStmt *stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, call->person_id);
    return stmt;
}

gboolean
read_accounts(Call *call)
{
    return call_answer_stmt(call, &kind_account, my_accounts(call, ""));
}

gboolean
read_account_summaries(Call *call)
{
    const char *permission, *condition = "";

    if (!call_param_enum(call, "with_permission", "none,project_creation,administration",
                         &permission)) {
        return FALSE;
    }
    if (g_strcmp0(permission, "administration") == 0) {
        condition = " AND (owner = 1 OR admin = 1)";
    } else if (g_strcmp0(permission, "project_creation") == 0) {
        condition = " AND (owner = 1 OR admin = 1 OR project_creator = 1)";
    }
    return call_answer_stmt(call, &kind_account_summary, my_accounts(call, condition));
}

/* The account of the path: there, and the caller in it. */
static gboolean
enter_account(Call *call)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT EXISTS(SELECT 1 FROM account_membership m WHERE m.account_id = a.id"
                    " AND m.person_id = ?2) FROM account a WHERE a.id = ?1");

    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->person_id);
    if (!db_next(stmt)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    return db_int(stmt, 0) != 0 || call_fail(call, PROBLEM_UNAUTHORIZED);
}

gboolean
read_account(Call *call)
{
    return enter_account(call) && call_answer_one(call, &kind_account, call->id);
}

gboolean
read_account_memberships(Call *call)
{
    DbStmt *stmt;

    if (!enter_account(call)) {
        return FALSE;
    }
    stmt = db_prepare(call->conn,
                      "SELECT id FROM account_membership WHERE account_id = ?1 ORDER BY id");
    db_bind_int(stmt, 1, call->id);
    return call_answer_stmt(call, &kind_account_membership, stmt);
}

/* Keyed by the person. */
gboolean
read_account_membership(Call *call)
{
    DbStmt *stmt;
    gint64 id;

    if (!enter_account(call)) {
        return FALSE;
    }
    stmt = db_prepare(call->conn, "SELECT id FROM account_membership WHERE account_id = ?1"
                                  " AND person_id = ?2");
    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->path_person_id);
    id = db_next(stmt) ? db_int(stmt, 0) : 0;
    db_done(stmt);
    return id ? call_answer_one(call, &kind_account_membership, id)
              : call_fail(call, PROBLEM_UNFOUND);
}

/* What hangs on a project beside its work: webhooks and integrations, which only its owners see
 * since their addresses are secrets more often than not, and the caller's own saved searches. */
#include "tracker/routes.h"
#include "tracker/rows.h"

#include <string.h>

static gboolean
owners_only(Call *call)
{
    return call_role_of(call, call->project_id, call->person_id) == ROLE_OWNER ||
           call_fail(call, PROBLEM_UNAUTHORIZED);
}

static gboolean
answer_of_project(Call *call, const Kind *kind, const char *sql)
{
    DbStmt *stmt;

    if (!owners_only(call)) {
        return FALSE;
    }
    stmt = db_prepare(call->conn, sql);
    db_bind_int(stmt, 1, call->project_id);
    return call_answer_stmt(call, kind, stmt);
}

gboolean
read_webhooks(Call *call)
{
    return answer_of_project(call, &kind_webhook,
                             "SELECT id FROM webhook WHERE project_id = ?1 ORDER BY id");
}

gboolean
read_webhook(Call *call)
{
    return owners_only(call) &&
           call_answer_child(call, &kind_webhook,
                             "SELECT 1 FROM webhook WHERE id = ?1 AND project_id = ?2",
                             call->project_id);
}

gboolean
read_integrations(Call *call)
{
    return answer_of_project(call, &kind_integration,
                             "SELECT id FROM integration WHERE project_id = ?1 ORDER BY id");
}

gboolean
read_integration(Call *call)
{
    return owners_only(call) &&
           call_answer_child(call, &kind_integration,
                             "SELECT 1 FROM integration WHERE id = ?1 AND project_id = ?2",
                             call->project_id);
}

/* What could be imported from the other tool: nothing, since this tracker calls none, and says so
 * in can_import. */
gboolean
read_integration_stories(Call *call)
{
    const char *exclude = call_param(call, "exclude_linked");

    if (exclude && strcmp(exclude, "true") != 0 && strcmp(exclude, "false") != 0) {
        return call_fail_text(call,
                              "'exclude_linked' must be a non-string boolean true or false value");
    }
    if (!owners_only(call)) {
        return FALSE;
    }
    if (!row_int(call->conn, "SELECT 1 FROM integration WHERE id = ?1 AND project_id = ?2", "ii",
                 call->id, call->project_id)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    g_string_append(call->body, "[]");
    return TRUE;
}

gboolean
read_saved_searches(Call *call)
{
    DbStmt *stmt = db_prepare(call->conn, "SELECT id FROM saved_search WHERE project_id = ?1"
                                          " AND person_id = ?2 ORDER BY id");

    db_bind_int(stmt, 1, call->project_id);
    db_bind_int(stmt, 2, call->person_id);
    return call_answer_stmt(call, &kind_saved_search, stmt);
}

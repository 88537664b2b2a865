/* What happened: in a project, to a story or an epic, or in all projects of the caller. */
#include "tracker/routes.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX 500

static gboolean
answer_activity(Call *call, const char *condition, gint64 id, gboolean across_projects)
{
    g_auto(Where) where;
    const char *order;
    gboolean there, ascending;
    gint64 version;

    where_init(&where);
    where_int(&where, condition, id);
    if (!call_page(call, PAGE_DEFAULT, PAGE_MAX, FALSE) ||
        !where_time(&where, call, "occurred_before", "t.occurred_at < ?") ||
        !where_time(&where, call, "occurred_after", "t.occurred_at > ?") ||
        !call_param_int(call, "since_version", &there, &version) ||
        !call_param_enum(call, "sort_order", "asc,desc", &order)) {
        return FALSE;
    }
    if (there) {
        where_int(&where, "t.version > ?", version);
    }
    ascending = g_strcmp0(order, "asc") == 0;
    if (across_projects) {
        order = ascending ? "t.occurred_at, t.project_id, t.version"
                          : "t.occurred_at DESC, t.project_id, t.version DESC";
    } else {
        order = ascending ? "t.version" : "t.version DESC";
    }
    return call_answer_page(call, &kind_activity, "FROM activity t WHERE TRUE", order, &where);
}

gboolean
read_project_activity(Call *call)
{
    return answer_activity(call, "t.project_id = ?", call->project_id, FALSE);
}

/* A story that moved between projects has entries in both; only this project's are shown. */
gboolean
read_story_activity(Call *call)
{
    return answer_activity(call,
                           "t.id IN (SELECT x.activity_id FROM activity_story x JOIN story s"
                           " ON s.id = x.story_id WHERE x.story_id = ?"
                           " AND s.project_id = t.project_id)",
                           call->story_id, FALSE);
}

gboolean
read_epic_activity(Call *call)
{
    return answer_activity(call,
                           "t.id IN (SELECT x.activity_id FROM activity_epic x JOIN epic e"
                           " ON e.id = x.epic_id WHERE x.epic_id = ?"
                           " AND e.project_id = t.project_id)",
                           call->epic_id, FALSE);
}

gboolean
read_my_activity(Call *call)
{
    return answer_activity(call,
                           "t.project_id IN (SELECT m.project_id FROM membership m"
                           " WHERE m.person_id = ? AND m.role <> 'inactive')",
                           call->person_id, TRUE);
}

/* Of the projects that the workspace still shows its owner. */
gboolean
read_my_workspace_activity(Call *call)
{
    DbStmt *stmt =
        db_prepare(call->conn, "SELECT 1 FROM workspace WHERE id = ?1 AND person_id = ?2");
    gboolean there;

    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->person_id);
    there = db_next(stmt);
    db_done(stmt);
    if (!there) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    return answer_activity(call,
                           "t.project_id IN (SELECT x.project_id FROM workspace_project x"
                           " JOIN workspace w ON w.id = x.workspace_id JOIN membership m"
                           " ON m.project_id = x.project_id AND m.person_id = w.person_id"
                           " AND m.role <> 'inactive' WHERE w.id = ?)",
                           call->id, TRUE);
}

/* Projects and what hangs on them directly: members, labels, epics, releases, review types. */
#include "tracker/computed.h"
#include "tracker/read_search.h"
#include "tracker/routes.h"

#include <string.h>

#define PAGE_DEFAULT 100
#define PAGE_MAX 500

gboolean
read_projects(Call *call)
{
    const char *accounts = call_param(call, "account_ids");
    g_autofree char *json = NULL;
    DbStmt *stmt;

    if (accounts && strspn(accounts, "0123456789,") != strlen(accounts)) {
        return call_fail_text(call, "'account_ids' must be a list of integer values");
    }
    stmt =
        db_prepare(call->conn, "SELECT p.id FROM membership m JOIN project p ON p.id = m.project_id"
                               " WHERE m.person_id = ?1 AND m.role <> 'inactive'"
                               " AND (?2 IS NULL OR instr(?2, ',' || p.account_id || ',') > 0)"
                               " ORDER BY p.id");
    json = accounts ? g_strdup_printf(",%s,", accounts) : NULL;
    db_bind_int(stmt, 1, call->person_id);
    db_bind_text(stmt, 2, json);
    return call_answer_stmt(call, &kind_project, stmt);
}

gboolean
read_project(Call *call)
{
    return call_answer_one(call, &kind_project, call->project_id);
}

/* All objects of the project, by a statement whose parameter 1 is its id. */
static gboolean
answer_all(Call *call, const Kind *kind, const char *sql)
{
    DbStmt *stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, call->project_id);
    return call_answer_stmt(call, kind, stmt);
}

gboolean
read_memberships(Call *call)
{
    const char *sort_by;

    if (!call_param_enum(call, "sort_by", "name", &sort_by)) {
        return FALSE;
    }
    return answer_all(call, &kind_membership,
                      sort_by
                          ? "SELECT m.id FROM membership m LEFT JOIN person p ON p.id = m.person_id"
                            " WHERE m.project_id = ?1 AND m.role <> 'inactive'"
                            " ORDER BY lower(p.name), m.id"
                          : "SELECT id FROM membership WHERE project_id = ?1"
                            " AND role <> 'inactive' ORDER BY id");
}

gboolean
read_membership(Call *call)
{
    return call_answer_child(call, &kind_membership,
                             "SELECT 1 FROM membership WHERE id = ?1 AND project_id = ?2",
                             call->project_id);
}

gboolean
read_labels(Call *call)
{
    return answer_all(call, &kind_label,
                      "SELECT id FROM label WHERE project_id = ?1 ORDER BY name, id");
}

gboolean
read_label(Call *call)
{
    return call_answer_child(call, &kind_label,
                             "SELECT 1 FROM label WHERE id = ?1 AND project_id = ?2",
                             call->project_id);
}

gboolean
read_epics(Call *call)
{
    if (call_param(call, "filter")) {
        return search_answer_epics(call);
    }
    return answer_all(call, &kind_epic,
                      "SELECT id FROM epic WHERE project_id = ?1 ORDER BY position");
}

gboolean
read_epic(Call *call)
{
    return call_answer_one(call, &kind_epic, call->epic_id);
}

gboolean
read_epic_comments(Call *call)
{
    DbStmt *stmt = db_prepare(call->conn, "SELECT id FROM comment WHERE epic_id = ?1 ORDER BY id");

    db_bind_int(stmt, 1, call->epic_id);
    return call_answer_stmt(call, &kind_comment, stmt);
}

gboolean
read_epic_comment(Call *call)
{
    return call_answer_child(call, &kind_comment,
                             "SELECT 1 FROM comment WHERE id = ?1 AND epic_id = ?2", call->epic_id);
}

gboolean
read_review_types(Call *call)
{
    return answer_all(call, &kind_review_type,
                      "SELECT id FROM review_type WHERE project_id = ?1 ORDER BY id");
}

gboolean
read_releases(Call *call)
{
    g_auto(Where) where;
    const char *state;

    where_init(&where);
    where_int(&where, "t.project_id = ?", call->project_id);
    if (!call_page(call, PAGE_DEFAULT, PAGE_MAX, FALSE) ||
        !call_param_enum(call, "with_state", "accepted,unstarted,unscheduled,planned", &state)) {
        return FALSE;
    }
    if (state) {
        where_text(&where, "t.current_state = ?", state);
    }
    return call_answer_page(call, &kind_release, "FROM story t WHERE t.story_type = 'release'",
                            "t.position", &where);
}

#define IS_RELEASE                                                                                 \
    "SELECT 1 FROM story WHERE id = ?1 AND project_id = ?2 AND story_type = 'release'"

gboolean
read_release(Call *call)
{
    return call_answer_child(call, &kind_release, IS_RELEASE, call->project_id);
}

gboolean
read_release_stories(Call *call)
{
    DbStmt *stmt = db_prepare(call->conn, IS_RELEASE);
    g_autoptr(GArray) ids = NULL;
    gboolean there;

    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->project_id);
    there = db_next(stmt);
    db_done(stmt);
    if (!there) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    ids = computed_release_stories(&call->render, call->id);
    return call_answer_list(call, &kind_story, ids);
}

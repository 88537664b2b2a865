/* Stories: the list with its filters, one, many by id, and what belongs to one. */
#include "tracker/read_search.h"
#include "tracker/routes.h"

#include <string.h>

#define PAGE_DEFAULT 100
#define PAGE_MAX 500
#define TYPES "feature,bug,chore,release"
#define STATES "accepted,delivered,finished,started,rejected,planned,unstarted,unscheduled"

static gboolean
filter_enums(Call *call, Where *where)
{
    static const struct {
        const char *parameter, *values, *condition;
    } filters[] = {
        {"with_story_type", TYPES, "t.story_type = ?"},
        {"with_state", STATES, "t.current_state = ?"},
        {"with_story_priority", "p0,p1,p2,p3,none", "COALESCE(t.story_priority, 'none') = ?"},
    };
    const char *label = call_param(call, "with_label"), *value;

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (!call_param_enum(call, filters[i].parameter, filters[i].values, &value)) {
            return FALSE;
        }
        if (value) {
            where_text(where, filters[i].condition, value);
        }
    }
    if (label) {
        g_autofree char *lower =
            g_utf8_validate(label, -1, NULL) ? g_utf8_strdown(label, -1) : g_strdup(label);

        where_text(where,
                   "EXISTS(SELECT 1 FROM story_label x JOIN label l ON l.id = x.label_id"
                   " WHERE x.story_id = t.id AND l.name = ?)",
                   lower);
    }
    return TRUE;
}

static gboolean
filter_times(Call *call, Where *where)
{
    static const char *const columns[] = {"accepted", "created", "updated", "deadline"};

    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        const char *suffix = strcmp(columns[i], "deadline") == 0 ? "" : "_at";
        g_autofree char *before = g_strdup_printf("%s_before", columns[i]);
        g_autofree char *after = g_strdup_printf("%s_after", columns[i]);
        g_autofree char *less = g_strdup_printf("t.%s%s < ?", columns[i], suffix);
        g_autofree char *more = g_strdup_printf("t.%s%s > ?", columns[i], suffix);

        if (!where_time(where, call, before, less) || !where_time(where, call, after, more)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
filter_neighbours(Call *call, Where *where)
{
    gboolean there;
    gint64 id;

    if (!call_param_int(call, "after_story_id", &there, &id)) {
        return FALSE;
    }
    if (there) {
        where_int(where,
                  "t.position > (SELECT n.position FROM story n WHERE n.id = ?"
                  " AND n.project_id = t.project_id)",
                  id);
    }
    if (!call_param_int(call, "before_story_id", &there, &id)) {
        return FALSE;
    }
    if (there) {
        where_int(where,
                  "t.position < (SELECT n.position FROM story n WHERE n.id = ?"
                  " AND n.project_id = t.project_id)",
                  id);
    }
    return TRUE;
}

gboolean
read_stories(Call *call)
{
    g_auto(Where) where;

    where_init(&where);
    if (call_param(call, "filter")) {
        return search_answer_stories(call);
    }
    where_int(&where, "t.project_id = ?", call->project_id);
    if (!call_page(call, PAGE_DEFAULT, PAGE_MAX, FALSE) || !filter_enums(call, &where) ||
        !filter_times(call, &where) || !filter_neighbours(call, &where)) {
        return FALSE;
    }
    if (where.values->len == 1) {
        where.count = "SELECT stories FROM story_count WHERE project_id = ?1";
    }
    return call_answer_page(call, &kind_story, "FROM story t WHERE TRUE", "t.position", &where);
}

gboolean
read_bulk(Call *call)
{
    const char *text = call_param(call, "ids");
    g_auto(GStrv) parts = NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    DbStmt *stmt;

    if (!text) {
        return call_fail_text(call, "this endpoint requires the parameter: ids");
    }
    parts = g_strsplit(text, ",", CALL_MAX_IDS + 1);
    if (g_strv_length(parts) > CALL_MAX_IDS) {
        return call_fail_text(call, "'ids' must have 500 values or fewer");
    }
    stmt = db_prepare(call->conn, "SELECT 1 FROM story WHERE id = ?1 AND project_id = ?2");
    for (char **part = parts; *part; part++) {
        gint64 id;

        if (!g_ascii_string_to_signed(*part, 10, G_MININT64, G_MAXINT64, &id, NULL)) {
            db_done(stmt);
            return call_fail_text(call, "'ids' must be a list of integer values");
        }
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, call->project_id);
        if (db_next(stmt) && g_hash_table_add(seen, g_memdup2(&id, sizeof id))) {
            g_array_append_val(ids, id);
        }
        (void)db_run(stmt);
    }
    db_done(stmt);
    return call_answer_list(call, &kind_story, ids);
}

gboolean
read_story(Call *call)
{
    return call_answer_one(call, &kind_story, call->story_id);
}

/* Everything of one kind that belongs to the story, by a statement whose parameter 1 is its id. */
static gboolean
answer_all(Call *call, const Kind *kind, const char *sql)
{
    DbStmt *stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, call->story_id);
    return call_answer_stmt(call, kind, stmt);
}

gboolean
read_story_owners(Call *call)
{
    return answer_all(call, &kind_person,
                      "SELECT person_id FROM story_owner WHERE story_id = ?1 ORDER BY position");
}

gboolean
read_story_labels(Call *call)
{
    return answer_all(call, &kind_label,
                      "SELECT l.id FROM story_label x JOIN label l ON l.id = x.label_id"
                      " WHERE x.story_id = ?1 ORDER BY l.name");
}

gboolean
read_story_tasks(Call *call)
{
    return answer_all(call, &kind_task,
                      "SELECT id FROM task WHERE story_id = ?1 ORDER BY position, id");
}

gboolean
read_story_task(Call *call)
{
    return call_answer_child(call, &kind_task, "SELECT 1 FROM task WHERE id = ?1 AND story_id = ?2",
                             call->story_id);
}

gboolean
read_story_comments(Call *call)
{
    return answer_all(call, &kind_comment,
                      "SELECT id FROM comment WHERE story_id = ?1 ORDER BY id");
}

gboolean
read_story_comment(Call *call)
{
    return call_answer_child(call, &kind_comment,
                             "SELECT 1 FROM comment WHERE id = ?1 AND story_id = ?2",
                             call->story_id);
}

gboolean
read_story_blockers(Call *call)
{
    return answer_all(call, &kind_blocker,
                      "SELECT id FROM blocker WHERE story_id = ?1 ORDER BY id");
}

gboolean
read_story_blocker(Call *call)
{
    return call_answer_child(call, &kind_blocker,
                             "SELECT 1 FROM blocker WHERE id = ?1 AND story_id = ?2",
                             call->story_id);
}

gboolean
read_story_reviews(Call *call)
{
    return answer_all(call, &kind_review, "SELECT id FROM review WHERE story_id = ?1 ORDER BY id");
}

gboolean
read_story_review(Call *call)
{
    return call_answer_child(
        call, &kind_review, "SELECT 1 FROM review WHERE id = ?1 AND story_id = ?2", call->story_id);
}

static gboolean
answer_transitions(Call *call, const char *condition, gint64 id)
{
    g_auto(Where) where;

    where_init(&where);
    where_int(&where, condition, id);
    if (!call_page(call, PAGE_DEFAULT, PAGE_MAX, FALSE) ||
        !where_time(&where, call, "occurred_before", "t.occurred_at < ?") ||
        !where_time(&where, call, "occurred_after", "t.occurred_at > ?")) {
        return FALSE;
    }
    return call_answer_page(call, &kind_transition, "FROM story_transition t WHERE TRUE",
                            "t.occurred_at, t.id", &where);
}

gboolean
read_story_transitions(Call *call)
{
    return answer_transitions(call, "t.story_id = ?", call->story_id);
}

gboolean
read_project_transitions(Call *call)
{
    return answer_transitions(call, "t.project_id = ?", call->project_id);
}

/* A list of a new story is checked element by element against the table of its own endpoint, then
 * inserted: so a nested task obeys what a task obeys. */
#include "tracker/parts.h"

#include "tracker/rows.h"

static gint64
insert_comment(Call *call, gint64 story_id, const json_t *given)
{
    return comment_insert(call, &kind_story, story_id, given);
}

/* Pull requests and branches come with their story only (v5-reference 2.21). */
static const Param pull_request_params[] = {
    {"owner", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"repo", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"host_url", PARAM_STRING, PARAM_NULL, 5000, NULL},
    {"original_url", PARAM_STRING, PARAM_NULL, 5000, NULL},
    {"status", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"number", PARAM_INT, PARAM_NULL, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
static const ParamTable pull_request_table = PARAM_TABLE(pull_request_params, TRUE, NULL);

static gint64
insert_pull_request(Call *call, gint64 story_id, const json_t *given)
{
    const char *status = body_text(given, "status");
    gint64 id;

    (void)row_run(call->conn,
                  "INSERT INTO pull_request(story_id, owner, repo, host_url, original_url, status,"
                  " number, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                  "itttttIi", story_id, body_text(given, "owner"), body_text(given, "repo"),
                  body_text(given, "host_url"), body_text(given, "original_url"),
                  status ? status : "unknown", body_int(given, "number", 0), change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_pull_request, id);
    return id;
}

static const Param branch_params[] = {
    {"owner", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"repo", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"host_url", PARAM_STRING, PARAM_NULL, 5000, NULL},
    {"name", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
static const ParamTable branch_table = PARAM_TABLE(branch_params, TRUE, NULL);

static gint64
insert_branch(Call *call, gint64 story_id, const json_t *given)
{
    gint64 id;

    (void)row_run(call->conn,
                  "INSERT INTO branch(story_id, owner, repo, host_url, name, created_at,"
                  " updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                  "itttti", story_id, body_text(given, "owner"), body_text(given, "repo"),
                  body_text(given, "host_url"), body_text(given, "name"), change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_branch, id);
    return id;
}

static const struct {
    const char *name;
    const ParamTable *table;
    gint64 (*insert)(Call *call, gint64 story_id, const json_t *given);
} parts[] = {
    {"tasks", &task_create_table, task_insert},
    {"comments", &comment_create_table, insert_comment},
    {"blockers", &blocker_create_table, blocker_insert},
    {"reviews", &review_create_table, review_insert},
    {"pull_requests", &pull_request_table, insert_pull_request},
    {"branches", &branch_table, insert_branch},
};

gboolean
parts_insert(Call *call, gint64 story_id, const json_t *given)
{
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        json_t *element;
        gsize k;

        json_array_foreach(json_object_get(given, parts[i].name), k, element)
        {
            if (!body_check(call, element, parts[i].table, parts[i].name) ||
                !parts[i].insert(call, story_id, element)) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

void
parts_arrived(Call *call, gint64 story_id)
{
    static const Kind *const kinds[] = {&kind_task,   &kind_comment,      &kind_blocker,
                                        &kind_review, &kind_pull_request, &kind_branch};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT id FROM %s WHERE story_id = ?1 ORDER BY id", kinds[i]->table);
        DbStmt *stmt = db_prepare(call->conn, sql);
        g_autoptr(GArray) ids = NULL;

        db_bind_int(stmt, 1, story_id);
        ids = render_ids(stmt);
        for (guint k = 0; k < ids->len; k++) {
            change_arrived(call, kinds[i], g_array_index(ids, gint64, k));
        }
    }
}

/* Requests that gather: CSV of many stories, and many GETs in one. They are POSTs because of their
 * parameters; nothing is changed. */
#include <string.h>

#include "tracker/body.h"
#include "tracker/export_csv.h"
#include "tracker/json_writer.h"
#include "tracker/routes.h"

#define AGGREGATE_MAX_URLS 50
#define AGGREGATE_MAX_BYTES (64 * 1024 * 1024)

static gboolean
answer_csv(Call *call, const GArray *ids, const char *name)
{
    export_csv(&call->render, ids, call->body);
    g_free(call->file_name);
    call->file_name = export_csv_name(name, call->now_ms);
    g_free(call->file_type);
    call->file_type = g_strdup("text/csv; charset=utf-8");
    return TRUE;
}

/* Those of the list that the project has; without a list all of them, in project order. */
gboolean
export_project(Call *call)
{
    g_autoptr(GArray) wanted = body_ids(call->given, "story_ids");
    g_autoptr(GArray) ids = NULL;
    g_autofree char *name = NULL;
    DbStmt *stmt = db_prepare(call->conn, "SELECT name FROM project WHERE id = ?1");

    db_bind_int(stmt, 1, call->project_id);
    name = g_strdup(db_next(stmt) ? db_text(stmt, 0) : "");
    db_done(stmt);
    if (!body_has(call->given, "story_ids")) {
        stmt = db_prepare(call->conn, "SELECT id FROM story WHERE project_id = ?1"
                                      " ORDER BY position");
        db_bind_int(stmt, 1, call->project_id);
        ids = render_ids(stmt);
        return answer_csv(call, ids, name);
    }
    ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    stmt = db_prepare(call->conn, "SELECT 1 FROM story WHERE id = ?1 AND project_id = ?2");
    for (guint i = 0; i < wanted->len; i++) {
        db_bind_int(stmt, 1, g_array_index(wanted, gint64, i));
        db_bind_int(stmt, 2, call->project_id);
        if (db_next(stmt)) {
            g_array_append_val(ids, g_array_index(wanted, gint64, i));
        }
        db_rewind(stmt);
    }
    db_done(stmt);
    return answer_csv(call, ids, name);
}

/* Those that the caller may read, of whatever project. */
gboolean
export_stories(Call *call)
{
    g_autoptr(GArray) wanted = body_ids(call->given, "ids");
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT 1 FROM story s JOIN project p ON p.id = s.project_id WHERE s.id = ?1"
                    " AND (p.public OR p.project_type = 'public' OR EXISTS(SELECT 1 FROM membership"
                    " m WHERE m.project_id = p.id AND m.person_id = ?2 AND m.role <> 'inactive'))");

    for (guint i = 0; i < wanted->len; i++) {
        db_bind_int(stmt, 1, g_array_index(wanted, gint64, i));
        db_bind_int(stmt, 2, call->person_id);
        if (db_next(stmt)) {
            g_array_append_val(ids, g_array_index(wanted, gint64, i));
        }
        db_rewind(stmt);
    }
    return answer_csv(call, ids, "stories");
}

static gboolean
check_urls(Call *call, const json_t *urls)
{
    const json_t *url;
    gsize i;

    if (!json_is_array(urls)) {
        return call_fail_text(call, "the body must be an array of URL paths");
    }
    if (json_array_size(urls) > AGGREGATE_MAX_URLS) {
        return call_fail_text(call, "there must be 50 URL paths or fewer");
    }
    json_array_foreach(urls, i, url)
    {
        if (!json_is_string(url)) {
            return call_fail_text(call, "the body must be an array of URL paths");
        }
    }
    return TRUE;
}

/* An object of answers by the paths that were asked for, errors among them. (unsure: what an error
 * looks like in it, and how many paths are too many.) */
gboolean
aggregate(Call *call)
{
    json_t *urls = body_json(call);
    const json_t *url;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    gboolean ok = urls && check_urls(call, urls);
    gsize i;

    if (ok) {
        g_string_append_c(call->body, '{');
        json_array_foreach(urls, i, url)
        {
            const char *text = json_string_value(url);

            if (ok && g_hash_table_add(seen, (gpointer)(guintptr)text)) {
                json_separate(call->body);
                json_text(call->body, text, strlen(text));
                g_string_append_c(call->body, ':');
                call_run_inside(call, text, call->body);
            }
            ok = ok && (call->body->len <= AGGREGATE_MAX_BYTES ||
                        call_fail_text(call, "the answers are too large for one request"));
        }
        g_string_append_c(call->body, '}');
    }
    json_decref(urls);
    return ok;
}

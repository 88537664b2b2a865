/* Webhooks and integrations of a project, and the caller's saved searches in it. They raise no
 * version and make no activity (v5-reference 4.8). */
#include "tracker/changes.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/webhook_post.h"
#include "tracker/webhooks.h"
#include "tracker/write_person.h"

#include <string.h>

static gboolean
exists(Call *call, const char *sql)
{
    return row_int(call->conn, sql, "ii", call->id, call->project_id) != 0 ||
           call_fail(call, PROBLEM_UNFOUND);
}

/* ---- webhooks ---- */

#define IS_WEBHOOK "SELECT 1 FROM webhook WHERE id = ?1 AND project_id = ?2"

static gboolean
check_url(Call *call, const char *url)
{
    switch (webhook_url_check(url, tracker_http_webhooks(call->tracker))) {
    case WEBHOOK_URL_GOOD:
        return TRUE;
    case WEBHOOK_URL_NOT_HTTPS:
        return call_fail_rule(
            call, "One or more consistency checks failed on the supplied WebhookActivityChannel.",
            "Webhook must use https.");
    case WEBHOOK_URL_INVALID:
        break;
    }
    return call_fail_text(call, write_is_blank(url) ? "can't be blank, Webhook must be a valid URL."
                                                    : "Webhook must be a valid URL.");
}

gboolean
write_webhook_create(Call *call)
{
    const char *url = body_text(call->given, "webhook_url");

    if (!check_url(call, url ? url : "")) {
        return FALSE;
    }
    (void)row_run(call->conn,
                  "INSERT INTO webhook(project_id, webhook_url, webhook_version, enabled,"
                  " created_at, updated_at) VALUES(?1, ?2, 'v5', ?3, ?4, ?4)",
                  "itbi", call->project_id, url, body_bool(call->given, "enabled", TRUE),
                  change_now(call));
    return call_answer_one(call, &kind_webhook, db_last_id(call->conn));
}

gboolean
write_webhook_update(Call *call)
{
    const char *url = body_text(call->given, "webhook_url");

    if (!exists(call, IS_WEBHOOK) || (url && !check_url(call, url))) {
        return FALSE;
    }
    (void)row_run(call->conn,
                  "UPDATE webhook SET webhook_url = COALESCE(?2, webhook_url), updated_at = ?3"
                  " WHERE id = ?1",
                  "iti", call->id, url, change_now(call));
    if (body_has(call->given, "enabled")) {
        gboolean enabled = body_bool(call->given, "enabled", TRUE);

        (void)row_run(call->conn, "UPDATE webhook SET enabled = ?2 WHERE id = ?1", "ib", call->id,
                      enabled);
        if (!enabled) {
            webhooks_forget(call->conn, call->id);
        }
    }
    return call_answer_one(call, &kind_webhook, call->id);
}

gboolean
write_webhook_delete(Call *call)
{
    if (!exists(call, IS_WEBHOOK)) {
        return FALSE;
    }
    webhooks_forget(call->conn, call->id);
    (void)row_run(call->conn, "DELETE FROM webhook WHERE id = ?1", "i", call->id);
    return write_answer_nothing(call);
}

/* ---- saved searches ---- */

gboolean
write_saved_search_create(Call *call)
{
    const char *name = body_text(call->given, "name"), *query = body_text(call->given, "query");

    if (write_is_blank(name)) {
        return call_fail_field(call, "name", "Name can't be blank");
    }
    if (write_is_blank(query)) {
        return call_fail_field(call, "query", "Query can't be blank");
    }
    (void)row_run(call->conn,
                  "INSERT INTO saved_search(project_id, person_id, name, query)"
                  " VALUES(?1, ?2, ?3, ?4)",
                  "iitt", call->project_id, call->person_id, name, query);
    return call_answer_one(call, &kind_saved_search, db_last_id(call->conn));
}

gboolean
write_saved_search_delete(Call *call)
{
    (void)row_run(call->conn,
                  "DELETE FROM saved_search WHERE id = ?1 AND project_id = ?2 AND person_id = ?3",
                  "iii", call->id, call->project_id, call->person_id);
    return db_changes(call->conn) > 0 ? write_answer_nothing(call)
                                      : call_fail(call, PROBLEM_UNFOUND);
}

/* ---- integrations: kept and given back; this tracker calls no other tool ---- */

#define IS_INTEGRATION "SELECT 1 FROM integration WHERE id = ?1 AND project_id = ?2"
#define COLUMNS "name,base_url,active"
#define SECRETS "api_password,zendesk_user_password,external_api_token,basic_auth_password"

/* Sets what is given, each where it belongs: a column, the secrets, or the rest. */
static void
set_attributes(Call *call, gint64 id)
{
    const char *name;
    json_t *value;

    json_object_foreach(call->given, name, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        g_autofree char *sql = NULL;

        if (call_is_listed(COLUMNS, name)) {
            sql = g_strdup_printf("UPDATE integration SET %s = json_extract(?2, '$') WHERE id = ?1",
                                  name);
        } else if (strcmp(name, "type") != 0) {
            const char *where = call_is_listed(SECRETS, name) ? "secrets" : "extra";

            sql = g_strdup_printf("UPDATE integration SET %s = json_patch(COALESCE(%s, '{}'),"
                                  " json_object('%s', json(?2))) WHERE id = ?1",
                                  where, where, name);
        }
        if (sql) {
            (void)row_run(call->conn, sql, "it", id, text);
        }
        free(text);
    }
}

gboolean
write_integration_create(Call *call)
{
    const char *type = body_text(call->given, "type");
    gboolean is_other = strcmp(type, "other") == 0;
    g_autofree char *kind = g_strdup_printf("%s_integration", type);
    gint64 id;

    (void)row_run(call->conn,
                  "INSERT INTO integration(project_id, kind, name, active, can_import, is_other,"
                  " story_name, created_at, updated_at) VALUES(?1, ?2, ?3, 1, 0, ?4, 'story', ?5,"
                  " ?5)",
                  "ittbi", call->project_id, kind, type, is_other, change_now(call));
    id = db_last_id(call->conn);
    set_attributes(call, id);
    return call_answer_one(call, &kind_integration, id);
}

gboolean
write_integration_update(Call *call)
{
    if (!exists(call, IS_INTEGRATION)) {
        return FALSE;
    }
    set_attributes(call, call->id);
    (void)row_run(call->conn, "UPDATE integration SET updated_at = ?2 WHERE id = ?1", "ii",
                  call->id, change_now(call));
    return call_answer_one(call, &kind_integration, call->id);
}

gboolean
write_integration_delete(Call *call)
{
    if (!exists(call, IS_INTEGRATION)) {
        return FALSE;
    }
    (void)row_run(call->conn, "DELETE FROM integration WHERE id = ?1", "i", call->id);
    return write_answer_nothing(call);
}

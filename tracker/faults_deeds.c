/* How: the deeds are V5 requests to the service itself, so that versions, activities and
 * notifications are those of a real colleague; only the jump of a version, which no request can
 * cause, is written into the database. */
#include "tracker/faults.h"

#include "tracker/db.h"
#include "tracker/service.h"
#include "tracker/users.h"

#include <jansson.h>
#include <string.h>

#define SOMEONE "Someone Else"

static gint64
query_id(DbConn *conn, const char *sql, gint64 first, gint64 second)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    db_bind_int(stmt, 1, first);
    db_bind_int(stmt, 2, second);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

/* A member who may write and is not the caller; 0: none. */
static gint64
other_member(DbConn *conn, gint64 project, gint64 caller)
{
    return query_id(conn,
                    "SELECT person_id FROM membership WHERE project_id = ?1 AND person_id <> ?2"
                    " AND role IN ('owner', 'member') ORDER BY id LIMIT 1",
                    project, caller);
}

static gboolean
add_someone(Tracker *tracker, gint64 project, GError **error)
{
    Db *db = tracker_db(tracker);
    gint64 now_ms = tracker_now_ms(tracker);
    char project_text[24];
    char person_text[24];
    gint64 person = users_add_person(db, SOMEONE, NULL, now_ms, NULL); /* 0: there already */
    (void)g_snprintf(project_text, sizeof(project_text), "%" G_GINT64_FORMAT, project);
    (void)g_snprintf(person_text, sizeof(person_text), "%" G_GINT64_FORMAT, person);
    return users_add_member(db, person ? person_text : SOMEONE, project_text, "owner", now_ms,
                            error);
}

static gint64
find_other(Tracker *tracker, gint64 story, gint64 caller)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(tracker), &error);
    if (!conn) {
        return 0;
    }
    gint64 project =
        query_id(conn, "SELECT project_id FROM story WHERE id = ?1 AND ?2 >= 0", story, 0);
    gint64 person = project ? other_member(conn, project, caller) : 0;
    if (project && !person && add_someone(tracker, project, &error)) {
        person = other_member(conn, project, caller);
    }
    return person;
}

/* Takes `body`, which may be NULL. The answer's JSON, owned, NULL for none; *ret_status. */
static json_t *
ask(Tracker *tracker, gint64 person, const char *method, gint64 story, const char *query,
    json_t *body, int *ret_status)
{
    g_autofree char *path = g_strdup_printf("/services/v5/stories/%" G_GINT64_FORMAT, story);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    TrackerRequest request = {.method = method,
                              .path = path,
                              .query = query,
                              .trusted_person_id = person,
                              .content_type = "application/json",
                              .body = text,
                              .body_bytes = text ? strlen(text) : 0};
    TrackerResponse response;
    tracker_handle(tracker, &request, &response);
    json_t *answer =
        response.body ? json_loadb(response.body->str, response.body->len, 0, NULL) : NULL;
    *ret_status = response.status;
    tracker_response_clear(&response);
    free(text); /* jansson allocates with malloc() */
    json_decref(body);
    return answer;
}

static json_t *
changed(const json_t *story, const char *field)
{
    if (g_str_equal(field, "labels")) {
        json_t *labels = json_deep_copy(json_object_get(story, "labels"));
        (void)json_array_append_new(labels, json_pack("{s:s}", "name", "someone-else"));
        return labels;
    }
    const char *old = json_string_value(json_object_get(story, field));
    g_autofree char *text = g_strdup_printf("%s%schanged by someone else", old ? old : "",
                                            !old                                ? ""
                                            : g_str_equal(field, "description") ? "\n"
                                                                                : ", ");
    return json_string(text);
}

static int
edit(Tracker *tracker, gint64 person, const FaultDeed *deed)
{
    int status = 0;
    json_t *story = ask(tracker, person, "GET", deed->id, "fields=name,description,labels(name)",
                        NULL, &status);
    if (status == 200) {
        json_t *body = json_object();
        (void)json_object_set_new(body, deed->field, changed(story, deed->field));
        json_decref(ask(tracker, person, "PUT", deed->id, NULL, body, &status));
    }
    json_decref(story);
    return status;
}

/* Above the one that stands above it; if it is the first of its list, below the next one. */
static int
move(Tracker *tracker, gint64 person, const FaultDeed *deed)
{
    static const char *const ways[][2] = {{"after_id", "before_id"}, {"before_id", "after_id"}};
    int status = 0;
    json_t *story =
        ask(tracker, person, "GET", deed->id, "fields=before_id,after_id", NULL, &status);
    for (gsize i = 0; story && i < G_N_ELEMENTS(ways); i++) {
        json_t *neighbour = json_object_get(story, ways[i][0]);
        if (neighbour) {
            json_t *body = json_object();
            (void)json_object_set(body, ways[i][1], neighbour);
            json_decref(ask(tracker, person, "PUT", deed->id, NULL, body, &status));
            if (status == 200) {
                break;
            }
        }
    }
    json_decref(story);
    return status;
}

static int
jump(Tracker *tracker, const FaultDeed *deed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(tracker), &error);
    if (!conn || !db_begin(conn, DB_WRITE, &error)) {
        return 500;
    }
    DbStmt *stmt = db_prepare(conn, "UPDATE project SET version = version + ?1 WHERE id = ?2");
    db_bind_int(stmt, 1, deed->by);
    db_bind_int(stmt, 2, deed->id);
    (void)db_run(stmt);
    int there = db_changes(conn);
    db_done(stmt);
    return db_commit(conn, &error) ? there ? 200 : 404 : 500;
}

void
faults_do(Tracker *tracker, const FaultPlan *plan, gint64 caller)
{
    for (guint i = 0; i < plan->n_deeds; i++) {
        const FaultDeed *deed = &plan->deeds[i];
        gint64 person =
            deed->kind == FAULT_VERSION_JUMP ? 0 : find_other(tracker, deed->id, caller);
        int status = 0;
        switch (deed->kind) {
        case FAULT_EDIT:
            status = edit(tracker, person, deed);
            break;
        case FAULT_MOVE:
            status = move(tracker, person, deed);
            break;
        case FAULT_DELETE:
            json_decref(ask(tracker, person, "DELETE", deed->id, NULL, NULL, &status));
            break;
        case FAULT_VERSION_JUMP:
            status = jump(tracker, deed);
            break;
        }
        if (status >= 400) {
            g_message("faults: somebody else's change of %" G_GINT64_FORMAT
                      " was refused with status %d",
                      deed->id, status);
        }
    }
}

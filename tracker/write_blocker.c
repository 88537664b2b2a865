/* Blockers of a story. One whose description is "#123" or the address of story 123 resolves itself
 * when that story is accepted or deleted. */
#include "tracker/parts.h"
#include "tracker/routes.h"

#include <string.h>

#include "tracker/blocking.h"
#include "tracker/rows.h"

static const Param create_params[] = {
    {"description", PARAM_STRING, PARAM_REQUIRED | PARAM_NULL, 1000, NULL},
    {"resolved", PARAM_BOOL, 0, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable blocker_create_table = PARAM_TABLE(create_params, FALSE, NULL);

static const Param update_params[] = {
    {"description", PARAM_STRING, PARAM_NULL, 1000, NULL},
    {"resolved", PARAM_BOOL, 0, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable blocker_update_table = PARAM_TABLE(update_params, TRUE, NULL);

static gboolean
check(Call *call, const json_t *given)
{
    const char *description = body_text(given, "description");

    return !body_has(given, "description") || (description && *description)
               ? TRUE
               : call_fail_field(call, "description", "Description can't be blank"); /* (unsure) */
}

gint64
blocker_insert(Call *call, gint64 story_id, const json_t *given)
{
    gint64 id;

    if (!check(call, given)) {
        return 0;
    }
    (void)row_run(call->conn,
                  "INSERT INTO blocker(story_id, person_id, description, resolved, created_at,"
                  " updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
                  "iitbi", story_id, call->person_id, body_text(given, "description"),
                  body_bool(given, "resolved", FALSE), change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_blocker, id);
    return id;
}

void
blockers_resolve(Call *call, gint64 story_id)
{
    g_autoptr(GArray) ids = render_ids(blocking_prepare(call->conn, story_id));

    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);

        change_touch(call, &kind_blocker, id);
        (void)row_run(call->conn, "UPDATE blocker SET resolved = 1 WHERE id = ?1", "i", id);
    }
}

/* The activities' words for blockers are unknown (unsure): they follow those for tasks. */
static gboolean
finish(Call *call, const char *activity_kind, const char *verb, const char *description)
{
    change_subject(call, &kind_story, call->story_id);
    change_describe(call, activity_kind, verb, "%s \"%s\"", verb, description);
    return change_close(call);
}

gboolean
write_blocker_create(Call *call)
{
    gint64 id = blocker_insert(call, call->story_id, call->given);

    return id &&
           finish(call, "blocker_create_activity",
                  "added blocker:", body_text(call->given, "description")) &&
           call_answer_one(call, &kind_blocker, id);
}

/* The description of the path's blocker, owned; NULL and 404. */
static char *
load(Call *call)
{
    char *description = row_text(call->conn,
                                 "SELECT COALESCE(description, '') FROM blocker"
                                 " WHERE id = ?1 AND story_id = ?2",
                                 "ii", call->id, call->story_id);

    if (!description) {
        (void)call_fail(call, PROBLEM_UNFOUND);
    }
    return description;
}

gboolean
write_blocker_update(Call *call)
{
    const json_t *given = call->given;
    g_autofree char *description = load(call);
    const char *verb = "edited blocker:";

    if (!description || !check(call, given)) {
        return FALSE;
    }
    change_touch(call, &kind_blocker, call->id);
    if (body_has(given, "description")) {
        g_free(description);
        description = g_strdup(body_text(given, "description"));
    } else {
        verb = body_bool(given, "resolved", FALSE) ? "resolved blocker:" : "unresolved blocker:";
    }
    (void)row_run(call->conn, "UPDATE blocker SET description = ?2 WHERE id = ?1", "it", call->id,
                  description);
    if (body_has(given, "resolved")) {
        (void)row_run(call->conn, "UPDATE blocker SET resolved = ?2 WHERE id = ?1", "ib", call->id,
                      body_bool(given, "resolved", FALSE));
    }
    return finish(call, "blocker_update_activity", verb, description) &&
           call_answer_one(call, &kind_blocker, call->id);
}

gboolean
write_blocker_delete(Call *call)
{
    g_autofree char *description = load(call);

    if (!description) {
        return FALSE;
    }
    change_deleted(call, &kind_blocker, call->id);
    (void)row_run(call->conn, "DELETE FROM blocker WHERE id = ?1", "i", call->id);
    call->no_content = TRUE;
    return finish(call, "blocker_delete_activity", "deleted blocker:", description);
}

/* Reviews of a story. The type is one of the project's, the reviewer one of its members. */
#include "tracker/parts.h"
#include "tracker/routes.h"

#include "tracker/rows.h"

#define STATUSES "unstarted,in_review,pass,revise"

static const Param update_params[] = {
    {"review_type_id", PARAM_INT, 0, 0, NULL},
    {"reviewer_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"status", PARAM_ENUM, 0, 0, STATUSES},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable review_update_table = PARAM_TABLE(update_params, TRUE, NULL);

static const Param create_params[] = {
    {"review_type_id", PARAM_INT, PARAM_REQUIRED, 0, NULL},
    {"reviewer_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"status", PARAM_ENUM, 0, 0, STATUSES},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable review_create_table = PARAM_TABLE(create_params, FALSE, NULL);

/* Texts after the one for labels (unsure). */
static gboolean
check(Call *call, const json_t *given)
{
    gint64 type = body_int(given, "review_type_id", 0), person = body_int(given, "reviewer_id", 0);
    g_autofree char *text = NULL;

    if (body_has(given, "review_type_id") &&
        !row_int(call->conn, "SELECT 1 FROM review_type WHERE id = ?1 AND project_id = ?2", "ii",
                 type, call->project_id)) {
        text = g_strdup_printf(
            "Review type with id=%" G_GINT64_FORMAT " does not exist within this project", type);
        return call_fail_field(call, "review_type_id", text);
    }
    if (body_has(given, "reviewer_id") && !body_is_null(given, "reviewer_id") &&
        call_role_of(call, call->project_id, person) == ROLE_NONE) {
        text = g_strdup_printf(
            "Person with id=%" G_GINT64_FORMAT " does not exist within this project", person);
        return call_fail_field(call, "reviewer_id", text);
    }
    return TRUE;
}

gint64
review_insert(Call *call, gint64 story_id, const json_t *given)
{
    const char *status = body_text(given, "status");
    gint64 id;

    if (!check(call, given)) {
        return 0;
    }
    (void)row_run(call->conn,
                  "INSERT INTO review(story_id, review_type_id, reviewer_id, status, created_at,"
                  " updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
                  "iiIti", story_id, body_int(given, "review_type_id", 0),
                  body_int(given, "reviewer_id", 0), status ? status : "unstarted",
                  change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_review, id);
    return id;
}

/* The name of the review's type. */
static char *
type_name(Call *call, gint64 review_id)
{
    return row_text(call->conn,
                    "SELECT COALESCE((SELECT t.name FROM review r JOIN review_type t"
                    " ON t.id = r.review_type_id WHERE r.id = ?1), '')",
                    "i", review_id);
}

/* The activities' words for reviews are unknown (unsure). */
static gboolean
finish(Call *call, const char *activity_kind, const char *verb, const char *name)
{
    change_subject(call, &kind_story, call->story_id);
    change_describe(call, activity_kind, verb, "%s %s", verb, name);
    return change_close(call);
}

gboolean
write_review_create(Call *call)
{
    gint64 id = review_insert(call, call->story_id, call->given);
    g_autofree char *name = id ? type_name(call, id) : NULL;

    return id && finish(call, "review_create_activity", "added review:", name) &&
           call_answer_one(call, &kind_review, id);
}

static gboolean
enter_review(Call *call)
{
    return row_int(call->conn, "SELECT 1 FROM review WHERE id = ?1 AND story_id = ?2", "ii",
                   call->id, call->story_id) != 0 ||
           call_fail(call, PROBLEM_UNFOUND);
}

gboolean
write_review_update(Call *call)
{
    const json_t *given = call->given;
    g_autofree char *name = NULL;

    if (!enter_review(call) || !check(call, given)) {
        return FALSE;
    }
    change_touch(call, &kind_review, call->id);
    if (body_has(given, "review_type_id")) {
        (void)row_run(call->conn, "UPDATE review SET review_type_id = ?2 WHERE id = ?1", "ii",
                      call->id, body_int(given, "review_type_id", 0));
    }
    if (body_has(given, "reviewer_id")) {
        (void)row_run(call->conn, "UPDATE review SET reviewer_id = ?2 WHERE id = ?1", "iI",
                      call->id, body_int(given, "reviewer_id", 0));
    }
    if (body_has(given, "status")) {
        (void)row_run(call->conn, "UPDATE review SET status = ?2 WHERE id = ?1", "it", call->id,
                      body_text(given, "status"));
    }
    name = type_name(call, call->id);
    return finish(call, "review_update_activity", "edited review:", name) &&
           call_answer_one(call, &kind_review, call->id);
}

gboolean
write_review_delete(Call *call)
{
    g_autofree char *name = NULL;

    if (!enter_review(call)) {
        return FALSE;
    }
    name = type_name(call, call->id);
    change_deleted(call, &kind_review, call->id);
    (void)row_run(call->conn, "DELETE FROM review WHERE id = ?1", "i", call->id);
    call->no_content = TRUE;
    return finish(call, "review_delete_activity", "deleted review:", name);
}

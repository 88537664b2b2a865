/* Comments on stories and epics, and the files on them.
 *
 * Only the author edits a comment; its author or an owner of the project deletes it or something
 * on it. Who comments follows from then on, and so does who is mentioned. */
#include "tracker/parts.h"
#include "tracker/routes.h"

#include <string.h>

#include "tracker/mentions.h"
#include "tracker/rows.h"

static const Param create_params[] = {
    {"text", PARAM_EXTENDED_STRING, PARAM_NULL, 20000, NULL},
    {"file_attachments", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"file_attachment_ids", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"google_attachments", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"person_id", PARAM_INT, 0, 0, NULL},
    {"commit_identifier", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"commit_type", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable comment_create_table = PARAM_TABLE(create_params, FALSE, NULL);

static const Param update_params[] = {
    {"text", PARAM_EXTENDED_STRING, PARAM_NULL, 20000, NULL},
    {"file_attachment_ids_to_add", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"file_attachment_ids_to_remove", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"google_attachment_ids_to_remove", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"attachments_to_add", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"attachment_ids_to_remove", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
const ParamTable comment_update_table = PARAM_TABLE(update_params, TRUE, NULL);

/* Attachments are given back as they were answered, so more is in them than counts. `type` is how
 * the documentation had it, `kind` how answers have it. */
static const Param google_params[] = {
    {"id", PARAM_INT, 0, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"type", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"comment_id", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"person_id", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"google_kind", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"title", PARAM_STRING, PARAM_NULL, 1000, NULL},
    {"google_id", PARAM_STRING, PARAM_NULL, 1000, NULL},
    {"alternate_link", PARAM_STRING, PARAM_NULL, 5000, NULL},
    {"resource_id", PARAM_STRING, PARAM_NULL, 1000, NULL},
};
static const ParamTable google_table = PARAM_TABLE(google_params, FALSE, NULL);

/* ---- followers ---- */

void
followers_add(Call *call, const Kind *parent, gint64 parent_id, const GArray *person_ids)
{
    gboolean of_story = parent == &kind_story;

    if (!row_int(call->conn, "SELECT COALESCE(enable_following, 1) FROM project WHERE id = ?1", "i",
                 call->project_id)) {
        return;
    }
    for (guint i = 0; i < person_ids->len; i++) {
        (void)row_run(call->conn,
                      of_story ? "INSERT OR IGNORE INTO story_follower(story_id, person_id)"
                                 " VALUES(?1, ?2)"
                               : "INSERT OR IGNORE INTO epic_follower(epic_id, person_id)"
                                 " VALUES(?1, ?2)",
                      "ii", parent_id, g_array_index(person_ids, gint64, i));
    }
}

static void
follow(Call *call, const Kind *parent, gint64 parent_id, gint64 author_id, const char *text)
{
    g_autoptr(GArray) ids = mentions_in(call, call->project_id, text);

    if (author_id) {
        g_array_append_val(ids, author_id);
    }
    followers_add(call, parent, parent_id, ids);
}

/* ---- attachments ---- */

/* The texts for attachments are after the one for labels (unsure). */
static gboolean
fail_attachment(Call *call, const char *what, gint64 id)
{
    g_autofree char *text = g_strdup_printf(
        "%s with id=%" G_GINT64_FORMAT " does not exist within this project", what, id);

    return call_fail_text(call, text);
}

static gboolean
attach_file(Call *call, gint64 comment_id, gint64 file_id)
{
    if (!row_int(call->conn,
                 "SELECT 1 FROM file_attachment WHERE id = ?1 AND project_id = ?2"
                 " AND (comment_id IS NULL OR comment_id = ?3)",
                 "iii", file_id, call->project_id, comment_id)) {
        return fail_attachment(call, "File attachment", file_id);
    }
    return row_run(call->conn, "UPDATE file_attachment SET comment_id = ?2 WHERE id = ?1", "ii",
                   file_id, comment_id);
}

static gboolean
attach_google(Call *call, gint64 comment_id, json_t *object)
{
    if (!body_check(call, object, &google_table, "google_attachments")) {
        return FALSE;
    }
    return row_run(call->conn,
                   "INSERT INTO google_attachment(comment_id, person_id, google_kind, title,"
                   " google_id, alternate_link, resource_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                   "iittttt", comment_id, call->person_id, body_text(object, "google_kind"),
                   body_text(object, "title"), body_text(object, "google_id"),
                   body_text(object, "alternate_link"), body_text(object, "resource_id"));
}

static gboolean
is_google(const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const char *type = json_string_value(json_object_get(object, "type"));

    return g_strcmp0(kind, "google_attachment") == 0 || g_strcmp0(type, "google_attachment") == 0;
}

/* Elements of file_attachments, google_attachments or attachments_to_add. */
static gboolean
attach_list(Call *call, gint64 comment_id, const json_t *list, const char *what, gboolean google)
{
    json_t *object;
    gsize i;

    json_array_foreach(list, i, object)
    {
        const json_t *id = json_object_get(object, "id");
        gboolean ok;

        if (google || is_google(object)) {
            ok = attach_google(call, comment_id, object);
        } else if (json_is_integer(id)) {
            ok = attach_file(call, comment_id, json_integer_value(id));
        } else {
            g_autofree char *text = g_strdup_printf("Can't use content of '%s' parameter.", what);

            ok = call_fail_text(call, text);
        }
        if (!ok) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
attach_ids(Call *call, gint64 comment_id, const json_t *given, const char *name)
{
    g_autoptr(GArray) ids = body_ids(given, name);

    for (guint i = 0; i < ids->len; i++) {
        if (!attach_file(call, comment_id, g_array_index(ids, gint64, i))) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
has_row(Call *call, const char *sql, gint64 id, gint64 comment_id)
{
    return row_int(call->conn, sql, "ii", id, comment_id) != 0;
}

/* Takes a file or a Google document (0 for "whichever it is": `kind` NULL) off the comment. */
static gboolean
detach(Call *call, gint64 comment_id, const Kind *kind, gint64 id)
{
    static const char file_sql[] =
        "SELECT 1 FROM file_attachment WHERE id = ?1 AND comment_id = ?2";
    static const char google_sql[] =
        "SELECT 1 FROM google_attachment WHERE id = ?1 AND comment_id = ?2";

    if (kind != &kind_google_attachment && has_row(call, file_sql, id, comment_id)) {
        change_deleted(call, &kind_file_attachment, id);
        return row_run(call->conn, "DELETE FROM file_attachment WHERE id = ?1", "i", id);
    }
    if (kind != &kind_file_attachment && has_row(call, google_sql, id, comment_id)) {
        change_deleted(call, &kind_google_attachment, id);
        return row_run(call->conn, "DELETE FROM google_attachment WHERE id = ?1", "i", id);
    }
    return FALSE;
}

static gboolean
detach_ids(Call *call, gint64 comment_id, const json_t *given, const char *name, const Kind *kind)
{
    g_autoptr(GArray) ids = body_ids(given, name);

    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);

        if (!detach(call, comment_id, kind, id)) {
            return fail_attachment(
                call, kind == &kind_google_attachment ? "Google attachment" : "File attachment",
                id);
        }
    }
    return TRUE;
}

static gboolean
has_attachments(Call *call, gint64 comment_id)
{
    return row_int(call->conn,
                   "SELECT EXISTS(SELECT 1 FROM file_attachment WHERE comment_id = ?1)"
                   " OR EXISTS(SELECT 1 FROM google_attachment WHERE comment_id = ?1)",
                   "i", comment_id) != 0;
}

/* ---- create ---- */

/* The caller, or whom an owner names: the reference is unsure, and presumes it so. */
static gboolean
author_of(Call *call, const json_t *given, gint64 *ret_id)
{
    *ret_id = body_int(given, "person_id", call->person_id);
    if (*ret_id == call->person_id) {
        return TRUE;
    }
    if (call->role < ROLE_OWNER) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    if (call_role_of(call, call->project_id, *ret_id) == ROLE_NONE) {
        g_autofree char *text = g_strdup_printf(
            "Person with id=%" G_GINT64_FORMAT " does not exist within this project", *ret_id);

        return call_fail_field(call, "person_id", text);
    }
    return TRUE;
}

static gboolean
is_empty(const json_t *given)
{
    const char *text = body_text(given, "text");

    return (!text || *text == '\0') &&
           json_array_size(json_object_get(given, "file_attachments")) == 0 &&
           json_array_size(json_object_get(given, "file_attachment_ids")) == 0 &&
           json_array_size(json_object_get(given, "google_attachments")) == 0;
}

gint64
comment_insert(Call *call, const Kind *parent, gint64 parent_id, const json_t *given)
{
    gboolean of_story = parent == &kind_story;
    const char *text = body_text(given, "text");
    gint64 author_id, id;

    if (is_empty(given)) {
        (void)call_fail_text(call,
                             "this endpoint requires at least one of the following parameters: "
                             "file_attachments, google_attachments, text");
        return 0;
    }
    if (!author_of(call, given, &author_id)) {
        return 0;
    }
    change_touch(call, parent, parent_id);
    (void)row_run(call->conn,
                  "INSERT INTO comment(story_id, epic_id, text, person_id, commit_identifier,"
                  " commit_type, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                  "IItitti", of_story ? parent_id : 0, of_story ? 0 : parent_id, text, author_id,
                  body_text(given, "commit_identifier"), body_text(given, "commit_type"),
                  change_now(call));
    id = db_last_id(call->conn);
    if (!attach_list(call, id, json_object_get(given, "file_attachments"), "file_attachments",
                     FALSE) ||
        !attach_ids(call, id, given, "file_attachment_ids") ||
        !attach_list(call, id, json_object_get(given, "google_attachments"), "google_attachments",
                     TRUE)) {
        return 0;
    }
    change_created(call, &kind_comment, id);
    follow(call, parent, parent_id, author_id, text);
    return id;
}

static const Kind *
parent_kind(const Call *call)
{
    return call->story_id ? &kind_story : &kind_epic;
}

static gint64
parent_id(const Call *call)
{
    return call->story_id ? call->story_id : call->epic_id;
}

gboolean
write_comment_create(Call *call)
{
    gint64 id = comment_insert(call, parent_kind(call), parent_id(call), call->given);
    const char *text = body_text(call->given, "text");

    if (!id) {
        return FALSE;
    }
    change_subject(call, parent_kind(call), parent_id(call));
    change_describe(call, "comment_create_activity", "added comment:", "added comment: \"%s\"",
                    text ? text : "");
    return change_close(call) && call_answer_one(call, &kind_comment, id);
}

/* ---- update and delete ---- */

/* The comment of the path: it must be there, and the caller's unless an owner will do. */
static gboolean
enter_comment(Call *call, gint64 comment_id, gboolean owner_will_do)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT person_id FROM comment WHERE id = ?1 AND (story_id = ?2 OR epic_id = "
                    "?3)");

    db_bind_int(stmt, 1, comment_id);
    db_bind_int(stmt, 2, call->story_id ? call->story_id : -1);
    db_bind_int(stmt, 3, call->story_id ? -1 : call->epic_id);
    if (!db_next(stmt)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    return db_int(stmt, 0) == call->person_id || (owner_will_do && call->role == ROLE_OWNER)
               ? TRUE
               : call_fail(call, PROBLEM_UNAUTHORIZED);
}

gboolean
write_comment_update(Call *call)
{
    const json_t *given = call->given;
    gint64 id = call->id;

    if (!enter_comment(call, id, FALSE)) {
        return FALSE;
    }
    change_touch(call, &kind_comment, id);
    if (!attach_ids(call, id, given, "file_attachment_ids_to_add") ||
        !attach_list(call, id, json_object_get(given, "attachments_to_add"), "attachments_to_add",
                     FALSE) ||
        !detach_ids(call, id, given, "file_attachment_ids_to_remove", &kind_file_attachment) ||
        !detach_ids(call, id, given, "google_attachment_ids_to_remove", &kind_google_attachment) ||
        !detach_ids(call, id, given, "attachment_ids_to_remove", NULL)) {
        return FALSE;
    }
    if (body_has(given, "text")) {
        const char *text = body_text(given, "text");

        if ((!text || *text == '\0') && !has_attachments(call, id)) {
            return call_fail_field(call, "text", "Text can't be blank"); /* (unsure) */
        }
        (void)row_run(call->conn, "UPDATE comment SET text = ?2 WHERE id = ?1", "it", id, text);
        follow(call, parent_kind(call), parent_id(call), 0, text);
    }
    change_subject(call, parent_kind(call), parent_id(call));
    change_describe(call, "comment_update_activity", "edited", "edited this comment");
    return change_close(call) && call_answer_one(call, &kind_comment, id);
}

/* The names of the files on a comment, as a deletion is told; "" without any. Announces them. */
static char *
deleted_files(Call *call, gint64 comment_id)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT id, filename FROM file_attachment WHERE comment_id = ?1 ORDER BY id");

    db_bind_int(stmt, 1, comment_id);
    while (db_next(stmt)) {
        change_deleted(call, &kind_file_attachment, db_int(stmt, 0));
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", db_text(stmt, 1));
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

gboolean
write_comment_delete(Call *call)
{
    gint64 id = call->id;
    g_autofree char *text = NULL, *files = NULL;

    if (!enter_comment(call, id, TRUE)) {
        return FALSE;
    }
    text = row_text(call->conn, "SELECT text FROM comment WHERE id = ?1", "i", id);
    change_deleted(call, &kind_comment, id);
    files = deleted_files(call, id);
    (void)row_run(call->conn, "DELETE FROM file_attachment WHERE comment_id = ?1", "i", id);
    (void)row_run(call->conn, "DELETE FROM google_attachment WHERE comment_id = ?1", "i", id);
    (void)row_run(call->conn, "DELETE FROM comment WHERE id = ?1", "i", id);
    change_subject(call, parent_kind(call), parent_id(call));
    if (text || !*files) {
        change_describe(call, "comment_delete_activity",
                        "deleted comment:", "deleted comment: \"%s\"", text ? text : "");
    } else { /* only files, as recorded */
        change_describe(call, "comment_delete_activity", "deleted:", "deleted: %s", files);
    }
    call->no_content = TRUE;
    return change_close(call);
}

static gboolean
delete_attachment(Call *call, const Kind *kind)
{
    if (!enter_comment(call, call->comment_id, TRUE)) {
        return FALSE;
    }
    change_touch(call, &kind_comment, call->comment_id);
    if (!detach(call, call->comment_id, kind, call->id)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    change_subject(call, parent_kind(call), parent_id(call));
    change_describe(call, "comment_update_activity", "edited", "edited this comment");
    call->no_content = TRUE;
    return change_close(call);
}

gboolean
write_comment_file_delete(Call *call)
{
    return delete_attachment(call, &kind_file_attachment);
}

gboolean
write_comment_google_delete(Call *call)
{
    return delete_attachment(call, &kind_google_attachment);
}

/* How: each call is one write transaction on a connection of the pool. */
#include "tracker/users.h"

#include "tracker/auth.h"
#include "tracker/changes.h"
#include "tracker/people.h"
#include "tracker/rows.h"
#include "tracker/write_membership.h"

#include <string.h>

static gboolean bad_input(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
bad_input(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, text);
    return FALSE;
}

static gboolean
is_plain_text(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL) || *text == '\0' ||
        g_utf8_strlen(text, -1) > USERS_MAX_TEXT_CHARS) {
        return FALSE;
    }
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- finding ---- */

/* The single id that `sql` finds for `text` (?1) or `id` (?2); 0: none, -1: several. */
static gint64
find_single(DbConn *conn, const char *sql, const char *text)
{
    gint64 id = 0;
    if (!g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &id, NULL)) {
        id = 0;
    }
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    db_bind_text(stmt, 1, text);
    db_bind_int(stmt, 2, id);
    gint64 found = db_next(stmt) ? db_int(stmt, 0) : 0;
    return found > 0 && db_next(stmt) ? -1 : found;
}

static gint64
report_find(DbConn *conn, gint64 found, const char *what, const char *text, GError **error)
{
    if (!db_check(conn, error)) {
        return 0;
    }
    if (found == 0) {
        (void)bad_input(error, "there is no %s “%s” in this database", what, text);
    } else if (found < 0) {
        (void)bad_input(error, "there is more than one %s “%s”: give the id", what, text);
    }
    return MAX(found, 0);
}

gint64
users_find_person(DbConn *conn, const char *user, GError **error)
{
    if (!g_utf8_validate(user, -1, NULL)) {
        (void)bad_input(error, "the name of the user is not UTF-8");
        return 0;
    }
    gint64 found = find_single(conn,
                               "SELECT id FROM person WHERE id = ?2 OR username = ?1"
                               " OR email = ?1 COLLATE NOCASE",
                               user);
    if (found == 0) {
        found = find_single(conn, "SELECT id FROM person WHERE name = ?1 OR id = ?2", user);
    }
    return report_find(conn, found, "user", user, error);
}

gint64
users_find_project(DbConn *conn, const char *project, GError **error)
{
    if (!g_utf8_validate(project, -1, NULL)) {
        (void)bad_input(error, "the name of the project is not UTF-8");
        return 0;
    }
    gint64 found = find_single(conn, "SELECT id FROM project WHERE name = ?1 OR id = ?2", project);
    return report_find(conn, found, "project", project, error);
}

/* ---- people ---- */

static gboolean
check_person_is_new(DbConn *conn, const char *name, const char *email, GError **error)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        conn, "SELECT name = ?1 OR username = ?1 FROM person"
              " WHERE name = ?1 OR username = ?1 OR (?2 <> '' AND email = ?2 COLLATE NOCASE)");
    db_bind_text(stmt, 1, name);
    db_bind_text(stmt, 2, email ? email : "");
    if (!db_next(stmt)) {
        return db_check(conn, error);
    }
    return db_int(stmt, 0) != 0
               ? bad_input(error, "there is a user “%s” already", name)
               : bad_input(error, "there is a user with the address “%s” already", email);
}

gint64
users_add_person(Db *db, const char *name, const char *email, gint64 now_ms, GError **error)
{
    if (!is_plain_text(name)) {
        (void)bad_input(error, "a user's name is 1 to %d characters of text", USERS_MAX_TEXT_CHARS);
        return 0;
    }
    if (email && (!is_plain_text(email) || !people_email_is_valid(email))) {
        (void)bad_input(error, "“%s” is no e-mail address", email);
        return 0;
    }
    g_autoptr(DbConn) conn = db_take(db, error);
    if (!conn || !db_begin(conn, DB_WRITE, error) ||
        !check_person_is_new(conn, name, email, error)) {
        return 0;
    }
    gint64 id = people_add(conn, name, email, NULL, now_ms);
    return db_commit(conn, error) ? id : 0;
}

char *
users_add_token(Db *db, const char *user, gint64 now_ms, GError **error)
{
    g_autoptr(DbConn) conn = db_take(db, error);
    if (!conn || !db_begin(conn, DB_WRITE, error)) {
        return NULL;
    }
    gint64 person_id = users_find_person(conn, user, error);
    if (person_id == 0) {
        return NULL;
    }
    g_autofree char *token = auth_token_new();
    (void)auth_token_add(conn, person_id, token, "serve --add-token", now_ms);
    return db_commit(conn, error) ? g_steal_pointer(&token) : NULL;
}

/* ---- memberships ---- */

/* A request that nobody sent: the person acts on their own membership, so that the change is told
 * like any other (tracker/changes.h). */
static gboolean
set_role(Call *call, const char *role)
{
    g_autofree char *name = people_name(call->conn, call->person_id);
    gint64 id =
        row_int(call->conn, "SELECT id FROM membership WHERE project_id = ?1 AND person_id = ?2",
                "ii", call->project_id, call->person_id);

    change_subject(call, &kind_project, call->project_id);
    if (id) {
        change_touch(call, &kind_membership, id);
        (void)row_run(call->conn, "UPDATE membership SET role = ?2 WHERE id = ?1", "it", id, role);
        change_describe(call, "project_membership_update_activity", "changed",
                        "changed the role of %s to %s", name, role);
    } else {
        id = membership_add(call, call->project_id, call->person_id, role, NULL);
        change_created(call, &kind_membership, id);
        change_describe(call, "project_membership_create_activity", "joined",
                        "joined the project as %s", role);
    }
    return change_close(call);
}

gboolean
users_add_member(Db *db, const char *user, const char *project, const char *role, gint64 now_ms,
                 GError **error)
{
    static const char *const roles[] = {"owner", "member", "viewer", NULL};
    if (!g_strv_contains(roles, role)) {
        return bad_input(error, "“%s” is no role: owner, member or viewer", role);
    }
    g_autoptr(DbConn) conn = db_take(db, error);
    if (!conn || !db_begin(conn, DB_WRITE, error)) {
        return FALSE;
    }
    Call call = {.conn = conn, .now_ms = now_ms, .file_fd = -1};
    call.render.conn = conn;
    call.render.now_ms = now_ms;
    call.person_id = users_find_person(conn, user, error);
    if (call.person_id == 0) {
        return FALSE;
    }
    call.project_id = users_find_project(conn, project, error);
    if (call.project_id == 0) {
        return FALSE;
    }
    (void)set_role(&call, role);
    call_clear(&call);
    return db_commit(conn, error);
}

/* How: each call is one write transaction on a connection of the pool. New ids follow the largest
 * of their kind, as everywhere in the tracker. */
#include "tracker/users.h"

#include "tracker/auth.h"
#include "tracker/people.h"

#include <jansson.h>
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

static gint64
next_id(DbConn *conn, const char *sql)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    return db_next(stmt) ? db_int(stmt, 0) + 1 : 1;
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

typedef struct {
    gint64 id; /* of the membership; 0: there was none */
    gint64 person_id, project_id;
    char *old_role, *person_name, *person_initials;
} Member;

static void
member_clear(Member *member)
{
    g_free(member->old_role);
    g_free(member->person_name);
    g_free(member->person_initials);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Member, member_clear)

static void
read_member(DbConn *conn, Member *member)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        conn, "SELECT p.name, p.initials, m.id, m.role FROM person p LEFT JOIN membership m"
              " ON m.person_id = p.id AND m.project_id = ?2 WHERE p.id = ?1");
    db_bind_int(stmt, 1, member->person_id);
    db_bind_int(stmt, 2, member->project_id);
    if (db_next(stmt)) {
        member->person_name = g_strdup(db_text(stmt, 0));
        member->person_initials = g_strdup(db_text(stmt, 1));
        member->id = db_int(stmt, 2);
        member->old_role = g_strdup(db_text(stmt, 3));
    }
}

static void
write_member(DbConn *conn, Member *member, const char *role, gint64 now_ms)
{
    gboolean is_new = member->id == 0;
    if (is_new) {
        member->id = next_id(conn, "SELECT coalesce(max(id), 0) FROM membership");
    }
    g_autoptr(DbStmt) stmt = db_prepare(
        conn, is_new ? "INSERT INTO membership(id, role, updated_at, project_id, person_id,"
                       " created_at, favorite, wants_comment_notification_emails,"
                       " will_receive_mention_notifications_or_emails)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?3, 0, 0, 1)"
                     : "UPDATE membership SET role = ?2, updated_at = ?3 WHERE id = ?1");
    db_bind_int(stmt, 1, member->id);
    db_bind_text(stmt, 2, role);
    db_bind_int(stmt, 3, now_ms);
    if (is_new) {
        db_bind_int(stmt, 4, member->project_id);
        db_bind_int(stmt, 5, member->person_id);
    }
    (void)db_run(stmt);
}

static char *
iso_time(gint64 ms)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(ms / 1000);
    return when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
}

/* The `changes` of the activity; owned. */
static char *
changes_of(const Member *member, const char *role, gint64 now_ms)
{
    g_autofree char *now = iso_time(now_ms);
    json_t *change =
        json_pack("{s:s, s:s, s:I}", "kind", "project_membership", "change_type",
                  member->old_role ? "update" : "create", "id", (json_int_t)member->id);
    json_t *values = json_pack("{s:s, s:s}", "role", role, "updated_at", now);
    if (member->old_role) {
        (void)json_object_set_new(change, "original_values",
                                  json_pack("{s:s}", "role", member->old_role));
    } else {
        (void)json_object_set_new(values, "id", json_integer(member->id));
        (void)json_object_set_new(values, "person_id", json_integer(member->person_id));
        (void)json_object_set_new(values, "project_id", json_integer(member->project_id));
        (void)json_object_set_new(values, "created_at", json_string(now));
    }
    (void)json_object_set_new(change, "new_values", values);
    json_t *list = json_pack("[o]", change);
    char *text = json_dumps(list, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text); /* jansson allocates with malloc() */
    json_decref(list);
    return copy;
}

static char *
primary_resources_of(const Member *member)
{
    json_t *list = json_pack("[{s:s, s:I, s:s?}]", "kind", "person", "id",
                             (json_int_t)member->person_id, "name", member->person_name);
    if (member->person_initials) {
        (void)json_object_set_new(json_array_get(list, 0), "initials",
                                  json_string(member->person_initials));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text); /* jansson allocates with malloc() */
    json_decref(list);
    return copy;
}

/* Nobody is logged in where this happens: the person acts on their own membership. */
static void
write_activity(DbConn *conn, const Member *member, const char *role, gint64 now_ms)
{
    const char *name = member->person_name ? member->person_name : "Somebody";
    g_autofree char *message =
        member->old_role ? g_strdup_printf("%s changed the role of %s to %s", name, name, role)
                         : g_strdup_printf("%s joined the project as %s", name, role);
    g_autofree char *changes = changes_of(member, role, now_ms);
    g_autofree char *resources = primary_resources_of(member);
    g_autoptr(DbStmt) bump =
        db_prepare(conn, "UPDATE project SET version = version + 1, updated_at = ?2 WHERE id = ?1");
    db_bind_int(bump, 1, member->project_id);
    db_bind_int(bump, 2, now_ms);
    (void)db_run(bump);
    g_autoptr(DbStmt) stmt = db_prepare(
        conn, "INSERT INTO activity(project_id, version, kind, message, highlight, performed_by_id,"
              " occurred_at, changes, primary_resources, secondary_resources)"
              " SELECT id, version, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '[]' FROM project WHERE id = ?1");
    db_bind_int(stmt, 1, member->project_id);
    db_bind_text(stmt, 2,
                 member->old_role ? "project_membership_update_activity"
                                  : "project_membership_create_activity");
    db_bind_text(stmt, 3, message);
    db_bind_text(stmt, 4, member->old_role ? "changed the role" : "joined");
    db_bind_int(stmt, 5, member->person_id);
    db_bind_int(stmt, 6, now_ms);
    db_bind_text(stmt, 7, changes);
    db_bind_text(stmt, 8, resources);
    (void)db_run(stmt);
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
    g_auto(Member) member = {0};
    member.person_id = users_find_person(conn, user, error);
    if (member.person_id == 0) {
        return FALSE;
    }
    member.project_id = users_find_project(conn, project, error);
    if (member.project_id == 0) {
        return FALSE;
    }
    read_member(conn, &member);
    if (member.old_role && g_str_equal(member.old_role, role)) {
        return db_check(conn, error);
    }
    write_member(conn, &member, role, now_ms);
    write_activity(conn, &member, role, now_ms);
    return db_commit(conn, error);
}

/* people: user names are made from names; a number follows where one is taken. */
#include "tracker/people.h"

#include <string.h>

#include "tracker/rows.h"

gboolean
people_email_is_valid(const char *email)
{
    const char *at = strchr(email, '@');

    if (!at || at == email || at[1] == '\0' || strchr(at + 1, '@')) {
        return FALSE;
    }
    for (const char *c = email; *c; c = g_utf8_next_char(c)) {
        if (g_unichar_isspace(g_utf8_get_char(c)) || g_unichar_iscntrl(g_utf8_get_char(c))) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
people_username_has(gunichar c)
{
    return g_unichar_isalnum(c) || c == '_' || c == '-' || c == '.';
}

gboolean
people_username_is_valid(const char *username)
{
    for (const char *c = username; *c; c = g_utf8_next_char(c)) {
        if (!people_username_has(g_utf8_get_char(c))) {
            return FALSE;
        }
    }
    return *username != '\0';
}

gint64
people_by_email(DbConn *conn, const char *email)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT id FROM person WHERE email = ?1 COLLATE NOCASE ORDER BY id");

    db_bind_text(stmt, 1, email);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

gboolean
people_exists(DbConn *conn, gint64 person_id)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT 1 FROM person WHERE id = ?1");

    db_bind_int(stmt, 1, person_id);
    return db_next(stmt);
}

char *
people_name(DbConn *conn, gint64 person_id)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT COALESCE(name, username, email, '') FROM person WHERE id = ?1");

    db_bind_int(stmt, 1, person_id);
    return g_strdup(db_next(stmt) ? db_text(stmt, 0) : "");
}

/* "Ada Lovelace" to "AL"; owned. */
static char *
initials_of(const char *name)
{
    GString *initials = g_string_new(NULL);
    gboolean at_start = TRUE;
    for (const char *at = name; *at != '\0' && initials->len < 8; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (at_start && g_unichar_isalnum(c)) {
            g_string_append_unichar(initials, g_unichar_toupper(c));
        }
        at_start = !g_unichar_isalnum(c);
    }
    return g_string_free(initials, FALSE);
}

/* "Ada Lovelace" to "adalovelace", with a number behind it if that is taken; owned. */
static char *
username_of(DbConn *conn, const char *name)
{
    g_autoptr(GString) base = g_string_new(NULL);
    for (const char *at = name; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (people_username_has(c)) {
            g_string_append_unichar(base, g_unichar_tolower(c));
        }
    }
    if (base->len == 0) {
        g_string_assign(base, "user");
    }
    char *username = g_strdup(base->str);
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT count(*) FROM person WHERE username = ?1");
    for (guint n = 2; n < 10000; n++) {
        db_bind_text(stmt, 1, username);
        gboolean taken = db_next(stmt) && db_int(stmt, 0) > 0;
        (void)db_run(stmt);
        if (!taken) {
            break;
        }
        g_free(username);
        username = g_strdup_printf("%s%u", base->str, n);
    }
    return username;
}

gint64
people_add(DbConn *conn, const char *name, const char *email, const char *initials, gint64 now_ms)
{
    g_autofree char *made = initials ? NULL : initials_of(name);
    g_autofree char *username = username_of(conn, name);

    (void)row_run(conn,
                  "INSERT INTO person(name, email, initials, username, created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
                  "tttti", name, email, initials ? initials : made, username, now_ms);
    return db_last_id(conn);
}

/* people: finding and making the persons that memberships and invitations name.
 *
 * Threads: with the connection; inside the caller's transaction. Errors: stick to the connection.
 * Limits: PEOPLE_MAX_*_CHARS. */
#pragma once

#include "tracker/db.h"

#define PEOPLE_MAX_NAME_CHARS 100
#define PEOPLE_MAX_EMAIL_CHARS 100
#define PEOPLE_MAX_INITIALS_CHARS 8

/* Something before and behind one "@", without spaces or control characters. */
gboolean people_email_is_valid(const char *email);
/* Letters, digits, dots, dashes and underscores: what "@name" in a text can mean. */
gboolean people_username_is_valid(const char *username);
gboolean people_username_has(gunichar c);
/* Letter case does not matter; 0: nobody. */
gint64 people_by_email(DbConn *conn, const char *email);
gboolean people_exists(DbConn *conn, gint64 person_id);
/* Owned; "" for somebody unknown. */
char *people_name(DbConn *conn, gint64 person_id);

/* A new person's id. `initials` NULL: those of the name; the user name comes from the name. */
gint64 people_add(DbConn *conn, const char *name, const char *email, const char *initials,
                  gint64 now_ms);

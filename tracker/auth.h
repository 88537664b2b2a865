/* auth: tokens and passwords, which the database knows only as hashes.
 *
 * Threads: any, with a connection of one's own. Blocks on the database; auth_password_* take some
 * 50 ms of computing on purpose. Errors: stick to the connection (tracker/db.h). */
#pragma once

#include "tracker/db.h"

/* A fresh token: 32 lower-case hex digits; owned. */
char *auth_token_new(void);
/* What the table token holds for it; owned. */
char *auth_token_hash(const char *token);
gboolean auth_token_add(DbConn *conn, gint64 person_id, const char *token, const char *note,
                        gint64 now_ms);
/* The person of a token; 0: nobody's. */
gint64 auth_token_person(DbConn *conn, const char *token);

/* What the column person.password_hash holds; owned. */
char *auth_password_hash(const char *password);
/* The person with this user name or e-mail address and password; 0: none. */
gint64 auth_password_person(DbConn *conn, const char *user, const char *password);

/* The token that GET /me gives for a password. Only hashes are kept, so it is one derived from the
 * password's hash and the database's secret: the same each time. Owned. */
char *auth_password_token(DbConn *conn, gint64 person_id);

/* users: people, their tokens and memberships, as `trackerfs serve --add-...` changes them.
 *
 * Works on a database beside whoever serves it. Threads: any; each call is one transaction. Blocks
 * on disk. Errors: TRACKER_ERROR_BAD_INPUT names what is wrong with the words given, others are
 * those of tracker/db.h; after an error nothing has changed. Limits: USERS_MAX_TEXT_CHARS. */
#pragma once

#include "tracker/db.h"

#define USERS_MAX_TEXT_CHARS 100 /* of a name or an e-mail address */

/* A new person; 0 with an error, e.g. when the name or address is taken. */
gint64 users_add_person(Db *db, const char *name, const char *email, gint64 now_ms, GError **error);

/* `user` is an id, a user name, an e-mail address or a full name. The token is shown once: only its
 * hash is kept. Owned; NULL with an error. */
char *users_add_token(Db *db, const char *user, gint64 now_ms, GError **error);

/* `project` is an id or a name; `role` owner, member or viewer. Changes the role of who is a member
 * already. Like every change, it makes an activity and a new version of the project. */
gboolean users_add_member(Db *db, const char *user, const char *project, const char *role,
                          gint64 now_ms, GError **error);

/* The id of a person or project given as above; 0 with an error. */
gint64 users_find_person(DbConn *conn, const char *user, GError **error);
gint64 users_find_project(DbConn *conn, const char *project, GError **error);

/* files: contents of attachments, in the folder beside the database, named by their SHA-256.
 *
 * A content is written whole under another name, synced and renamed, and the folder is synced,
 * before files_store() returns: so a row that names it can be committed at any time after. What
 * loses its last row is removed after the commit that took it, or by files_sweep() when that was
 * cut short. Threads: any. Blocks on disk. Errors: TRACKER_ERROR. */
#pragma once

#include "tracker/db.h"

/* *ret_hash is owned. */
gboolean files_store(Db *db, const char *data, gsize bytes, char **ret_hash, GError **error);

/* Is it (still) there? Certain inside a write transaction: only those remove contents. */
gboolean files_has(Db *db, const char *hash);

/* Removes the contents whose last row was deleted by commits so far. Outside of a transaction;
 * what fails is left for the next time. */
void files_collect(DbConn *conn);
/* Removes all contents that no row names: what crashes and failed uploads left; and what
 * files_forget_loose() forgets. */
void files_sweep(Db *db, gint64 now_ms);

/* Uploads that no comment has taken for so long are gone: each upload and each start looks. */
#define FILES_LOOSE_DAYS 30
/* Inside a write transaction; files_collect() then removes the contents. */
void files_forget_loose(DbConn *conn, gint64 now_ms);

/* What a picture says of itself: PNG, GIF or JPEG. FALSE: it is none. */
gboolean files_picture_size(const char *data, gsize bytes, int *ret_width, int *ret_height);

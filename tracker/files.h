/* files: contents of attachments, in the folder beside the database, named by their SHA-256.
 *
 * A content is written whole under another name, synced and renamed, and the folder is synced,
 * before files_store() returns: so a row that names it can be committed at any time after. What no
 * row names does no harm. Threads: any. Blocks on disk. Errors: TRACKER_ERROR. */
#pragma once

#include "tracker/db.h"

/* *ret_hash is owned. */
gboolean files_store(Db *db, const char *data, gsize bytes, char **ret_hash, GError **error);

/* What a picture says of itself: PNG, GIF or JPEG. FALSE: it is none. */
gboolean files_picture_size(const char *data, gsize bytes, int *ret_width, int *ret_height);

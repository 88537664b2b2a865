/* journal: the edits that the server does not have yet, on disk. Precious.
 *
 * One SQLite file in the state directory, WAL, synchronous=FULL: a commit that returned is on the
 * disk. Beside it `spool/`, the bytes of attachments to be uploaded. A file that is no journal of
 * ours, is damaged or of a newer version is never touched: opening fails and says what to do.
 *
 * Threads: one at a time (the clerk), except journal_spool_*(), which any may call. Errors:
 * ERR_NO_SPACE (the transaction is rolled back, nothing has changed), ERR_LOCAL, ERR_INVALID (a
 * newer version). */
#pragma once

#include "cache/edit_private.h"

typedef struct Journal Journal;

/* Of the folders in the row of `directory` (cache/folder.h) that no process uses, the first that
 * holds edits, else the first. */
Journal *journal_open(const char *directory, GError **error);
void journal_close(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_close)

/* Of Edit, by number. Spool files that belong to none are removed. NULL with `error`. */
GPtrArray *journal_load(Journal *journal, GError **error);

gboolean journal_begin(Journal *journal, GError **error);
gboolean journal_commit(Journal *journal, GError **error);
void journal_rollback(Journal *journal);
gboolean journal_put(Journal *journal, const Edit *edit, GError **error);
gboolean journal_delete(Journal *journal, gint64 number, GError **error);

/* A new spool file, read-write, and its name; both the caller's. */
int journal_spool_new(Journal *journal, char **ret_name, GError **error);
/* Its bytes and name are on the disk after this. Returns the size, -1 with `error`. */
gint64 journal_spool_sync(Journal *journal, const char *name, GError **error);
int journal_spool_open(Journal *journal, const char *name, GError **error); /* to read */
char *journal_spool_path(Journal *journal, const char *name);               /* the caller's */
void journal_spool_remove(Journal *journal, const char *name);

/* Lets the file grow by no more than `n_pages`; 0: no limit. For tests, a disk that is full. */
void journal_limit_pages_for_tests(Journal *journal, guint n_pages);

/* store: the disposable copy of the service's state, one SQLite file in WAL mode.
 *
 * Survives restarts: a remount lists and reads without a request, and without parsing JSON. It may
 * be deleted at any time; losing the last unsynced writes leaves an earlier valid state
 * (synchronous=NORMAL). A store of another schema version is replaced when it is older and refused
 * (ERR_INVALID) when it is newer.
 *
 * Threads: functions that write belong to one thread (the clerk) and run inside store_begin() and
 * store_commit(). Functions that load may run on any thread, also during a write: each takes a
 * read-only connection from a small pool and sees the last commit. Errors: ERR_LOCAL, ERR_NO_SPACE
 * (disk full: the transaction is rolled back, reading goes on). */
#pragma once

#include "cache/model.h"
#include "cache/model_json.h"

typedef struct Store Store;

Store *store_open(const char *path, GError **error);
void store_close(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

gboolean store_begin(Store *store, GError **error);
gboolean store_commit(Store *store, GError **error);
void store_rollback(Store *store);

/* `checked_ms`: wall clock of the server's confirmation, as for projects. */
gboolean store_put_account(Store *store, const Account *account, gint64 checked_ms, GError **error);

/* Head, members, labels, epics, iterations: everything of `project` but its stories; replaces what
 * is there. `checked_ms`: wall clock of the server's confirmation. `filled`: all of its stories are
 * in the store. */
gboolean store_put_project(Store *store, const Project *project, gint64 checked_ms, gboolean filled,
                           GError **error);

/* Only the time of the last confirmation. */
gboolean store_touch_project(Store *store, gint64 project_id, gint64 checked_ms, GError **error);

/* A story's own rows, replacing those of the same id (also when it was in another project). */
gboolean store_put_story(Store *store, const ParsedStory *parsed, GError **error);
gboolean store_delete_story(Store *store, gint64 story_id, GError **error);

/* The board order of a project: `rows` from top to bottom. Stories of the project that are not
 * among them are deleted: they are gone at the server. Writes only positions that differ. */
gboolean store_set_order(Store *store, gint64 project_id, StoryRow *const *rows, guint n_rows,
                         GError **error);

gboolean store_delete_project(Store *store, gint64 project_id, GError **error);

/* Activity of a project (kind 'p'), story ('s') or epic ('e'): lines not yet there are added, by
 * version. `version`: of the project when this was complete. */
gboolean store_put_activity(Store *store, char kind, gint64 id, gint64 version, GPtrArray *parsed,
                            GError **error);

/* Loading. NULL without error: not there. */
Account *store_load_account(Store *store, gint64 *ret_checked_ms, GError **error);
/* Complete with all story rows in order. */
Project *store_load_project(Store *store, gint64 project_id, gint64 *ret_checked_ms,
                            gboolean *ret_filled, GError **error);
Story *store_load_story(Store *store, gint64 story_id, GError **error);
Activity *store_load_activity(Store *store, char kind, gint64 id, gint64 *ret_version,
                              GError **error);
gint64 store_find_story_project(Store *store, gint64 story_id);
gint64 store_find_epic_project(Store *store, gint64 epic_id);

gint64 store_bytes(Store *store); /* on disk, WAL included */

/* Lets the file grow by no more than `n_pages`: for tests, a disk that is full. */
void store_limit_pages_for_tests(Store *store, guint n_pages);

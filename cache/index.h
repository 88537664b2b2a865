/* index: what is published, how old it is, what is under way, and who waits for it.
 *
 * The memory behind the door. Readers (any thread) ask it; the clerk alone publishes and finishes.
 * Each key has a slot: nothing known -> (index_ask marks it running) -> index_publish ->
 * index_finish. A failed slot repeats its error, or serves what is stored, until its back-off is
 * over (1 s, doubling to 60 s). One lock, never held across I/O, a callback or a free. */
#pragma once

#include "cache/cache.h"

typedef struct Index Index;

/* `ttl_ms` of projects; accounts live INDEX_ACCOUNT_TTL_FACTOR times as long. */
#define INDEX_ACCOUNT_TTL_FACTOR 10
#define INDEX_NEVER G_MININT64
Index *index_new(gint64 ttl_ms);
void index_free(Index *index);

/* The present snapshot when `ask` may have it (a reference), else NULL with ask->error or
 * ask->wait_for set. With *ret_start the caller starts the fetch: the slot is marked as running. */
Account *index_ask_account(Index *index, CacheAsk *ask, gboolean *ret_start);
Project *index_ask_project(Index *index, gint64 project_id, CacheAsk *ask, gboolean *ret_start);
/* The same for what is kept elsewhere and is not there (fresh enough). Returns TRUE when an old
 * copy is to be served. */
gboolean index_ask_other(Index *index, CacheKey key, gboolean have_stale, CacheAsk *ask,
                         gboolean *ret_start);
/* Marks a slot that nobody asks for yet as running; FALSE when it is, when it has data, or while it
 * backs off. */
gboolean index_begin_prefetch(Index *index, CacheKey key);

/* Marks a published slot as running, so that the caller checks it; FALSE when it is, or while it
 * backs off. */
gboolean index_begin_check(Index *index, CacheKey key);

/* Whatever is published, of any age; a reference or NULL. */
Account *index_peek_account(Index *index);
Project *index_peek_project(Index *index, gint64 project_id);
/* Of what is published; 0 when none has it. */
gint64 index_find_story_project(Index *index, gint64 story_id);
gint64 index_find_epic_project(Index *index, gint64 epic_id);
gboolean index_has(Index *index, CacheKey key);
gboolean index_is_present(Index *index, const Project *project);
gboolean index_is_present_account(Index *index, const Account *account);
/* When it was last confirmed, of clock_monotonic_ms(); INDEX_NEVER. */
gint64 index_confirmed_ms(Index *index, CacheKey key);
gint64 index_fresh_until_ms(Index *index, gint64 project_id);
/* Why the last fetch failed; NULL when it did not. The caller's. */
GError *index_dup_error(Index *index, CacheKey key);

/* Clerk only. `confirmed_ms` of clock_monotonic_ms(), `checked_ms` of clock_wall_ms(): when the
 * server confirmed it. */
void index_publish_account(Index *index, Account *account, gint64 confirmed_ms, gint64 checked_ms);
void index_publish_project(Index *index, Project *project, gint64 confirmed_ms, gint64 checked_ms);
/* The same data in another light (edits): confirmed as it was. */
void index_show_project(Index *index, Project *project);
void index_touch_project(Index *index, gint64 project_id, gint64 confirmed_ms, gint64 checked_ms);
void index_set_progress(Index *index, gint64 project_id, FillState state, guint done, guint total);
/* A long fetch goes on behind the readers: who waits is called back and served what is published.
 */
void index_refilling(Index *index, CacheKey key);
/* No longer running, and nothing learnt about the server: what was stored is now published. */
void index_loaded(Index *index, CacheKey key);
/* The server did not answer a save; for the status alone. */
void index_note_away(Index *index);
/* No longer running; `error` starts the back-off. Calls the waiters, after unlocking. */
void index_finish(Index *index, CacheKey key, const GError *error);
/* For {CACHE_EDIT, number}, from any thread: under way until index_end(), whose waiters are called
 * without an error: what became of it they ask elsewhere. */
void index_begin_edit(Index *index, gint64 number);
void index_end_edit(Index *index, gint64 number);
/* As the cache ends: calls all waiters with `error`. */
void index_finish_all(Index *index, const GError *error);

void index_wait(Index *index, CacheKey key, CacheDoneFn done, gpointer user);
gboolean index_cancel_wait(Index *index, CacheKey key, gpointer user);

/* The projects and `online` of `status`. */
void index_fill_status(Index *index, CacheStatus *status);

/* cache: the only door between the mounted tree and a V5 service.
 *
 * Owns: the index of every project (in memory), the store (SQLite, disposable), the files of
 * fetched attachments, the clerk thread and the transport it was given. Knows nothing of FUSE.
 *
 * Asking. The cache_get_* functions never block on the network. They return a snapshot (a
 * reference, the caller's) or NULL. With NULL, either `ask->error` is set (the caller's), or
 * `ask->wait_for` names what is on its way: pass it to cache_wait() and ask again when called back.
 * So an operation is written as straight code that is simply run again:
 *
 *     CacheAsk ask = { .since_ms = when_the_operation_began };
 *     Project *project = cache_get_project(cache, id, &ask);
 *     if (!project && ask.wait_for.kind != CACHE_NOTHING) -> cache_wait(...), later: once more from
 * the top
 *
 * Freshness. A project's data is served as it is while it was confirmed by the server less than the
 * TTL ago, or since `since_ms` (so that a repeated operation ends even with a TTL of 0). Older data
 * makes the getter start one activity request and return NULL with `have_stale` set; with
 * `stale_ok` it is served at once and nothing is waited for (stat does so; so does an operation
 * whose patience is over). When the server cannot be reached, stored data of any age is served and
 * the next attempt is made after a back-off.
 *
 * Threads: any may call; callbacks arrive on the clerk thread, hold no lock, and must be short.
 * Reading from the store happens on the caller's thread (a read-only connection of a small pool).
 * Limits: see CacheConfig. Errors: ERR_* of cache/base/err.h. */
#pragma once

#include "cache/model.h"
#include "cache/transport.h"

typedef struct Cache Cache;

typedef enum {
    CACHE_NOTHING,
    CACHE_ACCOUNT,
    CACHE_PROJECT,          /* id = project */
    CACHE_PROJECT_ACTIVITY, /* id = project */
    CACHE_STORY_ACTIVITY,   /* id = story */
    CACHE_EPIC_ACTIVITY,    /* id = epic */
    CACHE_ATTACHMENT,       /* id = attachment */
} CacheKind;

typedef struct CacheKey {
    CacheKind kind;
    gint64 id;
} CacheKey;

typedef struct CacheAsk {
    gint64 since_ms;     /* in: of clock_monotonic_ms() */
    gboolean stale_ok;   /* in */
    CacheKey wait_for;   /* out; kind CACHE_NOTHING: waiting does not help */
    gboolean have_stale; /* out, with wait_for: the same call with stale_ok would be answered */
    GError *error;       /* out; the caller's */
} CacheAsk;

typedef struct CacheConfig {
    const char
        *directory; /* for store.db and attachments/; made (0700) if missing; locked while in use */
    const char *source;            /* a word or two for messages: "https://host" */
    gint64 ttl_ms;                 /* freshness; 0: ask before each operation */
    gint64 timeout_ms;             /* per request, repeats included */
    gint64 attachment_limit_bytes; /* of disk; the least recently read go first; 0: attachments are
                                      not shown */
    const gint64 *project_ids; /* the selection, n_project_ids of them; none: all of the account */
    guint n_project_ids;
} CacheConfig;

/* Opens or makes the store, takes ownership of `transport` (also on failure), starts the clerk. No
 * request yet. ERR_LOCAL, ERR_NO_SPACE, ERR_INVALID (a store of a newer version). */
Cache *cache_open(const CacheConfig *config, Transport *transport, GError **error);

/* Ends the transport and the clerk; waiters are called back with ERR_CANCELLED. Returns when no
 * thread of the cache is left. Snapshots given out live on. */
void cache_close(Cache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cache, cache_close)

/* Where its files are: the configured directory, or a numbered one beside it when that was in use.
 * Borrowed. */
const char *cache_directory(const Cache *cache);

/* Blocks (main thread, at start only): fetches the account, or accepts a stored one when the server
 * cannot be reached. Fails with what is wrong: ERR_AUTH, ERR_NOT_FOUND (a selected project),
 * ERR_OFFLINE, ERR_TIMEOUT, ERR_PROTOCOL (not a V5 service). */
gboolean cache_connect(Cache *cache, gint64 timeout_ms, gboolean *ret_offline, GError **error);

Account *cache_get_account(Cache *cache, CacheAsk *ask);
Project *cache_get_project(Cache *cache, gint64 project_id, CacheAsk *ask);

/* Fresh when its project is. ERR_NOT_FOUND when no mounted project has it. */
Story *cache_get_story(Cache *cache, gint64 story_id, CacheAsk *ask);

/* kind: one of CACHE_*_ACTIVITY. Kept with the project's version: an unchanged project asks
 * nothing. */
Activity *cache_get_activity(Cache *cache, CacheKind kind, gint64 id, CacheAsk *ask);

/* A descriptor of the complete file, the caller's; -1 like NULL above. A size other than the
 * announced one is ERR_PROTOCOL. */
int cache_open_attachment(Cache *cache, const Attachment *attachment, CacheAsk *ask);

/* Which project a story, epic or label id belongs to, as far as filled; 0 when unknown. */
gint64 cache_find_story_project(Cache *cache, gint64 story_id);
gint64 cache_find_epic_project(Cache *cache, gint64 epic_id);

/* Until when (clock_monotonic_ms()) the present data of a project needs no confirmation: what a
 * kernel timeout may be. 0 when it is due now. `project_id` 0: of the account. */
gint64 cache_fresh_until_ms(Cache *cache, gint64 project_id);

/* Calls `done` once: at once when `key` is not under way (any more), else when it ended. `error` is
 * borrowed, NULL on success. `user` identifies the wait for cache_cancel_wait(), which returns TRUE
 * when `done` will not be called any more. */
typedef void (*CacheDoneFn)(const GError *error, gpointer user);
void cache_wait(Cache *cache, CacheKey key, CacheDoneFn done, gpointer user);
gboolean cache_cancel_wait(Cache *cache, CacheKey key, gpointer user);

/* Starts filling every project of the account that was never filled, as prefetch. */
void cache_prefill(Cache *cache);

typedef enum { FILL_NONE, FILL_RUNNING, FILL_DONE, FILL_FAILED } FillState;

typedef struct CacheProjectStatus {
    gint64 id, version;
    char *name;
    FillState state;
    guint stories_done, stories_total; /* of the running or last fill */
    gint64 checked_ms;                 /* wall clock of the last confirmation; 0 never */
    char *last_error;                  /* NULL: none since the last success */
} CacheProjectStatus;

typedef struct CacheStatus {
    gboolean
        online; /* the last request that was answered at all is newer than the last that was not */
    TransportStats transport;
    gint64 store_bytes, attachment_bytes;
    CacheProjectStatus *projects;
    guint n_projects;
} CacheStatus;

void cache_get_status(Cache *cache, CacheStatus *ret_status);
void cache_status_clear(CacheStatus *status);

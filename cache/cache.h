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
 * `stale_ok` it is returned at once, and `wait_for` and `have_stale` tell that this look is under
 * way: who got an answer that the look might change may still wait for it. When the server cannot
 * be reached, stored data of any age is served and the next attempt is made after a back-off.
 *
 * Threads: any may call; callbacks arrive on the clerk thread, hold no lock, and must be short.
 * Reading from the store happens on the caller's thread (a read-only connection of a small pool).
 * Limits: see CacheConfig. Errors: ERR_* of cache/base/err.h. */
#pragma once

#include "cache/edit.h"
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
    CACHE_EDIT,             /* id = number of an edit; only to wait for */
} CacheKind;

typedef struct CacheKey {
    CacheKind kind;
    gint64 id;
} CacheKey;

typedef struct CacheAsk {
    gint64 since_ms;   /* in: of clock_monotonic_ms() */
    gboolean stale_ok; /* in */
    gboolean anew;     /* in: only what was confirmed since `since_ms` will do, whatever the TTL */
    CacheKey wait_for; /* out; kind CACHE_NOTHING: waiting does not help, or is not needed */
    gboolean have_stale;  /* out, with wait_for: with stale_ok the call is answered */
    gint64 wait_since_ms; /* out, with wait_for: when that began, of clock_monotonic_ms() */
    GError *error;        /* out; the caller's */
} CacheAsk;

typedef struct CacheConfig {
    const char
        *directory; /* for store.db and attachments/; made (0700) if missing; locked while in use */
    const char *state_directory; /* for journal.db and spool/, likewise; NULL: nothing is written,
                                    cache_submit() answers ERR_UNSUPPORTED */
    const char *source;          /* a word or two for messages: "https://host" */
    gint64 ttl_ms;               /* freshness; 0: ask before each operation */
    gint64 poll_ms;    /* between two looks for changes at the server; 0: only when asked */
    gint64 timeout_ms; /* per request, repeats included */
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
 * cannot be reached or does not answer in some seconds. Fails with what is wrong: ERR_AUTH,
 * ERR_NOT_FOUND (a selected project), ERR_OFFLINE, ERR_TIMEOUT, ERR_PROTOCOL (not a V5 service). */
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

/* TRUE when changes at the server are looked for within the TTL, whoever reads or not: what is
 * answered may then be kept until the listener is told otherwise. Const. */
gboolean cache_polls(const Cache *cache);

/* TRUE when the poller keeps the project (0: the account) within its TTL: what is answered about it
 * stays true until the listener is told otherwise. */
gboolean cache_is_watched(Cache *cache, gint64 project_id);

/* TRUE when somebody looked into the project: it is kept up to date. */
gboolean cache_is_published(Cache *cache, gint64 project_id);

/* TRUE when exactly this snapshot is what getters answer. */
gboolean cache_is_present(Cache *cache, const Project *project);
gboolean cache_is_present_account(Cache *cache, const Account *account);

/* Calls `done` once: at once when `key` is not under way (any more), else when it ended. `error` is
 * borrowed, NULL on success. `user` identifies the wait for cache_cancel_wait(), which returns TRUE
 * when `done` will not be called any more. */
typedef void (*CacheDoneFn)(const GError *error, gpointer user);
void cache_wait(Cache *cache, CacheKey key, CacheDoneFn done, gpointer user);
gboolean cache_cancel_wait(Cache *cache, CacheKey key, gpointer user);

/* --- Writing (see cache/edit.h) --- */

/* Makes an edit of what was saved and queues it. `base` is what was opened (NULL: what the
 * snapshots show now), `mine` what was written; both are borrowed. Never blocks on the network or
 * on syncing a disk. Returns the edit's number, or 0: without `error` nothing has changed (the save
 * is done), with it the edit is refused and nothing happened: ERR_INVALID, ERR_NOT_FOUND, ERR_AUTH
 * (a viewer), ERR_UNSUPPORTED, ERR_TOO_LARGE, or ERR_OFFLINE when the object is not known. The
 * message's lines say `field:`, `value:`, `rule:` and `allowed:`; it is also the owner's `.error`
 * until its next good save.
 *
 * Then wait for {CACHE_EDIT, number} and ask for the verdict. The wait ends with the verdict, and
 * also when the server turns out to be away; with EDIT_PENDING more waiting is of use only to
 * fsync(2). */
gint64 cache_submit(Cache *cache, const EditTarget *target, const Text *base, const Text *mine,
                    GError **error);

/* Ask until there is a verdict, or a last time with `last` (also when the writer was interrupted):
 * then a later refusal is parked for the user, else it counts as told and the edit is gone. Any
 * verdict but EDIT_UNSAVED and EDIT_PENDING is given once. `ret_id`, may be NULL: of what a
 * creation made; provisional while pending. `error` is set for EDIT_REFUSED and EDIT_CONFLICT; and
 * for EDIT_PENDING to why there was no answer, if so: free or ignore it. */
EditVerdict cache_edit_verdict(Cache *cache, gint64 number, gboolean last, gint64 *ret_id,
                               GError **error);

/* The id that a provisional one became; itself while it is none yet. Until cache_close(). */
gint64 cache_resolve_id(Cache *cache, gint64 id);

/* A file for the bytes of an attachment to come, in the state directory: a read-write descriptor,
 * the caller's, and its name for EditTarget.spool (the caller's). cache_submit() takes it over,
 * also when it fails; cache_spool_drop() throws it away. ERR_NO_SPACE, ERR_LOCAL. */
int cache_spool_new(Cache *cache, char **ret_name, GError **error);
void cache_spool_drop(Cache *cache, const char *name);

/* FALSE when the account may not write to this project (viewer) or there is no journal. */
gboolean cache_may_write(Cache *cache, gint64 project_id);

/* `.error`: the words of the last refused save, with a newline at the end; NULL: none. The
 * caller's. cache_set_error() is for refusals of the tree itself; NULL clears. */
char *cache_dup_error(Cache *cache, EditOwner owner, gint64 id);
void cache_set_error(Cache *cache, EditOwner owner, gint64 id, const char *text);

/* `.conflict/`, of the last conflict: its edit's number, 0 when there is none. `ret_text` is the
 * caller's (g_free its data). It lasts until a save of the same file is accepted, or
 * cache_drop_conflict(). A save is a resolution, sent over the other side, once that was noted to
 * be read, or when its base is the other side; else it is in conflict again. */
gint64 cache_get_conflict(Cache *cache, EditOwner owner, gint64 id, EditSide side, Text *ret_text);
void cache_note_conflict_read(Cache *cache, EditOwner owner, gint64 id);
/* What earlier saves wanted that were in conflict about nothing else: they last and end like the
 * last one. Of EditMine, by number; NULL: none. */
GPtrArray *cache_list_earlier_conflicts(Cache *cache, EditOwner owner, gint64 id);
gboolean cache_drop_conflict(Cache *cache, EditOwner owner, gint64 id, GError **error);

/* `.next_states`: the states that the story may be given now, one a line. The caller's. */
char *cache_dup_next_states(const Project *project, const Story *story);

/* The queue: everything that the server has not accepted. Oldest first; of EditStatus, with a free
 * function. */
GPtrArray *cache_list_edits(Cache *cache);
guint cache_count_edits(Cache *cache, guint *ret_parked);
/* One edit as JSON text, its texts included; NULL: no such edit. The caller's. */
char *cache_show_edit(Cache *cache, gint64 number);
/* Tries again now what is parked or delayed; number 0: everything. ERR_NOT_FOUND. */
gboolean cache_retry_edit(Cache *cache, gint64 number, GError **error);
/* Throws an edit away, with those that were made on what it creates. ERR_NOT_FOUND; ERR_CONFLICT
 * while it is being sent. */
gboolean cache_drop_edit(Cache *cache, gint64 number, GError **error);

/* At the end (main thread): sends what is pending until nothing is, or `timeout_ms` have passed, or
 * the server is away. `progress` (may be NULL) hears the count each time it changes. Returns how
 * many remain, parked ones included: they stay in the journal. */
typedef void (*CacheDrainFn)(guint remaining, gpointer user);
guint cache_drain(Cache *cache, gint64 timeout_ms, CacheDrainFn progress, gpointer user);

/* What one publication replaces: the snapshots before and after, either NULL when there was none.
 * `stories` are those whose own content changed, side by side with what they were; NULL in one of
 * the two where a story came or went. The references are the change's. */
typedef struct CacheChange {
    Account *old_account, *account;
    Project *old_project, *project;
    GPtrArray *old_stories, *stories; /* of Story, may hold NULL */
} CacheChange;
void cache_change_free(CacheChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CacheChange, cache_change_free)

/* Told of every replacement of what a getter may have answered, on the clerk's thread, without a
 * lock, and to be short. `begins`: nobody can have seen the new state yet. `ended` follows each:
 * the new state is what all getters answer from now on, or (`published` FALSE) it came to nothing;
 * the change is the callee's to free. In force when cache_listen() returns; an empty one ends it.
 */
typedef struct CacheListener {
    void (*begins)(const CacheChange *change, gpointer user);
    void (*ended)(CacheChange *change, gboolean published, gpointer user);
    gpointer user;
} CacheListener;
void cache_listen(Cache *cache, const CacheListener *listener);

/* Looks for changes now in all that is published; nobody waits. Whoever waits asks with `anew`. */
void cache_refresh(Cache *cache);

/* events.jsonl: one JSON object a line for each change that was seen at the server. A descriptor of
 * the file, the caller's, -1 if there is none; its length now, and the time of its last line (0:
 * none). */
int cache_open_events(Cache *cache, gint64 *ret_bytes, gint64 *ret_changed_ms);

/* The last requests to the service, one a line; the caller's. */
char *cache_dup_requests(Cache *cache);

/* Starts filling every project of the account that was never filled, and looking for changes in
 * those whose stored data is older than the TTL, as prefetch. */
void cache_prefill(Cache *cache);

typedef enum { FILL_NONE, FILL_RUNNING, FILL_DONE, FILL_FAILED } FillState;

typedef struct CacheProjectStatus {
    gint64 id, version;
    char *name;
    FillState state;
    guint stories_done, stories_total; /* of the running or last fill */
    gint64 checked_ms;                 /* wall clock of the last confirmation; 0 never */
    char *last_error;                  /* NULL: none since the last success */
    char *left_out;                    /* of project_dup_left_out() */
} CacheProjectStatus;

#define CACHE_ASKED_KINDS 8

typedef struct CacheStatus {
    gboolean
        online; /* the last request that was answered at all is newer than the last that was not */
    TransportStats transport;
    struct {
        const char *word; /* what for; static */
        guint64 n;
    } asked[CACHE_ASKED_KINDS];
    guint64 hits,
        waits; /* questions answered at once, and those that had to wait for the service */
    gint64 store_bytes, attachment_bytes;
    guint edits, edits_parked; /* that the server has not; of these, refused or in conflict */
    CacheProjectStatus *projects;
    guint n_projects;
} CacheStatus;

void cache_get_status(Cache *cache, CacheStatus *ret_status);
void cache_status_clear(CacheStatus *status);

/* sync: how what is published follows the server: fills, revalidation, account and activity.
 *
 * For each key that index_ask_*() marked as running, sync_start() begins a run; it ends in exactly
 * one index_finish(). A project's runs never overlap.
 *
 *     unknown -> load (store) -> published? finish : fill -> publish -> finish
 *     published, old -> check (activity since the version): unchanged -> touch -> finish
 *                                                           changed -> delta -> publish -> finish
 *                                                           unexplained -> refill behind the
 * readers -> publish -> finish
 *
 * Threads: the clerk's, except sync_new() and sync_free(). Errors go to the waiters through the
 * index. */
#pragma once

#include "cache/attachments.h"
#include "cache/clerk.h"
#include "cache/events.h"
#include "cache/index.h"
#include "cache/lru.h"
#include "cache/overlay.h"
#include "cache/store.h"

typedef struct Sync Sync;

/* All borrowed; they outlive the Sync. */
typedef struct SyncParts {
    Clerk *clerk;
    Index *index;
    Store *store;
    Transport *transport;
    Attachments *attachments; /* NULL: none are fetched */
    Lru *stories;
    Events *events;
    gint64 ttl_ms, timeout_ms;
    const gint64 *project_ids; /* the selection, copied */
    guint n_project_ids;
    gint64 poll_ms;   /* between two looks for changes; 0: only when somebody asks */
    Overlay *overlay; /* the edits that are shown with what is published */
    /* On the clerk, after each publication: accepted edits (their numbers) that the server's own
     * data shows from now on. */
    void (*retired)(const GArray *numbers, gint64 project_id, gpointer user);
    gpointer retired_user;
} SyncParts;

Sync *sync_new(const SyncParts *parts);
void sync_free(Sync *sync);

/* Who is told of what is published; an empty one: nobody. */
void sync_listen(Sync *sync, const CacheListener *listener);

/* No request is sent after this; runs under way end as their answers come. */
void sync_close(Sync *sync);

/* From now on looks for changes every `poll_ms`, if that is not 0. */
void sync_start_polling(Sync *sync);
/* A look for changes now. */
void sync_poll_now(Sync *sync);

/* sync_edits.c. Edits come (`put`, of Edit, taken from: references are added; in place of those of
 * the same numbers) and go (`removed`, numbers): changes the overlay and publishes what that
 * changes. Either may be NULL. */
void sync_publish_edits(Sync *sync, const GPtrArray *put, const GArray *removed);
/* What the server is known to have of a project, without edits; borrowed, NULL: nothing yet. */
Project *sync_peek_base(Sync *sync, gint64 project_id);
/* Asks for what changed there, unless that is under way; loads or fills what is not known. */
void sync_look_at(Sync *sync, gint64 project_id, Priority priority);

/* For CACHE_ACCOUNT and CACHE_PROJECT. */
void sync_start(Sync *sync, CacheKey key, Priority priority);
/* For CACHE_*_ACTIVITY of something in `project_id`: what is newer than `since_version` (0: all).
 */
void sync_start_activity(Sync *sync, CacheKey key, gint64 project_id, gint64 since_version);
void sync_start_attachment(Sync *sync, const Attachment *attachment);

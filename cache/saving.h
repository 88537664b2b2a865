/* saving: the life of an edit between cache_submit() and the server's data showing it.
 *
 * saving.c journals and shows, saving_outcome.c hears from the server (edit_send.h), saving_queue.c
 * answers the user's questions. Every change of state happens on the clerk; what other threads read
 * or hand over is under one lock, never held across I/O, a callback or a free. The functions of
 * cache/cache.h of the same names say what these do. */
#pragma once

#include "cache/attachments.h"
#include "cache/cache.h"
#include "cache/clerk.h"
#include "cache/events.h"
#include "cache/index.h"
#include "cache/lru.h"
#include "cache/overlay.h"
#include "cache/store.h"
#include "cache/sync.h"

typedef struct Saving Saving;

/* Borrowed; they outlive it. */
typedef struct SavingParts {
    Clerk *clerk;
    Index *index;
    Store *store;
    Transport *transport;
    Attachments *attachments; /* NULL: none are kept */
    Events *events;
    Lru *stories; /* what readers saw */
    gint64 timeout_ms;
} SavingParts;

/* Opens the journal; what stands in it is shown from the first publication on. Nothing is sent
 * before saving_start(). */
Saving *saving_new(const char *state_directory, const SavingParts *parts, GError **error);
void saving_free(Saving *saving);

Overlay *saving_overlay(Saving *saving);
/* For SyncParts.retired. */
void saving_on_retired(const GArray *numbers, gint64 project_id, gpointer saving);

/* Clerk. */
void saving_start(Saving *saving, Sync *sync);
void saving_close(Saving *saving); /* sends nothing more */

/* Any thread. */
gint64 saving_submit(Saving *saving, const EditTarget *target, const Text *base, const Text *mine,
                     GError **error);
EditVerdict saving_verdict(Saving *saving, gint64 number, gboolean last, gint64 *ret_id,
                           GError **error);
/* The story as readers see it: NULL without `error` when there is none. `project` as published. */
Story *saving_load_story(Saving *saving, Project *project, gint64 story_id, GError **error);
int saving_spool_new(Saving *saving, char **ret_name, GError **error);
void saving_spool_drop(Saving *saving, const char *name);
/* The bytes of an attachment that is not at the server yet; -1: not one of these. */
int saving_open_attachment(Saving *saving, gint64 attachment_id);
gboolean saving_may_write(Saving *saving, gint64 project_id);

char *saving_dup_error(Saving *saving, EditOwner owner, gint64 id);
void saving_set_error(Saving *saving, EditOwner owner, gint64 id, const char *text);
gint64 saving_get_conflict(Saving *saving, EditOwner owner, gint64 id, EditSide side,
                           Text *ret_text);
GPtrArray *saving_list_earlier_conflicts(Saving *saving, EditOwner owner, gint64 id);
void saving_note_conflict_read(Saving *saving, EditOwner owner, gint64 id);
gboolean saving_drop_conflict(Saving *saving, EditOwner owner, gint64 id, GError **error);
GPtrArray *saving_list(Saving *saving);
guint saving_count(Saving *saving, guint *ret_parked);
char *saving_show(Saving *saving, gint64 number);
gboolean saving_retry(Saving *saving, gint64 number, GError **error);
gboolean saving_drop(Saving *saving, gint64 number, GError **error);
guint saving_drain(Saving *saving, gint64 timeout_ms, CacheDrainFn progress, gpointer user);

/* Lets the journal grow by no more than `n_pages`; 0: no limit. For tests. */
void saving_limit_journal_for_tests(Saving *saving, guint n_pages);

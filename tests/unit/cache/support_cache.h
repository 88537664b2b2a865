/* support_cache: a cache opened over any transport, and what a parked operation does with it: it
 * asks, waits for what it is told to wait for, and asks again. Nothing waits longer than 20 s for
 * one thing; what fails here and is not returned fails the test. */
#pragma once

#include <pthread.h>

#include "cache/cache.h"
#include "cache/transport.h"

/* Connected. Its files are in `directory`; `state_directory` NULL: nothing can be saved. */
Cache *support_cache_open(const char *directory, const char *state_directory, gint64 ttl_ms,
                          Transport *transport);
/* The same with "cache" and "state" in `folder`, which may be opened again after cache_close(). */
Cache *support_cache_open_in(const char *folder, gint64 ttl_ms, Transport *transport);

/* One wait, to be given to cache_wait() as `waiter_done, waiter`. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    gboolean called;
    int code; /* of the error; -1: none */
} Waiter;

void waiter_init(Waiter *waiter);
void waiter_done(const GError *error, gpointer user);
void waiter_await(Waiter *waiter);

/* All of it at once: until the key ends, well or not. */
void support_cache_wait(Cache *cache, CacheKey key);

/* A project as a reader gets it who began at `since_ms`, within the TTL; NULL with `error`. */
Project *support_cache_project(Cache *cache, gint64 id, gint64 since_ms, GError **error);
/* The same of a reader who begins now. */
Project *support_cache_project_now(Cache *cache, gint64 id);
/* A project as the service has it now, whatever the TTL. */
Project *support_cache_project_anew(Cache *cache, gint64 id);

/* Of an edit: until there is a verdict, or the service is away (EDIT_PENDING). `last`, ret_id and
 * `error` as in cache_edit_verdict(). */
EditVerdict support_cache_verdict(Cache *cache, gint64 number, gboolean last, gint64 *ret_id,
                                  GError **error);

/* Borrows `words`; NULL: no text. */
Text support_text(const char *words);

/* park: operations that wait, without a thread each.
 *
 * An item is parked with what it waits for and a deadline. It is resumed exactly once for each time
 * it was parked, on the one thread of the park, with no lock held: when the wait ended, the
 * deadline came, it was interrupted, or the park stops. From park_add() returning TRUE until its
 * resume is called the item belongs to the park. Threads: park_add() and park_interrupt() any; the
 * rest the main thread. Limits: `max_items` parked at once; more are refused, so that a dead server
 * cannot fill the memory. */
#pragma once

#include "cache/cache.h"

typedef enum {
    PARK_ENDED, /* the wait ended: `error` NULL or why it failed */
    PARK_DEADLINE,
    PARK_INTERRUPTED,
    PARK_STOPPED,
} ParkReason;

typedef struct ParkItem ParkItem;
typedef void (*ParkResumeFn)(ParkItem *item, ParkReason reason, const GError *error);

/* Embedded in what waits. All fields belong to park.c; zero it once before the first use. */
struct ParkItem {
    struct Park *park;
    CacheKey key;
    gint64 deadline_ms;
    ParkResumeFn resume;
    GError *error;
    gboolean is_called_back, is_interrupted, is_listed, is_due;
    ParkItem *previous, *next;
};

typedef struct Park Park;

/* What the items wait on: cache_wait() and cache_cancel_wait(), or a test's. */
typedef void (*ParkWaitFn)(Cache *cache, CacheKey key, CacheDoneFn done, gpointer user);
typedef gboolean (*ParkCancelFn)(Cache *cache, CacheKey key, gpointer user);

Park *park_new(Cache *cache, ParkWaitFn wait, ParkCancelFn cancel, guint max_items);
gboolean park_start(Park *park, GError **error);

/* Resumes every item with PARK_STOPPED and ends the thread; later items are refused. Twice is
 * harmless. */
void park_stop(Park *park);
void park_free(Park *park);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Park, park_free)

typedef enum { PARK_TAKEN, PARK_FULL, PARK_CLOSED } ParkVerdict;

/* Other than PARK_TAKEN: the item stays the caller's, and nothing will be called. */
ParkVerdict park_add(Park *park, ParkItem *item, CacheKey key, gint64 deadline_ms,
                     ParkResumeFn resume);

/* May come at any time while the item lives, also before park_add(): then the item is resumed at
 * once. */
void park_interrupt(Park *park, ParkItem *item);

/* The interrupts so far are not to count when the item is parked again. */
void park_pardon(Park *park, ParkItem *item);

guint park_count(Park *park);

/* One thread, two lists.
 *
 *     park_add --> waiting --(callback, interrupt: list_ready)--> ready --(thread: take, settle)-->
 * resume
 *                     \--(deadline, stop: seen by the thread)----/
 *
 * The callback of the cache and an interrupt only mark the item and move it; everything else
 * happens on the thread. Invariants: 1. An item is in at most one list. 2. It is resumed only after
 * its callback came or was cancelled, so nobody holds a pointer to it then: settle() cancels, and
 * where that is too late waits for the callback, which is on its way. 3. park_add() lists the item
 * after cache_wait() returned: a callback that comes before that finds it unlisted and only marks
 * it, so the thread cannot resume, and its owner free, what park_add() still holds. The lock is
 * held for moves alone; never across wait, cancel or resume. */
#include "fs/park.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"

#include <string.h>

typedef struct List {
    ParkItem *first, *last;
} List;

struct Park {
    Cache *cache; /* const after new, like the next three */
    ParkWaitFn wait;
    ParkCancelFn cancel;
    guint max_items;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    List waiting, ready; /* protected by lock, like all below and all in listed items */
    guint n_items;       /* taken and not resumed yet */
    gboolean is_running, is_stopping;
    pthread_t thread; /* main thread only */
};

static void
list_push(List *list, ParkItem *item)
{
    item->previous = list->last;
    item->next = NULL;
    if (list->last) {
        list->last->next = item;
    } else {
        list->first = item;
    }
    list->last = item;
}

static void
list_remove(List *list, ParkItem *item)
{
    if (item->previous) {
        item->previous->next = item->next;
    } else {
        list->first = item->next;
    }
    if (item->next) {
        item->next->previous = item->previous;
    } else {
        list->last = item->previous;
    }
    item->previous = item->next = NULL;
}

static void
make_ready_locked(Park *park, ParkItem *item)
{
    if (item->is_listed && !item->is_due) {
        item->is_due = TRUE;
        list_remove(&park->waiting, item);
        list_push(&park->ready, item);
    }
    (void)pthread_cond_broadcast(&park->changed);
}

/* On the clerk thread, or inside cache_wait(). After the unlock the item may be gone. */
static void
called_back(const GError *error, gpointer user)
{
    ParkItem *item = user;
    Park *park = item->park;
    LOCK_SCOPE(&park->lock);
    item->is_called_back = TRUE;
    item->error = error ? g_error_copy(error) : NULL;
    make_ready_locked(park, item);
}

void
park_interrupt(Park *park, ParkItem *item)
{
    LOCK_SCOPE(&park->lock);
    item->is_interrupted = TRUE;
    make_ready_locked(park, item);
}

void
park_pardon(Park *park, ParkItem *item)
{
    LOCK_SCOPE(&park->lock);
    item->is_interrupted = FALSE;
}

static ParkVerdict
reserve(Park *park, ParkItem *item, CacheKey key, gint64 deadline_ms, ParkResumeFn resume)
{
    LOCK_SCOPE(&park->lock);
    if (park->is_stopping || !park->is_running) {
        return PARK_CLOSED;
    }
    if (park->n_items >= park->max_items) {
        return PARK_FULL;
    }
    park->n_items++;
    item->park = park;
    item->key = key;
    item->deadline_ms = deadline_ms;
    item->resume = resume;
    item->is_called_back = item->is_listed = item->is_due = FALSE;
    return PARK_TAKEN;
}

ParkVerdict
park_add(Park *park, ParkItem *item, CacheKey key, gint64 deadline_ms, ParkResumeFn resume)
{
    ParkVerdict verdict = reserve(park, item, key, deadline_ms, resume);
    if (verdict != PARK_TAKEN) {
        return verdict;
    }
    park->wait(park->cache, key, called_back, item);
    LOCK_SCOPE(&park->lock);
    item->is_listed = TRUE;
    item->is_due = item->is_called_back || item->is_interrupted;
    list_push(item->is_due ? &park->ready : &park->waiting, item);
    (void)pthread_cond_broadcast(&park->changed);
    return PARK_TAKEN;
}

/* Moves what is over its deadline, or everything at a stop; returns the nearest deadline of the
 * rest. */
static gint64
sort_waiting_locked(Park *park)
{
    const gint64 now_ms = clock_monotonic_ms();
    gint64 nearest_ms = G_MAXINT64;
    for (ParkItem *item = park->waiting.first, *next; item; item = next) {
        next = item->next;
        if (park->is_stopping || item->deadline_ms <= now_ms) {
            make_ready_locked(park, item);
        } else {
            nearest_ms = MIN(nearest_ms, item->deadline_ms);
        }
    }
    return nearest_ms;
}

/* The next item to resume; NULL when the park has stopped and is empty. */
static ParkItem *
take(Park *park)
{
    LOCK_SCOPE(&park->lock);
    for (;;) {
        const gint64 nearest_ms = sort_waiting_locked(park);
        ParkItem *item = park->ready.first;
        if (item) {
            list_remove(&park->ready, item);
            item->is_listed = FALSE;
            return item;
        }
        if (park->is_stopping && park->n_items == 0) {
            return NULL;
        }
        const gint64 wait_ms = nearest_ms == G_MAXINT64 ? -1 : clock_wait_ms(nearest_ms);
        (void)cond_wait_ms(&park->changed, &park->lock, wait_ms);
    }
}

/* Afterwards no callback can come any more. */
static ParkReason
settle(Park *park, ParkItem *item, GError **ret_error)
{
    gboolean is_called_back;
    {
        LOCK_SCOPE(&park->lock);
        is_called_back = item->is_called_back;
    }
    const gboolean was_cancelled = !is_called_back && park->cancel(park->cache, item->key, item);
    LOCK_SCOPE(&park->lock);
    while (!was_cancelled && !item->is_called_back) {
        (void)cond_wait_ms(&park->changed, &park->lock, -1);
    }
    *ret_error = g_steal_pointer(&item->error);
    park->n_items--;
    if (item->is_interrupted) {
        return PARK_INTERRUPTED;
    }
    if (park->is_stopping) {
        return PARK_STOPPED;
    }
    return item->is_called_back ? PARK_ENDED : PARK_DEADLINE;
}

static void *
run(void *user)
{
    Park *park = user;
    (void)pthread_setname_np(pthread_self(), "park");
    for (ParkItem *item = take(park); item; item = take(park)) {
        g_autoptr(GError) error = NULL;
        ParkReason reason = settle(park, item, &error);
        item->resume(item, reason, error);
    }
    return NULL;
}

Park *
park_new(Cache *cache, ParkWaitFn wait, ParkCancelFn cancel, guint max_items)
{
    Park *park = g_new0(Park, 1);
    park->cache = cache;
    park->wait = wait;
    park->cancel = cancel;
    park->max_items = max_items;
    (void)pthread_mutex_init(&park->lock, NULL);
    cond_init_monotonic(&park->changed);
    return park;
}

gboolean
park_start(Park *park, GError **error)
{
    {
        LOCK_SCOPE(&park->lock);
        park->is_running = TRUE;
    }
    int rc = pthread_create(&park->thread, NULL, run, park);
    if (rc != 0) {
        LOCK_SCOPE(&park->lock);
        park->is_running = FALSE;
        g_set_error(error, ERR, ERR_LOCAL, "cannot start a thread: %s", g_strerror(rc));
        return FALSE;
    }
    return TRUE;
}

void
park_stop(Park *park)
{
    {
        LOCK_SCOPE(&park->lock);
        if (!park->is_running) {
            return;
        }
        park->is_stopping = TRUE;
        (void)pthread_cond_broadcast(&park->changed);
    }
    (void)pthread_join(park->thread, NULL);
    LOCK_SCOPE(&park->lock);
    park->is_running = FALSE;
}

void
park_free(Park *park)
{
    if (!park) {
        return;
    }
    park_stop(park);
    (void)pthread_cond_destroy(&park->changed);
    (void)pthread_mutex_destroy(&park->lock);
    g_free(park);
}

guint
park_count(Park *park)
{
    LOCK_SCOPE(&park->lock);
    return park->n_items;
}

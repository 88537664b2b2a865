/* lock: mutexes that follow scope, and the monotonic clock for deadlines on sockets.
 *
 * The tracker's own counterpart of cache/base/lock.h, since tracker/ stands alone. pthread and not
 * GMutex: ThreadSanitizer cannot see inside GMutex. TRACKER_LOCK(&mutex) holds the mutex until the
 * enclosing block ends. */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <time.h>

static inline void
tracker_lock_release(pthread_mutex_t **mutex)
{
    (void)pthread_mutex_unlock(*mutex);
}

static inline pthread_mutex_t *
tracker_lock_take(pthread_mutex_t *mutex)
{
    int rc = pthread_mutex_lock(mutex);
    g_assert(rc == 0);
    return mutex;
}

#define TRACKER_LOCK_NAME2(line) tracker_lock_##line
#define TRACKER_LOCK_NAME(line) TRACKER_LOCK_NAME2(line)
#define TRACKER_LOCK(mutex)                                                                        \
    __attribute__((cleanup(tracker_lock_release), unused)) pthread_mutex_t *TRACKER_LOCK_NAME(     \
        __LINE__) = tracker_lock_take(mutex)

/* Milliseconds of CLOCK_MONOTONIC: for idle and request limits, never for data. */
static inline gint64
tracker_monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

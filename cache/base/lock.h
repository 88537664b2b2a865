/* lock: pthread mutexes that follow scope, and condition variables on the monotonic clock.
 *
 * pthread and not GMutex: ThreadSanitizer cannot see inside GMutex and reports races in correct
 * code. LOCK_SCOPE(&mutex) takes the mutex until the enclosing block ends, on every path out of it.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

static inline void
lock_release_scope(pthread_mutex_t **mutex)
{
    if (*mutex) {
        (void)pthread_mutex_unlock(*mutex);
    }
}

static inline pthread_mutex_t *
lock_take(pthread_mutex_t *mutex)
{
    int rc = pthread_mutex_lock(mutex);
    g_assert(rc == 0);
    return mutex;
}

#define LOCK_SCOPE_NAME2(line) lock_scope_##line
#define LOCK_SCOPE_NAME(line) LOCK_SCOPE_NAME2(line)
#define LOCK_SCOPE(mutex)                                                                          \
    __attribute__((cleanup(lock_release_scope), unused)) pthread_mutex_t *LOCK_SCOPE_NAME(         \
        __LINE__) = lock_take(mutex)

/* Initialises a condition variable whose timed waits use CLOCK_MONOTONIC. */
void cond_init_monotonic(pthread_cond_t *cond);

/* Waits at most `ms` of real time (negative: no limit). Returns FALSE when the time passed. */
gboolean cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 ms);

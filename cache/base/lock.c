/* Condition variables on the monotonic clock: a step of the wall clock must not shorten a wait. */
#include "cache/base/lock.h"

#include <errno.h>
#include <time.h>

void
cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

gboolean
cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 ms)
{
    struct timespec until;
    if (ms < 0) {
        (void)pthread_cond_wait(cond, mutex);
        return TRUE;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(cond, mutex, &until) != ETIMEDOUT;
}

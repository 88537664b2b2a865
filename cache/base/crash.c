/* The environment is read once. */
#include "cache/base/crash.h"

#ifdef TRACKERFS_CRASH_POINTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[N_CRASH_POINTS] = {
#define CRASH_NAME(name) #name,
    CRASH_POINTS(CRASH_NAME)
#undef CRASH_NAME
};

/* Const after read_environment; N_CRASH_POINTS: none. */
static int last = N_CRASH_POINTS, slow = N_CRASH_POINTS;
static gint64 slow_ms;
static atomic_int left; /* arrivals at the last */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* NAME or NAME:NUMBER in a variable of the environment. */
static int
read_point(const char *variable, gint64 *number)
{
    const char *text = getenv(variable);
    const char *colon = text ? strchr(text, ':') : NULL;
    const gsize length = colon ? (gsize)(colon - text) : text ? strlen(text) : 0;
    *number = colon ? g_ascii_strtoll(colon + 1, NULL, 10) : 1;
    int i = text ? 0 : N_CRASH_POINTS;
    while (i < N_CRASH_POINTS && (strlen(names[i]) != length || strncmp(names[i], text, length))) {
        i++;
    }
    return i;
}

static void
read_environment(void)
{
    gint64 count;
    last = read_point("TRACKERFS_CRASH_AT", &count);
    atomic_init(&left, (int)count);
    slow = read_point("TRACKERFS_SLOW_AT", &slow_ms);
}

void
crash_point(CrashPoint point)
{
    (void)pthread_once(&once, read_environment);
    if ((int)point == slow) {
        g_usleep((gulong)slow_ms * 1000);
    }
    if ((int)point == last && atomic_fetch_sub(&left, 1) == 1) {
        (void)kill(getpid(), SIGKILL);
        (void)pause();
    }
}

#else
typedef int CrashUnused; /* a translation unit must not be empty */
#endif

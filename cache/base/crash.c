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

static int wanted = -1; /* const after read_environment */
static atomic_int left;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
read_environment(void)
{
    const char *text = getenv("TRACKERFS_CRASH_AT");
    const char *colon = text ? strchr(text, ':') : NULL;
    gsize length = colon ? (gsize)(colon - text) : text ? strlen(text) : 0;
    atomic_init(&left, colon ? (int)g_ascii_strtoll(colon + 1, NULL, 10) : 1);
    for (int i = 0; text && i < N_CRASH_POINTS; i++) {
        if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) {
            wanted = i;
        }
    }
}

void
crash_point(CrashPoint point)
{
    (void)pthread_once(&once, read_environment);
    if ((int)point == wanted && atomic_fetch_sub(&left, 1) == 1) {
        (void)kill(getpid(), SIGKILL);
        (void)pause();
    }
}

#else
typedef int CrashUnused; /* a translation unit must not be empty */
#endif

/* crash: numbered places of a save at which a test kills the process, or slows it.
 *
 * Only in builds with -DTRACKERFS_CRASH_POINTS=ON (the presets for development and tests). There
 * the environment's TRACKERFS_CRASH_AT=NAME or NAME:COUNT makes the COUNT-th arrival at a place the
 * process's last: SIGKILL, so nothing is flushed, closed or told.
 * TRACKERFS_SLOW_AT=NAME:MILLISECONDS makes each arrival take that long, as a slow disk would. In
 * other builds a place is nothing at all. Threads: any. */
#pragma once

#include <glib.h>

/* In the order of a save; each name says what has just happened. */
#define CRASH_POINTS(X)                                                                            \
    X(SPOOL_MADE)                                                                                  \
    X(SPOOL_SYNCED)                                                                                \
    X(SUBMIT_MADE)                                                                                 \
    X(SUBMIT_QUEUED)                                                                               \
    X(FLUSH_BEGUN)                                                                                 \
    X(FLUSH_WRITTEN)                                                                               \
    X(FLUSH_COMMITTED)                                                                             \
    X(FLUSH_SHOWN)                                                                                 \
    X(SEND_BEGUN)                                                                                  \
    X(LOOK_SENT)                                                                                   \
    X(LOOK_ANSWERED)                                                                               \
    X(LOOK_JUDGED)                                                                                 \
    X(MERGED)                                                                                      \
    X(UPLOAD_SENT)                                                                                 \
    X(UPLOAD_ANSWERED)                                                                             \
    X(UPLOAD_NOTED)                                                                                \
    X(MARK_QUEUED)                                                                                 \
    X(MARK_COMMITTED)                                                                              \
    X(WRITE_BUILT)                                                                                 \
    X(WRITE_SENT)                                                                                  \
    X(WRITE_ANSWERED)                                                                              \
    X(WRITE_JUDGED)                                                                                \
    X(ANSWER_CHECKED)                                                                              \
    X(TWIN_SOUGHT)                                                                                 \
    X(TWIN_FOUND)                                                                                  \
    X(OUTCOME_BEGUN)                                                                               \
    X(OUTCOME_SHOWN)                                                                               \
    X(OUTCOME_TOLD)                                                                                \
    X(REFUSAL_NOTED)                                                                               \
    X(CONFLICT_NOTED)                                                                              \
    X(STORE_WRITTEN)                                                                               \
    X(STORE_COMMITTED)                                                                             \
    X(RETIRE_BEGUN)                                                                                \
    X(RETIRE_COMMITTED)

typedef enum {
#define CRASH_ENUM(name) CRASH_##name,
    CRASH_POINTS(CRASH_ENUM)
#undef CRASH_ENUM
        N_CRASH_POINTS
} CrashPoint;

#ifdef TRACKERFS_CRASH_POINTS
void crash_point(CrashPoint point);
#else
static inline void
crash_point(CrashPoint point)
{
    (void)point;
}
#endif

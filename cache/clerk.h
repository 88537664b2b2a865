/* clerk: the one thread that changes the cache's state, as a queue of jobs.
 *
 * A job is a function and its argument. Jobs of a lower Priority value run first, equals in the
 * order of posting; a timer's job joins the queue when it is due. Every posted job runs exactly
 * once, also during clerk_stop(); a timer that is not due by then is dropped through its `drop`.
 * Threads: any may post; jobs run on the clerk's own thread, hold no lock, and never wait for the
 * network. */
#pragma once

#include "cache/transport.h"

typedef struct Clerk Clerk;
typedef void (*ClerkJobFn)(gpointer user);

Clerk *clerk_new(void);

/* Runs what is queued and what that posts, then ends the thread. Nothing may be posted afterwards.
 */
void clerk_stop(Clerk *clerk);
void clerk_free(Clerk *clerk); /* after clerk_stop(); NULL is fine */

void clerk_post(Clerk *clerk, Priority priority, ClerkJobFn run, gpointer user);

/* Runs `run` when clock_monotonic_ms() reaches `due_ms`; `drop` (may be NULL) instead when the
 * clerk stops first. */
void clerk_post_at(Clerk *clerk, gint64 due_ms, ClerkJobFn run, ClerkJobFn drop, gpointer user);

/* Posts and waits until the job has run. Not from the clerk's thread. */
void clerk_call(Clerk *clerk, ClerkJobFn run, gpointer user);

gboolean clerk_is_current(const Clerk *clerk);

/* Three FIFO lists, one a priority, and a sorted list of timers, under one mutex; the thread takes
 * one job at a time and runs it unlocked. Waits end early under a test clock (clock_wait_ms), so a
 * timer notices that the clock was moved. */
#include "cache/clerk.h"

#include "cache/base/clock.h"
#include "cache/base/lock.h"

typedef struct Job {
    ClerkJobFn run, drop;
    gpointer user;
    gint64 due_ms; /* timers only */
} Job;

struct Clerk {
    pthread_t thread; /* const after new */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    GQueue jobs[PRIORITY_PREFETCH + 1]; /* protected by lock */
    GQueue timers;                      /* protected by lock; by due_ms */
    gboolean stopping;                  /* protected by lock */
};

static Job *
take_job_locked(Clerk *clerk)
{
    for (guint i = 0; i < G_N_ELEMENTS(clerk->jobs); i++) {
        Job *job = g_queue_pop_head(&clerk->jobs[i]);
        if (job) {
            return job;
        }
    }
    Job *timer = g_queue_peek_head(&clerk->timers);
    if (!clerk->stopping && timer && timer->due_ms <= clock_monotonic_ms()) {
        return g_queue_pop_head(&clerk->timers);
    }
    return NULL;
}

/* The next job, waiting for one; NULL when stopping and nothing is left. */
static Job *
wait_for_job(Clerk *clerk)
{
    LOCK_SCOPE(&clerk->lock);
    for (;;) {
        Job *job = take_job_locked(clerk);
        if (job || clerk->stopping) {
            return job;
        }
        const Job *timer = g_queue_peek_head(&clerk->timers);
        (void)cond_wait_ms(&clerk->wake, &clerk->lock, timer ? clock_wait_ms(timer->due_ms) : -1);
    }
}

static void *
clerk_main(void *user)
{
    Clerk *clerk = user;
    Job *job;
    while ((job = wait_for_job(clerk))) {
        job->run(job->user);
        g_free(job);
    }
    return NULL;
}

Clerk *
clerk_new(void)
{
    Clerk *clerk = g_new0(Clerk, 1);
    (void)pthread_mutex_init(&clerk->lock, NULL);
    cond_init_monotonic(&clerk->wake);
    for (guint i = 0; i < G_N_ELEMENTS(clerk->jobs); i++) {
        g_queue_init(&clerk->jobs[i]);
    }
    g_queue_init(&clerk->timers);
    int rc = pthread_create(&clerk->thread, NULL, clerk_main, clerk);
    g_assert(rc == 0);
    return clerk;
}

void
clerk_stop(Clerk *clerk)
{
    {
        LOCK_SCOPE(&clerk->lock);
        clerk->stopping = TRUE;
        (void)pthread_cond_signal(&clerk->wake);
    }
    (void)pthread_join(clerk->thread, NULL);
    Job *timer;
    while ((timer = g_queue_pop_head(&clerk->timers))) {
        if (timer->drop) {
            timer->drop(timer->user);
        }
        g_free(timer);
    }
}

void
clerk_free(Clerk *clerk)
{
    if (!clerk) {
        return;
    }
    (void)pthread_cond_destroy(&clerk->wake);
    (void)pthread_mutex_destroy(&clerk->lock);
    g_free(clerk);
}

void
clerk_post(Clerk *clerk, Priority priority, ClerkJobFn run, gpointer user)
{
    Job *job = g_new0(Job, 1);
    job->run = run;
    job->user = user;
    LOCK_SCOPE(&clerk->lock);
    g_queue_push_tail(&clerk->jobs[priority], job);
    (void)pthread_cond_signal(&clerk->wake);
}

static gint
compare_due(gconstpointer a, gconstpointer b, gpointer user)
{
    const Job *left = a;
    const Job *right = b;
    (void)user;
    return left->due_ms < right->due_ms ? -1 : left->due_ms > right->due_ms;
}

void
clerk_post_at(Clerk *clerk, gint64 due_ms, ClerkJobFn run, ClerkJobFn drop, gpointer user)
{
    Job *job = g_new0(Job, 1);
    job->run = run;
    job->drop = drop;
    job->user = user;
    job->due_ms = due_ms;
    LOCK_SCOPE(&clerk->lock);
    g_queue_insert_sorted(&clerk->timers, job, compare_due, NULL);
    (void)pthread_cond_signal(&clerk->wake);
}

typedef struct SyncCall {
    ClerkJobFn run;
    gpointer user;
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    gboolean done; /* protected by lock */
} SyncCall;

static void
run_sync_call(gpointer user)
{
    SyncCall *call = user;
    call->run(call->user);
    LOCK_SCOPE(&call->lock);
    call->done = TRUE;
    (void)pthread_cond_signal(&call->done_cond);
}

void
clerk_call(Clerk *clerk, ClerkJobFn run, gpointer user)
{
    g_assert(!clerk_is_current(clerk));
    SyncCall call = {.run = run, .user = user};
    (void)pthread_mutex_init(&call.lock, NULL);
    cond_init_monotonic(&call.done_cond);
    clerk_post(clerk, PRIORITY_SAVE, run_sync_call, &call);
    {
        LOCK_SCOPE(&call.lock);
        while (!call.done) {
            (void)cond_wait_ms(&call.done_cond, &call.lock, -1);
        }
    }
    (void)pthread_cond_destroy(&call.done_cond);
    (void)pthread_mutex_destroy(&call.lock);
}

gboolean
clerk_is_current(const Clerk *clerk)
{
    return pthread_equal(clerk->thread, pthread_self());
}

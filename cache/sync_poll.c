/* The poller: one timer that looks for changes in every project that is published, so that what the
 * kernel holds can stay there until it is told otherwise.
 *
 *   one project        -> its own check (activity since its version): also shows versions without
 * an activity several            -> one /my/activity for all; those that it names are checked, the
 * others are confirmed not yet covered    -> a check of its own: published from the store, or
 * filled before the last look
 *
 * What /my/activity cannot show (it has no versions) is left to the sweep of each project. The
 * account, which changes rarely, is asked for again when its own TTL ends. Nobody waits for a look,
 * so it is prefetch. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/log.h"

/* The service may give two changes one time, and log one later than another. */
#define OVERLAP_MS 2000

typedef struct Look {
    Run run; /* first */
    GPtrArray *activities;
    gint64 total;
} Look;

static void poll_tick(gpointer user);

static void
poll_next(Sync *sync)
{
    if (sync->parts.poll_ms > 0 && !sync->closing) {
        clerk_post_at(sync->parts.clerk, clock_monotonic_ms() + sync->parts.poll_ms, poll_tick,
                      NULL, sync);
    }
}

static gint64
age_ms(Sync *sync, CacheKey key)
{
    const gint64 confirmed_ms = index_confirmed_ms(sync->parts.index, key);
    return confirmed_ms == INDEX_NEVER ? G_MAXINT64 : clock_monotonic_ms() - confirmed_ms;
}

static void
check_project(Sync *sync, ProjectSync *known)
{
    if (index_begin_check(sync->parts.index, (CacheKey){CACHE_PROJECT, known->id})) {
        sync_check(sync, known, PRIORITY_PREFETCH);
    }
}

static void
each_published(Sync *sync, void (*call)(Sync *sync, ProjectSync *known, gpointer user),
               gpointer user)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, sync->projects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((ProjectSync *)value)->project) {
            g_ptr_array_add(all, value);
        }
    }
    for (guint i = 0; i < all->len; i++) {
        call(sync, g_ptr_array_index(all, i), user);
    }
}

/* --- One look at all of the account's activity --- */

static HttpRequest *
build_look(Run *run, guint level, gint64 tag)
{
    (void)level;
    (void)tag;
    const Sync *sync = run->sync;
    return api_get_my_activity(sync->looked_until_ms > 0 ? sync->looked_until_ms - OVERLAP_MS : 0);
}

static gboolean
answer_look(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    Look *look = (Look *)run;
    (void)tag;
    look->activities = model_parse_activities(response->body, response->body_bytes, error);
    look->total = response->total;
    return look->activities != NULL;
}

static const RunStep step_look = {"activity of all projects", LEVEL_FIXED, build_look, answer_look};

static gboolean
look_names(const Look *look, const ProjectSync *known)
{
    for (guint i = 0; i < look->activities->len; i++) {
        const ParsedActivity *activity = g_ptr_array_index(look->activities, i);
        if (activity->project_id == known->id && activity->version > known->project->version) {
            return TRUE;
        }
    }
    return look->total > (gint64)look->activities->len;
}

static void
judge_project(Sync *sync, ProjectSync *known, gpointer user)
{
    const Look *look = user;
    const CacheKey key = {CACHE_PROJECT, known->id};
    const gboolean is_first = sync->looked_until_ms == 0;
    const gboolean is_covered = index_confirmed_ms(sync->parts.index, key) >= sync->looked_ms;
    if (is_first || !is_covered || look_names(look, known) || sync_wants_sweep(sync, known)) {
        check_project(sync, known);
    } else if (index_begin_check(sync->parts.index, key)) {
        index_touch_project(sync->parts.index, known->id, look->run.sent_ms,
                            sync_wall_of(look->run.sent_ms));
        sync_retire_and_show(sync, known, look->run.sent_ms);
        index_finish(sync->parts.index, key, NULL);
    }
}

static void
check_each(Sync *sync, ProjectSync *known, gpointer user)
{
    const gint64 *least_age_ms = user;
    if (age_ms(sync, (CacheKey){CACHE_PROJECT, known->id}) >= *least_age_ms) {
        check_project(sync, known);
    }
}

static void
look_on_idle(Run *run)
{
    Look *look = (Look *)run;
    Sync *sync = run->sync;
    sync->is_looking = FALSE;
    if (run->error) {
        const int code = run->error->code;
        if (code == ERR_NOT_FOUND || code == ERR_INVALID || code == ERR_AUTH) {
            gint64 any_ms = 0;
            log_debug(LOG_SYNC, "%s; asking each project", run->error->message);
            sync->cannot_look = TRUE;
            each_published(sync, check_each, &any_ms);
        }
    } else {
        each_published(sync, judge_project, look);
        for (guint i = 0; i < look->activities->len; i++) {
            const ParsedActivity *activity = g_ptr_array_index(look->activities, i);
            sync->looked_until_ms = MAX(sync->looked_until_ms, activity->occurred_ms);
        }
        sync->looked_ms = run->sent_ms;
    }
    if (look->activities) {
        g_ptr_array_unref(look->activities);
    }
    run_clear(run);
    g_free(look);
}

static void
look(Sync *sync)
{
    if (sync->is_looking) {
        return;
    }
    Look *one = g_new0(Look, 1);
    sync->is_looking = TRUE;
    run_init(&one->run, sync, (CacheKey){CACHE_ACCOUNT, 0}, PRIORITY_PREFETCH, look_on_idle);
    run_send(&one->run, &step_look, 0);
}

/* --- When --- */

static void
count_each(Sync *sync, ProjectSync *known, gpointer user)
{
    (void)sync;
    (void)known;
    ++*(guint *)user;
}

static void
look_around(Sync *sync, gint64 account_age_ms, gint64 project_age_ms)
{
    const CacheKey account = {CACHE_ACCOUNT, 0};
    guint n = 0;
    if (age_ms(sync, account) >= account_age_ms && index_begin_check(sync->parts.index, account)) {
        sync_start(sync, account, PRIORITY_PREFETCH);
    }
    each_published(sync, count_each, &n);
    if (n > 1 && !sync->cannot_look && project_age_ms > 0) {
        look(sync);
    } else {
        each_published(sync, check_each, &project_age_ms);
    }
}

static void
poll_tick(gpointer user)
{
    Sync *sync = user;
    if (!sync->closing) {
        /* Half the interval: the answer of the last look came after its tick. */
        look_around(sync, sync->parts.ttl_ms * INDEX_ACCOUNT_TTL_FACTOR, sync->parts.poll_ms / 2);
        poll_next(sync);
    }
}

void
sync_start_polling(Sync *sync)
{
    poll_next(sync);
}

void
sync_poll_now(Sync *sync)
{
    if (!sync->closing) {
        look_around(sync, 0, 0);
    }
}

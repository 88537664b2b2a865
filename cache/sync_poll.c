/* The poller: one timer that looks for changes in every project that is published, so that what the
 * kernel holds can stay there until it is told otherwise.
 *
 * A project that was confirmed since the last look (a reader asked) is left alone. The account,
 * which changes rarely, is asked for again when its own TTL ends. Everything goes through the same
 * check as a reader's question; nobody waits, so it is prefetch. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"

static void poll_tick(gpointer user);

static void
poll_next(Sync *sync)
{
    if (sync->parts.poll_ms > 0 && !sync->closing) {
        clerk_post_at(sync->parts.clerk, clock_monotonic_ms() + sync->parts.poll_ms, poll_tick,
                      NULL, sync);
    }
}

static gboolean
is_due(Sync *sync, CacheKey key, gint64 age_ms)
{
    const gint64 confirmed_ms = index_confirmed_ms(sync->parts.index, key);
    return confirmed_ms == INDEX_NEVER || clock_monotonic_ms() - confirmed_ms >= age_ms;
}

static void
poll_tick(gpointer user)
{
    Sync *sync = user;
    GHashTableIter iter;
    gpointer value;
    if (sync->closing) {
        return;
    }
    const CacheKey account = {CACHE_ACCOUNT, 0};
    if (is_due(sync, account, sync->parts.ttl_ms * INDEX_ACCOUNT_TTL_FACTOR) &&
        index_begin_check(sync->parts.index, account)) {
        sync_start(sync, account, PRIORITY_PREFETCH);
    }
    g_hash_table_iter_init(&iter, sync->projects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ProjectSync *known = value;
        const CacheKey key = {CACHE_PROJECT, known->id};
        /* A little less than the interval: the answer of the last look came after its tick. */
        if (known->project && is_due(sync, key, sync->parts.poll_ms / 2) &&
            index_begin_check(sync->parts.index, key)) {
            sync_check(sync, known, PRIORITY_PREFETCH);
        }
    }
    poll_next(sync);
}

void
sync_start_polling(Sync *sync)
{
    poll_next(sync);
}

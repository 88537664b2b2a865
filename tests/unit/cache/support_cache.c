/* Asking in rounds, each with a wait in between. */
#include "tests/unit/cache/support_cache.h"

#include <string.h>

#include "cache/base/clock.h"
#include "cache/base/lock.h"

#define WAIT_MS 20000
#define ROUNDS 100
#define CONNECT_MS 5000

Cache *
support_cache_open(const char *directory, const char *state_directory, gint64 ttl_ms,
                   Transport *transport)
{
    g_autoptr(GError) error = NULL;
    gboolean offline;
    const CacheConfig config = {.directory = directory,
                                .state_directory = state_directory,
                                .source = "test",
                                .ttl_ms = ttl_ms,
                                .timeout_ms = 10000,
                                .attachment_limit_bytes = 1000000};
    Cache *cache = cache_open(&config, transport, &error);
    g_assert_no_error(error);
    g_assert_true(cache_connect(cache, CONNECT_MS, &offline, &error));
    g_assert_no_error(error);
    return cache;
}

Cache *
support_cache_open_in(const char *folder, gint64 ttl_ms, Transport *transport)
{
    g_autofree char *directory = g_build_filename(folder, "cache", NULL);
    g_autofree char *state = g_build_filename(folder, "state", NULL);
    return support_cache_open(directory, state, ttl_ms, transport);
}

void
waiter_init(Waiter *waiter)
{
    *waiter = (Waiter){.called = FALSE};
    (void)pthread_mutex_init(&waiter->lock, NULL);
    cond_init_monotonic(&waiter->changed);
}

void
waiter_done(const GError *error, gpointer user)
{
    Waiter *waiter = user;
    LOCK_SCOPE(&waiter->lock);
    waiter->called = TRUE;
    waiter->code = error ? error->code : -1;
    (void)pthread_cond_signal(&waiter->changed);
}

void
waiter_await(Waiter *waiter)
{
    LOCK_SCOPE(&waiter->lock);
    while (!waiter->called) {
        g_assert_true(cond_wait_ms(&waiter->changed, &waiter->lock, WAIT_MS));
    }
}

void
support_cache_wait(Cache *cache, CacheKey key)
{
    Waiter waiter;
    waiter_init(&waiter);
    cache_wait(cache, key, waiter_done, &waiter);
    waiter_await(&waiter);
}

static Project *
get_project(Cache *cache, gint64 id, gint64 since_ms, gboolean anew, GError **error)
{
    for (int rounds = 0; rounds < ROUNDS; rounds++) {
        CacheAsk ask = {.since_ms = since_ms, .anew = anew};
        Project *project = cache_get_project(cache, id, &ask);
        if (ask.error) {
            g_propagate_error(error, ask.error);
            return project;
        }
        if (project) {
            return project;
        }
        support_cache_wait(cache, ask.wait_for);
    }
    g_assert_not_reached();
}

Project *
support_cache_project(Cache *cache, gint64 id, gint64 since_ms, GError **error)
{
    return get_project(cache, id, since_ms, FALSE, error);
}

Project *
support_cache_project_now(Cache *cache, gint64 id)
{
    g_autoptr(GError) error = NULL;
    Project *project = get_project(cache, id, clock_monotonic_ms(), FALSE, &error);
    g_assert_no_error(error);
    return project;
}

Project *
support_cache_project_anew(Cache *cache, gint64 id)
{
    g_autoptr(GError) error = NULL;
    Project *project = get_project(cache, id, clock_monotonic_ms(), TRUE, &error);
    g_assert_no_error(error);
    return project;
}

EditVerdict
support_cache_verdict(Cache *cache, gint64 number, gboolean last, gint64 *ret_id, GError **error)
{
    EditVerdict verdict;
    do {
        g_clear_error(error);
        support_cache_wait(cache, (CacheKey){CACHE_EDIT, number});
        verdict = cache_edit_verdict(cache, number, last, ret_id, error);
    } while (verdict == EDIT_UNSAVED);
    return verdict;
}

Text
support_text(const char *words)
{
    return (Text){(char *)(guintptr)words, words ? strlen(words) : 0};
}

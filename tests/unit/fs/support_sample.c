/* The tracker is reached as a mount reaches it. */
#include "tests/unit/fs/support_sample.h"

#include "cache/base/clock.h"
#include "fs/source.h"
#include "tests/unit/cache/support_cache.h"
#include "tests/unit/support_folder.h"
#include "tracker/sample/sample.h"
#include "tracker/service.h"

char *
support_sample_path(const char *folder)
{
    return g_build_filename(folder, "t.db", NULL);
}

char *
support_sample_make(guint n_stories)
{
    g_autoptr(GError) error = NULL;
    char *folder = folder_new();
    g_autofree char *db = support_sample_path(folder);
    g_autoptr(Tracker) tracker = tracker_open(db, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    g_assert_true(tracker_make_sample(tracker, n_stories, clock_wall_ms(), &error));
    return folder;
}

Cache *
support_sample_open(const char *folder, gint64 ttl_ms, gint64 *ret_project_id)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *db = support_sample_path(folder);
    g_autofree char *identity = NULL;
    const Location location = {.kind = LOCATION_DATABASE, .label = db, .path = db};
    Transport *transport = source_open(&location, NULL, 10000, TRUE, &identity, &error);
    g_assert_no_error(error);
    Cache *cache = support_cache_open_in(folder, ttl_ms, transport);
    CacheAsk ask = {.stale_ok = TRUE};
    g_autoptr(Account) account = cache_get_account(cache, &ask);
    *ret_project_id = account->projects[0].id;
    return cache;
}

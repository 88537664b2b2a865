/* The cache against a service in memory: fills, freshness, changes, failures, waiting, ends. Time
 * is moved, not awaited. */
#include "cache/cache.h"

#include <glib.h>
#include <string.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "tests/unit/base/support_clock.h"
#include "tests/unit/cache/support_cache.h"
#include "tests/unit/cache/support_fake_service.h"
#include "tests/unit/support_folder.h"

#define TTL_MS 60000

typedef struct {
    char *folder;
    FakeService *fake;
    Cache *cache;
} Fixture;

static void
open_cache(Fixture *f, guint n_stories, gint64 ttl_ms)
{
    f->fake = fake_service_new(n_stories);
    f->cache = support_cache_open(f->folder, NULL, ttl_ms, &f->fake->wire.transport);
}

static void
setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->folder = folder_new();
    open_cache(f, 1200, TTL_MS);
}

static void
teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_clear_pointer(&f->cache, cache_close);
    folder_remove(f->folder);
}

/* The project, or NULL with the error. */
static Project *
get_project(Fixture *f, GError **error)
{
    return support_cache_project(f->cache, 9, clock_monotonic_ms(), error);
}

static Project *
expect_project(Fixture *f)
{
    return support_cache_project_now(f->cache, 9);
}

static char *
story_text(Fixture *f, gint64 id)
{
    CacheAsk ask = {.stale_ok = TRUE};
    g_autoptr(Story) story = cache_get_story(f->cache, id, &ask);
    g_assert_no_error(ask.error);
    return g_strdup(story->description.data);
}

static void
test_fill(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1200);
    g_assert_cmpint(project->stories[1199]->id, ==, 1200);
    g_assert_cmpuint(fake_service_requests(f->fake), <=, 12);
    fake_service_reset(f->fake);
    g_autofree char *text = story_text(f, 700);
    g_assert_cmpstr(text, ==, "as it was 700");
    g_autoptr(Project) again = expect_project(f);
    g_assert_cmpuint(fake_service_requests(f->fake), ==, 0);
    CacheAsk ask = {.stale_ok = TRUE};
    g_assert_null(cache_get_story(f->cache, 1201, &ask));
    g_assert_error(ask.error, ERR, ERR_NOT_FOUND);
    g_clear_error(&ask.error);
    g_assert_null(cache_get_project(f->cache, 8, &ask));
    g_assert_error(ask.error, ERR, ERR_NOT_FOUND);
    g_clear_error(&ask.error);
}

static void
test_a_service_with_small_pages(Fixture *f, gconstpointer unused)
{
    (void)unused;
    FAKE_SET(f->fake, page_limit, 100);
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1200);
}

static void
test_a_missing_story_is_an_error(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    FAKE_SET(f->fake, loses_a_story, TRUE);
    g_assert_null(get_project(f, &error));
    g_assert_error(error, ERR, ERR_PROTOCOL);
    g_assert_nonnull(strstr(error->message, "incomplete"));
    FAKE_SET(f->fake, loses_a_story, FALSE);
    test_clock_advance_ms(120000);
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1200);
}

static void
test_a_change_during_the_fill(Fixture *f, gconstpointer unused)
{
    (void)unused;
    FAKE_SET(f->fake, moves_between_pages, TRUE);
    FAKE_SET(f->fake, changed_id, 600);
    FAKE_SET(f->fake, title, "new");
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1200);
    g_assert_cmpint(project->version, ==, 11);
    g_autofree char *text = story_text(f, 600);
    g_assert_cmpstr(text, ==, "new 600");
}

static void
send_without_id(Fixture *f, guint from, guint to)
{
    FAKE_SET(f->fake, nameless_from, from);
    FAKE_SET(f->fake, nameless_to, to);
}

static void
expect_left_out(Fixture *f, const char *words)
{
    CacheStatus status;
    cache_get_status(f->cache, &status);
    g_assert_cmpuint(status.n_projects, ==, 1);
    g_assert_null(status.projects[0].last_error);
    g_assert_cmpstr(status.projects[0].left_out, ==, words);
    cache_status_clear(&status);
}

/* One broken record costs itself: the others are served, and nothing is asked again because of it,
 * now or after the next mount. */
static void
test_a_story_without_an_id_is_left_out(Fixture *f, gconstpointer unused)
{
    (void)unused;
    send_without_id(f, 700, 700);
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1199);
    g_assert_null(project_find_story(project, 700));
    expect_left_out(f, "1 story: no id");
    fake_service_reset(f->fake);
    test_clock_advance_ms(TTL_MS + 1);
    g_autoptr(Project) again = expect_project(f);
    g_assert_cmpuint(fake_service_requests(f->fake), ==, 1);
    g_clear_pointer(&f->cache, cache_close);
    open_cache(f, 1200, TTL_MS);
    g_autoptr(Project) remounted = expect_project(f);
    g_assert_cmpuint(fake_service_requests(f->fake), ==, 0);
    expect_left_out(f, "1 story: no id");
}

/* A whole page of them does not end the listing. */
static void
test_a_page_without_ids_is_left_out(Fixture *f, gconstpointer unused)
{
    (void)unused;
    send_without_id(f, 1, 500);
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 700);
    expect_left_out(f, "500 stories: no id");
}

static void
test_only_stories_without_ids_are_an_error(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    send_without_id(f, 1, 1200);
    g_assert_null(get_project(f, &error));
    g_assert_error(error, ERR, ERR_PROTOCOL);
    g_assert_nonnull(strstr(error->message, "none has an id"));
}

static void
test_a_change_during_a_fill_without_an_id(Fixture *f, gconstpointer unused)
{
    (void)unused;
    send_without_id(f, 700, 700);
    FAKE_SET(f->fake, moves_between_pages, TRUE);
    FAKE_SET(f->fake, changed_id, 600);
    g_autoptr(Project) project = expect_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1199);
    g_assert_cmpint(project->version, ==, 11);
    expect_left_out(f, "1 story: no id");
}

/* A story that loses its id is gone, and counted once however often it changes. */
static void
test_a_change_without_an_id(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = expect_project(f);
    send_without_id(f, 800, 800);
    FAKE_SET(f->fake, changed_id, 800);
    for (gint64 version = 11; version <= 12; version++) {
        fake_service_reset(f->fake);
        FAKE_SET(f->fake, version, version);
        test_clock_advance_ms(TTL_MS + 1);
        g_autoptr(Project) after = expect_project(f);
        g_assert_cmpint(after->version, ==, version);
        g_assert_cmpuint(after->n_stories, ==, 1199);
        expect_left_out(f, "1 story: no id");
        g_assert_cmpuint(fake_service_requests(f->fake), <=, 4);
    }
}

static void
test_nothing_changed(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) first = expect_project(f);
    fake_service_reset(f->fake);
    test_clock_advance_ms(TTL_MS + 1);
    g_autoptr(Project) second = expect_project(f);
    g_assert_cmpuint(fake_service_requests(f->fake), ==, 1);
    g_assert_cmpint(cache_fresh_until_ms(f->cache, 9), >, clock_monotonic_ms());
}

static void
test_one_story_changed(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = expect_project(f);
    g_autofree char *old_text = story_text(f, 800);
    fake_service_reset(f->fake);
    FAKE_SET(f->fake, changed_id, 800);
    FAKE_SET(f->fake, title, "new");
    FAKE_SET(f->fake, version, 11);
    FAKE_SET(f->fake, logged_from, 10);
    g_autofree char *cached = story_text(f, 800);
    g_assert_cmpstr(cached, ==, "as it was 800");
    test_clock_advance_ms(TTL_MS + 1);
    g_autoptr(Project) after = expect_project(f);
    g_assert_cmpint(after->version, ==, 11);
    g_assert_cmpuint(after->n_stories, ==, 1200);
    g_assert_cmpint(after->stories[799]->id, ==, 800);
    g_assert_cmpstr(project_find_story(after, 800)->name, ==, "new");
    g_assert_cmpstr(project_find_story(before, 800)->name, ==, "as it was");
    g_autofree char *text = story_text(f, 800);
    g_assert_cmpstr(text, ==, "new 800");
    g_assert_cmpuint(fake_service_requests(f->fake), <=, 3);
}

static void
test_a_story_deleted(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = expect_project(f);
    FAKE_SET(f->fake, changed_id, 0);
    FAKE_SET(f->fake, version, 11);
    FAKE_SET(f->fake, logged_from, 10);
    test_clock_advance_ms(TTL_MS + 1);
    g_autoptr(Project) after = expect_project(f);
    g_assert_cmpuint(after->n_stories, ==, 1199);
    g_assert_null(project_find_story(after, 1));
    CacheAsk ask = {.stale_ok = TRUE};
    g_assert_null(cache_get_story(f->cache, 1, &ask));
    g_assert_error(ask.error, ERR, ERR_NOT_FOUND);
    g_clear_error(&ask.error);
}

static void
test_a_version_without_activity(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = expect_project(f);
    FAKE_SET(f->fake, changed_id, 5);
    FAKE_SET(f->fake, title, "silently new");
    FAKE_SET(f->fake, version, 99);
    FAKE_SET(f->fake, logged_from, 99);
    test_clock_advance_ms(TTL_MS + 1);
    /* Old data is served while everything is fetched again. */
    g_autoptr(Project) meanwhile = expect_project(f);
    g_autofree char *text = NULL;
    for (int i = 0; i < 2000 && g_strcmp0(text, "silently new 5") != 0; i++) {
        g_autoptr(Project) now = expect_project(f);
        g_free(text);
        text = story_text(f, 5);
        g_usleep(2000);
    }
    g_assert_cmpstr(text, ==, "silently new 5");
}

/* The service keeps only the last activities: what came before them is explained by nothing, so a
 * complete listing follows, though each activity that is told could be followed. */
static void
test_activity_older_than_is_kept(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = expect_project(f);
    fake_service_reset(f->fake);
    FAKE_SET(f->fake, changed_id, 5);
    FAKE_SET(f->fake, title, "long ago");
    FAKE_SET(f->fake, logged_from, 95);
    FAKE_SET(f->fake, version, 99);
    test_clock_advance_ms(TTL_MS + 1);
    g_autofree char *text = NULL;
    for (int i = 0; i < 2000 && g_strcmp0(text, "long ago 5") != 0; i++) {
        /* Never an error, never a short listing. */
        g_autoptr(Project) now = expect_project(f);
        g_assert_cmpuint(now->n_stories, ==, 1200);
        g_free(text);
        text = story_text(f, 5);
        g_usleep(2000);
    }
    g_assert_cmpstr(text, ==, "long ago 5");
    /* One for the activity, three pages, project, members, labels, epics, iterations. */
    g_assert_cmpuint(fake_service_requests(f->fake), >=, 9);
}

static void
test_a_remount_asks_nothing(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = expect_project(f);
    g_clear_pointer(&f->cache, cache_close);
    open_cache(f, 1200, TTL_MS);
    g_autoptr(Project) after = expect_project(f);
    g_assert_cmpuint(after->n_stories, ==, 1200);
    g_autofree char *text = story_text(f, 77);
    g_assert_cmpstr(text, ==, "as it was 77");
    g_assert_cmpuint(fake_service_requests(f->fake), ==, 0);
}

static void
test_offline(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    FAKE_SET(f->fake, wire.is_offline, TRUE);
    g_assert_null(get_project(f, &error));
    g_assert_error(error, ERR, ERR_OFFLINE);
    g_clear_error(&error);
    FAKE_SET(f->fake, wire.is_offline, FALSE);
    test_clock_advance_ms(120000);
    g_autoptr(Project) filled = expect_project(f);
    FAKE_SET(f->fake, wire.is_offline, TRUE);
    test_clock_advance_ms(3600000);
    g_autoptr(Project) stale = expect_project(f);
    g_assert_true(stale == filled);
    fake_service_reset(f->fake);
    for (int i = 0; i < 50; i++) {
        g_autoptr(Project) again = expect_project(f);
    }
    g_assert_cmpuint(fake_service_requests(f->fake), <=, 2);
    CacheStatus status;
    cache_get_status(f->cache, &status);
    g_assert_false(status.online);
    cache_status_clear(&status);
}

/* Who takes old data gets it at once, and is told of the look that has begun, and since when. */
static void
test_old_data_while_looking(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) filled = expect_project(f);
    CacheAsk fresh = {.since_ms = clock_monotonic_ms(), .stale_ok = TRUE};
    g_autoptr(Project) present = cache_get_project(f->cache, 9, &fresh);
    g_assert_true(present == filled);
    g_assert_cmpint(fresh.wait_for.kind, ==, CACHE_NOTHING);

    FAKE_SET(f->fake, wire.holds_back, TRUE);
    test_clock_advance_ms(TTL_MS + 1);
    const gint64 began_ms = clock_monotonic_ms();
    for (int i = 0; i < 2; i++) {
        CacheAsk ask = {.since_ms = clock_monotonic_ms(), .stale_ok = TRUE};
        g_autoptr(Project) old = cache_get_project(f->cache, 9, &ask);
        g_assert_true(old == filled);
        g_assert_cmpint(ask.wait_for.kind, ==, CACHE_PROJECT);
        g_assert_true(ask.have_stale);
        g_assert_cmpint(ask.wait_since_ms, >=, began_ms);
        g_assert_cmpint(ask.wait_since_ms, <, began_ms + 1000);
        test_clock_advance_ms(2000);
    }
    CacheAsk ask = {.since_ms = clock_monotonic_ms()};
    g_assert_null(cache_get_project(f->cache, 9, &ask));
    g_assert_true(ask.have_stale);
    FAKE_SET(f->fake, wire.holds_back, FALSE);
    g_autoptr(Project) confirmed = expect_project(f);
    g_assert_true(confirmed == filled);
}

static void
test_not_a_service(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    FAKE_SET(f->fake, is_html, TRUE);
    g_assert_null(get_project(f, &error));
    g_assert_error(error, ERR, ERR_PROTOCOL);
}

static void
test_many_askers_one_fill(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static Waiter waiters[200];
    FAKE_SET(f->fake, wire.holds_back, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(waiters); i++) {
        CacheAsk ask = {.since_ms = clock_monotonic_ms()};
        g_assert_null(cache_get_project(f->cache, 9, &ask));
        g_assert_cmpint(ask.wait_for.kind, ==, CACHE_PROJECT);
        g_assert_false(ask.have_stale);
        waiter_init(&waiters[i]);
        cache_wait(f->cache, ask.wait_for, waiter_done, &waiters[i]);
    }
    g_assert_true(cache_cancel_wait(f->cache, (CacheKey){CACHE_PROJECT, 9}, &waiters[7]));
    g_assert_false(cache_cancel_wait(f->cache, (CacheKey){CACHE_PROJECT, 9}, &waiters[7]));
    FAKE_SET(f->fake, wire.holds_back, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(waiters); i++) {
        if (i != 7) {
            waiter_await(&waiters[i]);
            g_assert_cmpint(waiters[i].code, ==, -1);
        }
    }
    g_assert_false(waiters[7].called);
    g_assert_cmpuint(fake_service_requests(f->fake), <=, 12);
}

static void
test_a_ttl_of_zero_ends(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_clear_pointer(&f->cache, cache_close);
    open_cache(f, 50, 0);
    for (int i = 0; i < 3; i++) {
        g_autoptr(Project) project = expect_project(f);
        g_assert_cmpuint(project->n_stories, ==, 50);
    }
}

static void
test_the_end_answers_waiters(Fixture *f, gconstpointer unused)
{
    (void)unused;
    Waiter waiter;
    waiter_init(&waiter);
    FAKE_SET(f->fake, wire.holds_back, TRUE);
    CacheAsk ask = {.since_ms = clock_monotonic_ms()};
    g_assert_null(cache_get_project(f->cache, 9, &ask));
    cache_wait(f->cache, ask.wait_for, waiter_done, &waiter);
    g_clear_pointer(&f->cache, cache_close);
    waiter_await(&waiter);
    g_assert_cmpint(waiter.code, ==, ERR_CANCELLED);
}

static void
test_activity(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) project = expect_project(f);
    g_autoptr(Activity) activity = NULL;
    for (int rounds = 0; !activity && rounds < 5; rounds++) {
        CacheAsk ask = {.since_ms = 0};
        activity = cache_get_activity(f->cache, CACHE_PROJECT_ACTIVITY, 9, &ask);
        g_assert_no_error(ask.error);
        if (!activity) {
            support_cache_wait(f->cache, ask.wait_for);
        }
    }
    g_auto(GStrv) lines = g_strsplit(activity->lines.data, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 11);
    g_assert_cmpint(activity->changed_ms, ==, 10000);
    fake_service_reset(f->fake);
    CacheAsk ask = {.since_ms = 0};
    g_autoptr(Activity) again = cache_get_activity(f->cache, CACHE_PROJECT_ACTIVITY, 9, &ask);
    g_assert_nonnull(again);
    g_assert_cmpuint(fake_service_requests(f->fake), ==, 0);
}

static void
test_two_mounts_of_one_source(Fixture *f, gconstpointer unused)
{
    (void)unused;
    Fixture second = {.folder = f->folder};
    open_cache(&second, 3, TTL_MS);
    g_assert_cmpstr(cache_directory(second.cache), !=, cache_directory(f->cache));
    char *folder = g_strdup(cache_directory(second.cache));
    cache_close(second.cache);
    folder_remove(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_clock_begin();
#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)
    ADD("/cache/fill", test_fill);
    ADD("/cache/small-pages", test_a_service_with_small_pages);
    ADD("/cache/incomplete", test_a_missing_story_is_an_error);
    ADD("/cache/change-during-fill", test_a_change_during_the_fill);
    ADD("/cache/story-without-id", test_a_story_without_an_id_is_left_out);
    ADD("/cache/page-without-ids", test_a_page_without_ids_is_left_out);
    ADD("/cache/only-stories-without-ids", test_only_stories_without_ids_are_an_error);
    ADD("/cache/change-during-fill-without-id", test_a_change_during_a_fill_without_an_id);
    ADD("/cache/change-without-id", test_a_change_without_an_id);
    ADD("/cache/nothing-changed", test_nothing_changed);
    ADD("/cache/one-story-changed", test_one_story_changed);
    ADD("/cache/deleted", test_a_story_deleted);
    ADD("/cache/version-without-activity", test_a_version_without_activity);
    ADD("/cache/activity-older-than-is-kept", test_activity_older_than_is_kept);
    ADD("/cache/remount", test_a_remount_asks_nothing);
    ADD("/cache/offline", test_offline);
    ADD("/cache/old-data-while-looking", test_old_data_while_looking);
    ADD("/cache/not-a-service", test_not_a_service);
    ADD("/cache/many-askers", test_many_askers_one_fill);
    ADD("/cache/ttl-zero", test_a_ttl_of_zero_ends);
    ADD("/cache/end", test_the_end_answers_waiters);
    ADD("/cache/activity", test_activity);
    ADD("/cache/two-mounts", test_two_mounts_of_one_source);
    int rc = g_test_run();
    test_clock_end();
    return rc;
}

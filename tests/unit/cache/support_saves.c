#include "tests/unit/cache/support_saves.h"

#include <string.h>

#include "cache/base/lock.h"
#include "tests/unit/support_folder.h"

Project *
saves_get_project(SavesFixture *f)
{
    return support_cache_project_now(f->cache, 9);
}

Story *
saves_get_story(SavesFixture *f, gint64 id)
{
    CacheAsk ask = {.stale_ok = TRUE};
    Story *story = cache_get_story(f->cache, id, &ask);
    g_clear_error(&ask.error);
    return story;
}

char *
saves_shown_description(SavesFixture *f, gint64 id)
{
    g_autoptr(Story) story = saves_get_story(f, id);
    return g_strdup(story && story->description.data ? story->description.data : "");
}

static void
open_cache(SavesFixture *f)
{
    f->cache = support_cache_open_in(f->folder, SAVES_TTL_MS, &f->fake->wire.transport);
}

void
saves_setup(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    f->folder = folder_new();
    f->fake = fake_tracker_new();
    f->story = fake_tracker_add(f->fake, "first", "one\ntwo\nthree\nfour\nfive\n");
    open_cache(f);
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1);
}

void
saves_teardown(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_clear_pointer(&f->cache, cache_close);
    folder_remove(f->folder);
}

gint64
saves_submit(SavesFixture *f, EditFile file, gint64 owner, gint64 id, const char *name,
             const char *mine, GError **error)
{
    const EditTarget target = {
        .file = file, .project_id = 9, .owner_id = owner, .id = id, .name = name};
    const Text words = support_text(mine);
    return cache_submit(f->cache, &target, NULL, mine ? &words : NULL, error);
}

/* Until there is a verdict, or the server is away. */
EditVerdict
saves_verdict(SavesFixture *f, gint64 number, gint64 *ret_id, GError **error)
{
    return support_cache_verdict(f->cache, number, FALSE, ret_id, error);
}

void
saves_accepted(SavesFixture *f, gint64 number, gint64 *ret_id)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(number, >, 0);
    EditVerdict result = saves_verdict(f, number, ret_id, &error);
    g_assert_no_error(error);
    g_assert_cmpint(result, ==, EDIT_ACCEPTED);
}

void
saves_expect_log(SavesFixture *f, const char *expected)
{
    g_autofree char *log = fake_tracker_take_log(f->fake);
    g_assert_cmpstr(log, ==, expected);
}

void
saves_restart(SavesFixture *f)
{
    /* The service outlives the mount: its state moves to a new transport. */
    FakeTracker *fresh = fake_tracker_new();
    {
        LOCK_SCOPE(&f->fake->wire.lock);
        json_t *stories = fresh->stories;
        fresh->stories = json_incref(f->fake->stories);
        json_decref(stories);
        json_t *activities = fresh->activities;
        fresh->activities = json_incref(f->fake->activities);
        json_decref(activities);
        fresh->version = f->fake->version;
        fresh->next_id = f->fake->next_id;
        fresh->wire.is_offline = f->fake->wire.is_offline;
    }
    cache_close(f->cache);
    f->fake = fresh;
    open_cache(f);
    g_autoptr(Project) project = saves_get_project(f);
}

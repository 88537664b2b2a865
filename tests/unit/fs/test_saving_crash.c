/* kill -9 at every numbered point of a save (cache/base/crash.h), with our own tracker in-process.
 *
 * A child process saves one thing after the other and tells after each that its writer was told; at
 * the point it dies. Another child opens the same folders: everything that was told of must show at
 * once, and go out; then the tracker itself is asked: each thing is there that was told of, and
 * nothing is there twice. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/crash.h"
#include "tests/unit/cache/support_cache.h"
#include "tests/unit/fs/support_sample.h"
#include "tests/unit/support_folder.h"
#include "tracker/service.h"

#define DESCRIPTION "Written before the crash.\n"
#define NEW_NAME "Made before the crash"
#define COMMENT "Said before the crash.\n"
#define TASK "Planned before the crash"
#define FILE_NAME "before-the-crash.bin"

/* What a child tells, a letter each. */
#define TOLD_DESCRIPTION 'd'
#define TOLD_STORY 's'
#define TOLD_COMMENT 'c'
#define TOLD_TASK 't'
#define TOLD_FILE 'f'
#define TOLD_END '.'

static char *program;
static char *sample; /* in the parent: the folder with what each run begins with a copy of */

typedef struct {
    char *folder;
    Cache *cache;
    gint64 project, story;
} World;

/* --- In the child --- */

/* As it was known last, if it was. */
static Project *
get_project(World *world)
{
    g_autoptr(GError) error = NULL;
    Project *project = support_cache_project(world->cache, world->project, 0, &error);
    g_assert_no_error(error);
    return project;
}

static void
open_world(World *world)
{
    world->cache = support_sample_open(world->folder, 60000, &world->project);
    g_autoptr(Project) project = get_project(world);
    world->story = G_MAXINT64; /* the oldest, which is there in every run */
    for (guint i = 0; i < project->n_stories; i++) {
        world->story = MIN(world->story, project->stories[i]->id);
    }
}

static void
tell(char what)
{
    (void)fputc(what, stdout);
    (void)fflush(stdout);
}

static gint64
save(World *world, EditTarget target, const char *base, const char *mine, char told)
{
    g_autoptr(GError) error = NULL;
    const Text before = support_text(base);
    const Text words = support_text(mine);
    gint64 made = 0;
    gint64 number =
        cache_submit(world->cache, &target, base ? &before : NULL, mine ? &words : NULL, &error);
    g_assert_no_error(error);
    if (number > 0) {
        (void)support_cache_verdict(world->cache, number, TRUE, &made, &error);
    }
    if (told) {
        tell(told);
    }
    return made;
}

static void
save_file(World *world)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *spool = NULL;
    int fd = cache_spool_new(world->cache, &spool, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(fd, "bytes", 5), ==, 5);
    (void)close(fd);
    (void)save(world,
               (EditTarget){.file = EDIT_NEW_ATTACHMENT,
                            .project_id = world->project,
                            .owner_id = world->story,
                            .name = FILE_NAME,
                            .spool = spool},
               NULL, NULL, TOLD_FILE);
}

static int
child_save(World *world)
{
    open_world(world);
    (void)save(world,
               (EditTarget){.file = EDIT_STORY_DESCRIPTION,
                            .project_id = world->project,
                            .owner_id = world->story},
               NULL, DESCRIPTION, TOLD_DESCRIPTION);
    (void)save(world,
               (EditTarget){.file = EDIT_NEW_STORY, .project_id = world->project, .name = NEW_NAME},
               NULL, NULL, TOLD_STORY);
    (void)save(world,
               (EditTarget){.file = EDIT_NEW_STORY_COMMENT,
                            .project_id = world->project,
                            .owner_id = world->story},
               NULL, COMMENT, TOLD_COMMENT);
    (void)save(
        world,
        (EditTarget){.file = EDIT_NEW_TASK, .project_id = world->project, .owner_id = world->story},
        NULL, "- [ ] " TASK "\n", TOLD_TASK);
    save_file(world);
    /* A conflict (it was never called so), and a change that only the server can refuse. */
    (void)save(world,
               (EditTarget){.file = EDIT_STORY_FIELD,
                            .project_id = world->project,
                            .owner_id = world->story,
                            .name = "name"},
               "never called so\n", "refused\n", 0);
    (void)save(world,
               (EditTarget){.file = EDIT_STORY_CHANGES,
                            .project_id = world->project,
                            .owner_id = world->story},
               NULL, "{\"before_id\": 987654321}", 0);
    (void)cache_drain(world->cache, 10000, NULL, NULL);
    for (int tries = 0; cache_count_edits(world->cache, NULL) > 1 && tries < 1000; tries++) {
        g_usleep(2000);
    }
    /* Data of the server's own, stored and published; then the edits retire. */
    g_autoptr(Project) fresh = support_cache_project_anew(world->cache, world->project);
    tell(TOLD_END);
    cache_close(world->cache);
    return 0;
}

static gboolean
has_text(const Text *text, const char *wanted)
{
    return text->data && g_str_equal(text->data, wanted);
}

static void
check_shown(World *world, const char *told)
{
    CacheAsk ask = {.stale_ok = TRUE};
    g_autoptr(Story) story = cache_get_story(world->cache, world->story, &ask);
    g_autoptr(Project) project = get_project(world);
    gboolean comment = FALSE;
    gboolean task = FALSE;
    gboolean made = FALSE;
    gboolean file = FALSE;
    for (guint i = 0; i < story->n_comments; i++) {
        comment |= has_text(&story->comments[i].text, COMMENT);
    }
    for (guint i = 0; i < story->n_tasks; i++) {
        task |= has_text(&story->tasks[i].description, TASK);
    }
    for (guint i = 0; i < story->n_attachments; i++) {
        file |= g_strcmp0(story->attachments[i].filename, FILE_NAME) == 0;
    }
    for (guint i = 0; i < project->n_stories; i++) {
        made |= g_str_equal(project->stories[i]->name, NEW_NAME);
    }
    g_assert_true(!strchr(told, TOLD_DESCRIPTION) || has_text(&story->description, DESCRIPTION));
    g_assert_true(!strchr(told, TOLD_STORY) || made);
    g_assert_true(!strchr(told, TOLD_COMMENT) || comment);
    g_assert_true(!strchr(told, TOLD_TASK) || task);
    g_assert_true(!strchr(told, TOLD_FILE) || file);
}

static int
child_recover(World *world, const char *told)
{
    open_world(world);
    check_shown(world, told);
    (void)cache_drain(world->cache, 20000, NULL, NULL);
    guint parked = 0;
    guint left = cache_count_edits(world->cache, &parked);
    g_assert_cmpuint(left, ==, parked);
    check_shown(world, told);
    cache_close(world->cache);
    return 0;
}

/* --- In the parent --- */

/* Runs a child until it ends; what it told. *ret_killed: by the point. */
static char *
run_child(const char *mode, const char *folder, const char *told, const char *point,
          gboolean *ret_killed)
{
    g_autoptr(GError) error = NULL;
    char *out = NULL;
    int status = 0;
    g_auto(GStrv) environment = g_get_environ();
    environment = point ? g_environ_setenv(environment, "TRACKERFS_CRASH_AT", point, TRUE)
                        : g_environ_unsetenv(environment, "TRACKERFS_CRASH_AT");
    char *argv[] = {program, (char *)(guintptr)mode, (char *)(guintptr)folder,
                    (char *)(guintptr)told, NULL};
    g_assert_true(g_spawn_sync(NULL, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                               &status, &error));
    g_assert_no_error(error);
    *ret_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!*ret_killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        g_error("the child that was to die at %s ended with %d", point ? point : "no point",
                status);
    }
    return out;
}

static guint
occurrences(const char *text, const char *wanted)
{
    guint n = 0;
    for (const char *at = text; (at = strstr(at, wanted)); at++) {
        n++;
    }
    return n;
}

static char *
ask_tracker(Tracker *tracker, const char *path, const char *query)
{
    TrackerResponse answer;
    const TrackerRequest request = {.method = "GET",
                                    .path = path,
                                    .query = query,
                                    .trusted_person_id = tracker_local_person(tracker)};
    tracker_handle(tracker, &request, &answer);
    char *text = g_strdup(answer.body ? answer.body->str : "");
    tracker_response_clear(&answer);
    return text;
}

static void
check_tracker(const char *folder, const char *told)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *db = support_sample_path(folder);
    g_autoptr(Tracker) tracker = tracker_open(db, 0, &error);
    g_assert_no_error(error);
    g_autofree char *projects = ask_tracker(tracker, "/services/v5/projects", "fields=id");
    g_autofree char *path =
        g_strdup_printf("/services/v5/projects/%d/stories", atoi(strpbrk(projects, "0123456789")));
    g_autofree char *stories = ask_tracker(
        tracker, path,
        "limit=500&fields=name,description,tasks(description),comments(text,file_attachments)");
    static const struct {
        char told;
        const char *text;
    } things[] = {{TOLD_DESCRIPTION, "\"Written before the crash."},
                  {TOLD_STORY, "\"" NEW_NAME "\""},
                  {TOLD_COMMENT, "\"Said before the crash."},
                  {TOLD_TASK, "\"" TASK "\""},
                  {TOLD_FILE, "\"" FILE_NAME "\""}};
    for (gsize i = 0; i < G_N_ELEMENTS(things); i++) {
        guint n = occurrences(stories, things[i].text);
        g_assert_cmpuint(n, <=, 1);
        g_assert_true(n == 1 || !strchr(told, things[i].told));
    }
}

/* A folder with a copy of the sample: making it anew would cost a fifth of the test's time. */
static char *
copy_sample(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = folder_new();
    g_autofree char *from = support_sample_path(sample);
    g_autofree char *to = support_sample_path(folder);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(from, &bytes, &length, &error));
    g_assert_true(g_file_set_contents_full(to, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE,
                                           0600, &error));
    return folder;
}

/* Dies at `point`, perhaps once more at `second` while it recovers, then recovers. */
static gboolean
die_and_recover(const char *point, const char *second)
{
    gboolean killed = FALSE;
    gboolean ignored = FALSE;
    char *folder = copy_sample();
    g_autofree char *told = run_child("save", folder, "", point, &killed);
    if (second) {
        g_autofree char *again = run_child("recover", folder, told, second, &killed);
    }
    g_autofree char *out = run_child("recover", folder, told, NULL, &ignored);
    check_tracker(folder, told);
    folder_remove(folder);
    return killed;
}

static const char *const names[] = {
#define NAME(name) #name,
    CRASH_POINTS(NAME)
#undef NAME
};

static void
test_point(gconstpointer data)
{
    const char *name = data;
    /* The twin is only looked for after a creation whose answer was lost. */
    if (g_str_has_prefix(name, "TWIN_")) {
        g_assert_true(die_and_recover("WRITE_ANSWERED:2", name));
        return;
    }
    g_assert_true(die_and_recover(name, NULL));
    /* And later on the way: at another edit of the same run, where there is one. */
    g_autofree char *later = g_strconcat(name, ":3", NULL);
    (void)die_and_recover(later, NULL);
}

int
main(int argc, char **argv)
{
    program = argv[0];
    clock_init();
    if (argc >= 4 && !g_str_has_prefix(argv[1], "-")) {
        World world = {.folder = argv[2]};
        return g_str_equal(argv[1], "save") ? child_save(&world) : child_recover(&world, argv[3]);
    }
    g_test_init(&argc, &argv, NULL);
#ifndef TRACKERFS_CRASH_POINTS
    printf("1..0 # skipped: no crash points in this build\n");
    return 77;
#endif
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strconcat("/saving-crash/", names[i], NULL);
        g_test_add_data_func(path, names[i], test_point);
    }
    sample = support_sample_make(3);
    const int rc = g_test_run();
    folder_remove(sample);
    return rc;
}

/* What is dropped from the trash: what is too old, and the oldest of what is too much. */
#include "fs/trash.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/support_folder.h"

#define GB ((gint64)1 << 30)
#define HOUR_MS ((gint64)60 * 60 * 1000)
#define NOW_MS ((gint64)1700000000 * 1000)

typedef struct {
    char *trash;
} Fixture;

static void
setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->trash = folder_new();
}

static void
teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    folder_remove(f->trash);
}

/* A file of so many bytes, all of them a hole. */
static void
put_file(const char *folder, const char *name, gint64 bytes)
{
    g_autofree char *path = folder_put(folder, name, "");
    g_assert_cmpint(truncate(path, bytes), ==, 0);
}

/* A copy of that age: a file in it and one in a folder below, of `bytes` together. */
static char *
put_copy(const Fixture *f, gint64 age_hours, gint64 bytes)
{
    g_autofree char *time = trash_time(NOW_MS - age_hours * HOUR_MS);
    char *name = g_strdup_printf("%s-12-3-500-A-story", time);
    g_autofree char *copy = g_build_filename(f->trash, name, NULL);
    g_autofree char *comments = g_build_filename(copy, "comments", NULL);
    g_assert_cmpint(g_mkdir_with_parents(comments, 0700), ==, 0);
    put_file(copy, "story.json", bytes / 2);
    put_file(comments, "1.md", bytes - bytes / 2);
    return name;
}

static gboolean
is_there(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->trash, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
test_age(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *old = put_copy(f, TRASH_KEEP_DAYS * 24 + 1, 1000);
    g_autofree char *kept = put_copy(f, TRASH_KEEP_DAYS * 24 - 1, 200);
    g_autofree char *fresh = put_copy(f, 0, 30);
    g_assert_cmpint(trash_prune(f->trash, NOW_MS), ==, 230);
    g_assert_false(is_there(f, old));
    g_assert_true(is_there(f, kept));
    g_assert_true(is_there(f, fresh));
    g_assert_cmpint(trash_prune(f->trash, NOW_MS + 2 * HOUR_MS), ==, 30);
    g_assert_false(is_there(f, kept));
}

/* The oldest goes first, and no more than has to. */
static void
test_size(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *oldest = put_copy(f, 100, GB);
    g_autofree char *older = put_copy(f, 99, GB);
    g_autofree char *last = put_copy(f, 26, GB);
    g_assert_cmpint(trash_prune(f->trash, NOW_MS), ==, 2 * GB);
    g_assert_false(is_there(f, oldest));
    g_assert_true(is_there(f, older));
    g_assert_true(is_there(f, last));
}

/* What the user may not have missed yet stays, however much it is. */
static void
test_first_day(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *older = put_copy(f, TRASH_SURE_HOURS + 1, 7);
    g_autofree char *first = put_copy(f, TRASH_SURE_HOURS - 1, 2 * GB);
    g_autofree char *second = put_copy(f, 1, GB);
    g_assert_cmpint(trash_prune(f->trash, NOW_MS), ==, 3 * GB);
    g_assert_false(is_there(f, older));
    g_assert_true(is_there(f, first));
    g_assert_true(is_there(f, second));
    g_assert_cmpint(trash_prune(f->trash, NOW_MS + 2 * HOUR_MS), ==, GB);
    g_assert_false(is_there(f, first));
}

/* Other things in the folder are the user's, and what a link in a copy leads to is not in it. */
static void
test_of_others(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *elsewhere = folder_new();
    put_file(elsewhere, "precious", 5);
    put_file(f->trash, "notes.txt", 3 * GB);
    g_autofree char *mine = g_build_filename(f->trash, "20200101-mine", NULL);
    g_assert_cmpint(g_mkdir(mine, 0700), ==, 0);
    g_autofree char *old = put_copy(f, TRASH_KEEP_DAYS * 24 + 1, 10);
    g_autofree char *link = g_build_filename(f->trash, old, "link", NULL);
    g_assert_cmpint(symlink(elsewhere, link), ==, 0);
    g_assert_cmpint(trash_prune(f->trash, NOW_MS), ==, 0);
    g_assert_false(is_there(f, old));
    g_assert_true(is_there(f, "notes.txt"));
    g_assert_true(is_there(f, "20200101-mine"));
    g_autofree char *precious = g_build_filename(elsewhere, "precious", NULL);
    g_assert_true(g_file_test(precious, G_FILE_TEST_EXISTS));
    folder_remove(g_steal_pointer(&elsewhere));
}

static void
test_none(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *missing = g_build_filename(f->trash, "not", "made", NULL);
    g_assert_cmpint(trash_prune(missing, NOW_MS), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)
    ADD("/trash/age", test_age);
    ADD("/trash/size", test_size);
    ADD("/trash/first-day", test_first_day);
    ADD("/trash/of-others", test_of_others);
    ADD("/trash/none", test_none);
    return g_test_run();
}

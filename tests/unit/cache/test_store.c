/* The store gives back what was put in, sees commits only, and survives what may happen to its
 * file. */
#include "cache/store.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "cache/base/err.h"

typedef struct {
    char *folder, *path;
    Store *store;
} Fixture;

static void
setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("trackerfs-store-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->folder, "store.db", NULL);
    f->store = store_open(f->path, &error);
    g_assert_no_error(error);
}

static void
teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    store_close(f->store);
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = g_strconcat(f->path, suffixes[i], NULL);
        (void)g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->path);
    g_free(f->folder);
}

static const char stories_json[] =
    "[{\"id\":5,\"project_id\":9,\"name\":\"five\",\"story_type\":\"bug\",\"current_state\":"
    "\"started\","
    "\"requested_by_id\":1,\"owner_ids\":[3,1],\"labels\":[{\"id\":40,\"name\":\"l\"}],\"url\":"
    "\"http://x/5\","
    "\"description\":\"a\\u0000b\",\"created_at\":\"2017-01-01T00:00:00Z\",\"updated_at\":\"2017-"
    "01-02T00:00:00Z\","
    "\"comments\":[{\"id\":8,\"text\":\"hello\",\"person\":{\"id\":1,\"name\":\"Ada\"},\"file_"
    "attachments\":"
    "[{\"id\":30,\"filename\":\"a.png\",\"size\":12,\"download_url\":\"/f/30\"}]}],"
    "\"tasks\":[{\"id\":2,\"position\":1,\"description\":\"do\",\"complete\":true}]},"
    "{\"id\":4,\"project_id\":9,\"name\":\"four\",\"follower_ids\":[7]}]";

/* Puts the two stories of project 9, "four" above "five". */
static void
fill(Store *store)
{
    g_autoptr(GError) error = NULL;
    guint left_out;
    g_autoptr(GPtrArray) stories =
        model_parse_stories(stories_json, strlen(stories_json), &left_out, &error);
    g_assert_no_error(error);
    g_autoptr(Project) project = project_new(9);
    static const char head[] =
        "{\"id\":9,\"name\":\"P\",\"version\":3,\"profile_content\":\"profile\"}";
    static const char epics[] =
        "[{\"id\":70,\"name\":\"E\",\"label\":{\"id\":40},\"description\":\"d\","
        "\"comments\":[{\"id\":71,\"text\":\"on the epic\"}]}]";
    static const char labels[] = "[{\"id\":40,\"name\":\"l\"}]";
    static const char iterations[] = "[{\"number\":1,\"story_ids\":[5,4]}]";
    static const char members[] =
        "[{\"id\":1,\"person\":{\"id\":3,\"username\":\"bo\"},\"role\":\"owner\"}]";
    g_assert_true(model_parse_project(project, head, strlen(head), &error));
    g_assert_true(model_parse_epics(project, epics, strlen(epics), &error));
    g_assert_true(model_parse_labels(project, labels, strlen(labels), &error));
    g_assert_true(model_parse_iterations(project, iterations, strlen(iterations), &error));
    g_assert_true(model_parse_members(project, members, strlen(members), &error));
    StoryRow *order[] = {((ParsedStory *)stories->pdata[1])->row,
                         ((ParsedStory *)stories->pdata[0])->row};
    g_assert_true(store_begin(store, &error));
    for (guint i = 0; i < stories->len; i++) {
        g_assert_true(store_put_story(store, stories->pdata[i], &error));
    }
    g_assert_true(store_set_order(store, 9, order, 2, &error));
    g_assert_true(store_put_project(store, project, 1234, TRUE, &error));
    g_assert_true(store_commit(store, &error));
    g_assert_no_error(error);
}

static void
test_round_trip(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 checked = 0;
    gboolean filled = FALSE;
    fill(f->store);
    g_autoptr(Project) project = store_load_project(f->store, 9, &checked, &filled, &error);
    g_assert_no_error(error);
    g_assert_cmpint(checked, ==, 1234);
    g_assert_true(filled);
    g_assert_cmpint(project->version, ==, 3);
    g_assert_cmpstr(project->profile.data, ==, "profile");
    g_assert_cmpuint(project->n_stories, ==, 2);
    g_assert_cmpint(project->stories[0]->id, ==, 4);
    const StoryRow *row = project_find_story(project, 5);
    g_assert_cmpstr(row->current_state, ==, "started");
    g_assert_cmpint(row->owner_ids[0], ==, 3);
    g_assert_cmpint(row->label_ids[0], ==, 40);
    g_assert_cmpint(project_find_story(project, 4)->follower_ids[0], ==, 7);
    g_assert_cmpstr(project_find_epic(project, 70)->comments[0].text.data, ==, "on the epic");
    g_assert_cmpint(project_find_iteration(project, 1)->story_ids[1], ==, 4);
    g_assert_cmpstr(project_find_member(project, 3)->person.username, ==, "bo");

    guint left_out;
    g_autoptr(GPtrArray) stories =
        model_parse_stories(stories_json, strlen(stories_json), &left_out, &error);
    const Story *put = ((ParsedStory *)stories->pdata[0])->story;
    g_autoptr(Story) got = store_load_story(f->store, 5, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(got->record.data, got->record.length, put->record.data, put->record.length);
    g_assert_cmpmem(got->description.data, got->description.length, "a\0b", 3);
    g_assert_cmpstr(got->comments[0].text.data, ==, "hello");
    g_assert_cmpstr(got->comments[0].author, ==, "Ada");
    g_assert_true(got->tasks[0].complete);
    g_assert_cmpstr(got->attachments[0].filename, ==, "a.png");
    g_assert_cmpint(got->updated_ms, ==, put->updated_ms);
    g_assert_cmpuint(got->bytes, ==, put->bytes);
    g_autoptr(Story) without = store_load_story(f->store, 4, &error);
    g_assert_null(without->description.data);
    g_assert_null(store_load_story(f->store, 6, &error));
    g_assert_no_error(error);
    g_assert_cmpint(store_find_story_project(f->store, 5), ==, 9);
    g_assert_cmpint(store_find_story_project(f->store, 6), ==, 0);
    g_assert_cmpint(store_find_epic_project(f->store, 70), ==, 9);
}

static void
test_what_is_not_in_the_order_is_gone(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 checked;
    gboolean filled;
    fill(f->store);
    g_autoptr(Project) before = store_load_project(f->store, 9, &checked, &filled, &error);
    g_assert_true(store_begin(f->store, &error));
    g_assert_true(store_set_order(f->store, 9, before->stories, 1, &error));
    g_assert_true(store_commit(f->store, &error));
    g_autoptr(Project) after = store_load_project(f->store, 9, &checked, &filled, &error);
    g_assert_cmpuint(after->n_stories, ==, 1);
    g_assert_null(store_load_story(f->store, 5, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(before->n_stories, ==, 2);
}

static void
test_readers_see_commits_only(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fill(f->store);
    g_assert_true(store_begin(f->store, &error));
    g_assert_true(store_delete_story(f->store, 5, &error));
    g_autoptr(Story) during = store_load_story(f->store, 5, &error);
    g_assert_nonnull(during);
    store_rollback(f->store);
    g_autoptr(Story) after = store_load_story(f->store, 5, &error);
    g_assert_nonnull(after);
    g_assert_no_error(error);
}

static void
test_activity_is_kept_in_order(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char json[] = "[{\"kind\":\"b\",\"project_version\":8,\"occurred_at\":2000},"
                               "{\"kind\":\"a\",\"project_version\":7,\"occurred_at\":1000}]";
    g_autoptr(GError) error = NULL;
    gint64 version = 0;
    fill(f->store);
    g_assert_null(store_load_activity(f->store, 'p', 9, &version, &error));
    g_autoptr(GPtrArray) parsed = model_parse_activities(json, strlen(json), &error);
    for (int twice = 0; twice < 2; twice++) {
        g_assert_true(store_begin(f->store, &error));
        g_assert_true(store_put_activity(f->store, 'p', 9, 8, parsed, &error));
        g_assert_true(store_commit(f->store, &error));
    }
    g_autoptr(Activity) activity = store_load_activity(f->store, 'p', 9, &version, &error);
    g_assert_no_error(error);
    g_assert_cmpint(version, ==, 8);
    g_assert_cmpint(activity->changed_ms, ==, 2000);
    g_auto(GStrv) lines = g_strsplit(activity->lines.data, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_assert_nonnull(strstr(lines[0], "\"a\""));
}

static void
reopen(Fixture *f, GError **error)
{
    store_close(f->store);
    f->store = store_open(f->path, error);
}

static void
set_version(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    (void)sqlite3_close(db);
}

static void
test_other_files(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    struct stat info;
    g_assert_cmpint(stat(f->path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
    fill(f->store);
    reopen(f, &error);
    g_assert_no_error(error);
    g_assert_cmpint(store_find_story_project(f->store, 5), ==, 9);

    set_version(f->path, "PRAGMA user_version = 99");
    reopen(f, &error);
    g_assert_error(error, ERR, ERR_INVALID);
    g_assert_null(f->store);
    g_clear_error(&error);

    set_version(f->path, "PRAGMA user_version = 0");
    reopen(f, &error);
    g_assert_no_error(error);
    g_assert_cmpint(store_find_story_project(f->store, 5), ==, 0);

    store_close(g_steal_pointer(&f->store));
    g_assert_true(g_file_set_contents(
        f->path, "this is no database, and long enough to be seen as none", -1, NULL));
    f->store = store_open(f->path, &error);
    g_assert_no_error(error);
    fill(f->store);
}

static void
test_a_full_disk_rolls_back(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fill(f->store);
    store_close(g_steal_pointer(&f->store));
    set_version(f->path, "PRAGMA journal_mode = DELETE");
    f->store = store_open(f->path, &error);
    g_assert_no_error(error);
    store_limit_pages_for_tests(f->store, 1);
    g_autoptr(GString) big = g_string_new("[{\"id\":6,\"project_id\":9,\"description\":\"");
    for (int i = 0; i < 300000; i++) {
        (void)g_string_append_c(big, 'x');
    }
    (void)g_string_append(big, "\"}]");
    guint left_out;
    g_autoptr(GPtrArray) stories = model_parse_stories(big->str, big->len, &left_out, &error);
    g_assert_no_error(error);
    g_assert_true(store_begin(f->store, &error));
    g_assert_false(store_put_story(f->store, stories->pdata[0], &error));
    g_assert_error(error, ERR, ERR_NO_SPACE);
    store_rollback(f->store);
    g_clear_error(&error);
    g_autoptr(Story) still = store_load_story(f->store, 5, &error);
    g_assert_nonnull(still);
}

/* Every page but those that opening reads is noise. */
static void
test_a_damaged_file_is_made_anew(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize length = 0;
    fill(f->store);
    store_close(g_steal_pointer(&f->store));
    g_assert_true(g_file_get_contents(f->path, &bytes, &length, &error));
    g_assert_cmpuint(length, >, 4 * 4096);
    memset(bytes + 2 * 4096, 0xff, length - 2 * 4096);
    g_assert_true(g_file_set_contents(f->path, bytes, (gssize)length, &error));

    f->store = store_open(f->path, &error);
    g_assert_no_error(error);
    g_autoptr(Story) story = store_load_story(f->store, 5, &error);
    g_assert_null(story);
    g_assert_error(error, ERR, ERR_LOCAL);
    g_clear_error(&error);
    reopen(f, &error);
    g_assert_no_error(error);
    fill(f->store);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)
    ADD("/store/round-trip", test_round_trip);
    ADD("/store/order", test_what_is_not_in_the_order_is_gone);
    ADD("/store/readers", test_readers_see_commits_only);
    ADD("/store/activity", test_activity_is_kept_in_order);
    ADD("/store/other-files", test_other_files);
    ADD("/store/damaged", test_a_damaged_file_is_made_anew);
    ADD("/store/full-disk", test_a_full_disk_rolls_back);
    return g_test_run();
}

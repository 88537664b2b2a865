/* Saves through the cache into our own tracker, in-process: each kind of edit once, and what the
 * tracker then says of it. What the fake service of the cache's own tests leaves to belief is
 * checked here against the real rules. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "tests/unit/cache/support_cache.h"
#include "tests/unit/fs/support_sample.h"
#include "tests/unit/support_folder.h"

#define N_STORIES 30

typedef struct {
    char *folder;
    Cache *cache;
    gint64 project, story; /* a feature in the backlog, unstarted */
} Fixture;

static Project *
get_project(Fixture *f)
{
    return support_cache_project_now(f->cache, f->project);
}

static Story *
get_story(Fixture *f, gint64 id)
{
    g_autoptr(Project) project = get_project(f);
    CacheAsk ask = {.stale_ok = TRUE};
    Story *story = cache_get_story(f->cache, id, &ask);
    g_assert_no_error(ask.error);
    return story;
}

static void
setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->folder = support_sample_make(N_STORIES);
    f->cache = support_sample_open(f->folder, 0, &f->project);
    g_autoptr(Project) project = get_project(f);
    for (guint i = 0; i < project->n_stories; i++) {
        const StoryRow *row = project->stories[i];
        if (g_str_equal(row->story_type, "feature") &&
            g_str_equal(row->current_state, "unstarted")) {
            f->story = row->id;
        }
    }
    g_assert_cmpint(f->story, >, 0);
}

static void
teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_clear_pointer(&f->cache, cache_close);
    folder_remove(f->folder);
}

/* Saves and expects acceptance; the id of what was made. */
static gint64
save(Fixture *f, const EditTarget *target, const char *mine)
{
    g_autoptr(GError) error = NULL;
    const Text words = support_text(mine);
    gint64 made = 0;
    gint64 number = cache_submit(f->cache, target, NULL, mine ? &words : NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(number, >, 0);
    EditVerdict verdict;
    do {
        verdict = support_cache_verdict(f->cache, number, FALSE, &made, &error);
    } while (verdict == EDIT_PENDING);
    g_assert_no_error(error);
    g_assert_cmpint(verdict, ==, EDIT_ACCEPTED);
    return made;
}

static EditTarget
target_of(const Fixture *f, EditFile file, gint64 owner, gint64 id, const char *name)
{
    return (EditTarget){
        .file = file, .project_id = f->project, .owner_id = owner, .id = id, .name = name};
}

static void
settled(Fixture *f)
{
    for (int tries = 0; cache_count_edits(f->cache, NULL) > 0; tries++) {
        g_assert_cmpint(tries, <, 1000);
        g_usleep(5000);
    }
}

static void
test_story(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char words[] = "Exactly these bytes,\n\twith a tab,  two blanks \nand ümläuts.\n";
    EditTarget target = target_of(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL);
    (void)save(f, &target, words);
    target = target_of(f, EDIT_STORY_FIELD, f->story, 0, "estimate");
    (void)save(f, &target, "2\n");
    target.name = "current_state";
    (void)save(f, &target, "started\n");
    target.name = "labels";
    (void)save(f, &target, "Brand New,backend\n");
    settled(f);
    g_autoptr(Story) story = get_story(f, f->story);
    g_assert_cmpstr(story->description.data, ==, words);
    g_assert_nonnull(strstr(story->record.data, "\"estimate\": 2"));
    g_assert_nonnull(strstr(story->record.data, "\"current_state\": \"started\""));
    g_assert_nonnull(strstr(story->record.data, "\"name\": \"brand new\""));
    /* A whole record, read, changed by hand and saved. */
    g_auto(GStrv) halves = g_strsplit(story->record.data, "\"estimate\": 2", 2);
    g_autofree char *record = g_strjoin("\"estimate\": 1", halves[0], halves[1], NULL);
    target = target_of(f, EDIT_STORY_JSON, f->story, 0, NULL);
    (void)save(f, &target, record);
    target = target_of(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL);
    (void)save(f, &target, "\n");
    g_autoptr(Story) after = get_story(f, f->story);
    g_assert_nonnull(strstr(after->record.data, "\"estimate\": 1"));
    g_assert_true(!after->description.data || after->description.length == 0);
}

static void
test_parts(Fixture *f, gconstpointer unused)
{
    (void)unused;
    EditTarget target = target_of(f, EDIT_NEW_STORY_COMMENT, f->story, 0, NULL);
    gint64 comment = save(f, &target, "A comment.\n");
    target = target_of(f, EDIT_STORY_COMMENT, f->story, comment, NULL);
    (void)save(f, &target, "Another text.\n");
    target = target_of(f, EDIT_NEW_TASK, f->story, 0, NULL);
    gint64 first = save(f, &target, "- [ ] one\n");
    gint64 second = save(f, &target, "- [x] two\n");
    target = target_of(f, EDIT_TASK, f->story, first, NULL);
    (void)save(f, &target, "- [x] one, done\n");
    target = target_of(f, EDIT_TASK_CHANGES, f->story, second, NULL);
    (void)save(f, &target, "{\"position\": 1}");
    settled(f);
    g_autoptr(Story) story = get_story(f, f->story);
    const Comment *there = story_find_comment(story, comment);
    g_assert_cmpstr(there->text.data, ==, "Another text.\n");
    g_assert_cmpint(story->tasks[0].id, ==, second);
    const Task *task = story_find_task(story, first);
    g_assert_true(task->complete);
    g_assert_cmpstr(task->description.data, ==, "one, done");
    target = target_of(f, EDIT_DELETE_TASK, f->story, first, NULL);
    (void)save(f, &target, NULL);
    target = target_of(f, EDIT_DELETE_STORY_COMMENT, f->story, comment, NULL);
    (void)save(f, &target, NULL);
    settled(f);
    g_autoptr(Story) after = get_story(f, f->story);
    g_assert_null(story_find_task(after, first));
    g_assert_null(story_find_comment(after, comment));
}

static void
test_creations(Fixture *f, gconstpointer unused)
{
    (void)unused;
    EditTarget target = target_of(f, EDIT_NEW_STORY, 0, 0, "Straight from mkdir");
    gint64 id = save(f, &target, NULL);
    settled(f);
    g_autoptr(Story) story = get_story(f, id);
    g_assert_cmpstr(story->name, ==, "Straight from mkdir");
    target = target_of(f, EDIT_NEW_EPIC, 0, 0, "A new epic");
    gint64 epic = save(f, &target, NULL);
    target = target_of(f, EDIT_EPIC_DESCRIPTION, epic, 0, NULL);
    (void)save(f, &target, "What it is about.\n");
    target = target_of(f, EDIT_NEW_EPIC_COMMENT, epic, 0, NULL);
    (void)save(f, &target, "Said of it.\n");
    settled(f);
    g_autoptr(Project) project = get_project(f);
    const Epic *there = project_find_epic(project, epic);
    g_assert_cmpstr(there->description.data, ==, "What it is about.\n");
    g_assert_cmpuint(there->n_comments, ==, 1);
    target = target_of(f, EDIT_DELETE_STORY, id, 0, NULL);
    (void)save(f, &target, NULL);
    settled(f);
    g_autoptr(Project) after = get_project(f);
    g_assert_null(project_find_story(after, id));
}

static void
test_attachment(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autofree char *spool = NULL;
    g_autofree char *bytes = g_malloc0(70000);
    memset(bytes, 'x', 50000);
    int fd = cache_spool_new(f->cache, &spool, &error);
    g_assert_cmpint(write(fd, bytes, 70000), ==, 70000);
    (void)close(fd);
    EditTarget target = target_of(f, EDIT_NEW_ATTACHMENT, f->story, 0, "sh\"ot 1.png");
    target.spool = spool;
    gint64 id = save(f, &target, NULL);
    settled(f);
    g_autoptr(Story) story = get_story(f, f->story);
    const Attachment *there = story_find_attachment(story, id);
    g_assert_cmpint(there->size_bytes, ==, 70000);
    target = target_of(f, EDIT_DELETE_ATTACHMENT, f->story, id, NULL);
    (void)save(f, &target, NULL);
    settled(f);
    g_autoptr(Story) after = get_story(f, f->story);
    g_assert_null(story_find_attachment(after, id));
}

/* The index of a story on the board. */
static guint
place_of(const Project *project, gint64 id)
{
    for (guint i = 0; i < project->n_stories; i++) {
        if (project->stories[i]->id == id) {
            return i;
        }
    }
    g_assert_not_reached();
}

static void
test_moves(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Project) before = get_project(f);
    gint64 above = 0;
    for (guint i = 0; i < before->n_stories && !above; i++) {
        above = g_str_equal(before->stories[i]->current_state, "unstarted") &&
                        before->stories[i]->id != f->story
                    ? before->stories[i]->id
                    : 0;
    }
    g_assert_cmpint(above, >, 0);
    g_autofree char *move =
        g_strdup_printf("{\"before_id\": %" G_GINT64_FORMAT ", \"group\": \"scheduled\"}", above);
    EditTarget target = target_of(f, EDIT_STORY_CHANGES, f->story, 0, NULL);
    (void)save(f, &target, move);
    settled(f);
    g_autoptr(Project) moved = get_project(f);
    g_assert_cmpuint(place_of(moved, f->story) + 1, ==, place_of(moved, above));
    (void)save(f, &target, "{\"current_state\": \"unscheduled\"}");
    (void)save(f, &target, "{\"labels\": {\"add\": [\"added\"]}}");
    settled(f);
    g_autoptr(Project) after = get_project(f);
    const StoryRow *row = project_find_story(after, f->story);
    g_assert_cmpstr(row->current_state, ==, "unscheduled");
    gboolean labelled = FALSE;
    for (guint i = 0; i < row->n_labels; i++) {
        labelled |= g_str_equal(project_find_label(after, row->label_ids[i])->name, "added");
    }
    g_assert_true(labelled);
}

static void
test_project(Fixture *f, gconstpointer unused)
{
    (void)unused;
    EditTarget target = target_of(f, EDIT_PROJECT_PROFILE, 0, 0, NULL);
    (void)save(f, &target, "# Who we are\n");
    target = target_of(f, EDIT_PROJECT_FIELD, 0, 0, "name");
    (void)save(f, &target, "Another name\n");
    settled(f);
    g_autoptr(Project) project = get_project(f);
    g_assert_cmpstr(project->profile.data, ==, "# Who we are\n");
    g_assert_cmpstr(project->name, ==, "Another name");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    clock_init();
#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)
    ADD("/saving-tracker/story", test_story);
    ADD("/saving-tracker/parts", test_parts);
    ADD("/saving-tracker/creations", test_creations);
    ADD("/saving-tracker/attachment", test_attachment);
    ADD("/saving-tracker/moves", test_moves);
    ADD("/saving-tracker/project", test_project);
    return g_test_run();
}

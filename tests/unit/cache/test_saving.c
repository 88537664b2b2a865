/* Saves against a service in memory: what is sent, shown, kept and told; offline, in conflict, with
 * answers lost, after restarts. Waiting is for conditions; back-offs pass by moving the clock. */
#include "cache/cache_private.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "tests/unit/base/support_clock.h"
#include "tests/unit/cache/support_saves.h"

static void
test_description(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "new\n", &error);
    g_assert_no_error(error);
    saves_accepted(f, number, NULL);
    saves_expect_log(f, "PUT /projects/9/stories/500 {\"description\":\"new\\n\"}\n");
    g_autofree char *shown = saves_shown_description(f, f->story);
    g_assert_cmpstr(shown, ==, "new\n");
    /* And the server's own data takes over without a glimpse of the old text. */
    for (int i = 0; i < 50; i++) {
        test_clock_advance_ms(100);
        g_autofree char *again = saves_shown_description(f, f->story);
        g_assert_cmpstr(again, ==, "new\n");
        g_usleep(1000);
    }
    g_assert_cmpuint(cache_count_edits(f->cache, NULL), ==, 0);
    /* Nothing new, nothing sent. */
    g_assert_cmpint(saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "new\n", &error), ==,
                    0);
    g_assert_no_error(error);
    saves_expect_log(f, "");
}

static void
test_story_json(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autoptr(Story) story = saves_get_story(f, f->story);
    g_auto(GStrv) halves = g_strsplit(story->record.data, "\"labels\": []", 2);
    g_autofree char *mine =
        g_strjoin("\"labels\": [\"Urgent\", \"a b\"]", halves[0], halves[1], NULL);
    g_auto(GStrv) owners = g_strsplit(mine, "\"owner_ids\": []", 2);
    g_autofree char *whole = g_strjoin("\"owner_ids\": [\"bob\", 1]", owners[0], owners[1], NULL);
    saves_accepted(f, saves_submit(f, EDIT_STORY_JSON, f->story, 0, NULL, whole, &error), NULL);
    g_assert_no_error(error);
    saves_expect_log(
        f, "PUT /projects/9/stories/500 "
           "{\"owner_ids\":[2,1],\"labels\":[{\"name\":\"a b\"},{\"name\":\"urgent\"}]}\n");
}

static void
refused(SavesFixture *f, EditFile file, const char *name, const char *mine, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(saves_submit(f, file, f->story, 0, name, mine, &error), ==, 0);
    g_assert_error(error, ERR, ERR_INVALID);
    if (!strstr(error->message, words)) {
        g_error("\"%s\" is not in \"%s\"", words, error->message);
    }
    g_autofree char *told = cache_dup_error(f->cache, EDIT_OF_STORY, f->story);
    g_assert_nonnull(strstr(told, words));
}

static void
test_validation(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(Story) story = saves_get_story(f, f->story);
    g_autofree char *unknown = g_strconcat("{\"estimatee\": 3,", story->record.data + 1, NULL);
    refused(f, EDIT_STORY_JSON, NULL, unknown, "did you mean estimate?");
    g_auto(GStrv) halves = g_strsplit(story->record.data, "\"id\": 500", 2);
    g_autofree char *read_only = g_strjoin("\"id\": 7", halves[0], halves[1], NULL);
    refused(f, EDIT_STORY_JSON, NULL, read_only, "only the service sets it");
    refused(f, EDIT_STORY_JSON, NULL, "{\"name\": \"x\"}", "left out");
    refused(f, EDIT_STORY_JSON, NULL, "", "empty file");
    refused(f, EDIT_STORY_JSON, NULL, "{\"name\": ", "field: file");
    refused(f, EDIT_STORY_JSON, NULL, "{\n  \"name\": \"x\",\n  here\n}", "line 3, column 6: ");
    refused(f, EDIT_STORY_JSON, NULL, "{\"name\": \"a\", \"name\": \"b\"}", "duplicate");
    refused(f, EDIT_STORY_FIELD, "current_state", "staretd\n",
            "allowed: unscheduled, unstarted, started, finished");
    refused(f, EDIT_STORY_FIELD, "current_state", "started\n", "must be estimated");
    refused(f, EDIT_STORY_FIELD, "estimate", "4\n", "allowed: 0,1,2,3");
    refused(f, EDIT_STORY_FIELD, "estimate", "much\n", "must be a number");
    refused(f, EDIT_STORY_FIELD, "owner_ids", "nobody\n", "allowed: ada, bob");
    refused(f, EDIT_STORY_FIELD, "name", " \n", "must not be blank");
    refused(f, EDIT_STORY_FIELD, "deadline", "2024-05-01\n", "only be set on releases");
    refused(f, EDIT_STORY_FIELD, "story_type", "epic\n", "allowed: feature, bug, chore, release");
    refused(f, EDIT_STORY_FIELD, "id", "7\n", "cannot be written");
    refused(f, EDIT_STORY_DESCRIPTION, NULL, "", "empty file");
    refused(f, EDIT_STORY_DESCRIPTION, NULL, "\xff\n", "UTF-8");
    g_autofree char *long_text = g_strnfill(20001, 'x');
    refused(f, EDIT_STORY_DESCRIPTION, NULL, long_text, "20001 characters, 20000 are allowed");
    refused(f, EDIT_NEW_STORY_COMMENT, NULL, " \n", "must say something");
    saves_expect_log(f, "");
    /* The next good save takes the words away. */
    g_autoptr(GError) error = NULL;
    saves_accepted(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "estimate", "2\n", &error),
                   NULL);
    g_assert_null(cache_dup_error(f->cache, EDIT_OF_STORY, f->story));
    saves_accepted(
        f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "current_state", "started\n", &error),
        NULL);
    saves_expect_log(f, "PUT /projects/9/stories/500 {\"estimate\":2}\n"
                        "PUT /projects/9/stories/500 {\"current_state\":\"started\"}\n");
}

static void
test_nul_bytes(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    const EditTarget target = {
        .file = EDIT_STORY_DESCRIPTION, .project_id = 9, .owner_id = f->story};
    const Text zeros = {(char *)(guintptr) "\0\0\0\0", 4};
    g_assert_cmpint(cache_submit(f->cache, &target, NULL, &zeros, &error), ==, 0);
    g_assert_error(error, ERR, ERR_INVALID);
    saves_expect_log(f, "");
}

static void
test_parts(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 comment = 0;
    gint64 task = 0;
    saves_accepted(f, saves_submit(f, EDIT_NEW_STORY_COMMENT, f->story, 0, NULL, "hello\n", &error),
                   &comment);
    saves_accepted(f, saves_submit(f, EDIT_NEW_TASK, f->story, 0, NULL, "- [ ] do it\n", &error),
                   &task);
    g_assert_no_error(error);
    saves_expect_log(f, "POST /projects/9/stories/500/comments {\"text\":\"hello\\n\"}\n"
                        "POST /projects/9/stories/500/tasks "
                        "{\"description\":\"do it\",\"complete\":false}\n");
    g_autoptr(Story) story = saves_get_story(f, f->story);
    g_assert_cmpuint(story->n_comments, ==, 1);
    g_assert_cmpint(story->comments[0].id, ==, comment);
    g_assert_cmpstr(story->comments[0].text.data, ==, "hello\n");
    g_assert_cmpuint(story->n_tasks, ==, 1);
    saves_accepted(f, saves_submit(f, EDIT_TASK, f->story, task, NULL, "- [x] do it\n", &error),
                   NULL);
    saves_accepted(f, saves_submit(f, EDIT_STORY_COMMENT, f->story, comment, NULL, "bye\n", &error),
                   NULL);
    saves_accepted(f, saves_submit(f, EDIT_DELETE_TASK, f->story, task, NULL, NULL, &error), NULL);
    g_autofree char *log = fake_tracker_take_log(f->fake);
    g_assert_nonnull(strstr(log, "{\"complete\":true}"));
    g_assert_nonnull(strstr(log, "{\"text\":\"bye\\n\"}"));
    g_assert_nonnull(strstr(log, "DELETE /projects/9/stories/500/tasks/"));
    g_autoptr(Story) after = saves_get_story(f, f->story);
    g_assert_cmpuint(after->n_tasks, ==, 0);
    g_assert_cmpstr(after->comments[0].text.data, ==, "bye\n");
}

static void
test_creation(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 id = 0;
    gint64 number = saves_submit(f, EDIT_NEW_STORY, 0, 0, "A new one", NULL, &error);
    saves_accepted(f, number, &id);
    g_assert_cmpint(id, ==, 501);
    g_assert_cmpint(cache_resolve_id(f->cache, EDIT_PROVISIONAL_FIRST + number), ==, 501);
    g_autoptr(Story) story = saves_get_story(f, id);
    g_assert_cmpstr(story->name, ==, "A new one");
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpuint(project->n_stories, ==, 2);
    UNTIL(cache_count_edits(f->cache, NULL) == 0);
    g_assert_cmpuint(fake_tracker_count(f->fake), ==, 2);
    gint64 epic = 0;
    saves_accepted(f, saves_submit(f, EDIT_NEW_EPIC, 0, 0, "Big", NULL, &error), &epic);
    g_autoptr(Project) with_epic = saves_get_project(f);
    g_assert_nonnull(project_find_epic(with_epic, epic));
}

static void
test_attachment(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autofree char *spool = NULL;
    int fd = cache_spool_new(f->cache, &spool, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(fd, "abc", 3), ==, 3);
    (void)close(fd);
    const EditTarget target = {.file = EDIT_NEW_ATTACHMENT,
                               .project_id = 9,
                               .owner_id = f->story,
                               .name = "a.png",
                               .spool = spool};
    gint64 id = 0;
    saves_accepted(f, cache_submit(f->cache, &target, NULL, NULL, &error), &id);
    g_autofree char *log = fake_tracker_take_log(f->fake);
    g_assert_true(g_str_has_prefix(log, "POST /projects/9/uploads\n"
                                        "POST /projects/9/stories/500/comments "
                                        "{\"file_attachments\":[{"));
    g_autoptr(Story) story = saves_get_story(f, f->story);
    g_assert_cmpuint(story->n_attachments, ==, 1);
    g_assert_cmpint(story->attachments[0].id, ==, id);
    CacheAsk ask = {.stale_ok = TRUE};
    fd = cache_open_attachment(f->cache, &story->attachments[0], &ask);
    g_assert_cmpint(fd, >=, 0); /* without a download */
    (void)close(fd);
}

static void
test_disjoint_changes_merge(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_put(f->fake, f->story,
                     "{\"name\": \"renamed\", \"labels\": [{\"name\": \"theirs\"}], "
                     "\"description\": \"ONE\\ntwo\\nthree\\nfour\\nfive\\n\"}");
    saves_accepted(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "labels", "mine\n", &error),
                   NULL);
    /* The editor opened the file before the first save brought the news. */
    const EditTarget target = {
        .file = EDIT_STORY_DESCRIPTION, .project_id = 9, .owner_id = f->story};
    const Text base = support_text("one\ntwo\nthree\nfour\nfive\n");
    const Text mine = support_text("one\ntwo\nthree\nfour\nFIVE\n");
    saves_accepted(f, cache_submit(f->cache, &target, &base, &mine, &error), NULL);
    g_autofree char *name = fake_tracker_get(f->fake, f->story, "name");
    g_autofree char *labels = fake_tracker_get(f->fake, f->story, "labels/1/name");
    g_autofree char *description = fake_tracker_get(f->fake, f->story, "description");
    g_assert_cmpstr(name, ==, "renamed");
    g_assert_cmpstr(labels, ==, "theirs");
    g_assert_cmpstr(description, ==, "ONE\ntwo\nthree\nfour\nFIVE\n");
}

/* A file that was read before the story changed is put in the place of the present one: what the
 * other changed stays. */
static void
test_an_older_record(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autoptr(Story) read = saves_get_story(f, f->story);
    g_auto(GStrv) halves = g_strsplit(read->record.data, "\"labels\": []", 2);
    g_autofree char *mine = g_strjoin("\"labels\": [\"mine\"]", halves[0], halves[1], NULL);
    fake_tracker_put(f->fake, f->story, "{\"name\": \"theirs\"}");
    test_clock_advance_ms(100000);
    g_autoptr(Project) project = saves_get_project(f);
    g_autoptr(Story) now = saves_get_story(f, f->story);
    g_assert_cmpstr(now->name, ==, "theirs");
    const EditTarget target = {.file = EDIT_STORY_JSON, .project_id = 9, .owner_id = f->story};
    const Text base = {now->record.data, now->record.length};
    const Text words = support_text(mine);
    saves_accepted(f, cache_submit(f->cache, &target, &base, &words, &error), NULL);
    saves_expect_log(f, "PUT /projects/9/stories/500 {\"labels\":[{\"name\":\"mine\"}]}\n");
}

static void
test_conflict(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_put(f->fake, f->story, "{\"name\": \"theirs\"}");
    gint64 number = saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "mine\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_CONFLICT);
    g_assert_error(error, ERR, ERR_CONFLICT);
    saves_expect_log(f, "");
    Text side = {NULL, 0};
    g_assert_true(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_BASE, &side));
    g_assert_cmpstr(side.data, ==, "first");
    g_clear_pointer(&side.data, g_free);
    g_assert_true(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_MINE, &side));
    g_assert_cmpstr(side.data, ==, "mine");
    g_clear_pointer(&side.data, g_free);
    g_assert_true(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_THEIRS, &side));
    g_assert_cmpstr(side.data, ==, "theirs");
    g_clear_pointer(&side.data, g_free);
    /* Who only tries again does not know of it; a save settles it once it was looked at. */
    g_clear_error(&error);
    number = saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "mine again\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_CONFLICT);
    g_clear_error(&error);
    saves_expect_log(f, "");
    g_assert_cmpuint(cache_count_edits(f->cache, NULL), ==, 2);
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    saves_accepted(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "both\n", &error),
                   NULL);
    g_assert_false(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_BASE, NULL));
    saves_expect_log(f, "PUT /projects/9/stories/500 {\"name\":\"both\"}\n");
}

static void
test_conflict_dropped(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_put(f->fake, f->story, "{\"name\": \"theirs\"}");
    gint64 number = saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "mine\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_CONFLICT);
    g_clear_error(&error);
    g_assert_true(cache_drop_conflict(f->cache, EDIT_OF_STORY, f->story, &error));
    g_assert_false(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_BASE, NULL));
    g_assert_cmpuint(cache_count_edits(f->cache, NULL), ==, 0);
}

static void
test_refused_by_the_server(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_fault(f->fake, FAULT_STATUS, 400);
    gint64 number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "mine\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_REFUSED);
    g_assert_error(error, ERR, ERR_INVALID);
    g_assert_nonnull(strstr(error->message, "does not like it"));
    g_assert_nonnull(strstr(error->message, "\nfield: description\nvalue: mine \nrule: "));
    UNTIL(cache_count_edits(f->cache, NULL) == 0);
    g_autofree char *shown = saves_shown_description(f, f->story);
    g_assert_cmpstr(shown, ==, "one\ntwo\nthree\nfour\nfive\n");
    g_clear_error(&error);
    fake_tracker_fault(f->fake, FAULT_STATUS, 403);
    number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "mine\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_REFUSED);
    g_assert_error(error, ERR, ERR_AUTH);
    g_clear_error(&error);
    fake_tracker_fault(f->fake, FAULT_IGNORED, 0);
    number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "mine\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_REFUSED);
    g_assert_error(error, ERR, ERR_PROTOCOL);
    g_clear_error(&error);
    fake_tracker_delete(f->fake, f->story);
    number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "mine\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_REFUSED);
    g_assert_error(error, ERR, ERR_NOT_FOUND);
}

/* The answer of a write is lost, before or after it happened, or the server stumbles: it is done
 * once in the end. */
static void
test_lost_answers(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    static const struct {
        Fault fault;
        int status;
    } faults[] = {{FAULT_LOST_BEFORE, 0},
                  {FAULT_LOST_AFTER, 0},
                  {FAULT_STATUS, 503},
                  {FAULT_STATUS, 500},
                  {FAULT_STATUS, 429}};
    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *words = g_strdup_printf("try %u\n", i);
        fake_tracker_fault(f->fake, faults[i].fault, faults[i].status);
        gint64 put = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, words, &error);
        UNTIL(cache_edit_verdict(f->cache, put, FALSE, NULL, NULL) == EDIT_ACCEPTED);
        g_autofree char *there = fake_tracker_get(f->fake, f->story, "description");
        g_assert_cmpstr(there, ==, words);

        guint stories = fake_tracker_count(f->fake);
        fake_tracker_fault(f->fake, faults[i].fault, faults[i].status);
        gint64 post = saves_submit(f, EDIT_NEW_STORY, 0, 0, "same name", NULL, &error);
        UNTIL(cache_edit_verdict(f->cache, post, FALSE, NULL, NULL) == EDIT_ACCEPTED);
        g_assert_cmpuint(fake_tracker_count(f->fake), ==, stories + 1);

        fake_tracker_fault(f->fake, faults[i].fault, faults[i].status);
        gint64 comment = saves_submit(f, EDIT_NEW_STORY_COMMENT, f->story, 0, NULL, "+1\n", &error);
        UNTIL(cache_edit_verdict(f->cache, comment, FALSE, NULL, NULL) == EDIT_ACCEPTED);
        g_autofree char *last = g_strdup_printf("comments/%u/text", i);
        g_autofree char *beyond = g_strdup_printf("comments/%u/text", i + 1);
        g_autofree char *have = fake_tracker_get(f->fake, f->story, last);
        g_autofree char *none = fake_tracker_get(f->fake, f->story, beyond);
        g_assert_cmpstr(have, ==, "+1\n");
        g_assert_cmpstr(none, ==, "");
    }
}

static void
test_offline(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 id = 0;
    fake_tracker_set_offline(f->fake, TRUE);
    gint64 first = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "offline\n", &error);
    g_assert_cmpint(saves_verdict(f, first, NULL, &error), ==, EDIT_PENDING);
    g_clear_error(&error);
    gint64 made = saves_submit(f, EDIT_NEW_STORY, 0, 0, "made offline", NULL, &error);
    g_assert_cmpint(saves_verdict(f, made, &id, &error), ==, EDIT_PENDING);
    g_clear_error(&error);
    g_assert_true(edit_id_is_provisional(id));
    (void)saves_submit(f, EDIT_STORY_DESCRIPTION, id, 0, NULL, "its text\n", &error);
    g_assert_no_error(error);
    gint64 comment = saves_submit(f, EDIT_NEW_STORY_COMMENT, id, 0, NULL, "its comment\n", &error);
    g_assert_no_error(error);
    UNTIL(cache_edit_verdict(f->cache, comment, FALSE, NULL, NULL) == EDIT_PENDING);
    for (int mounts = 0; mounts < 2; mounts++) {
        g_autofree char *shown = saves_shown_description(f, f->story);
        g_assert_cmpstr(shown, ==, "offline\n");
        g_autoptr(Project) project = saves_get_project(f);
        g_assert_cmpuint(project->n_stories, ==, 2);
        g_autoptr(Story) story = saves_get_story(f, id);
        g_assert_cmpstr(story->name, ==, "made offline");
        g_assert_cmpstr(story->description.data, ==, "its text\n");
        g_assert_cmpstr(story->comments[0].text.data, ==, "its comment\n");
        g_assert_cmpuint(cache_count_edits(f->cache, NULL), ==, 4);
        saves_restart(f);
    }
    saves_expect_log(f, "");
    fake_tracker_set_offline(f->fake, FALSE);
    g_assert_true(cache_retry_edit(f->cache, 0, &error));
    UNTIL(cache_count_edits(f->cache, NULL) == 0);
    g_assert_cmpuint(fake_tracker_count(f->fake), ==, 2);
    gint64 real = cache_resolve_id(f->cache, id);
    g_assert_false(edit_id_is_provisional(real));
    g_autofree char *text_there = fake_tracker_get(f->fake, real, "description");
    g_autofree char *comment_there = fake_tracker_get(f->fake, real, "comments/0/text");
    g_assert_cmpstr(text_there, ==, "its text\n");
    g_assert_cmpstr(comment_there, ==, "its comment\n");
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpuint(project->n_stories, ==, 2);
}

/* What a later refusal parks is shown still, is counted, and can be tried again or dropped. */
static void
test_parked(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_set_offline(f->fake, TRUE);
    gint64 number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, "late\n", &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, NULL), ==, EDIT_PENDING);
    g_assert_cmpint(cache_edit_verdict(f->cache, number, TRUE, NULL, NULL), ==, EDIT_PENDING);
    fake_tracker_set_offline(f->fake, FALSE);
    fake_tracker_fault(f->fake, FAULT_STATUS, 400);
    guint parked = 0;
    UNTIL(cache_count_edits(f->cache, &parked) == 1 && parked == 1);
    saves_restart(f);
    g_autofree char *shown = saves_shown_description(f, f->story);
    g_assert_cmpstr(shown, ==, "late\n");
    g_autofree char *told = cache_dup_error(f->cache, EDIT_OF_STORY, f->story);
    g_assert_nonnull(strstr(told, "does not like it"));
    g_autoptr(GPtrArray) list = cache_list_edits(f->cache);
    g_assert_cmpuint(list->len, ==, 1);
    const EditStatus *status = list->pdata[0];
    g_assert_cmpstr(status->state, ==, "refused");
    g_assert_cmpstr(status->what, ==, "story 500: description");
    g_autofree char *path = g_build_filename(f->folder, "cache", "events.jsonl", NULL);
    g_autofree char *events = NULL;
    g_assert_true(g_file_get_contents(path, &events, NULL, NULL));
    g_assert_nonnull(strstr(events, "\"kind\":\"edit_parked_event\""));
    g_autofree char *json = cache_show_edit(f->cache, number);
    g_assert_nonnull(strstr(json, "late\\n"));
    g_assert_true(cache_retry_edit(f->cache, number, &error));
    UNTIL(cache_count_edits(f->cache, NULL) == 0);
    g_autofree char *there = fake_tracker_get(f->fake, f->story, "description");
    g_assert_cmpstr(there, ==, "late\n");
    g_assert_false(cache_drop_edit(f->cache, 4711, &error));
    g_assert_error(error, ERR, ERR_NOT_FOUND);
}

static void
test_dropped(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    gint64 id = 0;
    fake_tracker_set_offline(f->fake, TRUE);
    gint64 made = saves_submit(f, EDIT_NEW_STORY, 0, 0, "never", NULL, &error);
    g_assert_cmpint(saves_verdict(f, made, &id, NULL), ==, EDIT_PENDING);
    (void)saves_submit(f, EDIT_NEW_TASK, id, 0, NULL, "nor this\n", &error);
    UNTIL(cache_count_edits(f->cache, NULL) == 2);
    UNTIL(cache_drop_edit(f->cache, made, NULL));
    g_assert_cmpuint(cache_count_edits(f->cache, NULL), ==, 0);
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpuint(project->n_stories, ==, 1);
    g_assert_null(saves_get_story(f, id));
}

static void
test_many_at_once(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    gint64 stories[20];
    gint64 numbers[20];
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(stories); i++) {
        stories[i] = fake_tracker_add(f->fake, "one of many", "old");
        fake_tracker_put(f->fake, stories[i], "{}");
    }
    test_clock_advance_ms(100000);
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpuint(project->n_stories, ==, 21);
    for (guint round = 0; round < 5; round++) {
        g_autofree char *words = g_strdup_printf("round %u\n", round);
        g_autofree char *before =
            round ? g_strdup_printf("round %u\n", round - 1) : g_strdup("old");
        for (guint i = 0; i < G_N_ELEMENTS(stories); i++) {
            const EditTarget target = {
                .file = EDIT_STORY_DESCRIPTION, .project_id = 9, .owner_id = stories[i]};
            const Text base = support_text(before);
            const Text mine = support_text(words);
            numbers[i] = cache_submit(f->cache, &target, &base, &mine, &error);
            g_assert_no_error(error);
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(stories); i++) {
        saves_accepted(f, numbers[i], NULL);
        g_autofree char *there = fake_tracker_get(f->fake, stories[i], "description");
        g_assert_cmpstr(there, ==, "round 4\n");
        g_autofree char *shown = saves_shown_description(f, stories[i]);
        g_assert_cmpstr(shown, ==, "round 4\n");
    }
    g_assert_cmpuint(cache_drain(f->cache, 1000, NULL, NULL), ==, 0);
}

static void
test_move(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    saves_accepted(
        f,
        saves_submit(f, EDIT_STORY_CHANGES, f->story, 0, NULL,
                     "{\"labels\": {\"add\": [\"b\", \"a\"]}, \"owner_ids\": {\"add\": [\"bob\"]}}",
                     &error),
        NULL);
    saves_accepted(f,
                   saves_submit(f, EDIT_STORY_CHANGES, f->story, 0, NULL,
                                "{\"labels\": {\"remove\": [\"a\"]}}", &error),
                   NULL);
    g_autofree char *labels = fake_tracker_get(f->fake, f->story, "labels/0/name");
    g_autofree char *owners = fake_tracker_get(f->fake, f->story, "owner_ids");
    g_assert_cmpstr(labels, ==, "b");
    g_assert_cmpstr(owners, ==, "[2]");
}

/* The journal cannot be written: the save fails, nothing has changed, and the next one goes on. */
static void
test_full_disk(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autofree char *large = g_strnfill(19000, 'x');
    saving_limit_journal_for_tests(f->cache->saving, 1);
    gint64 number = saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, large, &error);
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, EDIT_REFUSED);
    g_assert_error(error, ERR, ERR_NO_SPACE);
    g_clear_error(&error);
    g_assert_cmpuint(cache_count_edits(f->cache, NULL), ==, 0);
    g_autofree char *shown = saves_shown_description(f, f->story);
    g_assert_cmpstr(shown, ==, "one\ntwo\nthree\nfour\nfive\n");
    g_autofree char *told = cache_dup_error(f->cache, EDIT_OF_STORY, f->story);
    g_assert_nonnull(strstr(told, "the disk is full"));
    saves_expect_log(f, "");
    saving_limit_journal_for_tests(f->cache->saving, 0);
    saves_accepted(f, saves_submit(f, EDIT_STORY_DESCRIPTION, f->story, 0, NULL, large, &error),
                   NULL);
    g_autofree char *there = fake_tracker_get(f->fake, f->story, "description");
    g_assert_cmpstr(there, ==, large);
}

static void
test_project_settings(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    saves_accepted(f, saves_submit(f, EDIT_PROJECT_PROFILE, 0, 0, NULL, "# Us\n", &error), NULL);
    saves_accepted(
        f, saves_submit(f, EDIT_PROJECT_FIELD, 0, 0, "point_scale", "0,1,2,3,5,8\n", &error), NULL);
    saves_expect_log(f, "PUT /projects/9 {\"profile_content\":\"# Us\\n\"}\n"
                        "PUT /projects/9 {\"point_scale\":\"0,1,2,3,5,8\"}\n");
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpstr(project->profile.data, ==, "# Us\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_clock_begin();
#define ADD(path, function)                                                                        \
    g_test_add(path, SavesFixture, NULL, saves_setup, function, saves_teardown)
    ADD("/saving/description", test_description);
    ADD("/saving/story-json", test_story_json);
    ADD("/saving/validation", test_validation);
    ADD("/saving/nul-bytes", test_nul_bytes);
    ADD("/saving/parts", test_parts);
    ADD("/saving/creation", test_creation);
    ADD("/saving/attachment", test_attachment);
    ADD("/saving/merge", test_disjoint_changes_merge);
    ADD("/saving/older-record", test_an_older_record);
    ADD("/saving/conflict", test_conflict);
    ADD("/saving/conflict-dropped", test_conflict_dropped);
    ADD("/saving/refused", test_refused_by_the_server);
    ADD("/saving/lost-answers", test_lost_answers);
    ADD("/saving/offline", test_offline);
    ADD("/saving/parked", test_parked);
    ADD("/saving/dropped", test_dropped);
    ADD("/saving/many", test_many_at_once);
    ADD("/saving/move", test_move);
    ADD("/saving/full-disk", test_full_disk);
    ADD("/saving/project", test_project_settings);
    int rc = g_test_run();
    test_clock_end();
    return rc;
}

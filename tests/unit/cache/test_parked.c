/* Edits that were refused or in conflict, and the saves that come after them: nobody's text goes,
 * and no reader sees an older one than what was accepted. */
#include <glib.h>
#include <string.h>

#include "cache/base/err.h"
#include "tests/unit/cache/support_saves.h"

#define OLD "one\ntwo\nthree\nfour\nfive\n"
#define THEIRS "THEIRS\ntwo\nthree\nfour\nfive\n"
#define THEIRS_JSON "{\"description\": \"THEIRS\\ntwo\\nthree\\nfour\\nfive\\n\"}"

/* A save of the text by who has read `base`. */
static gint64
save_over(SavesFixture *f, const char *base, const char *mine)
{
    const EditTarget target = {
        .file = EDIT_STORY_DESCRIPTION, .project_id = 9, .owner_id = f->story};
    const Text before = support_text(base);
    const Text words = support_text(mine);
    g_autoptr(GError) error = NULL;
    const gint64 number = cache_submit(f->cache, &target, &before, &words, &error);
    g_assert_no_error(error);
    g_assert_cmpint(number, >, 0);
    return number;
}

/* `number` is in the journal, and its writer goes away. */
static gint64
left_alone(SavesFixture *f, gint64 number)
{
    g_assert_cmpint(saves_verdict(f, number, NULL, NULL), ==, EDIT_PENDING);
    g_assert_cmpint(cache_edit_verdict(f->cache, number, TRUE, NULL, NULL), ==, EDIT_PENDING);
    return number;
}

/* The server is back, after somebody changed the story (NULL: nobody did). */
static void
come_back(SavesFixture *f, const char *theirs)
{
    if (theirs) {
        fake_tracker_put(f->fake, f->story, theirs);
    }
    fake_tracker_set_offline(f->fake, FALSE);
    g_assert_true(cache_retry_edit(f->cache, 0, NULL));
}

static gboolean
is_queue_of(SavesFixture *f, guint all, guint parked)
{
    guint n_parked = 0;
    const guint n = cache_count_edits(f->cache, &n_parked);
    return n == all && n_parked == parked;
}

static void
assert_refused(SavesFixture *f, gint64 number, EditVerdict expected)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(saves_verdict(f, number, NULL, &error), ==, expected);
    g_assert_nonnull(error);
}

static void
assert_side(SavesFixture *f, EditSide side, const char *expected)
{
    Text text = {NULL, 0};
    g_assert_cmpint(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, side, &text), >, 0);
    g_assert_cmpstr(text.data, ==, expected);
    g_free(text.data);
}

static void
assert_shown(SavesFixture *f, const char *expected)
{
    g_autofree char *shown = saves_shown_description(f, f->story);
    g_assert_cmpstr(shown, ==, expected);
}

static void
assert_at_server(SavesFixture *f, const char *expected)
{
    g_autofree char *there = fake_tracker_get(f->fake, f->story, "description");
    g_assert_cmpstr(there, ==, expected);
}

static void
assert_nothing_left(SavesFixture *f)
{
    UNTIL(cache_count_edits(f->cache, NULL) == 0);
    g_assert_cmpint(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_MINE, NULL), ==, 0);
    g_assert_null(cache_dup_error(f->cache, EDIT_OF_STORY, f->story));
}

/* An offline save that turned out to be in conflict. */
static gint64
park_mine(SavesFixture *f)
{
    fake_tracker_set_offline(f->fake, TRUE);
    const gint64 number = left_alone(f, save_over(f, OLD, "mine\n"));
    come_back(f, THEIRS_JSON);
    UNTIL(is_queue_of(f, 1, 1));
    assert_shown(f, "mine\n");
    return number;
}

/* --- Saving again what is shown --- */

static void
test_same_bytes(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    (void)park_mine(f);
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    saves_accepted(f, save_over(f, "mine\n", "mine\n"), NULL);
    assert_at_server(f, "mine\n");
    assert_nothing_left(f);
}

static void
test_same_bytes_unseen(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    (void)park_mine(f);
    assert_refused(f, save_over(f, "mine\n", "mine\n"), EDIT_CONFLICT);
    assert_at_server(f, THEIRS);
    g_assert_true(is_queue_of(f, 1, 1));
    assert_side(f, EDIT_BASE, OLD);
    assert_side(f, EDIT_MINE, "mine\n");
    assert_side(f, EDIT_THEIRS, THEIRS);
    g_autofree char *told = cache_dup_error(f->cache, EDIT_OF_STORY, f->story);
    g_assert_nonnull(strstr(told, "ESTALE"));
}

/* Their bytes, saved as they are, are a decision too. */
static void
test_their_bytes(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    fake_tracker_put(f->fake, f->story, THEIRS_JSON);
    assert_refused(f, save_over(f, OLD, "mine\n"), EDIT_CONFLICT);
    saves_accepted(f, save_over(f, THEIRS, THEIRS), NULL);
    assert_at_server(f, THEIRS);
    assert_nothing_left(f);
}

static void
test_same_record(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_set_offline(f->fake, TRUE);
    (void)left_alone(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "mine\n", &error));
    come_back(f, "{\"name\": \"theirs\"}");
    UNTIL(is_queue_of(f, 1, 1));
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    g_autoptr(Story) story = saves_get_story(f, f->story);
    const EditTarget target = {.file = EDIT_STORY_JSON, .project_id = 9, .owner_id = f->story};
    saves_accepted(f, cache_submit(f->cache, &target, &story->record, &story->record, &error),
                   NULL);
    saves_expect_log(f, "PUT /projects/9/stories/500 {\"name\":\"mine\"}\n");
    assert_nothing_left(f);
    /* Without anything parked it is no change. */
    g_assert_cmpint(cache_submit(f->cache, &target, &story->record, &story->record, &error), ==, 0);
    g_assert_no_error(error);
}

/* --- The queue's retry --- */

static void
test_retry(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    const gint64 number = park_mine(f);
    g_assert_true(cache_retry_edit(f->cache, number, &error));
    UNTIL(is_queue_of(f, 1, 1));
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    /* All of them: nobody means each to go over what is there now. */
    g_assert_true(cache_retry_edit(f->cache, 0, &error));
    UNTIL(is_queue_of(f, 1, 1));
    assert_at_server(f, THEIRS);
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    g_assert_true(cache_retry_edit(f->cache, number, &error));
    assert_nothing_left(f);
    assert_at_server(f, "mine\n");
}

/* --- Several saves made offline --- */

/* Each is made on the one before. They are one conflict, and its base is what the server had. */
static void
test_chain(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    fake_tracker_set_offline(f->fake, TRUE);
    (void)left_alone(f, save_over(f, OLD, "first\n"));
    (void)left_alone(f, save_over(f, "first\n", "second\n"));
    (void)left_alone(f, save_over(f, "second\n", "third\n"));
    come_back(f, THEIRS_JSON);
    UNTIL(is_queue_of(f, 1, 1));
    assert_shown(f, "third\n");
    saves_restart(f);
    assert_side(f, EDIT_BASE, OLD);
    assert_side(f, EDIT_MINE, "third\n");
    assert_side(f, EDIT_THEIRS, THEIRS);
    assert_shown(f, "third\n");
    saves_expect_log(f, "");
}

/* The last one leaves alone what the other side has changed. */
static void
test_chain_that_merges(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    fake_tracker_set_offline(f->fake, TRUE);
    (void)left_alone(f, save_over(f, OLD, "ONE\ntwo\nthree\nfour\nfive\n"));
    (void)left_alone(
        f, save_over(f, "ONE\ntwo\nthree\nfour\nfive\n", "one\ntwo\nthree\nfour\nFIVE\n"));
    come_back(f, THEIRS_JSON);
    assert_nothing_left(f);
    assert_at_server(f, "THEIRS\ntwo\nthree\nfour\nFIVE\n");
    assert_shown(f, "THEIRS\ntwo\nthree\nfour\nFIVE\n");
}

/* A writer who waits hears of the conflict of his; what was made on it meanwhile goes its way. */
static void
test_chain_with_a_writer(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    fake_tracker_set_offline(f->fake, TRUE);
    const gint64 first = save_over(f, OLD, "first\n");
    g_assert_cmpint(saves_verdict(f, first, NULL, NULL), ==, EDIT_PENDING);
    const gint64 second = left_alone(f, save_over(f, "first\n", "second\n"));
    come_back(f, THEIRS_JSON);
    UNTIL(cache_edit_verdict(f->cache, first, FALSE, NULL, NULL) == EDIT_CONFLICT);
    UNTIL(is_queue_of(f, 1, 1));
    g_assert_cmpint(cache_get_conflict(f->cache, EDIT_OF_STORY, f->story, EDIT_MINE, NULL), ==,
                    second);
    assert_side(f, EDIT_BASE, OLD);
}

/* What was refused never was at the server, so it is no base for what follows. */
static void
test_chain_after_refusal(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_set_offline(f->fake, TRUE);
    (void)left_alone(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "bad\n", &error));
    (void)left_alone(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "good\n", &error));
    fake_tracker_fault(f->fake, FAULT_STATUS, 400);
    come_back(f, NULL);
    assert_nothing_left(f);
    g_autofree char *name = fake_tracker_get(f->fake, f->story, "name");
    g_assert_cmpstr(name, ==, "good");
}

/* Two who had read the same: one is in conflict, the other merges. Readers see what was accepted,
 * also when its row is gone. */
static void
test_parked_below_accepted(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    const char *mine = "MINE\ntwo\nthree\nfour\nfive\n";
    const char *merged = "THEIRS\ntwo\nthree\nfour\nFIVE\n";
    fake_tracker_set_offline(f->fake, TRUE);
    const gint64 first = left_alone(f, save_over(f, OLD, mine));
    (void)left_alone(f, save_over(f, OLD, "one\ntwo\nthree\nfour\nFIVE\n"));
    come_back(f, THEIRS_JSON);
    UNTIL(is_queue_of(f, 1, 1));
    assert_at_server(f, merged);
    assert_shown(f, merged);
    saves_restart(f);
    assert_shown(f, merged);
    assert_side(f, EDIT_MINE, mine);
    /* Tried again in vain it is not shown either. */
    g_assert_true(cache_retry_edit(f->cache, first, NULL));
    UNTIL(is_queue_of(f, 1, 1));
    assert_shown(f, merged);
    g_assert_true(cache_drop_conflict(f->cache, EDIT_OF_STORY, f->story, NULL));
    assert_nothing_left(f);
    assert_shown(f, merged);
}

/* The same, tried again while the one that is accepted is on its way. */
static void
test_retried_below_accepted(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    const char *merged = "THEIRS\ntwo\nthree\nfour\nFIVE\n";
    fake_tracker_set_offline(f->fake, TRUE);
    const gint64 first = left_alone(f, save_over(f, OLD, "MINE\ntwo\nthree\nfour\nfive\n"));
    fake_tracker_put(f->fake, f->story, THEIRS_JSON);
    fake_tracker_set_offline(f->fake, FALSE);
    UNTIL(is_queue_of(f, 1, 1));
    fake_tracker_set_offline(f->fake, TRUE);
    (void)left_alone(f, save_over(f, OLD, "one\ntwo\nthree\nfour\nFIVE\n"));
    g_assert_true(cache_retry_edit(f->cache, first, NULL)); /* waits before the other now */
    come_back(f, NULL);
    UNTIL(is_queue_of(f, 1, 1));
    assert_at_server(f, merged);
    assert_shown(f, merged);
}

/* A retry of everything while a later save of the story is on its way: the one that is tried again
 * waits for it, though it is the earlier. */
static void
test_retried_beside_sending(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    const gint64 other = fake_tracker_add(f->fake, "other", "");
    (void)park_mine(f);
    fake_tracker_put(f->fake, other, "{\"name\": \"theirs too\"}");
    test_clock_advance_ms(SAVES_TTL_MS + 1);
    g_autoptr(Project) project = saves_get_project(f);
    g_assert_cmpuint(project->n_stories, ==, 2);
    g_autofree char *path = g_strdup_printf("/stories/%" G_GINT64_FORMAT, f->story);
    g_autofree char *other_path = g_strdup_printf("/stories/%" G_GINT64_FORMAT, other);
    FakeTransport *wire = &f->fake->wire;

    FAKE_SET(f->fake, wire.holds_back, TRUE);
    (void)saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "sent\n", &error);
    g_assert_no_error(error);
    UNTIL(fake_transport_count_waiting(wire, path) == 1);
    g_assert_true(cache_retry_edit(f->cache, 0, &error));
    /* Once this one goes, everything before it has been looked at. */
    (void)saves_submit(f, EDIT_STORY_FIELD, other, 0, "name", "sent too\n", &error);
    g_assert_no_error(error);
    UNTIL(fake_transport_count_waiting(wire, other_path) == 1);
    g_assert_cmpuint(fake_transport_count_waiting(wire, path), ==, 1);

    FAKE_SET(f->fake, wire.holds_back, FALSE);
    UNTIL(is_queue_of(f, 1, 1)); /* nobody has looked at their side */
    g_autofree char *name = fake_tracker_get(f->fake, f->story, "name");
    g_assert_cmpstr(name, ==, "sent");
    assert_at_server(f, THEIRS);
}

/* --- .error --- */

/* What is parked still says why, whatever else of the story is accepted. */
static void
test_error_stays(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    const gint64 number = park_mine(f);
    saves_accepted(f, saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", "other\n", &error),
                   NULL);
    g_autofree char *told = cache_dup_error(f->cache, EDIT_OF_STORY, f->story);
    g_assert_nonnull(told);
    g_assert_nonnull(strstr(told, "description"));
    g_assert_true(cache_drop_edit(f->cache, number, &error));
    assert_nothing_left(f);
}

/* An earlier save that is accepted late says nothing about a later one that was refused. */
static void
test_error_of_later(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    fake_tracker_set_offline(f->fake, TRUE);
    (void)left_alone(f, save_over(f, OLD, "mine\n"));
    g_assert_cmpint(saves_submit(f, EDIT_STORY_FIELD, f->story, 0, "name", " \n", &error), ==, 0);
    g_assert_error(error, ERR, ERR_INVALID);
    come_back(f, NULL);
    UNTIL(cache_count_edits(f->cache, NULL) == 0);
    g_autofree char *told = cache_dup_error(f->cache, EDIT_OF_STORY, f->story);
    g_assert_nonnull(told);
    g_assert_nonnull(strstr(told, "blank"));
}

/* --- Several conflicts --- */

static void
test_every_mine(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    fake_tracker_put(f->fake, f->story, THEIRS_JSON);
    assert_refused(f, save_over(f, OLD, "first\n"), EDIT_CONFLICT);
    assert_refused(f, save_over(f, OLD, "first\n"), EDIT_CONFLICT); /* tried again: the same */
    g_assert_null(cache_list_earlier_conflicts(f->cache, EDIT_OF_STORY, f->story));
    assert_refused(f, save_over(f, OLD, "second\n"), EDIT_CONFLICT);
    assert_side(f, EDIT_MINE, "second\n");
    saves_restart(f);
    g_autoptr(GPtrArray) earlier = cache_list_earlier_conflicts(f->cache, EDIT_OF_STORY, f->story);
    g_assert_cmpuint(earlier->len, ==, 1);
    g_assert_cmpstr(((const EditMine *)earlier->pdata[0])->text.data, ==, "first\n");
    /* Who has looked has had all of them before him. */
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    saves_accepted(f, save_over(f, OLD, "both\n"), NULL);
    assert_at_server(f, "both\n");
    assert_nothing_left(f);
}

/* The server's side has changed since it was looked at: no conflict counts as seen any more. */
static void
test_look_ends(SavesFixture *f, gconstpointer unused)
{
    (void)unused;
    fake_tracker_put(f->fake, f->story, THEIRS_JSON);
    assert_refused(f, save_over(f, OLD, "first\n"), EDIT_CONFLICT);
    cache_note_conflict_read(f->cache, EDIT_OF_STORY, f->story);
    fake_tracker_put(f->fake, f->story, "{\"description\": \"newer\\n\"}");
    assert_refused(f, save_over(f, OLD, "second\n"), EDIT_CONFLICT);
    assert_refused(f, save_over(f, OLD, "third\n"), EDIT_CONFLICT);
    assert_side(f, EDIT_THEIRS, "newer\n");
    assert_at_server(f, "newer\n");
    g_assert_true(is_queue_of(f, 3, 3));
    g_assert_true(cache_drop_conflict(f->cache, EDIT_OF_STORY, f->story, NULL));
    assert_nothing_left(f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_clock_begin();
#define ADD(path, function)                                                                        \
    g_test_add(path, SavesFixture, NULL, saves_setup, function, saves_teardown)
    ADD("/parked/same-bytes", test_same_bytes);
    ADD("/parked/same-bytes-unseen", test_same_bytes_unseen);
    ADD("/parked/their-bytes", test_their_bytes);
    ADD("/parked/same-record", test_same_record);
    ADD("/parked/retry", test_retry);
    ADD("/parked/chain", test_chain);
    ADD("/parked/chain-that-merges", test_chain_that_merges);
    ADD("/parked/chain-with-a-writer", test_chain_with_a_writer);
    ADD("/parked/chain-after-refusal", test_chain_after_refusal);
    ADD("/parked/below-accepted", test_parked_below_accepted);
    ADD("/parked/retried-below-accepted", test_retried_below_accepted);
    ADD("/parked/retried-beside-sending", test_retried_beside_sending);
    ADD("/parked/error-stays", test_error_stays);
    ADD("/parked/error-of-later", test_error_of_later);
    ADD("/parked/every-mine", test_every_mine);
    ADD("/parked/look-ends", test_look_ends);
    int rc = g_test_run();
    test_clock_end();
    return rc;
}

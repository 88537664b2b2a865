/* The table of nodes: numbers, counts and keys, compared with a model under random use. */
#include "fs/inode.h"

#include <glib.h>
#include <string.h>

/* Keys of every shape: one id, two ids, names that many share, ids that a hostile server gives. */
static NodeKey
key_at(guint at, char *ret_name)
{
    const gint64 id = 1000 + at / 8;
    NodeKey key = {.project_id = 99 + at % 3, .id = id};
    switch (at % 8) {
    case 0:
        key.kind = NODE_STORY;
        break;
    case 1:
        key.kind = NODE_STORY_JSON;
        key.version = at * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
        break;
    case 2:
        key.kind = NODE_STORY_COMMENT;
        key.sub = 1000000 + at;
        break;
    case 3:
        key.kind = NODE_ATTACHMENT;
        key.sub = 1000000 + at;
        break;
    case 4:
        key.kind = NODE_LINK;
        key.of = NODE_STATE;
        key.id = key.project_id;
        key.sub = id;
        key.name = at % 16 < 8 ? "started" : "accepted";
        break;
    case 5:
        key.kind = NODE_STORY;
        key.id = G_MAXINT64 - at;
        break;
    case 6:
        key.kind = NODE_TASK;
        key.id = -(gint64)at;
        key.sub = ((gint64)1 << 50) + at;
        break;
    default:
        key.kind = NODE_STORY_FIELD;
        g_snprintf(ret_name, 32, "field%u", at % 64);
        key.name = ret_name;
        key.version = at;
        break;
    }
    return key;
}

static void
check(InodeTable *table, guint at, guint64 number, gboolean is_known)
{
    char name[32];
    const NodeKey key = key_at(at, name);
    NodeKey got;
    g_autofree char *got_name = NULL;
    g_assert_cmpuint(inode_find(table, &key), ==, is_known ? number : 0);
    if (is_known) {
        g_assert_true(inode_get(table, number, &got, &got_name));
        g_assert_true(node_key_equal(&got, &key));
        g_assert_cmpstr(got_name, ==, key.name);
        g_assert_cmpuint(inode_number(table, &key), !=, 0);
    }
}

static void
test_random(void)
{
    enum { KEYS = 6000, STEPS = 120000 };
    g_autoptr(InodeTable) table = inode_table_new();
    g_autofree guint *lookups = g_new0(guint, KEYS);
    g_autofree guint64 *numbers = g_new0(guint64, KEYS);
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    guint known = 1; /* the root */
    for (guint step = 0; step < STEPS; step++) {
        char name[32];
        const guint at = (guint)g_rand_int_range(random, 0, KEYS);
        const NodeKey key = key_at(at, name);
        /* It grows in the first half and shrinks in the second. */
        if (g_rand_int_range(random, 0, 10) < (step < STEPS / 2 ? 8 : 2)) {
            const guint64 number = inode_intern(table, &key);
            g_assert_true(lookups[at] == 0 || numbers[at] == number);
            known += lookups[at]++ == 0;
            numbers[at] = number;
        } else if (lookups[at] > 0) {
            const guint n = (guint)g_rand_int_range(random, 1, (gint32)lookups[at] + 1);
            lookups[at] -= n;
            g_assert_true(inode_forget(table, numbers[at], n) == (lookups[at] == 0));
            known -= lookups[at] == 0;
        }
        g_assert_cmpuint(inode_count(table), ==, known);
        const guint other = (guint)g_rand_int_range(random, 0, KEYS);
        check(table, other, numbers[other], lookups[other] > 0);
    }
    for (guint at = 0; at < KEYS; at++) {
        check(table, at, numbers[at], lookups[at] > 0);
        g_assert_true(lookups[at] == 0 || inode_forget(table, numbers[at], lookups[at]));
    }
    g_assert_cmpuint(inode_count(table), ==, 1);
    g_assert_false(inode_forget(table, 1, 1000)); /* the root stays */
}

/* Two stories have a comment with one id. */
static void
test_hostile_ids(void)
{
    g_autoptr(InodeTable) table = inode_table_new();
    const NodeKey first = {.kind = NODE_STORY_COMMENT, .project_id = 9, .id = 1, .sub = 7};
    const NodeKey second = {.kind = NODE_STORY_COMMENT, .project_id = 9, .id = 2, .sub = 7};
    const guint64 a = inode_intern(table, &first), b = inode_intern(table, &second);
    g_assert_cmpuint(a, !=, b);
    g_assert_true(inode_forget(table, a, 1));
    g_assert_cmpuint(inode_find(table, &first), ==, 0);
    NodeKey got;
    g_autofree char *name = NULL;
    g_assert_true(inode_get(table, b, &got, &name));
    g_assert_true(node_key_equal(&got, &second));
}

static void
test_moved_story(void)
{
    g_autoptr(InodeTable) table = inode_table_new();
    NodeKey story = {.kind = NODE_STORY, .project_id = 9, .id = 1}, got;
    NodeKey task = {.kind = NODE_TASK, .project_id = 9, .id = 1, .sub = 5};
    NodeKey other = {.kind = NODE_STORY, .project_id = 9, .id = 2};
    const guint64 numbers[] = {inode_intern(table, &story), inode_intern(table, &task),
                               inode_intern(table, &other)};
    inode_move_story(table, 1, 10);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *name = NULL;
        g_assert_true(inode_get(table, numbers[i], &got, &name));
        g_assert_cmpint(got.project_id, ==, i < 2 ? 10 : 9);
    }
    story.project_id = 10;
    g_assert_cmpuint(inode_find(table, &story), ==, numbers[0]);
}

/* What belongs to a node stays its own when others come and go. */
static void
test_sizes_and_claims(void)
{
    g_autoptr(InodeTable) table = inode_table_new();
    guint64 numbers[64];
    char name[32];
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const NodeKey key = key_at(i * 8, name);
        numbers[i] = inode_intern(table, &key);
        g_assert_cmpint(inode_told_size(table, numbers[i]), ==, -1);
        g_assert_cmpint(inode_tell_size(table, numbers[i], 100 + i), ==, 100 + i);
    }
    g_assert_true(inode_claim(table, numbers[63], 5, 50) == CLAIM_DROP);
    for (guint i = 0; i < 60; i++) {
        g_assert_true(inode_forget(table, numbers[i], 1));
    }
    g_assert_cmpint(inode_told_size(table, numbers[62]), ==, 162);
    g_assert_true(inode_claim(table, numbers[63], 5, 50) == CLAIM_KEEP);
    g_assert_true(inode_claim(table, numbers[63], 6, 60) == CLAIM_BYPASS);
    /* While a version of 50 bytes is read, that is its size for all. */
    g_assert_cmpint(inode_tell_size(table, numbers[63], 60), ==, 50);
    g_assert_false(inode_unclaim(table, numbers[63]));
    g_assert_true(inode_unclaim(table, numbers[63]));
    g_assert_cmpint(inode_tell_size(table, numbers[63], 60), ==, 60);
    /* Larger than the table can remember: never equal to what it remembers. */
    g_assert_cmpint(inode_tell_size(table, numbers[62], G_MAXINT64), ==, G_MAXINT64);
    g_assert_cmpint(inode_told_size(table, numbers[62]), !=, G_MAXINT64);
    g_assert_cmpint(inode_told_size(table, numbers[62]), >, 0);
    /* A node that comes back knows nothing of its former life. */
    g_assert_true(inode_forget(table, numbers[63], 1));
    const NodeKey key = key_at(63 * 8, name);
    g_assert_cmpuint(inode_intern(table, &key), ==, numbers[63]);
    g_assert_cmpint(inode_told_size(table, numbers[63]), ==, -1);
    g_assert_true(inode_claim(table, numbers[63], 5, 50) == CLAIM_DROP);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inode/random", test_random);
    g_test_add_func("/inode/hostile-ids", test_hostile_ids);
    g_test_add_func("/inode/moved-story", test_moved_story);
    g_test_add_func("/inode/sizes-and-claims", test_sizes_and_claims);
    return g_test_run();
}

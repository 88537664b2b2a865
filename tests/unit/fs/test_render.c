/* Attributes of a record as lines: which there are, and that a line is one. */
#include "fs/render.h"

#include <glib.h>
#include <string.h>

static const char record_text[] =
    "{\"name\": \"one\\ntwo\\rthree\", \"estimate\": 3, \"blank\": \"\", \"nul\": \"a\\u0000b\","
    " \"labels\": [{\"id\": 7, \"name\": \"red\"}, {\"id\": 8, \"name\": \"blue\"}],"
    " \"owner_ids\": [1, 2], \"gone\": null, \"nested\": {\"a\": 1}, \"a/b\": \"no file name\","
    " \"..\": \"neither\"}";
static const Text record = {.data = (char *)(guintptr)record_text,
                            .length = sizeof(record_text) - 1};

static void
assert_field(const char *name, const char *expected, gsize length)
{
    g_auto(Content) content = {0};
    g_assert_true(render_field(&record, EDIT_OF_STORY, name, &content));
    g_assert_cmpmem(content.data, content.length, expected, length);
}

static void
test_lines(void)
{
    assert_field("name", "one two three\n", 14);
    assert_field("estimate", "3\n", 2);
    assert_field("blank", "\n", 1);
    assert_field("nul", "a\0b\n", 4);
    assert_field("labels", "red,blue\n", 9);
    assert_field("owner_ids", "1,2\n", 4);
    assert_field("gone", "\n", 1);
}

static void
test_what_is_no_file(void)
{
    static const char *const none[] = {"nested", "a/b", "..", "", "unknown"};
    for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
        g_auto(Content) content = {0};
        g_assert_false(render_field(&record, EDIT_OF_STORY, none[i], &content));
    }
}

/* Empty files: what a story could have and has not, but not under its other name. */
static void
test_unset(void)
{
    static const char text[] = "{\"name\": \"x\", \"label_ids\": [1]}";
    const Text some = {.data = (char *)(guintptr)text, .length = sizeof(text) - 1};
    g_autoptr(GHashTable) lines = render_fields(&some, EDIT_OF_STORY);
    GBytes *people = g_hash_table_lookup(lines, "owner_ids");
    g_assert_nonnull(people);
    g_assert_cmpuint(g_bytes_get_size(people), ==, 0);
    g_assert_false(g_hash_table_contains(lines, "labels"));
    g_assert_false(g_hash_table_contains(lines, "owners"));
    g_assert_false(g_hash_table_contains(lines, "unknown"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/lines", test_lines);
    g_test_add_func("/render/no-file", test_what_is_no_file);
    g_test_add_func("/render/unset", test_unset);
    return g_test_run();
}

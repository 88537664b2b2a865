/* Names: safe, stable, telling, and read back. */
#include "fs/tree.h"

#include <glib.h>
#include <string.h>

static void
assert_item(const char *title, const char *expected)
{
    g_autofree char *name = tree_item_name(555, title, FALSE);
    g_assert_cmpstr(name, ==, expected);
}

static void
test_item_names(void)
{
    assert_item("Exhaust ports have ray shielding", "555-Exhaust-ports-have-ray-shielding");
    assert_item("予約確認メール", "555-予約確認メール");
    assert_item("../../etc/passwd", "555-etc-passwd");
    assert_item("  -- ", "555");
    assert_item("", "555");
    assert_item(NULL, "555");
    assert_item("a\tb\nc", "555-a-b-c");
    g_autofree char *bare = tree_item_name(555, "title", TRUE);
    g_assert_cmpstr(bare, ==, "555");
    g_autofree char *long_title = g_strnfill(5000, 'x');
    g_autofree char *cut = tree_item_name(555, long_title, FALSE);
    g_assert_cmpuint(strlen(cut), <=, TREE_NAME_BYTES);
}

/* Names are made without composing when nothing can compose. */
static void
test_composed_names(void)
{
    assert_item("Cafe\xcc\x81 au lait", "555-Caf\xc3\xa9-au-lait");
    assert_item("\xcc\x81 x\xcc\x81", "555-x\xcc\x81");
    assert_item("a \xc3 b", "555-a-b");
    for (gunichar c = 1; c < 0x300; c++) {
        char text[16] = "e";
        text[1 + g_unichar_to_utf8(c, text + 1)] = 0;
        g_autofree char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_NFC);
        g_assert_cmpstr(composed, ==, text);
    }
}

static void
test_reading_names_back(void)
{
    static const struct {
        const char *name;
        gint64 id; /* 0: is none */
    } cases[] = {
        {"555", 555},
        {"555-x", 555},
        {"555-", 555},
        {"555x", 0},
        {"0555", 0},
        {"0", 0},
        {"-5", 0},
        {"+5", 0},
        {" 5", 0},
        {"", 0},
        {"x", 0},
        {"5 ", 0},
        {"9223372036854775808", 0},
        {"99999999999999999999-x", 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 id = 0;
        gboolean is_one = tree_parse_item_name(cases[i].name, &id);
        g_assert_cmpint(is_one ? id : 0, ==, cases[i].id);
    }
}

static void
test_order_in_names(void)
{
    guint position = 0;
    gint64 id = 0;
    g_autofree char *first = tree_position_name(2, 1000, 7, "x", FALSE);
    g_autofree char *second = tree_position_name(10, 1000, 6, "x", FALSE);
    g_assert_cmpint(strcmp(first, second), <, 0);
    g_assert_true(tree_parse_position_name(first, &position, &id));
    g_assert_cmpuint(position, ==, 2);
    g_assert_cmpint(id, ==, 7);
    g_autofree char *comment = tree_comment_name(800, G_GINT64_CONSTANT(1493854180000), "ada");
    g_assert_cmpstr(comment, ==, "800-2017-05-03-ada.md");
}

static void
test_a_folder_of_equal_names(void)
{
    static const char *const texts[] = {"notes.txt", "Notes.TXT", "notes.txt", "a/b",
                                        "..",        NULL,        "\xff.txt"};
    TreeName names[G_N_ELEMENTS(texts)];
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        names[i] = (TreeName){.id = 10 + i, .text = texts[i]};
    }
    tree_name_folder(names, G_N_ELEMENTS(names), "", TRUE);
    g_assert_cmpstr(names[0].name, ==, "notes.txt");
    g_assert_cmpstr(names[1].name, ==, "Notes~11.TXT");
    g_assert_cmpstr(names[2].name, ==, "notes~12.txt");
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_null(strchr(names[i].name, '/'));
        g_assert_true(g_utf8_validate(names[i].name, -1, NULL));
        g_assert_true(g_hash_table_add(seen, g_utf8_casefold(names[i].name, -1)));
        g_free(names[i].name);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tree/item-names", test_item_names);
    g_test_add_func("/tree/composed-names", test_composed_names);
    g_test_add_func("/tree/read-back", test_reading_names_back);
    g_test_add_func("/tree/order", test_order_in_names);
    g_test_add_func("/tree/equal-names", test_a_folder_of_equal_names);
    return g_test_run();
}

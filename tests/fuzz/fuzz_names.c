/* Any bytes as names of a server: each name made of them is safe, and a folder of them has no two
 * alike. */
#include <stdint.h>
#include <string.h>

#include "fs/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const char *name)
{
    gsize length = strlen(name);
    g_assert_cmpuint(length, >, 0);
    g_assert_cmpuint(length, <=, TREE_NAME_BYTES);
    g_assert_true(g_utf8_validate(name, (gssize)length, NULL));
    g_assert_true(name[0] != '.' && name[0] != '-');
    for (gsize i = 0; i < length; i++) {
        g_assert_true(name[i] != '/' && (guchar)name[i] >= 0x20 && name[i] != 0x7f);
    }
}

/* Equal on a file system that folds case and normalises. */
static char *
folded(const char *name)
{
    g_autofree char *normal = g_utf8_normalize(name, -1, G_NORMALIZE_ALL);
    return g_utf8_casefold(normal, -1);
}

static void
check_folder(char *const *texts, guint n, const char *suffix, gboolean keep_extension)
{
    g_autofree TreeName *names = g_new0(TreeName, n + 1);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < n; i++) {
        names[i] = (TreeName){.id = 1 + (i * 7919) % 100003, .text = texts[i]};
    }
    tree_name_folder(names, n, suffix, keep_extension);
    for (guint i = 0; i < n; i++) {
        check_name(names[i].name);
        g_assert_true(g_str_has_suffix(names[i].name, suffix));
        g_assert_true(g_hash_table_add(seen, folded(names[i].name)));
        g_free(names[i].name);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gint64 id;
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *item = tree_item_name(42, text, FALSE);
    g_autofree char *comment = tree_comment_name(42, 1000, text);
    g_autofree char *escaped = tree_escape(text, TREE_NAME_BYTES, TRUE);
    check_name(item);
    check_name(comment);
    check_name(escaped);
    g_assert_true(tree_parse_item_name(item, &id) && id == 42);
    (void)tree_parse_item_name(text, &id);
    /* The input as a folder: a name a line. Line ends inside names are made by bytes that are
     * replaced. */
    g_auto(GStrv) texts = g_strsplit(text, "\n", 64);
    guint n = g_strv_length(texts);
    check_folder(texts, n, "", TRUE);
    check_folder(texts, n, ".json", FALSE);
    return 0;
}

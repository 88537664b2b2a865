/* Digests differ where texts differ: in any single bit, in length, in order. */
#include "tracker/digest.h"

#include <string.h>

static void
test_bits(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char text[64], digest[DIGEST_TEXT_BYTES];
    guint n = 0;

    memset(text, 'a', sizeof text);
    for (gsize length = 0; length <= sizeof text; length++, n++) {
        digest_text(text, length, digest);
        g_assert_cmpuint(strlen(digest), ==, 32);
        g_assert_cmpuint(strspn(digest, "0123456789abcdef"), ==, 32);
        g_assert_true(g_hash_table_add(seen, g_strdup(digest)));
    }
    for (gsize bit = 0; bit < 8 * sizeof text; bit++, n++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        digest_text(text, sizeof text, digest);
        g_assert_true(g_hash_table_add(seen, g_strdup(digest)));
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    memcpy(text, "bbbbbbbb", 8);
    digest_text(text, sizeof text, digest);
    g_assert_true(g_hash_table_add(seen, g_strdup(digest)));
    memcpy(text, "aaaaaaaabbbbbbbb", 16);
    digest_text(text, sizeof text, digest);
    g_assert_true(g_hash_table_add(seen, g_strdup(digest)));
    g_assert_cmpuint(g_hash_table_size(seen), ==, n + 2);
}

/* Both halves depend on the text, and about half of all digits change with a bit. */
static void
test_spread(void)
{
    char one[DIGEST_TEXT_BYTES], other[DIGEST_TEXT_BYTES];
    guint same = 0;

    digest_text("[{\"id\":1}]", 10, one);
    digest_text("[{\"id\":3}]", 10, other);
    for (int i = 0; i < 32; i++) {
        same += one[i] == other[i] ? 1 : 0;
    }
    g_assert_cmpuint(same, <, 12);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/digest/bits", test_bits);
    g_test_add_func("/digest/spread", test_spread);
    return g_test_run();
}

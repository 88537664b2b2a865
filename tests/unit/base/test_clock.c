/* The test clock moves both clocks, at once, and shortens waits so that they notice. */
#include "cache/base/clock.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>

static char *clock_path;

static void
set_offset(const char *text)
{
    g_assert_true(
        g_file_set_contents_full(clock_path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void
test_offset_moves_both_clocks(void)
{
    set_offset("0");
    gint64 monotonic = clock_monotonic_ms();
    gint64 wall = clock_wall_ms();
    set_offset("3600000");
    g_assert_cmpint(clock_monotonic_ms() - monotonic, >=, 3600000);
    g_assert_cmpint(clock_wall_ms() - wall, >=, 3600000);
    g_assert_cmpint(clock_monotonic_ms() - monotonic, <, 3700000);
}

static void
test_waits_are_short_and_never_negative(void)
{
    set_offset("0");
    g_assert_cmpint(clock_wait_ms(clock_monotonic_ms() + 100000), <=, 50);
    g_assert_cmpint(clock_wait_ms(clock_monotonic_ms() - 1), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    clock_path = g_build_filename(g_get_tmp_dir(), "trackerfs-clock-XXXXXX", NULL);
    g_assert_cmpint(g_mkstemp(clock_path), >=, 0);
    g_assert_true(g_setenv("TRACKERFS_TEST_CLOCK", clock_path, TRUE));
    clock_init();
    g_test_add_func("/clock/offset-moves-both", test_offset_moves_both_clocks);
    g_test_add_func("/clock/waits", test_waits_are_short_and_never_negative);
    int rc = g_test_run();
    (void)g_unlink(clock_path);
    return rc;
}

/* The test clock moves both clocks, at once, and shortens waits so that they notice. */
#include "cache/base/clock.h"

#include <glib.h>

#include "tests/unit/base/support_clock.h"

static void
test_offset_moves_both_clocks(void)
{
    test_clock_set_ms(0);
    gint64 monotonic = clock_monotonic_ms();
    gint64 wall = clock_wall_ms();
    test_clock_set_ms(3600000);
    g_assert_cmpint(clock_monotonic_ms() - monotonic, >=, 3600000);
    g_assert_cmpint(clock_wall_ms() - wall, >=, 3600000);
    g_assert_cmpint(clock_monotonic_ms() - monotonic, <, 3700000);
}

static void
test_waits_are_short_and_never_negative(void)
{
    test_clock_set_ms(0);
    g_assert_cmpint(clock_wait_ms(clock_monotonic_ms() + 100000), <=, 50);
    g_assert_cmpint(clock_wait_ms(clock_monotonic_ms() - 1), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_clock_begin();
    g_test_add_func("/clock/offset-moves-both", test_offset_moves_both_clocks);
    g_test_add_func("/clock/waits", test_waits_are_short_and_never_negative);
    int rc = g_test_run();
    test_clock_end();
    return rc;
}

/* support_clock: the test clock of cache/base/clock.h, moved by the test that runs. */
#pragma once

#include <glib.h>

/* In main(), after g_test_init() and before any thread: sets the environment and inits the clock.
 */
void test_clock_begin(void);
void test_clock_end(void);

/* How far both clocks are ahead, and how much more. */
void test_clock_set_ms(gint64 ms);
void test_clock_advance_ms(gint64 ms);

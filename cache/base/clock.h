/* clock: the only source of time for fs/ and cache/, so that a test can move it.
 *
 * When the environment names a file in TRACKERFS_TEST_CLOCK, that file holds a number of
 * milliseconds as text, and both clocks run ahead by it; it is read again at each call. A test
 * makes a TTL pass by writing to the file, not by sleeping. clock_init() reads the environment,
 * once, before any other thread exists. Threads: any, after clock_init(). */
#pragma once

#include <glib.h>

void clock_init(void);

/* Never goes back; for ages, deadlines and TTLs. Milliseconds. */
gint64 clock_monotonic_ms(void);

/* Milliseconds since 1970, UTC; for what is shown or compared with the server's times. */
gint64 clock_wall_ms(void);

/* Real time until the test clock would reach `deadline_ms` of clock_monotonic_ms(): at least 0, and
 * at most 50 under a test clock, so that waits notice when it is moved. */
gint64 clock_wait_ms(gint64 deadline_ms);

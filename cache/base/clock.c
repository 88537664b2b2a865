/* Two clocks and the file that can move them in tests. */
#include "cache/base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TEST_CLOCK_POLL_MS 50

static int test_clock_fd = -1; /* const after clock_init */

void
clock_init(void)
{
    const char *path = getenv("TRACKERFS_TEST_CLOCK");
    if (path && *path) {
        test_clock_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
}

static gint64
test_offset_ms(void)
{
    char text[32];
    if (test_clock_fd < 0) {
        return 0;
    }
    ssize_t got = pread(test_clock_fd, text, sizeof text - 1, 0);
    if (got <= 0) {
        return 0;
    }
    text[got] = '\0';
    return g_ascii_strtoll(text, NULL, 10);
}

gint64
clock_monotonic_ms(void)
{
    return g_get_monotonic_time() / 1000 + test_offset_ms();
}

gint64
clock_wall_ms(void)
{
    return g_get_real_time() / 1000 + test_offset_ms();
}

gint64
clock_wait_ms(gint64 deadline_ms)
{
    gint64 left = deadline_ms - clock_monotonic_ms();
    if (test_clock_fd >= 0) {
        left = MIN(left, TEST_CLOCK_POLL_MS);
    }
    return MAX(left, 0);
}

/* A file that only this process knows. */
#include "tests/unit/base/support_clock.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "cache/base/clock.h"

static char *path;
static gint64 ahead_ms;

void
test_clock_begin(void)
{
    path = g_build_filename(g_get_tmp_dir(), "trackerfs-clock-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(fd, >=, 0);
    (void)close(fd);
    g_assert_true(g_setenv("TRACKERFS_TEST_CLOCK", path, TRUE));
    clock_init();
}

void
test_clock_end(void)
{
    (void)g_unlink(path);
    g_clear_pointer(&path, g_free);
}

void
test_clock_set_ms(gint64 ms)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, ahead_ms = ms);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

void
test_clock_advance_ms(gint64 ms)
{
    test_clock_set_ms(ahead_ms + ms);
}

/* `trackerfs umount`: takes a mount away and waits until its process is gone, so that the same
 * source can be mounted again at once with the cache that it left. */
#include "cache/base/clock.h"
#include "fs/commands.h"
#include "fs/instance.h"
#include "fs/mountpoint.h"

#include <glib.h>
#include <stdio.h>

#define WAIT_MS (60 * 1000)
#define STEP_MS 200

static const char usage[] =
    "Usage: trackerfs umount MOUNTPOINT [--lazy]\n"
    "Unmounts and waits until the mount's process has ended.\n"
    "\n"
    "  -l, --lazy   also when it is in use or does not answer: the folder is free at\n"
    "               once, who still uses it goes on until done\n"
    "\n"
    "umount(8) and fusermount3 -u do the same without the wait.\n"
    "Exit status: 0 unmounted, 1 wrong arguments, 3 not mounted or in use.\n";

/* Shows how many changes are still to be sent each time that is another number. */
static void
wait_gone(const char *path)
{
    guint shown = 0;
    gboolean is_gone = FALSE;
    const gint64 deadline_ms = clock_monotonic_ms() + WAIT_MS;
    while (!(is_gone = instance_wait_gone(path, STEP_MS)) && clock_monotonic_ms() < deadline_ms) {
        const guint remaining = instance_remaining(path);
        if (remaining != shown) {
            (void)fprintf(stderr, "trackerfs: still to be sent: %u\n", remaining);
            shown = remaining;
        }
    }
    const guint remaining = instance_remaining(path);
    if (!is_gone) {
        (void)fprintf(stderr, "trackerfs: unmounted; its process is still finishing\n");
    } else if (remaining > 0) {
        (void)fprintf(
            stderr,
            "trackerfs: the server has not accepted %u change%s: kept, and sent when it is "
            "mounted again\n",
            remaining, remaining == 1 ? "" : "s");
    }
}

static int
unmount(const char *word, gboolean lazy)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = mountpoint_resolve(word);
    g_autoptr(GPtrArray) mounts = mountpoint_list(&error);
    if (!mounts) {
        return command_fail(STATUS_MOUNT, NULL, "%s", error->message);
    }
    const Mount *mount = mountpoint_find(mounts, path);
    if (!mount) {
        return command_fail(STATUS_MOUNT, NULL, "nothing is mounted at %s", path);
    }
    if (!g_str_equal(mount->type, MOUNTPOINT_TYPE)) {
        return command_fail(STATUS_MOUNT, NULL, "%s is a mount of type %s, not ours: use umount(8)",
                            path, mount->type);
    }
    if (!mountpoint_unmount(path, lazy, &error)) {
        return command_fail(STATUS_MOUNT, NULL, "%s", error->message);
    }
    if (!lazy) {
        wait_gone(path);
    }
    return STATUS_OK;
}

int
command_umount(int argc, char **argv)
{
    gboolean lazy = FALSE;
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            (void)fputs(usage, stdout);
            return STATUS_OK;
        }
        if (g_str_equal(argv[i], "--lazy") || g_str_equal(argv[i], "-l")) {
            lazy = TRUE;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return command_fail(STATUS_USAGE, "see trackerfs umount --help", "unknown flag %s",
                                argv[i]);
        } else if (path) {
            return command_fail(STATUS_USAGE, "see trackerfs umount --help",
                                "one mount point at a time");
        } else {
            path = argv[i];
        }
    }
    if (!path || !*path) {
        return command_fail(STATUS_USAGE, "see trackerfs status for what is mounted",
                            "which MOUNTPOINT?");
    }
    return unmount(path, lazy);
}

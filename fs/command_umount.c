/* `trackerfs umount`: ends a mount, or says who keeps it busy. */
#include <stdio.h>
#include <string.h>

#include "cache/base/err.h"
#include "fs/commands.h"
#include "fs/mountpoint.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mount, mount_free)

static const char usage[] =
    "Unmount a mounted tracker.\n"
    "\n"
    "  trackerfs umount MOUNTPOINT [--lazy]\n"
    "\n"
    "  --lazy   take it out of the tree now, and end it when no program uses it\n"
    "           any more\n"
    "\n"
    "Exit status: 0 unmounted, 1 wrong usage, 3 busy or refused.\n";

static int
unmount(const char *path, gboolean lazy)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *folder = g_path_get_dirname(absolute);
    g_autoptr(Mount) mount = mountpoint_find(absolute);
    if (!mount) {
        return command_fail(STATUS_MOUNT, NULL, "nothing is mounted at %s", absolute);
    }
    if (!g_str_equal(mount->type, "fuse.trackerfs")) {
        return command_fail(STATUS_MOUNT, NULL, "%s is a mounted %s, not ours to unmount", absolute,
                            mount->type);
    }
    if (mountpoint_unmount(absolute, lazy, &error)) {
        return STATUS_OK;
    }
    if (g_error_matches(error, ERR, ERR_CONFLICT)) {
        g_autofree char *users = mountpoint_users(absolute);
        return command_fail(STATUS_MOUNT, "--lazy takes it out of the tree all the same",
                            "%s is in use%s%s", absolute, users ? " by process " : "",
                            users ? users : "");
    }
    return command_fail(STATUS_MOUNT, NULL, "%s", error->message);
}

int
command_umount(int argc, char **argv)
{
    const char *path = NULL;
    gboolean lazy = FALSE;
    for (int i = 1; i < argc; i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
        }
        if (g_str_equal(argv[i], "--lazy")) {
            lazy = TRUE;
        } else if (argv[i][0] == '-' || path) {
            return command_fail(STATUS_USAGE, "trackerfs umount MOUNTPOINT [--lazy]",
                                "umount: \"%s\" is not understood", argv[i]);
        } else {
            path = argv[i];
        }
    }
    if (!path) {
        return command_fail(STATUS_USAGE, "trackerfs umount MOUNTPOINT [--lazy]",
                            "umount: which one?");
    }
    return unmount(path, lazy);
}

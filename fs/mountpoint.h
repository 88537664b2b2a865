/* mountpoint: what stands where something is to be mounted, and which mounts of ours there are.
 *
 * Reads /proc/self/mountinfo, so it never waits for a file system that hangs, except where said.
 * Threads: main. Errors: ERR_INVALID, ERR_LOCAL. */
#pragma once

#include <glib.h>

typedef struct Mount {
    char *path, *type, *source;
} Mount;

void mount_free(Mount *mount);

/* Every mounted trackerfs, in the order of mounting; an array that owns its Mounts. */
GPtrArray *mountpoint_list_ours(void);

/* The topmost mount at exactly `path` (absolute), or NULL. The caller's. */
Mount *mountpoint_find(const char *path);

/* The absolute path without links of an existing folder that can be mounted on. A mount point whose
 * daemon is gone
 * ("Transport endpoint is not connected") is unmounted first, and *ret_healed set. `nonempty`:
 * entries in it do not matter. The caller's. */
char *mountpoint_prepare(const char *path, gboolean nonempty, gboolean *ret_healed, GError **error);

/* Unmounts, as root or through fusermount3. `lazy`: detach now, end when nobody uses it any more.
 */
gboolean mountpoint_unmount(const char *path, gboolean lazy, GError **error);

/* "PID (name)" of the first processes that use something below `path`; NULL when none is seen. The
 * caller's. */
char *mountpoint_users(const char *path);

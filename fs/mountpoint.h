/* mountpoint: folders that are, were or shall be mount points.
 *
 * A mounted FUSE whose process hangs makes every access to its root wait, so nothing here touches a
 * mounted root in this process: the table of mounts is read first, and a mounted root is asked by a
 * child that may be left behind. Threads: main; forks, so before any other thread exists, or from a
 * command that has none. Errors: ERR_INVALID (the folder cannot be used), ERR_LOCAL. */
#pragma once

#include <glib.h>

#define MOUNTPOINT_TYPE "fuse.trackerfs"
#define MOUNTPOINT_PROBE_MS 3000

typedef struct Mount {
    char *path, *type, *source;
} Mount;

/* Every mount of this process' namespace, in the order of mounting. */
GPtrArray *mountpoint_list(GError **error);

/* The last one mounted at `path` (absolute and without links), borrowed; NULL: none. */
const Mount *mountpoint_find(const GPtrArray *mounts, const char *path);

/* Absolute, links resolved but never inside a mounted root: fine for one that hangs. The caller's.
 */
char *mountpoint_resolve(const char *path);

typedef enum {
    MOUNT_ALIVE,
    MOUNT_DEAD,   /* its process is gone (ENOTCONN) */
    MOUNT_WEDGED, /* no answer in MOUNTPOINT_PROBE_MS */
} MountHealth;

MountHealth mountpoint_probe(const char *path);

/* The text of a file below a mounted root, read by a child within `limit_ms`; at most 16 MB. NULL:
 * `ret_health` says why, MOUNT_ALIVE being "there is no such file". */
char *mountpoint_read(const char *path, gint64 limit_ms, MountHealth *ret_health);

/* Makes sure that something can be mounted at `path`: a dead mount there is taken away
 * (`ret_healed`). Returns the resolved path. */
char *mountpoint_prepare(const char *path, gboolean nonempty, gboolean *ret_healed, GError **error);

/* Takes the mount away; `lazy`: also one in use. A busy one is an error that names who uses it. */
gboolean mountpoint_unmount(const char *path, gboolean lazy, GError **error);

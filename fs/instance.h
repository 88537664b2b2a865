/* instance: a running mount as a process: its cache folder, its log, and the file by which others
 * see it live.
 *
 * The file is named after the mount point, lies in $XDG_RUNTIME_DIR/trackerfs (or the cache
 * folder's "run") and is locked while the process lives: the lock goes with the process however
 * that ends. Threads: main. Errors: ERR_LOCAL, ERR_NO_SPACE. Limits: INSTANCE_LOG_BYTES. */
#pragma once

#include <glib.h>

/* At the start a longer log is moved aside, to "log.1"; while running a longer one begins anew. */
#define INSTANCE_LOG_BYTES (1024 * 1024)

/* Where the data of a source are kept: BASE/<readable>-<hash of identity>; made with its parents,
 * 0700. `base` NULL: $XDG_CACHE_HOME/trackerfs. The caller's. */
char *instance_cache_directory(const char *base, const char *label, const char *identity,
                               GError **error);

/* Where what was written and not yet sent is kept: $XDG_STATE_HOME/trackerfs/<the same>; and where
 * what was removed is copied: $XDG_DATA_HOME/trackerfs/trash/<the same>, which is not made. */
char *instance_state_directory(const char *label, const char *identity, GError **error);
char *instance_trash_directory(const char *label, const char *identity);

/* Locks the file of `mount_point` until the process ends. Failing is no reason not to mount. */
void instance_announce(const char *mount_point);

/* Says in that file how many changes are still to be sent, for who waits; the next two. */
void instance_tell_remaining(const char *mount_point, guint n);
guint instance_remaining(const char *mount_point);

/* Waits until no process has the file of `mount_point` locked. FALSE when `limit_ms` was over
 * first. */
gboolean instance_wait_gone(const char *mount_point, gint64 limit_ms);

/* A descriptor of the log in that folder, to append; -1 when that cannot be written. */
int instance_open_log(const char *directory);

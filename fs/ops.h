/* ops: the mounted tree as libfuse sees it: the table of low-level operations and the state behind
 * it.
 *
 * Owns: the node table, the open handles, the parked operations and their one thread. Knows no
 * policy: which names exist is tree.c and views.c, what a file holds is render.c, what to ask is
 * the cache's.
 *
 * Calling sequence: fs_new(), fuse_session_new(..., ops_table(), ..., fs), fuse_session_mount(),
 * fuse_daemonize() if wanted, fs_start() (it makes a thread: after any fork), the session loop,
 * fs_stop(), fuse_session_unmount(), fuse_session_destroy(), fs_free(), cache_close(). fs_stop()
 * must come before the session is destroyed: it answers what is parked. The loop may run with any
 * number of workers. Threads: the operations run on any; the functions below belong to the main
 * thread. Limits: FS_PARKED_MAX operations wait at once (more are answered EAGAIN), a file of text
 * is at most RENDER_BYTES_MAX. */
#pragma once

#include "cache/cache.h"

#include <fuse_lowlevel.h>
#include <sys/types.h>

typedef struct Fs Fs;

/* Copied by fs_new(), strings included. */
typedef struct FsConfig {
    uid_t uid;
    gid_t gid;
    mode_t umask;       /* taken away from 0444 and 0555 */
    gboolean id_names;  /* names=id: bare ids instead of "<id>-<slug>" */
    gboolean read_only; /* the mount is read-only: writes are EROFS */
    gboolean show_attachments;
    gboolean may_delete;     /* things can be removed from the server */
    const char *trash;       /* where they are copied first; NULL: nothing can be removed */
    gint64 save_wait_ms;     /* how long close(2) waits for the server */
    gint64 timeout_ms;       /* no operation waits longer */
    const char *mount_point; /* for texts: README.md, status.json; may be NULL */
    const char *source;      /* likewise: "https://host", "demo"; never a token */
    gint64 started_ms;       /* clock_wall_ms() of the start, for status.json */
} FsConfig;

/* `cache` is borrowed and must outlive the Fs. */
Fs *fs_new(const FsConfig *config, Cache *cache);

/* Starts the threads of parked operations and of notices to the kernel. ERR_LOCAL. */
gboolean fs_start(Fs *fs, struct fuse_session *session, GError **error);

/* Answers every parked operation with EINTR and ends the threads. Harmless when not started, or
 * twice. */
void fs_stop(Fs *fs);

void fs_free(Fs *fs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fs, fs_free)

/* The table for fuse_session_new(), whose userdata is the Fs. Static. */
const struct fuse_lowlevel_ops *ops_table(void);

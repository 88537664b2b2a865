/* options: everything that a mount was asked for, as one struct that does not change afterwards.
 *
 * Order of precedence: the defaults, options= of the configuration's section, the command line; the
 * last one wins. The words that mount(8) passes on from fstab are understood: those of the kernel
 * (nodev, noatime, ...) are handed to it, those of mount itself (noauto, _netdev, x-*, ...) mean
 * nothing here. A word that nobody knows is an error that names the nearest known one. Threads:
 * main, at start. Errors: ERR_INVALID. Limits: OPTIONS_PROJECTS_MAX. */
#pragma once

#include "fs/config.h"
#include "fs/location.h"

#include <sys/types.h>

#define OPTIONS_PROJECTS_MAX 1000

typedef struct Options {
    Location *location;
    char *mount_point; /* as given, absolute */
    gboolean foreground, debug_fuse, fake;
    gboolean read_only;
    gboolean may_delete; /* things can be removed from the server */
    gint64 save_wait_ms; /* how long a close(2) waits for the server's answer */

    gint64 *project_ids;
    guint n_project_ids;
    gint64 ttl_ms, poll_ms, timeout_ms;
    gboolean id_names;
    gint64 attachment_limit_bytes; /* 0: not shown */
    char *cache_dir;               /* absolute; NULL: the user's */
    gboolean allow_other, nonempty;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    guint debug_modules;
    char *token_file, *token_command; /* at most one is set */
    char *kernel_options;             /* "nosuid,nodev,..." for the kernel, may be empty */
} Options;

/* argv[0] is the program; called as mount.fuse.trackerfs, the flags of mount(8)'s helpers are
 * understood too. */
Options *options_parse(int argc, char **argv, const Config *config, GError **error);
void options_free(Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

/* TRUE when the arguments ask for help rather than for a mount. */
gboolean options_want_help(int argc, char **argv);

/* The one of `words` (NULL-terminated) that `word` may be a misspelling of, or NULL. */
const char *options_nearest(const char *word, const char *const *words);

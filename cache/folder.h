/* folder: a folder of ours on disk that one process at a time may use.
 *
 * Private (0700), with a file `lock` in it that is held while the folder is in use. When the wanted
 * folder is in use, a numbered one beside it is taken ("NAME-2" to "NAME-9"): two mounts of one
 * source do not share files. Threads: any; blocks on disk, and for a moment on a process that is
 * just ending. Errors: ERR_LOCAL, ERR_NO_SPACE. */
#pragma once

#include <glib.h>

#define FOLDER_COPIES_MAX 9

/* The path (the caller's) and the descriptor that holds the lock. `what` for messages: "the cache
 * folder". */
char *folder_take(const char *wanted, const char *what, int *ret_fd, GError **error);

/* One folder of the row, `copy` from 1. 1: taken, 0: in use, or (with `existing_only`) not there;
 * -1: failed. */
int folder_take_copy(const char *wanted, guint copy, gboolean existing_only, const char *what,
                     char **ret_path, int *ret_fd, GError **error);

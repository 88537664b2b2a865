/* A lock file and flock(2): the kernel lets go of it however the process ends. */
#include "cache/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/base/err.h"

/* A mount that was just ended still holds its folder for a moment; who mounts again wants that
 * folder. */
#define PATIENCE_MS 2000
#define RETRY_US 20000

static void
set_folder_error(GError **error, int code, const char *what, const char *path)
{
    g_set_error(error, ERR, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                "%s %s: %s", what, path, g_strerror(code));
}

static int
lock_folder(const char *path, const char *what, int *ret_fd, GError **error)
{
    g_autofree char *lock_path = g_build_filename(path, "lock", NULL);
    if (g_mkdir_with_parents(path, 0700) != 0) {
        set_folder_error(error, errno, what, path);
        return -1;
    }
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        set_folder_error(error, errno, what, lock_path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return 1;
    }
    int code = errno;
    (void)close(fd);
    if (code == EWOULDBLOCK) {
        return 0;
    }
    set_folder_error(error, code, what, lock_path);
    return -1;
}

int
folder_take_copy(const char *wanted, guint copy, gboolean existing_only, const char *what,
                 char **ret_path, int *ret_fd, GError **error)
{
    g_autofree char *path = copy == 1 ? g_strdup(wanted) : g_strdup_printf("%s-%u", wanted, copy);
    if (existing_only && !g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return 0;
    }
    gint64 until_us = g_get_monotonic_time() + PATIENCE_MS * 1000;
    int locked = lock_folder(path, what, ret_fd, error);
    while (locked == 0 && copy == 1 && g_get_monotonic_time() < until_us) {
        g_usleep(RETRY_US);
        locked = lock_folder(path, what, ret_fd, error);
    }
    if (locked > 0) {
        *ret_path = g_steal_pointer(&path);
    }
    return locked;
}

char *
folder_take(const char *wanted, const char *what, int *ret_fd, GError **error)
{
    for (guint copy = 1; copy <= FOLDER_COPIES_MAX; copy++) {
        char *path = NULL;
        int locked = folder_take_copy(wanted, copy, FALSE, what, &path, ret_fd, error);
        if (locked != 0) {
            return path;
        }
    }
    g_set_error(error, ERR, ERR_LOCAL, "%s %s is in use %d times already", what, wanted,
                FOLDER_COPIES_MAX);
    return NULL;
}

/* Folders and files of ours are private: 0700 and 0600. */
#include "fs/instance.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READABLE_MAX 40
#define HASH_DIGITS 12
#define POLL_US (10 * 1000)

static gboolean
make_folder(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0 && access(path, W_OK | X_OK) == 0) {
        return TRUE;
    }
    int code = errno;
    g_set_error(error, ERR, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                "cannot keep data in %s: %s (-o cache_dir=FOLDER names another place)", path,
                g_strerror(code));
    return FALSE;
}

/* "https://tracker.example.com" becomes "tracker.example.com", "/home/ada/work.db" "work.db". */
static char *
readable(const char *label)
{
    const char *slashes = strstr(label, "://");
    g_autofree char *base =
        slashes ? g_strndup(slashes + 3, strcspn(slashes + 3, "/")) : g_path_get_basename(label);
    char *name = g_strndup(base, READABLE_MAX);
    for (char *at = name; *at; at++) {
        if (!g_ascii_isalnum(*at) && !strchr("._-", *at)) {
            *at = '_';
        }
    }
    if (*name == '.' || *name == '-') {
        *name = '_';
    }
    return name;
}

static char *
folder_below(const char *root, const char *label, const char *identity)
{
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    hash[HASH_DIGITS] = '\0';
    g_autofree char *name = readable(label);
    return g_strdup_printf("%s/%s-%s", root, name, hash);
}

char *
instance_cache_directory(const char *base, const char *label, const char *identity, GError **error)
{
    g_autofree char *root =
        base ? g_strdup(base) : g_build_filename(g_get_user_cache_dir(), "trackerfs", NULL);
    g_autofree char *folder = folder_below(root, label, identity);
    return make_folder(folder, error) ? g_steal_pointer(&folder) : NULL;
}

char *
instance_state_directory(const char *label, const char *identity, GError **error)
{
    g_autofree char *root = g_build_filename(g_get_user_state_dir(), "trackerfs", NULL);
    g_autofree char *folder = folder_below(root, label, identity);
    return make_folder(folder, error) ? g_steal_pointer(&folder) : NULL;
}

char *
instance_trash_directory(const char *label, const char *identity)
{
    g_autofree char *root = g_build_filename(g_get_user_data_dir(), "trackerfs", "trash", NULL);
    return folder_below(root, label, identity);
}

static char *
file_of(const char *mount_point)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *folder =
        runtime && *runtime == '/'
            ? g_build_filename(runtime, "trackerfs", NULL)
            : g_build_filename(g_get_user_cache_dir(), "trackerfs", "run", NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, mount_point, -1);
    hash[HASH_DIGITS] = '\0';
    return make_folder(folder, NULL) ? g_build_filename(folder, hash, NULL) : NULL;
}

void
instance_announce(const char *mount_point)
{
    g_autofree char *path = file_of(mount_point);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd < 0) {
        return;
    }
    /* An instance that was unmounted lazily may still have it: then this one cannot be waited for.
     */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || ftruncate(fd, 0) != 0) {
        (void)close(fd);
    }
}

void
instance_tell_remaining(const char *mount_point, guint n)
{
    g_autofree char *path = file_of(mount_point);
    const int fd = path ? open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd >= 0) {
        (void)dprintf(fd, "%u\n", n);
        (void)close(fd);
    }
}

guint
instance_remaining(const char *mount_point)
{
    g_autofree char *path = file_of(mount_point);
    g_autofree char *text = NULL;
    guint64 n = 0;
    if (!path || !g_file_get_contents(path, &text, NULL, NULL) ||
        !g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT, &n, NULL)) {
        return 0;
    }
    return (guint)n;
}

gboolean
instance_wait_gone(const char *mount_point, gint64 limit_ms)
{
    g_autofree char *path = file_of(mount_point);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) {
        return TRUE;
    }
    gint64 deadline_ms = clock_monotonic_ms() + limit_ms;
    gboolean gone = FALSE;
    while (!(gone = flock(fd, LOCK_EX | LOCK_NB) == 0) && clock_monotonic_ms() < deadline_ms) {
        g_usleep(POLL_US);
    }
    (void)close(fd);
    return gone;
}

int
instance_open_log(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "log", NULL);
    struct stat status;
    if (stat(path, &status) == 0 && status.st_size > INSTANCE_LOG_BYTES) {
        g_autofree char *aside = g_strconcat(path, ".1", NULL);
        (void)g_rename(path, aside);
    }
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

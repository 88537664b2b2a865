/* The kernel's own list of mounts is the truth: asking the path itself would ask its daemon. */
#include "fs/mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/base/err.h"

#define OUR_TYPE "fuse.trackerfs"
#define USERS_MAX 3

void
mount_free(Mount *mount)
{
    if (mount) {
        g_free(mount->path);
        g_free(mount->type);
        g_free(mount->source);
        g_free(mount);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mount, mount_free)

/* A line is "id parent major:minor root MOUNTPOINT options [tags...] - TYPE SOURCE ...", with \ooo
 * escapes. */
static Mount *
parse_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    guint n = g_strv_length(words);
    for (guint i = 6; i + 2 < n; i++) {
        if (g_str_equal(words[i], "-")) {
            Mount *mount = g_new0(Mount, 1);
            mount->path = g_strcompress(words[4]);
            mount->type = g_strcompress(words[i + 1]);
            mount->source = g_strcompress(words[i + 2]);
            return mount;
        }
    }
    return NULL;
}

static GPtrArray *
list_mounts(void)
{
    GPtrArray *mounts = g_ptr_array_new_with_free_func((GDestroyNotify)mount_free);
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
        return mounts;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        Mount *mount = parse_line(*line);
        if (mount) {
            g_ptr_array_add(mounts, mount);
        }
    }
    return mounts;
}

GPtrArray *
mountpoint_list_ours(void)
{
    GPtrArray *mounts = list_mounts();
    for (guint i = mounts->len; i > 0; i--) {
        if (!g_str_equal(((const Mount *)mounts->pdata[i - 1])->type, OUR_TYPE)) {
            (void)g_ptr_array_remove_index(mounts, i - 1);
        }
    }
    return mounts;
}

Mount *
mountpoint_find(const char *path)
{
    g_autoptr(GPtrArray) mounts = list_mounts();
    for (guint i = mounts->len; i > 0; i--) {
        if (g_str_equal(((const Mount *)mounts->pdata[i - 1])->path, path)) {
            return g_ptr_array_steal_index(mounts, i - 1);
        }
    }
    return NULL;
}

/* realpath() without touching the last component, whose daemon may be dead. */
static char *
resolve_parent(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    char real[PATH_MAX];
    if (g_str_equal(name, "/") || !realpath(folder, real)) {
        return g_strdup(path);
    }
    return g_build_filename(real, name, NULL);
}

static gboolean
is_empty(const char *path)
{
    DIR *folder = opendir(path);
    gboolean empty = TRUE;
    for (const struct dirent *entry; folder && empty && (entry = readdir(folder));) {
        empty = g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, "..");
    }
    if (folder) {
        (void)closedir(folder);
    }
    return empty;
}

static gboolean
refuse_mounted(const Mount *there, GError **error)
{
    if (g_str_equal(there->type, OUR_TYPE)) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s is mounted already, from %s (trackerfs umount %s ends it)", there->path,
                    there->source, there->path);
    } else {
        g_set_error(error, ERR, ERR_INVALID, "%s is in use: a %s is mounted there", there->path,
                    there->type);
    }
    return FALSE;
}

static gboolean
check_folder(const char *path, gboolean nonempty, GError **error)
{
    g_autoptr(Mount) there = NULL;
    struct stat info;
    if (stat(path, &info) != 0) {
        g_set_error(error, ERR, ERR_INVALID, "the mount point %s: %s%s", path, g_strerror(errno),
                    errno == ENOENT ? " (make it first: mkdir)" : "");
        return FALSE;
    }
    if (!S_ISDIR(info.st_mode)) {
        g_set_error(error, ERR, ERR_INVALID, "the mount point %s is not a folder", path);
        return FALSE;
    }
    there = mountpoint_find(path);
    if (there) {
        return refuse_mounted(there, error);
    }
    if (!nonempty && !is_empty(path)) {
        g_set_error(error, ERR, ERR_INVALID,
                    "the mount point %s is not empty; its files would be hidden (-o nonempty "
                    "mounts all the same)",
                    path);
        return FALSE;
    }
    return TRUE;
}

char *
mountpoint_prepare(const char *path, gboolean nonempty, gboolean *ret_healed, GError **error)
{
    struct stat info;
    char real[PATH_MAX];
    *ret_healed = FALSE;
    if (stat(path, &info) != 0 && errno == ENOTCONN) {
        g_autofree char *dead = resolve_parent(path);
        if (!mountpoint_unmount(dead, TRUE, error)) {
            g_prefix_error(error, "a mount without a daemon is left at %s: ", dead);
            return NULL;
        }
        *ret_healed = TRUE;
    }
    if (!realpath(path, real)) {
        (void)g_strlcpy(real, path, sizeof real);
    }
    return check_folder(real, nonempty, error) ? g_strdup(real) : NULL;
}

gboolean
mountpoint_unmount(const char *path, gboolean lazy, GError **error)
{
    if (umount2(path, lazy ? MNT_DETACH : 0) == 0) {
        return TRUE;
    }
    int code = errno;
    if (code == EPERM) {
        const char *const argv[] = {"fusermount3", lazy ? "-uz" : "-u", "--", path, NULL};
        int status = 0;
        g_autofree char *said = NULL;
        g_autoptr(GError) cause = NULL;
        if (!g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                          NULL, &said, &status, &cause)) {
            g_set_error(error, ERR, ERR_LOCAL, "%s", cause->message);
            return FALSE;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            return TRUE;
        }
        g_set_error(error, ERR, strstr(said, "busy") ? ERR_CONFLICT : ERR_LOCAL, "%s",
                    g_strstrip(said));
        return FALSE;
    }
    g_set_error(error, ERR, code == EBUSY ? ERR_CONFLICT : ERR_LOCAL, "%s: %s", path,
                g_strerror(code));
    return FALSE;
}

/* Whether the link `name` of a process (cwd, root, or a descriptor) leads below `path`. */
static gboolean
leads_below(const char *link, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0) {
        return FALSE;
    }
    target[length] = '\0';
    gsize n = strlen(path);
    return strncmp(target, path, n) == 0 && (target[n] == '/' || target[n] == '\0');
}

static gboolean
process_uses(const char *pid, const char *path)
{
    g_autofree char *cwd = g_strdup_printf("/proc/%s/cwd", pid);
    g_autofree char *descriptors = g_strdup_printf("/proc/%s/fd", pid);
    gboolean uses = leads_below(cwd, path);
    g_autoptr(GDir) folder = g_dir_open(descriptors, 0, NULL);
    for (const char *name; folder && !uses && (name = g_dir_read_name(folder));) {
        g_autofree char *link = g_build_filename(descriptors, name, NULL);
        uses = leads_below(link, path);
    }
    return uses;
}

char *
mountpoint_users(const char *path)
{
    g_autoptr(GString) users = g_string_new(NULL);
    g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
    guint n = 0;
    for (const char *pid; processes && n < USERS_MAX && (pid = g_dir_read_name(processes));) {
        if (!g_ascii_isdigit(*pid) || !process_uses(pid, path)) {
            continue;
        }
        g_autofree char *comm = g_strdup_printf("/proc/%s/comm", pid);
        g_autofree char *name = NULL;
        (void)g_file_get_contents(comm, &name, NULL, NULL);
        g_string_append_printf(users, "%s%s (%s)", n++ ? ", " : "", pid,
                               name ? g_strstrip(name) : "?");
    }
    return n ? g_string_free(g_steal_pointer(&users), FALSE) : NULL;
}

/* The table of mounts is /proc/self/mountinfo. A child that asks a mounted root may hang in the
 * kernel and cannot be waited for: it is killed and left to init. */
#include "fs/mountpoint.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES_MAX ((gsize)16 * 1024 * 1024)
#define HOLDERS_SHOWN 3

/* The table */

static void
mount_free(gpointer data)
{
    Mount *mount = data;
    g_free(mount->path);
    g_free(mount->type);
    g_free(mount->source);
    g_free(mount);
}

/* The kernel writes blanks and backslashes as "\040". */
static char *
unescape(const char *text)
{
    GString *plain = g_string_new(NULL);
    for (const char *at = text; *at; at++) {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
            at[3] >= '0' && at[3] <= '7') {
            g_string_append_c(plain,
                              (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0')));
            at += 3;
        } else {
            g_string_append_c(plain, *at);
        }
    }
    return g_string_free(plain, FALSE);
}

/* "36 35 98:0 /root /path options optional... - type source super": see proc(5). */
static void
add_line(GPtrArray *mounts, const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    guint n = g_strv_length(fields);
    guint dash = 6;
    while (dash < n && !g_str_equal(fields[dash], "-")) {
        dash++;
    }
    if (dash + 2 >= n) {
        return;
    }
    Mount *mount = g_new0(Mount, 1);
    mount->path = unescape(fields[4]);
    mount->type = unescape(fields[dash + 1]);
    mount->source = unescape(fields[dash + 2]);
    g_ptr_array_add(mounts, mount);
}

GPtrArray *
mountpoint_list(GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, &cause)) {
        g_set_error(error, ERR, ERR_LOCAL, "cannot read which mounts there are: %s",
                    cause->message);
        return NULL;
    }
    GPtrArray *mounts = g_ptr_array_new_with_free_func(mount_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        add_line(mounts, *line);
    }
    return mounts;
}

const Mount *
mountpoint_find(const GPtrArray *mounts, const char *path)
{
    for (guint i = mounts->len; i > 0; i--) {
        const Mount *mount = g_ptr_array_index(mounts, i - 1);
        if (g_str_equal(mount->path, path)) {
            return mount;
        }
    }
    return NULL;
}

char *
mountpoint_resolve(const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *parent = g_path_get_dirname(absolute);
    g_autofree char *name = g_path_get_basename(absolute);
    char *real_parent = realpath(parent, NULL);
    g_autofree char *candidate = g_build_filename(real_parent ? real_parent : parent, name, NULL);
    free(real_parent);

    g_autoptr(GPtrArray) mounts = mountpoint_list(NULL);
    if (mounts && mountpoint_find(mounts, candidate)) {
        return g_steal_pointer(&candidate);
    }
    char *real = realpath(candidate, NULL);
    if (!real) {
        return g_steal_pointer(&candidate);
    }
    char *resolved = g_strdup(real);
    free(real);
    return resolved;
}

/* Asking a mounted root */

/* In the child: one byte of verdict, then the text. Only system calls. The child may hang for as
 * long as the mount does, SIGKILL or not, so it keeps nothing open that somebody waits for the end
 * of. */
static _Noreturn void
child_read(const char *path, int pipe_end)
{
    const int out = dup2(pipe_end, STDIN_FILENO);
    closefrom(STDIN_FILENO + 1);
    char buffer[4096];
    char verdict = 'a';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    struct statfs room; /* which the kernel never answers from memory, as it may all the rest */
    if (fd < 0 || fstat(fd, &status) != 0 || fstatfs(fd, &room) != 0) {
        verdict = errno == ENOTCONN || errno == ECONNABORTED ? 'd' : 'n';
    }
    ssize_t done = write(out, &verdict, 1);
    while (verdict == 'a' && done > 0) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        done = got > 0 ? write(out, buffer, (size_t)got) : 0;
    }
    _exit(0);
}

char *
mountpoint_read(const char *path, gint64 limit_ms, MountHealth *ret_health)
{
    int ends[2];
    *ret_health = MOUNT_WEDGED;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        child_read(path, ends[1]);
    }
    (void)close(ends[1]);
    gint64 deadline_ms = clock_monotonic_ms() + limit_ms;
    GString *text = g_string_new(NULL);
    gboolean ended = FALSE;
    while (child > 0 && !ended && text->len < READ_BYTES_MAX) {
        char buffer[4096];
        struct pollfd wait = {.fd = ends[0], .events = POLLIN};
        gint64 left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) <= 0) {
            break;
        }
        ssize_t got = read(ends[0], buffer, sizeof buffer);
        ended = got <= 0;
        g_string_append_len(text, buffer, MAX(got, 0));
    }
    (void)close(ends[0]);
    if (child > 0) {
        if (!ended) {
            (void)kill(child, SIGKILL);
        }
        (void)waitpid(child, NULL, ended ? 0 : WNOHANG);
    }
    char verdict = ended && text->len > 0 ? text->str[0] : 'w';
    *ret_health = verdict == 'w' ? MOUNT_WEDGED : verdict == 'd' ? MOUNT_DEAD : MOUNT_ALIVE;
    g_string_erase(text, 0, text->len > 0 ? 1 : 0);
    return g_string_free(text, verdict != 'a');
}

MountHealth
mountpoint_probe(const char *path)
{
    MountHealth health = MOUNT_WEDGED;
    g_free(mountpoint_read(path, MOUNTPOINT_PROBE_MS, &health));
    return health;
}

/* Who uses it */

static gboolean
is_below(const char *path, const char *root)
{
    gsize length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static gboolean
link_is_below(const char *link, const char *root)
{
    g_autofree char *target = g_file_read_link(link, NULL);
    return target && is_below(target, root);
}

/* Reads links of /proc only: they name a path without touching it. */
static gboolean
process_uses(const char *pid, const char *root)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autofree char *link = g_build_filename("/proc", pid, links[i], NULL);
        if (link_is_below(link, root)) {
            return TRUE;
        }
    }
    g_autofree char *folder = g_build_filename("/proc", pid, "fd", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *link = g_build_filename(folder, name, NULL);
        if (link_is_below(link, root)) {
            return TRUE;
        }
    }
    return FALSE;
}

static char *
describe_holders(const char *root)
{
    GString *text = g_string_new(NULL);
    guint n = 0;
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    for (const char *pid; dir && (pid = g_dir_read_name(dir));) {
        if (!g_ascii_isdigit(*pid) || !process_uses(pid, root) || ++n > HOLDERS_SHOWN) {
            continue;
        }
        g_autofree char *comm_path = g_build_filename("/proc", pid, "comm", NULL);
        g_autofree char *comm = NULL;
        (void)g_file_get_contents(comm_path, &comm, NULL, NULL);
        g_string_append_printf(text, "%s%s (%s)", n > 1 ? ", " : "",
                               comm ? g_strchomp(comm) : "process", pid);
    }
    if (n > HOLDERS_SHOWN) {
        g_string_append_printf(text, " and %u more", n - HOLDERS_SHOWN);
    }
    if (n == 0) {
        g_string_append(text, "a process of another user, or another mount below it");
    }
    return g_string_free(text, FALSE);
}

/* Taking away */

/* An ordinary user may not unmount; fusermount3 may, for the mounts of the user. */
static gboolean
run_fusermount(const char *path, gboolean lazy, char **ret_words, GError **error)
{
    const char *argv[] = {"fusermount3",      "-u", "-q", lazy ? "-z" : "--", lazy ? "--" : path,
                          lazy ? path : NULL, NULL};
    g_autoptr(GError) cause = NULL;
    int status = 0;
    if (!g_spawn_sync(NULL, (char **)(gpointer)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, ret_words,
                      &status, &cause)) {
        g_set_error(error, ERR, ERR_LOCAL,
                    "cannot unmount %s: %s (is the package fuse3 installed?)", path,
                    cause->message);
        return FALSE;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return TRUE;
    }
    errno = strstr(*ret_words, "busy") ? EBUSY : EPERM;
    return FALSE;
}

gboolean
mountpoint_unmount(const char *path, gboolean lazy, GError **error)
{
    g_autofree char *words = NULL;
    gboolean ok = geteuid() == 0 ? umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0
                                 : run_fusermount(path, lazy, &words, error);
    int code = errno;
    if (ok || (error && *error)) {
        return ok;
    }
    if (code == EBUSY) {
        g_autofree char *holders = describe_holders(path);
        g_set_error(error, ERR, ERR_INVALID,
                    "%s is in use by %s; close that, or run: trackerfs umount --lazy %s", path,
                    holders, path);
    } else {
        g_set_error(error, ERR, ERR_INVALID, "cannot unmount %s: %s", path,
                    words && *words ? g_strstrip(words) : g_strerror(code));
    }
    return FALSE;
}

/* Preparing */

static gboolean
heal(const char *path, const Mount *mount, gboolean *ret_healed, GError **error)
{
    MountHealth health =
        g_str_has_prefix(mount->type, "fuse") ? mountpoint_probe(path) : MOUNT_ALIVE;
    gboolean ours = g_str_equal(mount->type, MOUNTPOINT_TYPE);
    switch (health) {
    case MOUNT_DEAD:
        *ret_healed = TRUE;
        return mountpoint_unmount(path, TRUE, error);
    case MOUNT_WEDGED:
        g_set_error(error, ERR, ERR_INVALID,
                    "%s is mounted (%s) and does not answer; run: trackerfs umount --lazy %s", path,
                    mount->source, path);
        return FALSE;
    case MOUNT_ALIVE:
        if (ours) {
            g_set_error(error, ERR, ERR_INVALID,
                        "%s is mounted already (%s); unmount it with: trackerfs umount %s", path,
                        mount->source, path);
        } else {
            g_set_error(error, ERR, ERR_INVALID, "%s is a mount point of %s (%s) already", path,
                        mount->type, mount->source);
        }
        return FALSE;
    }
    return FALSE;
}

static gboolean
check_folder(const char *path, gboolean nonempty, GError **error)
{
    struct stat status;
    g_autofree char *quoted = g_shell_quote(path);
    if (stat(path, &status) != 0) {
        int code = errno;
        if (code == ENOENT) {
            g_set_error(error, ERR, ERR_INVALID,
                        "the mount point %s does not exist; run: mkdir -p %s", path, quoted);
        } else {
            g_set_error(error, ERR, ERR_INVALID, "the mount point %s: %s", path, g_strerror(code));
        }
        return FALSE;
    }
    if (!S_ISDIR(status.st_mode)) {
        g_set_error(error, ERR, ERR_INVALID, "the mount point %s is not a folder", path);
        return FALSE;
    }
    if (nonempty) {
        return TRUE;
    }
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &cause);
    if (!dir) {
        g_set_error(error, ERR, ERR_INVALID, "the mount point %s: %s", path, cause->message);
        return FALSE;
    }
    if (g_dir_read_name(dir)) {
        g_set_error(
            error, ERR, ERR_INVALID,
            "the mount point %s is not empty: its files would be hidden (-o nonempty allows it)",
            path);
        return FALSE;
    }
    return TRUE;
}

char *
mountpoint_prepare(const char *path, gboolean nonempty, gboolean *ret_healed, GError **error)
{
    g_autofree char *resolved = mountpoint_resolve(path);
    /* Several dead ones may lie on top of each other. */
    for (int layer = 0;; layer++) {
        g_autoptr(GPtrArray) mounts = mountpoint_list(error);
        const Mount *mount = mounts ? mountpoint_find(mounts, resolved) : NULL;
        if (!mounts || (mount && layer == 16)) {
            return NULL;
        }
        if (!mount) {
            break;
        }
        if (!heal(resolved, mount, ret_healed, error)) {
            return NULL;
        }
    }
    return check_folder(resolved, nonempty, error) ? g_steal_pointer(&resolved) : NULL;
}

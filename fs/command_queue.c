/* `trackerfs queue`: what the server has not accepted yet, by the files of the mount's
 * .trackerfs/queue. One of them is shown by reading it, tried again by touching it, dropped by
 * removing it; the command is for who does not want to remember that. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/commands.h"
#include "fs/mountpoint.h"

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

static const char usage[] =
    "Show or change what the server has not accepted yet.\n"
    "\n"
    "  trackerfs queue MOUNTPOINT               one line each, the oldest first\n"
    "  trackerfs queue MOUNTPOINT show ID       the edit as JSON, with its texts\n"
    "  trackerfs queue MOUNTPOINT retry [ID]    send it, or all, again now\n"
    "  trackerfs queue MOUNTPOINT drop ID       throw it away\n"
    "\n"
    "States: pending (will be sent), sending, refused and conflict (parked until you\n"
    "save again, retry or drop). MOUNTPOINT/.trackerfs/queue has the same as files.\n"
    "\n"
    "Exit status: 0 done, 1 wrong usage, 2 no such edit, or it is being sent, 3 nothing\n"
    "is mounted there.\n";

static char *
find_file(const char *folder, const char *id)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *prefix = g_strconcat(id, "-", NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (g_str_has_prefix(name, prefix)) {
            return g_build_filename(folder, name, NULL);
        }
    }
    return NULL;
}

/* Does `use` with the file of an edit. Its name has the edit's state, which may have changed since
 * the folder was listed: then it is looked for again. `name`: as listed, or NULL. FALSE: as `use`,
 * with its errno; ENOENT also when the edit is gone. */
#define N_TRIES 10
static gboolean
with_file(const char *folder, const char *id, const char *name,
          gboolean (*use)(const char *path, gpointer user), gpointer user)
{
    gboolean is_used = FALSE;
    errno = ENOENT;
    for (guint i = 0; !is_used && errno == ENOENT && i < N_TRIES; i++) {
        g_autofree char *path =
            name && i == 0 ? g_build_filename(folder, name, NULL) : find_file(folder, id);
        errno = ENOENT;
        if (!path) {
            return FALSE;
        }
        is_used = use(path, user);
    }
    return is_used;
}

static gboolean
read_file(const char *path, gpointer user)
{
    g_autoptr(GError) error = NULL;
    if (g_file_get_contents(path, user, NULL, &error)) {
        return TRUE;
    }
    errno = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? ENOENT : EIO;
    return FALSE;
}

static gboolean
touch_file(const char *path, gpointer user G_GNUC_UNUSED)
{
    return utimensat(AT_FDCWD, path, NULL, 0) == 0;
}

static gboolean
remove_file(const char *path, gpointer user G_GNUC_UNUSED)
{
    return g_unlink(path) == 0;
}

static int
compare_numbers(gconstpointer left, gconstpointer right)
{
    const gint64 a = g_ascii_strtoll(*(const char *const *)left, NULL, 10);
    const gint64 b = g_ascii_strtoll(*(const char *const *)right, NULL, 10);
    return (a > b) - (a < b);
}

/* The first line of an error, which may begin by saying what it is about. */
static char *
why_in_a_line(const char *what, const char *error)
{
    const gsize length = strlen(what);
    if (g_str_has_prefix(error, what) && g_str_has_prefix(error + length, ": ")) {
        error += length + 2;
    }
    return g_strndup(error, strcspn(error, "\n"));
}

static int
list(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_numbers);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *id = g_strndup(names->pdata[i], strcspn(names->pdata[i], "-"));
        g_autofree char *text = NULL;
        (void)with_file(folder, id, names->pdata[i], read_file, &text);
        g_autoptr(Json) edit = text ? json_loads(text, 0, NULL) : NULL;
        const char *what = json_string_value(json_object_get(edit, "what"));
        const char *state = json_string_value(json_object_get(edit, "state"));
        const char *error = json_string_value(json_object_get(edit, "error"));
        g_autofree char *why = why_in_a_line(what ? what : "", error ? error : "");
        if (edit) { /* else it was accepted meanwhile */
            (void)printf("%s  %-8s  %s%s%s\n", id, state ? state : "", what ? what : "",
                         *why ? ": " : "", why);
        }
    }
    if (names->len == 0) {
        (void)puts("the server has accepted everything");
    }
    return STATUS_OK;
}

static int
show(const char *folder, const char *id)
{
    g_autofree char *text = NULL;
    if (!with_file(folder, id, NULL, read_file, &text)) {
        return command_fail(STATUS_SOURCE, NULL, "edit %s: %s", id, g_strerror(errno));
    }
    (void)fputs(text, stdout);
    return STATUS_OK;
}

static int
change(const char *action, const char *folder, const char *id)
{
    const gboolean is_done =
        !id ? touch_file(folder, NULL)
            : with_file(folder, id, NULL, g_str_equal(action, "drop") ? remove_file : touch_file,
                        NULL);
    if (!is_done) {
        return command_fail(STATUS_SOURCE, NULL, "%s %s: %s", action, id ? id : "all",
                            errno == ESTALE ? "it is being sent at this moment"
                                            : g_strerror(errno));
    }
    return STATUS_OK;
}

static int
run(const char *word, const char *action, const char *id)
{
    g_autofree char *mount = mountpoint_resolve(word);
    g_autofree char *folder = g_build_filename(mount, ".trackerfs", "queue", NULL);
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        return command_fail(STATUS_MOUNT, NULL, "no tracker is mounted at %s", mount);
    }
    if (!action) {
        return list(folder);
    }
    if (!id) {
        return g_str_equal(action, "retry")
                   ? change(action, folder, NULL)
                   : command_fail(STATUS_USAGE, "see trackerfs queue --help", "%s which ID?",
                                  action);
    }
    g_autofree char *path = find_file(folder, id);
    if (!path) {
        return command_fail(STATUS_SOURCE, NULL, "there is no edit %s in the queue", id);
    }
    return g_str_equal(action, "show") ? show(folder, id) : change(action, folder, id);
}

int
command_queue(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
        }
    }
    const char *action = argc > 2 ? argv[2] : NULL;
    if (argc < 2 || argc > 4 ||
        (action && !g_str_equal(action, "show") && !g_str_equal(action, "retry") &&
         !g_str_equal(action, "drop"))) {
        return command_fail(STATUS_USAGE, "see trackerfs queue --help",
                            "trackerfs queue MOUNTPOINT [show ID | retry [ID] | drop ID]");
    }
    return run(argv[1], action, argc > 3 ? argv[3] : NULL);
}

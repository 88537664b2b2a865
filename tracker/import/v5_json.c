/* v5_json: finds the files, reads one after the other into the stage, then writes everything in one
 * transaction.
 *
 * Folders are walked in order of name, so that the same folder gives the same database; links to
 * folders are not followed (no loops), and what is no regular file is not opened for reading (a
 * pipe would wait for ever). */
#include "tracker/import/v5_json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "tracker/db.h"
#include "tracker/import/v5_build.h"
#include "tracker/import/v5_stage.h"

#define MAX_FOLDER_DEPTH 64
#define MAX_FILES 1000000

typedef struct Found {
    char *path;
    gint64 bytes;
} Found;

static void
found_clear(gpointer data)
{
    g_free(((Found *)data)->path);
}

static gboolean
refuse(GError **error, const char *path, const char *why)
{
    g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, "%s: %s", path, why);
    return FALSE;
}

/* ---- finding ---- */

static gboolean add_path(GArray *files, const char *path, guint depth, GError **error);

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
add_folder(GArray *files, const char *path, guint depth, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &cause);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (dir == NULL) {
        return refuse(error, path, cause->message);
    }
    if (depth > MAX_FOLDER_DEPTH) {
        return refuse(error, path, "folders nest too deep");
    }
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *inner = g_build_filename(path, names->pdata[i], NULL);
        struct stat st;
        if (lstat(inner, &st) != 0) {
            return refuse(error, inner, g_strerror(errno));
        }
        gboolean is_json = g_str_has_suffix(inner, ".json") && !S_ISLNK(st.st_mode);
        if ((S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_json)) &&
            !add_path(files, inner, depth + 1, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
add_path(GArray *files, const char *path, guint depth, GError **error)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return refuse(error, path, g_strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        return add_folder(files, path, depth, error);
    }
    if (!S_ISREG(st.st_mode)) {
        return refuse(error, path, "neither a file nor a folder");
    }
    if (st.st_size > V5_MAX_FILE_BYTES) {
        return refuse(error, path, "more than 512 MiB: split it");
    }
    if (files->len >= MAX_FILES) {
        return refuse(error, path, "too many files");
    }
    Found found = {.path = g_strdup(path), .bytes = (gint64)st.st_size};
    g_array_append_val(files, found);
    return TRUE;
}

/* ---- reading ---- */

static char *
read_file(const Found *found, gsize *ret_bytes, GError **error)
{
    int fd = open(found->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    gsize capacity = (gsize)found->bytes + 1;
    g_autofree char *text = fd >= 0 ? g_try_malloc(capacity) : NULL;
    gsize bytes = 0;
    gssize got = -1;
    if (fd >= 0 && text == NULL) {
        errno = ENOMEM;
    }
    /* A file that grows meanwhile is cut at the size that was checked. */
    while (text != NULL && bytes < (gsize)found->bytes &&
           (got = read(fd, text + bytes, (gsize)found->bytes - bytes)) > 0) {
        bytes += (gsize)got;
    }
    int cause = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (text == NULL || (got < 0 && bytes < (gsize)found->bytes)) {
        (void)refuse(error, found->path, g_strerror(cause));
        return NULL;
    }
    *ret_bytes = bytes;
    return g_steal_pointer(&text);
}

static gboolean
take_file(Stage *stage, const Found *found, GError **error)
{
    gsize bytes = 0;
    g_autofree char *text = read_file(found, &bytes, error);
    if (text == NULL) {
        return FALSE;
    }
    gsize skip = bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    json_error_t problem;
    json_t *root =
        json_loadb(text + skip, bytes - skip, JSON_ALLOW_NUL | JSON_DECODE_ANY, &problem);
    if (root == NULL) {
        g_autofree char *valid = g_utf8_make_valid(problem.text, -1);
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT,
                    "%s: line %d, column %d: not JSON: %s", found->path, problem.line,
                    problem.column, valid);
        return FALSE;
    }
    stage_take(stage, root, (V5Context){.is_project_order = TRUE});
    json_decref(root);
    return stage_check(stage, error);
}

static gboolean
take_files(Stage *stage, const GArray *files, V5ImportProgressFn progress, gpointer user,
           GError **error)
{
    V5ImportProgress state = {.path = NULL};
    for (guint i = 0; i < files->len; i++) {
        state.total += (guint64)g_array_index(files, Found, i).bytes;
    }
    for (guint i = 0; i < files->len; i++) {
        const Found *found = &g_array_index(files, Found, i);
        state.path = found->path;
        if (progress != NULL) {
            progress(&state, user);
        }
        if (!take_file(stage, found, error)) {
            return FALSE;
        }
        state.done += (guint64)found->bytes;
    }
    return TRUE;
}

/* ---- the report ---- */

static void
count_clear(gpointer data)
{
    g_free(((V5ImportCount *)data)->kind);
}

void
v5_import_report_clear(V5ImportReport *report)
{
    if (report->counts != NULL) {
        g_array_unref(report->counts);
    }
    *report = (V5ImportReport){.counts = NULL};
}

static gint
compare_counts(gconstpointer a, gconstpointer b)
{
    const V5ImportCount *left = a;
    const V5ImportCount *right = b;
    return left->unknown != right->unknown ? left->unknown - right->unknown
                                           : strcmp(left->kind, right->kind);
}

static void
fill_report(Stage *stage, V5ImportReport *report)
{
    GHashTableIter iter;
    gpointer name, count;
    report->counts = g_array_new(FALSE, FALSE, sizeof(V5ImportCount));
    g_array_set_clear_func(report->counts, count_clear);
    for (int kind = V5_UNKNOWN + 1; kind < V5_KINDS; kind++) {
        V5ImportCount entry = {.kind = g_strdup(v5_kind_name((V5Kind)kind)),
                               .resources = stage_count(stage, (V5Kind)kind)};
        if (entry.resources > 0) {
            g_array_append_val(report->counts, entry);
        } else {
            g_free(entry.kind);
        }
    }
    g_hash_table_iter_init(&iter, stage_unknown(stage));
    while (g_hash_table_iter_next(&iter, &name, &count)) {
        V5ImportCount entry = {
            .kind = g_strdup(name), .resources = GPOINTER_TO_UINT(count), .unknown = TRUE};
        g_array_append_val(report->counts, entry);
    }
    g_array_sort(report->counts, compare_counts);
}

gboolean
tracker_import_v5_json(Tracker *tracker, const char *const *paths, gsize n_paths,
                       V5ImportProgressFn progress, gpointer user, V5ImportReport *ret_report,
                       GError **error)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(Found));
    g_array_set_clear_func(files, found_clear);
    for (gsize i = 0; i < n_paths; i++) {
        if (!add_path(files, paths[i], 0, error)) {
            return FALSE;
        }
    }
    if (files->len == 0) {
        return refuse(error, n_paths > 0 ? paths[0] : "import", "no .json file in there");
    }
    g_autoptr(Stage) stage = stage_new(error);
    if (stage == NULL || !take_files(stage, files, progress, user, error)) {
        return FALSE;
    }
    g_autoptr(DbConn) conn = db_take(tracker_db(tracker), error);
    if (conn == NULL || !db_begin(conn, DB_WRITE, error)) {
        return FALSE;
    }
    g_auto(V5ImportReport) report = {.files = files->len};
    v5_build(stage, conn, tracker_now_ms(tracker), progress, user, &report);
    if (!stage_check(stage, error) || !db_check(conn, error) || !db_commit(conn, error)) {
        return FALSE;
    }
    if (ret_report != NULL) {
        fill_report(stage, &report);
        *ret_report = report;
        report = (V5ImportReport){.counts = NULL};
    }
    return TRUE;
}

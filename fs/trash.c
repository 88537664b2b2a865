/* Names sort by age, so that age is compared as text. A copy is walked without following links and
 * without leaving its file system. */
#include "fs/trash.h"

#include "cache/base/log.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHAPE "00000000T000000-" /* a 0 is a digit */
#define TIME_LENGTH (sizeof(SHAPE) - 2)
#define HOUR_MS ((gint64)60 * 60 * 1000)

char *
trash_time(gint64 wall_ms)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(wall_ms / 1000);
    return g_date_time_format(time, "%Y%m%dT%H%M%S");
}

static gboolean
is_copy(const char *name)
{
    for (gsize i = 0; SHAPE[i]; i++) {
        if (SHAPE[i] == '0' ? !g_ascii_isdigit(name[i]) : name[i] != SHAPE[i]) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
remove_entry(const FTSENT *entry)
{
    const int removed =
        entry->fts_info == FTS_DP ? rmdir(entry->fts_accpath) : unlink(entry->fts_accpath);
    return removed == 0 || errno == ENOENT;
}

/* The bytes of all files; with `drop` of those that could not be removed. */
static gint64
walk(const char *copy, gboolean drop)
{
    char *const paths[] = {(char *)(guintptr)copy, NULL};
    gint64 bytes = 0;
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    for (FTSENT *entry; walk && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_D || (drop && remove_entry(entry))) {
            continue;
        }
        if (drop) {
            log_warning("trash: %s: %s", entry->fts_path, g_strerror(errno));
        }
        bytes += entry->fts_info == FTS_F ? entry->fts_statp->st_size : 0;
    }
    if (walk) {
        (void)fts_close(walk);
    }
    return bytes;
}

gint64
trash_measure(const char *copy)
{
    return walk(copy, FALSE);
}

void
trash_drop(const char *copy)
{
    (void)walk(copy, TRUE);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the copies, oldest first. */
static GPtrArray *
list_copies(const char *trash)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(trash, 0, NULL);
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        if (is_copy(name)) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

static gboolean
is_before(const char *name, const char *time)
{
    return strncmp(name, time, TIME_LENGTH) < 0;
}

gint64
trash_prune(const char *trash, gint64 wall_ms)
{
    g_autofree char *too_old = trash_time(wall_ms - TRASH_KEEP_DAYS * 24 * HOUR_MS);
    g_autofree char *sure = trash_time(wall_ms - TRASH_SURE_HOURS * HOUR_MS);
    g_autoptr(GPtrArray) names = list_copies(trash);
    g_autofree gint64 *sizes = g_new(gint64, names->len + 1);
    gint64 bytes = 0;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *copy = g_build_filename(trash, names->pdata[i], NULL);
        sizes[i] = walk(copy, is_before(names->pdata[i], too_old));
        bytes += sizes[i];
    }
    for (guint i = 0; i < names->len && bytes > TRASH_MAX_BYTES; i++) {
        if (sizes[i] > 0 && is_before(names->pdata[i], sure)) {
            g_autofree char *copy = g_build_filename(trash, names->pdata[i], NULL);
            bytes += walk(copy, TRUE) - sizes[i];
        }
    }
    return bytes;
}

/* One table, one row an edit, replaced as it goes on. Trees are stored as JSON text. */
#include "cache/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "cache/base/crash.h"
#include "cache/base/err.h"
#include "cache/base/log.h"
#include "cache/folder.h"

#define JOURNAL_APPLICATION_ID 0x7466736a /* "tfsj" */
#define JOURNAL_VERSION 1
#define BUSY_TIMEOUT_MS 10000

struct Journal {
    char *directory, *spool; /* const after open, like lock_fd */
    int lock_fd;
    sqlite3 *db;
    sqlite3_stmt *put, *remove;
};

static const char schema[] =
    "CREATE TABLE edit(number INTEGER PRIMARY KEY, verb INTEGER, object INTEGER, owner INTEGER,"
    " project_id INTEGER, owner_id INTEGER, id INTEGER, changes TEXT, base TEXT, theirs TEXT,"
    " result TEXT, spool TEXT, state INTEGER, told INTEGER, created INTEGER, since INTEGER,"
    " version INTEGER, error TEXT, error_code INTEGER);";

static void
set_sql_error(Journal *journal, GError **error)
{
    int code = sqlite3_errcode(journal->db) & 0xff;
    int system_code = sqlite3_system_errno(journal->db);
    gboolean full = code == SQLITE_FULL ||
                    (code == SQLITE_IOERR && (system_code == ENOSPC || system_code == EDQUOT));
    g_set_error(error, ERR, full ? ERR_NO_SPACE : ERR_LOCAL, "the journal of edits in %s: %s",
                journal->directory, full ? "the disk is full" : sqlite3_errmsg(journal->db));
}

static gboolean
run(Journal *journal, const char *sql, GError **error)
{
    if (sqlite3_exec(journal->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        set_sql_error(journal, error);
        return FALSE;
    }
    return TRUE;
}

static gint64
number_of(Journal *journal, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    gint64 value = -1;
    if (sqlite3_prepare_v2(journal->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

/* --- Opening --- */

static gboolean
check_or_make_schema(Journal *journal, const char *path, GError **error)
{
    gint64 version = number_of(journal, "PRAGMA user_version");
    gint64 application = number_of(journal, "PRAGMA application_id");
    gint64 tables = number_of(journal, "SELECT count(*) FROM sqlite_master");
    if (version == 0 && application == 0 && tables == 0) {
        g_autofree char *sql = g_strdup_printf(
            "BEGIN; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", schema,
            JOURNAL_APPLICATION_ID, JOURNAL_VERSION);
        return run(journal, sql, error);
    }
    if (application == JOURNAL_APPLICATION_ID && version > JOURNAL_VERSION) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s was written by a newer trackerfs, which alone can send what is in it",
                    path);
        return FALSE;
    }
    if (application != JOURNAL_APPLICATION_ID || version < 1) {
        g_set_error(error, ERR, ERR_LOCAL,
                    "%s is damaged or no journal of edits; move it away to go on without it", path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
prepare(Journal *journal, const char *sql, sqlite3_stmt **ret_statement, GError **error)
{
    if (sqlite3_prepare_v3(journal->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL) !=
        SQLITE_OK) {
        set_sql_error(journal, error);
        return FALSE;
    }
    return TRUE;
}

static gboolean
open_database(Journal *journal, GError **error)
{
    g_autofree char *path = g_build_filename(journal->directory, "journal.db", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int code = errno;
        g_set_error(error, ERR, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                    "%s: %s", path, g_strerror(code));
        return FALSE;
    }
    (void)close(fd);
    int rc = sqlite3_open_v2(path, &journal->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        g_set_error(error, ERR, ERR_LOCAL, "%s: %s", path, sqlite3_errstr(rc));
        return FALSE;
    }
    (void)sqlite3_extended_result_codes(journal->db, 1);
    (void)sqlite3_busy_timeout(journal->db, BUSY_TIMEOUT_MS);
    return check_or_make_schema(journal, path, error) &&
           run(journal, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", error) &&
           prepare(journal,
                   "INSERT OR REPLACE INTO edit VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                   " ?, ?, ?, ?, ?)",
                   &journal->put, error) &&
           prepare(journal, "DELETE FROM edit WHERE number = ?", &journal->remove, error);
}

/* Takes over `directory` and `lock_fd`. */
static Journal *
open_in(char *directory, int lock_fd, GError **error)
{
    g_autoptr(Journal) journal = g_new0(Journal, 1);
    journal->directory = directory;
    journal->spool = g_build_filename(directory, "spool", NULL);
    journal->lock_fd = lock_fd;
    if (g_mkdir_with_parents(journal->spool, 0700) != 0) {
        int code = errno;
        g_set_error(error, ERR, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                    "%s: %s", journal->spool, g_strerror(code));
        return NULL;
    }
    return open_database(journal, error) ? g_steal_pointer(&journal) : NULL;
}

Journal *
journal_open(const char *directory, GError **error)
{
    static const char what[] = "the folder of edits";
    g_autoptr(Journal) first = NULL;
    for (guint copy = 1; copy <= FOLDER_COPIES_MAX; copy++) {
        char *path = NULL;
        int fd = -1;
        int taken = folder_take_copy(directory, copy, first != NULL, what, &path, &fd, error);
        if (taken < 0) {
            return NULL;
        }
        if (taken == 0) {
            continue;
        }
        g_autoptr(Journal) journal = open_in(path, fd, error);
        if (!journal) {
            return NULL;
        }
        if (number_of(journal, "SELECT count(*) FROM edit") > 0) {
            return g_steal_pointer(&journal);
        }
        if (!first) {
            first = g_steal_pointer(&journal);
        }
    }
    if (!first) {
        g_set_error(error, ERR, ERR_LOCAL, "%s %s is in use %d times already", what, directory,
                    FOLDER_COPIES_MAX);
    }
    return g_steal_pointer(&first);
}

void
journal_close(Journal *journal)
{
    if (!journal) {
        return;
    }
    (void)sqlite3_finalize(journal->put);
    (void)sqlite3_finalize(journal->remove);
    (void)sqlite3_close(journal->db);
    if (journal->lock_fd >= 0) {
        (void)close(journal->lock_fd);
    }
    g_free(journal->directory);
    g_free(journal->spool);
    g_free(journal);
}

/* --- Rows --- */

static char *
column_text(sqlite3_stmt *row, int column)
{
    return g_strdup((const char *)sqlite3_column_text(row, column));
}

static json_t *
column_json(sqlite3_stmt *row, int column)
{
    return edit_json_from_text((const char *)sqlite3_column_text(row, column));
}

static Edit *
edit_of_row(sqlite3_stmt *row)
{
    static const EditTarget nothing = {.file = EDIT_STORY_JSON};
    Edit *edit = edit_new(EDIT_UPDATE, OBJECT_STORY, &nothing);
    int at = 0;
    edit->number = sqlite3_column_int64(row, at++);
    edit->verb = (EditVerb)sqlite3_column_int(row, at++);
    edit->object = (EditObject)sqlite3_column_int(row, at++);
    edit->owner = (EditOwner)sqlite3_column_int(row, at++);
    edit->project_id = sqlite3_column_int64(row, at++);
    edit->owner_id = sqlite3_column_int64(row, at++);
    edit->id = sqlite3_column_int64(row, at++);
    edit_set_json(&edit->changes, column_json(row, at++));
    edit_set_json(&edit->base, column_json(row, at++));
    edit_set_json(&edit->theirs, column_json(row, at++));
    edit_set_json(&edit->result, column_json(row, at++));
    edit->spool = column_text(row, at++);
    edit->state = (EditState)sqlite3_column_int(row, at++);
    edit->told = sqlite3_column_int64(row, at++);
    edit->created_ms = sqlite3_column_int64(row, at++);
    edit->since = sqlite3_column_int64(row, at++);
    edit->version = sqlite3_column_int64(row, at++);
    edit->error = column_text(row, at++);
    edit->error_code = sqlite3_column_int(row, at++);
    return edit;
}

/* Spool files of edits that never came to be. */
static void
sweep_spool(Journal *journal, GPtrArray *edits)
{
    g_autoptr(GDir) dir = g_dir_open(journal->spool, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        gboolean used = FALSE;
        for (guint i = 0; i < edits->len && !used; i++) {
            used = g_strcmp0(((const Edit *)edits->pdata[i])->spool, name) == 0;
        }
        if (!used) {
            journal_spool_remove(journal, name);
        }
    }
}

GPtrArray *
journal_load(Journal *journal, GError **error)
{
    g_autoptr(GPtrArray) edits = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    sqlite3_stmt *rows = NULL;
    if (!prepare(journal, "SELECT * FROM edit ORDER BY number", &rows, error)) {
        return NULL;
    }
    int rc;
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        g_ptr_array_add(edits, edit_of_row(rows));
    }
    if (rc != SQLITE_DONE) {
        set_sql_error(journal, error);
    }
    (void)sqlite3_finalize(rows);
    if (rc != SQLITE_DONE) {
        return NULL;
    }
    sweep_spool(journal, edits);
    return g_steal_pointer(&edits);
}

gboolean
journal_begin(Journal *journal, GError **error)
{
    return run(journal, "BEGIN IMMEDIATE", error);
}

gboolean
journal_commit(Journal *journal, GError **error)
{
    if (run(journal, "COMMIT", error)) {
        return TRUE;
    }
    journal_rollback(journal);
    return FALSE;
}

void
journal_rollback(Journal *journal)
{
    if (!sqlite3_get_autocommit(journal->db)) {
        (void)sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

static void
bind_json(sqlite3_stmt *statement, int at, const json_t *value)
{
    char *text = edit_json_to_text(value);
    (void)sqlite3_bind_text(statement, at, text, -1, g_free);
}

static gboolean
finish(Journal *journal, sqlite3_stmt *statement, GError **error)
{
    int rc = sqlite3_step(statement);
    if (rc != SQLITE_DONE) {
        set_sql_error(journal, error);
    }
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return rc == SQLITE_DONE;
}

gboolean
journal_put(Journal *journal, const Edit *edit, GError **error)
{
    sqlite3_stmt *put = journal->put;
    int at = 1;
    (void)sqlite3_bind_int64(put, at++, edit->number);
    (void)sqlite3_bind_int(put, at++, (int)edit->verb);
    (void)sqlite3_bind_int(put, at++, (int)edit->object);
    (void)sqlite3_bind_int(put, at++, (int)edit->owner);
    (void)sqlite3_bind_int64(put, at++, edit->project_id);
    (void)sqlite3_bind_int64(put, at++, edit->owner_id);
    (void)sqlite3_bind_int64(put, at++, edit->id);
    bind_json(put, at++, edit->changes);
    bind_json(put, at++, edit->base);
    bind_json(put, at++, edit->theirs);
    bind_json(put, at++, edit->result);
    (void)sqlite3_bind_text(put, at++, edit->spool, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int(put, at++, (int)edit->state);
    (void)sqlite3_bind_int64(put, at++, edit->told);
    (void)sqlite3_bind_int64(put, at++, edit->created_ms);
    (void)sqlite3_bind_int64(put, at++, edit->since);
    (void)sqlite3_bind_int64(put, at++, edit->version);
    (void)sqlite3_bind_text(put, at++, edit->error, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int(put, at++, edit->error_code);
    return finish(journal, put, error);
}

gboolean
journal_delete(Journal *journal, gint64 number, GError **error)
{
    (void)sqlite3_bind_int64(journal->remove, 1, number);
    return finish(journal, journal->remove, error);
}

void
journal_limit_pages_for_tests(Journal *journal, guint n_pages)
{
    gint64 limit = n_pages ? number_of(journal, "PRAGMA page_count") + n_pages : (gint64)G_MAXINT32;
    g_autofree char *sql = g_strdup_printf("PRAGMA max_page_count = %" G_GINT64_FORMAT, limit);
    (void)number_of(journal, sql);
}

/* --- The spool --- */

static void
set_spool_error(int code, const char *path, GError **error)
{
    g_set_error(error, ERR,
                code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE
                : code == ENOENT                 ? ERR_NOT_FOUND
                                                 : ERR_LOCAL,
                "%s: %s", path, g_strerror(code));
}

int
journal_spool_new(Journal *journal, char **ret_name, GError **error)
{
    g_autofree char *name = g_uuid_string_random();
    g_autofree char *path = g_build_filename(journal->spool, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        set_spool_error(errno, path, error);
        return -1;
    }
    *ret_name = g_steal_pointer(&name);
    crash_point(CRASH_SPOOL_MADE);
    return fd;
}

int
journal_spool_open(Journal *journal, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(journal->spool, name, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        set_spool_error(errno, path, error);
    }
    return fd;
}

gint64
journal_spool_sync(Journal *journal, const char *name, GError **error)
{
    struct stat info;
    int file = journal_spool_open(journal, name, error);
    if (file < 0) {
        return -1;
    }
    int folder = open(journal->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean ok = fsync(file) == 0 && folder >= 0 && fsync(folder) == 0 && fstat(file, &info) == 0;
    int code = errno;
    (void)close(file);
    if (folder >= 0) {
        (void)close(folder);
    }
    if (!ok) {
        set_spool_error(code, name, error);
        return -1;
    }
    crash_point(CRASH_SPOOL_SYNCED);
    return info.st_size;
}

char *
journal_spool_path(Journal *journal, const char *name)
{
    return g_build_filename(journal->spool, name, NULL);
}

void
journal_spool_remove(Journal *journal, const char *name)
{
    g_autofree char *path = journal_spool_path(journal, name);
    if (g_unlink(path) != 0 && errno != ENOENT) {
        log_debug(LOG_CACHE, "%s: %s", path, g_strerror(errno));
    }
}

/* A Db holds the path and a stack of idle connections under one mutex; connections are opened on
 * demand. A connection caches prepared statements by text: db_prepare() hands a cached one out and
 * marks it busy; a second user of the same text meanwhile gets a statement of its own, finalized in
 * db_done(). When the cache is full, its idle statements are dropped at once: the texts of a
 * program are few, only `fields` makes more of them.
 *
 * The first error of a connection sticks (conn->error): later calls do nothing until it is given
 * back or rolled back, so a caller checks once, at the end.
 *
 * Opening: a file of another program (application_id) or of a newer version is refused before
 * anything is written, then tracker/migrate.h brings it to our version. */
#include "tracker/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tracker/db_functions.h"
#include "tracker/lock.h"
#include "tracker/migrate.h"
#include "tracker/schema.h"

#define BUSY_WAIT_MS 30000

struct Db {
    char *path, *files_dir; /* const after new */
    char *uri;              /* const after new; what SQLite opens when it is not the path */
    TrackerOpenFlags flags; /* const after new */
    pthread_mutex_t lock;
    GPtrArray *idle; /* protected by lock */
    pthread_cond_t turn_ended;
    guint64 next_ticket, serving; /* protected by lock */
};

struct DbConn {
    Db *db;
    sqlite3 *raw;
    GHashTable *statements; /* sql → DbStmt */
    GError *error;
    gboolean in_transaction;
    gboolean writing; /* has its turn among the writers */
    RegexpBudget regexp_budget;
};

struct DbStmt {
    DbConn *conn;
    sqlite3_stmt *raw;
    gboolean busy, cached;
    gboolean finished; /* has no more rows; SQLite would begin again */
};

static TrackerErrorCode
code_of(int rc)
{
    return (rc & 0xff) == SQLITE_FULL ? TRACKER_ERROR_NO_SPACE : TRACKER_ERROR_FAILED;
}

static void
note_error(DbConn *conn, int rc)
{
    if (!conn->error) {
        g_set_error(&conn->error, TRACKER_ERROR, (int)code_of(rc), "%s: %s", conn->db->path,
                    sqlite3_errmsg(conn->raw));
    }
}

static void
stmt_free(gpointer data)
{
    DbStmt *stmt = data;

    (void)sqlite3_finalize(stmt->raw);
    g_free(stmt);
}

static void
conn_free(DbConn *conn)
{
    if (!conn) {
        return;
    }
    g_hash_table_unref(conn->statements);
    g_clear_error(&conn->error);
    (void)sqlite3_close(conn->raw);
    g_free(conn);
}

gboolean
db_exec(DbConn *conn, const char *sql, GError **error)
{
    if (!conn->error) {
        int rc = sqlite3_exec(conn->raw, sql, NULL, NULL, NULL);

        if (rc != SQLITE_OK) {
            note_error(conn, rc);
        }
    }
    return db_check(conn, error);
}

gboolean
db_check(DbConn *conn, GError **error)
{
    if (!conn->error) {
        return TRUE;
    }
    if (error) {
        *error = g_error_copy(conn->error);
    }
    return FALSE;
}

static DbConn *
conn_open(Db *db, GError **error)
{
    int flags = SQLITE_OPEN_NOMUTEX | (db->uri ? SQLITE_OPEN_URI : 0);
    DbConn *conn = g_new0(DbConn, 1);
    int rc;

    if (db->flags & TRACKER_READ_ONLY) {
        flags |= SQLITE_OPEN_READONLY;
    } else {
        flags |= SQLITE_OPEN_READWRITE | (db->flags & TRACKER_CREATE ? SQLITE_OPEN_CREATE : 0);
    }
    conn->db = db;
    conn->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, stmt_free);
    rc = sqlite3_open_v2(db->uri ? db->uri : db->path, &conn->raw, flags, NULL);
    if (rc != SQLITE_OK) {
        g_set_error(error, TRACKER_ERROR, (int)code_of(rc), "%s: %s", db->path,
                    conn->raw ? sqlite3_errmsg(conn->raw) : "out of memory");
        conn_free(conn);
        return NULL;
    }
    (void)sqlite3_busy_timeout(conn->raw, BUSY_WAIT_MS);
    (void)sqlite3_extended_result_codes(conn->raw, 1);
    /* Views and triggers of a hostile file must not call functions with side effects. */
    (void)sqlite3_db_config(conn->raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(conn->raw, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    rc = db_functions_add(conn->raw, &conn->regexp_budget);
    /* So that a row that REPLACE removes is one that DELETE triggers see. */
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(conn->raw, "PRAGMA recursive_triggers=ON", NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        g_set_error(error, TRACKER_ERROR, (int)code_of(rc), "%s: %s", db->path,
                    sqlite3_errmsg(conn->raw));
        conn_free(conn);
        return NULL;
    }
    return conn;
}

static gint64
pragma_int(DbConn *conn, const char *sql)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);

    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

char *
db_random_hex(gsize bytes)
{
    GString *text = g_string_sized_new(2 * bytes);

    for (gsize i = 0; i < bytes; i++) {
        guint8 byte;

        /* Without the kernel's randomness nothing of ours is safe. */
        g_assert(getrandom(&byte, sizeof byte, 0) == (gssize)sizeof byte);
        g_string_append_printf(text, "%02x", byte);
    }
    return g_string_free(text, FALSE);
}

/* Is it ours, and not newer than we are? Sets up what the file remembers (WAL). */
static gboolean
check_file(DbConn *conn, GError **error)
{
    Db *db = conn->db;
    int version = (int)pragma_int(conn, "PRAGMA user_version");
    gint64 mark = pragma_int(conn, "PRAGMA application_id");
    gint64 tables = pragma_int(conn, "SELECT count(*) FROM sqlite_master");

    if (!db_check(conn, error)) {
        return FALSE;
    }
    if (mark != SCHEMA_APPLICATION_ID && (mark != 0 || tables > 0)) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED,
                    "%s: this is an SQLite database, but not one of trackerfs", db->path);
        return FALSE;
    }
    if (version > schema_version()) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_NEWER,
                    "%s: written by a newer trackerfs (format %d, this one knows up to %d); use a "
                    "newer trackerfs",
                    db->path, version, schema_version());
        return FALSE;
    }
    if (db->flags & TRACKER_READ_ONLY) {
        if (version < schema_version()) {
            g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED,
                        "%s: format %d is older than this trackerfs (%d) and the file is opened "
                        "read-only; open it once for writing",
                        db->path, version, schema_version());
            return FALSE;
        }
        return TRUE;
    }
    return db_exec(conn, "PRAGMA journal_mode=WAL", error) &&
           migrate_run(conn, schema_steps(), schema_version(), error);
}

static gboolean
check_path(const char *path, TrackerOpenFlags flags, GError **error)
{
    struct stat st;

    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode)) {
            g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED, "%s: not a file", path);
            return FALSE;
        }
        return TRUE;
    }
    if (errno == ENOENT && (flags & TRACKER_CREATE) && !(flags & TRACKER_READ_ONLY)) {
        /* SQLite would make it readable by all: create it first. */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (fd >= 0) {
            (void)close(fd);
            return TRUE;
        }
    }
    g_set_error(error, TRACKER_ERROR,
                errno == ENOSPC ? TRACKER_ERROR_NO_SPACE : TRACKER_ERROR_FAILED, "%s: %s", path,
                g_strerror(errno));
    return FALSE;
}

/* A file in WAL mode needs a -shm file beside it even to be read. On a medium that cannot be
 * written, and with no WAL left behind, nobody can change the file: SQLite may read it as it is. */
static char *
uri_of_frozen(const char *path, TrackerOpenFlags flags)
{
    g_autofree char *dir = g_path_get_dirname(path), *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *escaped = NULL;

    if (!(flags & TRACKER_READ_ONLY) || access(dir, W_OK) == 0 || access(wal, F_OK) == 0) {
        return NULL;
    }
    escaped = g_uri_escape_string(path, "/", FALSE);
    return g_strconcat("file:", escaped, "?immutable=1", NULL);
}

Db *
db_open(const char *path, TrackerOpenFlags flags, GError **error)
{
    g_autoptr(Db) db = NULL;
    DbConn *conn;

    if (!check_path(path, flags, error)) {
        return NULL;
    }
    db = g_new0(Db, 1);
    db->path = g_strdup(path);
    db->files_dir = g_strconcat(path, ".files", NULL);
    db->uri = uri_of_frozen(path, flags);
    db->flags = flags;
    db->idle = g_ptr_array_new();
    (void)pthread_mutex_init(&db->lock, NULL);
    (void)pthread_cond_init(&db->turn_ended, NULL);
    conn = conn_open(db, error);
    if (!conn) {
        return NULL;
    }
    if (!check_file(conn, error)) {
        conn_free(conn);
        return NULL;
    }
    db_give(conn);
    return g_steal_pointer(&db);
}

void
db_close(Db *db)
{
    if (!db) {
        return;
    }
    for (guint i = 0; i < db->idle->len; i++) {
        conn_free(g_ptr_array_index(db->idle, i));
    }
    g_ptr_array_unref(db->idle);
    (void)pthread_cond_destroy(&db->turn_ended);
    (void)pthread_mutex_destroy(&db->lock);
    g_free(db->path);
    g_free(db->files_dir);
    g_free(db->uri);
    g_free(db);
}

void
db_remove(const char *path, gboolean attachments)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        (void)unlink(file);
    }
    g_autofree char *folder = g_strconcat(path, ".files", NULL);
    g_autoptr(GDir) listing = attachments ? g_dir_open(folder, 0, NULL) : NULL;
    for (const char *name; listing && (name = g_dir_read_name(listing));) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        (void)unlink(file);
    }
    if (listing) {
        (void)rmdir(folder);
    }
}

gboolean
db_read_only(const Db *db)
{
    return (db->flags & TRACKER_READ_ONLY) != 0;
}

const char *
db_path(const Db *db)
{
    return db->path;
}

const char *
db_files_dir(const Db *db)
{
    return db->files_dir;
}

static DbConn *
pop_idle(Db *db)
{
    TRACKER_LOCK(&db->lock);

    return db->idle->len > 0 ? g_ptr_array_steal_index_fast(db->idle, db->idle->len - 1) : NULL;
}

/* FALSE when the pool has enough: then the connection is the caller's to close. */
static gboolean
push_idle(Db *db, DbConn *conn)
{
    TRACKER_LOCK(&db->lock);

    if (db->idle->len >= DB_MAX_IDLE_CONNECTIONS) {
        return FALSE;
    }
    g_ptr_array_add(db->idle, conn);
    return TRUE;
}

DbConn *
db_take(Db *db, GError **error)
{
    DbConn *conn = pop_idle(db);

    return conn ? conn : conn_open(db, error);
}

void
db_give(DbConn *conn)
{
    if (!conn) {
        return;
    }
    db_rollback(conn);
    if (!push_idle(conn->db, conn)) {
        conn_free(conn);
    }
}

Db *
db_of(const DbConn *conn)
{
    return conn->db;
}

/* SQLite lets one writer in and the others poll, with pauses that grow: the unlucky would wait for
 * seconds. So the writers of this process queue for their turn, first come, first served; SQLite's
 * own lock is left for other processes. */
static void
take_turn(DbConn *conn)
{
    Db *db = conn->db;
    TRACKER_LOCK(&db->lock);
    guint64 ticket = db->next_ticket++;

    while (db->serving != ticket) {
        (void)pthread_cond_wait(&db->turn_ended, &db->lock);
    }
    conn->writing = TRUE;
}

static void
end_turn(DbConn *conn)
{
    Db *db = conn->db;

    if (conn->writing) {
        TRACKER_LOCK(&db->lock);

        conn->writing = FALSE;
        db->serving++;
        (void)pthread_cond_broadcast(&db->turn_ended);
    }
}

gboolean
db_begin(DbConn *conn, DbBegin kind, GError **error)
{
    g_assert(!conn->in_transaction);
    if (kind == DB_WRITE) {
        take_turn(conn);
    }
    if (!db_exec(conn, kind == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", error)) {
        end_turn(conn);
        return FALSE;
    }
    conn->in_transaction = TRUE;
    return TRUE;
}

/* What the tables ask to be done at the end of every change. */
static void
before_commit(DbConn *conn)
{
    for (const char *const *sql = schema_before_commit(); *sql; sql++) {
        g_autoptr(DbStmt) stmt = db_prepare(conn, *sql);

        (void)db_run(stmt);
    }
}

gboolean
db_commit(DbConn *conn, GError **error)
{
    if (conn->writing) {
        before_commit(conn);
    }
    if (!db_exec(conn, "COMMIT", error)) {
        db_rollback(conn);
        return FALSE;
    }
    conn->in_transaction = FALSE;
    end_turn(conn);
    return TRUE;
}

void
db_rollback(DbConn *conn)
{
    /* SQLite itself rolls back after some errors: then this fails, which is as good. */
    if (conn->in_transaction) {
        (void)sqlite3_exec(conn->raw, "ROLLBACK", NULL, NULL, NULL);
    }
    conn->in_transaction = FALSE;
    end_turn(conn);
    g_clear_error(&conn->error);
}

static gboolean
is_idle(gpointer key, gpointer value, gpointer user)
{
    (void)key;
    (void)user;
    return !((DbStmt *)value)->busy;
}

/* `kept`: in the cache, where there is none of this text yet. */
static DbStmt *
prepare(DbConn *conn, const char *sql, gboolean kept)
{
    g_autofree DbStmt *stmt = g_new0(DbStmt, 1);
    int rc = sqlite3_prepare_v3(conn->raw, sql, -1, kept ? SQLITE_PREPARE_PERSISTENT : 0,
                                &stmt->raw, NULL);

    if (rc != SQLITE_OK) {
        note_error(conn, rc);
        return NULL;
    }
    stmt->conn = conn;
    stmt->busy = TRUE;
    stmt->cached = kept;
    if (kept) {
        (void)g_hash_table_insert(conn->statements, g_strdup(sql), stmt);
    }
    return g_steal_pointer(&stmt);
}

DbStmt *
db_prepare(DbConn *conn, const char *sql)
{
    DbStmt *stmt;

    if (conn->error) {
        return NULL;
    }
    stmt = g_hash_table_lookup(conn->statements, sql);
    if (stmt && !stmt->busy) {
        stmt->busy = TRUE;
        return stmt;
    }
    if (!stmt && g_hash_table_size(conn->statements) >= DB_MAX_STATEMENTS) {
        (void)g_hash_table_foreach_remove(conn->statements, is_idle, NULL);
    }
    return prepare(conn, sql, !stmt);
}

DbStmt *
db_prepare_once(DbConn *conn, const char *sql)
{
    return conn->error ? NULL : prepare(conn, sql, FALSE);
}

void
db_done(DbStmt *stmt)
{
    if (!stmt) {
        return;
    }
    if (!stmt->cached) {
        stmt_free(stmt);
        return;
    }
    db_rewind(stmt);
    stmt->busy = FALSE;
}

void
db_bind_int(DbStmt *stmt, int parameter, gint64 value)
{
    if (stmt) {
        (void)sqlite3_bind_int64(stmt->raw, parameter, value);
    }
}

void
db_bind_double(DbStmt *stmt, int parameter, double value)
{
    if (stmt) {
        (void)sqlite3_bind_double(stmt->raw, parameter, value);
    }
}

void
db_bind_text(DbStmt *stmt, int parameter, const char *text)
{
    if (stmt) {
        (void)sqlite3_bind_text(stmt->raw, parameter, text, -1, SQLITE_TRANSIENT);
    }
}

void
db_bind_text_n(DbStmt *stmt, int parameter, const char *text, gsize bytes)
{
    if (stmt) {
        (void)sqlite3_bind_text64(stmt->raw, parameter, text, bytes, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
}

void
db_bind_null(DbStmt *stmt, int parameter)
{
    if (stmt) {
        (void)sqlite3_bind_null(stmt->raw, parameter);
    }
}

gboolean
db_next(DbStmt *stmt)
{
    int rc;

    if (!stmt || stmt->finished || stmt->conn->error) {
        return FALSE;
    }
    rc = sqlite3_step(stmt->raw);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        note_error(stmt->conn, rc);
    }
    stmt->finished = rc != SQLITE_ROW;
    return rc == SQLITE_ROW;
}

gboolean
db_run(DbStmt *stmt)
{
    if (!stmt) {
        return FALSE;
    }
    while (db_next(stmt)) {
    }
    db_rewind(stmt);
    return !stmt->conn->error;
}

void
db_rewind(DbStmt *stmt)
{
    if (stmt) {
        (void)sqlite3_reset(stmt->raw);
        (void)sqlite3_clear_bindings(stmt->raw);
        stmt->finished = FALSE;
    }
}

gboolean
db_is_null(DbStmt *stmt, int column)
{
    return sqlite3_column_type(stmt->raw, column) == SQLITE_NULL;
}

gint64
db_int(DbStmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->raw, column);
}

double
db_double(DbStmt *stmt, int column)
{
    return sqlite3_column_double(stmt->raw, column);
}

const char *
db_text(DbStmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt->raw, column);
}

gsize
db_bytes(DbStmt *stmt, int column)
{
    return (gsize)sqlite3_column_bytes(stmt->raw, column);
}

void
db_regexp_restart(DbConn *conn)
{
    db_functions_restart(&conn->regexp_budget);
}

gboolean
db_regexp_gave_up(const DbConn *conn)
{
    return conn->regexp_budget.gave_up;
}

gint64
db_last_id(DbConn *conn)
{
    return sqlite3_last_insert_rowid(conn->raw);
}

int
db_changes(DbConn *conn)
{
    return sqlite3_changes(conn->raw);
}

char *
db_meta_get(DbConn *conn, const char *key)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT value FROM meta WHERE key = ?1");

    db_bind_text(stmt, 1, key);
    return db_next(stmt) ? g_strdup(db_text(stmt, 0)) : NULL;
}

gboolean
db_meta_set(DbConn *conn, const char *key, const char *value)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "INSERT INTO meta(key, value) VALUES(?1, ?2)"
                         " ON CONFLICT(key) DO UPDATE SET value = excluded.value");

    db_bind_text(stmt, 1, key);
    db_bind_text(stmt, 2, value);
    return db_run(stmt);
}

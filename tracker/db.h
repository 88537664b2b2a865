/* db: the tracker's SQLite file: opening, migrating, a pool of connections, cached statements.
 *
 * Owns the file, its WAL and the folder of attachment contents, FILE.db.files/ (files named by the
 * SHA-256 of their bytes). Knows no V5: the tables are tracker/schema.c.
 *
 * Threads: a Db is for all; a DbConn and its DbStmts are for one thread at a time, between
 * db_take() and db_give(). Readers run beside each other and beside one writer.
 * Calling: g_autoptr(DbConn) conn = db_take(db, &error); db_begin(); db_prepare(), db_bind_*(),
 * while (db_next()) db_int()...; db_check() or db_commit(), which report the first error of the
 * lot: after an error every further call on the connection does nothing and db_next() gives FALSE.
 * Errors: TRACKER_ERROR of tracker/service.h. Limits: DB_MAX_* below. */
#pragma once

#include <glib.h>

#include "tracker/service.h"

#define DB_MAX_IDLE_CONNECTIONS 8 /* more are opened when needed, and closed when given back */
#define DB_MAX_STATEMENTS 200     /* cached per connection */

typedef struct Db Db;
typedef struct DbConn DbConn;
typedef struct DbStmt DbStmt;

Db *db_open(const char *path, TrackerOpenFlags flags, GError **error);
void db_close(Db *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, db_close)

/* As tracker_remove(). */
void db_remove(const char *path, gboolean attachments);

gboolean db_read_only(const Db *db);
/* As it was opened, borrowed. */
const char *db_path(const Db *db);
/* FILE.db.files, borrowed; made by who first writes there. */
const char *db_files_dir(const Db *db);

/* A connection of the pool; NULL and `error` when none can be opened. Give back with db_give(),
 * which also rolls back a transaction that is still open and forgets the error. */
DbConn *db_take(Db *db, GError **error);
void db_give(DbConn *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DbConn, db_give)
Db *db_of(const DbConn *conn);

/* READ: one consistent view until the end. WRITE: waits for the other writers of
 * this process in turn, and for those of other processes up to 30 seconds; nobody begins a second
 * one before the end of the first. */
typedef enum { DB_READ, DB_WRITE } DbBegin;
gboolean db_begin(DbConn *conn, DbBegin kind, GError **error);
gboolean db_commit(DbConn *conn, GError **error);
void db_rollback(DbConn *conn);

/* FALSE and the first error since db_take() or db_rollback(), if there was one. */
gboolean db_check(DbConn *conn, GError **error);

/* A statement ready for binding; cached by its text. NULL only after an error, and all calls
 * below accept NULL. Finish with db_done() (or g_autoptr) before the connection is given back. */
DbStmt *db_prepare(DbConn *conn, const char *sql);
/* The same for a text that is made of what a request says: it is not kept. */
DbStmt *db_prepare_once(DbConn *conn, const char *sql);
void db_done(DbStmt *stmt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DbStmt, db_done)

/* Parameters count from 1. Texts and blobs are copied; NULL binds NULL. */
void db_bind_int(DbStmt *stmt, int parameter, gint64 value);
void db_bind_double(DbStmt *stmt, int parameter, double value);
void db_bind_text(DbStmt *stmt, int parameter, const char *text);
void db_bind_text_n(DbStmt *stmt, int parameter, const char *text, gsize bytes);
void db_bind_null(DbStmt *stmt, int parameter);

/* TRUE while there is a row; once FALSE, FALSE until db_run() or db_rewind(). */
gboolean db_next(DbStmt *stmt);
/* Runs to the end, rewinds and clears the parameters, so that an insert can be repeated. */
gboolean db_run(DbStmt *stmt);
/* The same without running any further. */
void db_rewind(DbStmt *stmt);

/* Columns count from 0; texts are borrowed until the next db_next(), NULL for NULL. */
gboolean db_is_null(DbStmt *stmt, int column);
gint64 db_int(DbStmt *stmt, int column);
double db_double(DbStmt *stmt, int column);
const char *db_text(DbStmt *stmt, int column);
gsize db_bytes(DbStmt *stmt, int column);

/* SQL may use `TEXT REGEXP PATTERN` and fold(TEXT), see tracker/db_functions.h. Restart before a
 * statement whose patterns came from outside, ask afterwards whether it has seen every text. */
void db_regexp_restart(DbConn *conn);
gboolean db_regexp_gave_up(const DbConn *conn);

/* Several statements without parameters. */
gboolean db_exec(DbConn *conn, const char *sql, GError **error);
gint64 db_last_id(DbConn *conn);
int db_changes(DbConn *conn);

/* The database of a tracker, borrowed: for what runs beside requests (import, sample, tokens). */
Db *tracker_db(Tracker *tracker);

/* One value of the table meta; owned, NULL when absent. */
char *db_meta_get(DbConn *conn, const char *key);
gboolean db_meta_set(DbConn *conn, const char *key, const char *value);

/* Twice as many lower-case hex digits, from the kernel; owned. */
char *db_random_hex(gsize bytes);

/* store_sql: one SQLite connection with its statements prepared once, for store.c and store_load.c.
 *
 * A Connection belongs to one thread at a time. Binding and reading follow the statement's text in
 * store_sql.c, where each statement stands beside its name. Errors: ERR_LOCAL, ERR_NO_SPACE. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

#include "cache/model.h"
#include "cache/store.h"

#define STORE_SCHEMA_VERSION 4

typedef enum {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_PUT_ACCOUNT,
    SQL_CLEAR_ACCOUNT_PROJECTS,
    SQL_PUT_ACCOUNT_PROJECT,
    SQL_PUT_PROJECT,
    SQL_TOUCH_PROJECT,
    SQL_DELETE_PROJECT,
    SQL_CLEAR_MEMBERS,
    SQL_PUT_MEMBER,
    SQL_CLEAR_LABELS,
    SQL_PUT_LABEL,
    SQL_CLEAR_EPIC_COMMENTS,
    SQL_CLEAR_EPICS,
    SQL_PUT_EPIC,
    SQL_PUT_EPIC_COMMENT,
    SQL_CLEAR_ITERATIONS,
    SQL_PUT_ITERATION,
    SQL_PUT_STORY,
    SQL_PUT_STORY_TEXT,
    SQL_DELETE_STORY,
    SQL_DELETE_STORY_TEXT,
    SQL_CLEAR_COMMENTS,
    SQL_PUT_COMMENT,
    SQL_CLEAR_TASKS,
    SQL_PUT_TASK,
    SQL_CLEAR_ATTACHMENTS,
    SQL_PUT_ATTACHMENT,
    SQL_LIST_POSITIONS,
    SQL_SET_POSITION,
    SQL_PUT_ACTIVITY,
    SQL_PUT_ACTIVITY_STATE,
    SQL_CLEAR_ACTIVITY,
    SQL_CLEAR_ACTIVITY_STATE,
    SQL_GET_ACCOUNT,
    SQL_GET_ACCOUNT_PROJECTS,
    SQL_GET_PROJECT,
    SQL_GET_MEMBERS,
    SQL_GET_LABELS,
    SQL_GET_EPICS,
    SQL_GET_EPIC_COMMENTS,
    SQL_GET_ITERATIONS,
    SQL_GET_STORY_ROWS,
    SQL_GET_STORY,
    SQL_GET_COMMENTS,
    SQL_GET_TASKS,
    SQL_GET_ATTACHMENTS,
    SQL_GET_ACTIVITY_STATE,
    SQL_GET_ACTIVITY,
    SQL_FIND_STORY,
    SQL_FIND_EPIC,
    SQL_PROJECT_CREATED,
    SQL_STORY_CREATED,
    SQL_EPIC_CREATED,
    N_SQL
} SqlId;

extern const char store_schema[];

typedef struct Connection {
    sqlite3 *db;
    sqlite3_stmt *statements[N_SQL]; /* prepared at first use */
} Connection;

Connection *connection_open(const char *path, int flags, GError **error);
void connection_free(Connection *connection);

/* The statement, reset, with its parameters bound from what follows, as `types` says: 'i' gint64,
 * 's' const char * (NULL: NULL), 't' const Text * (data NULL: NULL), 'b' const void * and gsize.
 * Borrowed pointers must live until the statement is stepped. NULL with `error` on failure. */
sqlite3_stmt *connection_bind(Connection *connection, SqlId id, GError **error, const char *types,
                              ...);

/* Binds and runs a statement that gives no rows. */
gboolean connection_run(Connection *connection, SqlId id, GError **error, const char *types, ...);

/* 1: a row, 0: no more, -1: failed. The statement is reset but for 1. */
int connection_step(Connection *connection, sqlite3_stmt *statement, GError **error);

/* The database and what SQLite keeps beside it. */
void store_remove_files(const char *path);

/* The last error of the connection. A store that turns out to be damaged loses its files here, so
 * that the next mount begins a new one. */
void connection_set_error(Connection *connection, GError **error);

/* Copies of a column, the caller's. */
char *column_string(sqlite3_stmt *statement, int column);
Text column_text(sqlite3_stmt *statement, int column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connection, connection_free)

/* The parts of store.c that store_load.c uses. */
Connection *store_take_reader(Store *store, GError **error);
void store_give_reader(Store *store, Connection *reader);

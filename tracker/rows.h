/* rows: a statement with its parameters in one call.
 *
 * Threads: as the connection. Errors: stay with the connection until db_check(). */
#pragma once

#include "tracker/db.h"

/* Runs `sql` with parameters as `types` says, one letter each: i gint64; I gint64, 0 is NULL; d
 * double; t const char *, NULL is NULL; b gboolean. */
gboolean row_run(DbConn *conn, const char *sql, const char *types, ...);
/* The first column of the first row as a number; 0 without a row. */
gint64 row_int(DbConn *conn, const char *sql, const char *types, ...);
/* The same as a text, owned; NULL without a row or a value. */
char *row_text(DbConn *conn, const char *sql, const char *types, ...);

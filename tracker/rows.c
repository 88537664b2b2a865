/* rows: binds a variable argument list. The caller's types are the contract: there is no check. */
#include "tracker/rows.h"

#include <stdarg.h>

static void
bind_all(DbStmt *stmt, const char *types, va_list values)
{
    for (int i = 0; types[i] != '\0'; i++) {
        gint64 number;

        switch (types[i]) {
        case 'i':
            db_bind_int(stmt, i + 1, va_arg(values, gint64));
            break;
        case 'I':
            number = va_arg(values, gint64);
            if (number != 0) {
                db_bind_int(stmt, i + 1, number);
            } else {
                db_bind_null(stmt, i + 1);
            }
            break;
        case 'd':
            db_bind_double(stmt, i + 1, va_arg(values, double));
            break;
        case 't':
            db_bind_text(stmt, i + 1, va_arg(values, const char *));
            break;
        case 'b':
            db_bind_int(stmt, i + 1, va_arg(values, gboolean) ? 1 : 0);
            break;
        default:
            g_assert_not_reached();
        }
    }
}

gboolean
row_run(DbConn *conn, const char *sql, const char *types, ...)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    va_list values;

    va_start(values, types);
    bind_all(stmt, types, values);
    va_end(values);
    return db_run(stmt);
}

gint64
row_int(DbConn *conn, const char *sql, const char *types, ...)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    va_list values;

    va_start(values, types);
    bind_all(stmt, types, values);
    va_end(values);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

char *
row_text(DbConn *conn, const char *sql, const char *types, ...)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    va_list values;

    va_start(values, types);
    bind_all(stmt, types, values);
    va_end(values);
    return db_next(stmt) ? g_strdup(db_text(stmt, 0)) : NULL;
}

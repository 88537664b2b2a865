/* The index blocker_named holds the unresolved ones only; each expression here is written as there,
 * or SQLite would not use it. */
#include "tracker/blocking.h"

DbStmt *
blocking_prepare(DbConn *conn, gint64 story_id)
{
    DbStmt *stmt = db_prepare(
        conn, "SELECT b.id, b.story_id FROM " BLOCKING_FROM " WHERE " BLOCKING_WHERE(
                  "?1", "(SELECT project_id FROM story WHERE id = ?1)") " ORDER BY b.story_id,"
                                                                        " b.id");

    db_bind_int(stmt, 1, story_id);
    return stmt;
}

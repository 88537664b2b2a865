/* The partial index blocker_open holds the unresolved ones only, which are few; CROSS JOIN keeps
 * SQLite from walking all stories of the project instead. */
#include "tracker/blocking.h"

DbStmt *
blocking_prepare(DbConn *conn, gint64 story_id)
{
    DbStmt *stmt = db_prepare(
        conn, "SELECT b.id, b.story_id FROM blocker b CROSS JOIN story s ON s.id = b.story_id"
              " WHERE COALESCE(b.resolved, 0) = 0 AND b.story_id <> ?1"
              " AND (b.description = '#' || ?1 OR b.description LIKE '%/story/show/' || ?1"
              "  OR b.description LIKE '%/stories/' || ?1)"
              " AND s.project_id = (SELECT project_id FROM story WHERE id = ?1)"
              " ORDER BY b.story_id, b.id");

    db_bind_int(stmt, 1, story_id);
    return stmt;
}

/* blocking: which story a blocker names: "#123", or its address, as the whole description
 * (v5-reference 3.18, 4.4). It blocks that one if it is unresolved and hangs on another story of
 * the same project.
 *
 * Threads: with the connection. Errors: stick to it. Costs a look into the index. */
#pragma once

#include "tracker/db.h"

/* SQL of the digits that end a text. */
#define BLOCKING_DIGITS(text) "substr(" text ", length(rtrim(" text ", '0123456789')) + 1)"
/* SQL of the id that a description names; 0: none. */
#define BLOCKING_NAMED(text)                                                                       \
    "CASE WHEN rtrim(" text ", '0123456789') = '#' OR substr(rtrim(" text                          \
    ", '0123456789'), -12) = '/story/show/' OR substr(rtrim(" text                                 \
    ", '0123456789'), -9) = '/stories/' THEN CAST(" BLOCKING_DIGITS(                               \
        text) " AS INTEGER) ELSE 0 END"
/* SQL for FROM and WHERE: the blockers b, on stories s, that block what has this id and project.
 * CROSS JOIN keeps SQLite from beginning with all stories of the project, and + takes away the
 * affinity of a column, for which the index could not be used. */
#define BLOCKING_FROM "blocker b CROSS JOIN story s ON s.id = b.story_id"
#define BLOCKING_WHERE(id, project_id)                                                             \
    "COALESCE(b.resolved, 0) = 0 AND +" id                                                         \
    " = " BLOCKING_NAMED("b.description") " AND b.story_id <> " id                                 \
                                          " AND s.project_id = " project_id

#define SCHEMA_BLOCKING                                                                            \
    "CREATE INDEX blocker_named ON blocker(" BLOCKING_NAMED(                                       \
        "description") ") WHERE COALESCE(resolved, 0) = 0;"

/* Rows (id of the blocker, id of the story it hangs on) of those that block the story, by the
 * latter. Finish with db_done(). */
DbStmt *blocking_prepare(DbConn *conn, gint64 story_id);

/* The statements that bring the index up to date: forget what is known, learn what is there, in the
 * order of pieces, since the index writes itself out whenever numbers go backwards. */
#include "tracker/schema_text.h"

#include <glib.h>

#include "tracker/schema.h"

#define LEARN(table, kind, name, text)                                                             \
    "INSERT INTO text_index(rowid, name, text) SELECT d.piece, " name ", " text                    \
    " FROM text_dirty d JOIN " table " t ON t.id = d.piece >> 3"                                   \
    " WHERE d.piece & 7 = " kind " ORDER BY d.piece"

const char *const *
schema_before_commit(void)
{
    static const char *const statements[] = {
        "INSERT INTO text_index(text_index, rowid, name, text)"
        " SELECT 'delete', piece, name, text FROM text_dirty WHERE known ORDER BY piece",
        LEARN("story", TEXT_STORY, "t.name", "t.description"),
        LEARN("epic", TEXT_EPIC, "t.name", "t.description"),
        LEARN("comment", TEXT_COMMENT, "NULL", "t.text"),
        LEARN("task", TEXT_TASK, "NULL", "t.description"),
        LEARN("file_attachment", TEXT_FILE, "NULL", "t.filename"),
        "DELETE FROM text_dirty",
        NULL,
    };

    return statements;
}

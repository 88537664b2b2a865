/* schema_text: the part of the schema that makes texts searchable (tracker/schema.c has the rest).
 *
 * A piece is one text of one object: rowid = id * 8 + kind. text_index (FTS5) holds the words of
 * each piece and not its text: the name of a story or epic in one column, everything else in the
 * other. It cannot forget a piece without being told the old text, and triggers may not write to it
 * (the connection does not trust what a file's triggers do): so triggers on the tables note the
 * piece and its old text in text_dirty, and before every commit schema_before_commit() brings the
 * index up to date. text_dirty is empty between transactions. Whoever writes rows, by whatever
 * statement, needs to know none of this, except that a change outside of db_begin(DB_WRITE) and
 * db_commit() is indexed with the next one inside.
 *
 * Ids beyond 2^60 have no piece: they are found by everything but words. */
#pragma once

/* Kinds, as SQL. */
#define TEXT_STORY "0"
#define TEXT_EPIC "1"
#define TEXT_COMMENT "2"
#define TEXT_TASK "3"
#define TEXT_FILE "4"

#define TEXT_PIECE(row, kind) row ".id * 8 + " kind
#define TEXT_HAS_PIECE(row) row ".id BETWEEN 1 AND 1152921504606846975"
#define TEXT_UNSEEN(row, kind)                                                                     \
    " WHERE NOT EXISTS(SELECT 1 FROM text_dirty WHERE piece = " TEXT_PIECE(row, kind) ")"

/* `name`, `text`: SQL of the old row's two columns; `columns`: of the table, that they come from.
 */
#define TEXT_TRIGGERS(table, kind, name, text, columns)                                            \
    "CREATE TRIGGER " table "_text_insert AFTER INSERT ON " table " WHEN " TEXT_HAS_PIECE(         \
        "new") " BEGIN INSERT INTO text_dirty(piece, known)"                                       \
               " SELECT " TEXT_PIECE("new", kind) ", 0" TEXT_UNSEEN(                               \
                   "new",                                                                          \
                   kind) "; END;"                                                                  \
                         "CREATE TRIGGER " table "_text_update AFTER UPDATE OF " columns           \
                         " ON " table " WHEN " TEXT_HAS_PIECE(                                     \
                             "old") " BEGIN INSERT INTO text_dirty(piece, known, name, text)"      \
                                    " SELECT " TEXT_PIECE("old", kind) ", 1, " name ", " text      \
                                        TEXT_UNSEEN(                                               \
                                            "old",                                                 \
                                            kind) "; END;"                                         \
                                                  "CREATE TRIGGER " table                          \
                                                  "_text_delete AFTER DELETE ON " table            \
                                                  " WHEN " TEXT_HAS_PIECE(                         \
                                                      "old") " BEGIN INSERT INTO "                 \
                                                             "text_dirty(piece, known, name, "     \
                                                             "text)"                               \
                                                             " SELECT " TEXT_PIECE(                \
                                                                 "old",                            \
                                                                 kind) ", 1, " name                \
                                                                       ", " text TEXT_UNSEEN(      \
                                                                           "old", kind) "; END;"

/* text_terms: every word once; text_places: every word in every piece. */
#define SCHEMA_TEXT                                                                                \
    "CREATE VIRTUAL TABLE text_index USING fts5(name, text, content='', columnsize=0,"             \
    " tokenize='unicode61 remove_diacritics 0');"                                                  \
    "CREATE VIRTUAL TABLE text_terms USING fts5vocab(text_index, 'row');"                          \
    "CREATE VIRTUAL TABLE text_places USING fts5vocab(text_index, 'instance');"                    \
    "CREATE TABLE text_dirty(piece INTEGER PRIMARY KEY, known INTEGER NOT NULL, name TEXT,"        \
    " text TEXT);" TEXT_TRIGGERS("story", TEXT_STORY, "old.name", "old.description",               \
                                 "name, description")                                              \
        TEXT_TRIGGERS("epic", TEXT_EPIC, "old.name", "old.description", "name, description")       \
            TEXT_TRIGGERS("comment", TEXT_COMMENT, "NULL", "old.text", "text") TEXT_TRIGGERS(      \
                "task", TEXT_TASK, "NULL", "old.description", "description")                       \
                TEXT_TRIGGERS("file_attachment", TEXT_FILE, "NULL", "old.filename", "filename")

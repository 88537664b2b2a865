/* pieces: pieces of JSON in one text, by the id of the object they belong to.
 *
 * Threads: with the request. */
#pragma once

#include <glib.h>

typedef struct Pieces Pieces;

/* `text`: to write to, borrowed; NULL: one of its own. */
Pieces *pieces_new(GString *text);
void pieces_free(Pieces *pieces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pieces, pieces_free)
GString *pieces_text(const Pieces *pieces);

/* Opens the piece of an id at the end of the text; one more object of the last piece's id is
 * separated from it and continues it. */
void pieces_begin(Pieces *pieces, gint64 id);
/* The piece reaches to the end of the text. */
void pieces_end(Pieces *pieces);
/* A piece from `start` to the end of the text. */
void pieces_note(Pieces *pieces, gint64 id, gsize start);

/* FALSE when there is none. */
gboolean pieces_find(Pieces *pieces, gint64 id, gsize *ret_start, gsize *ret_end);
/* Appends it after a comma where one is needed; FALSE when there is none. */
gboolean pieces_append(Pieces *pieces, gint64 id, GString *out);

/* An array, searched by halves: pieces mostly come in the order of their ids, and where they do not
 * they are sorted once, before the first look. A page has thousands, so none is allocated by
 * itself. */
#include "tracker/pieces.h"

#include "tracker/json_writer.h"

typedef struct Piece {
    gint64 id;
    gsize start, end;
} Piece;

struct Pieces {
    GString *text;
    gboolean borrowed;
    GArray *pieces; /* of Piece */
    gboolean unsorted;
};

Pieces *
pieces_new(GString *text)
{
    Pieces *pieces = g_new0(Pieces, 1);

    pieces->text = text ? text : g_string_new(NULL);
    pieces->borrowed = text != NULL;
    pieces->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    return pieces;
}

void
pieces_free(Pieces *pieces)
{
    if (!pieces) {
        return;
    }
    if (!pieces->borrowed) {
        (void)g_string_free(pieces->text, TRUE);
    }
    g_array_unref(pieces->pieces);
    g_free(pieces);
}

GString *
pieces_text(const Pieces *pieces)
{
    return pieces->text;
}

static Piece *
last_piece(const Pieces *pieces)
{
    return pieces->pieces->len > 0 ? &g_array_index(pieces->pieces, Piece, pieces->pieces->len - 1)
                                   : NULL;
}

void
pieces_note(Pieces *pieces, gint64 id, gsize start)
{
    const Piece *last = last_piece(pieces);
    Piece piece = {id, start, pieces->text->len};

    pieces->unsorted = pieces->unsorted || (last && last->id > id);
    g_array_append_val(pieces->pieces, piece);
}

void
pieces_begin(Pieces *pieces, gint64 id)
{
    const Piece *last = last_piece(pieces);

    if (last && last->id == id) {
        g_string_append_c(pieces->text, ',');
    } else {
        pieces_note(pieces, id, pieces->text->len);
    }
}

void
pieces_end(Pieces *pieces)
{
    last_piece(pieces)->end = pieces->text->len;
}

static gint
compare(gconstpointer a, gconstpointer b)
{
    gint64 left = ((const Piece *)a)->id, right = ((const Piece *)b)->id;

    return (left > right) - (left < right);
}

static const Piece *
find(Pieces *pieces, gint64 id)
{
    const Piece wanted = {.id = id};
    guint at;

    if (pieces->unsorted) {
        g_array_sort(pieces->pieces, compare);
        pieces->unsorted = FALSE;
    }
    return g_array_binary_search(pieces->pieces, &wanted, compare, &at)
               ? &g_array_index(pieces->pieces, Piece, at)
               : NULL;
}

gboolean
pieces_find(Pieces *pieces, gint64 id, gsize *ret_start, gsize *ret_end)
{
    const Piece *piece = find(pieces, id);

    if (piece) {
        *ret_start = piece->start;
        *ret_end = piece->end;
    }
    return piece != NULL;
}

gboolean
pieces_append(Pieces *pieces, gint64 id, GString *out)
{
    const Piece *piece = find(pieces, id);

    if (!piece) {
        return FALSE;
    }
    json_separate(out);
    json_append(out, pieces->text->str + piece->start, piece->end - piece->start);
    return TRUE;
}

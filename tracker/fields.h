/* fields: the `fields` parameter: which attributes of which kind an answer has, to any depth
 * (v5-reference 1.8).
 *
 * Threads: a Selection belongs to one request. Errors: TRACKER_ERROR_BAD_INPUT, its message is the
 * general_problem of the 400. Limits: FIELDS_MAX_*. */
#pragma once

#include "tracker/kinds.h"

#define FIELDS_MAX_BYTES 8192
#define FIELDS_MAX_DEPTH 16

typedef struct Selection Selection;

typedef struct Picked {
    const Field *field;
    Selection *child; /* of nested ones, owned */
    int column;       /* of the SELECT, -1: none */
} Picked;

/* Fixed columns of every SELECT of a selection; the picked ones follow. */
enum { SELECTION_PARENT, SELECTION_ID, SELECTION_EXTRA, SELECTION_FIRST };

struct Selection {
    const Kind *kind;
    GArray *picked;        /* of Picked, in the kind's order */
    gboolean extra;        /* all of the `extra` column */
    GPtrArray *historic;   /* or only these members of it */
    gboolean has_children; /* lists that hang on the object's own id */
    GString *columns;      /* ", t.name, ..." */
    GHashTable *ones;      /* id → JSON text of a FIELD_ONE object; the renderer's */
};

/* NULL fields: the default set. */
Selection *fields_select(const Kind *kind, const char *fields, GError **error);
/* The same in the order of the answers to POST and PUT. */
Selection *fields_select_written(const Kind *kind, const char *fields, GError **error);
void selection_free(Selection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Selection, selection_free)

gboolean selection_has(const Selection *selection, const char *name);

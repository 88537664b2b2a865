/* v5_row: one resource to one row, by the tables of tracker/kinds.h. */
#pragma once

#include <jansson.h>

#include "tracker/db.h"
#include "tracker/kinds.h"

/* A value for a column that the resource may lack. */
typedef struct V5Default {
    const char *column;
    const char *text; /* NULL: number */
    gint64 number;
    gboolean always; /* whatever the resource says */
} V5Default;

/* Inserts, or updates what is there: attributes that have a column of their type go there; those
 * that are computed or stored elsewhere are left out; everything else goes to `extra`, "_"-keys
 * excepted. `kind` may have no `extra`. */
void v5_row_put(DbConn *conn, const Kind *kind, gint64 id, const json_t *resource,
                const V5Default *defaults, gsize n_defaults);

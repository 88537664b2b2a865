/* render: objects of the database as V5 JSON text.
 *
 * Reads each kind of a page with one statement, whatever the number of objects: children are
 * rendered first, into one buffer per list, and copied into their parents. Writes text, builds no
 * trees. Threads: a Render belongs to one request and its connection. Errors: stick to the
 * connection. */
#pragma once

#include "tracker/db.h"
#include "tracker/fields.h"
#include "tracker/pieces.h"
#include "tracker/story_pages.h"

typedef struct Plans Plans;

typedef struct Render {
    DbConn *conn;
    gboolean millis;       /* date_format=millis */
    gboolean hide_emails;  /* a caller without a name */
    const char *api_token; /* of the caller, NULL: not known; borrowed */
    gint64 now_ms;
    StoryPages *pages; /* NULL: none, as in a transaction that writes; borrowed */
    Plans *plans;      /* tracker/computed.h; owned */
} Render;

void render_clear(Render *render);

/* Objects by id, in the given order, comma-separated; ids that are missing are skipped. Returns how
 * many. */
guint render_list(Render *render, Selection *selection, const gint64 *ids, gsize n_ids,
                  GString *out);
/* One object; FALSE when there is none. */
gboolean render_one(Render *render, Selection *selection, gint64 id, GString *out);

/* render_list() that notes where each object is in `out`, which it borrows; NULL: in a text of its
 * own. */
Pieces *render_each(Render *render, Selection *selection, const gint64 *ids, gsize n_ids,
                    GString *out);

/* As a JSON array. */
char *render_ids_json(const gint64 *ids, gsize n_ids);
/* The one column of a statement as an array of gint64; finishes the statement. */
GArray *render_ids(DbStmt *stmt);

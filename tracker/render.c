/* render_group() does the work for what nests: for all parents at once it selects the children
 * ordered by parent, writes them one after another into a buffer and notes where each parent's run
 * begins and ends. Lists inside the children are groups of their own, rendered before, from the ids
 * of the children: so a page costs one statement per kind and depth (two where a kind has lists
 * inside), never one per object. The objects of the page itself, write_list(), go straight into the
 * answer. Ids go into SQL as a JSON array through json_each(), which keeps the order and the
 * statement's text the same for every page. Objects that are referred to by id (people, labels of
 * epics) are few: each is rendered once and remembered by its selection. */
#include "tracker/render.h"

#include "tracker/computed.h"
#include "tracker/json_writer.h"
#include "tracker/zone.h"

GArray *
render_ids(DbStmt *stmt)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));

    while (db_next(stmt)) {
        gint64 id = db_int(stmt, 0);

        g_array_append_val(ids, id);
    }
    db_done(stmt);
    return ids;
}

char *
render_ids_json(const gint64 *ids, gsize n_ids)
{
    GString *text = g_string_sized_new(12 * n_ids + 2);

    g_string_append_c(text, '[');
    for (gsize i = 0; i < n_ids; i++) {
        json_separate(text);
        json_int(text, ids[i]);
    }
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static Pieces *
render_id_group(Render *render, const Link *link, const char *parents)
{
    g_autoptr(Pieces) pieces = pieces_new(NULL);
    g_autofree char *sql = g_strdup_printf(
        "SELECT %s, %s FROM %s WHERE %s IN (SELECT value FROM json_each(?1))"
        " ORDER BY %s",
        link->parent, link->id ? link->id : "t.id", link->from, link->parent, link->order);
    g_autoptr(DbStmt) stmt = db_prepare(render->conn, sql);

    db_bind_text(stmt, 1, parents);
    while (db_next(stmt)) {
        pieces_begin(pieces, db_int(stmt, 0));
        json_int(pieces_text(pieces), db_int(stmt, 1));
        pieces_end(pieces);
    }
    return g_steal_pointer(&pieces);
}

static Pieces *render_group(Render *render, Selection *selection, const Link *link,
                            const char *parents);

/* The lists inside the objects of these ids: one Pieces per picked field, NULL for the others. */
static GPtrArray *
render_children(Render *render, Selection *selection, const char *ids)
{
    GPtrArray *children = g_ptr_array_new_with_free_func((GDestroyNotify)pieces_free);

    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);
        const Link *link = picked->field->link;
        Pieces *pieces = NULL;

        if (picked->field->type == FIELD_IDS) {
            pieces = render_id_group(render, link, ids);
        } else if (picked->field->type == FIELD_MANY) {
            pieces = render_group(render, picked->child, link, ids);
        }
        g_ptr_array_add(children, pieces);
    }
    return children;
}

/* Appends the object that a row refers to by id; "" when it does not exist. */
static void
write_one(Render *render, Selection *child, gint64 id, GString *out)
{
    const char *known = g_hash_table_lookup(child->ones, &id);

    if (!known) {
        GString *text = g_string_new(NULL);

        (void)render_one(render, child, id, text);
        known = g_string_free(text, FALSE);
        (void)g_hash_table_insert(child->ones, g_memdup2(&id, sizeof id),
                                  (gpointer)(guintptr)known);
    }
    g_string_append(out, known);
}

static void
write_zone(Render *render, const char *name, GString *out)
{
    g_autoptr(GTimeZone) zone = zone_open_or_utc(name);
    char offset[ZONE_OFFSET_TEXT_BYTES];

    zone_offset_text(zone, render->now_ms, offset);
    g_string_append(out, "{\"kind\":\"time_zone\",\"olson_name\":");
    json_text(out, name, strlen(name));
    g_string_append_printf(out, ",\"offset\":\"%s\"}", offset);
}

/* The value of a picked field in the statement's row; writes nothing when the field has none. */
static void
write_value(Render *render, const Picked *picked, Pieces *pieces, DbStmt *row, gint64 id,
            GString *out)
{
    int column = picked->column;

    if (column >= 0 && db_is_null(row, column)) {
        return;
    }
    switch (picked->field->type) {
    case FIELD_KIND:
        break; /* write_object() */
    case FIELD_INT:
        json_int(out, db_int(row, column));
        break;
    case FIELD_NUMBER:
        json_number(out, db_double(row, column));
        break;
    case FIELD_EMAIL:
        if (render->hide_emails) {
            break;
        }
        json_text(out, db_text(row, column), db_bytes(row, column));
        break;
    case FIELD_TEXT: {
        const char *text = db_text(row, column);

        json_text(out, text, db_bytes(row, column));
        break;
    }
    case FIELD_BOOL:
        g_string_append(out, db_int(row, column) ? "true" : "false");
        break;
    case FIELD_TIME:
        json_time(out, db_int(row, column), render->millis);
        break;
    case FIELD_JSON:
        if (render->millis) {
            json_append_millis(out, db_text(row, column));
        } else {
            g_string_append(out, db_text(row, column));
        }
        break;
    case FIELD_ZONE:
        write_zone(render, db_text(row, column), out);
        break;
    case FIELD_TOKEN:
        if (render->api_token) {
            json_text(out, render->api_token, strlen(render->api_token));
        }
        break;
    case FIELD_ONE:
        write_one(render, picked->child, db_int(row, column), out);
        break;
    case FIELD_MANY:
    case FIELD_IDS:
        g_string_append_c(out, '[');
        (void)pieces_append(pieces, id, out);
        g_string_append_c(out, ']');
        break;
    case FIELD_COMPUTED:
        picked->field->compute(render, out, id);
        break;
    }
}

static void
write_historic(const Selection *selection, const char *extra, GString *out)
{
    for (guint i = 0; i < selection->historic->len; i++) {
        const char *name = g_ptr_array_index(selection->historic, i), *value;
        gsize bytes;

        if (json_member(extra, name, &value, &bytes)) {
            json_key(out, name);
            g_string_append_len(out, value, (gssize)bytes);
        }
    }
}

static void
write_object(Render *render, Selection *selection, const GPtrArray *children, DbStmt *row,
             GString *out)
{
    gint64 id = db_int(row, SELECTION_ID);

    g_string_append_c(out, '{');
    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);
        Pieces *pieces = children ? g_ptr_array_index(children, i) : NULL;
        gsize before = out->len, value;

        json_key(out, picked->field->name);
        value = out->len;
        if (picked->field->type == FIELD_KIND) {
            json_text(out, selection->kind->name, strlen(selection->kind->name));
        } else {
            write_value(render, picked, pieces, row, id, out);
        }
        if (out->len == value) {
            g_string_truncate(out, before); /* no value, no member */
        }
    }
    if (!db_is_null(row, SELECTION_EXTRA)) {
        if (selection->extra) {
            json_splice(out, db_text(row, SELECTION_EXTRA));
        } else {
            write_historic(selection, db_text(row, SELECTION_EXTRA), out);
        }
    }
    g_string_append_c(out, '}');
}

/* The objects of a kind in a query: "SELECT what, t.id, ..." and then `tail`, whose ?1 is `ids`. */
static DbStmt *
prepare_objects(Render *render, const Selection *selection, const char *what, const char *tail,
                const char *ids)
{
    gboolean extra = selection->kind->has_extra && (selection->extra || selection->historic->len);
    g_autofree char *sql = g_strconcat("SELECT ", what, ", t.id, ", extra ? "t.extra" : "NULL",
                                       selection->columns->str, tail, NULL);
    DbStmt *stmt = db_prepare(render->conn, sql);

    db_bind_text(stmt, 1, ids);
    return stmt;
}

static Pieces *
render_group(Render *render, Selection *selection, const Link *link, const char *parents)
{
    g_autoptr(Pieces) pieces = pieces_new(NULL);
    g_autoptr(GPtrArray) children = NULL;
    g_autofree char *tail = g_strdup_printf(
        " FROM %s WHERE %s IN (SELECT value FROM json_each(?1))", link->from, link->parent);
    g_autofree char *ordered = g_strconcat(tail, " ORDER BY ", link->order, NULL);
    g_autoptr(DbStmt) stmt = NULL;

    if (selection->has_children) {
        g_autofree char *id_sql = g_strdup_printf("SELECT DISTINCT t.id%s", tail);
        DbStmt *id_stmt = db_prepare(render->conn, id_sql);
        g_autoptr(GArray) ids = NULL;
        g_autofree char *json = NULL;

        db_bind_text(id_stmt, 1, parents);
        ids = render_ids(id_stmt);
        json = render_ids_json((const gint64 *)(const void *)ids->data, ids->len);
        children = render_children(render, selection, json);
    }
    stmt = prepare_objects(render, selection, link->parent, ordered, parents);
    while (db_next(stmt)) {
        pieces_begin(pieces, db_int(stmt, SELECTION_PARENT));
        write_object(render, selection, children, stmt, pieces_text(pieces));
        pieces_end(pieces);
    }
    return g_steal_pointer(&pieces);
}

/* Objects by id in the order of `ids`; notes into `pieces` where each one is, unless that is NULL.
 */
static guint
write_list(Render *render, Selection *selection, const gint64 *ids, gsize n_ids, GString *out,
           Pieces *pieces)
{
    g_autofree char *json = render_ids_json(ids, n_ids);
    g_autofree char *tail = g_strdup_printf(
        " FROM json_each(?1) asked CROSS JOIN %s t ON t.id = asked.value ORDER BY asked.key",
        selection->kind->table);
    g_autoptr(GPtrArray) children = NULL;
    g_autoptr(DbStmt) stmt = NULL;
    guint written = 0;

    if (selection->has_children) {
        children = render_children(render, selection, json);
    }
    stmt = prepare_objects(render, selection, "NULL", tail, json);
    for (; db_next(stmt); written++) {
        gsize start;

        json_separate(out);
        start = out->len;
        write_object(render, selection, children, stmt, out);
        if (pieces) {
            pieces_note(pieces, db_int(stmt, SELECTION_ID), start);
        }
    }
    return written;
}

guint
render_list(Render *render, Selection *selection, const gint64 *ids, gsize n_ids, GString *out)
{
    return write_list(render, selection, ids, n_ids, out, NULL);
}

Pieces *
render_each(Render *render, Selection *selection, const gint64 *ids, gsize n_ids, GString *out)
{
    Pieces *pieces = pieces_new(out);

    (void)write_list(render, selection, ids, n_ids, pieces_text(pieces), pieces);
    return pieces;
}

gboolean
render_one(Render *render, Selection *selection, gint64 id, GString *out)
{
    return write_list(render, selection, &id, 1, out, NULL) > 0;
}

void
render_clear(Render *render)
{
    plans_free(render->plans);
    render->plans = NULL;
}

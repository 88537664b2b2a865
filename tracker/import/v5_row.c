/* v5_row: a column is a field whose SQL is the column of its own name. The columns of a row are
 * written in the order of the kind's fields, so that resources with the same attributes share a
 * statement. A value that does not fit its column (a number for a name, a time nobody can read)
 * goes to `extra`, which is given back as it is. */
#include "tracker/import/v5_row.h"

#include <string.h>

#include "tracker/import/v5_recognise.h"

static gboolean
is_column(const Field *field)
{
    return field->sql != NULL && strncmp(field->sql, "t.", 2) == 0 &&
           strcmp(field->sql + 2, field->name) == 0;
}

/* Columns whose field is an expression: the value is kept when the expression would not give it. */
static gboolean
is_address(const Field *field, const json_t *value, gint64 id, gboolean *ret_keep)
{
    const char *text = json_string_value(value);
    if (text == NULL || field->type != FIELD_TEXT) {
        return FALSE;
    }
    if (strcmp(field->name, "big_url") == 0 || strcmp(field->name, "thumbnail_url") == 0) {
        *ret_keep = strcmp(text, "#") != 0;
        return TRUE;
    }
    if (strcmp(field->name, "url") == 0) {
        g_autofree char *usual =
            g_strdup_printf("https://www.pivotaltracker.com/%s/show/%" G_GINT64_FORMAT,
                            strstr(field->sql, "/epic/") != NULL ? "epic" : "story", id);
        *ret_keep = strcmp(text, usual) != 0;
        return TRUE;
    }
    return FALSE;
}

static gboolean
fits(const Field *field, const json_t *value)
{
    switch (field->type) {
    case FIELD_INT:
        return json_is_integer(value);
    case FIELD_NUMBER:
        return json_is_number(value);
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_ZONE:
        return json_is_string(value);
    case FIELD_BOOL:
        return json_is_boolean(value);
    case FIELD_TIME:
        return v5_time_ms(value) != 0;
    case FIELD_JSON:
        return json_is_array(value);
    case FIELD_KIND:
    case FIELD_TOKEN:
    case FIELD_ONE:
    case FIELD_MANY:
    case FIELD_IDS:
    case FIELD_COMPUTED:
        break;
    }
    return FALSE;
}

static void
bind(DbStmt *stmt, int parameter, const Field *field, const json_t *value)
{
    char *text;
    switch (field->type) {
    case FIELD_INT:
        db_bind_int(stmt, parameter, json_integer_value(value));
        break;
    case FIELD_NUMBER:
        db_bind_double(stmt, parameter, json_number_value(value));
        break;
    case FIELD_BOOL:
        db_bind_int(stmt, parameter, json_is_true(value) ? 1 : 0);
        break;
    case FIELD_TIME:
        db_bind_int(stmt, parameter, v5_time_ms(value));
        break;
    case FIELD_JSON:
        text = json_dumps(value, JSON_COMPACT);
        db_bind_text(stmt, parameter, text);
        free(text);
        break;
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_ZONE:
        db_bind_text_n(stmt, parameter, json_string_value(value), json_string_length(value));
        break;
    case FIELD_KIND:
    case FIELD_TOKEN:
    case FIELD_ONE:
    case FIELD_MANY:
    case FIELD_IDS:
    case FIELD_COMPUTED:
        g_assert_not_reached();
    }
}

typedef struct Cell {
    const Field *field;
    const json_t *value;
} Cell;

/* Sorts the attributes into cells (in the order of the fields) and the rest. */
static GArray *
sort_out(const Kind *kind, gint64 id, const json_t *resource, json_t *ret_extra)
{
    GArray *cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    for (gsize i = 0; i < kind->n_fields; i++) {
        const Field *field = &kind->fields[i];
        const json_t *value = json_object_get(resource, field->name);
        gboolean keep = TRUE;
        if (value == NULL || strcmp(field->name, "id") == 0) {
            continue;
        }
        if ((is_column(field) && fits(field, value)) ||
            (is_address(field, value, id, &keep) && keep)) {
            Cell cell = {field, value};
            g_array_append_val(cells, cell);
        }
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(guintptr)resource, key, value)
    {
        const Field *field = kind_field(kind, key, strlen(key));
        gboolean is_lost =
            field != NULL && is_column(field) && !fits(field, value) && !json_is_null(value);
        if ((field == NULL || is_lost) && *key != '_' && strcmp(key, "id") != 0) {
            (void)json_object_set(ret_extra, key, value);
        }
    }
    return cells;
}

static gboolean
has_cell(const GArray *cells, const char *column)
{
    for (guint i = 0; i < cells->len; i++) {
        if (strcmp(g_array_index(cells, Cell, i).field->name, column) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static void
drop_overruled(GArray *cells, const V5Default *defaults, gsize n_defaults)
{
    for (guint i = cells->len; i > 0; i--) {
        for (gsize d = 0; d < n_defaults; d++) {
            if (defaults[d].always &&
                strcmp(defaults[d].column, g_array_index(cells, Cell, i - 1).field->name) == 0) {
                (void)g_array_remove_index(cells, i - 1);
                break;
            }
        }
    }
}

static void
add_column(GString *names, GString *marks, GString *updates, const char *column, int parameter,
           gboolean update)
{
    g_string_append_printf(names, ", %s", column);
    g_string_append_printf(marks, ", ?%d", parameter);
    if (update) {
        g_string_append_printf(updates, "%s%s = excluded.%s", updates->len > 0 ? ", " : "", column,
                               column);
    }
}

void
v5_row_put(DbConn *conn, const Kind *kind, gint64 id, const json_t *resource,
           const V5Default *defaults, gsize n_defaults)
{
    json_t *extra = json_object();
    g_autoptr(GArray) cells = sort_out(kind, id, resource, extra);
    drop_overruled(cells, defaults, n_defaults);
    char *extra_text =
        kind->has_extra && json_object_size(extra) > 0 ? json_dumps(extra, JSON_COMPACT) : NULL;

    g_autoptr(GString) names = g_string_new("id");
    g_autoptr(GString) marks = g_string_new("?1");
    g_autoptr(GString) updates = g_string_new(NULL);
    int parameter = 2;
    for (guint i = 0; i < cells->len; i++) {
        add_column(names, marks, updates, g_array_index(cells, Cell, i).field->name, parameter++,
                   TRUE);
    }
    for (gsize d = 0; d < n_defaults; d++) {
        if (!has_cell(cells, defaults[d].column)) {
            add_column(names, marks, updates, defaults[d].column, parameter++, defaults[d].always);
        }
    }
    if (extra_text != NULL) {
        add_column(names, marks, updates, "extra", parameter, TRUE);
    }
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO %s(%s) VALUES(%s) ON CONFLICT(id) DO %s%s", kind->table, names->str,
        marks->str, updates->len > 0 ? "UPDATE SET " : "NOTHING", updates->str);

    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    if (id > 0) {
        db_bind_int(stmt, 1, id);
    }
    parameter = 2;
    for (guint i = 0; i < cells->len; i++) {
        const Cell *cell = &g_array_index(cells, Cell, i);
        bind(stmt, parameter++, cell->field, cell->value);
    }
    for (gsize d = 0; d < n_defaults; d++) {
        if (!has_cell(cells, defaults[d].column)) {
            if (defaults[d].text != NULL) {
                db_bind_text(stmt, parameter++, defaults[d].text);
            } else {
                db_bind_int(stmt, parameter++, defaults[d].number);
            }
        }
    }
    if (extra_text != NULL) {
        db_bind_text(stmt, parameter, extra_text);
    }
    (void)db_run(stmt);
    free(extra_text);
    json_decref(extra);
}

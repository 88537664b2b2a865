/* A recursive descent over
 *     fields = item *("," item);  item = ":default" / name / name "(" fields ")"
 * marks attributes of the kind; the Selection is then built in the kind's own order, so the order
 * of the request does not matter and a name given twice merges. Depth is bounded by the kinds,
 * which do not nest in circles by default, and by FIELDS_MAX_DEPTH. */
#include "tracker/fields.h"

#include <string.h>

#include "tracker/service.h"

typedef struct Wanted {
    gboolean all_default;
    GHashTable *marks;   /* const Field * → GString of the inner fields; empty: default */
    GPtrArray *historic; /* char * */
} Wanted;

typedef struct Style {
    int depth;
    gboolean written; /* in the order of POST and PUT */
} Style;

static Selection *select_text(const Kind *kind, const char *text, gsize bytes, Style style,
                              GError **error);

static void
inner_free(gpointer data)
{
    (void)g_string_free(data, TRUE);
}

static void
picked_clear(gpointer data)
{
    selection_free(((Picked *)data)->child);
}

void
selection_free(Selection *selection)
{
    if (!selection) {
        return;
    }
    g_array_unref(selection->picked);
    g_ptr_array_unref(selection->historic);
    (void)g_string_free(selection->columns, TRUE);
    g_hash_table_unref(selection->ones);
    g_free(selection);
}

gboolean
selection_has(const Selection *selection, const char *name)
{
    for (guint i = 0; i < selection->picked->len; i++) {
        if (strcmp(g_array_index(selection->picked, Picked, i).field->name, name) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static const Kind *
nested_kind(const Field *field)
{
    if (field->type == FIELD_ONE) {
        return field->nested;
    }
    return field->type == FIELD_MANY ? field->link->kind : NULL;
}

static gboolean
refuse(GError **error, const char *problem, const char *text, gsize bytes)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)bytes);

    g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, "%s: %s", problem, valid);
    return FALSE;
}

/* The length of what stands between "(" and its ")"; -1 when that is missing. */
static gssize
inner_length(const char *text, gsize bytes)
{
    int depth = 1;

    for (gsize i = 0; i < bytes; i++) {
        if (text[i] == '(') {
            depth++;
        } else if (text[i] == ')' && --depth == 0) {
            return (gssize)i;
        }
    }
    return -1;
}

static gboolean
mark(const Kind *kind, Wanted *wanted, const char *name, gsize name_bytes, const char *inner,
     gssize inner_bytes, GError **error)
{
    const Field *field = kind_field(kind, name, name_bytes);
    GString *held;

    if (!field) {
        if (!kind_is_historic(name, name_bytes) || inner) {
            return refuse(error, "'fields' names an unknown attribute", name, name_bytes);
        }
        g_ptr_array_add(wanted->historic, g_strndup(name, name_bytes));
        return TRUE;
    }
    if (inner && !nested_kind(field) && field->type != FIELD_ZONE &&
        field->type != FIELD_COMPUTED) {
        return refuse(error, "'fields' gives attributes to a plain value", name, name_bytes);
    }
    held = g_hash_table_lookup(wanted->marks, field);
    if (!held) {
        held = g_string_new(NULL);
        (void)g_hash_table_insert(wanted->marks, (gpointer)(guintptr)field, held);
    } else if (held->len == 0 || !inner) {
        /* "x,x(a)" is the default set and a. */
        g_string_append(held, held->len ? ",:default" : (inner ? ":default" : ""));
    }
    if (inner) {
        if (held->len) {
            g_string_append_c(held, ',');
        }
        g_string_append_len(held, inner, inner_bytes);
    }
    return TRUE;
}

static gboolean
parse(const Kind *kind, Wanted *wanted, const char *text, gsize bytes, GError **error)
{
    gsize at = 0;

    while (at < bytes) {
        gsize start = at;
        const char *inner = NULL;
        gssize inner_bytes = 0;

        while (at < bytes && !strchr(",()", text[at])) {
            at++;
        }
        if (at < bytes && text[at] == ')') {
            return refuse(error, "'fields' cannot be read", text, bytes);
        }
        if (at < bytes && text[at] == '(') {
            inner = text + at + 1;
            inner_bytes = inner_length(inner, bytes - at - 1);
            if (inner_bytes < 0) {
                return refuse(error, "'fields' lacks a closing parenthesis", text, bytes);
            }
        }
        if (at - start == strlen(":default") && !inner &&
            strncmp(text + start, ":default", at - start) == 0) {
            wanted->all_default = TRUE;
        } else if (at > start) {
            if (!mark(kind, wanted, text + start, at - start, inner, inner_bytes, error)) {
                return FALSE;
            }
        } else if (inner) {
            return refuse(error, "'fields' cannot be read", text, bytes);
        }
        if (inner) {
            at += (gsize)inner_bytes + 2;
            if (at < bytes && text[at] != ',') {
                return refuse(error, "'fields' cannot be read", text, bytes);
            }
        }
        at++;
    }
    return TRUE;
}

static gboolean
needs_column(const Field *field)
{
    return field->sql && field->type != FIELD_TOKEN;
}

static gboolean
is_replaced(const Kind *kind, const Wanted *wanted, const Field *field)
{
    for (gsize i = 0; i < kind->n_fields; i++) {
        const Field *other = &kind->fields[i];

        if (other->replaces && strcmp(other->replaces, field->name) == 0 &&
            g_hash_table_contains(wanted->marks, other)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
pick(Selection *selection, const Field *field, const GString *inner, Style style, GError **error)
{
    Picked picked = {.field = field, .column = -1};

    if (nested_kind(field)) {
        picked.child =
            select_text(nested_kind(field), inner && inner->len ? inner->str : NULL,
                        inner ? inner->len : 0, (Style){style.depth + 1, style.written}, error);
        if (!picked.child) {
            return FALSE;
        }
    }
    if (field->type == FIELD_MANY || field->type == FIELD_IDS) {
        selection->has_children = TRUE;
    }
    if (needs_column(field)) {
        static const char comma[] = ", ";

        picked.column = SELECTION_FIRST;
        for (guint i = 0; i < selection->picked->len; i++) {
            picked.column += g_array_index(selection->picked, Picked, i).column >= 0 ? 1 : 0;
        }
        g_string_append(selection->columns, comma);
        g_string_append(selection->columns, field->sql);
    }
    g_array_append_val(selection->picked, picked);
    return TRUE;
}

static gboolean
is_written_last(const Kind *kind, const char *name)
{
    gsize bytes = strlen(name);
    const char *at = kind->write_order;

    while (at && *at) {
        gsize length = strcspn(at, ",");

        if (length == bytes && strncmp(at, name, bytes) == 0) {
            return TRUE;
        }
        at += length + (at[length] ? 1 : 0);
    }
    return FALSE;
}

/* The kind's fields in the order of the answer; owned. */
static GPtrArray *
ordered_fields(const Kind *kind, gboolean written)
{
    GPtrArray *fields = g_ptr_array_new();
    g_auto(GStrv) last = g_strsplit(written && kind->write_order ? kind->write_order : "", ",", -1);

    for (gsize i = 0; i < kind->n_fields; i++) {
        if (!written || !is_written_last(kind, kind->fields[i].name)) {
            g_ptr_array_add(fields, (gpointer)(guintptr)&kind->fields[i]);
        }
    }
    for (char **name = last; *name; name++) {
        g_ptr_array_add(fields, (gpointer)(guintptr)kind_field(kind, *name, strlen(*name)));
    }
    return fields;
}

static Selection *
build(const Kind *kind, Wanted *wanted, Style style, GError **error)
{
    g_autoptr(GPtrArray) fields = ordered_fields(kind, style.written);
    g_autoptr(Selection) selection = g_new0(Selection, 1);

    selection->kind = kind;
    selection->picked = g_array_new(FALSE, FALSE, sizeof(Picked));
    g_array_set_clear_func(selection->picked, picked_clear);
    selection->historic = g_ptr_array_ref(wanted->historic);
    selection->columns = g_string_new(NULL);
    selection->ones = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    selection->extra = wanted->all_default && kind->has_extra;
    for (guint i = 0; i < fields->len; i++) {
        const Field *field = g_ptr_array_index(fields, i);
        const GString *inner = g_hash_table_lookup(wanted->marks, field);
        gboolean by_default = (field->flags & FIELD_DEFAULT) && wanted->all_default &&
                              !is_replaced(kind, wanted, field);

        if ((inner || by_default || (field->flags & FIELD_ALWAYS)) &&
            !pick(selection, field, inner, style, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&selection);
}

static Selection *
select_text(const Kind *kind, const char *text, gsize bytes, Style style, GError **error)
{
    g_autoptr(GHashTable) marks = g_hash_table_new_full(NULL, NULL, NULL, inner_free);
    g_autoptr(GPtrArray) historic = g_ptr_array_new_with_free_func(g_free);
    Wanted wanted = {.all_default = !text, .marks = marks, .historic = historic};

    if (style.depth > FIELDS_MAX_DEPTH) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, "'fields' is nested too deeply");
        return NULL;
    }
    if (text && !parse(kind, &wanted, text, bytes, error)) {
        return NULL;
    }
    return build(kind, &wanted, style, error);
}

static Selection *
select_styled(const Kind *kind, const char *fields, gboolean written, GError **error)
{
    gsize bytes = fields ? strlen(fields) : 0;

    if (bytes > FIELDS_MAX_BYTES) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, "'fields' is too long");
        return NULL;
    }
    return select_text(kind, fields, bytes, (Style){0, written}, error);
}

Selection *
fields_select(const Kind *kind, const char *fields, GError **error)
{
    return select_styled(kind, fields, FALSE, error);
}

Selection *
fields_select_written(const Kind *kind, const char *fields, GError **error)
{
    return select_styled(kind, fields, TRUE, error);
}

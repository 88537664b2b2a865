/* The JSON of activities: an entry for each change, and the counts of labels.
 *
 * Counts: a label's are counted once, as they are now; what they were follows from the states,
 * estimates and labels that the changed stories had. */
#include "tracker/changes_internal.h"

#include <string.h>

#include "tracker/computed.h"

#define DUMP (JSON_COMPACT | JSON_REAL_PRECISION(15))

static const char *const type_names[] = {
    [CHANGE_CREATE] = "create",
    [CHANGE_UPDATE] = "update",
    [CHANGE_DELETE] = "delete",
};

static char *
dumped(json_t *value)
{
    char *text = json_dumps(value, DUMP);
    char *copy = g_strdup(text ? text : "[]");

    free(text);
    json_decref(value);
    return copy;
}

/* Attributes that are part of a snapshot but not of the values told. */
static gboolean
is_told(const Change *change, const char *name)
{
    /* counts change with the stories: add_counts() */
    gboolean is_count = change->kind == &kind_label && strcmp(name, "counts") == 0;

    return strcmp(name, "url") != 0 && strcmp(name, "kind") != 0 &&
           !(is_count && change->type == CHANGE_UPDATE);
}

static json_t *
value_or_null(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    return value ? json_incref(value) : json_null();
}

static void
add_difference(const Change *change, const char *name, json_t *original, json_t *fresh)
{
    json_t *before = json_object_get(change->before, name);
    json_t *after = json_object_get(change->after, name);

    if (is_told(change, name) && !(before && after && json_equal(before, after))) {
        (void)json_object_set_new(original, name, value_or_null(change->before, name));
        (void)json_object_set_new(fresh, name, value_or_null(change->after, name));
    }
}

static void
add_update(const Change *change, json_t *entry)
{
    json_t *original = json_object(), *fresh = json_object(), *value;
    const char *name;

    json_object_foreach(change->before, name, value)
    {
        add_difference(change, name, original, fresh);
    }
    json_object_foreach(change->after, name, value)
    {
        if (!json_object_get(change->before, name)) {
            add_difference(change, name, original, fresh);
        }
    }
    (void)json_object_set_new(entry, "original_values", original);
    (void)json_object_set_new(entry, "new_values", fresh);
}

static void
add_creation(const Change *change, json_t *entry)
{
    json_t *fresh = json_object(), *value;
    const char *name;

    (void)json_object_set_new(fresh, "id", json_integer(change->id));
    json_object_foreach(change->after, name, value)
    {
        if (is_told(change, name)) {
            (void)json_object_set(fresh, name, value);
        }
    }
    (void)json_object_set_new(entry, "new_values", fresh);
}

static void
add_named(json_t *entry, const json_t *values, const char *names)
{
    g_auto(GStrv) parts = g_strsplit(names, ",", -1);

    for (char **part = parts; *part; part++) {
        json_t *value = json_object_get(values, *part);

        if (value) {
            (void)json_object_set(entry, *part, value);
        }
    }
}

static json_t *
entry_new(const Kind *kind, ChangeType type, gint64 id)
{
    json_t *entry = json_object();

    (void)json_object_set_new(entry, "kind", json_string(kind->name));
    (void)json_object_set_new(entry, "change_type", json_string(type_names[type]));
    (void)json_object_set_new(entry, kind == &kind_iteration_override ? "number" : "id",
                              json_integer(id));
    return entry;
}

static json_t *
entry_of(const Change *change)
{
    json_t *entry = entry_new(change->kind, change->type, change->id);

    if (change->type == CHANGE_CREATE) {
        add_creation(change, entry);
    } else if (change->type == CHANGE_UPDATE) {
        add_update(change, entry);
    }
    if (change->kind == &kind_iteration_override) { /* as recorded: among the values, too */
        (void)json_object_set_new(json_object_get(entry, "original_values"), "number",
                                  json_integer(change->id));
        (void)json_object_set_new(json_object_get(entry, "new_values"), "number",
                                  json_integer(change->id));
    }
    add_named(entry, change->after ? change->after : change->before,
              changes_tracked(change->kind)->beside);
    return entry;
}

/* ---- counts of labels ---- */

static gboolean
has_label(const json_t *story, gint64 label_id)
{
    const json_t *item;
    gsize i;

    json_array_foreach(json_object_get(story, "label_ids"), i, item)
    {
        if (json_integer_value(item) == label_id) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Is the story counted differently for the label? */
static gboolean
counts_change(const Change *change, gint64 label_id)
{
    static const char *const counted[] = {"current_state", "estimate"};
    gboolean before = has_label(change->before, label_id);

    if (before != has_label(change->after, label_id)) {
        return TRUE;
    }
    for (gsize i = 0; before && i < G_N_ELEMENTS(counted); i++) {
        json_t *old = json_object_get(change->before, counted[i]);
        json_t *fresh = json_object_get(change->after, counted[i]);

        if ((old || fresh) && !(old && fresh && json_equal(old, fresh))) {
            return TRUE;
        }
    }
    return FALSE;
}

static void
add_number(json_t *counts, const char *map, const char *state, double amount)
{
    json_t *states = json_object_get(counts, map);
    double value = json_number_value(json_object_get(states, state)) + amount;

    (void)json_object_set_new(states, state,
                              value == (double)(json_int_t)value ? json_integer((json_int_t)value)
                                                                 : json_real(value));
}

/* Takes a story into the counts, or out of them with `sign` -1. */
static void
count_story(json_t *counts, const json_t *story, int sign)
{
    const char *state = json_string_value(json_object_get(story, "current_state"));
    double estimate = json_number_value(json_object_get(story, "estimate"));

    if (!state) {
        return;
    }
    add_number(counts, "number_of_stories_by_state", state, sign);
    add_number(counts, "sum_of_story_estimates_by_state", state, sign * estimate);
    if (estimate == 0) {
        add_number(counts, "number_of_zero_point_stories_by_state", state, sign);
    }
}

static json_t *
label_counts(Call *call, gint64 label_id)
{
    g_autoptr(GString) text = g_string_new(NULL);

    compute_counts(&call->render, text, label_id);
    return json_loadb(text->str, text->len, 0, NULL);
}

static json_t *
label_entry(Call *call, const GPtrArray *changes, gint64 label_id, const char *name)
{
    json_t *entry = entry_new(&kind_label, CHANGE_UPDATE, label_id);
    json_t *after = label_counts(call, label_id), *before = json_deep_copy(after);

    for (guint i = 0; i < changes->len; i++) {
        const Change *change = g_ptr_array_index(changes, i);

        if (change->kind == &kind_story) {
            if (has_label(change->after, label_id)) {
                count_story(before, change->after, -1);
            }
            if (has_label(change->before, label_id)) {
                count_story(before, change->before, 1);
            }
        }
    }
    (void)json_object_set_new(entry, "original_values", json_pack("{s:o}", "counts", before));
    (void)json_object_set_new(entry, "new_values", json_pack("{s:o}", "counts", after));
    (void)json_object_set_new(entry, "name", json_string(name));
    return entry;
}

static gboolean
is_listed(const GPtrArray *changes, gint64 label_id)
{
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = g_ptr_array_index(changes, i);

        if (change->kind == &kind_label && change->id == label_id) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The labels of one state of a story that count it differently now; each once. */
static void
add_counts(Call *call, const GPtrArray *changes, const Change *change, const json_t *story,
           GHashTable *seen, json_t *entries)
{
    const json_t *item;
    gsize i;

    json_array_foreach(json_object_get(story, "label_ids"), i, item)
    {
        gint64 id = json_integer_value(item);
        g_autoptr(DbStmt) stmt = NULL;

        if (!counts_change(change, id) || is_listed(changes, id) ||
            !g_hash_table_add(seen, g_memdup2(&id, sizeof id))) {
            continue;
        }
        /* A story that changes projects changes labels of both; each activity tells its own. */
        stmt = db_prepare(call->conn, "SELECT name FROM label WHERE id = ?1 AND project_id = ?2");
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, call->changes->project_id);
        if (db_next(stmt)) {
            (void)json_array_append_new(entries, label_entry(call, changes, id, db_text(stmt, 0)));
        }
    }
}

char *
changes_json(Call *call, const GPtrArray *changes)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    json_t *entries = json_array();

    for (guint i = 0; i < changes->len; i++) {
        const Change *change = g_ptr_array_index(changes, i);

        if (change->kind == &kind_story) {
            add_counts(call, changes, change, change->before, seen, entries);
            add_counts(call, changes, change, change->after, seen, entries);
        }
    }
    for (guint i = 0; i < changes->len; i++) {
        (void)json_array_append_new(entries, entry_of(g_ptr_array_index(changes, i)));
    }
    return dumped(entries);
}

char *
changes_subjects_json(const GPtrArray *subjects)
{
    json_t *list = json_array();

    for (guint i = 0; i < subjects->len; i++) {
        const Change *change = g_ptr_array_index(subjects, i);
        json_t *resource = json_object();

        (void)json_object_set_new(resource, "kind", json_string(change->kind->name));
        (void)json_object_set_new(resource, "id", json_integer(change->id));
        add_named(resource, change->after ? change->after : change->before, "name,story_type,url");
        (void)json_array_append_new(list, resource);
    }
    return dumped(list);
}

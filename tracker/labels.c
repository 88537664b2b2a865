/* Labels that are named for the first time are made together: one label_create_activity with all of
 * them, before the activity of what names them. */
#include "tracker/labels.h"

#include <string.h>

#include "tracker/changes.h"
#include "tracker/ids.h"
#include "tracker/rows.h"

char *
label_clean_name(Call *call, const char *name)
{
    g_autofree char *lower = g_utf8_strdown(name, -1);
    g_autofree char *problem = NULL, *requirement = NULL;

    (void)g_strstrip(lower);
    if (*lower == '\0') {
        (void)call_fail_field(call, "name", "Please enter a name for the label.");
        return NULL;
    }
    if (strchr(lower, ',')) {
        /* Commas separate labels; the real text is unknown (unsure). */
        (void)call_fail_field(call, "name", "Label names can't contain commas.");
        return NULL;
    }
    if (g_utf8_strlen(lower, -1) > LABEL_MAX_CHARS) {
        problem = g_strdup_printf("This string is too long:  '%s'", lower);
        requirement =
            g_strdup_printf("'name' parameter must be %d characters or less.", LABEL_MAX_CHARS);
        (void)call_fail_rule(call, problem, requirement);
        return NULL;
    }
    return g_steal_pointer(&lower);
}

gint64
label_find(Call *call, gint64 project_id, const char *clean_name)
{
    return row_int(call->conn, "SELECT id FROM label WHERE project_id = ?1 AND name = ?2", "it",
                   project_id, clean_name);
}

static gint64
make_label(Call *call, gint64 project_id, const char *name)
{
    gint64 id;

    (void)row_run(call->conn,
                  "INSERT INTO label(project_id, name, created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?3)",
                  "iti", project_id, name, change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_label, id);
    change_subject(call, &kind_label, id);
    return id;
}

GArray *
labels_of_names(Call *call, gint64 project_id, const GPtrArray *names)
{
    g_autoptr(GArray) ids = ids_new();
    g_autoptr(GString) made = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        gint64 id = label_find(call, project_id, name);

        if (!id) {
            id = make_label(call, project_id, name);
            g_string_append_printf(made, "%s\"%s\"", made->len ? ", " : "", name);
        }
        ids_add(ids, id);
    }
    if (made->len > 0) {
        change_describe(call, "label_create_activity", "created", "created labels: %s", made->str);
        if (!change_close(call)) {
            return NULL;
        }
    }
    return g_steal_pointer(&ids);
}

static gboolean
exists(Call *call, gint64 project_id, gint64 id)
{
    g_autofree char *text = NULL;

    if (row_int(call->conn, "SELECT 1 FROM label WHERE id = ?1 AND project_id = ?2", "ii", id,
                project_id)) {
        return TRUE;
    }
    text = g_strdup_printf("Label with id=%" G_GINT64_FORMAT " does not exist within this project",
                           id);
    return call_fail_text(call, text);
}

GArray *
labels_of_ids(Call *call, gint64 project_id, const json_t *ids)
{
    g_autoptr(GArray) found = ids_new();
    const json_t *item;
    gsize i;

    json_array_foreach(ids, i, item)
    {
        gint64 id = json_integer_value(item);

        if (!exists(call, project_id, id)) {
            return NULL;
        }
        ids_add(found, id);
    }
    return g_steal_pointer(&found);
}

/* Objects are often given back as they were answered: what else is in them is no matter. */
static const Param element_params[] = {
    {"id", PARAM_INT, 0, 0, NULL},
    {"name", PARAM_STRING, 0, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"project_id", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"created_at", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"updated_at", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"counts", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
static const ParamTable element_table = PARAM_TABLE(element_params, FALSE, NULL);

/* The clean name of an element, owned; NULL and *ret_id, or NULL and a 400. */
static char *
element_name(Call *call, gint64 project_id, json_t *element, gint64 *ret_id)
{
    const char *name = json_string_value(element);

    *ret_id = 0;
    if (!name) {
        if (!body_check(call, element, &element_table, "labels")) {
            return NULL;
        }
        *ret_id = body_int(element, "id", 0);
        name = body_text(element, "name");
        if (body_has(element, "id")) {
            if (!exists(call, project_id, *ret_id)) {
                *ret_id = 0;
            }
            return NULL;
        }
    }
    if (!name) {
        (void)call_fail_text(call, "Can't use content of 'labels' parameter.");
        return NULL;
    }
    return label_clean_name(call, name);
}

GArray *
labels_of_list(Call *call, gint64 project_id, const json_t *list)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GArray *ids = ids_new(), *named;
    json_t *element;
    gsize i;

    json_array_foreach(list, i, element)
    {
        gint64 id;
        char *name = element_name(call, project_id, element, &id);

        if (!name && !id) {
            g_array_unref(ids);
            return NULL;
        }
        if (name) {
            g_ptr_array_add(names, name);
        } else {
            ids_add(ids, id);
        }
    }
    named = labels_of_names(call, project_id, names);
    for (guint k = 0; named && k < named->len; k++) {
        ids_add(ids, g_array_index(named, gint64, k));
    }
    if (!named) {
        g_clear_pointer(&ids, g_array_unref);
    }
    g_clear_pointer(&named, g_array_unref);
    return ids;
}

/* What the object will look like once the server has accepted, as far as that can be known: the
 * attributes that were set, and what a service changes along with them (the first owner, the
 * estimate of a bug, the time of acceptance). An accepted edit brings the server's own answer,
 * which is laid over the object instead. */
#include "cache/edit_apply.h"

#include <string.h>

#include "cache/edit_fields.h"
#include "cache/json_text.h"

/* --- Lists --- */

static gboolean
list_has(const json_t *list, const json_t *value)
{
    gsize i;
    const json_t *element;
    json_array_foreach(list, i, element)
    {
        if (json_equal(element, value)) {
            return TRUE;
        }
    }
    return FALSE;
}

static json_t *
append_if(json_t *into, const json_t *list, const json_t *unwanted)
{
    gsize i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (!list_has(unwanted, element) && !list_has(into, element)) {
            (void)json_array_append(into, element);
        }
    }
    return into;
}

json_t *
edit_list_with(const json_t *list, const json_t *added)
{
    return append_if(append_if(json_array(), list, NULL), added, NULL);
}

json_t *
edit_list_without(const json_t *list, const json_t *removed)
{
    return append_if(json_array(), list, removed);
}

static const char *
list_key(EditObject object)
{
    return object == OBJECT_TASK ? "tasks" : "comments";
}

static gsize
find_index(const json_t *list, gint64 id)
{
    gsize i;
    const json_t *element;
    json_array_foreach(list, i, element)
    {
        if (json_get_id(element, "id") == id) {
            return i;
        }
    }
    return G_MAXSIZE;
}

/* The comment that carries an attachment. */
static const json_t *
find_carrier(const json_t *owner, gint64 attachment_id)
{
    gsize i;
    const json_t *comment;
    json_array_foreach(json_object_get(owner, "comments"), i, comment)
    {
        if (find_index(json_object_get(comment, "file_attachments"), attachment_id) != G_MAXSIZE) {
            return comment;
        }
    }
    return NULL;
}

const json_t *
edit_find_part(const json_t *owner, EditObject object, gint64 id)
{
    if (object == OBJECT_ATTACHMENT) {
        const json_t *files = json_object_get(find_carrier(owner, id), "file_attachments");
        return json_array_get(files, find_index(files, id));
    }
    const json_t *list = json_object_get(owner, list_key(object));
    return json_array_get(list, find_index(list, id));
}

/* `owner` with `part` in the list, in place of the one with its id or at the end. Takes `part`. */
static json_t *
with_part(const json_t *owner, const char *key, json_t *part)
{
    json_t *copy = json_copy((json_t *)(guintptr)owner);
    const json_t *old = json_object_get(owner, key);
    json_t *list = json_is_array(old) ? json_copy((json_t *)(guintptr)old) : json_array();
    gsize at = find_index(list, json_get_id(part, "id"));
    if (at == G_MAXSIZE) {
        (void)json_array_append_new(list, part);
    } else {
        (void)json_array_set_new(list, at, part);
    }
    (void)json_object_set_new(copy, key, list);
    return copy;
}

static json_t *
without_part(const json_t *owner, const char *key, gint64 id)
{
    json_t *copy = json_copy((json_t *)(guintptr)owner);
    const json_t *old = json_object_get(owner, key);
    gsize at = find_index(old, id);
    if (at != G_MAXSIZE) {
        json_t *list = json_copy((json_t *)(guintptr)old);
        (void)json_array_remove(list, at);
        (void)json_object_set_new(copy, key, list);
    }
    return copy;
}

/* --- Attributes --- */

static json_t *
time_now(gint64 ms)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    return json_string(text);
}

static void
set_or_clear(json_t *object, const char *key, const json_t *value)
{
    if (!value || json_is_null(value)) {
        (void)json_object_del(object, key);
    } else {
        (void)json_object_set_new(object, key, json_deep_copy(value));
    }
}

static json_t *
person_object(const Project *project, gint64 id)
{
    const Member *member = project_find_member(project, id);
    json_t *person = json_object();
    (void)json_object_set_new(person, "id", json_integer(id));
    (void)json_object_set_new(person, "kind", json_string("person"));
    if (member) {
        const char *const words[][2] = {{"name", member->person.name},
                                        {"initials", member->person.initials},
                                        {"username", member->person.username}};
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
            if (words[i][1]) {
                (void)json_object_set_new(person, words[i][0], json_string(words[i][1]));
            }
        }
    }
    return person;
}

static json_t *
people_objects(const Project *project, const json_t *ids)
{
    json_t *people = json_array();
    gsize i;
    const json_t *id;
    json_array_foreach(ids, i, id)
    {
        (void)json_array_append_new(people, person_object(project, json_integer_value(id)));
    }
    return people;
}

/* Labels that the project does not have yet get an id that no service gives. */
static gint64
new_label_id(const char *name)
{
    return 2 * EDIT_PROVISIONAL_FIRST + (gint64)g_str_hash(name);
}

static json_t *
label_object(const json_t *present, const Project *project, const char *name)
{
    gsize i;
    json_t *label;
    json_array_foreach(present, i, label)
    {
        if (g_strcmp0(json_string_value(json_object_get(label, "name")), name) == 0) {
            return json_incref(label);
        }
    }
    gint64 id = new_label_id(name);
    for (guint k = 0; k < project->n_labels; k++) {
        if (g_str_equal(project->labels[k].name, name)) {
            id = project->labels[k].id;
        }
    }
    label = json_object();
    (void)json_object_set_new(label, "id", json_integer(id));
    (void)json_object_set_new(label, "kind", json_string("label"));
    (void)json_object_set_new(label, "project_id", json_integer(project->id));
    (void)json_object_set_new(label, "name", json_string(name));
    return label;
}

static void
set_labels(json_t *object, const json_t *names, const EditContext *context)
{
    json_t *labels = json_array();
    gsize i;
    const json_t *name;
    json_array_foreach(names, i, name)
    {
        (void)json_array_append_new(labels,
                                    label_object(json_object_get(object, "labels"),
                                                 context->project, json_string_value(name)));
    }
    (void)json_object_set_new(object, "labels", labels);
    (void)json_object_del(object, "label_ids");
}

static void
set_people(json_t *object, const Field *field, const json_t *ids, const EditContext *context)
{
    gboolean owners = g_str_equal(field->name, "owner_ids");
    (void)json_object_set_new(object, field->name, json_deep_copy(ids));
    if (json_object_get(object, field->other)) {
        (void)json_object_set_new(object, field->other, people_objects(context->project, ids));
    }
    if (owners) {
        set_or_clear(object, "owned_by_id", json_array_get(ids, 0));
    }
}

static void
set_state(json_t *object, const char *state, const Edit *edit)
{
    (void)json_object_set_new(object, "current_state", json_string(state));
    if (!g_str_equal(state, "accepted")) {
        (void)json_object_del(object, "accepted_at");
    } else if (!json_object_get(object, "accepted_at")) {
        (void)json_object_set_new(object, "accepted_at", time_now(edit->created_ms));
    }
}

/* What a move says about the state; the position itself is not an attribute of the record. */
static void
set_group(json_t *object, const char *group, const Edit *edit)
{
    const char *state = json_string_value(json_object_get(object, "current_state"));
    gboolean unscheduled = g_strcmp0(state, "unscheduled") == 0;
    if (g_str_equal(group, "unscheduled") && !unscheduled) {
        set_state(object, "unscheduled", edit);
    } else if (!g_str_equal(group, "unscheduled") && unscheduled) {
        set_state(object, "unstarted", edit);
    }
}

static void
set_field(json_t *object, const Field *field, const json_t *value, const Edit *edit,
          const EditContext *context)
{
    if (field->type == FIELD_LABELS) {
        set_labels(object, value, context);
    } else if (field->type == FIELD_PEOPLE) {
        set_people(object, field, value, context);
    } else if (field->type == FIELD_STATE) {
        set_state(object, json_string_value(value), edit);
    } else if (field->type == FIELD_PERSON) {
        (void)json_object_set_new(object, field->name, json_deep_copy(value));
        if (json_object_get(object, field->other)) {
            (void)json_object_set_new(object, field->other,
                                      person_object(context->project, json_integer_value(value)));
        }
    } else if (g_str_equal(field->name, "group")) {
        set_group(object, json_string_value(value), edit);
    } else if (!g_str_equal(field->name, "before_id") && !g_str_equal(field->name, "after_id")) {
        set_or_clear(object, field->name, value);
    }
}

json_t *
edit_apply_changes(const json_t *object, const Edit *edit, const EditContext *context)
{
    json_t *copy = json_copy((json_t *)(guintptr)object);
    const char *key;
    json_t *value;
    json_object_foreach(edit->changes, key, value)
    {
        const Field *field = field_find(edit->object, key);
        if (field) {
            set_field(copy, field, value, edit, context);
        }
    }
    const char *type = json_string_value(json_object_get(edit->changes, "story_type"));
    if (edit->object == OBJECT_STORY && type && !json_object_get(edit->changes, "estimate") &&
        !field_type_has_estimate(context->project, type)) {
        (void)json_object_del(copy, "estimate");
    }
    (void)json_object_set_new(copy, "updated_at", time_now(edit->created_ms));
    return copy;
}

/* Copies: the trees of an edit are read by many threads at once, and jansson's counts are not made
 * for that. */
static void
add_all(json_t *object, const json_t *values)
{
    g_autoptr(Json) copies = json_deep_copy(values);
    (void)json_object_update(object, copies);
}

/* The server's answer over what was there. What it leaves out of an answer it has cleared only if
 * that was asked for: fewer attributes may have been asked for. */
static json_t *
lay_over(const json_t *object, const Edit *edit)
{
    json_t *copy = object ? json_copy((json_t *)(guintptr)object) : json_object();
    const char *key;
    json_t *value;
    json_object_foreach(edit->changes, key, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(copy, key);
        }
    }
    add_all(copy, edit->result);
    return copy;
}

/* --- Creations --- */

static void
stamp(json_t *object, const char *kind, const Edit *edit, gint64 id)
{
    (void)json_object_set_new(object, "id", json_integer(id));
    (void)json_object_set_new(object, "kind", json_string(kind));
    (void)json_object_set_new(object, "created_at", time_now(edit->created_ms));
    (void)json_object_set_new(object, "updated_at", time_now(edit->created_ms));
}

static json_t *
new_comment(const Edit *edit, const EditContext *context)
{
    json_t *comment = json_object();
    stamp(comment, "comment", edit, edit->id);
    (void)json_object_set_new(comment, edit->owner == EDIT_OF_EPIC ? "epic_id" : "story_id",
                              json_integer(edit->owner_id));
    if (context->me) {
        (void)json_object_set_new(comment, "person_id", json_integer(context->me->id));
        (void)json_object_set_new(comment, "person",
                                  person_object(context->project, context->me->id));
    }
    return comment;
}

static json_t *
new_attachment(const Edit *edit, const EditContext *context)
{
    json_t *comment = new_comment(edit, context);
    json_t *file = json_object();
    stamp(file, "file_attachment", edit, edit->id);
    add_all(file, edit->changes); /* filename, size */
    if (context->me) {
        (void)json_object_set_new(file, "uploader_id", json_integer(context->me->id));
    }
    (void)json_object_set_new(comment, "file_attachments", json_pack("[o]", file));
    return comment;
}

static json_t *
new_part(const json_t *owner, const Edit *edit, const EditContext *context)
{
    if (edit->object == OBJECT_ATTACHMENT) {
        return new_attachment(edit, context);
    }
    if (edit->object == OBJECT_COMMENT) {
        json_t *comment = new_comment(edit, context);
        add_all(comment, edit->changes);
        return comment;
    }
    json_t *task = json_object();
    stamp(task, "task", edit, edit->id);
    (void)json_object_set_new(task, "story_id", json_integer(edit->owner_id));
    (void)json_object_set_new(
        task, "position",
        json_integer((json_int_t)json_array_size(json_object_get(owner, "tasks")) + 1));
    add_all(task, edit->changes);
    return task;
}

static json_t *
new_owner(const Edit *edit, const EditContext *context)
{
    json_t *object = json_object();
    gboolean is_story = edit->object == OBJECT_STORY;
    stamp(object, is_story ? "story" : "epic", edit, edit->owner_id);
    (void)json_object_set_new(object, "project_id", json_integer(edit->project_id));
    (void)json_object_set_new(object, "comments", json_array());
    if (is_story) {
        (void)json_object_set_new(object, "story_type", json_string("feature"));
        (void)json_object_set_new(object, "current_state", json_string("unscheduled"));
        (void)json_object_set_new(object, "labels", json_array());
        (void)json_object_set_new(object, "owner_ids", json_array());
        (void)json_object_set_new(object, "owners", json_array());
        (void)json_object_set_new(object, "tasks", json_array());
        if (context->me) {
            (void)json_object_set_new(object, "requested_by_id", json_integer(context->me->id));
        }
    }
    add_all(object, edit->changes);
    return object;
}

/* --- Together --- */

static json_t *
apply_to_owner(const json_t *owner, const Edit *edit, const EditContext *context)
{
    if (edit->verb == EDIT_DELETE) {
        return NULL;
    }
    if (edit->result && edit->state == STATE_ACCEPTED) {
        return lay_over(owner, edit);
    }
    if (edit->verb == EDIT_CREATE) {
        return owner ? json_incref((json_t *)(guintptr)owner) : new_owner(edit, context);
    }
    return owner ? edit_apply_changes(owner, edit, context) : NULL;
}

static json_t *
remove_part(const json_t *owner, const Edit *edit)
{
    const json_t *carrier =
        edit->object == OBJECT_ATTACHMENT ? find_carrier(owner, edit->id) : NULL;
    if (carrier) {
        return with_part(owner, "comments", without_part(carrier, "file_attachments", edit->id));
    }
    return without_part(owner, list_key(edit->object), edit->id);
}

/* A task that moved pushes the others along, as the server does. */
static json_t *
renumber_tasks(json_t *owner, const Edit *edit)
{
    const json_t *wanted = json_object_get(edit->changes, "position");
    json_t *tasks = json_object_get(owner, "tasks");
    gsize at = find_index(tasks, edit->id);
    if (edit->object != OBJECT_TASK || !wanted || at == G_MAXSIZE) {
        return owner;
    }
    json_t *moved = json_incref(json_array_get(tasks, at));
    json_t *list = json_copy(tasks);
    (void)json_array_remove(list, at);
    gsize to = (gsize)CLAMP(json_integer_value(wanted) - 1, 0, (json_int_t)json_array_size(list));
    (void)json_array_insert_new(list, to, moved);
    for (gsize i = 0; i < json_array_size(list); i++) {
        json_t *task = json_copy(json_array_get(list, i));
        (void)json_object_set_new(task, "position", json_integer((json_int_t)i + 1));
        (void)json_array_set_new(list, i, task);
    }
    (void)json_object_set_new(owner, "tasks", list);
    return owner;
}

json_t *
edit_apply(const json_t *owner, const Edit *edit, const EditContext *context)
{
    if (edit->object == OBJECT_STORY || edit->object == OBJECT_EPIC ||
        edit->object == OBJECT_PROJECT) {
        return apply_to_owner(owner, edit, context);
    }
    if (!owner) {
        return NULL;
    }
    if (edit->verb == EDIT_DELETE) {
        return remove_part(owner, edit);
    }
    const char *key = list_key(edit->object);
    const json_t *present = json_object_get(owner, key);
    const json_t *part = json_array_get(present, find_index(present, edit->id));
    if (edit->result && edit->state == STATE_ACCEPTED) {
        gsize at = find_index(present, json_get_id(edit->result, "id"));
        return renumber_tasks(with_part(owner, key, lay_over(json_array_get(present, at), edit)),
                              edit);
    }
    if (edit->verb == EDIT_CREATE && !part) {
        return with_part(owner, key, new_part(owner, edit, context));
    }
    if (edit->verb == EDIT_CREATE || !part) {
        return json_incref((json_t *)(guintptr)owner);
    }
    return renumber_tasks(with_part(owner, key, edit_apply_changes(part, edit, context)), edit);
}

#ifdef NDEBUG
void
edit_assert_shown(const json_t *object, const GPtrArray *edits, const EditContext *context)
{
    (void)object;
    (void)edits;
    (void)context;
}
#else
/* A later edit of the same thing set it again, or something that it depends on, or removed it, or
 * brought the server's answer. */
static gboolean
is_overtaken(const GPtrArray *edits, guint at, const char *key)
{
    static const char *const ruling[] = {"story_type", "current_state", "group"};
    const Edit *edit = edits->pdata[at];
    gboolean found = FALSE;
    for (guint i = at + 1; i < edits->len && !found; i++) {
        const Edit *later = edits->pdata[i];
        found = later->object == edit->object && later->id == edit->id &&
                (later->verb == EDIT_DELETE || later->state == STATE_ACCEPTED ||
                 json_object_get(later->changes, key));
        for (gsize k = 0; k < G_N_ELEMENTS(ruling); k++) {
            found |= json_object_get(later->changes, ruling[k]) != NULL;
        }
    }
    return found;
}

void
edit_assert_shown(const json_t *object, const GPtrArray *edits, const EditContext *context)
{
    const char *key;
    json_t *wanted;
    for (guint i = 0; object && edits && i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        const json_t *part = edit->object >= OBJECT_COMMENT
                                 ? edit_find_part(object, edit->object, edit->id)
                                 : object;
        if (edit->verb != EDIT_UPDATE || edit->state == STATE_ACCEPTED || !part ||
            !edit_is_shown(edit)) {
            continue;
        }
        json_object_foreach(edit->changes, key, wanted)
        {
            const Field *field = field_find(edit->object, key);
            if (field && !field->moves_only && !is_overtaken(edits, i, key)) {
                g_autoptr(Json) shown =
                    field_normalise(field, field_get(field, part), context, FALSE, NULL);
                g_assert(json_equal(shown, wanted));
            }
        }
    }
}
#endif

/* From the bytes of a saved file to the attributes that changed.
 *
 * Each file has its reader. A reader compares what was opened with what was written, in the one
 * form that values have (edit_fields.h), so that a file that was only laid out anew is no change;
 * it collects the new values in edit->changes and the old ones in edit->base. Then the rules that
 * bind attributes together are checked against the object as it would be. */
#include "cache/edit_apply.h"
#include "cache/edit_fields.h"

#include <string.h>

#include "cache/base/err.h"
#include "cache/json_text.h"

#define FILE_NAME_MAX_BYTES 255

typedef struct Making {
    Edit *edit;
    const EditTarget *target;
    const EditContext *context;
    const json_t *present; /* the object as snapshots show it; a comment or task for theirs */
    json_t *insisted;      /* attribute -> value that is saved as it is, with an edit parked */
} Making;

static void
making_clear(Making *making)
{
    json_decref(making->insisted);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Making, making_clear)

/* --- Noting a change --- */

/* An earlier edit of the attribute waits for a decision, and this value may be one. */
static gboolean
is_undecided(const Making *making, const char *key, const json_t *value)
{
    const GPtrArray *earlier = making->context->earlier;
    for (guint i = 0; earlier && i < earlier->len; i++) {
        const Edit *edit = earlier->pdata[i];
        if (edit_is_parked(edit) && edit->verb == EDIT_UPDATE &&
            edit->object == making->edit->object && edit->id == making->edit->id &&
            (json_equal(json_object_get(edit->changes, key), value) ||
             json_equal(json_object_get(edit->theirs, key), value))) {
            return TRUE;
        }
    }
    return FALSE;
}

/* `value` is saved as it was; normalised. */
static void
note_kept(Making *making, const Field *field, json_t *value)
{
    if (is_undecided(making, field->name, value)) {
        making->insisted = making->insisted ? making->insisted : json_object();
        (void)json_object_set(making->insisted, field->name, value);
    }
}

/* Both values normalised; takes them over. */
static void
note_change(Making *making, const Field *field, json_t *base, json_t *mine)
{
    if (json_equal(base, mine)) {
        note_kept(making, field, mine);
        json_decref(base);
        json_decref(mine);
        return;
    }
    (void)json_object_set_new(making->edit->changes, field->name, mine);
    (void)json_object_set_new(making->edit->base, field->name, base);
}

/* An id that was there before is left alone, also when its person is no member any more. */
static json_t *
normalise_list(const Field *field, const json_t *base, const json_t *mine,
               const EditContext *context, GError **error)
{
    g_autoptr(Json) fresh = json_array();
    g_autoptr(Json) kept = field_normalise(field, mine, context, FALSE, NULL);
    gsize i;
    const json_t *element;
    if (field->type != FIELD_PEOPLE || !json_is_array(mine)) {
        return field_normalise(field, mine, context, TRUE, error);
    }
    json_array_foreach(mine, i, element)
    {
        g_autoptr(Json) alone = json_pack("[O]", element);
        g_autoptr(Json) ids = field_normalise(field, alone, context, FALSE, NULL);
        gboolean known = FALSE;
        gsize k;
        const json_t *old;
        json_array_foreach(base, k, old)
        {
            known |= json_equal(old, json_array_get(ids, 0));
        }
        if (!known) {
            (void)json_array_append(fresh, (json_t *)(guintptr)element);
        }
    }
    g_autoptr(Json) checked = field_normalise(field, fresh, context, TRUE, error);
    return checked ? g_steal_pointer(&kept) : NULL;
}

static gboolean
read_value(Making *making, const Field *field, const json_t *base, const json_t *mine,
           GError **error)
{
    json_t *old = field_normalise(field, base, making->context, FALSE, NULL);
    json_t *fresh = field_is_list(field)
                        ? normalise_list(field, old, mine, making->context, error)
                        : field_normalise(field, mine, making->context, TRUE, error);
    if (!fresh) {
        json_decref(old);
        return FALSE;
    }
    note_change(making, field, old, fresh);
    return TRUE;
}

/* --- Whole texts --- */

static const Text nothing = {(char *)(guintptr) "", 0};

/* `base` NULL: not known, so there may be something to lose. */
static gboolean
check_bytes(const char *name, const Text *base, const Text *mine, GError **error)
{
    if (mine->length == 0 && (!base || base->length > 0)) {
        edit_refuse(error, name, NULL,
                    "an empty file would clear it; if that is meant, write a single newline", NULL);
        return FALSE;
    }
    if (mine->length > 0 && memchr(mine->data, '\0', mine->length)) {
        edit_refuse(error, name, NULL, "it holds NUL bytes", NULL);
        return FALSE;
    }
    if (mine->length > 0 && !g_utf8_validate(mine->data, (gssize)mine->length, NULL)) {
        edit_refuse(error, name, NULL, "it is not UTF-8 text", NULL);
        return FALSE;
    }
    return TRUE;
}

static json_t *
text_of(const Text *text)
{
    gboolean cleared = text->length == 1 && text->data[0] == '\n';
    return text->length == 0 || cleared ? json_null() : json_stringn(text->data, text->length);
}

static gboolean
read_text(Making *making, const char *name, const Text *base, const Text *mine, GError **error)
{
    const Field *field = field_find(making->edit->object, name);
    if (!check_bytes(name, base, mine, error)) {
        return FALSE;
    }
    g_autoptr(Json) old =
        base ? text_of(base) : json_incref((json_t *)(guintptr)field_get(field, making->present));
    g_autoptr(Json) fresh = text_of(mine);
    return read_value(making, field, old, fresh, error);
}

/* --- One attribute --- */

static char *
line_of(const Text *text)
{
    gsize length = text->data ? text->length : 0;
    if (length > 0 && text->data[length - 1] == '\n') {
        length--;
    }
    if (length > 0 && text->data[length - 1] == '\r') {
        length--;
    }
    return g_strndup(text->data ? text->data : "", length);
}

static gboolean
read_field(Making *making, const Text *base, const Text *mine, GError **error)
{
    const char *name = making->target->name;
    const Field *field = field_find(making->edit->object, name);
    if (!field || field->moves_only) {
        g_autofree char *allowed = field_names(making->edit->object);
        edit_refuse(error, name, NULL, "it cannot be written", allowed);
        return FALSE;
    }
    if (!check_bytes(name, base, mine, error)) {
        return FALSE;
    }
    g_autofree char *line = line_of(mine);
    if (strchr(line, '\n')) {
        edit_refuse(error, name, line, "it must be one line", NULL);
        return FALSE;
    }
    g_autofree char *old_line = base ? line_of(base) : NULL;
    g_autoptr(Json) old = base ? field_from_line(field, old_line)
                               : json_incref((json_t *)(guintptr)field_get(field, making->present));
    g_autoptr(Json) fresh = field_from_line(field, line);
    return read_value(making, field, old, fresh, error);
}

/* --- A whole record --- */

static gboolean
read_key(Making *making, const char *key, const json_t *base, const json_t *mine, GError **error)
{
    const json_t *old = json_object_get(base, key);
    const json_t *fresh = json_object_get(mine, key);
    const Field *field = field_find(making->edit->object, key);
    if (old && fresh && json_equal(old, fresh)) {
        if (field && making->context->earlier) {
            g_autoptr(Json) kept = field_normalise(field, fresh, making->context, FALSE, NULL);
            note_kept(making, field, kept);
        }
        return TRUE;
    }
    if (!fresh && json_is_null(old)) {
        return TRUE;
    }
    if (!fresh) {
        edit_refuse(error, key, NULL, "it was left out; null clears what can be cleared", NULL);
        return FALSE;
    }
    if (!field || field->moves_only) {
        field_refuse_key(making->edit->object, key,
                         old || json_object_get(making->present, key) != NULL, error);
        return FALSE;
    }
    g_autoptr(Json) earlier = json_incref(json_object_get(making->edit->changes, field->name));
    if (!read_value(making, field, old ? old : field_get(field, base), fresh, error)) {
        return FALSE;
    }
    if (earlier && !json_equal(earlier, json_object_get(making->edit->changes, field->name))) {
        g_autofree char *rule = g_strdup_printf(
            "it was given twice, as %s and as %s, and they differ", field->name, field->other);
        edit_refuse(error, key, NULL, rule, NULL);
        return FALSE;
    }
    return TRUE;
}

/* What the file holds now; a new reference. */
static json_t *
record_now(const EditContext *context)
{
    const Text *record = context->story  ? &context->story->record
                         : context->epic ? &context->epic->record
                                         : &context->project->record;
    return record->data ? json_text_parse(record->data, record->length, NULL) : NULL;
}

/* Who puts a file in the place of another (mv, many editors) has read it some time before, and the
 * story may have changed since: its `updated_at` tells which one was changed by hand. Else a value
 * that somebody else has changed meanwhile would be taken for a change back. */
static json_t *
record_that_was_read(const Making *making, const json_t *opened, const json_t *mine)
{
    const EditContext *context = making->context;
    gint64 time_ms = json_get_time(mine, "updated_at");
    g_autoptr(Story) story =
        making->edit->object == OBJECT_STORY && time_ms != json_get_time(opened, "updated_at") &&
                context->recall
            ? context->recall(making->edit->owner_id, time_ms, context->recall_user)
            : NULL;
    return story ? json_text_parse(story->record.data, story->record.length, NULL) : NULL;
}

/* A copy of another version than the one that it is compared with, which is not known any more:
 * what the two differ in may be somebody else's change. */
static gboolean
check_version(const json_t *old, const json_t *mine, GError **error)
{
    const gint64 old_ms = json_get_time(old, "updated_at");
    const gint64 mine_ms = json_get_time(mine, "updated_at");
    if (old_ms == 0 || mine_ms == 0 || old_ms == mine_ms) {
        return TRUE;
    }
    g_autofree char *old_time = json_dup_string(old, "updated_at");
    g_autofree char *mine_time = json_dup_string(mine, "updated_at");
    g_set_error(
        error, ERR, ERR_CONFLICT,
        "file: it is a copy of another version; nothing was sent\nfield: updated_at\nvalue: "
        "%s\nrule: the file is of %s: read it again, and make the change there",
        mine_time ? mine_time : "", old_time ? old_time : "");
    return FALSE;
}

static gboolean
read_record(Making *making, const Text *base, const Text *mine, GError **error)
{
    g_autoptr(GError) parse_error = NULL;
    const char *key;
    json_t *value;
    if (!check_bytes("file", base, mine, error)) {
        return FALSE;
    }
    g_autoptr(Json) fresh =
        mine->length > 0 ? json_text_parse_written(mine->data, mine->length, &parse_error) : NULL;
    if (!json_is_object(fresh)) {
        edit_refuse(error, "file", NULL,
                    parse_error ? parse_error->message : "it must be a JSON object", NULL);
        return FALSE;
    }
    g_autoptr(Json) opened = base ? json_text_parse(base->data, base->length, NULL) : NULL;
    g_autoptr(Json) present = record_now(making->context);
    g_autoptr(Json) read = record_that_was_read(making, opened ? opened : present, fresh);
    const json_t *old = read ? read : json_is_object(opened) ? opened : present;
    if (!check_version(old, fresh, error)) {
        return FALSE;
    }
    json_object_foreach((json_t *)(guintptr)old, key, value)
    {
        if (!read_key(making, key, old, fresh, error)) {
            return FALSE;
        }
    }
    json_object_foreach(fresh, key, value)
    {
        if (!json_object_get(old, key) && !read_key(making, key, old, fresh, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- Moves --- */

/* A list with what `delta` adds and removes; a new reference, NULL with `error`. */
static json_t *
changed_list(const Field *field, const json_t *old, const json_t *delta, const EditContext *context,
             GError **error)
{
    g_autoptr(Json) add =
        field_normalise(field, json_object_get(delta, "add"), context, TRUE, error);
    if (!add) {
        return NULL;
    }
    g_autoptr(Json) removed =
        field_normalise(field, json_object_get(delta, "remove"), context, FALSE, NULL);
    g_autoptr(Json) kept = edit_list_without(old, removed);
    g_autoptr(Json) list = edit_list_with(kept, add);
    return field_normalise(field, list, context, FALSE, NULL); /* labels are sorted */
}

static gboolean
read_changes(Making *making, const Text *mine, GError **error)
{
    const char *key;
    json_t *value;
    g_autoptr(Json) wanted = json_text_parse(mine->data, mine->length, error);
    json_object_foreach(wanted, key, value)
    {
        const Field *field = field_find(making->edit->object, key);
        if (!field) {
            field_refuse_key(making->edit->object, key, FALSE, error);
            return FALSE;
        }
        const json_t *old = field_get(field, making->present);
        if (!field_is_list(field) || !json_is_object(value)) {
            if (!read_value(making, field, old, value, error)) {
                return FALSE;
            }
            continue;
        }
        json_t *base = field_normalise(field, old, making->context, FALSE, NULL);
        json_t *fresh = changed_list(field, base, value, making->context, error);
        if (!fresh) {
            json_decref(base);
            return FALSE;
        }
        note_change(making, field, base, fresh);
    }
    return wanted != NULL;
}

/* --- Tasks --- */

typedef struct TaskText {
    int complete; /* -1: the mark is missing */
    Text text;    /* borrowed */
} TaskText;

static TaskText
parse_task(const Text *bytes)
{
    TaskText task = {.complete = -1, .text = *bytes};
    const char *at = bytes->data;
    const char *end = at + bytes->length;
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    if (end - at >= 2 && strchr("-*+", *at) && at[1] == ' ') {
        at += 2;
    }
    if (end - at >= 3 && at[0] == '[' && at[2] == ']' && strchr(" xX", at[1])) {
        task.complete = at[1] != ' ';
        at += 3;
        at += at < end && *at == ' ';
        task.text = (Text){(char *)(guintptr)at, (gsize)(end - at)};
    }
    if (task.text.length > 0 && task.text.data[task.text.length - 1] == '\n') {
        task.text.length--;
    }
    return task;
}

static gboolean
read_task(Making *making, const Text *base, const Text *mine, GError **error)
{
    const Field *description = field_find(OBJECT_TASK, "description");
    const Field *complete = field_find(OBJECT_TASK, "complete");
    if (!check_bytes("task", base, mine, error)) {
        return FALSE;
    }
    TaskText fresh = parse_task(mine);
    TaskText old = base ? parse_task(base) : (TaskText){.complete = -1};
    g_autoptr(Json) text = json_stringn(fresh.text.data, fresh.text.length);
    g_autoptr(Json) old_text = base ? json_stringn(old.text.data, old.text.length)
                                    : json_incref(json_object_get(making->present, "description"));
    if (!read_value(making, description, old_text, text, error)) {
        return FALSE;
    }
    if (fresh.complete < 0) {
        return TRUE;
    }
    g_autoptr(Json) mark = json_boolean(fresh.complete);
    g_autoptr(Json) old_mark = old.complete >= 0
                                   ? json_boolean(old.complete)
                                   : json_incref(json_object_get(making->present, "complete"));
    return read_value(making, complete, old_mark, mark, error);
}

/* --- Creations --- */

static gboolean
set_new(Making *making, const char *name, json_t *value, GError **error)
{
    const Field *field = field_find(making->edit->object, name);
    json_t *normal = field_normalise(field, value, making->context, TRUE, error);
    json_decref(value);
    if (!normal) {
        return FALSE;
    }
    (void)json_object_set_new(making->edit->changes, name, normal);
    return TRUE;
}

static gboolean
is_blank(const Text *text)
{
    for (gsize i = 0; i < text->length; i++) {
        if (!g_ascii_isspace(text->data[i])) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
make_named(Making *making, GError **error)
{
    const char *name = making->target->name;
    if (!name || !g_utf8_validate(name, -1, NULL)) {
        edit_refuse(error, "name", name, "it is not UTF-8 text", NULL);
        return FALSE;
    }
    return set_new(making, "name", json_string(name), error);
}

static gboolean
make_comment(Making *making, const Text *mine, GError **error)
{
    if (!check_bytes("text", &nothing, mine, error)) {
        return FALSE;
    }
    if (is_blank(mine)) {
        edit_refuse(error, "text", NULL, "a comment must say something", NULL);
        return FALSE;
    }
    return set_new(making, "text", json_stringn(mine->data, mine->length), error);
}

static gboolean
make_task(Making *making, const Text *mine, GError **error)
{
    if (!check_bytes("description", &nothing, mine, error)) {
        return FALSE;
    }
    TaskText task = parse_task(mine);
    if (is_blank(&task.text)) {
        edit_refuse(error, "description", NULL, "a task must say something", NULL);
        return FALSE;
    }
    return set_new(making, "description", json_stringn(task.text.data, task.text.length), error) &&
           set_new(making, "complete", json_boolean(task.complete == 1), error);
}

static gboolean
make_attachment(Making *making, GError **error)
{
    const char *name = making->target->name;
    if (!name || !*name || !g_utf8_validate(name, -1, NULL) || strlen(name) > FILE_NAME_MAX_BYTES) {
        edit_refuse(error, "filename", name, "it is no name for a file", NULL);
        return FALSE;
    }
    (void)json_object_set_new(making->edit->changes, "filename", json_string(name));
    return TRUE;
}

/* --- Together --- */

static const struct {
    EditVerb verb;
    EditObject object;
} kinds[N_EDIT_FILES] = {
    [EDIT_STORY_JSON] = {EDIT_UPDATE, OBJECT_STORY},
    [EDIT_STORY_DESCRIPTION] = {EDIT_UPDATE, OBJECT_STORY},
    [EDIT_STORY_FIELD] = {EDIT_UPDATE, OBJECT_STORY},
    [EDIT_STORY_COMMENT] = {EDIT_UPDATE, OBJECT_COMMENT},
    [EDIT_TASK] = {EDIT_UPDATE, OBJECT_TASK},
    [EDIT_EPIC_JSON] = {EDIT_UPDATE, OBJECT_EPIC},
    [EDIT_EPIC_DESCRIPTION] = {EDIT_UPDATE, OBJECT_EPIC},
    [EDIT_EPIC_FIELD] = {EDIT_UPDATE, OBJECT_EPIC},
    [EDIT_EPIC_COMMENT] = {EDIT_UPDATE, OBJECT_COMMENT},
    [EDIT_PROJECT_JSON] = {EDIT_UPDATE, OBJECT_PROJECT},
    [EDIT_PROJECT_FIELD] = {EDIT_UPDATE, OBJECT_PROJECT},
    [EDIT_PROJECT_PROFILE] = {EDIT_UPDATE, OBJECT_PROJECT},
    [EDIT_STORY_CHANGES] = {EDIT_UPDATE, OBJECT_STORY},
    [EDIT_EPIC_CHANGES] = {EDIT_UPDATE, OBJECT_EPIC},
    [EDIT_TASK_CHANGES] = {EDIT_UPDATE, OBJECT_TASK},
    [EDIT_NEW_STORY] = {EDIT_CREATE, OBJECT_STORY},
    [EDIT_NEW_EPIC] = {EDIT_CREATE, OBJECT_EPIC},
    [EDIT_NEW_STORY_COMMENT] = {EDIT_CREATE, OBJECT_COMMENT},
    [EDIT_NEW_EPIC_COMMENT] = {EDIT_CREATE, OBJECT_COMMENT},
    [EDIT_NEW_TASK] = {EDIT_CREATE, OBJECT_TASK},
    [EDIT_NEW_ATTACHMENT] = {EDIT_CREATE, OBJECT_ATTACHMENT},
    [EDIT_DELETE_STORY] = {EDIT_DELETE, OBJECT_STORY},
    [EDIT_DELETE_EPIC] = {EDIT_DELETE, OBJECT_EPIC},
    [EDIT_DELETE_STORY_COMMENT] = {EDIT_DELETE, OBJECT_COMMENT},
    [EDIT_DELETE_EPIC_COMMENT] = {EDIT_DELETE, OBJECT_COMMENT},
    [EDIT_DELETE_TASK] = {EDIT_DELETE, OBJECT_TASK},
    [EDIT_DELETE_ATTACHMENT] = {EDIT_DELETE, OBJECT_ATTACHMENT},
};

static gboolean
read_file(Making *making, const Text *base, const Text *mine, GError **error)
{
    switch (making->target->file) {
    case EDIT_STORY_JSON:
    case EDIT_EPIC_JSON:
    case EDIT_PROJECT_JSON:
        return read_record(making, base, mine, error);
    case EDIT_STORY_DESCRIPTION:
    case EDIT_EPIC_DESCRIPTION:
        return read_text(making, "description", base, mine, error);
    case EDIT_STORY_COMMENT:
    case EDIT_EPIC_COMMENT:
        return read_text(making, "text", base, mine, error);
    case EDIT_PROJECT_PROFILE:
        return read_text(making, "profile_content", base, mine, error);
    case EDIT_STORY_FIELD:
    case EDIT_EPIC_FIELD:
    case EDIT_PROJECT_FIELD:
        return read_field(making, base, mine, error);
    case EDIT_TASK:
        return read_task(making, base, mine, error);
    case EDIT_STORY_CHANGES:
    case EDIT_EPIC_CHANGES:
    case EDIT_TASK_CHANGES:
        return read_changes(making, mine, error);
    case EDIT_NEW_STORY:
    case EDIT_NEW_EPIC:
        return make_named(making, error);
    case EDIT_NEW_STORY_COMMENT:
    case EDIT_NEW_EPIC_COMMENT:
        return make_comment(making, mine, error);
    case EDIT_NEW_TASK:
        return make_task(making, mine, error);
    case EDIT_NEW_ATTACHMENT:
        return make_attachment(making, error);
    default:
        return TRUE; /* removals have no bytes */
    }
}

/* Who may: viewers nothing, a comment only its author (an owner of the project may remove it). */
static gboolean
check_rights(const Making *making, GError **error)
{
    const Edit *edit = making->edit;
    const EditContext *context = making->context;
    const Member *member =
        context->me ? project_find_member(context->project, context->me->id) : NULL;
    const char *role = member ? member->role : NULL;
    gint64 author = edit->object == OBJECT_COMMENT && edit->verb != EDIT_CREATE
                        ? json_get_id(making->present, "person_id")
                        : 0;
    if (g_strcmp0(role, "viewer") == 0 || g_strcmp0(role, "inactive") == 0) {
        g_set_error(error, ERR, ERR_AUTH, "a %s of the project may not change it", role);
        return FALSE;
    }
    if (edit->object == OBJECT_PROJECT && role && g_strcmp0(role, "owner") != 0) {
        g_set_error(error, ERR, ERR_AUTH, "only an owner of the project may change its settings");
        return FALSE;
    }
    gboolean removes_as_owner = edit->verb == EDIT_DELETE && g_strcmp0(role, "owner") == 0;
    if (author > 0 && context->me && author != context->me->id && !removes_as_owner) {
        g_set_error(error, ERR, ERR_AUTH, "only its author may %s a comment",
                    edit->verb == EDIT_DELETE ? "remove" : "change");
        return FALSE;
    }
    return TRUE;
}

/* The object that the edit is about, out of its owner's tree; borrowed from `owner`. NULL with
 * `error` when it is not there. */
static const json_t *
find_present(const Edit *edit, const json_t *owner, GError **error)
{
    if (edit->verb == EDIT_CREATE || edit->id == 0) {
        return owner;
    }
    const json_t *found = edit_find_part(owner, edit->object, edit->id);
    if (!found) {
        g_set_error(error, ERR, ERR_NOT_FOUND, "it is not there any more");
    }
    return found;
}

Edit *
edit_make(const EditTarget *target, const Text *base, const Text *mine, const EditContext *context,
          GError **error)
{
    g_autoptr(Edit) edit = edit_new(kinds[target->file].verb, kinds[target->file].object, target);
    g_autoptr(Json) owner = context->story  ? model_tree_of_story(context->story)
                            : context->epic ? model_tree_of_epic(context->epic)
                                            : model_tree_of_project(context->project);
    edit->created_ms = context->now_ms;
    edit->base = edit->verb == EDIT_UPDATE ? json_object() : NULL;
    g_auto(Making) making = {.edit = edit, .target = target, .context = context};
    making.present = find_present(edit, owner, error);
    if (!making.present || !check_rights(&making, error) ||
        !read_file(&making, base, mine && mine->data ? mine : &nothing, error)) {
        return NULL;
    }
    if (edit->verb == EDIT_UPDATE && json_object_size(edit->changes) == 0) {
        if (!making.insisted) {
            return NULL;
        }
        edit_set_json(&edit->base, json_deep_copy(making.insisted));
        edit_set_json(&edit->changes, g_steal_pointer(&making.insisted));
    }
    if (edit->object == OBJECT_STORY && edit->verb == EDIT_UPDATE) {
        g_autoptr(Json) now = edit_apply_changes(owner, edit, context);
        if (!field_check_story(now, edit->changes, context, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&edit);
}

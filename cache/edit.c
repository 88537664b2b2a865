/* Edits as objects: counting, copying, naming. */
#include "cache/edit_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cache/base/err.h"
#include "cache/json_text.h"

#define VALUE_SHOWN_BYTES 200

typedef struct EditCell {
    Edit edit;
    atomic_int refs;
} EditCell;

static Edit *
cell_new(void)
{
    EditCell *cell = g_new0(EditCell, 1);
    atomic_init(&cell->refs, 1);
    return &cell->edit;
}

Edit *
edit_ref(Edit *edit)
{
    atomic_fetch_add(&((EditCell *)edit)->refs, 1);
    return edit;
}

void
edit_unref(Edit *edit)
{
    if (!edit || atomic_fetch_sub(&((EditCell *)edit)->refs, 1) > 1) {
        return;
    }
    json_decref(edit->changes);
    json_decref(edit->base);
    json_decref(edit->theirs);
    json_decref(edit->result);
    g_free(edit->spool);
    g_free(edit->error);
    g_free(edit);
}

static EditOwner
owner_of(EditFile file)
{
    switch (file) {
    case EDIT_EPIC_JSON:
    case EDIT_EPIC_DESCRIPTION:
    case EDIT_EPIC_FIELD:
    case EDIT_EPIC_COMMENT:
    case EDIT_EPIC_CHANGES:
    case EDIT_NEW_EPIC:
    case EDIT_NEW_EPIC_COMMENT:
    case EDIT_DELETE_EPIC:
    case EDIT_DELETE_EPIC_COMMENT:
        return EDIT_OF_EPIC;
    case EDIT_PROJECT_JSON:
    case EDIT_PROJECT_FIELD:
    case EDIT_PROJECT_PROFILE:
        return EDIT_OF_PROJECT;
    default:
        return EDIT_OF_STORY;
    }
}

Edit *
edit_new(EditVerb verb, EditObject object, const EditTarget *target)
{
    Edit *edit = cell_new();
    edit->verb = verb;
    edit->object = object;
    edit->owner = owner_of(target->file);
    edit->project_id = target->project_id;
    edit->owner_id = target->owner_id;
    edit->id = target->id;
    edit->spool = g_strdup(target->spool);
    edit->changes = json_object();
    edit->version = -1;
    return edit;
}

Edit *
edit_copy(const Edit *edit)
{
    Edit *copy = cell_new();
    *copy = *edit;
    copy->changes = json_deep_copy(edit->changes);
    copy->base = json_deep_copy(edit->base);
    copy->theirs = json_deep_copy(edit->theirs);
    copy->result = json_deep_copy(edit->result);
    copy->spool = g_strdup(edit->spool);
    copy->error = g_strdup(edit->error);
    return copy;
}

void
edit_set_error(Edit *edit, const GError *error)
{
    g_free(edit->error);
    edit->error = error ? g_strdup(error->message) : NULL;
    edit->error_code = error ? error->code : 0;
}

void
edit_set_json(json_t **slot, json_t *value)
{
    json_decref(*slot);
    *slot = value;
}

gboolean
edit_is_parked(const Edit *edit)
{
    return edit->state == STATE_REFUSED || edit->state == STATE_CONFLICT;
}

gboolean
edit_is_shown(const Edit *edit)
{
    return edit->told == 0 || edit->state == STATE_ACCEPTED;
}

gboolean
edit_is_waiting(const Edit *edit)
{
    return edit->state == STATE_PENDING || edit->state == STATE_SENT;
}

gint64
edit_owner_id(const Edit *edit)
{
    return edit->owner == EDIT_OF_PROJECT ? edit->project_id : edit->owner_id;
}

gint64
edit_made_id(const Edit *edit)
{
    return edit->object == OBJECT_STORY || edit->object == OBJECT_EPIC ? edit->owner_id : edit->id;
}

static const char *
object_word(const Edit *edit)
{
    switch (edit->object) {
    case OBJECT_STORY:
        return "story";
    case OBJECT_EPIC:
        return "epic";
    case OBJECT_PROJECT:
        return "project";
    case OBJECT_COMMENT:
        return "comment";
    case OBJECT_TASK:
        return "task";
    case OBJECT_ATTACHMENT:
        return "attachment";
    }
    return "";
}

static void
append_id(GString *out, const char *word, gint64 id)
{
    if (edit_id_is_provisional(id)) {
        g_string_append_printf(out, "new %s %" G_GINT64_FORMAT, word, id - EDIT_PROVISIONAL_FIRST);
    } else {
        g_string_append_printf(out, "%s %" G_GINT64_FORMAT, word, id);
    }
}

static void
append_keys(GString *out, const json_t *changes)
{
    const char *key;
    json_t *value;
    const char *separator = ": ";
    json_object_foreach((json_t *)(guintptr)changes, key, value)
    {
        g_string_append_printf(out, "%s%s", separator, key);
        separator = ", ";
    }
}

char *
edit_describe(const Edit *edit)
{
    GString *out = g_string_new(NULL);
    if (edit->owner == EDIT_OF_PROJECT) {
        append_id(out, "project", edit->project_id);
    } else {
        append_id(out, edit->owner == EDIT_OF_EPIC ? "epic" : "story", edit->owner_id);
    }
    if (edit->id != 0) {
        g_string_append(out, ", ");
        append_id(out, object_word(edit), edit->id);
    }
    switch (edit->verb) {
    case EDIT_UPDATE:
        append_keys(out, edit->changes);
        break;
    case EDIT_CREATE:
        g_string_append(out, ": created");
        break;
    case EDIT_DELETE:
        g_string_append(out, ": removed");
        break;
    }
    return g_string_free(out, FALSE);
}

void
edit_mine_free(EditMine *mine)
{
    if (mine) {
        g_free(mine->text.data);
        g_free(mine);
    }
}

void
edit_status_free(EditStatus *status)
{
    if (status) {
        g_free(status->what);
        g_free(status->error);
        g_free(status);
    }
}

char *
edit_json_to_text(const json_t *value)
{
    if (!value) {
        return NULL;
    }
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

json_t *
edit_json_from_text(const char *text)
{
    return text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
}

void
edit_append_line(GString *out, const char *name, const char *text)
{
    if (!text) {
        return;
    }
    gsize length = strlen(text);
    g_autofree char *cut = g_strndup(text, MIN(length, VALUE_SHOWN_BYTES));
    g_autofree char *valid = g_utf8_make_valid(cut, -1);
    g_autofree char *line = g_strdelimit(g_strdup(valid), "\r\n", ' ');
    g_string_append_printf(out, "\n%s: %s%s", name, line, length > VALUE_SHOWN_BYTES ? "..." : "");
}

void
edit_refuse(GError **error, const char *field, const char *value, const char *rule,
            const char *allowed)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s: %s", field, rule ? rule : "it is not valid");
    edit_append_line(text, "field", field);
    edit_append_line(text, "value", value);
    edit_append_line(text, "rule", rule);
    if (allowed) {
        g_string_append_printf(text, "\nallowed: %s", allowed);
    }
    g_set_error_literal(error, ERR, ERR_INVALID, text->str);
}

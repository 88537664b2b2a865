/* Three ways, attribute by attribute. The one place that knows libgit2, for merging lines. */
#include "cache/edit_merge.h"

#include <git2.h>
#include <pthread.h>
#include <string.h>

#include "cache/base/err.h"
#include "cache/edit_apply.h"
#include "cache/edit_fields.h"

static pthread_once_t git_once = PTHREAD_ONCE_INIT;

static void
start_git(void)
{
    (void)git_libgit2_init();
}

static git_merge_file_input
side_of(const json_t *text)
{
    git_merge_file_input side = {.version = GIT_MERGE_FILE_INPUT_VERSION};
    side.ptr = json_string_value(text) ?: "";
    side.size = json_string_length(text);
    return side;
}

/* NULL: both changed the same lines. A new reference. */
static json_t *
merge_lines(const json_t *base, const json_t *mine, const json_t *theirs)
{
    git_merge_file_result result = {0};
    const git_merge_file_options options = {.version = GIT_MERGE_FILE_OPTIONS_VERSION};
    const git_merge_file_input ancestor = side_of(base);
    const git_merge_file_input ours = side_of(mine);
    const git_merge_file_input other = side_of(theirs);
    (void)pthread_once(&git_once, start_git);
    if (git_merge_file(&result, &ancestor, &ours, &other, &options) != 0) {
        return NULL;
    }
    json_t *merged = result.automergeable ? json_stringn(result.ptr, result.len) : NULL;
    git_merge_file_result_free(&result);
    return merged;
}

static json_t *
merge_sets(const json_t *base, const json_t *mine, const json_t *theirs)
{
    g_autoptr(Json) added = edit_list_without(mine, base);
    g_autoptr(Json) removed = edit_list_without(base, mine);
    g_autoptr(Json) kept = edit_list_without(theirs, removed);
    return edit_list_with(kept, added);
}

/* The value to send; NULL for a conflict. A new reference. */
static json_t *
merge_value(const Field *field, const json_t *base, json_t *mine, const json_t *theirs)
{
    if (field->moves_only || !base || json_equal(base, theirs)) {
        return json_deep_copy(mine);
    }
    if (field_is_list(field)) {
        return merge_sets(base, mine, theirs);
    }
    return field_is_long_text(field) ? merge_lines(base, mine, theirs) : NULL;
}

/* Both sides in the form that comparison needs: labels are sorted, so a merged set is as well. */
static json_t *
normal(const Field *field, const json_t *value, const EditContext *context)
{
    return field_normalise(field, value, context, FALSE, NULL);
}

static gboolean
is_in_group(const json_t *theirs, const char *group)
{
    const char *state = json_string_value(json_object_get(theirs, "current_state"));
    return (g_strcmp0(state, "unscheduled") == 0) == g_str_equal(group, "unscheduled");
}

/* A place in a list has no value of its own: where a story is, its neighbours tell. */
static gboolean
has_already(const Field *field, const json_t *mine, const json_t *now, const json_t *theirs)
{
    if (g_str_equal(field->name, "group")) {
        return is_in_group(theirs, json_string_value(mine));
    }
    return json_equal(mine, now);
}

MergeResult
edit_merge(const Edit *edit, const json_t *theirs, const EditContext *context, json_t **ret_send,
           json_t **ret_theirs)
{
    g_autoptr(Json) send = json_object();
    g_autoptr(Json) conflicts = json_object();
    const char *key;
    json_t *mine;
    gboolean differs = FALSE;
    json_object_foreach(edit->changes, key, mine)
    {
        const Field *field = field_find(edit->object, key);
        if (!field) {
            continue;
        }
        g_autoptr(Json) now = normal(field, field_get(field, theirs), context);
        if (has_already(field, mine, now, theirs)) {
            if (field->moves_only) {
                (void)json_object_set_new(send, key, json_deep_copy(mine));
            }
            continue;
        }
        g_autoptr(Json) merged = merge_value(field, json_object_get(edit->base, key), mine, now);
        g_autoptr(Json) value = merged ? normal(field, merged, context) : NULL;
        if (!value) {
            (void)json_object_set(conflicts, key, now);
        } else if (!json_equal(value, now)) {
            (void)json_object_set(send, key, value);
            differs = TRUE;
        }
    }
    if (json_object_size(conflicts) > 0) {
        *ret_theirs = g_steal_pointer(&conflicts);
        return MERGE_CONFLICT;
    }
    if (!differs) {
        return MERGE_NOTHING;
    }
    *ret_send = g_steal_pointer(&send);
    return MERGE_SEND;
}

char *
edit_wire_text(EditObject object, const json_t *values)
{
    g_autoptr(Json) wire = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(guintptr)values, key, value)
    {
        const Field *field = field_find(object, key);
        (void)json_object_set_new(wire, key,
                                  field ? field_to_wire(field, value) : json_deep_copy(value));
    }
    return edit_json_to_text(wire);
}

/* Services trim texts and turn line ends; that is no loss. */
static char *
text_gist(const json_t *text)
{
    g_auto(GStrv) parts = g_strsplit(json_string_value(text) ?: "", "\r\n", -1);
    return g_strstrip(g_strjoinv("\n", parts));
}

static gboolean
is_same(const Field *field, const json_t *asked, const json_t *have)
{
    if (json_equal(asked, have)) {
        return TRUE;
    }
    if (field->type == FIELD_PEOPLE) { /* the order is the server's business */
        g_autoptr(Json) missing = edit_list_without(asked, have);
        g_autoptr(Json) extra = edit_list_without(have, asked);
        return json_array_size(missing) + json_array_size(extra) == 0;
    }
    if (field->type != FIELD_TEXT && field->type != FIELD_NAME) {
        return FALSE;
    }
    g_autofree char *left = text_gist(asked);
    g_autofree char *right = text_gist(have);
    return g_str_equal(left, right);
}

gboolean
edit_check_answer(EditObject object, const json_t *sent, const json_t *answer,
                  const EditContext *context, GError **error)
{
    const char *key;
    json_t *asked;
    json_object_foreach((json_t *)(guintptr)sent, key, asked)
    {
        const Field *field = field_find(object, key);
        /* A place is relative; a service may also leave out what it hides. Followers grow by
         * themselves: who asks for them becomes one. */
        if (!field || field->moves_only || field->type == FIELD_OTHER ||
            g_str_equal(key, "follower_ids")) {
            continue;
        }
        g_autoptr(Json) have = normal(field, field_get(field, answer), context);
        if (is_same(field, asked, have)) {
            continue;
        }
        g_autofree char *wanted = edit_json_to_text(asked);
        g_autofree char *got = edit_json_to_text(have);
        g_set_error(error, ERR, ERR_PROTOCOL,
                    "%s: the server took the change and did not make it\nfield: %s\nvalue: "
                    "%.200s\nrule: it is %.200s at the server",
                    key, key, wanted, got);
        return FALSE;
    }
    return TRUE;
}

static void
append_value(GString *out, const json_t *value, gboolean alone)
{
    if (json_is_string(value)) {
        (void)g_string_append_len(out, json_string_value(value), (gssize)json_string_length(value));
    } else if (value && !json_is_null(value)) {
        g_autofree char *text = edit_json_to_text(value);
        (void)g_string_append(out, text);
    }
    if (!alone) {
        g_string_append_c(out, '\n');
    }
}

Text
edit_conflict_text(const Edit *edit, EditSide side)
{
    GString *out = g_string_new(NULL);
    const json_t *values = side == EDIT_BASE   ? edit->base
                           : side == EDIT_MINE ? edit->changes
                                               : edit->theirs;
    gboolean alone = json_object_size(edit->theirs) == 1;
    const char *key;
    json_t *ignored;
    json_object_foreach(edit->theirs, key, ignored)
    {
        const json_t *value = json_object_get(values, key);
        if (alone && json_is_string(value)) {
            append_value(out, value, TRUE);
        } else if (!alone || !json_is_null(value)) {
            g_string_append_printf(out, "%s: ", key);
            append_value(out, value, FALSE);
        }
    }
    Text text = {.length = out->len};
    text.data = g_string_free(out, FALSE);
    return text;
}

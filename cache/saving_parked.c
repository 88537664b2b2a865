/* Edits that were not taken, and what comes after them.
 *
 * A parked edit stays in the journal until its text has a place elsewhere. Attribute by attribute
 * it gives way to another edit of the same thing
 *
 *   made on it:     saved over a file that showed the parked one. The server never had that, so the
 *                   later edit is compared with where the parked one started; it is what the user
 *                   went on with, and takes the place once it is accepted, or parked itself;
 *   made on theirs: on the server's side of the conflict, seen in the file or in
 *                   `.conflict/theirs`; once it is accepted;
 *   the same:       with the very same value.
 *
 * Any other later edit of the attribute, once it is accepted, only ends that the parked one is
 * shown: its text stays in the queue and in `.conflict/`, and no reader sees it over what was
 * accepted after it. So nobody's text goes, and what is settled can be told from the edits alone,
 * whenever the process was killed. */
#include "cache/saving_private.h"

#include "cache/base/lock.h"

static GPtrArray *
edits_beside(Saving *saving, const Edit *edit)
{
    return edit->verb == EDIT_UPDATE
               ? overlay_list_of(saving->overlay, edit->owner, edit_owner_id(edit))
               : NULL;
}

static gboolean
is_parked_beside(const Edit *parked, const Edit *edit)
{
    return edit_is_parked(parked) && parked->verb == EDIT_UPDATE &&
           parked->number != edit->number && parked->object == edit->object &&
           parked->id == edit->id;
}

static gboolean
is_made_on(const Edit *parked, const Edit *edit, const char *key)
{
    const gboolean was_shown =
        parked->number < edit->number && (parked->told == 0 || edit->number < parked->told);
    return was_shown &&
           json_equal(json_object_get(parked->changes, key), json_object_get(edit->base, key));
}

static gboolean
is_looked_at(Saving *saving, gint64 number)
{
    LOCK_SCOPE(&saving->lock);
    return g_hash_table_contains(saving->looked_at, &number);
}

void
saving_forget_look(Saving *saving, gint64 number)
{
    LOCK_SCOPE(&saving->lock);
    (void)g_hash_table_remove(saving->looked_at, &number);
}

gint64
saving_next_number(Saving *saving)
{
    LOCK_SCOPE(&saving->lock);
    return saving->next_number;
}

/* `*edit`, or the copy that takes its place, gets another base for `key`. */
static void
set_base(Edit **copy, const Edit *edit, const char *key, const json_t *value)
{
    if (!*copy) {
        *copy = edit_copy(edit);
    }
    (void)json_object_set_new((*copy)->base, key, json_deep_copy(value));
}

Edit *
saving_put_on_theirs(Saving *saving, Edit *edit)
{
    g_autoptr(GPtrArray) others = edits_beside(saving, edit);
    Edit *copy = NULL;
    for (guint i = 0; others && i < others->len; i++) {
        const Edit *parked = others->pdata[i];
        const char *key;
        json_t *theirs;
        if (!is_parked_beside(parked, edit) || !is_looked_at(saving, parked->number)) {
            continue;
        }
        json_object_foreach(parked->theirs, key, theirs)
        {
            if (json_object_get(edit->changes, key)) {
                set_base(&copy, edit, key, theirs);
            }
        }
    }
    if (copy) {
        edit_unref(edit);
    }
    return copy ? copy : edit;
}

gboolean
saving_has_successor(Saving *saving, const Edit *parked)
{
    g_autoptr(GPtrArray) others = edits_beside(saving, parked);
    for (guint i = 0; others && i < others->len; i++) {
        const Edit *edit = others->pdata[i];
        const char *key;
        json_t *value;
        if (!edit_is_waiting(edit) || edit->verb != EDIT_UPDATE ||
            !is_parked_beside(parked, edit)) {
            continue;
        }
        json_object_foreach(edit->changes, key, value)
        {
            if (is_made_on(parked, edit, key)) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

Edit *
saving_form_to_send(Saving *saving, const Edit *edit)
{
    g_autoptr(GPtrArray) others = edits_beside(saving, edit);
    Edit *copy = edit_copy(edit);
    for (guint i = 0; others && i < others->len; i++) {
        const Edit *parked = others->pdata[i];
        const char *key;
        json_t *value;
        if (!is_parked_beside(parked, edit)) {
            continue;
        }
        json_object_foreach(edit->changes, key, value)
        {
            if (is_made_on(parked, edit, key)) {
                set_base(&copy, edit, key, json_object_get(parked->base, key));
            }
        }
    }
    return copy;
}

static gboolean
gives_way(const Edit *parked, const Edit *edit, const Edit *before, const char *key)
{
    const json_t *theirs = json_object_get(parked->theirs, key);
    return is_made_on(parked, before, key) ||
           json_equal(json_object_get(parked->changes, key), json_object_get(edit->changes, key)) ||
           (edit->state == STATE_ACCEPTED && theirs &&
            json_equal(theirs, json_object_get(before->base, key)));
}

/* An earlier one that was parked and is tried again, while a later one was accepted. NULL: it is
 * none.
 */
static Edit *
hidden_retry(Saving *saving, const Edit *earlier, const Edit *edit)
{
    const char *key;
    json_t *value;
    if (edit->state != STATE_ACCEPTED || !edit_is_waiting(earlier) || earlier->told != 0 ||
        earlier->verb != EDIT_UPDATE || earlier->number >= edit->number ||
        earlier->object != edit->object || earlier->id != edit->id) {
        return NULL;
    }
    json_object_foreach(edit->changes, key, value)
    {
        if (json_object_get(earlier->changes, key)) {
            Edit *hidden = edit_copy(earlier);
            hidden->told = saving_next_number(saving);
            return hidden;
        }
    }
    return NULL;
}

/* What is left of `parked`; NULL: it stays as it is. */
static Edit *
after_other(Saving *saving, const Edit *parked, const Edit *edit, const Edit *before)
{
    Edit *rest = NULL;
    const char *key;
    json_t *value;
    json_object_foreach(edit->changes, key, value)
    {
        if (!json_object_get(parked->changes, key)) {
            continue;
        }
        if (!rest) {
            rest = edit_copy(parked);
        }
        if (gives_way(parked, edit, before, key)) {
            (void)json_object_del(rest->changes, key);
            (void)json_object_del(rest->theirs, key);
        } else if (edit->state == STATE_ACCEPTED) {
            if (rest->told == 0 && parked->number < edit->number) {
                rest->told = saving_next_number(saving);
            }
        } else if (json_object_get(edit->theirs, key) && json_object_get(rest->theirs, key) &&
                   !json_equal(json_object_get(edit->theirs, key),
                               json_object_get(rest->theirs, key))) {
            /* Both are in conflict with what the server has now, which nobody has looked at. */
            (void)json_object_set_new(rest->theirs, key,
                                      json_deep_copy(json_object_get(edit->theirs, key)));
            saving_forget_look(saving, parked->number);
        }
    }
    if (rest && rest->state == STATE_CONFLICT && json_object_size(rest->theirs) == 0) {
        rest->state = STATE_PENDING; /* only its neighbour had kept it from being sent */
        rest->told = 0;
        edit_set_error(rest, NULL);
    }
    return rest;
}

void
saving_settle_parked(Saving *saving, const Edit *edit, const Edit *before, GPtrArray *put,
                     GArray *removed)
{
    g_autoptr(GPtrArray) others = edits_beside(saving, edit);
    for (guint i = 0; others && i < others->len; i++) {
        const Edit *parked = others->pdata[i];
        g_autoptr(Edit) rest = is_parked_beside(parked, edit)
                                   ? after_other(saving, parked, edit, before)
                                   : hidden_retry(saving, parked, edit);
        if (rest && json_object_size(rest->changes) == 0) {
            saving_note(saving, (JournalOp){.remove = parked->number});
            g_array_append_val(removed, parked->number);
        } else if (rest) {
            saving_note(saving, (JournalOp){.put = edit_ref(rest)});
            g_ptr_array_add(put, edit_ref(rest));
        }
    }
}

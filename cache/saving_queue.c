/* What the user asks about edits: the queue, reasons of refusals, conflicts; and the end. */
#include "cache/saving_private.h"

#include <stdlib.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/edit_merge.h"

/* --- Under the lock --- */

Tries *
saving_tries_locked(Saving *saving, gint64 number)
{
    Tries *tries = g_hash_table_lookup(saving->tries, &number);
    if (!tries) {
        tries = g_new0(Tries, 1);
        tries->number = number;
        (void)g_hash_table_insert(saving->tries, &tries->number, tries);
    }
    return tries;
}

static gint64
owner_key(EditOwner owner, gint64 id)
{
    return id * 4 + (gint64)owner;
}

/* --- .error --- */

void
saving_reason_free(gpointer data)
{
    Reason *reason = data;
    g_free(reason->text);
    g_free(reason);
}

void
saving_set_error_locked(Saving *saving, EditOwner owner, gint64 id, gint64 number, const char *text)
{
    const gint64 key = owner_key(owner, id);
    Reason *reason = g_new(Reason, 1);
    *reason = (Reason){.number = number, .text = g_strdup(text)};
    (void)g_hash_table_replace(saving->errors, g_memdup2(&key, sizeof key), reason);
}

void
saving_end_error(Saving *saving, EditOwner owner, gint64 id, gint64 number)
{
    const gint64 key = owner_key(owner, id);
    const Edit *parked = NULL;
    g_autoptr(GPtrArray) edits = overlay_list_of(saving->overlay, owner, id);
    for (guint i = edits ? edits->len : 0; i > 0 && !parked; i--) {
        const Edit *edit = edits->pdata[i - 1];
        parked = edit_is_parked(edit) && edit->error ? edit : NULL;
    }
    LOCK_SCOPE(&saving->lock);
    const Reason *reason = g_hash_table_lookup(saving->errors, &key);
    if (reason && reason->number > number) {
        return;
    }
    if (parked) {
        saving_set_error_locked(saving, owner, id, parked->number, parked->error);
    } else {
        (void)g_hash_table_remove(saving->errors, &key);
    }
}

void
saving_set_error(Saving *saving, EditOwner owner, gint64 id, const char *text)
{
    if (!text) {
        saving_end_error(saving, owner, id, G_MAXINT64);
        return;
    }
    LOCK_SCOPE(&saving->lock);
    saving_set_error_locked(saving, owner, id, saving->next_number, text);
}

char *
saving_dup_error(Saving *saving, EditOwner owner, gint64 id)
{
    gint64 key = owner_key(owner, id);
    LOCK_SCOPE(&saving->lock);
    const Reason *reason = g_hash_table_lookup(saving->errors, &key);
    return reason ? g_strconcat(reason->text, "\n", NULL) : NULL;
}

/* --- .conflict --- */

/* The last one; it is what `.conflict/` shows. */
static Edit *
find_conflict(Saving *saving, EditOwner owner, gint64 id)
{
    g_autoptr(GPtrArray) edits = overlay_list_of(saving->overlay, owner, id);
    for (guint i = edits ? edits->len : 0; i > 0; i--) {
        Edit *edit = edits->pdata[i - 1];
        if (edit->state == STATE_CONFLICT) {
            return edit_ref(edit);
        }
    }
    return NULL;
}

gint64
saving_get_conflict(Saving *saving, EditOwner owner, gint64 id, EditSide side, Text *ret_text)
{
    g_autoptr(Edit) edit = find_conflict(saving, owner, id);
    if (edit && ret_text) {
        *ret_text = edit_conflict_text(edit, side);
    }
    return edit ? edit->number : 0;
}

/* Earlier conflicts of nothing but what `.conflict/theirs` shows; the last one is none. */
static gboolean
is_earlier(const Edit *edit, const Edit *last)
{
    const char *key;
    json_t *value;
    if (edit->state != STATE_CONFLICT || edit->number >= last->number ||
        edit->object != last->object || edit->id != last->id) {
        return FALSE;
    }
    json_object_foreach(edit->theirs, key, value)
    {
        if (!json_object_get(last->theirs, key)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The conflict that `.conflict/` shows and the earlier ones beside it, by number; NULL: none. */
static GPtrArray *
list_conflicts(Saving *saving, EditOwner owner, gint64 id)
{
    g_autoptr(Edit) last = find_conflict(saving, owner, id);
    GPtrArray *edits = last ? overlay_list_of(saving->overlay, owner, id) : NULL;
    for (guint i = edits ? edits->len : 0; i > 0; i--) {
        const Edit *edit = edits->pdata[i - 1];
        if (edit->number != last->number && !is_earlier(edit, last)) {
            g_ptr_array_remove_index(edits, i - 1);
        }
    }
    return edits;
}

static void
free_mine(gpointer mine)
{
    edit_mine_free(mine);
}

GPtrArray *
saving_list_earlier_conflicts(Saving *saving, EditOwner owner, gint64 id)
{
    g_autoptr(GPtrArray) edits = list_conflicts(saving, owner, id);
    GPtrArray *list = NULL;
    for (guint i = 0; edits && i + 1 < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        EditMine *mine = g_new(EditMine, 1);
        *mine = (EditMine){edit->number, edit_conflict_text(edit, EDIT_MINE)};
        list = list ? list : g_ptr_array_new_with_free_func(free_mine);
        g_ptr_array_add(list, mine);
    }
    return list;
}

void
saving_note_conflict_read(Saving *saving, EditOwner owner, gint64 id)
{
    g_autoptr(GPtrArray) edits = list_conflicts(saving, owner, id);
    LOCK_SCOPE(&saving->lock);
    for (guint i = 0; edits && i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        (void)g_hash_table_add(saving->looked_at, g_memdup2(&edit->number, sizeof edit->number));
    }
}

/* --- Jobs for the clerk, which the asker waits for --- */

typedef struct Order {
    Saving *saving;
    gint64 number; /* 0: all */
    GError *error;
} Order;

static gboolean
is_sending(Saving *saving, gint64 number)
{
    LOCK_SCOPE(&saving->lock);
    const Tries *tries = g_hash_table_lookup(saving->tries, &number);
    return tries && tries->sending;
}

/* A writer that waits for it still. */
static void
end_dropped(Saving *saving, gint64 number)
{
    {
        LOCK_SCOPE(&saving->lock);
        Attendance *attendance = g_hash_table_lookup(saving->attended, &number);
        if (attendance) {
            attendance->verdict = EDIT_REFUSED;
            g_clear_error(&attendance->error);
            attendance->error = g_error_new(ERR, ERR_CANCELLED, "it was dropped from the queue");
        }
    }
    index_end_edit(saving->parts.index, number);
}

static void
drop_now(gpointer user)
{
    Order *order = user;
    Saving *saving = order->saving;
    g_autoptr(Edit) edit = overlay_get(saving->overlay, order->number);
    if (!edit || edit->state == STATE_ACCEPTED) {
        order->error =
            g_error_new(ERR, ERR_NOT_FOUND, "there is no edit %" G_GINT64_FORMAT " in the queue",
                        order->number);
    } else if (is_sending(saving, order->number)) {
        order->error =
            g_error_new(ERR, ERR_CONFLICT, "edit %" G_GINT64_FORMAT " is being sent at this moment",
                        order->number);
    } else {
        saving_forget(saving, edit);
        saving_end_error(saving, edit->owner, edit_owner_id(edit), G_MAXINT64);
        end_dropped(saving, order->number);
    }
}

/* `insists`: whoever names one whose other side was looked at wants his own in its place. */
static void
retry_one(Saving *saving, const Edit *edit, gboolean insists)
{
    gboolean is_looked_at;
    {
        LOCK_SCOPE(&saving->lock);
        Tries *tries = saving_tries_locked(saving, edit->number);
        tries->next_ms = 0;
        tries->attempts = 0;
        is_looked_at = g_hash_table_contains(saving->looked_at, &edit->number);
    }
    if (!edit_is_parked(edit) || saving_has_successor(saving, edit)) {
        return;
    }
    Edit *copy = edit_copy(edit);
    copy->state = STATE_PENDING;
    if (insists && is_looked_at) {
        (void)json_object_update_existing(copy->base, copy->theirs);
    }
    edit_set_json(&copy->theirs, NULL);
    edit_set_error(copy, NULL);
    saving_note(saving, (JournalOp){.put = edit_ref(copy)});
    saving_publish_one(saving, copy);
}

static void
retry_now(gpointer user)
{
    Order *order = user;
    Saving *saving = order->saving;
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    gboolean found = order->number == 0;
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit->state != STATE_ACCEPTED &&
            (order->number == 0 || order->number == edit->number)) {
            retry_one(saving, edit, order->number > 0);
            found = TRUE;
        }
    }
    if (!found) {
        order->error =
            g_error_new(ERR, ERR_NOT_FOUND, "there is no edit %" G_GINT64_FORMAT " in the queue",
                        order->number);
    }
    saving_pump(saving);
}

static gboolean
give_order(Saving *saving, gint64 number, ClerkJobFn job, GError **error)
{
    Order order = {.saving = saving, .number = number};
    clerk_call(saving->parts.clerk, job, &order);
    if (order.error) {
        g_propagate_error(error, order.error);
        return FALSE;
    }
    return TRUE;
}

gboolean
saving_retry(Saving *saving, gint64 number, GError **error)
{
    return give_order(saving, number, retry_now, error);
}

gboolean
saving_drop(Saving *saving, gint64 number, GError **error)
{
    return give_order(saving, number, drop_now, error);
}

gboolean
saving_drop_conflict(Saving *saving, EditOwner owner, gint64 id, GError **error)
{
    g_autoptr(GPtrArray) edits = list_conflicts(saving, owner, id);
    if (!edits) {
        g_set_error(error, ERR, ERR_NOT_FOUND, "there is no conflict");
        return FALSE;
    }
    for (guint i = edits->len; i > 0; i--) {
        if (!saving_drop(saving, ((const Edit *)edits->pdata[i - 1])->number, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* --- The queue --- */

static const char *
state_word(const Edit *edit, gboolean sending)
{
    return edit->state == STATE_REFUSED    ? "refused"
           : edit->state == STATE_CONFLICT ? "conflict"
           : sending                       ? "sending"
                                           : "pending";
}

static EditStatus *
status_of(Saving *saving, const Edit *edit)
{
    EditStatus *status = g_new0(EditStatus, 1);
    status->number = edit->number;
    status->project_id = edit->project_id;
    status->owner_id = edit->owner_id;
    status->id = edit->id;
    status->created_ms = edit->created_ms;
    status->owner = edit->owner;
    status->what = edit_describe(edit);
    status->error = g_strdup(edit->error);
    LOCK_SCOPE(&saving->lock);
    const Tries *tries = g_hash_table_lookup(saving->tries, &edit->number);
    status->state = state_word(edit, tries && tries->sending);
    if (tries) {
        status->attempts = tries->attempts;
        status->next_try_ms = edit_is_waiting(edit) ? tries->next_ms : 0;
        status->error = status->error ? status->error : g_strdup(tries->error);
    }
    return status;
}

GPtrArray *
saving_list(Saving *saving)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)edit_status_free);
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit->state != STATE_ACCEPTED) {
            g_ptr_array_add(list, status_of(saving, edit));
        }
    }
    return list;
}

guint
saving_count(Saving *saving, guint *ret_parked)
{
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    guint all = 0;
    guint parked = 0;
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        all += edit->state != STATE_ACCEPTED;
        parked += edit_is_parked(edit);
    }
    if (ret_parked) {
        *ret_parked = parked;
    }
    return all;
}

char *
saving_show(Saving *saving, gint64 number)
{
    g_autoptr(Edit) edit = overlay_get(saving->overlay, number);
    if (!edit || edit->state == STATE_ACCEPTED) {
        return NULL;
    }
    g_autoptr(EditStatus) status = status_of(saving, edit);
    g_autoptr(Json) object = json_object();
    (void)json_object_set_new(object, "id", json_integer(number));
    (void)json_object_set_new(object, "what", json_string(status->what));
    (void)json_object_set_new(object, "state", json_string(status->state));
    (void)json_object_set_new(object, "attempts", json_integer(status->attempts));
    if (status->error) {
        (void)json_object_set_new(object, "error", json_string(status->error));
    }
    const struct {
        const char *name;
        json_t *value;
    } trees[] = {{"changes", edit->changes}, {"base", edit->base}, {"theirs", edit->theirs}};
    for (gsize i = 0; i < G_N_ELEMENTS(trees); i++) {
        if (trees[i].value) {
            (void)json_object_set_new(object, trees[i].name, json_deep_copy(trees[i].value));
        }
    }
    char *dumped = json_dumps(object, JSON_INDENT(2));
    char *text = g_strconcat(dumped ? dumped : "{}", "\n", NULL);
    free(dumped);
    return text;
}

/* --- The end --- */

/* How many wait; *ret_hopeless: the server is away, and nothing is on its way to it. */
static guint
count_waiting(Saving *saving, gboolean *ret_hopeless)
{
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    guint waiting = 0;
    gboolean is_away = FALSE;
    gboolean is_sending = FALSE;
    LOCK_SCOPE(&saving->lock);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        const Tries *tries = g_hash_table_lookup(saving->tries, &edit->number);
        waiting += edit_is_waiting(edit);
        is_away |= tries && tries->server_is_away;
        is_sending |= tries && tries->sending;
    }
    waiting += saving->incoming->len;
    *ret_hopeless = is_away && !is_sending;
    return waiting;
}

/* Waits for the next outcome; FALSE when the time is over. */
static gboolean
wait_for_outcome(Saving *saving, guint seen, gint64 deadline_ms)
{
    LOCK_SCOPE(&saving->lock);
    while (saving->outcomes == seen) {
        gint64 wait_ms = clock_wait_ms(deadline_ms);
        if (wait_ms == 0) {
            return FALSE;
        }
        (void)cond_wait_ms(&saving->changed, &saving->lock, wait_ms);
    }
    return TRUE;
}

static guint
outcomes_so_far(Saving *saving)
{
    LOCK_SCOPE(&saving->lock);
    return saving->outcomes;
}

guint
saving_drain(Saving *saving, gint64 timeout_ms, CacheDrainFn progress, gpointer user)
{
    gint64 deadline_ms = clock_monotonic_ms() + timeout_ms;
    guint told = G_MAXUINT;
    gboolean hopeless = FALSE;
    for (;;) {
        guint seen = outcomes_so_far(saving);
        guint waiting = count_waiting(saving, &hopeless);
        if (progress && waiting != told) {
            progress(waiting, user);
            told = waiting;
        }
        if (waiting == 0 || hopeless || !wait_for_outcome(saving, seen, deadline_ms)) {
            break;
        }
    }
    return saving_count(saving, NULL);
}

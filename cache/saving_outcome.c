/* From the journal to the server's verdict.
 *
 * saving_pump() looks at what waits, oldest first, and begins sending whatever may go now: nothing
 * of an owner (a story with all below it, an epic, a project) while an earlier edit of the same is
 * not through, nothing on top of what is not made yet, creations in a project one after the other
 * (so that the twin of one is not taken for the other's). Each sending comes back to on_outcome().
 *
 * After an acceptance the project is looked at until its own data shows what was accepted. */
#include "cache/saving_private.h"

#include "cache/base/clock.h"
#include "cache/base/crash.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"
#include "cache/json_text.h"

#define SENDING_MAX 4
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 60000
#define SETTLE_FIRST_MS 100
#define SETTLE_MAX_MS 5000

/* --- What may go --- */

/* Edits with the same lane go one after the other. */
typedef struct Lane {
    int kind; /* an EditOwner, or LANE_CREATIONS + the object that is made */
    gint64 id;
} Lane;

#define LANE_CREATIONS 16

static Lane
lane_of(const Edit *edit)
{
    if (edit->verb == EDIT_CREATE &&
        (edit->object == OBJECT_STORY || edit->object == OBJECT_EPIC)) {
        return (Lane){LANE_CREATIONS + (int)edit->object, edit->project_id};
    }
    return (Lane){(int)edit->owner, edit_owner_id(edit)};
}

static guint
lane_hash(gconstpointer data)
{
    const Lane *lane = data;
    return g_int64_hash(&lane->id) * 31 + (guint)lane->kind;
}

static gboolean
lane_equal(gconstpointer a, gconstpointer b)
{
    const Lane *left = a;
    const Lane *right = b;
    return left->kind == right->kind && left->id == right->id;
}

/* On something that only an earlier edit makes. */
static gboolean
is_premature(const Edit *edit)
{
    Lane lane = lane_of(edit);
    return (lane.kind < LANE_CREATIONS && edit_id_is_provisional(edit->owner_id)) ||
           (edit->verb != EDIT_CREATE && edit_id_is_provisional(edit->id));
}

/* TRUE when it is to be sent now; *ret_next_ms: else, when (0: not by time). */
static gboolean
take_turn(Saving *saving, const Edit *edit, gint64 *ret_next_ms)
{
    gint64 now_ms = clock_monotonic_ms();
    LOCK_SCOPE(&saving->lock);
    Tries *tries = saving_tries_locked(saving, edit->number);
    *ret_next_ms = 0;
    if (tries->sending) {
        return FALSE;
    }
    if (tries->next_ms > now_ms) {
        *ret_next_ms = tries->next_ms;
        return FALSE;
    }
    tries->sending = TRUE;
    return TRUE;
}

static void on_outcome(Outcome outcome, Edit *edit, const GError *error, gint64 retry_after_ms,
                       gpointer user);

static void
begin_sending(Saving *saving, const Edit *edit)
{
    g_autoptr(Account) account = index_peek_account(saving->parts.index);
    Project *base = sync_peek_base(saving->sync, edit->project_id);
    g_autoptr(Edit) form = saving_form_to_send(saving, edit);
    saving->n_sending++;
    edit_send(&saving->send, form, base, account ? &account->me : NULL, on_outcome, saving);
}

/* Adds the lanes in which something is being sent. TRUE: the server did not answer of late. */
static gboolean
look_at_tries(Saving *saving, const GPtrArray *edits, GHashTable *sending)
{
    gboolean is_away = FALSE;
    LOCK_SCOPE(&saving->lock);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        const Tries *tries = g_hash_table_lookup(saving->tries, &edit->number);
        const Lane lane = lane_of(edit);
        if (tries && tries->sending) {
            (void)g_hash_table_add(sending, g_memdup2(&lane, sizeof lane));
        }
        is_away |= tries && tries->server_is_away;
    }
    return is_away;
}

static void
pump_job(gpointer user)
{
    saving_pump(user);
}

void
saving_pump(Saving *saving)
{
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    g_autoptr(GHashTable) busy = g_hash_table_new_full(lane_hash, lane_equal, g_free, NULL);
    g_autoptr(GHashTable) sending = g_hash_table_new_full(lane_hash, lane_equal, g_free, NULL);
    const gboolean is_away = look_at_tries(saving, edits, sending);
    gint64 wake_ms = 0;
    for (guint i = 0; i < edits->len && !saving->closing && saving->sync; i++) {
        const Edit *edit = edits->pdata[i];
        gint64 next_ms;
        if (!edit_is_waiting(edit)) {
            continue;
        }
        const Lane lane = lane_of(edit);
        if (!g_hash_table_add(busy, g_memdup2(&lane, sizeof lane)) || is_premature(edit)) {
            if (is_away && !g_hash_table_contains(sending, &lane)) {
                index_end_edit(saving->parts.index, edit->number); /* no verdict soon */
            }
            continue;
        }
        if (g_hash_table_contains(sending, &lane)) {
            continue; /* an earlier one that is tried again waits for it as well */
        }
        if (saving->n_sending >= SENDING_MAX || !sync_peek_base(saving->sync, edit->project_id)) {
            continue;
        }
        if (take_turn(saving, edit, &next_ms)) {
            begin_sending(saving, edit);
        } else if (next_ms > 0 && (wake_ms == 0 || next_ms < wake_ms)) {
            wake_ms = next_ms;
        }
    }
    if (wake_ms > 0 && (saving->wake_ms == 0 || wake_ms < saving->wake_ms ||
                        saving->wake_ms <= clock_monotonic_ms())) {
        saving->wake_ms = wake_ms;
        clerk_post_at(saving->parts.clerk, wake_ms, pump_job, NULL, saving);
    }
}

/* --- Watching until the server's data shows it --- */

static void post_settle(Saving *saving, gint64 delay_ms);

/* `project_id` 0: nothing. */
static void
look_once(Saving *saving, GHashTable *asked, gint64 project_id)
{
    if (project_id > 0 && g_hash_table_add(asked, g_memdup2(&project_id, sizeof project_id))) {
        sync_look_at(saving->sync, project_id, PRIORITY_PREFETCH);
    }
}

static void
settle(gpointer user)
{
    Saving *saving = user;
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    g_autoptr(GHashTable) asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (clock_monotonic_ms() < saving->settle_due_ms) {
        return; /* a sooner look was wanted meanwhile, and it has set the next one */
    }
    for (guint i = 0; i < edits->len && !saving->closing; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit->state == STATE_ACCEPTED) {
            look_once(saving, asked, edit->project_id);
            look_once(saving, asked, json_get_id(edit->changes, "project_id"));
        }
    }
    if (g_hash_table_size(asked) > 0) {
        post_settle(saving, MIN(saving->settle_delay_ms * 2, (gint64)SETTLE_MAX_MS));
    } else {
        saving->settle_due_ms = 0;
    }
}

static void
post_settle(Saving *saving, gint64 delay_ms)
{
    saving->settle_delay_ms = delay_ms;
    saving->settle_due_ms = clock_monotonic_ms() + delay_ms;
    clerk_post_at(saving->parts.clerk, saving->settle_due_ms, settle, NULL, saving);
}

/* Many acceptances in a row are looked at together. */
static void
settle_soon(Saving *saving)
{
    gint64 soon_ms = clock_monotonic_ms() + SETTLE_FIRST_MS;
    if (saving->settle_due_ms == 0 || saving->settle_due_ms > soon_ms) {
        post_settle(saving, SETTLE_FIRST_MS);
    }
}

/* A check that went well says that the server is back: what waited for it need not wait longer. */
static void
stop_waiting(Saving *saving)
{
    GHashTableIter iter;
    gpointer value;
    LOCK_SCOPE(&saving->lock);
    g_hash_table_iter_init(&iter, saving->tries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Tries *tries = value;
        if (tries->server_is_away) {
            tries->server_is_away = FALSE;
            tries->next_ms = 0;
        }
    }
}

void
saving_on_retired(const GArray *numbers, gint64 project_id, gpointer user)
{
    Saving *saving = user;
    (void)project_id;
    stop_waiting(saving);
    for (guint i = 0; i < numbers->len; i++) {
        saving_note(saving, (JournalOp){.remove = g_array_index(numbers, gint64, i)});
    }
    if (saving->sync) { /* what waited for the project to be known may go now */
        saving_pump(saving);
    }
}

/* --- Outcomes --- */

/* Nobody waits for it any more: the log, events.jsonl and the queue say what became of it. */
static void
announce(Saving *saving, const Edit *edit, const GError *error)
{
    g_autofree char *what = edit_describe(edit);
    g_autoptr(Json) event = json_object();
    g_autoptr(GString) line = g_string_new(NULL);
    log_warning("edit %" G_GINT64_FORMAT " (%s) waits in the queue: %s", edit->number, what,
                error->message);
    (void)json_object_set_new(event, "kind", json_string("edit_parked_event"));
    (void)json_object_set_new(event, "edit", json_integer(edit->number));
    (void)json_object_set_new(event, "what", json_string(what));
    (void)json_object_set_new(event, "error", json_string(error->message));
    (void)json_object_set_new(event, "occurred_at", json_integer(clock_wall_ms()));
    g_autofree char *text = edit_json_to_text(event);
    g_string_append_printf(line, "%s\n", text);
    events_append(saving->parts.events, line);
}

static void
tell(Saving *saving, const Edit *edit, EditVerdict verdict, const GError *error, gboolean ends)
{
    gboolean attended;
    {
        LOCK_SCOPE(&saving->lock);
        Attendance *attendance = g_hash_table_lookup(saving->attended, &edit->number);
        attended = attendance != NULL;
        if (attendance) {
            attendance->verdict = verdict;
            attendance->made_id = edit->verb == EDIT_CREATE ? edit_made_id(edit) : 0;
            g_clear_error(&attendance->error);
            attendance->error = error ? g_error_copy(error) : NULL;
        }
        if (verdict != EDIT_PENDING) {
            (void)g_hash_table_remove(saving->tries, &edit->number);
        }
        saving->outcomes++;
        (void)pthread_cond_broadcast(&saving->changed);
    }
    if (!attended && (verdict == EDIT_REFUSED || verdict == EDIT_CONFLICT)) {
        announce(saving, edit, error);
    }
    if (ends) {
        index_end_edit(saving->parts.index, edit->number);
    }
}

/* What was made on top of the new thing gets its id. */
static void
rename_dependents(Saving *saving, gint64 provisional, gint64 id, GPtrArray *put)
{
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    overlay_note_id(saving->overlay, provisional, id);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        gboolean is_maker = edit->number == provisional - EDIT_PROVISIONAL_FIRST;
        if (is_maker || (edit->owner_id != provisional && edit->id != provisional)) {
            continue;
        }
        Edit *copy = edit_copy(edit);
        copy->owner_id = copy->owner_id == provisional ? id : copy->owner_id;
        copy->id = copy->id == provisional ? id : copy->id;
        g_ptr_array_add(put, copy);
    }
}

static void
keep_attachment(Saving *saving, const Edit *edit)
{
    if (saving->parts.attachments && edit->spool) {
        g_autofree char *path = journal_spool_path(saving->journal, edit->spool);
        attachments_adopt(saving->parts.attachments, edit->id, path);
    }
}

static void
accept(Saving *saving, Edit *edit, const Edit *before)
{
    g_autoptr(GArray) removed = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GPtrArray) put = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    gint64 provisional = EDIT_PROVISIONAL_FIRST + edit->number;
    crash_point(CRASH_OUTCOME_BEGUN);
    JournalOp op = {.put = edit_ref(edit)};
    if (edit->verb == EDIT_CREATE) {
        rename_dependents(saving, provisional, edit_made_id(edit), put);
    }
    if (edit->object == OBJECT_ATTACHMENT && edit->verb == EDIT_CREATE) {
        keep_attachment(saving, edit);
        op.spool = g_strdup(edit->spool);
        g_clear_pointer(&edit->spool, g_free);
    }
    for (guint i = 0; i < put->len; i++) {
        saving_note(saving, (JournalOp){.put = edit_ref(put->pdata[i])});
    }
    saving_note(saving, op);
    g_ptr_array_add(put, edit_ref(edit));
    saving_settle_parked(saving, edit, before, put, removed);
    saving_publish(saving, put, removed);
    crash_point(CRASH_OUTCOME_SHOWN);
    saving_end_error(saving, edit->owner, edit_owner_id(edit), edit->number);
    tell(saving, edit, EDIT_ACCEPTED, NULL, TRUE);
    crash_point(CRASH_OUTCOME_TOLD);
    settle_soon(saving);
}

/* TRUE when the writer waits still and will hear of it: from here on its verdict is due, and asking
 * for it means waiting a moment more. */
static gboolean
will_be_told(Saving *saving, gint64 number)
{
    LOCK_SCOPE(&saving->lock);
    Attendance *attendance = g_hash_table_lookup(saving->attended, &number);
    if (attendance) {
        attendance->verdict = EDIT_UNSAVED;
    }
    return attendance != NULL;
}

static void
note_error(Saving *saving, const Edit *edit, const GError *error)
{
    LOCK_SCOPE(&saving->lock);
    saving_set_error_locked(saving, edit->owner, edit_owner_id(edit), edit->number, error->message);
}

/* Who is told of a refusal has his text still, and what is shown is again what was before. Who went
 * away finds the edit in the queue, and his text where he left it. */
static void
park(Saving *saving, Edit *edit, const Edit *before, EditState state, const GError *error)
{
    gboolean told = will_be_told(saving, edit->number);
    note_error(saving, edit, error);
    crash_point(state == STATE_CONFLICT ? CRASH_CONFLICT_NOTED : CRASH_REFUSAL_NOTED);
    if (told && state == STATE_REFUSED) {
        saving_forget(saving, edit);
    } else {
        g_autoptr(GArray) removed = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_autoptr(GPtrArray) put = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
        edit->state = state;
        edit->told = told ? saving_next_number(saving) : edit->told;
        edit_set_error(edit, error);
        saving_forget_look(saving, edit->number);
        saving_note(saving, (JournalOp){.put = edit_ref(edit)});
        g_ptr_array_add(put, edit_ref(edit));
        saving_settle_parked(saving, edit, before, put, removed);
        saving_publish(saving, put, removed);
    }
    if (state == STATE_CONFLICT) { /* the tree is to show soon what it is in conflict with */
        sync_look_at(saving->sync, edit->project_id, PRIORITY_PREFETCH);
    }
    tell(saving, edit, state == STATE_CONFLICT ? EDIT_CONFLICT : EDIT_REFUSED, error, TRUE);
}

static void
try_later(Saving *saving, Edit *edit, const Edit *before, const GError *error,
          gint64 retry_after_ms)
{
    gboolean is_away = error->code == ERR_OFFLINE || error->code == ERR_CANCELLED;
    if (error->code == ERR_OFFLINE) {
        index_note_away(saving->parts.index);
    }
    {
        LOCK_SCOPE(&saving->lock);
        Tries *tries = saving_tries_locked(saving, edit->number);
        gint64 wait_ms =
            MIN((gint64)RETRY_FIRST_MS << MIN(tries->attempts, 10u), (gint64)RETRY_MAX_MS);
        tries->attempts++;
        tries->sending = FALSE;
        tries->server_is_away = is_away;
        tries->next_ms = clock_monotonic_ms() + MAX(wait_ms, retry_after_ms);
        g_free(tries->error);
        tries->error = g_strdup(error->message);
    }
    log_debug(LOG_CACHE, "edit %" G_GINT64_FORMAT " later: %s", edit->number, error->message);
    /* What was learnt on the way stands in the journal already. The base is chosen at each try. */
    edit_set_json(&edit->base, json_deep_copy(before->base));
    overlay_put(saving->overlay, edit_ref(edit));
    /* A server that is away gives no verdict soon; one that stumbled may. */
    tell(saving, edit, EDIT_PENDING, error, is_away);
}

static void
on_outcome(Outcome outcome, Edit *taken, const GError *error, gint64 retry_after_ms, gpointer user)
{
    Saving *saving = user;
    g_autoptr(Edit) edit = taken;
    g_autoptr(Edit) present = overlay_get(saving->overlay, edit->number);
    saving->n_sending--;
    if (!present) {
        return; /* dropped meanwhile, which only the end of the mount allows */
    }
    switch (outcome) {
    case OUTCOME_ACCEPTED:
        accept(saving, edit, present);
        break;
    case OUTCOME_REFUSED:
        park(saving, edit, present, STATE_REFUSED, error);
        break;
    case OUTCOME_CONFLICT:
        park(saving, edit, present, STATE_CONFLICT, error);
        break;
    case OUTCOME_LATER:
        try_later(saving, edit, present, error, retry_after_ms);
        break;
    }
    saving_pump(saving);
}

/* --- Throwing away --- */

static void
note_removal(Saving *saving, const Edit *edit, GArray *numbers)
{
    saving_note(saving, (JournalOp){.remove = edit->number, .spool = g_strdup(edit->spool)});
    g_array_append_val(numbers, edit->number);
}

void
saving_forget(Saving *saving, const Edit *edit)
{
    gint64 made = edit->verb == EDIT_CREATE ? edit_made_id(edit) : 0;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    note_removal(saving, edit, numbers);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *other = edits->pdata[i];
        if (edit_id_is_provisional(made) && other->number != edit->number &&
            (other->owner_id == made || other->id == made)) {
            note_removal(saving, other, numbers);
        }
    }
    saving_publish(saving, NULL, numbers);
    for (guint i = 0; i < numbers->len; i++) {
        gint64 number = g_array_index(numbers, gint64, i);
        {
            LOCK_SCOPE(&saving->lock);
            (void)g_hash_table_remove(saving->tries, &number);
            saving->outcomes++;
            (void)pthread_cond_broadcast(&saving->changed);
        }
        if (number != edit->number) {
            index_end_edit(saving->parts.index, number);
        }
    }
}

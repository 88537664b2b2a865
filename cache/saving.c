/* From the writer to the journal.
 *
 *   submit (any thread)  make the edit, number it, queue it                     -> the writer waits
 *   flush (clerk)        everything queued and noted so far in one transaction, synced; then the
 *                        new edits are shown, and sending begins (saving_outcome.c)
 *
 * While a transaction is on its way to the disk others queue up for the next: that is the group
 * commit. When one fails, its parts are tried one by one, so that only those fail that must. */
#include "cache/saving_private.h"

#include "cache/base/clock.h"
#include "cache/base/crash.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"

static void note_sent(Edit *edit, SendNotedFn noted, gpointer noted_user, gpointer user);
static gboolean is_made_by_other(gint64 id, const Edit *edit, gpointer user);

/* --- Making and ending --- */

void
saving_attendance_free(gpointer data)
{
    Attendance *attendance = data;
    g_clear_error(&attendance->error);
    g_free(attendance);
}

void
saving_tries_free(gpointer data)
{
    Tries *tries = data;
    g_free(tries->error);
    g_free(tries);
}

static gboolean
load_journal(Saving *saving, GError **error)
{
    g_autoptr(GPtrArray) edits = journal_load(saving->journal, error);
    if (!edits) {
        return FALSE;
    }
    saving->next_number = 1;
    for (guint i = 0; i < edits->len; i++) {
        Edit *edit = edits->pdata[i];
        saving->next_number = MAX(saving->next_number, MAX(edit->number + 1, edit->told));
        overlay_put(saving->overlay, edit_ref(edit));
        if (edit_is_parked(edit) && edit->error) {
            saving_set_error_locked(saving, edit->owner, edit_owner_id(edit), edit->number,
                                    edit->error);
        }
    }
    return TRUE;
}

Saving *
saving_new(const char *state_directory, const SavingParts *parts, GError **error)
{
    Journal *journal = journal_open(state_directory, error);
    if (!journal) {
        return NULL;
    }
    Saving *saving = g_new0(Saving, 1);
    saving->parts = *parts;
    saving->journal = journal;
    saving->overlay = overlay_new();
    (void)pthread_mutex_init(&saving->lock, NULL);
    cond_init_monotonic(&saving->changed);
    saving->incoming = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    saving->attended =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, saving_attendance_free);
    saving->tries = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, saving_tries_free);
    saving->looked_at = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    saving->errors = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, saving_reason_free);
    saving->ops = g_array_new(FALSE, FALSE, sizeof(JournalOp));
    saving->send = (SendParts){
        .clerk = parts->clerk,
        .transport = parts->transport,
        .journal = journal,
        .timeout_ms = parts->timeout_ms,
        .note = note_sent,
        .is_ours = is_made_by_other,
        .user = saving,
    };
    if (!load_journal(saving, error)) {
        saving_free(saving);
        return NULL;
    }
    return saving;
}

void
saving_free(Saving *saving)
{
    if (!saving) {
        return;
    }
    g_array_unref(saving->ops);
    g_ptr_array_unref(saving->incoming);
    g_hash_table_unref(saving->attended);
    g_hash_table_unref(saving->tries);
    g_hash_table_unref(saving->errors);
    g_hash_table_unref(saving->looked_at);
    overlay_free(saving->overlay);
    journal_close(saving->journal);
    (void)pthread_cond_destroy(&saving->changed);
    (void)pthread_mutex_destroy(&saving->lock);
    g_free(saving);
}

Overlay *
saving_overlay(Saving *saving)
{
    return saving->overlay;
}

void
saving_start(Saving *saving, Sync *sync)
{
    saving->sync = sync;
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    for (guint i = 0; i < edits->len; i++) {
        sync_look_at(sync, ((const Edit *)edits->pdata[i])->project_id, PRIORITY_DEMAND);
    }
    saving_pump(saving);
}

void
saving_close(Saving *saving)
{
    saving->closing = TRUE;
}

/* --- Submitting --- */

Story *
saving_load_story(Saving *saving, Project *project, gint64 story_id, GError **error)
{
    g_autoptr(GError) failure = NULL;
    /* The edits first: see cache/overlay.h. */
    g_autoptr(GPtrArray) edits = overlay_list_of(saving->overlay, EDIT_OF_STORY, story_id);
    g_autoptr(Story) story = store_load_story(saving->parts.store, story_id, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    g_autoptr(Account) account = index_peek_account(saving->parts.index);
    const EditContext context = {.project = project, .me = account ? &account->me : NULL};
    return overlay_story(edits, story, &context);
}

/* What an edit is made from; cleared by the caller. */
typedef struct Known {
    Account *account;
    Project *project;
    Story *story;
    GPtrArray *earlier;
    EditContext context;
} Known;

static void
known_clear(Known *known)
{
    account_unref(known->account);
    project_unref(known->project);
    story_unref(known->story);
    if (known->earlier) {
        g_ptr_array_unref(known->earlier);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Known, known_clear)

static gboolean
is_of_epic(EditFile file)
{
    switch (file) {
    case EDIT_EPIC_JSON:
    case EDIT_EPIC_DESCRIPTION:
    case EDIT_EPIC_FIELD:
    case EDIT_EPIC_COMMENT:
    case EDIT_EPIC_CHANGES:
    case EDIT_NEW_EPIC_COMMENT:
    case EDIT_DELETE_EPIC:
    case EDIT_DELETE_EPIC_COMMENT:
        return TRUE;
    default:
        return FALSE;
    }
}

static EditOwner
owner_of(const EditTarget *target)
{
    return is_of_epic(target->file) ? EDIT_OF_EPIC
           : target->owner_id > 0   ? EDIT_OF_STORY
                                    : EDIT_OF_PROJECT;
}

static gboolean
is_of_time(gconstpointer object, gpointer user)
{
    return ((const Story *)object)->updated_ms == *(const gint64 *)user;
}

static Story *
recall_story(gint64 story_id, gint64 updated_ms, gpointer user)
{
    const Saving *saving = user;
    return lru_find_former(saving->parts.stories, (guint64)story_id, is_of_time, &updated_ms);
}

static gboolean
know(Saving *saving, const EditTarget *target, Known *known, GError **error)
{
    known->earlier =
        overlay_list_of(saving->overlay, owner_of(target), target->owner_id ?: target->project_id);
    known->account = index_peek_account(saving->parts.index);
    known->project = index_peek_project(saving->parts.index, target->project_id);
    if (!known->project) {
        g_set_error(error, ERR, ERR_OFFLINE, "the project is not known yet");
        return FALSE;
    }
    known->context = (EditContext){
        .project = known->project,
        .me = known->account ? &known->account->me : NULL,
        .now_ms = clock_wall_ms(),
        .earlier = known->earlier,
        .recall = recall_story,
        .recall_user = saving,
    };
    if (target->owner_id == 0) {
        return TRUE;
    }
    if (is_of_epic(target->file)) {
        known->context.epic = project_find_epic(known->project, target->owner_id);
    } else {
        known->story = saving_load_story(saving, known->project, target->owner_id, error);
        known->context.story = known->story;
    }
    if (!known->context.epic && !known->context.story) {
        if (!error || !*error) {
            g_set_error(error, ERR, ERR_NOT_FOUND, "it is not there any more");
        }
        return FALSE;
    }
    return TRUE;
}

static gboolean
measure_spool(Saving *saving, Edit *edit, GError **error)
{
    if (!edit->spool) {
        return TRUE;
    }
    gint64 bytes = journal_spool_sync(saving->journal, edit->spool, error);
    if (bytes < 0) {
        return FALSE;
    }
    (void)json_object_set_new(edit->changes, "size", json_integer(bytes));
    return TRUE;
}

static void
queue_edit(Saving *saving, Edit *edit)
{
    Attendance *attendance = g_new0(Attendance, 1);
    gboolean is_owner = edit->object == OBJECT_STORY || edit->object == OBJECT_EPIC;
    {
        LOCK_SCOPE(&saving->lock);
        edit->number = saving->next_number++;
        if (edit->verb == EDIT_CREATE) {
            *(is_owner ? &edit->owner_id : &edit->id) = EDIT_PROVISIONAL_FIRST + edit->number;
            attendance->made_id = EDIT_PROVISIONAL_FIRST + edit->number;
        }
        attendance->number = edit->number;
        attendance->verdict = EDIT_UNSAVED;
        (void)g_hash_table_insert(saving->attended, &attendance->number, attendance);
        g_ptr_array_add(saving->incoming, edit_ref(edit));
    }
    index_begin_edit(saving->parts.index, edit->number);
    saving_post_flush(saving);
}

static Edit *
make_edit(Saving *saving, const EditTarget *target, const Text *base, const Text *mine,
          GError **error)
{
    g_auto(Known) known = {.project = NULL};
    if (!know(saving, target, &known, error)) {
        return NULL;
    }
    g_autoptr(Edit) edit = edit_make(target, base, mine, &known.context, error);
    return edit && measure_spool(saving, edit, error) ? g_steal_pointer(&edit) : NULL;
}

gint64
saving_submit(Saving *saving, const EditTarget *asked, const Text *base, const Text *mine,
              GError **error)
{
    g_autoptr(GError) failure = NULL;
    EditTarget target = *asked;
    target.owner_id = overlay_resolve(saving->overlay, target.owner_id);
    target.id = overlay_resolve(saving->overlay, target.id);
    g_autoptr(Edit) edit = make_edit(saving, &target, base, mine, &failure);
    const EditOwner owner = owner_of(&target);
    gint64 owner_id = owner == EDIT_OF_PROJECT ? target.project_id : target.owner_id;
    if (!edit) {
        if (target.spool) {
            journal_spool_remove(saving->journal, target.spool);
        }
        saving_set_error(saving, owner, owner_id, failure ? failure->message : NULL);
        if (failure) {
            log_debug(LOG_CACHE, "refused: %s", failure->message);
            g_propagate_error(error, g_steal_pointer(&failure));
        }
        return 0;
    }
    crash_point(CRASH_SUBMIT_MADE);
    queue_edit(saving, edit);
    crash_point(CRASH_SUBMIT_QUEUED);
    return edit->number;
}

int
saving_spool_new(Saving *saving, char **ret_name, GError **error)
{
    return journal_spool_new(saving->journal, ret_name, error);
}

void
saving_spool_drop(Saving *saving, const char *name)
{
    journal_spool_remove(saving->journal, name);
}

int
saving_open_attachment(Saving *saving, gint64 attachment_id)
{
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit->object == OBJECT_ATTACHMENT && edit->spool && edit->id == attachment_id) {
            return journal_spool_open(saving->journal, edit->spool, NULL);
        }
    }
    return -1;
}

gboolean
saving_may_write(Saving *saving, gint64 project_id)
{
    g_autoptr(Account) account = index_peek_account(saving->parts.index);
    g_autoptr(Project) project = index_peek_project(saving->parts.index, project_id);
    const Member *member = account && project ? project_find_member(project, account->me.id) : NULL;
    return !member || !member->role ||
           (!g_str_equal(member->role, "viewer") && !g_str_equal(member->role, "inactive"));
}

/* --- The verdict --- */

EditVerdict
saving_verdict(Saving *saving, gint64 number, gboolean last, gint64 *ret_id, GError **error)
{
    LOCK_SCOPE(&saving->lock);
    Attendance *attendance = g_hash_table_lookup(saving->attended, &number);
    if (!attendance) {
        return EDIT_ACCEPTED;
    }
    EditVerdict verdict = attendance->verdict;
    if (ret_id) {
        *ret_id = attendance->made_id;
    }
    if (attendance->error && error) {
        *error = g_error_copy(attendance->error);
    }
    if (verdict != EDIT_UNSAVED && (verdict != EDIT_PENDING || last)) {
        (void)g_hash_table_remove(saving->attended, &number);
    }
    return verdict;
}

/* --- The journal --- */

static void
op_clear(JournalOp *op)
{
    edit_unref(op->put);
    g_free(op->spool);
}

static gboolean
apply_op(Saving *saving, const JournalOp *op, GError **error)
{
    return op->put ? journal_put(saving->journal, op->put, error)
                   : journal_delete(saving->journal, op->remove, error);
}

/* All of `ops` from `first`, `n` of them, or nothing. */
static gboolean
write_ops(Saving *saving, const GArray *ops, guint first, guint n, GError **error)
{
    if (!journal_begin(saving->journal, error)) {
        return FALSE;
    }
    for (guint i = first; i < first + n; i++) {
        if (!apply_op(saving, &g_array_index(ops, JournalOp, i), error)) {
            journal_rollback(saving->journal);
            return FALSE;
        }
    }
    crash_point(CRASH_FLUSH_WRITTEN);
    return journal_commit(saving->journal, error);
}

static void
set_verdict(Saving *saving, gint64 number, EditVerdict verdict, const GError *error)
{
    LOCK_SCOPE(&saving->lock);
    Attendance *attendance = g_hash_table_lookup(saving->attended, &number);
    if (attendance) {
        attendance->verdict = verdict;
        g_clear_error(&attendance->error);
        attendance->error = error ? g_error_copy(error) : NULL;
    }
}

/* One that was not journaled never was. */
static void
fail_new(Saving *saving, const Edit *edit, const GError *error)
{
    log_warning("a save failed: %s", error->message);
    if (edit->spool) {
        journal_spool_remove(saving->journal, edit->spool);
    }
    saving_set_error(saving, edit->owner, edit_owner_id(edit), error->message);
    set_verdict(saving, edit->number, EDIT_REFUSED, error);
    index_end_edit(saving->parts.index, edit->number);
}

static void
finish_op(Saving *saving, JournalOp *op, const GError *error, GPtrArray *shown)
{
    if (op->is_new && error) {
        fail_new(saving, op->put, error);
    } else if (op->is_new) {
        g_ptr_array_add(shown, edit_ref(op->put));
    } else if (error) {
        /* What memory knows is right; the row is older, and repeating from it does no harm. */
        log_debug(LOG_CACHE, "%s", error->message);
    } else if (op->spool) {
        journal_spool_remove(saving->journal, op->spool);
    }
    if (!op->put) {
        crash_point(CRASH_RETIRE_COMMITTED);
    }
    if (op->noted) {
        op->noted(error, op->noted_user);
    }
}

/* --- Flushing --- */

static GPtrArray *
take_incoming(Saving *saving)
{
    GPtrArray *fresh = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    LOCK_SCOPE(&saving->lock);
    saving->flush_is_posted = FALSE;
    GPtrArray *taken = saving->incoming;
    saving->incoming = fresh;
    return taken;
}

static void
flush(gpointer user)
{
    Saving *saving = user;
    g_autoptr(GPtrArray) incoming = take_incoming(saving);
    for (guint i = 0; i < incoming->len; i++) {
        Edit *edit = saving_put_on_theirs(saving, edit_ref(incoming->pdata[i]));
        const JournalOp op = {.put = edit, .is_new = TRUE};
        g_array_append_val(saving->ops, op);
    }
    if (saving->ops->len == 0) {
        return;
    }
    g_autoptr(GArray) ops = saving->ops;
    g_autoptr(GPtrArray) shown = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    saving->ops = g_array_new(FALSE, FALSE, sizeof(JournalOp));
    crash_point(CRASH_FLUSH_BEGUN);
    g_autoptr(GError) error = NULL;
    gboolean whole = write_ops(saving, ops, 0, ops->len, &error);
    crash_point(CRASH_FLUSH_COMMITTED);
    for (guint i = 0; i < ops->len; i++) {
        g_autoptr(GError) own = NULL;
        JournalOp *op = &g_array_index(ops, JournalOp, i);
        if (!whole) {
            (void)write_ops(saving, ops, i, 1, &own);
        }
        finish_op(saving, op, own, shown);
        op_clear(op);
    }
    if (shown->len > 0) {
        saving_publish(saving, shown, NULL);
    }
    crash_point(CRASH_FLUSH_SHOWN);
    /* Only now: who hears that it is kept looks for it at once. */
    for (guint i = 0; i < shown->len; i++) {
        set_verdict(saving, ((const Edit *)shown->pdata[i])->number, EDIT_PENDING, NULL);
    }
    saving_pump(saving);
}

void
saving_post_flush(Saving *saving)
{
    {
        LOCK_SCOPE(&saving->lock);
        if (saving->flush_is_posted) {
            return;
        }
        saving->flush_is_posted = TRUE;
    }
    clerk_post(saving->parts.clerk, PRIORITY_SAVE, flush, saving);
}

void
saving_note(Saving *saving, JournalOp op)
{
    if (!op.put) {
        saving_forget_look(saving, op.remove);
    }
    g_array_append_val(saving->ops, op);
    saving_post_flush(saving);
}

static void
note_sent(Edit *edit, SendNotedFn noted, gpointer noted_user, gpointer user)
{
    Saving *saving = user;
    overlay_put(saving->overlay, edit_ref(edit));
    saving_note(saving, (JournalOp){.put = edit, .noted = noted, .noted_user = noted_user});
}

static gboolean
is_made_by_other(gint64 id, const Edit *edit, gpointer user)
{
    const Saving *saving = user;
    g_autoptr(GPtrArray) edits = overlay_list(saving->overlay);
    for (guint i = 0; i < edits->len; i++) {
        const Edit *other = edits->pdata[i];
        if (other->number != edit->number && other->verb == EDIT_CREATE &&
            other->state == STATE_ACCEPTED && edit_made_id(other) == id) {
            return TRUE;
        }
    }
    return FALSE;
}

void
saving_publish(Saving *saving, const GPtrArray *put, const GArray *removed)
{
    if (saving->sync) {
        sync_publish_edits(saving->sync, put, removed);
    }
}

void
saving_publish_one(Saving *saving, Edit *put)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    g_ptr_array_add(one, put);
    saving_publish(saving, one, NULL);
}

void
saving_limit_journal_for_tests(Saving *saving, guint n_pages)
{
    journal_limit_pages_for_tests(saving->journal, n_pages);
}

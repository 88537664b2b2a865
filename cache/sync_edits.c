/* What edits do to what is published.
 *
 * The clerk keeps the server's data (ProjectSync.project) and the edits (overlay) apart; what goes
 * into the index is the one with the other applied. So an edit that is refused leaves no trace, and
 * data that arrives in the middle of a save shows it still. An accepted edit stays until the
 * project's own version has reached the one that the server gave it. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"
#include "cache/base/crash.h"
#include "cache/base/log.h"

/* A service whose version lies behind for longer than this after it accepted an edit was set back.
 */
#define VERSION_PATIENCE_MS (2 * 60 * 1000)

static gint64
destination_of(const Edit *edit)
{
    return json_integer_value(json_object_get(edit->changes, "project_id"));
}

static gboolean
has_reached(const Edit *edit, const Project *base, gint64 asked_ms)
{
    return edit->version >= 0 ? base->version >= edit->version ||
                                    asked_ms > edit->accepted_ms + VERSION_PATIENCE_MS
                              : asked_ms > edit->accepted_ms;
}

/* An earlier move would be laid over what is shown without `edit`. */
static gboolean
is_behind_move(Sync *sync, const Edit *edit)
{
    g_autoptr(GPtrArray) edits =
        edit->owner == EDIT_OF_STORY
            ? overlay_list_of(sync->parts.overlay, EDIT_OF_STORY, edit->owner_id)
            : NULL;
    for (guint i = 0; edits && i < edits->len; i++) {
        const Edit *other = edits->pdata[i];
        if (other->number < edit->number && destination_of(other) > 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* A story that moves is nowhere, or in both projects, until the data of both show it; the version
 * that came with the answer is that of the one it leaves. */
static gboolean
has_retired(Sync *sync, const Edit *edit, const Project *base, gint64 asked_ms)
{
    if (edit->state != STATE_ACCEPTED || is_behind_move(sync, edit)) {
        return FALSE;
    }
    const gint64 destination = destination_of(edit);
    if (destination == 0 || destination == edit->project_id || !sync_peek_base(sync, destination)) {
        return edit->project_id == base->id && has_reached(edit, base, asked_ms);
    }
    const Project *left = sync_peek_base(sync, edit->project_id);
    return base->id == destination && asked_ms > edit->accepted_ms &&
           (!left || has_reached(edit, left, asked_ms));
}

GPtrArray *
sync_edits_of(Sync *sync, gint64 project_id, const Project *base, gint64 asked_ms)
{
    GPtrArray *edits =
        sync->parts.overlay ? overlay_list_in(sync->parts.overlay, project_id) : NULL;
    for (guint i = edits && base ? edits->len : 0; i > 0; i--) {
        if (has_retired(sync, edits->pdata[i - 1], base, asked_ms)) {
            g_ptr_array_remove_index(edits, i - 1);
        }
    }
    return edits;
}

Project *
sync_view(Sync *sync, Project *base, const GPtrArray *edits, const GPtrArray *changed)
{
    g_autoptr(Account) account = index_peek_account(sync->parts.index);
    return overlay_view_make(sync->view, base, edits, changed, account ? &account->me : NULL);
}

Story *
sync_view_story(Sync *sync, Project *base, const GPtrArray *edits, Story *story, gint64 id)
{
    g_autoptr(GPtrArray) own = g_ptr_array_new();
    for (guint i = 0; edits && i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit->owner == EDIT_OF_STORY && edit->owner_id == id) {
            g_ptr_array_add(own, edits->pdata[i]);
        }
    }
    g_autoptr(Account) account = index_peek_account(sync->parts.index);
    const EditContext context = {.project = base, .me = account ? &account->me : NULL};
    return overlay_story(own, story, &context);
}

Project *
sync_peek_base(Sync *sync, gint64 project_id)
{
    return sync_get_project(sync, project_id)->project;
}

void
sync_look_at(Sync *sync, gint64 project_id, Priority priority)
{
    const CacheKey key = {CACHE_PROJECT, project_id};
    if (sync->closing) {
        return;
    }
    if (index_begin_check(sync->parts.index, key) || index_begin_prefetch(sync->parts.index, key)) {
        sync_start(sync, key, priority);
    }
}

/* --- Retiring --- */

/* The server's own data show them, and the readers too: their rows may go. */
static void
tell_retired(Sync *sync, const GArray *numbers, gint64 project_id)
{
    if (numbers->len > 0) {
        crash_point(CRASH_RETIRE_BEGUN);
    }
    if (sync->parts.retired) {
        sync->parts.retired(numbers, project_id, sync->parts.retired_user);
    }
}

void
sync_retire(Sync *sync, const Project *base, gint64 asked_ms)
{
    g_autoptr(GPtrArray) edits =
        sync->parts.overlay ? overlay_list_in(sync->parts.overlay, base->id) : NULL;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; edits && i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (has_retired(sync, edit, base, asked_ms)) {
            const guint64 key = (guint64)edit->owner_id;
            overlay_remove(sync->parts.overlay, edit->number);
            lru_forget(sync->parts.stories, &key, 1);
            g_array_append_val(numbers, edit->number);
        }
    }
    tell_retired(sync, numbers, base->id);
}

void
sync_retire_and_show(Sync *sync, ProjectSync *known, gint64 asked_ms)
{
    g_autoptr(GPtrArray) edits = sync_edits_of(sync, known->id, NULL, 0);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; edits && i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (has_retired(sync, edit, known->project, asked_ms)) {
            g_array_append_val(numbers, edit->number);
        }
    }
    if (numbers->len > 0) {
        sync_publish_edits(sync, NULL, numbers);
    }
    tell_retired(sync, numbers, known->id);
}

/* --- Edits that come and go --- */

/* One project that edits concern. */
typedef struct Shown {
    Project *base, *old_view, *view;
    GPtrArray *old_edits, *edits;
    GArray *ids; /* of the stories concerned */
    CacheChange *change;
} Shown;

static void
shown_free(gpointer data)
{
    Shown *shown = data;
    project_unref(shown->old_view);
    project_unref(shown->view);
    if (shown->old_edits) {
        g_ptr_array_unref(shown->old_edits);
    }
    g_ptr_array_unref(shown->edits);
    g_array_unref(shown->ids);
    g_free(shown);
}

static gboolean
has_number(const GArray *numbers, gint64 number)
{
    for (guint i = 0; numbers && i < numbers->len; i++) {
        if (g_array_index(numbers, gint64, i) == number) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
concerns(const Edit *edit, gint64 project_id)
{
    return edit->project_id == project_id || destination_of(edit) == project_id;
}

static gint
compare_numbers(gconstpointer a, gconstpointer b)
{
    gint64 left = (*(const Edit *const *)a)->number;
    gint64 right = (*(const Edit *const *)b)->number;
    return left < right ? -1 : left > right;
}

/* `old` with `put` in place of those of the same numbers, without `removed`. */
static GPtrArray *
edits_after(const GPtrArray *old, const GPtrArray *put, const GArray *removed, gint64 project_id)
{
    GPtrArray *edits = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    for (guint i = 0; old && i < old->len; i++) {
        Edit *edit = old->pdata[i];
        gboolean replaced = has_number(removed, edit->number);
        for (guint k = 0; put && k < put->len && !replaced; k++) {
            replaced = ((const Edit *)put->pdata[k])->number == edit->number;
        }
        if (!replaced) {
            g_ptr_array_add(edits, edit_ref(edit));
        }
    }
    for (guint k = 0; put && k < put->len; k++) {
        Edit *edit = put->pdata[k];
        if (edit_is_shown(edit) && concerns(edit, project_id)) {
            g_ptr_array_add(edits, edit_ref(edit));
        }
    }
    g_ptr_array_sort(edits, compare_numbers);
    return edits;
}

static void
note_id(GArray *ids, gint64 id)
{
    if (id > 0 && !has_number(ids, id)) {
        g_array_append_val(ids, id);
    }
}

static void
add_stories(Sync *sync, Shown *shown)
{
    for (guint i = 0; i < shown->ids->len; i++) {
        gint64 id = g_array_index(shown->ids, gint64, i);
        g_autoptr(Story) stored = store_load_story(sync->parts.store, id, NULL);
        Story *old = sync_view_story(sync, shown->base, shown->old_edits, stored, id);
        Story *now = sync_view_story(sync, shown->base, shown->edits, stored, id);
        if (old || now) {
            g_ptr_array_add(shown->change->old_stories, old);
            g_ptr_array_add(shown->change->stories, now);
        }
    }
}

static Shown *
show_project(Sync *sync, gint64 project_id, const GPtrArray *put, const GArray *removed)
{
    Shown *shown = g_new0(Shown, 1);
    shown->base = sync_peek_base(sync, project_id);
    shown->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    shown->old_view = index_peek_project(sync->parts.index, project_id);
    shown->old_edits = overlay_list_in(sync->parts.overlay, project_id);
    shown->edits = edits_after(shown->old_edits, put, removed, project_id);
    for (guint i = 0; shown->old_edits && i < shown->old_edits->len; i++) {
        const Edit *edit = shown->old_edits->pdata[i];
        if (has_number(removed, edit->number)) {
            note_id(shown->ids, edit->owner == EDIT_OF_STORY ? edit->owner_id : 0);
        }
        /* A new story's provisional number goes when it gets its own. */
        for (guint k = 0; put && k < put->len; k++) {
            if (((const Edit *)put->pdata[k])->number == edit->number) {
                note_id(shown->ids, edit->owner == EDIT_OF_STORY ? edit->owner_id : 0);
            }
        }
    }
    for (guint k = 0; put && k < put->len; k++) {
        const Edit *edit = put->pdata[k];
        note_id(shown->ids, edit->owner == EDIT_OF_STORY ? edit->owner_id : 0);
    }
    if (shown->base && shown->old_view) {
        shown->view = sync_view(sync, shown->base, shown->edits, NULL);
        if (sync->listener.ended) {
            shown->change = g_new0(CacheChange, 1);
            shown->change->old_project = project_ref(shown->old_view);
            shown->change->project = project_ref(shown->view);
            shown->change->old_stories =
                g_ptr_array_new_with_free_func((GDestroyNotify)story_unref);
            shown->change->stories = g_ptr_array_new_with_free_func((GDestroyNotify)story_unref);
            add_stories(sync, shown);
            sync->listener.begins(shown->change, sync->listener.user);
        }
    }
    return shown;
}

static void
publish_shown(Sync *sync, Shown *shown)
{
    lru_forget(sync->parts.stories, (const guint64 *)(gconstpointer)shown->ids->data,
               shown->ids->len);
    if (shown->view) {
        index_show_project(sync->parts.index, shown->view);
    }
    if (shown->change) {
        sync->listener.ended(shown->change, TRUE, sync->listener.user);
    }
}

/* The projects of `put` and `removed`. */
static GArray *
concerned_projects(Sync *sync, const GPtrArray *put, const GArray *removed)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; removed && i < removed->len; i++) {
        g_autoptr(Edit) edit = overlay_get(sync->parts.overlay, g_array_index(removed, gint64, i));
        if (edit) {
            note_id(ids, edit->project_id);
            note_id(ids, destination_of(edit));
        }
    }
    for (guint i = 0; put && i < put->len; i++) {
        const Edit *edit = put->pdata[i];
        g_autoptr(Edit) old = overlay_get(sync->parts.overlay, edit->number);
        note_id(ids, edit->project_id);
        note_id(ids, destination_of(edit));
        note_id(ids, old ? old->project_id : 0);
    }
    return ids;
}

void
sync_publish_edits(Sync *sync, const GPtrArray *put, const GArray *removed)
{
    Overlay *overlay = sync->parts.overlay;
    g_autoptr(GArray) projects = concerned_projects(sync, put, removed);
    g_autoptr(GPtrArray) shown = g_ptr_array_new_with_free_func(shown_free);
    for (guint i = 0; i < projects->len; i++) {
        g_ptr_array_add(shown,
                        show_project(sync, g_array_index(projects, gint64, i), put, removed));
    }
    for (guint i = 0; put && i < put->len; i++) {
        overlay_put(overlay, edit_ref(put->pdata[i]));
    }
    for (guint i = 0; removed && i < removed->len; i++) {
        overlay_remove(overlay, g_array_index(removed, gint64, i));
    }
    for (guint i = 0; i < shown->len; i++) {
        publish_shown(sync, shown->pdata[i]);
    }
    g_autoptr(GPtrArray) all = overlay_list(overlay);
    overlay_view_forget(sync->view, all);
}

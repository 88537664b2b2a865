/* From one published state to the next: store, memory, index, and the listener, in the order that
 * lets nobody see half.
 *
 *   begins (with the old stories, read while the store still has them) -> one transaction -> forget
 * old copies in memory -> index -> ended
 *
 * What did not change is shared by pointer with the state before (story rows), so whoever compares
 * two states finds the difference without looking at content. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"
#include "cache/base/crash.h"
#include "cache/base/log.h"

/* Of more stories than this that went at once the listener gets only the ids, through the two
 * projects. */
#define GONE_STORIES_MAX 1000

void
cache_change_free(CacheChange *change)
{
    if (!change) {
        return;
    }
    account_unref(change->old_account);
    account_unref(change->account);
    project_unref(change->old_project);
    project_unref(change->project);
    g_ptr_array_unref(change->old_stories);
    g_ptr_array_unref(change->stories);
    g_free(change);
}

static void
free_story(gpointer data)
{
    story_unref(data);
}

static CacheChange *
change_new(void)
{
    CacheChange *change = g_new0(CacheChange, 1);
    change->old_stories = g_ptr_array_new_with_free_func(free_story);
    change->stories = g_ptr_array_new_with_free_func(free_story);
    return change;
}

/* What is published, in the two lights of before and after. */
typedef struct Publication {
    Project *base;                /* borrowed, like all below */
    Project *old_view, *view;     /* what readers see */
    GPtrArray *old_edits, *edits; /* NULL: none */
    GPtrArray *changed;
} Publication;

static void
add_story(Sync *sync, const Publication *publication, CacheChange *change, gint64 id, Story *story)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Story) stored = store_load_story(sync->parts.store, id, &error);
    if (error) {
        log_debug(LOG_SYNC, "story %" G_GINT64_FORMAT " as it was: %s", id, error->message);
    }
    Story *old = sync_view_story(sync, publication->old_view, publication->old_edits, stored, id);
    Story *now = sync_view_story(sync, publication->view, publication->edits, story, id);
    if (old || now) {
        g_ptr_array_add(change->old_stories, old);
        g_ptr_array_add(change->stories, now);
    }
}

static void
add_gone_stories(Sync *sync, const Publication *publication, CacheChange *change)
{
    const Project *old = change->old_project;
    guint left = GONE_STORIES_MAX;
    for (guint i = 0; i < old->n_stories && left > 0; i++) {
        if (!project_find_story(change->project, old->stories[i]->id)) {
            add_story(sync, publication, change, old->stories[i]->id, NULL);
            left--;
        }
    }
}

/* NULL: nothing was published before, so nobody can have seen it. */
static CacheChange *
describe_change(Sync *sync, const Publication *publication)
{
    const GPtrArray *changed = publication->changed;
    if (!sync->listener.ended || !publication->old_view) {
        return NULL;
    }
    CacheChange *change = change_new();
    change->old_project = project_ref(publication->old_view);
    change->project = project_ref(publication->view);
    for (guint i = 0; changed && i < changed->len; i++) {
        const ParsedStory *parsed = g_ptr_array_index(changed, i);
        add_story(sync, publication, change, parsed->row->id, parsed->story);
    }
    add_gone_stories(sync, publication, change);
    return change;
}

static gboolean
write_all(Sync *sync, const Project *project, GPtrArray *changed, gint64 checked_ms, GError **error)
{
    Store *store = sync->parts.store;
    for (guint i = 0; changed && i < changed->len; i++) {
        if (!store_put_story(store, g_ptr_array_index(changed, i), error)) {
            return FALSE;
        }
    }
    return store_set_order(store, project->id, project->stories, project->n_stories, error) &&
           store_put_project(store, project, checked_ms, TRUE, error);
}

static void
forget_copies(Sync *sync, const Project *old, const Project *project, GPtrArray *changed)
{
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (guint i = 0; changed && i < changed->len; i++) {
        const guint64 key = (guint64)((const ParsedStory *)g_ptr_array_index(changed, i))->row->id;
        g_array_append_val(keys, key);
    }
    for (guint i = 0; old && i < old->n_stories; i++) {
        const guint64 key = (guint64)old->stories[i]->id;
        if (!project_find_story(project, old->stories[i]->id)) {
            g_array_append_val(keys, key);
        }
    }
    lru_forget(sync->parts.stories, (const guint64 *)(gconstpointer)keys->data, keys->len);
}

static gboolean
commit_all(Sync *sync, const Project *project, GPtrArray *changed, gint64 checked_ms,
           GError **error)
{
    Store *store = sync->parts.store;
    if (!store_begin(store, error)) {
        return FALSE;
    }
    if (!write_all(sync, project, changed, checked_ms, error)) {
        store_rollback(store);
        return FALSE;
    }
    return store_commit(store, error);
}

/* Once for each number, not at each listing. */
static void
tell_left_out(const Project *old, const Project *project)
{
    g_autofree char *text = project_dup_left_out(project);
    g_autofree char *before = old ? project_dup_left_out(old) : NULL;
    if (text && g_strcmp0(text, before) != 0) {
        log_warning("project %" G_GINT64_FORMAT ": left out: %s", project->id, text);
    }
}

gboolean
sync_publish(Sync *sync, ProjectSync *known, Project *project, GPtrArray *changed, gint64 sent_ms,
             GError **error)
{
    const gint64 checked_ms = sync_wall_of(sent_ms);
    project_finish(project);
    g_autoptr(Project) old_view = index_peek_project(sync->parts.index, known->id);
    g_autoptr(GPtrArray) old_edits = sync_edits_of(sync, known->id, NULL, 0);
    g_autoptr(GPtrArray) edits = sync_edits_of(sync, known->id, project, sent_ms);
    g_autoptr(Project) view = sync_view(sync, project, edits, changed);
    const Publication publication = {project, old_view, view, old_edits, edits, changed};
    CacheChange *change = describe_change(sync, &publication);
    crash_point(CRASH_STORE_WRITTEN);
    if (change) {
        sync->listener.begins(change, sync->listener.user);
    }
    const gboolean done = commit_all(sync, project, changed, checked_ms, error);
    if (done) {
        crash_point(CRASH_STORE_COMMITTED);
        forget_copies(sync, known->project, project, changed);
        tell_left_out(known->project, project);
        project_unref(known->project);
        known->project = project_ref(project);
        known->loaded = TRUE;
        sync_retire(sync, project, sent_ms);
        forget_copies(sync, known->project, project, changed);
        index_publish_project(sync->parts.index, view, sent_ms, checked_ms);
    }
    if (change) {
        sync->listener.ended(change, done, sync->listener.user);
    }
    return done;
}

void
sync_publish_account(Sync *sync, Account *account, gint64 confirmed_ms, gint64 checked_ms)
{
    g_autoptr(Account) old = index_peek_account(sync->parts.index);
    CacheChange *change = NULL;
    if (old && sync->listener.ended) {
        change = change_new();
        change->old_account = account_ref(old);
        change->account = account_ref(account);
        sync->listener.begins(change, sync->listener.user);
    }
    index_publish_account(sync->parts.index, account, confirmed_ms, checked_ms);
    if (change) {
        sync->listener.ended(change, TRUE, sync->listener.user);
    }
}

gint64
sync_wall_of(gint64 monotonic_ms)
{
    return clock_wall_ms() - (clock_monotonic_ms() - monotonic_ms);
}

gboolean
sync_is_unchanged(ParsedStory *parsed, const Project *base)
{
    const StoryRow *have = base ? project_find_story(base, parsed->row->id) : NULL;
    if (!have || have->digest != parsed->row->digest) {
        return FALSE;
    }
    if (have != parsed->row) {
        story_row_unref(parsed->row);
        parsed->row = story_row_ref((StoryRow *)(guintptr)have);
    }
    return TRUE;
}

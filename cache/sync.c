/* Which run begins for which key, and the small runs: the account, activities, attachments. */
#include "cache/sync.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/log.h"
#include "cache/sync_run.h"

static void
project_sync_free(gpointer data)
{
    ProjectSync *known = data;
    project_unref(known->project);
    g_free(known);
}

Sync *
sync_new(const SyncParts *parts)
{
    Sync *sync = g_new0(Sync, 1);
    sync->parts = *parts;
    sync->project_ids = g_memdup2(parts->project_ids, parts->n_project_ids * sizeof(gint64));
    sync->parts.project_ids = sync->project_ids;
    sync->view = overlay_view_new(parts->store);
    sync->projects = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, project_sync_free);
    return sync;
}

void
sync_free(Sync *sync)
{
    if (!sync) {
        return;
    }
    g_hash_table_unref(sync->projects);
    overlay_view_free(sync->view);
    g_free(sync->project_ids);
    g_free(sync);
}

void
sync_listen(Sync *sync, const CacheListener *listener)
{
    sync->listener = *listener;
}

void
sync_close(Sync *sync)
{
    sync->closing = TRUE;
}

ProjectSync *
sync_get_project(Sync *sync, gint64 id)
{
    ProjectSync *known = g_hash_table_lookup(sync->projects, &id);
    if (!known) {
        known = g_new0(ProjectSync, 1);
        known->id = id;
        known->activity_version = -1;
        (void)g_hash_table_insert(sync->projects, &known->id, known);
    }
    return known;
}

/* When stored data was confirmed, on the monotonic clock. A confirmation from the future says that
 * the wall clock was set, and counts for nothing. */
static gint64
confirmed_of(gint64 checked_ms)
{
    gint64 age_ms = clock_wall_ms() - checked_ms;
    return age_ms < 0 ? INDEX_NEVER : clock_monotonic_ms() - age_ms;
}

/* TRUE when the store had the project and it is published now. */
static gboolean
load_project(Sync *sync, ProjectSync *known)
{
    gint64 checked_ms = 0;
    gboolean filled = FALSE;
    g_autoptr(GError) error = NULL;
    known->loaded = TRUE;
    g_autoptr(Project) project =
        store_load_project(sync->parts.store, known->id, &checked_ms, &filled, &error);
    if (error) {
        log_debug(LOG_SYNC, "%s", error->message);
    }
    if (!project || !filled) {
        return FALSE;
    }
    known->project = project_ref(project);
    known->filled_ms = known->iterations_ms = checked_ms;
    g_autoptr(GPtrArray) edits = sync_edits_of(sync, project->id, project, 0);
    g_autoptr(Project) view = sync_view(sync, project, edits, NULL);
    sync_retire(sync, project, 0);
    index_publish_project(sync->parts.index, view, confirmed_of(checked_ms), checked_ms);
    return TRUE;
}

/* --- The account --- */

typedef struct AccountRun {
    Run run;
    HttpResponse *bodies[2]; /* me, projects; only their bodies */
} AccountRun;

static gboolean
is_selected(const Sync *sync, gint64 project_id)
{
    for (guint i = 0; i < sync->parts.n_project_ids; i++) {
        if (sync->project_ids[i] == project_id) {
            return TRUE;
        }
    }
    return sync->parts.n_project_ids == 0;
}

/* Leaves only the selected projects; ERR_NOT_FOUND when one of them is not there. */
static gboolean
select_projects(const Sync *sync, Account *account, GError **error)
{
    guint kept = 0;
    for (guint i = 0; i < sync->parts.n_project_ids; i++) {
        if (!account_find_project(account, sync->project_ids[i])) {
            g_set_error(error, ERR, ERR_NOT_FOUND,
                        "there is no project %" G_GINT64_FORMAT " among the %u of this account",
                        sync->project_ids[i], account->n_projects);
            return FALSE;
        }
    }
    for (guint i = 0; i < account->n_projects; i++) {
        if (is_selected(sync, account->projects[i].id)) {
            account->projects[kept++] = account->projects[i];
        } else {
            g_free(account->projects[i].name);
        }
    }
    account->n_projects = kept;
    return TRUE;
}

static HttpRequest *
build_account(Run *run, guint level, gint64 tag)
{
    (void)run;
    (void)level;
    return tag == 0 ? api_get_me() : api_get_projects();
}

static gboolean
answer_account(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    (void)error;
    HttpResponse *copy = g_new0(HttpResponse, 1);
    copy->body = g_memdup2(response->body, response->body_bytes + 1);
    copy->body_bytes = response->body_bytes;
    ((AccountRun *)run)->bodies[tag] = copy;
    return TRUE;
}

static const RunStep step_me = {"who am I", LEVEL_FIXED, build_account, answer_account};
static const RunStep step_projects = {"projects", LEVEL_FIXED, build_account, answer_account};

static gboolean
publish_account(AccountRun *account_run, GError **error)
{
    Sync *sync = account_run->run.sync;
    Store *store = sync->parts.store;
    const HttpResponse *me = account_run->bodies[0];
    const HttpResponse *projects = account_run->bodies[1];
    gint64 checked_ms = sync_wall_of(account_run->run.sent_ms);
    g_autoptr(Account) account =
        model_parse_account(me->body, me->body_bytes, projects->body, projects->body_bytes, error);
    if (!account || !store_begin(store, error)) {
        return FALSE;
    }
    /* Whole, and selected from afterwards: another mount of this source may select others. */
    if (!store_put_account(store, account, checked_ms, error)) {
        store_rollback(store);
        return FALSE;
    }
    if (!store_commit(store, error) || !select_projects(sync, account, error)) {
        return FALSE;
    }
    sync_publish_account(sync, account, account_run->run.sent_ms, checked_ms);
    return TRUE;
}

static void
account_on_idle(Run *run)
{
    AccountRun *account_run = (AccountRun *)run;
    g_autoptr(GError) error = NULL;
    if (run->error) {
        error = g_error_copy(run->error);
    } else {
        (void)publish_account(account_run, &error);
    }
    index_finish(run->sync->parts.index, run->key, error);
    run_clear(run);
    http_response_free(account_run->bodies[0]);
    http_response_free(account_run->bodies[1]);
    g_free(account_run);
}

/* TRUE when the store had an account with everything selected, and it is published now. */
static gboolean
load_account(Sync *sync)
{
    gint64 checked_ms = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(Account) present = index_peek_account(sync->parts.index);
    if (present) {
        return FALSE;
    }
    g_autoptr(Account) account = store_load_account(sync->parts.store, &checked_ms, &error);
    if (!account || !select_projects(sync, account, NULL)) {
        return FALSE;
    }
    sync_publish_account(sync, account, confirmed_of(checked_ms), checked_ms);
    return TRUE;
}

static void
start_account(Sync *sync, CacheKey key, Priority priority)
{
    if (load_account(sync)) {
        index_loaded(sync->parts.index, key);
        return;
    }
    AccountRun *account_run = g_new0(AccountRun, 1);
    run_init(&account_run->run, sync, key, priority, account_on_idle);
    run_send(&account_run->run, &step_me, 0);
    run_send(&account_run->run, &step_projects, 1);
}

void
sync_start(Sync *sync, CacheKey key, Priority priority)
{
    if (key.kind == CACHE_ACCOUNT) {
        start_account(sync, key, priority);
        return;
    }
    ProjectSync *known = sync_get_project(sync, key.id);
    if (!known->loaded && load_project(sync, known)) {
        index_loaded(sync->parts.index, key);
    } else if (known->project) {
        sync_check(sync, known, priority);
    } else {
        sync_fill(sync, known, priority, 1);
    }
}

/* --- Activity --- */

typedef struct ActivityRun {
    Run run;
    ProjectSync *known;
    char kind;
    gint64 since_version, version;
    Pages pages;
} ActivityRun;

static HttpRequest *
build_activity(Run *run, guint level, gint64 tag)
{
    const ActivityRun *activity_run = (ActivityRun *)run;
    (void)level;
    return api_get_activity(activity_run->known->id, activity_run->kind, run->key.id,
                            activity_run->since_version, (guint)tag);
}

static gboolean answer_activity(Run *run, const HttpResponse *response, gint64 tag, GError **error);

static const RunStep step_activity = {"activity", LEVEL_FIXED, build_activity, answer_activity};

/* Pages are stored as they come; only at the end is the version set to which they are complete. */
static gboolean
store_lines(ActivityRun *activity_run, gint64 version, GPtrArray *parsed, GError **error)
{
    Store *store = activity_run->run.sync->parts.store;
    if (!store_begin(store, error)) {
        return FALSE;
    }
    if (!store_put_activity(store, activity_run->kind, activity_run->run.key.id, version, parsed,
                            error)) {
        store_rollback(store);
        return FALSE;
    }
    return store_commit(store, error);
}

static gboolean
answer_activity(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    ActivityRun *activity_run = (ActivityRun *)run;
    guint offset;
    g_autoptr(GPtrArray) parsed =
        model_parse_activities(response->body, response->body_bytes, error);
    if (!parsed || !store_lines(activity_run, activity_run->since_version, parsed, error)) {
        return FALSE;
    }
    if (tag == 0) {
        activity_run->version = response->project_version;
    }
    pages_note(&activity_run->pages, response, (guint)tag, parsed->len, parsed->len);
    while (pages_take(&activity_run->pages, &offset)) {
        run_send(run, &step_activity, offset);
    }
    return TRUE;
}

static void
activity_on_idle(Run *run)
{
    ActivityRun *activity_run = (ActivityRun *)run;
    ProjectSync *known = activity_run->known;
    g_autoptr(GError) error = run->error ? g_error_copy(run->error) : NULL;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    gint64 version = activity_run->version;
    if (version < 0) {
        version = known->project ? known->project->version : 0;
    }
    if (!error && store_lines(activity_run, version, none, &error) && activity_run->kind == 'p') {
        known->activity_version = version;
    }
    index_finish(run->sync->parts.index, run->key, error);
    run_clear(run);
    g_free(activity_run);
}

void
sync_start_activity(Sync *sync, CacheKey key, gint64 project_id, gint64 since_version)
{
    ActivityRun *activity_run = g_new0(ActivityRun, 1);
    guint offset;
    run_init(&activity_run->run, sync, key, PRIORITY_DEMAND, activity_on_idle);
    activity_run->known = sync_get_project(sync, project_id);
    activity_run->kind = key.kind == CACHE_PROJECT_ACTIVITY ? 'p'
                         : key.kind == CACHE_STORY_ACTIVITY ? 's'
                                                            : 'e';
    activity_run->since_version = since_version;
    activity_run->version = -1;
    pages_init(&activity_run->pages, API_ACTIVITIES_PER_PAGE);
    while (pages_take(&activity_run->pages, &offset)) {
        run_send(&activity_run->run, &step_activity, offset);
    }
}

/* --- Attachments --- */

typedef struct AttachmentEnd {
    Sync *sync;
    gint64 id;
    GError *error;
} AttachmentEnd;

static void
attachment_end(gpointer user)
{
    AttachmentEnd *end = user;
    index_finish(end->sync->parts.index, (CacheKey){CACHE_ATTACHMENT, end->id}, end->error);
    g_clear_error(&end->error);
    g_free(end);
}

static void
attachment_done(gint64 id, const GError *error, gpointer user)
{
    Sync *sync = user;
    AttachmentEnd *end = g_new0(AttachmentEnd, 1);
    end->sync = sync;
    end->id = id;
    end->error = error ? g_error_copy(error) : NULL;
    clerk_post(sync->parts.clerk, PRIORITY_DEMAND, attachment_end, end);
}

void
sync_start_attachment(Sync *sync, const Attachment *attachment)
{
    if (sync->closing) {
        g_autoptr(GError) error = g_error_new(ERR, ERR_CANCELLED, "the mount is ending");
        attachment_done(attachment->id, error, sync);
        return;
    }
    attachments_fetch(sync->parts.attachments, sync->parts.transport, attachment,
                      clock_monotonic_ms() + sync->parts.timeout_ms, attachment_done, sync);
}

/* The door: opens the parts, hands questions to the index, and starts what is missing on the clerk.
 *
 * A getter asks the index (index_ask_*), which says whether to serve, to wait, or that this caller
 * starts the fetch: then a job is posted to the clerk, and the caller waits like everyone else.
 * Stories and activities are read from the store on the caller's thread; a small memory of recent
 * stories (lru) saves most of that.
 *
 * End: no new requests, then the transport answers what is open, then the clerk runs out, then
 * waiters are told. */
#include "cache/cache_private.h"

#include <string.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"
#include "cache/folder.h"

#define STORY_MEMORY_BYTES ((gsize)16 * 1024 * 1024)
/* How long a mount waits for the server when the store has all that is mounted. */
#define CONNECT_PATIENCE_MS 5000

/* --- Opening --- */

static gboolean
open_files(Cache *cache, const CacheConfig *config, GError **error)
{
    cache->directory = folder_take(config->directory, "the cache folder", &cache->lock_fd, error);
    if (!cache->directory) {
        return FALSE;
    }
    g_autofree char *store_path = g_build_filename(cache->directory, "store.db", NULL);
    g_autofree char *attachments_path = g_build_filename(cache->directory, "attachments", NULL);
    g_autofree char *events_path = g_build_filename(cache->directory, "events.jsonl", NULL);
    cache->events = events_open(events_path);
    cache->store = store_open(store_path, error);
    if (!cache->store) {
        return FALSE;
    }
    if (config->attachment_limit_bytes > 0) {
        cache->attachments =
            attachments_open(attachments_path, config->attachment_limit_bytes, error);
        return cache->attachments != NULL;
    }
    return TRUE;
}

static gpointer
lru_ref_story(gpointer object)
{
    return story_ref(object);
}

static void
lru_unref_story(gpointer object)
{
    story_unref(object);
}

static void
start_polling(gpointer user)
{
    Cache *cache = user;
    sync_start_polling(cache->sync);
}

/* Edits are shown with who made them, so the account comes first. */
static void
start_saving(gpointer user)
{
    Cache *cache = user;
    saving_start(cache->saving, cache->sync);
}

static gboolean
open_saving(Cache *cache, const CacheConfig *config, GError **error)
{
    const SavingParts parts = {
        .clerk = cache->clerk,
        .index = cache->index,
        .store = cache->store,
        .transport = requests_transport(cache->requests),
        .attachments = cache->attachments,
        .events = cache->events,
        .stories = cache->stories,
        .timeout_ms = config->timeout_ms,
    };
    if (config->state_directory) {
        cache->saving = saving_new(config->state_directory, &parts, error);
        return cache->saving != NULL;
    }
    return TRUE;
}

Cache *
cache_open(const CacheConfig *config, Transport *transport, GError **error)
{
    g_autoptr(Cache) cache = g_new0(Cache, 1);
    cache->lock_fd = -1;
    cache->requests = requests_new(transport);
    if (!open_files(cache, config, error)) {
        return NULL;
    }
    cache->ttl_ms = config->ttl_ms;
    cache->poll_ms = config->poll_ms;
    cache->index = index_new(config->ttl_ms);
    cache->stories = lru_new(STORY_MEMORY_BYTES, lru_ref_story, lru_unref_story);
    cache->clerk = clerk_new();
    if (!open_saving(cache, config, error)) {
        return NULL;
    }
    const SyncParts parts = {
        .clerk = cache->clerk,
        .index = cache->index,
        .store = cache->store,
        .transport = requests_transport(cache->requests),
        .events = cache->events,
        .attachments = cache->attachments,
        .stories = cache->stories,
        .ttl_ms = config->ttl_ms,
        .poll_ms = config->poll_ms,
        .timeout_ms = config->timeout_ms,
        .project_ids = config->project_ids,
        .n_project_ids = config->n_project_ids,
        .overlay = cache->saving ? saving_overlay(cache->saving) : NULL,
        .retired = cache->saving ? saving_on_retired : NULL,
        .retired_user = cache->saving,
    };
    cache->sync = sync_new(&parts);
    clerk_call(cache->clerk, start_polling, cache);
    return g_steal_pointer(&cache);
}

static void
close_all(gpointer user)
{
    Cache *cache = user;
    sync_close(cache->sync);
    if (cache->saving) {
        saving_close(cache->saving);
    }
}

void
cache_close(Cache *cache)
{
    if (!cache) {
        return;
    }
    if (cache->sync) {
        clerk_call(cache->clerk, close_all, cache);
    }
    requests_end(cache->requests);
    if (cache->clerk) {
        clerk_stop(cache->clerk);
    }
    if (cache->index) {
        g_autoptr(GError) ending = g_error_new(ERR, ERR_CANCELLED, "the mount is ending");
        index_finish_all(cache->index, ending);
    }
    sync_free(cache->sync);
    saving_free(cache->saving);
    clerk_free(cache->clerk);
    lru_free(cache->stories);
    index_free(cache->index);
    attachments_close(cache->attachments);
    store_close(cache->store);
    events_close(cache->events);
    requests_free(cache->requests);
    if (cache->lock_fd >= 0) {
        (void)close(cache->lock_fd);
    }
    g_free(cache->directory);
    g_free(cache);
}

const char *
cache_directory(const Cache *cache)
{
    return cache->directory;
}

typedef struct Listen {
    Sync *sync;
    const CacheListener *listener;
} Listen;

static void
listen_now(gpointer user)
{
    const Listen *listen = user;
    sync_listen(listen->sync, listen->listener);
}

void
cache_listen(Cache *cache, const CacheListener *listener)
{
    Listen listen_to = {cache->sync, listener};
    clerk_call(cache->clerk, listen_now, &listen_to);
}

/* --- Starting work on the clerk --- */

typedef struct Start {
    Sync *sync;
    CacheKey key;
    Priority priority;
    gint64 project_id, since_version; /* activities */
    Attachment attachment;            /* attachments; its strings are owned */
} Start;

static void
start_now(gpointer user)
{
    Start *start = user;
    switch (start->key.kind) {
    case CACHE_ACCOUNT:
    case CACHE_PROJECT:
        sync_start(start->sync, start->key, start->priority);
        break;
    case CACHE_PROJECT_ACTIVITY:
    case CACHE_STORY_ACTIVITY:
    case CACHE_EPIC_ACTIVITY:
        sync_start_activity(start->sync, start->key, start->project_id, start->since_version);
        break;
    case CACHE_ATTACHMENT:
        sync_start_attachment(start->sync, &start->attachment);
        break;
    case CACHE_NOTHING:
    case CACHE_EDIT:
        break;
    }
    g_free(start->attachment.download_url);
    g_free(start);
}

static Start *
start_new(Cache *cache, CacheKey key, Priority priority)
{
    Start *start = g_new0(Start, 1);
    start->sync = cache->sync;
    start->key = key;
    start->priority = priority;
    return start;
}

static void
post_start(Cache *cache, Start *start)
{
    clerk_post(cache->clerk, start->priority, start_now, start);
}

/* --- The getters --- */

Account *
cache_get_account(Cache *cache, CacheAsk *ask)
{
    gboolean starts;
    Account *account = index_ask_account(cache->index, ask, &starts);
    if (starts) {
        post_start(cache, start_new(cache, (CacheKey){CACHE_ACCOUNT, 0}, PRIORITY_DEMAND));
    }
    return account;
}

/* Only projects of the account are asked for: any number may stand in a path. */
static gboolean
is_mounted_project(Cache *cache, gint64 project_id, CacheAsk *ask)
{
    g_autoptr(Account) account = index_peek_account(cache->index);
    if (!account) {
        account = cache_get_account(cache, ask);
        if (!account) {
            return FALSE;
        }
    }
    if (!account_find_project(account, project_id)) {
        g_set_error(&ask->error, ERR, ERR_NOT_FOUND, "project %" G_GINT64_FORMAT " is not mounted",
                    project_id);
        return FALSE;
    }
    return TRUE;
}

Project *
cache_get_project(Cache *cache, gint64 project_id, CacheAsk *ask)
{
    gboolean starts;
    if (!is_mounted_project(cache, project_id, ask)) {
        return NULL;
    }
    Project *project = index_ask_project(cache->index, project_id, ask, &starts);
    if (starts) {
        post_start(cache, start_new(cache, (CacheKey){CACHE_PROJECT, project_id}, PRIORITY_DEMAND));
    }
    return project;
}

gint64
cache_find_story_project(Cache *cache, gint64 story_id)
{
    gint64 id = index_find_story_project(cache->index, story_id);
    return id ? id : store_find_story_project(cache->store, story_id);
}

gint64
cache_find_epic_project(Cache *cache, gint64 epic_id)
{
    gint64 id = index_find_epic_project(cache->index, epic_id);
    return id ? id : store_find_epic_project(cache->store, epic_id);
}

static void
set_unknown_story(CacheAsk *ask, gint64 story_id)
{
    g_set_error(&ask->error, ERR, ERR_NOT_FOUND, "story %" G_GINT64_FORMAT " is not mounted",
                story_id);
}

Story *
cache_get_story(Cache *cache, gint64 story_id, CacheAsk *ask)
{
    gint64 project_id = cache_find_story_project(cache, story_id);
    if (project_id == 0) {
        set_unknown_story(ask, story_id);
        return NULL;
    }
    g_autoptr(Project) project = cache_get_project(cache, project_id, ask);
    if (!project) {
        return NULL;
    }
    if (!project_find_story(project, story_id)) {
        set_unknown_story(ask, story_id);
        return NULL;
    }
    Story *story = lru_get(cache->stories, (guint64)story_id, 0);
    if (story) {
        return story;
    }
    guint64 generation = lru_generation(cache->stories);
    story = cache->saving ? saving_load_story(cache->saving, project, story_id, &ask->error)
                          : store_load_story(cache->store, story_id, &ask->error);
    if (story) {
        lru_put(cache->stories, (guint64)story_id, 0, story, story->bytes, generation);
    } else if (!ask->error) {
        set_unknown_story(ask, story_id);
    }
    return story;
}

static gint64
owner_project(Cache *cache, CacheKind kind, gint64 id)
{
    switch (kind) {
    case CACHE_PROJECT_ACTIVITY:
        return id;
    case CACHE_STORY_ACTIVITY:
        return cache_find_story_project(cache, id);
    case CACHE_EPIC_ACTIVITY:
        return cache_find_epic_project(cache, id);
    case CACHE_NOTHING:
    case CACHE_ACCOUNT:
    case CACHE_PROJECT:
    case CACHE_ATTACHMENT:
    case CACHE_EDIT:
        break;
    }
    return 0;
}

Activity *
cache_get_activity(Cache *cache, CacheKind kind, gint64 id, CacheAsk *ask)
{
    gint64 project_id = owner_project(cache, kind, id);
    gint64 version = 0;
    gboolean starts;
    char letter = kind == CACHE_PROJECT_ACTIVITY ? 'p' : kind == CACHE_STORY_ACTIVITY ? 's' : 'e';
    if (project_id == 0) {
        g_set_error(&ask->error, ERR, ERR_NOT_FOUND,
                    "nothing with the id %" G_GINT64_FORMAT " is mounted", id);
        return NULL;
    }
    g_autoptr(Project) project = cache_get_project(cache, project_id, ask);
    if (!project) {
        return NULL;
    }
    g_autoptr(Activity) activity =
        store_load_activity(cache->store, letter, id, &version, &ask->error);
    if (ask->error) {
        return NULL;
    }
    /* Version 0: pages of a first fetch that did not come to its end. */
    gboolean have_stale = activity && version > 0;
    if (activity && version >= project->version && (version > 0 || project->version == 0)) {
        return g_steal_pointer(&activity);
    }
    gboolean serve = index_ask_other(cache->index, (CacheKey){kind, id}, have_stale, ask, &starts);
    if (starts) {
        Start *start = start_new(cache, (CacheKey){kind, id}, PRIORITY_DEMAND);
        start->project_id = project_id;
        start->since_version = have_stale ? version : 0;
        post_start(cache, start);
    }
    return serve ? g_steal_pointer(&activity) : NULL;
}

int
cache_open_attachment(Cache *cache, const Attachment *attachment, CacheAsk *ask)
{
    const CacheKey key = {CACHE_ATTACHMENT, attachment->id};
    gboolean starts;
    if (!cache->attachments) {
        g_set_error(&ask->error, ERR, ERR_NOT_FOUND, "attachments are not mounted");
        return -1;
    }
    int fd = attachments_open_file(cache->attachments, attachment);
    if (fd < 0 && cache->saving) {
        fd = saving_open_attachment(cache->saving, attachment->id);
    }
    if (fd >= 0) {
        return fd;
    }
    (void)index_ask_other(cache->index, key, FALSE, ask, &starts);
    if (starts) {
        Start *start = start_new(cache, key, PRIORITY_DEMAND);
        start->attachment.id = attachment->id;
        start->attachment.size_bytes = attachment->size_bytes;
        start->attachment.download_url = g_strdup(attachment->download_url);
        post_start(cache, start);
    }
    return -1;
}

gint64
cache_fresh_until_ms(Cache *cache, gint64 project_id)
{
    return index_fresh_until_ms(cache->index, project_id);
}

gboolean
cache_polls(const Cache *cache)
{
    return cache->poll_ms > 0 && cache->poll_ms <= cache->ttl_ms;
}

gboolean
cache_is_watched(Cache *cache, gint64 project_id)
{
    const CacheKey key = {project_id ? CACHE_PROJECT : CACHE_ACCOUNT, project_id};
    return cache_polls(cache) && index_has(cache->index, key);
}

gboolean
cache_is_published(Cache *cache, gint64 project_id)
{
    return index_has(cache->index, (CacheKey){CACHE_PROJECT, project_id});
}

gboolean
cache_is_present(Cache *cache, const Project *project)
{
    return index_is_present(cache->index, project);
}

gboolean
cache_is_present_account(Cache *cache, const Account *account)
{
    return index_is_present_account(cache->index, account);
}

static void
refresh(gpointer user)
{
    Cache *cache = user;
    sync_poll_now(cache->sync);
}

void
cache_refresh(Cache *cache)
{
    clerk_post(cache->clerk, PRIORITY_DEMAND, refresh, cache);
}

int
cache_open_events(Cache *cache, gint64 *ret_bytes, gint64 *ret_changed_ms)
{
    return events_read(cache->events, ret_bytes, ret_changed_ms);
}

char *
cache_dup_requests(Cache *cache)
{
    return requests_text(cache->requests);
}

void
cache_wait(Cache *cache, CacheKey key, CacheDoneFn done, gpointer user)
{
    index_wait(cache->index, key, done, user);
}

gboolean
cache_cancel_wait(Cache *cache, CacheKey key, gpointer user)
{
    return index_cancel_wait(cache->index, key, user);
}

/* What the store has comes first; is that too old, the look at the server begins here, and not when
 * somebody waits for it. */
static void
prefill(gpointer user)
{
    Cache *cache = user;
    g_autoptr(Account) account = index_peek_account(cache->index);
    for (guint i = 0; account && i < account->n_projects; i++) {
        const CacheKey key = {CACHE_PROJECT, account->projects[i].id};
        if (index_begin_prefetch(cache->index, key)) {
            sync_start(cache->sync, key, PRIORITY_PREFETCH);
        }
        if (index_fresh_until_ms(cache->index, key.id) == 0 &&
            index_begin_check(cache->index, key)) {
            sync_start(cache->sync, key, PRIORITY_PREFETCH);
        }
    }
}

void
cache_prefill(Cache *cache)
{
    clerk_post(cache->clerk, PRIORITY_PREFETCH, prefill, cache);
}

/* --- Connecting --- */

typedef struct Meeting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    gboolean done;
    GError *error;
} Meeting;

static void
on_met(const GError *error, gpointer user)
{
    Meeting *meeting = user;
    LOCK_SCOPE(&meeting->lock);
    meeting->done = TRUE;
    meeting->error = error ? g_error_copy(error) : NULL;
    (void)pthread_cond_signal(&meeting->changed);
}

/* Waits until `key` ended; FALSE with `error` when it failed or `deadline_ms` came first. */
static gboolean
meet(Cache *cache, CacheKey key, gint64 deadline_ms, GError **error)
{
    Meeting meeting = {.done = FALSE};
    gboolean late = FALSE;
    (void)pthread_mutex_init(&meeting.lock, NULL);
    cond_init_monotonic(&meeting.changed);
    cache_wait(cache, key, on_met, &meeting);
    {
        LOCK_SCOPE(&meeting.lock);
        while (!meeting.done && !late) {
            (void)cond_wait_ms(&meeting.changed, &meeting.lock, clock_wait_ms(deadline_ms));
            late = !meeting.done && clock_monotonic_ms() >= deadline_ms;
        }
    }
    if (late && !cache_cancel_wait(cache, key, &meeting)) {
        /* It is being called right now. */
        LOCK_SCOPE(&meeting.lock);
        while (!meeting.done) {
            (void)cond_wait_ms(&meeting.changed, &meeting.lock, -1);
        }
    }
    (void)pthread_cond_destroy(&meeting.changed);
    (void)pthread_mutex_destroy(&meeting.lock);
    if (meeting.error) {
        g_propagate_error(error, meeting.error);
        return FALSE;
    }
    if (!meeting.done) {
        g_set_error(error, ERR, ERR_TIMEOUT, "no answer in time");
        return FALSE;
    }
    return TRUE;
}

static gboolean
connect_account(Cache *cache, gint64 timeout_ms, gboolean *ret_offline, GError **error)
{
    const gint64 began_ms = clock_monotonic_ms();
    *ret_offline = FALSE;
    for (;;) {
        CacheAsk ask = {.since_ms = began_ms};
        g_autoptr(GError) failure = NULL;
        g_autoptr(Account) account = cache_get_account(cache, &ask);
        if (account) {
            g_autoptr(GError) last = index_dup_error(cache->index, (CacheKey){CACHE_ACCOUNT, 0});
            *ret_offline = err_is_transient(last);
            return TRUE;
        }
        failure = g_steal_pointer(&ask.error);
        const gint64 patience_ms =
            ask.have_stale ? MIN(timeout_ms, CONNECT_PATIENCE_MS) : timeout_ms;
        if (!failure && meet(cache, ask.wait_for, began_ms + patience_ms, &failure)) {
            continue;
        }
        account = index_peek_account(cache->index);
        if (account && err_is_transient(failure)) {
            *ret_offline = TRUE;
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
}

gboolean
cache_connect(Cache *cache, gint64 timeout_ms, gboolean *ret_offline, GError **error)
{
    if (!connect_account(cache, timeout_ms, ret_offline, error)) {
        return FALSE;
    }
    if (cache->saving) {
        clerk_call(cache->clerk, start_saving, cache);
    }
    return TRUE;
}

/* --- Status --- */

void
cache_get_status(Cache *cache, CacheStatus *ret_status)
{
    memset(ret_status, 0, sizeof *ret_status);
    index_fill_status(cache->index, ret_status);
    Transport *transport = requests_transport(cache->requests);
    transport->get_stats(transport, &ret_status->transport);
    G_STATIC_ASSERT((int)ASKED_KINDS == CACHE_ASKED_KINDS);
    guint64 counts[ASKED_KINDS];
    requests_count(cache->requests, counts);
    for (guint i = 0; i < ASKED_KINDS; i++) {
        ret_status->asked[i].word = asked_word((AskedKind)i);
        ret_status->asked[i].n = counts[i];
    }
    ret_status->edits = cache_count_edits(cache, &ret_status->edits_parked);
    ret_status->store_bytes = store_bytes(cache->store);
    ret_status->attachment_bytes = cache->attachments ? attachments_bytes(cache->attachments) : 0;
}

void
cache_status_clear(CacheStatus *status)
{
    for (guint i = 0; i < status->n_projects; i++) {
        g_free(status->projects[i].name);
        g_free(status->projects[i].last_error);
        g_free(status->projects[i].left_out);
    }
    g_clear_pointer(&status->projects, g_free);
    status->n_projects = 0;
}

/* A queue of jobs: changes (the difference is made here, off the clerk's thread) and single urgent
 * nodes. A change becomes a list of notices with everything resolved to numbers; what the kernel
 * does not know is left out.
 *
 * A test can have one kind of notice left out
 * (TRACKERFS_TEST_MUTE=entry,delete,attributes,content,open,listing): each kind has a test that
 * then sees stale data, so none is there for nothing. */
#include "fs/notify.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"
#include "fs/diff.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* No folder has it: it only makes the kernel take the folder's lock. */
#define BARRIER_NAME "\n"
#define RETRY_MS 20
/* After so long a folder in which something still waits is told all the same. */
#define DEFER_MAX_MS 5000

typedef enum {
    NOTICE_ENTRY,
    NOTICE_DELETE,
    NOTICE_ATTRIBUTES,
    NOTICE_CONTENT,
    NOTICE_URGENT,  /* attributes, before an open is answered */
    NOTICE_LISTING, /* content of a folder, before its own change is answered */
    NOTICE_BARRIER,
} NoticeKind;

typedef struct Notice {
    NoticeKind kind;
    guint64 parent; /* ENTRY, DELETE, BARRIER */
    guint64 number; /* DELETE, ATTRIBUTES, CONTENT */
    char *name;     /* ENTRY, DELETE */
} Notice;

typedef struct Job {
    atomic_int references;
    CacheChange *change; /* NULL: only `done`, or of one node, or of a name: */
    Versions *versions;
    gint64 me;
    guint64 parent;
    char *name;
    guint64 number;
    void (*done)(gpointer user);
    gpointer user;
} Job;

struct Notify {
    InodeTable *inodes; /* const after new, like all down to muted */
    SceneBook *book;
    Versions *versions;
    Grace *grace;
    gboolean (*waits_in)(guint64 number, gpointer user);
    gpointer waits_user;
    gboolean muted[NOTICE_BARRIER];
    atomic_bool has_versions;
    struct fuse_session *session; /* const while the thread lives */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GQueue urgent, jobs; /* protected by lock, like all below */
    Job *present;        /* that is being told; NULL: none */
    gboolean started, stops;
    NotifyStats stats;
};

static void
read_muted(Notify *notify)
{
    static const char *const words[NOTICE_BARRIER] = {"entry",   "delete", "attributes",
                                                      "content", "open",   "listing"};
    const char *list = getenv("TRACKERFS_TEST_MUTE");
    g_auto(GStrv) chosen = g_strsplit(list ? list : "", ",", -1);
    for (guint i = 0; i < NOTICE_BARRIER; i++) {
        notify->muted[i] = g_strv_contains((const char *const *)chosen, words[i]);
    }
}

Notify *
notify_new(InodeTable *inodes, SceneBook *book, Versions *versions, Grace *grace,
           gboolean (*waits_in)(guint64 number, gpointer user), gpointer user)
{
    Notify *notify = g_new0(Notify, 1);
    notify->inodes = inodes;
    notify->book = book;
    notify->versions = versions;
    notify->grace = grace;
    notify->waits_in = waits_in;
    notify->waits_user = user;
    (void)pthread_mutex_init(&notify->lock, NULL);
    cond_init_monotonic(&notify->changed);
    g_queue_init(&notify->urgent);
    g_queue_init(&notify->jobs);
    read_muted(notify);
    return notify;
}

void
notify_use_versions(Notify *notify)
{
    atomic_store(&notify->has_versions, TRUE);
}

static Job *
job_new(void)
{
    Job *job = g_new0(Job, 1);
    atomic_init(&job->references, 1);
    return job;
}

static void
job_unref(gpointer data)
{
    Job *job = data;
    if (!job || atomic_fetch_sub(&job->references, 1) > 1) {
        return;
    }
    if (job->change) {
        version_faded(job->versions, job->change);
    }
    cache_change_free(job->change);
    g_free(job->name);
    if (job->done) {
        job->done(job->user);
    }
    g_free(job);
}

static void
notice_clear(gpointer data)
{
    Notice *notice = data;
    g_free(notice->name);
}

/* --- From a change to notices --- */

typedef struct Collector {
    Notify *notify;
    gboolean has_versions;
    gboolean only_pins;   /* the folder goes as a whole: its files need no notices */
    GArray *names;        /* of Notice: entries, told first */
    GArray *nodes;        /* of Notice */
    GHashTable *listings; /* guint64 *: folders whose listing is different */
    GHashTable *barriers; /* guint64 *: parents of folders that are different */
} Collector;

static void
add_notice(Collector *to, GArray *list, NoticeKind kind, guint64 parent, guint64 number,
           const char *name)
{
    const Notice notice = {
        .kind = kind, .parent = parent, .number = number, .name = g_strdup(name)};
    (void)to;
    g_array_append_val(list, notice);
}

static void
remember(GHashTable *set, guint64 number)
{
    if (!g_hash_table_contains(set, &number)) {
        (void)g_hash_table_add(set, g_memdup2(&number, sizeof number));
    }
}

/* The number of a node as `scene` shows it; with versions, of that version. */
static guint64
known_number(const Collector *to, const Scene *scene, const NodeKey *key)
{
    NodeKey version = *key;
    if (to->has_versions && !version_of(scene, &version)) {
        return 0;
    }
    return inode_find(to->notify->inodes, &version);
}

/* Whoever has the old version open goes on with a copy. */
static void
pin_old(const Collector *to, const Scene *before, const NodeKey *key)
{
    Notify *notify = to->notify;
    NodeKey version = *key;
    if (!to->has_versions || !node_has_versions(key->kind) || !scene_covers(before, key) ||
        !version_of(before, &version)) {
        return;
    }
    const guint64 number = inode_find(notify->inodes, &version);
    if (number) {
        version_pin(notify->versions, number, before, key);
        if (!inode_find(notify->inodes, &version)) {
            version_unpin(notify->versions, number); /* forgotten meanwhile */
        }
    }
}

static void
collect_name(const Scene *before, const Scene *after, const NodeKey *folder, const char *name,
             const NodeKey *gone, gpointer user)
{
    Collector *to = user;
    (void)after;
    if (gone) {
        pin_old(to, before, gone);
    }
    const guint64 parent = inode_find(to->notify->inodes, folder);
    const guint64 number = gone ? known_number(to, before, gone) : 0;
    if (!parent) {
        return;
    }
    remember(to->listings, parent);
    if (number) {
        add_notice(to, to->names, NOTICE_DELETE, parent, number, name);
    } else {
        add_notice(to, to->names, NOTICE_ENTRY, parent, 0, name);
    }
}

/* Another content is, with versions, another node: then the old one keeps its attributes, and the
 * name is all. */
static void
collect_node(const Scene *before, const Scene *after, const NodeKey *folder, const char *name,
             const NodeKey *key, gboolean content, gpointer user)
{
    Collector *to = user;
    if (content) {
        pin_old(to, before, key);
    }
    if (to->only_pins) {
        return;
    }
    const gboolean replaced = content && to->has_versions && node_has_versions(key->kind);
    const guint64 parent = inode_find(to->notify->inodes, folder);
    const guint64 number = known_number(to, replaced ? before : after, key);
    if (!number) {
        return;
    }
    if (parent && name) {
        add_notice(to, to->names, NOTICE_ENTRY, parent, 0, name);
    } else if (parent) {
        remember(to->barriers, parent);
    }
    if (!replaced) {
        add_notice(to, to->nodes, content ? NOTICE_CONTENT : NOTICE_ATTRIBUTES, 0, number, NULL);
    }
}

/* The histories: what is new in them is not known here, only that they grew. */
static void
collect_activity(Collector *to, const NodeKey *key, const char *name)
{
    const NodeKey folder = node_parent_key(key);
    const guint64 parent = inode_find(to->notify->inodes, &folder);
    const guint64 number = inode_find(to->notify->inodes, key);
    if (parent) {
        add_notice(to, to->names, NOTICE_ENTRY, parent, 0, name);
    }
    if (number) {
        add_notice(to, to->nodes, NOTICE_ATTRIBUTES, 0, number, NULL);
    }
}

static void
collect_change(Collector *to, const CacheChange *change, gint64 me)
{
    const DiffSink sink = {.name = collect_name, .node = collect_node, .user = to};
    const SceneConfig *config = scene_book_config(to->notify->book);
    if (change->old_account && change->account) {
        diff_accounts(config, change->old_account, change->account, &sink);
    }
    if (!change->project) {
        return;
    }
    NodeKey key = {
        .kind = NODE_PROJECT, .project_id = change->project->id, .id = change->project->id};
    const NodeKey my = {.kind = NODE_MY, .id = 1};
    if (!inode_find(to->notify->inodes, &key) && !inode_find(to->notify->inodes, &my)) {
        return; /* nobody ever looked into it */
    }
    g_autoptr(Views) before = scene_book_views(to->notify->book, change->old_project);
    g_autoptr(Views) after = scene_book_views(to->notify->book, change->project);
    diff_projects(config, before, after, me, &sink);
    key.kind = NODE_PROJECT_ACTIVITY;
    collect_activity(to, &key, "activity.jsonl");
    for (guint i = 0; i < change->stories->len; i++) {
        Story *old = g_ptr_array_index(change->old_stories, i);
        Story *story = g_ptr_array_index(change->stories, i);
        to->only_pins = !story;
        diff_story(config, before, old, after, story, &sink);
        to->only_pins = FALSE;
        if (old && story) {
            key.kind = NODE_STORY_ACTIVITY;
            key.id = story->id;
            collect_activity(to, &key, ".activity.jsonl");
        }
    }
}

/* --- Telling --- */

static void
count(Notify *notify, NoticeKind kind)
{
    LOCK_SCOPE(&notify->lock);
    switch (kind) {
    case NOTICE_ENTRY:
        notify->stats.entries++;
        break;
    case NOTICE_DELETE:
        notify->stats.deletions++;
        break;
    case NOTICE_ATTRIBUTES:
        notify->stats.attributes++;
        break;
    case NOTICE_CONTENT:
    case NOTICE_LISTING:
        notify->stats.contents++;
        break;
    case NOTICE_URGENT:
        notify->stats.urgent++;
        break;
    case NOTICE_BARRIER:
        break;
    }
}

/* Failures are no news: most say that the kernel has forgotten already. */
static void
tell(Notify *notify, const Notice *notice)
{
    struct fuse_session *session = notify->session;
    if (notice->kind < NOTICE_BARRIER && notify->muted[notice->kind]) {
        return;
    }
    count(notify, notice->kind);
    switch (notice->kind) {
    case NOTICE_ENTRY:
        (void)fuse_lowlevel_notify_inval_entry(session, notice->parent, notice->name,
                                               strlen(notice->name));
        break;
    case NOTICE_DELETE:
        (void)fuse_lowlevel_notify_delete(session, notice->parent, notice->number, notice->name,
                                          strlen(notice->name));
        break;
    case NOTICE_ATTRIBUTES:
    case NOTICE_URGENT:
        (void)fuse_lowlevel_notify_inval_inode(session, notice->number, -1, 0);
        break;
    case NOTICE_CONTENT:
    case NOTICE_LISTING:
        (void)fuse_lowlevel_notify_inval_inode(session, notice->number, 0, 0);
        break;
    case NOTICE_BARRIER:
        (void)fuse_lowlevel_notify_inval_entry(session, notice->parent, BARRIER_NAME,
                                               strlen(BARRIER_NAME));
        break;
    }
}

static Job *
take_urgent(Notify *notify)
{
    LOCK_SCOPE(&notify->lock);
    return g_queue_pop_head(&notify->urgent);
}

static void
tell_urgent(Notify *notify)
{
    Job *job;
    while ((job = take_urgent(notify))) {
        const Notice notice = {.kind = NOTICE_URGENT, .number = job->number};
        tell(notify, &notice);
        job_unref(job);
    }
}

static gboolean
is_stopping(Notify *notify)
{
    LOCK_SCOPE(&notify->lock);
    return notify->stops;
}

static void
wait_a_moment(Notify *notify)
{
    LOCK_SCOPE(&notify->lock);
    if (!notify->stops && g_queue_is_empty(&notify->urgent)) {
        (void)cond_wait_ms(&notify->changed, &notify->lock, RETRY_MS);
    }
}

/* Entries and barriers; those of folders in which an operation waits come last, when it has gone
 * on. */
static void
tell_names(Notify *notify, GArray *names)
{
    const gint64 began_ms = clock_monotonic_ms();
    g_autoptr(GArray) late = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < names->len && !is_stopping(notify); i++) {
        const Notice *notice = &g_array_index(names, Notice, i);
        tell_urgent(notify);
        if (notify->waits_in(notice->parent, notify->waits_user)) {
            g_array_append_val(late, i);
        } else {
            tell(notify, notice);
        }
    }
    for (guint i = 0; i < late->len && !is_stopping(notify);) {
        const Notice *notice = &g_array_index(names, Notice, g_array_index(late, guint, i));
        tell_urgent(notify);
        if (notify->waits_in(notice->parent, notify->waits_user) &&
            clock_monotonic_ms() - began_ms < DEFER_MAX_MS) {
            wait_a_moment(notify);
            continue;
        }
        tell(notify, notice);
        i++;
    }
}

static void
add_set(Collector *to, GHashTable *set, GArray *list, NoticeKind kind)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const guint64 number = *(guint64 *)key;
        add_notice(to, list, kind, number, number, NULL);
    }
}

static void
collector_init(Collector *to, Notify *notify)
{
    *to = (Collector){
        .notify = notify,
        .has_versions = atomic_load(&notify->has_versions),
        .names = g_array_new(FALSE, FALSE, sizeof(Notice)),
        .nodes = g_array_new(FALSE, FALSE, sizeof(Notice)),
        .listings = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
        .barriers = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
    g_array_set_clear_func(to->names, notice_clear);
    g_array_set_clear_func(to->nodes, notice_clear);
}

static void
collector_clear(Collector *to)
{
    g_array_unref(to->names);
    g_array_unref(to->nodes);
    g_hash_table_unref(to->listings);
    g_hash_table_unref(to->barriers);
}

static void
tell_change(Notify *notify, const CacheChange *change, gint64 me)
{
    Collector to;
    collector_init(&to, notify);
    /* Afterwards every node that was answered from the old state is counted, so an unknown one is
     * none. */
    grace_wait(notify->grace);
    collect_change(&to, change, me);
    version_faded(notify->versions, change);
    add_set(&to, to.barriers, to.names, NOTICE_BARRIER);
    add_set(&to, to.listings, to.nodes, NOTICE_CONTENT);
    tell_names(notify, to.names);
    for (guint i = 0; i < to.nodes->len && !is_stopping(notify); i++) {
        tell_urgent(notify);
        tell(notify, &g_array_index(to.nodes, Notice, i));
    }
    if (to.names->len + to.nodes->len > 0) {
        log_debug(LOG_FS, "project %" G_GINT64_FORMAT ": the kernel forgets %u names and %u nodes",
                  change->project ? change->project->id : 0, to.names->len, to.nodes->len);
    }
    collector_clear(&to);
}

static void
tell_name(Notify *notify, guint64 parent, const char *name)
{
    g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(Notice));
    g_array_set_clear_func(names, notice_clear);
    add_notice(NULL, names, NOTICE_ENTRY, parent, 0, name);
    tell_names(notify, names);
}

/* The next job, waiting for one; NULL when stopping. Urgent ones are told on the way. */
static Job *
wait_for_job(Notify *notify)
{
    for (;;) {
        tell_urgent(notify);
        LOCK_SCOPE(&notify->lock);
        while (!notify->stops && g_queue_is_empty(&notify->jobs) &&
               g_queue_is_empty(&notify->urgent)) {
            (void)cond_wait_ms(&notify->changed, &notify->lock, -1);
        }
        if (notify->stops) {
            return NULL;
        }
        if (g_queue_is_empty(&notify->urgent)) {
            return notify->present = g_queue_pop_head(&notify->jobs);
        }
    }
}

/* The present job can no longer be seen by others. */
static void
leave(Notify *notify)
{
    LOCK_SCOPE(&notify->lock);
    notify->present = NULL;
}

static void *
notify_main(void *user)
{
    Notify *notify = user;
    Job *job;
    while ((job = wait_for_job(notify))) {
        if (job->name) {
            tell_name(notify, job->parent, job->name);
        } else if (job->change) {
            tell_change(notify, job->change, job->me);
        }
        leave(notify);
        job_unref(job);
    }
    return NULL;
}

/* --- The outside --- */

gboolean
notify_start(Notify *notify, struct fuse_session *session, GError **error)
{
    notify->session = session;
    const int code = pthread_create(&notify->thread, NULL, notify_main, notify);
    if (code != 0) {
        g_set_error(error, ERR, ERR_LOCAL, "no thread: %s", g_strerror(code));
        return FALSE;
    }
    LOCK_SCOPE(&notify->lock);
    notify->started = TRUE;
    return TRUE;
}

void
notify_stop(Notify *notify)
{
    gboolean joins;
    {
        LOCK_SCOPE(&notify->lock);
        joins = notify->started && !notify->stops;
        notify->stops = TRUE;
        (void)pthread_cond_broadcast(&notify->changed);
    }
    if (joins) {
        (void)pthread_join(notify->thread, NULL);
    }
    GQueue left[2] = {G_QUEUE_INIT, G_QUEUE_INIT};
    {
        LOCK_SCOPE(&notify->lock);
        left[0] = notify->urgent;
        left[1] = notify->jobs;
        g_queue_init(&notify->urgent);
        g_queue_init(&notify->jobs);
    }
    g_queue_clear_full(&left[0], job_unref);
    g_queue_clear_full(&left[1], job_unref);
}

void
notify_free(Notify *notify)
{
    if (!notify) {
        return;
    }
    notify_stop(notify);
    (void)pthread_cond_destroy(&notify->changed);
    (void)pthread_mutex_destroy(&notify->lock);
    g_free(notify);
}

/* FALSE: stopped, and the job is not taken. */
static gboolean
post(Notify *notify, GQueue *queue, Job *job)
{
    LOCK_SCOPE(&notify->lock);
    if (!notify->started || notify->stops) {
        return FALSE;
    }
    g_queue_push_tail(queue, job);
    (void)pthread_cond_broadcast(&notify->changed);
    return TRUE;
}

void
notify_change(Notify *notify, CacheChange *change, gint64 me)
{
    Job *job = job_new();
    job->change = change;
    job->versions = notify->versions;
    job->me = me;
    if (!post(notify, &notify->jobs, job)) {
        job_unref(job);
    }
}

void
notify_name(Notify *notify, guint64 parent, const char *name)
{
    Job *job = job_new();
    job->parent = parent;
    job->name = g_strdup(name);
    if (!post(notify, &notify->jobs, job)) {
        job_unref(job);
    }
}

void
notify_attributes(Notify *notify, guint64 number, void (*done)(gpointer user), gpointer user)
{
    Job *job = job_new();
    job->number = number;
    job->done = done;
    job->user = user;
    if (!post(notify, &notify->urgent, job)) {
        job_unref(job);
    }
}

/* The changes that are not told completely; references. */
static GPtrArray *
changes_under_way(Notify *notify)
{
    GPtrArray *jobs = g_ptr_array_new_with_free_func(job_unref);
    LOCK_SCOPE(&notify->lock);
    if (!notify->started || notify->stops) {
        return jobs;
    }
    if (notify->present && notify->present->change) {
        atomic_fetch_add(&notify->present->references, 1);
        g_ptr_array_add(jobs, notify->present);
    }
    for (GList *at = notify->jobs.head; at; at = at->next) {
        Job *job = at->data;
        if (job->change) {
            atomic_fetch_add(&job->references, 1);
            g_ptr_array_add(jobs, job);
        }
    }
    return jobs;
}

void
notify_listings(Notify *notify)
{
    g_autoptr(GPtrArray) jobs = changes_under_way(notify);
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = g_ptr_array_index(jobs, i);
        Collector to;
        GHashTableIter iter;
        gpointer number;
        collector_init(&to, notify);
        collect_change(&to, job->change, job->me);
        g_hash_table_iter_init(&iter, to.listings);
        while (g_hash_table_iter_next(&iter, &number, NULL)) {
            const Notice notice = {.kind = NOTICE_LISTING, .number = *(guint64 *)number};
            tell(notify, &notice);
        }
        collector_clear(&to);
    }
}

void
notify_get_stats(Notify *notify, NotifyStats *ret_stats)
{
    LOCK_SCOPE(&notify->lock);
    *ret_stats = notify->stats;
    ret_stats->waiting = g_queue_get_length(&notify->jobs) + (notify->present ? 1 : 0);
}

void
notify_after_all(Notify *notify, void (*done)(gpointer user), gpointer user)
{
    Job *job = job_new();
    job->done = done;
    job->user = user;
    if (!post(notify, &notify->jobs, job)) {
        job_unref(job);
    }
}

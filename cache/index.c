/* Slots by key, each with a snapshot, its two clocks, its failure and its waiters.
 *
 * Freshness is judged in is_fresh_locked() and nowhere else. Two clocks: the monotonic one stands
 * still while the machine sleeps, the wall clock may be set; data is fresh when neither says that
 * the TTL has passed, so that a resume asks again and a clock set back keeps nothing alive. The
 * server being unreachable is known for all keys at once (offline_*): ten projects do not wait ten
 * times. */
#include "cache/index.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
/* Failures of attachments and activities are remembered only for their back-off, and only so many.
 */
#define MAX_SLOTS 4096

typedef struct Wait {
    CacheDoneFn done;
    gpointer user;
} Wait;

typedef struct Slot {
    CacheKey key;
    gboolean running, refilling;
    gint64 began_ms;  /* running since then; 0: never */
    Account *account; /* CACHE_ACCOUNT */
    Project *project; /* CACHE_PROJECT */
    gint64 confirmed_ms, checked_ms;
    GError *error;
    gint64 retry_at_ms, backoff_ms;
    GArray *waits; /* of Wait; NULL: none */
    FillState state;
    guint stories_done, stories_total;
} Slot;

struct Index {
    pthread_mutex_t lock;
    gint64 ttl_ms;     /* const after new */
    GHashTable *slots; /* protected by lock, as all below; CacheKey in the Slot to Slot */
    GError *offline_error;
    gint64 offline_retry_at_ms;
    gboolean online;
    guint64 hits, waits;
};

static guint
key_hash(gconstpointer data)
{
    const CacheKey *key = data;
    return g_int64_hash(&key->id) * 31 + (guint)key->kind;
}

static gboolean
key_equal(gconstpointer a, gconstpointer b)
{
    const CacheKey *left = a;
    const CacheKey *right = b;
    return left->kind == right->kind && left->id == right->id;
}

static void
slot_free(gpointer data)
{
    Slot *slot = data;
    account_unref(slot->account);
    project_unref(slot->project);
    g_clear_error(&slot->error);
    if (slot->waits) {
        g_array_unref(slot->waits);
    }
    g_free(slot);
}

Index *
index_new(gint64 ttl_ms)
{
    Index *index = g_new0(Index, 1);
    (void)pthread_mutex_init(&index->lock, NULL);
    index->ttl_ms = ttl_ms;
    index->online = TRUE;
    index->slots = g_hash_table_new_full(key_hash, key_equal, NULL, slot_free);
    return index;
}

void
index_free(Index *index)
{
    if (!index) {
        return;
    }
    g_hash_table_unref(index->slots);
    g_clear_error(&index->offline_error);
    (void)pthread_mutex_destroy(&index->lock);
    g_free(index);
}

static Slot *
find_locked(Index *index, CacheKey key)
{
    return g_hash_table_lookup(index->slots, &key);
}

static gboolean
slot_is_forgettable(gpointer key, gpointer value, gpointer user)
{
    const Slot *slot = value;
    (void)key;
    (void)user;
    return !slot->running && slot->key.kind != CACHE_ACCOUNT && slot->key.kind != CACHE_PROJECT;
}

static Slot *
get_locked(Index *index, CacheKey key)
{
    Slot *slot = find_locked(index, key);
    if (slot) {
        return slot;
    }
    if (g_hash_table_size(index->slots) >= MAX_SLOTS) {
        (void)g_hash_table_foreach_remove(index->slots, slot_is_forgettable, NULL);
    }
    slot = g_new0(Slot, 1);
    slot->key = key;
    slot->confirmed_ms = INDEX_NEVER;
    (void)g_hash_table_insert(index->slots, &slot->key, slot);
    return slot;
}

static gint64
ttl_of(const Index *index, const Slot *slot)
{
    return slot->key.kind == CACHE_ACCOUNT ? index->ttl_ms * INDEX_ACCOUNT_TTL_FACTOR
                                           : index->ttl_ms;
}

static gboolean
is_fresh_locked(const Index *index, const Slot *slot, gint64 since_ms, gboolean anew)
{
    if (slot->confirmed_ms == INDEX_NEVER) {
        return FALSE;
    }
    gint64 ttl_ms = ttl_of(index, slot);
    return slot->confirmed_ms >= since_ms ||
           (!anew && clock_monotonic_ms() - slot->confirmed_ms < ttl_ms &&
            clock_wall_ms() - slot->checked_ms < ttl_ms);
}

static void
begin_locked(Slot *slot)
{
    slot->running = TRUE;
    slot->began_ms = clock_monotonic_ms();
}

/* The failure that still holds, or NULL. `have_data`: a mere timeout elsewhere then counts too. No
 * failure elsewhere keeps a project from being looked for in the store, which is how it begins. */
static const GError *
failure_locked(const Index *index, const Slot *slot, gboolean have_data)
{
    gint64 now_ms = clock_monotonic_ms();
    if (slot->error && now_ms < slot->retry_at_ms) {
        return slot->error;
    }
    if (slot->key.kind == CACHE_PROJECT && slot->began_ms == 0) {
        return NULL;
    }
    if (index->offline_error && now_ms < index->offline_retry_at_ms &&
        (have_data || index->offline_error->code == ERR_OFFLINE)) {
        return index->offline_error;
    }
    return NULL;
}

/* TRUE: what is there (have_data) answers `ask`, with ask->wait_for if it is old. FALSE: ask->error
 * or ask->wait_for says why not. */
static gboolean
decide_locked(Index *index, Slot *slot, gboolean have_data, gboolean fresh, CacheAsk *ask,
              gboolean *ret_start)
{
    *ret_start = FALSE;
    if (have_data && (fresh || (slot->refilling && !ask->anew))) {
        index->hits++;
        return TRUE;
    }
    if (!slot->running) {
        const GError *failure = failure_locked(index, slot, have_data);
        if (failure && have_data && !ask->anew) {
            index->hits++;
            return TRUE;
        }
        if (failure) {
            ask->error = g_error_copy(failure);
            return FALSE;
        }
        begin_locked(slot);
        *ret_start = TRUE;
    }
    ask->wait_for = slot->key;
    ask->have_stale = have_data;
    ask->wait_since_ms = slot->began_ms;
    if (have_data && ask->stale_ok) {
        index->hits++;
        return TRUE;
    }
    index->waits++;
    return FALSE;
}

Account *
index_ask_account(Index *index, CacheAsk *ask, gboolean *ret_start)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = get_locked(index, (CacheKey){CACHE_ACCOUNT, 0});
    gboolean answered =
        decide_locked(index, slot, slot->account != NULL,
                      is_fresh_locked(index, slot, ask->since_ms, ask->anew), ask, ret_start);
    return answered ? account_ref(slot->account) : NULL;
}

Project *
index_ask_project(Index *index, gint64 project_id, CacheAsk *ask, gboolean *ret_start)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = get_locked(index, (CacheKey){CACHE_PROJECT, project_id});
    gboolean answered =
        decide_locked(index, slot, slot->project != NULL,
                      is_fresh_locked(index, slot, ask->since_ms, ask->anew), ask, ret_start);
    return answered ? project_ref(slot->project) : NULL;
}

gboolean
index_ask_other(Index *index, CacheKey key, gboolean have_stale, CacheAsk *ask, gboolean *ret_start)
{
    LOCK_SCOPE(&index->lock);
    return decide_locked(index, get_locked(index, key), have_stale, FALSE, ask, ret_start);
}

gboolean
index_begin_prefetch(Index *index, CacheKey key)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = get_locked(index, key);
    if (slot->running || slot->project || failure_locked(index, slot, FALSE)) {
        return FALSE;
    }
    begin_locked(slot);
    return TRUE;
}

gboolean
index_begin_check(Index *index, CacheKey key)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = get_locked(index, key);
    if (slot->running || (!slot->project && !slot->account) || failure_locked(index, slot, TRUE)) {
        return FALSE;
    }
    begin_locked(slot);
    return TRUE;
}

gboolean
index_has(Index *index, CacheKey key)
{
    LOCK_SCOPE(&index->lock);
    const Slot *slot = find_locked(index, key);
    return slot && (slot->project || slot->account);
}

gboolean
index_is_present(Index *index, const Project *project)
{
    LOCK_SCOPE(&index->lock);
    const Slot *slot = find_locked(index, (CacheKey){CACHE_PROJECT, project->id});
    return slot && slot->project == project;
}

gboolean
index_is_present_account(Index *index, const Account *account)
{
    LOCK_SCOPE(&index->lock);
    const Slot *slot = find_locked(index, (CacheKey){CACHE_ACCOUNT, 0});
    return slot && slot->account == account;
}

gint64
index_confirmed_ms(Index *index, CacheKey key)
{
    LOCK_SCOPE(&index->lock);
    const Slot *slot = find_locked(index, key);
    return slot ? slot->confirmed_ms : INDEX_NEVER;
}

Account *
index_peek_account(Index *index)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = find_locked(index, (CacheKey){CACHE_ACCOUNT, 0});
    return slot && slot->account ? account_ref(slot->account) : NULL;
}

Project *
index_peek_project(Index *index, gint64 project_id)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = find_locked(index, (CacheKey){CACHE_PROJECT, project_id});
    return slot && slot->project ? project_ref(slot->project) : NULL;
}

gint64
index_find_story_project(Index *index, gint64 story_id)
{
    GHashTableIter iter;
    gpointer value;
    LOCK_SCOPE(&index->lock);
    g_hash_table_iter_init(&iter, index->slots);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Slot *slot = value;
        if (slot->project && project_find_story(slot->project, story_id)) {
            return slot->key.id;
        }
    }
    return 0;
}

gint64
index_find_epic_project(Index *index, gint64 epic_id)
{
    GHashTableIter iter;
    gpointer value;
    LOCK_SCOPE(&index->lock);
    g_hash_table_iter_init(&iter, index->slots);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Slot *slot = value;
        if (slot->project && project_find_epic(slot->project, epic_id)) {
            return slot->key.id;
        }
    }
    return 0;
}

gint64
index_fresh_until_ms(Index *index, gint64 project_id)
{
    const CacheKey key =
        project_id ? (CacheKey){CACHE_PROJECT, project_id} : (CacheKey){CACHE_ACCOUNT, 0};
    LOCK_SCOPE(&index->lock);
    Slot *slot = find_locked(index, key);
    if (!slot || (!slot->project && !slot->account) ||
        !is_fresh_locked(index, slot, G_MAXINT64, FALSE)) {
        return 0;
    }
    return slot->confirmed_ms + ttl_of(index, slot);
}

GError *
index_dup_error(Index *index, CacheKey key)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = find_locked(index, key);
    return slot && slot->error ? g_error_copy(slot->error) : NULL;
}

void
index_publish_account(Index *index, Account *account, gint64 confirmed_ms, gint64 checked_ms)
{
    Account *old = account_ref(account);
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = get_locked(index, (CacheKey){CACHE_ACCOUNT, 0});
        Account *fresh = old;
        old = slot->account;
        slot->account = fresh;
        slot->confirmed_ms = confirmed_ms;
        slot->checked_ms = checked_ms;
    }
    account_unref(old);
}

void
index_publish_project(Index *index, Project *project, gint64 confirmed_ms, gint64 checked_ms)
{
    Project *old = project_ref(project);
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = get_locked(index, (CacheKey){CACHE_PROJECT, project->id});
        Project *fresh = old;
        old = slot->project;
        slot->project = fresh;
        slot->confirmed_ms = confirmed_ms;
        slot->checked_ms = checked_ms;
        slot->state = FILL_DONE;
        slot->stories_done = slot->stories_total = project->n_stories;
    }
    project_unref(old);
}

void
index_show_project(Index *index, Project *project)
{
    Project *old = project_ref(project);
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = get_locked(index, (CacheKey){CACHE_PROJECT, project->id});
        Project *fresh = old;
        old = slot->project;
        slot->project = fresh;
        slot->stories_done = slot->stories_total = project->n_stories;
    }
    project_unref(old);
}

void
index_begin_edit(Index *index, gint64 number)
{
    LOCK_SCOPE(&index->lock);
    begin_locked(get_locked(index, (CacheKey){CACHE_EDIT, number}));
}

void
index_touch_project(Index *index, gint64 project_id, gint64 confirmed_ms, gint64 checked_ms)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = get_locked(index, (CacheKey){CACHE_PROJECT, project_id});
    slot->confirmed_ms = confirmed_ms;
    slot->checked_ms = checked_ms;
}

void
index_set_progress(Index *index, gint64 project_id, FillState state, guint done, guint total)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = get_locked(index, (CacheKey){CACHE_PROJECT, project_id});
    slot->state = state;
    slot->stories_done = done;
    slot->stories_total = total;
}

static void
call_waits(GArray *waits, const GError *error)
{
    for (guint i = 0; waits && i < waits->len; i++) {
        const Wait *wait = &g_array_index(waits, Wait, i);
        wait->done(error, wait->user);
    }
    if (waits) {
        g_array_unref(waits);
    }
}

void
index_refilling(Index *index, CacheKey key)
{
    GArray *waits;
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = get_locked(index, key);
        begin_locked(slot);
        slot->refilling = TRUE;
        waits = g_steal_pointer(&slot->waits);
    }
    call_waits(waits, NULL);
}

void
index_loaded(Index *index, CacheKey key)
{
    GArray *waits;
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = get_locked(index, key);
        slot->running = FALSE;
        waits = g_steal_pointer(&slot->waits);
    }
    call_waits(waits, NULL);
}

/* Who went away says nothing about the server. */
static void
note_outcome_locked(Index *index, Slot *slot, const GError *error)
{
    if (error && error->code == ERR_CANCELLED) {
        return;
    }
    g_clear_error(&slot->error);
    if (!error) {
        slot->backoff_ms = 0;
        index->online = TRUE;
        g_clear_error(&index->offline_error);
        return;
    }
    gint64 now_ms = clock_monotonic_ms();
    slot->error = g_error_copy(error);
    slot->backoff_ms = CLAMP(slot->backoff_ms * 2, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
    slot->retry_at_ms = now_ms + slot->backoff_ms;
    index->online = error->code != ERR_OFFLINE && error->code != ERR_TIMEOUT;
    g_clear_error(&index->offline_error);
    if (!index->online) {
        index->offline_error = g_error_copy(error);
        index->offline_retry_at_ms = slot->retry_at_ms;
    }
}

void
index_note_away(Index *index)
{
    LOCK_SCOPE(&index->lock);
    index->online = FALSE;
}

void
index_finish(Index *index, CacheKey key, const GError *error)
{
    GArray *waits;
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = get_locked(index, key);
        slot->running = FALSE;
        slot->refilling = FALSE;
        note_outcome_locked(index, slot, error);
        if (slot->state == FILL_RUNNING && error) {
            slot->state = FILL_FAILED;
        }
        waits = g_steal_pointer(&slot->waits);
        if (!error && slot_is_forgettable(NULL, slot, NULL)) {
            (void)g_hash_table_remove(index->slots, &key);
        }
    }
    call_waits(waits, error);
}

void
index_end_edit(Index *index, gint64 number)
{
    const CacheKey key = {CACHE_EDIT, number};
    GArray *waits = NULL;
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = find_locked(index, key);
        if (slot) {
            waits = g_steal_pointer(&slot->waits);
            (void)g_hash_table_remove(index->slots, &key);
        }
    }
    call_waits(waits, NULL);
}

void
index_finish_all(Index *index, const GError *error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    {
        GHashTableIter iter;
        gpointer value;
        LOCK_SCOPE(&index->lock);
        g_hash_table_iter_init(&iter, index->slots);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
            Slot *slot = value;
            slot->running = FALSE;
            if (slot->waits) {
                g_ptr_array_add(all, g_steal_pointer(&slot->waits));
            }
        }
    }
    for (guint i = 0; i < all->len; i++) {
        call_waits(g_ptr_array_index(all, i), error);
    }
}

void
index_wait(Index *index, CacheKey key, CacheDoneFn done, gpointer user)
{
    g_autoptr(GError) error = NULL;
    {
        LOCK_SCOPE(&index->lock);
        Slot *slot = find_locked(index, key);
        /* Behind a refill only who wants nothing older waits. */
        if (slot && slot->running) {
            const Wait wait = {done, user};
            if (!slot->waits) {
                slot->waits = g_array_new(FALSE, FALSE, sizeof(Wait));
            }
            g_array_append_val(slot->waits, wait);
            return;
        }
        if (slot && slot->error && clock_monotonic_ms() < slot->retry_at_ms) {
            error = g_error_copy(slot->error);
        }
    }
    done(error, user);
}

gboolean
index_cancel_wait(Index *index, CacheKey key, gpointer user)
{
    LOCK_SCOPE(&index->lock);
    Slot *slot = find_locked(index, key);
    for (guint i = 0; slot && slot->waits && i < slot->waits->len; i++) {
        if (g_array_index(slot->waits, Wait, i).user == user) {
            g_array_remove_index_fast(slot->waits, i);
            return TRUE;
        }
    }
    return FALSE;
}

static void
fill_project_status(const Slot *slot, const ProjectName *name, CacheProjectStatus *ret)
{
    ret->id = name->id;
    ret->name = g_strdup(name->name);
    if (!slot) {
        return;
    }
    ret->version = slot->project ? slot->project->version : 0;
    ret->state = slot->state;
    ret->stories_done = slot->stories_done;
    ret->stories_total = slot->stories_total;
    ret->left_out = slot->project ? project_dup_left_out(slot->project) : NULL;
    ret->checked_ms = slot->project ? slot->checked_ms : 0;
    ret->last_error = slot->error ? g_strdup(slot->error->message) : NULL;
}

void
index_fill_status(Index *index, CacheStatus *status)
{
    LOCK_SCOPE(&index->lock);
    status->online = index->online;
    status->hits = index->hits;
    status->waits = index->waits;
    const Slot *slot = find_locked(index, (CacheKey){CACHE_ACCOUNT, 0});
    const Account *account = slot ? slot->account : NULL;
    if (!account) {
        return;
    }
    status->n_projects = account->n_projects;
    status->projects = g_new0(CacheProjectStatus, account->n_projects);
    for (guint i = 0; i < account->n_projects; i++) {
        const ProjectName *name = &account->projects[i];
        fill_project_status(find_locked(index, (CacheKey){CACHE_PROJECT, name->id}), name,
                            &status->projects[i]);
    }
}

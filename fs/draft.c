/* The lock of a draft protects what is said about the bytes, not the bytes: those are the kernel's
 * (see body.h). A change counts the generation up before it is made and after: a save that copies
 * in between sees that its generation is not the last. */
#include "fs/draft.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

struct DraftTable {
    pthread_mutex_t lock;
    atomic_uint n;         /* of by_number, to be read without the lock */
    GHashTable *by_number; /* guint64 * (of the draft) -> Draft *; protected by lock */
};

static struct timespec
present(void)
{
    const gint64 ms = clock_wall_ms();
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

static Draft *
make(guint64 number, gint64 id, mode_t mode, uid_t uid, gid_t gid)
{
    static _Atomic guint64 last_serial;
    Draft *draft = g_new0(Draft, 1);
    atomic_init(&draft->references, 1);
    draft->number = number;
    draft->id = id;
    draft->serial = atomic_fetch_add(&last_serial, 1) + 1;
    draft->mode = mode;
    draft->uid = uid;
    draft->gid = gid;
    draft->changed = draft->accessed = draft->status_changed = present();
    draft->generation = 1;
    (void)pthread_mutex_init(&draft->lock, NULL);
    (void)pthread_mutex_init(&draft->submit_lock, NULL);
    return draft;
}

Draft *
draft_new(guint64 number, gint64 id, Body *body, mode_t mode, uid_t uid, gid_t gid)
{
    Draft *draft = make(number, id, S_IFREG | (mode & 07777), uid, gid);
    draft->body = body;
    return draft;
}

void
draft_set_spool(Draft *draft, Cache *cache, char *spool)
{
    draft->cache = cache;
    draft->spool = spool;
}

void
draft_spool_is_taken(Draft *draft)
{
    LOCK_SCOPE(&draft->lock);
    draft->spool_is_taken = TRUE;
}

Draft *
draft_new_link(guint64 number, gint64 id, const char *target, uid_t uid, gid_t gid)
{
    Draft *draft = make(number, id, S_IFLNK | 0777, uid, gid);
    draft->link_target = g_strdup(target);
    return draft;
}

Draft *
draft_ref(Draft *draft)
{
    atomic_fetch_add(&draft->references, 1);
    return draft;
}

void
draft_unref(Draft *draft)
{
    if (!draft || atomic_fetch_sub(&draft->references, 1) > 1) {
        return;
    }
    g_clear_pointer(&draft->base, g_bytes_unref);
    g_clear_error(&draft->refusal);
    g_clear_pointer(&draft->attributes, g_hash_table_unref);
    body_free(draft->body);
    if (draft->spool && !draft->spool_is_taken) {
        cache_spool_drop(draft->cache, draft->spool);
    }
    g_free((char *)(guintptr)draft->target.name);
    g_free(draft->new_name);
    g_free(draft->link_target);
    g_free(draft->spool);
    (void)pthread_mutex_destroy(&draft->submit_lock);
    (void)pthread_mutex_destroy(&draft->lock);
    g_free(draft);
}

static void
aim(Draft *draft, DraftPurpose purpose, const NodeKey *target, const char *new_name, GBytes *base)
{
    g_autofree char *old_name = NULL;
    g_autofree char *old_new_name = NULL;
    g_autoptr(GBytes) old_base = NULL;
    LOCK_SCOPE(&draft->lock);
    old_base = draft->base;
    old_name = (char *)(guintptr)draft->target.name;
    old_new_name = draft->new_name;
    draft->purpose = purpose;
    draft->target = target ? *target : (NodeKey){0};
    draft->target.name = g_strdup(draft->target.name);
    draft->new_name = g_strdup(new_name);
    draft->base = base ? g_bytes_ref(base) : NULL;
    draft->saved = draft->refused = 0;
    draft->edit = 0;
}

void
draft_aim_at_file(Draft *draft, const NodeKey *target, GBytes *base)
{
    aim(draft, DRAFT_FILE, target, NULL, base);
}

void
draft_aim_at_new(Draft *draft, const NodeKey *folder, const char *name)
{
    aim(draft, DRAFT_NEW, folder, name, NULL);
}

void
draft_forget_new(Draft *draft)
{
    gboolean is_new;
    {
        LOCK_SCOPE(&draft->lock);
        is_new = draft->purpose == DRAFT_NEW;
    }
    if (is_new) {
        draft_aim_at_nothing(draft);
    }
}

void
draft_aim_at_nothing(Draft *draft)
{
    aim(draft, DRAFT_SCRATCH, NULL, NULL, NULL);
}

static void
changed(Draft *draft, gboolean is_emptied)
{
    LOCK_SCOPE(&draft->lock);
    draft->generation++;
    draft->changed = draft->status_changed = present();
    draft->is_emptied = is_emptied;
}

gboolean
draft_write(Draft *draft, const char *data, gsize length, gint64 offset, gboolean append,
            GError **error)
{
    if (append) {
        offset = body_size(draft->body);
    }
    const gboolean written = body_write(draft->body, data, length, offset, error);
    changed(draft, FALSE);
    return written;
}

gboolean
draft_truncate(Draft *draft, gint64 size, GError **error)
{
    if (body_size(draft->body) == size) {
        LOCK_SCOPE(&draft->lock);
        draft->changed = draft->status_changed = present();
        return TRUE;
    }
    const gboolean cut = body_truncate(draft->body, size, error);
    changed(draft, size == 0);
    return cut;
}

gboolean
draft_allocate(Draft *draft, int mode, gint64 offset, gint64 length, GError **error)
{
    const gboolean done = body_allocate(draft->body, mode, offset, length, error);
    changed(draft, FALSE);
    return done;
}

void
draft_fill_stat(Draft *draft, struct stat *attributes)
{
    const gint64 size = draft->body ? body_size(draft->body) : (gint64)strlen(draft->link_target);
    LOCK_SCOPE(&draft->lock);
    attributes->st_size = size;
    attributes->st_blocks = (blkcnt_t)((size + 511) / 512);
    attributes->st_mtim = draft->changed;
    attributes->st_atim = draft->accessed;
    attributes->st_ctim = draft->status_changed;
    if (draft->purpose != DRAFT_FILE) {
        attributes->st_mode = draft->mode;
        attributes->st_uid = draft->uid;
        attributes->st_gid = draft->gid;
        attributes->st_nlink = draft->n_links;
    }
}

static gsize
attributes_bytes(GHashTable *attributes)
{
    GHashTableIter iter;
    gpointer name;
    gpointer value;
    gsize bytes = 0;
    g_hash_table_iter_init(&iter, attributes);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        bytes += strlen(name) + 1 + g_bytes_get_size(value);
    }
    return bytes;
}

int
draft_set_attribute(Draft *draft, const char *name, GBytes *value, int flags)
{
    LOCK_SCOPE(&draft->lock);
    if (!draft->attributes) {
        draft->attributes =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    }
    const gboolean there = g_hash_table_contains(draft->attributes, name);
    if (there ? (flags & XATTR_CREATE) : (!value || (flags & XATTR_REPLACE))) {
        return there ? EEXIST : ENODATA;
    }
    if (!value) {
        (void)g_hash_table_remove(draft->attributes, name);
        return 0;
    }
    if (attributes_bytes(draft->attributes) + strlen(name) + 1 + g_bytes_get_size(value) >
        DRAFT_ATTRIBUTES_BYTES_MAX) {
        return ENOSPC;
    }
    (void)g_hash_table_replace(draft->attributes, g_strdup(name), g_bytes_ref(value));
    return 0;
}

GBytes *
draft_attribute(Draft *draft, const char *name)
{
    LOCK_SCOPE(&draft->lock);
    GBytes *value = draft->attributes ? g_hash_table_lookup(draft->attributes, name) : NULL;
    return value ? g_bytes_ref(value) : NULL;
}

void
draft_list_attributes(Draft *draft, GString *names)
{
    LOCK_SCOPE(&draft->lock);
    if (!draft->attributes) {
        return;
    }
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, draft->attributes);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_string_append_len(names, name, (gssize)strlen(name) + 1);
    }
}

void
draft_loaded(Draft *draft, const struct stat *attributes)
{
    LOCK_SCOPE(&draft->lock);
    draft->saved = draft->generation;
    draft->changed = attributes->st_mtim;
    draft->accessed = attributes->st_atim;
    draft->status_changed = attributes->st_ctim;
}

DraftState
draft_state(Draft *draft, guint64 *ret_generation, gint64 *ret_edit, GError **error)
{
    LOCK_SCOPE(&draft->lock);
    *ret_generation = draft->generation;
    *ret_edit = draft->edit;
    if (draft->purpose == DRAFT_SCRATCH || draft->saved == draft->generation) {
        return DRAFT_IS_SAVED;
    }
    if (draft->refusal && draft->refused == draft->generation) {
        g_propagate_error(error, g_error_copy(draft->refusal));
        return DRAFT_IS_REFUSED;
    }
    if (draft->edit) {
        return DRAFT_IS_BEING_SAVED;
    }
    return draft->is_emptied ? DRAFT_IS_EMPTIED : DRAFT_IS_UNSAVED;
}

void
draft_is_sent(Draft *draft, guint64 generation, gint64 edit)
{
    LOCK_SCOPE(&draft->lock);
    draft->edit = edit;
    draft->edit_generation = generation;
}

GBytes *
draft_base(Draft *draft)
{
    LOCK_SCOPE(&draft->lock);
    return draft->base ? g_bytes_ref(draft->base) : NULL;
}

static void
settle_locked(Draft *draft, GBytes *base)
{
    draft->edit = 0;
    if (base) {
        g_clear_pointer(&draft->base, g_bytes_unref);
        draft->base = g_bytes_ref(base);
    }
}

void
draft_is_saved(Draft *draft, guint64 generation, GBytes *base)
{
    LOCK_SCOPE(&draft->lock);
    draft->saved = MAX(draft->saved, generation);
    settle_locked(draft, base);
}

void
draft_is_refused(Draft *draft, guint64 generation, const GError *error)
{
    LOCK_SCOPE(&draft->lock);
    g_clear_error(&draft->refusal);
    draft->refusal = g_error_copy(error);
    draft->refused = generation;
    settle_locked(draft, NULL);
}

/* --- The table --- */

static void
unref_draft(gpointer draft)
{
    draft_unref(draft);
}

DraftTable *
draft_table_new(void)
{
    DraftTable *table = g_new0(DraftTable, 1);
    (void)pthread_mutex_init(&table->lock, NULL);
    table->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, unref_draft);
    return table;
}

void
draft_table_free(DraftTable *table)
{
    if (!table) {
        return;
    }
    g_hash_table_destroy(table->by_number);
    (void)pthread_mutex_destroy(&table->lock);
    g_free(table);
}

Draft *
draft_table_find(DraftTable *table, guint64 number)
{
    if (atomic_load(&table->n) == 0) {
        return NULL;
    }
    LOCK_SCOPE(&table->lock);
    Draft *draft = g_hash_table_lookup(table->by_number, &number);
    return draft ? draft_ref(draft) : NULL;
}

gboolean
draft_table_has(DraftTable *table, guint64 number)
{
    g_autoptr(Draft) draft = draft_table_find(table, number);
    return draft != NULL;
}

/* n_open and n_links change under both locks' order table -> draft: the table's is not a leaf for
 * this one step, and a draft's lock never takes the table's. */
static void
count(Draft *draft, int open, int links)
{
    LOCK_SCOPE(&draft->lock);
    draft->n_open = (guint)((int)draft->n_open + open);
    draft->n_links = (guint)((int)draft->n_links + links);
    if (links) {
        draft->status_changed = present();
    }
}

static gboolean
is_needed(Draft *draft)
{
    LOCK_SCOPE(&draft->lock);
    return draft->n_open > 0 || draft->n_links > 0;
}

static void
put_locked(DraftTable *table, Draft *draft)
{
    if (!g_hash_table_contains(table->by_number, &draft->number)) {
        g_hash_table_insert(table->by_number, &draft->number, draft_ref(draft));
        atomic_store(&table->n, g_hash_table_size(table->by_number));
    }
}

/* The reference that the table held, to be given up after the lock. */
static Draft *
drop_if_done_locked(DraftTable *table, Draft *draft)
{
    if (is_needed(draft) || g_hash_table_lookup(table->by_number, &draft->number) != draft) {
        return NULL;
    }
    (void)g_hash_table_steal(table->by_number, &draft->number);
    atomic_store(&table->n, g_hash_table_size(table->by_number));
    return draft;
}

Draft *
draft_table_open(DraftTable *table, guint64 number, Draft *candidate)
{
    if (!candidate && atomic_load(&table->n) == 0) {
        return NULL;
    }
    LOCK_SCOPE(&table->lock);
    Draft *draft = g_hash_table_lookup(table->by_number, &number);
    draft = draft ? draft : candidate;
    if (draft) {
        count(draft, 1, 0);
        put_locked(table, draft);
        (void)draft_ref(draft);
    }
    return draft;
}

void
draft_table_close(DraftTable *table, Draft *draft)
{
    g_autoptr(Draft) gone = NULL;
    LOCK_SCOPE(&table->lock);
    count(draft, -1, 0);
    gone = drop_if_done_locked(table, draft);
}

void
draft_table_link(DraftTable *table, Draft *draft, int n)
{
    g_autoptr(Draft) gone = NULL;
    LOCK_SCOPE(&table->lock);
    count(draft, 0, n);
    if (n > 0) {
        put_locked(table, draft);
    } else {
        gone = drop_if_done_locked(table, draft);
    }
}

/* A hash table into a list that is ordered by last use. What leaves is collected under the lock and
 * released after it. */
#include "cache/lru.h"

#include "cache/base/lock.h"

#define FORMER_MAX 64

typedef struct Kept {
    guint64 key;
    gint64 version;
    gpointer object;
    gsize bytes;
    GList link; /* in `used`, the latest first */
} Kept;

struct Lru {
    pthread_mutex_t lock;
    gsize limit_bytes;  /* const after new */
    LruRefFn ref;       /* const after new */
    LruUnrefFn unref;   /* const after new */
    GHashTable *by_key; /* protected by lock; of Kept, owned by the list */
    GQueue used;        /* protected by lock */
    GQueue former;      /* of Kept that were forgotten, the latest first; protected by lock */
    gsize bytes;        /* protected by lock */
    guint64 generation; /* protected by lock */
};

Lru *
lru_new(gsize limit_bytes, LruRefFn ref, LruUnrefFn unref)
{
    Lru *lru = g_new0(Lru, 1);
    (void)pthread_mutex_init(&lru->lock, NULL);
    lru->limit_bytes = limit_bytes;
    lru->ref = ref;
    lru->unref = unref;
    lru->by_key = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_queue_init(&lru->used);
    g_queue_init(&lru->former);
    return lru;
}

static void
take_out_locked(Lru *lru, Kept *kept, GSList **leaving)
{
    (void)g_hash_table_remove(lru->by_key, &kept->key);
    g_queue_unlink(&lru->used, &kept->link);
    lru->bytes -= kept->bytes;
    *leaving = g_slist_prepend(*leaving, kept);
}

static void
release(Lru *lru, GSList *leaving)
{
    while (leaving) {
        Kept *kept = leaving->data;
        leaving = g_slist_delete_link(leaving, leaving);
        lru->unref(kept->object);
        g_free(kept);
    }
}

void
lru_free(Lru *lru)
{
    GSList *leaving = NULL;
    if (!lru) {
        return;
    }
    while (!g_queue_is_empty(&lru->used)) {
        take_out_locked(lru, g_queue_peek_head(&lru->used), &leaving);
    }
    while (!g_queue_is_empty(&lru->former)) {
        leaving = g_slist_prepend(leaving, g_queue_pop_head(&lru->former));
    }
    release(lru, leaving);
    g_hash_table_unref(lru->by_key);
    (void)pthread_mutex_destroy(&lru->lock);
    g_free(lru);
}

guint64
lru_generation(Lru *lru)
{
    LOCK_SCOPE(&lru->lock);
    return lru->generation;
}

gsize
lru_bytes(Lru *lru)
{
    LOCK_SCOPE(&lru->lock);
    return lru->bytes;
}

gpointer
lru_get(Lru *lru, guint64 key, gint64 version)
{
    LOCK_SCOPE(&lru->lock);
    Kept *kept = g_hash_table_lookup(lru->by_key, &key);
    if (!kept || kept->version < version) {
        return NULL;
    }
    g_queue_unlink(&lru->used, &kept->link);
    g_queue_push_head_link(&lru->used, &kept->link);
    return lru->ref(kept->object);
}

static void
put_locked(Lru *lru, Kept *fresh, GSList **leaving)
{
    Kept *old = g_hash_table_lookup(lru->by_key, &fresh->key);
    if (old) {
        take_out_locked(lru, old, leaving);
    }
    while (lru->bytes + fresh->bytes > lru->limit_bytes) {
        take_out_locked(lru, g_queue_peek_tail(&lru->used), leaving);
    }
    (void)g_hash_table_insert(lru->by_key, &fresh->key, fresh);
    g_queue_push_head_link(&lru->used, &fresh->link);
    lru->bytes += fresh->bytes;
}

void
lru_put(Lru *lru, guint64 key, gint64 version, gpointer object, gsize bytes, guint64 generation)
{
    GSList *leaving = NULL;
    if (bytes > lru->limit_bytes) {
        return;
    }
    Kept *fresh = g_new0(Kept, 1);
    fresh->key = key;
    fresh->version = version;
    fresh->bytes = bytes;
    fresh->object = lru->ref(object);
    fresh->link.data = fresh;
    {
        LOCK_SCOPE(&lru->lock);
        if (generation == lru->generation) {
            put_locked(lru, fresh, &leaving);
        } else {
            leaving = g_slist_prepend(leaving, fresh);
        }
    }
    release(lru, leaving);
}

void
lru_forget(Lru *lru, const guint64 *keys, guint n_keys)
{
    GSList *leaving = NULL;
    {
        LOCK_SCOPE(&lru->lock);
        lru->generation++;
        for (guint i = 0; i < n_keys; i++) {
            Kept *kept = g_hash_table_lookup(lru->by_key, &keys[i]);
            if (kept) {
                GSList *taken = NULL;
                take_out_locked(lru, kept, &taken);
                g_slist_free(taken);
                g_queue_push_head(&lru->former, kept);
            }
        }
        while (lru->former.length > FORMER_MAX) {
            leaving = g_slist_prepend(leaving, g_queue_pop_tail(&lru->former));
        }
    }
    release(lru, leaving);
}

gpointer
lru_find_former(Lru *lru, guint64 key, LruMatchFn matches, gpointer user)
{
    LOCK_SCOPE(&lru->lock);
    for (GList *at = lru->former.head; at; at = at->next) {
        const Kept *kept = at->data;
        if (kept->key == key && matches(kept->object, user)) {
            return lru->ref(kept->object);
        }
    }
    return NULL;
}

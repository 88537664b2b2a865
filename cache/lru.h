/* lru: complete snapshots kept in memory under a strict limit of bytes, the least recently used
 * leave first.
 *
 * Holds references only; who got a snapshot keeps it. A reader that loads from the store takes
 * lru_generation() before it reads and hands it to lru_put(): when the store changed meanwhile
 * (lru_forget()), the late copy is not kept. Threads: any; one lock, never held across a free. */
#pragma once

#include <glib.h>

typedef struct Lru Lru;
typedef gpointer (*LruRefFn)(gpointer object);
typedef void (*LruUnrefFn)(gpointer object);

Lru *lru_new(gsize limit_bytes, LruRefFn ref, LruUnrefFn unref);
void lru_free(Lru *lru);

guint64 lru_generation(Lru *lru);
/* `version` tells objects of one key apart: only one put with the same version (or a later one) is
 * found. */
gpointer lru_get(Lru *lru, guint64 key, gint64 version);
void lru_put(Lru *lru, guint64 key, gint64 version, gpointer object, gsize bytes,
             guint64 generation);
void lru_forget(Lru *lru, const guint64 *keys, guint n_keys);
/* Of the last few objects that were forgotten, the latest with this key that `matches`: what a
 * reader may still hold a copy of. A reference; NULL: none. `matches` runs under the lock: short,
 * and no call back. */
typedef gboolean (*LruMatchFn)(gconstpointer object, gpointer user);
gpointer lru_find_former(Lru *lru, guint64 key, LruMatchFn matches, gpointer user);
gsize lru_bytes(Lru *lru); /* without the former ones */

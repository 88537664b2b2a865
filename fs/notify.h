/* notify: tells the kernel what it must forget, and only that.
 *
 * Owns one thread, which makes all fuse_lowlevel_notify_* calls but those of notify_listings(),
 * holds no lock while it does, and is waited for by nothing but an open whose size changed, a
 * refresh and the close of a saved file, none of which holds a folder's lock. The order is: the
 * cache publishes, then the change arrives here, then the kernel is told; so whoever asks again
 * after being told sees the new state.
 *
 * Why entries first. A lookup that was answered from the old state may still be on its way into the
 * kernel's tables when its node is invalidated, and would stay there for long. The kernel holds the
 * folder's lock from before a lookup (or a readdir) until its answer is in the tables, and takes
 * the same lock to invalidate an entry of that folder: so for each node an entry of its folder is
 * invalidated first, and for a folder whose own entry must stay, one that does not exist. For the
 * same reason folders in which an operation waits for the network are told last: this thread would
 * wait with it.
 *
 * Threads: any may post. What is not told when notify_stop() is called is dropped: the mount ends.
 */
#pragma once

#include "fs/grace.h"
#include "fs/inode.h"
#include "fs/scene.h"
#include "fs/version.h"

#include <fuse_lowlevel.h>

typedef struct Notify Notify;

/* Counters since the start. */
typedef struct NotifyStats {
    guint64 entries, deletions, attributes, contents, urgent;
    guint waiting; /* changes that are not told completely */
} NotifyStats;

/* All borrowed. `waits_in`: TRUE when an operation on that number is parked. */
Notify *notify_new(InodeTable *inodes, SceneBook *book, Versions *versions, Grace *grace,
                   gboolean (*waits_in)(guint64 number, gpointer user), gpointer user);
gboolean notify_start(Notify *notify, struct fuse_session *session, GError **error);
void notify_stop(Notify *notify);
void notify_free(Notify *notify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Notify, notify_free)

/* Nodes of files are versions (version.h): old ones get copies, names lead to new ones. */
void notify_use_versions(Notify *notify);

/* Takes over `change`. `me`: whose my/ it is; 0 unknown. */
void notify_change(Notify *notify, CacheChange *change, gint64 me);

/* Forget what `name` in the folder `parent` leads to, soon: after a rename whose target the kernel
 * takes for the node that was renamed. */
void notify_name(Notify *notify, guint64 parent, const char *name);

/* Forget the attributes of one node, before anything else that is waiting; then calls `done` on
 * notify's thread, or at once when it is stopped. */
void notify_attributes(Notify *notify, guint64 number, void (*done)(gpointer user), gpointer user);

/* Makes the kernel forget, before it returns, the listings that are different by what was posted
 * before and is not told completely. For the answer to an operation that changes names: the kernel
 * holds locks of folders meanwhile, so entries can only be told after it, but its asker is to find
 * the new listings. Any thread; no lock is held, and none of the kernel's is waited for. */
void notify_listings(Notify *notify);

/* Calls `done` on notify's thread when all that was posted before is told; at once when it is
 * stopped. */
void notify_after_all(Notify *notify, void (*done)(gpointer user), gpointer user);

void notify_get_stats(Notify *notify, NotifyStats *ret_stats);

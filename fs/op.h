/* op: one request of the kernel, from the door to its one answer, restartable in between.
 *
 * An operation is a function that does everything from the top and may be run again: it asks the
 * scene, and when that must wait it returns FALSE and has changed nothing. Its arguments are copied
 * at the door (op_begin), as libfuse's die with the callback. It runs on the worker; if it waits,
 * the rest happens on the park's thread. Patience: with old data at hand an operation waits until
 * the look at the server is OP_PATIENCE_MS old, and once that was in vain the following ones take
 * old data at once for OP_IMPATIENT_MS. Those that only show names and attributes do not even wait
 * that long, op_awaits() says how long. Without data all wait for `timeout_ms`. This header is for
 * the files of the operation table alone. */
#pragma once

#include "cache/base/err.h"
#include "fs/grace.h"
#include "fs/inode.h"
#include "fs/notify.h"
#include "fs/ops.h"
#include "fs/park.h"
#include "fs/recall.h"
#include "fs/reply.h"
#include "fs/scene.h"
#include "fs/scratch.h"
#include "fs/version.h"

#include <stdatomic.h>

#define OP_PATIENCE_MS 3000
#define OP_BRIEF_PATIENCE_MS 500
#define OP_IMPATIENT_MS 10000
#define FS_PARKED_MAX 4096
#define FS_KEPT_LISTINGS 32       /* of folders that are being read, without handles */
#define FS_KEPT_ENTRIES (1 << 17) /* in all of them; the latest alone may have more */

struct Fs {
    uid_t uid; /* const after new, like all but what locks itself */
    gid_t gid;
    mode_t umask;
    gint64 timeout_ms;
    gboolean read_only, may_delete;
    gint64 save_wait_ms;
    Cache *cache;
    SceneBook *book;
    InodeTable *inodes;
    Park *park;
    /* Set while the session is made: the kernel opens files or folders without asking (ops_ro.h).
     */
    gboolean may_skip_opens, may_skip_folder_opens;
    atomic_bool without_opens, without_folder_opens; /* the first is never without the second */
    Versions *versions;
    pthread_mutex_t listings_lock;
    struct Handle *listings[FS_KEPT_LISTINGS]; /* protected by listings_lock, like next_listing */
    guint next_listing;
    Grace *grace;
    Notify *notify;
    pthread_mutex_t waiting_lock;
    GHashTable
        *waiting; /* guint64 * -> number of parked operations on it; protected by waiting_lock */
    BodyPool *bodies; /* of what is being written; all empty on a read-only mount */
    DraftTable *drafts;
    Scratch *scratch;
    Recall *recall;
    struct Removals *removals;
    pthread_mutex_t handles_lock;
    GHashTable *handles; /* Handle *, a set: those that the kernel has; protected by handles_lock */
    _Atomic gint64 impatient_until_ms;
    _Atomic guint64 kernel_requests;
    _Atomic guint open_changes; /* begun, and not with notify yet */
};

typedef struct Op Op;

/* TRUE: answered. FALSE: `ask` holds an error or what to wait for. */
typedef gboolean (*OpRunFn)(Op *op, CacheAsk *ask);

struct Op {
    ParkItem item; /* first: the park gives it back */
    Fs *fs;
    Reply reply;
    OpRunFn run;
    guint64 number; /* the node that was named, its key, and what the key's name points to */
    NodeKey key;
    char *key_name;
    char *name; /* argument: of a lookup or an attribute */
    gsize size;
    off_t offset;             /* of a read without a handle */
    gboolean with_attributes; /* likewise, of a folder */
    struct fuse_file_info info;
    gint64 since_ms;
    guint64 other_number; /* of a rename or link: the second folder or node, and its name */
    NodeKey other_key;
    char *other_key_name;
    char *other_name;
    NodeKey thing; /* what is moved or removed: once the edit is made, its name may be gone */
    char *thing_name;
    guint flags;            /* of a rename */
    mode_t mode;            /* of a creation */
    struct stat attributes; /* of a setattr, and which of them */
    int to_set;
    gint64 asker; /* thread */
    Draft *draft; /* what is saved; a reference */
    gint64 edit;  /* under way; 0: none yet */
    guint64 generation;
    GBytes *mine;       /* what was submitted, by the operation that did */
    GBytes *old;        /* of an exchange: what the file held */
    gboolean is_merged; /* the save was compared with other bytes than the present ones */
    guint serial;       /* of a removal; 0: not counted yet */
    gint64 made_id;
    gint64 wait_until_ms;    /* 0: as the header says; else the wait ends then, and is no failure */
    gboolean is_late;        /* it did, or the asker wants to go on */
    gboolean takes_stale;    /* this run: old data is fine */
    gboolean shows_names;    /* op_awaits() says whether it is */
    gint64 patience_ms;      /* with old data at hand */
    gboolean waits_as_stale; /* parked with old data at hand */
    gboolean is_watching;    /* interrupts are delivered */
    GError *failure;         /* of the last wait */
    CacheKey failed_key;
};

/* NULL: the request is answered (the node is unknown). `name` and `info` may be NULL. */
Op *op_begin(fuse_req_t req, guint64 number, OpRunFn run, const char *name,
             const struct fuse_file_info *info);

/* The second folder or node of a rename or link. FALSE: answered, and `op` is gone. */
gboolean op_set_other(Op *op, guint64 number, const char *name);

/* Runs it; `op` is gone afterwards, or the park's. With NULL nothing happens. For attributes old
 * data is good enough, for names as op_awaits() says. */
void op_go(Op *op);
void op_go_for_names(Op *op);
void op_go_for_attributes(Op *op);

/* For functions of operations begun with op_go_for_names(), which are given old data: TRUE when
 * `ask` tells of a look under way that is younger than the patience for this answer, so that they
 * are to return FALSE and come again when it has ended. */
gboolean op_awaits(Op *op, const CacheAsk *ask, gint64 patience_ms);

/* The patience with names in the folder that the operation is about: none where the kernel is told
 * of whatever the look brings, and bytes are behind an open that waits for it; else what an
 * answering server needs. */
gint64 op_names_patience_ms(const Op *op);

/* For the functions: to be called before answering, as a call of the interrupt function may be
 * under way. */
void op_answering(Op *op);

/* Forgets lookups, and what was kept for the node. */
void op_forget(Fs *fs, guint64 number, guint64 n);

/* The key with the version that `scene` shows, if nodes are versions here; FALSE: there is no such
 * file. */
gboolean op_set_version(Fs *fs, const Scene *scene, NodeKey *key);

/* Remembers the size that the kernel is told, which is that of the version that is being read, for
 * some seconds and unless somebody writes the file; then the attributes are for a moment only. */
void op_tell_size(Fs *fs, guint64 number, struct stat *attributes, double *timeout);

/* For the functions: ends with an error of our own. Always FALSE. */
gboolean op_fail(CacheAsk *ask, ErrCode code, const char *message);

/* What was made while the server was away has a provisional id in names and numbers that are known;
 * here it becomes the real one. */
void op_resolve(Fs *fs, NodeKey *key);

/* scratch_find(), and the name that something had before it got its real id: an alias too, so that
 * who has listed or opened it while the server was away neither misses it nor makes it twice. */
gboolean op_find_own(Fs *fs, const NodeKey *folder, const char *name, ScratchEntry *ret_entry);

/* Keeps a copy of `key` as op->thing. */
void op_keep_thing(Op *op, const NodeKey *key);

/* Likewise: answers with an errno of the file system's own, such as EEXIST. Always TRUE. */
gboolean op_refuse(Op *op, int code);

/* Attributes as the kernel wants them, and for how long it may keep them. */
void op_fill_stat(Fs *fs, const NodeKey *key, guint64 number, const Facts *facts,
                  struct stat *ret_stat);
double op_timeout(Fs *fs, const NodeKey *key);

/* TRUE when an operation on the node waits for the network. */
gboolean op_waits_in(guint64 number, gpointer fs);

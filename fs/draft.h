/* draft: a file that somebody is writing, as an inode of ours: bytes, times, mode, and what they
 * are for.
 *
 * One draft for each node number, whoever has it open: what one writer wrote every reader sees, as
 * on any file system. It is for nothing (DRAFT_SCRATCH: an editor's own file, in memory until it is
 * removed), for a file of the tree (DRAFT_FILE), or for a thing to be made (DRAFT_NEW). Renaming
 * changes what it is for, also while it is open.
 *
 * The table holds a draft while it is open or has a name; who found one there holds a reference. A
 * draft of a file of the tree leaves with its last handle: then the tree's own bytes count again.
 *
 * Generations. Each change of the bytes counts one up. A save takes the bytes of one generation;
 * what was saved or refused is remembered by generation, so that the many FLUSHes of one close(2),
 * dup(2) and fork(2) make one save. Threads: any; one lock in each draft, one in the table, both
 * leaves. Errors: those of body.h. */
#pragma once

#include "cache/cache.h"
#include "fs/body.h"
#include "fs/node.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

typedef enum { DRAFT_SCRATCH, DRAFT_FILE, DRAFT_NEW } DraftPurpose;

typedef struct Draft {
    atomic_int references;
    guint64 number;    /* const after new, like the next five */
    gint64 id;         /* of an inode of ours (NODE_SCRATCH and its kind); 0: the tree's */
    guint64 serial;    /* tells its bytes from those of any other draft */
    Body *body;        /* NULL: a symbolic link */
    char *link_target; /* of a symbolic link */
    char *spool;       /* the name of the body's file in the cache's spool; NULL: in memory */
    Cache *cache;      /* of the spool; borrowed */

    pthread_mutex_t lock; /* protects all below */
    DraftPurpose purpose;
    NodeKey target; /* DRAFT_FILE: the file; DRAFT_NEW: the folder; `name` owned */
    char *new_name; /* DRAFT_NEW */
    GBytes *base;   /* DRAFT_FILE: what the writer's bytes were made from; NULL: unknown */
    guint64 generation, saved, refused;
    gboolean is_emptied;     /* cut to nothing, and nothing written since */
    gboolean spool_is_taken; /* by the cache, which deletes it */
    GError *refusal;         /* of generation `refused` */
    gint64 edit;             /* number of the edit that is under way, and of what generation */
    guint64 edit_generation;
    struct timespec changed, accessed, status_changed;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    guint n_links, n_open;
    GHashTable *attributes; /* char * -> GBytes *; NULL: none */

    pthread_mutex_t submit_lock; /* held while one save is handed over; taken before `lock` */
} Draft;

/* Takes `body`. All times are the present. */
Draft *draft_new(guint64 number, gint64 id, Body *body, mode_t mode, uid_t uid, gid_t gid);

/* The body is this file of the cache's spool, dropped with the draft unless it was submitted. Takes
 * `spool`. To be called before anyone else has the draft. */
void draft_set_spool(Draft *draft, Cache *cache, char *spool);
void draft_spool_is_taken(Draft *draft);
Draft *draft_new_link(guint64 number, gint64 id, const char *target, uid_t uid, gid_t gid);
Draft *draft_ref(Draft *draft);
void draft_unref(Draft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Draft, draft_unref)

/* What is written from now on is for `target`; `base` may be NULL. The bytes that are there count
 * as unsaved. */
void draft_aim_at_file(Draft *draft, const NodeKey *target, GBytes *base);
void draft_aim_at_new(Draft *draft, const NodeKey *folder, const char *name);
/* Its name is gone before it was made: it is not to be made. */
void draft_forget_new(Draft *draft);
/* For nothing (any more). */
void draft_aim_at_nothing(Draft *draft);

/* With `append` the bytes go to the end, whatever `offset` says. */
gboolean draft_write(Draft *draft, const char *data, gsize length, gint64 offset, gboolean append,
                     GError **error);
gboolean draft_truncate(Draft *draft, gint64 size, GError **error);
gboolean draft_allocate(Draft *draft, int mode, gint64 offset, gint64 length, GError **error);

/* Fills what the draft knows better: size, times, and of a scratch file all the rest. */
void draft_fill_stat(Draft *draft, struct stat *attributes);

/* Extended attributes of a file of ours: any name, at most DRAFT_ATTRIBUTES_BYTES_MAX of names and
 * values. `value` NULL removes; `flags` of setxattr(2). Returns 0 or an errno. */
#define DRAFT_ATTRIBUTES_BYTES_MAX 65536
int draft_set_attribute(Draft *draft, const char *name, GBytes *value, int flags);
GBytes *draft_attribute(Draft *draft, const char *name);
void draft_list_attributes(Draft *draft, GString *names);

/* The bytes that are in it at the start are `base`'s: nothing to save, and until something is
 * written the times are `attributes`'. (Some editors open a file to write and close it again, only
 * to see whether they may; and ask whether someone else changed it when its time is another one
 * then.) */
void draft_loaded(Draft *draft, const struct stat *attributes);

typedef enum {
    DRAFT_IS_SAVED,
    DRAFT_IS_EMPTIED, /* open with O_TRUNC, and nothing written yet: not to be saved now */
    DRAFT_IS_REFUSED, /* these very bytes were */
    DRAFT_IS_BEING_SAVED,
    DRAFT_IS_UNSAVED,
} DraftState;

/* `ret_edit`: of DRAFT_IS_BEING_SAVED; `error`: of DRAFT_IS_REFUSED; `ret_generation`: the present.
 */
DraftState draft_state(Draft *draft, guint64 *ret_generation, gint64 *ret_edit, GError **error);

/* What the present bytes were made from: a reference, or NULL. */
GBytes *draft_base(Draft *draft);

/* The bytes of `generation` are on their way. */
void draft_is_sent(Draft *draft, guint64 generation, gint64 edit);
/* `base`: what the next save is compared with; NULL: as before. */
void draft_is_saved(Draft *draft, guint64 generation, GBytes *base);
void draft_is_refused(Draft *draft, guint64 generation, const GError *error);

/* --- The table --- */

typedef struct DraftTable DraftTable;
DraftTable *draft_table_new(void);
void draft_table_free(DraftTable *table);

/* A reference, or NULL. Costs nothing while nobody writes. */
Draft *draft_table_find(DraftTable *table, guint64 number);

/* The same question alone. */
gboolean draft_table_has(DraftTable *table, guint64 number);

/* Counts one handle (n_open). With a `candidate` and none there, that one is put in. A reference,
 * or NULL. */
Draft *draft_table_open(DraftTable *table, guint64 number, Draft *candidate);
/* Takes back one handle. */
void draft_table_close(DraftTable *table, Draft *draft);

/* Counts a name up or down (n_links). */
void draft_table_link(DraftTable *table, Draft *draft, int n);

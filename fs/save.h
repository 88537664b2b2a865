/* save: from the bytes of a draft to the verdict about them.
 *
 * A save is a part of an operation (close, fsync, rename, truncate) and restarts with it: it hands
 * the bytes to the cache once, then waits for the verdict up to `save_wait`, and then takes "in the
 * journal" for success. What it finds already under way it waits for, what was already refused it
 * reports again. `op->draft` is what is saved. Threads: as op.h. */
#pragma once

#include "fs/op.h"

typedef enum {
    SAVE_DONE,   /* accepted, in the journal, or nothing to do */
    SAVE_FAILED, /* `error` is set */
    SAVE_WAITS,  /* `ask` says for what: return FALSE from the operation */
} SaveStep;

typedef enum {
    SAVE_EMPTIED = 1 << 0, /* also what was cut to nothing and not written since */
    SAVE_LONG = 1 << 1,    /* wait for the verdict as long as any operation may wait: fsync(2) */
} SaveHow;

SaveStep save_run(Op *op, guint how, CacheAsk *ask, GError **error);

/* The same for a change that is not of a file's bytes: `mine` as cache/edit.h has it for `target`.
 * `op->made_id` is what was made. */
SaveStep save_change(Op *op, const EditTarget *target, const char *mine, CacheAsk *ask,
                     GError **error);

/* The base that the bytes which this process is about to write have: what it read last, else
 * `present`. */
GBytes *save_base(Op *op, const NodeKey *key, guint64 number, const Content *present);

/* Puts a refusal of the tree itself where users look for it. */
void save_refuse(Fs *fs, const NodeKey *key, const char *format, ...) G_GNUC_PRINTF(3, 4);

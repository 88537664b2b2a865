/* removal: taking a thing of the tracker away, which a file system makes too easy.
 *
 * Refused (EPERM) unless the mount was made with `-o delete`. With it, the whole story or epic is
 * first copied into the trash, attachments and all; only when that copy is on disk is anything
 * sent. A full disk refuses the removal, and so does a full trash (fs/trash.h). After REMOVAL_GUARD
 * removals within REMOVAL_GUARD_MS further ones are refused, so that an `rm -rf` in the wrong place
 * ends soon. Threads: any. */
#pragma once

#include "fs/op.h"

#define REMOVAL_GUARD 20
#define REMOVAL_GUARD_MS (60 * 1000)

typedef struct Removals Removals;
/* `trash`: the folder, made when it is needed; NULL: nothing can be removed. Blocks on disk. */
Removals *removals_new(const char *trash);
void removals_free(Removals *removals);

/* The two steps before any removal. TRUE: refused, and answered: not allowed here, or too many. */
gboolean removal_is_refused(Op *op, const NodeKey *key);
/* Copies the story or epic of `key` into the trash; of a link only the record, which tells what the
 * link showed. FALSE: `ask` is filled. */
gboolean removal_copy(Op *op, const NodeKey *key, CacheAsk *ask);

/* Removes what `key` shows. Answers the operation or returns FALSE with `ask` filled, like an
 * OpRunFn. */
gboolean removal_run(Op *op, const NodeKey *key, CacheAsk *ask);

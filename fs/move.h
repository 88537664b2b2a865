/* move: renames and links that mean a change of the tracker: a story's link from one folder of a
 * view to another, its place in a plan, a task's place, a story's project.
 *
 * Each answers its operation or returns FALSE with `ask` filled, like an OpRunFn; it restarts with
 * it. What has no meaning is EPERM, with the reason in the `.error` of the project or story. */
#pragma once

#include "fs/op.h"

/* rename(2) of the tree's `from` to op->other_name in op->other_key. `replaced`: what is there;
 * NULL: nothing. */
gboolean move_run(Op *op, const NodeKey *from, const NodeKey *replaced, CacheAsk *ask);

/* unlink(2) of a link: takes off the label or owner that its folder shows; a removal (removal.h),
 * refused in all other views. */
gboolean move_out(Op *op, const NodeKey *link, CacheAsk *ask);

/* symlink(2) of op->other_name as op->name in op->key. */
gboolean move_link(Op *op, CacheAsk *ask);

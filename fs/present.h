/* present: what a node is at this moment: the snapshots' view of it (scene.h), unless somebody is
 * writing it (draft.h) or just has (recall.h). Whatever tells the kernel or a reader about a node
 * asks here. Threads: any; nothing is kept. */
#pragma once

#include "fs/handle.h"
#include "fs/op.h"

/* The bytes of a file that nobody is writing; FALSE: gone. `ret_own_digest`: of the bytes that the
 * scene has for it, may be NULL. */
gboolean present_content(Fs *fs, const Scene *scene, const NodeKey *key, guint64 number,
                         Content *ret_content, guint64 *ret_own_digest);

/* Attributes; FALSE: gone. */
gboolean present_stat(Fs *fs, const Scene *scene, const NodeKey *key, guint64 number,
                      struct stat *ret_stat);

/* Of an inode of ours. */
void present_draft_stat(Fs *fs, Draft *draft, struct stat *ret_stat);

/* TRUE when the account may change the file, or put something new into the folder. */
gboolean present_may_write(Fs *fs, const NodeKey *key);

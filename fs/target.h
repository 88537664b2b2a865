/* target: what a file or folder of the tree is to the cache when it is written. Pure. */
#pragma once

#include "cache/cache.h"
#include "fs/node.h"

/* FALSE: nobody can write this file. `ret_target->name` is the key's. */
gboolean target_of_file(const NodeKey *key, EditTarget *ret_target);

/* A new file in this folder becomes a thing of the tracker; FALSE: it does not. The text kinds have
 * no name of their own; EDIT_NEW_ATTACHMENT takes the file's. */
gboolean target_of_new(const NodeKey *folder, EditTarget *ret_target);

/* The removal of what `key` shows: a comment, task, attachment, story, epic. FALSE: nothing that
 * can be removed. */
gboolean target_of_removal(const NodeKey *key, EditTarget *ret_target);

/* The node of what a creation in `folder` made. */
NodeKey target_made(const NodeKey *folder, gint64 id);

/* What was made under a provisional id that `name` tells, with that id; FALSE: `name` tells none.
 */
gboolean target_former(const NodeKey *folder, const char *name, NodeKey *ret_made);

/* Whose `.error` and `.conflict` it is; FALSE: nobody's (the root, my/). */
gboolean target_owner(const NodeKey *key, EditOwner *ret_owner, gint64 *ret_id);

/* What target_of_file() says. */
gboolean target_is_file(const NodeKey *key);

/* The file is JSON, or the like, that the server writes anew as a whole at each change. */
gboolean target_is_record(const NodeKey *key);

/* edit_apply: an object as it is with an edit done to it. Pure, any thread. */
#pragma once

#include "cache/edit_private.h"

/* `owner` is a whole story, epic or project as model_tree.h makes it; a new one comes back (shared
 * where nothing changed; a new reference), NULL when the edit removes the owner itself. A creation
 * of a story or epic takes `owner` NULL. Applying an edit that the object has already changes
 * nothing. */
json_t *edit_apply(const json_t *owner, const Edit *edit, const EditContext *context);

/* Only the attributes of edit->changes, set on `object`; a new reference. */
json_t *edit_apply_changes(const json_t *object, const Edit *edit, const EditContext *context);

/* Invariant, checked in debug builds: `object` (an owner, NULL when removed) shows what the last of
 * `edits` (in order, all of this owner) to set each attribute has set. */
void edit_assert_shown(const json_t *object, const GPtrArray *edits, const EditContext *context);

/* A comment, task or attachment in its owner; borrowed, NULL: not there. */
const json_t *edit_find_part(const json_t *owner, EditObject object, gint64 id);

/* Lists as sets that keep their order; new references. */
json_t *edit_list_with(const json_t *list, const json_t *added);
json_t *edit_list_without(const json_t *list, const json_t *removed);

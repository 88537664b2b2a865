/* v5_stage: a temporary database in which recognised resources wait, one row each, merged, without
 * what nests in them.
 *
 * So the order in which files come does not matter, and memory is one file at a time. A resource is
 * staged as its own attributes: nested objects became resources of their own, and `owners` became
 * `owner_ids`, `label` `label_id` and so on. Keys that begin with "_" are ours: _label_names
 * (labels that came without an id). Threads: one. Errors: TRACKER_ERROR_FAILED or NO_SPACE; they
 * stick until stage_check(). */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "tracker/import/v5_recognise.h"

typedef struct Stage Stage;

Stage *stage_new(GError **error);
void stage_free(Stage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stage, stage_free)

/* Takes everything that is in `value`, and the value apart. */
void stage_take(Stage *stage, json_t *value, V5Context context);
gboolean stage_check(Stage *stage, GError **error);

typedef void (*StageFn)(gint64 id, json_t *resource, gpointer user);
/* Every resource of a kind, by id; those without an id last. */
void stage_each(Stage *stage, V5Kind kind, StageFn fn, gpointer user);
guint64 stage_count(Stage *stage, V5Kind kind);

/* A parent that children named, with the project they are in (0: unknown). `kind`: story or epic.
 */
typedef void (*StageParentFn)(gint64 id, gint64 project_id, gpointer user);
void stage_each_parent(Stage *stage, V5Kind kind, StageParentFn fn, gpointer user);

/* The place at which a story arrived in a list in project order; 0: it did not. */
gint64 stage_order(Stage *stage, gint64 story_id);
/* Whose `me` came first; 0: none came. */
gint64 stage_me(Stage *stage);

/* What was not taken. The table is borrowed: kind or reason -> how often (GUINT_TO_POINTER). */
void stage_count_unknown(Stage *stage, const char *what);
GHashTable *stage_unknown(Stage *stage);

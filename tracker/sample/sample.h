/* sample: a project to look at, and projects of any size to measure with.
 *
 * The hand-written one reads like two years of a small team's work, with everything a tracker can
 * hold; all its times derive from the start of the current week, so it is always recent and the
 * same `now_ms` gives the same bytes. The generated ones are deterministic in the number of
 * stories. Threads: any; holds one write transaction. Blocks on disk. Errors:
 * TRACKER_ERROR_BAD_INPUT when the database has projects already; else as db.h. Nothing is kept
 * after one, except contents of attachments that no row names. */
#pragma once

#include <glib.h>

#include "tracker/service.h"

#define SAMPLE_MAX_STORIES 1000000

/* `stories` 0: the hand-written sample. */
gboolean tracker_make_sample(Tracker *tracker, guint stories, gint64 now_ms, GError **error);

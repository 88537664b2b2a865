/* summaries: attributes that sum up other things: times in states, what a story blocks, how far a
 * release or an epic is. All are FieldComputeFn of kinds.c: they append a JSON value, or nothing
 * when there is none. Each costs a statement per object, so they are in no default set. Threads:
 * with the Render. */
#pragma once

#include "tracker/planning.h"
#include "tracker/render.h"

void summary_cycle_time(Render *render, GString *out, gint64 story_id);
void summary_blocked_stories(Render *render, GString *out, gint64 story_id);
void summary_release_points_accepted(Render *render, GString *out, gint64 release_id);
void summary_release_points_total(Render *render, GString *out, gint64 release_id);
void summary_release_counts_accepted(Render *render, GString *out, gint64 release_id);
void summary_release_counts_total(Render *render, GString *out, gint64 release_id);
void summary_release_completion(Render *render, GString *out, gint64 release_id);
void summary_epic_past_estimates(Render *render, GString *out, gint64 epic_id);
void summary_epic_past_count(Render *render, GString *out, gint64 epic_id);
void summary_epic_past_no_point_count(Render *render, GString *out, gint64 epic_id);

/* The "analytics" of an iteration: what was accepted and found in it, how long that took. */
void summary_iteration(Render *render, gint64 project_id, const PlanIteration *iteration,
                       GString *out);

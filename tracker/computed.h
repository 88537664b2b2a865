/* computed: attributes that no column holds: iterations' facts, counts of labels, stories of
 * releases.
 *
 * The only place that calls tracker/planning.h. Threads: with the Render. Errors: stick to its
 * connection. */
#pragma once

#include "tracker/planning.h"
#include "tracker/render.h"

void plans_free(Plans *plans);

/* The plan of a project; made once per request, borrowed. NULL when there is no such project. */
const Plan *computed_plan(Render *render, gint64 project_id);

/* When the project's current iteration began: what was accepted before is done. */
gint64 computed_current_start_ms(Render *render, gint64 project_id);

/* FieldComputeFn of projects, labels, comments and releases. */
void compute_iteration_number(Render *render, GString *out, gint64 project_id);
void compute_velocity(Render *render, GString *out, gint64 project_id);
void compute_volatility(Render *render, GString *out, gint64 project_id);
void compute_deviation(Render *render, GString *out, gint64 project_id);
void compute_counts(Render *render, GString *out, gint64 label_id);
void compute_attachment_ids(Render *render, GString *out, gint64 comment_id);
void compute_attachments(Render *render, GString *out, gint64 comment_id);
void compute_release_story_ids(Render *render, GString *out, gint64 release_id);

/* Stories of a release: those between the previous release and it, in project order. Owned gint64s.
 */
GArray *computed_release_stories(Render *render, gint64 release_id);

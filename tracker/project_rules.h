/* project_rules: what a project's settings may be (v5-reference 1.12.3, 3.6), as pure functions.
 *
 * Threads: any; no state. Errors: a rule gives NULL, or the sentence that says what is wrong. */
#pragma once

#include <glib.h>

#define PROJECT_SCALE_MAX_VALUES 12
#define PROJECT_SCALE_MAX_POINTS 999

/* A comma list of points; `scale` NULL or "" lacks one. Borrowed. */
const char *project_scale_problem(const char *scale);
/* Is it none of the built-in ones? */
gboolean project_scale_is_custom(const char *scale);

const char *project_length_problem(gint64 iteration_length);
const char *project_velocity_problem(gint64 initial_velocity);
/* The two numbers belong together: enough done iterations must be loaded. */
const char *project_averaging_problem(gint64 velocity_averaged_over, gint64 done_iterations);
/* `start_date` is YYYY-MM-DD. Owned. */
char *project_start_date_problem(const char *start_date, const char *week_start_day);
/* The start of the first iteration: midnight of the last `week_start_day` up to the day. */
gint64 project_start_ms(const char *time_zone, const char *week_start_day, gint64 day);
/* The same day's date, for a start_date whose week has moved; owned. */
char *project_week_start_date(const char *date, const char *week_start_day);

/* history: in which state every story was at the end of every day, from the transitions
 * (v5-reference 2.11, 3.17).
 *
 * Days are those of the project's time zone, as day numbers (tracker/zone.h). A story's points are
 * its present ones, on every day: the past ones are known only to activities, which an import may
 * lack. Deleted stories leave no trace. Threads: with the Render. Errors: stick to its connection.
 * Cost: stories + transitions, and for snapshots the size of the answer. */
#pragma once

#include "tracker/planning.h"
#include "tracker/render.h"
#include "tracker/zone.h"

typedef struct History History;

/* The project's time zone; owned, never NULL. */
Zone *history_zone(Render *render, gint64 project_id);

/* The stories of a project, or of them those in `ids` (gint64), or with a label; NULL: all. */
History *history_load(Render *render, gint64 project_id, Zone *zone, const GArray *ids,
                      const char *label);
void history_free(History *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(History, history_free)

/* The first day on which there was one of the stories; FALSE when there is none. */
gboolean history_first_day(const History *history, gint64 *ret_day);

/* A daily_history_container of the days from first to last, none when last is before first. */
void history_write_days(const History *history, gint64 first_day, gint64 last_day, GString *out);

/* The same of some stories on the days of an iteration that have come. */
void history_write_iteration(Render *render, gint64 project_id, const PlanIteration *iteration,
                             const GArray *ids, GString *out);

/* A project_snapshot of one day; stories accepted before `iteration_day` are in none of its lists.
 * (unsure: nothing of it is recorded.) */
void history_write_snapshot(const History *history, gint64 day, gint64 iteration_day, GString *out);

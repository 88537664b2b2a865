/* planning: which story is in which iteration, and the velocity, as pure functions
 * (v5-reference 2.8, 3.14, 4.10).
 *
 * Knows no database: the caller gives the project's settings, its stories in project order and the
 * time, and gets every iteration from number 1 to the last predicted one. Accepted stories are in
 * the iteration that holds their accepted_at; everything in progress is in the current one; the
 * rest of the scheduled stories fills the current and then the backlog iterations by velocity.
 * Unscheduled stories are in none. Threads: any; no state. Cost: O(stories + iterations). Errors:
 * none; what makes no sense (length 0, strength below 0, an unknown zone) is read as the default.
 * Limits: PLAN_MAX_ITERATIONS; the last one takes what is left. Times before 1990 belong to
 * iteration 1. */
#pragma once

#include <glib.h>

#define PLAN_MAX_ITERATIONS 20000

typedef enum {
    PLAN_UNSCHEDULED, /* also every state that is unknown */
    PLAN_UNSTARTED,
    PLAN_PLANNED,
    PLAN_IN_PROGRESS, /* started, finished, delivered, rejected */
    PLAN_ACCEPTED,
} PlanState;

PlanState plan_state_from_name(const char *current_state);

typedef struct PlanStory {
    gint64 id;
    PlanState state;
    gboolean has_estimate;
    double estimate;       /* points; 0 without an estimate */
    gint64 accepted_at_ms; /* of accepted stories; 0: unknown, counts as the start of iteration 1 */
} PlanStory;

typedef struct PlanOverride {
    gint64 number;
    gint64 length;        /* weeks; 0: default */
    double team_strength; /* 1.0 = 100 %; below 0: default */
} PlanOverride;

typedef struct PlanProject {
    const char *time_zone;      /* Olson name */
    const char *start_date;     /* YYYY-MM-DD; NULL: not set */
    gint64 fallback_start_ms;   /* without start_date: start_time if known, else created_at; 0:
                                   unknown */
    const char *week_start_day; /* NULL: Monday */
    gint64 iteration_length;    /* weeks */
    gint64 velocity_averaged_over;
    double initial_velocity;
    gboolean automatic_planning;
    const PlanOverride *overrides; /* any order */
    gsize n_overrides;
} PlanProject;

typedef enum { PLAN_DONE, PLAN_CURRENT, PLAN_BACKLOG } PlanScope;

typedef struct PlanIteration {
    PlanScope scope;
    gint64 number; /* 1 = first */
    gint64 length; /* weeks */
    double team_strength;
    gint64 start_ms, finish_ms; /* local midnights; finish = start of the next */
    const gint64 *story_ids;    /* in project order, accepted ones first; the plan's */
    gsize n_stories;
    double points;           /* of all its stories */
    double accepted_points;  /* of those accepted */
    double effective_points; /* points / team_strength for one regular length; 0 with strength 0 */
    double velocity; /* done: before it started; else the present one. Per regular length, a whole
                        number */
} PlanIteration;

typedef struct Plan {
    PlanIteration *iterations; /* oldest first, [i].number == i + 1 */
    gsize n_iterations;        /* at least 1 */
    gsize current;             /* index of the current one */
    double velocity;           /* the project's current_velocity */
    double standard_deviation,
        volatility;    /* of effective points over the averaged iterations; volatility in % */
    gint64 *story_ids; /* every planned story; iterations point into it */
} Plan;

/* Never NULL. The story array is only read during the call. */
Plan *plan_new(const PlanProject *project, const PlanStory *stories, gsize n_stories,
               gint64 now_ms);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* The iteration of a number, borrowed; NULL when there is none. */
const PlanIteration *plan_iteration(const Plan *plan, gint64 number);
/* The iteration that holds an instant, borrowed; the first or last one outside all of them. */
const PlanIteration *plan_iteration_at(const Plan *plan, gint64 at_ms);

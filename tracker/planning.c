/* planning: boundaries first, then who was accepted when, then velocity, then the prediction.
 *
 * 1. calendar():  iterations 1 to the current one, from local midnights and length overrides.
 * 2. place_done(): every accepted story into the iteration of its accepted_at; done points.
 * 3. velocity_before(): from the points of done iterations.
 * 4. place_current(), place_backlog(): the rest, in project order; iterations are appended as they
 * are needed.
 * 5. gather(): one array of ids, accepted ones first, then in progress, then the others.
 * Invariants: a story is in at most one iteration; finish of one is the start of the next; numbers
 * have no gap. */
#include "tracker/planning.h"

#include <math.h>
#include <string.h>

#include "tracker/zone.h"

#define WEEK_DAYS 7
#define MAX_LENGTH_WEEKS 99
#define EARLIEST_DAY 7305 /* 1990-01-01 */
#define NOWHERE G_MAXUINT32

typedef struct Planner {
    const PlanProject *project;
    const PlanStory *stories;
    gsize n_stories;
    gint64 now_ms;
    Zone *zone;
    gint64 regular_weeks;
    GHashTable *overrides; /* number -> const PlanOverride * */
    GArray *iterations;    /* PlanIteration */
    guint32 *slots;        /* of each story: index of its iteration, or NOWHERE */
    gint64 next_day;       /* first day after the last iteration */
    double velocity;
} Planner;

PlanState
plan_state_from_name(const char *current_state)
{
    static const struct {
        const char *name;
        PlanState state;
    } states[] = {
        {"unscheduled", PLAN_UNSCHEDULED}, {"unstarted", PLAN_UNSTARTED},
        {"planned", PLAN_PLANNED},         {"started", PLAN_IN_PROGRESS},
        {"finished", PLAN_IN_PROGRESS},    {"delivered", PLAN_IN_PROGRESS},
        {"rejected", PLAN_IN_PROGRESS},    {"accepted", PLAN_ACCEPTED},
    };
    for (guint i = 0; current_state != NULL && i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i].name, current_state) == 0) {
            return states[i].state;
        }
    }
    return PLAN_UNSCHEDULED;
}

static double
story_points(const PlanStory *story)
{
    return story->has_estimate && isfinite(story->estimate) && story->estimate > 0 ? story->estimate
                                                                                   : 0;
}

static PlanIteration *
iteration_at(const Planner *planner, gsize index)
{
    return &g_array_index(planner->iterations, PlanIteration, index);
}

static PlanIteration *
append_iteration(Planner *planner, PlanScope scope)
{
    gint64 number = (gint64)planner->iterations->len + 1;
    const PlanOverride *override = g_hash_table_lookup(planner->overrides, &number);
    PlanIteration iteration = {.scope = scope,
                               .number = number,
                               .length = planner->regular_weeks,
                               .team_strength = 1,
                               .velocity = planner->velocity};
    if (override != NULL && override->length > 0) {
        iteration.length = MIN(override->length, MAX_LENGTH_WEEKS);
    }
    if (override != NULL && override->team_strength >= 0 && isfinite(override->team_strength)) {
        iteration.team_strength = override->team_strength;
    }
    gint64 finish_day = planner->next_day + iteration.length * WEEK_DAYS;
    iteration.start_ms = zone_midnight_ms(planner->zone, planner->next_day);
    iteration.finish_ms = zone_midnight_ms(planner->zone, finish_day);
    planner->next_day = finish_day;
    g_array_append_val(planner->iterations, iteration);
    return iteration_at(planner, number - 1);
}

static gint64
first_day(const Planner *planner)
{
    const PlanProject *project = planner->project;
    gint64 today = zone_day_of(planner->zone, planner->now_ms);
    gint64 start = today;
    if (!zone_day_from_text(project->start_date, &start) && project->fallback_start_ms > 0) {
        start = zone_day_of(planner->zone, project->fallback_start_ms);
    }
    int week_start = zone_weekday_from_name(project->week_start_day);
    int back = (zone_weekday(start) - (week_start < 0 ? 1 : week_start) + WEEK_DAYS) % WEEK_DAYS;
    start -= back;

    /* Earlier work, or a start in the future, moves the start back on the same grid. */
    gint64 earliest = today;
    for (gsize i = 0; i < planner->n_stories; i++) {
        const PlanStory *story = &planner->stories[i];
        if (story->state == PLAN_ACCEPTED && story->accepted_at_ms > 0) {
            earliest = MIN(earliest, zone_day_of(planner->zone, story->accepted_at_ms));
        }
    }
    earliest = MAX(earliest, EARLIEST_DAY);
    gint64 step = planner->regular_weeks * WEEK_DAYS;
    if (earliest < start) {
        start -= (start - earliest + step - 1) / step * step;
    }
    if (start < EARLIEST_DAY - step) {
        start += (EARLIEST_DAY - step - start + step - 1) / step * step;
    }
    return start;
}

/* Iterations up to the one that holds now; the last is the current one. */
static void
calendar(Planner *planner)
{
    planner->next_day = first_day(planner);
    for (;;) {
        PlanIteration *iteration = append_iteration(planner, PLAN_DONE);
        if (iteration->finish_ms > planner->now_ms ||
            planner->iterations->len >= PLAN_MAX_ITERATIONS) {
            iteration->scope = PLAN_CURRENT;
            return;
        }
    }
}

static gsize
index_at(const PlanIteration *iterations, gsize n, gint64 at_ms)
{
    gsize low = 0;
    gsize high = n; /* the answer is in [low, high) */
    while (high - low > 1) {
        gsize middle = low + (high - low) / 2;
        if (iterations[middle].start_ms <= at_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
place(Planner *planner, gsize story, gsize index)
{
    PlanIteration *iteration = iteration_at(planner, index);
    double points = story_points(&planner->stories[story]);
    planner->slots[story] = (guint32)index;
    iteration->n_stories++;
    iteration->points += points;
    if (planner->stories[story].state == PLAN_ACCEPTED) {
        iteration->accepted_points += points;
    }
}

static void
place_done(Planner *planner)
{
    for (gsize i = 0; i < planner->n_stories; i++) {
        if (planner->stories[i].state == PLAN_ACCEPTED) {
            place(planner, i,
                  index_at(iteration_at(planner, 0), planner->iterations->len,
                           planner->stories[i].accepted_at_ms));
        }
    }
}

static double
effective(const PlanIteration *iteration, double points, gint64 regular_weeks)
{
    if (iteration->team_strength <= 0) {
        return 0;
    }
    return points / iteration->team_strength * (double)regular_weeks / (double)iteration->length;
}

/* Velocity that the done iterations before `end` give, rounded down. */
static double
velocity_before(const Planner *planner, gsize end)
{
    gint64 averaged = planner->project->velocity_averaged_over;
    gsize window = averaged > 0 ? (gsize)averaged : 3;
    gsize begin = end > window ? end - window : 0;
    double points = 0;
    double weeks = 0;
    for (gsize i = begin; i < end; i++) {
        const PlanIteration *iteration = iteration_at(planner, i);
        if (iteration->team_strength > 0) {
            points += iteration->accepted_points / iteration->team_strength;
            weeks += (double)iteration->length;
        }
    }
    gboolean never = weeks <= 0 || (points <= 0 && end - begin == window);
    double velocity = never ? planner->project->initial_velocity
                            : points / weeks * (double)planner->regular_weeks;
    return isfinite(velocity) && velocity > 0 ? floor(velocity + 1e-9) : 0;
}

/* What an iteration can take. A velocity of 0 still moves the backlog on, one point at a time. */
static double
capacity_of(const Planner *planner, const PlanIteration *iteration)
{
    return MAX(planner->velocity, 1) * iteration->team_strength * (double)iteration->length /
           (double)planner->regular_weeks;
}

static gboolean
belongs_to_current(const Planner *planner, const PlanStory *story)
{
    return story->state == PLAN_IN_PROGRESS ||
           (story->state == PLAN_PLANNED && !planner->project->automatic_planning);
}

static gboolean
waits(const Planner *planner, const PlanStory *story)
{
    return (story->state == PLAN_UNSTARTED || story->state == PLAN_PLANNED) &&
           !belongs_to_current(planner, story);
}

/* Returns the index of the first story that is left for the backlog. */
static gsize
place_current(Planner *planner, gsize current)
{
    for (gsize i = 0; i < planner->n_stories; i++) {
        if (belongs_to_current(planner, &planner->stories[i])) {
            place(planner, i, current);
        }
    }
    if (!planner->project->automatic_planning) {
        return 0;
    }
    PlanIteration *iteration = iteration_at(planner, current);
    double capacity = capacity_of(planner, iteration);
    for (gsize i = 0; i < planner->n_stories; i++) {
        if (!waits(planner, &planner->stories[i])) {
            continue;
        }
        if (planner->stories[i].has_estimate && iteration->points >= capacity) {
            return i;
        }
        place(planner, i, current);
    }
    return planner->n_stories;
}

static void
place_backlog(Planner *planner, gsize current, gsize first)
{
    /* Under manual planning the current iteration is the team's choice, not a debt. */
    const PlanIteration *now = iteration_at(planner, current);
    double room =
        planner->project->automatic_planning ? capacity_of(planner, now) - now->points : 0;
    gsize index = current;
    for (gsize i = first; i < planner->n_stories; i++) {
        if (!waits(planner, &planner->stories[i])) {
            continue;
        }
        double points = story_points(&planner->stories[i]);
        while ((index == current || points > room + 1e-9) &&
               planner->iterations->len < PLAN_MAX_ITERATIONS) {
            PlanIteration *next = append_iteration(planner, PLAN_BACKLOG);
            room += capacity_of(planner, next);
            index++;
        }
        place(planner, i, index);
        room -= points;
    }
}

/* Fills one array of ids by iteration: a stable counting sort by (iteration, rank). */
static gint64 *
gather(const Planner *planner)
{
    gsize total = 0;
    gsize n = planner->iterations->len;
    g_autofree gsize *next = g_new0(gsize, n);
    for (gsize i = 0; i < n; i++) {
        next[i] = total;
        total += iteration_at(planner, i)->n_stories;
    }
    gint64 *ids = g_new0(gint64, total + 1);
    for (gsize i = 0; i < n; i++) {
        iteration_at(planner, i)->story_ids = ids + next[i];
    }
    for (int rank = 0; rank < 3; rank++) {
        for (gsize i = 0; i < planner->n_stories; i++) {
            const PlanStory *story = &planner->stories[i];
            int own = story->state == PLAN_ACCEPTED        ? 0
                      : belongs_to_current(planner, story) ? 1
                                                           : 2;
            if (planner->slots[i] != NOWHERE && own == rank) {
                ids[next[planner->slots[i]]++] = story->id;
            }
        }
    }
    return ids;
}

static void
add_deviation(const Planner *planner, Plan *plan)
{
    gint64 averaged = planner->project->velocity_averaged_over;
    gsize window = averaged > 0 ? (gsize)averaged : 3;
    gsize begin = plan->current > window ? plan->current - window : 0;
    double sum = 0;
    double squares = 0;
    gsize n = 0;
    for (gsize i = begin; i < plan->current; i++) {
        const PlanIteration *iteration = &plan->iterations[i];
        if (iteration->team_strength > 0) {
            double value = effective(iteration, iteration->accepted_points, planner->regular_weeks);
            sum += value;
            squares += value * value;
            n++;
        }
    }
    if (n > 0 && sum > 0) {
        double mean = sum / (double)n;
        plan->standard_deviation = sqrt(MAX(squares / (double)n - mean * mean, 0));
        plan->volatility = plan->standard_deviation / mean * 100;
    }
}

Plan *
plan_new(const PlanProject *project, const PlanStory *stories, gsize n_stories, gint64 now_ms)
{
    Planner planner = {.project = project,
                       .stories = stories,
                       .n_stories = n_stories,
                       .now_ms = now_ms,
                       .zone = zone_open_or_utc(project->time_zone),
                       .regular_weeks = CLAMP(project->iteration_length, 1, MAX_LENGTH_WEEKS),
                       .overrides = g_hash_table_new(g_int64_hash, g_int64_equal),
                       .iterations = g_array_new(FALSE, TRUE, sizeof(PlanIteration)),
                       .slots = g_new(guint32, n_stories + 1)};
    for (gsize i = 0; i < project->n_overrides; i++) {
        const PlanOverride *override = &project->overrides[i];
        g_hash_table_insert(planner.overrides, (gpointer)(guintptr)&override->number,
                            (gpointer)(guintptr) override);
    }
    memset(planner.slots, 0xff, (n_stories + 1) * sizeof(guint32));

    calendar(&planner);
    gsize current = planner.iterations->len - 1;
    place_done(&planner);
    for (gsize i = 0; i <= current; i++) {
        iteration_at(&planner, i)->velocity = velocity_before(&planner, i);
    }
    planner.velocity = iteration_at(&planner, current)->velocity;
    place_backlog(&planner, current, place_current(&planner, current));

    Plan *plan = g_new0(Plan, 1);
    plan->current = current;
    plan->velocity = planner.velocity;
    plan->story_ids = gather(&planner);
    plan->n_iterations = planner.iterations->len;
    for (gsize i = 0; i < plan->n_iterations; i++) {
        PlanIteration *iteration = iteration_at(&planner, i);
        iteration->effective_points =
            effective(iteration, iteration->points, planner.regular_weeks);
    }
    plan->iterations = (PlanIteration *)(gpointer)g_array_free(planner.iterations, FALSE);
    add_deviation(&planner, plan);
    g_hash_table_unref(planner.overrides);
    g_free(planner.slots);
    zone_close(planner.zone);
    return plan;
}

void
plan_free(Plan *plan)
{
    if (plan != NULL) {
        g_free(plan->iterations);
        g_free(plan->story_ids);
        g_free(plan);
    }
}

const PlanIteration *
plan_iteration(const Plan *plan, gint64 number)
{
    return number >= 1 && (guint64)number <= plan->n_iterations ? &plan->iterations[number - 1]
                                                                : NULL;
}

const PlanIteration *
plan_iteration_at(const Plan *plan, gint64 at_ms)
{
    return &plan->iterations[index_at(plan->iterations, plan->n_iterations, at_ms)];
}

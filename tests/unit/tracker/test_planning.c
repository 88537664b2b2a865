/* Planning: boundaries over summer time, velocity, filling by velocity, overrides. */
#include "tracker/planning.h"

#include <math.h>

static gint64
at(const char *iso)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, NULL);
    g_assert_nonnull(time);
    return g_date_time_to_unix(time) * 1000;
}

static const char *
iso(gint64 at_ms)
{
    static char text[4][32];
    static guint next;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autofree char *formatted = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    char *slot = text[next++ % G_N_ELEMENTS(text)];
    g_assert_cmpuint(g_strlcpy(slot, formatted, sizeof text[0]), <, sizeof text[0]);
    return slot;
}

static PlanProject
usual(void)
{
    return (PlanProject){.time_zone = "America/Los_Angeles",
                         .start_date = "2014-02-10",
                         .week_start_day = "Monday",
                         .iteration_length = 1,
                         .velocity_averaged_over = 3,
                         .initial_velocity = 10,
                         .automatic_planning = TRUE};
}

static PlanStory
accepted(gint64 id, double points, const char *when)
{
    return (PlanStory){.id = id,
                       .state = PLAN_ACCEPTED,
                       .has_estimate = TRUE,
                       .estimate = points,
                       .accepted_at_ms = at(when)};
}

static PlanStory
story(gint64 id, PlanState state, double points)
{
    return (PlanStory){
        .id = id, .state = state, .has_estimate = points >= 0, .estimate = MAX(points, 0)};
}

static char *
ids(const PlanIteration *iteration)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < iteration->n_stories; i++) {
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? " " : "",
                               iteration->story_ids[i]);
    }
    return g_string_free(text, FALSE);
}

#define ASSERT_STORIES(plan, number, expected)                                                     \
    G_STMT_START                                                                                   \
    {                                                                                              \
        const PlanIteration *found = plan_iteration(plan, number);                                 \
        g_assert_nonnull(found);                                                                   \
        g_autofree char *got = ids(found);                                                         \
        g_assert_cmpstr(got, ==, expected);                                                        \
    }                                                                                              \
    G_STMT_END

static void
test_boundaries_follow_summer_time(void)
{
    PlanProject project = usual();
    g_autoptr(Plan) plan = plan_new(&project, NULL, 0, at("2014-11-12T00:00:00Z"));
    g_assert_cmpstr(iso(plan->iterations[0].start_ms), ==, "2014-02-10T08:00:00Z");
    /* 2014-03-09: one hour less; 2014-11-02: one more. */
    g_assert_cmpstr(iso(plan->iterations[3].start_ms), ==, "2014-03-03T08:00:00Z");
    g_assert_cmpstr(iso(plan->iterations[3].finish_ms), ==, "2014-03-10T07:00:00Z");
    g_assert_cmpstr(iso(plan->iterations[37].start_ms), ==, "2014-10-27T07:00:00Z");
    g_assert_cmpstr(iso(plan->iterations[37].finish_ms), ==, "2014-11-03T08:00:00Z");
    g_assert_cmpuint(plan->n_iterations, ==, 40);
    g_assert_cmpuint(plan->current, ==, 39);
    for (gsize i = 1; i < plan->n_iterations; i++) {
        g_assert_cmpint(plan->iterations[i].start_ms, ==, plan->iterations[i - 1].finish_ms);
        g_assert_cmpint(plan->iterations[i].number, ==, (gint64)i + 1);
    }
    /* The numbers of the real service: this project was in iteration 169 on 2017-05-03. */
    g_autoptr(Plan) later = plan_new(&project, NULL, 0, at("2017-05-03T23:00:00Z"));
    g_assert_cmpint(later->iterations[later->current].number, ==, 169);
}

static void
test_a_boundary_belongs_to_the_next(void)
{
    PlanProject project = usual();
    PlanStory stories[] = {accepted(1, 1, "2014-03-10T06:59:59Z"),
                           accepted(2, 2, "2014-03-10T07:00:00Z")};
    g_autoptr(Plan) plan = plan_new(&project, stories, 2, at("2014-04-01T00:00:00Z"));
    ASSERT_STORIES(plan, 4, "1");
    ASSERT_STORIES(plan, 5, "2");
    g_assert_true(plan_iteration_at(plan, at("2014-03-10T07:00:00Z")) == &plan->iterations[4]);
    g_assert_null(plan_iteration(plan, 0));
    g_assert_null(plan_iteration(plan, 1000));
}

static void
test_initial_velocity_without_done_iterations(void)
{
    PlanProject project = usual();
    PlanStory stories[] = {story(1, PLAN_IN_PROGRESS, 3), story(2, PLAN_UNSTARTED, 5),
                           story(3, PLAN_UNSTARTED, -1),  story(4, PLAN_UNSTARTED, 4),
                           story(5, PLAN_UNSTARTED, -1),  story(6, PLAN_UNSTARTED, 1),
                           story(7, PLAN_UNSCHEDULED, 1), story(8, PLAN_IN_PROGRESS, 1)};
    g_autoptr(Plan) plan =
        plan_new(&project, stories, G_N_ELEMENTS(stories), at("2014-02-12T00:00:00Z"));
    g_assert_cmpfloat(plan->velocity, ==, 10);
    g_assert_cmpuint(plan->current, ==, 0);
    /* 3+1 in progress, 5 makes 9 < 10: 4 more still enter, then nothing estimated; 5 has no
     * estimate. */
    ASSERT_STORIES(plan, 1, "1 8 2 3 4 5");
    ASSERT_STORIES(plan, 2, "6");
    g_assert_cmpfloat(plan->iterations[0].points, ==, 13);
    g_assert_cmpuint(plan->n_iterations, ==, 2);
}

static void
test_capacity_carries_over(void)
{
    PlanProject project = usual();
    project.initial_velocity = 5;
    PlanStory stories[] = {
        story(1, PLAN_IN_PROGRESS, 8), /* current: 3 over */
        story(2, PLAN_UNSTARTED, 2),   /* iteration 2 has 5 - 3 = 2 */
        story(3, PLAN_UNSTARTED, 4),   /* iteration 3: 5, 1 unused */
        story(4, PLAN_UNSTARTED, 6),   /* iteration 4: 5 + 1 */
        story(5, PLAN_UNSTARTED, 13),  /* 5, 10, 15: waits until enough has been saved */
        story(6, PLAN_UNSTARTED, -1),
    };
    g_autoptr(Plan) plan =
        plan_new(&project, stories, G_N_ELEMENTS(stories), at("2014-02-12T00:00:00Z"));
    ASSERT_STORIES(plan, 1, "1");
    ASSERT_STORIES(plan, 2, "2");
    ASSERT_STORIES(plan, 3, "3");
    ASSERT_STORIES(plan, 4, "4");
    ASSERT_STORIES(plan, 5, "");
    ASSERT_STORIES(plan, 6, "");
    ASSERT_STORIES(plan, 7, "5 6");
    g_assert_cmpuint(plan->n_iterations, ==, 7);
}

static void
test_velocity_is_an_average_rounded_down(void)
{
    PlanProject project = usual();
    PlanStory stories[] = {
        accepted(1, 8, "2014-02-11T12:00:00Z"), accepted(2, 3, "2014-02-18T12:00:00Z"),
        accepted(3, 3, "2014-02-25T12:00:00Z"), accepted(4, 2, "2014-03-04T12:00:00Z"),
        accepted(5, 9, "2014-03-11T12:00:00Z"), /* in the current one: does not count */
    };
    g_autoptr(Plan) plan =
        plan_new(&project, stories, G_N_ELEMENTS(stories), at("2014-03-12T00:00:00Z"));
    g_assert_cmpfloat(plan->velocity, ==, 2); /* (3 + 3 + 2) / 3 */
    g_assert_cmpfloat(plan->iterations[0].velocity, ==, 10);
    g_assert_cmpfloat(plan->iterations[1].velocity, ==, 8);
    g_assert_cmpfloat(plan->iterations[2].velocity, ==, 5); /* 11 / 2 */
    g_assert_cmpfloat(plan->iterations[4].accepted_points, ==, 9);
    g_assert_cmpfloat(plan->standard_deviation, >, 0.47);
    g_assert_cmpfloat(plan->standard_deviation, <, 0.48);
}

static void
test_overrides(void)
{
    PlanProject project = usual();
    const PlanOverride overrides[] = {{.number = 2, .length = 2, .team_strength = 0.5},
                                      {.number = 3, .length = 0, .team_strength = 0},
                                      {.number = 5, .length = 0, .team_strength = -1}};
    project.overrides = overrides;
    project.n_overrides = G_N_ELEMENTS(overrides);
    PlanStory stories[] = {
        accepted(1, 4, "2014-02-11T12:00:00Z"), /* 1: one week at 100 % */
        accepted(2, 4, "2014-02-26T12:00:00Z"), /* 2: its second week, at 50 % */
        accepted(3, 7, "2014-03-05T12:00:00Z"), /* 3: strength 0, left out */
    };
    g_autoptr(Plan) plan =
        plan_new(&project, stories, G_N_ELEMENTS(stories), at("2014-03-12T00:00:00Z"));
    g_assert_cmpint(plan->iterations[1].length, ==, 2);
    g_assert_cmpstr(iso(plan->iterations[1].start_ms), ==, "2014-02-17T08:00:00Z");
    g_assert_cmpstr(iso(plan->iterations[1].finish_ms), ==, "2014-03-03T08:00:00Z");
    ASSERT_STORIES(plan, 2, "2");
    ASSERT_STORIES(plan, 3, "3");
    g_assert_cmpint(plan->iterations[plan->current].number, ==, 4);
    g_assert_cmpfloat(plan->velocity, ==, 4); /* (4 / 1 + 4 / 0.5) / 3 weeks */
    g_assert_cmpfloat(plan->iterations[1].effective_points, ==, 4);
    g_assert_cmpfloat(plan->iterations[2].effective_points, ==, 0);
}

static void
test_strength_zero_takes_nothing(void)
{
    PlanProject project = usual();
    project.initial_velocity = 2;
    const PlanOverride overrides[] = {{.number = 1, .length = 0, .team_strength = 0},
                                      {.number = 3, .length = 0, .team_strength = 0}};
    project.overrides = overrides;
    project.n_overrides = G_N_ELEMENTS(overrides);
    PlanStory stories[] = {story(1, PLAN_UNSTARTED, 2), story(2, PLAN_UNSTARTED, 2)};
    g_autoptr(Plan) plan = plan_new(&project, stories, 2, at("2014-02-12T00:00:00Z"));
    ASSERT_STORIES(plan, 1, "");
    ASSERT_STORIES(plan, 2, "1");
    ASSERT_STORIES(plan, 3, "");
    ASSERT_STORIES(plan, 4, "2");
}

static void
test_velocity_resets_after_empty_iterations(void)
{
    PlanProject project = usual();
    PlanStory stories[] = {accepted(1, 6, "2014-02-11T12:00:00Z")};
    g_autoptr(Plan) two = plan_new(&project, stories, 1, at("2014-03-05T00:00:00Z"));
    g_assert_cmpfloat(two->velocity, ==, 2); /* 6, 0, 0 */
    g_autoptr(Plan) three = plan_new(&project, stories, 1, at("2014-03-12T00:00:00Z"));
    g_assert_cmpfloat(three->velocity, ==, 10);
    /* Fewer iterations than are averaged, none with points: not yet a reset, a velocity of nothing.
     */
    g_autoptr(Plan) one = plan_new(&project, NULL, 0, at("2014-02-19T00:00:00Z"));
    g_assert_cmpfloat(one->velocity, ==, 0);
}

static void
test_manual_planning(void)
{
    PlanProject project = usual();
    project.automatic_planning = FALSE;
    project.initial_velocity = 3;
    PlanStory stories[] = {story(1, PLAN_UNSTARTED, 1), story(2, PLAN_PLANNED, 9),
                           story(3, PLAN_UNSTARTED, 2), story(4, PLAN_UNSTARTED, 1)};
    g_autoptr(Plan) manual = plan_new(&project, stories, 4, at("2014-02-12T00:00:00Z"));
    ASSERT_STORIES(manual, 1, "2");
    ASSERT_STORIES(manual, 2, "1 3");
    ASSERT_STORIES(manual, 3, "4");
    project.automatic_planning = TRUE;
    g_autoptr(Plan) automatic = plan_new(&project, stories, 4, at("2014-02-12T00:00:00Z"));
    ASSERT_STORIES(automatic, 1, "1 2");
}

static void
test_start(void)
{
    /* Earlier acceptance, a start in the future, no start at all. */
    PlanProject project = usual();
    PlanStory stories[] = {accepted(1, 1, "2014-01-29T12:00:00Z")};
    g_autoptr(Plan) earlier = plan_new(&project, stories, 1, at("2014-02-12T00:00:00Z"));
    g_assert_cmpstr(iso(earlier->iterations[0].start_ms), ==, "2014-01-27T08:00:00Z");
    g_assert_cmpint(earlier->iterations[earlier->current].number, ==, 3);
    ASSERT_STORIES(earlier, 1, "1");

    project.start_date = "2030-01-07";
    g_autoptr(Plan) future = plan_new(&project, NULL, 0, at("2014-02-12T00:00:00Z"));
    g_assert_cmpuint(future->n_iterations, ==, 1);
    g_assert_cmpstr(iso(future->iterations[0].start_ms), ==, "2014-02-10T08:00:00Z");

    project.start_date = NULL;
    project.fallback_start_ms = at("2014-02-06T00:00:00Z");
    g_autoptr(Plan) made = plan_new(&project, NULL, 0, at("2014-02-12T00:00:00Z"));
    g_assert_cmpstr(iso(made->iterations[0].start_ms), ==, "2014-02-03T08:00:00Z");

    project.iteration_length = 2;
    project.week_start_day = "wednesday";
    g_autoptr(Plan) longer = plan_new(&project, NULL, 0, at("2014-02-12T00:00:00Z"));
    g_assert_cmpstr(iso(longer->iterations[0].start_ms), ==, "2014-02-05T08:00:00Z");
    g_assert_cmpstr(iso(longer->iterations[0].finish_ms), ==, "2014-02-19T08:00:00Z");
}

static void
test_hostile_settings_stay_bounded(void)
{
    PlanProject project = usual();
    project.start_date = "0001-01-01";
    project.iteration_length = -7;
    project.velocity_averaged_over = G_MAXINT64;
    project.initial_velocity = (double)NAN;
    project.time_zone = "Not/Here";
    project.week_start_day = "Someday";
    const PlanOverride overrides[] = {
        {.number = 1, .length = G_MAXINT64, .team_strength = (double)INFINITY},
        {.number = -1, .length = -1, .team_strength = (double)NAN}};
    project.overrides = overrides;
    project.n_overrides = 2;
    PlanStory stories[] = {accepted(1, 1e300, "0001-01-02T00:00:00Z"),
                           story(2, PLAN_UNSTARTED, 1e300),
                           story(3, PLAN_UNSTARTED, (double)INFINITY), story(4, PLAN_UNSTARTED, 1)};
    stories[0].accepted_at_ms = G_MININT64;
    g_autoptr(Plan) plan = plan_new(&project, stories, 4, at("2026-01-01T00:00:00Z"));
    g_assert_cmpuint(plan->n_iterations, <=, PLAN_MAX_ITERATIONS);
    ASSERT_STORIES(plan, 1, "1");
    gsize seen = 0;
    for (gsize i = 0; i < plan->n_iterations; i++) {
        seen += plan->iterations[i].n_stories;
    }
    g_assert_cmpuint(seen, ==, 4);
}

static void
test_states(void)
{
    g_assert_cmpint(plan_state_from_name("accepted"), ==, PLAN_ACCEPTED);
    g_assert_cmpint(plan_state_from_name("rejected"), ==, PLAN_IN_PROGRESS);
    g_assert_cmpint(plan_state_from_name("planned"), ==, PLAN_PLANNED);
    g_assert_cmpint(plan_state_from_name("mystery"), ==, PLAN_UNSCHEDULED);
    g_assert_cmpint(plan_state_from_name(NULL), ==, PLAN_UNSCHEDULED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/planning/summer-time", test_boundaries_follow_summer_time);
    g_test_add_func("/planning/boundary", test_a_boundary_belongs_to_the_next);
    g_test_add_func("/planning/initial-velocity", test_initial_velocity_without_done_iterations);
    g_test_add_func("/planning/carry-over", test_capacity_carries_over);
    g_test_add_func("/planning/velocity", test_velocity_is_an_average_rounded_down);
    g_test_add_func("/planning/overrides", test_overrides);
    g_test_add_func("/planning/strength-zero", test_strength_zero_takes_nothing);
    g_test_add_func("/planning/reset", test_velocity_resets_after_empty_iterations);
    g_test_add_func("/planning/manual", test_manual_planning);
    g_test_add_func("/planning/start", test_start);
    g_test_add_func("/planning/hostile", test_hostile_settings_stay_bounded);
    g_test_add_func("/planning/states", test_states);
    return g_test_run();
}

/* Each sentence about a project's settings, and the values just beside it. */
#include "tracker/project_rules.h"
#include "tracker/zone.h"

static void
test_scale(void)
{
    static const struct {
        const char *scale, *problem;
    } cases[] = {
        {"0,1,2,3", NULL},
        {"0,0.5,1", NULL},
        {"0, 1, 2", NULL},
        {"7", NULL},
        {"0,1,2,3,4,5,6,7,8,9,10,999", NULL},
        {NULL, "Projects require a point scale., This is not a valid custom point scale."},
        {"", "Projects require a point scale., This is not a valid custom point scale."},
        {"a", "This is not a valid custom point scale."},
        {"1,,2", "This is not a valid custom point scale."},
        {"1,2,", "This is not a valid custom point scale."},
        {"1.,2", "This is not a valid custom point scale."},
        {"1.2.3", "This is not a valid custom point scale."},
        {"1e2", "This is not a valid custom point scale."},
        {"0x1", "This is not a valid custom point scale."},
        {"-", "This is not a valid custom point scale."},
        {"-1,0,1", "You can't use negative values for points."},
        {"0,1,1000", "You can't have point values above 999"},
        {"0,2,1", "Point values must be provided in ascending order."},
        {"0,1,1,2", "You can't have duplicate point values."},
        {"0,1,2,3,4,5,6,7,8,9,10,11,12",
         "There are too many values in this point scale. Please use 12 or fewer values."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpstr(project_scale_problem(cases[i].scale), ==, cases[i].problem);
    }
    g_assert_false(project_scale_is_custom("0,1,2,4,8"));
    g_assert_true(project_scale_is_custom("0,1,2,4"));
}

static void
test_numbers(void)
{
    g_assert_null(project_length_problem(1));
    g_assert_null(project_length_problem(4));
    g_assert_cmpstr(project_length_problem(0), ==, "iteration_length can only be between 1 and 4.");
    g_assert_cmpstr(project_length_problem(5), ==, "iteration_length can only be between 1 and 4.");
    g_assert_null(project_velocity_problem(1));
    g_assert_null(project_velocity_problem(999));
    g_assert_cmpstr(project_velocity_problem(0), ==, "You must specify a value of 1 or greater.");
    g_assert_cmpstr(project_velocity_problem(1000), ==, "Initial velocity can't exceed 999.");
    g_assert_null(project_averaging_problem(4, 4));
    g_assert_cmpstr(project_averaging_problem(0, 4), ==, "is not a valid velocity scheme");
    g_assert_cmpstr(project_averaging_problem(5, 9), ==, "is not a valid velocity scheme");
    g_assert_cmpstr(project_averaging_problem(3, 2), ==,
                    "Your project must load enough done iterations to calculate your velocity "
                    "according to your settings.");
}

static void
test_dates(void)
{
    g_autofree char *good = project_start_date_problem("2019-04-21", "Sunday");
    g_autofree char *bad = project_start_date_problem("2019-04-20", "Sunday");
    g_autofree char *no_date = project_start_date_problem("2019-04-31", "Sunday");
    g_autofree char *moved = project_week_start_date("2019-04-20", "Sunday");
    g_autofree char *stays = project_week_start_date("2019-04-21", "Sunday");
    gint64 day;

    g_assert_null(good);
    g_assert_cmpstr(bad, ==,
                    "4/20/2019 is a Saturday and Iterations in this project start on Sundays.");
    g_assert_cmpstr(no_date, ==, "'start_date' must be a date value represented as iso 8601 date");
    g_assert_cmpstr(moved, ==, "2019-04-14");
    g_assert_cmpstr(stays, ==, "2019-04-21");
    /* Tuesday 2019-04-02, as recorded: start_time 2019-04-01T07:00:00Z. */
    g_assert_true(zone_day_from_text("2019-04-02", &day));
    g_assert_cmpint(project_start_ms("America/Los_Angeles", "Monday", day), ==,
                    G_GINT64_CONSTANT(1554102000000));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/project-rules/scale", test_scale);
    g_test_add_func("/project-rules/numbers", test_numbers);
    g_test_add_func("/project-rules/dates", test_dates);
    return g_test_run();
}

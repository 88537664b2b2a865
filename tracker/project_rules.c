/* The order of a point scale's checks is that of the catalogue's sentences: what a value is, how
 * many there are, how they stand to each other. */
#include "tracker/project_rules.h"

#include <stdio.h>
#include <string.h>

#include "tracker/zone.h"

static const char *const built_in_scales[] = {"0,1,2,3", "0,1,2,4,8", "0,1,2,3,5,8", NULL};

/* A number written with digits, one point at most, and perhaps a minus. */
static gboolean
parse_points(const char *text, double *ret_points)
{
    const char *digits = text + (*text == '-' ? 1 : 0);
    const char *point = strchr(digits, '.');
    char *end;

    if (*digits == '\0' || strspn(digits, "0123456789.") != strlen(digits) || *digits == '.' ||
        (point && (point[1] == '\0' || strchr(point + 1, '.')))) {
        return FALSE;
    }
    *ret_points = g_ascii_strtod(text, &end);
    return *end == '\0';
}

static const char *
values_problem(char *const *values, double *ret_points)
{
    for (guint i = 0; values[i]; i++) {
        if (!parse_points(g_strstrip(values[i]), &ret_points[i])) {
            return "This is not a valid custom point scale.";
        }
        if (ret_points[i] < 0) {
            return "You can't use negative values for points.";
        }
        if (ret_points[i] > PROJECT_SCALE_MAX_POINTS) {
            return "You can't have point values above 999";
        }
    }
    return NULL;
}

const char *
project_scale_problem(const char *scale)
{
    g_auto(GStrv) values = NULL;
    double points[PROJECT_SCALE_MAX_VALUES];
    const char *problem;
    guint count;

    if (!scale || *scale == '\0') {
        return "Projects require a point scale., This is not a valid custom point scale.";
    }
    values = g_strsplit(scale, ",", -1);
    count = g_strv_length(values);
    if (count > PROJECT_SCALE_MAX_VALUES) {
        return "There are too many values in this point scale. Please use 12 or fewer values.";
    }
    problem = values_problem(values, points);
    for (guint i = 1; i < count && !problem; i++) {
        if (points[i] == points[i - 1]) {
            problem = "You can't have duplicate point values.";
        } else if (points[i] < points[i - 1]) {
            problem = "Point values must be provided in ascending order.";
        }
    }
    return problem;
}

gboolean
project_scale_is_custom(const char *scale)
{
    return !g_strv_contains(built_in_scales, scale);
}

const char *
project_length_problem(gint64 iteration_length)
{
    return iteration_length >= 1 && iteration_length <= 4
               ? NULL
               : "iteration_length can only be between 1 and 4.";
}

const char *
project_velocity_problem(gint64 initial_velocity)
{
    if (initial_velocity < 1) {
        return "You must specify a value of 1 or greater.";
    }
    return initial_velocity <= 999 ? NULL : "Initial velocity can't exceed 999.";
}

const char *
project_averaging_problem(gint64 velocity_averaged_over, gint64 done_iterations)
{
    if (velocity_averaged_over < 1 || velocity_averaged_over > 4) {
        return "is not a valid velocity scheme";
    }
    return done_iterations >= velocity_averaged_over
               ? NULL
               : "Your project must load enough done iterations to calculate your velocity "
                 "according to your settings.";
}

static const char *
weekday_name(int weekday)
{
    static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

    return names[weekday];
}

char *
project_start_date_problem(const char *start_date, const char *week_start_day)
{
    int wanted = zone_weekday_from_name(week_start_day), year = 0, month = 0, day = 0, weekday;
    gint64 number = 0;

    if (!zone_day_from_text(start_date, &number)) {
        return g_strdup("'start_date' must be a date value represented as iso 8601 date");
    }
    weekday = zone_weekday(number);
    if (weekday == wanted) {
        return NULL;
    }
    (void)sscanf(start_date, "%d-%d-%d", &year, &month, &day);
    return g_strdup_printf("%d/%d/%d is a %s and Iterations in this project start on %ss.", month,
                           day, year, weekday_name(weekday), weekday_name(MAX(wanted, 0)));
}

/* The last day of that name up to the day. */
static gint64
week_start(const char *week_start_day, gint64 day)
{
    int wanted = zone_weekday_from_name(week_start_day);

    return day - (zone_weekday(day) - (wanted < 0 ? 1 : wanted) + 7) % 7;
}

gint64
project_start_ms(const char *time_zone, const char *week_start_day, gint64 day)
{
    g_autoptr(GTimeZone) zone = zone_open_or_utc(time_zone);

    return zone_midnight_ms(zone, week_start(week_start_day, day));
}

char *
project_week_start_date(const char *date, const char *week_start_day)
{
    char text[ZONE_DAY_TEXT_BYTES];
    gint64 day;

    if (!zone_day_from_text(date, &day)) {
        return NULL;
    }
    zone_day_to_text(week_start(week_start_day, day), text);
    return g_strdup(text);
}

/* A day is the interval from its local midnight to the next; "-5h" is the hour that began five
 * hours ago. (unsure: the reference does not say how wide an hour is.) */
#include "tracker/search_dates.h"

#include <string.h>

#define HOUR_MS (60 * 60 * G_GINT64_CONSTANT(1000))
#define MAX_BACK 100000 /* days, weeks or hours */
#define WEEK_DAYS 7

static gboolean
day_of(guint64 year, guint64 month, guint64 day, gint64 *ret_day)
{
    char text[ZONE_DAY_TEXT_BYTES];

    if (year < 1000 || year > 9999 || month > 12 || day > 31) {
        return FALSE;
    }
    (void)g_snprintf(text, sizeof text, "%04u-%02u-%02u", (guint)year, (guint)month, (guint)day);
    return zone_day_from_text(text, ret_day);
}

static gboolean
read_number(const char **at, int max_digits, guint64 *ret_number)
{
    int digits = 0;

    *ret_number = 0;
    for (; g_ascii_isdigit(**at) && digits < max_digits; (*at)++, digits++) {
        *ret_number = *ret_number * 10 + (guint64)(**at - '0');
    }
    return digits > 0 && !g_ascii_isdigit(**at);
}

static gboolean
read_char(const char **at, char c)
{
    if (**at != c) {
        return FALSE;
    }
    (*at)++;
    return TRUE;
}

static gboolean
parse_slashes(const char *text, gint64 *ret_day)
{
    guint64 month, day, year;

    return read_number(&text, 2, &month) && read_char(&text, '/') && read_number(&text, 2, &day) &&
           read_char(&text, '/') && read_number(&text, 4, &year) && *text == '\0' &&
           day_of(year, month, day, ret_day);
}

static gboolean
parse_dashes(const char *text, gint64 *ret_day)
{
    guint64 month, day, year;

    return read_number(&text, 4, &year) && read_char(&text, '-') && read_number(&text, 2, &month) &&
           read_char(&text, '-') && read_number(&text, 2, &day) && *text == '\0' &&
           day_of(year, month, day, ret_day);
}

/* "nov 22 2014", "November 22, 2014" */
static gboolean
parse_month_name(const char *text, gint64 *ret_day)
{
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    gsize letters = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    guint64 month = 0, day, year;

    for (guint i = 0; i < G_N_ELEMENTS(months); i++) {
        if (g_ascii_strncasecmp(months[i], text, letters) == 0 &&
            (letters == 3 || letters == strlen(months[i]))) {
            month = i + 1;
        }
    }
    text += letters;
    if (month == 0 || !read_char(&text, ' ') || !read_number(&text, 2, &day)) {
        return FALSE;
    }
    (void)read_char(&text, ',');
    return read_char(&text, ' ') && read_number(&text, 4, &year) && *text == '\0' &&
           day_of(year, month, day, ret_day);
}

/* "-3d": the number and the unit's length in hours, 0 when it is none. */
static gint64
parse_back(const char *text, gint64 *ret_count)
{
    static const struct {
        const char *names;
        gint64 hours;
    } units[] = {{"h hr hrs hour hours", 1},
                 {"d day days", 24},
                 {"w wk wks week weeks", G_GINT64_CONSTANT(24) * WEEK_DAYS}};
    guint64 count;

    if (!read_char(&text, '-') || !read_number(&text, 6, &count) || count > MAX_BACK) {
        return 0;
    }
    *ret_count = (gint64)count;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        g_auto(GStrv) names = g_strsplit(units[i].names, " ", -1);
        g_autofree char *lower = g_ascii_strdown(text, -1);

        if (g_strv_contains((const char *const *)names, lower)) {
            return units[i].hours;
        }
    }
    return 0;
}

static gboolean
parse_one(const char *text, Zone *zone, gint64 now_ms, gint64 *ret_start_ms, gint64 *ret_end_ms)
{
    gint64 today = zone_day_of(zone, now_ms), day, count = 0, hours = parse_back(text, &count);

    if (hours == 1) {
        *ret_start_ms = now_ms - count * HOUR_MS;
        *ret_end_ms = *ret_start_ms + HOUR_MS;
        return TRUE;
    }
    if (hours > 1) {
        day = today - count * (hours / 24);
    } else if (g_ascii_strcasecmp(text, "today") == 0) {
        day = today;
    } else if (g_ascii_strcasecmp(text, "yesterday") == 0) {
        day = today - 1;
    } else if (!parse_slashes(text, &day) && !parse_dashes(text, &day) &&
               !parse_month_name(text, &day)) {
        return FALSE;
    }
    *ret_start_ms = zone_midnight_ms(zone, day);
    *ret_end_ms = zone_midnight_ms(zone, day + 1);
    return TRUE;
}

gboolean
search_date_parse(const char *text, Zone *zone, gint64 now_ms, gint64 *ret_start_ms,
                  gint64 *ret_end_ms)
{
    const char *dots = strstr(text, "..");
    g_autofree char *first = dots ? g_strndup(text, (gsize)(dots - text)) : NULL;
    gint64 ignored;

    if (!dots) {
        return parse_one(text, zone, now_ms, ret_start_ms, ret_end_ms);
    }
    return parse_one(first, zone, now_ms, ret_start_ms, &ignored) &&
           parse_one(dots + 2, zone, now_ms, &ignored, ret_end_ms);
}

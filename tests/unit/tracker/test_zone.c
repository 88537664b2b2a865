/* Zones: names, offsets, and the midnights of days that have none or two. */
#include "tracker/zone.h"

static gint64
day(const char *text)
{
    gint64 number = 0;
    g_assert_true(zone_day_from_text(text, &number));
    return number;
}

static char *
midnight(const char *name, const char *text)
{
    Zone *zone = zone_open(name);
    g_assert_nonnull(zone);
    gint64 at_ms = zone_midnight_ms(zone, day(text));
    g_assert_cmpint(zone_day_of(zone, at_ms), >=, day(text));
    g_assert_cmpint(zone_day_of(zone, at_ms - 1), <, day(text));
    zone_close(zone);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_ms / 1000);
    return g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

#define ASSERT_MIDNIGHT(name, text, expected)                                                      \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *got = midnight(name, text);                                               \
        g_assert_cmpstr(got, ==, expected);                                                        \
    }                                                                                              \
    G_STMT_END

static void
test_names(void)
{
    g_assert_true(zone_exists("UTC"));
    g_assert_true(zone_exists("Europe/Berlin"));
    g_assert_true(zone_exists("America/Argentina/Buenos_Aires"));
    g_assert_false(zone_exists("Europe/Atlantis"));
    g_assert_false(zone_exists("../../etc/passwd"));
    g_assert_false(zone_exists("/etc/localtime"));
    g_assert_false(zone_exists("+02:00"));
    g_assert_false(zone_exists(""));
    g_assert_false(zone_exists(NULL));
    g_assert_false(zone_exists("Europe/Berlin\n"));
    Zone *zone = zone_open_or_utc("Nowhere/At_All");
    g_assert_cmpint(zone_offset_s(zone, 0), ==, 0);
    zone_close(zone);
}

static void
assert_offset(const char *name, gint64 at_s, const char *expected)
{
    char text[ZONE_OFFSET_TEXT_BYTES];
    Zone *zone = zone_open(name);
    zone_offset_text(zone, at_s * 1000, text);
    zone_close(zone);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_offsets(void)
{
    assert_offset("UTC", 0, "+00:00");
    assert_offset("Europe/Berlin", 1704067200, "+01:00"); /* 2024-01-01 */
    assert_offset("Europe/Berlin", 1719792000, "+02:00"); /* 2024-07-01 */
    assert_offset("America/Los_Angeles", 1719792000, "-07:00");
    assert_offset("Asia/Kolkata", 1719792000, "+05:30");
    assert_offset("America/St_Johns", 1704067200, "-03:30");
}

static void
test_midnights(void)
{
    ASSERT_MIDNIGHT("UTC", "1970-01-01", "1970-01-01T00:00:00Z");
    ASSERT_MIDNIGHT("America/Los_Angeles", "2017-01-02", "2017-01-02T08:00:00Z");
    ASSERT_MIDNIGHT("America/Los_Angeles", "2017-05-01", "2017-05-01T07:00:00Z");
    /* The days of the change: it comes after midnight. */
    ASSERT_MIDNIGHT("Europe/Berlin", "2024-03-31", "2024-03-30T23:00:00Z");
    ASSERT_MIDNIGHT("Europe/Berlin", "2024-04-01", "2024-03-31T22:00:00Z");
    ASSERT_MIDNIGHT("Europe/Berlin", "2024-10-27", "2024-10-26T22:00:00Z");
    ASSERT_MIDNIGHT("Europe/Berlin", "2024-10-28", "2024-10-27T23:00:00Z");
    /* No midnight: clocks go from 23:59:59 to 01:00. */
    ASSERT_MIDNIGHT("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z");
    /* Two midnights: the first. */
    ASSERT_MIDNIGHT("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z");
    ASSERT_MIDNIGHT("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z");
    /* A day that was left out altogether starts where the next one does. */
    ASSERT_MIDNIGHT("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z");
    ASSERT_MIDNIGHT("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z");
}

static void
test_days(void)
{
    gint64 number = 0;
    g_assert_cmpint(day("1970-01-01"), ==, 0);
    g_assert_cmpint(day("1969-12-31"), ==, -1);
    g_assert_cmpint(day("2024-02-29"), ==, 19782);
    g_assert_false(zone_day_from_text("2023-02-29", &number));
    g_assert_false(zone_day_from_text("2023-13-01", &number));
    g_assert_false(zone_day_from_text("0000-01-01", &number));
    g_assert_false(zone_day_from_text("2023-1-01", &number));
    g_assert_false(zone_day_from_text("2023-01-01T", &number));
    g_assert_false(zone_day_from_text(NULL, &number));
    static const char *const dates[] = {"0001-01-01", "1969-12-31", "2000-02-29", "9999-12-31"};
    for (guint i = 0; i < G_N_ELEMENTS(dates); i++) {
        char text[ZONE_DAY_TEXT_BYTES];
        zone_day_to_text(day(dates[i]), text);
        g_assert_cmpstr(text, ==, dates[i]);
    }
    g_assert_cmpint(zone_weekday(0), ==, 4);
    g_assert_cmpint(zone_weekday(day("2014-02-10")), ==, 1);
    g_assert_cmpint(zone_weekday(day("0001-01-01")), ==, 1);
    g_assert_cmpint(zone_weekday_from_name("monday"), ==, 1);
    g_assert_cmpint(zone_weekday_from_name("Saturday"), ==, 6);
    g_assert_cmpint(zone_weekday_from_name("Caturday"), ==, -1);
    g_assert_cmpint(zone_weekday_from_name(NULL), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/zone/names", test_names);
    g_test_add_func("/zone/offsets", test_offsets);
    g_test_add_func("/zone/midnights", test_midnights);
    g_test_add_func("/zone/days", test_days);
    return g_test_run();
}

/* zone: GTimeZone for the tz data, integer arithmetic for everything else.
 *
 * Names are checked before GLib sees them: g_time_zone_new_identifier() also takes offsets, POSIX
 * rules and paths. */
#include "tracker/zone.h"

#include <stdio.h>
#include <string.h>

#define DAY_S ((gint64)86400)
#define MAX_NAME_BYTES 64
/* Years 1 to 9999, the years of a V5 date. */
#define MIN_DAY (-719162)
#define MAX_DAY 2932896

static gint64
floor_divide(gint64 value, gint64 by)
{
    return value >= 0 ? value / by : -((-value + by - 1) / by);
}

static gboolean
is_olson_name(const char *name)
{
    if (name == NULL || !g_ascii_isalpha(name[0]) || strlen(name) > MAX_NAME_BYTES) {
        return FALSE;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr("_+-/", *at) == NULL) {
            return FALSE;
        }
    }
    return strstr(name, "//") == NULL;
}

Zone *
zone_open(const char *olson_name)
{
    if (!is_olson_name(olson_name)) {
        return NULL;
    }
    if (strcmp(olson_name, "UTC") == 0) {
        return g_time_zone_new_utc();
    }
    GTimeZone *zone = g_time_zone_new_identifier(olson_name);
    /* GLib also understands "EST5EDT"-like rules and calls them by themselves; they name no place
     * but do no harm. */
    if (zone != NULL && g_strcmp0(g_time_zone_get_identifier(zone), olson_name) != 0) {
        g_time_zone_unref(zone);
        return NULL;
    }
    return zone;
}

Zone *
zone_open_or_utc(const char *olson_name)
{
    Zone *zone = zone_open(olson_name);
    return zone != NULL ? zone : g_time_zone_new_utc();
}

void
zone_close(Zone *zone)
{
    if (zone != NULL) {
        g_time_zone_unref(zone);
    }
}

gboolean
zone_exists(const char *olson_name)
{
    Zone *zone = zone_open(olson_name);
    zone_close(zone);
    return zone != NULL;
}

static gint64
offset_at_s(Zone *zone, gint64 utc_s)
{
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, utc_s);
    return interval < 0 ? 0 : g_time_zone_get_offset(zone, interval);
}

gint64
zone_offset_s(Zone *zone, gint64 at_ms)
{
    return offset_at_s(zone, floor_divide(at_ms, 1000));
}

void
zone_offset_text(Zone *zone, gint64 at_ms, char ret_text[ZONE_OFFSET_TEXT_BYTES])
{
    gint64 offset = zone_offset_s(zone, at_ms);
    unsigned minutes = (unsigned)(ABS(offset) / 60) % (100 * 60);
    (void)snprintf(ret_text, ZONE_OFFSET_TEXT_BYTES, "%c%02u:%02u", offset < 0 ? '-' : '+',
                   (minutes / 60) % 100, minutes % 60);
}

gint64
zone_day_of(Zone *zone, gint64 at_ms)
{
    gint64 utc_s = floor_divide(at_ms, 1000);
    return floor_divide(utc_s + offset_at_s(zone, utc_s), DAY_S);
}

/* The first instant whose local time is `day` or later. Offsets lie within a day, and no zone
 * changes its offset twice in two days, so the window below holds at most one change. */
gint64
zone_midnight_ms(Zone *zone, gint64 day)
{
    gint64 local_s = day * DAY_S;
    gint64 before = local_s - DAY_S;
    gint64 after = local_s + DAY_S;
    gint64 offset_before = offset_at_s(zone, before);
    gint64 offset_after = offset_at_s(zone, after);
    if (offset_before == offset_after) {
        return (local_s - offset_before) * 1000;
    }
    while (after - before > 1) { /* ends with `after` at the change */
        gint64 middle = before + (after - before) / 2;
        if (offset_at_s(zone, middle) == offset_before) {
            before = middle;
        } else {
            after = middle;
        }
    }
    if (local_s - offset_before < after) {
        return (local_s - offset_before) * 1000;
    }
    return MAX(local_s - offset_after, after) * 1000;
}

gboolean
zone_day_from_text(const char *text, gint64 *ret_day)
{
    if (text == NULL || strlen(text) != 10 || text[4] != '-' || text[7] != '-') {
        return FALSE;
    }
    guint parts[3] = {0, 0, 0};
    for (guint at = 0, part = 0; at < 10; at++) {
        if (at == 4 || at == 7) {
            part++;
        } else if (!g_ascii_isdigit(text[at])) {
            return FALSE;
        } else {
            parts[part] = parts[part] * 10 + (guint)(text[at] - '0');
        }
    }
    if (!g_date_valid_dmy((GDateDay)parts[2], (GDateMonth)parts[1], (GDateYear)parts[0])) {
        return FALSE;
    }
    GDate date;
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)parts[2], (GDateMonth)parts[1], (GDateYear)parts[0]);
    *ret_day = (gint64)g_date_get_julian(&date) + MIN_DAY - 1;
    return TRUE;
}

void
zone_day_to_text(gint64 day, char ret_text[ZONE_DAY_TEXT_BYTES])
{
    GDate date;
    g_date_clear(&date, 1);
    g_date_set_julian(&date, (guint32)(CLAMP(day, MIN_DAY, MAX_DAY) - MIN_DAY + 1));
    (void)snprintf(ret_text, ZONE_DAY_TEXT_BYTES, "%04d-%02d-%02d", (int)g_date_get_year(&date),
                   (int)g_date_get_month(&date), (int)g_date_get_day(&date));
}

int
zone_weekday(gint64 day)
{
    gint64 since_sunday = (day + 4) % 7; /* 1970-01-01 was a Thursday */
    return (int)(since_sunday < 0 ? since_sunday + 7 : since_sunday);
}

int
zone_weekday_from_name(const char *name)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday"};
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(name, names[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

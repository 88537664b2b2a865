/* zone: time zones of projects and people, from the system's tz data, without touching the
 * process's TZ.
 *
 * A Zone is found by its Olson name ("Europe/Berlin"). Days are day numbers: days since 1970-01-01,
 * so that date arithmetic is integer arithmetic. Local midnights take summer time into account:
 * where a day has no midnight the first instant of that day is taken, where it has two the first.
 * Threads: any. Blocks only on the first use of a name (reads the tz data).
 * Errors: none; an unknown name gives NULL. */
#pragma once

#include <glib.h>

typedef GTimeZone Zone;

/* Owned; NULL when the name is no Olson name of this system. "UTC" is always known. */
Zone *zone_open(const char *olson_name);
/* Owned, never NULL: UTC when the name is unknown or NULL. */
Zone *zone_open_or_utc(const char *olson_name);
void zone_close(Zone *zone);

gboolean zone_exists(const char *olson_name);

/* Offset from UTC at an instant, in seconds east of Greenwich. */
gint64 zone_offset_s(Zone *zone, gint64 at_ms);

#define ZONE_OFFSET_TEXT_BYTES 8
/* The same as V5 writes it: "+02:00". */
void zone_offset_text(Zone *zone, gint64 at_ms, char ret_text[ZONE_OFFSET_TEXT_BYTES]);

/* The local day that contains an instant. */
gint64 zone_day_of(Zone *zone, gint64 at_ms);
/* The instant at which a local day starts. */
gint64 zone_midnight_ms(Zone *zone, gint64 day);

/* "YYYY-MM-DD" to a day number and back; FALSE when the text is no date. */
gboolean zone_day_from_text(const char *text, gint64 *ret_day);
#define ZONE_DAY_TEXT_BYTES 32
void zone_day_to_text(gint64 day, char ret_text[ZONE_DAY_TEXT_BYTES]);

/* 0 = Sunday ... 6 = Saturday. */
int zone_weekday(gint64 day);
/* From "Monday" in any letter case; -1 when it is no weekday. */
int zone_weekday_from_name(const char *name);

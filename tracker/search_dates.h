/* search_dates: what a date in a search means (v5-reference 2.15): a day of the searcher's time
 * zone, an hour, or a range of them, as an interval of instants.
 *
 * Threads: any; no state. Errors: FALSE for a text that is no date in any of the forms. */
#pragma once

#include "tracker/zone.h"

/* The recorded sentence for what search_date_parse() does not know. */
#define SEARCH_DATE_PROBLEM "The date you requested could not be parsed. See FAQ for valid formats."

/* 11/22/2014, 2014-11-22, nov 22 2014, today, yesterday, -3d, -2weeks, -5h, and A..B: from the
 * start of A to the end of B. The end is exclusive. */
gboolean search_date_parse(const char *text, Zone *zone, gint64 now_ms, gint64 *ret_start_ms,
                           gint64 *ret_end_ms);

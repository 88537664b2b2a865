/* search_sql: from a search's tree to a condition on the stories or epics of one project.
 *
 * Threads: any; no state. Errors: TRACKER_ERROR_BAD_INPUT, its message is the general_problem of
 * the 400: a date or regular expression that cannot be read, a property that nothing has. */
#pragma once

#include "tracker/call.h"
#include "tracker/search_parse.h"
#include "tracker/zone.h"

typedef struct SearchScope {
    gint64 project_id, person_id; /* whose "following" it is */
    Zone *zone;                   /* of the searcher's days */
    gint64 now_ms;
    gint64 current_start_ms; /* stories accepted before are done */
} SearchScope;

/* Appends a condition on `story t`, apart from the project's and from what is done. */
gboolean search_add_stories(Where *where, const Search *search, const SearchScope *scope,
                            GError **error);
/* The same on `epic t`. A search for what only stories have (a state, an owner) finds no epic,
 * negated or not. */
gboolean search_add_epics(Where *where, const Search *search, const SearchScope *scope,
                          GError **error);
/* Does the condition begin with a list of ids? Then SQLite should start from it, and the condition
 * on the project must not invite it to walk through the whole project: "+t.project_id = ...". */
gboolean search_is_selective(const Search *search);

/* support_query: what a database and the tracker over it say, without a fixture. Whatever fails
 * here fails the test. */
#pragma once

#include <jansson.h>

#include "tracker/db.h"
#include "tracker/service.h"

/* The first column of the first row: a number (there has to be a row); a text, owned, NULL without
 * a row. */
gint64 query_number(Db *db, const char *sql);
char *query_text(Db *db, const char *sql);
/* GET of a whole path as the person that a mount acts for; owned. NULL unless it is 200. */
json_t *query_get(Tracker *tracker, const char *path, const char *query);

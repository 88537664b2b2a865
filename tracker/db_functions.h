/* db_functions: the SQL functions that we add to SQLite's own, for every connection.
 *
 * regexp(PATTERN, TEXT), which is what `TEXT REGEXP PATTERN` calls: 1 when a Perl-like pattern is
 * found anywhere, letter case ignored. NULL never matches. fold(TEXT): for comparing without regard
 * to letter case in every script.
 * Neither may be used by triggers and views of the file. Threads: with the connection.
 * Limits: a pattern gets so many steps for one text and so much processor time for all texts since
 * db_functions_restart(); past them nothing matches and `gave_up` tells. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

typedef struct RegexpBudget {
    gint64 deadline_us; /* of the thread's processor time; 0: not started */
    guint texts;
    gboolean gave_up;
} RegexpBudget;

/* `budget` must live as long as the connection. */
int db_functions_add(sqlite3 *raw, RegexpBudget *budget);
void db_functions_restart(RegexpBudget *budget);

/* A pattern as regexp() compiles it; NULL and an error of G_REGEX_ERROR when it cannot. */
GRegex *db_functions_compile(const char *pattern, GError **error);

/* A compiled pattern is kept with the statement (auxiliary data) for as long as its parameter stays
 * the same. The matcher backtracks: hostile patterns are stopped by PCRE's own counter within one
 * text and by the thread's clock over many. */
#include "tracker/db_functions.h"

#include <string.h>
#include <time.h>

#define MATCH_LIMIT "(*LIMIT_MATCH=200000)(*LIMIT_HEAP=4096)"
#define BUDGET_US (3 * G_TIME_SPAN_SECOND)
#define TEXTS_PER_LOOK 32 /* at the clock, which is a system call */

/* Processor time of this thread: a busy machine must not make a search fail. */
static gint64
used_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (gint64)now.tv_sec * G_TIME_SPAN_SECOND + now.tv_nsec / 1000;
}

void
db_functions_restart(RegexpBudget *budget)
{
    *budget = (RegexpBudget){.deadline_us = used_us() + BUDGET_US};
}

/* \C matches one byte of a letter: it would leave the matcher between two bytes. */
static gboolean
has_byte_escape(const char *pattern)
{
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\') {
            if (*++at == 'C') {
                return TRUE;
            }
            if (!*at) {
                return FALSE;
            }
        }
    }
    return FALSE;
}

GRegex *
db_functions_compile(const char *pattern, GError **error)
{
    g_autofree char *limited = g_strconcat(MATCH_LIMIT, pattern, NULL);

    if (has_byte_escape(pattern)) {
        g_set_error_literal(error, G_REGEX_ERROR, G_REGEX_ERROR_COMPILE, "\\C is not supported");
        return NULL;
    }
    return g_regex_new(limited, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, error);
}

static void
regex_unref(void *regex)
{
    g_regex_unref(regex);
}

static gboolean
matches(const GRegex *regex, RegexpBudget *budget, const char *text, gsize bytes)
{
    g_autoptr(GError) error = NULL;
    gboolean found;

    if (budget->gave_up || !g_utf8_validate_len(text, bytes, NULL)) {
        return FALSE;
    }
    found = g_regex_match_full(regex, text, (gssize)bytes, 0, 0, NULL, &error);
    if (error || (budget->deadline_us && ++budget->texts % TEXTS_PER_LOOK == 0 &&
                  used_us() > budget->deadline_us)) {
        budget->gave_up = TRUE;
    }
    return found;
}

static void
regexp(sqlite3_context *context, int n_values, sqlite3_value **values)
{
    RegexpBudget *budget = sqlite3_user_data(context);
    const char *pattern = (const char *)sqlite3_value_text(values[0]);
    const char *text = (const char *)sqlite3_value_text(values[1]);
    GRegex *regex = sqlite3_get_auxdata(context, 0);

    (void)n_values;
    if (!pattern || !text) {
        sqlite3_result_int(context, 0);
        return;
    }
    if (!regex) {
        g_autoptr(GError) error = NULL;

        regex = db_functions_compile(pattern, &error);
        if (!regex) {
            sqlite3_result_error(context, error->message, -1);
            return;
        }
        sqlite3_set_auxdata(context, 0, regex, regex_unref);
        regex = sqlite3_get_auxdata(context, 0); /* NULL when SQLite would not keep it */
    }
    sqlite3_result_int(
        context, regex && matches(regex, budget, text, (gsize)sqlite3_value_bytes(values[1])));
}

static void
fold(sqlite3_context *context, int n_values, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);

    (void)n_values;
    if (!text || !g_utf8_validate(text, -1, NULL)) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    sqlite3_result_text(context, g_utf8_casefold(text, -1), -1, g_free);
}

int
db_functions_add(sqlite3 *raw, RegexpBudget *budget)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int rc = sqlite3_create_function(raw, "regexp", 2, flags, budget, regexp, NULL, NULL);

    return rc == SQLITE_OK ? sqlite3_create_function(raw, "fold", 1, flags, NULL, fold, NULL, NULL)
                           : rc;
}

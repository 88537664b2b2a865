/* History day by day, of a project, an iteration or a release, and snapshots of whole days. A day
 * that has not come is in none of them. Rows are fixed: `fields` changes nothing. */
#include "tracker/computed.h"
#include "tracker/history.h"
#include "tracker/routes.h"

#include <string.h>

#define SNAPSHOT_MAX_DAYS 366
#define SNAPSHOT_MAX_BYTES (64 * 1024 * 1024)

/* The project's calendar as days of its own zone. */
typedef struct Calendar {
    const Plan *plan;
    Zone *zone;
    gint64 today;
} Calendar;

static void
calendar_clear(Calendar *calendar)
{
    g_clear_pointer(&calendar->zone, zone_close);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Calendar, calendar_clear)

static gboolean
open_calendar(Call *call, Calendar *calendar)
{
    calendar->zone = history_zone(&call->render, call->project_id);
    calendar->today = zone_day_of(calendar->zone, call->now_ms);
    calendar->plan = computed_plan(&call->render, call->project_id);
    return calendar->plan || call_fail(call, PROBLEM_UNFOUND);
}

static gboolean
param_day(Call *call, const char *name, gint64 *day)
{
    const char *text = call_param(call, name);

    return !text || zone_day_from_text(text, day) ||
           call_fail_parameter(call, "'%s' must be a date value represented as iso 8601 date",
                               name);
}

/* start_date and end_date, cut to the days that the project has had. Without dates: every day, or
 * one, the last. (unsure: the reference gives no defaults.) */
static gboolean
param_days(Call *call, const Calendar *calendar, gboolean one, gint64 *ret_first, gint64 *ret_last)
{
    gint64 beginning = zone_day_of(calendar->zone, calendar->plan->iterations[0].start_ms);
    gint64 first, last = calendar->today;

    if (!param_day(call, "end_date", &last)) {
        return FALSE;
    }
    first = one ? last : beginning;
    if (!param_day(call, "start_date", &first)) {
        return FALSE;
    }
    if (last < first && call_param(call, "end_date") && call_param(call, "start_date")) {
        return call_fail_text(call, "'end_date' must not be before 'start_date'");
    }
    *ret_first = MAX(first, beginning);
    *ret_last = MIN(last, calendar->today);
    return TRUE;
}

static char *
param_label(const Call *call)
{
    const char *label = call_param(call, "label");

    return label && g_utf8_validate(label, -1, NULL) ? g_utf8_strdown(label, -1) : g_strdup(label);
}

gboolean
read_history_days(Call *call)
{
    g_auto(Calendar) calendar = {0};
    g_autofree char *label = param_label(call);
    g_autoptr(History) history = NULL;
    gint64 first, last;

    if (!open_calendar(call, &calendar) || !param_days(call, &calendar, FALSE, &first, &last)) {
        return FALSE;
    }
    history = history_load(&call->render, call->project_id, calendar.zone, NULL, label);
    history_write_days(history, first, last, call->body);
    return TRUE;
}

/* The stories that the iteration has now, on each of its days. */
gboolean
read_history_iteration(Call *call)
{
    const Plan *plan = computed_plan(&call->render, call->project_id);
    const PlanIteration *iteration = plan ? plan_iteration(plan, call->id) : NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));

    if (!iteration) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    g_array_append_vals(ids, iteration->story_ids, (guint)iteration->n_stories);
    history_write_iteration(&call->render, call->project_id, iteration, ids, call->body);
    return TRUE;
}

/* From the first of its stories to its acceptance. (unsure: by analogy with iterations.) */
gboolean
read_history_release(Call *call)
{
    g_auto(Calendar) calendar = {0};
    g_autoptr(GArray) ids = NULL;
    g_autoptr(History) history = NULL;
    g_autoptr(DbStmt) stmt = NULL;
    gint64 first, last;

    if (!open_calendar(call, &calendar)) {
        return FALSE;
    }
    stmt = db_prepare(call->conn, "SELECT accepted_at FROM story WHERE id = ?1 AND project_id = ?2"
                                  " AND story_type = 'release'");
    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->project_id);
    if (!db_next(stmt)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    last = db_is_null(stmt, 0) ? calendar.today
                               : MIN(zone_day_of(calendar.zone, db_int(stmt, 0)), calendar.today);
    ids = computed_release_stories(&call->render, call->id);
    history = history_load(&call->render, call->project_id, calendar.zone, ids, NULL);
    if (!history_first_day(history, &first)) {
        first = last + 1;
    }
    /* Never longer than the project is old, whatever an import says. */
    first = MAX(first, zone_day_of(calendar.zone, calendar.plan->iterations[0].start_ms));
    history_write_days(history, first, last, call->body);
    return TRUE;
}

gboolean
read_history_snapshots(Call *call)
{
    g_auto(Calendar) calendar = {0};
    g_autoptr(History) history = NULL;
    gint64 first, last;

    if (!open_calendar(call, &calendar) || !param_days(call, &calendar, TRUE, &first, &last)) {
        return FALSE;
    }
    if (last - first >= SNAPSHOT_MAX_DAYS) {
        return call_fail_text(call, "'start_date' and 'end_date' must be at most 366 days apart");
    }
    history = history_load(&call->render, call->project_id, calendar.zone, NULL, NULL);
    g_string_append_c(call->body, '[');
    for (gint64 day = first; day <= last; day++) {
        const PlanIteration *iteration =
            plan_iteration_at(calendar.plan, zone_midnight_ms(calendar.zone, day));

        history_write_snapshot(history, day, zone_day_of(calendar.zone, iteration->start_ms),
                               call->body);
        if (call->body->len > SNAPSHOT_MAX_BYTES) {
            return call_fail_text(call, "there are too many stories for so many days");
        }
    }
    g_string_append_c(call->body, ']');
    return TRUE;
}

/* A story's past is a row of (day, state), each state in force from its day to the next one's; of
 * several changes on a day only the last counts. Rows of days are sums over these spans: +points
 * where a span begins, -points where it ends, added up along the days.
 *
 * A story whose transitions are not known was, as far as anyone can say, in its present state since
 * it was created, or unstarted until it was accepted. */
#include "tracker/history.h"

#include <math.h>
#include <string.h>

#include "tracker/json_writer.h"

/* In the order of the columns. */
static const char *const states[] = {"accepted", "delivered", "finished",  "started",
                                     "rejected", "planned",   "unstarted", "unscheduled"};
enum { STATE_ACCEPTED = 0, STATE_PLANNED = 5, STATE_UNSTARTED, STATE_UNSCHEDULED, N_STATES };
G_STATIC_ASSERT(G_N_ELEMENTS(states) == N_STATES);

typedef struct Change {
    gint64 day;
    int state;
} Change;

typedef struct Past {
    gint64 id;
    double points;
    gboolean estimated;
    char type[16];
    guint first, end; /* of its changes */
} Past;

struct History {
    GArray *pasts;   /* Past */
    GArray *changes; /* Change */
};

void
history_free(History *history)
{
    if (history) {
        g_array_unref(history->pasts);
        g_array_unref(history->changes);
        g_free(history);
    }
}

static int
state_of(const char *name)
{
    for (int i = 0; i < N_STATES; i++) {
        if (g_strcmp0(states[i], name) == 0) {
            return i;
        }
    }
    return STATE_UNSCHEDULED;
}

static void
add_change(History *history, Past *past, gint64 day, int state)
{
    Change change = {day, state};

    if (history->changes->len > past->first) {
        Change *last = &g_array_index(history->changes, Change, history->changes->len - 1);

        change.day = MAX(day, last->day);
        if (last->day == change.day) {
            last->state = state;
            return;
        }
    }
    g_array_append_val(history->changes, change);
}

/* Columns of the statement below. */
enum { ID, CREATED, POINTS, TYPE, STATE, ACCEPTED, TO_STATE, OCCURRED };

/* The story's beginning, with the first of its rows. */
static void
begin(History *history, Past *past, DbStmt *row, Zone *zone)
{
    gint64 created = zone_day_of(zone, db_int(row, CREATED));

    *past = (Past){.id = db_int(row, ID),
                   .points = db_double(row, POINTS),
                   .estimated = !db_is_null(row, POINTS),
                   .first = history->changes->len};
    (void)g_strlcpy(past->type, db_text(row, TYPE), sizeof past->type);
    if (!db_is_null(row, OCCURRED)) {
        gint64 first = zone_day_of(zone, db_int(row, OCCURRED));

        if (!db_is_null(row, CREATED) && created < first) {
            add_change(history, past, created, STATE_UNSCHEDULED);
        }
        return;
    }
    if (state_of(db_text(row, STATE)) == STATE_ACCEPTED && !db_is_null(row, ACCEPTED)) {
        if (!db_is_null(row, CREATED)) {
            add_change(history, past, created, STATE_UNSTARTED);
        }
        add_change(history, past, zone_day_of(zone, db_int(row, ACCEPTED)), STATE_ACCEPTED);
        return;
    }
    add_change(history, past, created, state_of(db_text(row, STATE)));
}

static DbStmt *
prepare(Render *render, gint64 project_id, const GArray *ids, const char *label)
{
    DbStmt *stmt = db_prepare(
        render->conn,
        "SELECT s.id, s.created_at, s.estimate, s.story_type, s.current_state, s.accepted_at,"
        " x.state, x.occurred_at FROM story s LEFT JOIN story_transition x ON x.story_id = s.id"
        " AND x.occurred_at IS NOT NULL WHERE s.project_id = ?1"
        " AND (?2 IS NULL OR s.id IN (SELECT value FROM json_each(?2)))"
        " AND (?3 IS NULL OR s.id IN (SELECT y.story_id FROM label l JOIN story_label y"
        "  ON y.label_id = l.id WHERE l.project_id = ?1 AND l.name = ?3))"
        " ORDER BY s.id, x.occurred_at, x.id");
    g_autoptr(GString) list = ids ? g_string_new("[") : NULL;

    for (guint i = 0; ids && i < ids->len; i++) {
        json_separate(list);
        json_int(list, g_array_index(ids, gint64, i));
    }
    if (list) {
        g_string_append_c(list, ']');
    }
    db_bind_int(stmt, 1, project_id);
    db_bind_text(stmt, 2, list ? list->str : NULL);
    db_bind_text(stmt, 3, label);
    return stmt;
}

History *
history_load(Render *render, gint64 project_id, Zone *zone, const GArray *ids, const char *label)
{
    History *history = g_new0(History, 1);
    g_autoptr(DbStmt) stmt = prepare(render, project_id, ids, label);
    Past past = {.id = 0};

    history->pasts = g_array_new(FALSE, FALSE, sizeof(Past));
    history->changes = g_array_new(FALSE, FALSE, sizeof(Change));
    while (db_next(stmt)) {
        if (history->pasts->len == 0 || past.id != db_int(stmt, ID)) {
            begin(history, &past, stmt, zone);
            g_array_append_val(history->pasts, past);
        }
        if (!db_is_null(stmt, OCCURRED)) {
            add_change(history, &past, zone_day_of(zone, db_int(stmt, OCCURRED)),
                       state_of(db_text(stmt, TO_STATE)));
        }
        g_array_index(history->pasts, Past, history->pasts->len - 1).end = history->changes->len;
    }
    return history;
}

gboolean
history_first_day(const History *history, gint64 *ret_day)
{
    gint64 first = G_MAXINT64;

    for (guint i = 0; i < history->pasts->len; i++) {
        const Past *past = &g_array_index(history->pasts, Past, i);

        if (past->end > past->first) {
            first = MIN(first, g_array_index(history->changes, Change, past->first).day);
        }
    }
    *ret_day = first;
    return first != G_MAXINT64;
}

typedef struct Sums {
    double points[N_STATES];
    gint64 counts[N_STATES];
} Sums;

static void
add_span(GArray *days, gint64 first_day, const Change *from, const Change *to, double points)
{
    gint64 begin_at = MAX(from->day - first_day, 0);
    gint64 end_at = to ? to->day - first_day : days->len;

    if (begin_at >= days->len || end_at <= 0 || begin_at >= end_at) {
        return;
    }
    g_array_index(days, Sums, begin_at).points[from->state] += points;
    g_array_index(days, Sums, begin_at).counts[from->state]++;
    if (end_at < days->len) {
        g_array_index(days, Sums, end_at).points[from->state] -= points;
        g_array_index(days, Sums, end_at).counts[from->state]--;
    }
}

static GArray *
sum_days(const History *history, gint64 first_day, guint n_days)
{
    GArray *days = g_array_sized_new(FALSE, TRUE, sizeof(Sums), n_days);

    (void)g_array_set_size(days, n_days);
    for (guint i = 0; i < history->pasts->len; i++) {
        const Past *past = &g_array_index(history->pasts, Past, i);

        for (guint j = past->first; j < past->end; j++) {
            const Change *change = &g_array_index(history->changes, Change, j);

            add_span(days, first_day, change, j + 1 < past->end ? change + 1 : NULL, past->points);
        }
    }
    for (guint i = 1; i < n_days; i++) {
        const Sums *before = &g_array_index(days, Sums, i - 1);
        Sums *sums = &g_array_index(days, Sums, i);

        for (int state = 0; state < N_STATES; state++) {
            sums->points[state] += before->points[state];
            sums->counts[state] += before->counts[state];
        }
    }
    return days;
}

static void
write_date(gint64 day, GString *out)
{
    char text[ZONE_DAY_TEXT_BYTES];

    zone_day_to_text(day, text);
    json_text(out, text, strlen(text));
}

void
history_write_days(const History *history, gint64 first_day, gint64 last_day, GString *out)
{
    guint n_days = last_day < first_day ? 0 : (guint)(last_day - first_day + 1);
    g_autoptr(GArray) days = sum_days(history, first_day, n_days);

    g_string_append(out, "{\"kind\":\"daily_history_container\",\"header\":[\"date\"");
    for (int state = 0; state < N_STATES; state++) {
        g_string_append_printf(out, ",\"points_%s\"", states[state]);
    }
    for (int state = 0; state < N_STATES; state++) {
        g_string_append_printf(out, ",\"counts_%s\"", states[state]);
    }
    g_string_append(out, "],\"data\":[");
    for (guint i = 0; i < n_days; i++) {
        const Sums *sums = &g_array_index(days, Sums, i);

        json_separate(out);
        g_string_append_c(out, '[');
        write_date(first_day + i, out);
        for (int state = 0; state < N_STATES; state++) {
            g_string_append_c(out, ',');
            json_float(out, round(sums->points[state] * 1e6) / 1e6); /* thirds add up to whole */
        }
        for (int state = 0; state < N_STATES; state++) {
            g_string_append_c(out, ',');
            json_int(out, sums->counts[state]);
        }
        g_string_append_c(out, ']');
    }
    g_string_append(out, "]}");
}

Zone *
history_zone(Render *render, gint64 project_id)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(render->conn, "SELECT time_zone FROM project WHERE id = ?1");

    db_bind_int(stmt, 1, project_id);
    return zone_open_or_utc(db_next(stmt) ? db_text(stmt, 0) : NULL);
}

void
history_write_iteration(Render *render, gint64 project_id, const PlanIteration *iteration,
                        const GArray *ids, GString *out)
{
    g_autoptr(GTimeZone) zone = history_zone(render, project_id);
    g_autoptr(History) history = history_load(render, project_id, zone, ids, NULL);
    gint64 last = zone_day_of(zone, iteration->finish_ms) - 1;

    history_write_days(history, zone_day_of(zone, iteration->start_ms),
                       MIN(last, zone_day_of(zone, render->now_ms)), out);
}

/* The change in force at the end of a day; NULL: there was no such story yet. */
static const Change *
change_at(const History *history, const Past *past, gint64 day)
{
    const Change *found = NULL;

    for (guint i = past->first; i < past->end; i++) {
        const Change *change = &g_array_index(history->changes, Change, i);

        if (change->day <= day) {
            found = change;
        }
    }
    return found;
}

typedef enum { LIST_CURRENT, LIST_BACKLOG, LIST_ICEBOX, LIST_NONE } List;

static List
list_of(const Change *change, gint64 iteration_day)
{
    switch (change->state) {
    case STATE_UNSCHEDULED:
        return LIST_ICEBOX;
    case STATE_UNSTARTED:
    case STATE_PLANNED:
        return LIST_BACKLOG;
    case STATE_ACCEPTED:
        return change->day >= iteration_day ? LIST_CURRENT : LIST_NONE;
    default:
        return LIST_CURRENT;
    }
}

static void
write_story(const Past *past, int state, GString *out)
{
    json_separate(out);
    g_string_append(out, "{\"kind\":\"story_snapshot\",\"story_id\":");
    json_int(out, past->id);
    json_key(out, "state");
    json_text(out, states[state], strlen(states[state]));
    if (past->estimated) {
        json_key(out, "estimate");
        json_number(out, past->points);
    }
    json_key(out, "story_type");
    json_text(out, past->type, strlen(past->type));
    g_string_append_c(out, '}');
}

void
history_write_snapshot(const History *history, gint64 day, gint64 iteration_day, GString *out)
{
    static const char *const names[] = {"current", "backlog", "icebox"};

    json_separate(out);
    g_string_append(out, "{\"kind\":\"project_snapshot\",\"date\":");
    write_date(day, out);
    for (int list = LIST_CURRENT; list < LIST_NONE; list++) {
        json_key(out, names[list]);
        g_string_append_c(out, '[');
        for (guint i = 0; i < history->pasts->len; i++) {
            const Past *past = &g_array_index(history->pasts, Past, i);
            const Change *change = change_at(history, past, day);

            if (change && list_of(change, iteration_day) == (List)list) {
                write_story(past, change->state, out);
            }
        }
        g_string_append_c(out, ']');
    }
    g_string_append_c(out, '}');
}

/* Time in a state runs from the transition into it to the next one; in the last state to now, and
 * in accepted not at all. The cycle runs from the first start to the last acceptance, or to now. */
#include "tracker/summaries.h"

#include <math.h>
#include <string.h>

#include "tracker/blocking.h"
#include "tracker/computed.h"
#include "tracker/json_writer.h"

typedef struct Cycle {
    gint64 ms[4], count[4];
    gint64 first_start_ms, last_accept_ms; /* -1: never */
} Cycle;

static const char *const cycle_states[4] = {"started", "finished", "delivered", "rejected"};
enum { CYCLE_STARTED, CYCLE_REJECTED = 3 };

static int
cycle_state(const char *state)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(cycle_states); i++) {
        if (g_strcmp0(state, cycle_states[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static void
read_cycle(Render *render, gint64 story_id, Cycle *cycle)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(render->conn, "SELECT state, occurred_at FROM story_transition"
                                 " WHERE story_id = ?1 AND occurred_at IS NOT NULL"
                                 " ORDER BY occurred_at, id");
    int state = -1;
    gint64 since = 0;

    *cycle = (Cycle){.first_start_ms = -1, .last_accept_ms = -1};
    db_bind_int(stmt, 1, story_id);
    while (db_next(stmt)) {
        gint64 at = db_int(stmt, 1);

        if (state >= 0) {
            cycle->ms[state] += at - since;
        }
        state = cycle_state(db_text(stmt, 0));
        since = at;
        if (state >= 0) {
            cycle->count[state]++;
        }
        if (state == CYCLE_STARTED && cycle->first_start_ms < 0) {
            cycle->first_start_ms = at;
        }
        if (g_strcmp0(db_text(stmt, 0), "accepted") == 0) {
            cycle->last_accept_ms = at;
        }
    }
    if (state >= 0) {
        cycle->ms[state] += MAX(render->now_ms - since, 0);
    }
}

void
summary_cycle_time(Render *render, GString *out, gint64 story_id)
{
    Cycle cycle;

    read_cycle(render, story_id, &cycle);
    g_string_append_c(out, '{');
    if (cycle.first_start_ms >= 0) {
        gint64 end = cycle.last_accept_ms >= 0 ? cycle.last_accept_ms : render->now_ms;

        json_key(out, "total_cycle_time");
        json_int(out, MAX(end - cycle.first_start_ms, 0));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cycle_states); i++) {
        g_autofree char *time = g_strconcat(cycle_states[i], "_time", NULL);
        g_autofree char *count = g_strconcat(cycle_states[i], "_count", NULL);

        json_key(out, time);
        json_int(out, cycle.ms[i]);
        json_key(out, count);
        json_int(out, cycle.count[i]);
    }
    json_key(out, "story_id");
    json_int(out, story_id);
    g_string_append(out, ",\"kind\":\"cycle_time_details\"}");
}

static int
compare_ms(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return x < y ? -1 : x > y;
}

/* The middle one, or the mean of the two middle ones; 0 of none. */
static gint64
median(GArray *values)
{
    guint n = values->len;

    if (n == 0) {
        return 0;
    }
    g_array_sort(values, compare_ms);
    return (g_array_index(values, gint64, (n - 1) / 2) + g_array_index(values, gint64, n / 2)) / 2;
}

/* Cycle times of what was accepted in the iteration; of features and bugs among it, the part that
 * had been rejected before. (unsure: which stories the rate counts is not recorded.) */
void
summary_iteration(Render *render, gint64 project_id, const PlanIteration *iteration, GString *out)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(DbStmt) stmt = db_prepare(
        render->conn, "SELECT id, story_type IN ('feature', 'bug') FROM story WHERE project_id = ?1"
                      " AND accepted_at >= ?2 AND accepted_at < ?3 AND current_state = 'accepted'"
                      " AND story_type <> 'release'");
    g_autoptr(DbStmt) bugs = db_prepare(
        render->conn, "SELECT count(*) FROM story WHERE project_id = ?1"
                      " AND story_type = 'bug' AND created_at >= ?2 AND created_at < ?3");
    gint64 accepted = 0, delivered = 0, rejected = 0;

    db_bind_int(stmt, 1, project_id);
    db_bind_int(stmt, 2, iteration->start_ms);
    db_bind_int(stmt, 3, iteration->finish_ms);
    while (db_next(stmt)) {
        Cycle cycle;

        read_cycle(render, db_int(stmt, 0), &cycle);
        accepted++;
        if (cycle.first_start_ms >= 0 && cycle.last_accept_ms >= cycle.first_start_ms) {
            gint64 ms = cycle.last_accept_ms - cycle.first_start_ms;

            g_array_append_val(times, ms);
        }
        if (db_int(stmt, 1)) {
            delivered++;
            rejected += cycle.count[CYCLE_REJECTED] > 0 ? 1 : 0;
        }
    }
    db_bind_int(bugs, 1, project_id);
    db_bind_int(bugs, 2, iteration->start_ms);
    db_bind_int(bugs, 3, iteration->finish_ms);
    g_string_append(out, "{\"kind\":\"analytics\",\"stories_accepted\":");
    json_int(out, accepted);
    json_key(out, "bugs_created");
    json_int(out, db_next(bugs) ? db_int(bugs, 0) : 0);
    json_key(out, "cycle_time");
    json_int(out, median(times));
    json_key(out, "rejection_rate");
    json_float(out, delivered ? round(1000.0 * (double)rejected / (double)delivered) / 10 : 0);
    g_string_append_c(out, '}');
}

void
summary_blocked_stories(Render *render, GString *out, gint64 story_id)
{
    g_autoptr(DbStmt) stmt = blocking_prepare(render->conn, story_id);
    gint64 last = 0;

    g_string_append_c(out, '[');
    while (db_next(stmt)) {
        if (db_int(stmt, 1) != last) { /* two blockers, one story */
            last = db_int(stmt, 1);
            json_separate(out);
            json_int(out, last);
        }
    }
    g_string_append_c(out, ']');
}

static gint64
project_of(Render *render, const char *sql, gint64 id)
{
    g_autoptr(DbStmt) stmt = db_prepare(render->conn, sql);

    db_bind_int(stmt, 1, id);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

#define RELEASE_PROJECT "SELECT project_id FROM story WHERE id = ?1 AND story_type = 'release'"

/* Sums over the stories of a release: counts or points, all or the accepted ones. Nothing for a
 * story of another type. */
static void
write_release_sum(Render *render, GString *out, gint64 release_id, gboolean points,
                  gboolean accepted_only)
{
    if (project_of(render, RELEASE_PROJECT, release_id) == 0) {
        return;
    }
    g_autoptr(GArray) ids = computed_release_stories(render, release_id);
    g_autoptr(DbStmt) stmt = db_prepare(
        render->conn, "SELECT current_state, COALESCE(estimate, 0) FROM story WHERE id = ?1");
    double sum = 0;

    for (guint i = 0; i < ids->len; i++) {
        db_bind_int(stmt, 1, g_array_index(ids, gint64, i));
        if (db_next(stmt) && (!accepted_only || g_strcmp0(db_text(stmt, 0), "accepted") == 0)) {
            sum += points ? db_double(stmt, 1) : 1;
        }
        (void)db_run(stmt);
    }
    json_number(out, sum);
}

void
summary_release_points_accepted(Render *render, GString *out, gint64 release_id)
{
    write_release_sum(render, out, release_id, TRUE, TRUE);
}

void
summary_release_points_total(Render *render, GString *out, gint64 release_id)
{
    write_release_sum(render, out, release_id, TRUE, FALSE);
}

void
summary_release_counts_accepted(Render *render, GString *out, gint64 release_id)
{
    write_release_sum(render, out, release_id, FALSE, TRUE);
}

void
summary_release_counts_total(Render *render, GString *out, gint64 release_id)
{
    write_release_sum(render, out, release_id, FALSE, FALSE);
}

/* The end of the iteration that the plan puts the marker in; none for the Icebox. */
void
summary_release_completion(Render *render, GString *out, gint64 release_id)
{
    gint64 project_id =
        project_of(render, RELEASE_PROJECT " AND current_state <> 'accepted'", release_id);
    const Plan *plan = project_id ? computed_plan(render, project_id) : NULL;

    for (gsize i = plan ? plan->current : 0; plan && i < plan->n_iterations; i++) {
        const PlanIteration *iteration = &plan->iterations[i];

        for (gsize j = 0; j < iteration->n_stories; j++) {
            if (iteration->story_ids[j] == release_id) {
                json_time(out, iteration->finish_ms, render->millis);
                return;
            }
        }
    }
}

/* Over an epic's stories that were accepted before the current iteration. */
static void
write_epic_sum(Render *render, GString *out, gint64 epic_id, const char *sql)
{
    gint64 project_id = project_of(render, "SELECT project_id FROM epic WHERE id = ?1", epic_id);
    const Plan *plan = computed_plan(render, project_id);
    g_autoptr(DbStmt) stmt = db_prepare(render->conn, sql);

    db_bind_int(stmt, 1, epic_id);
    db_bind_int(stmt, 2, plan ? plan->iterations[plan->current].start_ms : 0);
    json_number(out, db_next(stmt) ? db_double(stmt, 0) : 0);
}

#define EPIC_DONE                                                                                  \
    " FROM epic e JOIN story_label x ON x.label_id = e.label_id JOIN story s ON s.id = x.story_id" \
    " WHERE e.id = ?1 AND s.current_state = 'accepted' AND s.accepted_at < ?2"

void
summary_epic_past_estimates(Render *render, GString *out, gint64 epic_id)
{
    write_epic_sum(render, out, epic_id, "SELECT sum(s.estimate)" EPIC_DONE);
}

void
summary_epic_past_count(Render *render, GString *out, gint64 epic_id)
{
    write_epic_sum(render, out, epic_id, "SELECT count(*)" EPIC_DONE);
}

void
summary_epic_past_no_point_count(Render *render, GString *out, gint64 epic_id)
{
    write_epic_sum(render, out, epic_id,
                   "SELECT count(*)" EPIC_DONE " AND COALESCE(s.estimate, 0) = 0");
}

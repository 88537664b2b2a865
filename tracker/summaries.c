/* Time in a state runs from the transition into it to the next one; in the last state to now, and
 * in accepted not at all. The cycle runs from the first start to the last acceptance, or to now. */
#include "tracker/summaries.h"

#include <string.h>

#include "tracker/computed.h"
#include "tracker/json_writer.h"

typedef struct Cycle {
    gint64 ms[4], count[4];
    gint64 first_start_ms, last_accept_ms; /* -1: never */
} Cycle;

static const char *const cycle_states[4] = {"started", "finished", "delivered", "rejected"};

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
        if (state == 0 && cycle->first_start_ms < 0) {
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

void
summary_blocked_stories(Render *render, GString *out, gint64 story_id)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        render->conn,
        "SELECT DISTINCT b.story_id FROM blocker b JOIN story s ON s.id = b.story_id"
        " WHERE COALESCE(b.resolved, 0) = 0 AND b.description IS NOT NULL"
        " AND " BLOCKER_TARGET("b.description") " = ?1"
                                                " AND s.project_id = (SELECT project_id FROM story "
                                                "WHERE id = ?1) ORDER BY b.story_id");

    db_bind_int(stmt, 1, story_id);
    g_string_append_c(out, '[');
    while (db_next(stmt)) {
        json_separate(out);
        json_int(out, db_int(stmt, 0));
    }
    g_string_append_c(out, ']');
}

/* Sums over the stories of a release: counts or points, all or the accepted ones. */
static void
write_release_sum(Render *render, GString *out, gint64 release_id, gboolean points,
                  gboolean accepted_only)
{
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

static gint64
project_of(Render *render, const char *sql, gint64 id)
{
    g_autoptr(DbStmt) stmt = db_prepare(render->conn, sql);

    db_bind_int(stmt, 1, id);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

/* The end of the iteration that the plan puts the marker in; none for the Icebox. */
void
summary_release_completion(Render *render, GString *out, gint64 release_id)
{
    gint64 project_id = project_of(
        render, "SELECT project_id FROM story WHERE id = ?1 AND current_state <> 'accepted'",
        release_id);
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

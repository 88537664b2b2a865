/* A project's plan needs all its stories, but only its current iteration's number needs just the
 * calendar: that is asked for with every project, so it reads no more than the earliest acceptance.
 */
#include "tracker/computed.h"

#include <string.h>

#include "tracker/json_writer.h"

struct Plans {
    GHashTable *by_project; /* gint64 → Plan */
};

void
plans_free(Plans *plans)
{
    if (plans) {
        g_hash_table_unref(plans->by_project);
        g_free(plans);
    }
}

static GArray *
read_overrides(DbConn *conn, gint64 project_id)
{
    GArray *overrides = g_array_new(FALSE, TRUE, sizeof(PlanOverride));
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT number, length, team_strength FROM iteration_override"
                         " WHERE project_id = ?1 ORDER BY number");

    db_bind_int(stmt, 1, project_id);
    while (db_next(stmt)) {
        PlanOverride override = {
            .number = db_int(stmt, 0),
            .length = db_int(stmt, 1),
            .team_strength = db_is_null(stmt, 2) ? -1.0 : db_double(stmt, 2),
        };

        g_array_append_val(overrides, override);
    }
    return overrides;
}

static GArray *
read_stories(DbConn *conn, gint64 project_id)
{
    GArray *stories = g_array_new(FALSE, TRUE, sizeof(PlanStory));
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT id, current_state, estimate, accepted_at FROM story"
                         " WHERE project_id = ?1 ORDER BY position");

    db_bind_int(stmt, 1, project_id);
    while (db_next(stmt)) {
        PlanStory story = {
            .id = db_int(stmt, 0),
            .state = plan_state_from_name(db_text(stmt, 1)),
            .has_estimate = !db_is_null(stmt, 2),
            .estimate = db_double(stmt, 2),
            .accepted_at_ms = db_int(stmt, 3),
        };

        g_array_append_val(stories, story);
    }
    return stories;
}

/* All that the calendar wants to know of the stories. */
static GArray *
read_earliest(DbConn *conn, gint64 project_id)
{
    GArray *stories = g_array_new(FALSE, TRUE, sizeof(PlanStory));
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT accepted_at FROM story WHERE project_id = ?1"
                                              " AND current_state = 'accepted' AND accepted_at > 0"
                                              " ORDER BY accepted_at LIMIT 1");

    db_bind_int(stmt, 1, project_id);
    if (db_next(stmt)) {
        PlanStory story = {.id = 1, .state = PLAN_ACCEPTED, .accepted_at_ms = db_int(stmt, 0)};

        g_array_append_val(stories, story);
    }
    return stories;
}

static Plan *
make_plan(Render *render, gint64 project_id, gboolean calendar_only)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        render->conn, "SELECT time_zone, start_date, COALESCE(start_time, created_at, 0),"
                      " week_start_day, COALESCE(iteration_length, 1),"
                      " COALESCE(velocity_averaged_over, 3), COALESCE(initial_velocity, 10),"
                      " COALESCE(automatic_planning, 1) FROM project WHERE id = ?1");
    g_autoptr(GArray) overrides = NULL, stories = NULL;
    PlanProject project;

    db_bind_int(stmt, 1, project_id);
    if (!db_next(stmt)) {
        return NULL;
    }
    overrides = read_overrides(render->conn, project_id);
    stories = calendar_only ? read_earliest(render->conn, project_id)
                            : read_stories(render->conn, project_id);
    project = (PlanProject){
        .time_zone = db_text(stmt, 0),
        .start_date = db_text(stmt, 1),
        .fallback_start_ms = db_int(stmt, 2),
        .week_start_day = db_text(stmt, 3),
        .iteration_length = db_int(stmt, 4),
        .velocity_averaged_over = db_int(stmt, 5),
        .initial_velocity = db_double(stmt, 6),
        .automatic_planning = db_int(stmt, 7) != 0,
        .overrides = (const PlanOverride *)(const void *)overrides->data,
        .n_overrides = overrides->len,
    };
    return plan_new(&project, (const PlanStory *)(const void *)stories->data, stories->len,
                    render->now_ms);
}

static void
plan_free_data(gpointer data)
{
    plan_free(data);
}

const Plan *
computed_plan(Render *render, gint64 project_id)
{
    Plan *plan;

    if (!render->plans) {
        render->plans = g_new0(Plans, 1);
        render->plans->by_project =
            g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, plan_free_data);
    }
    plan = g_hash_table_lookup(render->plans->by_project, &project_id);
    if (!plan) {
        plan = make_plan(render, project_id, FALSE);
        if (plan) {
            (void)g_hash_table_insert(render->plans->by_project,
                                      g_memdup2(&project_id, sizeof project_id), plan);
        }
    }
    return plan;
}

void
compute_iteration_number(Render *render, GString *out, gint64 project_id)
{
    g_autoptr(Plan) plan = make_plan(render, project_id, TRUE);

    if (plan) {
        json_int(out, plan->iterations[plan->current].number);
    }
}

gint64
computed_current_start_ms(Render *render, gint64 project_id)
{
    g_autoptr(Plan) plan = make_plan(render, project_id, TRUE);

    return plan ? plan->iterations[plan->current].start_ms : 0;
}

void
compute_velocity(Render *render, GString *out, gint64 project_id)
{
    const Plan *plan = computed_plan(render, project_id);

    if (plan) {
        json_number(out, plan->velocity);
    }
}

void
compute_volatility(Render *render, GString *out, gint64 project_id)
{
    const Plan *plan = computed_plan(render, project_id);

    if (plan) {
        json_number(out, plan->volatility);
    }
}

void
compute_deviation(Render *render, GString *out, gint64 project_id)
{
    const Plan *plan = computed_plan(render, project_id);

    if (plan) {
        json_number(out, plan->standard_deviation);
    }
}

/* One of the three maps of counts, with the states in the order of V5. */
static void
write_counts(GString *out, const char *name, const char *const *states, const double *values,
             gsize n_states)
{
    json_key(out, name);
    g_string_append_c(out, '{');
    for (gsize i = 0; i < n_states; i++) {
        json_key(out, states[i]);
        json_number(out, values[i]);
    }
    g_string_append(out, ",\"kind\":\"counts_by_story_state\"}");
}

void
compute_counts(Render *render, GString *out, gint64 label_id)
{
    static const char *const states[] = {"accepted", "started",   "finished",    "unstarted",
                                         "planned",  "delivered", "unscheduled", "rejected"};
    double zero[G_N_ELEMENTS(states)] = {0}, sum[G_N_ELEMENTS(states)] = {0},
           number[G_N_ELEMENTS(states)] = {0};
    g_autoptr(DbStmt) stmt = db_prepare(
        render->conn, "SELECT s.current_state, count(*), sum(COALESCE(s.estimate, 0)),"
                      " sum(COALESCE(s.estimate, 0) = 0)"
                      " FROM story_label l JOIN story s INDEXED BY story_counted"
                      " ON s.id = l.story_id WHERE l.label_id = ?1 GROUP BY s.current_state");

    db_bind_int(stmt, 1, label_id);
    while (db_next(stmt)) {
        for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
            if (g_strcmp0(states[i], db_text(stmt, 0)) == 0) {
                number[i] = db_double(stmt, 1);
                sum[i] = db_double(stmt, 2);
                zero[i] = db_double(stmt, 3);
            }
        }
    }
    g_string_append_c(out, '{');
    write_counts(out, "number_of_zero_point_stories_by_state", states, zero, G_N_ELEMENTS(states));
    write_counts(out, "sum_of_story_estimates_by_state", states, sum, G_N_ELEMENTS(states));
    write_counts(out, "number_of_stories_by_state", states, number, G_N_ELEMENTS(states));
    g_string_append(out, ",\"kind\":\"story_counts\"}");
}

static void
write_ids(DbStmt *stmt, gint64 id, GString *out)
{
    db_bind_int(stmt, 1, id);
    while (db_next(stmt)) {
        json_separate(out);
        json_int(out, db_int(stmt, 0));
    }
}

void
compute_attachment_ids(Render *render, GString *out, gint64 comment_id)
{
    g_autoptr(DbStmt) files = db_prepare(
        render->conn, "SELECT id FROM file_attachment WHERE comment_id = ?1 ORDER BY id");
    g_autoptr(DbStmt) google = db_prepare(
        render->conn, "SELECT id FROM google_attachment WHERE comment_id = ?1 ORDER BY id");

    g_string_append_c(out, '[');
    write_ids(files, comment_id, out);
    write_ids(google, comment_id, out);
    g_string_append_c(out, ']');
}

/* Files and Google documents in one list, each with its default attributes. */
void
compute_attachments(Render *render, GString *out, gint64 comment_id)
{
    g_autoptr(Selection) file = fields_select(&kind_file_attachment, NULL, NULL);
    g_autoptr(Selection) google = fields_select(&kind_google_attachment, NULL, NULL);
    DbStmt *stmt = db_prepare(render->conn,
                              "SELECT id FROM file_attachment WHERE comment_id = ?1 ORDER BY id");
    g_autoptr(GArray) ids = NULL;

    db_bind_int(stmt, 1, comment_id);
    ids = render_ids(stmt);
    g_string_append_c(out, '[');
    (void)render_list(render, file, (const gint64 *)(const void *)ids->data, ids->len, out);
    g_clear_pointer(&ids, g_array_unref);
    stmt = db_prepare(render->conn,
                      "SELECT id FROM google_attachment WHERE comment_id = ?1 ORDER BY id");
    db_bind_int(stmt, 1, comment_id);
    ids = render_ids(stmt);
    (void)render_list(render, google, (const gint64 *)(const void *)ids->data, ids->len, out);
    g_string_append_c(out, ']');
}

GArray *
computed_release_stories(Render *render, gint64 release_id)
{
    DbStmt *stmt = db_prepare(
        render->conn, "SELECT s.id FROM story r JOIN story s ON s.project_id = r.project_id"
                      " AND s.position < r.position AND s.position > COALESCE((SELECT "
                      "max(p.position) FROM story p"
                      "  WHERE p.project_id = r.project_id AND p.story_type = 'release'"
                      "  AND p.position < r.position), -9223372036854775808)"
                      " WHERE r.id = ?1 AND s.story_type <> 'release'"
                      " AND (s.current_state = 'unscheduled') = (r.current_state = 'unscheduled')"
                      " ORDER BY s.position");

    db_bind_int(stmt, 1, release_id);
    return render_ids(stmt);
}

void
compute_release_story_ids(Render *render, GString *out, gint64 release_id)
{
    g_autoptr(GArray) ids = computed_release_stories(render, release_id);

    g_string_append_c(out, '[');
    for (guint i = 0; i < ids->len; i++) {
        json_separate(out);
        json_int(out, g_array_index(ids, gint64, i));
    }
    g_string_append_c(out, ']');
}

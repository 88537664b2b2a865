/* Iterations exist only as a plan (tracker/planning.h): the handlers choose a range of it and write
 * each one field by field; the stories of the whole range are rendered at once. */
#include "tracker/computed.h"
#include "tracker/history.h"
#include "tracker/json_writer.h"
#include "tracker/routes.h"
#include "tracker/summaries.h"

#include <string.h>

#define PAGE_DEFAULT 10
#define PAGE_MAX 50

/* All that writing an iteration needs. */
typedef struct Writer {
    Call *call;
    Selection *selection;
    Pieces *stories;      /* NULL when not asked for */
    GHashTable *labelled; /* ids of stories with the label asked for; NULL: all */
} Writer;

static void
writer_clear(Writer *writer)
{
    selection_free(writer->selection);
    pieces_free(writer->stories);
    g_clear_pointer(&writer->labelled, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Writer, writer_clear)

static gboolean
is_shown(const Writer *writer, gint64 story_id)
{
    return !writer->labelled || g_hash_table_contains(writer->labelled, &story_id);
}

static void
write_stories(const Writer *writer, const PlanIteration *iteration, gboolean ids_only, GString *out)
{
    g_string_append_c(out, '[');
    for (gsize i = 0; i < iteration->n_stories; i++) {
        gint64 id = iteration->story_ids[i];

        if (!is_shown(writer, id)) {
            continue;
        }
        if (ids_only) {
            json_separate(out);
            json_int(out, id);
        } else {
            (void)pieces_append(writer->stories, id, out);
        }
    }
    g_string_append_c(out, ']');
}

/* The days of the iteration, of the stories for which a time (a column) lies in it. (unsure: which
 * stories these two attributes count is not recorded.) */
static void
write_days(Call *call, const PlanIteration *iteration, const char *column, GString *out)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT s.id FROM story s WHERE s.project_id = ?1 AND s.%s >= ?2"
                        " AND s.%s < ?3 ORDER BY s.id",
                        column, column);
    DbStmt *stmt = db_prepare(call->conn, sql);
    g_autoptr(GArray) ids = NULL;

    db_bind_int(stmt, 1, call->project_id);
    db_bind_int(stmt, 2, iteration->start_ms);
    db_bind_int(stmt, 3, iteration->finish_ms);
    ids = render_ids(stmt);
    history_write_iteration(&call->render, call->project_id, iteration, ids, out);
}

static void
write_field(const Writer *writer, IterationField field, const PlanIteration *iteration,
            GString *out)
{
    gboolean millis = writer->call->render.millis;

    switch (field) {
    case ITERATION_NUMBER:
        json_int(out, iteration->number);
        break;
    case ITERATION_PROJECT_ID:
        json_int(out, writer->call->project_id);
        break;
    case ITERATION_LENGTH:
        json_int(out, iteration->length);
        break;
    case ITERATION_TEAM_STRENGTH:
        json_number(out, iteration->team_strength);
        break;
    case ITERATION_STORIES:
        write_stories(writer, iteration, FALSE, out);
        break;
    case ITERATION_STORY_IDS:
        write_stories(writer, iteration, TRUE, out);
        break;
    case ITERATION_START:
        json_time(out, iteration->start_ms, millis);
        break;
    case ITERATION_FINISH:
        json_time(out, iteration->finish_ms, millis);
        break;
    case ITERATION_VELOCITY:
        json_number(out, iteration->velocity);
        break;
    case ITERATION_POINTS:
        json_number(out, iteration->points);
        break;
    case ITERATION_ACCEPTED_POINTS:
        json_number(out, iteration->accepted_points);
        break;
    case ITERATION_EFFECTIVE_POINTS:
        json_float(out, iteration->effective_points);
        break;
    case ITERATION_ACCEPTED:
        write_days(writer->call, iteration, "accepted_at", out);
        break;
    case ITERATION_CREATED:
        write_days(writer->call, iteration, "created_at", out);
        break;
    case ITERATION_ANALYTICS:
        summary_iteration(&writer->call->render, writer->call->project_id, iteration, out);
        break;
    case ITERATION_KIND:
        g_string_append(out, "\"iteration\"");
        break;
    }
}

static void
write_iteration(const Writer *writer, const PlanIteration *iteration, GString *out)
{
    json_separate(out);
    g_string_append_c(out, '{');
    for (guint i = 0; i < writer->selection->picked->len; i++) {
        const Field *field = g_array_index(writer->selection->picked, Picked, i).field;

        json_key(out, field->name);
        write_field(writer, (IterationField)(field - kind_iteration.fields), iteration, out);
    }
    g_string_append_c(out, '}');
}

static Selection *
story_selection(const Selection *selection)
{
    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);

        if (picked->field == &kind_iteration.fields[ITERATION_STORIES]) {
            return picked->child;
        }
    }
    return NULL;
}

static void
read_labelled(Writer *writer, const char *label)
{
    g_autofree char *lower =
        g_utf8_validate(label, -1, NULL) ? g_utf8_strdown(label, -1) : g_strdup(label);
    g_autoptr(DbStmt) stmt = db_prepare(
        writer->call->conn, "SELECT x.story_id FROM label l JOIN story_label x ON x.label_id = l.id"
                            " WHERE l.project_id = ?1 AND l.name = ?2");

    writer->labelled = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    db_bind_int(stmt, 1, writer->call->project_id);
    db_bind_text(stmt, 2, lower);
    while (db_next(stmt)) {
        gint64 id = db_int(stmt, 0);

        (void)g_hash_table_add(writer->labelled, g_memdup2(&id, sizeof id));
    }
}

/* Prepares for iterations [first, end) of the plan. */
static gboolean
writer_open(Writer *writer, Call *call, const Plan *plan, gsize first, gsize end)
{
    const char *label = call_param(call, "label");
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    Selection *stories;

    writer->call = call;
    writer->selection = call_fields(call, &kind_iteration);
    if (!writer->selection) {
        return FALSE;
    }
    if (label) {
        read_labelled(writer, label);
    }
    stories = story_selection(writer->selection);
    if (stories) {
        for (gsize i = first; i < end; i++) {
            g_array_append_vals(ids, plan->iterations[i].story_ids,
                                (guint)plan->iterations[i].n_stories);
        }
        writer->stories = render_each(&call->render, stories,
                                      (const gint64 *)(const void *)ids->data, ids->len, NULL);
    }
    return TRUE;
}

static gboolean
choose_scope(Call *call, const Plan *plan, gsize *ret_first, gsize *ret_end)
{
    const char *scope;

    if (!call_param_enum(call, "scope", "done,current,backlog,current_backlog,done_current",
                         &scope)) {
        return FALSE;
    }
    *ret_first = 0;
    *ret_end = plan->n_iterations;
    if (!scope) {
        return TRUE;
    }
    if (strcmp(scope, "done") == 0) {
        *ret_end = plan->current;
    } else if (strcmp(scope, "done_current") == 0) {
        *ret_end = plan->current + 1;
    } else if (strcmp(scope, "current") == 0) {
        *ret_first = plan->current;
        *ret_end = plan->current + 1;
    } else {
        *ret_first = plan->current + (strcmp(scope, "backlog") == 0 ? 1 : 0);
    }
    return TRUE;
}

gboolean
read_iterations(Call *call)
{
    const Plan *plan = computed_plan(&call->render, call->project_id);
    g_auto(Writer) writer = {0};
    const char *scope = call_param(call, "scope");
    gboolean is_done = g_strcmp0(scope, "done") == 0;
    gsize first, end;

    if (!plan) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    if (!choose_scope(call, plan, &first, &end) ||
        !call_page(call, PAGE_DEFAULT, PAGE_MAX, is_done)) {
        return FALSE;
    }
    call->total = (gint64)(end - first);
    if (g_strcmp0(scope, "current") == 0) {
        call->paged = FALSE;
    } else {
        /* Before the first: from the first. The header keeps the offset as it was asked. */
        gint64 skip = call->offset >= 0 ? call->offset
                                        : MAX(call->total + MAX(call->offset, -call->total), 0);

        first += (gsize)MIN(skip, call->total);
        end = MIN(end, first + (gsize)call->limit);
    }
    if (!writer_open(&writer, call, plan, first, end)) {
        return FALSE;
    }
    g_string_append_c(call->body, '[');
    for (gsize i = first; i < end; i++) {
        write_iteration(&writer, &plan->iterations[i], call->body);
    }
    g_string_append_c(call->body, ']');
    call->returned = (gint64)(end - first);
    return TRUE;
}

static const PlanIteration *
iteration_of_path(Call *call)
{
    const Plan *plan = computed_plan(&call->render, call->project_id);
    const PlanIteration *iteration = plan ? plan_iteration(plan, call->id) : NULL;

    if (!iteration) {
        (void)call_fail(call, PROBLEM_UNFOUND);
    }
    return iteration;
}

gboolean
read_iteration(Call *call)
{
    const Plan *plan = computed_plan(&call->render, call->project_id);
    const PlanIteration *iteration = iteration_of_path(call);
    g_auto(Writer) writer = {0};
    gsize index;

    if (!iteration) {
        return FALSE;
    }
    index = (gsize)(iteration - plan->iterations);
    if (!writer_open(&writer, call, plan, index, index + 1)) {
        return FALSE;
    }
    write_iteration(&writer, iteration, call->body);
    return TRUE;
}

gboolean
read_analytics(Call *call)
{
    const PlanIteration *iteration = iteration_of_path(call);

    if (!iteration) {
        return FALSE;
    }
    summary_iteration(&call->render, call->project_id, iteration, call->body);
    return TRUE;
}

gboolean
read_cycle_times(Call *call)
{
    const PlanIteration *iteration = iteration_of_path(call);

    if (!iteration) {
        return FALSE;
    }
    g_string_append_c(call->body, '[');
    for (gsize i = 0; i < iteration->n_stories; i++) {
        json_separate(call->body);
        summary_cycle_time(&call->render, call->body, iteration->story_ids[i]);
    }
    g_string_append_c(call->body, ']');
    return TRUE;
}

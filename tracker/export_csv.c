/* Two passes: how often each group of columns is needed, then row by row. A group is a statement
 * that gives the cells of one story's things, one row for each. */
#include "tracker/export_csv.h"

#include <string.h>

#include "tracker/computed.h"
#include "tracker/history.h"
#include "tracker/json_writer.h"

#define MAX_CELLS 3 /* of a group's thing */

typedef struct Group {
    const char *columns[MAX_CELLS];
    gboolean always;    /* at least once, even where no story has one */
    const char *tables; /* FROM ... with the story's id as owner */
    const char *owner;  /* the column that holds it */
    const char *cells;  /* SELECT ... */
    const char *order;
    gboolean is_comment; /* text, author and time make one cell */
} Group;

static const Group groups[] = {
    {{"Owned By"},
     TRUE,
     "story_owner x LEFT JOIN person p ON p.id = x.person_id",
     "x.story_id",
     "p.name",
     "x.position",
     FALSE},
    {{"Blocker", "Blocker Status"},
     FALSE,
     "blocker x",
     "x.story_id",
     "x.description, CASE WHEN COALESCE(x.resolved, 0) THEN 'resolved' ELSE 'blocked' END",
     "x.id",
     FALSE},
    {{"Comment"},
     FALSE,
     "comment x LEFT JOIN person p ON p.id = x.person_id",
     "x.story_id",
     "x.text, COALESCE(p.name, 'Unknown'), x.created_at",
     "x.id",
     TRUE},
    {{"Task", "Task Status"},
     FALSE,
     "task x",
     "x.story_id",
     "x.description, CASE WHEN COALESCE(x.complete, 0) THEN 'completed' ELSE 'not completed' END",
     "x.position, x.id",
     FALSE},
    {{"Review Type", "Reviewer", "Review Status"},
     FALSE,
     "review x LEFT JOIN review_type y ON y.id = x.review_type_id"
     " LEFT JOIN person p ON p.id = x.reviewer_id",
     "x.story_id",
     "y.name, p.name, x.status",
     "x.id",
     FALSE},
    {{"Pull Request"},
     FALSE,
     "pull_request x",
     "x.story_id",
     "COALESCE(x.original_url, rtrim(x.host_url, '/') || '/' || x.owner || '/' || x.repo ||"
     " '/pull/' || x.number)",
     "x.id",
     FALSE},
    {{"Git Branch"}, FALSE, "branch x", "x.story_id", "x.name", "x.id", FALSE},
};

typedef struct Export {
    Render *render;
    GString *out;
    guint times[G_N_ELEMENTS(groups)];
    DbStmt *things[G_N_ELEMENTS(groups)];
    gint64 project_id; /* of the last row: its zone and plan follow */
    Zone *zone;
    GHashTable *iterations; /* id → const PlanIteration */
    gsize end;              /* of the row's last cell that has something */
} Export;

static guint
n_columns(const Group *group)
{
    guint n = 0;

    while (n < MAX_CELLS && group->columns[n]) {
        n++;
    }
    return n;
}

static void
write_quoted(const char *text, GString *out)
{
    g_string_append_c(out, '"');
    for (const char *at = text; *at; at++) {
        g_string_append_c(out, *at);
        if (*at == '"') {
            g_string_append_c(out, '"');
        }
    }
    g_string_append_c(out, '"');
}

static void
write_text(const char *text, GString *out)
{
    if (strpbrk(text, ",\"\r\n")) {
        write_quoted(text, out);
    } else {
        g_string_append(out, text);
    }
}

/* The next cell; NULL: nothing in it. */
static void
cell(Export *export, const char *text)
{
    g_string_append_c(export->out, ',');
    if (text && *text) {
        write_text(text, export->out);
        export->end = export->out->len;
    }
}

/* A spreadsheet must not take a text for a formula. */
static void
cell_text(Export *export, const char *text)
{
    g_autofree char *guarded = text && *text == '=' ? g_strconcat("'", text, NULL) : NULL;

    cell(export, guarded ? guarded : text);
}

static char *
date_text(gint64 day)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char iso[ZONE_DAY_TEXT_BYTES];
    guint64 month = 1, number = 1;

    zone_day_to_text(day, iso); /* YYYY-MM-DD */
    month = g_ascii_strtoull(iso + 5, NULL, 10);
    number = g_ascii_strtoull(iso + 8, NULL, 10);
    return g_strdup_printf("%s %u, %.4s", months[CLAMP(month, 1, 12) - 1], (guint)number, iso);
}

static void
cell_day(Export *export, DbStmt *row, int column)
{
    g_autofree char *text =
        db_is_null(row, column) ? NULL : date_text(zone_day_of(export->zone, db_int(row, column)));

    cell(export, text);
}

static void
enter_project(Export *export, gint64 project_id)
{
    const Plan *plan;

    if (export->project_id == project_id) {
        return;
    }
    export->project_id = project_id;
    g_clear_pointer(&export->zone, zone_close);
    export->zone = history_zone(export->render, project_id);
    g_hash_table_remove_all(export->iterations);
    plan = computed_plan(export->render, project_id);
    for (gsize i = 0; plan && i < plan->n_iterations; i++) {
        const PlanIteration *iteration = &plan->iterations[i];

        for (gsize j = 0; j < iteration->n_stories; j++) {
            (void)g_hash_table_insert(export->iterations,
                                      (gpointer)(guintptr)&iteration->story_ids[j],
                                      (gpointer)(guintptr)iteration);
        }
    }
}

static void
cell_iteration(Export *export, gint64 id)
{
    const PlanIteration *iteration = g_hash_table_lookup(export->iterations, &id);
    g_autofree char *number = NULL, *start = NULL, *end = NULL;

    if (iteration) {
        number = g_strdup_printf("%" G_GINT64_FORMAT, iteration->number);
        start = date_text(zone_day_of(export->zone, iteration->start_ms));
        end = date_text(zone_day_of(export->zone, iteration->finish_ms) - 1);
    }
    cell(export, number);
    cell(export, start);
    cell(export, end);
}

static void
cell_priority(Export *export, const char *priority)
{
    static const char *const names[][2] = {
        {"p0", "p0 - Critical"}, {"p1", "p1 - High"}, {"p2", "p2 - Medium"}, {"p3", "p3 - Low"}};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(priority, names[i][0]) == 0) {
            cell(export, names[i][1]);
            return;
        }
    }
    cell(export, "none");
}

/* The text of a comment with who wrote it when. */
static void
cell_comment(Export *export, DbStmt *row)
{
    const char *text = db_text(row, 0);
    g_autofree char *date =
        db_is_null(row, 2) ? NULL : date_text(zone_day_of(export->zone, db_int(row, 2)));
    g_autofree char *whole = g_strdup_printf("%s%s(%s%s%s)", text ? text : "", text ? " " : "",
                                             db_text(row, 1), date ? " - " : "", date ? date : "");

    cell_text(export, whole);
}

static void
write_group(Export *export, gsize index, gint64 id)
{
    const Group *group = &groups[index];
    guint columns = n_columns(group), written = 0;
    DbStmt *stmt = export->things[index];

    db_bind_int(stmt, 1, id);
    while (written < export->times[index] && db_next(stmt)) {
        if (group->is_comment) {
            cell_comment(export, stmt);
        } else {
            for (guint i = 0; i < columns; i++) {
                cell_text(export, db_text(stmt, (int)i));
            }
        }
        written++;
    }
    db_rewind(stmt);
    for (; written < export->times[index]; written++) {
        for (guint i = 0; i < columns; i++) {
            cell(export, NULL);
        }
    }
    if (group->always) {
        export->end = export->out->len;
    }
}

/* Columns of the statement in export_csv(). */
enum {
    ID,
    PROJECT,
    NAME,
    LABELS,
    TYPE,
    ESTIMATE,
    PRIORITY,
    STATE,
    CREATED,
    ACCEPTED,
    DEADLINE,
    REQUESTER,
    DESCRIPTION,
    URL
};

static void
write_row(Export *export, DbStmt *row)
{
    GString *out = export->out;
    gint64 id = db_int(row, ID);
    const char *labels = db_text(row, LABELS);
    g_autoptr(GString) estimate = g_string_new(NULL);

    enter_project(export, db_int(row, PROJECT));
    json_int(out, id);
    cell_text(export, db_text(row, NAME));
    if (labels) {
        cell(export, labels);
    } else {
        g_string_append(out, ",\"\""); /* as recorded: the one empty cell with quotes */
    }
    cell_iteration(export, id);
    cell(export, db_text(row, TYPE));
    if (!db_is_null(row, ESTIMATE)) {
        json_number(estimate, db_double(row, ESTIMATE));
    }
    cell(export, estimate->str);
    cell_priority(export, db_text(row, PRIORITY));
    cell(export, db_text(row, STATE));
    cell_day(export, row, CREATED);
    cell_day(export, row, ACCEPTED);
    cell_day(export, row, DEADLINE);
    cell(export, db_text(row, REQUESTER));
    cell_text(export, db_text(row, DESCRIPTION));
    cell(export, db_text(row, URL));
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        write_group(export, i, id);
    }
    g_string_truncate(out, export->end);
    g_string_append_c(out, '\n');
}

static void
write_header(Export *export)
{
    g_string_append(export->out,
                    "Id,Title,Labels,Iteration,Iteration Start,Iteration End,Type,Estimate,"
                    "Priority,Current State,Created at,Accepted at,Deadline,Requested By,"
                    "Description,URL");
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        for (guint time = 0; time < export->times[i]; time++) {
            for (guint j = 0; j < n_columns(&groups[i]); j++) {
                g_string_append_printf(export->out, ",%s", groups[i].columns[j]);
            }
        }
    }
    g_string_append_c(export->out, '\n');
}

/* How often a group is needed, and the statement that gives its things. */
static void
prepare_group(Export *export, gsize index, const char *ids)
{
    const Group *group = &groups[index];
    g_autofree char *count =
        g_strdup_printf("SELECT max(n) FROM (SELECT count(*) AS n FROM %s WHERE %s IN"
                        " (SELECT value FROM json_each(?1)) GROUP BY %s)",
                        group->tables, group->owner, group->owner);
    g_autofree char *select =
        g_strdup_printf("SELECT %s FROM %s WHERE %s = ?1 ORDER BY %s", group->cells, group->tables,
                        group->owner, group->order);
    g_autoptr(DbStmt) stmt = db_prepare(export->render->conn, count);
    guint times;

    db_bind_text(stmt, 1, ids);
    times = db_next(stmt) ? (guint)db_int(stmt, 0) : 0;
    export->times[index] = MAX(times, group->always ? 1 : 0);
    export->things[index] = db_prepare(export->render->conn, select);
}

static char *
ids_json(const GArray *ids)
{
    GString *list = g_string_new("[");

    for (guint i = 0; i < ids->len; i++) {
        json_separate(list);
        json_int(list, g_array_index(ids, gint64, i));
    }
    g_string_append_c(list, ']');
    return g_string_free(list, FALSE);
}

void
export_csv(Render *render, const GArray *ids, GString *out)
{
    g_autofree char *list = ids_json(ids);
    Export export = {
        .render = render, .out = out, .iterations = g_hash_table_new(g_int64_hash, g_int64_equal)};
    g_autoptr(DbStmt) stmt = db_prepare(
        render->conn,
        "SELECT s.id, s.project_id, s.name,"
        " (SELECT group_concat(name, ', ') FROM (SELECT l.name FROM story_label x JOIN label l"
        "  ON l.id = x.label_id WHERE x.story_id = s.id ORDER BY l.name)),"
        " s.story_type, s.estimate, s.story_priority, s.current_state, s.created_at,"
        " s.accepted_at, s.deadline, (SELECT p.name FROM person p WHERE p.id = s.requested_by_id),"
        " s.description, COALESCE(s.url, (SELECT value FROM meta WHERE key = 'web_base')"
        " || '/story/show/' || s.id)"
        " FROM json_each(?1) j JOIN story s ON s.id = j.value ORDER BY j.key");

    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        prepare_group(&export, i, list);
    }
    write_header(&export);
    db_bind_text(stmt, 1, list);
    while (db_next(stmt)) {
        write_row(&export, stmt);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        db_done(export.things[i]);
    }
    g_hash_table_unref(export.iterations);
    g_clear_pointer(&export.zone, zone_close);
}

char *
export_csv_name(const char *project_name, gint64 now_ms)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(now_ms / 1000);
    g_autofree char *when = g_date_time_format(now, "%Y%m%d_%H%M");
    g_autofree char *lower = g_utf8_strdown(project_name, -1);
    GString *name = g_string_new(NULL);

    for (const char *at = lower; *at; at = g_utf8_next_char(at)) {
        if (g_unichar_isalnum(g_utf8_get_char(at))) {
            g_string_append_unichar(name, g_utf8_get_char(at));
        } else if (name->len > 0 && name->str[name->len - 1] != '_') {
            g_string_append_c(name, '_');
        }
    }
    g_string_append_printf(name, "%s%s.csv", name->len ? "_" : "", when);
    return g_string_free(name, FALSE);
}

/* Search: GET search of a project or a workspace, and the parameter `filter` of stories and epics.
 *
 * A search reads the ids of all its hits, in order, with what it sums up, in one statement; then
 * only what is shown is rendered. Hits of done iterations are counted always and shown on request.
 */
#include "tracker/read_search.h"

#include <string.h>

#include "tracker/computed.h"
#include "tracker/json_writer.h"
#include "tracker/routes.h"
#include "tracker/search_sql.h"

#define SHOWN_MAX 500 /* of each project */
#define PAGE_DEFAULT 100
#define PAGE_MAX 500

typedef struct Hits {
    GArray *ids; /* of gint64, in order; done ones last */
    gint64 not_done;
    double points, points_completed;
} Hits;

static void
hits_clear(Hits *hits)
{
    g_clear_pointer(&hits->ids, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hits, hits_clear)

static void
scope_clear(SearchScope *scope)
{
    g_clear_pointer(&scope->zone, zone_close);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SearchScope, scope_clear)

/* Days are those of the searcher's time zone; nobody's are the project's. */
static SearchScope
scope_of(Call *call, gint64 project_id)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(call->conn, "SELECT COALESCE((SELECT time_zone FROM person WHERE id = ?1),"
                               " (SELECT time_zone FROM project WHERE id = ?2))");
    SearchScope scope = {
        .project_id = project_id, .person_id = call->person_id, .now_ms = call->now_ms};

    db_bind_int(stmt, 1, call->person_id);
    db_bind_int(stmt, 2, project_id);
    scope.zone = zone_open_or_utc(db_next(stmt) ? db_text(stmt, 0) : NULL);
    scope.current_start_ms = computed_current_start_ms(&call->render, project_id);
    return scope;
}

static gboolean
refuse(Call *call, const GError *error)
{
    g_autofree char *valid = g_utf8_make_valid(error->message, -1);

    return call_fail_text(call, valid);
}

/* Recently accepted, in progress, to be started, Icebox, done: each in project order. */
#define STORY_HITS                                                                                 \
    "SELECT t.id, t.current_state = 'accepted', COALESCE(t.estimate, 0),"                          \
    " CASE t.current_state WHEN 'accepted' THEN CASE WHEN COALESCE(t.accepted_at, 0) < ?2 THEN 4"  \
    " ELSE 0 END WHEN 'unscheduled' THEN 3 WHEN 'unstarted' THEN 2 WHEN 'planned' THEN 2 ELSE 1"   \
    " END AS place FROM story t WHERE "

static gboolean
find_stories(Call *call, const Search *search, const SearchScope *scope, Hits *hits)
{
    g_autoptr(GError) error = NULL;
    g_auto(Where) where;
    DbStmt *stmt;

    where_init(&where);
    (void)where_bind_int(&where, scope->project_id);
    (void)where_bind_int(&where, scope->current_start_ms);
    if (!search_add_stories(&where, search, scope, &error)) {
        return refuse(call, error);
    }
    hits->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    db_regexp_restart(call->conn);
    stmt = where_prepare(&where, call->conn,
                         search_is_selective(search) ? STORY_HITS "+t.project_id = ?1"
                                                     : STORY_HITS "t.project_id = ?1",
                         " ORDER BY place, t.position");
    while (db_next(stmt)) {
        gint64 id = db_int(stmt, 0);
        gboolean done = db_int(stmt, 3) == 4;

        g_array_append_val(hits->ids, id);
        hits->not_done += done ? 0 : 1;
        if (!done || search->include_done) {
            hits->points += db_double(stmt, 2);
            hits->points_completed += db_int(stmt, 1) ? db_double(stmt, 2) : 0;
        }
    }
    db_done(stmt);
    return !db_regexp_gave_up(call->conn) ||
           call_fail_text(call, "The regular expression in your search takes too long.");
}

static gboolean
find_epics(Call *call, const Search *search, const SearchScope *scope, Hits *hits)
{
    g_autoptr(GError) error = NULL;
    g_auto(Where) where;

    where_init(&where);
    (void)where_bind_int(&where, scope->project_id);
    if (!search_add_epics(&where, search, scope, &error)) {
        return refuse(call, error);
    }
    db_regexp_restart(call->conn);
    hits->ids = render_ids(where_prepare(&where, call->conn,
                                         "SELECT t.id FROM epic t WHERE t.project_id = ?1",
                                         " ORDER BY t.position"));
    hits->not_done = hits->ids->len;
    return !db_regexp_gave_up(call->conn) ||
           call_fail_text(call, "The regular expression in your search takes too long.");
}

static gint64
n_shown(const Search *search, const Hits *hits)
{
    return search->include_done ? (gint64)hits->ids->len : hits->not_done;
}

static Search *
parse_parameter(Call *call, const char *name)
{
    g_autoptr(GError) error = NULL;
    Search *search = search_parse(call_param(call, name), &error);

    if (!search) {
        (void)refuse(call, error);
    }
    return search;
}

/* Both lists of an answer, summed up over one or more projects. */
typedef struct Found {
    GArray *stories, *epics; /* of gint64, to be shown */
    double points, points_completed;
    gint64 hits, hits_with_done, epic_hits;
} Found;

static void
found_clear(Found *found)
{
    g_clear_pointer(&found->stories, g_array_unref);
    g_clear_pointer(&found->epics, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static gboolean
find_all(Call *call, const Search *search, gint64 project_id, Found *found)
{
    g_auto(SearchScope) scope = scope_of(call, project_id);
    g_auto(Hits) stories = {0};
    g_auto(Hits) epics = {0};

    if (!find_stories(call, search, &scope, &stories) ||
        !find_epics(call, search, &scope, &epics)) {
        return FALSE;
    }
    g_array_append_vals(found->stories, stories.ids->data,
                        (guint)MIN(n_shown(search, &stories), SHOWN_MAX));
    g_array_append_vals(found->epics, epics.ids->data, MIN(epics.ids->len, SHOWN_MAX));
    found->points += stories.points;
    found->points_completed += stories.points_completed;
    found->hits += n_shown(search, &stories);
    found->hits_with_done += stories.ids->len;
    found->epic_hits += epics.ids->len;
    return TRUE;
}

static void
write_objects(Call *call, const Picked *picked, const GArray *ids)
{
    g_string_append_c(call->body, '[');
    (void)render_list(&call->render, picked->child, (const gint64 *)(const void *)ids->data,
                      ids->len, call->body);
    g_string_append_c(call->body, ']');
}

/* One of the two lists with its counts. */
static void
write_part(Call *call, const Selection *selection, const Found *found)
{
    gboolean of_stories = selection->kind == &kind_stories_found;
    GString *out = call->body;

    g_string_append_c(out, '{');
    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);
        const char *name = picked->field->name;

        json_key(out, name);
        if (picked->child) {
            write_objects(call, picked, of_stories ? found->stories : found->epics);
        } else if (strcmp(name, "total_points") == 0) {
            json_number(out, found->points);
        } else if (strcmp(name, "total_points_completed") == 0) {
            json_number(out, found->points_completed);
        } else if (strcmp(name, "total_hits_with_done") == 0) {
            json_int(out, found->hits_with_done);
        } else {
            json_int(out, of_stories ? found->hits : found->epic_hits);
        }
    }
    g_string_append_c(out, '}');
}

/* Both lists and, as "query", what was asked. `fields` chooses among the three and inside of them.
 */
static gboolean
write_found(Call *call, const Found *found)
{
    g_autoptr(Selection) selection = call_fields(call, &kind_search);
    const char *query = call_param(call, "query");
    GString *out = call->body;

    if (!selection) {
        return FALSE;
    }
    g_string_append_c(out, '{');
    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);

        json_key(out, picked->field->name);
        if (picked->child) {
            write_part(call, picked->child, found);
        } else {
            json_text(out, query, strlen(query));
        }
    }
    g_string_append_c(out, '}');
    return TRUE;
}

static Search *
require_query(Call *call)
{
    if (!call_param(call, "query")) {
        (void)call_fail_text(call, "this endpoint requires the parameter: query");
        return NULL;
    }
    return parse_parameter(call, "query");
}

static void
found_init(Found *found)
{
    *found = (Found){.stories = g_array_new(FALSE, FALSE, sizeof(gint64)),
                     .epics = g_array_new(FALSE, FALSE, sizeof(gint64))};
}

gboolean
read_search(Call *call)
{
    g_autoptr(Search) search = require_query(call);
    g_auto(Found) found = {0};

    if (!search) {
        return FALSE;
    }
    found_init(&found);
    return find_all(call, search, call->project_id, &found) && write_found(call, &found);
}

/* The workspace's projects that the caller may still read, in its order. */
gboolean
read_workspace_search(Call *call)
{
    g_autoptr(Search) search = require_query(call);
    g_auto(Found) found = {0};
    g_autoptr(GArray) projects = NULL;
    DbStmt *stmt;

    if (!search) {
        return FALSE;
    }
    stmt = db_prepare(call->conn, "SELECT 1 FROM workspace WHERE id = ?1 AND person_id = ?2");
    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->person_id);
    if (!db_next(stmt)) {
        db_done(stmt);
        return call_fail(call, PROBLEM_UNFOUND);
    }
    db_done(stmt);
    stmt = db_prepare(call->conn, "SELECT x.project_id FROM workspace_project x JOIN membership m"
                                  " ON m.project_id = x.project_id AND m.person_id = ?2"
                                  " AND m.role <> 'inactive' WHERE x.workspace_id = ?1"
                                  " ORDER BY x.position");
    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, call->person_id);
    projects = render_ids(stmt);
    found_init(&found);
    for (guint i = 0; i < projects->len; i++) {
        if (!find_all(call, search, g_array_index(projects, gint64, i), &found)) {
            return FALSE;
        }
    }
    return write_found(call, &found);
}

/* (unsure: the text of the refusal is not recorded.) */
static gboolean
check_alone(Call *call)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, call->params);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!call_is_common_param(name) && strcmp(name, "filter") != 0 &&
            strcmp(name, "limit") != 0 && strcmp(name, "offset") != 0 &&
            strcmp(name, "project_id") != 0) {
            return call_fail_parameter(
                call, "the parameter 'filter' cannot be combined with the parameter: %s", name);
        }
    }
    return TRUE;
}

gboolean
search_answer_stories(Call *call)
{
    g_autoptr(Search) search = check_alone(call) ? parse_parameter(call, "filter") : NULL;
    g_autoptr(GArray) page = NULL;
    g_auto(SearchScope) scope = {0};
    g_auto(Hits) hits = {0};

    if (!search || !call_page(call, PAGE_DEFAULT, PAGE_MAX, FALSE)) {
        return FALSE;
    }
    scope = scope_of(call, call->project_id);
    if (!find_stories(call, search, &scope, &hits)) {
        return FALSE;
    }
    call->total = n_shown(search, &hits);
    page = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (call->offset < call->total) {
        g_array_append_vals(page, &g_array_index(hits.ids, gint64, call->offset),
                            (guint)MIN(call->limit, call->total - call->offset));
    }
    call->total_unknown = call->total == 0; /* as recorded */
    return call_answer_list(call, &kind_story, page);
}

gboolean
search_answer_epics(Call *call)
{
    g_autoptr(Search) search = check_alone(call) ? parse_parameter(call, "filter") : NULL;
    g_auto(SearchScope) scope = {0};
    g_auto(Hits) hits = {0};

    if (!search) {
        return FALSE;
    }
    scope = scope_of(call, call->project_id);
    return find_epics(call, search, &scope, &hits) && call_answer_list(call, &kind_epic, hits.ids);
}

/* Two tables of patterns: reading is below, all other methods are in routes_write.c. A pattern's
 * segments are words, or :p :s :e :c :u :i for the ids of project, story, epic, comment, person and
 * whatever comes last, or :name. The first pattern that fits wins, so words stand before ids
 * ("bulk"). A path that fits none, or with another method, is route_not_found; an id that is no
 * number is an object that does not exist. Order of the checks, as recorded: route, credentials,
 * names, project, story. */
#include "tracker/routes.h"

#include <string.h>

#include "tracker/auth.h"
#include "tracker/changes.h"

#define BASE "/services/v5/"

typedef struct Route {
    const char *pattern;
    const char *params; /* comma list, beside the common ones */
    HandlerFn handler;
    RouteFlags flags;
} Route;

#define PAGE "limit,offset"
#define ACTIVITY PAGE ",occurred_before,occurred_after,since_version,sort_order"
#define STORY "projects/:p/stories/:s"
#define STORY_FILTERS                                                                              \
    "with_label,with_story_type,with_story_priority,with_state,after_story_id,before_story_id,"    \
    "accepted_before,accepted_after,created_before,created_after,updated_before,updated_after,"    \
    "deadline_before,deadline_after"

static const Route routes[] = {
    {"me", "", read_me, ROUTE_PASSWORD},
    {"my/people", "project_id", read_my_people, 0},
    {"my/activity", PAGE ",occurred_before,occurred_after,since_version,sort_order",
     read_my_activity, 0},
    {"my/workspaces", "", read_my_workspaces, 0},
    {"my/workspaces/:i", "", read_my_workspace, 0},
    {"my/workspaces/:i/search", "query", read_workspace_search, 0},
    {"my/workspaces/:i/activity", ACTIVITY, read_my_workspace_activity, 0},
    {"my/notifications", "created_after,notification_types", read_my_notifications, 0},
    {"my/notifications/:i", "", read_my_notification, 0},
    {"people/:u/notifications/since/:t", "", read_notifications_since, 0},
    {"accounts", "", read_accounts, 0},
    {"accounts/:i", "", read_account, 0},
    {"accounts/:i/memberships", "", read_account_memberships, 0},
    {"accounts/:i/memberships/:u", "", read_account_membership, 0},
    {"account_summaries", "with_permission", read_account_summaries, 0},
    {"projects", "account_ids", read_projects, 0},
    {"projects/:p", "", read_project, 0},
    {"projects/:p/memberships", "sort_by", read_memberships, 0},
    {"projects/:p/memberships/:i", "", read_membership, 0},
    {"projects/:p/labels", "", read_labels, 0},
    {"projects/:p/labels/:i", "", read_label, 0},
    {"projects/:p/activity", ACTIVITY, read_project_activity, 0},
    {"projects/:p/iterations", PAGE ",scope,label", read_iterations, 0},
    {"projects/:p/iterations/:i", "", read_iteration, 0},
    {"projects/:p/iterations/:i/analytics", "", read_analytics, 0},
    {"projects/:p/iterations/:i/analytics/cycle_time_details", "", read_cycle_times, 0},
    {"projects/:p/history/days", "start_date,end_date,label", read_history_days, 0},
    {"projects/:p/history/iterations/:i/days", "", read_history_iteration, 0},
    {"projects/:p/history/releases/:i/days", "", read_history_release, 0},
    {"projects/:p/history/snapshots", "start_date,end_date", read_history_snapshots, 0},
    {"projects/:p/releases", PAGE ",with_state", read_releases, 0},
    {"projects/:p/releases/:i", "", read_release, 0},
    {"projects/:p/releases/:i/stories", "", read_release_stories, 0},
    {"projects/:p/review_types", "", read_review_types, 0},
    {"projects/:p/webhooks", "", read_webhooks, 0},
    {"projects/:p/webhooks/:i", "", read_webhook, 0},
    {"projects/:p/integrations", "", read_integrations, 0},
    {"projects/:p/integrations/:i", "", read_integration, 0},
    {"projects/:p/integrations/:i/stories", "exclude_linked", read_integration_stories, 0},
    {"projects/:p/my/searches", "", read_saved_searches, 0},
    {"projects/:p/story_transitions", PAGE ",occurred_before,occurred_after",
     read_project_transitions, 0},
    {"projects/:p/search", "query", read_search, 0},
    {"projects/:p/stories", PAGE ",filter," STORY_FILTERS, read_stories, 0},
    {"projects/:p/stories/bulk", "ids", read_bulk, 0},
    {STORY, "", read_story, ROUTE_STORY_ALIAS},
    {STORY "/owners", "", read_story_owners, ROUTE_STORY_ALIAS},
    {STORY "/labels", "", read_story_labels, ROUTE_STORY_ALIAS},
    {STORY "/tasks", "", read_story_tasks, ROUTE_STORY_ALIAS},
    {STORY "/tasks/:i", "", read_story_task, ROUTE_STORY_ALIAS},
    {STORY "/comments", "", read_story_comments, ROUTE_STORY_ALIAS},
    {STORY "/comments/:i", "", read_story_comment, ROUTE_STORY_ALIAS},
    {STORY "/blockers", "", read_story_blockers, ROUTE_STORY_ALIAS},
    {STORY "/blockers/:i", "", read_story_blocker, ROUTE_STORY_ALIAS},
    {STORY "/reviews", "", read_story_reviews, ROUTE_STORY_ALIAS},
    {STORY "/reviews/:i", "", read_story_review, ROUTE_STORY_ALIAS},
    {STORY "/transitions", PAGE ",occurred_before,occurred_after", read_story_transitions,
     ROUTE_STORY_ALIAS},
    {STORY "/activity", ACTIVITY, read_story_activity, ROUTE_STORY_ALIAS},
    {"projects/:p/epics", "filter", read_epics, 0},
    {"projects/:p/epics/:e", "", read_epic, ROUTE_STORY_ALIAS},
    {"projects/:p/epics/:e/comments", "", read_epic_comments, ROUTE_STORY_ALIAS},
    {"projects/:p/epics/:e/comments/:i", "", read_epic_comment, ROUTE_STORY_ALIAS},
    {"projects/:p/epics/:e/activity", ACTIVITY, read_epic_activity, ROUTE_STORY_ALIAS},
    {"file_attachments/:i/download", "inline", download_redirect, ROUTE_ROOT},
    {"resource/:i/:name", "signature,expires,inline", download_file, ROUTE_ROOT | ROUTE_NOBODY},
};

/* Ids of the path as it was matched; -1 for one that is no number. */
struct Match {
    const char *pattern;
    RouteFlags flags;
    const Route *read; /* or */
    const WriteRoute *write;
    gint64 project, story, epic, person, comment, id;
    char *name;      /* borrowed from the segments */
    char **segments; /* owned */
};

void
match_free(Match *match)
{
    g_strfreev(match->segments);
    g_free(match);
}

static gint64
id_of(const char *text)
{
    gint64 id;

    return g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &id, NULL) ? id : -1;
}

/* Milliseconds; -1 when they are none. */
static gint64
time_of(const char *text)
{
    gint64 ms;

    return g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, &ms, NULL) ? ms : -1;
}

static gboolean
match_segment(Match *match, const char *word, gsize bytes, char *segment)
{
    if (word[0] != ':') {
        return strlen(segment) == bytes && strncmp(word, segment, bytes) == 0;
    }
    switch (word[1]) {
    case 'p':
        match->project = id_of(segment);
        break;
    case 's':
        match->story = id_of(segment);
        break;
    case 'e':
        match->epic = id_of(segment);
        break;
    case 'u':
        match->person = id_of(segment);
        break;
    case 'c':
        match->comment = id_of(segment);
        break;
    case 'n':
        match->name = segment;
        break;
    case 't':
        match->id = time_of(segment);
        break;
    default:
        match->id = id_of(segment);
    }
    return TRUE;
}

static gboolean
match_pattern(Match *match, const char *pattern, char **segments)
{
    match->project = match->story = match->epic = match->person = match->comment = match->id = 0;
    match->name = NULL;
    while (*pattern && *segments) {
        gsize bytes = strcspn(pattern, "/");

        if (!match_segment(match, pattern, bytes, *segments)) {
            return FALSE;
        }
        pattern += bytes;
        pattern += *pattern == '/' ? 1 : 0;
        segments++;
    }
    return *pattern == '\0' && *segments == NULL;
}

static gboolean
fits(Match *match, const char *pattern, RouteFlags flags, gboolean root)
{
    if (root && !(flags & ROUTE_ROOT)) {
        return FALSE;
    }
    if (!match_pattern(match, pattern, match->segments) &&
        !((flags & ROUTE_STORY_ALIAS) &&
          match_pattern(match, pattern + strlen("projects/:p/"), match->segments))) {
        return FALSE;
    }
    match->pattern = pattern;
    match->flags = flags;
    return TRUE;
}

static gboolean
find_write(Match *match, const char *method, gboolean root, const WriteRoute *table, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (strcmp(table[i].method, method) == 0 &&
            fits(match, table[i].pattern, table[i].flags, root)) {
            match->write = &table[i];
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
find_route(Match *match, const char *method, gboolean root)
{
    if (strcmp(method, "GET") == 0) {
        for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
            if (fits(match, routes[i].pattern, routes[i].flags, root)) {
                match->read = &routes[i];
                return TRUE;
            }
        }
        return FALSE;
    }
    /* PATCH means what PUT means, as the documentation named it (unsure). */
    method = strcmp(method, "PATCH") == 0 ? "PUT" : method;
    return find_write(match, method, root, write_routes, n_write_routes) ||
           find_write(match, method, root, manage_routes, n_manage_routes);
}

/* The path's segments, decoded. Empty ones are dropped, as the real service's framework did: so
 * "projects//stories" is "projects/stories", which is a project of no number to GET and nothing at
 * all to POST (recorded). NULL when an escape is wrong or hides a NUL. */
static char **
split_path(const char *path)
{
    g_auto(GStrv) raw = g_strsplit(path, "/", 16);
    g_autoptr(GStrvBuilder) segments = g_strv_builder_new();

    for (char **part = raw; *part; part++) {
        g_autofree char *segment = g_uri_unescape_string(*part, NULL);

        if (!segment) {
            return NULL;
        }
        if (*segment) {
            g_strv_builder_add(segments, segment);
        }
    }
    return g_strv_builder_end(segments);
}

static gboolean
reject_credentials(Call *call, const char *possible_fix)
{
    (void)call_fail(call, PROBLEM_INVALID_AUTHENTICATION);
    if (possible_fix) {
        g_free(call->problem.possible_fix);
        call->problem.possible_fix = g_strdup(possible_fix);
    }
    return FALSE;
}

static gboolean
authenticate_password(Call *call)
{
    const TrackerRequest *request = call->request;
    const char *password = request->basic_password ? request->basic_password : "";

    call->person_id = auth_password_person(call->conn, request->basic_user, password);
    if (!call->person_id) {
        return reject_credentials(
            call, "Recheck your name (email address or Tracker username) and password.");
    }
    call->derived_token = auth_password_token(call->conn, call->person_id);
    if (auth_token_person(call->conn, call->derived_token) == call->person_id) {
        call->known_token = g_steal_pointer(&call->derived_token);
        call->render.api_token = call->known_token;
    } else if (db_read_only(db_of(call->conn))) {
        g_clear_pointer(&call->derived_token, g_free); /* cannot be made good: not given away */
    } else {
        call->render.api_token = call->derived_token;
    }
    return TRUE;
}

static gboolean
authenticate(Call *call, RouteFlags flags)
{
    const TrackerRequest *request = call->request;
    const char *token = request->token ? request->token : call_param(call, "token");

    if (flags & ROUTE_NOBODY) {
        return TRUE;
    }
    if (request->trusted_person_id) {
        call->person_id = request->trusted_person_id;
        return TRUE;
    }
    if (token) {
        call->person_id = auth_token_person(call->conn, token);
        call->render.api_token = token;
        return call->person_id ? TRUE : reject_credentials(call, NULL);
    }
    if (request->basic_user && (flags & ROUTE_PASSWORD)) {
        return authenticate_password(call);
    }
    return TRUE; /* nobody: may read public projects */
}

/* What was a project is not owned up to, as if it were somebody else's. */
static gboolean
fail_missing_project(Call *call, gint64 project_id)
{
    g_autoptr(DbStmt) stmt = db_prepare(call->conn, "SELECT 1 FROM deleted_project WHERE id = ?1");

    db_bind_int(stmt, 1, project_id);
    if (!call->person_id) {
        return call_fail(call, PROBLEM_INVALID_AUTHENTICATION);
    }
    return call_fail(call, db_next(stmt) ? PROBLEM_UNAUTHORIZED : PROBLEM_UNFOUND);
}

gboolean
call_enter_project(Call *call, gint64 project_id)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn,
        "SELECT version, COALESCE(public, 0) <> 0 OR COALESCE(project_type, '') = 'public',"
        " EXISTS(SELECT 1 FROM membership m WHERE m.project_id = p.id AND m.person_id = ?2"
        " AND m.role <> 'inactive') FROM project p WHERE p.id = ?1");
    gboolean is_public, is_member;

    db_bind_int(stmt, 1, project_id);
    db_bind_int(stmt, 2, call->person_id);
    if (!db_next(stmt)) {
        return fail_missing_project(call, project_id);
    }
    is_public = db_int(stmt, 1) != 0;
    is_member = db_int(stmt, 2) != 0;
    if (!is_member && !is_public) {
        return call_fail(call,
                         call->person_id ? PROBLEM_UNAUTHORIZED : PROBLEM_INVALID_AUTHENTICATION);
    }
    call->render.hide_emails = !is_member;
    call->project_id = project_id;
    call->project_version = db_int(stmt, 0);
    return TRUE;
}

Role
call_role_of(Call *call, gint64 project_id, gint64 person_id)
{
    static const char *const names[] = {
        [ROLE_VIEWER] = "viewer", [ROLE_MEMBER] = "member", [ROLE_OWNER] = "owner"};
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT role FROM membership WHERE project_id = ?1 AND person_id = ?2");

    db_bind_int(stmt, 1, project_id);
    db_bind_int(stmt, 2, person_id);
    if (db_next(stmt)) {
        for (Role role = ROLE_VIEWER; role <= ROLE_OWNER; role++) {
            if (g_strcmp0(db_text(stmt, 0), names[role]) == 0) {
                return role;
            }
        }
    }
    return ROLE_NONE;
}

/* The project of a story or an epic; 0 when there is none such. */
static gint64
project_of(Call *call, const char *sql, gint64 id)
{
    g_autoptr(DbStmt) stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, id);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

/* Project, story and epic of the path: there, open to the caller, and belonging together. */
static gboolean
enter(Call *call, const Match *match)
{
    gint64 parent = 0;

    if (match->project == 0 && match->story == 0 && match->epic == 0) {
        return match->flags & ROUTE_NOBODY || match->flags & ROUTE_ROOT || call->person_id
                   ? TRUE
                   : call_fail(call, PROBLEM_INVALID_AUTHENTICATION);
    }
    if (match->project < 0) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    if (match->project > 0 && !call_enter_project(call, match->project)) {
        return FALSE;
    }
    if (match->story != 0) {
        parent = project_of(call, "SELECT project_id FROM story WHERE id = ?1", match->story);
    } else if (match->epic != 0) {
        parent = project_of(call, "SELECT project_id FROM epic WHERE id = ?1", match->epic);
    } else {
        return TRUE;
    }
    if (parent == 0 || (match->project > 0 && parent != match->project)) {
        return call_fail(call, call->person_id || match->project > 0
                                   ? PROBLEM_UNFOUND
                                   : PROBLEM_INVALID_AUTHENTICATION);
    }
    call->story_id = match->story;
    call->epic_id = match->epic;
    return match->project > 0 || call_enter_project(call, parent);
}

/* Is the caller somebody, and enough in the project to change it? */
static gboolean
check_writer(Call *call, const WriteRoute *route)
{
    if (!call->person_id) {
        return call_fail(call, PROBLEM_INVALID_AUTHENTICATION);
    }
    if (route->role == ROLE_NONE) {
        return TRUE;
    }
    call->role = call_role_of(call, call->project_id, call->person_id);
    return call->role >= route->role || call_fail(call, PROBLEM_UNAUTHORIZED);
}

static gboolean
run_write(Call *call, const WriteRoute *route)
{
    static const ParamTable nothing = {NULL, 0, FALSE, NULL};

    if (!check_writer(call, route)) {
        return FALSE;
    }
    if (!(route->flags & (ROUTE_RAW | ROUTE_UPLOAD)) &&
        !body_parse(call, route->body ? route->body : &nothing)) {
        return FALSE;
    }
    return route->handler(call) && change_close(call);
}

gboolean
routes_writes(const Call *call)
{
    return call->match->write && !(call->match->flags & ROUTE_READS);
}

/* Who asks, and whether what the path names is there for them. */
static gboolean
enter_path(Call *call)
{
    const Match *match = call->match;

    if (!call_parse_query(call) || !authenticate(call, match->flags)) {
        return FALSE;
    }
    if (match->id < 0 || match->person < 0 || match->comment < 0) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    call->id = match->id;
    call->path_person_id = match->person;
    call->comment_id = match->comment;
    g_free(call->name);
    call->name = g_strdup(match->name);
    return enter(call, match);
}

gboolean
routes_prepare(Call *call)
{
    const Match *match = call->match;

    return enter_path(call) && check_writer(call, match->write) &&
           (!(match->flags & ROUTE_UPLOAD) || upload_store(call));
}

gboolean
routes_run(Call *call)
{
    const Match *match = call->match;

    if (!enter_path(call)) {
        return FALSE;
    }
    if (match->write) {
        return run_write(call, match->write);
    }
    return call_check_params(call, match->read->params) && match->read->handler(call);
}

gboolean
routes_find(Call *call)
{
    const char *path = call->request->path ? call->request->path : "";
    gboolean root = !g_str_has_prefix(path, BASE);

    if (root && path[0] != '/') {
        return call_fail(call, PROBLEM_NO_ROUTE);
    }
    call->match = g_new0(Match, 1);
    call->match->segments = split_path(path + (root ? 1 : strlen(BASE)));
    if (!call->match->segments || !call->request->method ||
        !find_route(call->match, call->request->method, root)) {
        return call_fail(call, PROBLEM_NO_ROUTE);
    }
    return TRUE;
}

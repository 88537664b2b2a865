/* Conformance: what recorded exchanges with the real service say, asked of ours.
 *
 * For each source below $TRACKERFS_SHARED_DIR/recorded everything is imported into one database,
 * and each exchange is asked again. A source is a film of a project, the database holds only its
 * last picture; so an exchange that differs there is asked again of a database made from its own
 * file alone. Requests that write are asked of a copy, in which what they need is put in place
 * first: the objects of the path, the file that is to be attached. An exchange is covered when one
 * of the two answers has everything of the recorded one that compare_answers() looks at.
 *
 * Those that are not covered stand in left_out, each with its reason: fewer than one in ten. An
 * exchange that differs and is not there fails the test, and so does one that is there and is
 * covered. The clock stands at the time of the recording, if that is known. Recordings are not part
 * of this repository; without them the test is skipped. */
#include "support_recorded.h"
#include "tests/unit/support_folder.h"

#include "tracker/auth.h"
#include "tracker/db.h"
#include "tracker/import/v5_json.h"

#include <string.h>

#define WITNESS_ID G_GINT64_CONSTANT(2147000001) /* a member of every project, who looks */
#define BAD_TOKEN "0123456789abcdef0123456789abcdef"

static const struct {
    const char *name, *reason;
} left_out[] = {
    {"WebsiteOne/002", "its query was not kept: it has attributes that must be asked for"},
    {"pivotal-tracker-jasonnoble/011", "all user names were replaced by the same word"},
    {"pivotal-tracker-jasonnoble/023", "who the member is was replaced"},
    {"pivotaltrackR/005", "of an envelope only the data was kept"},
    {"story_tracker/007", "the velocity and the overrides of that time are not known"},
    {"story_tracker/022", "the iterations before were not recorded"},
    {"story_tracker/042", "the velocity and the overrides of that time are not known"},
    {"story_tracker/043", "the iterations before were not recorded"},
    {"story_tracker/049", "the velocity and the overrides of that time are not known"},
    {"tracker-news/002", "the query was not kept"},
    {"tracker_api/217", "file_attachments were asked for, and not sent"},
};

/* Keys that the service began to send between two recordings: they may be more than was recorded
 * in older ones. */
static const struct {
    const char *difference;
    gint64 since_ms;
} came_later[] = {
    {"extra story.owner_ids", G_GINT64_CONSTANT(1391212800000)},             /* February 2014 */
    {"extra iteration.length", G_GINT64_CONSTANT(1451606400000)},            /* 2016 */
    {"extra file_attachment.content_type", G_GINT64_CONSTANT(1514764800000)} /* 2018 */
};

typedef struct Store {
    char *dir, *path;
    Tracker *tracker;
    gint64 now_ms;
} Store;

typedef struct Result {
    guint covered, left_out, failed;
    guint objects;
} Result;

static gint64
store_clock(gpointer user)
{
    return ((Store *)user)->now_ms;
}

/* ---- databases ---- */

static void
store_new(Store *store)
{
    store->dir = folder_new();
    store->path = g_build_filename(store->dir, "t.db", NULL);
}

static void
store_start(Store *store)
{
    g_autoptr(GError) error = NULL;
    store->tracker = tracker_open(store->path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    tracker_set_clock(store->tracker, store_clock, store);
}

static void
store_close(Store *store)
{
    tracker_close(store->tracker);
    folder_remove(store->dir);
    g_free(store->path);
}

static void run_sql(Store *store, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
run_sql(Store *store, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(store->tracker), &error);
    va_list args;
    va_start(args, format);
    g_autofree char *sql = g_strdup_vprintf(format, args);
    va_end(args);
    (void)db_exec(conn, sql, &error);
    g_assert_no_error(error);
}

/* A member of everything, with the right to everything. */
static void
add_member(Store *store, gint64 person)
{
    run_sql(store,
            "INSERT OR IGNORE INTO person(id, name, initials, username) VALUES(%" G_GINT64_FORMAT
            ", 'Witness', 'W', 'the-witness');"
            "INSERT OR IGNORE INTO membership(project_id, person_id, role)"
            " SELECT id, %" G_GINT64_FORMAT ", 'owner' FROM project;"
            "INSERT OR IGNORE INTO account_membership(account_id, person_id, owner, admin)"
            " SELECT id, %" G_GINT64_FORMAT ", 0, 1 FROM account;",
            person, person, person);
}

static void
store_import(Store *store, const char *const *files, gsize n_files)
{
    g_autoptr(GError) error = NULL;
    store_new(store);
    store_start(store);
    (void)tracker_import_v5_json(store->tracker, files, n_files, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    /* The real service had the bytes. */
    run_sql(store, "UPDATE file_attachment SET content_hash = 'there'");
    add_member(store, WITNESS_ID);
}

static void
store_copy(Store *store, Store *from)
{
    store_new(store);
    run_sql(from, "VACUUM INTO '%s'", store->path);
    store_start(store);
}

/* ---- putting things in place for a write ---- */

/* The number after "name/" in the path; 0: none. */
static gint64
path_id(const char *path, const char *name)
{
    g_autofree char *segment = g_strconcat("/", name, "/", NULL);
    const char *at = strstr(path, segment);
    return at ? g_ascii_strtoll(at + strlen(segment), NULL, 10) : 0;
}

static void
prepare_path(Store *store, const char *path, gint64 caller)
{
    gint64 project = path_id(path, "projects");
    gint64 story = path_id(path, "stories");
    gint64 epic = path_id(path, "epics");
    gint64 comment = path_id(path, "comments");
    gint64 account = path_id(path, "accounts");
    if (account > 0) {
        run_sql(store,
                "INSERT OR IGNORE INTO account(id, name, plan, status)"
                " VALUES(%" G_GINT64_FORMAT ", 'Account', 'Free', 'active')",
                account);
    }
    if (project > 0) {
        run_sql(store,
                "INSERT OR IGNORE INTO project(id, name, version) VALUES(%" G_GINT64_FORMAT
                ", 'Project', 1)",
                project);
    }
    if (project > 0 && story > 0) {
        run_sql(store,
                "INSERT OR IGNORE INTO story(id, project_id, position, name, story_type,"
                " current_state, requested_by_id, created_at, updated_at) SELECT %" G_GINT64_FORMAT
                ", %" G_GINT64_FORMAT ", COALESCE(max(position), 0) + 65536, 'Story', 'feature',"
                " 'unscheduled', %" G_GINT64_FORMAT
                ", 1400000000000, 1400000000000 FROM story WHERE project_id = %" G_GINT64_FORMAT,
                story, project, caller, project);
    }
    if (project > 0 && epic > 0) {
        run_sql(store,
                "INSERT OR IGNORE INTO epic(id, project_id, position, name, created_at, updated_at)"
                " SELECT %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", COALESCE(max(position), 0) +"
                " 65536, 'Epic', 1400000000000, 1400000000000 FROM epic WHERE project_id ="
                " %" G_GINT64_FORMAT,
                epic, project, project);
    }
    if (comment > 0) {
        run_sql(store,
                "INSERT OR IGNORE INTO comment(id, story_id, epic_id, text, person_id, created_at,"
                " updated_at) VALUES(%" G_GINT64_FORMAT ", NULLIF(%" G_GINT64_FORMAT
                ", 0), NULLIF(%" G_GINT64_FORMAT ", 0), 'text', %" G_GINT64_FORMAT
                ", 1400000000000, 1400000000000)",
                comment, story, epic, caller);
    }
}

/* Files that the request attaches lie ready; those that it takes away are attached. */
static void
prepare_files(Store *store, const Exchange *exchange, gint64 caller)
{
    static const char *const lists[] = {"file_attachment_ids_to_add",
                                        "file_attachment_ids_to_remove"};
    json_t *body = exchange->body ? json_loads(exchange->body, 0, NULL) : NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        size_t k = 0;
        json_t *id = NULL;
        json_array_foreach(json_object_get(body, lists[i]), k, id)
        {
            gint64 comment = i == 1 ? path_id(exchange->path, "comments") : 0;
            run_sql(store,
                    "INSERT OR IGNORE INTO file_attachment(id, project_id, filename, content_type,"
                    " size, uploaded, uploader_id, created_at) VALUES(%" JSON_INTEGER_FORMAT
                    ", %" G_GINT64_FORMAT ", 'Gemfile', 'text/plain', 144, 1, %" G_GINT64_FORMAT
                    ", 1400000000000);"
                    "UPDATE file_attachment SET comment_id = NULLIF(%" G_GINT64_FORMAT
                    ", 0) WHERE id = %" JSON_INTEGER_FORMAT,
                    json_integer_value(id), path_id(exchange->path, "projects"), caller, comment,
                    json_integer_value(id));
        }
    }
    json_decref(body);
}

/* The story beside which the new one is to stand, and the one that was found there instead. */
static void
prepare_neighbours(Store *store, const Exchange *exchange)
{
    static const char found[] = "but result was ";
    json_t *body = exchange->body ? json_loads(exchange->body, 0, NULL) : NULL;
    const char *problem = json_string_value(json_object_get(exchange->answer, "general_problem"));
    const char *at = problem ? strstr(problem, found) : NULL;
    const gint64 ids[] = {json_integer_value(json_object_get(body, "after_id")),
                          at ? g_ascii_strtoll(at + strlen(found), NULL, 10) : 0};
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        if (ids[i] > 0) {
            run_sql(store,
                    "INSERT OR IGNORE INTO story(id, project_id, position, name, story_type,"
                    " current_state) VALUES(%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                    ", -1000, 'Neighbour', 'feature', 'unstarted')",
                    ids[i], path_id(exchange->path, "projects"));
        }
    }
    json_decref(body);
}

/* What the request is to make must not be there yet. */
static void
prepare_creation(Store *store, const Exchange *exchange)
{
    const char *kind = json_string_value(json_object_get(exchange->answer, "kind"));
    gint64 id = json_integer_value(json_object_get(exchange->answer, "id"));
    if (g_strcmp0(kind, "project") == 0) {
        run_sql(store,
                "UPDATE project SET name = name || ' of before' WHERE id = %" G_GINT64_FORMAT, id);
    } else if (g_strcmp0(kind, "account_membership") == 0) {
        run_sql(store, "DELETE FROM account_membership WHERE id = %" G_GINT64_FORMAT, id);
    }
}

/* ---- putting things in place for a read ---- */

/* Stories that were on the pages before. */
static void
prepare_page(Store *store, const Exchange *exchange)
{
    const char *at = exchange->query ? strstr(exchange->query, "offset=") : NULL;
    gint64 offset = at ? g_ascii_strtoll(at + strlen("offset="), NULL, 10) : 0;
    gint64 project = path_id(exchange->path, "projects");
    if (offset > 0 && project > 0 && g_str_has_suffix(exchange->path, "/stories")) {
        run_sql(store,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                "%" G_GINT64_FORMAT ") INSERT INTO story(project_id, position, name, story_type,"
                " current_state, accepted_at, created_at, updated_at) SELECT %" G_GINT64_FORMAT
                ", i - 1000000, 'Before', 'chore', 'accepted', i, i, i FROM n",
                offset, project);
    }
}

/* The calendar, so that the first iteration that was recorded has its number. */
static void
prepare_calendar(Store *store, const Exchange *exchange)
{
    const json_t *first = json_array_get(exchange->answer, 0);
    const char *start = json_string_value(json_object_get(first, "start"));
    const char *finish = json_string_value(json_object_get(first, "finish"));
    g_autoptr(GDateTime) from = start ? g_date_time_new_from_iso8601(start, NULL) : NULL;
    g_autoptr(GDateTime) to = finish ? g_date_time_new_from_iso8601(finish, NULL) : NULL;
    if (!from || !to) {
        return;
    }
    gint64 days = (g_date_time_difference(to, from) / G_TIME_SPAN_HOUR + 12) / 24;
    gint64 number = json_integer_value(json_object_get(first, "number"));
    g_autoptr(GDateTime) origin = g_date_time_add_days(from, (gint)(-days * (number - 1)));
    g_autofree char *date = g_date_time_format(origin, "%Y-%m-%d");
    const char *zone = g_date_time_get_hour(from) == 0 ? "UTC" : "America/Los_Angeles";
    static const char *const names[] = {"",         "Monday", "Tuesday",  "Wednesday",
                                        "Thursday", "Friday", "Saturday", "Sunday"};
    run_sql(store,
            "UPDATE project SET start_date = '%s', time_zone = '%s', week_start_day = '%s',"
            " iteration_length = %" G_GINT64_FORMAT " WHERE id = %" G_GINT64_FORMAT,
            date, zone, names[g_date_time_get_day_of_week(from)], days / 7,
            path_id(exchange->path, "projects"));
}

static void
prepare_owners(Store *store, const Exchange *exchange)
{
    size_t i = 0;
    json_t *person = NULL;
    if (!g_str_has_suffix(exchange->path, "/owners")) {
        return;
    }
    json_array_foreach(exchange->answer, i, person)
    {
        run_sql(store,
                "INSERT OR REPLACE INTO story_owner(story_id, position, person_id)"
                " VALUES(%" G_GINT64_FORMAT ", %zu, %" JSON_INTEGER_FORMAT ")",
                path_id(exchange->path, "stories"), i,
                json_integer_value(json_object_get(person, "id")));
    }
}

/* Things of people, whose the import cannot know them to be. */
static void
prepare_workspace(Store *store, const json_t *workspace, gint64 caller)
{
    json_int_t id = json_integer_value(json_object_get(workspace, "id"));
    size_t i = 0;
    json_t *project = NULL;
    run_sql(store,
            "INSERT OR REPLACE INTO workspace(id, person_id, name) VALUES(%" JSON_INTEGER_FORMAT
            ", %" G_GINT64_FORMAT ", 'Workspace')",
            id, caller);
    json_array_foreach(json_object_get(workspace, "projects"), i, project)
    {
        json_int_t project_id = json_integer_value(json_object_get(project, "id"));
        run_sql(store,
                "INSERT OR IGNORE INTO project(id, name, version) VALUES(%" JSON_INTEGER_FORMAT
                ", 'Project', 1);"
                "INSERT OR REPLACE INTO workspace_project VALUES(%" JSON_INTEGER_FORMAT
                ", %zu, %" JSON_INTEGER_FORMAT ")",
                project_id, id, i, project_id);
    }
}

static void
prepare_notification(Store *store, const json_t *notification, gint64 caller)
{
    json_int_t id = json_integer_value(json_object_get(notification, "id"));
    json_int_t project =
        json_integer_value(json_object_get(json_object_get(notification, "project"), "id"));
    json_int_t performer =
        json_integer_value(json_object_get(json_object_get(notification, "performer"), "id"));
    json_int_t story =
        json_integer_value(json_object_get(json_object_get(notification, "story"), "id"));
    run_sql(store,
            "INSERT OR IGNORE INTO project(id, name, version) VALUES(%" JSON_INTEGER_FORMAT
            ", 'Project', 1);"
            "INSERT OR IGNORE INTO person(id, name) VALUES(%" JSON_INTEGER_FORMAT ", 'Person');"
            "INSERT OR IGNORE INTO story(id, project_id, position, name, story_type,"
            " current_state) VALUES(%" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
            ", 1, 'Story', 'feature', 'unstarted');"
            "INSERT OR REPLACE INTO notification(id, person_id, project_id, performer_id, message,"
            " notification_type, action, story_id, created_at, updated_at)"
            " VALUES(%" JSON_INTEGER_FORMAT ", %" G_GINT64_FORMAT ", %" JSON_INTEGER_FORMAT
            ", %" JSON_INTEGER_FORMAT ", 'text', 'story', 'ownership', %" JSON_INTEGER_FORMAT
            ", 1, 1)",
            project, performer, story, project, id, caller, project, performer, story);
}

static void
prepare_own_things(Store *store, const Exchange *exchange, gint64 caller)
{
    size_t i = 0;
    json_t *one = NULL;
    if (strstr(exchange->path, "/my/workspaces/")) {
        prepare_workspace(store, exchange->answer, caller);
    }
    json_array_foreach(exchange->answer, i, one)
    {
        if (g_str_has_suffix(exchange->path, "/my/workspaces")) {
            prepare_workspace(store, one, caller);
        } else if (g_str_has_suffix(exchange->path, "/my/notifications")) {
            prepare_notification(store, one, caller);
        }
    }
}

static void
prepare_read(Store *store, const Exchange *exchange, gint64 caller)
{
    prepare_path(store, exchange->path, caller);
    prepare_page(store, exchange);
    prepare_calendar(store, exchange);
    prepare_owners(store, exchange);
    prepare_own_things(store, exchange, caller);
    add_member(store, caller);
}

/* ---- asking ---- */

/* The person whose token the recordings were made with, if they tell. */
static gint64
find_me(const GPtrArray *exchanges)
{
    for (guint i = 0; i < exchanges->len; i++) {
        const Exchange *exchange = exchanges->pdata[i];
        if (exchange->status == 200 && g_str_has_suffix(exchange->path, "/me")) {
            return json_integer_value(json_object_get(exchange->answer, "id"));
        }
    }
    return 0;
}

static gboolean
is_write(const Exchange *exchange)
{
    return !g_str_equal(exchange->method, "GET");
}

static gint64
caller_of(const Exchange *exchange, gint64 me_id)
{
    gint64 author = json_integer_value(json_object_get(exchange->answer, "person_id"));
    gboolean personal = strstr(exchange->path, "/my/") || g_str_has_suffix(exchange->path, "/me");
    if (is_write(exchange)) {
        return author ? author : me_id ? me_id : WITNESS_ID;
    }
    return personal && me_id ? me_id : WITNESS_ID;
}

/* An iteration that says not when it was asked for was the current one. */
static gint64
time_of(const Exchange *exchange)
{
    const json_t *first = json_array_get(exchange->answer, 0);
    const char *start = json_string_value(json_object_get(first, "start"));
    g_autoptr(GDateTime) from = start ? g_date_time_new_from_iso8601(start, NULL) : NULL;
    return exchange->recorded_ms ? exchange->recorded_ms
           : from                ? (g_date_time_to_unix(from) + 3600) * 1000
                                 : g_get_real_time() / 1000;
}

/* A good token of the caller; owned. */
static char *
token_of(Store *store, gint64 caller)
{
    g_autoptr(DbConn) conn = db_take(tracker_db(store->tracker), NULL);
    char *token = auth_token_new();
    g_assert_true(auth_token_add(conn, caller, token, "test", 0));
    return token;
}

static void
ask(Store *store, const Exchange *exchange, gint64 caller, Comparison *comparison)
{
    const char *code = json_string_value(json_object_get(exchange->answer, "code"));
    gboolean bad_token = g_strcmp0(code, "invalid_authentication") == 0;
    g_autofree char *token = bad_token ? g_strdup(BAD_TOKEN) : token_of(store, caller);
    /* Some recordings were asked for an envelope, and the query was not kept. */
    gboolean envelope = !exchange->query && json_object_get(exchange->answer, "pagination");
    TrackerRequest request = {.method = exchange->method,
                              .path = exchange->path,
                              .query = envelope ? "envelope=true" : exchange->query,
                              .token = token,
                              .content_type = exchange->content_type,
                              .body = exchange->body,
                              .body_bytes = exchange->body ? strlen(exchange->body) : 0};
    TrackerResponse response;
    store->now_ms = time_of(exchange);
    tracker_handle(store->tracker, &request, &response);
    g_assert_cmpint(response.status, !=, 500);
    compare_answers(comparison, exchange, &response);
    tracker_response_clear(&response);
}

static void
ask_to_write(Store *store, const Exchange *exchange, gint64 caller, Comparison *comparison)
{
    Store copy;
    store_copy(&copy, store);
    if (exchange->status != 403 && exchange->status != 404) {
        prepare_path(&copy, exchange->path, caller);
        add_member(&copy, caller);
        prepare_files(&copy, exchange, caller);
        if (g_str_equal(exchange->method, "POST")) {
            prepare_creation(&copy, exchange);
            prepare_neighbours(&copy, exchange);
        }
    }
    ask(&copy, exchange, caller, comparison);
    store_close(&copy);
}

static void
forget_what_came_later(Comparison *comparison, const Exchange *exchange)
{
    for (gsize i = 0; i < G_N_ELEMENTS(came_later); i++) {
        guint place = 0;
        if (exchange->recorded_ms < came_later[i].since_ms &&
            g_ptr_array_find_with_equal_func(comparison->differences, came_later[i].difference,
                                             g_str_equal, &place)) {
            g_ptr_array_remove_index(comparison->differences, place);
        }
    }
}

/* Of the source's database, then of one of its own; *ret_comparison is the better one. */
static void
ask_twice(Store *source, const Exchange *exchange, gint64 me_id, Comparison *ret_comparison)
{
    gint64 caller = caller_of(exchange, me_id);
    Comparison both[2];
    for (guint i = 0; i < G_N_ELEMENTS(both); i++) {
        comparison_init(&both[i], is_write(exchange));
    }
    if (is_write(exchange)) {
        ask_to_write(source, exchange, caller, &both[0]);
    } else {
        ask(source, exchange, caller, &both[0]);
    }
    forget_what_came_later(&both[0], exchange);
    guint better = 0;
    if (both[0].differences->len > 0) {
        Store own;
        store_import(&own, (const char *const[]){exchange->file}, 1);
        if (is_write(exchange)) {
            ask_to_write(&own, exchange, caller, &both[1]);
        } else {
            prepare_read(&own, exchange, caller);
            ask(&own, exchange, caller, &both[1]);
        }
        store_close(&own);
        forget_what_came_later(&both[1], exchange);
        better = both[1].differences->len < both[0].differences->len;
    }
    *ret_comparison = both[better];
    comparison_clear(&both[1 - better]);
}

/* ---- verdicts ---- */

static const char *
reason_of(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++) {
        if (g_str_equal(left_out[i].name, name)) {
            return left_out[i].reason;
        }
    }
    return NULL;
}

static void
judge(Result *result, const Exchange *exchange, const Comparison *comparison)
{
    const char *reason = reason_of(exchange->name);
    gboolean covered = comparison->differences->len == 0;
    g_autofree char *request =
        g_strdup_printf("%s: %s %s%s%s", exchange->name, exchange->method, exchange->path,
                        exchange->query ? "?" : "", exchange->query ? exchange->query : "");
    if (covered) {
        result->covered++;
        result->objects += comparison->objects;
        g_test_message("covered  %s", request);
    } else if (reason) {
        result->left_out++;
        g_test_message("left out %s: %s", request, reason);
    }
    if (covered == (reason != NULL)) {
        result->failed++;
        g_test_message("FAILED   %s%s", request, covered ? ": is covered, and left out" : "");
        for (guint i = 0; i < comparison->differences->len; i++) {
            g_test_message("         %s", (char *)comparison->differences->pdata[i]);
        }
    }
}

static void
run_source(Result *result, const char *dir)
{
    g_autoptr(GPtrArray) exchanges = exchanges_read(dir);
    Store store;
    store_import(&store, &dir, 1);
    gint64 me_id = find_me(exchanges);
    for (guint i = 0; i < exchanges->len; i++) {
        const Exchange *exchange = exchanges->pdata[i];
        Comparison comparison;
        ask_twice(&store, exchange, me_id, &comparison);
        judge(result, exchange, &comparison);
        comparison_clear(&comparison);
    }
    store_close(&store);
}

static void
test_conformance(void)
{
    const char *shared = g_getenv("TRACKERFS_SHARED_DIR");
    g_autofree char *recorded = g_build_filename(shared ? shared : ".", "recorded", NULL);
    g_autoptr(GDir) dir = shared ? g_dir_open(recorded, 0, NULL) : NULL;
    Result result = {0};
    if (!dir) {
        g_test_skip("no recordings: TRACKERFS_SHARED_DIR has no folder recorded");
        return;
    }
    for (const char *name = NULL; (name = g_dir_read_name(dir));) {
        g_autofree char *source = g_build_filename(recorded, name, NULL);
        if (g_file_test(source, G_FILE_TEST_IS_DIR)) {
            run_source(&result, source);
        }
    }
    guint all = result.covered + result.left_out + result.failed;
    g_test_message("%u exchanges: %u covered with %u objects, %u left out, %u failed", all,
                   result.covered, result.objects, result.left_out, result.failed);
    g_assert_cmpuint(result.failed, ==, 0);
    g_assert_cmpuint(result.covered, >, 0);
    g_assert_cmpuint(result.left_out * 10, <, all);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recorded/conformance", test_conformance);
    return g_test_run();
}

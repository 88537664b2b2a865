/* Conformance: what recorded exchanges with the real service say, asked of ours.
 *
 * For each source below $TRACKERFS_SHARED_DIR/recorded everything is imported into a fresh
 * database, then each recorded GET is asked again and compared: the status; for JSON every object
 * that was recorded, found again by its id, with the same keys, and values of the same JSON type.
 * Values are not compared: a source is a film of a project, the database holds only its last
 * picture.
 *
 * The clock stands at the time of the recording, if that is known.
 *
 * What differs is either in left_out below, with the reason, or listed, and the test counts as
 * incomplete. An answer 500 or one that is no JSON fails. What a database that was made
 * from recordings cannot know is counted, not compared: an empty list below an object that was
 * never recorded, which things were on a page (other things came and went in between), a query that
 * was not recorded. Recordings are not part of this repository; without them the test is skipped.
 */
#include "tracker/auth.h"
#include "tracker/db.h"
#include "tracker/service.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#define WITNESS_ID G_GINT64_CONSTANT(2147000001) /* a member of every project, who looks */
#define MAX_SHOWN 200

/* "WHAT kind.key", or "status PATH-TEMPLATE GOT, not WANTED"; with "*" at the end for any. */
static const struct {
    const char *difference, *reason;
} left_out[] = {
    {"status my/notifications *", "notifications are not part of the reading service"},
    {"type projects/N/stories array, not object", "envelope=true was asked, but not recorded"},
    {"extra story.accepted_at", "accepted after this recording"},
    {"extra story.estimate", "estimated after this recording"},
    {"extra story.description", "described after this recording"},
    {"extra story.owned_by_id", "taken after this recording"},
    {"lost element of projects/N/stories/N/owners", "somebody else took it after this recording"},
    {"lost element of iteration.stories", "moved after this recording"},
};

typedef struct {
    char *file, *path, *query;
    int status;
    gint64 recorded_ms; /* 0: unknown */
    json_t *body;       /* NULL: no JSON */
} Exchange;

typedef struct {
    GHashTable *differences; /* text to the first file that shows it */
    GHashTable *used;        /* entries of left_out that were needed */
    guint asked, not_get, compared, unknowable;
    const char *file;
    gboolean paged; /* the present exchange */
} Report;

static void
exchange_free(gpointer data)
{
    Exchange *exchange = data;
    g_free(exchange->file);
    g_free(exchange->path);
    g_free(exchange->query);
    json_decref(exchange->body);
    g_free(exchange);
}

static gboolean
is_left_out(Report *report, const char *difference)
{
    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++) {
        const char *pattern = left_out[i].difference;
        gsize bytes = strlen(pattern);
        gboolean open_end = pattern[bytes - 1] == '*';
        if (open_end ? strncmp(difference, pattern, bytes - 1) == 0
                     : strcmp(difference, pattern) == 0) {
            g_hash_table_add(report->used, GSIZE_TO_POINTER(i + 1));
            return TRUE;
        }
    }
    return FALSE;
}

static void note(Report *report, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
note(Report *report, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (is_left_out(report, text) || g_hash_table_contains(report->differences, text)) {
        g_free(text);
    } else {
        g_hash_table_insert(report->differences, text, g_strdup(report->file));
    }
}

/* ---- comparing ---- */

static const char *
type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "real";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        return "null";
    }
    return "?";
}

/* What identifies an element of a list: kind with id, number, guid, or just its place. Owned. */
static char *
identity_of(const json_t *value, gsize place)
{
    static const char *const keys[] = {"guid", "id", "number", "date"};
    const char *kind = json_string_value(json_object_get(value, "kind"));
    for (gsize i = 0; json_is_object(value) && i < G_N_ELEMENTS(keys); i++) {
        const json_t *id = json_object_get(value, keys[i]);
        if (json_is_integer(id)) {
            return g_strdup_printf("%s %s %" JSON_INTEGER_FORMAT, kind ? kind : "", keys[i],
                                   json_integer_value(id));
        }
        if (json_is_string(id)) {
            return g_strdup_printf("%s %s %s", kind ? kind : "", keys[i], json_string_value(id));
        }
    }
    return g_strdup_printf("[%zu]", place);
}

static void compare(Report *report, const char *where, json_t *wanted, json_t *got);

static void
compare_objects(Report *report, const char *where, json_t *wanted, json_t *got)
{
    const char *kind = json_string_value(json_object_get(wanted, "kind"));
    const char *name = kind ? kind : where;
    const char *key = NULL;
    json_t *value = NULL;
    report->compared++;
    json_object_foreach(wanted, key, value)
    {
        g_autofree char *below = g_strdup_printf("%s.%s", name, key);
        json_t *other = json_object_get(got, key);
        if (other) {
            compare(report, below, value, other);
        } else {
            note(report, "missing %s", below);
        }
    }
    json_object_foreach(got, key, value)
    {
        if (!json_object_get(wanted, key)) {
            note(report, "extra %s.%s", name, key);
        }
    }
}

static void
compare_arrays(Report *report, const char *where, json_t *wanted, json_t *got)
{
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize i = 0;
    json_t *value = NULL;
    g_autofree char *below = g_strconcat(where, "[]", NULL);
    json_array_foreach(got, i, value)
    {
        g_hash_table_insert(found, identity_of(value, i), value);
    }
    json_array_foreach(wanted, i, value)
    {
        g_autofree char *identity = identity_of(value, i);
        json_t *other = g_hash_table_lookup(found, identity);
        if (other) {
            compare(report, below, value, other);
        } else if (report->paged) {
            report->unknowable++;
        } else if (identity[0] != '[') {
            note(report, "lost element of %s", where);
        }
    }
}

static void
compare(Report *report, const char *where, json_t *wanted, json_t *got)
{
    const char *wanted_type = type_name(wanted);
    const char *got_type = type_name(got);
    if (!g_str_equal(wanted_type, got_type)) {
        note(report, "type %s %s, not %s", where, got_type, wanted_type);
    } else if (json_is_object(wanted)) {
        compare_objects(report, where, wanted, got);
    } else if (json_is_array(wanted)) {
        compare_arrays(report, where, wanted, got);
    }
}

/* "/services/v5/projects/12/stories" to "projects/N/stories"; owned. */
static char *
template_of(const char *path)
{
    GString *out = g_string_new(NULL);
    if (g_str_has_prefix(path, "/services/v5/")) {
        path += strlen("/services/v5/");
    }
    while (*path != '\0') {
        gsize digits = strspn(path, "0123456789");
        if (digits > 0) {
            g_string_append_c(out, 'N');
            path += digits;
        } else {
            g_string_append_c(out, *path++);
        }
    }
    return g_string_free(out, FALSE);
}

/* ---- asking ---- */

static gint64
caller_of(const Exchange *exchange, gint64 me_id)
{
    gboolean personal = strstr(exchange->path, "/my/") || g_str_has_suffix(exchange->path, "/me");
    return personal && me_id != 0 ? me_id : WITNESS_ID;
}

static gint64
recorded_clock(gpointer user)
{
    const gint64 *now_ms = user;
    return *now_ms;
}

/* Whether the recorded answer can be expected of somebody who has seen only recordings. */
static gboolean
is_unknowable(const Exchange *exchange, int status)
{
    gboolean empty = json_is_array(exchange->body) && json_array_size(exchange->body) == 0;
    return status == 404 && exchange->status == 200 && empty;
}

static void
compare_bodies(Report *report, const char *where, json_t *wanted, const GString *body)
{
    json_t *got = json_loadb(body->str, body->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (got) {
        compare(report, where, wanted, got);
        json_decref(got);
    } else {
        g_test_message("no JSON: %s", report->file);
        g_test_fail();
    }
}

static void
ask(Report *report, Tracker *tracker, const Exchange *exchange, gint64 me_id)
{
    const char *code = json_string_value(json_object_get(exchange->body, "code"));
    gboolean bad_token = g_strcmp0(code, "invalid_authentication") == 0;
    TrackerRequest request = {.method = "GET",
                              .path = exchange->path,
                              .query = exchange->query,
                              .token = bad_token ? "0123456789abcdef0123456789abcdef" : NULL,
                              .trusted_person_id = bad_token ? 0 : caller_of(exchange, me_id)};
    TrackerResponse response;
    gint64 now_ms = exchange->recorded_ms ? exchange->recorded_ms : g_get_real_time() / 1000;
    tracker_set_clock(tracker, recorded_clock, &now_ms);
    tracker_handle(tracker, &request, &response);
    report->asked++;
    report->paged = exchange->query &&
                    (strstr(exchange->query, "offset=") || strstr(exchange->query, "limit="));
    g_autofree char *template = template_of(exchange->path);
    g_assert_cmpint(response.status, !=, 500);
    if (is_unknowable(exchange, response.status)) {
        report->unknowable++;
    } else if (response.status != exchange->status) {
        note(report, "status %s %d, not %d", template, response.status, exchange->status);
    } else if (exchange->body && response.body) {
        compare_bodies(report, template, exchange->body, response.body);
    }
    tracker_response_clear(&response);
}

/* ---- a source ---- */

/* "Mon, 17 Nov 2014 19:02:38 GMT"; 0 when absent. */
static gint64
recorded_time(const json_t *root)
{
    const char *text = json_string_value(json_object_get(root, "recorded_at"));
    struct tm when = {0};
    if (!text || !strptime(text, "%a, %d %b %Y %H:%M:%S", &when)) {
        return 0;
    }
    return (gint64)timegm(&when) * 1000;
}

static Exchange *
read_exchange(const char *file, Report *report)
{
    json_error_t problem;
    json_t *root = json_load_file(file, JSON_ALLOW_NUL, &problem);
    if (!root) {
        g_error("%s: %s", file, problem.text);
    }
    json_t *request = json_object_get(root, "request");
    json_t *response = json_object_get(root, "response");
    json_t *body = json_object_get(response, "body");
    const char *method = json_string_value(json_object_get(request, "method"));
    const char *path = json_string_value(json_object_get(request, "path"));
    const char *query = json_string_value(json_object_get(request, "query"));
    Exchange *exchange = NULL;
    if (query && strstr(query, "unknown")) {
        report->unknowable++; /* it was made up from what the recording program kept */
    } else if (path && g_strcmp0(method, "GET") == 0) {
        exchange = g_new0(Exchange, 1);
        exchange->file = g_strdup(file);
        exchange->path = g_strdup(path);
        exchange->query = query && *query != '\0' ? g_strdup(query) : NULL;
        exchange->recorded_ms = recorded_time(root);
        exchange->status = (int)json_integer_value(json_object_get(response, "status"));
        exchange->body = json_is_object(body) || json_is_array(body) ? json_incref(body) : NULL;
    } else {
        report->not_get++;
    }
    json_decref(root);
    return exchange;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
list_files(const char *dir_path, GPtrArray *files)
{
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
    for (const char *name = NULL; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(dir_path, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            list_files(path, files);
        } else if (g_str_has_suffix(name, ".json")) {
            g_ptr_array_add(files, g_steal_pointer(&path));
        }
    }
    g_ptr_array_sort(files, compare_names);
}

/* The person whose token the recordings were made with, if they tell. */
static gint64
find_me(const GPtrArray *exchanges)
{
    for (guint i = 0; i < exchanges->len; i++) {
        const Exchange *exchange = exchanges->pdata[i];
        if (exchange->status == 200 && g_str_has_suffix(exchange->path, "/me")) {
            return json_integer_value(json_object_get(exchange->body, "id"));
        }
    }
    return 0;
}

static void
add_witness(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = db_open(path, 0, &error);
    g_assert_no_error(error);
    g_autoptr(DbConn) conn = db_take(db, &error);
    g_assert_no_error(error);
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO person(id, name, initials, username) VALUES(%" G_GINT64_FORMAT
        ", 'Witness', 'W', 'the-witness');"
        "INSERT INTO membership(id, project_id, person_id, role) SELECT 2147000000 +"
        " row_number() OVER (), id, %" G_GINT64_FORMAT ", 'owner' FROM project;"
        "INSERT INTO account_membership(id, account_id, person_id, owner, admin) SELECT"
        " 2147000000 + row_number() OVER (), id, %" G_GINT64_FORMAT ", 0, 1 FROM account;",
        WITNESS_ID, WITNESS_ID, WITNESS_ID);
    (void)db_exec(conn, sql, &error);
    g_assert_no_error(error);
}

static void
remove_database(const char *dir, const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *file = g_strconcat(path, ends[i], NULL);
        (void)g_remove(file);
    }
    g_autofree char *files = g_strconcat(path, ".files", NULL);
    (void)g_rmdir(files);
    (void)g_rmdir(dir);
}

/* ---- importing, through the program itself ---- */

static char *
program(void)
{
    const char *build = g_getenv("TRACKERFS_BUILD_DIR");
    return g_build_filename(build ? build : ".", "trackerfs", NULL);
}

static gboolean
can_import(void)
{
    g_autofree char *path = program();
    g_autofree char *out = NULL;
    char *argv[] = {path, (char[]){"import"}, (char[]){"--help"}, NULL};
    return g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, NULL,
                        NULL) &&
           strstr(out, "--v5-json");
}

static void
import_files(const char *path, const GPtrArray *files)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *executable = program();
    g_autofree char *said = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int status = 0;
    g_ptr_array_add(argv, executable);
    g_ptr_array_add(argv, (char[]){"import"});
    g_ptr_array_add(argv, (char[]){"--v5-json"});
    for (guint i = 0; i < files->len; i++) {
        g_ptr_array_add(argv, files->pdata[i]);
    }
    g_autofree char *database = g_strdup(path);
    g_ptr_array_add(argv, database);
    g_ptr_array_add(argv, NULL);
    (void)g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                       NULL, &said, &status, &error);
    g_assert_no_error(error);
    if (status != 0) {
        g_error("import of %u files: %s", files->len, said);
    }
}

static void
run_source(Report *report, const char *source_dir)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) exchanges = g_ptr_array_new_with_free_func(exchange_free);
    list_files(source_dir, files);
    for (guint i = 0; i < files->len; i++) {
        Exchange *exchange = read_exchange(files->pdata[i], report);
        if (exchange) {
            g_ptr_array_add(exchanges, exchange);
        }
    }
    g_autofree char *dir = g_dir_make_tmp("trackerfs-recorded-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(dir, "t.db", NULL);
    import_files(path, files);
    add_witness(path);
    g_autoptr(Tracker) tracker = tracker_open(path, 0, &error);
    g_assert_no_error(error);
    gint64 me_id = find_me(exchanges);
    for (guint i = 0; i < exchanges->len; i++) {
        const Exchange *exchange = exchanges->pdata[i];
        report->file = exchange->file;
        ask(report, tracker, exchange, me_id);
    }
    g_clear_pointer(&tracker, tracker_close);
    remove_database(dir, path);
}

/* ---- the test ---- */

static void
print_differences(const Report *report)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    GHashTableIter iter;
    gpointer text = NULL;
    g_hash_table_iter_init(&iter, report->differences);
    while (g_hash_table_iter_next(&iter, &text, NULL)) {
        g_ptr_array_add(texts, text);
    }
    g_ptr_array_sort(texts, compare_names);
    for (guint i = 0; i < MIN(texts->len, MAX_SHOWN); i++) {
        const char *file = g_hash_table_lookup(report->differences, texts->pdata[i]);
        g_test_message("%s   (%s)", (const char *)texts->pdata[i], file);
    }
}

static void
test_conformance(void)
{
    const char *shared = g_getenv("TRACKERFS_SHARED_DIR");
    g_autofree char *recorded = g_build_filename(shared ? shared : ".", "recorded", NULL);
    g_autoptr(GDir) dir = shared ? g_dir_open(recorded, 0, NULL) : NULL;
    if (!dir) {
        g_test_skip("no recordings: TRACKERFS_SHARED_DIR has no folder recorded");
        return;
    }
    if (!can_import()) {
        g_test_skip("this build of trackerfs imports no V5 JSON");
        return;
    }
    Report report = {.differences = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                     .used = g_hash_table_new(NULL, NULL)};
    for (const char *name = NULL; (name = g_dir_read_name(dir));) {
        g_autofree char *source = g_build_filename(recorded, name, NULL);
        if (g_file_test(source, G_FILE_TEST_IS_DIR)) {
            run_source(&report, source);
        }
    }
    print_differences(&report);
    g_test_message("%u GET asked again, %u other requests not, %u objects compared, %u things "
                   "cannot be known, %u reasons to leave something out",
                   report.asked, report.not_get, report.compared, report.unknowable,
                   (guint)g_hash_table_size(report.used));
    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++) {
        if (!g_hash_table_contains(report.used, GSIZE_TO_POINTER(i + 1))) {
            g_test_message("not needed: %s (%s)", left_out[i].difference, left_out[i].reason);
        }
    }
    g_assert_cmpuint(report.asked, >, 0);
    if (g_hash_table_size(report.differences) > 0) {
        g_test_incomplete("the service differs from the recordings");
    }
    g_hash_table_unref(report.differences);
    g_hash_table_unref(report.used);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recorded/conformance", test_conformance);
    return g_test_run();
}

/* Any bytes as a request to the tracker, over a small database with one of everything.
 *
 * Input: "METHOD TARGET [CONTENT-TYPE]\n", the rest is the body. The caller is person 1; with "-"
 * in front of the method it is nobody, with "+" it is sent again with envelope=true. Whatever
 * comes, the answer is a complete one: a status, headers that end where they should, JSON that
 * parses, and for an error the error object of V5.
 *
 * The database is made once. Requests that are no reads run on it too; a copy of the file is put
 * back after each of them, so that every input meets the same state. */
#include "tracker/db.h"
#include "tracker/service.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    char *dir, *path;
    char *template_data;
    gsize template_bytes;
    Tracker *tracker;
} state;

static const char sql[] =
    "INSERT INTO person(id, name, initials, username, email, time_zone) VALUES"
    " (1, 'Ada', 'A', 'ada', 'ada@example.org', 'Europe/Berlin'), (2, 'Bob', 'B', 'bob', NULL, "
    "NULL);"
    "INSERT INTO project(id, name, version, time_zone, start_date, week_start_day,"
    " iteration_length, point_scale, initial_velocity, velocity_averaged_over,"
    " automatic_planning, public, created_at, updated_at) VALUES"
    " (99, 'Moon', 9, 'America/Los_Angeles', '2020-01-06', 'Monday', 1, '0,1,2,3', 10, 3, 1, 0,"
    " 1577836800000, 1577836800000),"
    " (98, 'Open', 1, 'UTC', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL),"
    " (97, 'Hidden', 1, 'UTC', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL);"
    "INSERT INTO membership(id, project_id, person_id, role) VALUES(1, 99, 1, 'owner'),"
    " (2, 99, 2, 'viewer'), (3, 98, 1, 'member');"
    "INSERT INTO label(id, project_id, name, created_at) VALUES(1, 99, 'plans', 1577836800000);"
    "INSERT INTO story(id, project_id, position, name, description, story_type, current_state,"
    " estimate, accepted_at, created_at, updated_at, requested_by_id, extra) VALUES"
    " (555, 99, 1, 'Done', char(11, 34, 92, 8232) || '<b>', 'feature', 'accepted', 2, "
    "1578500000000,"
    "  1577836800000, 1578500000000, 1, '{\"odd\":[1,{\"x\":null}]}'),"
    " (556, 99, 2, 'Doing', '', 'bug', 'started', NULL, NULL, 1577836800000, 1577836800000, 2, "
    "NULL),"
    " (557, 99, 3, 'Release', NULL, 'release', 'unstarted', NULL, NULL, 1577836800000,"
    "  1577836800000, 1, NULL),"
    " (558, 99, 4, 'Later', NULL, 'feature', 'unscheduled', 1.5, NULL, NULL, NULL, NULL, NULL),"
    " (559, 97, 1, 'Secret', NULL, 'chore', 'unstarted', NULL, NULL, NULL, NULL, NULL, NULL);"
    "INSERT INTO story_owner VALUES(555, 0, 1), (555, 1, 2); INSERT INTO story_label VALUES(555, "
    "1);"
    "INSERT INTO task(id, story_id, description, complete, position) VALUES(700, 555, 'Check', 1, "
    "1);"
    "INSERT INTO comment(id, story_id, text, person_id, created_at) VALUES(800, 555, 'Hi', 1,"
    " 1577836800000);"
    "INSERT INTO epic(id, project_id, position, name, label_id) VALUES(600, 99, 1, 'Epic', 1);"
    "INSERT INTO comment(id, epic_id, text, person_id, created_at) VALUES(801, 600, 'Ho', 2,"
    " 1577836800000);"
    "INSERT INTO file_attachment(id, project_id, comment_id, filename, size, content_hash)"
    " VALUES(900, 99, 800, '../a' || char(10) || 'b', 3, 'zz'), (901, 99, 800, 'b', 3, NULL);"
    "INSERT INTO blocker(id, story_id, person_id, description, resolved) VALUES(1, 556, 1, '#555', "
    "0);"
    "INSERT INTO review_type(id, project_id, name, hidden) VALUES(1, 99, 'Code', 0);"
    "INSERT INTO review(id, story_id, review_type_id, status) VALUES(1, 555, 1, 'pass');"
    "INSERT INTO story_transition(id, story_id, project_id, state, project_version, occurred_at)"
    " VALUES(1, 555, 99, 'accepted', 8, 1578500000000);"
    "INSERT INTO activity(id, project_id, version, kind, message, performed_by_id, occurred_at,"
    " changes, primary_resources) VALUES(1, 99, 9, 'story_update_activity', 'Ada edited', 1,"
    " 1578500000000, '[{\"kind\":\"story\"}]', '[{\"kind\":\"story\",\"id\":555}]');"
    "INSERT INTO activity_story VALUES(555, 1);"
    "INSERT INTO iteration_override VALUES(99, 2, 2, 0.5), (99, 4, 0, 0);";

static gint64
fixed_clock(gpointer user)
{
    (void)user;
    return G_GINT64_CONSTANT(1580000000000);
}

static void
open_tracker(void)
{
    g_autoptr(GError) error = NULL;
    state.tracker = tracker_open(state.path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    tracker_set_clock(state.tracker, fixed_clock, NULL);
}

static void
close_tracker(void)
{
    g_clear_pointer(&state.tracker, tracker_close);
    tracker_remove(state.path, TRUE);
}

static void
remove_everything(void)
{
    close_tracker();
    (void)g_rmdir(state.dir);
    g_free(state.dir);
    g_free(state.path);
    g_free(state.template_data);
}

static void
make_database(void)
{
    g_autoptr(GError) error = NULL;
    state.dir = g_dir_make_tmp("trackerfs-fuzz-XXXXXX", &error);
    g_assert_no_error(error);
    state.path = g_build_filename(state.dir, "t.db", NULL);
    {
        g_autoptr(Db) db = db_open(state.path, TRACKER_CREATE, &error);
        g_assert_no_error(error);
        g_autoptr(DbConn) conn = db_take(db, &error);
        g_assert_no_error(error);
        (void)db_exec(conn, sql, &error);
        g_assert_no_error(error);
        (void)db_exec(conn, "PRAGMA wal_checkpoint(TRUNCATE)", &error);
        g_assert_no_error(error);
    }
    g_assert_true(
        g_file_get_contents(state.path, &state.template_data, &state.template_bytes, &error));
    open_tracker();
    (void)atexit(remove_everything);
}

static void
restore_database(void)
{
    g_autoptr(GError) error = NULL;
    close_tracker();
    (void)g_file_set_contents_full(state.path, state.template_data, (gssize)state.template_bytes,
                                   G_FILE_SET_CONTENTS_NONE, 0600, &error);
    g_assert_no_error(error);
    open_tracker();
}

static void
check_json(const TrackerResponse *response)
{
    const char *type = tracker_response_header(response, "Content-Type");
    if (!type || !g_str_has_prefix(type, "application/json")) {
        return;
    }
    json_error_t problem;
    json_t *root = json_loadb(response->body->str, response->body->len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        g_error("no JSON: %s: %s", problem.text, response->body->str);
    }
    if (response->status >= 400) {
        const json_t *data = json_object_get(root, "data"); /* in an envelope */
        const json_t *error = data ? data : root;
        g_assert_cmpstr(json_string_value(json_object_get(error, "kind")), ==, "error");
        g_assert_true(json_is_string(json_object_get(error, "code")));
    }
    json_decref(root);
}

static void
check_response(const TrackerResponse *response)
{
    g_assert_cmpint(response->status, >=, 200);
    g_assert_cmpint(response->status, <, 600);
    g_assert_cmpint(response->status, !=, 500);
    for (guint i = 0; i < response->headers->len; i++) {
        const TrackerHeader *header = &g_array_index(response->headers, TrackerHeader, i);
        for (const char *at = header->value; *at != '\0'; at++) {
            g_assert_true((guchar)*at >= 0x20 && *at != 0x7f);
        }
    }
    g_assert_true(response->file_fd >= 0 || response->body);
    if (response->body) {
        check_json(response);
    }
}

static void
send_request(const TrackerRequest *request)
{
    TrackerResponse response;
    tracker_handle(state.tracker, request, &response);
    check_response(&response);
    tracker_response_clear(&response);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!state.tracker) {
        make_database();
    }
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    gsize line_bytes = end ? (gsize)(end - data) : size;
    g_autofree char *line = g_strndup((const char *)data, line_bytes);
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    if (!words[0] || !words[1]) {
        return 0;
    }
    char *query = strchr(words[1], '?');
    if (query) {
        *query++ = '\0';
    }
    gsize body_bytes = end ? size - line_bytes - 1 : 0;
    g_autofree char *body = g_malloc(body_bytes + 1);
    memcpy(body, data + (end ? line_bytes + 1 : 0), body_bytes);
    body[body_bytes] = '\0';
    gboolean again = words[0][0] == '+';
    gboolean nobody = words[0][0] == '-';
    TrackerRequest request = {.method = words[0] + (again || nobody),
                              .path = words[1],
                              .query = query,
                              .trusted_person_id = nobody ? 0 : 1,
                              .content_type = words[2],
                              .body = body_bytes > 0 ? body : NULL,
                              .body_bytes = body_bytes};
    send_request(&request);
    if (again) {
        g_autofree char *with_envelope =
            g_strconcat(query ? query : "", query ? "&" : "", "envelope=true", NULL);
        request.query = with_envelope;
        send_request(&request);
    }
    if (!g_str_equal(request.method, "GET")) {
        restore_database();
    }
    return 0;
}

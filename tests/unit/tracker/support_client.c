/* The database is made with SQL, so that these tests need neither the importer nor writing
 * requests. */
#include "support_client.h"

#include "tests/unit/support_folder.h"
#include "tracker/auth.h"
#include "tracker/db.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static CURL *curl; /* kept for its connections; the tests have one thread that asks */

static void
fill_database(Server *server)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, SUPPORT_FILE_TEXT, -1);
    g_autofree char *files = g_strconcat(server->db_path, ".files", NULL);
    g_autofree char *file = g_build_filename(files, hash, NULL);
    g_assert_cmpint(g_mkdir(files, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, SUPPORT_FILE_TEXT, -1, &error));

    g_autoptr(Db) db = db_open(server->db_path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    g_autoptr(DbConn) conn = db_take(db, &error);
    g_assert_true(db_begin(conn, DB_WRITE, &error));
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO person(id, name, initials, username) VALUES(1, 'Ada Example', 'AE', 'ada');"
        "INSERT INTO project(id, name, time_zone, created_at, start_date, week_start_day,"
        " iteration_length, point_scale) VALUES(%d, 'Big', 'UTC', 1600000000000, '2020-09-14',"
        " 'Monday', 1, '0,1,2,3');"
        "INSERT INTO membership(id, project_id, person_id, role) VALUES(1, %d, 1, 'owner');"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        " INSERT INTO story(id, project_id, position, name, description, story_type,"
        " current_state, created_at, updated_at) SELECT 1000 + i, %d, i * 65536, 'Story ' || i,"
        " 'A description that is long enough to be worth compressing.', 'feature', 'unscheduled',"
        " 1600000000000, 1600000000000 FROM n;"
        "INSERT INTO comment(id, story_id, text, person_id, created_at, updated_at)"
        " VALUES(5, 1001, 'see file', 1, 1600000000000, 1600000000000);"
        "INSERT INTO file_attachment(id, project_id, comment_id, filename, content_type, size,"
        " content_hash, uploaded, uploader_id, created_at) VALUES(%d, %d, 5, 'a.txt',"
        " 'text/plain', 6, '%s', 1, 1, 1600000000000);",
        SUPPORT_PROJECT_ID, SUPPORT_PROJECT_ID, SUPPORT_STORIES, SUPPORT_PROJECT_ID,
        SUPPORT_FILE_ID, SUPPORT_PROJECT_ID, hash);
    (void)db_exec(conn, sql, &error);
    g_assert_no_error(error);
    server->token = auth_token_new();
    g_assert_true(auth_token_add(conn, 1, server->token, "test", 0));
    g_assert_true(db_commit(conn, &error));
}

void
server_start(Server *server, TrackerHttpConfig config)
{
    g_autoptr(GError) error = NULL;
    *server = (Server){.dir = folder_new()};
    server->db_path = g_build_filename(server->dir, "t.db", NULL);
    fill_database(server);
    server->tracker = tracker_open(server->db_path, 0, &error);
    g_assert_no_error(error);
    server->faults = faults_new();
    config.listen = "127.0.0.1:0";
    config.faults = server->faults;
    server->http = tracker_http_start(server->tracker, &config, &error);
    g_assert_no_error(error);
    g_assert_nonnull(server->http);
}

void
server_stop(Server *server)
{
    if (curl) {
        curl_easy_cleanup(curl);
        curl = NULL;
    }
    tracker_http_stop(server->http);
    tracker_close(server->tracker);
    faults_free(server->faults);
    folder_remove(server->dir);
    g_free(server->db_path);
    g_free(server->token);
}

void
reply_clear(Reply *reply)
{
    if (reply->headers) {
        (void)g_string_free(reply->headers, TRUE);
    }
    if (reply->body) {
        (void)g_string_free(reply->body, TRUE);
    }
}

static size_t
append_bytes(char *data, size_t size, size_t n, void *user)
{
    g_string_append_len(user, data, (gssize)(size * n));
    return size * n;
}

static struct curl_slist *
ask_headers(const Ask *ask)
{
    gboolean expects = ask->header && g_str_has_prefix(ask->header, "Expect:");
    struct curl_slist *headers = expects ? NULL : curl_slist_append(NULL, "Expect:");
    if (ask->token) {
        g_autofree char *line = g_strconcat("X-TrackerToken: ", ask->token, NULL);
        headers = curl_slist_append(headers, line);
    }
    if (ask->header) {
        headers = curl_slist_append(headers, ask->header);
    }
    if (ask->chunked) {
        headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    }
    return headers;
}

static void
set_request(const Ask *ask, const char *url, struct curl_slist *headers, Reply *reply)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply->body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, append_bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply->headers);
    if (ask->gzip) {
        curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    if (ask->follow) {
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    }
    if (ask->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body_bytes);
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, ask->body);
    }
    if (ask->method && g_str_equal(ask->method, "HEAD")) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (ask->method) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
    }
}

void
server_ask(Server *server, const char *path, const Ask *ask, Reply *ret_reply)
{
    if (!curl) {
        curl = curl_easy_init();
    }
    *ret_reply = (Reply){.headers = g_string_new(NULL), .body = g_string_new(NULL)};
    g_autofree char *url =
        path[0] == '/' ? g_strconcat(tracker_http_url(server->http), path, NULL) : g_strdup(path);
    struct curl_slist *headers = ask_headers(ask);
    set_request(ask, url, headers, ret_reply);
    gint64 started = g_get_monotonic_time();
    ret_reply->curl_code = (int)curl_easy_perform(curl);
    ret_reply->ms = (g_get_monotonic_time() - started) / 1000;
    long status = 0;
    long connects = 0;
    curl_off_t bytes = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    ret_reply->status = (int)status;
    ret_reply->connects = connects;
    ret_reply->wire_bytes = bytes;
    curl_slist_free_all(headers);
}

void
server_get(Server *server, const char *path, Reply *ret_reply)
{
    server_ask(server, path, &(Ask){.token = server->token}, ret_reply);
}

char *
reply_header(const Reply *reply, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(reply->headers->str, "\r\n", -1);
    for (char **line = lines; *line; line++) {
        gsize n = strlen(name);
        if (g_ascii_strncasecmp(*line, name, n) == 0 && (*line)[n] == ':') {
            return g_strdup(g_strstrip(*line + n + 1));
        }
    }
    return NULL;
}

int
server_connect(Server *server, const char *text)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(tracker_http_port(server->http)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, strlen(text));
    return fd;
}

void
server_set_faults(Server *server, const char *spec)
{
    g_autoptr(GError) error = NULL;
    (void)faults_set(server->faults, spec, &error);
    g_assert_no_error(error);
}

/* The HTTP side: what a client of `trackerfs serve` gets, and what it cannot do to others. */
#include "support_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ME "/services/v5/me"
#define STORIES "/services/v5/projects/99/stories?limit=500"
#define DOWNLOAD "/file_attachments/7/download"

typedef TrackerHttpConfig Config;

static void
test_keep_alive(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) first = {0};
    g_auto(Reply) second = {0};
    server_get(&server, ME, &first);
    g_assert_cmpint(first.status, ==, 200);
    g_assert_cmpint(first.connects, ==, 1);
    g_autofree char *length = reply_header(&first, "Content-Length");
    g_assert_cmpint(atoi(length), ==, (int)first.body->len);
    server_get(&server, ME, &second);
    g_assert_cmpint(second.connects, ==, 0);
    g_assert_cmpstr(first.body->str, ==, second.body->str);
    server_stop(&server);
}

static void
test_tokens(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) none = {0};
    g_auto(Reply) wrong = {0};
    g_auto(Reply) in_query = {0};
    g_auto(Reply) encoded = {0};
    server_ask(&server, ME, &(Ask){0}, &none);
    g_assert_cmpint(none.status, ==, 403);
    server_ask(&server, ME, &(Ask){.token = "0123456789abcdef0123456789abcdef"}, &wrong);
    g_assert_cmpint(wrong.status, ==, 403);
    g_autofree char *path = g_strconcat(ME "?token=", server.token, NULL);
    server_ask(&server, path, &(Ask){0}, &in_query);
    g_assert_cmpint(in_query.status, ==, 200);
    g_autofree char *hidden = g_strconcat(ME "?%74oken=", server.token, NULL);
    server_ask(&server, hidden, &(Ask){0}, &encoded);
    g_assert_cmpint(encoded.status, ==, 200);
    server_stop(&server);
}

static void
test_head_and_options(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) get = {0};
    g_auto(Reply) head = {0};
    g_auto(Reply) options = {0};
    server_get(&server, ME, &get);
    server_ask(&server, ME, &(Ask){.method = "HEAD", .token = server.token}, &head);
    g_assert_cmpint(head.status, ==, 200);
    g_assert_cmpuint(head.body->len, ==, 0);
    g_autofree char *length = reply_header(&head, "Content-Length");
    g_assert_cmpint(atoi(length), ==, (int)get.body->len);
    server_ask(&server, ME, &(Ask){.method = "OPTIONS"}, &options);
    g_assert_cmpint(options.status, ==, 200);
    g_autofree char *origin = reply_header(&options, "Access-Control-Allow-Origin");
    g_assert_cmpstr(origin, ==, "*");
    g_autofree char *headers = reply_header(&options, "Access-Control-Allow-Headers");
    g_assert_nonnull(strstr(headers, "X-TrackerToken"));
    g_autofree char *methods = reply_header(&options, "Access-Control-Allow-Methods");
    g_assert_nonnull(strstr(methods, "PATCH"));
    server_stop(&server);
}

static void
test_gzip(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) plain = {0};
    g_auto(Reply) packed = {0};
    g_auto(Reply) small = {0};
    g_auto(Reply) refused = {0};
    server_get(&server, STORIES, &plain);
    g_assert_cmpint(plain.status, ==, 200);
    g_assert_null(reply_header(&plain, "Content-Encoding"));
    server_ask(&server, STORIES, &(Ask){.token = server.token, .gzip = TRUE}, &packed);
    g_autofree char *coding = reply_header(&packed, "Content-Encoding");
    g_assert_cmpstr(coding, ==, "gzip");
    g_assert_cmpstr(packed.body->str, ==, plain.body->str);
    g_assert_cmpint(packed.wire_bytes * 4, <, (int)plain.body->len);
    server_ask(&server, ME, &(Ask){.token = server.token, .gzip = TRUE}, &small);
    g_assert_null(reply_header(&small, "Content-Encoding"));
    server_ask(&server, STORIES,
               &(Ask){.token = server.token, .header = "Accept-Encoding: br, gzip;q=0"}, &refused);
    g_assert_null(reply_header(&refused, "Content-Encoding"));
    g_assert_cmpuint(refused.body->len, ==, plain.body->len);
    server_stop(&server);
}

static void
test_paths(void)
{
    Server server;
    server_start(&server, (Config){0});
    static const char *const missing[] = {
        "/",
        "/services/v5/nothing",
        "/services/v5/me%00",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/services/v5/%ff%fe",
        "/__nothing",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(missing); i++) {
        g_auto(Reply) reply = {0};
        server_get(&server, missing[i], &reply);
        g_assert_cmpint(reply.status, ==, 404);
    }
    g_auto(Reply) health = {0};
    server_ask(&server, "/healthz", &(Ask){0}, &health);
    g_assert_cmpint(health.status, ==, 200);
    server_stop(&server);
}

/* A method that a path does not have is no other error than a path that is not there. */
static void
test_methods(void)
{
    Server server;
    server_start(&server, (Config){0});
    static const char *const methods[] = {"DELETE", "PROPFIND", "GETGETGETGETGETGET", "TRACE"};
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_auto(Reply) reply = {0};
        server_ask(&server, ME, &(Ask){.method = methods[i], .token = server.token}, &reply);
        g_assert_cmpint(reply.status, ==, 404);
        g_assert_nonnull(strstr(reply.body->str, "route_not_found"));
    }
    server_stop(&server);
}

static void
test_large_requests(void)
{
    Server server;
    server_start(&server, (Config){0});
    gsize bytes = TRACKER_MAX_BODY_BYTES + 1;
    g_autofree char *body = g_malloc0(bytes);
    Ask ask = {.method = "POST",
               .token = server.token,
               .header = "Content-Type: application/json",
               .body = body,
               .body_bytes = bytes};
    g_auto(Reply) announced = {0};
    server_ask(&server, STORIES, &ask, &announced);
    g_assert_cmpint(announced.status, ==, 413);
    ask.header = "Expect: 100-continue";
    g_auto(Reply) expecting = {0};
    server_ask(&server, STORIES, &ask, &expecting);
    g_assert_cmpint(expecting.status, ==, 413);
    ask.chunked = TRUE;
    ask.header = NULL;
    g_auto(Reply) chunked = {0};
    server_ask(&server, STORIES, &ask, &chunked);
    g_assert_cmpint(chunked.status, ==, 413);

    g_autofree char *header = g_strnfill(TRACKER_HTTP_MAX_HEADER_BYTES, 'x');
    g_autofree char *line = g_strconcat("X-Long: ", header, NULL);
    g_auto(Reply) headers = {0};
    server_ask(&server, ME, &(Ask){.token = server.token, .header = line}, &headers);
    g_assert_cmpint(headers.status, >=, 400);
    g_assert_cmpint(headers.status, <, 500);
    g_autofree char *long_path = g_strconcat(ME "?", header, NULL);
    g_auto(Reply) target = {0};
    server_ask(&server, long_path, &(Ask){.token = server.token}, &target);
    g_assert_cmpint(target.status, ==, 414);
    g_auto(Reply) after = {0};
    server_get(&server, ME, &after);
    g_assert_cmpint(after.status, ==, 200);
    server_stop(&server);
}

/* Larger than any JSON may be: through a file, which a stranger does not get. */
static void
test_uploads(void)
{
    static const char head[] = "--xyz\r\nContent-Disposition: form-data; name=\"file\";"
                               " filename=\"big.bin\"\r\n\r\n";
    static const char tail[] = "\r\n--xyz--\r\n";
    Server server;
    server_start(&server, (Config){0});
    gsize bytes = TRACKER_MAX_BODY_BYTES + 1000;
    g_autoptr(GString) body = g_string_new(head);
    g_string_set_size(body, sizeof(head) - 1 + bytes);
    memset(body->str + sizeof(head) - 1, 'x', bytes);
    g_string_append(body, tail);
    Ask ask = {.method = "POST",
               .token = server.token,
               .header = "Content-Type: multipart/form-data; boundary=xyz",
               .body = body->str,
               .body_bytes = body->len};
    g_autofree char *wanted = g_strdup_printf("\"size\":%zu", bytes);
    g_auto(Reply) stored = {0};
    server_ask(&server, "/services/v5/projects/99/uploads", &ask, &stored);
    g_assert_cmpint(stored.status, ==, 200);
    g_assert_nonnull(strstr(stored.body->str, wanted));
    ask.chunked = TRUE;
    g_auto(Reply) chunked = {0};
    server_ask(&server, "/services/v5/projects/99/uploads", &ask, &chunked);
    g_assert_cmpint(chunked.status, ==, 200);
    g_assert_nonnull(strstr(chunked.body->str, wanted));
    ask.token = "0123456789abcdef0123456789abcdef";
    g_auto(Reply) stranger = {0};
    server_ask(&server, "/services/v5/projects/99/uploads", &ask, &stranger);
    g_assert_cmpint(stranger.status, ==, 403);
    server_stop(&server);
}

static void
test_download(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) hop = {0};
    server_get(&server, DOWNLOAD, &hop);
    g_assert_cmpint(hop.status, ==, 302);
    g_autofree char *location = reply_header(&hop, "Location");
    g_assert_true(g_str_has_prefix(location, tracker_http_url(server.http)));
    g_auto(Reply) file = {0};
    server_ask(&server, location, &(Ask){0}, &file);
    g_assert_cmpint(file.status, ==, 200);
    g_assert_cmpstr(file.body->str, ==, SUPPORT_FILE_TEXT);
    g_auto(Reply) other_host = {0};
    server_ask(&server, DOWNLOAD, &(Ask){.token = server.token, .header = "Host: tracker.test:81"},
               &other_host);
    g_autofree char *other = reply_header(&other_host, "Location");
    g_assert_true(g_str_has_prefix(other, "http://tracker.test:81/"));
    g_auto(Reply) hostile = {0};
    server_ask(&server, DOWNLOAD, &(Ask){.token = server.token, .header = "Host: a/b@c"}, &hostile);
    g_autofree char *relative = reply_header(&hostile, "Location");
    g_assert_cmpint(relative[0], ==, '/');
    server_stop(&server);
}

static void
test_stats(void)
{
    Server server;
    server_start(&server, (Config){0});
    for (guint i = 0; i < 3; i++) {
        g_auto(Reply) reply = {0};
        g_autofree char *path =
            g_strdup_printf("/services/v5/projects/%u/x?a=1&token=secretsecret", i);
        server_get(&server, path, &reply);
    }
    g_auto(Reply) stats = {0};
    server_ask(&server, "/__stats", &(Ask){0}, &stats);
    g_assert_nonnull(strstr(stats.body->str, "\"GET /services/v5/projects/{id}/x\": 3"));
    g_assert_nonnull(strstr(stats.body->str, "\"total\": 3"));
    g_assert_nonnull(strstr(stats.body->str, "GET /services/v5/projects/2/x?a=1&token=REDACTED"));
    g_assert_null(strstr(stats.body->str, "secretsecret"));
    g_auto(Reply) reset = {0};
    server_ask(&server, "/__stats/reset", &(Ask){.method = "POST"}, &reset);
    g_auto(Reply) again = {0};
    server_ask(&server, "/__stats", &(Ask){0}, &again);
    g_assert_nonnull(strstr(again.body->str, "\"total\": 0"));
    server_stop(&server);
}

static void
test_access_log(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *log = open_memstream(&text, &bytes);
    Server server;
    server_start(&server, (Config){.access_log = log});
    g_autofree char *path = g_strconcat(ME "?fields=%3Adefault&token=", server.token, NULL);
    g_auto(Reply) reply = {0};
    server_ask(&server, path, &(Ask){0}, &reply);
    int fd = server_connect(&server, "GET /a\"b\x01 HTTP/1.0\r\nHost: x\r\n"
                                     "X-Forwarded-For: 192.0.2.7\r\n\r\n");
    char byte = 0;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
    (void)close(fd);
    g_autofree char *token = g_strdup(server.token);
    server_stop(&server);
    (void)fclose(log);
    g_assert_nonnull(strstr(text, "peer=127.0.0.1 method=\"GET\" target=\"" ME
                                  "?fields=%3Adefault&token=REDACTED\" status=200 bytes="));
    g_assert_nonnull(strstr(text, "peer=127.0.0.1 for=\"192.0.2.7\" method=\"GET\""));
    g_assert_null(strstr(text, token));
    g_assert_null(strchr(text, 1));
    free(text); /* of open_memstream() */
}

/* ---- addresses ---- */

static void
expect_no_start(Tracker *tracker, const char *listen_text, int code)
{
    g_autoptr(GError) error = NULL;
    TrackerHttpConfig config = {.listen = listen_text};
    g_assert_null(tracker_http_start(tracker, &config, &error));
    g_assert_error(error, TRACKER_ERROR, code);
}

static void
test_addresses(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_autofree char *taken = g_strdup_printf("127.0.0.1:%u", tracker_http_port(server.http));
    expect_no_start(server.tracker, taken, TRACKER_ERROR_FAILED);
    expect_no_start(server.tracker, "0.0.0.0:0", TRACKER_ERROR_BAD_INPUT);
    expect_no_start(server.tracker, "[::]:0", TRACKER_ERROR_BAD_INPUT);
    static const char *const bad[] = {"",           "8080",        ":80",    "127.0.0.1",
                                      "127.0.0.1:", "a",           "::1:80", "[::1]",
                                      "h:99999999", "127.0.0.1:x", "[",      "127.0.0.1:-1"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        expect_no_start(server.tracker, bad[i], TRACKER_ERROR_BAD_INPUT);
    }
    TrackerHttpConfig six = {.listen = "[::1]:0"};
    TrackerHttp *http = tracker_http_start(server.tracker, &six, NULL);
    if (http) { /* a machine without IPv6 is none of our business */
        g_assert_true(g_str_has_prefix(tracker_http_url(http), "http://[::1]:"));
        g_autofree char *url = g_strconcat(tracker_http_url(http), "/healthz", NULL);
        g_auto(Reply) reply = {0};
        server_ask(&server, url, &(Ask){0}, &reply);
        g_assert_cmpint(reply.status, ==, 200);
        g_autofree char *stats = g_strconcat(tracker_http_url(http), "/__stats", NULL);
        g_auto(Reply) none = {0};
        server_ask(&server, stats, &(Ask){0}, &none); /* only with faults */
        g_assert_cmpint(none.status, !=, 200);
        tracker_http_stop(http);
    }
    server_stop(&server);
}

/* ---- slow and hostile clients ---- */

static void
test_slow_clients(void)
{
    Server server;
    server_start(&server, (Config){0});
    int fds[100];
    g_autofree char *reader = g_strdup_printf("GET " STORIES " HTTP/1.1\r\nHost: x\r\n"
                                              "X-TrackerToken: %s\r\n\r\n",
                                              server.token);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        const char *const texts[] = {"GET /services/v5/m", reader, "",
                                     "POST " ME " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
                                     "\r\nabc"};
        fds[i] = server_connect(&server, texts[i % G_N_ELEMENTS(texts)]);
    }
    for (guint i = 0; i < 20; i++) {
        g_auto(Reply) fast = {0};
        server_get(&server, ME, &fast);
        g_assert_cmpint(fast.status, ==, 200);
        g_assert_cmpint(fast.ms, <, 2000);
    }
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        (void)close(fds[i]);
    }
    server_stop(&server);
}

/* What follows the shorter of two lengths is not taken for the next request. */
static void
test_two_ends(void)
{
    static const char *const headers[] = {
        "Content-Length: 2\r\nContent-Length: 60\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
    };
    Server server;
    server_start(&server, (Config){0});
    for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autofree char *text = g_strdup_printf("POST " ME " HTTP/1.1\r\nHost: x\r\n%s\r\n"
                                                "{}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
                                                headers[i]);
        int fd = server_connect(&server, text);
        g_autoptr(GString) got = g_string_new(NULL);
        char bytes[4096];
        for (gssize n; (n = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
            g_string_append_len(got, bytes, n);
        }
        g_assert_true(g_str_has_prefix(got->str, "HTTP/1.1 400 "));
        g_assert_null(strstr(got->str + 1, "HTTP/1.1 "));
        (void)close(fd);
    }
    server_stop(&server);
}

/* A client that sends a byte now and then is never idle, and is cut off all the same. */
static void
test_trickling_client(void)
{
    Server server;
    server_start(&server, (Config){.idle_s = 1, .request_s = 1});
    int fd = server_connect(&server, "GET / HTTP/1.1\r\nX: ");
    gboolean closed = FALSE;
    for (guint i = 0; i < 100 && !closed; i++) {
        struct pollfd wait = {.fd = fd, .events = POLLIN | POLLRDHUP};
        (void)poll(&wait, 1, 100);
        closed = wait.revents != 0 || send(fd, "x", 1, MSG_NOSIGNAL) != 1;
    }
    g_assert_true(closed);
    (void)close(fd);
    server_stop(&server);
}

static void *
stop_in_thread(void *user)
{
    Server *server = user;
    tracker_http_stop(g_steal_pointer(&server->http));
    return NULL;
}

/* Who is being answered when the server is told to stop gets his answer whole. */
static void
test_graceful_stop(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_autofree char *text = g_strdup_printf("GET " STORIES " HTTP/1.1\r\nHost: x\r\n"
                                            "X-TrackerToken: %s\r\n\r\n",
                                            server.token);
    int fd = server_connect(&server, text);
    char buffer[512];
    gssize n = recv(fd, buffer, sizeof(buffer), 0);
    g_assert_cmpint(n, >, 0);
    g_autoptr(GString) got = g_string_new_len(buffer, n);
    pthread_t thread;
    g_assert_cmpint(pthread_create(&thread, NULL, stop_in_thread, &server), ==, 0);
    while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
        g_string_append_len(got, buffer, n);
    }
    (void)pthread_join(thread, NULL);
    g_assert_true(g_str_has_prefix(got->str, "HTTP/1.1 200 OK\r\n"));
    g_assert_true(g_str_has_suffix(got->str, "}]"));
    (void)close(fd);
    server_stop(&server);
}

/* One address cannot take all connections; it gets new ones when it gives some back. */
static void
test_connection_limit(void)
{
    Server server;
    server_start(&server, (Config){.max_connections_per_ip = 5, .threads = 2});
    struct pollfd fds[20];
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = (struct pollfd){.fd = server_connect(&server, ""), .events = POLLIN};
    }
    guint refused = 0;
    while (refused < 15) {
        g_assert_cmpint(poll(fds, G_N_ELEMENTS(fds), 10000), >, 0);
        for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
            if (fds[i].revents != 0) {
                (void)close(fds[i].fd);
                fds[i].fd = -1; /* poll() passes over it */
                refused++;
            }
        }
    }
    g_assert_cmpint(poll(fds, G_N_ELEMENTS(fds), 0), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i].fd >= 0) {
            (void)close(fds[i].fd);
        }
    }
    int status = 0;
    for (guint i = 0; i < 1000 && status != 200; i++) {
        g_auto(Reply) reply = {0};
        server_get(&server, ME, &reply);
        status = reply.status;
    }
    g_assert_cmpint(status, ==, 200);
    server_stop(&server);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/keep-alive", test_keep_alive);
    g_test_add_func("/http/tokens", test_tokens);
    g_test_add_func("/http/head-and-options", test_head_and_options);
    g_test_add_func("/http/gzip", test_gzip);
    g_test_add_func("/http/paths", test_paths);
    g_test_add_func("/http/methods", test_methods);
    g_test_add_func("/http/large-requests", test_large_requests);
    g_test_add_func("/http/uploads", test_uploads);
    g_test_add_func("/http/download", test_download);
    g_test_add_func("/http/stats", test_stats);
    g_test_add_func("/http/access-log", test_access_log);
    g_test_add_func("/http/addresses", test_addresses);
    g_test_add_func("/http/slow-clients", test_slow_clients);
    g_test_add_func("/http/two-ends", test_two_ends);
    g_test_add_func("/http/trickling-client", test_trickling_client);
    g_test_add_func("/http/graceful-stop", test_graceful_stop);
    g_test_add_func("/http/connection-limit", test_connection_limit);
    return g_test_run();
}

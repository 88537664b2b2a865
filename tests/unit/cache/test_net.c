/* The HTTP transport against servers that behave, and servers that do not. */
#include "cache/net.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "tests/unit/cache/support_http_server.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

/* One awaited answer. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    gboolean answered;
    HttpResponse *response;
    GError *error;
    guint order; /* among all answers of the test */
} Answer;

static atomic_uint answers_so_far;

static void
on_done(HttpResponse *response, const GError *error, gpointer user)
{
    Answer *answer = user;
    LOCK_SCOPE(&answer->lock);
    g_assert_false(answer->answered);
    answer->answered = TRUE;
    answer->response = response;
    answer->error = error ? g_error_copy(error) : NULL;
    answer->order = atomic_fetch_add(&answers_so_far, 1);
    (void)pthread_cond_broadcast(&answer->changed);
}

static Answer *
answer_new(void)
{
    Answer *answer = g_new0(Answer, 1);
    (void)pthread_mutex_init(&answer->lock, NULL);
    cond_init_monotonic(&answer->changed);
    return answer;
}

static void
answer_free(Answer *answer)
{
    http_response_free(answer->response);
    g_clear_error(&answer->error);
    g_free(answer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answer, answer_free)

static void
answer_wait(Answer *answer)
{
    LOCK_SCOPE(&answer->lock);
    while (!answer->answered) {
        g_assert_true(cond_wait_ms(&answer->changed, &answer->lock, 30000));
    }
}

static Transport *
transport_to(HttpServer *server, guint max_in_flight)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = g_strconcat(http_server_url(server), "/services/v5", NULL);
    const NetConfig config = {.base_url = base,
                              .token = TOKEN,
                              .connect_timeout_ms = 5000,
                              .max_in_flight = max_in_flight};
    Transport *transport = net_new(&config, &error);
    g_assert_no_error(error);
    return transport;
}

static HttpRequest *
get_request(gint64 timeout_ms)
{
    HttpRequest *request = http_request_new_get("/me");
    request->deadline_ms = clock_monotonic_ms() + timeout_ms;
    request->max_bytes = 100000;
    return request;
}

/* Sends one GET to a server that answers by `behave`, and waits. */
static Answer *
ask(HttpServerFn behave, gpointer user, gint64 timeout_ms, guint *ret_requests)
{
    HttpServer *server = http_server_start(behave, user);
    Transport *transport = transport_to(server, 4);
    Answer *answer = answer_new();
    transport->send(transport, get_request(timeout_ms), on_done, answer);
    answer_wait(answer);
    if (ret_requests) {
        *ret_requests = http_server_requests(server);
    }
    transport_free(transport);
    http_server_stop(server);
    return answer;
}

static gboolean
behave_well(int fd, guint number, const char *request, gpointer user)
{
    (void)number;
    (void)user;
    g_assert_nonnull(strstr(request, "X-TrackerToken: " TOKEN));
    g_assert_true(g_str_has_prefix(request, "GET /services/v5/me HTTP/1.1\r\n"));
    http_server_json(fd, "{\"id\":1}");
    return TRUE;
}

static void
test_answer(void)
{
    g_autoptr(Answer) answer = ask(behave_well, NULL, 10000, NULL);
    g_assert_no_error(answer->error);
    g_assert_cmpint(answer->response->status, ==, 200);
    g_assert_cmpstr(answer->response->body, ==, "{\"id\":1}");
    g_assert_cmpint(answer->response->project_version, ==, 7);
    g_assert_cmpint(answer->response->total, ==, 172);
    g_assert_cmpint(answer->response->limit, ==, -1);
    g_assert_true(answer->response->is_json);
}

/* What to do for the first requests; later ones are answered well. */
static gboolean
fail_first(int fd, guint number, const char *request, gpointer user)
{
    const char *const *replies = user;
    for (guint i = 0; i < number; i++) {
        if (!replies[i]) {
            return behave_well(fd, number, request, NULL);
        }
    }
    http_server_write(fd, "%s", replies[number - 1]);
    return FALSE;
}

static void
test_passing_troubles_are_waited_out(void)
{
    static const char *replies[] = {
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"cut\":",
        "HTTP/1.1 429 Slow down\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
        "", /* closed without a word */
        NULL,
    };
    guint requests;
    g_autoptr(Answer) answer = ask(fail_first, replies, 30000, &requests);
    g_assert_no_error(answer->error);
    g_assert_cmpstr(answer->response->body, ==, "{\"id\":1}");
    g_assert_cmpuint(requests, ==, 5);
}

static gboolean
always(int fd, guint number, const char *request, gpointer user)
{
    (void)number;
    (void)request;
    http_server_write(fd, "%s", (const char *)user);
    return FALSE;
}

static void
test_lasting_troubles_are_reported(void)
{
    static char limited[] = "HTTP/1.1 429 No\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    static char broken[] = "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nwhy?";
    static char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    guint requests;
    g_autoptr(Answer) patience = ask(always, limited, 30000, &requests);
    g_assert_no_error(patience->error);
    g_assert_cmpint(patience->response->status, ==, 429);
    g_assert_cmpuint(requests, ==, 1);
    g_autoptr(Answer) failure = ask(always, broken, 30000, &requests);
    g_assert_cmpint(failure->response->status, ==, 500);
    g_assert_cmpuint(requests, ==, 1);
    g_autoptr(Answer) short_body = ask(always, cut, 1500, &requests);
    g_assert_error(short_body->error, ERR, ERR_PROTOCOL);
    g_assert_cmpuint(requests, >=, 2);
}

/* Nobody waits out his deadline behind a 429 that names a later time. */
static void
test_held_back_for_good(void)
{
    static char limited[] = "HTTP/1.1 429 No\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    HttpServer *server = http_server_start(always, limited);
    g_autoptr(Transport) transport = transport_to(server, 4);
    g_autoptr(Answer) first = answer_new();
    g_autoptr(Answer) second = answer_new();
    transport->send(transport, get_request(1000000), on_done, first);
    answer_wait(first);
    g_assert_cmpint(first->response->status, ==, 429);
    transport->send(transport, get_request(1000000), on_done, second);
    answer_wait(second);
    g_assert_error(second->error, ERR, ERR_RATE_LIMITED);
    g_assert_cmpuint(http_server_requests(server), ==, 1);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

/* The first request is answered and its connection kept; the second is read and the connection dies
 * without a word. */
static gboolean
die_on_second(int fd, guint number, const char *request, gpointer user)
{
    (void)user;
    if (number == 1) {
        return behave_well(fd, number, request, NULL);
    }
    char body[2];
    g_assert_cmpint(recv(fd, body, sizeof body, MSG_WAITALL), ==, 2);
    return FALSE;
}

static void
test_curl_does_not_repeat_a_write(void)
{
    HttpServer *server = http_server_start(die_on_second, NULL);
    g_autoptr(Transport) transport = transport_to(server, 1);
    g_autoptr(Answer) first = answer_new();
    g_autoptr(Answer) second = answer_new();
    transport->send(transport, get_request(10000), on_done, first);
    answer_wait(first);
    g_assert_no_error(first->error);
    HttpRequest *request = http_request_new_write("POST", "/projects/9/stories");
    http_request_set_json(request, g_strdup("{}"));
    request->deadline_ms = clock_monotonic_ms() + 10000;
    request->max_bytes = 1000;
    transport->send(transport, request, on_done, second);
    answer_wait(second);
    g_assert_nonnull(second->error);
    g_assert_cmpuint(http_server_requests(server), ==, 2);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static gboolean
count_body(int fd, guint number, const char *request, gpointer user)
{
    GString *seen = user;
    (void)number;
    const char *length = strstr(request, "Content-Length: ");
    g_assert_nonnull(length);
    g_assert_nonnull(strstr(request, "X-TrackerToken: " TOKEN));
    g_assert_nonnull(strstr(request, "Content-Type: multipart/form-data; boundary="));
    for (gint64 left = g_ascii_strtoll(length + 16, NULL, 10); left > 0;) {
        char buffer[4096];
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        g_assert_cmpint(got, >, 0);
        g_string_append_len(seen, buffer, got);
        left -= got;
    }
    http_server_json(fd, "{\"id\":300}");
    return TRUE;
}

static void
test_an_upload_is_framed_and_whole(void)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    HttpServer *server = http_server_start(count_body, seen);
    g_autoptr(Transport) transport = transport_to(server, 1);
    g_autoptr(Answer) answer = answer_new();
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "trackerfs-upload-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    (void)unlink(path);
    g_autofree char *bytes = g_malloc(300000);
    memset(bytes, 'x', 300000);
    g_assert_cmpint(write(fd, bytes, 300000), ==, 300000);
    HttpRequest *request = http_request_new_write("POST", "/projects/9/uploads");
    request->deadline_ms = clock_monotonic_ms() + 10000;
    request->max_bytes = 1000;
    http_request_set_upload(request, "file", "a \"b\".png", fd, 300000);
    transport->send(transport, request, on_done, answer);
    answer_wait(answer);
    g_assert_no_error(answer->error);
    g_assert_cmpint(answer->response->status, ==, 200);
    g_assert_true(g_str_has_prefix(seen->str, "--"));
    g_assert_nonnull(strstr(seen->str, "name=\"file\"; filename=\"a %22b%22.png\"\r\n"));
    const char *body = strstr(seen->str, "\r\n\r\n") + 4;
    g_assert_cmpint(memcmp(body, bytes, 300000), ==, 0);
    g_assert_true(g_str_has_prefix(body + 300000, "\r\n--"));
    g_assert_true(g_str_has_suffix(seen->str, "--\r\n"));
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static void
test_a_write_is_not_repeated(void)
{
    static char unavailable[] = "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n";
    HttpServer *server = http_server_start(always, unavailable);
    g_autoptr(Transport) transport = transport_to(server, 4);
    g_autoptr(Answer) answer = answer_new();
    HttpRequest *request = http_request_new_write("PUT", "/projects/9/stories/1");
    http_request_set_json(request, g_strdup("{}"));
    request->deadline_ms = clock_monotonic_ms() + 30000;
    request->max_bytes = 1000;
    transport->send(transport, request, on_done, answer);
    answer_wait(answer);
    g_assert_no_error(answer->error);
    g_assert_cmpint(answer->response->status, ==, 503);
    g_assert_cmpint(answer->response->retry_after_ms, ==, 2000);
    g_assert_cmpuint(http_server_requests(server), ==, 1);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static void
test_a_post_is_not_repeated(void)
{
    static char unavailable[] = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    HttpServer *server = http_server_start(always, unavailable);
    g_autoptr(Transport) transport = transport_to(server, 4);
    g_autoptr(Answer) answer = answer_new();
    HttpRequest *request = get_request(30000);
    request->method = "POST";
    request->body = g_strdup("{}");
    request->body_bytes = 2;
    transport->send(transport, request, on_done, answer);
    answer_wait(answer);
    g_assert_cmpint(answer->response->status, ==, 503);
    g_assert_cmpuint(http_server_requests(server), ==, 1);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static gboolean
send_much(int fd, guint number, const char *request, gpointer user)
{
    g_autofree char *body = g_strnfill(200000, 'x');
    (void)number;
    (void)request;
    (void)user;
    http_server_json(fd, body);
    return FALSE;
}

static void
test_limits(void)
{
    guint requests;
    g_autoptr(Answer) large = ask(send_much, NULL, 30000, &requests);
    g_assert_error(large->error, ERR, ERR_TOO_LARGE);
    g_assert_cmpuint(requests, ==, 1);
    GString *headers = g_string_new("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 3000; i++) {
        g_string_append_printf(headers, "X-Header-%d: 01234567890123456789\r\n", i);
    }
    (void)g_string_append(headers, "\r\n");
    g_autofree char *text = g_string_free(headers, FALSE);
    g_autoptr(Answer) many = ask(always, text, 30000, &requests);
    g_assert_error(many->error, ERR, ERR_TOO_LARGE);
}

static void
test_redirects_of_the_api_are_refused(void)
{
    static char elsewhere[] =
        "HTTP/1.1 302 Found\r\nLocation: http://evil.example/x\r\nContent-Length: 0\r\n\r\n";
    g_autoptr(Answer) answer = ask(always, elsewhere, 30000, NULL);
    g_assert_error(answer->error, ERR, ERR_PROTOCOL);
    g_assert_nonnull(strstr(answer->error->message, "evil.example"));
}

static gboolean
redirect_to(int fd, guint number, const char *request, gpointer user)
{
    (void)number;
    g_assert_nonnull(strstr(request, TOKEN));
    http_server_write(
        fd, "HTTP/1.1 302 Found\r\nLocation: %s/elsewhere?sign=1\r\nContent-Length: 0\r\n\r\n",
        (const char *)user);
    return TRUE;
}

static gboolean
give_bytes(int fd, guint number, const char *request, gpointer user)
{
    (void)number;
    (void)user;
    g_assert_null(strstr(request, TOKEN));
    g_assert_true(g_str_has_prefix(request, "GET /elsewhere?sign=1 "));
    http_server_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes");
    return TRUE;
}

static void
test_downloads_follow_without_the_token(void)
{
    HttpServer *other = http_server_start(give_bytes, NULL);
    g_autofree char *url = g_strdup(http_server_url(other));
    HttpServer *server = http_server_start(redirect_to, url);
    g_autoptr(Transport) transport = transport_to(server, 4);
    g_autoptr(Answer) answer = answer_new();
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("trackerfs-net-XXXXXX", &path, NULL);
    HttpRequest *request = get_request(30000);
    request->at_origin = TRUE;
    request->out_fd = fd;
    transport->send(transport, request, on_done, answer);
    answer_wait(answer);
    g_assert_no_error(answer->error);
    char got[16] = "";
    g_assert_cmpint(pread(fd, got, sizeof got, 0), ==, 5);
    g_assert_cmpstr(got, ==, "bytes");
    (void)close(fd);
    (void)g_unlink(path);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
    http_server_stop(other);
}

static void
test_unreachable_is_reported_soon(void)
{
    HttpServer *server = http_server_start(behave_well, NULL);
    g_autofree char *base = g_strdup(http_server_url(server));
    http_server_stop(server);
    const NetConfig config = {.base_url = base, .connect_timeout_ms = 5000, .max_in_flight = 4};
    g_autoptr(GError) error = NULL;
    g_autoptr(Transport) transport = net_new(&config, &error);
    g_autoptr(Answer) answer = answer_new();
    gint64 began = g_get_monotonic_time();
    transport->send(transport, get_request(30000), on_done, answer);
    answer_wait(answer);
    g_assert_error(answer->error, ERR, ERR_OFFLINE);
    g_assert_nonnull(strstr(answer->error->message, "127.0.0.1"));
    g_assert_cmpint(g_get_monotonic_time() - began, <, 10 * G_USEC_PER_SEC);
}

/* A server that answers when it is told to. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    gboolean open;
    guint arrived;
} Gate;

static gboolean
wait_at_gate(int fd, guint number, const char *request, gpointer user)
{
    Gate *gate = user;
    (void)number;
    (void)request;
    {
        LOCK_SCOPE(&gate->lock);
        gate->arrived++;
        (void)pthread_cond_broadcast(&gate->changed);
        while (!gate->open) {
            (void)cond_wait_ms(&gate->changed, &gate->lock, 30000);
        }
    }
    http_server_json(fd, "{}");
    return TRUE;
}

static void
gate_init(Gate *gate)
{
    *gate = (Gate){.open = FALSE};
    (void)pthread_mutex_init(&gate->lock, NULL);
    cond_init_monotonic(&gate->changed);
}

static void
gate_await(Gate *gate, guint arrivals)
{
    LOCK_SCOPE(&gate->lock);
    while (gate->arrived < arrivals) {
        g_assert_true(cond_wait_ms(&gate->changed, &gate->lock, 30000));
    }
}

static void
gate_open(Gate *gate)
{
    LOCK_SCOPE(&gate->lock);
    gate->open = TRUE;
    (void)pthread_cond_broadcast(&gate->changed);
}

static void
test_a_save_goes_before_a_prefetch(void)
{
    Gate gate;
    gate_init(&gate);
    HttpServer *server = http_server_start(wait_at_gate, &gate);
    g_autoptr(Transport) transport = transport_to(server, 1);
    static const Priority priorities[] = {PRIORITY_DEMAND, PRIORITY_PREFETCH, PRIORITY_DEMAND,
                                          PRIORITY_SAVE};
    Answer *answers[G_N_ELEMENTS(priorities)];
    for (guint i = 0; i < G_N_ELEMENTS(priorities); i++) {
        HttpRequest *request = get_request(60000);
        request->priority = priorities[i];
        answers[i] = answer_new();
        transport->send(transport, request, on_done, answers[i]);
        if (i == 0) {
            gate_await(&gate, 1);
        }
    }
    gate_open(&gate);
    for (guint i = 0; i < G_N_ELEMENTS(priorities); i++) {
        answer_wait(answers[i]);
    }
    g_assert_cmpuint(answers[3]->order, <, answers[2]->order);
    g_assert_cmpuint(answers[2]->order, <, answers[1]->order);
    for (guint i = 0; i < G_N_ELEMENTS(priorities); i++) {
        answer_free(answers[i]);
    }
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static void
test_the_end_answers_everything(void)
{
    Gate gate;
    gate_init(&gate);
    HttpServer *server = http_server_start(wait_at_gate, &gate);
    Transport *transport = transport_to(server, 2);
    Answer *answers[8];
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        answers[i] = answer_new();
        transport->send(transport, get_request(60000), on_done, answers[i]);
    }
    gate_await(&gate, 2);
    transport_free(transport);
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        answer_wait(answers[i]);
        g_assert_error(answers[i]->error, ERR, ERR_CANCELLED);
        answer_free(answers[i]);
    }
    gate_open(&gate);
    http_server_stop(server);
}

static void
test_deadline(void)
{
    Gate gate;
    gate_init(&gate);
    HttpServer *server = http_server_start(wait_at_gate, &gate);
    g_autoptr(Transport) transport = transport_to(server, 1);
    g_autoptr(Answer) running = answer_new();
    g_autoptr(Answer) waiting = answer_new();
    transport->send(transport, get_request(300), on_done, running);
    transport->send(transport, get_request(300), on_done, waiting);
    answer_wait(running);
    answer_wait(waiting);
    g_assert_error(running->error, ERR, ERR_TIMEOUT);
    g_assert_error(waiting->error, ERR, ERR_TIMEOUT);
    gate_open(&gate);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static void
test_many_at_once(void)
{
    HttpServer *server = http_server_start(behave_well, NULL);
    g_autoptr(Transport) transport = transport_to(server, 8);
    Answer *answers[100];
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        answers[i] = answer_new();
        transport->send(transport, get_request(60000), on_done, answers[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        answer_wait(answers[i]);
        g_assert_no_error(answers[i]->error);
        answer_free(answers[i]);
    }
    TransportStats stats;
    transport->get_stats(transport, &stats);
    g_assert_cmpuint(stats.requests, ==, 100);
    g_assert_cmpuint(stats.failures, ==, 0);
    g_clear_pointer(&transport, transport_free);
    http_server_stop(server);
}

static void
test_urls(void)
{
    static const struct {
        const char *url, *token;
        gboolean works;
    } cases[] = {
        {"ftp://x", NULL, FALSE},
        {"nonsense", NULL, FALSE},
        {"http://tracker.example", TOKEN, FALSE}, /* the token in the clear */
        {"http://127.0.0.1.evil.example", TOKEN, FALSE},
        {"http://127.0.0.1:8080/services/v5", TOKEN, TRUE},
        {"http://[::1]:8080", TOKEN, TRUE},
        {"https://tracker.example/services/v5", TOKEN, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const NetConfig config = {
            .base_url = cases[i].url, .token = cases[i].token, .max_in_flight = 1};
        g_autoptr(Transport) transport = net_new(&config, &error);
        if (cases[i].works) {
            g_assert_no_error(error);
        } else {
            g_assert_error(error, ERR, ERR_INVALID);
        }
        g_assert_true((transport != NULL) == cases[i].works);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    clock_init();
    g_test_add_func("/net/answer", test_answer);
    g_test_add_func("/net/passing-troubles", test_passing_troubles_are_waited_out);
    g_test_add_func("/net/lasting-troubles", test_lasting_troubles_are_reported);
    g_test_add_func("/net/held-back-for-good", test_held_back_for_good);
    g_test_add_func("/net/post", test_a_post_is_not_repeated);
    g_test_add_func("/net/put", test_a_write_is_not_repeated);
    g_test_add_func("/net/kept-connection", test_curl_does_not_repeat_a_write);
    g_test_add_func("/net/upload", test_an_upload_is_framed_and_whole);
    g_test_add_func("/net/limits", test_limits);
    g_test_add_func("/net/api-redirect", test_redirects_of_the_api_are_refused);
    g_test_add_func("/net/download-redirect", test_downloads_follow_without_the_token);
    g_test_add_func("/net/unreachable", test_unreachable_is_reported_soon);
    g_test_add_func("/net/priority", test_a_save_goes_before_a_prefetch);
    g_test_add_func("/net/end", test_the_end_answers_everything);
    g_test_add_func("/net/deadline", test_deadline);
    g_test_add_func("/net/many", test_many_at_once);
    g_test_add_func("/net/urls", test_urls);
    return g_test_run();
}

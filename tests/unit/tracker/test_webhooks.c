/* Webhooks are really posted: to a receiver on this machine, from the queue in the database. */
#include "support_receiver.h"
#include "support_service.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracker/webhook_post.h"
#include "tracker/webhooks.h"

typedef struct {
    Fixture base;
    Receiver *receiver;
    _Atomic gint64 now_ms; /* also read by the thread that delivers */
    _Atomic guint looks;   /* how often it read it */
} Hooked;

static gint64
moved_clock(gpointer user)
{
    Hooked *h = user;

    h->looks++;
    return h->now_ms;
}

static void
add_webhook(Hooked *h, int id, const char *url)
{
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO webhook(id, project_id, webhook_url, webhook_version, enabled)"
                        " VALUES(%d, 99, '%s', 'v5', 1)",
                        id, url);

    fixture_sql(&h->base, sql);
}

static void
set_up(Hooked *h, gconstpointer user)
{
    (void)user;
    fixture_open(&h->base);
    h->now_ms = FIXTURE_NOW_MS;
    tracker_set_clock(h->base.tracker, moved_clock, h);
    h->receiver = receiver_start();
    add_webhook(h, 1, receiver_url(h->receiver));
}

static void
tear_down(Hooked *h, gconstpointer user)
{
    (void)user;
    fixture_close(&h->base);
    receiver_stop(h->receiver);
}

/* Activities 1 and 2 are of project 99, activity 3 is of another. */
static void
enqueue(Hooked *h, gint64 activity_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(h->base.tracker), &error);

    g_assert_true(db_begin(conn, DB_WRITE, &error));
    webhooks_enqueue(conn, activity_id, h->now_ms);
    (void)db_commit(conn, &error);
    g_assert_no_error(error);
    tracker_wake_webhooks(h->base.tracker);
}

static gint64
number(Hooked *h, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(h->base.tracker), &error);
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);

    return db_next(stmt) && !db_is_null(stmt, 0) ? db_int(stmt, 0) : -1;
}

#define QUEUED "SELECT count(*) FROM webhook_delivery"

/* What is posted becomes known to the database a moment later. */
static void
wait_for(Hooked *h, const char *sql, gint64 value)
{
    for (int i = 0; i < 1000 && number(h, sql) != value; i++) {
        g_usleep(10000);
    }
    g_assert_cmpint(number(h, sql), ==, value);
}

static void
deliver(Hooked *h)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(tracker_deliver_webhooks(h->base.tracker, TRUE, &error));
    g_assert_no_error(error);
}

static void
test_body(Hooked *h, gconstpointer user)
{
    g_autofree char *body = NULL, *head = NULL;

    (void)user;
    deliver(h);
    enqueue(h, 3);
    enqueue(h, 1);
    g_assert_true(receiver_wait(h->receiver, 1));
    body = receiver_body(h->receiver, 0);
    head = receiver_head(h->receiver, 0);
    g_assert_cmpstr(
        body, ==,
        "{\"kind\":\"story_update_activity\",\"guid\":\"99_229\",\"project_version\":229,"
        "\"message\":\"Ada Example edited this feature\",\"highlight\":\"edited\","
        "\"changes\":[{\"kind\":\"story\",\"id\":555,\"new_values\":{\"updated_at\":1493854100000,"
        "\"name\":\"updated_at\"}}],\"primary_resources\":[],\"secondary_resources\":[],"
        "\"project\":{\"kind\":\"project\",\"id\":99,\"name\":\"Demo\"},"
        "\"performed_by\":{\"kind\":\"person\",\"id\":101,\"name\":\"Ada Example\","
        "\"initials\":\"AE\"},\"occurred_at\":1493854100000}");
    g_assert_true(g_str_has_prefix(head, "POST / HTTP/1.1\r\n"));
    g_assert_nonnull(strstr(head, "Content-Type: application/json; charset=utf-8\r\n"));
    g_assert_null(strstr(head, TOKEN_ADA));
    wait_for(h, QUEUED, 0);
    g_assert_cmpint(number(h, "SELECT last_error_code FROM webhook"), ==, -1);
    g_assert_cmpint(receiver_count(h->receiver), ==, 1);
}

/* ---- against bodies that the real service sent ---- */

/* Both are objects, and what we post has every member that was recorded, of the same type. */
static void
check_members(const json_t *recorded, const json_t *ours, const char *where)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(guintptr)recorded, name, value)
    {
        const json_t *own = json_object_get(ours, name);

        if (!own || json_typeof(own) != json_typeof(value)) {
            g_test_message("%s: %s", where, name);
        }
        g_assert_nonnull(own);
        g_assert_cmpint((int)json_typeof(own), ==, (int)json_typeof(value));
    }
}

static void
check_body(const json_t *recorded, const json_t *ours, const char *where)
{
    static const char *const lights[] = {"project", "performed_by"};
    const json_t *resource = json_array_get(json_object_get(recorded, "primary_resources"), 0);

    check_members(recorded, ours, where);
    for (gsize i = 0; i < G_N_ELEMENTS(lights); i++) {
        check_members(json_object_get(recorded, lights[i]), json_object_get(ours, lights[i]),
                      where);
    }
    if (g_strcmp0(json_string_value(json_object_get(resource, "kind")), "story") == 0) {
        check_members(resource, json_array_get(json_object_get(ours, "primary_resources"), 0),
                      where);
    }
}

static json_t *
post_of_update(Hooked *h)
{
    static const char body[] = "{\"name\":\"New\",\"estimate\":3}";
    TrackerRequest request = {.method = "PUT",
                              .path = "/services/v5/stories/555",
                              .token = TOKEN_ADA,
                              .content_type = "application/json",
                              .body = body,
                              .body_bytes = strlen(body)};
    g_autofree char *post = NULL;

    deliver(h);
    (void)fixture_request(&h->base, &request);
    g_assert_cmpint(h->base.response.status, ==, 200);
    g_assert_true(receiver_wait(h->receiver, 1));
    post = receiver_body(h->receiver, 0);
    return json_loads(post, 0, NULL);
}

static void
test_recorded(Hooked *h, gconstpointer user)
{
    const char *shared = g_getenv("TRACKERFS_SHARED_DIR");
    g_autofree char *folder = g_build_filename(shared ? shared : "", "webhooks", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    json_t *ours;
    int compared = 0;

    (void)user;
    if (!dir) {
        g_test_skip("no recorded webhook bodies here");
        return;
    }
    ours = post_of_update(h);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        json_t *recorded = json_load_file(path, 0, NULL);

        /* Some recordings are cut down, and some have the times of a GET. */
        if (json_is_integer(json_object_get(recorded, "occurred_at")) &&
            json_is_object(json_object_get(recorded, "project"))) {
            check_body(recorded, ours, name);
            compared++;
        }
        json_decref(recorded);
    }
    json_decref(ours);
    g_assert_cmpint(compared, >, 10);
}

static void
test_disabled(Hooked *h, gconstpointer user)
{
    (void)user;
    fixture_sql(&h->base, "UPDATE webhook SET enabled = 0");
    enqueue(h, 1);
    g_assert_cmpint(number(h, QUEUED), ==, 0);
}

/* A refusal is tried again later, in order, and remembered. */
static void
test_retry(Hooked *h, gconstpointer user)
{
    g_autofree char *first = NULL, *second = NULL, *third = NULL;

    (void)user;
    receiver_answer(h->receiver, 503, "down \xff");
    deliver(h);
    enqueue(h, 1);
    enqueue(h, 2);
    wait_for(h, "SELECT last_error_code FROM webhook", 503);
    g_assert_cmpint(
        number(h, "SELECT count(*) FROM webhook WHERE last_response_body = 'down \xef\xbf\xbd'"),
        ==, 1);
    g_assert_cmpint(number(h, "SELECT due_at FROM webhook_delivery ORDER BY id"), ==,
                    h->now_ms + WEBHOOKS_FIRST_RETRY_MS);
    h->now_ms += WEBHOOKS_FIRST_RETRY_MS;
    tracker_wake_webhooks(h->base.tracker);
    wait_for(h, "SELECT MAX(attempts) FROM webhook_delivery", 2);
    g_assert_cmpint(number(h, "SELECT due_at FROM webhook_delivery ORDER BY id"), ==,
                    h->now_ms + 4 * WEBHOOKS_FIRST_RETRY_MS);
    receiver_answer(h->receiver, 204, "");
    h->now_ms += 4 * WEBHOOKS_FIRST_RETRY_MS;
    tracker_wake_webhooks(h->base.tracker);
    g_assert_true(receiver_wait(h->receiver, 4));
    wait_for(h, QUEUED, 0);
    first = receiver_body(h->receiver, 0);
    second = receiver_body(h->receiver, 2);
    third = receiver_body(h->receiver, 3);
    g_assert_cmpstr(first, ==, second);
    g_assert_nonnull(strstr(first, "\"guid\":\"99_229\""));
    g_assert_nonnull(strstr(third, "\"guid\":\"99_230\""));
    g_assert_cmpint(number(h, "SELECT last_error_code FROM webhook"), ==, 503);
}

static void
test_given_up(Hooked *h, gconstpointer user)
{
    (void)user;
    receiver_answer(h->receiver, 0, "");
    enqueue(h, 1);
    enqueue(h, 2);
    fixture_sql(&h->base, "UPDATE webhook_delivery SET attempts = 7 WHERE activity_id = 1");
    deliver(h);
    /* The first is given up; the second fails once and waits. */
    wait_for(h, "SELECT SUM(attempts) FROM webhook_delivery", 1);
    g_assert_cmpint(number(h, "SELECT activity_id FROM webhook_delivery"), ==, 2);
    g_assert_cmpint(number(h, "SELECT last_error_code FROM webhook"), ==, 0);
    g_assert_cmpint(number(h, "SELECT length(last_response_body) > 0 FROM webhook"), ==, 1);
}

/* A redirect is an answer: nobody is led elsewhere. */
static void
test_redirect(Hooked *h, gconstpointer user)
{
    (void)user;
    receiver_answer(h->receiver, 302, "");
    deliver(h);
    enqueue(h, 1);
    wait_for(h, "SELECT last_error_code FROM webhook", 302);
}

/* One that cannot be reached keeps nobody else waiting. */
static void
test_beside(Hooked *h, gconstpointer user)
{
    (void)user;
    /* Nobody listens at port 9: the connection is refused and tried again later. */
    add_webhook(h, 2, "http://127.0.0.1:9/");
    deliver(h);
    enqueue(h, 1);
    enqueue(h, 2);
    g_assert_true(receiver_wait(h->receiver, 2));
    wait_for(h, "SELECT count(*) FROM webhook_delivery WHERE webhook_id = 1", 0);
    wait_for(h, "SELECT last_error_code FROM webhook WHERE id = 2", 0);
    g_assert_cmpint(number(h, "SELECT count(*) FROM webhook_delivery WHERE webhook_id = 2"), ==, 2);
}

/* What was queued before a stop is sent after the next start. */
static void
test_restart(Hooked *h, gconstpointer user)
{
    g_autoptr(GError) error = NULL;

    (void)user;
    enqueue(h, 1);
    enqueue(h, 2);
    tracker_close(h->base.tracker);
    h->base.tracker = tracker_open(h->base.path, 0, &error);
    g_assert_no_error(error);
    tracker_set_clock(h->base.tracker, moved_clock, h);
    g_assert_true(tracker_deliver_webhooks(h->base.tracker, TRUE, &error));
    g_assert_true(receiver_wait(h->receiver, 2));
    wait_for(h, QUEUED, 0);
}

/* ---- kill -9 ---- */

static const char *program; /* this test, which runs itself as the process that is killed */

/* Makes stories and posts what happens, until it is killed. */
static int
run_until_killed(const char *path)
{
    g_autoptr(Tracker) tracker = tracker_open(path, 0, NULL);
    TrackerRequest request = {.method = "POST",
                              .path = "/services/v5/projects/99/stories",
                              .token = TOKEN_ADA,
                              .content_type = "application/json",
                              .body = "{\"name\":\"Made\"}",
                              .body_bytes = strlen("{\"name\":\"Made\"}")};

    if (!tracker || !tracker_deliver_webhooks(tracker, TRUE, NULL)) {
        return 1;
    }
    for (int i = 0; i < 60; i++) {
        TrackerResponse response;

        tracker_handle(tracker, &request, &response);
        tracker_response_clear(&response);
    }
    for (;;) {
        (void)pause();
    }
}

/* The versions in the order in which they arrived; one that was sent again counts once. */
static gint64
check_versions(Hooked *h)
{
    gint64 last = 230;

    for (guint i = 0; i < receiver_count(h->receiver); i++) {
        g_autofree char *body = receiver_body(h->receiver, i);
        json_t *activity = json_loads(body, 0, NULL);
        gint64 version = json_integer_value(json_object_get(activity, "project_version"));

        g_assert_true(version == last + 1 || (version == last && version > 230));
        last = version;
        json_decref(activity);
    }
    return last;
}

/* No change is forgotten when the process is killed in the middle of it all. */
static void
test_kill(Hooked *h, gconstpointer user)
{
    const char *const arguments[] = {program, "--until-killed", h->base.path, NULL};
    g_autoptr(GError) error = NULL;
    GPid child;

    (void)user;
    tracker_close(h->base.tracker);
    g_assert_true(g_spawn_async(NULL, (char **)(guintptr)arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                NULL, NULL, &child, &error));
    g_assert_true(receiver_wait(h->receiver, 10));
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    h->base.tracker = tracker_open(h->base.path, 0, &error);
    g_assert_no_error(error);
    deliver(h);
    wait_for(h, QUEUED, 0);
    g_assert_cmpint(check_versions(h), ==, number(h, "SELECT version FROM project WHERE id = 99"));
}

/* Until the thread that delivers has looked at the queue, and at the network, many times: a post
 * that it had begun would be there. */
static void
look_often(Hooked *h)
{
    guint until = h->looks + 40;

    for (int i = 0; i < 10000 && h->looks < until; i++) {
        tracker_wake_webhooks(h->base.tracker);
        g_usleep(1000);
    }
    g_assert_cmpuint(h->looks, >=, until);
}

/* Another process that delivers from the same database keeps us from doing it too. */
static void
test_one_deliverer(Hooked *h, gconstpointer user)
{
    g_autofree char *path = g_strconcat(h->base.path, ".webhooks", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    (void)user;
    g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
    enqueue(h, 1);
    deliver(h);
    look_often(h);
    g_assert_cmpint(receiver_count(h->receiver), ==, 0);
    (void)close(fd);
    tracker_wake_webhooks(h->base.tracker);
    g_assert_true(receiver_wait(h->receiver, 1));
}

static void
test_orphan(Hooked *h, gconstpointer user)
{
    (void)user;
    enqueue(h, 1);
    enqueue(h, 2);
    fixture_sql(&h->base, "DELETE FROM activity WHERE id = 1");
    deliver(h);
    g_assert_true(receiver_wait(h->receiver, 1));
    wait_for(h, QUEUED, 0);
    g_assert_cmpint(receiver_count(h->receiver), ==, 1);
}

static void
test_queue_is_bounded(Hooked *h, gconstpointer user)
{
    g_autofree char *sql = g_strdup_printf(
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
        " INSERT INTO webhook_delivery(webhook_id, activity_id, due_at) SELECT 1, 2, 0 FROM c",
        WEBHOOKS_MAX_QUEUED);

    (void)user;
    fixture_sql(&h->base, sql);
    enqueue(h, 1);
    g_assert_cmpint(number(h, QUEUED), ==, WEBHOOKS_MAX_QUEUED);
    g_assert_cmpint(number(h, "SELECT MIN(id) FROM webhook_delivery"), ==, 2);
    g_assert_cmpint(number(h, "SELECT activity_id FROM webhook_delivery ORDER BY id DESC"), ==, 1);
}

static void
test_urls(void)
{
    static const struct {
        const char *url;
        WebhookUrl strict, lax;
    } cases[] = {
        {"https://hook.example.org/a?b=c", WEBHOOK_URL_GOOD, WEBHOOK_URL_GOOD},
        {"https://127.0.0.1:8443/", WEBHOOK_URL_GOOD, WEBHOOK_URL_GOOD},
        {"http://hook.example.org/", WEBHOOK_URL_NOT_HTTPS, WEBHOOK_URL_NOT_HTTPS},
        {"http://127.0.0.1:8080/", WEBHOOK_URL_NOT_HTTPS, WEBHOOK_URL_GOOD},
        {"http://localhost/", WEBHOOK_URL_NOT_HTTPS, WEBHOOK_URL_GOOD},
        {"http://[::1]:1/", WEBHOOK_URL_NOT_HTTPS, WEBHOOK_URL_GOOD},
        {"http://127.example.org/", WEBHOOK_URL_NOT_HTTPS, WEBHOOK_URL_NOT_HTTPS},
        {"ftp://hook.example.org/", WEBHOOK_URL_INVALID, WEBHOOK_URL_INVALID},
        {"file:///etc/passwd", WEBHOOK_URL_INVALID, WEBHOOK_URL_INVALID},
        {"hook", WEBHOOK_URL_INVALID, WEBHOOK_URL_INVALID},
        {"", WEBHOOK_URL_INVALID, WEBHOOK_URL_INVALID},
        {"https://", WEBHOOK_URL_INVALID, WEBHOOK_URL_INVALID},
        {"https://a b/", WEBHOOK_URL_INVALID, WEBHOOK_URL_INVALID},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].url);
        g_assert_cmpint(webhook_url_check(cases[i].url, FALSE), ==, cases[i].strict);
        g_assert_cmpint(webhook_url_check(cases[i].url, TRUE), ==, cases[i].lax);
    }
}

#define ADD(name, test) g_test_add("/webhooks/" name, Hooked, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--until-killed") == 0) {
        return run_until_killed(argv[2]);
    }
    program = argv[0];
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/webhooks/urls", test_urls);
    ADD("body", test_body);
    ADD("recorded", test_recorded);
    ADD("disabled", test_disabled);
    ADD("retry", test_retry);
    ADD("given-up", test_given_up);
    ADD("redirect", test_redirect);
    ADD("beside", test_beside);
    ADD("restart", test_restart);
    ADD("kill", test_kill);
    ADD("one-deliverer", test_one_deliverer);
    ADD("orphan", test_orphan);
    ADD("queue-is-bounded", test_queue_is_bounded);
    return g_test_run();
}

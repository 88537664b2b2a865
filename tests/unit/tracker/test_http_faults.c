/* What --faults makes of answers, connections and the database, seen by a client. */
#include "support_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ME "/services/v5/me"
#define STORIES "/services/v5/projects/99/stories?limit=500"
#define DOWNLOAD "/file_attachments/7/download"

typedef TrackerHttpConfig Config;

static void
test_fault_answers(void)
{
    static const struct {
        const char *spec;
        int status;
        const char *body, *header, *header_value;
    } cases[] = {
        {"rate429=100,retry_after=3", 429, "rate_limited", "Retry-After", "3"},
        {"err5xx=100,status=503,retry_after=2", 503, "unhandled_condition", "Retry-After", "2"},
        {"err5xx=100,status=502", 502, "<html>", "Content-Type", "text/html"},
        {"html", 200, "<!DOCTYPE html>", "Content-Type", "text/html; charset=utf-8"},
        {"redirect=example.org:81", 302, "", "Location",
         "http://example.org:81" ME "?fields=name%2Cid"},
        {"revoke", 403, "invalid_authentication", "Content-Type",
         "application/json; charset=utf-8"},
        {"latency=150", 200, "\"id\"", "Content-Type", "application/json; charset=utf-8"},
    };
    Server server;
    server_start(&server, (Config){0});
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        server_set_faults(&server, cases[i].spec);
        g_auto(Reply) reply = {0};
        server_get(&server, ME "?fields=name%2Cid", &reply);
        g_assert_cmpint(reply.curl_code, ==, CURLE_OK);
        g_assert_cmpint(reply.status, ==, cases[i].status);
        g_assert_nonnull(strstr(reply.body->str, cases[i].body));
        g_autofree char *value = reply_header(&reply, cases[i].header);
        g_assert_cmpstr(value, ==, cases[i].header_value);
    }
    g_auto(Reply) late = {0};
    server_get(&server, ME, &late);
    g_assert_cmpint(late.ms, >=, 150);
    server_stop(&server);
}

static void
test_fault_bodies(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) whole = {0};
    server_get(&server, STORIES, &whole);

    server_set_faults(&server, "cut=1000*1");
    g_auto(Reply) cut = {0};
    server_get(&server, STORIES, &cut);
    g_assert_cmpint(cut.curl_code, ==, CURLE_PARTIAL_FILE);
    g_assert_cmpuint(cut.body->len, ==, 1000);
    g_autofree char *promised = reply_header(&cut, "Content-Length");
    g_assert_cmpint(atoi(promised), ==, (int)whole.body->len);

    server_set_faults(&server, "cut=0*1");
    g_auto(Reply) cut_all = {0};
    server_get(&server, STORIES, &cut_all);
    g_assert_cmpint(cut_all.status, ==, 200);
    g_assert_cmpint(cut_all.curl_code, ==, CURLE_PARTIAL_FILE);

    server_set_faults(&server, "badjson*1");
    g_auto(Reply) bad = {0};
    server_get(&server, STORIES, &bad);
    g_assert_cmpint(bad.curl_code, ==, CURLE_OK);
    g_assert_cmpuint(bad.body->len, ==, whole.body->len / 2);

    server_set_faults(&server, "wrongtype*1");
    g_auto(Reply) wrong = {0};
    server_get(&server, ME, &wrong);
    g_assert_cmpstr(wrong.body->str, !=, whole.body->str);

    server_set_faults(&server, "stall=200:500*1,slow=400000*1");
    g_auto(Reply) stalled = {0};
    server_get(&server, STORIES, &stalled);
    g_assert_cmpint(stalled.ms, >=, 200);
    g_assert_cmpstr(stalled.body->str, ==, whole.body->str);

    server_set_faults(&server, "slow=20@" DOWNLOAD);
    g_auto(Reply) file = {0};
    server_ask(&server, DOWNLOAD, &(Ask){.token = server.token, .follow = TRUE}, &file);
    g_assert_cmpstr(file.body->str, ==, SUPPORT_FILE_TEXT);
    server_set_faults(&server, "slow=20,cut=3");
    g_auto(Reply) half = {0};
    server_ask(&server, DOWNLOAD, &(Ask){.token = server.token, .follow = TRUE}, &half);
    g_assert_cmpstr(half.body->str, ==, "hel");
    g_assert_cmpint(half.ms, >=, 80);
    server_stop(&server);
}

static void
expect_reset(Server *server)
{
    g_autofree char *text = g_strdup_printf("GET " ME " HTTP/1.1\r\nHost: x\r\n"
                                            "X-TrackerToken: %s\r\n\r\n",
                                            server->token);
    int fd = server_connect(server, text);
    char byte = 0;
    g_assert_cmpint(recv(fd, &byte, 1, 0), ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
    (void)close(fd);
}

static void
test_fault_reset(void)
{
    Server server;
    server_start(&server, (Config){0});
    server_set_faults(&server, "reset*1");
    expect_reset(&server);
    server_set_faults(&server, "lost*1");
    expect_reset(&server);
    g_auto(Reply) after = {0};
    server_get(&server, ME, &after);
    g_assert_cmpint(after.status, ==, 200);
    g_auto(Reply) stats = {0};
    server_ask(&server, "/__stats", &(Ask){0}, &stats);
    g_assert_nonnull(strstr(stats.body->str, "\"total\": 3"));
    server_stop(&server);
}

/* Hung and stalled connections hold no thread, and neither a client that goes nor a stop of the
 * server meets them unprepared. */
static void
test_fault_hang(void)
{
    Server server;
    server_start(&server, (Config){.threads = 2});
    server_set_faults(&server, "hang@" ME "*20,stall=forever:10@/services/v5/projects*20");
    int fds[40];
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autofree char *text = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n"
                                                "X-TrackerToken: %s\r\n\r\n",
                                                i % 2 == 0 ? ME : STORIES, server.token);
        fds[i] = server_connect(&server, text);
    }
    /* All forty have been taken when the stalled ones have sent something and both counts are used.
     */
    for (guint i = 1; i < G_N_ELEMENTS(fds); i += 2) {
        char byte = 0;
        g_assert_cmpint(recv(fds[i], &byte, 1, 0), ==, 1);
    }
    g_autofree char *left = NULL;
    for (guint i = 0; i < 1000; i++) {
        g_auto(Reply) faults = {0};
        server_ask(&server, "/__faults", &(Ask){0}, &faults);
        g_assert_cmpint(faults.status, ==, 200);
        g_free(left);
        left = g_strdup(g_strstrip(faults.body->str));
        if (*left == '\0') {
            break;
        }
    }
    g_assert_cmpstr(left, ==, "");
    g_auto(Reply) fast = {0};
    server_get(&server, ME, &fast);
    g_assert_cmpint(fast.status, ==, 200);
    for (guint i = 0; i < 20; i++) {
        (void)close(fds[i]);
    }
    gint64 started = g_get_monotonic_time();
    server_stop(&server);
    g_assert_cmpint((g_get_monotonic_time() - started) / 1000, <, 3000);
    for (guint i = 20; i < G_N_ELEMENTS(fds); i++) {
        (void)close(fds[i]);
    }
}

/* ---- faults that a colleague causes ---- */

#define STORY "/services/v5/projects/99/stories/1002"

/* The answer to a change of the story's description; the body is the reply's. */
static void
put_description(Server *server, const char *text, Reply *ret_reply)
{
    g_autofree char *body = g_strdup_printf("{\"description\":\"%s\"}", text);
    Ask ask = {.method = "PUT",
               .token = server->token,
               .header = "Content-Type: application/json",
               .body = body,
               .body_bytes = strlen(body)};
    server_ask(server, STORY, &ask, ret_reply);
}

/* Kind and performer of the newest activity. */
static char *
newest_activity(Server *server)
{
    g_auto(Reply) reply = {0};
    server_get(server, "/services/v5/projects/99/activity?limit=1&fields=kind,performed_by(name)",
               &reply);
    g_assert_cmpint(reply.status, ==, 200);
    return g_strdup(reply.body->str);
}

static int
project_version(Server *server)
{
    g_auto(Reply) reply = {0};
    server_get(server, "/services/v5/projects/99", &reply);
    g_autofree char *version = reply_header(&reply, "X-Tracker-Project-Version");
    return atoi(version);
}

static void
test_fault_edit(void)
{
    Server server;
    server_start(&server, (Config){0});
    server_set_faults(&server, "edit=1002@PUT:" STORY "*1");
    g_auto(Reply) before = {0};
    server_get(&server, STORY, &before); /* a GET is not what it waits for */
    g_assert_nonnull(strstr(before.body->str, "\"Story 2\""));
    g_auto(Reply) mine = {0};
    put_description(&server, "mine", &mine);
    g_assert_cmpint(mine.status, ==, 200);
    g_assert_nonnull(strstr(mine.body->str, "\"Story 2, changed by someone else\""));
    g_assert_nonnull(strstr(mine.body->str, "\"description\":\"mine\""));
    /* Ada was the only member: another was made for it. */
    g_autofree char *newest = newest_activity(&server);
    g_assert_nonnull(strstr(newest, "Ada Example"));
    server_set_faults(&server, "edit=1002:description*1");
    g_auto(Reply) theirs = {0};
    server_get(&server, STORY, &theirs);
    g_assert_nonnull(strstr(theirs.body->str, "mine\\nchanged by someone else"));
    g_autofree char *after = newest_activity(&server);
    g_assert_nonnull(strstr(after, "story_update_activity"));
    g_assert_nonnull(strstr(after, "Someone Else"));
    server_stop(&server);
}

static void
test_fault_move_and_delete(void)
{
    Server server;
    server_start(&server, (Config){0});
    server_set_faults(&server, "move=1002*1");
    g_auto(Reply) moved = {0};
    server_get(&server, STORY "?fields=before_id", &moved);
    g_assert_nonnull(strstr(moved.body->str, "\"before_id\":1001"));
    g_autofree char *move = newest_activity(&server);
    g_assert_nonnull(strstr(move, "story_move_activity"));
    server_set_faults(&server, "delete=1002@PUT:/*1");
    g_auto(Reply) gone = {0};
    put_description(&server, "too late", &gone);
    g_assert_cmpint(gone.status, ==, 404);
    g_autofree char *removal = newest_activity(&server);
    g_assert_nonnull(strstr(removal, "story_delete_activity"));
    server_stop(&server);
}

static void
test_fault_version_jump(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) first = {0};
    put_description(&server, "one", &first);
    int version = project_version(&server);
    g_autofree char *newest = newest_activity(&server);
    server_set_faults(&server, "vjump=99:3*1");
    g_assert_cmpint(project_version(&server), ==, version + 3);
    g_autofree char *same = newest_activity(&server);
    g_assert_cmpstr(newest, ==, same);
    server_stop(&server);
}

/* The change is made, and its author does not learn of it. */
static void
test_fault_lost_write(void)
{
    Server server;
    server_start(&server, (Config){0});
    server_set_faults(&server, "lost@PUT:/*1");
    g_auto(Reply) lost = {0};
    put_description(&server, "lost", &lost);
    g_assert_cmpint(lost.status, ==, 0);
    g_auto(Reply) after = {0};
    server_get(&server, STORY, &after);
    g_assert_nonnull(strstr(after.body->str, "\"description\":\"lost\""));
    server_stop(&server);
}

/* The answer is right in everything but that nothing was done. */
static void
test_fault_ignored_write(void)
{
    Server server;
    server_start(&server, (Config){0});
    server_set_faults(&server, "ignore*1");
    g_auto(Reply) ignored = {0};
    put_description(&server, "ignored", &ignored);
    g_assert_cmpint(ignored.status, ==, 200);
    g_assert_nonnull(strstr(ignored.body->str, "\"kind\":\"story\""));
    g_assert_null(strstr(ignored.body->str, "\"description\":\"ignored\""));
    g_auto(Reply) taken = {0};
    put_description(&server, "taken", &taken);
    g_assert_nonnull(strstr(taken.body->str, "\"description\":\"taken\""));
    server_stop(&server);
}

static void
test_fault_hostile_values(void)
{
    Server server;
    server_start(&server, (Config){0});
    server_set_faults(&server, "hostile*1");
    g_auto(Reply) hostile = {0};
    server_get(&server, STORIES, &hostile);
    g_assert_cmpint(hostile.status, ==, 200);
    g_assert_nonnull(strstr(hostile.body->str, "etc/passwd"));
    server_set_faults(&server, "long=2000*1");
    g_auto(Reply) tall = {0};
    server_get(&server, STORIES, &tall);
    g_assert_cmpuint(tall.body->len, >, SUPPORT_STORIES * 4000);
    server_stop(&server);
}

static void
test_fault_switches(void)
{
    Server server;
    server_start(&server, (Config){0});
    g_auto(Reply) bad = {0};
    Ask ask = {.method = "POST", .body = "nonsense=1", .body_bytes = 10};
    server_ask(&server, "/__faults", &ask, &bad);
    g_assert_cmpint(bad.status, ==, 400);
    g_assert_nonnull(strstr(bad.body->str, "nonsense"));
    ask.body = "html@/a*2\n";
    g_auto(Reply) set = {0};
    server_ask(&server, "/__faults", &ask, &set);
    g_assert_cmpint(set.status, ==, 200);
    g_assert_cmpstr(set.body->str, ==, "html@/a*2,seed=1\n");
    ask.body = "";
    ask.body_bytes = 0;
    g_auto(Reply) clear = {0};
    server_ask(&server, "/__faults", &ask, &clear);
    g_assert_cmpstr(clear.body->str, ==, "\n");
    server_stop(&server);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-faults/answers", test_fault_answers);
    g_test_add_func("/http-faults/bodies", test_fault_bodies);
    g_test_add_func("/http-faults/reset", test_fault_reset);
    g_test_add_func("/http-faults/hang", test_fault_hang);
    g_test_add_func("/http-faults/edit", test_fault_edit);
    g_test_add_func("/http-faults/move-and-delete", test_fault_move_and_delete);
    g_test_add_func("/http-faults/version-jump", test_fault_version_jump);
    g_test_add_func("/http-faults/ignored-write", test_fault_ignored_write);
    g_test_add_func("/http-faults/lost-write", test_fault_lost_write);
    g_test_add_func("/http-faults/hostile-values", test_fault_hostile_values);
    g_test_add_func("/http-faults/switches", test_fault_switches);
    return g_test_run();
}

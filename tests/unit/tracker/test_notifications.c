/* Notifications as their reader sees them, and what makes them. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

static const char rows[] =
    "INSERT INTO notification(id, person_id, project_id, performer_id, message, context,"
    " notification_type, action, new_attachment_count, story_id, epic_id, comment_id, created_at,"
    " updated_at, read_at) VALUES"
    "(11, 101, 99, 102, 'You were mentioned by Bo', '@ada yo.', 'comment_with_mention', 'create', "
    "0,"
    " 555, NULL, 801, 1493854100000, 1493854100000, NULL),"
    "(12, 101, 99, 102, 'Bo has made you an owner of this story', NULL, 'story', 'ownership', NULL,"
    " 555, NULL, NULL, 1493854136000, 1493854136000, 1493854140000),"
    "(13, 101, 99, 102, 'Bo added comment: \"On epic\"', 'On epic', 'comment', 'create', 0, NULL,"
    " 4001, 803, 1493854120000, 1493854120000, NULL),"
    "(14, 102, 99, 101, 'Not for Ada', NULL, 'story', 'create', NULL, 555, NULL, NULL,"
    " 1493854190000, 1493854190000, NULL);";

static void
test_list(Fixture *f)
{
    g_assert_cmpstr(
        fixture_get(f, "my/notifications", NULL), ==,
        "[{\"kind\":\"notification\",\"id\":12,\"project\":{\"kind\":\"project\",\"id\":99,"
        "\"name\":\"Demo\"},\"performer\":{\"kind\":\"person\",\"id\":102,\"name\":\"Bo\"},"
        "\"message\":\"Bo has made you an owner of this story\",\"notification_type\":\"story\","
        "\"action\":\"ownership\",\"story\":{\"kind\":\"story\",\"id\":555,\"name\":\"Exhaust "
        "ports\"},\"created_at\":\"2017-05-03T23:28:56Z\",\"updated_at\":\"2017-05-03T23:28:56Z\","
        "\"read_at\":\"2017-05-03T23:29:00Z\"},"
        "{\"kind\":\"notification\",\"id\":13,\"project\":{\"kind\":\"project\",\"id\":99,"
        "\"name\":\"Demo\"},\"performer\":{\"kind\":\"person\",\"id\":102,\"name\":\"Bo\"},"
        "\"message\":\"Bo added comment: \\\"On epic\\\"\",\"context\":\"On epic\","
        "\"notification_type\":\"comment\",\"new_attachment_count\":0,\"action\":\"create\","
        "\"epic\":{\"kind\":\"epic\",\"id\":4001,\"name\":\"Plans\"},\"comment_id\":803,"
        "\"created_at\":\"2017-05-03T23:28:40Z\",\"updated_at\":\"2017-05-03T23:28:40Z\"},"
        "{\"kind\":\"notification\",\"id\":11,\"project\":{\"kind\":\"project\",\"id\":99,"
        "\"name\":\"Demo\"},\"performer\":{\"kind\":\"person\",\"id\":102,\"name\":\"Bo\"},"
        "\"message\":\"You were mentioned by Bo\",\"context\":\"@ada yo.\","
        "\"notification_type\":\"comment_with_mention\",\"new_attachment_count\":0,"
        "\"action\":\"create\",\"story\":{\"kind\":\"story\",\"id\":555,\"name\":\"Exhaust "
        "ports\"},\"comment_id\":801,\"created_at\":\"2017-05-03T23:28:20Z\","
        "\"updated_at\":\"2017-05-03T23:28:20Z\"}]");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Last-Notification-Timestamp"), ==,
                    "1493854136000");
    g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
    g_assert_null(fixture_header(f, "X-Tracker-Pagination-Total"));
}

static void
test_filters(Fixture *f)
{
    g_assert_cmpstr(fixture_get(f, "my/notifications", "fields=id&created_after=1493854100000"), ==,
                    "[{\"id\":12},{\"id\":13}]");
    g_assert_cmpstr(
        fixture_get(f, "my/notifications", "fields=id&created_after=2017-05-03T23:28:40Z"), ==,
        "[{\"id\":12}]");
    g_assert_cmpstr(
        fixture_get(f, "my/notifications", "fields=id&notification_types=comment,story"), ==,
        "[{\"id\":12},{\"id\":13}]");
    g_assert_nonnull(strstr(fixture_get(f, "my/notifications", "notification_types=comment,post"),
                            "'notification_types' must be one of: story, epic, comment, "
                            "comment_with_mention, blocker"));
    g_assert_nonnull(strstr(fixture_get(f, "my/notifications", "created_after=yesterday"),
                            "'created_after' must be a time value represented as milliseconds/iso "
                            "8601 date"));
    /* The header is the way to come back: it is there on an empty list too. */
    g_assert_cmpstr(fixture_get(f, "my/notifications", "created_after=1493854136000"), ==, "[]");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Last-Notification-Timestamp"), ==,
                    "1493854136000");
}

static void
test_other_paths(Fixture *f)
{
    g_assert_cmpstr(
        fixture_get(f, "people/101/notifications/since/1493854100000", "fields=message"), ==,
        "[{\"id\":12,\"message\":\"Bo has made you an owner of this story\"},"
        "{\"id\":13,\"message\":\"Bo added comment: \\\"On epic\\\"\"}]");
    (void)fixture_get(f, "people/102/notifications/since/0", NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    g_assert_nonnull(
        strstr(fixture_get(f, "people/101/notifications/since/0", "fields=id"), "{\"id\":11}"));
    (void)fixture_get(f, "people/101/notifications/since/-1", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    (void)fixture_get(f, "people/102/notifications/since/1", NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_get(f, "people/x/notifications/since/1", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    g_assert_cmpstr(fixture_get(f, "my/notifications/11", "fields=context"), ==,
                    "{\"id\":11,\"context\":\"@ada yo.\"}");
    (void)fixture_get(f, "my/notifications/14", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
}

/* ---- what makes them ---- */

static void
send(Fixture *f, const char *token, const char *method, const char *path, const char *body)
{
    f->token = token;
    (void)fixture_json(f, method, path, body);
    g_assert_cmpint(f->response.status, ==, 200);
}

/* What somebody was told since the last time, newest first: "type/action message|context". */
static char *
news(Fixture *f, const char *token)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;
    json_t *notification;

    send(f, token, "GET", "my/notifications", NULL);
    json_array_foreach(f->json, i, notification)
    {
        const json_t *context = json_object_get(notification, "context");

        g_string_append_printf(
            text, "%s%s/%s %s|%s", text->len ? "\n" : "",
            json_string_value(json_object_get(notification, "notification_type")),
            json_string_value(json_object_get(notification, "action")),
            json_string_value(json_object_get(notification, "message")),
            context ? json_string_value(context) : "-");
    }
    fixture_sql(f, "DELETE FROM notification");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

#define assert_news(f, token, wanted)                                                              \
    do {                                                                                           \
        g_autofree char *got_news = news(f, token);                                                \
        g_assert_cmpstr(got_news, ==, wanted);                                                     \
    } while (0)

static void
test_comments(Fixture *f)
{
    fixture_sql(f, "DELETE FROM notification; INSERT INTO story_follower VALUES(555, 102)");
    send(f, TOKEN_ADA, "POST", "stories/555/comments", "{\"text\":\"Look, @bo. And @cy\"}");
    send(f, TOKEN_BO, "GET", "my/notifications", NULL);
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.story.id")), ==, 555);
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.comment_id")), ==, 804);
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.new_attachment_count")), ==, 0);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM notification"), ==, 1);
    assert_news(f, TOKEN_BO,
                "comment_with_mention/create You were mentioned by Ada Example|Look, @bo. And @cy");
    /* Ada follows now, having commented; Bo hears nothing of what Bo says. */
    send(f, TOKEN_BO, "POST", "stories/555/comments", "{\"text\":\"Yes @bo\"}");
    assert_news(f, TOKEN_ADA, "comment/create Bo commented on this story|Yes @bo");
    /* An edit tells only who was not mentioned before. */
    send(f, TOKEN_BO, "PUT", "stories/555/comments/805", "{\"text\":\"Yes @bo @ada\"}");
    assert_news(f, TOKEN_ADA, "comment_with_mention/create You were mentioned by Bo|Yes @bo @ada");
    send(f, TOKEN_BO, "PUT", "stories/555/comments/805", "{\"text\":\"Yes! @ada\"}");
    assert_news(f, TOKEN_ADA, "");
    send(f, TOKEN_BO, "POST", "epics/4001/comments", "{\"text\":\"Here: @ada\"}");
    send(f, TOKEN_ADA, "GET", "my/notifications", NULL);
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.epic.id")), ==, 4001);
    assert_news(f, TOKEN_ADA, "comment_with_mention/create You were mentioned by Bo|Here: @ada");
    /* Who wants none gets none. */
    fixture_sql(f, "UPDATE membership SET will_receive_mention_notifications_or_emails = 0"
                   " WHERE id = 9001");
    send(f, TOKEN_BO, "POST", "stories/557/comments", "{\"text\":\"@ada\"}");
    assert_news(f, TOKEN_ADA, "comment/create Bo commented on this story|@ada");
    fixture_sql(f, "UPDATE person SET receives_in_app_notifications = 0 WHERE id = 101");
    send(f, TOKEN_BO, "POST", "stories/555/comments", "{\"text\":\"Hm\"}");
    assert_news(f, TOKEN_ADA, "");
}

static void
test_stories(Fixture *f)
{
    fixture_sql(f, "DELETE FROM notification; DELETE FROM story_follower");
    /* Ada asked for 555 and owns it with Bo. */
    send(f, TOKEN_BO, "PUT", "stories/555", "{\"current_state\":\"delivered\"}");
    assert_news(f, TOKEN_ADA, "story/delivery Bo delivered this story|-");
    send(f, TOKEN_ADA, "PUT", "stories/555", "{\"current_state\":\"rejected\"}");
    assert_news(f, TOKEN_BO, "story/rejection Ada Example rejected this story|-");
    send(f, TOKEN_ADA, "PUT", "stories/555", "{\"current_state\":\"accepted\"}");
    assert_news(f, TOKEN_BO, "story/acceptance Ada Example accepted this story|-");
    send(f, TOKEN_ADA, "PUT", "stories/557", "{\"owner_ids\":[101,102]}");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM notification"), ==, 1);
    assert_news(f, TOKEN_BO, "story/ownership Ada Example has made you an owner of this story|-");
    send(f, TOKEN_ADA, "PUT", "stories/557", "{\"owner_ids\":[102]}");
    assert_news(f, TOKEN_BO, "");
    send(f, TOKEN_ADA, "POST", "stories/557/blockers", "{\"description\":\"#555\"}");
    assert_news(f, TOKEN_BO, "blocker/create Ada Example added a blocker to this story|#555");
    send(f, TOKEN_ADA, "PUT", "stories/557", "{\"name\":\"Only a name\"}");
    assert_news(f, TOKEN_BO, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test_with("/notifications/list", rows, test_list);
    fixture_test_with("/notifications/filters", rows, test_filters);
    fixture_test_with("/notifications/other-paths", rows, test_other_paths);
    fixture_test_with("/notifications/comments", rows, test_comments);
    fixture_test_with("/notifications/stories", rows, test_stories);
    return g_test_run();
}

/* Notifications as their reader sees them. */
#include "support_service.h"

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
set_up(Fixture *f, gconstpointer user)
{
    (void)user;
    fixture_open(f);
    fixture_sql(f, rows);
}

static void
tear_down(Fixture *f, gconstpointer user)
{
    (void)user;
    fixture_close(f);
}

static void
test_list(Fixture *f, gconstpointer user)
{
    (void)user;
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
test_filters(Fixture *f, gconstpointer user)
{
    (void)user;
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
test_other_paths(Fixture *f, gconstpointer user)
{
    (void)user;
    g_assert_cmpstr(
        fixture_get(f, "people/101/notifications/since/1493854100000", "fields=message"), ==,
        "[{\"id\":12,\"message\":\"Bo has made you an owner of this story\"},"
        "{\"id\":13,\"message\":\"Bo added comment: \\\"On epic\\\"\"}]");
    (void)fixture_get(f, "people/102/notifications/since/0", NULL);
    g_assert_cmpint(f->response.status, ==, 404); /* since 0 is no time */
    (void)fixture_get(f, "people/102/notifications/since/1", NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_get(f, "people/x/notifications/since/1", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    g_assert_cmpstr(fixture_get(f, "my/notifications/11", "fields=context"), ==,
                    "{\"id\":11,\"context\":\"@ada yo.\"}");
    (void)fixture_get(f, "my/notifications/14", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/notifications/list", Fixture, NULL, set_up, test_list, tear_down);
    g_test_add("/notifications/filters", Fixture, NULL, set_up, test_filters, tear_down);
    g_test_add("/notifications/other-paths", Fixture, NULL, set_up, test_other_paths, tear_down);
    return g_test_run();
}

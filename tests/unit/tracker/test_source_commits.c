/* Commits that name stories. */
#include "support_service.h"

#include <jansson.h>

static const char rows[] =
    "INSERT INTO story(id, project_id, position, name, story_type, current_state,"
    " estimate) VALUES"
    "(561, 99, 210, 'Feature', 'feature', 'unstarted', 1),"
    "(562, 99, 220, 'Chore', 'chore', 'started', NULL),"
    "(563, 99, 230, 'Bug', 'bug', 'unstarted', NULL),"
    "(564, 99, 240, 'Unestimated', 'feature', 'unstarted', NULL)";

static void
commit(Fixture *f, const char *message)
{
    json_t *body = json_pack(
        "{s:{s:s, s:s, s:s, s:s, s:s}}", "source_commit", "commit_id", "abc123", "message", message,
        "url", "https://github.com/acme/app/commit/abc123", "author", "Bo", "repo", "app");
    char *text = json_dumps(body, 0);

    (void)fixture_json(f, "POST", "source_commits", text);
    g_assert_cmpint(f->response.status, ==, 200);
    free(text);
    json_decref(body);
}

/* "561 started, 562 accepted": of the last answer. */
static char *
told(Fixture *f)
{
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *story;

    json_array_foreach(f->json, i, story)
    {
        g_string_append_printf(text, "%s%" JSON_INTEGER_FORMAT " %s", text->len ? ", " : "",
                               json_integer_value(json_object_get(story, "id")),
                               json_string_value(json_object_get(story, "current_state")));
    }
    return g_string_free(text, FALSE);
}

#define assert_told(f, message, wanted)                                                            \
    do {                                                                                           \
        g_autofree char *got_told = (commit(f, message), told(f));                                 \
        g_assert_cmpstr(got_told, ==, wanted);                                                     \
    } while (0)

static void
test_states(Fixture *f)
{
    assert_told(f, "Work on [#561]", "561 started");
    assert_told(f, "[Fixes #561 #562] at last", "561 finished, 562 accepted");
    assert_told(f, "[Delivers #561]\n[#563 fixed]", "561 delivered, 563 finished");
    /* A state never moves back. */
    assert_told(f, "[finishes #561]", "561 delivered");
    /* The rules are kept: without an estimate the comment comes alone. */
    assert_told(f, "[completes #564]", "564 unstarted");
    /* A release cannot be finished. */
    assert_told(f, "[Finishes #556]", "556 unstarted");
    assert_told(f, "[(Fixes) #557]", "557 finished");
}

static void
test_comment(Fixture *f)
{
    commit(f, "Say more [Finishes #561]");
    g_assert_null(fixture_header(f, "X-Tracker-Project-Version"));
    g_assert_cmpint(fixture_number(f, "SELECT version FROM project WHERE id = 99"), ==, 231);
    (void)fixture_json(f, "GET", "stories/561/comments", NULL);
    g_assert_cmpstr(fixture_text(f, "0.text"), ==,
                    "Commit by Bo\nhttps://github.com/acme/app/commit/abc123\n\n"
                    "Say more [Finishes #561]");
    g_assert_cmpstr(fixture_text(f, "0.commit_identifier"), ==, "abc123");
    g_assert_cmpstr(fixture_text(f, "0.commit_type"), ==, "github");
    /* Bo is a member of that name. */
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.person_id")), ==, 102);
    (void)fixture_json(f, "GET", "stories/561/activity", NULL);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_update_activity");
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "finished");
    g_assert_cmpstr(fixture_text(f, "0.performed_by.name"), ==, "Bo");
    commit(f, "Again [#561]");
    (void)fixture_json(f, "GET", "stories/561/activity?limit=1", NULL);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "comment_create_activity");
    /* Somebody whose name nobody has: the caller. */
    (void)fixture_json(f, "POST", "source_commits?fields=comments",
                       "{\"source_commit\":{\"commit_id\":\"d\",\"message\":\"[#563]\","
                       "\"author\":\"Stranger\"}}");
    g_assert_cmpint(json_integer_value(fixture_at(f, "0.comments.0.person_id")), ==, 101);
    g_assert_cmpstr(fixture_text(f, "0.comments.0.text"), ==, "Commit by Stranger\n\n[#563]");
    g_assert_null(fixture_at(f, "0.comments.0.commit_type"));
}

static void
test_messages(Fixture *f)
{
    static const char *const nothing[] = {
        "",         "#561",   "[561]",
        "[#]",      "[#x]",   "[# 561]",
        "[#561",    "]#561[", "[#99999999999999999999]",
        "[#12345]", "[#700]", /* of a project that is not theirs */
        "[#800]",             /* of one that everybody may read */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(nothing); i++) {
        assert_told(f, nothing[i], "");
    }
    g_assert_cmpint(fixture_number(f, "SELECT version FROM project WHERE id = 99"), ==, 230);
    assert_told(f, "[[#561]]", "561 started");
    assert_told(f, "[#561] and [#561]", "561 started");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM comment WHERE story_id = 561"), ==, 2);
    assert_told(f, "[#561] [Fixes #561]", "561 finished");
    assert_told(f, "[prefixes #563]", "563 started");
}

static void
test_refuse(Fixture *f)
{
    fixture_refused(f, "POST", "source_commits", "{}",
                    "this endpoint requires the parameter: source_commit");
    fixture_refused(f, "POST", "source_commits", "{\"source_commit\":{}}",
                    "this endpoint requires the parameters: commit_id, message");
    fixture_refused(f, "POST", "source_commits", "{\"source_commit\":1}",
                    "'source_commit' must be an object");
    fixture_refused(f, "POST", "source_commits",
                    "{\"source_commit\":{\"commit_id\":1,\"message\":\"x\"}}",
                    "The 'commit_id' parameter value was '1' but must be of type 'string'");
}

#define ADD(name, test) fixture_test_with("/source-commits/" name, rows, test)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("states", test_states);
    ADD("comment", test_comment);
    ADD("messages", test_messages);
    ADD("refuse", test_refuse);
    return g_test_run();
}

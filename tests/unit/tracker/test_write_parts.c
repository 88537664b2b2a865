/* What hangs below a story: tasks, comments, blockers, reviews, owners, labels. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#define VERSION "SELECT version FROM project WHERE id = 99"

/* The newest activity: its kind, message and highlight. */
static void
assert_told(Fixture *f, const char *kind, const char *message, const char *highlight)
{
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, kind);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, message);
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, highlight);
    g_assert_cmpint(fixture_int(f, "0.project_version"), ==, fixture_number(f, VERSION));
    g_assert_cmpint(json_array_size(fixture_at(f, "0.primary_resources")), ==, 1);
}

/* The descriptions of story 555's tasks by position, which must be 1 to n. */
static char *
tasks(Fixture *f)
{
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *task;

    fixture_expect(f, "GET", "projects/99/stories/555/tasks", NULL, 200);
    json_array_foreach(f->json, i, task)
    {
        g_assert_cmpint(json_integer_value(json_object_get(task, "position")), ==, i + 1);
        g_string_append_printf(text, "%s%s", text->len ? " " : "",
                               json_string_value(json_object_get(task, "description")));
    }
    return g_string_free(text, FALSE);
}

#define assert_tasks(f, wanted)                                                                    \
    do {                                                                                           \
        g_autofree char *got_tasks = tasks(f);                                                     \
        g_assert_cmpstr(got_tasks, ==, wanted);                                                    \
    } while (0)

#define TASKS "projects/99/stories/555/tasks"

static void
test_tasks(Fixture *f)
{
    g_assert_cmpstr(fixture_send(f, "POST", TASKS, "{\"description\":\"third\"}"), ==,
                    "{\"kind\":\"task\",\"id\":703,\"story_id\":555,\"description\":\"third\","
                    "\"complete\":false,\"position\":3,\"created_at\":\"2017-05-03T23:29:41Z\","
                    "\"updated_at\":\"2017-05-03T23:29:41Z\"}");
    assert_told(f, "task_create_activity", "Ada Example added task: \"third\"", "added task:");
    g_assert_cmpint(fixture_entry(f, "story"), >=, 0);
    fixture_expect(f, "GET", "stories/555", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "updated_at"), ==, "2017-05-03T23:29:41Z");
    fixture_expect(f, "POST", TASKS,
                   "{\"description\":\"zeroth\",\"position\":1,\"complete\":true}", 200);
    g_assert_true(json_is_true(fixture_at(f, "complete")));
    assert_tasks(f, "zeroth first second third");
    fixture_expect(f, "PUT", TASKS "/703", "{\"position\":2}", 200);
    assert_told(f, "task_update_activity", "Ada Example moved task: \"third\"", "moved task:");
    assert_tasks(f, "zeroth third first second");
    fixture_expect(f, "PUT", TASKS "/703", "{\"position\":99}", 200);
    g_assert_cmpint(fixture_int(f, "position"), ==, 4);
    assert_tasks(f, "zeroth first second third");
    /* made room for others, but not changed */
    g_assert_cmpint(fixture_number(f, "SELECT updated_at IS NULL FROM task WHERE id = 701"), ==, 1);
    fixture_expect(f, "PUT", TASKS "/701", "{\"complete\":true}", 200);
    assert_told(f, "task_update_activity", "Ada Example completed task: \"first\"",
                "completed task:");
    fixture_expect(f, "PUT", TASKS "/701", "{\"description\":\"1st\",\"complete\":false}", 200);
    assert_told(f, "task_update_activity", "Ada Example rewrote task: \"1st\"", "rewrote task:");
    fixture_expect(f, "PUT", TASKS "/701", "{\"description\":\"1st\"}", 200);
    fixture_expect(f, "DELETE", TASKS "/701", NULL, 204);
    assert_told(f, "task_delete_activity", "Ada Example deleted a task on this story",
                "deleted a task");
    assert_tasks(f, "zeroth second third");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 237);
}

static void
test_tasks_refused(Fixture *f)
{
    fixture_refused(f, "POST", TASKS, "{}", "this endpoint requires the parameter: description");
    fixture_refused(f, "POST", TASKS, "{\"description\":null}", "Description can't be blank");
    fixture_refused(f, "POST", TASKS, "{\"description\":\"a\",\"position\":0}",
                    "'position' must be 1 or greater");
    fixture_refused(f, "POST", TASKS, "{\"description\":\"a\",\"complete\":\"true\"}",
                    "'complete' must be a non-string boolean true or false value");
    fixture_refused(f, "PUT", TASKS "/701", "{}",
                    "this endpoint requires at least one of the following parameters: complete, "
                    "description, position");
    fixture_expect(f, "PUT", "projects/99/stories/550/tasks/701", "{\"complete\":true}", 404);
    fixture_expect(f, "DELETE", TASKS "/799", NULL, 404);
    {
        g_autofree char *text = g_strnfill(1001, 'x');
        g_autofree char *body = g_strdup_printf("{\"description\":\"%s\"}", text);
        g_autofree char *problem = g_strdup_printf("This string is too long:  '%s'", text);

        fixture_refused(f, "POST", TASKS, body, problem);
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
}

#define COMMENTS "projects/99/stories/555/comments"

static void
test_comments(Fixture *f)
{
    int comment, story;

    g_assert_cmpstr(fixture_send(f, "POST", COMMENTS, "{\"text\":\"Sup, @bo\"}"), ==,
                    "{\"kind\":\"comment\",\"id\":804,\"story_id\":555,\"text\":\"Sup, @bo\","
                    "\"person_id\":101,\"created_at\":\"2017-05-03T23:29:41Z\","
                    "\"updated_at\":\"2017-05-03T23:29:41Z\"}");
    assert_told(f, "comment_create_activity", "Ada Example added comment: \"Sup, @bo\"",
                "added comment:");
    comment = fixture_entry(f, "comment");
    story = fixture_entry(f, "story");
    {
        g_autofree char *at = g_strdup_printf("0.changes.%d.new_values", comment);
        g_autofree char *followers = g_strdup_printf("0.changes.%d.new_values.follower_ids", story);
        char *text = json_dumps(fixture_at(f, at), JSON_COMPACT);

        g_assert_nonnull(strstr(text, "\"file_attachment_ids\":[],"));
        g_assert_nonnull(strstr(text, "\"google_attachments\":[]"));
        g_assert_nonnull(strstr(text, "\"attachment_ids\":[]"));
        free(text);
        g_assert_cmpint(json_array_size(fixture_at(f, followers)), ==, 2);
    }
    fixture_expect(f, "PUT", COMMENTS "/804", "{\"text\":\"New\"}", 200);
    assert_told(f, "comment_update_activity", "Ada Example edited this comment", "edited");
    f->token = TOKEN_BO;
    fixture_expect(f, "PUT", COMMENTS "/804", "{\"text\":\"Bo's\"}", 403);
    fixture_expect(f, "DELETE", COMMENTS "/804", NULL, 403);
    fixture_expect(f, "POST", COMMENTS, "{\"text\":\"a\",\"person_id\":101}", 403);
    fixture_expect(f, "POST", COMMENTS, "{\"text\":\"Bo's\"}", 200);
    f->token = NULL;
    fixture_expect(f, "PUT", COMMENTS "/805", "{\"text\":\"Ada's\"}", 403);
    fixture_expect(f, "DELETE", COMMENTS "/805", NULL, 204); /* an owner may */
    assert_told(f, "comment_delete_activity", "Ada Example deleted comment: \"Bo's\"",
                "deleted comment:");
    fixture_expect(f, "DELETE", COMMENTS "/805", NULL, 404);
    fixture_expect(f, "DELETE", "projects/99/stories/550/comments/804", NULL, 404);
    fixture_expect(f, "POST", COMMENTS, "{\"text\":\"for Bo\",\"person_id\":102}", 200);
    g_assert_cmpint(fixture_int(f, "person_id"), ==, 102);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 235);
}

static void
test_comments_refused(Fixture *f)
{
    fixture_refused(f, "PUT", COMMENTS "/801", "{}",
                    "this endpoint requires at least one of the following parameters: "
                    "attachment_ids_to_remove, attachments_to_add, file_attachment_ids_to_add, "
                    "file_attachment_ids_to_remove, google_attachment_ids_to_remove, text");
    fixture_refused(f, "POST", COMMENTS, "{}",
                    "this endpoint requires at least one of the following parameters: "
                    "file_attachments, google_attachments, text");
    fixture_refused(f, "PUT", COMMENTS "/801", "{\"text\":null}", "Text can't be blank");
    fixture_refused(f, "POST", COMMENTS, "{\"text\":7}", "'text' must be an extended_string");
    fixture_refused(f, "POST", COMMENTS, "{\"text\":\"a\",\"person_id\":103}",
                    "Person with id=103 does not exist within this project");
    fixture_refused(f, "PUT", COMMENTS "/801", "{\"file_attachment_ids_to_add\":[301]}",
                    "File attachment with id=301 does not exist within this project");
    fixture_refused(f, "PUT", COMMENTS "/801", "{\"file_attachment_ids_to_remove\":[300]}",
                    "File attachment with id=300 does not exist within this project");
    fixture_refused(f, "POST", COMMENTS, "{\"file_attachments\":[{\"name\":\"x\"}]}",
                    "Can't use content of 'file_attachments' parameter.");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
}

static void
test_epic_comments(Fixture *f)
{
    fixture_expect(f, "POST", "projects/99/epics/4001/comments", "{\"text\":\"On it\"}", 200);
    g_assert_cmpint(fixture_int(f, "epic_id"), ==, 4001);
    assert_told(f, "comment_create_activity", "Ada Example added comment: \"On it\"",
                "added comment:");
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.kind"), ==, "epic");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM epic_follower WHERE epic_id = 4001"),
                    ==, 1);
    fixture_expect(f, "PUT", "epics/4001/comments/804", "{\"text\":\"Off it\"}", 200);
    fixture_expect(f, "DELETE", "projects/99/stories/555/comments/804", NULL, 404);
    fixture_expect(f, "DELETE", "projects/99/epics/4001/comments/804", NULL, 204);
    fixture_expect(f, "GET", "projects/99/epics/4001/activity", NULL, 200);
    g_assert_cmpint(json_array_size(f->json), ==, 4);
}

#define BLOCKERS "projects/99/stories/555/blockers"

static void
test_blockers(Fixture *f)
{
    fixture_refused(f, "POST", BLOCKERS, "{}", "this endpoint requires the parameter: description");
    fixture_refused(f, "POST", BLOCKERS, "{\"description\":\"\"}", "Description can't be blank");
    fixture_refused(f, "PUT", BLOCKERS "/900", "{}",
                    "this endpoint requires at least one of the following parameters: description, "
                    "resolved");
    fixture_expect(f, "POST", BLOCKERS, "{\"description\":\"The printer\"}", 200);
    g_assert_cmpint(fixture_int(f, "person_id"), ==, 101);
    g_assert_true(json_is_false(fixture_at(f, "resolved")));
    assert_told(f, "blocker_create_activity", "Ada Example added blocker: \"The printer\"",
                "added blocker:");
    fixture_expect(f, "PUT", BLOCKERS "/901", "{\"resolved\":true}", 200);
    assert_told(f, "blocker_update_activity", "Ada Example resolved blocker: \"The printer\"",
                "resolved blocker:");
    fixture_expect(f, "PUT", BLOCKERS "/901", "{\"description\":\"The network\"}", 200);
    fixture_expect(f, "DELETE", BLOCKERS "/901", NULL, 204);
    assert_told(f, "blocker_delete_activity", "Ada Example deleted blocker: \"The network\"",
                "deleted blocker:");
    fixture_expect(f, "DELETE", BLOCKERS "/901", NULL, 404);
    /* 900 is "#557": it resolves itself when that is accepted */
    fixture_expect(f, "PUT", "stories/557", "{\"estimate\":1,\"current_state\":\"accepted\"}", 200);
    fixture_expect(f, "GET", BLOCKERS "/900", NULL, 200);
    g_assert_true(json_is_true(fixture_at(f, "resolved")));
    fixture_activity(f);
    g_assert_cmpint(fixture_entry(f, "blocker"), >=, 0);
    /* ... or deleted */
    fixture_expect(f, "PUT", BLOCKERS "/900", "{\"resolved\":false}", 200);
    fixture_expect(f, "DELETE", "stories/557", NULL, 204);
    fixture_expect(f, "GET", BLOCKERS "/900", NULL, 200);
    g_assert_true(json_is_true(fixture_at(f, "resolved")));
}

#define REVIEWS "projects/99/stories/555/reviews"

static void
test_reviews(Fixture *f)
{
    fixture_refused(f, "POST", REVIEWS, "{}",
                    "this endpoint requires the parameter: review_type_id");
    fixture_refused(f, "POST", REVIEWS, "{\"review_type_id\":7}",
                    "Review type with id=7 does not exist within this project");
    fixture_refused(f, "POST", REVIEWS, "{\"review_type_id\":22,\"reviewer_id\":103}",
                    "Person with id=103 does not exist within this project");
    fixture_refused(f, "PUT", REVIEWS "/2900", "{\"status\":\"good\"}",
                    "'status' must be one of: unstarted, in_review, pass, revise");
    fixture_expect(f, "POST", REVIEWS "?fields=:default,review_type", "{\"review_type_id\":22}",
                   200);
    g_assert_cmpstr(fixture_text(f, "status"), ==, "unstarted");
    g_assert_cmpstr(fixture_text(f, "review_type.name"), ==, "Code");
    g_assert_null(fixture_at(f, "reviewer_id"));
    assert_told(f, "review_create_activity", "Ada Example added review: Code", "added review:");
    fixture_expect(f, "PUT", REVIEWS "/2901", "{\"status\":\"in_review\",\"reviewer_id\":102}",
                   200);
    g_assert_cmpint(fixture_int(f, "reviewer_id"), ==, 102);
    fixture_expect(f, "PUT", REVIEWS "/2901", "{\"reviewer_id\":null}", 200);
    g_assert_null(fixture_at(f, "reviewer_id"));
    assert_told(f, "review_update_activity", "Ada Example edited review: Code", "edited review:");
    fixture_expect(f, "DELETE", REVIEWS "/2901", NULL, 204);
    assert_told(f, "review_delete_activity", "Ada Example deleted review: Code", "deleted review:");
    fixture_expect(f, "PUT", "projects/99/stories/550/reviews/2900", "{\"status\":\"pass\"}", 404);
}

static void
test_owners(Fixture *f)
{
    fixture_expect(f, "POST", "projects/99/stories/557/owners", "{\"id\":102}", 200);
    g_assert_cmpstr(fixture_text(f, "kind"), ==, "person");
    assert_told(f, "story_update_activity", "Ada Example edited this feature", "edited");
    fixture_expect(f, "POST", "projects/99/stories/557/owners", "{\"id\":102}", 200);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
    fixture_refused(f, "POST", "projects/99/stories/557/owners", "{\"id\":103}",
                    "Person with id=103 does not exist within this project");
    fixture_refused(f, "POST", "projects/99/stories/557/owners", NULL,
                    "this endpoint requires the parameter: id");
    fixture_expect(f, "DELETE", "projects/99/stories/557/owners/102", NULL, 204);
    fixture_expect(f, "DELETE", "projects/99/stories/557/owners/102", NULL, 404);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 232);
}

static void
test_labels(Fixture *f)
{
    fixture_expect(f, "POST", "projects/99/stories/557/labels", "{\"name\":\"Plans\"}", 200);
    g_assert_cmpint(fixture_int(f, "id"), ==, 5001);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
    fixture_expect(f, "POST", "projects/99/stories/557/labels", "{\"name\":\"Fresh\"}", 200);
    g_assert_cmpstr(fixture_text(f, "name"), ==, "fresh");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 233);
    fixture_expect(f, "POST", "projects/99/stories/557/labels", "{\"id\":5002}", 200);
    fixture_refused(f, "POST", "projects/99/stories/557/labels", "{\"id\":7}",
                    "Label with id=7 does not exist within this project");
    fixture_refused(f, "POST", "projects/99/stories/557/labels", "{}",
                    "this endpoint requires at least one of the following parameters: id, name");
    fixture_expect(f, "DELETE", "projects/99/stories/557/labels/5002", NULL, 204);
    fixture_expect(f, "DELETE", "projects/99/stories/557/labels/5002", NULL, 404);
    fixture_expect(f, "GET", "projects/99/labels/5002", NULL, 200); /* detached only */
}

static void
test_viewer(Fixture *f)
{
    static const struct {
        const char *method, *path, *body;
    } cases[] = {
        {"POST", TASKS, "{\"description\":\"a\"}"},
        {"PUT", TASKS "/701", "{\"complete\":true}"},
        {"DELETE", TASKS "/701", NULL},
        {"POST", COMMENTS, "{\"text\":\"a\"}"},
        {"DELETE", COMMENTS "/801", NULL},
        {"POST", BLOCKERS, "{\"description\":\"a\"}"},
        {"DELETE", BLOCKERS "/900", NULL},
        {"POST", REVIEWS, "{\"review_type_id\":22}"},
        {"POST", "projects/99/stories/555/owners", "{\"id\":101}"},
        {"POST", "projects/99/stories/555/labels", "{\"name\":\"x\"}"},
        {"DELETE", "projects/99/stories/555/labels/5001", NULL},
        {"POST", "projects/99/uploads", NULL},
    };

    fixture_sql(f,
                "UPDATE membership SET role = 'viewer' WHERE project_id = 99 AND person_id = 102");
    f->token = TOKEN_BO;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_expect(f, cases[i].method, cases[i].path, cases[i].body, 403);
        g_assert_cmpstr(fixture_text(f, "code"), ==, "unauthorized_operation");
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        FixtureTest run;
    } all[] = {
        {"/write/parts/tasks", test_tasks},
        {"/write/parts/tasks-refused", test_tasks_refused},
        {"/write/parts/comments", test_comments},
        {"/write/parts/comments-refused", test_comments_refused},
        {"/write/parts/epic-comments", test_epic_comments},
        {"/write/parts/blockers", test_blockers},
        {"/write/parts/reviews", test_reviews},
        {"/write/parts/owners", test_owners},
        {"/write/parts/labels", test_labels},
        {"/write/parts/viewer", test_viewer},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        fixture_test(all[i].name, all[i].run);
    }
    return g_test_run();
}

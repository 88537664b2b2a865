/* V5 JSON to model: tolerant where services vary, strict where data would be lost, and canonical
 * records. */
#include "cache/model_json.h"

#include <glib.h>
#include <jansson.h>
#include <string.h>

#include "cache/base/err.h"

static GPtrArray *
parse_stories(const char *json)
{
    g_autoptr(GError) error = NULL;
    guint left_out;
    GPtrArray *stories = model_parse_stories(json, strlen(json), &left_out, &error);
    g_assert_no_error(error);
    return stories;
}

static void
assert_canonical(const char *json, const char *expected)
{
    g_autoptr(GError) error = NULL;
    gsize bytes = 0;
    gsize again_bytes = 0;
    g_autofree char *text = model_canonical_json(json, strlen(json), &bytes, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
    g_autofree char *again = model_canonical_json(text, bytes, &again_bytes, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(text, bytes, again, again_bytes);
}

static void
test_canonical_form(void)
{
    assert_canonical("{\"zebra\":1,\"name\":\"x\",\"id\":7,\"apple\":[]}",
                     "{\n  \"id\": 7,\n  \"name\": \"x\",\n  \"apple\": [],\n  \"zebra\": 1\n}\n");
    assert_canonical("[1, 2.0, 2.5, -0.1, 1e20, true, null, \"a\\u0041\\u00e9\\n\\u007f\"]",
                     "[1, 2, 2.5, -0.1, 1e+20, true, null, \"aA\xc3\xa9\\n\\u007f\"]\n");
    assert_canonical("{\"labels\":[{\"id\":2,\"name\":\"b\"},{\"name\":\"a\",\"id\":9}]}",
                     "{\n  \"labels\": [\n    {\n      \"id\": 9,\n      \"name\": \"a\"\n    },\n"
                     "    {\n      \"id\": 2,\n      \"name\": \"b\"\n    }\n  ]\n}\n");
    assert_canonical("{\"owner_ids\":[3,1,2],\"label_ids\":[3,1,2]}",
                     "{\n  \"owner_ids\": [3, 1, 2],\n  \"label_ids\": [1, 2, 3]\n}\n");
    assert_canonical("{\"big_url\":\"https://x/y?Expires=1&Signature=2\",\"url\":\"https://x/?q\"}",
                     "{\n  \"big_url\": \"https://x/y\",\n  \"url\": \"https://x/?q\"\n}\n");
    assert_canonical("{}", "{}\n");
}

static void
test_texts_leave_the_record(void)
{
    g_autoptr(GPtrArray) stories = parse_stories(
        "[{\"id\":5,\"kind\":\"story\",\"name\":\"n\",\"description\":\"the description\","
        "\"comments\":[{\"id\":2,\"text\":\"second\",\"person\":{\"id\":1,\"username\":\"ada\"}},"
        "{\"id\":1,\"text\":\"first\",\"person_id\":9,\"file_attachments\":"
        "[{\"id\":30,\"filename\":\"a.png\",\"size\":12,\"download_url\":\"/file_attachments/30/"
        "download\"}]}],"
        "\"tasks\":[{\"id\":8,\"position\":2,\"description\":\"later\",\"complete\":true},"
        "{\"id\":9,\"position\":1,\"description\":\"sooner\"}],"
        "\"blockers\":[{\"id\":3,\"description\":\"stays here\",\"resolved\":false}],"
        "\"reviews\":[{\"id\":4,\"reviewer_id\":77,\"status\":\"in_review\"},"
        "{\"id\":5,\"reviewer_id\":78,\"status\":\"pass\"}],\"unknown\":{\"text\":\"kept\"}}]");
    g_assert_cmpuint(stories->len, ==, 1);
    const ParsedStory *parsed = stories->pdata[0];
    const Story *story = parsed->story;
    const char *record = story->record.data;
    g_assert_nonnull(strstr(record, "stays here"));
    g_assert_nonnull(strstr(record, "\"text\": \"kept\""));
    g_assert_null(strstr(record, "the description"));
    g_assert_null(strstr(record, "first"));
    g_assert_null(strstr(record, "sooner"));
    g_assert_cmpstr(story->description.data, ==, "the description");
    g_assert_cmpuint(story->n_comments, ==, 2);
    g_assert_cmpstr(story->comments[0].text.data, ==, "first");
    g_assert_cmpstr(story->comments[1].author, ==, "ada");
    g_assert_cmpint(story->comments[1].person_id, ==, 1);
    g_assert_cmpuint(story->n_tasks, ==, 2);
    g_assert_cmpstr(story->tasks[0].description.data, ==, "sooner");
    g_assert_true(story->tasks[1].complete);
    g_assert_cmpuint(story->n_attachments, ==, 1);
    g_assert_cmpint(story->attachments[0].size_bytes, ==, 12);
    g_assert_true(parsed->row->blocked);
    g_assert_cmpuint(parsed->row->n_reviewers, ==, 1);
    g_assert_cmpint(parsed->row->reviewer_ids[0], ==, 77);
    g_assert_nonnull(story_find_comment(story, 2));
    g_assert_null(story_find_comment(story, 3));
}

static void
test_other_dialect(void)
{
    g_autoptr(GPtrArray) stories =
        parse_stories("[{\"id\":\"12\",\"title\":\"by title\",\"project_id\":\"3\","
                      "\"owners\":[{\"user_id\":\"5\"},{\"id\":6}],\"updated_at\":1493854142000}]");
    const ParsedStory *parsed = stories->pdata[0];
    g_assert_cmpint(parsed->story->id, ==, 12);
    g_assert_cmpint(parsed->story->project_id, ==, 3);
    g_assert_cmpstr(parsed->row->name, ==, "by title");
    g_assert_cmpuint(parsed->row->n_owners, ==, 2);
    g_assert_cmpint(parsed->row->owner_ids[0], ==, 5);
    g_assert_cmpint(parsed->row->updated_ms, ==, 1493854142000);
}

static void
test_mended_input(void)
{
    static const char broken[] =
        "[{\"id\":1,\"name\":\"bad \xff byte\",\"huge\":99999999999999999999,"
        "\"description\":\"lone \\ud800 and nul \\u0000 here\"}]";
    g_autoptr(GPtrArray) stories = parse_stories(broken);
    const ParsedStory *parsed = stories->pdata[0];
    g_assert_cmpstr(parsed->row->name, ==, "bad \xef\xbf\xbd byte");
    g_assert_true(g_utf8_validate(parsed->story->description.data,
                                  (gssize)parsed->story->description.length, NULL));
    g_assert_nonnull(strstr(parsed->story->record.data, "1e+20"));

    /* A NUL by itself is data, and stays. */
    g_autoptr(GPtrArray) with_nul = parse_stories("[{\"id\":1,\"description\":\"a\\u0000b\"}]");
    parsed = with_nul->pdata[0];
    g_assert_cmpmem(parsed->story->description.data, parsed->story->description.length, "a\0b", 3);
}

static void
test_refusals(void)
{
    static const char *const refused[] = {"",       "{}",   "[{\"id\":1}",
                                          "<html>", "null", "[{\"id\":1}] trailing"};
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        guint left_out;
        GPtrArray *stories = model_parse_stories(refused[i], strlen(refused[i]), &left_out, &error);
        g_assert_null(stories);
        g_assert_error(error, ERR, ERR_PROTOCOL);
    }
    g_autoptr(GString) deep = g_string_new("[{\"id\":1,\"x\":");
    for (int i = 0; i < 100; i++) {
        (void)g_string_append_c(deep, '[');
    }
    for (int i = 0; i < 100; i++) {
        (void)g_string_append_c(deep, ']');
    }
    (void)g_string_append(deep, "}]");
    g_autoptr(GError) error = NULL;
    guint left_out;
    g_assert_null(model_parse_stories(deep->str, deep->len, &left_out, &error));
    g_assert_error(error, ERR, ERR_PROTOCOL);
}

static void
test_stories_without_an_id_are_left_out(void)
{
    static const char json[] = "[1,{\"id\":1},{},{\"id\":0},null,{\"id\":-4},{\"id\":\"2\"}]";
    guint left_out;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) stories = model_parse_stories(json, strlen(json), &left_out, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(left_out, ==, 5);
    g_assert_cmpuint(stories->len, ==, 2);
    g_assert_cmpint(((ParsedStory *)stories->pdata[0])->row->id, ==, 1);
    g_assert_cmpint(((ParsedStory *)stories->pdata[1])->row->id, ==, 2);
}

static void
test_the_last_of_a_repeated_story_wins(void)
{
    g_autoptr(GPtrArray) stories =
        parse_stories("[{\"id\":1,\"name\":\"old\"},{\"id\":2},{\"id\":1,\"name\":\"new\"}]");
    g_assert_cmpuint(stories->len, ==, 2);
    g_assert_cmpstr(((ParsedStory *)stories->pdata[0])->row->name, ==, "new");
}

static void
test_activity_names_what_it_touches(void)
{
    static const char json[] =
        "[{\"kind\":\"comment_create_activity\",\"guid\":\"99_7\",\"project_version\":7,"
        "\"changes\":[{\"kind\":\"comment\",\"change_type\":\"create\",\"id\":800,"
        "\"new_values\":{\"id\":800,\"story_id\":555}},{\"kind\":\"label\",\"change_type\":"
        "\"update\",\"id\":4}],"
        "\"primary_resources\":[{\"kind\":\"story\",\"id\":556}],\"project\":{\"id\":99},"
        "\"occurred_at\":\"2017-05-03T23:29:40Z\"},"
        "{\"kind\":\"story_delete_activity\",\"project_version\":8,\"changes\":"
        "[{\"kind\":\"story\",\"change_type\":\"delete\",\"id\":3}],\"primary_resources\":[]}]";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) activities = model_parse_activities(json, strlen(json), &error);
    g_assert_no_error(error);
    const ParsedActivity *first = activities->pdata[0];
    g_assert_cmpint(first->project_id, ==, 99);
    g_assert_cmpint(first->version, ==, 7);
    g_assert_cmpint(first->occurred_ms, ==, 1493854180000);
    g_assert_cmpuint(first->n_story_ids, ==, 2);
    g_assert_false(first->touches_labels);
    g_assert_false(first->deletes_stories);
    g_assert_null(strchr(first->line.data, '\n'));
    const ParsedActivity *second = activities->pdata[1];
    g_assert_true(second->deletes_stories);
}

static void
test_project_parts(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Project) project = project_new(99);
    static const char head[] =
        "{\"id\":99,\"name\":\"Demo\",\"version\":230,\"profile_content\":\"hi\","
        "\"current_iteration_number\":4}";
    g_assert_true(model_parse_project(project, head, strlen(head), &error));
    g_assert_cmpint(project->version, ==, 230);
    g_assert_cmpstr(project->profile.data, ==, "hi");
    g_assert_null(strstr(project->record.data, "\"hi\""));
    static const char other[] = "{\"id\":98}";
    g_assert_false(model_parse_project(project, other, strlen(other), &error));
    g_assert_error(error, ERR, ERR_PROTOCOL);
    g_clear_error(&error);

    static const char page_one[] =
        "[{\"number\":2,\"stories\":[{\"id\":5},{\"id\":4}]},{\"number\":1,\"story_ids\":[7]}]";
    static const char page_two[] =
        "[{\"number\":3,\"story_ids\":[]},{\"number\":2,\"story_ids\":[4]}]";
    g_assert_true(model_parse_iterations(project, page_one, strlen(page_one), &error));
    g_assert_cmpint(project_find_iteration(project, 2)->story_ids[0], ==, 5);
    g_assert_null(strstr(project_find_iteration(project, 2)->record.data, "\"stories\""));
    g_assert_true(model_parse_iterations(project, page_two, strlen(page_two), &error));
    g_assert_cmpuint(project->n_iterations, ==, 3);
    g_assert_cmpuint(project_find_iteration(project, 2)->n_stories, ==, 1);

    static const char members[] =
        "[{\"id\":1,\"person\":{\"id\":8,\"username\":\"b\"},\"role\":\"owner\"},"
        "{\"id\":2,\"person\":{\"id\":3,\"name\":\"A\"}}]";
    g_assert_true(model_parse_members(project, members, strlen(members), &error));
    g_assert_cmpstr(project_find_member(project, 8)->person.username, ==, "b");
    g_assert_null(project_find_member(project, 4));
}

static void
test_account_hides_the_token(void)
{
    static const char me[] =
        "{\"id\":1,\"name\":\"Ada\",\"api_token\":\"0123456789abcdef0123456789abcdef\"}";
    static const char projects[] = "[{\"id\":9,\"name\":\"b\"},{\"id\":3,\"name\":\"a\"}]";
    g_autoptr(GError) error = NULL;
    g_autoptr(Account) account =
        model_parse_account(me, strlen(me), projects, strlen(projects), &error);
    g_assert_no_error(error);
    g_assert_null(strstr(account->record.data, "0123456789abcdef"));
    g_assert_cmpint(account->projects[0].id, ==, 3);
    g_assert_nonnull(account_find_project(account, 9));
    g_assert_null(account_find_project(account, 4));
}

/* Every key of every recorded story is in its record, or is the one that has a file of its own. */
static void
check_recorded_story(const json_t *object)
{
    const char *key;
    json_t *value;
    json_t *list = json_array();
    (void)json_array_append(list, (json_t *)(guintptr)object);
    g_autofree char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    g_autoptr(GPtrArray) stories = parse_stories(text);
    const Story *story = ((ParsedStory *)stories->pdata[0])->story;
    json_t *record = json_loadb(story->record.data, story->record.length, 0, NULL);
    g_assert_nonnull(record);
    json_object_foreach((json_t *)(guintptr)object, key, value)
    {
        if (g_str_equal(key, "description")) {
            g_assert_cmpstr(story->description.data, ==, json_string_value(value));
        } else if (!json_object_get(record, key)) {
            g_test_fail_printf("key %s of story %" G_GINT64_FORMAT " is lost", key, story->id);
        }
    }
    json_decref(record);
}

static guint
check_recorded_value(const json_t *value)
{
    guint n = 0;
    gsize i;
    const json_t *element;
    const char *key;
    json_t *member;
    if (json_is_array(value)) {
        json_array_foreach(value, i, element)
        {
            n += check_recorded_value(element);
        }
    } else if (json_is_object(value)) {
        if (g_strcmp0(json_string_value(json_object_get(value, "kind")), "story") == 0 &&
            json_object_get(value, "current_state")) {
            check_recorded_story(value);
            n++;
        }
        json_object_foreach((json_t *)(guintptr)value, key, member)
        {
            n += check_recorded_value(member);
        }
    }
    return n;
}

static guint
check_recorded_folder(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    guint n = 0;
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR)) {
            n += check_recorded_folder(child);
        } else if (g_str_has_suffix(name, ".json")) {
            json_t *value = json_load_file(child, 0, NULL);
            n += check_recorded_value(json_object_get(json_object_get(value, "response"), "body"));
            json_decref(value);
        }
    }
    return n;
}

static void
test_recorded_stories(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("TRACKERFS_SHARED_DIR") ?: "", "recorded", NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_test_skip("no recordings beside the checkout");
        return;
    }
    guint n = check_recorded_folder(path);
    g_test_message("%u recorded stories", n);
    g_assert_cmpuint(n, >, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/canonical-form", test_canonical_form);
    g_test_add_func("/model/texts-leave-the-record", test_texts_leave_the_record);
    g_test_add_func("/model/other-dialect", test_other_dialect);
    g_test_add_func("/model/mended-input", test_mended_input);
    g_test_add_func("/model/refusals", test_refusals);
    g_test_add_func("/model/repeated-story", test_the_last_of_a_repeated_story_wins);
    g_test_add_func("/model/activity", test_activity_names_what_it_touches);
    g_test_add_func("/model/project-parts", test_project_parts);
    g_test_add_func("/model/account", test_account_hides_the_token);
    g_test_add_func("/model/recorded-stories", test_recorded_stories);
    g_test_add_func("/model/story-without-id", test_stories_without_an_id_are_left_out);
    return g_test_run();
}

/* Any bytes as the new content of any file that can be written: an edit or a refusal, never a
 * crash; what is accepted is shown as it was asked, applying it twice is applying it once, and what
 * is sent is JSON. The first byte chooses the file. */
#include <stdint.h>
#include <string.h>

#include "cache/edit_apply.h"
#include "cache/edit_merge.h"
#include "cache/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char story_json[] =
    "[{\"id\":5,\"kind\":\"story\",\"project_id\":9,\"name\":\"n\",\"description\":\"d\\n\","
    "\"story_type\":\"feature\",\"current_state\":\"unstarted\",\"estimate\":1,\"labels\":"
    "[{\"id\":3,\"name\":\"old\"}],\"owner_ids\":[1],\"requested_by_id\":1,\"created_at\":1000,"
    "\"updated_at\":2000,\"comments\":[{\"id\":6,\"person_id\":1,\"text\":\"said\"}],\"tasks\":"
    "[{\"id\":7,\"position\":1,\"complete\":false,\"description\":\"do\"}]}]";
static const char members_json[] =
    "[{\"id\":1,\"role\":\"owner\",\"person\":{\"id\":1,\"name\":\"Ada\",\"username\":\"ada\"}},"
    "{\"id\":2,\"role\":\"member\",\"person\":{\"id\":2,\"name\":\"Bob\",\"username\":\"bob\"}}]";
static const char project_json[] = "{\"id\":9,\"name\":\"P\",\"point_scale\":\"0,1,2,3\"}";

static const EditTarget targets[] = {
    {.file = EDIT_STORY_JSON, .project_id = 9, .owner_id = 5},
    {.file = EDIT_STORY_DESCRIPTION, .project_id = 9, .owner_id = 5},
    {.file = EDIT_STORY_FIELD, .project_id = 9, .owner_id = 5, .name = "labels"},
    {.file = EDIT_STORY_FIELD, .project_id = 9, .owner_id = 5, .name = "owner_ids"},
    {.file = EDIT_STORY_FIELD, .project_id = 9, .owner_id = 5, .name = "estimate"},
    {.file = EDIT_STORY_FIELD, .project_id = 9, .owner_id = 5, .name = "current_state"},
    {.file = EDIT_STORY_COMMENT, .project_id = 9, .owner_id = 5, .id = 6},
    {.file = EDIT_TASK, .project_id = 9, .owner_id = 5, .id = 7},
    {.file = EDIT_STORY_CHANGES, .project_id = 9, .owner_id = 5},
    {.file = EDIT_NEW_STORY_COMMENT, .project_id = 9, .owner_id = 5},
    {.file = EDIT_NEW_TASK, .project_id = 9, .owner_id = 5},
};

static Project *project;
static Story *story;

static void
make_world(void)
{
    guint left_out;
    g_autoptr(GPtrArray) stories =
        model_parse_stories(story_json, sizeof story_json - 1, &left_out, NULL);
    project = project_new(9);
    g_assert_true(model_parse_project(project, project_json, sizeof project_json - 1, NULL));
    g_assert_true(model_parse_members(project, members_json, sizeof members_json - 1, NULL));
    story = story_ref(((ParsedStory *)stories->pdata[0])->story);
}

static char *
record_of(const json_t *object)
{
    ParsedStory *parsed = model_tree_parse_story(object);
    char *record = g_strdup(parsed->story->record.data);
    parsed_story_free(parsed);
    return record;
}

static void
check(Edit *edit, const EditContext *context)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_autoptr(Json) before = model_tree_of_story(story);
    edit->number = 1;
    edit->id = edit->verb == EDIT_CREATE ? EDIT_PROVISIONAL_FIRST + 1 : edit->id;
    g_ptr_array_add(one, edit);
    g_autoptr(Json) once = edit_apply(before, edit, context);
    g_autoptr(Json) twice = edit_apply(once, edit, context);
    edit_assert_shown(once, one, context);
    g_autofree char *first = record_of(once);
    g_autofree char *second = record_of(twice);
    g_assert_cmpstr(first, ==, second);
    g_autofree char *wire = edit_wire_text(edit->object, edit->changes);
    g_autoptr(Json) sent = json_text_parse(wire, strlen(wire), NULL);
    g_assert_true(json_is_object(sent));
    if (edit->verb == EDIT_UPDATE) {
        const json_t *theirs = edit->id ? edit_find_part(before, edit->object, edit->id) : before;
        json_t *send = NULL;
        json_t *conflicts = NULL;
        g_assert_cmpint(edit_merge(edit, theirs, context, &send, &conflicts), !=, MERGE_CONFLICT);
        json_decref(send);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gsize once;
    static const Person me = {.id = 1};
    if (g_once_init_enter(&once)) {
        make_world();
        g_once_init_leave(&once, 1);
    }
    if (size < 1) {
        return 0;
    }
    const EditContext context = {.project = project, .story = story, .me = &me, .now_ms = 5000};
    g_autofree char *copy = g_malloc(size);
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    const Text mine = {copy, size - 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(Edit) edit =
        edit_make(&targets[data[0] % G_N_ELEMENTS(targets)], NULL, &mine, &context, &error);
    if (edit) {
        g_assert_no_error(error);
        check(edit, &context);
    }
    return 0;
}

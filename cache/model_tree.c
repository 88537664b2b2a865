/* The record is parsed and the texts are put back: description, the text of each comment, the
 * description of each task. */
#include "cache/model_tree.h"

#include "cache/json_text.h"

static json_t *
object_of(const Text *record)
{
    g_autoptr(Json) object =
        record->data ? json_text_parse(record->data, record->length, NULL) : NULL;
    return json_is_object(object) ? g_steal_pointer(&object) : NULL;
}

static void
put_text(json_t *object, const char *key, const Text *text)
{
    if (text->data) {
        (void)json_object_set_new(object, key, json_stringn(text->data, text->length));
    }
}

static json_t *
find_element(const json_t *object, const char *key, gint64 id)
{
    gsize i;
    json_t *element;
    json_array_foreach(json_object_get(object, key), i, element)
    {
        if (json_get_id(element, "id") == id) {
            return element;
        }
    }
    return NULL;
}

static void
put_comments(json_t *object, const Comment *comments, guint n)
{
    for (guint i = 0; i < n; i++) {
        put_text(find_element(object, "comments", comments[i].id), "text", &comments[i].text);
    }
}

json_t *
model_tree_of_story(const Story *story)
{
    json_t *object = object_of(&story->record);
    if (!object) {
        return NULL;
    }
    put_text(object, "description", &story->description);
    put_comments(object, story->comments, story->n_comments);
    for (guint i = 0; i < story->n_tasks; i++) {
        put_text(find_element(object, "tasks", story->tasks[i].id), "description",
                 &story->tasks[i].description);
    }
    return object;
}

json_t *
model_tree_of_epic(const Epic *epic)
{
    json_t *object = object_of(&epic->record);
    if (object) {
        put_text(object, "description", &epic->description);
        put_comments(object, epic->comments, epic->n_comments);
    }
    return object;
}

json_t *
model_tree_of_project(const Project *project)
{
    json_t *object = object_of(&project->record);
    if (object) {
        put_text(object, "profile_content", &project->profile);
    }
    return object;
}

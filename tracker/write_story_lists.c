/* One owner or one label more or less: the same rules as for the whole list in a PUT of the story,
 * without the risk of undoing somebody else's change of it. */
#include "tracker/routes.h"

#include "tracker/changes.h"
#include "tracker/ids.h"
#include "tracker/labels.h"
#include "tracker/story_draft.h"

static gboolean
save(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    if (!story_draft_check(call, draft, before)) {
        return FALSE;
    }
    change_touch(call, &kind_story, draft->id);
    story_draft_save(call, draft);
    change_describe(call, "story_update_activity", "edited", "edited this %s", draft->type);
    return change_close(call);
}

static gboolean
add(Call *call, gboolean owner, gint64 id)
{
    g_autoptr(StoryDraft) before = story_draft_load(call, call->story_id);
    g_autoptr(StoryDraft) draft = story_draft_load(call, call->story_id);
    GArray *ids = owner ? draft->owner_ids : draft->label_ids;

    if (ids_has(ids, id)) {
        return TRUE; /* twice is once: nothing changes */
    }
    g_array_append_val(ids, id);
    return save(call, draft, before);
}

static gboolean
take_away(Call *call, gboolean owner, gint64 id)
{
    g_autoptr(StoryDraft) before = story_draft_load(call, call->story_id);
    g_autoptr(StoryDraft) draft = story_draft_load(call, call->story_id);
    GArray *ids = owner ? draft->owner_ids : draft->label_ids;
    int at = ids_find(ids, id);

    if (at < 0) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    g_array_remove_index(ids, (guint)at);
    call->no_content = TRUE;
    return save(call, draft, before);
}

/* Answers with the person (the reference is unsure whether it is the whole list). */
gboolean
write_story_owner_add(Call *call)
{
    gint64 id = body_int(call->given, "id", 0);

    return add(call, TRUE, id) && call_answer_one(call, &kind_person, id);
}

gboolean
write_story_owner_remove(Call *call)
{
    return take_away(call, TRUE, call->id);
}

gboolean
write_story_label_add(Call *call)
{
    g_autoptr(GArray) ids = NULL;

    if (body_has(call->given, "id")) {
        json_t *list = json_pack("[O]", json_object_get(call->given, "id"));

        ids = labels_of_ids(call, call->project_id, list);
        json_decref(list);
    } else {
        json_t *list = json_pack("[O]", json_object_get(call->given, "name"));

        ids = labels_of_list(call, call->project_id, list);
        json_decref(list);
    }
    return ids && add(call, FALSE, g_array_index(ids, gint64, 0)) &&
           call_answer_one(call, &kind_label, g_array_index(ids, gint64, 0));
}

gboolean
write_story_label_remove(Call *call)
{
    return take_away(call, FALSE, call->id);
}

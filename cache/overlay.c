/* A table by number, and a sorted list for those who want all. There are few edits: what a person
 * changed while the server was away. */
#include "cache/overlay.h"

#include "cache/base/lock.h"
#include "cache/edit_apply.h"

struct Overlay {
    pthread_mutex_t lock;
    GPtrArray *edits; /* of Edit, by number; protected by lock */
    GHashTable *real; /* provisional id -> id; protected by lock */
};

Overlay *
overlay_new(void)
{
    Overlay *overlay = g_new0(Overlay, 1);
    (void)pthread_mutex_init(&overlay->lock, NULL);
    overlay->edits = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
    overlay->real = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return overlay;
}

void
overlay_free(Overlay *overlay)
{
    if (!overlay) {
        return;
    }
    g_ptr_array_unref(overlay->edits);
    g_hash_table_unref(overlay->real);
    (void)pthread_mutex_destroy(&overlay->lock);
    g_free(overlay);
}

/* Where `number` is, or would be. */
static guint
place_of(const Overlay *overlay, gint64 number)
{
    guint low = 0;
    guint high = overlay->edits->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (((const Edit *)overlay->edits->pdata[middle])->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static Edit *
at_place(const Overlay *overlay, guint place, gint64 number)
{
    Edit *edit = place < overlay->edits->len ? overlay->edits->pdata[place] : NULL;
    return edit && edit->number == number ? edit : NULL;
}

void
overlay_put(Overlay *overlay, Edit *edit)
{
    g_autoptr(Edit) old = NULL;
    LOCK_SCOPE(&overlay->lock);
    guint place = place_of(overlay, edit->number);
    old = at_place(overlay, place, edit->number);
    if (old) {
        overlay->edits->pdata[place] = edit;
    } else {
        g_ptr_array_insert(overlay->edits, (gint)place, edit);
    }
}

void
overlay_remove(Overlay *overlay, gint64 number)
{
    g_autoptr(Edit) old = NULL;
    LOCK_SCOPE(&overlay->lock);
    guint place = place_of(overlay, number);
    if (at_place(overlay, place, number)) {
        old = g_ptr_array_steal_index(overlay->edits, place);
    }
}

Edit *
overlay_get(Overlay *overlay, gint64 number)
{
    LOCK_SCOPE(&overlay->lock);
    Edit *edit = at_place(overlay, place_of(overlay, number), number);
    return edit ? edit_ref(edit) : NULL;
}

typedef gboolean (*EditTestFn)(const Edit *edit, EditOwner owner, gint64 id);

static GPtrArray *
list_if(Overlay *overlay, EditTestFn test, EditOwner owner, gint64 id)
{
    GPtrArray *list = NULL;
    LOCK_SCOPE(&overlay->lock);
    for (guint i = 0; i < overlay->edits->len; i++) {
        Edit *edit = overlay->edits->pdata[i];
        if (!test || test(edit, owner, id)) {
            list = list ? list : g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
            g_ptr_array_add(list, edit_ref(edit));
        }
    }
    return list;
}

GPtrArray *
overlay_list(Overlay *overlay)
{
    GPtrArray *list = list_if(overlay, NULL, EDIT_OF_STORY, 0);
    return list ? list : g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
}

static gboolean
is_of(const Edit *edit, EditOwner owner, gint64 id)
{
    return edit->owner == owner && edit_owner_id(edit) == id;
}

GPtrArray *
overlay_list_of(Overlay *overlay, EditOwner owner, gint64 id)
{
    return list_if(overlay, is_of, owner, id);
}

/* A story that moves to another project concerns both. */
static gboolean
is_in(const Edit *edit, EditOwner owner, gint64 id)
{
    (void)owner;
    return edit_is_shown(edit) &&
           (edit->project_id == id ||
            json_integer_value(json_object_get(edit->changes, "project_id")) == id);
}

GPtrArray *
overlay_list_in(Overlay *overlay, gint64 project_id)
{
    return list_if(overlay, is_in, EDIT_OF_PROJECT, project_id);
}

void
overlay_note_id(Overlay *overlay, gint64 provisional, gint64 id)
{
    LOCK_SCOPE(&overlay->lock);
    (void)g_hash_table_replace(overlay->real, g_memdup2(&provisional, sizeof provisional),
                               g_memdup2(&id, sizeof id));
}

gint64
overlay_resolve(Overlay *overlay, gint64 id)
{
    LOCK_SCOPE(&overlay->lock);
    const gint64 *real = g_hash_table_lookup(overlay->real, &id);
    return real ? *real : id;
}

Story *
overlay_story(GPtrArray *edits, Story *story, const EditContext *context)
{
    g_autoptr(Json) object = NULL;
    gboolean touched = FALSE;
    for (guint i = 0; edits && i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit_is_shown(edit)) {
            if (!touched && story) {
                object = model_tree_of_story(story);
            }
            touched = TRUE;
            edit_set_json(&object, edit_apply(object, edit, context));
        }
    }
    if (!touched) {
        return story ? story_ref(story) : NULL;
    }
    if (!object) {
        return NULL;
    }
    edit_assert_shown(object, edits, context);
    ParsedStory *parsed = model_tree_parse_story(object);
    Story *result = story_ref(parsed->story);
    parsed_story_free(parsed);
    return result;
}

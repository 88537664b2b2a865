/* The rows of stories that edits touch are made anew from the story's whole text with the edits
 * applied; then stories that edits create, remove or move get their places in the board's order and
 * in the iterations. Where the server will finally put them only the server knows: its own order
 * comes with the next check. */
#include "cache/overlay_view.h"

#include <string.h>

#include "cache/edit_apply.h"
#include "cache/json_text.h"
#include "cache/model_private.h"

/* What a story's row looks like with its edits; made from these. */
typedef struct Remembered {
    gint64 id;
    StoryRow *base_row; /* NULL: none */
    GPtrArray *edits;
    StoryRow *row;     /* NULL: it is gone */
    gint64 project_id; /* where it is now */
    GPtrArray *labels; /* of NewLabel: its labels, which the project may lack; NULL: none */
} Remembered;

struct OverlayView {
    Store *store;
    const GPtrArray *changed; /* of the call under way */
    GHashTable *stories;      /* id -> Remembered */
};

typedef struct NewLabel {
    gint64 id;
    char *name;
} NewLabel;

static void
new_label_free(gpointer data)
{
    NewLabel *label = data;
    g_free(label->name);
    g_free(label);
}

static void
remembered_free(gpointer data)
{
    Remembered *remembered = data;
    story_row_unref(remembered->base_row);
    story_row_unref(remembered->row);
    g_ptr_array_unref(remembered->edits);
    if (remembered->labels) {
        g_ptr_array_unref(remembered->labels);
    }
    g_free(remembered);
}

OverlayView *
overlay_view_new(Store *store)
{
    OverlayView *view = g_new0(OverlayView, 1);
    view->store = store;
    view->stories = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, remembered_free);
    return view;
}

void
overlay_view_free(OverlayView *view)
{
    if (view) {
        g_hash_table_unref(view->stories);
        g_free(view);
    }
}

/* --- One story --- */

static gboolean
same_edits(const GPtrArray *a, const GPtrArray *b)
{
    return a->len == b->len && memcmp(a->pdata, b->pdata, a->len * sizeof *a->pdata) == 0;
}

/* A new label has the number of its edit first, and then one of the server's that its project's
 * list of labels has only after the next look. */
static GPtrArray *
labels_of(const json_t *story)
{
    GPtrArray *labels = NULL;
    gsize i;
    const json_t *element;
    json_array_foreach(json_object_get(story, "labels"), i, element)
    {
        NewLabel *label = g_new(NewLabel, 1);
        *label = (NewLabel){json_get_id(element, "id"), json_dup_string(element, "name")};
        labels = labels ? labels : g_ptr_array_new_with_free_func(new_label_free);
        g_ptr_array_add(labels, label);
    }
    return labels;
}

static Story *
load_story(const OverlayView *view, gint64 id)
{
    for (guint i = 0; view->changed && i < view->changed->len; i++) {
        const ParsedStory *parsed = view->changed->pdata[i];
        if (parsed->story->id == id) {
            return story_ref(parsed->story);
        }
    }
    return store_load_story(view->store, id, NULL);
}

/* `edits` is taken over. */
static Remembered *
remember_story(OverlayView *view, gint64 id, StoryRow *base_row, GPtrArray *edits,
               const EditContext *context)
{
    Remembered *known = g_hash_table_lookup(view->stories, &id);
    if (known && known->base_row == base_row && same_edits(known->edits, edits)) {
        g_ptr_array_unref(edits);
        return known;
    }
    g_autoptr(Story) story = load_story(view, id);
    g_autoptr(Json) object = story ? model_tree_of_story(story) : NULL;
    for (guint i = 0; i < edits->len; i++) {
        edit_set_json(&object, edit_apply(object, edits->pdata[i], context));
    }
    edit_assert_shown(object, edits, context);
    known = g_new0(Remembered, 1);
    known->id = id;
    known->base_row = base_row ? story_row_ref(base_row) : NULL;
    known->edits = edits;
    if (object) {
        ParsedStory *parsed = model_tree_parse_story(object);
        known->row = story_row_ref(parsed->row);
        known->project_id = parsed->story->project_id;
        known->labels = labels_of(object);
        parsed_story_free(parsed);
    }
    (void)g_hash_table_replace(view->stories, &known->id, known);
    return known;
}

/* --- The board's order --- */

static guint
index_of(const GPtrArray *rows, gint64 id)
{
    for (guint i = 0; i < rows->len; i++) {
        if (((const StoryRow *)rows->pdata[i])->id == id) {
            return i;
        }
    }
    return G_MAXUINT;
}

static gboolean
is_unscheduled(const StoryRow *row)
{
    return g_str_equal(row->current_state, "unscheduled");
}

static guint
top_of_icebox(const GPtrArray *rows)
{
    guint at = 0;
    while (at < rows->len && !is_unscheduled(rows->pdata[at])) {
        at++;
    }
    return at;
}

static gint64
id_in(const json_t *values, const char *key)
{
    return json_get_id(values, key);
}

/* Where `edits` want the story: before or behind a neighbour; else G_MAXUINT. */
static guint
wanted_place(const GPtrArray *rows, const GPtrArray *edits)
{
    for (guint i = edits->len; i > 0; i--) {
        const Edit *edit = edits->pdata[i - 1];
        const json_t *values = edit->result ? edit->result : edit->changes;
        if (edit->object != OBJECT_STORY || edit->verb == EDIT_DELETE ||
            (edit->verb == EDIT_UPDATE && !json_object_get(edit->changes, "before_id") &&
             !json_object_get(edit->changes, "after_id"))) {
            continue;
        }
        guint below = index_of(rows, id_in(values, "before_id"));
        guint above = index_of(rows, id_in(values, "after_id"));
        if (below != G_MAXUINT || above != G_MAXUINT) {
            return below != G_MAXUINT ? below : above + 1;
        }
    }
    return G_MAXUINT;
}

/* The story's row is not among `rows`; puts it there. */
static void
insert_row(GPtrArray *rows, const Remembered *story, guint old_place)
{
    guint place = wanted_place(rows, story->edits);
    if (place == G_MAXUINT) {
        gboolean stays = story->base_row && old_place != G_MAXUINT &&
                         is_unscheduled(story->base_row) == is_unscheduled(story->row);
        place = stays ? old_place : top_of_icebox(rows);
    }
    g_ptr_array_insert(rows, (gint)MIN(place, rows->len), story_row_ref(story->row));
}

static void
place_story(GPtrArray *rows, const Remembered *story, gint64 project_id)
{
    guint place = index_of(rows, story->id);
    if (place != G_MAXUINT) {
        g_ptr_array_remove_index(rows, place);
    }
    if (story->row && (story->project_id == project_id || story->project_id == 0)) {
        insert_row(rows, story, place);
    }
}

/* --- Iterations --- */

static void
iteration_remove(Iteration *iteration, gint64 id)
{
    guint kept = 0;
    for (guint i = 0; i < iteration->n_stories; i++) {
        if (iteration->story_ids[i] != id) {
            iteration->story_ids[kept++] = iteration->story_ids[i];
        }
    }
    iteration->n_stories = kept;
}

static gboolean
iteration_insert(Iteration *iteration, gint64 id, gint64 neighbour, gboolean behind)
{
    for (guint i = 0; i < iteration->n_stories; i++) {
        if (iteration->story_ids[i] != neighbour) {
            continue;
        }
        gint64 *ids = g_new(gint64, iteration->n_stories + 1);
        guint at = i + (behind ? 1 : 0);
        memcpy(ids, iteration->story_ids, at * sizeof *ids);
        ids[at] = id;
        memcpy(ids + at + 1, iteration->story_ids + at, (iteration->n_stories - at) * sizeof *ids);
        g_free(iteration->story_ids);
        iteration->story_ids = ids;
        iteration->n_stories++;
        return TRUE;
    }
    return FALSE;
}

static void
plan_story(Project *project, const Remembered *story)
{
    const Edit *last = NULL;
    for (guint i = 0; i < story->edits->len; i++) {
        const Edit *edit = story->edits->pdata[i];
        if (edit->object == OBJECT_STORY && (json_object_get(edit->changes, "before_id") ||
                                             json_object_get(edit->changes, "after_id"))) {
            last = edit;
        }
    }
    const StoryRow *row = project_find_story(project, story->id);
    gboolean leaves = !row || is_unscheduled(row);
    for (guint i = 0; (leaves || last) && i < project->n_iterations; i++) {
        iteration_remove(&project->iterations[i], story->id);
    }
    gint64 below = last ? id_in(last->changes, "before_id") : 0;
    gint64 above = last ? id_in(last->changes, "after_id") : 0;
    for (guint i = 0; last && !leaves && i < project->n_iterations; i++) {
        if (iteration_insert(&project->iterations[i], story->id, below ? below : above, !below)) {
            break;
        }
    }
}

/* --- Labels, epics, the project itself --- */

static void
add_labels(Project *project, const GPtrArray *labels)
{
    for (guint i = 0; labels && i < labels->len; i++) {
        const NewLabel *label = labels->pdata[i];
        if (!label->name || project_find_label(project, label->id)) {
            continue;
        }
        guint n = project->n_labels;
        guint at = 0;
        while (at < n && project->labels[at].id < label->id) {
            at++;
        }
        project->labels = g_renew(Label, project->labels, n + 1);
        memmove(project->labels + at + 1, project->labels + at, (n - at) * sizeof(Label));
        project->labels[at] = (Label){.id = label->id, .name = g_strdup(label->name)};
        project->n_labels = n + 1;
    }
}

static void
epic_clear(Epic *epic)
{
    g_free(epic->name);
    g_free(epic->url);
    model_text_clear(&epic->record);
    model_text_clear(&epic->description);
    model_comments_free(epic->comments, epic->n_comments);
    *epic = (Epic){.id = 0};
}

static void
apply_to_epic(Project *project, const Edit *edit, const EditContext *context)
{
    guint at = 0;
    while (at < project->n_epics && project->epics[at].id != edit->owner_id) {
        at++;
    }
    gboolean there = at < project->n_epics;
    g_autoptr(Json) object = there ? model_tree_of_epic(&project->epics[at]) : NULL;
    g_autoptr(Json) changed = edit_apply(object, edit, context);
    if (!changed) {
        if (there) {
            epic_clear(&project->epics[at]);
            project->n_epics--;
            memmove(project->epics + at, project->epics + at + 1,
                    (project->n_epics - at) * sizeof(Epic));
        }
        return;
    }
    if (there) {
        epic_clear(&project->epics[at]);
    } else {
        project->epics = g_renew(Epic, project->epics, project->n_epics + 1);
        project->n_epics++;
        project->epics[at] = (Epic){.id = 0};
    }
    model_tree_read_epic(&project->epics[at], changed);
}

static void
apply_to_head(Project *project, const Edit *edit, const EditContext *context)
{
    gint64 version = project->version;
    g_autoptr(Json) object = model_tree_of_project(project);
    g_autoptr(Json) changed = object ? edit_apply(object, edit, context) : NULL;
    if (changed) {
        model_tree_read_project(project, changed);
        project->version = version;
    }
}

/* --- Together --- */

/* The stories that `edits` touch, each with its own. */
static GHashTable *
edits_by_story(const GPtrArray *edits)
{
    GHashTable *stories = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < edits->len; i++) {
        Edit *edit = edits->pdata[i];
        if (edit->owner != EDIT_OF_STORY) {
            continue;
        }
        GPtrArray *list = g_hash_table_lookup(stories, &edit->owner_id);
        if (!list) {
            list = g_ptr_array_new_with_free_func((GDestroyNotify)edit_unref);
            (void)g_hash_table_insert(stories, &edit->owner_id, list);
        }
        g_ptr_array_add(list, edit_ref(edit));
    }
    return stories;
}

static void
apply_to_stories(OverlayView *view, const Project *base, Project *made, const GPtrArray *edits,
                 const EditContext *context)
{
    g_autoptr(GHashTable) stories = edits_by_story(edits);
    g_autoptr(GHashTable) done = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GPtrArray) touched = g_ptr_array_new();
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)story_row_unref);
    for (guint i = 0; i < base->n_stories; i++) {
        g_ptr_array_add(rows, story_row_ref(base->stories[i]));
    }
    /* In the order of the edits, so that of two new stories the later one lies on top. */
    for (guint i = 0; i < edits->len; i++) {
        gint64 *id = &((Edit *)edits->pdata[i])->owner_id;
        GPtrArray *own = g_hash_table_lookup(stories, id);
        if (own && g_hash_table_add(done, id)) {
            StoryRow *row = (StoryRow *)(guintptr)project_find_story(base, *id);
            Remembered *story = remember_story(view, *id, row, own, context);
            place_story(rows, story, base->id);
            g_ptr_array_add(touched, story);
        }
    }
    project_set_stories(made, rows);
    for (guint i = 0; i < touched->len; i++) {
        plan_story(made, touched->pdata[i]);
        add_labels(made, ((const Remembered *)touched->pdata[i])->labels);
    }
}

/* What no edit of the project touches any more is forgotten. */
static gboolean
is_forgotten(gpointer key, gpointer value, gpointer user)
{
    const GPtrArray *edits = user;
    (void)key;
    for (guint i = 0; edits && i < edits->len; i++) {
        if (((const Edit *)edits->pdata[i])->owner_id == ((const Remembered *)value)->id) {
            return FALSE;
        }
    }
    return TRUE;
}

Project *
overlay_view_make(OverlayView *view, Project *base, const GPtrArray *edits,
                  const GPtrArray *changed, const Person *me)
{
    if (!edits || edits->len == 0) {
        return project_ref(base);
    }
    const EditContext context = {.project = base, .me = me};
    Project *made = project_copy(base);
    view->changed = changed;
    apply_to_stories(view, base, made, edits, &context);
    view->changed = NULL;
    for (guint i = 0; i < edits->len; i++) {
        const Edit *edit = edits->pdata[i];
        if (edit->owner == EDIT_OF_EPIC) {
            apply_to_epic(made, edit, &context);
        } else if (edit->owner == EDIT_OF_PROJECT) {
            apply_to_head(made, edit, &context);
        }
    }
    project_finish(made);
    return made;
}

void
overlay_view_forget(OverlayView *view, const GPtrArray *edits)
{
    (void)g_hash_table_foreach_remove(view->stories, is_forgotten, (gpointer)(guintptr)edits);
}

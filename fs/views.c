/* All groups are filled in one pass over the stories, so a folder lists in time linear in what it
 * holds.
 *
 * A story that names a person or a label that the project does not list (someone who left) gets a
 * group under the bare id: links must not vanish because a membership did. Positions are 1 for the
 * first story of the folder. */
#include "fs/views.h"

#include "fs/tree.h"

#include <string.h>

typedef struct ViewSet {
    GPtrArray *groups;   /* ViewGroup *, owned */
    GHashTable *by_name; /* char * -> ViewGroup * */
    GHashTable *by_id;   /* gint64 * -> ViewGroup *; of words: by_word */
    GHashTable *by_word; /* char * -> ViewGroup * */
} ViewSet;

enum { SET_LABELS, SET_STATES, SET_TYPES, SET_OWNERS, SET_REQUESTERS, SETS };

struct Views {
    gint references; /* atomic */
    Project *project;
    ViewSet sets[SETS];
    GPtrArray *icebox, *releases;
    TreeName *members;          /* by person id */
    GHashTable *member_by_name; /* char * -> Member * */
};

static void
group_free(gpointer data)
{
    ViewGroup *group = data;
    g_free(group->name);
    g_ptr_array_unref(group->rows);
    g_free(group);
}

static void
set_init(ViewSet *set)
{
    set->groups = g_ptr_array_new_with_free_func(group_free);
    set->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    set->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    set->by_word = g_hash_table_new(g_str_hash, g_str_equal);
}

static void
set_clear(ViewSet *set)
{
    g_hash_table_destroy(set->by_name);
    g_hash_table_destroy(set->by_id);
    g_hash_table_destroy(set->by_word);
    g_ptr_array_unref(set->groups);
}

static ViewGroup *
set_add(ViewSet *set, gint64 id, const char *word)
{
    ViewGroup *group = g_new0(ViewGroup, 1);
    group->id = id;
    group->word = word;
    group->rows = g_ptr_array_new();
    g_ptr_array_add(set->groups, group);
    if (id) {
        g_hash_table_insert(set->by_id, &group->id, group);
    } else {
        g_hash_table_insert(set->by_word, (gpointer)(guintptr)word, group);
    }
    return group;
}

static void
put_by_word(ViewSet *set, const char *word, const StoryRow *row)
{
    ViewGroup *group = g_hash_table_lookup(set->by_word, word);
    if (!group) {
        group = set_add(set, 0, word);
    }
    g_ptr_array_add(group->rows, (gpointer)(guintptr)row);
}

static void
put_by_id(ViewSet *set, gint64 id, const char *word, const StoryRow *row)
{
    ViewGroup *group = g_hash_table_lookup(set->by_id, &id);
    if (!group) {
        group = set_add(set, id, word);
    }
    const guint n = group->rows->len;
    if (n == 0 || g_ptr_array_index(group->rows, n - 1) != row) { /* an id sent twice */
        g_ptr_array_add(group->rows, (gpointer)(guintptr)row);
    }
}

static int
compare_groups(gconstpointer left, gconstpointer right)
{
    const ViewGroup *a = *(const ViewGroup *const *)left, *b = *(const ViewGroup *const *)right;
    if (a->id != b->id) {
        return (a->id > b->id) - (a->id < b->id);
    }
    return g_strcmp0(a->word, b->word);
}

/* Names all groups of a set. Words have no id: their place in sorted order stands in for it. */
static void
set_name(ViewSet *set)
{
    g_ptr_array_sort(set->groups, compare_groups);
    const guint n = set->groups->len;
    g_autofree TreeName *names = g_new0(TreeName, n);
    g_auto(GStrv) numbers = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        const ViewGroup *group = g_ptr_array_index(set->groups, i);
        numbers[i] = g_strdup_printf("%" G_GINT64_FORMAT, group->id);
        names[i].id = group->id ? group->id : (gint64)i + 1;
        names[i].text = group->word ? group->word : numbers[i];
    }
    tree_name_folder(names, n, "", FALSE); /* keeps the order: sorted by id already */
    for (guint i = 0; i < n; i++) {
        ViewGroup *group = g_ptr_array_index(set->groups, i);
        group->name = names[i].name;
        g_hash_table_insert(set->by_name, group->name, group);
    }
}

static const char *
person_word(const Project *project, gint64 person_id)
{
    const Member *member = project_find_member(project, person_id);
    if (!member) {
        return NULL;
    }
    return member->person.username ? member->person.username : member->person.name;
}

static void
add_row(Views *views, const StoryRow *row)
{
    const Project *project = views->project;
    put_by_word(&views->sets[SET_STATES], row->current_state, row);
    put_by_word(&views->sets[SET_TYPES], row->story_type, row);
    for (guint i = 0; i < row->n_labels; i++) {
        const Label *label = project_find_label(project, row->label_ids[i]);
        put_by_id(&views->sets[SET_LABELS], row->label_ids[i], label ? label->name : NULL, row);
    }
    for (guint i = 0; i < row->n_owners; i++) {
        const gint64 id = row->owner_ids[i];
        put_by_id(&views->sets[SET_OWNERS], id, person_word(project, id), row);
    }
    if (row->requested_by_id) {
        const gint64 id = row->requested_by_id;
        put_by_id(&views->sets[SET_REQUESTERS], id, person_word(project, id), row);
    }
    if (strcmp(row->current_state, "unscheduled") == 0) {
        g_ptr_array_add(views->icebox, (gpointer)(guintptr)row);
    }
    if (strcmp(row->story_type, "release") == 0) {
        g_ptr_array_add(views->releases, (gpointer)(guintptr)row);
    }
}

static void
name_members(Views *views)
{
    const Project *project = views->project;
    views->members = g_new0(TreeName, project->n_members + 1);
    g_auto(GStrv) numbers = g_new0(char *, project->n_members + 1);
    for (guint i = 0; i < project->n_members; i++) {
        const gint64 id = project->members[i].person.id;
        const char *word = person_word(project, id);
        numbers[i] = g_strdup_printf("%" G_GINT64_FORMAT, id);
        views->members[i] = (TreeName){.id = id, .text = word ? word : numbers[i]};
    }
    tree_name_folder(views->members, project->n_members, ".json", FALSE);
    for (guint i = 0; i < project->n_members; i++) {
        views->members[i].text = NULL;
        g_hash_table_insert(views->member_by_name, views->members[i].name, &project->members[i]);
    }
}

Views *
views_new(Project *project)
{
    Views *views = g_new0(Views, 1);
    views->references = 1;
    views->project = project_ref(project);
    views->icebox = g_ptr_array_new();
    views->releases = g_ptr_array_new();
    views->member_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < SETS; i++) {
        set_init(&views->sets[i]);
    }
    /* A label without stories is a folder too; people are listed by what they own or asked for. */
    for (guint i = 0; i < project->n_labels; i++) {
        if (!g_hash_table_contains(views->sets[SET_LABELS].by_id, &project->labels[i].id)) {
            (void)set_add(&views->sets[SET_LABELS], project->labels[i].id, project->labels[i].name);
        }
    }
    for (guint i = 0; i < project->n_stories; i++) {
        add_row(views, project->stories[i]);
    }
    for (guint i = 0; i < SETS; i++) {
        set_name(&views->sets[i]);
    }
    name_members(views);
    return views;
}

Views *
views_ref(Views *views)
{
    g_atomic_int_inc(&views->references);
    return views;
}

void
views_unref(Views *views)
{
    if (!views || !g_atomic_int_dec_and_test(&views->references)) {
        return;
    }
    for (guint i = 0; i < SETS; i++) {
        set_clear(&views->sets[i]);
    }
    g_ptr_array_unref(views->icebox);
    g_ptr_array_unref(views->releases);
    g_hash_table_destroy(views->member_by_name);
    for (guint i = 0; i < views->project->n_members; i++) {
        g_free(views->members[i].name);
    }
    g_free(views->members);
    project_unref(views->project);
    g_free(views);
}

Project *
views_project(const Views *views)
{
    return views->project;
}

static const ViewSet *
find_set(const Views *views, NodeKind folder)
{
    switch ((int)folder) {
    case NODE_LABELS:
    case NODE_LABEL:
        return &views->sets[SET_LABELS];
    case NODE_BY_STATE:
    case NODE_STATE:
        return &views->sets[SET_STATES];
    case NODE_BY_TYPE:
    case NODE_TYPE:
        return &views->sets[SET_TYPES];
    case NODE_BY_OWNER:
    case NODE_OWNER:
        return &views->sets[SET_OWNERS];
    case NODE_BY_REQUESTER:
    case NODE_REQUESTER:
        return &views->sets[SET_REQUESTERS];
    default:
        return NULL;
    }
}

const GPtrArray *
views_groups(const Views *views, NodeKind folder)
{
    const ViewSet *set = find_set(views, folder);
    return set ? set->groups : NULL;
}

const ViewGroup *
views_find_by_name(const Views *views, NodeKind folder, const char *name)
{
    const ViewSet *set = find_set(views, folder);
    return set ? g_hash_table_lookup(set->by_name, name) : NULL;
}

const ViewGroup *
views_find_group(const Views *views, const NodeKey *key)
{
    const ViewSet *set = find_set(views, key->kind);
    if (!set) {
        return NULL;
    }
    return key->name ? g_hash_table_lookup(set->by_name, key->name)
                     : g_hash_table_lookup(set->by_id, &key->id);
}

const char *
views_member_name(const Views *views, gint64 person_id)
{
    const Member *member = project_find_member(views->project, person_id);
    return member ? views->members[member - views->project->members].name : NULL;
}

const Member *
views_find_member(const Views *views, const char *name)
{
    return g_hash_table_lookup(views->member_by_name, name);
}

static GPtrArray *
copy_rows(const GPtrArray *rows)
{
    GPtrArray *copy = g_ptr_array_sized_new(rows->len);
    for (guint i = 0; i < rows->len; i++) {
        g_ptr_array_add(copy, g_ptr_array_index(rows, i));
    }
    return copy;
}

static GPtrArray *
iteration_rows(const Views *views, gint64 number)
{
    const Iteration *iteration = project_find_iteration(views->project, number);
    if (!iteration) {
        return NULL;
    }
    GPtrArray *rows = g_ptr_array_sized_new(iteration->n_stories);
    for (guint i = 0; i < iteration->n_stories; i++) {
        const StoryRow *row = project_find_story(views->project, iteration->story_ids[i]);
        if (row) {
            g_ptr_array_add(rows, (gpointer)(guintptr)row);
        }
    }
    return rows;
}

GPtrArray *
views_rows(const Views *views, const NodeKey *folder)
{
    switch ((int)folder->kind) {
    case NODE_ICEBOX:
        return copy_rows(views->icebox);
    case NODE_RELEASES:
        return copy_rows(views->releases);
    case NODE_ITERATION:
        return iteration_rows(views, folder->id);
    case NODE_EPIC_STORIES: {
        const Epic *epic = project_find_epic(views->project, folder->id);
        const ViewGroup *group =
            epic ? g_hash_table_lookup(views->sets[SET_LABELS].by_id, &epic->label_id) : NULL;
        return group ? copy_rows(group->rows) : epic ? g_ptr_array_new() : NULL;
    }
    default: {
        const ViewGroup *group = views_find_group(views, folder);
        return group ? copy_rows(group->rows) : NULL;
    }
    }
}

gboolean
views_has_positions(NodeKind folder)
{
    return folder == NODE_ITERATION || folder == NODE_ICEBOX;
}

static gboolean
contains(const gint64 *ids, guint n, gint64 id)
{
    for (guint i = 0; i < n; i++) {
        if (ids[i] == id) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
views_is_mine(const StoryRow *row, MyView view, gint64 me)
{
    switch (view) {
    case MY_OWNED:
        return contains(row->owner_ids, row->n_owners, me);
    case MY_REQUESTED:
        return row->requested_by_id == me;
    case MY_FOLLOWING:
        return contains(row->follower_ids, row->n_followers, me);
    case MY_REVIEWING:
        return contains(row->reviewer_ids, row->n_reviewers, me);
    case MY_BLOCKED:
        return row->blocked && contains(row->owner_ids, row->n_owners, me);
    case MY_VIEWS:
        break;
    }
    return FALSE;
}

gboolean
views_contains(const Views *views, const NodeKey *folder, const StoryRow *row)
{
    if (folder->kind == NODE_RELEASES) {
        return strcmp(row->story_type, "release") == 0;
    }
    if (folder->kind == NODE_EPIC_STORIES) {
        const Epic *epic = project_find_epic(views->project, folder->id);
        return epic && contains(row->label_ids, row->n_labels, epic->label_id);
    }
    const ViewGroup *group = views_find_group(views, folder);
    if (!group) {
        return FALSE;
    }
    switch ((int)folder->kind) {
    case NODE_LABEL:
        return contains(row->label_ids, row->n_labels, group->id);
    case NODE_STATE:
        return strcmp(row->current_state, group->word) == 0;
    case NODE_TYPE:
        return strcmp(row->story_type, group->word) == 0;
    case NODE_OWNER:
        return contains(row->owner_ids, row->n_owners, group->id);
    case NODE_REQUESTER:
        return row->requested_by_id == group->id;
    default:
        return FALSE;
    }
}

char *
views_link_target(NodeKind of, const char *project_name, const char *story_name)
{
    switch ((int)of) {
    case NODE_MY_VIEW:
        return g_strdup_printf("../../%s/stories/%s", project_name, story_name);
    case NODE_ICEBOX:
    case NODE_RELEASES:
        return g_strconcat("../stories/", story_name, NULL);
    case NODE_EPIC_STORIES:
    case NODE_ITERATION:
        return g_strconcat("../../../stories/", story_name, NULL);
    default:
        return g_strconcat("../../stories/", story_name, NULL);
    }
}

/* A folder has fixed children (node.c) and, by its kind, one sort of others. For each sort there is
 * a function that lists it and one that finds a name in it. Finding parses the id out of the name,
 * asks the snapshot for it, makes the name anew and compares: no search through names, so a walk
 * over 10 000 stories stays linear. Where names are not made of ids (attachments, labels, people,
 * attributes) a folder's names are made once for the lookup or kept in Views. */
#include "fs/list.h"

#include "fs/tree.h"

#include <string.h>

void
listing_clear(Listing *listing)
{
    if (listing->entries) {
        g_array_unref(listing->entries);
        g_string_chunk_free(listing->strings);
    }
    *listing = (Listing){0};
}

static void
add(Listing *listing, const char *name, NodeKey key)
{
    ListEntry entry = {.name = g_string_chunk_insert(listing->strings, name), .key = key};
    if (key.name) {
        entry.key.name = g_string_chunk_insert_const(listing->strings, key.name);
    }
    g_array_append_val(listing->entries, entry);
}

static gboolean
is_number_name(const char *name)
{
    return g_ascii_isdigit(*name) || g_str_has_prefix(name, "new-");
}

guint
list_needs(const NodeKey *folder)
{
    const guint needs = node_needs(folder);
    switch ((int)folder->kind) {
    case NODE_STORY:
    case NODE_STORY_COMMENTS:
    case NODE_TASKS:
    case NODE_ATTACHMENTS:
    case NODE_STORY_FIELDS:
        return needs | NEED_STORY;
    case NODE_MY_VIEW:
        return needs | NEED_ALL_PROJECTS;
    default:
        return needs;
    }
}

static const NodeChild *
find_fixed(NodeKind folder, const char *name)
{
    guint n;
    const NodeChild *child = node_fixed_children(folder, &n);
    for (guint i = 0; i < n; i++) {
        if (strcmp(child[i].name, name) == 0) {
            return &child[i];
        }
    }
    return NULL;
}

guint
list_lookup_needs(const NodeKey *folder, const char *name)
{
    const NodeChild *child = find_fixed(folder->kind, name);
    if (child) {
        const NodeKey key = node_child_key(folder, child);
        return node_needs(&key) | node_needs(folder);
    }
    switch ((int)folder->kind) {
    case NODE_MY:
    case NODE_CONTROL:
    case NODE_PROJECT:
    case NODE_ITERATIONS:
    case NODE_STORY:
    case NODE_EPIC:
        return 0;
    case NODE_ROOT:
        return is_number_name(name) ? NEED_ACCOUNT : 0;
    case NODE_STORIES:
    case NODE_EPICS:
    case NODE_ITERATION:
    case NODE_ITERATIONS_DONE:
    case NODE_ITERATIONS_CURRENT:
    case NODE_ITERATIONS_BACKLOG:
    case NODE_ICEBOX:
    case NODE_MY_VIEW:
    case NODE_STORY_COMMENTS:
    case NODE_EPIC_COMMENTS:
    case NODE_TASKS:
        return is_number_name(name) ? list_needs(folder) : 0;
    default:
        return list_needs(folder);
    }
}

static NodeKey
child_key(const NodeKey *folder, NodeKind kind, gint64 id, gint64 sub)
{
    return (NodeKey){.kind = kind, .project_id = folder->project_id, .id = id, .sub = sub};
}

static NodeKey
link_key(const NodeKey *folder, gint64 project_id, gint64 story_id)
{
    return (NodeKey){.kind = NODE_LINK,
                     .of = folder->kind,
                     .project_id = project_id,
                     .id = folder->id,
                     .sub = story_id,
                     .name = folder->name};
}

static char *
link_name(const Scene *scene, const NodeKey *folder, guint at, guint n, const StoryRow *row)
{
    return views_has_positions(folder->kind)
               ? tree_position_name(at + 1, n, row->id, row->name, scene->config->id_names)
               : tree_item_name(row->id, row->name, scene->config->id_names);
}

static gboolean
list_links(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    g_autoptr(GPtrArray) rows = views_rows(scene->views, folder);
    for (guint i = 0; rows && i < rows->len; i++) {
        const StoryRow *row = g_ptr_array_index(rows, i);
        g_autofree char *name = link_name(scene, folder, i, rows->len, row);
        add(listing, name, link_key(folder, folder->project_id, row->id));
    }
    return rows != NULL;
}

static gboolean
find_link(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    const StoryRow *row = NULL;
    guint position = 0, n = 0;
    gint64 id;
    if (views_has_positions(folder->kind)) {
        g_autoptr(GPtrArray) rows = views_rows(scene->views, folder);
        if (!rows || !tree_parse_position_name(name, &position, &id) || position < 1 ||
            position > rows->len) {
            return FALSE;
        }
        n = rows->len;
        row = g_ptr_array_index(rows, position - 1);
    } else if (tree_parse_item_name(name, &id)) {
        row = project_find_story(views_project(scene->views), id);
        row = row && views_contains(scene->views, folder, row) ? row : NULL;
    }
    g_autofree char *present = row ? link_name(scene, folder, position - 1, n, row) : NULL;
    if (!present || strcmp(present, name) != 0) {
        return FALSE;
    }
    *ret_key = link_key(folder, folder->project_id, row->id);
    return TRUE;
}

static MyView
my_view(const NodeKey *folder)
{
    return (MyView)(folder->id - 1);
}

static gboolean
list_mine(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const gint64 me = scene->account->me.id;
    /* One folder, many projects: an id that a server gave twice must not be a name twice. */
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < scene->all->len; i++) {
        const Project *project = views_project(g_ptr_array_index(scene->all, i));
        for (guint j = 0; j < project->n_stories; j++) {
            StoryRow *row = project->stories[j];
            if (!views_is_mine(row, my_view(folder), me) || !g_hash_table_add(seen, &row->id)) {
                continue;
            }
            g_autofree char *name = tree_item_name(row->id, row->name, scene->config->id_names);
            add(listing, name, link_key(folder, project->id, row->id));
        }
    }
    return TRUE;
}

static gboolean
find_mine(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    gint64 id;
    if (!tree_parse_item_name(name, &id)) {
        return FALSE;
    }
    for (guint i = 0; i < scene->all->len; i++) {
        const Project *project = views_project(g_ptr_array_index(scene->all, i));
        const StoryRow *row = project_find_story(project, id);
        if (!row || !views_is_mine(row, my_view(folder), scene->account->me.id)) {
            continue;
        }
        g_autofree char *present = tree_item_name(row->id, row->name, scene->config->id_names);
        if (strcmp(present, name) == 0) {
            *ret_key = link_key(folder, project->id, row->id);
            return TRUE;
        }
        return FALSE;
    }
    return FALSE;
}

/* "<id>" and "<id>-anything" that is not the present name is an alias of it. */
static gboolean
found_item(const NodeKey *folder, NodeKind kind, gint64 id, const char *present, const char *name,
           NodeKey *ret_key)
{
    const gint64 project_id = kind == NODE_PROJECT ? id : folder->project_id;
    if (!present) {
        return FALSE;
    }
    *ret_key = (NodeKey){.kind = kind, .project_id = project_id, .id = id};
    if (strcmp(present, name) != 0) {
        ret_key->kind = NODE_ALIAS;
        ret_key->of = kind;
    }
    return TRUE;
}

static gboolean
find_item(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    gint64 id;
    if (!tree_parse_item_name(name, &id)) {
        return FALSE;
    }
    g_autofree char *present = NULL;
    switch ((int)folder->kind) {
    case NODE_ROOT:
        present = scene_project_name(scene, id);
        return found_item(folder, NODE_PROJECT, id, present, name, ret_key);
    case NODE_STORIES:
        present = scene_story_name(scene, id);
        return found_item(folder, NODE_STORY, id, present, name, ret_key);
    default:
        present = scene_epic_name(scene, id);
        return found_item(folder, NODE_EPIC, id, present, name, ret_key);
    }
}

static gboolean
list_items(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const gboolean id_names = scene->config->id_names;
    if (folder->kind == NODE_ROOT) {
        for (guint i = 0; i < scene->account->n_projects; i++) {
            const ProjectName *project = &scene->account->projects[i];
            g_autofree char *name = tree_item_name(project->id, project->name, id_names);
            const NodeKey key = {
                .kind = NODE_PROJECT, .project_id = project->id, .id = project->id};
            add(listing, name, key);
        }
        return TRUE;
    }
    const Project *project = views_project(scene->views);
    for (guint i = 0; folder->kind == NODE_STORIES && i < project->n_stories; i++) {
        const StoryRow *row = project->stories[i];
        g_autofree char *name = tree_item_name(row->id, row->name, id_names);
        add(listing, name, child_key(folder, NODE_STORY, row->id, 0));
    }
    for (guint i = 0; folder->kind == NODE_EPICS && i < project->n_epics; i++) {
        const Epic *epic = &project->epics[i];
        g_autofree char *name = tree_item_name(epic->id, epic->name, id_names);
        add(listing, name, child_key(folder, NODE_EPIC, epic->id, 0));
    }
    return TRUE;
}

static NodeKind
group_kind(NodeKind folder)
{
    switch ((int)folder) {
    case NODE_LABELS:
        return NODE_LABEL;
    case NODE_BY_STATE:
        return NODE_STATE;
    case NODE_BY_TYPE:
        return NODE_TYPE;
    case NODE_BY_OWNER:
        return NODE_OWNER;
    default:
        return NODE_REQUESTER;
    }
}

static NodeKey
group_key(const NodeKey *folder, const ViewGroup *group)
{
    NodeKey key = child_key(folder, group_kind(folder->kind), group->id, 0);
    key.name = group->id ? NULL : group->name;
    return key;
}

static gboolean
list_groups(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const GPtrArray *groups = views_groups(scene->views, folder->kind);
    for (guint i = 0; i < groups->len; i++) {
        const ViewGroup *group = g_ptr_array_index(groups, i);
        add(listing, group->name, group_key(folder, group));
    }
    return TRUE;
}

static gboolean
find_group(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    const ViewGroup *group = views_find_by_name(scene->views, folder->kind, name);
    if (group) {
        *ret_key = group_key(folder, group);
    }
    return group != NULL;
}

static gboolean
list_iterations(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const Project *project = views_project(scene->views);
    for (guint i = 0; i < project->n_iterations; i++) {
        const gint64 number = project->iterations[i].number;
        if (scene_iteration_group(project, number) != folder->kind) {
            continue;
        }
        g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, number);
        add(listing, name, child_key(folder, NODE_ITERATION, number, (gint64)folder->kind));
    }
    return TRUE;
}

static gboolean
find_iteration(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    const Project *project = views_project(scene->views);
    const char *rest;
    gint64 number;
    if (!tree_parse_id(name, &number, &rest) || *rest || !project_find_iteration(project, number) ||
        scene_iteration_group(project, number) != folder->kind) {
        return FALSE;
    }
    *ret_key = child_key(folder, NODE_ITERATION, number, (gint64)folder->kind);
    return TRUE;
}

static gboolean
list_members(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const Project *project = views_project(scene->views);
    for (guint i = 0; i < project->n_members; i++) {
        const gint64 id = project->members[i].person.id;
        add(listing, views_member_name(scene->views, id),
            child_key(folder, NODE_MEMBER, folder->project_id, id));
    }
    return TRUE;
}

static gboolean
find_member(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    const Member *member = views_find_member(scene->views, name);
    if (member) {
        *ret_key = child_key(folder, NODE_MEMBER, folder->project_id, member->person.id);
    }
    return member != NULL;
}

static void
list_comments(const Comment *comments, guint n, const NodeKey *folder, NodeKind kind,
              Listing *listing)
{
    for (guint i = 0; i < n; i++) {
        const Comment *comment = &comments[i];
        g_autofree char *name =
            tree_comment_name(comment->id, comment->created_ms, comment->author);
        add(listing, name, child_key(folder, kind, folder->id, comment->id));
    }
}

/* The numbers of tasks come from the server; only their order is trusted, so that names are unique.
 */
static void
list_tasks(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const Story *story = scene->story;
    for (guint i = 0; i < story->n_tasks; i++) {
        g_autofree char *name = tree_task_name(i + 1, story->n_tasks, story->tasks[i].id);
        add(listing, name, child_key(folder, NODE_TASK, folder->id, story->tasks[i].id));
    }
}

static void
list_attachments(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    const Story *story = scene->story;
    g_autofree TreeName *names = g_new0(TreeName, story->n_attachments + 1);
    for (guint i = 0; i < story->n_attachments; i++) {
        names[i] =
            (TreeName){.id = story->attachments[i].id, .text = story->attachments[i].filename};
    }
    tree_name_folder(names, story->n_attachments, "", TRUE);
    for (guint i = 0; i < story->n_attachments; i++) {
        add(listing, names[i].name, child_key(folder, NODE_ATTACHMENT, folder->id, names[i].id));
        g_free(names[i].name);
    }
}

static gboolean
list_fields(const Scene *scene, const NodeKey *folder, NodeKind kind, Listing *listing)
{
    EditOwner owner;
    const Text *record = scene_fields_record(scene, folder, &owner);
    g_autoptr(GHashTable) lines = record ? render_fields(record, owner) : NULL;
    g_autoptr(GList) names = lines ? g_hash_table_get_keys(lines) : NULL;
    names = g_list_sort(names, (GCompareFunc)strcmp);
    for (const GList *name = names; name; name = name->next) {
        NodeKey key = child_key(folder, kind, folder->id, 0);
        key.name = name->data;
        add(listing, key.name, key);
    }
    return lines != NULL;
}

static const char *const side_names[N_EDIT_SIDES] = {
    [EDIT_BASE] = "base", [EDIT_MINE] = "mine", [EDIT_THEIRS] = "theirs"};

static gboolean
list_conflict(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    for (guint i = 0; i < N_EDIT_SIDES; i++) {
        if (scene->edits.sides[i].data) {
            add(listing, side_names[i],
                child_key(folder, (NodeKind)(folder->kind + 1), folder->id, (gint64)i + 1));
        }
    }
    for (guint i = 0; scene->edits.earlier && i < scene->edits.earlier->len; i++) {
        const EditMine *mine = scene->edits.earlier->pdata[i];
        g_autofree char *name =
            g_strdup_printf("%s.%" G_GINT64_FORMAT, side_names[EDIT_MINE], mine->number);
        add(listing, name,
            child_key(folder, (NodeKind)(folder->kind + 1), folder->id,
                      N_EDIT_SIDES + mine->number));
    }
    return TRUE;
}

static gboolean
list_queue(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    for (guint i = 0; scene->edits.queue && i < scene->edits.queue->len; i++) {
        const EditStatus *edit = g_ptr_array_index(scene->edits.queue, i);
        g_autofree char *name =
            g_strdup_printf("%" G_GINT64_FORMAT "-%s.json", edit->number, edit->state);
        add(listing, name, child_key(folder, NODE_QUEUE_ITEM, edit->number, 0));
    }
    return TRUE;
}

static gboolean
list_others(const Scene *scene, const NodeKey *folder, Listing *listing)
{
    switch ((int)folder->kind) {
    case NODE_ROOT:
    case NODE_STORIES:
    case NODE_EPICS:
        return list_items(scene, folder, listing);
    case NODE_MY_VIEW:
        return list_mine(scene, folder, listing);
    case NODE_LABELS:
    case NODE_BY_STATE:
    case NODE_BY_TYPE:
    case NODE_BY_OWNER:
    case NODE_BY_REQUESTER:
        return list_groups(scene, folder, listing);
    case NODE_ITERATIONS_DONE:
    case NODE_ITERATIONS_CURRENT:
    case NODE_ITERATIONS_BACKLOG:
        return list_iterations(scene, folder, listing);
    case NODE_MEMBERS:
        return list_members(scene, folder, listing);
    case NODE_STORY_COMMENTS:
        list_comments(scene->story->comments, scene->story->n_comments, folder, NODE_STORY_COMMENT,
                      listing);
        return TRUE;
    case NODE_EPIC_COMMENTS: {
        const Epic *epic = project_find_epic(views_project(scene->views), folder->id);
        if (epic) {
            list_comments(epic->comments, epic->n_comments, folder, NODE_EPIC_COMMENT, listing);
        }
        return epic != NULL;
    }
    case NODE_TASKS:
        list_tasks(scene, folder, listing);
        return TRUE;
    case NODE_ATTACHMENTS:
        list_attachments(scene, folder, listing);
        return TRUE;
    case NODE_PROJECT_FIELDS:
    case NODE_STORY_FIELDS:
    case NODE_EPIC_FIELDS:
        return list_fields(scene, folder, (NodeKind)(folder->kind + 1), listing);
    case NODE_STORY_CONFLICT:
    case NODE_EPIC_CONFLICT:
    case NODE_PROJECT_CONFLICT:
        return list_conflict(scene, folder, listing);
    case NODE_QUEUE:
        return list_queue(scene, folder, listing);
    case NODE_ICEBOX:
    case NODE_RELEASES:
    case NODE_LABEL:
    case NODE_STATE:
    case NODE_TYPE:
    case NODE_OWNER:
    case NODE_REQUESTER:
    case NODE_EPIC_STORIES:
    case NODE_ITERATION:
        return list_links(scene, folder, listing);
    default:
        return TRUE;
    }
}

gboolean
list_folder(const Scene *scene, const NodeKey *folder, Listing *ret_listing)
{
    Facts facts;
    if (!scene_describe(scene, folder, &facts)) {
        return FALSE;
    }
    g_auto(Listing) listing = {.entries = g_array_new(FALSE, FALSE, sizeof(ListEntry)),
                               .strings = g_string_chunk_new(4096)};
    guint n;
    const NodeChild *child = node_fixed_children(folder->kind, &n);
    for (guint i = 0; i < n; i++) {
        if (child[i].is_listed &&
            (child[i].kind != NODE_ATTACHMENTS || scene->config->show_attachments)) {
            add(&listing, child[i].name, node_child_key(folder, &child[i]));
        }
    }
    if (!list_others(scene, folder, &listing)) {
        return FALSE;
    }
    *ret_listing = listing;
    listing = (Listing){0};
    return TRUE;
}

/* Comments, tasks, attachments and attributes: as many as one story has, so they are listed to find
 * one. */
static gboolean
find_listed(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key,
            char **ret_name)
{
    g_auto(Listing) listing = {0};
    if (!list_folder(scene, folder, &listing)) {
        return FALSE;
    }
    for (guint i = 0; i < listing.entries->len; i++) {
        const ListEntry *entry = &g_array_index(listing.entries, ListEntry, i);
        if (strcmp(entry->name, name) == 0) {
            *ret_key = entry->key;
            *ret_name = g_strdup(entry->key.name);
            ret_key->name = *ret_name;
            return TRUE;
        }
    }
    return FALSE;
}

/* A task is known by its id whatever position stands before it: the others move up when one is
 * removed, in the middle of an `rm tasks/...`. */
static gboolean
find_former_task(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key)
{
    guint position;
    gint64 id;
    if (!tree_parse_position_name(name, &position, &id)) {
        return FALSE;
    }
    for (guint i = 0; i < scene->story->n_tasks; i++) {
        if (scene->story->tasks[i].id == id) {
            *ret_key = child_key(folder, NODE_ALIAS, folder->id, id);
            ret_key->of = NODE_TASK;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
list_find(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key,
          char **ret_name)
{
    *ret_name = NULL;
    const NodeChild *child = find_fixed(folder->kind, name);
    if (child) {
        *ret_key = node_child_key(folder, child);
        if (node_is_conflict(child->kind)) {
            ret_key->sub = scene->edits.conflict;
        }
        return TRUE;
    }
    if (list_lookup_needs(folder, name) == 0) {
        return FALSE; /* the scene may be empty */
    }
    switch ((int)folder->kind) {
    case NODE_ROOT:
    case NODE_STORIES:
    case NODE_EPICS:
        return find_item(scene, folder, name, ret_key);
    case NODE_MY_VIEW:
        return find_mine(scene, folder, name, ret_key);
    case NODE_LABELS:
    case NODE_BY_STATE:
    case NODE_BY_TYPE:
    case NODE_BY_OWNER:
    case NODE_BY_REQUESTER:
        return find_group(scene, folder, name, ret_key);
    case NODE_ITERATIONS_DONE:
    case NODE_ITERATIONS_CURRENT:
    case NODE_ITERATIONS_BACKLOG:
        return find_iteration(scene, folder, name, ret_key);
    case NODE_MEMBERS:
        return find_member(scene, folder, name, ret_key);
    case NODE_ICEBOX:
    case NODE_RELEASES:
    case NODE_LABEL:
    case NODE_STATE:
    case NODE_TYPE:
    case NODE_OWNER:
    case NODE_REQUESTER:
    case NODE_EPIC_STORIES:
    case NODE_ITERATION:
        return find_link(scene, folder, name, ret_key);
    case NODE_TASKS:
        return find_listed(scene, folder, name, ret_key, ret_name) ||
               find_former_task(scene, folder, name, ret_key);
    case NODE_STORY_COMMENTS:
    case NODE_EPIC_COMMENTS:
    case NODE_ATTACHMENTS:
    case NODE_PROJECT_FIELDS:
    case NODE_STORY_FIELDS:
    case NODE_EPIC_FIELDS:
    case NODE_STORY_CONFLICT:
    case NODE_EPIC_CONFLICT:
    case NODE_PROJECT_CONFLICT:
    case NODE_QUEUE:
        return find_listed(scene, folder, name, ret_key, ret_name);
    default:
        return FALSE;
    }
}

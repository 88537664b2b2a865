/* Folders are of two sizes. Those with a bounded number of entries (a story's, an epic's, the
 * members) are listed on both sides and compared by name. Those with a link for each story are
 * compared as arrays of rows: equal pointers are equal links, so most folders end after one memcmp,
 * and names are made for the rows that differ alone. */
#include "fs/diff.h"

#include "fs/list.h"
#include "fs/tree.h"

#include <string.h>

/* Two states of one project (or account), as scenes. */
typedef struct Pair {
    const SceneConfig *config;
    Scene before, after;
    const DiffSink *sink;
} Pair;

static void
name_changed(const Pair *pair, const NodeKey *folder, const char *name, const NodeKey *gone)
{
    pair->sink->name(&pair->before, &pair->after, folder, name, gone, pair->sink->user);
}

static void
file_changed(const Pair *pair, const NodeKey *folder, const char *name, const NodeKey *key,
             gboolean content)
{
    pair->sink->node(&pair->before, &pair->after, folder, name, key, content, pair->sink->user);
}

static void
folder_changed(const Pair *pair, const NodeKey *key)
{
    const NodeKey parent = node_parent_key(key);
    pair->sink->node(&pair->before, &pair->after, &parent, NULL, key, FALSE, pair->sink->user);
}

static gboolean
same_facts(const Facts *a, const Facts *b)
{
    return a->size == b->size && a->n_links == b->n_links && a->changed_ms == b->changed_ms;
}

static gboolean
same_text(const Text *a, const Text *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static gboolean
same_content(const Scene *a, const Scene *b, const NodeKey *key)
{
    g_auto(Content) left = {0};
    g_auto(Content) right = {0};
    if (!scene_content(a, key, &left) || !scene_content(b, key, &right)) {
        return FALSE;
    }
    return left.length == right.length &&
           (left.length == 0 || memcmp(left.data, right.data, left.length) == 0);
}

/* A node that both sides have, if its scenes can tell. */
static void
compare_node(const Pair *pair, const NodeKey *folder, const char *name, const NodeKey *key)
{
    Facts a, b;
    const mode_t type = node_info(key->kind)->type;
    if ((node_info(key->kind)->needs & NEED_ACTIVITY) || !scene_covers(&pair->before, key) ||
        !scene_covers(&pair->after, key)) {
        return;
    }
    if (!scene_describe(&pair->before, key, &a) || !scene_describe(&pair->after, key, &b)) {
        return;
    }
    if (type == S_IFDIR) {
        if (!same_facts(&a, &b)) {
            folder_changed(pair, key);
        }
        return;
    }
    if (type == S_IFLNK) {
        g_autofree char *left = scene_link_target(&pair->before, key);
        g_autofree char *right = scene_link_target(&pair->after, key);
        const gboolean moved = g_strcmp0(left, right) != 0;
        if (moved || !same_facts(&a, &b)) {
            file_changed(pair, folder, name, key, moved);
        }
        return;
    }
    const gboolean differs =
        key->kind != NODE_ATTACHMENT && !same_content(&pair->before, &pair->after, key);
    if (differs || !same_facts(&a, &b)) {
        file_changed(pair, folder, name, key, differs);
    }
}

static GHashTable *
index_listing(const Listing *listing)
{
    GHashTable *by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; listing->entries && i < listing->entries->len; i++) {
        ListEntry *entry = &g_array_index(listing->entries, ListEntry, i);
        (void)g_hash_table_insert(by_name, (gpointer)(guintptr)entry->name, entry);
    }
    return by_name;
}

/* Lists a folder of few entries on both sides and compares names and nodes. */
static void
compare_folder(const Pair *pair, const NodeKey *folder)
{
    g_auto(Listing) before = {0};
    g_auto(Listing) after = {0};
    const gboolean was = list_folder(&pair->before, folder, &before);
    const gboolean is = list_folder(&pair->after, folder, &after);
    if (!was || !is) {
        return; /* its own name came or went */
    }
    g_autoptr(GHashTable) now = index_listing(&after);
    g_autoptr(GHashTable) then = index_listing(&before);
    for (guint i = 0; i < after.entries->len; i++) {
        const ListEntry *entry = &g_array_index(after.entries, ListEntry, i);
        if (!g_hash_table_contains(then, entry->name)) {
            name_changed(pair, folder, entry->name, NULL);
        }
    }
    for (guint i = 0; i < before.entries->len; i++) {
        const ListEntry *entry = &g_array_index(before.entries, ListEntry, i);
        const ListEntry *other = g_hash_table_lookup(now, entry->name);
        Facts facts;
        if (!other || !node_key_equal(&entry->key, &other->key)) {
            const gboolean gone = !scene_describe(&pair->after, &entry->key, &facts);
            name_changed(pair, folder, entry->name, gone ? &entry->key : NULL);
        } else {
            compare_node(pair, folder, entry->name, &entry->key);
        }
    }
}

static NodeKey
field_key(const NodeKey *folder, const char *name)
{
    NodeKey key = *folder;
    key.kind = folder->kind == NODE_STORY_FIELDS  ? NODE_STORY_FIELD
               : folder->kind == NODE_EPIC_FIELDS ? NODE_EPIC_FIELD
                                                  : NODE_PROJECT_FIELD;
    key.name = name;
    return key;
}

/* `.fields`: its files are the attributes of one record, which is read once a side; all have the
 * times of their folder. */
static void
compare_fields(const Pair *pair, const NodeKey *folder)
{
    Facts a, b;
    EditOwner owner;
    gpointer name, line;
    GHashTableIter iter;
    const Text *old = scene_fields_record(&pair->before, folder, &owner);
    const Text *now = scene_fields_record(&pair->after, folder, &owner);
    if (!old || !now || !scene_describe(&pair->before, folder, &a) ||
        !scene_describe(&pair->after, folder, &b)) {
        return;
    }
    const gboolean same_times = same_facts(&a, &b);
    if (same_times && same_text(old, now)) {
        return;
    }
    g_autoptr(GHashTable) before = render_fields(old, owner);
    g_autoptr(GHashTable) after = render_fields(now, owner);
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &name, &line)) {
        const NodeKey key = field_key(folder, name);
        const GBytes *other = g_hash_table_lookup(after, name);
        const gboolean differs = !other || !g_bytes_equal(line, other);
        if (!other) {
            name_changed(pair, folder, name, &key);
        } else if (differs || !same_times) {
            file_changed(pair, folder, name, &key, differs);
        }
    }
    g_hash_table_iter_init(&iter, after);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_hash_table_contains(before, name)) {
            name_changed(pair, folder, name, NULL);
        }
    }
}

/* The files of a folder that went, as changed: who has one open is to go on reading it. */
static void
report_files(const Pair *pair, const NodeKey *folder)
{
    g_auto(Listing) listing = {0};
    (void)list_folder(&pair->before, folder, &listing);
    for (guint i = 0; listing.entries && i < listing.entries->len; i++) {
        const ListEntry *entry = &g_array_index(listing.entries, ListEntry, i);
        if (node_info(entry->key.kind)->type == S_IFREG) {
            file_changed(pair, folder, entry->name, &entry->key, TRUE);
        }
    }
}

/* The fixed children that are reachable but not listed. */
static void
compare_unlisted(const Pair *pair, const NodeKey *folder)
{
    guint n;
    const NodeChild *child = node_fixed_children(folder->kind, &n);
    for (guint i = 0; i < n; i++) {
        if (!child[i].is_listed) {
            const NodeKey key = node_child_key(folder, &child[i]);
            compare_node(pair, folder, child[i].name, &key);
        }
    }
}

/* --- Folders of links --- */

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

static NodeKey
entry_key(const NodeKey *folder, gint64 project_id, const StoryRow *row)
{
    if (folder->kind == NODE_STORIES) {
        return (NodeKey){.kind = NODE_STORY, .project_id = project_id, .id = row->id};
    }
    return link_key(folder, project_id, row->id);
}

static char *
entry_name(const Pair *pair, const NodeKey *folder, const GPtrArray *rows, guint at)
{
    const StoryRow *row = g_ptr_array_index(rows, at);
    return views_has_positions(folder->kind)
               ? tree_position_name(at + 1, rows->len, row->id, row->name, pair->config->id_names)
               : tree_item_name(row->id, row->name, pair->config->id_names);
}

/* Where each row is, by id: index + 1. */
static GHashTable *
index_rows(const GPtrArray *rows)
{
    GHashTable *by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < rows->len; i++) {
        StoryRow *row = g_ptr_array_index(rows, i);
        (void)g_hash_table_insert(by_id, &row->id, GUINT_TO_POINTER(i + 1));
    }
    return by_id;
}

static gboolean
same_rows(const GPtrArray *a, const GPtrArray *b)
{
    return a->len == b->len &&
           (a->len == 0 || memcmp(a->pdata, b->pdata, a->len * sizeof(gpointer)) == 0);
}

/* One link that both sides have. */
static void
compare_link(const Pair *pair, const NodeKey *folder, gint64 project_id, const char *name,
             const StoryRow *old, const StoryRow *row)
{
    const NodeKey key = entry_key(folder, project_id, row);
    if (old == row) {
        return;
    }
    if (key.kind == NODE_STORY) {
        compare_node(pair, folder, name, &key);
        return;
    }
    g_autofree char *left = tree_item_name(old->id, old->name, pair->config->id_names);
    g_autofree char *right = tree_item_name(row->id, row->name, pair->config->id_names);
    const gboolean moved = strcmp(left, right) != 0;
    if (moved || old->updated_ms != row->updated_ms) {
        file_changed(pair, folder, name, &key, moved);
    }
}

/* Takes over both arrays. */
static void
compare_rows(const Pair *pair, const NodeKey *folder, gint64 project_id, GPtrArray *rows_before,
             GPtrArray *rows_after)
{
    g_autoptr(GPtrArray) before = rows_before;
    g_autoptr(GPtrArray) after = rows_after;
    if (!before || !after || same_rows(before, after)) {
        return;
    }
    g_autoptr(GHashTable) then = index_rows(before);
    g_autoptr(GHashTable) now = index_rows(after);
    const gboolean places = views_has_positions(folder->kind);
    const gboolean same_length = before->len == after->len;
    for (guint i = 0; i < before->len; i++) {
        const StoryRow *old = g_ptr_array_index(before, i);
        const guint at = GPOINTER_TO_UINT(g_hash_table_lookup(now, &old->id));
        const StoryRow *row = at ? g_ptr_array_index(after, at - 1) : NULL;
        if (row == old && (!places || (at - 1 == i && same_length))) {
            continue;
        }
        g_autofree char *name = entry_name(pair, folder, before, i);
        g_autofree char *present = row ? entry_name(pair, folder, after, at - 1) : NULL;
        if (present && strcmp(name, present) == 0) {
            compare_link(pair, folder, project_id, name, old, row);
            continue;
        }
        const NodeKey was = entry_key(folder, project_id, old);
        if (present) {
            name_changed(pair, folder, present, NULL);
        }
        name_changed(pair, folder, name, row ? NULL : &was);
        if (present) {
            compare_link(pair, folder, project_id, present, old, row);
        }
    }
    for (guint i = 0; i < after->len; i++) {
        const StoryRow *row = g_ptr_array_index(after, i);
        if (!g_hash_table_contains(then, &row->id)) {
            g_autofree char *name = entry_name(pair, folder, after, i);
            name_changed(pair, folder, name, NULL);
        }
    }
}

static void
compare_links(const Pair *pair, const NodeKey *folder)
{
    Facts a, b;
    if (!scene_describe(&pair->before, folder, &a) || !scene_describe(&pair->after, folder, &b)) {
        return;
    }
    if (!same_facts(&a, &b)) {
        folder_changed(pair, folder);
    }
    compare_rows(pair, folder, folder->project_id, views_rows(pair->before.views, folder),
                 views_rows(pair->after.views, folder));
}

static GPtrArray *
all_rows(const Project *project)
{
    GPtrArray *rows = g_ptr_array_sized_new(project->n_stories);
    for (guint i = 0; i < project->n_stories; i++) {
        g_ptr_array_add(rows, project->stories[i]);
    }
    return rows;
}

static GPtrArray *
rows_of_mine(const Project *project, MyView view, gint64 me)
{
    GPtrArray *rows = g_ptr_array_new();
    for (guint i = 0; i < project->n_stories; i++) {
        if (views_is_mine(project->stories[i], view, me)) {
            g_ptr_array_add(rows, project->stories[i]);
        }
    }
    return rows;
}

/* --- A project --- */

/* A folder whose entries are all folders of groups: labels/, by-state/, ... */
static void
compare_groups(const Pair *pair, const NodeKey *folder)
{
    g_auto(Listing) listing = {0};
    compare_folder(pair, folder);
    if (!list_folder(&pair->before, folder, &listing)) {
        return;
    }
    for (guint i = 0; i < listing.entries->len; i++) {
        compare_links(pair, &g_array_index(listing.entries, ListEntry, i).key);
    }
}

static void
compare_iterations(const Pair *pair, const NodeKey *folder)
{
    g_auto(Listing) listing = {0};
    compare_folder(pair, folder);
    if (!list_folder(&pair->before, folder, &listing)) {
        return;
    }
    for (guint i = 0; i < listing.entries->len; i++) {
        const NodeKey *iteration = &g_array_index(listing.entries, ListEntry, i).key;
        const NodeKey json = {
            .kind = NODE_ITERATION_JSON, .project_id = iteration->project_id, .id = iteration->id};
        if (!project_find_iteration(views_project(pair->after.views), iteration->id)) {
            report_files(pair, iteration);
            continue;
        }
        compare_links(pair, iteration);
        compare_node(pair, iteration, "iteration.json", &json);
    }
}

static gboolean
same_epic(const Epic *a, const Epic *b)
{
    if (!same_text(&a->record, &b->record) || !same_text(&a->description, &b->description) ||
        a->n_comments != b->n_comments) {
        return FALSE;
    }
    for (guint i = 0; i < a->n_comments; i++) {
        if (a->comments[i].id != b->comments[i].id ||
            a->comments[i].updated_ms != b->comments[i].updated_ms ||
            !same_text(&a->comments[i].text, &b->comments[i].text)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void
compare_epic(const Pair *pair, const NodeKey *epic)
{
    const Epic *old = project_find_epic(views_project(pair->before.views), epic->id);
    const Epic *now = project_find_epic(views_project(pair->after.views), epic->id);
    NodeKey comments = *epic, stories = *epic, fields = *epic;
    comments.kind = NODE_EPIC_COMMENTS;
    stories.kind = NODE_EPIC_STORIES;
    fields.kind = NODE_EPIC_FIELDS;
    compare_links(pair, &stories);
    if (!now) {
        report_files(pair, epic);
        report_files(pair, &comments);
    }
    if (!old || !now || same_epic(old, now)) {
        return;
    }
    compare_folder(pair, epic);
    compare_unlisted(pair, epic);
    compare_folder(pair, &comments);
    compare_fields(pair, &fields);
}

static void
compare_epics(const Pair *pair, const NodeKey *folder)
{
    g_auto(Listing) listing = {0};
    compare_folder(pair, folder);
    if (!list_folder(&pair->before, folder, &listing)) {
        return;
    }
    for (guint i = 0; i < listing.entries->len; i++) {
        compare_epic(pair, &g_array_index(listing.entries, ListEntry, i).key);
    }
}

static void
compare_project(const Pair *pair, const Project *before, const Project *after)
{
    static const NodeKind groups[] = {NODE_LABELS, NODE_BY_STATE, NODE_BY_TYPE, NODE_BY_OWNER,
                                      NODE_BY_REQUESTER};
    static const NodeKind iterations[] = {NODE_ITERATIONS_DONE, NODE_ITERATIONS_CURRENT,
                                          NODE_ITERATIONS_BACKLOG};
    NodeKey key = {.kind = NODE_PROJECT, .project_id = after->id, .id = after->id};
    Facts a, b;
    if (scene_describe(&pair->before, &key, &a) && scene_describe(&pair->after, &key, &b) &&
        !same_facts(&a, &b)) {
        folder_changed(pair, &key);
    }
    compare_folder(pair, &key);
    compare_unlisted(pair, &key);
    key.kind = NODE_PROJECT_FIELDS;
    compare_fields(pair, &key);
    key.kind = NODE_MEMBERS;
    compare_folder(pair, &key);
    key.kind = NODE_STORIES;
    compare_rows(pair, &key, after->id, all_rows(before), all_rows(after));
    key.kind = NODE_EPICS;
    compare_epics(pair, &key);
    key.kind = NODE_ITERATIONS;
    compare_folder(pair, &key);
    for (guint i = 0; i < G_N_ELEMENTS(iterations); i++) {
        key.kind = iterations[i];
        compare_iterations(pair, &key);
    }
    key.kind = NODE_ICEBOX;
    compare_links(pair, &key);
    key.kind = NODE_RELEASES;
    compare_links(pair, &key);
    for (guint i = 0; i < G_N_ELEMENTS(groups); i++) {
        key.kind = groups[i];
        compare_groups(pair, &key);
    }
}

void
diff_projects(const SceneConfig *config, Views *before, Views *after, gint64 me,
              const DiffSink *sink)
{
    const Project *old = views_project(before), *project = views_project(after);
    const Pair pair = {.config = config,
                       .before = {.config = config, .has = NEED_PROJECT, .views = before},
                       .after = {.config = config, .has = NEED_PROJECT, .views = after},
                       .sink = sink};
    compare_project(&pair, old, project);
    for (guint view = 0; me && view < MY_VIEWS; view++) {
        const NodeKey folder = {.kind = NODE_MY_VIEW, .id = (gint64)view + 1};
        compare_rows(&pair, &folder, project->id, rows_of_mine(old, (MyView)view, me),
                     rows_of_mine(project, (MyView)view, me));
    }
}

/* --- A story --- */

void
diff_story(const SceneConfig *config, Views *before, Story *old, Views *after, Story *story,
           const DiffSink *sink)
{
    static const NodeKind folders[] = {NODE_STORY, NODE_STORY_COMMENTS, NODE_TASKS,
                                       NODE_ATTACHMENTS};
    const guint has = NEED_PROJECT | NEED_STORY;
    const Pair pair = {.config = config,
                       .before = {.config = config, .has = has, .views = before, .story = old},
                       .after = {.config = config, .has = has, .views = after, .story = story},
                       .sink = sink};
    if (!old || views_project(before)->id != views_project(after)->id) {
        return;
    }
    NodeKey key = {.kind = NODE_STORY, .project_id = views_project(before)->id, .id = old->id};
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        key.kind = folders[i];
        if (story) {
            compare_folder(&pair, &key);
        } else {
            report_files(&pair, &key);
        }
    }
    key.kind = NODE_STORY_FIELDS;
    if (!story) {
        report_files(&pair, &key);
        return;
    }
    compare_fields(&pair, &key);
    key.kind = NODE_STORY;
    compare_unlisted(&pair, &key);
}

/* --- The account --- */

void
diff_accounts(const SceneConfig *config, Account *before, Account *after, const DiffSink *sink)
{
    const NodeKey root = {.kind = NODE_ROOT, .id = 1};
    const Pair pair = {.config = config,
                       .before = {.config = config, .has = NEED_ACCOUNT, .account = before},
                       .after = {.config = config, .has = NEED_ACCOUNT, .account = after},
                       .sink = sink};
    Facts a, b;
    if (scene_describe(&pair.before, &root, &a) && scene_describe(&pair.after, &root, &b) &&
        !same_facts(&a, &b)) {
        folder_changed(&pair, &root);
    }
    compare_folder(&pair, &root);
}

/* Gathering: one getter of the cache after the other, in the order account, project, story,
 * activity; the first that must wait ends it, and the operation comes again from the top. All
 * projects are asked for before the first wait, so that their fetches run side by side.
 *
 * The views of a project are made once per snapshot and kept in the book for the next operation; a
 * newer snapshot replaces them. Two operations may make them at once; one result is dropped. */
#include "fs/scene.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "fs/list.h"
#include "fs/target.h"
#include "fs/tree.h"

#include <string.h>
#include <unistd.h>

struct SceneBook {
    Cache *cache; /* const after new, like config and the figures */
    SceneConfig config;
    void (*fill_figures)(RenderStatus *process, gpointer user);
    gpointer figures_user;
    pthread_mutex_t lock;
    GHashTable *views; /* gint64 * -> Views *; protected by lock */
};

static void
unref_views(gpointer views)
{
    views_unref(views);
}

SceneBook *
scene_book_new(Cache *cache, const SceneConfig *config)
{
    SceneBook *book = g_new0(SceneBook, 1);
    book->cache = cache;
    book->config = *config;
    book->config.source = g_strdup(config->source);
    book->config.mount_point = g_strdup(config->mount_point);
    (void)pthread_mutex_init(&book->lock, NULL);
    book->views = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, unref_views);
    return book;
}

void
scene_book_free(SceneBook *book)
{
    if (!book) {
        return;
    }
    g_hash_table_destroy(book->views);
    (void)pthread_mutex_destroy(&book->lock);
    g_free(book->config.source);
    g_free(book->config.mount_point);
    g_free(book);
}

void
scene_book_set_figures(SceneBook *book, void (*fill)(RenderStatus *process, gpointer user),
                       gpointer user)
{
    book->fill_figures = fill;
    book->figures_user = user;
}

void
scene_clear(Scene *scene)
{
    account_unref(scene->account);
    views_unref(scene->views);
    story_unref(scene->story);
    activity_unref(scene->activity);
    content_clear(&scene->status);
    content_clear(&scene->requests);
    g_free(scene->edits.error);
    g_free(scene->edits.shown);
    for (guint i = 0; i < N_EDIT_SIDES; i++) {
        g_free(scene->edits.sides[i].data);
    }
    if (scene->edits.earlier) {
        g_ptr_array_unref(scene->edits.earlier);
    }
    if (scene->edits.queue) {
        g_ptr_array_unref(scene->edits.queue);
    }
    if (scene->all) {
        g_ptr_array_unref(scene->all);
    }
    *scene = (Scene){0};
}

static Views *
kept_views(SceneBook *book, const Project *project)
{
    LOCK_SCOPE(&book->lock);
    Views *views = g_hash_table_lookup(book->views, &project->id);
    return views && views_project(views) == project ? views_ref(views) : NULL;
}

Views *
scene_book_views(SceneBook *book, Project *project)
{
    Views *views = kept_views(book, project);
    return views ? views : views_new(project);
}

const SceneConfig *
scene_book_config(const SceneBook *book)
{
    return &book->config;
}

static void
keep_views(SceneBook *book, gint64 project_id, Views *views)
{
    g_autoptr(Views) old =
        NULL; /* released after the lock: it may be the last holder of a project */
    LOCK_SCOPE(&book->lock);
    Views *known = g_hash_table_lookup(book->views, &project_id);
    old = known ? views_ref(known) : NULL;
    g_hash_table_replace(book->views, g_memdup2(&project_id, sizeof(project_id)), views_ref(views));
}

static Views *
gather_views(SceneBook *book, gint64 project_id, CacheAsk *ask)
{
    g_autoptr(Project) project = cache_get_project(book->cache, project_id, ask);
    if (!project) {
        return NULL;
    }
    Views *views = kept_views(book, project);
    if (!views) {
        views = views_new(project);
        keep_views(book, project_id, views);
    }
    return views;
}

/* Asks for all, so that all are under way, and reports the first that has to be waited for; if none
 * has, one that is old. */
static gboolean
gather_all(SceneBook *book, Scene *scene, CacheAsk *ask)
{
    CacheAsk first = {0};
    gboolean is_whole = TRUE;
    scene->all = g_ptr_array_new_with_free_func(unref_views);
    for (guint i = 0; i < scene->account->n_projects; i++) {
        CacheAsk each = {.since_ms = ask->since_ms, .stale_ok = ask->stale_ok};
        Views *views = gather_views(book, scene->account->projects[i].id, &each);
        if (views) {
            g_ptr_array_add(scene->all, views);
        }
        if (each.error || (!views && is_whole) || first.wait_for.kind == CACHE_NOTHING) {
            first = each;
        }
        is_whole = is_whole && views;
        if (each.error) {
            break;
        }
    }
    if (first.error || first.wait_for.kind != CACHE_NOTHING) {
        ask->error = first.error;
        ask->wait_for = first.wait_for;
        ask->have_stale = first.have_stale;
        ask->wait_since_ms = first.wait_since_ms;
    }
    return is_whole;
}

static void
gather_status(SceneBook *book, Scene *scene)
{
    CacheStatus status = {0};
    cache_get_status(book->cache, &status);
    RenderStatus process = {
        .source = book->config.source,
        .mount_point = book->config.mount_point,
        .started_ms = book->config.started_ms,
        .now_ms = clock_wall_ms(),
        .pid = getpid(),
    };
    if (book->fill_figures) {
        book->fill_figures(&process, book->figures_user);
    }
    scene->status = render_status(&process, &status);
    cache_status_clear(&status);
}

static void
gather_edits(SceneBook *book, const NodeKey *key, SceneEdits *edits)
{
    EditOwner owner;
    gint64 id;
    if (target_owner(key, &owner, &id)) {
        edits->error = cache_dup_error(book->cache, owner, id);
        for (guint i = 0; i < N_EDIT_SIDES; i++) {
            edits->conflict =
                cache_get_conflict(book->cache, owner, id, (EditSide)i, &edits->sides[i]);
        }
        edits->earlier = cache_list_earlier_conflicts(book->cache, owner, id);
        return;
    }
    edits->queue = cache_list_edits(book->cache);
    if (key->kind == NODE_QUEUE_ITEM) {
        edits->shown_id = key->id;
        edits->shown = cache_show_edit(book->cache, key->id);
    }
}

static gboolean
not_found(CacheAsk *ask)
{
    ask->error = g_error_new_literal(ERR, ERR_NOT_FOUND, "it does not exist, or no longer");
    return FALSE;
}

static CacheKind
activity_kind(const NodeKey *key)
{
    /* A lookup asks in the folder's name. */
    switch ((int)key->kind) {
    case NODE_STORY:
    case NODE_STORY_ACTIVITY:
        return CACHE_STORY_ACTIVITY;
    case NODE_EPIC:
    case NODE_EPIC_ACTIVITY:
        return CACHE_EPIC_ACTIVITY;
    default:
        return CACHE_PROJECT_ACTIVITY;
    }
}

static gboolean
is_mounted(const Account *account, gint64 project_id)
{
    return account_find_project(account, project_id) != NULL;
}

static gboolean
gather(SceneBook *book, const NodeKey *key, guint needs, CacheAsk *ask, Scene *scene)
{
    if (needs & NEED_EDITS) {
        gather_edits(book, key, &scene->edits);
    }
    if (needs & NEED_STATUS) {
        gather_status(book, scene);
    }
    if (needs & NEED_REQUESTS) {
        char *text = cache_dup_requests(book->cache);
        scene->requests = content_take(text, strlen(text));
    }
    if (needs & NEED_EVENTS) {
        const int fd = cache_open_events(book->cache, &scene->events_bytes, &scene->events_ms);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    if ((needs & NEED_ACCOUNT) && !(scene->account = cache_get_account(book->cache, ask))) {
        return FALSE;
    }
    if (scene->account && key->project_id && !is_mounted(scene->account, key->project_id)) {
        return not_found(ask);
    }
    if ((needs & NEED_PROJECT) && !(scene->views = gather_views(book, key->project_id, ask))) {
        return FALSE;
    }
    if ((needs & NEED_STORY)) {
        if (!project_find_story(views_project(scene->views), key->id)) {
            return not_found(ask);
        }
        if (!(scene->story = cache_get_story(book->cache, key->id, ask))) {
            return FALSE;
        }
    }
    if ((needs & NEED_ACTIVITY) &&
        !(scene->activity = cache_get_activity(book->cache, activity_kind(key), key->id, ask))) {
        return FALSE;
    }
    return !(needs & NEED_ALL_PROJECTS) || gather_all(book, scene, ask);
}

gboolean
scene_gather(SceneBook *book, const NodeKey *key, guint needs, CacheAsk *ask, Scene *ret_scene)
{
    g_auto(Scene) scene = {.config = &book->config, .has = needs};
    if (!gather(book, key, needs, ask, &scene)) {
        return FALSE;
    }
    *ret_scene = scene;
    scene = (Scene){0};
    return TRUE;
}

gboolean
scene_is_current(SceneBook *book, const Scene *scene)
{
    if ((scene->account && !cache_is_present_account(book->cache, scene->account)) ||
        (scene->views && !cache_is_present(book->cache, views_project(scene->views)))) {
        return FALSE;
    }
    for (guint i = 0; scene->all && i < scene->all->len; i++) {
        if (!cache_is_present(book->cache, views_project(g_ptr_array_index(scene->all, i)))) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
scene_covers(const Scene *scene, const NodeKey *key)
{
    const guint needs = node_needs(key);
    if (key->kind == NODE_QUEUE_ITEM && scene->edits.shown_id != key->id) {
        return FALSE;
    }
    if ((needs & scene->has) != needs) {
        return FALSE;
    }
    if ((needs & NEED_PROJECT) && views_project(scene->views)->id != key->project_id) {
        return FALSE;
    }
    return !(needs & NEED_ACTIVITY) && (!(needs & NEED_STORY) || scene->story->id == key->id);
}

char *
scene_project_name(const Scene *scene, gint64 project_id)
{
    const ProjectName *project = account_find_project(scene->account, project_id);
    return project ? tree_item_name(project->id, project->name, scene->config->id_names) : NULL;
}

char *
scene_story_name(const Scene *scene, gint64 story_id)
{
    const StoryRow *row = project_find_story(views_project(scene->views), story_id);
    return row ? tree_item_name(row->id, row->name, scene->config->id_names) : NULL;
}

char *
scene_epic_name(const Scene *scene, gint64 epic_id)
{
    const Epic *epic = project_find_epic(views_project(scene->views), epic_id);
    return epic ? tree_item_name(epic->id, epic->name, scene->config->id_names) : NULL;
}

NodeKind
scene_iteration_group(const Project *project, gint64 number)
{
    if (number < project->current_iteration) {
        return NODE_ITERATIONS_DONE;
    }
    return number == project->current_iteration ? NODE_ITERATIONS_CURRENT : NODE_ITERATIONS_BACKLOG;
}

const Attachment *
scene_attachment(const Scene *scene, const NodeKey *key)
{
    return scene->story ? story_find_attachment(scene->story, key->sub) : NULL;
}

/* The name of a comment, task or attachment in its own folder, which is where its alias lies. */
static char *
made_target(const Scene *scene, const NodeKey *key)
{
    NodeKey made = *key;
    made.kind = key->of;
    made.of = NODE_NONE;
    const NodeKey folder = node_parent_key(&made);
    g_auto(Listing) listing = {0};
    if (!list_folder(scene, &folder, &listing)) {
        return NULL;
    }
    for (guint i = 0; i < listing.entries->len; i++) {
        const ListEntry *entry = &g_array_index(listing.entries, ListEntry, i);
        if (entry->key.kind == made.kind && entry->key.sub == made.sub) {
            return g_strdup(entry->name);
        }
    }
    return NULL;
}

static char *
alias_target(const Scene *scene, const NodeKey *key)
{
    switch ((int)key->of) {
    case NODE_PROJECT:
        return scene_project_name(scene, key->id);
    case NODE_STORY:
        return scene_story_name(scene, key->id);
    case NODE_EPIC:
        return scene_epic_name(scene, key->id);
    default:
        return made_target(scene, key);
    }
}

char *
scene_link_target(const Scene *scene, const NodeKey *key)
{
    if (key->kind == NODE_ALIAS) {
        return alias_target(scene, key);
    }
    g_autofree char *story = scene_story_name(scene, key->sub);
    g_autofree char *project =
        key->of == NODE_MY_VIEW ? scene_project_name(scene, key->project_id) : NULL;
    if (!story || (key->of == NODE_MY_VIEW && !project)) {
        return NULL;
    }
    return views_link_target(key->of, project, story);
}

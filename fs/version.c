/* Two tables: pinned copies by node number, and the few changes that are fading at a time. */
#include "fs/version.h"

#include "cache/base/digest.h"
#include "cache/base/lock.h"

typedef struct Pin {
    gint references; /* atomic */
    guint64 number;
    Content content;
    Facts facts;
} Pin;

struct Versions {
    pthread_mutex_t lock;
    GHashTable *pins;  /* guint64 * in the Pin -> Pin; protected by lock, like all below */
    GPtrArray *fading; /* const CacheChange * */
};

static void
pin_unref(gpointer data)
{
    Pin *pin = data;
    if (pin && g_atomic_int_dec_and_test(&pin->references)) {
        content_clear(&pin->content);
        g_free(pin);
    }
}

Versions *
versions_new(void)
{
    Versions *versions = g_new0(Versions, 1);
    (void)pthread_mutex_init(&versions->lock, NULL);
    versions->pins = g_hash_table_new(g_int64_hash, g_int64_equal);
    versions->fading = g_ptr_array_new();
    return versions;
}

void
versions_free(Versions *versions)
{
    if (!versions) {
        return;
    }
    GHashTableIter iter;
    gpointer pin;
    g_hash_table_iter_init(&iter, versions->pins);
    while (g_hash_table_iter_next(&iter, NULL, &pin)) {
        pin_unref(pin);
    }
    g_hash_table_unref(versions->pins);
    g_ptr_array_unref(versions->fading);
    (void)pthread_mutex_destroy(&versions->lock);
    g_free(versions);
}

gboolean
version_of(const Scene *scene, NodeKey *key)
{
    g_auto(Content) content = {0};
    key->version = 0;
    if (!node_has_versions(key->kind)) {
        return TRUE;
    }
    if (!scene_content(scene, key, &content)) {
        return FALSE;
    }
    /* 0 would mean that there are no versions. */
    key->version = digest_bytes(content.data, content.length, 0) | 1;
    return TRUE;
}

gboolean
version_is_passing(NodeKind kind)
{
    return node_has_versions(kind) &&
           (node_info(kind)->needs & (guint)(NEED_ACTIVITY | NEED_STATUS | NEED_REQUESTS)) != 0;
}

void
version_pin(Versions *versions, guint64 number, const Scene *scene, const NodeKey *key)
{
    Pin *pin = g_new0(Pin, 1);
    pin->references = 1;
    pin->number = number;
    gpointer spare = pin;
    if (scene_content(scene, key, &pin->content) && scene_describe(scene, key, &pin->facts)) {
        LOCK_SCOPE(&versions->lock);
        if (!g_hash_table_contains(versions->pins, &number)) {
            (void)g_hash_table_insert(versions->pins, &pin->number, pin);
            spare = NULL;
        }
    }
    pin_unref(spare);
}

void
version_unpin(Versions *versions, guint64 number)
{
    gpointer pin;
    {
        LOCK_SCOPE(&versions->lock);
        pin = g_hash_table_lookup(versions->pins, &number);
        if (pin) {
            (void)g_hash_table_remove(versions->pins, &number);
        }
    }
    pin_unref(pin);
}

gboolean
version_get_pinned(Versions *versions, guint64 number, Content *ret_content, Facts *ret_facts)
{
    Pin *pin;
    {
        LOCK_SCOPE(&versions->lock);
        pin = g_hash_table_lookup(versions->pins, &number);
        if (!pin) {
            return FALSE;
        }
        g_atomic_int_inc(&pin->references);
    }
    *ret_content = (Content){.data = pin->content.data,
                             .length = pin->content.length,
                             .owner = pin,
                             .release = pin_unref};
    *ret_facts = pin->facts;
    return TRUE;
}

void
version_fading(Versions *versions, const CacheChange *change)
{
    LOCK_SCOPE(&versions->lock);
    g_ptr_array_add(versions->fading, (gpointer)(guintptr)change);
}

void
version_faded(Versions *versions, const CacheChange *change)
{
    LOCK_SCOPE(&versions->lock);
    (void)g_ptr_array_remove(versions->fading, (gpointer)(guintptr)change);
}

/* The snapshots of a fading state that `key` is made of, as far as it has them. */
static gboolean
take_snapshots(const CacheChange *change, const NodeKey *key, Scene *scene, Project **ret_project)
{
    const guint needs = node_needs(key);
    if (!key->project_id) {
        scene->account = change->old_account ? account_ref(change->old_account) : NULL;
        scene->has = NEED_ACCOUNT;
        return scene->account != NULL;
    }
    if (!change->old_project || change->old_project->id != key->project_id) {
        return FALSE;
    }
    for (guint i = 0; i < change->old_stories->len && !scene->story; i++) {
        Story *story = g_ptr_array_index(change->old_stories, i);
        if (story && story->id == key->id && (needs & NEED_STORY)) {
            scene->story = story_ref(story);
        }
    }
    scene->has = needs & (guint)(NEED_PROJECT | NEED_STORY);
    if ((needs & NEED_STORY) && !scene->story) {
        return FALSE;
    }
    *ret_project = project_ref(change->old_project);
    return TRUE;
}

gboolean
version_find_fading(Versions *versions, const SceneConfig *config, const NodeKey *key,
                    Scene *ret_scene)
{
    for (guint i = 0;; i++) {
        g_auto(Scene) scene = {.config = config};
        g_autoptr(Project) project = NULL;
        gboolean taken;
        {
            LOCK_SCOPE(&versions->lock);
            if (i >= versions->fading->len) {
                return FALSE;
            }
            taken = take_snapshots(g_ptr_array_index(versions->fading, i), key, &scene, &project);
        }
        if (!taken) {
            continue;
        }
        if (project) {
            scene.views = views_new(project);
        }
        NodeKey present = *key;
        if (version_of(&scene, &present) && present.version == key->version) {
            *ret_scene = scene;
            scene = (Scene){0};
            return TRUE;
        }
    }
}

guint
versions_pinned(Versions *versions)
{
    LOCK_SCOPE(&versions->lock);
    return g_hash_table_size(versions->pins);
}

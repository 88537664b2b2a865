/* scene: the snapshots that one operation sees, and what a node is in their light.
 *
 * scene_gather() asks the cache for what a node is made of; everything after it is pure: it neither
 * asks nor waits, and gives the same answer as long as the scene lives. A directory handle keeps
 * its scene, so that a listing is of one moment. Threads: a scene belongs to one operation or
 * handle at a time; a SceneBook is shared, with one lock of its own. Errors arrive in the CacheAsk,
 * next to the cache's own: ERR_NOT_FOUND when the node is no more. */
#pragma once

#include "cache/cache.h"
#include "fs/node.h"
#include "fs/render.h"
#include "fs/views.h"

#include <sys/stat.h>

typedef struct SceneConfig {
    gboolean id_names, show_attachments;
    char *source, *mount_point; /* each may be NULL */
    gint64 started_ms;
} SceneConfig;

/* What all scenes of a mount share: the cache, the configuration, and the views of the present
 * project snapshots. */
typedef struct SceneBook SceneBook;
SceneBook *scene_book_new(Cache *cache, const SceneConfig *config);
void scene_book_free(SceneBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SceneBook, scene_book_free)

/* What editing left: of the story, epic or project that the node belongs to, and the queue. */
typedef struct SceneEdits {
    char *error;     /* NULL: none */
    gint64 conflict; /* its edit's number; 0: none */
    Text sides[N_EDIT_SIDES];
    GPtrArray *earlier; /* EditMine *; NULL: none */
    GPtrArray *queue;   /* EditStatus *; NULL: not asked for */
    gint64 shown_id;    /* of the one whose text is `shown` */
    char *shown;
} SceneEdits;

typedef struct Scene {
    const SceneConfig *config; /* borrowed, like the snapshots after a scene_borrow() */
    guint has;                 /* NodeNeeds that are here */
    Account *account;
    Views *views; /* with the project */
    Story *story;
    Activity *activity;
    Content status;
    Content requests;
    gint64 events_bytes, events_ms; /* length and time of the last line, 0: none */
    GPtrArray *all;                 /* Views * of every project of the account */
    SceneEdits edits;
} Scene;

void scene_clear(Scene *scene);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

/* FALSE: `ask` says what to wait for or what is wrong; `scene` is empty then. `key` tells whose
 * snapshots. */
gboolean scene_gather(SceneBook *book, const NodeKey *key, guint needs, CacheAsk *ask,
                      Scene *ret_scene);

/* For scene_gather(): `fill` adds the figures of the process for status.json. */
void scene_book_set_figures(SceneBook *book, void (*fill)(RenderStatus *process, gpointer user),
                            gpointer user);

/* The views of a snapshot that need not be the present one: those in the book when they are of it,
 * else new ones. */
Views *scene_book_views(SceneBook *book, Project *project);
const SceneConfig *scene_book_config(const SceneBook *book);

/* TRUE when nothing newer than what the scene shows is published. */
gboolean scene_is_current(SceneBook *book, const Scene *scene);

/* TRUE when the scene holds what `key` is made of: its own project, its own story. */
gboolean scene_covers(const Scene *scene, const NodeKey *key);

typedef struct Facts {
    guint64 size;
    guint n_links;
    gint64 changed_ms, created_ms;
    guint32 changed_ns; /* within the second of changed_ms, when not 0: another one for each listing
                           of a folder that changes without being told to the kernel */
} Facts;

/* FALSE: there is no such node (any more). Needs scene_covers(). */
gboolean scene_describe(const Scene *scene, const NodeKey *key, Facts *ret_facts);

/* The bytes of a file other than an attachment; they hold what they need of the scene. */
gboolean scene_content(const Scene *scene, const NodeKey *key, Content *ret_content);

/* The record whose attributes a `.fields` folder, or the file in it, shows, and whose it is; NULL:
 * gone. */
const Text *scene_fields_record(const Scene *scene, const NodeKey *key, EditOwner *ret_owner);

/* Where a link leads; NULL: gone. */
char *scene_link_target(const Scene *scene, const NodeKey *key);

const Attachment *scene_attachment(const Scene *scene, const NodeKey *key);

/* Present names of the things with ids; NULL: gone. */
char *scene_project_name(const Scene *scene, gint64 project_id);
char *scene_story_name(const Scene *scene, gint64 story_id);
char *scene_epic_name(const Scene *scene, gint64 epic_id);

/* The group (NODE_ITERATIONS_*) that an iteration is in at present. */
NodeKind scene_iteration_group(const Project *project, gint64 number);

/* Extended attributes: `name` without "user.tracker.". NULL: the node has no such. */
char *scene_attribute(const Scene *scene, const NodeKey *key, const char *name);

/* Those that scene_attribute() knows, NULL-terminated. */
const char *const *scene_attribute_names(void);

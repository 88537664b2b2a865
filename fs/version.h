/* version: which bytes a node of a read-only mount stands for, when the kernel opens files by
 * itself.
 *
 * A reader that never says open has no handle to keep its bytes. So there a node is one version of
 * a file: its key holds a digest of the content, a changed file is another node under the same name
 * (as when a file system's editor renames a new file over the old one), and the number that stat
 * shows stays. Who has the old node open goes on reading the old bytes, and the kernel's pages of
 * the two never mix.
 *
 * The bytes of the present version come from the present snapshots. When a publication replaces
 * them, the old snapshots stay reachable (version_fading) until every node that the kernel knows of
 * a replaced version has a copy of its own (version_pin); the copy goes when the kernel forgets the
 * node. So a version that was ever told is always there.
 *
 * Threads: any; one lock, a leaf. Attachments have no versions: another file has another id. */
#pragma once

#include "cache/cache.h"
#include "fs/scene.h"

typedef struct Versions Versions;

Versions *versions_new(void);
void versions_free(Versions *versions);

/* Sets key->version to what the scene shows; 0 where nodes of this kind have no versions. FALSE:
 * there is no such file. */
gboolean version_of(const Scene *scene, NodeKey *key);

/* TRUE when what a node of the kind shows is not part of a publication: it is pinned when it is
 * told. */
gboolean version_is_passing(NodeKind kind);

/* Keeps what `scene` shows for `key`, for the node `number`. */
void version_pin(Versions *versions, guint64 number, const Scene *scene, const NodeKey *key);
void version_unpin(Versions *versions, guint64 number);
/* The kept bytes; hold a reference. FALSE: none are kept. */
gboolean version_get_pinned(Versions *versions, guint64 number, Content *ret_content,
                            Facts *ret_facts);

/* `change` (borrowed until version_faded()) is about to replace what it names. */
void version_fading(Versions *versions, const CacheChange *change);
void version_faded(Versions *versions, const CacheChange *change);
/* The scene of a state that is fading now, in which `key` is the version that it says. */
gboolean version_find_fading(Versions *versions, const SceneConfig *config, const NodeKey *key,
                             Scene *ret_scene);

guint versions_pinned(Versions *versions);

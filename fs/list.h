/* list: what is in a folder: all of it in order, or one name. Pure like scene.h, which it works on.
 *
 * Both directions come from the same names, so a name that is listed is found, and a name that is
 * found is listed, or is one of the unlisted: ".fields" and its like, "<id>" and "<id>-anything"
 * where items have ids. */
#pragma once

#include "fs/scene.h"

typedef struct ListEntry {
    const char *name; /* like key.name, of the listing's */
    NodeKey key;
} ListEntry;

typedef struct Listing {
    GArray *entries; /* ListEntry, without "." and ".." */
    GStringChunk *strings;
} Listing;

void listing_clear(Listing *listing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listing, listing_clear)

/* The snapshots that listing a folder takes, more than describing it. */
guint list_needs(const NodeKey *folder);

/* The snapshots that finding `name` takes; 0 when no scene is needed to know that it is not there.
 */
guint list_lookup_needs(const NodeKey *folder, const char *name);

/* FALSE: the folder is gone. */
gboolean list_folder(const Scene *scene, const NodeKey *folder, Listing *ret_listing);

/* FALSE: no such name. `ret_name` keeps ret_key->name, if that is not `name`; the caller's, may be
 * NULL. */
gboolean list_find(const Scene *scene, const NodeKey *folder, const char *name, NodeKey *ret_key,
                   char **ret_name);

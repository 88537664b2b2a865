/* handle: what is behind an open file or folder: a snapshot, so that whoever reads on sees what was
 * opened.
 *
 * A handle is made by open, given to the kernel as a number, and freed by release; in between it is
 * const. Threads: any may read at once. */
#pragma once

#include "fs/inode.h"
#include "fs/list.h"

typedef struct Handle {
    guint64 number;      /* the node's */
    gboolean is_claimed; /* inode_claim() gave it the kernel's copy */
    Content content;     /* of a file of text */
    int fd;              /* of an attachment; else -1 */
    Listing listing;     /* of a folder, and what its entries are made of */
    Scene scene;
    guint64 parent_number;
} Handle;

Handle *handle_new(guint64 number);
void handle_free(Handle *handle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Handle, handle_free)

/* A number that is equal when the names and nodes of two listings are. */
guint64 handle_listing_digest(const Listing *listing);

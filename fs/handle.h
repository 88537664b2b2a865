/* handle: what is behind an open file or folder: a snapshot, so that whoever reads on sees what was
 * opened.
 *
 * A handle is made by open, given to the kernel as a number, and given up by release; in between it
 * is const. A read holds a reference of its own: as soon as the kernel has the answer the reader
 * may close, and release runs on another thread while the reply is still on its way out of libfuse.
 * Threads: any may read at once. */
#pragma once

#include "fs/draft.h"
#include "fs/inode.h"
#include "fs/list.h"

#include <stdatomic.h>

typedef struct Handle Handle;
struct Handle {
    atomic_int references;
    guint64 number;      /* the node's */
    gboolean is_claimed; /* inode_claim() gave it the kernel's copy */
    Content content;     /* of a file of text */
    int fd;              /* of an attachment; else -1 */
    Draft *draft;        /* what is being written; a reference, counted in the table */
    gint64 writer;       /* the process that opened it to write; 0: opened to read, or unknown */
    gboolean is_writer;
    gboolean saves_lines; /* write(2) of a whole line is a save */
    Listing listing;      /* of a folder, and what its entries are made of */
    Scene scene;
    guint64 parent_number;
    guint64 *
        cookies; /* the offset after each entry, ascending; NULL: the number of entries before it */
};

Handle *handle_new(guint64 number);
Handle *handle_ref(Handle *handle);
void handle_unref(Handle *handle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Handle, handle_unref)

/* A number that is equal when the names and nodes of two listings are. */
guint64 handle_listing_digest(const Listing *listing);

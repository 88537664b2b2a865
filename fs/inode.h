/* inode: 64-bit number <-> node; the only place that counts lookups.
 *
 * Owns the table of the nodes that the kernel knows. A number follows from the node's meaning
 * alone, so it is the same after a remount and whatever was looked up before; the table is what
 * leads back from it. Threads: any; one lock, held for a table access and never while anything is
 * called. Nodes are borrowed: the kernel uses a number only between the lookup and the forget, and
 * libfuse passes a forget after every operation on the number, so an operation copies the key at
 * its start (inode_get). */
#pragma once

#include "fs/node.h"

typedef struct InodeTable InodeTable;

InodeTable *inode_table_new(void);
void inode_table_free(InodeTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InodeTable, inode_table_free)

/* The number of a node, whether it is in the table or not: st_ino, d_ino. */
guint64 inode_number(InodeTable *table, const NodeKey *key);

/* The number of a node that the kernel knows; 0 when it does not. */
guint64 inode_find(InodeTable *table, const NodeKey *key);

/* Counts one lookup and returns the number. The key is copied. */
guint64 inode_intern(InodeTable *table, const NodeKey *key);

/* Takes back `n` lookups; with the last the node is forgotten, and the answer TRUE. */
gboolean inode_forget(InodeTable *table, guint64 number, guint64 n);

/* A copy of the key of a number that the kernel named; its `name` is `*ret_name`, the caller's.
 * FALSE: unknown. */
gboolean inode_get(InodeTable *table, guint64 number, NodeKey *ret_key, char **ret_name);

/* A story has gone to another project: what the kernel knows of it means it there, under the same
 * numbers. */
void inode_move_story(InodeTable *table, gint64 story_id, gint64 project_id);

/* The kernel keeps one copy of a node's content for all who have it open. It belongs to one version
 * of the content
 * (`digest`) at a time: who opens another version while it is in use must not use it, or readers
 * would see a mix. */
typedef enum {
    CLAIM_KEEP,   /* what the kernel has is this version: keep it */
    CLAIM_DROP,   /* nobody uses what it has: start anew with this version */
    CLAIM_BYPASS, /* in use for another version: read around it */
} Claim;
Claim inode_claim(InodeTable *table, guint64 number, guint64 digest, gint64 size);

/* Ends a claim that was not CLAIM_BYPASS. TRUE: the kernel holds the size of a version that is
 * over; make it forget. */
gboolean inode_unclaim(InodeTable *table, guint64 number);

/* The size to tell the kernel, which is remembered for inode_told_size() (-1 before): `size`, but
 * that of the claimed version while it is in use (`size` of the claim, -1 none), as the kernel
 * would cut the bytes to any other. */
gint64 inode_tell_size(InodeTable *table, guint64 number, gint64 size);
gint64 inode_told_size(InodeTable *table, guint64 number);

guint inode_count(InodeTable *table);

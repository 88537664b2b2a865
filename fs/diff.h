/* diff: what the tree shows differently after a publication: which names, which nodes. Pure.
 *
 * Exact: a name or node is reported if and only if what the kernel may hold of it (entry,
 * attributes, content, listing, target of a link) is different. It follows the structure of the
 * snapshots, and what did not change is shared between them by pointer, so the work goes with the
 * number of links in folders that changed, not with what is in files. Threads: any; the scenes'
 * snapshots are only read. */
#pragma once

#include "fs/scene.h"

/* `before` and `after` of the functions below are the scenes in which keys may be looked at
 * further. */
typedef struct DiffSink {
    /* In `folder`, `name` stands for something else now, or for nothing, and the listing of
     * `folder` is different too. `gone`: what it stood for is nowhere any more; NULL: it is
     * elsewhere, or there was nothing. Strings are borrowed for the call. */
    void (*name)(const Scene *before, const Scene *after, const NodeKey *folder, const char *name,
                 const NodeKey *gone, gpointer user);
    /* The node is there as before, under `name` in `folder` (NULL: it is a folder, whose name is
     * left out), with other attributes or, with `content`, other bytes, another target. */
    void (*node)(const Scene *before, const Scene *after, const NodeKey *folder, const char *name,
                 const NodeKey *key, gboolean content, gpointer user);
    gpointer user;
} DiffSink;

/* `me`: whose views in my/ are meant; 0: none. The stories of `before` and `after` are looked at as
 * rows only. */
void diff_projects(const SceneConfig *config, Views *before, Views *after, gint64 me,
                   const DiffSink *sink);

/* One story whose content or row changed; either is NULL when it came or went, which
 * diff_projects() reports: then only the files of a story that went are reported, as changed. */
void diff_story(const SceneConfig *config, Views *before, Story *old, Views *after, Story *story,
                const DiffSink *sink);

/* The root: its names and texts. Links in my/ that lead into a renamed project are not reported. */
void diff_accounts(const SceneConfig *config, Account *before, Account *after,
                   const DiffSink *sink);

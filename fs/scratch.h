/* scratch: names in the tree that are not the tracker's: what editors make up while they work, and
 * what the tree itself has to remember about a name.
 *
 * Such a name is reachable, never listed and never sent, like `.fields` and its kind: so no
 * `rsync`, `grep -r` or `tar` ever meets one, whether its editor is still there or crashed a week
 * ago, and `vim -r` finds its swap file all the same. They last until they are removed or the
 * mount ends.
 *
 * Threads: any; one lock, a leaf. Limits: SCRATCH_NAMES_MAX names (ERR_NO_SPACE); the bytes have
 * those of body.h. */
#pragma once

#include "fs/draft.h"

#define SCRATCH_NAMES_MAX 16384
/* How long a file of the tree that was removed or renamed away is not there for its remover, who
 * means to make it anew. */
#define SCRATCH_GAP_MS 10000

/* TRUE for names that no person gives: swap files, backups, locks, probes and temporary files of
 * the editors and tools that we know. `takes_new`: in this folder a new file is a new thing of the
 * tracker, so only what is unmistakable counts; elsewhere names such as x.tmp and x.new do too.
 * Pure. */
gboolean scratch_is_scratch_name(const char *name, gboolean takes_new);

/* TRUE for what mkstemp(3) asks of open(2): a name of its own making, for nobody else. */
gboolean scratch_is_temporary(int flags, mode_t mode);

typedef enum {
    SCRATCH_NONE,
    SCRATCH_FILE,  /* `draft`: a file or symbolic link of nobody but its editor, or one that is
                      becoming a thing of the tracker */
    SCRATCH_ALIAS, /* `key`: the first name of something that was made: a link to its present name
                    */
    SCRATCH_GAP,   /* a file of the tree, not there for a moment */
} ScratchWhat;

typedef struct ScratchEntry {
    ScratchWhat what;
    Draft *draft; /* a reference */
    NodeKey key;  /* without a name */
    gint64 until_ms;
} ScratchEntry;

void scratch_entry_clear(ScratchEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScratchEntry, scratch_entry_clear)

typedef struct Scratch Scratch;
/* `drafts` is borrowed: names count there. */
Scratch *scratch_new(DraftTable *drafts);
void scratch_free(Scratch *scratch);

/* FALSE: no such entry. Costs nothing while there are none. */
gboolean scratch_find(Scratch *scratch, guint64 folder, const char *name, ScratchEntry *ret_entry);

/* Each replaces what was there. FALSE: ERR_NO_SPACE. `key`: of what the name leads to, or of an
 * alias of that. */
gboolean scratch_put_draft(Scratch *scratch, guint64 folder, const char *name, Draft *draft,
                           GError **error);
gboolean scratch_put_alias(Scratch *scratch, guint64 folder, const char *name, const NodeKey *key,
                           GError **error);
void scratch_put_gap(Scratch *scratch, guint64 folder, const char *name);

/* FALSE: there was none. */
gboolean scratch_remove(Scratch *scratch, guint64 folder, const char *name);

/* A number for a new inode: unique in this mount. */
gint64 scratch_next_id(Scratch *scratch);

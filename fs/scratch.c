/* Two halves: the patterns, and the table of names. A name is kept as "<folder's number>/<name>".
 * Gaps end by themselves when they are looked at. */
#include "fs/scratch.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

/* --- The patterns --- */

/* In any folder: fnmatch(3) patterns. */
static const char *const certain[] = {
    ".*.s[u-w][a-z]",   /* vim, neovim: swap files, and the probe .swx; nano: lock files */
    "*~",               /* backups of vim, emacs, nano, joe, kate; vim's undo files .x.un~ */
    "#*#",              /* emacs: auto-save */
    ".#*",              /* emacs: locks */
    "._*",              /* macOS: resource forks */
    ".DS_Store",        /* macOS */
    ".goutputstream-*", /* GLib: gedit, GNOME Text Editor */
    ".~lock.*#",        /* LibreOffice */
    ".~*",              /* LibreOffice, rsync --delay-updates */
    "lu[0-9a-z]*.tmp",  /* LibreOffice */
    "*.vsctmp",         /* VS Code: atomic saves */
    ".*.kate-swp",      /* kate */
    ".*.kak.*",         /* kakoune */
    ".sb-*-*",          /* macOS: safe saves */
    ".nfs[0-9a-f]*",    /* NFS: removed while open */
    ".fuse_hidden*",    /* FUSE: likewise */
    ".subl*.tmp",       /* Sublime Text */
    "*.micro-backup",   /* micro */
    "sed??????",        /* GNU sed -i */
    ".*.??????",        /* rsync: .NAME.??????, like mkstemp(3); see is_random() */
};

/* Where no new file can be anything else. */
static const char *const likely[] = {
    "*.tmp",  "*.temp", "*.bak", "*.bck",  "*.backup", "*.orig", "*.new",   "*.old",
    "*.lock", "*.part", "*.swp", "*.save", "tmp*",     "temp*",  ".*.tmp*", ".tmp*",
};

/* What mkstemp(3) puts in place of its six letters. */
static gboolean
is_random(const char *letters)
{
    for (const char *at = letters; *at; at++) {
        if (!g_ascii_isalnum(*at)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* vim asks whether it may make files in a folder by making one: 4913, or if there is such a file
 * 123 more, and so on. */
static gboolean
is_probe(const char *name)
{
    guint64 number = 0;
    return g_ascii_string_to_unsigned(name, 10, 4913, 99999, &number, NULL) &&
           (number - 4913) % 123 == 0;
}

static gboolean
matches(const char *name, const char *const *patterns, gsize n)
{
    const gsize length = strlen(name);
    for (gsize i = 0; i < n; i++) {
        if (fnmatch(patterns[i], name, 0) != 0) {
            continue;
        }
        if (g_str_has_suffix(patterns[i], "??????") && !is_random(name + length - 6)) {
            continue;
        }
        return TRUE;
    }
    return FALSE;
}

gboolean
scratch_is_scratch_name(const char *name, gboolean takes_new)
{
    return is_probe(name) || matches(name, certain, G_N_ELEMENTS(certain)) ||
           (!takes_new && matches(name, likely, G_N_ELEMENTS(likely)));
}

gboolean
scratch_is_temporary(int flags, mode_t mode)
{
    return (flags & O_EXCL) && (flags & O_ACCMODE) == O_RDWR && (mode & 0777) == 0600;
}

/* --- The table of names --- */

struct Scratch {
    DraftTable *drafts; /* const after new */
    pthread_mutex_t lock;
    GHashTable *names; /* char * -> ScratchEntry *; protected by lock */
    atomic_uint n;     /* of names, to be read without the lock */
    _Atomic gint64 last_id;
};

void
scratch_entry_clear(ScratchEntry *entry)
{
    draft_unref(entry->draft);
    *entry = (ScratchEntry){0};
}

static void
free_entry(gpointer data)
{
    scratch_entry_clear(data);
    g_free(data);
}

Scratch *
scratch_new(DraftTable *drafts)
{
    Scratch *scratch = g_new0(Scratch, 1);
    scratch->drafts = drafts;
    (void)pthread_mutex_init(&scratch->lock, NULL);
    scratch->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entry);
    return scratch;
}

void
scratch_free(Scratch *scratch)
{
    if (!scratch) {
        return;
    }
    g_hash_table_destroy(scratch->names);
    (void)pthread_mutex_destroy(&scratch->lock);
    g_free(scratch);
}

gint64
scratch_next_id(Scratch *scratch)
{
    return atomic_fetch_add(&scratch->last_id, 1) + 1;
}

static char *
path_of(guint64 folder, const char *name)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT "/%s", folder, name);
}

/* Takes the entry out; the caller's. NULL: none. */
static ScratchEntry *
take_locked(Scratch *scratch, const char *path)
{
    gpointer key = NULL;
    gpointer entry = NULL;
    if (!g_hash_table_steal_extended(scratch->names, path, &key, &entry)) {
        return NULL;
    }
    g_free(key);
    atomic_store(&scratch->n, g_hash_table_size(scratch->names));
    return entry;
}

/* Outside of the lock: counting is the table of drafts', freeing may close a file. */
static void
give_up(Scratch *scratch, ScratchEntry *entry)
{
    if (entry && entry->draft) {
        draft_table_link(scratch->drafts, entry->draft, -1);
    }
    if (entry) {
        free_entry(entry);
    }
}

gboolean
scratch_find(Scratch *scratch, guint64 folder, const char *name, ScratchEntry *ret_entry)
{
    if (atomic_load(&scratch->n) == 0) {
        return FALSE;
    }
    g_autofree char *path = path_of(folder, name);
    ScratchEntry *ended = NULL;
    {
        LOCK_SCOPE(&scratch->lock);
        const ScratchEntry *entry = g_hash_table_lookup(scratch->names, path);
        if (!entry) {
            return FALSE;
        }
        if (entry->what != SCRATCH_GAP || clock_monotonic_ms() < entry->until_ms) {
            *ret_entry = *entry;
            if (entry->draft) {
                (void)draft_ref(entry->draft);
            }
            return TRUE;
        }
        ended = take_locked(scratch, path);
    }
    give_up(scratch, ended);
    return FALSE;
}

static gboolean
put(Scratch *scratch, guint64 folder, const char *name, const ScratchEntry *entry, GError **error)
{
    char *path = path_of(folder, name);
    ScratchEntry *old = NULL;
    gboolean is_full;
    {
        LOCK_SCOPE(&scratch->lock);
        old = take_locked(scratch, path);
        is_full = g_hash_table_size(scratch->names) >= SCRATCH_NAMES_MAX;
        if (!is_full) {
            g_hash_table_insert(scratch->names, path, g_memdup2(entry, sizeof(*entry)));
            atomic_store(&scratch->n, g_hash_table_size(scratch->names));
        }
    }
    give_up(scratch, old);
    if (is_full) {
        g_free(path);
        g_set_error(error, ERR, ERR_NO_SPACE, "too many files of editors are kept here");
    }
    return !is_full;
}

gboolean
scratch_put_draft(Scratch *scratch, guint64 folder, const char *name, Draft *draft, GError **error)
{
    const ScratchEntry entry = {.what = SCRATCH_FILE, .draft = draft_ref(draft)};
    draft_table_link(scratch->drafts, draft, 1);
    if (!put(scratch, folder, name, &entry, error)) {
        draft_table_link(scratch->drafts, draft, -1);
        draft_unref(draft);
        return FALSE;
    }
    return TRUE;
}

gboolean
scratch_put_alias(Scratch *scratch, guint64 folder, const char *name, const NodeKey *key,
                  GError **error)
{
    ScratchEntry entry = {.what = SCRATCH_ALIAS, .key = *key};
    if (key->kind != NODE_ALIAS) {
        entry.key.kind = NODE_ALIAS;
        entry.key.of = key->kind;
    }
    return put(scratch, folder, name, &entry, error);
}

void
scratch_put_gap(Scratch *scratch, guint64 folder, const char *name)
{
    const ScratchEntry entry = {.what = SCRATCH_GAP,
                                .until_ms = clock_monotonic_ms() + SCRATCH_GAP_MS};
    (void)put(scratch, folder, name, &entry, NULL); /* full: it is there at once, that is all */
}

gboolean
scratch_remove(Scratch *scratch, guint64 folder, const char *name)
{
    g_autofree char *path = path_of(folder, name);
    ScratchEntry *entry;
    {
        LOCK_SCOPE(&scratch->lock);
        entry = take_locked(scratch, path);
    }
    const gboolean was_there = entry != NULL;
    give_up(scratch, entry);
    return was_there;
}

/* Folders. A read of a folder names only an offset, so offsets must mean the same in every listing:
 * each is a number made of what the entry is (not of its name or place), and entries are given in
 * the order of these numbers. Whatever comes or goes between two calls, an entry that stays is
 * given exactly once. The listing of the last call is kept, so that going on does not list anew; a
 * publication makes it useless.
 *
 * The kernel keeps what it read until it is told that the listing is another, or the folder's time
 * is (facts.c gives one to folders that nobody tells of), or it changes a name there itself. Who
 * changes a name that is listed in other folders too is answered when they are told
 * (notify_listings()).
 *
 * Files. Bytes are looked for in the order pinned, present, fading, pinned: a version that stops
 * being present is fading before, and pinned before it stops to fade. */
#include "fs/ops_ro.h"

#include "cache/base/digest.h"
#include "cache/base/lock.h"
#include "fs/handle.h"
#include "fs/list.h"
#include "fs/ops_open.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FIRST_COOKIE 16 /* those below are "." and ".." */

/* --- Files --- */

/* The bytes and facts of the version that the node is; with `ask` set on failure. */
static gboolean
find_version(Op *op, CacheAsk *ask, Content *ret_content, Facts *ret_facts)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    g_autoptr(GError) absence = NULL;
    if (version_get_pinned(fs->versions, op->number, ret_content, ret_facts)) {
        return TRUE;
    }
    gboolean found = scene_gather(fs->book, &op->key, node_needs(&op->key), ask, &scene);
    if (!found && !g_error_matches(ask->error, ERR, ERR_NOT_FOUND)) {
        return FALSE;
    }
    absence = g_steal_pointer(&ask->error);
    NodeKey present = op->key;
    found = found && version_of(&scene, &present) && present.version == op->key.version;
    if (!found) {
        scene_clear(&scene);
        found = version_find_fading(fs->versions, scene_book_config(fs->book), &op->key, &scene);
    }
    if (found) {
        return (scene_content(&scene, &op->key, ret_content) &&
                scene_describe(&scene, &op->key, ret_facts)) ||
               op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    if (version_get_pinned(fs->versions, op->number, ret_content, ret_facts)) {
        return TRUE;
    }
    return op_fail(ask, ERR_CONFLICT, "another version is there now");
}

gboolean
ops_ro_getattr(Op *op, CacheAsk *ask)
{
    g_auto(Content) content = {0};
    Facts facts = {0};
    struct stat attributes;
    if (!find_version(op, ask, &content, &facts)) {
        return FALSE;
    }
    op_fill_stat(op->fs, &op->key, inode_number(op->fs->inodes, &op->key), &facts, &attributes);
    op_answering(op);
    reply_attr(&op->reply, &attributes, op_timeout(op->fs, &op->key));
    return TRUE;
}

/* Closes `fd`. */
static void
answer_from(Op *op, int fd, gsize size)
{
    struct fuse_bufvec vector = FUSE_BUFVEC_INIT(size);
    vector.buf[0].flags = (enum fuse_buf_flags)(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    vector.buf[0].fd = fd;
    vector.buf[0].pos = op->offset;
    op_answering(op);
    reply_data(&op->reply, &vector);
    (void)close(fd);
}

static gboolean
read_attachment(Op *op, CacheAsk *ask)
{
    g_auto(Scene) scene = {0};
    if (!scene_gather(op->fs->book, &op->key, node_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    const Attachment *attachment = scene_attachment(&scene, &op->key);
    if (!attachment) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    const int fd = cache_open_attachment(op->fs->cache, attachment, ask);
    if (fd < 0) {
        return FALSE;
    }
    answer_from(op, fd, op->size);
    return TRUE;
}

/* No byte beyond the length that was told: there may be half a line. */
static gboolean
read_events(Op *op, CacheAsk *ask)
{
    gint64 bytes, changed_ms;
    const int fd = cache_open_events(op->fs->cache, &bytes, &changed_ms);
    if (fd < 0) {
        return op_fail(ask, ERR_LOCAL, "the file in the cache folder cannot be opened");
    }
    answer_from(op, fd, (gsize)CLAMP(bytes - op->offset, 0, (gint64)op->size));
    return TRUE;
}

static gboolean
run_read(Op *op, CacheAsk *ask)
{
    g_auto(Content) content = {0};
    Facts facts;
    if (op->key.kind == NODE_ATTACHMENT) {
        return read_attachment(op, ask);
    }
    if (op->key.kind == NODE_EVENTS) {
        return read_events(op, ask);
    }
    if (!find_version(op, ask, &content, &facts)) {
        return FALSE;
    }
    const gsize at = MIN((gsize)MAX(op->offset, 0), content.length);
    op_answering(op);
    reply_buffer(&op->reply, content.length > 0 ? content.data + at : NULL,
                 MIN(op->size, content.length - at));
    return TRUE;
}

void
ops_ro_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset)
{
    Op *op = op_begin(req, number, run_read, NULL, NULL);
    if (op) {
        op->size = size;
        op->offset = offset;
        op_go_for_attributes(op);
    }
}

/* --- Folders --- */

/* Small, for the sake of folders with 100 000 entries: they are sorted in two copies. */
typedef struct Placed {
    guint64 cookie;
    guint32 at; /* in the listing */
} Placed;

static guint64
cookie_of(const NodeKey *key)
{
    const gint64 numbers[] = {(gint64)key->kind, (gint64)key->of, key->project_id, key->id,
                              key->sub};
    guint64 cookie = digest_bytes(numbers, sizeof numbers, 0);
    if (key->name) {
        cookie = digest_bytes(key->name, strlen(key->name), cookie);
    }
    return MAX(cookie >> 2, FIRST_COOKIE); /* offsets are signed; and room above for the next */
}

static int
compare_placed(const void *left, const void *right)
{
    const Placed *a = left, *b = right;
    return (a->cookie > b->cookie) - (a->cookie < b->cookie);
}

/* Moves each entry to where `placed` wants it, along the cycles of that order; uses up `placed`. */
static void
permute(GArray *entries, Placed *placed)
{
    for (guint first = 0; first < entries->len; first++) {
        const ListEntry moved = g_array_index(entries, ListEntry, first);
        guint hole = first;
        while (placed[hole].at != first) {
            const guint from = placed[hole].at;
            g_array_index(entries, ListEntry, hole) = g_array_index(entries, ListEntry, from);
            placed[hole].at = hole;
            hole = from;
        }
        g_array_index(entries, ListEntry, hole) = moved;
        placed[hole].at = hole;
    }
}

/* Puts the entries of a handle in the order of their cookies. */
static void
place(Handle *handle)
{
    GArray *entries = handle->listing.entries;
    g_autofree Placed *placed = g_new(Placed, entries->len + 1);
    for (guint i = 0; i < entries->len; i++) {
        placed[i].at = i;
        placed[i].cookie = cookie_of(&g_array_index(entries, ListEntry, i).key);
    }
    qsort(placed, entries->len, sizeof *placed, compare_placed);
    handle->cookies = g_new(guint64, entries->len + 1);
    for (guint i = 0; i < entries->len; i++) {
        /* A server that lists one thing twice gives two entries one cookie. */
        const guint64 least = i > 0 ? handle->cookies[i - 1] + 1 : 0;
        handle->cookies[i] = MAX(placed[i].cookie, least);
    }
    permute(entries, placed);
}

static Handle *
list_now(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    g_auto(Listing) listing = {0};
    if (!scene_gather(fs->book, &op->key, list_needs(&op->key), ask, &scene) ||
        op_awaits(op, ask, op_names_patience_ms(op))) {
        return NULL;
    }
    if (!list_folder(&scene, &op->key, &listing)) {
        (void)op_fail(ask, ERR_NOT_FOUND, "it is gone");
        return NULL;
    }
    const NodeKey parent = node_parent_key(&op->key);
    Handle *handle = handle_new(op->number);
    handle->parent_number = inode_number(fs->inodes, &parent);
    handle->listing = listing;
    handle->scene = scene;
    listing = (Listing){0};
    scene = (Scene){0};
    place(handle);
    return handle;
}

/* The listing of the call before, if it is still true. */
static Handle *
take_kept(Op *op)
{
    Fs *fs = op->fs;
    Handle *handle = NULL;
    {
        LOCK_SCOPE(&fs->listings_lock);
        for (guint i = 0; i < G_N_ELEMENTS(fs->listings) && !handle; i++) {
            if (fs->listings[i] && fs->listings[i]->number == op->number) {
                handle = g_steal_pointer(&fs->listings[i]);
            }
        }
    }
    if (handle && (op->offset == 0 || !scene_is_current(fs->book, &handle->scene))) {
        handle_unref(handle);
        return NULL;
    }
    return handle;
}

static void
free_handle(gpointer data)
{
    handle_unref(data);
}

/* The latest ones that fit: whoever reads a large folder a part at a time, and walks in between,
 * must not leave one listing of it behind after the other. */
static void
keep(Fs *fs, Handle *handle)
{
    g_autoptr(GPtrArray) old = g_ptr_array_new_with_free_func(free_handle); /* after the lock */
    LOCK_SCOPE(&fs->listings_lock);
    const guint latest = fs->next_listing++ % FS_KEPT_LISTINGS;
    guint n_entries = 0;
    g_ptr_array_add(old, fs->listings[latest]);
    fs->listings[latest] = handle;
    for (guint i = 0; i < FS_KEPT_LISTINGS; i++) {
        Handle **kept = &fs->listings[(latest + FS_KEPT_LISTINGS - i) % FS_KEPT_LISTINGS];
        const guint n = *kept ? (*kept)->listing.entries->len : 0;
        if (i > 0 && n_entries + n > FS_KEPT_ENTRIES) {
            g_ptr_array_add(old, g_steal_pointer(kept));
        } else {
            n_entries += n;
        }
    }
}

static gboolean
run_readdir(Op *op, CacheAsk *ask)
{
    Handle *handle = take_kept(op);
    if (!handle) {
        handle = list_now(op, ask);
    }
    if (!handle) {
        return FALSE;
    }
    op_answering(op);
    if (ops_answer_directory(op->fs, reply_take(&op->reply), handle, op->size, op->offset,
                             op->with_attributes)) {
        keep(op->fs, handle);
    } else {
        handle_unref(handle);
    }
    return TRUE;
}

void
ops_ro_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
               gboolean with_attributes)
{
    Op *op = op_begin(req, number, run_readdir, NULL, NULL);
    if (op) {
        op->size = size;
        op->offset = offset;
        op->with_attributes = with_attributes;
        op_go_for_names(op);
    }
}

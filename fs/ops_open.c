/* open makes a handle with everything that reads will need, so reads never wait and never mix two
 * versions.
 *
 * The kernel's copy. It outlives handles (keep_cache), so it must be known whose bytes it holds:
 * inode_claim() compares a digest of the bytes, which is exact. (Comparing times would not be: a
 * change within the clock's grain of the last look keeps its time, which is why git distrusts a
 * "racily clean" index entry.) Another version while the copy is in use is read around it with
 * direct_io; for a folder (opened only where nobody polls), around means not caching it. A file
 * whose size is not the one that the kernel was last told is opened when the kernel has forgotten
 * that size (notify.h), as it would cut or pad the bytes to it.
 *
 * An offset in a folder is the number of entries before it, "." and ".." included: a handle's
 * listing never changes, so any offset that was ever given out stays good. */
#include "fs/ops_open.h"

#include "cache/base/digest.h"
#include "cache/base/lock.h"
#include "fs/handle.h"
#include "fs/list.h"
#include "fs/ops_ro.h"
#include "fs/ops_write.h"
#include "fs/present.h"
#include "fs/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static Handle *
handle_of(const struct fuse_file_info *info)
{
    return (Handle *)(guintptr)info->fh;
}

void
ops_hold_handle(Fs *fs, Handle *handle)
{
    LOCK_SCOPE(&fs->handles_lock);
    (void)g_hash_table_add(fs->handles, handle);
}

void
ops_drop_handles(Fs *fs)
{
    g_autoptr(GList) left = NULL;
    {
        LOCK_SCOPE(&fs->handles_lock);
        left = g_hash_table_get_keys(fs->handles);
    }
    for (GList *at = left; at; at = at->next) {
        ops_drop_handle(fs, at->data);
    }
}

void
ops_drop_handle(Fs *fs, Handle *handle)
{
    {
        LOCK_SCOPE(&fs->handles_lock);
        (void)g_hash_table_remove(fs->handles, handle);
    }
    if (handle->is_claimed && inode_unclaim(fs->inodes, handle->number)) {
        notify_attributes(fs->notify, handle->number, NULL, NULL);
    }
    if (handle->draft) {
        /* What the kernel thinks the size is came from writers. */
        inode_tell_size(fs->inodes, handle->number, -1);
        draft_table_close(fs->drafts, handle->draft);
    }
    handle_unref(handle);
}

static void
answer_open(Op *op, Handle *handle)
{
    op->info.fh = (guintptr)handle;
    ops_hold_handle(op->fs, handle);
    op_answering(op);
    if (!reply_open(&op->reply, &op->info)) {
        ops_drop_handle(op->fs, handle);
    }
}

/* An open that is answered when the kernel has forgotten the size it was told. */
typedef struct LateOpen {
    Fs *fs;
    Reply reply;
    struct fuse_file_info info;
    Handle *handle;
} LateOpen;

static void
finish_open(gpointer user)
{
    LateOpen *late = user;
    if (!reply_open(&late->reply, &late->info)) {
        ops_drop_handle(late->fs, late->handle);
    }
    g_free(late);
}

/* With the old size in its tables the kernel would cut the new bytes, or pad them. */
static void
answer_open_late(Op *op, Handle *handle)
{
    LateOpen *late = g_new0(LateOpen, 1);
    ops_hold_handle(op->fs, handle);
    op_answering(op);
    op->info.fh = (guintptr)handle;
    late->fs = op->fs;
    late->reply = op->reply;
    late->info = op->info;
    late->handle = handle;
    notify_attributes(op->fs->notify, op->number, finish_open, late);
}

void
ops_answer_open(Op *op, Handle *handle, gboolean late)
{
    if (late) {
        answer_open_late(op, handle);
    } else {
        answer_open(op, handle);
    }
}

static void
answer_file(Op *op, Handle *handle, guint64 digest, gint64 size)
{
    InodeTable *inodes = op->fs->inodes;
    op->info.noflush = 1;
    if (node_info(op->key.kind)->needs & (NEED_STATUS | NEED_REQUESTS | NEED_EVENTS | NEED_EDITS)) {
        op->info.direct_io = 1;
        answer_open(op, handle);
        return;
    }
    const Claim claim = inode_claim(inodes, op->number, digest, size);
    handle->is_claimed = claim != CLAIM_BYPASS;
    op->info.keep_cache = claim == CLAIM_KEEP;
    op->info.direct_io = claim == CLAIM_BYPASS;
    ops_answer_open(op, handle, handle->is_claimed && inode_told_size(inodes, op->number) != size);
}

/* An attachment never changes: another file has another id. */
static gboolean
open_attachment(Op *op, const Scene *scene, CacheAsk *ask)
{
    const Attachment *attachment = scene_attachment(scene, &op->key);
    if (!attachment) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    int fd = cache_open_attachment(op->fs->cache, attachment, ask);
    if (fd < 0) {
        return FALSE;
    }
    Handle *handle = handle_new(op->number);
    handle->fd = fd;
    answer_file(op, handle, (guint64)attachment->id, attachment->size_bytes);
    return TRUE;
}

/* It grows while it is open, and a read at its end is to see that. */
static gboolean
open_events(Op *op, CacheAsk *ask)
{
    gint64 bytes, changed_ms;
    Handle *handle = handle_new(op->number);
    handle->fd = cache_open_events(op->fs->cache, &bytes, &changed_ms);
    if (handle->fd < 0) {
        handle_unref(handle);
        return op_fail(ask, ERR_LOCAL, "the file in the cache folder cannot be opened");
    }
    answer_file(op, handle, 0, bytes);
    return TRUE;
}

/* Somebody is writing the file: who opens it sees what is written. */
static gboolean
open_draft(Op *op)
{
    Draft *draft = draft_table_open(op->fs->drafts, op->number, NULL);
    if (draft) {
        ops_open_draft(op, draft);
    }
    return draft != NULL;
}

static void
note_conflict_read(Op *op)
{
    const NodeKind kind = op->key.kind;
    if ((kind == NODE_STORY_CONFLICT_SIDE || kind == NODE_EPIC_CONFLICT_SIDE ||
         kind == NODE_PROJECT_CONFLICT_SIDE) &&
        op->key.sub == EDIT_THEIRS + 1) {
        EditOwner owner;
        gint64 id;
        (void)target_owner(&op->key, &owner, &id);
        cache_note_conflict_read(op->fs->cache, owner, id);
    }
}

static gboolean
run_open(Op *op, CacheAsk *ask)
{
    if (open_draft(op)) {
        return TRUE;
    }
    if (op->key.kind == NODE_SCRATCH) {
        return op_refuse(op, ESTALE);
    }
    g_auto(Scene) scene = {0};
    g_auto(Content) content = {0};
    if (!scene_gather(op->fs->book, &op->key, node_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    if (op->key.kind == NODE_EVENTS) {
        return open_events(op, ask);
    }
    if (op->key.kind == NODE_ATTACHMENT) {
        return open_attachment(op, &scene, ask);
    }
    if (!present_content(op->fs, &scene, &op->key, op->number, &content, NULL)) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    if (!op->fs->read_only && target_is_file(&op->key)) {
        g_autoptr(GBytes) seen = g_bytes_new(content.data, content.length);
        recall_read(op->fs->recall, op->number, op->asker, seen);
    }
    note_conflict_read(op);
    Handle *handle = handle_new(op->number);
    handle->content = content;
    content = (Content){0};
    const guint64 digest = digest_bytes(handle->content.data, handle->content.length, 0);
    answer_file(op, handle, digest, (gint64)handle->content.length);
    return TRUE;
}

void
ops_open(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    Fs *fs = fuse_req_userdata(req);
    if (atomic_load(&fs->without_opens)) {
        (void)fuse_reply_err(req, ENOSYS);
        return;
    }
    const NodeKey refresh = {.kind = NODE_REFRESH, .id = 1};
    if (number != inode_number(fs->inodes, &refresh) &&
        ((info->flags & O_ACCMODE) != O_RDONLY || (info->flags & O_TRUNC))) {
        if (fs->read_only) {
            (void)fuse_reply_err(req, EROFS);
        } else {
            ops_open_write(req, number, info);
        }
        return;
    }
    op_go(op_begin(req, number, run_open, NULL, info));
}

void
ops_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset, struct fuse_file_info *info)
{
    Fs *fs = fuse_req_userdata(req);
    if (atomic_load(&fs->without_opens)) {
        ops_ro_read(req, number, size, offset);
        return;
    }
    g_autoptr(Handle) handle = handle_ref(handle_of(info));
    Reply reply;
    atomic_fetch_add(&fs->kernel_requests, 1);
    reply_init(&reply, req);
    const int fd = handle->draft ? body_fd(handle->draft->body) : handle->fd;
    if (fd >= 0) {
        struct fuse_bufvec vector = FUSE_BUFVEC_INIT(size);
        vector.buf[0].flags = (enum fuse_buf_flags)(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
        vector.buf[0].fd = fd;
        vector.buf[0].pos = offset;
        reply_data(&reply, &vector);
        return;
    }
    const gsize length = handle->content.length;
    const gsize at = offset < 0 ? length : MIN((gsize)offset, length);
    reply_buffer(&reply, length > 0 ? handle->content.data + at : NULL, MIN(size, length - at));
}

void
ops_release(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    if (handle_of(info)->draft) {
        ops_release_writer(req, number, info);
        return;
    }
    ops_drop_handle(fuse_req_userdata(req), handle_of(info));
    (void)fuse_reply_err(req, 0);
}

static gboolean
run_opendir(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    g_auto(Listing) listing = {0};
    if (!scene_gather(fs->book, &op->key, list_needs(&op->key), ask, &scene) ||
        op_awaits(op, ask, op_names_patience_ms(op))) {
        return FALSE;
    }
    if (!list_folder(&scene, &op->key, &listing)) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    const NodeKey parent = node_parent_key(&op->key);
    Handle *handle = handle_new(op->number);
    handle->parent_number = inode_number(fs->inodes, &parent);
    handle->listing = listing;
    handle->scene = scene;
    listing = (Listing){0};
    scene = (Scene){0};
    const Claim claim =
        inode_claim(fs->inodes, op->number, handle_listing_digest(&handle->listing), -1);
    handle->is_claimed = claim != CLAIM_BYPASS;
    op->info.cache_readdir = claim != CLAIM_BYPASS;
    op->info.keep_cache = claim == CLAIM_KEEP;
    answer_open(op, handle);
    return TRUE;
}

void
ops_opendir(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    Fs *fs = fuse_req_userdata(req);
    if (atomic_load(&fs->without_folder_opens)) {
        (void)fuse_reply_err(req, ENOSYS);
        return;
    }
    op_go_for_names(op_begin(req, number, run_opendir, NULL, info));
}

/* A reply under construction: entries as long as they fit. */
typedef struct DirBuffer {
    fuse_req_t req;
    Fs *fs;
    const Handle *handle;
    char *data;
    gsize used, size;
    gboolean with_attributes; /* the kernel asks for them */
    gboolean lets_keep;       /* they are of the present state */
    GArray *interned;         /* guint64: lookups to take back if the answer is not taken */
} DirBuffer;

static gboolean
put(DirBuffer *buffer, const char *name, const struct fuse_entry_param *entry, off_t next)
{
    char *at = buffer->data + buffer->used;
    const gsize room = buffer->size - buffer->used;
    const gsize bytes = buffer->with_attributes
                            ? fuse_add_direntry_plus(buffer->req, at, room, name, entry, next)
                            : fuse_add_direntry(buffer->req, at, room, name, &entry->attr, next);
    if (bytes > room) {
        return FALSE;
    }
    buffer->used += bytes;
    return TRUE;
}

/* "." and "..": never counted as lookups. */
static gboolean
put_dots(DirBuffer *buffer, guint at)
{
    struct fuse_entry_param entry = {
        .attr = {.st_ino = at == 0 ? buffer->handle->number : buffer->handle->parent_number,
                 .st_mode = S_IFDIR}};
    return put(buffer, at == 0 ? "." : "..", &entry, (off_t)at + 1);
}

/* What is not known without a fetch is left out (inode 0): the kernel asks when somebody wants it.
 */
static gboolean
put_entry(DirBuffer *buffer, guint at, double timeout)
{
    Fs *fs = buffer->fs;
    const Handle *handle = buffer->handle;
    const ListEntry *listed = &g_array_index(handle->listing.entries, ListEntry, at);
    struct fuse_entry_param entry = {.attr_timeout = timeout, .entry_timeout = timeout};
    const off_t next = handle->cookies ? (off_t)handle->cookies[at] : (off_t)at + 3;
    NodeKey key = listed->key;
    entry.attr.st_ino = inode_number(fs->inodes, &listed->key);
    entry.attr.st_mode = node_info(listed->key.kind)->type;
    struct stat attributes;
    if (buffer->with_attributes && buffer->lets_keep &&
        scene_covers(&handle->scene, &listed->key) &&
        present_stat(fs, &handle->scene, &key, entry.attr.st_ino, &attributes) &&
        op_set_version(fs, &handle->scene, &key)) {
        entry.ino = inode_intern(fs->inodes, &key);
        entry.attr = attributes;
        entry.attr_timeout = draft_table_has(fs->drafts, entry.ino) ? 0 : timeout;
        op_tell_size(fs, entry.ino, &entry.attr, &entry.attr_timeout);
    }
    const gboolean fits = put(buffer, listed->name, &entry, next);
    if (entry.ino && fits) {
        g_array_append_val(buffer->interned, entry.ino);
    } else if (entry.ino) {
        op_forget(fs, entry.ino, 1);
    }
    return fits;
}

/* The entry to go on with: an index, "." and ".." included. */
static gint64
entry_after(const Handle *handle, off_t offset)
{
    const guint n = handle->listing.entries->len;
    if (!handle->cookies || offset <= 2) {
        return CLAMP(offset, 0, (gint64)n + 2);
    }
    guint low = 0, high = n;
    while (low < high) {
        const guint middle = low + (high - low) / 2;
        if (handle->cookies[middle] <= (guint64)offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (gint64)low + 2;
}

/* Returns how many were put. */
static guint
fill(DirBuffer *buffer, off_t offset, const NodeKey *folder)
{
    const guint n = buffer->handle->listing.entries->len + 2;
    const double timeout = op_timeout(buffer->fs, folder);
    guint put_in = 0;
    for (gint64 at = entry_after(buffer->handle, offset); at < n; at++, put_in++) {
        const gboolean fits =
            at < 2 ? put_dots(buffer, (guint)at) : put_entry(buffer, (guint)at - 2, timeout);
        if (!fits) {
            break;
        }
    }
    return put_in;
}

gboolean
ops_answer_directory(Fs *fs, fuse_req_t req, const Handle *handle, size_t size, off_t offset,
                     gboolean with_attributes)
{
    g_autofree char *key_name = NULL;
    NodeKey folder;
    if (!inode_get(fs->inodes, handle->number, &folder, &key_name)) {
        (void)fuse_reply_err(req, ENOENT);
        return FALSE;
    }
    g_autofree char *data = g_malloc(size);
    g_autoptr(GArray) interned = g_array_new(FALSE, FALSE, sizeof(guint64));
    /* A listing of an earlier state goes on as it was, but lets the kernel keep nothing of it. */
    const guint side = grace_enter(fs->grace);
    DirBuffer buffer = {.req = req,
                        .fs = fs,
                        .handle = handle,
                        .data = data,
                        .size = size,
                        .with_attributes = with_attributes,
                        .lets_keep = scene_is_current(fs->book, &handle->scene),
                        .interned = interned};
    const guint put_in = fill(&buffer, offset, &folder);
    if (fuse_reply_buf(req, data, buffer.used) != 0) {
        for (guint i = 0; i < interned->len; i++) {
            op_forget(fs, g_array_index(interned, guint64, i), 1);
        }
    }
    grace_leave(fs->grace, side);
    return put_in > 0;
}

static void
answer_directory(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
                 const struct fuse_file_info *info, gboolean with_attributes)
{
    Fs *fs = fuse_req_userdata(req);
    if (atomic_load(&fs->without_folder_opens)) {
        ops_ro_readdir(req, number, size, offset, with_attributes);
        return;
    }
    atomic_fetch_add(&fs->kernel_requests, 1);
    (void)ops_answer_directory(fs, req, handle_of(info), size, offset, with_attributes);
}

void
ops_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
            struct fuse_file_info *info)
{
    answer_directory(req, number, size, offset, info, FALSE);
}

void
ops_readdirplus(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
                struct fuse_file_info *info)
{
    answer_directory(req, number, size, offset, info, TRUE);
}

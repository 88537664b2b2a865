/* When a save is made. close(2) is FLUSH, and comes for each descriptor: of dup(2), of a child
 * process. Only its error reaches the program. So FLUSH saves what is unsaved, with two exceptions
 * that keep half a file from being sent:
 *
 * - what was cut to nothing and not written since: the shell's `>` opens, duplicates and closes
 *   before anything is written. If nothing ever comes, the last close (RELEASE) leaves the tree as
 *   it was and says so in `.error`;
 * - the close of another process than the one that opened the file, as long as that one lives: in
 *   `{ a; b; } > FILE` each command's end is a close, and the shell's is the last.
 *
 * A line for a file of `.fields` is saved by the write(2) itself, if the file is open to be written
 * only. Then it is open with direct_io: the kernel keeps the pages of a cached write locked until
 * it is answered, and notify.h's thread would wait for them. fsync(2) saves always, and waits
 * longer. RELEASE saves what is left: pages of a shared mapping that were written after the close,
 * and what the exceptions left, when nobody can be told any more.
 *
 * A save may rename the story's folder and change a dozen views. So close(2) and fsync(2) are
 * answered when the kernel has been told of that, and what the writer does next sees its own save.
 */
#include "fs/ops_write.h"

#include "cache/base/clock.h"
#include "cache/base/digest.h"
#include "cache/base/lock.h"
#include "fs/list.h"
#include "fs/ops_open.h"
#include "fs/present.h"
#include "fs/save.h"
#include "fs/target.h"
#include "fs/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static Handle *
handle_of(const struct fuse_file_info *info)
{
    return (Handle *)(guintptr)info->fh;
}

static gboolean
is_ours(NodeKind kind)
{
    return kind == NODE_SCRATCH || kind == NODE_SCRATCH_LINK;
}

/* --- Making drafts --- */

Draft *
ops_new_draft(Fs *fs, mode_t mode, gboolean on_disk, GError **error)
{
    char *spool = NULL;
    Body *body = NULL;
    if (on_disk) {
        const int fd = cache_spool_new(fs->cache, &spool, error);
        body = fd >= 0 ? body_new_on_disk(fd) : NULL;
    } else {
        body = body_new(fs->bodies, TRUE, error);
    }
    if (!body) {
        return NULL;
    }
    const NodeKey key = {.kind = NODE_SCRATCH, .id = scratch_next_id(fs->scratch)};
    Draft *draft = draft_new(inode_number(fs->inodes, &key), key.id, body, mode, fs->uid, fs->gid);
    if (spool) {
        draft_set_spool(draft, fs->cache, spool);
    }
    return draft;
}

Draft *
ops_new_link(Fs *fs, const char *target)
{
    const NodeKey key = {.kind = NODE_SCRATCH_LINK, .id = scratch_next_id(fs->scratch)};
    return draft_new_link(inode_number(fs->inodes, &key), key.id, target, fs->uid, fs->gid);
}

static void
fill_entry(Fs *fs, Draft *draft, struct fuse_entry_param *ret_entry)
{
    const NodeKey key = {.kind = draft->link_target ? NODE_SCRATCH_LINK : NODE_SCRATCH,
                         .id = draft->id};
    *ret_entry = (struct fuse_entry_param){.ino = inode_intern(fs->inodes, &key)};
    present_draft_stat(fs, draft, &ret_entry->attr);
    inode_tell_size(fs->inodes, ret_entry->ino, ret_entry->attr.st_size);
}

void
ops_answer_draft(Op *op, Draft *draft)
{
    struct fuse_entry_param entry;
    fill_entry(op->fs, draft, &entry);
    op_answering(op);
    if (!reply_entry(&op->reply, &entry)) {
        op_forget(op->fs, entry.ino, 1);
    }
}

/* --- Opening --- */

/* A file of `.fields`, which is one line. */
static gboolean
is_field(Draft *draft)
{
    LOCK_SCOPE(&draft->lock);
    return draft->purpose == DRAFT_FILE &&
           (draft->target.kind == NODE_STORY_FIELD || draft->target.kind == NODE_EPIC_FIELD ||
            draft->target.kind == NODE_PROJECT_FIELD);
}

/* `entry`: of a creation; NULL: of an open. */
static void
answer_opened(Op *op, Draft *draft, const struct fuse_entry_param *entry)
{
    Fs *fs = op->fs;
    Handle *handle = handle_new(draft->number);
    handle->draft = draft;
    handle->is_writer = (op->info.flags & O_ACCMODE) != O_RDONLY;
    handle->writer = handle->is_writer ? recall_process(op->asker) : 0;
    op->info.fh = (guintptr)handle;
    op->info.noflush = !handle->is_writer;
    const Claim claim = inode_claim(fs->inodes, draft->number, ~draft->serial, -1);
    handle->is_claimed = claim != CLAIM_BYPASS;
    op->info.keep_cache = claim == CLAIM_KEEP;
    handle->saves_lines = (op->info.flags & O_ACCMODE) == O_WRONLY && is_field(draft);
    op->info.direct_io = claim == CLAIM_BYPASS || handle->saves_lines;
    if (!entry) {
        /* What is cut the kernel cuts by itself; of our own files it keeps no size. */
        const gboolean is_known =
            (op->info.flags & O_TRUNC) || draft->id ||
            inode_told_size(fs->inodes, draft->number) == body_size(draft->body);
        ops_answer_open(op, handle, !is_known);
        return;
    }
    ops_hold_handle(fs, handle);
    op_answering(op);
    if (!reply_create(&op->reply, entry, &op->info)) {
        op_forget(fs, entry->ino, 1);
        ops_drop_handle(fs, handle);
    }
}

void
ops_open_draft(Op *op, Draft *draft)
{
    answer_opened(op, draft, NULL);
}

/* The draft of a file of the tree, opened: a new one, unless somebody is writing it. */
static Draft *
open_file(Op *op, const Scene *scene, const NodeKey *key, guint64 number, const Content *present,
          gboolean truncate, GError **error)
{
    Fs *fs = op->fs;
    struct stat attributes = {0};
    Draft *there = draft_table_open(fs->drafts, number, NULL);
    if (!there) {
        g_autoptr(GBytes) base = truncate ? save_base(op, key, number, present)
                                          : g_bytes_new(present->data, present->length);
        g_autoptr(Body) body = body_new(fs->bodies, FALSE, error);
        if (!body || !body_write(body, present->data, present->length, 0, error)) {
            return NULL;
        }
        if (!present_stat(fs, scene, key, number, &attributes)) {
            g_set_error_literal(error, ERR, ERR_NOT_FOUND, "it is gone");
            return NULL;
        }
        g_autoptr(Draft) draft = draft_new(number, 0, g_steal_pointer(&body), 0, fs->uid, fs->gid);
        draft_aim_at_file(draft, key, base);
        draft_loaded(draft, &attributes);
        there = draft_table_open(fs->drafts, number, draft);
    }
    if (truncate && !draft_truncate(there, 0, error)) {
        draft_table_close(fs->drafts, there);
        draft_unref(there);
        return NULL;
    }
    return there;
}

/* EACCES: the account may not. EPERM: nobody may, here. */
static gboolean
refuse_writing(Op *op, const NodeKey *key)
{
    EditOwner owner;
    gint64 id;
    g_autofree char *words = NULL;
    const gboolean may_not = key->project_id && !cache_may_write(op->fs->cache, key->project_id);
    const gboolean is_field = key->kind == NODE_STORY_FIELD || key->kind == NODE_EPIC_FIELD ||
                              key->kind == NODE_PROJECT_FIELD;
    if (may_not) {
        words = g_strdup("field: role\nrule: you may only read this project");
    } else if (key->kind == NODE_ATTACHMENT) {
        words = g_strdup("field: filename\nrule: an attachment cannot be changed; copy the new one "
                         "under another name");
    } else if (is_field && target_owner(key, &owner, &id)) {
        words = edit_dup_field_refusal(owner, key->name, TRUE);
    } else {
        words = g_strdup("field: file\nrule: nobody can write this file");
    }
    save_refuse(op->fs, key, "%s", words);
    return op_refuse(op, may_not ? EACCES : EPERM);
}

/* Opens a file of the tree to write. `entry`: as in answer_opened(). */
static gboolean
open_key(Op *op, const NodeKey *key, gboolean truncate, gboolean is_creation, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    g_auto(Content) present = {0};
    struct fuse_entry_param entry = {0};
    if (!present_may_write(fs, key)) {
        return refuse_writing(op, key);
    }
    if (!scene_gather(fs->book, key, node_needs(key), ask, &scene)) {
        return FALSE;
    }
    const guint64 number = is_creation ? inode_intern(fs->inodes, key) : op->number;
    Draft *draft = NULL;
    if (!present_content(fs, &scene, key, number, &present, NULL)) {
        ask->error = g_error_new_literal(ERR, ERR_NOT_FOUND, "it is gone");
    } else {
        draft = open_file(op, &scene, key, number, &present, truncate, &ask->error);
    }
    if (!draft || (is_creation && !present_stat(fs, &scene, key, number, &entry.attr))) {
        if (is_creation) {
            op_forget(fs, number, 1);
        }
        if (draft) {
            draft_table_close(fs->drafts, draft);
            draft_unref(draft);
            return op_fail(ask, ERR_NOT_FOUND, "it is gone");
        }
        return FALSE;
    }
    entry.ino = number;
    answer_opened(op, draft, is_creation ? &entry : NULL);
    return TRUE;
}

static gboolean
run_open_write(Op *op, CacheAsk *ask)
{
    const gboolean truncate = (op->info.flags & O_TRUNC) != 0;
    if (!is_ours(op->key.kind)) {
        return open_key(op, &op->key, truncate, FALSE, ask);
    }
    Draft *draft = draft_table_open(op->fs->drafts, op->number, NULL);
    if (!draft || !draft->body) {
        return op_refuse(op, ESTALE);
    }
    if (truncate && !draft_truncate(draft, 0, &ask->error)) {
        draft_table_close(op->fs->drafts, draft);
        draft_unref(draft);
        return FALSE;
    }
    answer_opened(op, draft, NULL);
    return TRUE;
}

void
ops_open_write(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    op_go(op_begin(req, number, run_open_write, NULL, info));
}

/* --- Creating --- */

static gboolean
finish_creation(Op *op, Draft *draft)
{
    struct fuse_entry_param entry;
    fill_entry(op->fs, draft, &entry);
    if (S_ISREG(op->mode) && op->info.flags == -1) { /* mknod(2): nothing is opened */
        op_answering(op);
        if (!reply_entry(&op->reply, &entry)) {
            op_forget(op->fs, entry.ino, 1);
        }
        return TRUE;
    }
    answer_opened(op, draft_table_open(op->fs->drafts, draft->number, draft), &entry);
    return TRUE;
}

static gboolean
create_ours(Op *op, guint64 folder, gboolean is_new, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_autoptr(Draft) draft =
        ops_new_draft(fs, op->mode, op->key.kind == NODE_ATTACHMENTS, &ask->error);
    if (!draft) {
        return FALSE;
    }
    if (is_new) {
        draft_aim_at_new(draft, &op->key, op->name);
        LOCK_SCOPE(&draft->lock);
        draft->is_emptied = TRUE; /* nothing has been written yet */
    }
    if (!scratch_put_draft(fs->scratch, folder, op->name, draft, &ask->error)) {
        return FALSE;
    }
    return finish_creation(op, draft);
}

static gboolean
create_over(Op *op, const ScratchEntry *entry, CacheAsk *ask)
{
    if ((op->info.flags & O_EXCL) || !entry->draft->body) {
        return op_refuse(op, EEXIST);
    }
    if ((op->info.flags & O_TRUNC) && !draft_truncate(entry->draft, 0, &ask->error)) {
        return FALSE;
    }
    return finish_creation(op, entry->draft);
}

/* Why nothing can be made under this name. */
static void
explain_name(Op *op)
{
    const NodeKind kind = op->key.kind;
    EditOwner owner;
    gint64 id;
    g_autofree char *words =
        (kind == NODE_STORY_FIELDS || kind == NODE_EPIC_FIELDS || kind == NODE_PROJECT_FIELDS) &&
                target_owner(&op->key, &owner, &id)
            ? edit_dup_field_refusal(owner, op->name, FALSE)
            : g_strdup_printf("field: %s\nrule: nothing of this name belongs here; new files go "
                              "into comments/, tasks/ and attachments/, a new story is a folder in "
                              "stories/",
                              op->name);
    save_refuse(op->fs, &op->key, "%s", words);
}

static gboolean
run_create(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    EditTarget target;
    g_auto(Scene) scene = {0};
    g_auto(ScratchEntry) entry = {0};
    g_autofree char *key_name = NULL;
    NodeKey key;
    const guint64 folder = inode_number(fs->inodes, &op->key);
    const gboolean there = op_find_own(fs, &op->key, op->name, &entry);
    if (there && entry.what == SCRATCH_FILE) {
        return create_over(op, &entry, ask);
    }
    if (there && entry.what == SCRATCH_ALIAS) {
        return op_refuse(op, EEXIST);
    }
    const gboolean takes_new = target_of_new(&op->key, &target) && op->key.kind != NODE_STORIES &&
                               op->key.kind != NODE_EPICS;
    if (scratch_is_scratch_name(op->name, takes_new) ||
        scratch_is_temporary(op->info.flags, op->mode)) {
        return create_ours(op, folder, FALSE, ask);
    }
    const guint needs = list_lookup_needs(&op->key, op->name);
    if (!scene_gather(fs->book, &op->key, needs, ask, &scene)) {
        return FALSE;
    }
    if (list_find(&scene, &op->key, op->name, &key, &key_name)) {
        if (!there && (op->info.flags & O_EXCL)) {
            return op_refuse(op, EEXIST);
        }
        if (node_info(key.kind)->type != S_IFREG || op->info.flags == -1) {
            return op_refuse(op, EEXIST);
        }
        (void)scratch_remove(fs->scratch, folder, op->name);
        return open_key(op, &key, TRUE, TRUE, ask);
    }
    if (takes_new && *op->name != '.' && op->info.flags != -1) {
        return present_may_write(fs, &op->key) ? create_ours(op, folder, TRUE, ask)
                                               : refuse_writing(op, &op->key);
    }
    explain_name(op);
    return op_refuse(op, EPERM);
}

static void
create(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode,
       const struct fuse_file_info *info)
{
    const Fs *fs = fuse_req_userdata(req);
    if (fs->read_only) {
        (void)fuse_reply_err(req, EROFS);
        return;
    }
    if (strlen(name) > TREE_NAME_BYTES) {
        (void)fuse_reply_err(req, ENAMETOOLONG);
        return;
    }
    Op *op = op_begin(req, folder, run_create, name, info);
    if (op) {
        op->mode = mode;
        op_go(op);
    }
}

void
ops_create(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode,
           struct fuse_file_info *info)
{
    create(req, folder, name, mode, info);
}

void
ops_mknod(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode, dev_t device)
{
    (void)device;
    if (!S_ISREG(mode)) {
        (void)fuse_reply_err(req, EPERM);
        return;
    }
    const struct fuse_file_info nothing = {.flags = -1};
    create(req, folder, name, mode, &nothing);
}

/* --- Writing --- */

static gboolean
run_write_line(Op *op, CacheAsk *ask)
{
    if (save_run(op, 0, ask, &ask->error) != SAVE_DONE) {
        return FALSE;
    }
    op_answering(op);
    reply_written(&op->reply, op->size);
    return TRUE;
}

/* Saved by write(2), as a shell's `echo` tells of an error there, and of none of close(2). */
static void
save_line(fuse_req_t req, guint64 number, Draft *draft, gsize size)
{
    Op *op = op_begin(req, number, run_write_line, NULL, NULL);
    if (op) {
        op->size = size;
        op->draft = draft_ref(draft);
        op_go(op);
    }
}

void
ops_write(fuse_req_t req, fuse_ino_t number, const char *data, size_t size, off_t offset,
          struct fuse_file_info *info)
{
    g_autoptr(Handle) handle = handle_ref(handle_of(info));
    g_autoptr(GError) error = NULL;
    Reply reply;
    reply_init(&reply, req);
    const gboolean append = (info->flags & O_APPEND) && !info->writepage;
    if (!handle->draft || !handle->draft->body) {
        reply_code(&reply, EBADF);
    } else if (!draft_write(handle->draft, data, size, offset, append, &error)) {
        reply_error(&reply, error);
    } else if (handle->saves_lines && offset == 0 && size > 0 &&
               memchr(data, '\n', size) == data + size - 1) {
        save_line(req, number, handle->draft, size);
    } else {
        reply_written(&reply, size);
    }
}

void
ops_fallocate(fuse_req_t req, fuse_ino_t number, int mode, off_t offset, off_t length,
              struct fuse_file_info *info)
{
    (void)number;
    g_autoptr(Handle) handle = handle_ref(handle_of(info));
    g_autoptr(GError) error = NULL;
    Reply reply;
    reply_init(&reply, req);
    if (!handle->draft || !handle->draft->body) {
        reply_code(&reply, EBADF);
    } else if (!draft_allocate(handle->draft, mode, offset, length, &error)) {
        reply_error(&reply, error);
    } else {
        reply_code(&reply, 0);
    }
}

/* --- Saving --- */

/* TRUE: a child of the writer closes its copy; the writer's own close is still to come. */
static gboolean
is_of_a_child(const Handle *handle, gint64 asker)
{
    if (handle->writer <= 0) {
        return FALSE;
    }
    const gint64 process = recall_process(asker);
    return process > 0 && process != handle->writer && recall_process_lives(handle->writer);
}

static void
finish_save(gpointer user)
{
    Reply *reply = user;
    reply_code(reply, 0);
    g_free(reply);
}

static gboolean
answer_save(Op *op, guint how, CacheAsk *ask)
{
    if (save_run(op, how, ask, &ask->error) != SAVE_DONE) {
        return FALSE;
    }
    op_answering(op);
    notify_after_all(op->fs->notify, finish_save, g_memdup2(&op->reply, sizeof op->reply));
    return TRUE;
}

static gboolean
run_flush(Op *op, CacheAsk *ask)
{
    return answer_save(op, 0, ask);
}

static gboolean
run_fsync(Op *op, CacheAsk *ask)
{
    return answer_save(op, SAVE_EMPTIED | SAVE_LONG, ask);
}

static gboolean
is_scratch(Draft *draft)
{
    LOCK_SCOPE(&draft->lock);
    return draft->purpose == DRAFT_SCRATCH;
}

static void
save(fuse_req_t req, guint64 number, const struct fuse_file_info *info, OpRunFn run)
{
    const Handle *handle = handle_of(info);
    if (!handle) { /* a mount without opens: nor does it need these */
        (void)fuse_reply_err(req, ENOSYS);
        return;
    }
    Draft *draft = handle->is_writer ? handle->draft : NULL;
    if (!draft || is_scratch(draft) ||
        (run == run_flush && is_of_a_child(handle, (gint64)fuse_req_ctx(req)->pid))) {
        (void)fuse_reply_err(req, 0);
        return;
    }
    g_autoptr(Draft) kept = draft_ref(draft);
    Op *op = op_begin(req, number, run, NULL, info);
    if (op) {
        op->draft = g_steal_pointer(&kept);
        op_go(op);
    }
}

void
ops_flush(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    save(req, number, info, run_flush);
}

void
ops_fsync(fuse_req_t req, fuse_ino_t number, int only_data, struct fuse_file_info *info)
{
    (void)only_data;
    save(req, number, info, run_fsync);
}

static const char *
field_of_file(const NodeKey *key)
{
    switch ((int)key->kind) {
    case NODE_STORY_DESCRIPTION:
    case NODE_EPIC_DESCRIPTION:
        return "description";
    case NODE_STORY_COMMENT:
    case NODE_EPIC_COMMENT:
        return "text";
    case NODE_TASK:
        return "task";
    case NODE_PROFILE:
        return "profile_content";
    default:
        return key->name ? key->name : "file"; /* an attribute, or a whole record */
    }
}

/* Nothing was written after the file was cut to nothing: it stays as it was. */
static void
explain_emptied(Op *op)
{
    g_autofree char *name = NULL;
    NodeKey key;
    gboolean is_file;
    {
        LOCK_SCOPE(&op->draft->lock);
        is_file = op->draft->purpose == DRAFT_FILE && op->draft->is_emptied &&
                  op->draft->saved != op->draft->generation;
        key = op->draft->target;
        key.name = name = g_strdup(key.name);
    }
    if (is_file) {
        g_autofree char *words = g_strdup_printf(
            "field: %s\nrule: a file that was cut to nothing is not saved, as that "
            "is what a failed writer leaves; to clear a text, save a single newline",
            field_of_file(&key));
        save_refuse(op->fs, &key, "%s", words);
    }
}

static gboolean
run_release(Op *op, CacheAsk *ask)
{
    g_autoptr(GError) error = NULL;
    gboolean uploads;
    {
        LOCK_SCOPE(&op->draft->lock);
        uploads = op->draft->purpose == DRAFT_NEW && op->draft->spool;
    }
    if (save_run(op, uploads ? SAVE_EMPTIED : 0, ask, &error) == SAVE_WAITS) {
        return FALSE;
    }
    explain_emptied(op);
    Fs *fs = op->fs;
    ops_drop_handle(fs, handle_of(&op->info));
    op_answering(op);
    reply_code(&op->reply, 0);
    return TRUE;
}

void
ops_release_writer(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    Handle *handle = handle_of(info);
    Op *op = NULL;
    if (handle->is_writer) {
        Fs *fs = fuse_req_userdata(req);
        g_autoptr(Draft) draft = draft_ref(handle->draft);
        op = op_begin(req, number, run_release, NULL, info);
        if (!op) { /* answered: the node is forgotten already */
            ops_drop_handle(fs, handle);
            return;
        }
        op->draft = g_steal_pointer(&draft);
        op_go(op);
        return;
    }
    ops_drop_handle(fuse_req_userdata(req), handle);
    (void)fuse_reply_err(req, 0);
}

/* --- Attributes --- */

static void
set_times(Op *op, struct timespec *accessed, struct timespec *changed)
{
    const gint64 ms = clock_wall_ms();
    const struct timespec now = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_nsec = (long)(ms % 1000) * 1000000};
    if (op->to_set & FUSE_SET_ATTR_ATIME_NOW) {
        *accessed = now;
    } else if (op->to_set & FUSE_SET_ATTR_ATIME) {
        *accessed = op->attributes.st_atim;
    }
    if (op->to_set & FUSE_SET_ATTR_MTIME_NOW) {
        *changed = now;
    } else if (op->to_set & FUSE_SET_ATTR_MTIME) {
        *changed = op->attributes.st_mtim;
    }
}

static void
set_in_draft(Op *op, Draft *draft)
{
    LOCK_SCOPE(&draft->lock);
    set_times(op, &draft->accessed, &draft->changed);
    if (op->to_set & FUSE_SET_ATTR_MODE) {
        draft->mode = (draft->mode & S_IFMT) | (op->attributes.st_mode & 07777);
    }
    if (op->to_set & FUSE_SET_ATTR_UID) {
        draft->uid = op->attributes.st_uid;
    }
    if (op->to_set & FUSE_SET_ATTR_GID) {
        draft->gid = op->attributes.st_gid;
    }
    const gint64 ms = clock_wall_ms();
    draft->status_changed =
        (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

static gboolean
answer_attributes(Op *op, const struct stat *attributes)
{
    op_answering(op);
    inode_tell_size(op->fs->inodes, op->number, attributes->st_size);
    reply_attr(&op->reply, attributes, 0);
    return TRUE;
}

static gboolean
set_ours(Op *op, Draft *draft, CacheAsk *ask)
{
    struct stat attributes;
    if ((op->to_set & FUSE_SET_ATTR_SIZE) &&
        (!draft->body || !draft_truncate(draft, op->attributes.st_size, &ask->error))) {
        return ask->error ? FALSE : op_refuse(op, EINVAL);
    }
    set_in_draft(op, draft);
    present_draft_stat(op->fs, draft, &attributes);
    return answer_attributes(op, &attributes);
}

/* truncate(2) of a file that nobody has open: opened, cut, saved, as one. */
static gboolean
truncate_closed(Op *op, const Scene *scene, CacheAsk *ask, gboolean *ret_done)
{
    g_auto(Content) present = {0};
    *ret_done = FALSE;
    if (!op->draft) {
        if (!present_content(op->fs, scene, &op->key, op->number, &present, NULL)) {
            return op_fail(ask, ERR_NOT_FOUND, "it is gone");
        }
        op->draft = open_file(op, scene, &op->key, op->number, &present, FALSE, &ask->error);
        if (!op->draft) {
            return FALSE;
        }
        if (!draft_truncate(op->draft, op->attributes.st_size, &ask->error)) {
            draft_table_close(op->fs->drafts, op->draft);
            return FALSE;
        }
    }
    const SaveStep step = save_run(op, SAVE_EMPTIED, ask, &ask->error);
    if (step != SAVE_WAITS) {
        draft_table_close(op->fs->drafts, op->draft);
        *ret_done = step == SAVE_DONE;
    }
    return FALSE;
}

static void
pin_time(Op *op, const Scene *scene)
{
    Fs *fs = op->fs;
    g_auto(Content) own = {0};
    RecallPin pin = {0};
    if (!scene_content(scene, &op->key, &own)) {
        return;
    }
    const guint64 digest = digest_bytes(own.data, own.length, 0);
    struct timespec accessed = {0};
    (void)recall_pinned(fs->recall, op->number, digest, &pin);
    g_autoptr(GBytes) bytes = pin.bytes;
    set_times(op, &accessed, &pin.changed);
    recall_pin(fs->recall, op->number, digest, &pin);
}

/* Owner and mode of the tree's files are ours; programs that set them after a save go on. */
static gboolean
set_theirs(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    struct stat attributes;
    if (!scene_gather(fs->book, &op->key, node_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    if (!present_may_write(fs, &op->key)) {
        return refuse_writing(op, &op->key);
    }
    const gboolean is_file = node_info(op->key.kind)->type == S_IFREG;
    if (op->to_set & FUSE_SET_ATTR_SIZE) {
        g_autoptr(Draft) draft = op->draft ? NULL : draft_table_find(fs->drafts, op->number);
        gboolean done;
        if (draft) {
            if (!draft_truncate(draft, op->attributes.st_size, &ask->error)) {
                return FALSE;
            }
        } else if (truncate_closed(op, &scene, ask, &done), !done) {
            return FALSE;
        }
    }
    g_autoptr(Draft) draft = draft_table_find(fs->drafts, op->number);
    if (draft) {
        set_in_draft(op, draft);
    }
    if (is_file && (op->to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))) {
        pin_time(op, &scene);
    }
    if (!present_stat(fs, &scene, &op->key, op->number, &attributes)) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    return answer_attributes(op, &attributes);
}

/* touch(1): try again. */
static gboolean
touch_queue(Op *op, CacheAsk *ask)
{
    struct stat attributes;
    g_auto(Scene) scene = {0};
    const gint64 number = op->key.kind == NODE_QUEUE_ITEM ? op->key.id : 0;
    if (!cache_retry_edit(op->fs->cache, number, &ask->error) ||
        !scene_gather(op->fs->book, &op->key, node_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    return present_stat(op->fs, &scene, &op->key, op->number, &attributes)
               ? answer_attributes(op, &attributes)
               : op_refuse(op, ENOENT);
}

static gboolean
run_setattr(Op *op, CacheAsk *ask)
{
    if (op->key.kind == NODE_QUEUE || op->key.kind == NODE_QUEUE_ITEM) {
        return touch_queue(op, ask);
    }
    if (!is_ours(op->key.kind)) {
        return set_theirs(op, ask);
    }
    g_autoptr(Draft) draft = op->info.fh ? draft_ref(handle_of(&op->info)->draft)
                                         : draft_table_find(op->fs->drafts, op->number);
    return draft ? set_ours(op, draft, ask) : op_refuse(op, ESTALE);
}

void
ops_setattr(fuse_req_t req, fuse_ino_t number, struct stat *attributes, int to_set,
            struct fuse_file_info *info)
{
    const Fs *fs = fuse_req_userdata(req);
    if (fs->read_only) {
        (void)fuse_reply_err(req, EROFS);
        return;
    }
    Op *op = op_begin(req, number, run_setattr, NULL, info);
    if (op) {
        op->attributes = *attributes;
        op->to_set = to_set;
        op_go_for_attributes(op);
    }
}

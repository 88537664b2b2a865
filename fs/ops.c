/* The table, and the operations that name a node: lookup, forget, getattr, readlink, statfs,
 * attributes. Those on open files and folders are in ops_open.c.
 *
 * Those that write are in ops_write.c and ops_names.c.
 * A lookup is counted before it is answered and taken back when the kernel did not take the answer.
 */
#include "fs/ops_open.h"

#include "cache/base/clock.h"
#include "fs/handle.h"
#include "fs/list.h"
#include "fs/ops_names.h"
#include "fs/ops_ro.h"
#include "fs/ops_write.h"
#include "fs/present.h"
#include "fs/refresh.h"
#include "fs/removal.h"
#include "fs/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define NEGATIVE_TIMEOUT_S 1.0
#define ATTRIBUTE_PREFIX "user.tracker."
#define STATFS_BLOCK_BYTES 4096
/* What df shows: a disk of a plausible size, full when nothing can be written. */
#define STATFS_BLOCKS (1024 * 1024)

/* A name that begins with a number may come to be as an alias, which nobody can tell the kernel in
 * time. */
static void
answer_negative(Op *op)
{
    const double timeout = op_timeout(op->fs, &op->key);
    struct fuse_entry_param entry = {
        .entry_timeout = g_ascii_isdigit(*op->name) ? MIN(timeout, NEGATIVE_TIMEOUT_S) : timeout};
    if (strcmp(op->name, ".error") == 0 || strcmp(op->name, ".conflict") == 0) {
        entry.entry_timeout = 0; /* they come with a save */
    }
    op_answering(op);
    (void)reply_entry(&op->reply, &entry);
}

/* FALSE: it is gone. `passing`: the name is not the tree's own, and the kernel is not to keep it.
 *
 * Nor is it to keep an alias, and that is another node for each target: the kernel keeps where a
 * link leads for as long as it knows the node, so with one node for all, a story that gets an
 * earlier name back would leave two of its names leading to each other. */
static gboolean
answer_entry(Op *op, const Scene *scene, const NodeKey *found, gboolean passing)
{
    Fs *fs = op->fs;
    const NodeKey *key = found;
    NodeKey alias = *found;
    g_autofree char *target = NULL;
    if (found->kind == NODE_ALIAS) {
        alias.name = target = scene_link_target(scene, found);
        key = &alias;
        passing = TRUE;
    }
    const double timeout = op_timeout(fs, key);
    struct fuse_entry_param entry = {
        .ino = inode_intern(fs->inodes, key),
        .attr_timeout = timeout,
        .entry_timeout = passing ? 0 : MIN(timeout, op_timeout(fs, &op->key)),
    };
    const guint64 number = key->version ? inode_number(fs->inodes, key) : entry.ino;
    if (!present_stat(fs, scene, key, number, &entry.attr)) {
        op_forget(fs, entry.ino, 1);
        return FALSE;
    }
    if (draft_table_has(fs->drafts, entry.ino)) {
        entry.attr_timeout = 0;
    }
    if (key->kind == NODE_CONTROL || op->key.kind == NODE_CONTROL) {
        entry.entry_timeout = timeout; /* a fixed name, whatever the account is doing */
    }
    op_tell_size(fs, entry.ino, &entry.attr, &entry.attr_timeout);
    if (key->version && version_is_passing(key->kind)) {
        version_pin(fs->versions, entry.ino, scene, key);
    }
    op_answering(op);
    if (!reply_entry(&op->reply, &entry)) {
        op_forget(fs, entry.ino, 1);
    }
    return TRUE;
}

/* A name that is not the tree's own (scratch.h). FALSE: `ret_alias` is the node that it leads to,
 * or the tree is to be asked. */
static gboolean
answer_scratch(Op *op, NodeKey *ret_alias)
{
    g_auto(ScratchEntry) entry = {0};
    if (!op_find_own(op->fs, &op->key, op->name, &entry)) {
        return FALSE;
    }
    switch (entry.what) {
    case SCRATCH_FILE:
        ops_answer_draft(op, entry.draft);
        return TRUE;
    case SCRATCH_GAP:
        return op_refuse(op, ENOENT);
    case SCRATCH_ALIAS:
        *ret_alias = entry.key;
        op_resolve(op->fs, ret_alias);
        return FALSE;
    case SCRATCH_NONE:
        break;
    }
    return FALSE;
}

static gboolean
run_lookup(Op *op, CacheAsk *ask)
{
    g_auto(Scene) scene = {0};
    g_auto(Scene) own = {0};
    g_autofree char *key_name = NULL;
    NodeKey key;
    NodeKey alias = {0};
    if (answer_scratch(op, &alias)) {
        return TRUE;
    }
    if (alias.kind != NODE_NONE) {
        if (!scene_gather(op->fs->book, &alias, node_needs(&alias), ask, &scene)) {
            return FALSE;
        }
        g_autofree char *target = scene_link_target(&scene, &alias);
        if (target && strcmp(target, op->name) != 0) {
            return answer_entry(op, &scene, &alias, TRUE) || op_refuse(op, ENOENT);
        }
        /* Its first name is its name, or it is gone. */
        (void)scratch_remove(op->fs->scratch, inode_number(op->fs->inodes, &op->key), op->name);
        scene_clear(&scene);
    }
    const guint needs = list_lookup_needs(&op->key, op->name);
    if (!scene_gather(op->fs->book, &op->key, needs, ask, &scene)) {
        return FALSE;
    }
    if (!list_find(&scene, &op->key, op->name, &key, &key_name)) {
        if (op_awaits(op, ask, OP_PATIENCE_MS)) {
            return FALSE;
        }
        answer_negative(op);
        return TRUE;
    }
    const Scene *seen = &scene;
    if (!scene_covers(&scene, &key)) {
        if (!scene_gather(op->fs->book, &key, node_needs(&key), ask, &own)) {
            return FALSE;
        }
        seen = &own;
    }
    if (op_awaits(op, ask, op_names_patience_ms(op))) {
        return FALSE;
    }
    if (!op_set_version(op->fs, seen, &key) || !answer_entry(op, seen, &key, FALSE)) {
        answer_negative(op);
    }
    return TRUE;
}

static void
do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    if (strlen(name) > TREE_NAME_BYTES) {
        (void)fuse_reply_err(req, ENAMETOOLONG);
        return;
    }
    op_go_for_names(op_begin(req, parent, run_lookup, name, NULL));
}

static void
do_forget(fuse_req_t req, fuse_ino_t number, uint64_t n)
{
    Fs *fs = fuse_req_userdata(req);
    op_forget(fs, number, n);
    fuse_reply_none(req);
}

static void
do_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    Fs *fs = fuse_req_userdata(req);
    for (size_t i = 0; i < count; i++) {
        op_forget(fs, forgets[i].ino, forgets[i].nlookup);
    }
    fuse_reply_none(req);
}

static gboolean
is_ours(NodeKind kind)
{
    return kind == NODE_SCRATCH || kind == NODE_SCRATCH_LINK;
}

static gboolean
run_getattr(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    if (op->key.version) {
        return ops_ro_getattr(op, ask);
    }
    struct stat attributes;
    double timeout = 0;
    if (is_ours(op->key.kind)) {
        g_autoptr(Draft) draft = draft_table_find(fs->drafts, op->number);
        if (!draft) {
            return op_refuse(op, ESTALE); /* renamed over a file: the kernel looks again */
        }
        present_draft_stat(fs, draft, &attributes);
    } else {
        if (!scene_gather(fs->book, &op->key, node_needs(&op->key), ask, &scene)) {
            return FALSE;
        }
        if (!present_stat(fs, &scene, &op->key, op->number, &attributes)) {
            return op_fail(ask, ERR_NOT_FOUND, "it is gone");
        }
        timeout = draft_table_has(fs->drafts, op->number) ? 0 : op_timeout(fs, &op->key);
    }
    op_tell_size(fs, op->number, &attributes, &timeout);
    op_answering(op);
    reply_attr(&op->reply, &attributes, timeout);
    return TRUE;
}

static void
do_getattr(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info)
{
    (void)info;
    op_go_for_attributes(op_begin(req, number, run_getattr, NULL, NULL));
}

static gboolean
run_readlink(Op *op, CacheAsk *ask)
{
    g_auto(Scene) scene = {0};
    if (is_ours(op->key.kind)) {
        g_autoptr(Draft) draft = draft_table_find(op->fs->drafts, op->number);
        if (!draft || !draft->link_target) {
            return op_refuse(op, ESTALE);
        }
        op_answering(op);
        reply_link(&op->reply, draft->link_target);
        return TRUE;
    }
    if (!scene_gather(op->fs->book, &op->key, node_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    g_autofree char *target = scene_link_target(&scene, &op->key);
    if (!target) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    op_answering(op);
    reply_link(&op->reply, target);
    return TRUE;
}

static void
do_readlink(fuse_req_t req, fuse_ino_t number)
{
    op_go_for_attributes(op_begin(req, number, run_readlink, NULL, NULL));
}

static void
do_statfs(fuse_req_t req, fuse_ino_t number)
{
    (void)number;
    Fs *fs = fuse_req_userdata(req);
    struct statvfs figures = {
        .f_bsize = STATFS_BLOCK_BYTES,
        .f_frsize = STATFS_BLOCK_BYTES,
        .f_blocks = STATFS_BLOCKS,
        .f_files = inode_count(fs->inodes),
        .f_namemax = TREE_NAME_BYTES,
        .f_flag = ST_NOSUID | ST_NODEV,
    };
    if (fs->read_only) {
        figures.f_flag |= ST_RDONLY;
    } else {
        figures.f_bfree = figures.f_bavail = STATFS_BLOCKS / 2;
        figures.f_ffree = figures.f_favail = BODY_POOL_MAX;
    }
    (void)fuse_reply_statfs(req, &figures);
}

/* A story's folder is made of its row alone; its attributes know the story. */
static guint
attribute_needs(const NodeKey *key)
{
    guint needs = node_needs(key);
    if (key->project_id && key->kind != NODE_LINK && key->kind != NODE_ALIAS) {
        needs |= NEED_EDITS;
    }
    return key->kind == NODE_STORY ? needs | NEED_STORY : needs;
}

/* What is not among the user's attributes does not exist here at all. Said in so many words,
 * programs believe it for the whole file system: `ls -l` asks for the security label and the ACL of
 * one file instead of each. */
static int
why_absent(const char *name)
{
    return g_str_has_prefix(name, "user.") ? ENODATA : EOPNOTSUPP;
}

static gboolean
run_getxattr(Op *op, CacheAsk *ask)
{
    g_auto(Scene) scene = {0};
    if (is_ours(op->key.kind)) {
        g_autoptr(Draft) draft = draft_table_find(op->fs->drafts, op->number);
        g_autoptr(GBytes) own = draft ? draft_attribute(draft, op->name) : NULL;
        op_answering(op);
        if (own) {
            gsize length = 0;
            gconstpointer data = g_bytes_get_data(own, &length);
            reply_xattr(&op->reply, data, length, op->size);
        } else {
            reply_code(&op->reply, ENODATA);
        }
        return TRUE;
    }
    if (!g_str_has_prefix(op->name, ATTRIBUTE_PREFIX)) {
        return op_refuse(op, why_absent(op->name));
    }
    if (!scene_gather(op->fs->book, &op->key, attribute_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    g_autofree char *value = scene_attribute(&scene, &op->key, op->name + strlen(ATTRIBUTE_PREFIX));
    op_answering(op);
    if (value) {
        reply_xattr(&op->reply, value, strlen(value), op->size);
    } else {
        reply_code(&op->reply, ENODATA);
    }
    return TRUE;
}

static void
do_getxattr(fuse_req_t req, fuse_ino_t number, const char *name, size_t size)
{
    Fs *fs = fuse_req_userdata(req);
    if (!g_str_has_prefix(name, ATTRIBUTE_PREFIX) && fs->read_only) {
        atomic_fetch_add(&fs->kernel_requests, 1);
        (void)fuse_reply_err(req, why_absent(name));
        return;
    }
    if (g_str_equal(name, REFRESH_ATTRIBUTE)) {
        refresh_for_attribute(req, number, size);
        return;
    }
    Op *op = op_begin(req, number, run_getxattr, name, NULL);
    if (op) {
        op->size = size;
        op_go_for_attributes(op);
    }
}

static gboolean
run_listxattr(Op *op, CacheAsk *ask)
{
    g_auto(Scene) scene = {0};
    g_autoptr(GString) names = g_string_new(NULL);
    if (is_ours(op->key.kind)) {
        g_autoptr(Draft) draft = draft_table_find(op->fs->drafts, op->number);
        if (draft) {
            draft_list_attributes(draft, names);
        }
        op_answering(op);
        reply_xattr(&op->reply, names->str, names->len, op->size);
        return TRUE;
    }
    if (!scene_gather(op->fs->book, &op->key, attribute_needs(&op->key), ask, &scene)) {
        return FALSE;
    }
    for (const char *const *name = scene_attribute_names(); *name; name++) {
        g_autofree char *value = scene_attribute(&scene, &op->key, *name);
        if (value) {
            g_string_append(names, ATTRIBUTE_PREFIX);
            g_string_append_len(names, *name, (gssize)strlen(*name) + 1);
        }
    }
    op_answering(op);
    reply_xattr(&op->reply, names->str, names->len, op->size);
    return TRUE;
}

static void
do_listxattr(fuse_req_t req, fuse_ino_t number, size_t size)
{
    Op *op = op_begin(req, number, run_listxattr, NULL, NULL);
    if (op) {
        op->size = size;
        op_go_for_attributes(op);
    }
}

static void
do_init(void *user, struct fuse_conn_info *connection)
{
    Fs *fs = user;
    const gboolean folders =
        fs->may_skip_folder_opens && (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
    atomic_store(&fs->without_folder_opens, folders);
    atomic_store(&fs->without_opens, folders && fs->may_skip_opens &&
                                         (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0);
    if (atomic_load(&fs->without_opens)) {
        notify_use_versions(fs->notify);
    }
    /* The kernel's write-back cache would trust its own sizes and ignore ours. */
    connection->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
    /* Not FUSE_CAP_POSIX_ACL: the kernel would take "not supported" (why_absent()) for a failure.
     */
    connection->want |= connection->capable &
                        (FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
                         FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_ASYNC_READ);
    connection->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
}

/* Attributes of the tree's files cannot be set; those of an editor's own can. */
static gboolean
run_setxattr(Op *op, CacheAsk *ask)
{
    (void)ask;
    g_autoptr(Draft) draft = draft_table_find(op->fs->drafts, op->number);
    if (!draft || !is_ours(op->key.kind)) {
        return op_refuse(op, g_str_has_prefix(op->name, ATTRIBUTE_PREFIX) ? EPERM : EOPNOTSUPP);
    }
    return op_refuse(op, draft_set_attribute(draft, op->name, op->mine, op->to_set));
}

static void
do_setxattr(fuse_req_t req, fuse_ino_t number, const char *name, const char *value, size_t size,
            int flags)
{
    const Fs *fs = fuse_req_userdata(req);
    if (fs->read_only) {
        (void)fuse_reply_err(req, EROFS);
        return;
    }
    Op *op = op_begin(req, number, run_setxattr, name, NULL);
    if (op) {
        op->mine = g_bytes_new(value, size);
        op->to_set = flags;
        op_go(op);
    }
}

static void
do_removexattr(fuse_req_t req, fuse_ino_t number, const char *name)
{
    const Fs *fs = fuse_req_userdata(req);
    if (fs->read_only) {
        (void)fuse_reply_err(req, EROFS);
        return;
    }
    op_go(op_begin(req, number, run_setxattr, name, NULL));
}

static void
do_setattr(fuse_req_t req, fuse_ino_t number, struct stat *attributes, int which,
           struct fuse_file_info *info)
{
    Fs *fs = fuse_req_userdata(req);
    const NodeKey refresh = {.kind = NODE_REFRESH, .id = 1};
    if (number == inode_number(fs->inodes, &refresh)) {
        refresh_for_setattr(req, number);
    } else {
        ops_setattr(req, number, attributes, which, info);
    }
}

static const struct fuse_lowlevel_ops operations = {
    .init = do_init,
    .lookup = do_lookup,
    .forget = do_forget,
    .forget_multi = do_forget_multi,
    .getattr = do_getattr,
    .readlink = do_readlink,
    .statfs = do_statfs,
    .getxattr = do_getxattr,
    .listxattr = do_listxattr,
    .open = ops_open,
    .read = ops_read,
    .release = ops_release,
    .opendir = ops_opendir,
    .readdir = ops_readdir,
    .readdirplus = ops_readdirplus,
    .releasedir = ops_release,
    .create = ops_create,
    .write = ops_write,
    .flush = ops_flush,
    .fsync = ops_fsync,
    .fallocate = ops_fallocate,
    .setattr = do_setattr,
    .mknod = ops_mknod,
    .mkdir = ops_mkdir,
    .unlink = ops_unlink,
    .rmdir = ops_rmdir,
    .symlink = ops_symlink,
    .rename = ops_rename,
    .link = ops_link,
    .setxattr = do_setxattr,
    .removexattr = do_removexattr,
};

const struct fuse_lowlevel_ops *
ops_table(void)
{
    return &operations;
}

static void
fill_figures(RenderStatus *process, gpointer user)
{
    Fs *fs = user;
    NotifyStats notices;
    notify_get_stats(fs->notify, &notices);
    process->parked = park_count(fs->park);
    process->known_nodes = inode_count(fs->inodes);
    process->kernel_requests = atomic_load(&fs->kernel_requests);
    process->notices.entries = notices.entries;
    process->notices.deletions = notices.deletions;
    process->notices.attributes = notices.attributes;
    process->notices.contents = notices.contents;
    process->notices.before_opens = notices.urgent;
    process->notices.waiting = notices.waiting + atomic_load(&fs->open_changes);
}

Fs *
fs_new(const FsConfig *config, Cache *cache)
{
    Fs *fs = g_new0(Fs, 1);
    fs->uid = config->uid;
    fs->gid = config->gid;
    fs->umask = config->umask;
    fs->timeout_ms = config->timeout_ms;
    fs->read_only = config->read_only;
    fs->may_delete = config->may_delete;
    fs->save_wait_ms = config->save_wait_ms;
    fs->cache = cache;
    fs->bodies = body_pool_new();
    fs->drafts = draft_table_new();
    fs->scratch = scratch_new(fs->drafts);
    fs->recall = recall_new();
    fs->removals = removals_new(config->may_delete ? config->trash : NULL);
    (void)pthread_mutex_init(&fs->handles_lock, NULL);
    fs->handles = g_hash_table_new(NULL, NULL);
    fs->inodes = inode_table_new();
    fs->park = park_new(cache, cache_wait, cache_cancel_wait, FS_PARKED_MAX);
    fs->grace = grace_new();
    fs->versions = versions_new();
    const gboolean always_opens = getenv("TRACKERFS_TEST_OPENS") != NULL;
    fs->may_skip_opens = config->read_only && !always_opens;
    fs->may_skip_folder_opens = fs->may_skip_opens || (cache_polls(cache) && !always_opens);
    (void)pthread_mutex_init(&fs->listings_lock, NULL);
    (void)pthread_mutex_init(&fs->waiting_lock, NULL);
    fs->waiting = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    SceneConfig scene_config = {
        .id_names = config->id_names,
        .show_attachments = config->show_attachments,
        .started_ms = config->started_ms,
        .source = (char *)(guintptr)config->source,
        .mount_point = (char *)(guintptr)config->mount_point,
    };
    fs->book = scene_book_new(cache, &scene_config);
    scene_book_set_figures(fs->book, fill_figures, fs);
    fs->notify = notify_new(fs->inodes, fs->book, fs->versions, fs->grace, op_waits_in, fs);
    return fs;
}

static void
change_begins(const CacheChange *change, gpointer user)
{
    Fs *fs = user;
    atomic_fetch_add(&fs->open_changes, 1);
    version_fading(fs->versions, change);
}

static void
change_ended(CacheChange *change, gboolean published, gpointer user)
{
    Fs *fs = user;
    if (!published) {
        version_faded(fs->versions, change);
        cache_change_free(change);
        atomic_fetch_sub(&fs->open_changes, 1);
        return;
    }
    CacheAsk ask = {.stale_ok = TRUE};
    g_autoptr(Account) account = cache_get_account(fs->cache, &ask);
    g_clear_error(&ask.error);
    notify_change(fs->notify, change, account ? account->me.id : 0);
    atomic_fetch_sub(&fs->open_changes, 1);
}

gboolean
fs_start(Fs *fs, struct fuse_session *session, GError **error)
{
    const CacheListener listener = {change_begins, change_ended, fs};
    if (!notify_start(fs->notify, session, error) || !park_start(fs->park, error)) {
        return FALSE;
    }
    cache_listen(fs->cache, &listener);
    return TRUE;
}

void
fs_stop(Fs *fs)
{
    const CacheListener nobody = {0};
    cache_listen(fs->cache, &nobody);
    park_stop(fs->park);
    notify_stop(fs->notify);
}

void
fs_free(Fs *fs)
{
    if (!fs) {
        return;
    }
    park_free(fs->park);
    ops_drop_handles(fs);
    notify_free(fs->notify);
    for (guint i = 0; i < G_N_ELEMENTS(fs->listings); i++) {
        handle_unref(fs->listings[i]);
    }
    (void)pthread_mutex_destroy(&fs->listings_lock);
    grace_free(fs->grace);
    versions_free(fs->versions);
    g_hash_table_destroy(fs->waiting);
    (void)pthread_mutex_destroy(&fs->waiting_lock);
    g_hash_table_destroy(fs->handles);
    (void)pthread_mutex_destroy(&fs->handles_lock);
    scratch_free(fs->scratch);
    draft_table_free(fs->drafts);
    recall_free(fs->recall);
    removals_free(fs->removals);
    body_pool_free(fs->bodies);
    scene_book_free(fs->book);
    inode_table_free(fs->inodes);
    g_free(fs);
}

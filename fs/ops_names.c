/* What a change of a name means goes by what the name is: one of an editor (scratch.h), which is
 * just moved; a file of the tree, which is saved when another file is renamed over it, and which,
 * removed or renamed to a backup, is not there for a moment, until its editor makes it anew; or a
 * thing of the tracker, whose change is an edit (move.h, removal.h).
 *
 * The kernel moves its own entry when a rename is answered. After a rename over a file of the tree
 * that entry leads to an inode of ours; as it was given with no time to live, the next look at the
 * name finds the file again. */
#include "fs/ops_names.h"

#include "fs/list.h"
#include "fs/move.h"
#include "fs/ops_write.h"
#include "fs/present.h"
#include "fs/removal.h"
#include "fs/save.h"
#include "fs/target.h"
#include "fs/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>

/* What a name in a folder stands for. */
typedef struct Named {
    guint64 folder;     /* number */
    ScratchEntry entry; /* of ours, or a gap */
    gboolean is_tree;   /* the tree has it, gap or not */
    NodeKey key;        /* then, or what an alias leads to */
    char *key_name;
} Named;

static void
named_clear(Named *named)
{
    scratch_entry_clear(&named->entry);
    g_free(named->key_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Named, named_clear)

static gboolean
is_there(const Named *named)
{
    return named->entry.what == SCRATCH_FILE || named->entry.what == SCRATCH_ALIAS ||
           (named->is_tree && named->entry.what != SCRATCH_GAP);
}

/* Sets `key` to what a first name leads to. */
static void
follow_alias(Fs *fs, Named *named)
{
    named->key = named->entry.key;
    named->key.kind = named->key.of;
    named->key.of = NODE_NONE;
    op_resolve(fs, &named->key);
}

/* FALSE: `ask` says what to wait for. */
static gboolean
find(Op *op, const NodeKey *folder, const char *name, CacheAsk *ask, Named *ret_named)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    ret_named->folder = inode_number(fs->inodes, folder);
    if (op_find_own(fs, folder, name, &ret_named->entry) && ret_named->entry.what != SCRATCH_GAP) {
        if (ret_named->entry.what == SCRATCH_ALIAS) {
            follow_alias(fs, ret_named);
        }
        return TRUE;
    }
    if (!scene_gather(fs->book, folder, list_lookup_needs(folder, name), ask, &scene)) {
        return FALSE;
    }
    ret_named->is_tree = list_find(&scene, folder, name, &ret_named->key, &ret_named->key_name);
    if (ret_named->is_tree && ret_named->key.kind == NODE_ALIAS && ret_named->key.of == NODE_TASK) {
        ret_named->key.kind = NODE_TASK;
        ret_named->key.of = NODE_NONE;
    }
    return TRUE;
}

static gboolean
done(Op *op)
{
    op_answering(op);
    reply_code(&op->reply, 0);
    return TRUE;
}

/* EPERM, with the reason in `.error`. */
static gboolean
refuse(Op *op, const NodeKey *about, const char *rule)
{
    save_refuse(op->fs, about, "field: %s\nrule: %s", op->name ? op->name : "", rule);
    return op_refuse(op, EPERM);
}

static gboolean
is_removable(const NodeKey *key)
{
    EditTarget target;
    return target_of_removal(key, &target);
}

/* A text with a fixed name: it cannot be removed, only made anew. */
static gboolean
is_fixed_text(const NodeKey *key)
{
    EditTarget target;
    return target_of_file(key, &target) && !is_removable(key);
}

/* A new name of an editor may be put there. */
static gboolean
is_for_scratch(const NodeKey *folder, const char *name)
{
    EditTarget target;
    return scratch_is_scratch_name(name, target_of_new(folder, &target));
}

static gboolean
takes_new_file(const NodeKey *folder, const char *name)
{
    EditTarget target;
    return target_of_new(folder, &target) && folder->kind != NODE_STORIES &&
           folder->kind != NODE_EPICS && *name != '.';
}

/* --- Removing --- */

static gboolean
remove_thing(Op *op, CacheAsk *ask)
{
    return op->thing.kind == NODE_LINK ? move_out(op, &op->thing, ask)
                                       : removal_run(op, &op->thing, ask);
}

static gboolean
is_other_name_of_folder(const Named *named)
{
    return (named->is_tree && named->key.kind == NODE_ALIAS) ||
           (named->entry.what == SCRATCH_ALIAS && node_info(named->key.kind)->type == S_IFDIR);
}

/* On the way of an `rm -r .conflict`, which ends with the folder. */
static gboolean
is_conflict_side(NodeKind kind)
{
    return kind == NODE_STORY_CONFLICT_SIDE || kind == NODE_EPIC_CONFLICT_SIDE ||
           kind == NODE_PROJECT_CONFLICT_SIDE;
}

/* The first name of a comment, task or attachment is as good as its present one. Of a story it is
 * not: who removes a link to a folder does not mean the folder. */
static gboolean
run_unlink(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Named) named = {0};
    if (op->edit) {
        return remove_thing(op, ask);
    }
    if (!find(op, &op->key, op->name, ask, &named)) {
        return FALSE;
    }
    if (named.entry.what == SCRATCH_FILE) {
        draft_forget_new(named.entry.draft);
        (void)scratch_remove(fs->scratch, named.folder, op->name);
        return done(op);
    }
    if (!is_there(&named)) {
        return op_refuse(op, ENOENT);
    }
    if (is_other_name_of_folder(&named)) {
        return refuse(op, &named.key,
                      "this is another name of a folder: remove the folder that it leads to");
    }
    if (is_removable(&named.key) || named.key.kind == NODE_LINK) {
        op_keep_thing(op, &named.key);
        return remove_thing(op, ask);
    }
    if (named.key.kind == NODE_QUEUE_ITEM) {
        return cache_drop_edit(fs->cache, named.key.id, &ask->error) && done(op);
    }
    if (is_conflict_side(named.key.kind) ||
        (is_fixed_text(&named.key) && present_may_write(fs, &named.key))) {
        scratch_put_gap(fs->scratch, named.folder, op->name);
        return done(op);
    }
    return refuse(op, &named.key, "this cannot be removed");
}

/* Those that every story or epic has: on the way of an `rm -rf` to the story itself. */
static gboolean
is_fixed_folder(NodeKind kind)
{
    return kind == NODE_STORY_COMMENTS || kind == NODE_TASKS || kind == NODE_ATTACHMENTS ||
           kind == NODE_EPIC_COMMENTS || kind == NODE_EPIC_STORIES;
}

static gboolean
run_rmdir(Op *op, CacheAsk *ask)
{
    g_auto(Named) named = {0};
    if (op->edit) {
        return removal_run(op, &op->thing, ask);
    }
    if (!find(op, &op->key, op->name, ask, &named)) {
        return FALSE;
    }
    if (!is_there(&named)) {
        return op_refuse(op, ENOENT);
    }
    if (!named.is_tree || node_info(named.key.kind)->type != S_IFDIR) {
        return op_refuse(op, ENOTDIR);
    }
    if (is_removable(&named.key)) {
        op_keep_thing(op, &named.key);
        return removal_run(op, &op->thing, ask);
    }
    if (node_is_conflict(named.key.kind)) {
        EditOwner owner;
        gint64 id;
        (void)target_owner(&named.key, &owner, &id);
        if (!cache_drop_conflict(op->fs->cache, owner, id, &ask->error)) {
            return FALSE;
        }
        cache_refresh(op->fs->cache); /* the server's is newer than what is shown */
        return done(op);
    }
    if (op->fs->may_delete && is_fixed_folder(named.key.kind)) {
        scratch_put_gap(op->fs->scratch, named.folder, op->name);
        return done(op);
    }
    return refuse(op, &named.key, "this folder cannot be removed");
}

static gboolean
is_writable(fuse_req_t req, const char *name)
{
    const Fs *fs = fuse_req_userdata(req);
    const int code = fs->read_only                            ? EROFS
                     : name && strlen(name) > TREE_NAME_BYTES ? ENAMETOOLONG
                                                              : 0;
    if (code) {
        (void)fuse_reply_err(req, code);
    }
    return code == 0;
}

void
ops_unlink(fuse_req_t req, fuse_ino_t folder, const char *name)
{
    if (is_writable(req, name)) {
        op_go(op_begin(req, folder, run_unlink, name, NULL));
    }
}

void
ops_rmdir(fuse_req_t req, fuse_ino_t folder, const char *name)
{
    if (is_writable(req, name)) {
        op_go(op_begin(req, folder, run_rmdir, name, NULL));
    }
}

/* --- Renaming --- */

/* A copy of a file of the tree as a file of ours, under a name. */
static gboolean
copy_to_scratch(Op *op, const NodeKey *key, guint64 folder, const char *name, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    g_auto(Content) content = {0};
    if (!scene_gather(fs->book, key, node_needs(key), ask, &scene)) {
        return FALSE;
    }
    if (!present_content(fs, &scene, key, inode_number(fs->inodes, key), &content, NULL)) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    g_autoptr(Draft) draft = ops_new_draft(fs, 0644, FALSE, &ask->error);
    return draft && draft_write(draft, content.data, content.length, 0, FALSE, &ask->error) &&
           scratch_put_draft(fs->scratch, folder, name, draft, &ask->error);
}

/* A file of ours becomes the bytes of a file of the tree. */
static gboolean
rename_over(Op *op, const Named *from, const Named *to, CacheAsk *ask)
{
    Fs *fs = op->fs;
    if (!op->draft) {
        g_auto(Scene) scene = {0};
        g_auto(Content) present = {0};
        if (!present_may_write(fs, &to->key)) {
            return op_refuse(op, cache_may_write(fs->cache, to->key.project_id) ? EPERM : EACCES);
        }
        if (!scene_gather(fs->book, &to->key, node_needs(&to->key), ask, &scene)) {
            return FALSE;
        }
        const guint64 number = inode_number(fs->inodes, &to->key);
        if (!present_content(fs, &scene, &to->key, number, &present, NULL)) {
            return op_fail(ask, ERR_NOT_FOUND, "it is gone");
        }
        g_autoptr(GBytes) base = save_base(op, &to->key, number, &present);
        op->draft = draft_ref(from->entry.draft);
        draft_aim_at_file(op->draft, &to->key, base);
    }
    const gboolean exchanges = (op->flags & RENAME_EXCHANGE) != 0;
    if (exchanges && !op->edit && !op->old) {
        g_autoptr(GBytes) base = draft_base(op->draft);
        op->old = g_bytes_ref(base);
    }
    const SaveStep step = save_run(op, SAVE_EMPTIED, ask, &ask->error);
    if (step == SAVE_WAITS) {
        return FALSE;
    }
    if (step == SAVE_FAILED) {
        draft_aim_at_nothing(op->draft);
        return FALSE;
    }
    (void)scratch_remove(fs->scratch, from->folder, op->name);
    if (to->entry.what == SCRATCH_GAP) {
        (void)scratch_remove(fs->scratch, to->folder, op->other_name);
    }
    if (exchanges) {
        gsize length = 0;
        gconstpointer data = g_bytes_get_data(op->old, &length);
        g_autoptr(Draft) draft = ops_new_draft(fs, 0644, FALSE, &ask->error);
        if (!draft || !draft_write(draft, data, length, 0, FALSE, &ask->error) ||
            !scratch_put_draft(fs->scratch, from->folder, op->name, draft, &ask->error)) {
            return FALSE;
        }
        (void)done(op);
        notify_name(fs->notify, op->number, op->name);
        notify_name(fs->notify, op->other_number, op->other_name);
        return TRUE;
    }
    return done(op);
}

/* A file of ours becomes a thing of the tracker. */
static gboolean
rename_to_new(Op *op, const Named *from, CacheAsk *ask)
{
    Fs *fs = op->fs;
    if (!op->draft) {
        if (!present_may_write(fs, &op->other_key)) {
            return op_refuse(op, EACCES);
        }
        if (op->other_key.kind == NODE_ATTACHMENTS && !from->entry.draft->spool) {
            return op_refuse(op, EXDEV); /* mv(1) copies it then, as an upload */
        }
        op->draft = draft_ref(from->entry.draft);
        draft_aim_at_new(op->draft, &op->other_key, op->other_name);
    }
    const SaveStep step = save_run(op, SAVE_EMPTIED, ask, &ask->error);
    if (step == SAVE_WAITS) {
        return FALSE;
    }
    if (step == SAVE_FAILED) {
        draft_aim_at_nothing(op->draft);
        return FALSE;
    }
    (void)scratch_remove(fs->scratch, from->folder, op->name);
    return done(op);
}

static gboolean
move_alias(Op *op, const Named *from, const Named *to, CacheAsk *ask)
{
    if (!scratch_put_alias(op->fs->scratch, to->folder, op->other_name, &from->entry.key,
                           &ask->error)) {
        return FALSE;
    }
    (void)scratch_remove(op->fs->scratch, from->folder, op->name);
    return done(op);
}

static gboolean
move_scratch(Op *op, const Named *from, const Named *to, CacheAsk *ask)
{
    Fs *fs = op->fs;
    const gboolean exchanges = (op->flags & RENAME_EXCHANGE) != 0;
    if (from->entry.draft == to->entry.draft) {
        return done(op); /* two names of one file: rename(2) does nothing */
    }
    if (!scratch_put_draft(fs->scratch, to->folder, op->other_name, from->entry.draft,
                           &ask->error)) {
        return FALSE;
    }
    if (!exchanges) {
        (void)scratch_remove(fs->scratch, from->folder, op->name);
        return done(op);
    }
    return scratch_put_draft(fs->scratch, from->folder, op->name, to->entry.draft, &ask->error) &&
           done(op);
}

static gboolean
rename_ours(Op *op, const Named *from, const Named *to, CacheAsk *ask)
{
    if (from->entry.what == SCRATCH_ALIAS) {
        const NodeKind of = from->entry.key.of;
        if (is_there(to)) {
            return op_refuse(op, EEXIST);
        }
        if (of == NODE_STORY || of == NODE_EPIC) {
            NodeKey thing = from->entry.key;
            op_resolve(op->fs, &thing);
            thing.kind = of;
            thing.of = NODE_NONE;
            op_keep_thing(op, &thing);
            return move_run(op, &op->thing, NULL, ask);
        }
        return move_alias(op, from, to, ask);
    }
    if (to->is_tree || to->entry.what == SCRATCH_ALIAS) {
        return target_is_file(&to->key) && from->entry.draft->body
                   ? rename_over(op, from, to, ask)
                   : refuse(op, &op->other_key, "this cannot be replaced by a file");
    }
    if (to->entry.what == SCRATCH_FILE || is_for_scratch(&op->other_key, op->other_name)) {
        return move_scratch(op, from, to, ask);
    }
    if (takes_new_file(&op->other_key, op->other_name) && from->entry.draft->body) {
        return rename_to_new(op, from, ask);
    }
    return refuse(op, &op->other_key, "nothing of this name belongs here");
}

static gboolean
run_rename(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Named) from = {0};
    g_auto(Named) to = {0};
    if (op->edit && !op->draft) {
        return move_run(op, &op->thing, NULL, ask);
    }
    if (!find(op, &op->key, op->name, ask, &from) ||
        !find(op, &op->other_key, op->other_name, ask, &to)) {
        return FALSE;
    }
    if (!is_there(&from) || ((op->flags & RENAME_EXCHANGE) && !is_there(&to))) {
        return op_refuse(op, ENOENT);
    }
    if ((op->flags & RENAME_NOREPLACE) && is_there(&to)) {
        return op_refuse(op, EEXIST);
    }
    if (from.entry.what != SCRATCH_NONE && from.entry.what != SCRATCH_GAP) {
        return rename_ours(op, &from, &to, ask);
    }
    if (is_fixed_text(&from.key) && (op->flags & RENAME_EXCHANGE) && to.entry.draft) {
        g_autofree char *name = op->name; /* the same from the other side */
        op->name = g_steal_pointer(&op->other_name);
        op->other_name = g_steal_pointer(&name);
        const NodeKey key = op->key;
        op->key = op->other_key;
        op->other_key = key;
        const guint64 number = op->number;
        op->number = op->other_number;
        op->other_number = number;
        return rename_over(op, &to, &from, ask);
    }
    if (target_is_file(&from.key) && is_for_scratch(&op->other_key, op->other_name)) {
        if (!copy_to_scratch(op, &from.key, to.folder, op->other_name, ask)) {
            return FALSE;
        }
        scratch_put_gap(fs->scratch, from.folder, op->name);
        (void)done(op);
        notify_name(fs->notify, op->other_number, op->other_name);
        return TRUE;
    }
    op_keep_thing(op, &from.key);
    return move_run(op, &op->thing, to.is_tree ? &to.key : NULL, ask);
}

void
ops_rename(fuse_req_t req, fuse_ino_t folder, const char *name, fuse_ino_t new_folder,
           const char *new_name, unsigned flags)
{
    if (!is_writable(req, new_name)) {
        return;
    }
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)) {
        (void)fuse_reply_err(req, EINVAL);
        return;
    }
    Op *op = op_begin(req, folder, run_rename, name, NULL);
    if (op && op_set_other(op, new_folder, new_name)) {
        op->flags = flags;
        op_go(op);
    }
}

/* --- Links --- */

static gboolean
run_link(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Named) to = {0};
    if (!find(op, &op->other_key, op->other_name, ask, &to)) {
        return FALSE;
    }
    if (is_there(&to)) {
        return op_refuse(op, EEXIST);
    }
    if (!is_for_scratch(&op->other_key, op->other_name)) {
        return refuse(op, &op->other_key, "a hard link can only be an editor's file");
    }
    if (op->key.kind != NODE_SCRATCH) {
        if (!target_is_file(&op->key)) {
            return op_refuse(op, EPERM);
        }
        if (!copy_to_scratch(op, &op->key, to.folder, op->other_name, ask)) {
            return FALSE;
        }
        g_auto(ScratchEntry) made = {0};
        if (!scratch_find(fs->scratch, to.folder, op->other_name, &made)) {
            return op_refuse(op, ENOENT);
        }
        ops_answer_draft(op, made.draft);
        return TRUE;
    }
    g_autoptr(Draft) draft = draft_table_find(fs->drafts, op->number);
    if (!draft) {
        return op_refuse(op, ESTALE);
    }
    if (!scratch_put_draft(fs->scratch, to.folder, op->other_name, draft, &ask->error)) {
        return FALSE;
    }
    ops_answer_draft(op, draft);
    return TRUE;
}

void
ops_link(fuse_req_t req, fuse_ino_t number, fuse_ino_t folder, const char *name)
{
    if (!is_writable(req, name)) {
        return;
    }
    Op *op = op_begin(req, number, run_link, NULL, NULL);
    if (op && op_set_other(op, folder, name)) {
        op_go(op);
    }
}

static gboolean
run_symlink(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Named) named = {0};
    if (!find(op, &op->key, op->name, ask, &named)) {
        return FALSE;
    }
    if (is_there(&named) && !op->edit) {
        return op_refuse(op, EEXIST);
    }
    if (!is_for_scratch(&op->key, op->name)) {
        return move_link(op, ask);
    }
    g_autoptr(Draft) draft = ops_new_link(fs, op->other_name);
    if (!scratch_put_draft(fs->scratch, named.folder, op->name, draft, &ask->error)) {
        return FALSE;
    }
    ops_answer_draft(op, draft);
    return TRUE;
}

void
ops_symlink(fuse_req_t req, const char *target, fuse_ino_t folder, const char *name)
{
    if (!is_writable(req, name)) {
        return;
    }
    Op *op = op_begin(req, folder, run_symlink, name, NULL);
    if (op) {
        op->other_name = g_strdup(target);
        op_go(op);
    }
}

/* --- New stories and epics --- */

static gboolean
run_mkdir(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    EditTarget target;
    g_auto(Scene) scene = {0};
    struct fuse_entry_param entry = {0};
    if (!op->edit) {
        g_auto(Named) named = {0};
        if (!find(op, &op->key, op->name, ask, &named)) {
            return FALSE;
        }
        if (is_there(&named)) {
            return op_refuse(op, EEXIST);
        }
    }
    if (!target_of_new(&op->key, &target) || takes_new_file(&op->key, "a")) {
        return refuse(op, &op->key,
                      "a new folder can only be a story in stories/ or an epic in "
                      "epics/");
    }
    if (!present_may_write(fs, &op->key)) {
        return op_refuse(op, EACCES);
    }
    target.name = op->name;
    if (op->made_id == 0 && save_change(op, &target, NULL, ask, &ask->error) != SAVE_DONE) {
        return FALSE;
    }
    const NodeKey made = target_made(&op->key, op->made_id);
    if (!scene_gather(fs->book, &made, node_needs(&made), ask, &scene)) {
        return FALSE;
    }
    entry.ino = inode_intern(fs->inodes, &made);
    if (!present_stat(fs, &scene, &made, entry.ino, &entry.attr)) {
        op_forget(fs, entry.ino, 1);
        return op_fail(ask, ERR_NOT_FOUND, "it is gone again");
    }
    (void)scratch_put_alias(fs->scratch, inode_number(fs->inodes, &op->key), op->name, &made, NULL);
    op_answering(op);
    if (!reply_entry(&op->reply, &entry)) {
        op_forget(fs, entry.ino, 1);
    }
    return TRUE;
}

void
ops_mkdir(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode)
{
    (void)mode;
    if (is_writable(req, name)) {
        op_go(op_begin(req, folder, run_mkdir, name, NULL));
    }
}

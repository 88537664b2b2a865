/* The copy in the trash is a folder TIME-NUMBER-NAME with the same files as in the tree: it can be
 * read, searched, and copied back by hand. It is written before the edit is submitted, and synced.
 * Attachments that were never fetched are fetched first: the operation waits for them, and if they
 * cannot be had, nothing is removed.
 *
 * The trash is kept within its bounds (fs/trash.h) when a mount that may remove begins, and by the
 * removals: how much is in it is known from the last pruning on, so that a removal does not walk
 * through all of it. */
#include "fs/removal.h"

#include "cache/base/clock.h"
#include "cache/base/lock.h"
#include "fs/list.h"
#include "fs/save.h"
#include "fs/target.h"
#include "fs/trash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PRUNE_MS ((gint64)24 * 60 * 60 * 1000)

struct Removals {
    char *trash; /* const after new */
    pthread_mutex_t lock;
    gint64 times_ms[REMOVAL_GUARD]; /* of the latest, a ring; protected by lock, like the next */
    guint n;
    gint64 trash_bytes, pruned_ms; /* as of the last pruning, and what came since */
};

/* No lock is held: two at once drop the same. */
static gint64
prune(Removals *removals)
{
    const gint64 bytes = trash_prune(removals->trash, clock_wall_ms());
    LOCK_SCOPE(&removals->lock);
    removals->trash_bytes = bytes;
    removals->pruned_ms = clock_monotonic_ms();
    return bytes;
}

Removals *
removals_new(const char *trash)
{
    Removals *removals = g_new0(Removals, 1);
    removals->trash = g_strdup(trash);
    (void)pthread_mutex_init(&removals->lock, NULL);
    if (trash) {
        (void)prune(removals);
    }
    return removals;
}

void
removals_free(Removals *removals)
{
    if (!removals) {
        return;
    }
    g_free(removals->trash);
    (void)pthread_mutex_destroy(&removals->lock);
    g_free(removals);
}

/* Counts one more; FALSE: that is too many. `ret_number`: of the removal since the start. */
static gboolean
pass_guard(Removals *removals, guint *ret_number)
{
    const gint64 now_ms = clock_monotonic_ms();
    LOCK_SCOPE(&removals->lock);
    gint64 *slot = &removals->times_ms[removals->n % REMOVAL_GUARD];
    if (removals->n >= REMOVAL_GUARD && now_ms - *slot < REMOVAL_GUARD_MS) {
        return FALSE;
    }
    *slot = now_ms;
    *ret_number = ++removals->n;
    return TRUE;
}

/* --- The copy --- */

static gboolean
local_error(GError **error, const char *path)
{
    const int code = errno;
    g_set_error(error, ERR, code == ENOSPC ? ERR_NO_SPACE : ERR_LOCAL, "trash: %s: %s", path,
                g_strerror(code));
    return FALSE;
}

static gboolean
write_all(int fd, const char *data, gsize length)
{
    while (length > 0) {
        const ssize_t n = write(fd, data, length);
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        data += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
    return TRUE;
}

static gboolean
copy_all(int fd, int from)
{
    char buffer[65536];
    off_t at = 0;
    for (;;) {
        const ssize_t n = pread(from, buffer, sizeof(buffer), at);
        if (n == 0) {
            return TRUE;
        }
        if (n < 0 || !write_all(fd, buffer, (gsize)n)) {
            return FALSE;
        }
        at += n;
    }
}

/* `from` -1: the bytes of `content`. */
static gboolean
write_file(const char *path, const Content *content, int from, GError **error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return local_error(error, path);
    }
    const gboolean written =
        (from < 0 ? write_all(fd, content->data, content->length) : copy_all(fd, from)) &&
        fsync(fd) == 0;
    const gboolean ok = written || local_error(error, path);
    return close(fd) == 0 ? ok : local_error(error, path);
}

static gboolean write_folder(Fs *fs, const Scene *scene, const NodeKey *folder, const char *path,
                             CacheAsk *ask);

static gboolean
write_node(Fs *fs, const Scene *scene, const NodeKey *key, const char *path, CacheAsk *ask)
{
    g_auto(Content) content = {0};
    switch (node_info(key->kind)->type) {
    case S_IFDIR:
        return write_folder(fs, scene, key, path, ask);
    case S_IFLNK:
        return TRUE;
    default:
        break;
    }
    if (key->kind == NODE_ATTACHMENT) {
        const int from = cache_open_attachment(fs->cache, scene_attachment(scene, key), ask);
        if (from < 0) {
            return FALSE;
        }
        const gboolean written = write_file(path, NULL, from, &ask->error);
        (void)close(from);
        return written;
    }
    return scene_content(scene, key, &content) && write_file(path, &content, -1, &ask->error);
}

static gboolean
write_folder(Fs *fs, const Scene *scene, const NodeKey *folder, const char *path, CacheAsk *ask)
{
    g_auto(Listing) listing = {0};
    if (!list_folder(scene, folder, &listing)) {
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    if (g_mkdir_with_parents(path, 0700) != 0) {
        return local_error(&ask->error, path);
    }
    for (guint i = 0; i < listing.entries->len; i++) {
        const ListEntry *entry = &g_array_index(listing.entries, ListEntry, i);
        g_autofree char *below = g_build_filename(path, entry->name, NULL);
        if (!write_node(fs, scene, &entry->key, below, ask)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* TRUE when all attachments are at hand; else `ask` has the first that is not. */
static gboolean
fetch_attachments(Fs *fs, const Scene *scene, CacheAsk *ask)
{
    for (guint i = 0; scene->story && i < scene->story->n_attachments; i++) {
        const int fd = cache_open_attachment(fs->cache, &scene->story->attachments[i], ask);
        if (fd < 0) {
            return FALSE;
        }
        (void)close(fd);
    }
    return TRUE;
}

/* FALSE: what was removed of late alone is too much, and the copy at `path` is dropped again. */
static gboolean
fits_in_trash(Removals *removals, const char *path)
{
    const gint64 bytes = trash_measure(path);
    gint64 all;
    gboolean is_due;
    {
        LOCK_SCOPE(&removals->lock);
        all = removals->trash_bytes += bytes;
        is_due = all > TRASH_MAX_BYTES || clock_monotonic_ms() - removals->pruned_ms > PRUNE_MS;
    }
    if (!is_due || prune(removals) <= TRASH_MAX_BYTES) {
        return TRUE;
    }
    trash_drop(path);
    LOCK_SCOPE(&removals->lock);
    removals->trash_bytes -= bytes;
    return FALSE;
}

/* Writes the copy, or says in `ask` why not; then what there is of it may be dropped. */
static gboolean
write_copy(Fs *fs, const Scene *scene, const NodeKey *what, const char *path, CacheAsk *ask)
{
    if (what->kind != NODE_STORY_JSON) {
        return write_folder(fs, scene, what, path, ask);
    }
    g_autofree char *file = g_build_filename(path, "story.json", NULL);
    if (g_mkdir_with_parents(path, 0700) != 0) {
        return local_error(&ask->error, path);
    }
    return write_node(fs, scene, what, file, ask);
}

gboolean
removal_copy(Op *op, const NodeKey *key, CacheAsk *ask)
{
    Fs *fs = op->fs;
    EditOwner owner;
    gint64 id;
    g_auto(Scene) scene = {0};
    (void)target_owner(key, &owner, &id);
    const gboolean is_whole = key->kind != NODE_LINK;
    const NodeKey whole = {.kind = owner == EDIT_OF_EPIC ? NODE_EPIC : NODE_STORY,
                           .project_id = key->project_id,
                           .id = id};
    if (!scene_gather(fs->book, &whole, list_needs(&whole), ask, &scene) ||
        (is_whole && !fetch_attachments(fs, &scene, ask))) {
        return FALSE;
    }
    g_autofree char *name =
        owner == EDIT_OF_EPIC ? scene_epic_name(&scene, id) : scene_story_name(&scene, id);
    g_autofree char *time = trash_time(clock_wall_ms());
    g_autofree char *folder =
        g_strdup_printf("%s-%d-%u-%s", time, (int)getpid(), op->serial, name ? name : "gone");
    g_autofree char *path = g_build_filename(fs->removals->trash, folder, NULL);
    const NodeKey record = {.kind = NODE_STORY_JSON, .project_id = key->project_id, .id = id};
    if (!write_copy(fs, &scene, is_whole ? &whole : &record, path, ask)) {
        trash_drop(path);
        return FALSE;
    }
    if (!fits_in_trash(fs->removals, path)) {
        save_refuse(
            fs, key,
            "field: %s\nrule: what is removed is copied to %s first, which is full of what was "
            "removed in the last %d hours: nothing more is removed until some of it is gone",
            op->name, fs->removals->trash, TRASH_SURE_HOURS);
        return op_fail(ask, ERR_NO_SPACE, "the trash is full");
    }
    return TRUE;
}

/* --- The removal --- */

static gboolean
refuse(Op *op, const NodeKey *key, const char *rule)
{
    save_refuse(op->fs, key, "field: %s\nrule: %s", op->name, rule);
    return op_refuse(op, EPERM);
}

gboolean
removal_is_refused(Op *op, const NodeKey *key)
{
    Fs *fs = op->fs;
    if (!fs->may_delete || !fs->removals->trash) {
        return refuse(op, key,
                      "this mount removes nothing from the server: mount with -o delete; to put a "
                      "file in the "
                      "place of another use cp (mv from another file system removes it first)");
    }
    if (!cache_may_write(fs->cache, key->project_id)) {
        return op_refuse(op, EACCES);
    }
    if (!op->edit && !op->serial && !pass_guard(fs->removals, &op->serial)) {
        return refuse(op, key, "more than 20 removals a minute: stopped, try again later");
    }
    return FALSE;
}

gboolean
removal_run(Op *op, const NodeKey *key, CacheAsk *ask)
{
    EditTarget target;
    (void)target_of_removal(key, &target);
    if (removal_is_refused(op, key)) {
        return TRUE;
    }
    if (!op->edit && !removal_copy(op, key, ask)) {
        return FALSE;
    }
    if (save_change(op, &target, NULL, ask, &ask->error) != SAVE_DONE) {
        return FALSE;
    }
    op_answering(op);
    reply_code(&op->reply, 0);
    return TRUE;
}

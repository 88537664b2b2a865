/* The life of an operation:
 *
 *     begin --> step --> answered: end
 *                |  \--> error: answer it, end
 *                |
 *                \--> must wait: park --(ended)------> step
 *                                    --(deadline, old data)--> step with takes_stale
 *                                    --(deadline, none)--> ETIMEDOUT
 *                                    --(interrupted, stopped)--> EINTR
 *
 * A wait that failed is followed by one more step that takes old data; if that would wait for the
 * same thing again, the failure is the answer. So an unreachable server costs one attempt, not a
 * loop.
 *
 * Interrupts. libfuse calls interrupted() with a lock of the request held, possibly while we
 * answer. So the function is taken away before answering: fuse_req_interrupt_func() waits for a
 * call that is under way, and afterwards nobody has a pointer to the Op. interrupted() only marks;
 * the park's thread answers. */
#include "fs/op.h"

#include "cache/base/clock.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"

#include <errno.h>
#include <string.h>

#include "fs/target.h"

#define STAT_BLOCK_BYTES 512
#define IO_BLOCK_BYTES 4096
/* A timeout in seconds beyond which nothing is gained. */
#define TIMEOUT_MAX_S 86400.0
/* Of a size that is not the present one. */
#define CLAIMED_TIMEOUT_S 1.0

void
op_resolve(Fs *fs, NodeKey *key)
{
    if (edit_id_is_provisional(key->id)) {
        key->id = cache_resolve_id(fs->cache, key->id);
    }
    if (edit_id_is_provisional(key->sub)) {
        key->sub = cache_resolve_id(fs->cache, key->sub);
    }
}

gboolean
op_find_own(Fs *fs, const NodeKey *folder, const char *name, ScratchEntry *ret_entry)
{
    if (scratch_find(fs->scratch, inode_number(fs->inodes, folder), name, ret_entry)) {
        return TRUE;
    }
    NodeKey made;
    if (!target_former(folder, name, &made)) {
        return FALSE;
    }
    const NodeKey former = made;
    op_resolve(fs, &made);
    if (made.id == former.id && made.sub == former.sub) {
        return FALSE; /* it still is its name, or never was one */
    }
    made.of = made.kind;
    made.kind = NODE_ALIAS;
    *ret_entry = (ScratchEntry){.what = SCRATCH_ALIAS, .key = made};
    return TRUE;
}

Op *
op_begin(fuse_req_t req, guint64 number, OpRunFn run, const char *name,
         const struct fuse_file_info *info)
{
    Fs *fs = fuse_req_userdata(req);
    Op *op = g_new0(Op, 1);
    atomic_fetch_add(&fs->kernel_requests, 1);
    reply_init(&op->reply, req);
    op->fs = fs;
    op->run = run;
    op->number = number;
    op->since_ms = clock_monotonic_ms();
    op->takes_stale = op->since_ms < atomic_load(&fs->impatient_until_ms);
    op->patience_ms = OP_PATIENCE_MS;
    if (!inode_get(fs->inodes, number, &op->key, &op->key_name)) {
        reply_code(&op->reply, ENOENT);
        g_free(op);
        return NULL;
    }
    op_resolve(fs, &op->key);
    op->asker = (gint64)fuse_req_ctx(req)->pid;
    op->name = g_strdup(name);
    if (info) {
        op->info = *info;
    }
    return op;
}

static void
op_free(Op *op)
{
    g_clear_error(&op->failure);
    draft_unref(op->draft);
    g_clear_pointer(&op->mine, g_bytes_unref);
    g_clear_pointer(&op->old, g_bytes_unref);
    g_free(op->key_name);
    g_free(op->name);
    g_free(op->other_key_name);
    g_free(op->other_name);
    g_free(op->thing_name);
    g_free(op);
}

gboolean
op_set_other(Op *op, guint64 number, const char *name)
{
    op->other_number = number;
    op->other_name = g_strdup(name);
    if (!inode_get(op->fs->inodes, number, &op->other_key, &op->other_key_name)) {
        reply_code(&op->reply, ENOENT);
        op_free(op);
        return FALSE;
    }
    op_resolve(op->fs, &op->other_key);
    return TRUE;
}

static void
stop_watching(Op *op)
{
    if (op->is_watching) {
        fuse_req_interrupt_func(op->reply.req, NULL, NULL);
        op->is_watching = FALSE;
    }
}

static void
end_with(Op *op, const GError *error)
{
    stop_watching(op);
    if (!g_error_matches(error, ERR, ERR_NOT_FOUND)) {
        log_debug(LOG_FS, "request %" G_GUINT64_FORMAT " on node %" G_GINT64_MODIFIER "x: %s",
                  (guint64)fuse_req_ctx(op->reply.req)->pid, op->number, error->message);
    }
    reply_error(&op->reply, error);
    op_free(op);
}

static void
end_with_code(Op *op, ErrCode code, const char *message)
{
    g_autoptr(GError) error = g_error_new_literal(ERR, (int)code, message);
    end_with(op, error);
}

static void
interrupted(fuse_req_t req, void *user)
{
    (void)req;
    Op *op = user;
    park_interrupt(op->fs->park, &op->item);
}

static void
count_waiting(Fs *fs, guint64 number, int by)
{
    LOCK_SCOPE(&fs->waiting_lock);
    const int n = GPOINTER_TO_INT(g_hash_table_lookup(fs->waiting, &number)) + by;
    if (n > 0) {
        (void)g_hash_table_insert(fs->waiting, g_memdup2(&number, sizeof number),
                                  GINT_TO_POINTER(n));
    } else {
        (void)g_hash_table_remove(fs->waiting, &number);
    }
}

gboolean
op_waits_in(guint64 number, gpointer user)
{
    Fs *fs = user;
    LOCK_SCOPE(&fs->waiting_lock);
    return g_hash_table_contains(fs->waiting, &number);
}

static void resume(ParkItem *item, ParkReason reason, const GError *error);

static void
park(Op *op, const CacheAsk *ask)
{
    Fs *fs = op->fs;
    op->waits_as_stale = ask->have_stale && !op->takes_stale;
    const gint64 deadline_ms = op->waits_as_stale
                                   ? ask->wait_since_ms + MIN(op->patience_ms, fs->timeout_ms)
                                   : op->since_ms + fs->timeout_ms;
    if (!op->is_watching) {
        op->is_watching = TRUE;
        fuse_req_interrupt_func(op->reply.req, interrupted, op);
    }
    const gint64 until_ms = op->wait_until_ms ? op->wait_until_ms : deadline_ms;
    const guint64 number = op->number;
    const guint64 other = op->other_number;
    count_waiting(fs, number, 1);
    if (other) {
        count_waiting(fs, other, 1);
    }
    const ParkVerdict verdict = park_add(fs->park, &op->item, ask->wait_for, until_ms, resume);
    if (verdict != PARK_TAKEN) {
        count_waiting(fs, number, -1);
        if (other) {
            count_waiting(fs, other, -1);
        }
    }
    switch (verdict) {
    case PARK_TAKEN:
        return;
    case PARK_FULL:
        end_with_code(op, ERR_RATE_LIMITED, "too many operations wait");
        return;
    case PARK_CLOSED:
        end_with_code(op, ERR_CANCELLED, "the mount is ending");
        return;
    }
}

static void
step(Op *op)
{
    CacheAsk ask = {.since_ms = op->since_ms, .stale_ok = op->takes_stale || op->shows_names};
    Grace *grace = op->fs->grace;
    const guint side = grace_enter(grace);
    const gboolean answered = op->run(op, &ask);
    grace_leave(grace, side);
    if (answered) {
        op_free(op);
        return;
    }
    if (ask.error) {
        g_autoptr(GError) error = ask.error;
        end_with(op, error);
    } else if (op->failure && op->failed_key.kind == ask.wait_for.kind &&
               op->failed_key.id == ask.wait_for.id) {
        g_autoptr(GError) failure = g_steal_pointer(&op->failure);
        end_with(op, failure);
    } else {
        g_assert(ask.wait_for.kind != CACHE_NOTHING);
        park(op, &ask);
    }
}

/* On the park's thread, no lock held. */
static void
resume(ParkItem *item, ParkReason reason, const GError *error)
{
    Op *op = (Op *)item;
    count_waiting(op->fs, op->number, -1);
    if (op->other_number) {
        count_waiting(op->fs, op->other_number, -1);
    }
    if (op->wait_until_ms) {
        /* A save: it goes on without us, and says itself what has become of it. */
        op->is_late = reason != PARK_ENDED;
        op->wait_until_ms = 0;
        park_pardon(op->fs->park, item);
        step(op);
        return;
    }
    switch (reason) {
    case PARK_INTERRUPTED:
    case PARK_STOPPED:
        end_with_code(op, ERR_CANCELLED, "interrupted");
        return;
    case PARK_DEADLINE:
        if (!op->waits_as_stale) {
            end_with_code(op, ERR_TIMEOUT, "no answer in time");
            return;
        }
        op->takes_stale = TRUE;
        if (op->patience_ms == OP_PATIENCE_MS) {
            atomic_store(&op->fs->impatient_until_ms, clock_monotonic_ms() + OP_IMPATIENT_MS);
        }
        break;
    case PARK_ENDED:
        g_clear_error(&op->failure);
        if (error) {
            op->failure = g_error_copy(error);
            op->failed_key = item->key;
            op->takes_stale = TRUE;
        } else {
            atomic_store(&op->fs->impatient_until_ms, 0);
        }
        break;
    }
    step(op);
}

void
op_go(Op *op)
{
    if (op) {
        step(op);
    }
}

void
op_go_for_names(Op *op)
{
    if (op) {
        op->shows_names = TRUE;
        step(op);
    }
}

void
op_go_for_attributes(Op *op)
{
    if (op) {
        op->takes_stale = TRUE;
        step(op);
    }
}

gboolean
op_awaits(Op *op, const CacheAsk *ask, gint64 patience_ms)
{
    op->patience_ms = patience_ms;
    return !op->takes_stale && patience_ms > 0 && ask->wait_for.kind != CACHE_NOTHING &&
           clock_monotonic_ms() < ask->wait_since_ms + patience_ms;
}

gint64
op_names_patience_ms(const Op *op)
{
    Fs *fs = op->fs;
    const gboolean is_corrected =
        !atomic_load(&fs->without_opens) && cache_is_watched(fs->cache, op->key.project_id);
    return is_corrected ? 0 : OP_BRIEF_PATIENCE_MS;
}

void
op_answering(Op *op)
{
    stop_watching(op);
}

gboolean
op_fail(CacheAsk *ask, ErrCode code, const char *message)
{
    ask->error = g_error_new_literal(ERR, (int)code, message);
    return FALSE;
}

void
op_forget(Fs *fs, guint64 number, guint64 n)
{
    if (inode_forget(fs->inodes, number, n)) {
        version_unpin(fs->versions, number);
    }
}

gboolean
op_set_version(Fs *fs, const Scene *scene, NodeKey *key)
{
    return !atomic_load(&fs->without_opens) || version_of(scene, key);
}

void
op_keep_thing(Op *op, const NodeKey *key)
{
    char *name = g_strdup(key->name);
    g_free(op->thing_name);
    op->thing = *key;
    op->thing.name = op->thing_name = name;
}

gboolean
op_refuse(Op *op, int code)
{
    stop_watching(op);
    reply_code(&op->reply, code);
    return TRUE;
}

void
op_tell_size(Fs *fs, guint64 number, struct stat *attributes, double *timeout)
{
    const gint64 size = inode_tell_size(fs->inodes, number, attributes->st_size);
    if (size != attributes->st_size && !draft_table_has(fs->drafts, number)) {
        attributes->st_size = size;
        *timeout = MIN(*timeout, CLAIMED_TIMEOUT_S);
    }
}

static struct timespec
time_of_ms(gint64 ms)
{
    ms = MAX(ms, 0);
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

static struct timespec
listing_time(const Facts *facts)
{
    struct timespec time = time_of_ms(facts->changed_ms);
    if (facts->changed_ns > 0) {
        time.tv_nsec = (long)facts->changed_ns;
    }
    return time;
}

void
op_fill_stat(Fs *fs, const NodeKey *key, guint64 number, const Facts *facts, struct stat *ret_stat)
{
    const mode_t type = node_info(key->kind)->type;
    *ret_stat = (struct stat){
        .st_ino = number,
        .st_nlink = facts->n_links,
        .st_uid = fs->uid,
        .st_gid = fs->gid,
        .st_size = (off_t)facts->size,
        .st_blksize = IO_BLOCK_BYTES,
        .st_blocks = (blkcnt_t)((facts->size + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES),
        .st_mtim = listing_time(facts),
        .st_ctim = time_of_ms(facts->changed_ms),
        .st_atim = time_of_ms(facts->changed_ms),
    };
    if (type == S_IFLNK) {
        ret_stat->st_mode = type | 0777;
    } else if (key->kind == NODE_REFRESH) {
        ret_stat->st_mode = type | (0644U & ~fs->umask); /* to be touched */
    } else {
        ret_stat->st_mode = type | ((type == S_IFDIR ? 0555U : 0444U) & ~fs->umask);
    }
}

/* What is told to the kernel when it changes may stay there for long. The others change without a
 * publication, or under names that nobody remembers: histories when they are fetched, aliases with
 * their story. */
static gboolean
is_told(NodeKind kind)
{
    return kind != NODE_ALIAS && kind != NODE_STORY_NEXT_STATES &&
           !(node_info(kind)->needs & NEED_ACTIVITY);
}

double
op_timeout(Fs *fs, const NodeKey *key)
{
    if (node_info(key->kind)->needs & (NEED_STATUS | NEED_REQUESTS | NEED_EVENTS | NEED_EDITS)) {
        return 0;
    }
    if (key->kind == NODE_CONTROL || key->kind == NODE_REFRESH) {
        return TIMEOUT_MAX_S;
    }
    if (is_told(key->kind) && cache_is_watched(fs->cache, key->project_id)) {
        return TIMEOUT_MAX_S;
    }
    const gint64 until_ms = cache_fresh_until_ms(fs->cache, key->project_id);
    /* Real time, because the kernel counts it: a test clock that is moved must not be outrun by it.
     */
    return until_ms <= 0 ? 0 : MIN((double)clock_wait_ms(until_ms) / 1000.0, TIMEOUT_MAX_S);
}

/* The base. What a writer changed is the difference to what it read, so a draft knows its base
 * (recall.h). Where the present bytes are a saver's own that stand in for the server's (a pin), the
 * server's are the base for texts, or every save would look like a change of what only differs in
 * its last newline; records are compared with what was really read, since the server changes other
 * attributes of them at each save.
 *
 * Afterwards. What was saved is pinned, so that the writer finds its bytes and its time; not if the
 * save was merged with someone else's change, as then the writer's bytes are not what there is. */
#include "fs/save.h"

#include "cache/base/clock.h"
#include "cache/base/digest.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"
#include "fs/present.h"
#include "fs/target.h"

#include <string.h>

#define DISK_STEP_MS 10

void
save_refuse(Fs *fs, const NodeKey *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    EditOwner owner;
    gint64 id;
    if (target_owner(key, &owner, &id)) {
        cache_set_error(fs->cache, owner, id, message);
    }
}

static Text
text_of(GBytes *bytes)
{
    gsize length = 0;
    gconstpointer data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
    return (Text){.data = (char *)(guintptr)data, .length = length};
}

static gboolean
same_bytes(const Content *content, GBytes *bytes)
{
    gsize length = 0;
    gconstpointer data = g_bytes_get_data(bytes, &length);
    return length == content->length && (length == 0 || memcmp(data, content->data, length) == 0);
}

/* The scene of a node, from what is at hand. */
static gboolean
look(Fs *fs, const NodeKey *key, Scene *ret_scene)
{
    CacheAsk ask = {.since_ms = clock_monotonic_ms(), .stale_ok = TRUE};
    const gboolean seen = scene_gather(fs->book, key, node_needs(key), &ask, ret_scene);
    g_clear_error(&ask.error);
    return seen;
}

/* A line in `.fields` is not edited but set, by a shell that may have set it before. */
static gboolean
is_set_at_once(const NodeKey *key)
{
    return key->kind == NODE_STORY_FIELD || key->kind == NODE_EPIC_FIELD ||
           key->kind == NODE_PROJECT_FIELD;
}

GBytes *
save_base(Op *op, const NodeKey *key, guint64 number, const Content *present)
{
    GBytes *seen = is_set_at_once(key) ? NULL : recall_seen(op->fs->recall, number, op->asker);
    if (!seen && target_is_record(key)) {
        /* One program read it and another writes what came out, as in `jq ... >new; mv new`. */
        seen = recall_seen_by_anyone(op->fs->recall, number);
    }
    return seen ? seen : g_bytes_new(present->data, present->length);
}

/* The base as the cache wants it. Sets op->is_merged. */
static GBytes *
base_for_cache(Op *op, const NodeKey *key, guint64 number)
{
    g_auto(Scene) scene = {0};
    g_auto(Content) present = {0};
    g_auto(Content) own = {0};
    GBytes *base = draft_base(op->draft);
    op->is_merged = FALSE;
    if (!base || !look(op->fs, key, &scene) ||
        !present_content(op->fs, &scene, key, number, &present, NULL) ||
        !scene_content(&scene, key, &own)) {
        return base;
    }
    if (!same_bytes(&present, base)) {
        op->is_merged = TRUE;
        return base;
    }
    if (target_is_record(key)) {
        return base;
    }
    g_bytes_unref(base);
    return g_bytes_new(own.data, own.length);
}

/* What the draft is for, at this moment. */
typedef struct Aim {
    DraftPurpose purpose;
    NodeKey key; /* `name` is `key_name` */
    char *key_name, *new_name;
} Aim;

static void
aim_clear(Aim *aim)
{
    g_free(aim->key_name);
    g_free(aim->new_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Aim, aim_clear)

static void
get_aim(Draft *draft, Aim *ret_aim)
{
    LOCK_SCOPE(&draft->lock);
    *ret_aim = (Aim){.purpose = draft->purpose,
                     .key = draft->target,
                     .key_name = g_strdup(draft->target.name),
                     .new_name = g_strdup(draft->new_name)};
    ret_aim->key.name = ret_aim->key_name;
}

/* After a save the next one of this process is compared with what it wrote. */
static void
remember(Op *op, const Aim *aim, GBytes *mine)
{
    Fs *fs = op->fs;
    const guint64 number = inode_number(fs->inodes, &aim->key);
    g_autoptr(GBytes) seen = recall_seen(fs->recall, number, op->asker);
    if (seen) { /* an editor; a shell that only writes has nothing in mind that it read */
        recall_read(fs->recall, number, op->asker, mine);
    }
    g_auto(Scene) scene = {0};
    g_auto(Content) own = {0};
    if (op->is_merged || !look(fs, &aim->key, &scene) || !scene_content(&scene, &aim->key, &own)) {
        return;
    }
    RecallPin pin = {.bytes = same_bytes(&own, mine) ? NULL : mine};
    {
        LOCK_SCOPE(&op->draft->lock);
        pin.changed = op->draft->changed;
    }
    recall_pin(fs->recall, number, digest_bytes(own.data, own.length, 0), &pin);
}

/* What was made is edited from now on, and its first name leads to it. */
static void
settle_new(Op *op, const Aim *aim, GBytes *mine)
{
    Fs *fs = op->fs;
    const guint64 folder = inode_number(fs->inodes, &aim->key);
    const NodeKey made = target_made(&aim->key, op->made_id);
    (void)scratch_put_alias(fs->scratch, folder, aim->new_name, &made, NULL);
    if (made.kind == NODE_ATTACHMENT) {
        draft_aim_at_nothing(op->draft);
        return;
    }
    draft_aim_at_file(op->draft, &made, mine);
    const Aim now = {.purpose = DRAFT_FILE, .key = made};
    remember(op, &now, mine);
}

static void
finish(Op *op, const Aim *aim)
{
    GBytes *mine = op->mine;
    if (aim->purpose == DRAFT_NEW) {
        if (op->made_id > 0) {
            settle_new(op, aim, mine);
        }
    } else {
        remember(op, aim, mine);
    }
    draft_is_saved(op->draft, op->generation, aim->purpose == DRAFT_NEW ? NULL : mine);
}

static void
wait_for_verdict(Op *op, guint how, CacheAsk *ask)
{
    const gint64 wait_ms = how & SAVE_LONG ? op->fs->timeout_ms : op->fs->save_wait_ms;
    op->wait_until_ms = clock_monotonic_ms() + wait_ms;
    ask->wait_for = (CacheKey){CACHE_EDIT, op->edit};
}

/* EDIT_UNSAVED is waited for without end, in steps: it is this machine's disk, and no verdict. */
static SaveStep
judge(Op *op, CacheAsk *ask, GError **error)
{
    Cache *cache = op->fs->cache;
    g_autoptr(GError) reason = NULL;
    gint64 made_id = 0; /* known before the verdict, and of no use to the operation until then */
    EditVerdict verdict = cache_edit_verdict(cache, op->edit, FALSE, &made_id, &reason);
    if (verdict == EDIT_UNSAVED) {
        ask->wait_for = (CacheKey){CACHE_EDIT, op->edit};
        op->wait_until_ms = clock_monotonic_ms() + DISK_STEP_MS;
        return SAVE_WAITS;
    }
    if (verdict == EDIT_PENDING) {
        g_clear_error(&reason);
        verdict = cache_edit_verdict(cache, op->edit, TRUE, &made_id, &reason);
    }
    if (verdict == EDIT_REFUSED || verdict == EDIT_CONFLICT) {
        if (!reason) {
            g_set_error(&reason, ERR, verdict == EDIT_CONFLICT ? ERR_CONFLICT : ERR_INVALID,
                        "the server does not take it");
        }
        g_propagate_error(error, g_steal_pointer(&reason));
        return SAVE_FAILED;
    }
    op->made_id = made_id;
    if (atomic_load(&op->fs->without_folder_opens)) {
        notify_listings(op->fs->notify);
    }
    return SAVE_DONE;
}

/* Hands the bytes over; called with the draft's submit_lock. */
static SaveStep
submit(Op *op, const Aim *aim, guint how, CacheAsk *ask, GError **error)
{
    Fs *fs = op->fs;
    Draft *draft = op->draft;
    EditTarget target;
    gsize length = 0;
    g_autofree char *data = NULL;
    const gboolean known = aim->purpose == DRAFT_NEW ? target_of_new(&aim->key, &target)
                                                     : target_of_file(&aim->key, &target);
    if (!known) {
        g_set_error(error, ERR, ERR_UNSUPPORTED, "nobody can write this file");
        return SAVE_FAILED;
    }
    g_autoptr(GBytes) base = NULL;
    if (aim->purpose == DRAFT_FILE) {
        base = base_for_cache(op, &aim->key, inode_number(fs->inodes, &aim->key));
    }
    if (target.file == EDIT_NEW_ATTACHMENT) {
        target.name = aim->new_name;
        target.spool = draft->spool;
    } else if (!(data = body_dup(draft->body, &length, error))) {
        return SAVE_FAILED;
    }
    op->mine = g_bytes_new_take(g_steal_pointer(&data), length);
    const Text mine = text_of(op->mine);
    const Text before = text_of(base);
    op->edit = cache_submit(fs->cache, &target, base ? &before : NULL, &mine, error);
    if (draft->spool) {
        draft_spool_is_taken(draft);
    }
    if (op->edit == 0) {
        return *error ? SAVE_FAILED : SAVE_DONE;
    }
    draft_is_sent(draft, op->generation, op->edit);
    wait_for_verdict(op, how, ask);
    return SAVE_WAITS;
}

static SaveStep
begin(Op *op, const Aim *aim, guint how, CacheAsk *ask, GError **error)
{
    gint64 edit = 0;
    LOCK_SCOPE(&op->draft->submit_lock);
    switch (draft_state(op->draft, &op->generation, &edit, error)) {
    case DRAFT_IS_REFUSED:
        return SAVE_FAILED;
    case DRAFT_IS_SAVED:
        return SAVE_DONE;
    case DRAFT_IS_EMPTIED:
        if (!(how & SAVE_EMPTIED)) {
            return SAVE_DONE;
        }
        break;
    case DRAFT_IS_BEING_SAVED: {
        LOCK_SCOPE(&op->draft->lock);
        op->edit = edit;
        op->generation = op->draft->edit_generation;
        ask->wait_for = (CacheKey){CACHE_EDIT, edit};
        op->wait_until_ms = clock_monotonic_ms() + op->fs->save_wait_ms;
        return SAVE_WAITS;
    }
    case DRAFT_IS_UNSAVED:
        break;
    }
    return submit(op, aim, how, ask, error);
}

SaveStep
save_run(Op *op, guint how, CacheAsk *ask, GError **error)
{
    g_auto(Aim) aim = {0};
    get_aim(op->draft, &aim);
    GError *trouble = NULL;
    const SaveStep step = op->edit ? judge(op, ask, &trouble) : begin(op, &aim, how, ask, &trouble);
    if (step == SAVE_FAILED && op->generation > 0) {
        draft_is_refused(op->draft, op->generation, trouble);
    } else if (step == SAVE_DONE && op->mine) {
        finish(op, &aim); /* else another operation submitted it, and does that */
    }
    if (trouble) {
        g_propagate_error(error, trouble);
    }
    return step;
}

SaveStep
save_change(Op *op, const EditTarget *target, const char *mine, CacheAsk *ask, GError **error)
{
    if (op->edit) {
        return judge(op, ask, error);
    }
    GError *trouble = NULL;
    const Text text = {.data = (char *)(guintptr)mine, .length = mine ? strlen(mine) : 0};
    op->edit = cache_submit(op->fs->cache, target, NULL, mine ? &text : NULL, &trouble);
    if (op->edit == 0) {
        if (trouble) {
            g_propagate_error(error, trouble);
            return SAVE_FAILED;
        }
        return SAVE_DONE;
    }
    wait_for_verdict(op, 0, ask);
    return SAVE_WAITS;
}

/* An operation like others: it asks for everything anew and is run again until all is there; then
 * the answer is given by notify's thread, behind all that it had to tell. */
#include "fs/refresh.h"

#include <string.h>

#define DONE "done\n"

typedef struct LateAnswer {
    Reply reply;
    gsize size;
    gboolean is_attribute;
    struct stat attributes;
} LateAnswer;

static void
finish(gpointer user)
{
    LateAnswer *late = user;
    if (late->is_attribute) {
        reply_xattr(&late->reply, DONE, strlen(DONE), late->size);
    } else {
        reply_attr(&late->reply, &late->attributes, 0);
    }
    g_free(late);
}

/* Asks for all, so that all are under way, and reports the first that has to be waited for. */
static gboolean
ask_for_all(Op *op, CacheAsk *ask)
{
    Cache *cache = op->fs->cache;
    CacheAsk first = {0};
    g_autoptr(Account) account = cache_get_account(cache, ask);
    if (!account) {
        return FALSE;
    }
    for (guint i = 0; i < account->n_projects && !first.error; i++) {
        CacheAsk each = {.since_ms = ask->since_ms, .anew = TRUE};
        if (!cache_is_published(cache, account->projects[i].id)) {
            continue;
        }
        g_autoptr(Project) project = cache_get_project(cache, account->projects[i].id, &each);
        if (!project && (each.error || first.wait_for.kind == CACHE_NOTHING)) {
            first = each;
        }
    }
    ask->error = first.error;
    ask->wait_for = first.wait_for;
    return !first.error && first.wait_for.kind == CACHE_NOTHING;
}

static gboolean
run_refresh(Op *op, CacheAsk *ask)
{
    Fs *fs = op->fs;
    if (op->failure) {
        ask->error = g_error_copy(op->failure);
        return FALSE;
    }
    ask->stale_ok = FALSE;
    ask->anew = TRUE;
    if (op->key.project_id) {
        g_autoptr(Project) project = cache_get_project(fs->cache, op->key.project_id, ask);
        ask->have_stale = FALSE;
        if (!project) {
            return FALSE;
        }
    } else if (!ask_for_all(op, ask)) {
        ask->have_stale = FALSE;
        return FALSE;
    }
    LateAnswer *late = g_new0(LateAnswer, 1);
    const Facts facts = {.n_links = 1};
    op_answering(op);
    late->reply = op->reply;
    late->size = op->size;
    late->is_attribute = op->name != NULL;
    op_fill_stat(fs, &op->key, op->number, &facts, &late->attributes);
    notify_after_all(fs->notify, finish, late);
    return TRUE;
}

void
refresh_for_attribute(fuse_req_t req, fuse_ino_t number, size_t size)
{
    Op *op = op_begin(req, number, run_refresh, REFRESH_ATTRIBUTE, NULL);
    if (op) {
        op->size = size;
        op_go(op);
    }
}

void
refresh_for_setattr(fuse_req_t req, fuse_ino_t number)
{
    op_go(op_begin(req, number, run_refresh, NULL, NULL));
}

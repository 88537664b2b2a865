#include "fs/present.h"

#include "cache/base/digest.h"
#include "fs/target.h"

#include <string.h>

gboolean
present_content(Fs *fs, const Scene *scene, const NodeKey *key, guint64 number,
                Content *ret_content, guint64 *ret_own_digest)
{
    Content content = {0};
    RecallPin pin = {0};
    if (!scene_content(scene, key, &content)) {
        return FALSE;
    }
    const gboolean may_be_pinned = recall_has_pin(fs->recall, number);
    if (may_be_pinned || ret_own_digest) {
        const guint64 digest = digest_bytes(content.data, content.length, 0);
        if (ret_own_digest) {
            *ret_own_digest = digest;
        }
        if (may_be_pinned && recall_pinned(fs->recall, number, digest, &pin) && pin.bytes) {
            content_clear(&content);
            content.data = g_bytes_get_data(pin.bytes, &content.length);
            content.owner = pin.bytes;
            content.release = (GDestroyNotify)g_bytes_unref;
        }
    }
    *ret_content = content;
    return TRUE;
}

gboolean
present_may_write(Fs *fs, const NodeKey *key)
{
    EditTarget target;
    EditOwner owner;
    gint64 id;
    if (fs->read_only) {
        return FALSE;
    }
    if (node_info(key->kind)->type == S_IFDIR) {
        return key->project_id == 0 || cache_may_write(fs->cache, key->project_id);
    }
    if (!target_of_file(key, &target)) {
        return FALSE;
    }
    (void)target_owner(key, &owner, &id);
    const gboolean is_field = key->kind == NODE_STORY_FIELD || key->kind == NODE_EPIC_FIELD ||
                              key->kind == NODE_PROJECT_FIELD;
    return (!is_field || edit_field_is_writable(owner, key->name)) &&
           cache_may_write(fs->cache, key->project_id);
}

static void
apply_pin(Fs *fs, const Scene *scene, const NodeKey *key, guint64 number, struct stat *attributes)
{
    g_auto(Content) content = {0};
    RecallPin pin = {0};
    if (!recall_has_pin(fs->recall, number) || !scene_content(scene, key, &content) ||
        !recall_pinned(fs->recall, number, digest_bytes(content.data, content.length, 0), &pin)) {
        return;
    }
    g_autoptr(GBytes) bytes = pin.bytes;
    if (bytes) {
        attributes->st_size = (off_t)g_bytes_get_size(bytes);
        attributes->st_blocks = (attributes->st_size + 511) / 512;
    }
    attributes->st_mtim = attributes->st_ctim = pin.changed;
}

gboolean
present_stat(Fs *fs, const Scene *scene, const NodeKey *key, guint64 number, struct stat *ret_stat)
{
    Facts facts;
    if (!scene_describe(scene, key, &facts)) {
        return FALSE;
    }
    op_fill_stat(fs, key, number, &facts, ret_stat);
    const mode_t type = node_info(key->kind)->type;
    if (type != S_IFLNK && present_may_write(fs, key)) {
        ret_stat->st_mode |= 0200 | (0022 & ~fs->umask);
    }
    if (type != S_IFREG) {
        return TRUE;
    }
    g_autoptr(Draft) draft = draft_table_find(fs->drafts, number);
    if (draft) {
        draft_fill_stat(draft, ret_stat);
    } else {
        apply_pin(fs, scene, key, number, ret_stat);
    }
    return TRUE;
}

void
present_draft_stat(Fs *fs, Draft *draft, struct stat *ret_stat)
{
    *ret_stat = (struct stat){.st_ino = draft->number,
                              .st_mode = draft->mode,
                              .st_uid = fs->uid,
                              .st_gid = fs->gid,
                              .st_nlink = 1,
                              .st_blksize = 4096};
    draft_fill_stat(draft, ret_stat);
}

/* One table for files, one for folders. */
#include "fs/target.h"

#include "fs/tree.h"

static const struct {
    NodeKind kind;
    EditFile file;
} files[] = {
    {NODE_STORY_JSON, EDIT_STORY_JSON},
    {NODE_STORY_DESCRIPTION, EDIT_STORY_DESCRIPTION},
    {NODE_STORY_FIELD, EDIT_STORY_FIELD},
    {NODE_STORY_COMMENT, EDIT_STORY_COMMENT},
    {NODE_TASK, EDIT_TASK},
    {NODE_EPIC_JSON, EDIT_EPIC_JSON},
    {NODE_EPIC_DESCRIPTION, EDIT_EPIC_DESCRIPTION},
    {NODE_EPIC_FIELD, EDIT_EPIC_FIELD},
    {NODE_EPIC_COMMENT, EDIT_EPIC_COMMENT},
    {NODE_PROJECT_JSON, EDIT_PROJECT_JSON},
    {NODE_PROFILE, EDIT_PROJECT_PROFILE},
    {NODE_PROJECT_FIELD, EDIT_PROJECT_FIELD},
};

static const struct {
    NodeKind folder;
    EditFile file;
    NodeKind made;
} creations[] = {
    {NODE_STORIES, EDIT_NEW_STORY, NODE_STORY},
    {NODE_EPICS, EDIT_NEW_EPIC, NODE_EPIC},
    {NODE_STORY_COMMENTS, EDIT_NEW_STORY_COMMENT, NODE_STORY_COMMENT},
    {NODE_EPIC_COMMENTS, EDIT_NEW_EPIC_COMMENT, NODE_EPIC_COMMENT},
    {NODE_TASKS, EDIT_NEW_TASK, NODE_TASK},
    {NODE_ATTACHMENTS, EDIT_NEW_ATTACHMENT, NODE_ATTACHMENT},
};

static const struct {
    NodeKind kind;
    EditFile file;
} removals[] = {
    {NODE_STORY, EDIT_DELETE_STORY},
    {NODE_EPIC, EDIT_DELETE_EPIC},
    {NODE_STORY_COMMENT, EDIT_DELETE_STORY_COMMENT},
    {NODE_EPIC_COMMENT, EDIT_DELETE_EPIC_COMMENT},
    {NODE_TASK, EDIT_DELETE_TASK},
    {NODE_ATTACHMENT, EDIT_DELETE_ATTACHMENT},
};

static EditOwner
owner_of(NodeKind kind)
{
    if ((kind >= NODE_STORY && kind <= NODE_ATTACHMENT) ||
        (kind >= NODE_STORY_ERROR && kind <= NODE_STORY_CONFLICT_SIDE)) {
        return EDIT_OF_STORY;
    }
    if ((kind >= NODE_EPIC && kind <= NODE_EPIC_STORIES) ||
        (kind >= NODE_EPIC_ERROR && kind <= NODE_EPIC_CONFLICT_SIDE)) {
        return EDIT_OF_EPIC;
    }
    return EDIT_OF_PROJECT;
}

gboolean
target_owner(const NodeKey *key, EditOwner *ret_owner, gint64 *ret_id)
{
    if (key->kind == NODE_LINK) { /* to a story, whatever the folder is of */
        *ret_owner = EDIT_OF_STORY;
        *ret_id = key->sub;
        return key->project_id != 0;
    }
    *ret_owner = owner_of(key->kind == NODE_ALIAS ? key->of : key->kind);
    *ret_id = *ret_owner == EDIT_OF_PROJECT ? key->project_id : key->id;
    return key->project_id != 0;
}

static void
fill(const NodeKey *key, EditFile file, EditTarget *ret_target)
{
    *ret_target = (EditTarget){.file = file, .project_id = key->project_id, .name = key->name};
    if (owner_of(key->kind) != EDIT_OF_PROJECT) {
        ret_target->owner_id = key->id;
        ret_target->id = key->sub;
    }
}

gboolean
target_of_file(const NodeKey *key, EditTarget *ret_target)
{
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        if (files[i].kind == key->kind) {
            fill(key, files[i].file, ret_target);
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
target_is_file(const NodeKey *key)
{
    EditTarget target;
    return target_of_file(key, &target);
}

gboolean
target_of_new(const NodeKey *folder, EditTarget *ret_target)
{
    for (guint i = 0; i < G_N_ELEMENTS(creations); i++) {
        if (creations[i].folder == folder->kind) {
            fill(folder, creations[i].file, ret_target);
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
target_of_removal(const NodeKey *key, EditTarget *ret_target)
{
    for (guint i = 0; i < G_N_ELEMENTS(removals); i++) {
        if (removals[i].kind == key->kind) {
            fill(key, removals[i].file, ret_target);
            return TRUE;
        }
    }
    return FALSE;
}

NodeKey
target_made(const NodeKey *folder, gint64 id)
{
    NodeKey key = {.project_id = folder->project_id};
    for (guint i = 0; i < G_N_ELEMENTS(creations); i++) {
        if (creations[i].folder == folder->kind) {
            key.kind = creations[i].made;
        }
    }
    if (key.kind == NODE_STORY || key.kind == NODE_EPIC) {
        key.id = id;
    } else {
        key.id = folder->id;
        key.sub = id;
    }
    return key;
}

gboolean
target_former(const NodeKey *folder, const char *name, NodeKey *ret_made)
{
    guint position;
    gint64 id = 0;
    const gboolean is_of_thing = folder->kind == NODE_TASKS
                                     ? tree_parse_position_name(name, &position, &id)
                                     : tree_parse_item_name(name, &id);
    EditTarget target;
    if (!is_of_thing || !edit_id_is_provisional(id) || folder->kind == NODE_ATTACHMENTS ||
        !target_of_new(folder, &target)) {
        return FALSE;
    }
    *ret_made = target_made(folder, id);
    return TRUE;
}

gboolean
target_is_record(const NodeKey *key)
{
    return key->kind == NODE_STORY_JSON || key->kind == NODE_EPIC_JSON ||
           key->kind == NODE_PROJECT_JSON;
}

/* One function says what putting a story into a folder of each family changes. Removing a link has
 * a meaning only where a story may be in several folders of the view or in none: labels, owners.
 * The position in a name counts in the folders whose names have one: the story goes before the one
 * that is there now. */
#include "fs/move.h"

#include "fs/list.h"
#include "fs/notify.h"
#include "fs/present.h"
#include "fs/removal.h"
#include "fs/save.h"
#include "fs/target.h"
#include "fs/tree.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

typedef enum {
    FAMILY_NONE,
    FAMILY_STATE,
    FAMILY_TYPE,
    FAMILY_OWNER,
    FAMILY_REQUESTER,
    FAMILY_LABEL,
    FAMILY_PLAN
} Family;

static Family
family_of(NodeKind folder)
{
    switch ((int)folder) {
    case NODE_STATE:
        return FAMILY_STATE;
    case NODE_TYPE:
        return FAMILY_TYPE;
    case NODE_OWNER:
        return FAMILY_OWNER;
    case NODE_REQUESTER:
        return FAMILY_REQUESTER;
    case NODE_LABEL:
        return FAMILY_LABEL;
    case NODE_ICEBOX:
    case NODE_ITERATION:
        return FAMILY_PLAN;
    default:
        return FAMILY_NONE;
    }
}

static gboolean
refuse(Op *op, const NodeKey *about, const char *rule)
{
    save_refuse(op->fs, about, "field: %s\nrule: %s", op->name, rule);
    return op_refuse(op, EPERM);
}

/* {"add": [value]} or {"remove": [value]}, added to the change of `attribute`. Takes `value`. */
static void
change_list(json_t *changes, const char *attribute, const char *how, json_t *value)
{
    json_t *change = json_object_get(changes, attribute);
    if (!change) {
        change = json_object();
        (void)json_object_set_new(changes, attribute, change);
    }
    json_t *values = json_array();
    (void)json_array_append_new(values, value);
    (void)json_object_set_new(change, how, values);
}

static const char *
group_of_plan(const Project *project, const NodeKey *folder)
{
    if (folder->kind == NODE_ICEBOX) {
        return "unscheduled";
    }
    return folder->id == project->current_iteration ? "current" : "scheduled";
}

/* Before whom, by the position that `name` asks for. */
static void
place(const Scene *scene, const NodeKey *folder, gint64 story_id, const char *name, json_t *changes)
{
    g_autoptr(GPtrArray) rows = views_rows(scene->views, folder);
    guint position = 0;
    gint64 id;
    if (!rows || !tree_parse_position_name(name, &position, &id) || position < 1) {
        return;
    }
    for (guint i = 0; i < rows->len; i++) {
        const StoryRow *row = g_ptr_array_index(rows, i);
        if (row->id == story_id) {
            g_ptr_array_remove_index(rows, i);
            break;
        }
    }
    if (rows->len == 0) {
        return;
    }
    const gboolean is_last = position > rows->len;
    const StoryRow *row = g_ptr_array_index(rows, is_last ? rows->len - 1 : position - 1);
    (void)json_object_set_new(changes, is_last ? "after_id" : "before_id", json_integer(row->id));
}

/* What changes when the story comes into `to`, out of `from` (NULL: it is only added). FALSE: `to`
 * is gone. */
static gboolean
add_changes(const Scene *scene, const NodeKey *from, const NodeKey *to, gint64 story_id,
            const char *name, json_t *changes)
{
    const Project *project = views_project(scene->views);
    const Family family = family_of(to->kind);
    const ViewGroup *group = family == FAMILY_PLAN ? NULL : views_find_group(scene->views, to);
    if (!group && family != FAMILY_PLAN) {
        return FALSE;
    }
    const ViewGroup *old = from && group ? views_find_group(scene->views, from) : NULL;
    switch (family) {
    case FAMILY_STATE:
        (void)json_object_set_new(changes, "current_state", json_string(group->word));
        break;
    case FAMILY_TYPE:
        (void)json_object_set_new(changes, "story_type", json_string(group->word));
        break;
    case FAMILY_REQUESTER:
        (void)json_object_set_new(changes, "requested_by_id", json_integer(group->id));
        break;
    case FAMILY_OWNER:
        change_list(changes, "owner_ids", "add", json_integer(group->id));
        if (old) {
            change_list(changes, "owner_ids", "remove", json_integer(old->id));
        }
        break;
    case FAMILY_LABEL:
        change_list(changes, "labels", "add", json_string(group->word));
        if (old) {
            change_list(changes, "labels", "remove", json_string(old->word));
        }
        break;
    case FAMILY_PLAN:
        if (!from || strcmp(group_of_plan(project, from), group_of_plan(project, to)) != 0) {
            (void)json_object_set_new(changes, "group", json_string(group_of_plan(project, to)));
        }
        place(scene, to, story_id, name, changes);
        break;
    case FAMILY_NONE:
        return FALSE;
    }
    return TRUE;
}

/* Takes `changes`. */
static SaveStep
submit(Op *op, EditFile file, const NodeKey *thing, json_t *changes, CacheAsk *ask)
{
    const EditTarget target = {
        .file = file, .project_id = thing->project_id, .owner_id = thing->id, .id = thing->sub};
    char *text = json_dumps(changes, JSON_COMPACT);
    json_decref(changes);
    const SaveStep step = save_change(op, &target, text, ask, &ask->error);
    free(text);
    return step;
}

static gboolean
answer(Op *op, SaveStep step)
{
    if (step != SAVE_DONE) {
        return FALSE;
    }
    op_answering(op);
    reply_code(&op->reply, 0);
    return TRUE;
}

/* The folder that a link lies in, from its key. */
static NodeKey
folder_of_link(const NodeKey *link)
{
    return (NodeKey){
        .kind = link->of, .project_id = link->project_id, .id = link->id, .name = link->name};
}

static gboolean
move_between_views(Op *op, const NodeKey *link, CacheAsk *ask)
{
    const NodeKey from = folder_of_link(link);
    const NodeKey *to = &op->other_key;
    const Family family = family_of(to->kind);
    const NodeKey story = {.kind = NODE_STORY, .project_id = link->project_id, .id = link->sub};
    if (family == FAMILY_NONE || family != family_of(from.kind)) {
        return refuse(op, &story,
                      "a link can be moved to another folder of the same view; to add "
                      "a label or an owner, make a link there: ln -s");
    }
    if (to->project_id != link->project_id) {
        return refuse(op, &story,
                      "to move a story to another project, move its folder in stories/");
    }
    if (op->edit) {
        return answer(op, save_change(op, NULL, NULL, ask, &ask->error));
    }
    g_auto(Scene) scene = {0};
    if (!scene_gather(op->fs->book, to, node_needs(to) | NEED_PROJECT, ask, &scene)) {
        return FALSE;
    }
    json_t *changes = json_object();
    if (!add_changes(&scene, &from, to, link->sub, op->other_name, changes)) {
        json_decref(changes);
        return op_refuse(op, ENOENT);
    }
    if (json_object_size(changes) == 0) {
        json_decref(changes);
        return answer(op, SAVE_DONE);
    }
    return answer(op, submit(op, EDIT_STORY_CHANGES, &story, changes, ask));
}

static gboolean
move_task(Op *op, const NodeKey *task, CacheAsk *ask)
{
    guint position = 0;
    gint64 id;
    if (op->other_key.kind != NODE_TASKS || op->other_key.id != task->id ||
        !tree_parse_position_name(op->other_name, &position, &id) || id != task->sub ||
        position < 1) {
        return refuse(op, task, "a task can be given another position: mv 3-ID.md 1-ID.md");
    }
    json_t *changes = json_pack("{s:i}", "position", (int)position);
    return answer(op, submit(op, EDIT_TASK_CHANGES, task, changes, ask));
}

/* The new name is the new title, as for a folder that is made; so a file manager's "New Folder"
 * gets its name. It leads to the folder from then on, as the first name did. A name with the id in
 * it is no title: that is cut and cleaned, and as one it would lose what the present title says. */
static gboolean
retitle(Op *op, const NodeKey *thing, EditFile file, CacheAsk *ask)
{
    Fs *fs = op->fs;
    gint64 id;
    if ((tree_parse_item_name(op->other_name, &id) && id == thing->id) || *op->other_name == '.' ||
        scratch_is_scratch_name(op->other_name, FALSE) ||
        !g_utf8_validate(op->other_name, -1, NULL)) {
        return refuse(op, thing,
                      "the folder's name is made of its id and title: give it the new title as its "
                      "name, or edit .fields/name");
    }
    const SaveStep step = submit(op, file, thing, json_pack("{s:s}", "name", op->other_name), ask);
    if (step == SAVE_DONE) {
        const guint64 folder = inode_number(fs->inodes, &op->key);
        (void)scratch_put_alias(fs->scratch, folder, op->other_name, thing, NULL);
        (void)scratch_remove(fs->scratch, folder, op->name);
    }
    const gboolean answered = answer(op, step);
    if (answered) { /* the kernel takes the new name for the folder itself */
        notify_name(fs->notify, op->other_number, op->other_name);
    }
    return answered;
}

static gboolean
move_epic(Op *op, const NodeKey *epic, CacheAsk *ask)
{
    if (!node_key_equal(&op->other_key, &op->key)) {
        return refuse(op, epic, "an epic stays in its project");
    }
    return retitle(op, epic, EDIT_EPIC_CHANGES, ask);
}

static gboolean
move_story(Op *op, const NodeKey *story, CacheAsk *ask)
{
    if (op->other_key.kind != NODE_STORIES) {
        return refuse(op, story, "a story can be moved to the stories/ of another project");
    }
    if (op->other_key.project_id == story->project_id) {
        return retitle(op, story, EDIT_STORY_CHANGES, ask);
    }
    json_t *changes = json_pack("{s:I}", "project_id", (json_int_t)op->other_key.project_id);
    const SaveStep step = submit(op, EDIT_STORY_CHANGES, story, changes, ask);
    if (step == SAVE_DONE) { /* the kernel moves its entries, with all below */
        inode_move_story(op->fs->inodes, story->id, op->other_key.project_id);
    }
    return answer(op, step);
}

gboolean
move_run(Op *op, const NodeKey *from, const NodeKey *replaced, CacheAsk *ask)
{
    if (replaced && !op->edit && !node_key_equal(from, replaced) && from->kind != NODE_TASK &&
        from->kind != NODE_LINK) {
        return op_refuse(op, EEXIST);
    }
    if (!cache_may_write(op->fs->cache, from->project_id)) {
        return op_refuse(op, EACCES);
    }
    switch ((int)from->kind) {
    case NODE_LINK:
        return move_between_views(op, from, ask);
    case NODE_TASK:
        return move_task(op, from, ask);
    case NODE_STORY:
        return move_story(op, from, ask);
    case NODE_EPIC:
        return move_epic(op, from, ask);
    default:
        return refuse(op, from, "this cannot be renamed");
    }
}

static const char *
why_it_stays(Family family)
{
    switch (family) {
    case FAMILY_STATE:
    case FAMILY_TYPE:
    case FAMILY_REQUESTER:
    case FAMILY_PLAN:
        return "a story is always in one of these folders: move the link to another";
    default:
        return "this link follows from the story: change that, in its story.json or .fields";
    }
}

gboolean
move_out(Op *op, const NodeKey *link, CacheAsk *ask)
{
    const NodeKey from = folder_of_link(link);
    const NodeKey story = {.kind = NODE_STORY, .project_id = link->project_id, .id = link->sub};
    const Family family = family_of(from.kind);
    if (family != FAMILY_LABEL && family != FAMILY_OWNER) {
        return refuse(op, &story, why_it_stays(family));
    }
    if (removal_is_refused(op, link)) {
        return TRUE;
    }
    if (op->edit) {
        return answer(op, save_change(op, NULL, NULL, ask, &ask->error));
    }
    g_auto(Scene) scene = {0};
    if (!scene_gather(op->fs->book, &from, node_needs(&from) | NEED_PROJECT, ask, &scene)) {
        return FALSE;
    }
    const ViewGroup *group = views_find_group(scene.views, &from);
    if (!group) {
        return op_refuse(op, ENOENT);
    }
    if (!removal_copy(op, link, ask)) {
        return FALSE;
    }
    json_t *changes = json_object();
    if (family == FAMILY_LABEL) {
        change_list(changes, "labels", "remove", json_string(group->word));
    } else {
        change_list(changes, "owner_ids", "remove", json_integer(group->id));
    }
    return answer(op, submit(op, EDIT_STORY_CHANGES, &story, changes, ask));
}

/* The link as the tree now has it; where the name is not the tree's, the entry is of no duration.
 */
static gboolean
answer_link(Op *op, const NodeKey *link, CacheAsk *ask)
{
    Fs *fs = op->fs;
    g_auto(Scene) scene = {0};
    struct fuse_entry_param entry = {0};
    if (!scene_gather(fs->book, link, node_needs(link), ask, &scene)) {
        return FALSE;
    }
    entry.ino = inode_intern(fs->inodes, link);
    if (!present_stat(fs, &scene, link, entry.ino, &entry.attr)) {
        op_forget(fs, entry.ino, 1);
        return op_fail(ask, ERR_NOT_FOUND, "it is gone");
    }
    op_answering(op);
    if (!reply_entry(&op->reply, &entry)) {
        op_forget(fs, entry.ino, 1);
    }
    return TRUE;
}

gboolean
move_link(Op *op, CacheAsk *ask)
{
    const NodeKey *to = &op->key;
    g_autofree char *name = g_path_get_basename(op->other_name);
    gint64 story_id;
    guint position;
    if (family_of(to->kind) == FAMILY_NONE) {
        return refuse(op, to,
                      "links can be made in the folders of labels/, by-state/, by-type/, "
                      "by-owner/, by-requester/, iterations/ and in icebox/");
    }
    if (!tree_parse_item_name(name, &story_id) &&
        !tree_parse_position_name(name, &position, &story_id)) {
        return refuse(op, to, "a link here leads to a story: ln -s ../../stories/ID-TITLE .");
    }
    if (!cache_may_write(op->fs->cache, to->project_id)) {
        return op_refuse(op, EACCES);
    }
    const NodeKey story = {.kind = NODE_STORY, .project_id = to->project_id, .id = story_id};
    const NodeKey link = {.kind = NODE_LINK,
                          .of = to->kind,
                          .project_id = to->project_id,
                          .id = to->id,
                          .sub = story_id,
                          .name = to->name};
    SaveStep step = SAVE_DONE;
    if (op->edit) {
        step = save_change(op, NULL, NULL, ask, &ask->error);
    } else {
        g_auto(Scene) scene = {0};
        if (!scene_gather(op->fs->book, to, node_needs(to) | NEED_PROJECT, ask, &scene)) {
            return FALSE;
        }
        if (!project_find_story(views_project(scene.views), story_id)) {
            return refuse(op, to, "there is no such story in this project");
        }
        json_t *changes = json_object();
        if (!add_changes(&scene, NULL, to, story_id, op->name, changes)) {
            json_decref(changes);
            return op_refuse(op, ENOENT);
        }
        step = submit(op, EDIT_STORY_CHANGES, &story, changes, ask);
    }
    return step == SAVE_DONE && answer_link(op, &link, ask);
}

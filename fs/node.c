/* Two tables: what holds for a kind, and which names its folder always has. Every other part of fs/
 * asks them instead of listing kinds of its own where it can. */
#include "fs/node.h"

#include <string.h>
#include <sys/stat.h>

#define A NEED_ACCOUNT
#define P NEED_PROJECT
#define S NEED_STORY
#define V NEED_ACTIVITY
#define M NEED_ALL_PROJECTS

static const NodeInfo infos[NODE_KINDS] = {
    [NODE_ROOT] = {NULL, S_IFDIR, A, NODE_ROOT, NUMBER_BY_ID},
    [NODE_README] = {NULL, S_IFREG, A, NODE_ROOT, NUMBER_BY_ID},
    [NODE_ME] = {"me", S_IFREG, A, NODE_ROOT, NUMBER_BY_ID},
    [NODE_MY] = {NULL, S_IFDIR, A, NODE_ROOT, NUMBER_BY_ID},
    [NODE_MY_VIEW] = {NULL, S_IFDIR, A, NODE_MY, NUMBER_BY_ID},
    [NODE_CONTROL] = {NULL, S_IFDIR, 0, NODE_ROOT, NUMBER_BY_ID},
    [NODE_STATUS] = {NULL, S_IFREG, NEED_STATUS, NODE_CONTROL, NUMBER_BY_ID},
    [NODE_EVENTS] = {NULL, S_IFREG, A | NEED_EVENTS, NODE_ROOT, NUMBER_BY_ID},
    [NODE_REQUESTS] = {NULL, S_IFREG, NEED_REQUESTS, NODE_CONTROL, NUMBER_BY_ID},
    [NODE_REFRESH] = {NULL, S_IFREG, 0, NODE_CONTROL, NUMBER_BY_ID},
    [NODE_ALIAS] = {NULL, S_IFLNK, 0, NODE_ROOT, NUMBER_BY_HASH},
    [NODE_LINK] = {"story", S_IFLNK, P, NODE_ROOT, NUMBER_BY_HASH},

    [NODE_PROJECT] = {"project", S_IFDIR, P, NODE_ROOT, NUMBER_BY_ID},
    [NODE_PROJECT_JSON] = {"project", S_IFREG, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_PROFILE] = {"project", S_IFREG, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_PROJECT_ACTIVITY] = {"activity", S_IFREG, P | V, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_PROJECT_FIELDS] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_PROJECT_FIELD] = {NULL, S_IFREG, P, NODE_PROJECT_FIELDS, NUMBER_BY_HASH},
    [NODE_MEMBERS] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_MEMBER] = {"membership", S_IFREG, P, NODE_MEMBERS, NUMBER_BY_HASH},
    [NODE_STORIES] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_EPICS] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},

    [NODE_STORY] = {"story", S_IFDIR, P, NODE_STORIES, NUMBER_BY_ID},
    [NODE_STORY_JSON] = {"story", S_IFREG, P | S, NODE_STORY, NUMBER_BY_ID},
    [NODE_STORY_DESCRIPTION] = {"story", S_IFREG, P | S, NODE_STORY, NUMBER_BY_ID},
    [NODE_STORY_URL] = {"story", S_IFREG, P | S, NODE_STORY, NUMBER_BY_ID},
    [NODE_STORY_ACTIVITY] = {"activity", S_IFREG, P | V, NODE_STORY, NUMBER_BY_ID},
    [NODE_STORY_FIELDS] = {NULL, S_IFDIR, P, NODE_STORY, NUMBER_BY_ID},
    [NODE_STORY_FIELD] = {NULL, S_IFREG, P | S, NODE_STORY_FIELDS, NUMBER_BY_HASH},
    [NODE_STORY_COMMENTS] = {NULL, S_IFDIR, P, NODE_STORY, NUMBER_BY_ID},
    [NODE_STORY_COMMENT] = {"comment", S_IFREG, P | S, NODE_STORY_COMMENTS, NUMBER_BY_SUB},
    [NODE_TASKS] = {NULL, S_IFDIR, P, NODE_STORY, NUMBER_BY_ID},
    [NODE_TASK] = {"task", S_IFREG, P | S, NODE_TASKS, NUMBER_BY_SUB},
    [NODE_ATTACHMENTS] = {NULL, S_IFDIR, P, NODE_STORY, NUMBER_BY_ID},
    [NODE_ATTACHMENT] = {"file_attachment", S_IFREG, P | S, NODE_ATTACHMENTS, NUMBER_BY_SUB},

    [NODE_EPIC] = {"epic", S_IFDIR, P, NODE_EPICS, NUMBER_BY_ID},
    [NODE_EPIC_JSON] = {"epic", S_IFREG, P, NODE_EPIC, NUMBER_BY_ID},
    [NODE_EPIC_DESCRIPTION] = {"epic", S_IFREG, P, NODE_EPIC, NUMBER_BY_ID},
    [NODE_EPIC_URL] = {"epic", S_IFREG, P, NODE_EPIC, NUMBER_BY_ID},
    [NODE_EPIC_ACTIVITY] = {"activity", S_IFREG, P | V, NODE_EPIC, NUMBER_BY_ID},
    [NODE_EPIC_FIELDS] = {NULL, S_IFDIR, P, NODE_EPIC, NUMBER_BY_ID},
    [NODE_EPIC_FIELD] = {NULL, S_IFREG, P, NODE_EPIC_FIELDS, NUMBER_BY_HASH},
    [NODE_EPIC_COMMENTS] = {NULL, S_IFDIR, P, NODE_EPIC, NUMBER_BY_ID},
    [NODE_EPIC_COMMENT] = {"comment", S_IFREG, P, NODE_EPIC_COMMENTS, NUMBER_BY_SUB},
    [NODE_EPIC_STORIES] = {NULL, S_IFDIR, P, NODE_EPIC, NUMBER_BY_ID},

    [NODE_ITERATIONS] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_ITERATIONS_DONE] = {NULL, S_IFDIR, P, NODE_ITERATIONS, NUMBER_BY_ID},
    [NODE_ITERATIONS_CURRENT] = {NULL, S_IFDIR, P, NODE_ITERATIONS, NUMBER_BY_ID},
    [NODE_ITERATIONS_BACKLOG] = {NULL, S_IFDIR, P, NODE_ITERATIONS, NUMBER_BY_ID},
    [NODE_ITERATION] = {"iteration", S_IFDIR, P, NODE_ITERATIONS, NUMBER_BY_HASH},
    [NODE_ITERATION_JSON] = {"iteration", S_IFREG, P, NODE_ITERATION, NUMBER_BY_HASH},

    [NODE_ICEBOX] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_RELEASES] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_LABELS] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_BY_STATE] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_BY_TYPE] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_BY_OWNER] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_BY_REQUESTER] = {NULL, S_IFDIR, P, NODE_PROJECT, NUMBER_BY_ID},
    [NODE_LABEL] = {"label", S_IFDIR, P, NODE_LABELS, NUMBER_BY_ID},
    [NODE_STATE] = {NULL, S_IFDIR, P, NODE_BY_STATE, NUMBER_BY_HASH},
    [NODE_TYPE] = {NULL, S_IFDIR, P, NODE_BY_TYPE, NUMBER_BY_HASH},
    [NODE_OWNER] = {NULL, S_IFDIR, P, NODE_BY_OWNER, NUMBER_BY_HASH},
    [NODE_REQUESTER] = {NULL, S_IFDIR, P, NODE_BY_REQUESTER, NUMBER_BY_HASH},

    [NODE_SCRATCH] = {NULL, S_IFREG, 0, NODE_ROOT, NUMBER_BY_HASH},
    [NODE_SCRATCH_LINK] = {NULL, S_IFLNK, 0, NODE_ROOT, NUMBER_BY_HASH},
    [NODE_STORY_ERROR] = {NULL, S_IFREG, P | NEED_EDITS, NODE_STORY, NUMBER_BY_HASH},
    [NODE_STORY_NEXT_STATES] = {NULL, S_IFREG, P | S, NODE_STORY, NUMBER_BY_HASH},
    [NODE_STORY_CONFLICT] = {NULL, S_IFDIR, P | NEED_EDITS, NODE_STORY, NUMBER_BY_HASH},
    [NODE_STORY_CONFLICT_SIDE] = {NULL, S_IFREG, P | NEED_EDITS, NODE_STORY_CONFLICT,
                                  NUMBER_BY_HASH},
    [NODE_EPIC_ERROR] = {NULL, S_IFREG, P | NEED_EDITS, NODE_EPIC, NUMBER_BY_HASH},
    [NODE_EPIC_CONFLICT] = {NULL, S_IFDIR, P | NEED_EDITS, NODE_EPIC, NUMBER_BY_HASH},
    [NODE_EPIC_CONFLICT_SIDE] = {NULL, S_IFREG, P | NEED_EDITS, NODE_EPIC_CONFLICT, NUMBER_BY_HASH},
    [NODE_PROJECT_ERROR] = {NULL, S_IFREG, P | NEED_EDITS, NODE_PROJECT, NUMBER_BY_HASH},
    [NODE_PROJECT_CONFLICT] = {NULL, S_IFDIR, P | NEED_EDITS, NODE_PROJECT, NUMBER_BY_HASH},
    [NODE_PROJECT_CONFLICT_SIDE] = {NULL, S_IFREG, P | NEED_EDITS, NODE_PROJECT_CONFLICT,
                                    NUMBER_BY_HASH},
    [NODE_QUEUE] = {NULL, S_IFDIR, NEED_EDITS, NODE_CONTROL, NUMBER_BY_HASH},
    [NODE_QUEUE_ITEM] = {NULL, S_IFREG, NEED_EDITS, NODE_QUEUE, NUMBER_BY_HASH},
};

#undef A
#undef P
#undef S
#undef V
#undef M

static const NodeChild children[] = {
    {NODE_ROOT, "README.md", NODE_README, TRUE, 0},
    {NODE_ROOT, "me.json", NODE_ME, TRUE, 0},
    {NODE_ROOT, "my", NODE_MY, TRUE, 0},
    {NODE_ROOT, ".trackerfs", NODE_CONTROL, FALSE, 0},
    {NODE_ROOT, "events.jsonl", NODE_EVENTS, TRUE, 0},
    {NODE_CONTROL, "status.json", NODE_STATUS, TRUE, 0},
    {NODE_CONTROL, "requests.log", NODE_REQUESTS, TRUE, 0},
    {NODE_CONTROL, "refresh", NODE_REFRESH, TRUE, 0},
    {NODE_CONTROL, "queue", NODE_QUEUE, TRUE, 0},
    {NODE_PROJECT, "project.json", NODE_PROJECT_JSON, TRUE, 0},
    {NODE_PROJECT, "profile.md", NODE_PROFILE, TRUE, 0},
    {NODE_PROJECT, "activity.jsonl", NODE_PROJECT_ACTIVITY, TRUE, 0},
    {NODE_PROJECT, "members", NODE_MEMBERS, TRUE, 0},
    {NODE_PROJECT, "stories", NODE_STORIES, TRUE, 0},
    {NODE_PROJECT, "epics", NODE_EPICS, TRUE, 0},
    {NODE_PROJECT, "iterations", NODE_ITERATIONS, TRUE, 0},
    {NODE_PROJECT, "icebox", NODE_ICEBOX, TRUE, 0},
    {NODE_PROJECT, "releases", NODE_RELEASES, TRUE, 0},
    {NODE_PROJECT, "labels", NODE_LABELS, TRUE, 0},
    {NODE_PROJECT, "by-state", NODE_BY_STATE, TRUE, 0},
    {NODE_PROJECT, "by-type", NODE_BY_TYPE, TRUE, 0},
    {NODE_PROJECT, "by-owner", NODE_BY_OWNER, TRUE, 0},
    {NODE_PROJECT, "by-requester", NODE_BY_REQUESTER, TRUE, 0},
    {NODE_PROJECT, ".fields", NODE_PROJECT_FIELDS, FALSE, 0},
    {NODE_PROJECT, ".error", NODE_PROJECT_ERROR, FALSE, 0},
    {NODE_PROJECT, ".conflict", NODE_PROJECT_CONFLICT, FALSE, 0},
    {NODE_ITERATIONS, "done", NODE_ITERATIONS_DONE, TRUE, 0},
    {NODE_ITERATIONS, "current", NODE_ITERATIONS_CURRENT, TRUE, 0},
    {NODE_ITERATIONS, "backlog", NODE_ITERATIONS_BACKLOG, TRUE, 0},
    {NODE_ITERATION, "iteration.json", NODE_ITERATION_JSON, TRUE, 0},
    {NODE_STORY, "story.json", NODE_STORY_JSON, TRUE, 0},
    {NODE_STORY, "description.md", NODE_STORY_DESCRIPTION, TRUE, 0},
    {NODE_STORY, "comments", NODE_STORY_COMMENTS, TRUE, 0},
    {NODE_STORY, "tasks", NODE_TASKS, TRUE, 0},
    {NODE_STORY, "attachments", NODE_ATTACHMENTS, TRUE, 0},
    {NODE_STORY, ".url", NODE_STORY_URL, FALSE, 0},
    {NODE_STORY, ".activity.jsonl", NODE_STORY_ACTIVITY, FALSE, 0},
    {NODE_STORY, ".fields", NODE_STORY_FIELDS, FALSE, 0},
    {NODE_STORY, ".error", NODE_STORY_ERROR, FALSE, 0},
    {NODE_STORY, ".next_states", NODE_STORY_NEXT_STATES, FALSE, 0},
    {NODE_STORY, ".conflict", NODE_STORY_CONFLICT, FALSE, 0},
    {NODE_EPIC, "epic.json", NODE_EPIC_JSON, TRUE, 0},
    {NODE_EPIC, "description.md", NODE_EPIC_DESCRIPTION, TRUE, 0},
    {NODE_EPIC, "comments", NODE_EPIC_COMMENTS, TRUE, 0},
    {NODE_EPIC, "stories", NODE_EPIC_STORIES, TRUE, 0},
    {NODE_EPIC, ".url", NODE_EPIC_URL, FALSE, 0},
    {NODE_EPIC, ".activity.jsonl", NODE_EPIC_ACTIVITY, FALSE, 0},
    {NODE_EPIC, ".fields", NODE_EPIC_FIELDS, FALSE, 0},
    {NODE_EPIC, ".error", NODE_EPIC_ERROR, FALSE, 0},
    {NODE_EPIC, ".conflict", NODE_EPIC_CONFLICT, FALSE, 0},
    /* The ids are MyView + 1: 0 would mean the parent's. */
    {NODE_MY, "owned", NODE_MY_VIEW, TRUE, MY_OWNED + 1},
    {NODE_MY, "requested", NODE_MY_VIEW, TRUE, MY_REQUESTED + 1},
    {NODE_MY, "following", NODE_MY_VIEW, TRUE, MY_FOLLOWING + 1},
    {NODE_MY, "reviewing", NODE_MY_VIEW, TRUE, MY_REVIEWING + 1},
    {NODE_MY, "blocked", NODE_MY_VIEW, TRUE, MY_BLOCKED + 1},
};

const NodeInfo *
node_info(NodeKind kind)
{
    g_assert(kind > NODE_NONE && kind < NODE_KINDS);
    return &infos[kind];
}

guint
node_needs(const NodeKey *key)
{
    if (key->kind == NODE_ALIAS) {
        switch ((int)key->of) {
        case NODE_PROJECT:
            return NEED_ACCOUNT;
        case NODE_STORY_COMMENT:
        case NODE_TASK:
        case NODE_ATTACHMENT:
            return NEED_PROJECT | NEED_STORY;
        default:
            return NEED_PROJECT;
        }
    }
    if (key->kind == NODE_LINK && key->of == NODE_MY_VIEW) {
        return NEED_ACCOUNT | NEED_PROJECT;
    }
    return node_info(key->kind)->needs;
}

const NodeChild *
node_fixed_children(NodeKind parent, guint *ret_n)
{
    const NodeChild *first = NULL;
    guint n = 0;
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        if (children[i].parent == parent) {
            first = first ? first : &children[i];
            n++;
        }
    }
    *ret_n = n;
    return first;
}

NodeKey
node_child_key(const NodeKey *key, const NodeChild *child)
{
    return (NodeKey){
        .kind = child->kind, .project_id = key->project_id, .id = child->id ? child->id : key->id};
}

NodeKey
node_parent_key(const NodeKey *key)
{
    NodeKind parent = node_info(key->kind)->parent;
    NodeKey above = {.kind = parent, .project_id = key->project_id, .id = key->id};
    switch ((int)parent) {
    case NODE_ROOT:
        return (NodeKey){.kind = NODE_ROOT, .id = 1};
    case NODE_MY:
    case NODE_CONTROL:
        return (NodeKey){.kind = parent, .id = 1};
    case NODE_PROJECT:
    case NODE_STORIES:
    case NODE_EPICS:
    case NODE_MEMBERS:
    case NODE_LABELS:
    case NODE_BY_STATE:
    case NODE_BY_TYPE:
    case NODE_BY_OWNER:
    case NODE_BY_REQUESTER:
        above.id = key->project_id;
        return above;
    case NODE_ITERATIONS:
        if (key->kind == NODE_ITERATION) {
            above.kind = (NodeKind)key->sub; /* the group it was found in */
        }
        above.id = key->project_id;
        return above;
    default:
        return above;
    }
}

gboolean
node_is_conflict(NodeKind kind)
{
    return kind == NODE_STORY_CONFLICT || kind == NODE_EPIC_CONFLICT ||
           kind == NODE_PROJECT_CONFLICT;
}

gboolean
node_has_versions(NodeKind kind)
{
    return node_info(kind)->type == S_IFREG && kind != NODE_ATTACHMENT && kind != NODE_EVENTS;
}

gboolean
node_key_same_file(const NodeKey *a, const NodeKey *b)
{
    return a->kind == b->kind && a->of == b->of && a->project_id == b->project_id &&
           a->id == b->id && a->sub == b->sub && g_strcmp0(a->name, b->name) == 0;
}

gboolean
node_key_equal(const NodeKey *a, const NodeKey *b)
{
    return a->version == b->version && node_key_same_file(a, b);
}

/* node: what can exist in the tree, and how one thing of it is named inside the program.
 *
 * A NodeKey identifies a node by meaning, not by path: kind, project, ids. node_info() tells what
 * holds for every node of a kind; node_fixed_children() which names a folder of a kind always has.
 * Pure: no state, no locks, any thread. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The values are part of inode numbers, which are to be the same after an upgrade: only ever
 * append. */
typedef enum {
    NODE_NONE = 0,
    NODE_ROOT = 1,
    NODE_README = 2,
    NODE_ME = 3,
    NODE_MY = 4,
    NODE_MY_VIEW = 5, /* id: MyView */
    NODE_CONTROL = 6, /* .trackerfs */
    NODE_STATUS = 7,
    NODE_ALIAS = 8, /* of: what it leads to */
    NODE_LINK = 9,  /* of: the kind of the folder it lies in; sub: the story */

    NODE_PROJECT = 10, /* id: the project, as for all down to NODE_EPICS */
    NODE_PROJECT_JSON = 11,
    NODE_PROFILE = 12,
    NODE_PROJECT_ACTIVITY = 13,
    NODE_PROJECT_FIELDS = 14,
    NODE_PROJECT_FIELD = 15, /* name */
    NODE_MEMBERS = 16,
    NODE_MEMBER = 17, /* sub: person */
    NODE_STORIES = 18,
    NODE_EPICS = 19,

    NODE_STORY = 20, /* id: the story, as for all below */
    NODE_STORY_JSON = 21,
    NODE_STORY_DESCRIPTION = 22,
    NODE_STORY_URL = 23,
    NODE_STORY_ACTIVITY = 24,
    NODE_STORY_FIELDS = 25,
    NODE_STORY_FIELD = 26, /* name */
    NODE_STORY_COMMENTS = 27,
    NODE_STORY_COMMENT = 28, /* sub: comment */
    NODE_TASKS = 29,
    NODE_TASK = 30, /* sub: task */
    NODE_ATTACHMENTS = 31,
    NODE_ATTACHMENT = 32, /* sub: attachment */

    NODE_EPIC = 33, /* id: the epic, as for all below */
    NODE_EPIC_JSON = 34,
    NODE_EPIC_DESCRIPTION = 35,
    NODE_EPIC_URL = 36,
    NODE_EPIC_ACTIVITY = 37,
    NODE_EPIC_FIELDS = 38,
    NODE_EPIC_FIELD = 39, /* name */
    NODE_EPIC_COMMENTS = 40,
    NODE_EPIC_COMMENT = 41, /* sub: comment */
    NODE_EPIC_STORIES = 42,

    NODE_ITERATIONS = 43, /* id: the project */
    NODE_ITERATIONS_DONE = 44,
    NODE_ITERATIONS_CURRENT = 45,
    NODE_ITERATIONS_BACKLOG = 46,
    NODE_ITERATION = 47, /* id: its number */
    NODE_ITERATION_JSON = 48,

    NODE_ICEBOX = 49, /* id: the project, down to NODE_BY_REQUESTER */
    NODE_RELEASES = 50,
    NODE_LABELS = 51,
    NODE_BY_STATE = 52,
    NODE_BY_TYPE = 53,
    NODE_BY_OWNER = 54,
    NODE_BY_REQUESTER = 55,
    NODE_LABEL = 56, /* id: the label */
    NODE_STATE = 57, /* name: of the folder, like NODE_TYPE */
    NODE_TYPE = 58,
    NODE_OWNER = 59, /* id: the person, like NODE_REQUESTER */
    NODE_REQUESTER = 60,
    NODE_EVENTS = 61,   /* events.jsonl */
    NODE_REQUESTS = 62, /* .trackerfs/requests.log */
    NODE_REFRESH = 63,  /* .trackerfs/refresh */

    /* Of editing; all of them hashed, as kinds from 64 on do not fit into a number of the other
     * form. */
    NODE_SCRATCH = 80, /* id: its own; see scratch.h */
    NODE_SCRATCH_LINK = 81,
    NODE_STORY_ERROR = 82,
    NODE_STORY_NEXT_STATES = 83,
    NODE_STORY_CONFLICT = 84,      /* sub: the last edit; a removed folder stays dead for who has it
                                      open, so the next conflict's is another node */
    NODE_STORY_CONFLICT_SIDE = 85, /* sub: EditSide + 1; of an earlier edit's mine: N_EDIT_SIDES +
                                      its number */
    NODE_EPIC_ERROR = 86,
    NODE_EPIC_CONFLICT = 87,
    NODE_EPIC_CONFLICT_SIDE = 88,
    NODE_PROJECT_ERROR = 89,
    NODE_PROJECT_CONFLICT = 90,
    NODE_PROJECT_CONFLICT_SIDE = 91,
    NODE_QUEUE = 92,
    NODE_QUEUE_ITEM = 93, /* id: the edit's number */
    NODE_KINDS = 94,
} NodeKind;

typedef enum {
    MY_OWNED,
    MY_REQUESTED,
    MY_FOLLOWING,
    MY_REVIEWING,
    MY_BLOCKED,
    MY_VIEWS,
} MyView;

typedef struct NodeKey {
    NodeKind kind, of;
    gint64 project_id; /* 0: of the account */
    gint64 id, sub;
    const char *name; /* NULL where ids say all */
    guint64
        version; /* of a file's content, where a node is one version of it (version.h); else 0 */
} NodeKey;

/* The snapshots that a node is made of. */
typedef enum {
    NEED_ACCOUNT = 1 << 0,
    NEED_PROJECT = 1 << 1,
    NEED_STORY = 1 << 2,
    NEED_ACTIVITY = 1 << 3,
    NEED_ALL_PROJECTS = 1 << 4,
    NEED_STATUS = 1 << 5,
    NEED_EVENTS = 1 << 8,
    NEED_REQUESTS = 1 << 9,
    NEED_EDITS = 1 << 6, /* what editing left: .error, .conflict, the queue */
} NodeNeeds;

typedef struct NodeInfo {
    const char *word; /* user.tracker.kind; NULL: the node is not a thing of the tracker */
    mode_t type;      /* S_IFDIR, S_IFREG or S_IFLNK */
    guint needs;
    NodeKind parent;
    enum { NUMBER_BY_ID, NUMBER_BY_SUB, NUMBER_BY_HASH } number;
} NodeInfo;

const NodeInfo *node_info(NodeKind kind);

/* TRUE for files whose content can change other than by growing. */
gboolean node_has_versions(NodeKind kind);

/* TRUE for the folders `.conflict`. */
gboolean node_is_conflict(NodeKind kind);

/* What the node is really made of: like the `needs` of its kind, but links know more. */
guint node_needs(const NodeKey *key);

typedef struct NodeChild {
    NodeKind parent;
    const char *name;
    NodeKind kind;
    gboolean is_listed;
    gint64 id; /* not 0: of the child, else the parent's */
} NodeChild;

/* Static; `*ret_n` of them, those of one parent side by side. */
const NodeChild *node_fixed_children(NodeKind parent, guint *ret_n);

/* The key of a fixed child, of the folder `key`. */
NodeKey node_child_key(const NodeKey *key, const NodeChild *child);

/* Where the folder `key` lies; the root lies in itself. */
NodeKey node_parent_key(const NodeKey *key);

gboolean node_key_equal(const NodeKey *a, const NodeKey *b);
/* The same node but for the version. */
gboolean node_key_same_file(const NodeKey *a, const NodeKey *b);

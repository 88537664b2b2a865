/* views: a project's stories arranged as folders of links.
 *
 * A Views is made once from a Project snapshot and holds it; immutable and shared by reference like
 * the snapshot. Pure, any thread. Everything borrowed from it lives as long as the reference. */
#pragma once

#include "cache/model.h"
#include "fs/node.h"

typedef struct Views Views;

/* One folder of a view: labels/<name>, by-state/<name>, by-owner/<name>, ... */
typedef struct ViewGroup {
    char *name;       /* of the folder */
    gint64 id;        /* label or person; 0 for a word */
    const char *word; /* as the server sent it: a state, a type, a label's name */
    GPtrArray *rows;  /* const StoryRow *, in board order */
} ViewGroup;

Views *views_new(Project *project);
Views *views_ref(Views *views);
void views_unref(Views *views);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Views, views_unref)

Project *views_project(const Views *views);

/* The groups of one of NODE_LABELS, NODE_BY_STATE, NODE_BY_TYPE, NODE_BY_OWNER, NODE_BY_REQUESTER:
 * ViewGroup *. */
const GPtrArray *views_groups(const Views *views, NodeKind folder);
const ViewGroup *views_find_by_name(const Views *views, NodeKind folder, const char *name);

/* The group that a key of NODE_LABEL, NODE_STATE, NODE_TYPE, NODE_OWNER or NODE_REQUESTER means;
 * NULL: gone. */
const ViewGroup *views_find_group(const Views *views, const NodeKey *key);

/* Members' file names, without a folder of theirs being listed: NULL when there is no such person
 * or name. */
const char *views_member_name(const Views *views, gint64 person_id);
const Member *views_find_member(const Views *views, const char *name);

/* The rows of a folder of links, in the order they are listed, a new array; NULL when the folder is
 * gone or holds no links. Not NODE_MY_VIEW: see views_is_mine(). */
GPtrArray *views_rows(const Views *views, const NodeKey *folder);

/* TRUE when the story is in the folder, which has no positions: by what the row says, without a
 * search. */
gboolean views_contains(const Views *views, const NodeKey *folder, const StoryRow *row);

/* TRUE when names in this kind of folder begin with the position on the board. */
gboolean views_has_positions(NodeKind folder);

gboolean views_is_mine(const StoryRow *row, MyView view, gint64 me);

/* What a link in a folder of kind `of` holds: the way to the story's folder. Free it. */
char *views_link_target(NodeKind of, const char *project_name, const char *story_name);

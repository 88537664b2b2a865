/* model: what is known of a tracker, as immutable snapshots.
 *
 * A snapshot is built once, by one thread, and never changed; it is shared by reference
 * (…_ref/_unref, any thread, atomic). A change on the server makes a new snapshot; who holds the
 * old one goes on seeing it whole.
 *
 * Two sizes of knowledge: a Project holds a light StoryRow for each of its stories (all that
 * listings and views need); a Story is one story complete, read from the store when somebody looks
 * into its folder.
 *
 * Records. A `record` is the canonical JSON text of a resource with every key that the server sent,
 * known or not, except the texts that have files of their own: fixed key order (known keys first,
 * as listed in model_json.c; the others sorted), two-space indent, UTF-8 unescaped but for control
 * characters, one final newline. The same resource gives the same bytes whatever order the server
 * used.
 *
 * Times are milliseconds since 1970 UTC, 0 = unknown. Ids are positive; 0 = none. Strings that come
 * from a server are valid UTF-8 and otherwise hostile: any length, any control character, names
 * with "/" or nothing at all. A Text may hold NUL; every `char *` ends at its first one. */
#pragma once

#include <glib.h>

typedef struct Text {
    char *data; /* NUL-terminated beyond `length`; NULL when the server sent none */
    gsize length;
} Text;

typedef struct Person {
    gint64 id;
    char *name, *username, *initials; /* each may be NULL */
} Person;

typedef struct Attachment {
    gint64 id, comment_id, uploader_id;
    char *filename;
    char *content_type; /* may be NULL */
    char *download_url; /* path or URL as sent */
    gint64 size_bytes, created_ms;
} Attachment;

typedef struct Comment {
    gint64 id, person_id, created_ms, updated_ms;
    char *author; /* username, else name, else NULL: of the nested person, for the file name */
    Text text;
} Comment;

typedef struct Task {
    gint64 id, position, created_ms, updated_ms;
    gboolean complete;
    Text description;
} Task;

/* One story complete. Comments by id, tasks by position, attachments by id: sorted, unique. */
typedef struct Story {
    gint64 id, project_id, created_ms, updated_ms;
    char *name, *url;
    Text record;      /* story.json */
    Text description; /* data NULL: none */
    Comment *comments;
    Task *tasks;
    Attachment *attachments;
    guint n_comments, n_tasks, n_attachments;
    gsize bytes; /* what this snapshot costs in memory, for the cache's limit */
} Story;

/* A story as listings and views see it. */
typedef struct StoryRow {
    gint64 id, created_ms, updated_ms;
    char *name;
    const char *story_type, *current_state; /* interned (g_intern_string); never NULL */
    gint64 requested_by_id;
    gint64 *owner_ids, *follower_ids, *reviewer_ids,
        *label_ids; /* reviewer_ids: of unfinished reviews */
    guint n_owners, n_followers, n_reviewers, n_labels;
    gboolean blocked; /* has an unresolved blocker */
    guint64 digest;   /* of everything that the service said of the story, texts included */
} StoryRow;

typedef struct Member {
    Person person;
    gint64 membership_id, created_ms, updated_ms;
    char *role;
    Text record;
} Member;

typedef struct Label {
    gint64 id, created_ms, updated_ms;
    char *name;
} Label;

typedef struct Epic {
    gint64 id, label_id, created_ms, updated_ms;
    char *name, *url;
    Text record, description;
    Comment *comments;
    guint n_comments;
} Epic;

typedef struct Iteration {
    gint64 number, start_ms, finish_ms;
    Text record; /* with story_ids in board order, without the stories */
    gint64 *story_ids;
    guint n_stories;
} Iteration;

/* One project with everything but the stories' texts. Arrays are sorted as noted and unique by id.
 */
/* What can be left out of a project, the rest of it being shown. */
typedef enum {
    LEFT_OUT_STORIES,
    LEFT_OUT_EPICS,
    LEFT_OUT_LABELS,
    LEFT_OUT_MEMBERS,
    N_LEFT_OUT
} LeftOut;

typedef struct Project {
    gint64 id, account_id, version, created_ms, updated_ms;
    gint64 current_iteration; /* number; iterations below are done, above are backlog */
    char *name;
    Text record;           /* project.json */
    Text profile;          /* profile.md; data NULL: none */
    Member *members;       /* by person id */
    Label *labels;         /* by id */
    Epic *epics;           /* in the server's order */
    Iteration *iterations; /* by number */
    StoryRow **stories;    /* in board order: done, current, backlog, icebox */
    guint n_members, n_labels, n_epics, n_iterations, n_stories;
    guint left_out[N_LEFT_OUT]; /* of what the service listed: came without an id, shown nowhere */
    gint64 changed_ms; /* the latest updated_ms of anything in it: the mtime of its folders */
} Project;

typedef struct ProjectName {
    gint64 id;
    char *name;
    gint64 created_ms, updated_ms;
} ProjectName;

/* Who we are and which projects are mounted. */
typedef struct Account {
    Person me;
    gint64 created_ms, updated_ms;
    Text record;           /* me.json; never with api_token in it */
    ProjectName *projects; /* by id; only those that the mount options select */
    guint n_projects;
} Account;

/* The history of a project, story or epic: one JSON object a line, oldest first. */
typedef struct Activity {
    Text lines;
    gint64 changed_ms; /* occurred_at of the last line, or the owner's created_ms */
} Activity;

Account *account_ref(Account *account);
void account_unref(Account *account);
/* "1 story, 2 labels: no id"; NULL: nothing was left out. The caller's. */
char *project_dup_left_out(const Project *project);
Project *project_ref(Project *project);
void project_unref(Project *project);
Story *story_ref(Story *story);
void story_unref(Story *story);
Activity *activity_ref(Activity *activity);
void activity_unref(Activity *activity);

/* By id, in logarithmic or constant time; NULL when there is none. Borrowed from the snapshot. */
const StoryRow *project_find_story(const Project *project, gint64 story_id);
const Member *project_find_member(const Project *project, gint64 person_id);
const Label *project_find_label(const Project *project, gint64 label_id);
const Epic *project_find_epic(const Project *project, gint64 epic_id);
const Iteration *project_find_iteration(const Project *project, gint64 number);
const ProjectName *account_find_project(const Account *account, gint64 project_id);
const Comment *story_find_comment(const Story *story, gint64 comment_id);
const Task *story_find_task(const Story *story, gint64 task_id);
const Attachment *story_find_attachment(const Story *story, gint64 attachment_id);

/* The scalar attributes of a record as one-line values, for `.fields/`: calls `each` for every
 * top-level key whose value is a string, number, boolean, or a list of scalars (joined by commas).
 * Borrowed strings. */
typedef void (*RecordFieldFn)(const char *key, const char *value, gsize value_bytes, gpointer user);
void record_each_field(const Text *record, RecordFieldFn each, gpointer user);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Account, account_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Project, project_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Story, story_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Activity, activity_unref)

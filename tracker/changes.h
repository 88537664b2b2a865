/* changes: what a request changed, as V5 tells it: one version and one activity, with original and
 * new values (v5-reference 1.14, 3.11, 4.8, 5.6).
 *
 * A handler announces each object before it changes or deletes its rows, or after it inserted them,
 * and says in words what it did; then it writes SQL as it likes. change_close() (routes.c calls it
 * at the end, too) compares each object with what it was. Nothing differs: no version, no activity,
 * the same as if the request had not been. Otherwise:
 *   - updated_at of what changed, and of the story or epic that it hangs on, is now;
 *   - a story whose state changed, or that is new, gets a story_transition;
 *   - labels whose counts the stories changed are part of the changes;
 *   - the project's version rises by one, the activity is written, the hooks run.
 * A request that makes two versions (a label that did not exist, a story that moves to another
 * project) closes the first before it announces what belongs to the second.
 *
 * Which attributes of a kind are told is the table `tracked` in changes.c; a new kind is a line
 * there.
 *
 * Threads: with the Call, inside its write transaction. Errors: stick to the connection. */
#pragma once

#include <jansson.h>

#include "tracker/call.h"

typedef struct ChangeSet ChangeSet;

typedef enum { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_DELETE } ChangeType;

typedef struct Change {
    const Kind *kind;
    gint64 id;
    ChangeType type;
    gboolean quiet;         /* moved aside by another: its updated_at stays */
    gboolean arrived;       /* a CREATE that came from another project */
    gint64 position;        /* as announced, of what has an order */
    json_t *before, *after; /* tracked attributes, null ones left out; NULL: there was no object */
} Change;

/* Before it is changed. Its story or epic is announced with it. */
void change_touch(Call *call, const Kind *kind, gint64 id);
/* The same for an object that only makes room for another one (positions of tasks). */
void change_touch_quietly(Call *call, const Kind *kind, gint64 id);
/* After its row was inserted, with created_at and updated_at of change_now(). */
void change_created(Call *call, const Kind *kind, gint64 id);
/* After it came from another project: told as a creation, but it is none. */
void change_arrived(Call *call, const Kind *kind, gint64 id);
/* Before it is deleted; what hangs on it goes without a word. */
void change_deleted(Call *call, const Kind *kind, gint64 id);

/* The activity in words: its kind, the verb, and the sentence after the person's name. The last
 * one before change_close() counts. */
void change_describe(Call *call, const char *activity_kind, const char *highlight,
                     const char *format, ...) G_GNUC_PRINTF(4, 5);
/* One of the activity's primary_resources. Without any it is the first announced object, or the
 * story or epic on which that one hangs. */
void change_subject(Call *call, const Kind *kind, gint64 id);

/* The time of the request in whole seconds, as everything it writes has it. */
gint64 change_now(const Call *call);
/* The version that the changes will have. */
gint64 change_version(Call *call);

/* Ends a version. FALSE after call_fail*(). */
gboolean change_close(Call *call);
/* The project that the next version belongs to; at first it is the call's. */
void change_project(Call *call, gint64 project_id);

void changes_free(ChangeSet *changes);

/* What was recorded, for hooks. Borrowed. */
typedef struct Activity {
    gint64 id; /* of its row */
    gint64 project_id, version;
    const char *kind; /* "story_update_activity" */
    const char *message;
    const GPtrArray *changes; /* of Change, all of which differ */
} Activity;

/* Hooks run for every activity, whatever request it came from. Adding one is adding a line to the
 * table in change_hooks.c. */
typedef struct ChangeHook {
    /* Inside the transaction: what it writes is committed with the change or not at all. NULL: no
     * such part. */
    void (*recorded)(Call *call, const Activity *activity);
    /* After the commit of a request that made an activity, outside any transaction. NULL: none. */
    void (*committed)(Tracker *tracker);
} ChangeHook;

void change_hooks_recorded(Call *call, const Activity *activity);
/* Does nothing unless the request made an activity. */
void change_hooks_committed(Tracker *tracker, const Call *call);

/* edit_private: one edit, from the bytes that were saved to the server's verdict. Private to
 * cache/edit*.c, journal.c, overlay*.c and saving*.c.
 *
 * An Edit is never changed once others can see it: whoever learns something makes a copy, changes
 * that, and puts it in its place. Each copy owns its JSON trees, and who only reads an edit never
 * takes a reference into them: jansson's counting is not made for several threads. */
#pragma once

#include "cache/edit.h"
#include "cache/model_tree.h"

typedef enum { EDIT_UPDATE, EDIT_CREATE, EDIT_DELETE } EditVerb;

typedef enum {
    OBJECT_STORY,
    OBJECT_EPIC,
    OBJECT_PROJECT,
    OBJECT_COMMENT,
    OBJECT_TASK,
    OBJECT_ATTACHMENT,
} EditObject;

typedef enum {
    STATE_PENDING, /* to be sent */
    STATE_SENT,    /* a creation whose request may have arrived: its twin is looked for first */
    STATE_REFUSED,
    STATE_CONFLICT,
    STATE_ACCEPTED, /* until the server's own data shows it */
} EditState;

typedef struct Edit {
    gint64 number;
    EditVerb verb;
    EditObject object;
    EditOwner owner;
    gint64 project_id;
    gint64 owner_id; /* the story or epic; provisional for what is created itself; 0: the project */
    gint64 id;       /* the comment, task or attachment; provisional when created; else 0 */
    json_t *changes; /* attribute -> value, normalised (edit_fields.h); creations: all of it */
    json_t *base;    /* the same attributes as they were when opened; updates only */
    json_t *theirs;  /* STATE_CONFLICT: the server's values of what is in conflict */
    json_t *result;  /* STATE_ACCEPTED: the server's answer, NULL for removals; before that: the
                        answer to an attachment's upload */
    char *spool;     /* attachments: file name in the spool folder */
    EditState state;
    gint64 told;        /* parked, or tried again: not shown unless it is accepted, as its writer
                           knows of it or something later was accepted; edits from this number on
                           were made without it in view. 0: shown */
    gint64 created_ms;  /* wall clock */
    gint64 since;       /* STATE_SENT: the version, or the largest id, before the first request */
    gint64 version;     /* STATE_ACCEPTED: the project's after it, -1 unknown */
    gint64 accepted_ms; /* STATE_ACCEPTED: clock_monotonic_ms(); not kept on disk */
    char *error;
    int error_code;
} Edit;

Edit *edit_ref(Edit *edit);
void edit_unref(Edit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edit, edit_unref)

Edit *edit_new(EditVerb verb, EditObject object, const EditTarget *target);
Edit *edit_copy(const Edit *edit);
void edit_set_error(Edit *edit, const GError *error); /* NULL clears */
void edit_set_json(json_t **slot, json_t *value);     /* takes over `value` */

/* TRUE when snapshots show it. */
gboolean edit_is_shown(const Edit *edit);
gboolean edit_is_parked(const Edit *edit);
gboolean edit_is_waiting(const Edit *edit); /* for the server */
/* "story 555: description, labels"; the caller's. */
char *edit_describe(const Edit *edit);
/* Of the story, epic or project. */
gint64 edit_owner_id(const Edit *edit);
/* Id of what it makes: `id`, or `owner_id` for stories and epics. */
gint64 edit_made_id(const Edit *edit);

/* One line of JSON and back; NULL for NULL. */
char *edit_json_to_text(const json_t *value);
json_t *edit_json_from_text(const char *text);

/* What is known when an edit is made; borrowed. */
typedef struct EditContext {
    const Project *project;
    const Story *story; /* the owner when it is a story */
    const Epic *epic;
    const Person *me;
    gint64 now_ms;
    const GPtrArray *earlier; /* the owner's edits that the server does not have; may be NULL */
    /* The story as it was when the server last changed it at that time; a new reference, NULL: not
     * known any more. May be NULL. */
    Story *(*recall)(gint64 story_id, gint64 updated_ms, gpointer user);
    gpointer recall_user;
} EditContext;

/* From bytes to an edit without a number; NULL without `error`: nothing changed. Saving what stands
 * there, where an earlier edit of it is parked, is a change: of an attribute that has one of the
 * sides of a conflict, or the value that was refused. */
Edit *edit_make(const EditTarget *target, const Text *base, const Text *mine,
                const EditContext *context, GError **error);

/* A line of `.error`, with a long text cut; nothing for NULL. */
void edit_append_line(GString *out, const char *name, const char *text);

/* ERR_INVALID in the form that `.error` has: a sentence, then lines that say field, value, rule,
 * allowed. Each but `field` may be NULL. */
void edit_refuse(GError **error, const char *field, const char *value, const char *rule,
                 const char *allowed);

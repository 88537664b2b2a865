/* edit: what the tree hands to the cache when something was written, and what it hears back.
 *
 * Part of cache/cache.h. The tree knows bytes: which file of which object was written, what it held
 * when it was opened, what it holds now. The cache makes an edit of that (only the attributes that
 * changed, each with the value it had), refuses what cannot be right, writes it to the journal,
 * shows it in every snapshot from then on, sends it, and judges the answer.
 *
 *     submitted -> journaled -> sending -> accepted (shown until the server's own data has it)
 *                                 |  ^ ---> refused  \  told to the writer: gone, `.error` stays
 *                                 |  |      conflict /  not told: parked in the queue, still shown
 *                                 +--+ no answer: tried again with a growing delay
 *
 * Edits of one story (with all below it), epic or project go out in order, those of different ones
 * side by side. A parked edit holds up nothing.
 *
 * What clears a text. A file of no bytes, or with a NUL in it, is refused where it would clear
 * something: that is what a failed writer leaves behind. A single newline clears. In story.json,
 * epic.json and project.json `null` clears an attribute, and a line left out is refused. */
#pragma once

#include "cache/model.h"

typedef enum {
    /* A whole file was saved: `base` and `mine` are its bytes. */
    EDIT_STORY_JSON,
    EDIT_STORY_DESCRIPTION,
    EDIT_STORY_FIELD, /* .fields/NAME: one line; lists separated by commas; people by username,
                         name or id */
    EDIT_STORY_COMMENT,
    EDIT_TASK, /* `- [ ] text` or `- [x] text`; without the mark only the text changes */
    EDIT_EPIC_JSON,
    EDIT_EPIC_DESCRIPTION,
    EDIT_EPIC_FIELD,
    EDIT_EPIC_COMMENT,
    EDIT_PROJECT_JSON,
    EDIT_PROJECT_FIELD,
    EDIT_PROJECT_PROFILE,
    /* Moves. `mine` is a JSON object of attributes to set, in the form of story.json, or for lists
     * of what to add and remove: {"labels": {"add": ["a"], "remove": ["b"]}}. Beside the attributes
     * of story.json: before_id, after_id, group ("scheduled", "unscheduled", "current"),
     * project_id. EDIT_TASK_CHANGES: position, complete. `base` is not used. */
    EDIT_STORY_CHANGES,
    EDIT_EPIC_CHANGES,
    EDIT_TASK_CHANGES,
    /* Creations: `mine` is the text; for stories and epics there is none, the name says it all. */
    EDIT_NEW_STORY,
    EDIT_NEW_EPIC,
    EDIT_NEW_STORY_COMMENT,
    EDIT_NEW_EPIC_COMMENT,
    EDIT_NEW_TASK,
    EDIT_NEW_ATTACHMENT, /* of a story; `spool` has the bytes, `name` is the file's */
    /* Removals. */
    EDIT_DELETE_STORY,
    EDIT_DELETE_EPIC,
    EDIT_DELETE_STORY_COMMENT,
    EDIT_DELETE_EPIC_COMMENT,
    EDIT_DELETE_TASK,
    EDIT_DELETE_ATTACHMENT,
    N_EDIT_FILES
} EditFile;

typedef struct EditTarget {
    EditFile file;
    gint64 project_id;
    gint64
        owner_id; /* the story or epic; 0 for a project's own files and for NEW_STORY, NEW_EPIC */
    gint64 id;    /* the comment, task or attachment; else 0 */
    const char *name;  /* _FIELD: the attribute; NEW_STORY, NEW_EPIC: the title; NEW_ATTACHMENT: the
                          file name; else NULL */
    const char *spool; /* NEW_ATTACHMENT: of cache_spool_new() */
} EditTarget;

typedef enum {
    EDIT_UNSAVED, /* not in the journal yet: go on waiting, however long it takes */
    EDIT_PENDING, /* in the journal, no verdict: it will be sent whatever happens */
    EDIT_ACCEPTED,
    EDIT_REFUSED,  /* by the server (ERR_INVALID, ERR_AUTH, ERR_NOT_FOUND, ERR_PROTOCOL when it did
                      not do what was asked), or not journaled (ERR_NO_SPACE, ERR_LOCAL) */
    EDIT_CONFLICT, /* ERR_CONFLICT: someone else changed the same thing; nothing was sent */
} EditVerdict;

/* Whose `.error`, `.conflict` and queue: comments, tasks and attachments belong to theirs. */
typedef enum { EDIT_OF_STORY, EDIT_OF_EPIC, EDIT_OF_PROJECT } EditOwner;

typedef enum { EDIT_BASE, EDIT_MINE, EDIT_THEIRS, N_EDIT_SIDES } EditSide;

/* Ids of what the server has not accepted yet: above every id that a service gives, below what an
 * inode number can hold. */
#define EDIT_PROVISIONAL_FIRST ((gint64)1 << 44)
static inline gboolean
edit_id_is_provisional(gint64 id)
{
    return id >= EDIT_PROVISIONAL_FIRST;
}

/* What a save that is in conflict wanted. */
typedef struct EditMine {
    gint64 number; /* of the edit */
    Text text;
} EditMine;

void edit_mine_free(EditMine *mine);

/* One line of the queue. */
typedef struct EditStatus {
    gint64 number, project_id, owner_id, id, created_ms;
    EditOwner owner;
    const char *state; /* static: "pending", "sending", "refused", "conflict" */
    char *what;        /* "story 555: description, labels" */
    char *error;       /* why it is refused or delayed; NULL */
    guint attempts;
    gint64 next_try_ms; /* of clock_monotonic_ms(); 0: now, or not any more */
} EditStatus;

void edit_status_free(EditStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EditStatus, edit_status_free)

/* Whether a key of the record (or a name in `.fields/`) can be written at all. Pure. */
gboolean edit_field_is_writable(EditOwner owner, const char *name);

/* Why an attribute cannot be written, as `.error` has it; `is_known`: there is one of this name.
 * The caller's. Pure. */
char *edit_dup_field_refusal(EditOwner owner, const char *name, gboolean is_known);

/* The attributes that a line can set, `i` from 0; NULL: there are no more. `ret_other`: the key
 * that a record may have in its place, or NULL. Static. */
const char *edit_nth_field(EditOwner owner, guint i, const char **ret_other);

/* The states that a story of this type may have, NULL-terminated, static. NULL: an unknown type. */
const char *const *edit_states_of_type(const char *story_type);

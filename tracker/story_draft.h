/* story_draft: a story as it is going to be, and the rules for it (v5-reference 3.7, 4.3, 4.4).
 *
 * new or load → apply (the given parameters) → check (the rules) → insert or save. Rules are looked
 * at only where something changes: what an import brought stays editable in all other attributes.
 *
 * Threads: with the Call. Errors: the 400s of the catalogue. */
#pragma once

#include "tracker/body.h"

#define STORY_MAX_OWNERS 5

#define STORY_NO_TIME G_MININT64

typedef struct StoryDraft {
    gint64 id; /* 0: not inserted yet */
    gint64 project_id;
    char *name, *description, *external_id; /* owned; NULL: none */
    const char *type, *state, *priority;    /* constants; priority NULL: never said */
    gboolean has_estimate;
    double estimate;
    gint64 accepted_at, deadline;                 /* or STORY_NO_TIME */
    gint64 requested_by_id, integration_id;       /* 0: none */
    GArray *owner_ids, *follower_ids, *label_ids; /* of gint64, owned */
    gint64 created_at, position;                  /* of an insertion */
    gboolean state_given;                         /* by the request, in so many words */
} StoryDraft;

StoryDraft *story_draft_new(Call *call);
/* NULL when there is no such story. */
StoryDraft *story_draft_load(Call *call, gint64 story_id);
void story_draft_free(StoryDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoryDraft, story_draft_free)

/* Everything but labels, position and project. */
void story_draft_apply(Call *call, StoryDraft *draft, const json_t *given);
/* Another state, with what follows from it for accepted_at. */
void story_draft_set_state(Call *call, StoryDraft *draft, const char *state);
/* The rules; `before` is the story as it was, NULL of a new one. */
gboolean story_draft_check(Call *call, const StoryDraft *draft, const StoryDraft *before);

/* Sets draft->id. */
void story_draft_insert(Call *call, StoryDraft *draft);
void story_draft_save(Call *call, const StoryDraft *draft);

gboolean story_is_scheduled(const char *state);
/* The constant of a name; NULL: no such state. */
const char *story_state(const char *name);

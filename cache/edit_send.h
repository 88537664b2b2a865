/* edit_send: the way of one edit to the server and the judgement of its answer.
 *
 *     update   look at the object -> merge -> PUT what is to change -> compare the answer
 *     removal  look at the object -> DELETE; gone already is as good
 *     creation look (at the owner, or the project's version) -> note in the journal what is there
 *              -> POST; when that may have been sent before: look for its twin first
 *
 * Nothing is sent over a newer change of the same attribute: the look comes directly before the
 * write. A write whose answer is lost is judged by the next look: a PUT that arrived has nothing
 * left to change, a POST that arrived has left its twin. Threads: the clerk's only; `done` comes
 * once, on the clerk. */
#pragma once

#include "cache/clerk.h"
#include "cache/edit_private.h"
#include "cache/journal.h"
#include "cache/transport.h"

typedef enum {
    OUTCOME_ACCEPTED,
    OUTCOME_REFUSED,
    OUTCOME_CONFLICT,
    OUTCOME_LATER, /* no answer, or one that asks for patience; `error` says which */
} Outcome;

typedef void (*SendDoneFn)(Outcome outcome, Edit *edit, const GError *error, gint64 retry_after_ms,
                           gpointer user);
typedef void (*SendNotedFn)(const GError *error, gpointer user);

typedef struct SendParts {
    Clerk *clerk;
    Transport *transport;
    Journal *journal; /* for the spool */
    gint64 timeout_ms;
    /* Writes `edit` (taken over) to the journal and calls back once it is on the disk. */
    void (*note)(Edit *edit, SendNotedFn noted, gpointer noted_user, gpointer user);
    /* TRUE when another edit is known to have made this id. */
    gboolean (*is_ours)(gint64 id, const Edit *edit, gpointer user);
    gpointer user;
    guint level; /* of field sets (cache/api.h); raised when the service knows fewer */
} SendParts;

/* `project` and `me` (may be NULL) are what is known; `edit` comes back in `done` as a copy with
 * what was learnt (the caller's). `parts` outlives the sending. */
void edit_send(SendParts *parts, const Edit *edit, Project *project, const Person *me,
               SendDoneFn done, gpointer user);

/* saving_private: what saving*.c share. */
#pragma once

#include <pthread.h>

#include "cache/edit_send.h"
#include "cache/saving.h"

/* A writer that waits for its verdict, or may still ask for it. */
typedef struct Attendance {
    gint64 number;
    EditVerdict verdict;
    GError *error;  /* of the verdict, or why there is none yet */
    gint64 made_id; /* creations */
} Attendance;

/* How often an edit was sent in vain. */
typedef struct Tries {
    gint64 number;
    guint attempts;
    gint64 next_ms; /* of clock_monotonic_ms() */
    gboolean sending;
    gboolean server_is_away;
    char *error;
} Tries;

/* What `.error` says. */
typedef struct Reason {
    gint64 number; /* of the edit; of what never was one: of the next */
    char *text;
} Reason;

/* One thing for the next transaction of the journal. */
typedef struct JournalOp {
    Edit *put; /* NULL: `remove` */
    gint64 remove;
    gboolean is_new;   /* a submitted edit: nothing has happened if it fails */
    char *spool;       /* to remove after it; NULL */
    SendNotedFn noted; /* NULL */
    gpointer noted_user;
} JournalOp;

struct Saving {
    SavingParts parts;
    Journal *journal;
    Overlay *overlay;
    SendParts send;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* an outcome, for saving_drain() */
    gint64 next_number;     /* protected by lock, like all down to the line */
    GPtrArray *incoming;    /* of Edit, submitted */
    gboolean flush_is_posted;
    GHashTable *attended;  /* number -> Attendance */
    GHashTable *tries;     /* number -> Tries */
    GHashTable *errors;    /* owner key -> Reason */
    GHashTable *looked_at; /* numbers of conflicts whose other side somebody has read */
    guint outcomes;        /* so far */

    Sync *sync;  /* clerk only, like all below; NULL before saving_start() */
    GArray *ops; /* of JournalOp */
    guint n_sending;
    gboolean closing;
    gint64 wake_ms;       /* the next timer of saving_pump(); 0: none */
    gint64 settle_due_ms; /* of the next look after an acceptance; 0: none */
    gint64 settle_delay_ms;
};

/* saving.c; clerk only but where noted. */
void saving_note(Saving *saving, JournalOp op); /* for the next transaction */
void saving_publish(Saving *saving, const GPtrArray *put, const GArray *removed);
void saving_publish_one(Saving *saving, Edit *put); /* takes it over */
void saving_post_flush(Saving *saving);             /* any thread */

/* saving_outcome.c; clerk only. */
void saving_pump(Saving *saving);
/* Removes it from view and journal, with those made on what it creates. */
void saving_forget(Saving *saving, const Edit *edit);

/* saving_parked.c; clerk only. */
/* Takes `edit` over: it, or a copy that starts from what somebody has seen of the server's side. */
Edit *saving_put_on_theirs(Saving *saving, Edit *edit);
/* TRUE when one that was made on it is on its way, and may take its place. */
gboolean saving_has_successor(Saving *saving, const Edit *parked);
/* A copy with the base that it is to be compared with; the caller's. */
Edit *saving_form_to_send(Saving *saving, const Edit *edit);
/* `edit` was accepted, or is parked; `before`: as it was noted when it was saved. Notes in the
 * journal what that does to parked ones, and adds to what is to be published. */
void saving_settle_parked(Saving *saving, const Edit *edit, const Edit *before, GPtrArray *put,
                          GArray *removed);
gint64 saving_next_number(Saving *saving); /* any thread */
/* The other side of that conflict is another one, or the conflict is over. */
void saving_forget_look(Saving *saving, gint64 number);

/* saving_queue.c; any thread, with the lock held. */
Tries *saving_tries_locked(Saving *saving, gint64 number);
void saving_set_error_locked(Saving *saving, EditOwner owner, gint64 id, gint64 number,
                             const char *text);

/* saving_queue.c; any thread. `.error` of edits up to `number` is over: what is parked says why it
 * is, or there is none. */
void saving_end_error(Saving *saving, EditOwner owner, gint64 id, gint64 number);

void saving_reason_free(gpointer reason);

void saving_attendance_free(gpointer attendance);
void saving_tries_free(gpointer tries);

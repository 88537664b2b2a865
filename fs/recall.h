/* recall: which bytes of a file a process has last seen, and what a saver is to go on seeing.
 *
 * An editor reads a file, its user types for an hour, and then it writes the file anew: cut to
 * nothing first, or as another file that it renames. What was typed is a change of what was read
 * then, not of what the file holds now; so each process's last reads are kept. (Without that an old
 * buffer would undo what others did meanwhile.)
 *
 * After a save its writer finds the bytes and the time that it left (recall_pin()), although the
 * server may write them differently, until the server's bytes change again.
 *
 * Threads: any; one lock, a leaf. Limits: RECALL_READERS processes, RECALL_READS files each,
 * RECALL_PINS files; the oldest goes first. */
#pragma once

#include <glib.h>
#include <time.h>

#define RECALL_READERS 64
#define RECALL_READS 64
#define RECALL_PINS 256

typedef struct Recall Recall;
Recall *recall_new(void);
void recall_free(Recall *recall);

/* `thread`: as FUSE names the asker. */
void recall_read(Recall *recall, guint64 number, gint64 thread, GBytes *bytes);

/* What this process, by any of its threads, saw last of the file; NULL: nothing that is known. */
GBytes *recall_seen(Recall *recall, guint64 number, gint64 thread);

/* What was seen last by anybody, whether it still runs or not. */
GBytes *recall_seen_by_anyone(Recall *recall, guint64 number);

/* The process of a thread (of /proc); 0: gone, or unknown. */
gint64 recall_process(gint64 thread);
/* TRUE when it is there and no zombie. */
gboolean recall_process_lives(gint64 process);

typedef struct RecallPin {
    GBytes *bytes; /* NULL: those of the server */
    struct timespec changed;
} RecallPin;

/* From now on, as long as the file's own bytes have `digest`: `pin`'s bytes and time. */
void recall_pin(Recall *recall, guint64 number, guint64 digest, const RecallPin *pin);
/* FALSE: none. Cheap while there are few. */
gboolean recall_has_pin(Recall *recall, guint64 number);
/* `digest`: of the file's own bytes now; another one ends the pin. `ret_pin->bytes` is the
 * caller's. */
gboolean recall_pinned(Recall *recall, guint64 number, guint64 digest, RecallPin *ret_pin);

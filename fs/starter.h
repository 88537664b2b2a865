/* starter: the process that was started in a terminal and the one that goes on as the mount, and
 * what the second tells the first.
 *
 * In the background the mount is a child in a session of its own. It sends one line for each event
 * through a pipe; the parent shows them and exits when the mount is ready, with its status: so
 * `trackerfs ... && ls` works, and a refusal is seen where it was caused. In the foreground the
 * same functions show at once. Threads: after the fork any may tell; starter_begin() must come
 * before any thread. */
#pragma once

#include <glib.h>

#include "fs/commands.h"

typedef struct Starter Starter;

/* Forks unless `foreground`. Returns in the process that is to mount; the other one shows what it
 * is told, and its exit status comes out in *ret_status with NULL returned. */
Starter *starter_begin(gboolean foreground, int *ret_status);
void starter_free(Starter *starter);

/* Whether somebody watches a terminal, so that progress is worth sending. */
gboolean starter_wants_progress(const Starter *starter);

void starter_note(Starter *starter, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The mount failed: shows the message; returns `status` for the caller to return. */
int starter_fail(Starter *starter, CommandStatus status, const char *message);

/* Mounted. Without a terminal the parent exits now; with one it goes on to show progress. */
void starter_ready(Starter *starter);

/* So many stories of so many; total 0: not known yet. */
void starter_progress(Starter *starter, const char *what, guint done, guint total);

/* No more to tell: the parent exits. From here on messages go to `log_fd` (-1: they stay where they
 * are). */
void starter_finish(Starter *starter, int log_fd);

/* events: one line for each change that was seen at the server, in a file that only grows, so that
 * `tail -f` works where nothing can be pushed to a reader.
 *
 * The file lies in the cache folder and goes on after a remount. Beyond EVENTS_MAX_BYTES it begins
 * anew. Threads: appending belongs to the clerk; reading is any's. Trouble with the disk costs
 * lines and is no error: the tracker has its history. */
#pragma once

#include <glib.h>

#define EVENTS_MAX_BYTES ((gint64)16 * 1024 * 1024)

typedef struct Events Events;

Events *events_open(const char *path);
void events_close(Events *events);

/* `line` is one JSON object without a newline. Lines of one call appear together. */
void events_append(Events *events, const GString *lines);

/* A descriptor of the file as it is, the caller's, or -1; its present length and the time of the
 * last line (0: none). */
int events_read(Events *events, gint64 *ret_bytes, gint64 *ret_changed_ms);

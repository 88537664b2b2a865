/* trash: the folder of the copies that removals make (fs/removal.h), and what is dropped from it.
 *
 * A copy is a folder whose name begins with its time. Dropped are those older than TRASH_KEEP_DAYS,
 * and the oldest ones while all together have more than TRASH_MAX_BYTES; but none of the last
 * TRASH_SURE_HOURS, which the user may not have missed yet. Whatever else lies there is neither
 * counted nor dropped. Threads: any, also of several processes; blocks on disk. What cannot be
 * dropped stays, and counts. */
#pragma once

#include <glib.h>

#define TRASH_KEEP_DAYS 30
#define TRASH_SURE_HOURS 24
#define TRASH_MAX_BYTES ((gint64)2 << 30)

/* The beginning of the name of a copy that is made now. The caller's. */
char *trash_time(gint64 wall_ms);
/* The bytes in the files of a copy. */
gint64 trash_measure(const char *copy);
/* Drops one copy, whatever its age. */
void trash_drop(const char *copy);
/* Drops what is to be dropped: the bytes in the copies that are left. */
gint64 trash_prune(const char *trash, gint64 wall_ms);

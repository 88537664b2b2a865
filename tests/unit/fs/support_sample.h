/* support_sample: our own tracker in-process, over a made-up database in a folder of the test, and
 * a cache on it. */
#pragma once

#include "cache/cache.h"

/* Makes the folder and in it the database; owned, until folder_remove(). */
char *support_sample_make(guint n_stories);
/* Of the database; owned. */
char *support_sample_path(const char *folder);
/* Connected, with the id of the first project; may be opened again after cache_close(). */
Cache *support_sample_open(const char *folder, gint64 ttl_ms, gint64 *ret_project_id);

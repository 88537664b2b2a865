/* source: from what was asked for (fs/location.h) to a transport that reaches it, and the name of
 * its cache folder.
 *
 * One of the few files that see both cache/ and tracker/. A database is reached in-process: a
 * transport whose one thread calls tracker_handle(); the tree it gives is byte for byte the one
 * over HTTP. Threads: main, after any fork. Errors: ERR_INVALID, ERR_LOCAL, ERR_NO_SPACE. */
#pragma once

#include "cache/transport.h"
#include "fs/options.h"

/* `token` NULL: none. `ret_cache_name` (the caller's) differs for every URL, token and database:
 * what one person may see must not stand in the cache of another. */
Transport *source_open(const Options *options, const char *token, char **ret_cache_name,
                       GError **error);

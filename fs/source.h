/* source: opens what a mount shows, as a transport: HTTP, or a tracker database in this process.
 *
 * Both give the same answers, so the tree above cannot tell them apart.
 * Threads: main, after the fork: both make threads. Blocks on disk, not on the network.
 * Errors: ERR_INVALID (a database that is none, is of a newer version or empty), ERR_LOCAL,
 * ERR_NO_SPACE. */
#pragma once

#include "cache/transport.h"
#include "fs/location.h"

/* `token` NULL: none. `writes`: a database is opened for writing. `ret_identity`: a text that is
 * the same exactly when the data are (service and account, or database); not a secret. The
 * caller's. */
Transport *source_open(const Location *location, const char *token, gint64 timeout_ms,
                       gboolean writes, char **ret_identity, GError **error);

/* migrate: brings a database from the version it has (PRAGMA user_version) to the one of the
 * program, step by step.
 *
 * Each step is one transaction: it is there whole, with its version, or not at all; of two programs
 * that open a file at once, one does it. Threads: the connection's. Errors: TRACKER_ERROR; the
 * database is then at the version before the step that failed, and usable by who knows that one. */
#pragma once

#include "tracker/db.h"

/* steps[i] leads from version i to i + 1. Text of step 0 makes an empty file one of ours. */
gboolean migrate_run(DbConn *conn, const char *const *steps, int n_steps, GError **error);

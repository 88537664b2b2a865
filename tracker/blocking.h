/* blocking: which blockers name a story: "#123", or its address, as the whole description
 * (v5-reference 3.18, 4.4).
 *
 * Threads: with the connection. Errors: stick to it. Costs a look at every unresolved blocker. */
#pragma once

#include "tracker/db.h"

/* Rows (id of the blocker, id of the story it hangs on) of the unresolved ones in the story's
 * project that hang on another story, by the latter. Finish with db_done(). */
DbStmt *blocking_prepare(DbConn *conn, gint64 story_id);

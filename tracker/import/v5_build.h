/* v5_build: from the stage to the tables of a tracker database, inside the caller's transaction.
 *
 * Threads: one. Errors: stick to the connection and to the stage. */
#pragma once

#include "tracker/db.h"
#include "tracker/import/v5_json.h"
#include "tracker/import/v5_stage.h"

/* `progress` is called with resources done and total; `report` gets the number of made parents. */
void v5_build(Stage *stage, DbConn *conn, gint64 now_ms, V5ImportProgressFn progress, gpointer user,
              V5ImportReport *report);

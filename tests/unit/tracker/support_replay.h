/* support_replay: the state of a project as its activities tell it, to be compared with what GET
 * says.
 *
 * Begins with a picture of the project; replay_advance() applies what happened since. Objects are
 * stories, epics, labels, what hangs below them, members, settings and overrides; the order of
 * stories and epics is replayed from the neighbours that moves name. */
#pragma once

#include "support_service.h"

typedef struct Replay Replay;

Replay *replay_new(Fixture *fixture, gint64 project_id);
void replay_free(Replay *replay);

/* Applies all activities since the last time; their versions must be without a gap. Returns the
 * version that was reached. */
gint64 replay_advance(Replay *replay);
/* Fails the test with what differs. */
void replay_compare(Replay *replay);

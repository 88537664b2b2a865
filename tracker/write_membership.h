/* write_membership: who belongs to a project, for what makes projects, too.
 *
 * Threads: with the Call, inside its transaction. Errors: stick to the connection. */
#pragma once

#include "tracker/call.h"

/* Makes somebody a member who is none, or whose membership is inactive; its id. `color` NULL: one
 * of ours. Announces nothing but the change of an inactive one. */
gint64 membership_add(Call *call, gint64 project_id, gint64 person_id, const char *role,
                      const char *color);

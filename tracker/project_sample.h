/* project_sample: what create_sample puts into a new project (v5-reference 2.3; of what the real
 * one had in it nothing is known).
 *
 * Threads: with the Call. Errors: FALSE after call_fail*(). */
#pragma once

#include "tracker/call.h"

/* The caller must be a member. Each story is made as POST would, with its version and activity. */
gboolean project_sample_fill(Call *call, gint64 project_id);

/* read_search: what the endpoints with a search expression share.
 *
 * Threads: with the Call. Errors: noted in the Call. */
#pragma once

#include "tracker/call.h"

/* The objects of the call's project that its parameter `filter` finds, a page of them in the order
 * of a search. The parameter goes with no other one that chooses. */
gboolean search_answer_stories(Call *call);
gboolean search_answer_epics(Call *call);

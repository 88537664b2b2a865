/* story_order: where a story stands in its project's order, and which list (backlog or icebox) that
 * makes it part of (v5-reference 4.1).
 *
 * Threads: with the Call. Errors: 400 for a place that does not exist. */
#pragma once

#include "tracker/story_draft.h"

/* Follows `group`, `before_id` and `after_id` of the request, which may change the draft's state to
 * that of the list it moves to; without them, a story that is new (`before` NULL), or whose state
 * became one of another stretch, goes to where its state belongs. Sets draft->position.
 * *ret_asked: a place was asked for. */
gboolean story_order_place(Call *call, StoryDraft *draft, const StoryDraft *before,
                           const json_t *given, gboolean *ret_asked);

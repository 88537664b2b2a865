/* write_story: what the files that write stories share. Threads: with the Call. Errors: 400. */
#pragma once

#include "tracker/story_draft.h"

/* `labels` or `label_ids` of the request into the draft. Announce nothing before. */
gboolean story_apply_labels(Call *call, StoryDraft *draft);

/* Makes a story in the call's project, as call->given says, and closes the version. New id; 0 after
 * call_fail*(). */
gint64 write_story_new(Call *call);

/* Moves the story to another project, with whatever else the request changes, and answers. */
gboolean write_story_move(Call *call, StoryDraft *draft, const StoryDraft *before,
                          gint64 target_id);

/* Changes the call's story within its project, as call->given says, and closes the version; answers
 * nothing. Besides what a PUT takes, commit_identifier and commit_type go with `comment`. */
gboolean story_update(Call *call);

/* model_private: making snapshots. For the two makers, model_json.c (from a service) and store.c
 * (from disk); everyone else sees model.h. A new object has one reference, all fields zero, and one
 * owner, who fills it before sharing it. */
#pragma once

#include "cache/model.h"

Account *model_account_new(void);
Story *model_story_new(void);
Activity *model_activity_new(void);

/* The id arrays have room for so many ids, to be filled in by the caller. */
StoryRow *model_story_row_new(guint n_owners, guint n_followers, guint n_reviewers, guint n_labels);

/* Sets `bytes` from everything in it. */
void model_story_finish(Story *story);

void model_text_clear(Text *text);
void model_comments_free(Comment *comments, guint n);
void model_members_free(Member *members, guint n);
void model_labels_free(Label *labels, guint n);
void model_epics_free(Epic *epics, guint n);
void model_iterations_free(Iteration *iterations, guint n);

/* parts: what hangs below a story (comments: below an epic, too): tables of parameters and
 * insertion, shared by the endpoints of their own and by those that take them nested in a story.
 *
 * An insertion announces what it makes (tracker/changes.h) and describes nothing: the handler does.
 * Threads: with the Call. Errors: 0 after call_fail*(). */
#pragma once

#include "tracker/body.h"
#include "tracker/changes.h"

extern const ParamTable comment_create_table, comment_update_table;
extern const ParamTable task_create_table, task_update_table;
extern const ParamTable blocker_create_table, blocker_update_table;
extern const ParamTable review_create_table, review_update_table;

/* The parent is the story or epic of the path, or another story. New id. */
gint64 comment_insert(Call *call, const Kind *parent, gint64 parent_id, const json_t *given);
gint64 task_insert(Call *call, gint64 story_id, const json_t *given);
gint64 blocker_insert(Call *call, gint64 story_id, const json_t *given);
gint64 review_insert(Call *call, gint64 story_id, const json_t *given);

/* The lists `tasks`, `comments`, `blockers`, `reviews`, `pull_requests` and `branches` of a new
 * story. */
gboolean parts_insert(Call *call, gint64 story_id, const json_t *given);
/* Announces what a story brought along from another project. */
void parts_arrived(Call *call, gint64 story_id);

/* Blockers that name a story resolve themselves when it is accepted or deleted. */
void blockers_resolve(Call *call, gint64 story_id);

/* Makes people follow a story or an epic, which must be announced before; those who do stay. */
void followers_add(Call *call, const Kind *parent, gint64 parent_id, const GArray *person_ids);

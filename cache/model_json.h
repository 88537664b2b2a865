/* model_json: V5 JSON to model, and the canonical text of a record. Pure: no I/O, no state, any
 * thread.
 *
 * Tolerant of what services really send: unknown keys (kept in the record), keys that are absent or
 * null, ids as strings, `title` for `name`, owners as objects, datetimes as ISO 8601 or as
 * milliseconds, invalid UTF-8 and lone surrogates (each bad byte or escape becomes U+FFFD). Strict
 * where data would be lost: a list that is no list, an element of it without a positive id, JSON
 * that does not parse or nests deeper than MODEL_JSON_MAX_DEPTH is ERR_PROTOCOL, and the message
 * says where. Only a story, epic, label or member without one is left out and counted: one broken
 * record must not keep thousands of others from their readers. Everything returned is the caller's.
 */
#pragma once

#include "cache/model.h"

#define MODEL_JSON_MAX_DEPTH 64

/* One story as it came with a nested page. `before_id` is the story directly below it, `after_id`
 * directly above; 0 when not sent. */
typedef struct ParsedStory {
    Story *story;  /* owned */
    StoryRow *row; /* owned */
    gint64 before_id, after_id;
} ParsedStory;

/* One activity: the line for activity.jsonl, and what it says about which resources to fetch again.
 */
typedef struct ParsedActivity {
    gint64 project_id, version, occurred_ms;
    Text line; /* compact JSON, canonical key order, no newline inside, none at the end */
    gint64 *story_ids,
        *epic_ids; /* touched: by changes, by primary resources, by comments' and tasks' story_id */
    guint n_story_ids, n_epic_ids;
    gboolean deletes_stories;    /* some story id above was deleted or moved away */
    gint64 oldest_acceptance_ms; /* of the accepted_at times that it set or unset; 0 none */
    gboolean touches_labels, touches_epics, touches_members, touches_project;
} ParsedActivity;

/* Arrays with a free function set: g_ptr_array_unref() frees the elements. NULL with `error` on
 * failure. */
GPtrArray *model_parse_stories(const char *json, gsize bytes, guint *ret_left_out,
                               GError **error); /* of ParsedStory */
GPtrArray *model_parse_activities(const char *json, gsize bytes,
                                  GError **error); /* of ParsedActivity, as sent */

/* The parts of a Project, each the answer of its own request; filled into a Project under
 * construction. What was there before is freed first. Arrays are left sorted as cache/model.h says.
 */
gboolean model_parse_project(Project *project, const char *json, gsize bytes, GError **error);
gboolean model_parse_members(Project *project, const char *json, gsize bytes, GError **error);
gboolean model_parse_labels(Project *project, const char *json, gsize bytes, GError **error);
gboolean model_parse_epics(Project *project, const char *json, gsize bytes, GError **error);
/* Appends the iterations of one page (a number that is already there is replaced), sorted by
 * number. */
gboolean model_parse_iterations(Project *project, const char *json, gsize bytes, GError **error);

/* `me` from GET /me, projects from GET /projects. */
Account *model_parse_account(const char *me, gsize me_bytes, const char *projects,
                             gsize projects_bytes, GError **error);

/* A Project with nothing in it, to be filled by its one owner and then shared. A copy shares the
 * story rows. */
Project *project_new(gint64 id);
Project *project_copy(const Project *project);
/* Takes over `rows` (each a reference) as the stories in board order, and builds the index by id.
 */
void project_set_stories(Project *project, GPtrArray *rows);
/* Sets changed_ms from everything in it. */
void project_finish(Project *project);

StoryRow *story_row_ref(StoryRow *row);
void story_row_unref(StoryRow *row);
void parsed_story_free(ParsedStory *parsed);
void parsed_activity_free(ParsedActivity *parsed);

/* Canonical text of any JSON value, as records have it. For tests and fuzzing. NULL with
 * ERR_PROTOCOL. */
char *model_canonical_json(const char *json, gsize bytes, gsize *ret_bytes, GError **error);

/* ISO 8601 ("2017-05-03T23:29:41Z", with or without fraction and offset) to ms since 1970; FALSE if
 * it is none. */
gboolean model_parse_time(const char *text, gint64 *ret_ms);

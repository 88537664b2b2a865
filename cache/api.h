/* api: the V5 endpoints that the cache asks, and what their answers mean. Pure: builds requests,
 * judges responses.
 *
 * Field sets. Services differ in which attributes `fields` may name, and a V5 service answers 400
 * for one that it does not know. So each listing has levels: 0 asks for all that story.json may
 * show, the next for what every known service has, the last for nothing special. Who gets
 * ERR_INVALID asks again one level on. Threads: any. */
#pragma once

#include "cache/transport.h"

#define API_STORIES_PER_PAGE 500
#define API_ITERATIONS_PER_PAGE 50
#define API_ACTIVITIES_PER_PAGE 500
#define API_BULK_MAX 500
#define API_LEVELS 3
#define API_WRITE_MAX_BYTES ((gsize)64 * 1024 * 1024) /* of the answer to a write */

/* The caller's, with method, target and size limit set; priority and deadline are the sender's. */
HttpRequest *api_get_me(void);
HttpRequest *api_get_projects(void);
HttpRequest *api_get_project(gint64 project_id);
HttpRequest *api_get_members(gint64 project_id);
HttpRequest *api_get_labels(gint64 project_id);
HttpRequest *api_get_epics(gint64 project_id, guint level);
/* `scope` NULL: all of them. */
HttpRequest *api_get_iterations(gint64 project_id, guint level, guint offset, const char *scope);
HttpRequest *api_get_stories(gint64 project_id, guint level, guint limit, guint offset);
/* One story or epic with everything nested and its neighbours. `project_id` 0: wherever it is. */
HttpRequest *api_get_story(gint64 project_id, gint64 story_id, guint level);
HttpRequest *api_get_epic(gint64 project_id, gint64 epic_id, guint level);
/* What the answer to a write is asked to hold: the same; NULL: nothing special. Static. */
const char *api_story_fields(guint level);
const char *api_epic_fields(guint level);
const char *api_comment_fields(guint level);
/* n_ids at most API_BULK_MAX. Also asks for the neighbours in board order. */
HttpRequest *api_get_bulk(gint64 project_id, guint level, const gint64 *ids, guint n_ids);
/* Of all projects of the account, since a time of the service's clock; 0: only the latest one. */
HttpRequest *api_get_my_activity(gint64 occurred_after_ms);
/* kind: 'p', 's' or 'e'; for 's' and 'e' `id` is the story or epic in `project_id`. */
HttpRequest *api_get_activity(gint64 project_id, char kind, gint64 id, gint64 since_version,
                              guint offset);

/* TRUE when there is a body to parse: a 200 that looks like JSON. Else FALSE, with the trouble in
 * the server's own words: ERR_AUTH, ERR_NOT_FOUND, ERR_INVALID (400), ERR_RATE_LIMITED, ERR_SERVER,
 * ERR_PROTOCOL ("not a V5 service?"), or the transport's error. `what` names the thing asked for.
 */
gboolean api_check(const HttpResponse *response, const GError *transport_error, const char *what,
                   GError **error);

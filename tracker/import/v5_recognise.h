/* v5_recognise: what a piece of V5 JSON is, and what the path it was asked at says about it. Pure.
 *
 * Threads: any. Errors: none; what is not recognised is V5_UNKNOWN. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef enum {
    V5_UNKNOWN,
    V5_ACCOUNT,
    V5_ACCOUNT_MEMBERSHIP,
    V5_ACTIVITY,
    V5_BLOCKER,
    V5_BRANCH,
    V5_COMMENT,
    V5_EPIC,
    V5_FILE_ATTACHMENT,
    V5_GOOGLE_ATTACHMENT,
    V5_ITERATION,
    V5_ITERATION_OVERRIDE,
    V5_LABEL,
    V5_ME,
    V5_MEMBERSHIP,
    V5_MEMBERSHIP_SUMMARY,
    V5_PERSON,
    V5_PROJECT,
    V5_PULL_REQUEST,
    V5_RELEASE,
    V5_REVIEW,
    V5_REVIEW_TYPE,
    V5_STORY,
    V5_TASK,
    V5_TRANSITION,
    V5_WORKSPACE,
    V5_KINDS,
} V5Kind;

/* "story", "project_membership", ...: the name on the wire; activities are "activity". Static. */
const char *v5_kind_name(V5Kind kind);

/* By `kind`, else by shape, else `hint`. An object that says a kind nobody knows stays V5_UNKNOWN.
 */
V5Kind v5_recognise(const json_t *object, V5Kind hint);

/* What an element of a list under this key is: "comments" -> V5_COMMENT; V5_UNKNOWN for other keys.
 */
V5Kind v5_kind_of_collection(const char *key, gsize key_bytes);

/* What is known from around a piece of JSON. Ids are 0 when unknown. */
typedef struct V5Context {
    gint64 project_id, story_id, epic_id, comment_id, person_id;
    V5Kind hint;
    gboolean is_project_order; /* a list of stories here is in the order of the project */
} V5Context;

/* Of a request path such as "/services/v5/projects/1/stories/2/comments"; `query` may be NULL. */
V5Context v5_context_of_path(const char *path, const char *query);

/* A V5 time, ISO text or milliseconds; 0 when absent or no time. */
gint64 v5_time_ms(const json_t *value);

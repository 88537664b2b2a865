/* Everything but GET: who may do it, with which parameters (v5-reference 2). Each table of
 * parameters stands above the routes that use it; types, lengths and names are checked before the
 * handler runs. */
#include "tracker/routes.h"

#define STORY "projects/:p/stories/:s"
#define TYPES "feature,bug,chore,release"
#define STATES "accepted,delivered,finished,started,rejected,planned,unstarted,unscheduled"
#define PRIORITIES "p0,p1,p2,p3,none"
#define GROUPS "scheduled,unscheduled,current"

/* Of POST and PUT. `kind` is accepted and ignored, as recorded; `cl_numbers` is too old. */
static const Param story_params[] = {
    {"description", PARAM_EXTENDED_STRING, PARAM_NULL, 20000, NULL},
    {"story_type", PARAM_ENUM, 0, 0, TYPES},
    {"current_state", PARAM_ENUM, 0, 0, STATES},
    {"estimate", PARAM_NUMBER, PARAM_NULL, 0, NULL},
    {"accepted_at", PARAM_TIME, PARAM_NULL, 0, NULL},
    {"deadline", PARAM_TIME, PARAM_NULL, 0, NULL},
    {"requested_by_id", PARAM_INT, 0, 0, NULL},
    {"owner_ids", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"owned_by_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"labels", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"label_ids", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"follower_ids", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"before_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"after_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"group", PARAM_ENUM, 0, 0, GROUPS},
    {"integration_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"external_id", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"story_priority", PARAM_ENUM, 0, 0, PRIORITIES},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    {"cl_numbers", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
static const ParamTable story_both = PARAM_TABLE(story_params, FALSE, NULL);

static const Param story_create_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_REQUIRED | PARAM_NULL, 5000, NULL},
    {"created_at", PARAM_TIME, 0, 0, NULL},
};
static const ParamTable story_create = PARAM_TABLE(story_create_params, FALSE, &story_both);

/* A PUT with nothing is answered, as recorded: needs_one is not set. */
static const Param story_update_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_NULL, 5000, NULL},
};
static const ParamTable story_update = PARAM_TABLE(story_update_params, FALSE, &story_both);

const WriteRoute write_routes[] = {
    {"POST", "projects/:p/stories", ROLE_MEMBER, &story_create, write_story_create, 0},
    /* A viewer may follow. */
    {"PUT", STORY, ROLE_VIEWER, &story_update, write_story_update, ROUTE_STORY_ALIAS},
    {"DELETE", STORY, ROLE_MEMBER, NULL, write_story_delete, ROUTE_STORY_ALIAS},
};
const gsize n_write_routes = G_N_ELEMENTS(write_routes);

/* Everything but GET: who may do it, with which parameters (v5-reference 2). Each table of
 * parameters stands above the routes that use it; types, lengths and names are checked before the
 * handler runs. */
#include "tracker/parts.h"
#include "tracker/routes.h"

#define STORY "projects/:p/stories/:s"
#define EPIC "projects/:p/epics/:e"
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
    {"tasks", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"comments", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"blockers", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"reviews", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"pull_requests", PARAM_LIST, PARAM_NULL, 0, NULL},
    {"branches", PARAM_LIST, PARAM_NULL, 0, NULL},
};
static const ParamTable story_create = PARAM_TABLE(story_create_params, FALSE, &story_both);

/* A PUT with nothing is answered, as recorded: needs_one is not set. */
static const Param story_update_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_NULL, 5000, NULL},
    {"project_id", PARAM_INT, 0, 0, NULL},
    {"comment", PARAM_EXTENDED_STRING, PARAM_NULL, 20000, NULL},
};
static const ParamTable story_update = PARAM_TABLE(story_update_params, FALSE, &story_both);

static const Param owner_params[] = {{"id", PARAM_INT, PARAM_REQUIRED, 0, NULL}};
static const ParamTable owner_add = PARAM_TABLE(owner_params, FALSE, NULL);

static const Param label_params[] = {
    {"id", PARAM_INT, 0, 0, NULL},
    {"name", PARAM_STRING, 0, 255, NULL},
};
static const ParamTable label_add = PARAM_TABLE(label_params, TRUE, NULL);

static const Param export_project_params[] = {{"story_ids", PARAM_INT_LIST, 0, 0, NULL}};
static const ParamTable project_export = PARAM_TABLE(export_project_params, FALSE, NULL);
static const Param export_params[] = {{"ids", PARAM_INT_LIST, PARAM_REQUIRED, 0, NULL}};
static const ParamTable story_export = PARAM_TABLE(export_params, FALSE, NULL);

const WriteRoute write_routes[] = {
    {"POST", "projects/:p/export", ROLE_NONE, &project_export, export_project, ROUTE_READS},
    {"POST", "stories/export", ROLE_NONE, &story_export, export_stories, ROUTE_READS},
    {"POST", "aggregator", ROLE_NONE, NULL, aggregate, ROUTE_READS | ROUTE_RAW},
    {"POST", "projects/:p/stories", ROLE_MEMBER, &story_create, write_story_create, 0},
    /* A viewer may follow. */
    {"PUT", STORY, ROLE_VIEWER, &story_update, write_story_update, ROUTE_STORY_ALIAS},
    {"DELETE", STORY, ROLE_MEMBER, NULL, write_story_delete, ROUTE_STORY_ALIAS},
    {"POST", STORY "/owners", ROLE_MEMBER, &owner_add, write_story_owner_add, ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/owners/:i", ROLE_MEMBER, NULL, write_story_owner_remove, ROUTE_STORY_ALIAS},
    {"POST", STORY "/labels", ROLE_MEMBER, &label_add, write_story_label_add, ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/labels/:i", ROLE_MEMBER, NULL, write_story_label_remove, ROUTE_STORY_ALIAS},
    {"POST", STORY "/tasks", ROLE_MEMBER, &task_create_table, write_task_create, ROUTE_STORY_ALIAS},
    {"PUT", STORY "/tasks/:i", ROLE_MEMBER, &task_update_table, write_task_update,
     ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/tasks/:i", ROLE_MEMBER, NULL, write_task_delete, ROUTE_STORY_ALIAS},
    {"POST", STORY "/comments", ROLE_MEMBER, &comment_create_table, write_comment_create,
     ROUTE_STORY_ALIAS},
    {"PUT", STORY "/comments/:i", ROLE_MEMBER, &comment_update_table, write_comment_update,
     ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/comments/:i", ROLE_MEMBER, NULL, write_comment_delete, ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/comments/:c/file_attachments/:i", ROLE_MEMBER, NULL,
     write_comment_file_delete, ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/comments/:c/google_attachments/:i", ROLE_MEMBER, NULL,
     write_comment_google_delete, ROUTE_STORY_ALIAS},
    {"POST", STORY "/blockers", ROLE_MEMBER, &blocker_create_table, write_blocker_create,
     ROUTE_STORY_ALIAS},
    {"PUT", STORY "/blockers/:i", ROLE_MEMBER, &blocker_update_table, write_blocker_update,
     ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/blockers/:i", ROLE_MEMBER, NULL, write_blocker_delete, ROUTE_STORY_ALIAS},
    {"POST", STORY "/reviews", ROLE_MEMBER, &review_create_table, write_review_create,
     ROUTE_STORY_ALIAS},
    {"PUT", STORY "/reviews/:i", ROLE_MEMBER, &review_update_table, write_review_update,
     ROUTE_STORY_ALIAS},
    {"DELETE", STORY "/reviews/:i", ROLE_MEMBER, NULL, write_review_delete, ROUTE_STORY_ALIAS},
    {"POST", EPIC "/comments", ROLE_MEMBER, &comment_create_table, write_comment_create,
     ROUTE_STORY_ALIAS},
    {"PUT", EPIC "/comments/:i", ROLE_MEMBER, &comment_update_table, write_comment_update,
     ROUTE_STORY_ALIAS},
    {"DELETE", EPIC "/comments/:i", ROLE_MEMBER, NULL, write_comment_delete, ROUTE_STORY_ALIAS},
    {"DELETE", EPIC "/comments/:c/file_attachments/:i", ROLE_MEMBER, NULL,
     write_comment_file_delete, ROUTE_STORY_ALIAS},
    {"DELETE", EPIC "/comments/:c/google_attachments/:i", ROLE_MEMBER, NULL,
     write_comment_google_delete, ROUTE_STORY_ALIAS},
    {"POST", "projects/:p/uploads", ROLE_MEMBER, NULL, write_upload, ROUTE_UPLOAD},
};
const gsize n_write_routes = G_N_ELEMENTS(write_routes);

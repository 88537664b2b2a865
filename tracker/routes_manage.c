/* Everything but GET of what is not a story or below one: people, accounts, projects and what hangs
 * on them. The same kind of table as routes_write.c. */
#include "tracker/labels.h"
#include "tracker/people.h"
#include "tracker/routes.h"

#define P "projects/:p"
#define EPIC P "/epics/:e"
#define TABLE(name, params, needs_one, base)                                                       \
    static const ParamTable name = PARAM_TABLE(params, needs_one, base)

/* ---- people and accounts ---- */

/* What /me takes is (unsure): these are the settings that a profile page has. */
static const Param me_params[] = {
    {"name", PARAM_STRING, 0, PEOPLE_MAX_NAME_CHARS, NULL},
    {"initials", PARAM_STRING, 0, PEOPLE_MAX_INITIALS_CHARS, NULL},
    {"username", PARAM_STRING, 0, PEOPLE_MAX_NAME_CHARS, NULL},
    {"email", PARAM_STRING, 0, PEOPLE_MAX_EMAIL_CHARS, NULL},
    {"time_zone", PARAM_OBJECT, 0, 0, NULL},
    {"receives_in_app_notifications", PARAM_BOOL, 0, 0, NULL},
};
TABLE(me, me_params, TRUE, NULL);

static const Param workspace_create_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_REQUIRED, 25, NULL},
    {"project_ids", PARAM_INT_LIST, 0, 0, NULL},
};
TABLE(workspace_create, workspace_create_params, FALSE, NULL);
static const Param workspace_update_params[] = {
    {"project_ids", PARAM_INT_LIST, PARAM_REQUIRED, 0, NULL},
};
TABLE(workspace_update, workspace_update_params, FALSE, NULL);

static const Param notification_params[] = {{"read_at", PARAM_TIME, PARAM_REQUIRED, 0, NULL}};
TABLE(notification, notification_params, FALSE, NULL);
static const Param mark_read_params[] = {{"before", PARAM_INT, PARAM_REQUIRED, 0, NULL}};
TABLE(mark_read, mark_read_params, FALSE, NULL);
static const Param read_list_params[] = {{"ids", PARAM_INT_LIST, PARAM_REQUIRED, 0, NULL}};
TABLE(read_list, read_list_params, FALSE, NULL);

static const Param person_params[] = {
    {"person_id", PARAM_INT, 0, 0, NULL},
    {"email", PARAM_STRING, 0, PEOPLE_MAX_EMAIL_CHARS, NULL},
    {"name", PARAM_STRING, 0, PEOPLE_MAX_NAME_CHARS, NULL},
    {"initials", PARAM_STRING, 0, PEOPLE_MAX_INITIALS_CHARS, NULL},
};
TABLE(person, person_params, FALSE, NULL);

static const Param account_flag_params[] = {
    {"admin", PARAM_BOOL, 0, 0, NULL},
    {"project_creator", PARAM_BOOL, 0, 0, NULL},
    {"timekeeper", PARAM_BOOL, 0, 0, NULL},
    {"time_enterer", PARAM_BOOL, 0, 0, NULL},
};
TABLE(account_member_update, account_flag_params, TRUE, NULL);
static const Param account_member_create_params[] = {
    {"admin", PARAM_BOOL, 0, 0, NULL},      {"project_creator", PARAM_BOOL, 0, 0, NULL},
    {"timekeeper", PARAM_BOOL, 0, 0, NULL}, {"time_enterer", PARAM_BOOL, 0, 0, NULL},
    {"created_at", PARAM_TIME, 0, 0, NULL},
};
TABLE(account_member_create, account_member_create_params, TRUE, &person);

/* ---- projects and their members ---- */

#define WEEKDAYS "sunday,monday,tuesday,wednesday,thursday,friday,saturday"
#define PROJECT_TYPES "demo,private,public,shared"
#define PROJECT_MAX_NAME_CHARS 50

/* The names that a PUT with none of them is told. */
static const Param project_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_NULL, PROJECT_MAX_NAME_CHARS, NULL},
    {"account_id", PARAM_INT, 0, 0, NULL},
    {"accounting_type", PARAM_ENUM, 0, 0, "unbillable,billable,overhead"},
    {"atom_enabled", PARAM_BOOL, 0, 0, NULL},
    {"automatic_planning", PARAM_BOOL, 0, 0, NULL},
    {"bugs_and_chores_are_estimatable", PARAM_BOOL, 0, 0, NULL},
    {"description", PARAM_EXTENDED_STRING, PARAM_NULL, 140, NULL},
    {"enable_incoming_emails", PARAM_BOOL, 0, 0, NULL},
    {"enable_tasks", PARAM_BOOL, 0, 0, NULL},
    {"featured", PARAM_BOOL, 0, 0, NULL},
    {"initial_velocity", PARAM_INT, 0, 0, NULL},
    {"iteration_length", PARAM_INT, 0, 0, NULL},
    {"number_of_done_iterations_to_show", PARAM_INT, 0, 0, NULL},
    {"point_scale", PARAM_STRING, PARAM_NULL, 255, NULL},
    {"profile_content", PARAM_EXTENDED_STRING, PARAM_NULL, 65535, NULL},
    {"project_type", PARAM_ENUM, 0, 0, PROJECT_TYPES},
    {"public", PARAM_BOOL, 0, 0, NULL},
    {"start_date", PARAM_DATE, PARAM_NULL, 0, NULL},
    {"time_zone", PARAM_OBJECT, 0, 0, NULL},
    {"velocity_averaged_over", PARAM_INT, 0, 0, NULL},
    {"week_start_day", PARAM_ENUM, PARAM_ANY_CASE, 0, WEEKDAYS},
    /* Younger than that sentence. */
    {"show_story_priority", PARAM_BOOL, PARAM_UNLISTED, 0, NULL},
    {"show_priority_icon", PARAM_BOOL, PARAM_UNLISTED, 0, NULL},
    {"show_priority_icon_in_all_panels", PARAM_BOOL, PARAM_UNLISTED, 0, NULL},
};
TABLE(project_update, project_params, TRUE, NULL);
TABLE(project_settings, project_params, FALSE, NULL);
static const Param project_create_params[] = {
    {"no_owner", PARAM_BOOL, 0, 0, NULL},
    {"new_account_name", PARAM_STRING, 0, 100, NULL},
    {"create_sample", PARAM_BOOL, 0, 0, NULL},
    {"join_as", PARAM_ENUM, 0, 0, "owner,member,viewer"},
};
TABLE(project_create, project_create_params, FALSE, &project_settings);

static const Param member_create_params[] = {
    {"role", PARAM_ENUM, PARAM_REQUIRED, 0, "owner,member,viewer"},
    {"project_color", PARAM_STRING, 0, 0, NULL},
    {"message", PARAM_STRING, 0, 0, NULL}, /* of the e-mail that is not sent (unsure) */
};
TABLE(member_create, member_create_params, FALSE, &person);
static const Param member_update_params[] = {
    {"role", PARAM_ENUM, 0, 0, "owner,member,viewer,inactive"},
    {"project_color", PARAM_STRING, 0, 0, NULL},
    {"favorite", PARAM_BOOL, 0, 0, NULL},
    {"last_viewed_at", PARAM_TIME, 0, 0, NULL},
};
TABLE(member_update, member_update_params, TRUE, NULL);

/* ---- what hangs on a project ---- */

static const Param label_params[] = {
    {"name", PARAM_STRING, PARAM_REQUIRED | PARAM_NULL, LABEL_MAX_CHARS, NULL},
};
TABLE(label, label_params, FALSE, NULL);

static const Param epic_params[] = {
    {"description", PARAM_EXTENDED_STRING, PARAM_NULL, 20000, NULL},
    {"label", PARAM_ANY, 0, 0, NULL},
    {"label_id", PARAM_INT, 0, 0, NULL},
    {"follower_ids", PARAM_INT_LIST, PARAM_NULL, 0, NULL},
    {"before_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"after_id", PARAM_INT, PARAM_NULL, 0, NULL},
    {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
};
TABLE(epic_both, epic_params, FALSE, NULL);
static const Param epic_create_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_REQUIRED | PARAM_NULL, 5000, NULL},
    {"comments", PARAM_LIST, 0, 0, NULL},
};
TABLE(epic_create, epic_create_params, FALSE, &epic_both);
static const Param epic_update_params[] = {
    {"name", PARAM_EXTENDED_STRING, PARAM_NULL, 5000, NULL},
};
TABLE(epic_update, epic_update_params, FALSE, &epic_both);

static const Param iteration_override_params[] = {
    {"length", PARAM_INT, PARAM_NULL, 0, NULL},
    {"team_strength", PARAM_NUMBER, PARAM_NULL, 0, NULL},
};
TABLE(iteration_override, iteration_override_params, TRUE, NULL);

static const Param review_type_create_params[] = {
    {"name", PARAM_STRING, PARAM_REQUIRED, 255, NULL},
    {"hidden", PARAM_BOOL, 0, 0, NULL},
};
TABLE(review_type_create, review_type_create_params, FALSE, NULL);
static const Param review_type_update_params[] = {
    {"name", PARAM_STRING, 0, 255, NULL},
    {"hidden", PARAM_BOOL, 0, 0, NULL},
};
TABLE(review_type_update, review_type_update_params, TRUE, NULL);

static const Param webhook_params[] = {
    {"webhook_url", PARAM_STRING, PARAM_NULL, 0, NULL},
    {"webhook_version", PARAM_ENUM, 0, 0, "v5"},
    {"enabled", PARAM_BOOL, 0, 0, NULL},
};
/* That the address is missing has a sentence of its own. */
TABLE(webhook_create, webhook_params, FALSE, NULL);
TABLE(webhook_update, webhook_params, TRUE, NULL);

static const Param saved_search_params[] = {
    {"name", PARAM_STRING, PARAM_REQUIRED, 255, NULL},
    {"query", PARAM_STRING, PARAM_REQUIRED, 1000, NULL},
};
TABLE(saved_search, saved_search_params, FALSE, NULL);

#define INTEGRATION_TYPES "lighthouse,jira,get_satisfaction,zendesk,bugzilla,other"
#define INTEGRATION_MAX_CHARS 1000
static const Param integration_params[] = {
    {"name", PARAM_STRING, 0, INTEGRATION_MAX_CHARS, NULL},
    {"active", PARAM_BOOL, 0, 0, NULL},
    {"base_url", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"api_username", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"api_password", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"zendesk_user_email", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"zendesk_user_password", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"view_id", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"company", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"product", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"component", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"statuses_to_exclude", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"filter_id", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"account", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"external_api_token", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"bin_id", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"external_project_id", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"import_api_url", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"basic_auth_username", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"basic_auth_password", PARAM_STRING, PARAM_NULL, INTEGRATION_MAX_CHARS, NULL},
    {"comments_private", PARAM_BOOL, 0, 0, NULL},
    {"update_comments", PARAM_BOOL, 0, 0, NULL},
    {"update_state", PARAM_BOOL, 0, 0, NULL},
};
TABLE(integration_update, integration_params, TRUE, NULL);
TABLE(integration_both, integration_params, FALSE, NULL);
static const Param integration_create_params[] = {
    {"type", PARAM_ENUM, PARAM_REQUIRED | PARAM_ANY_CASE, 0, INTEGRATION_TYPES},
};
TABLE(integration_create, integration_create_params, FALSE, &integration_both);

static const Param source_commit_params[] = {
    {"source_commit", PARAM_OBJECT, PARAM_REQUIRED, 0, NULL},
};
TABLE(source_commit, source_commit_params, FALSE, NULL);

const WriteRoute manage_routes[] = {
    {"PUT", "me", ROLE_NONE, &me, write_me, 0},
    {"POST", "my/workspaces", ROLE_NONE, &workspace_create, write_workspace_create, 0},
    {"PUT", "my/workspaces/:i", ROLE_NONE, &workspace_update, write_workspace_update, 0},
    {"DELETE", "my/workspaces/:i", ROLE_NONE, NULL, write_workspace_delete, 0},
    {"PUT", "my/notifications/mark_read", ROLE_NONE, &mark_read, write_mark_read, 0},
    {"PUT", "my/notifications/read_list", ROLE_NONE, &read_list, write_read_list, 0},
    {"PUT", "my/notifications/:i", ROLE_NONE, &notification, write_notification, 0},
    {"POST", "accounts/:i/memberships", ROLE_NONE, &account_member_create,
     write_account_member_create, 0},
    {"PUT", "accounts/:i/memberships/:u", ROLE_NONE, &account_member_update,
     write_account_member_update, 0},
    {"DELETE", "accounts/:i/memberships/:u", ROLE_NONE, NULL, write_account_member_delete, 0},
    {"POST", "source_commits", ROLE_NONE, &source_commit, write_source_commit, 0},
    {"POST", "projects", ROLE_NONE, &project_create, write_project_create, 0},
    {"PUT", P, ROLE_OWNER, &project_update, write_project_update, 0},
    {"DELETE", P, ROLE_OWNER, NULL, write_project_delete, 0},
    {"POST", P "/memberships", ROLE_OWNER, &member_create, write_membership_create, 0},
    {"PUT", P "/memberships/:i", ROLE_VIEWER, &member_update, write_membership_update, 0},
    {"DELETE", P "/memberships/:i", ROLE_VIEWER, NULL, write_membership_delete, 0},
    {"POST", P "/labels", ROLE_MEMBER, &label, write_label_create, 0},
    {"PUT", P "/labels/:i", ROLE_MEMBER, &label, write_label_update, 0},
    {"DELETE", P "/labels/:i", ROLE_MEMBER, NULL, write_label_delete, 0},
    {"POST", P "/epics", ROLE_MEMBER, &epic_create, write_epic_create, 0},
    /* A viewer may follow. */
    {"PUT", EPIC, ROLE_VIEWER, &epic_update, write_epic_update, ROUTE_STORY_ALIAS},
    {"DELETE", EPIC, ROLE_MEMBER, NULL, write_epic_delete, ROUTE_STORY_ALIAS},
    {"PUT", P "/iteration_overrides/:i", ROLE_MEMBER, &iteration_override, write_iteration_override,
     0},
    {"POST", P "/review_types", ROLE_OWNER, &review_type_create, write_review_type_create, 0},
    {"PUT", P "/review_types/:i", ROLE_OWNER, &review_type_update, write_review_type_update, 0},
    {"POST", P "/webhooks", ROLE_OWNER, &webhook_create, write_webhook_create, 0},
    {"PUT", P "/webhooks/:i", ROLE_OWNER, &webhook_update, write_webhook_update, 0},
    {"DELETE", P "/webhooks/:i", ROLE_OWNER, NULL, write_webhook_delete, 0},
    {"POST", P "/integrations", ROLE_OWNER, &integration_create, write_integration_create, 0},
    {"PUT", P "/integrations/:i", ROLE_OWNER, &integration_update, write_integration_update, 0},
    {"DELETE", P "/integrations/:i", ROLE_OWNER, NULL, write_integration_delete, 0},
    {"POST", P "/my/searches", ROLE_VIEWER, &saved_search, write_saved_search_create, 0},
    {"DELETE", P "/my/searches/:i", ROLE_VIEWER, NULL, write_saved_search_delete, 0},
};
const gsize n_manage_routes = G_N_ELEMENTS(manage_routes);

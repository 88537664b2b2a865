/* One array per kind, in the order in which GET writes it (v5-reference 1.8, 3, 5). A field without
 * `sql` of a column type comes from the column of its own name. Adding an attribute is adding a
 * line. */
#include "tracker/kinds.h"

#include <string.h>

#include "tracker/computed.h"
#include "tracker/summaries.h"

#define D FIELD_DEFAULT
#define A FIELD_DEFAULT | FIELD_ALWAYS
#define COLUMN(type, name, flags)                                                                  \
    {                                                                                              \
#name, FIELD_##type, flags, "t." #name, NULL, NULL, NULL, NULL                             \
    }
#define FROM(type, name, flags, sql)                                                               \
    {                                                                                              \
#name, FIELD_##type, flags, sql, NULL, NULL, NULL, NULL                                    \
    }
#define ONE(name, flags, sql, nested)                                                              \
    {                                                                                              \
#name, FIELD_ONE, flags, sql, nested, NULL, NULL, NULL                                     \
    }
#define MANY(name, flags, link)                                                                    \
    {                                                                                              \
#name, FIELD_MANY, flags, NULL, NULL, link, NULL, NULL                                     \
    }
#define IDS(name, flags, link)                                                                     \
    {                                                                                              \
#name, FIELD_IDS, flags, NULL, NULL, link, NULL, NULL                                      \
    }
#define COMPUTED(name, flags, function)                                                            \
    {                                                                                              \
#name, FIELD_COMPUTED, flags, NULL, NULL, NULL, function, NULL                             \
    }
#define KIND_FIELD                                                                                 \
    {                                                                                              \
        "kind", FIELD_KIND, D, NULL, NULL, NULL, NULL, NULL                                        \
    }
#define ID COLUMN(INT, id, A)
#define CREATED COLUMN(TIME, created_at, D)
#define UPDATED COLUMN(TIME, updated_at, D)
#define PROJECT_ID COLUMN(INT, project_id, D)
#define STORY_ID COLUMN(INT, story_id, D)
#define DEFINE_KIND(symbol, name, table, has_extra)                                                \
    DEFINE_KIND_WRITTEN(symbol, name, table, has_extra, NULL)
#define DEFINE_KIND_WRITTEN(symbol, name, table, has_extra, write_order)                           \
    const Kind kind_##symbol = {                                                                   \
        name, table, symbol##_fields, G_N_ELEMENTS(symbol##_fields), has_extra, write_order}
#define WEB_BASE "(SELECT value FROM meta WHERE key = 'web_base')"

static const Field person_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(TEXT, name, D),
    COLUMN(EMAIL, email, D),
    COLUMN(TEXT, initials, D),
    COLUMN(TEXT, username, D),
};
DEFINE_KIND(person, "person", "person", FALSE);

static const Field performer_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, initials, D),
    COLUMN(EMAIL, email, 0),
    COLUMN(TEXT, username, 0),
};
DEFINE_KIND(performer, "person", "person", FALSE);

static const Field membership_summary_fields[] = {
    KIND_FIELD,
    ID,
    PROJECT_ID,
    FROM(TEXT, project_name, D, "(SELECT p.name FROM project p WHERE p.id = t.project_id)"),
    COLUMN(TEXT, project_color, D),
    COLUMN(BOOL, favorite, D),
    COLUMN(TEXT, role, D),
    COLUMN(TIME, last_viewed_at, D),
};
DEFINE_KIND(membership_summary, "membership_summary", "membership", FALSE);

static const Field account_summary_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, status, D),
    COLUMN(TEXT, plan, D),
    COLUMN(INT, days_left, D),
    COLUMN(BOOL, over_the_limit, D),
};
DEFINE_KIND(account_summary, "account_summary", "account", TRUE);

static const Link me_projects = {&kind_membership_summary, "membership t", "t.person_id",
                                 "t.person_id, t.project_id", NULL};
static const Link me_project_ids = {NULL, "membership t", "t.person_id",
                                    "t.person_id, t.project_id", "t.project_id"};
static const Link me_accounts = {&kind_account_summary,
                                 "account_membership m JOIN account t ON t.id = m.account_id",
                                 "m.person_id", "m.person_id, t.id", NULL};
static const Link me_workspaces = {&kind_workspace, "workspace t", "t.person_id",
                                   "t.person_id, t.id", NULL};
static const Field me_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, initials, D),
    COLUMN(TEXT, username, D),
    COLUMN(ZONE, time_zone, D),
    FROM(TOKEN, api_token, D, NULL),
    COLUMN(BOOL, has_google_identity, D),
    IDS(project_ids, 0, &me_project_ids),
    MANY(projects, D, &me_projects),
    MANY(accounts, 0, &me_accounts),
    IDS(workspace_ids, 0, &me_workspaces),
    MANY(workspaces, 0, &me_workspaces),
    COLUMN(TEXT, email, D),
    COLUMN(BOOL, receives_in_app_notifications, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(me, "me", "person", TRUE);

/* A project that the workspace's owner may no longer read is not shown in it. */
#define WORKSPACE_PROJECTS                                                                         \
    "workspace_project x JOIN workspace w ON w.id = x.workspace_id JOIN membership m"              \
    " ON m.project_id = x.project_id AND m.person_id = w.person_id AND m.role <> 'inactive'"       \
    " JOIN project t ON t.id = x.project_id"
static const Link workspace_projects = {&kind_project, WORKSPACE_PROJECTS, "x.workspace_id",
                                        "x.workspace_id, x.position", NULL};
static const Field workspace_fields[] = {
    ID,
    KIND_FIELD,
    COLUMN(TEXT, name, D),
    COLUMN(INT, person_id, D),
    IDS(project_ids, D, &workspace_projects),
    MANY(projects, 0, &workspace_projects),
};
DEFINE_KIND(workspace, "workspace", "workspace", TRUE);

/* Asked for by itself, as recorded: projects come instead of their ids. */
static const Field workspace_alone_fields[] = {
    ID,
    KIND_FIELD,
    COLUMN(TEXT, name, D),
    COLUMN(INT, person_id, D),
    IDS(project_ids, D, &workspace_projects),
    {"projects", FIELD_MANY, 0, NULL, NULL, &workspace_projects, NULL, "project_ids"},
};
DEFINE_KIND(workspace_alone, "workspace", "workspace", TRUE);

static const Link account_projects = {NULL, "project t", "t.account_id", "t.account_id, t.id",
                                      NULL};
static const Field account_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, plan, D),
    COLUMN(TEXT, status, D),
    COLUMN(INT, days_left, D),
    COLUMN(BOOL, over_the_limit, D),
    CREATED,
    UPDATED,
    IDS(project_ids, 0, &account_projects),
};
DEFINE_KIND(account, "account", "account", TRUE);

static const Field account_membership_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(INT, person_id, 0),
    ONE(person, D, "t.person_id", &kind_person),
    COLUMN(INT, account_id, D),
    CREATED,
    UPDATED,
    COLUMN(BOOL, owner, D),
    COLUMN(BOOL, admin, D),
    COLUMN(BOOL, project_creator, D),
    COLUMN(BOOL, timekeeper, D),
    COLUMN(BOOL, time_enterer, D),
};
DEFINE_KIND(account_membership, "account_membership", "account_membership", TRUE);

static const Field membership_fields[] = {
    KIND_FIELD,
    ID,
    CREATED,
    UPDATED,
    COLUMN(INT, person_id, 0),
    ONE(person, D, "t.person_id", &kind_person),
    PROJECT_ID,
    COLUMN(TEXT, role, D),
    COLUMN(TEXT, project_color, D),
    COLUMN(BOOL, favorite, D),
    COLUMN(TIME, last_viewed_at, D),
    COLUMN(BOOL, wants_comment_notification_emails, D),
    COLUMN(BOOL, will_receive_mention_notifications_or_emails, D),
};
DEFINE_KIND(membership, "project_membership", "membership", TRUE);

static const Field project_light_fields[] = {KIND_FIELD, ID, COLUMN(TEXT, name, D)};
DEFINE_KIND(project_light, "project", "project", FALSE);

static const Link project_labels = {&kind_label, "label t", "t.project_id", "t.project_id, t.name",
                                    NULL};
static const Link project_epics = {&kind_epic, "epic t", "t.project_id", "t.project_id, t.position",
                                   NULL};
static const Link project_stories = {&kind_story, "story t", "t.project_id",
                                     "t.project_id, t.position", NULL};
static const Link project_memberships = {&kind_membership,
                                         "(SELECT * FROM membership WHERE role <> 'inactive') t",
                                         "t.project_id", "t.project_id, t.id", NULL};
static const Link project_review_types = {&kind_review_type, "review_type t", "t.project_id",
                                          "t.project_id, t.id", NULL};
static const Link project_integrations = {&kind_integration, "integration t", "t.project_id",
                                          "t.project_id, t.id", NULL};
static const Link project_overrides = {NULL, "iteration_override t", "t.project_id",
                                       "t.project_id, t.number", "t.number"};
static const Field project_fields[] = {
    ID,
    KIND_FIELD,
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, status, 0),
    COLUMN(INT, version, D),
    COLUMN(INT, iteration_length, D),
    COLUMN(TEXT, week_start_day, D),
    COLUMN(TEXT, point_scale, D),
    COLUMN(BOOL, point_scale_is_custom, D),
    COLUMN(BOOL, bugs_and_chores_are_estimatable, D),
    COLUMN(BOOL, automatic_planning, D),
    COLUMN(BOOL, enable_tasks, D),
    COLUMN(ZONE, time_zone, D),
    COLUMN(INT, velocity_averaged_over, D),
    COLUMN(INT, number_of_done_iterations_to_show, D),
    COLUMN(BOOL, has_google_domain, D),
    COLUMN(TEXT, description, D),
    COLUMN(TEXT, profile_content, D),
    COLUMN(BOOL, enable_incoming_emails, D),
    COLUMN(INT, initial_velocity, D),
    COLUMN(BOOL, public, D),
    COLUMN(BOOL, atom_enabled, D),
    COLUMN(TEXT, project_type, D),
    COLUMN(TEXT, start_date, D),
    COLUMN(TIME, start_time, D),
    CREATED,
    UPDATED,
    IDS(label_ids, 0, &project_labels),
    MANY(labels, 0, &project_labels),
    IDS(epic_ids, 0, &project_epics),
    MANY(epics, 0, &project_epics),
    IDS(membership_ids, 0, &project_memberships),
    MANY(memberships, 0, &project_memberships),
    IDS(review_type_ids, 0, &project_review_types),
    MANY(review_types, 0, &project_review_types),
    IDS(story_ids, 0, &project_stories),
    MANY(stories, 0, &project_stories),
    IDS(integration_ids, 0, &project_integrations),
    MANY(integrations, 0, &project_integrations),
    IDS(iteration_override_numbers, 0, &project_overrides),
    COLUMN(INT, account_id, D),
    ONE(account, 0, "t.account_id", &kind_account_summary),
    COLUMN(BOOL, show_story_priority, D),
    COLUMN(BOOL, show_priority_icon, D),
    COLUMN(BOOL, show_priority_icon_in_all_panels, D),
    COMPUTED(current_iteration_number, D, compute_iteration_number),
    COMPUTED(current_velocity, 0, compute_velocity),
    COMPUTED(current_volatility, 0, compute_volatility),
    COMPUTED(current_standard_deviation, 0, compute_deviation),
    COLUMN(BOOL, enable_following, D),
};
DEFINE_KIND(project, "project", "project", TRUE);

static const Field label_fields[] = {
    ID,
    PROJECT_ID,
    KIND_FIELD,
    COLUMN(TEXT, name, D),
    CREATED,
    UPDATED,
    COMPUTED(counts, FIELD_FLEETING, compute_counts),
};
DEFINE_KIND_WRITTEN(label, "label", "label", TRUE, "id,project_id,name,created_at,updated_at");

static const Field file_attachment_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(TEXT, filename, D),
    CREATED,
    COLUMN(INT, uploader_id, D),
    ONE(uploader, 0, "t.uploader_id", &kind_person),
    COLUMN(BOOL, thumbnailable, D),
    COLUMN(INT, height, D),
    COLUMN(INT, width, D),
    COLUMN(INT, size, D),
    FROM(TEXT, download_url, D,
         "iif(t.content_hash IS NULL, NULL, '/file_attachments/' || t.id || '/download')"),
    COLUMN(TEXT, content_type, D),
    COLUMN(BOOL, uploaded, D),
    FROM(TEXT, big_url, D, "COALESCE(t.big_url, '#')"),
    FROM(TEXT, thumbnail_url, D, "COALESCE(t.thumbnail_url, '#')"),
};
DEFINE_KIND(file_attachment, "file_attachment", "file_attachment", TRUE);

static const Field google_attachment_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(INT, comment_id, D),
    COLUMN(INT, person_id, D),
    COLUMN(TEXT, google_kind, D),
    COLUMN(TEXT, title, D),
    COLUMN(TEXT, google_id, D),
    COLUMN(TEXT, alternate_link, D),
    COLUMN(TEXT, resource_id, D),
};
DEFINE_KIND(google_attachment, "google_attachment", "google_attachment", TRUE);

static const Link comment_files = {&kind_file_attachment, "file_attachment t", "t.comment_id",
                                   "t.comment_id, t.id", NULL};
static const Link comment_google = {&kind_google_attachment, "google_attachment t", "t.comment_id",
                                    "t.comment_id, t.id", NULL};
static const Field comment_fields[] = {
    KIND_FIELD,
    ONE(person, 0, "t.person_id", &kind_person),
    IDS(file_attachment_ids, 0, &comment_files),
    MANY(file_attachments, 0, &comment_files),
    IDS(google_attachment_ids, 0, &comment_google),
    MANY(google_attachments, 0, &comment_google),
    COMPUTED(attachment_ids, 0, compute_attachment_ids),
    COMPUTED(attachments, 0, compute_attachments),
    ID,
    STORY_ID,
    COLUMN(INT, epic_id, D),
    COLUMN(TEXT, text, D),
    COLUMN(INT, person_id, D),
    CREATED,
    UPDATED,
    COLUMN(TEXT, commit_identifier, D),
    COLUMN(TEXT, commit_type, D),
};
DEFINE_KIND(comment, "comment", "comment", TRUE);

static const Field task_fields[] = {
    KIND_FIELD,
    ID,
    STORY_ID,
    COLUMN(TEXT, description, D),
    COLUMN(BOOL, complete, D),
    COLUMN(INT, position, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(task, "task", "task", TRUE);

static const Field blocker_fields[] = {
    KIND_FIELD,
    ID,
    STORY_ID,
    COLUMN(INT, person_id, D),
    ONE(person, 0, "t.person_id", &kind_person),
    COLUMN(TEXT, description, D),
    COLUMN(BOOL, resolved, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(blocker, "blocker", "blocker", TRUE);

static const Field review_type_fields[] = {
    KIND_FIELD, ID, PROJECT_ID, COLUMN(TEXT, name, D), COLUMN(BOOL, hidden, D), CREATED, UPDATED,
};
DEFINE_KIND(review_type, "review_type", "review_type", TRUE);

static const Field review_fields[] = {
    KIND_FIELD,
    ONE(review_type, 0, "t.review_type_id", &kind_review_type),
    ONE(reviewer, 0, "t.reviewer_id", &kind_person),
    ID,
    STORY_ID,
    COLUMN(INT, review_type_id, D),
    COLUMN(INT, reviewer_id, D),
    COLUMN(TEXT, status, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(review, "review", "review", TRUE);

static const Field transition_fields[] = {
    KIND_FIELD,
    COLUMN(TEXT, state, D),
    COLUMN(INT, story_id, A),
    PROJECT_ID,
    COLUMN(INT, project_version, D),
    COLUMN(TIME, occurred_at, D),
    COLUMN(INT, performed_by_id, D),
    ONE(performed_by, 0, "t.performed_by_id", &kind_person),
};
DEFINE_KIND(transition, "story_transition", "story_transition", TRUE);

static const Field pull_request_fields[] = {
    ID,
    KIND_FIELD,
    STORY_ID,
    COLUMN(TEXT, owner, D),
    COLUMN(TEXT, repo, D),
    COLUMN(TEXT, host_url, D),
    COLUMN(TEXT, original_url, D),
    COLUMN(TEXT, status, D),
    COLUMN(INT, number, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(pull_request, "pull_request", "pull_request", TRUE);

static const Field branch_fields[] = {
    ID,
    KIND_FIELD,
    STORY_ID,
    COLUMN(TEXT, owner, D),
    COLUMN(TEXT, repo, D),
    COLUMN(TEXT, host_url, D),
    COLUMN(TEXT, name, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(branch, "branch", "branch", TRUE);

static const Link story_owners = {&kind_person, "story_owner x JOIN person t ON t.id = x.person_id",
                                  "x.story_id", "x.story_id, x.position", NULL};
static const Link story_owner_ids = {NULL, "story_owner t", "t.story_id", "t.story_id, t.position",
                                     "t.person_id"};
static const Link story_followers = {&kind_person,
                                     "story_follower x JOIN person t ON t.id = x.person_id",
                                     "x.story_id", "x.story_id, x.person_id", NULL};
static const Link story_follower_ids = {NULL, "story_follower t", "t.story_id",
                                        "t.story_id, t.person_id", "t.person_id"};
static const Link story_labels = {&kind_label, "story_label x JOIN label t ON t.id = x.label_id",
                                  "x.story_id", "x.story_id, t.name", NULL};
static const Link story_tasks = {&kind_task, "task t", "t.story_id", "t.story_id, t.position, t.id",
                                 NULL};
static const Link story_comments = {&kind_comment, "comment t", "t.story_id", "t.story_id, t.id",
                                    NULL};
static const Link story_blockers = {&kind_blocker, "blocker t", "t.story_id", "t.story_id, t.id",
                                    NULL};
static const Link story_reviews = {&kind_review, "review t", "t.story_id", "t.story_id, t.id",
                                   NULL};
/* Newest first inside a story; the endpoint of their own gives the oldest first. */
static const Link story_transitions = {&kind_transition, "story_transition t", "t.story_id",
                                       "t.story_id, t.occurred_at DESC, t.id DESC", NULL};
static const Link story_pull_requests = {&kind_pull_request, "pull_request t", "t.story_id",
                                         "t.story_id, t.id", NULL};
static const Link story_branches = {&kind_branch, "branch t", "t.story_id", "t.story_id, t.id",
                                    NULL};
static const Field story_fields[] = {
    KIND_FIELD,
    ID,
    CREATED,
    UPDATED,
    COLUMN(TIME, accepted_at, D),
    COLUMN(TIME, deadline, D),
    COLUMN(NUMBER, estimate, D),
    COLUMN(TEXT, story_type, D),
    COLUMN(TEXT, story_priority, D),
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, description, D),
    COLUMN(TEXT, current_state, D),
    COLUMN(INT, requested_by_id, D),
    ONE(requested_by, 0, "t.requested_by_id", &kind_person),
    COLUMN(TEXT, external_id, D),
    COLUMN(INT, integration_id, D),
    FROM(TEXT, url, D, "COALESCE(t.url, " WEB_BASE " || '/story/show/' || t.id)"),
    PROJECT_ID,
    IDS(owner_ids, D, &story_owner_ids),
    MANY(owners, 0, &story_owners),
    IDS(label_ids, 0, &story_labels),
    MANY(labels, D, &story_labels),
    IDS(task_ids, 0, &story_tasks),
    MANY(tasks, 0, &story_tasks),
    IDS(comment_ids, 0, &story_comments),
    MANY(comments, 0, &story_comments),
    IDS(blocker_ids, 0, &story_blockers),
    MANY(blockers, 0, &story_blockers),
    IDS(review_ids, 0, &story_reviews),
    MANY(reviews, 0, &story_reviews),
    MANY(transitions, 0, &story_transitions),
    IDS(pull_request_ids, 0, &story_pull_requests),
    MANY(pull_requests, 0, &story_pull_requests),
    IDS(branch_ids, 0, &story_branches),
    MANY(branches, 0, &story_branches),
    IDS(follower_ids, 0, &story_follower_ids),
    MANY(followers, 0, &story_followers),
    COMPUTED(blocked_story_ids, 0, summary_blocked_stories),
    COMPUTED(cycle_time_details, FIELD_FLEETING, summary_cycle_time),
    COMPUTED(projected_completion, FIELD_FLEETING, summary_release_completion),
    COMPUTED(points_accepted, FIELD_FLEETING, summary_release_points_accepted),
    COMPUTED(points_total, FIELD_FLEETING, summary_release_points_total),
    COMPUTED(counts_accepted, FIELD_FLEETING, summary_release_counts_accepted),
    COMPUTED(counts_total, FIELD_FLEETING, summary_release_counts_total),
    FROM(INT, before_id, FIELD_FLEETING,
         "(SELECT n.id FROM story n WHERE n.project_id = t.project_id"
         " AND n.position > t.position ORDER BY n.position LIMIT 1)"),
    FROM(INT, after_id, FIELD_FLEETING,
         "(SELECT n.id FROM story n WHERE n.project_id = t.project_id"
         " AND n.position < t.position ORDER BY n.position DESC LIMIT 1)"),
    FROM(INT, owned_by_id, D,
         "(SELECT o.person_id FROM story_owner o WHERE o.story_id = t.id ORDER BY o.position"
         " LIMIT 1)"),
    {"owned_by", FIELD_ONE, 0,
     "(SELECT o.person_id FROM story_owner o WHERE o.story_id = t.id ORDER BY o.position LIMIT 1)",
     &kind_person, NULL, NULL, "owned_by_id"},
};
DEFINE_KIND_WRITTEN(story, "story", "story", TRUE,
                    "id,project_id,name,description,story_type,current_state,estimate,accepted_at,"
                    "deadline,requested_by_id,owned_by_id,owner_ids,labels,created_at,updated_at,"
                    "story_priority,external_id,integration_id,url");

static const Field release_fields[] = {
    KIND_FIELD,
    ID,
    CREATED,
    UPDATED,
    COLUMN(TIME, accepted_at, D),
    COLUMN(TIME, deadline, D),
    COLUMN(TEXT, name, D),
    COLUMN(TEXT, description, D),
    COLUMN(TEXT, current_state, D),
    FROM(TEXT, url, D, "COALESCE(t.url, " WEB_BASE " || '/story/show/' || t.id)"),
    PROJECT_ID,
    IDS(label_ids, 0, &story_labels),
    MANY(labels, D, &story_labels),
    COMPUTED(story_ids, 0, compute_release_story_ids),
    COMPUTED(projected_completion, 0, summary_release_completion),
    COMPUTED(points_accepted, 0, summary_release_points_accepted),
    COMPUTED(points_total, 0, summary_release_points_total),
    COMPUTED(counts_accepted, 0, summary_release_counts_accepted),
    COMPUTED(counts_total, 0, summary_release_counts_total),
};
DEFINE_KIND(release, "release", "story", FALSE);

static const Link epic_comments = {&kind_comment, "comment t", "t.epic_id", "t.epic_id, t.id",
                                   NULL};
static const Link epic_followers = {&kind_person,
                                    "epic_follower x JOIN person t ON t.id = x.person_id",
                                    "x.epic_id", "x.epic_id, x.person_id", NULL};
static const Link epic_follower_ids = {NULL, "epic_follower t", "t.epic_id",
                                       "t.epic_id, t.person_id", "t.person_id"};
static const Field epic_fields[] = {
    ID,
    KIND_FIELD,
    CREATED,
    UPDATED,
    PROJECT_ID,
    COLUMN(TEXT, name, D),
    COLUMN(INT, label_id, 0),
    COLUMN(TEXT, description, D),
    FROM(TEXT, url, D, "COALESCE(t.url, " WEB_BASE " || '/epic/show/' || t.id)"),
    ONE(label, D, "t.label_id", &kind_label),
    IDS(comment_ids, 0, &epic_comments),
    MANY(comments, 0, &epic_comments),
    IDS(follower_ids, 0, &epic_follower_ids),
    MANY(followers, 0, &epic_followers),
    FROM(INT, before_id, 0,
         "(SELECT n.id FROM epic n WHERE n.project_id = t.project_id"
         " AND n.position > t.position ORDER BY n.position LIMIT 1)"),
    FROM(INT, after_id, 0,
         "(SELECT n.id FROM epic n WHERE n.project_id = t.project_id"
         " AND n.position < t.position ORDER BY n.position DESC LIMIT 1)"),
    COMPUTED(past_done_story_estimates, 0, summary_epic_past_estimates),
    COMPUTED(past_done_stories_count, 0, summary_epic_past_count),
    COMPUTED(past_done_stories_no_point_count, 0, summary_epic_past_no_point_count),
    COLUMN(TIME, completed_at, 0),
    COLUMN(TIME, projected_completion, 0),
};
DEFINE_KIND(epic, "epic", "epic", TRUE);

static const Field activity_fields[] = {
    COLUMN(TEXT, kind, D),
    FROM(TEXT, guid, A, "t.project_id || '_' || t.version"),
    FROM(INT, project_version, A, "t.version"),
    COLUMN(TEXT, message, D),
    COLUMN(TEXT, highlight, D),
    COLUMN(JSON, changes, D),
    COLUMN(JSON, primary_resources, D),
    COLUMN(JSON, secondary_resources, D),
    COLUMN(INT, project_id, 0),
    ONE(project, D, "t.project_id", &kind_project_light),
    COLUMN(INT, performed_by_id, 0),
    ONE(performed_by, D, "t.performed_by_id", &kind_performer),
    COLUMN(TIME, occurred_at, D),
};
DEFINE_KIND(activity, "activity", "activity", TRUE);

/* The light forms inside of notifications. */
static const Field person_light_fields[] = {KIND_FIELD, ID, COLUMN(TEXT, name, D)};
DEFINE_KIND(person_light, "person", "person", FALSE);
static const Field story_light_fields[] = {KIND_FIELD, ID, COLUMN(TEXT, name, D)};
DEFINE_KIND(story_light, "story", "story", FALSE);
static const Field epic_light_fields[] = {KIND_FIELD, ID, COLUMN(TEXT, name, D)};
DEFINE_KIND(epic_light, "epic", "epic", FALSE);

static const Field notification_fields[] = {
    KIND_FIELD,
    ID,
    COLUMN(INT, project_id, 0),
    ONE(project, D, "t.project_id", &kind_project_light),
    COLUMN(INT, performer_id, 0),
    ONE(performer, D, "t.performer_id", &kind_person_light),
    COLUMN(TEXT, message, D),
    COLUMN(TEXT, context, D),
    COLUMN(TEXT, notification_type, D),
    COLUMN(INT, new_attachment_count, D),
    COLUMN(TEXT, action, D),
    COLUMN(INT, story_id, 0),
    ONE(story, D, "t.story_id", &kind_story_light),
    COLUMN(INT, epic_id, 0),
    ONE(epic, D, "t.epic_id", &kind_epic_light),
    COLUMN(INT, comment_id, D),
    CREATED,
    UPDATED,
    COLUMN(TIME, read_at, D),
};
DEFINE_KIND(notification, "notification", "notification", TRUE);

static const Field webhook_fields[] = {
    KIND_FIELD,
    ID,
    PROJECT_ID,
    COLUMN(TEXT, webhook_url, D),
    COLUMN(TEXT, webhook_version, D),
    COLUMN(BOOL, enabled, D),
    COLUMN(INT, last_error_code, D),
    COLUMN(TEXT, last_response_body, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(webhook, "webhook", "webhook", TRUE);

static const Field saved_search_fields[] = {
    KIND_FIELD, ID, PROJECT_ID, COLUMN(TEXT, name, D), COLUMN(TEXT, query, D),
};
DEFINE_KIND(saved_search, "saved_search", "saved_search", TRUE);

static const Field integration_fields[] = {
    COLUMN(TEXT, kind, D),
    ID,
    PROJECT_ID,
    COLUMN(TEXT, name, D),
    COLUMN(BOOL, active, D),
    COLUMN(TEXT, base_url, D),
    COLUMN(BOOL, can_import, D),
    COLUMN(BOOL, is_other, D),
    COLUMN(TEXT, story_name, D),
    CREATED,
    UPDATED,
};
DEFINE_KIND(integration, "integration", "integration", TRUE);

/* In the order of serializing; sql is unused, tracker/read_iterations.c writes these by their enum.
 */
static const Link iteration_stories = {&kind_story, "story t", "t.id", "t.id", NULL};
#define ITERATION(name, flags, which)                                                              \
    {                                                                                              \
#name, FIELD_INT, flags, which, NULL, NULL, NULL, NULL                                     \
    }
#define ITERATION_OBJECT(name) COMPUTED(name, 0, NULL)
static const Field iteration_fields[] = {
    ITERATION(number, A, NULL),
    ITERATION(project_id, D, NULL),
    ITERATION(length, D, NULL),
    ITERATION(team_strength, D, NULL),
    MANY(stories, D, &iteration_stories),
    ITERATION(story_ids, 0, NULL),
    ITERATION(start, D, NULL),
    ITERATION(finish, D, NULL),
    ITERATION(velocity, 0, NULL),
    ITERATION(points, 0, NULL),
    ITERATION(accepted_points, 0, NULL),
    ITERATION(effective_points, 0, NULL),
    ITERATION_OBJECT(accepted),
    ITERATION_OBJECT(created),
    ITERATION_OBJECT(analytics),
    KIND_FIELD,
};
G_STATIC_ASSERT(G_N_ELEMENTS(iteration_fields) == ITERATION_KIND + 1);
DEFINE_KIND(iteration, "iteration", NULL, FALSE);

/* As with iterations, tracker/read_search.c writes these. Answers carry no kind of their own. */
static const Link found_stories = {&kind_story, "story t", "t.id", "t.id", NULL};
static const Link found_epics = {&kind_epic, "epic t", "t.id", "t.id", NULL};
#define FOUND(name) ITERATION(name, D, NULL)
static const Field stories_found_fields[] = {
    MANY(stories, D, &found_stories), FOUND(total_points),
    FOUND(total_points_completed),    FOUND(total_hits),
    FOUND(total_hits_with_done),
};
DEFINE_KIND(stories_found, "stories_search_result", NULL, FALSE);

static const Field epics_found_fields[] = {
    MANY(epics, D, &found_epics),
    FOUND(total_hits),
};
DEFINE_KIND(epics_found, "epics_search_result", NULL, FALSE);

static const Link search_stories = {&kind_stories_found, NULL, NULL, NULL, NULL};
static const Link search_epics = {&kind_epics_found, NULL, NULL, NULL, NULL};
static const Field search_fields[] = {
    MANY(stories, D, &search_stories),
    MANY(epics, D, &search_epics),
    FOUND(query),
};
DEFINE_KIND(search, "search_result_container", NULL, FALSE);

/* Written by tracker/write_iteration.c: most have no row. */
static const Field iteration_override_fields[] = {
    KIND_FIELD,
    COLUMN(INT, number, A),
    PROJECT_ID,
    COLUMN(INT, length, D),
    COLUMN(NUMBER, team_strength, D),
};
DEFINE_KIND(iteration_override, "iteration_override", NULL, FALSE);

const Field *
kind_field(const Kind *kind, const char *name, gsize bytes)
{
    for (gsize i = 0; i < kind->n_fields; i++) {
        const char *known = kind->fields[i].name;

        if (strncmp(known, name, bytes) == 0 && known[bytes] == '\0') {
            return &kind->fields[i];
        }
    }
    return NULL;
}

gboolean
kind_is_historic(const char *name, gsize bytes)
{
    static const char *const names[] = {
        "accounting_type",
        "admin_ids",
        "autosave",
        "branch_ids",
        "capabilities",
        "cicd_event_ids",
        "cl_numbers",
        "enable_planned_mode",
        "external_author",
        "external_link",
        "external_source",
        "featured",
        "has_cicd_integration",
        "is_enterprise_guest",
        "join_as",
        "link",
        "number_of_private_projects",
        "number_of_projects",
        "owner_id",
        "permissions",
        "personal_settings",
        "planned_iteration_number",
        "project_limit",
        "projected_completion_interval",
        "pull_request_ids",
        "reaction_ids",
        "reactions",
        "scm_type_host_url_mapping",
        "story_template_ids",
        "shown_iterations_start_time",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strncmp(names[i], name, bytes) == 0 && names[i][bytes] == '\0') {
            return TRUE;
        }
    }
    return FALSE;
}

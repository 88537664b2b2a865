/* routes: from method and path to a handler, with everything checked that handlers would all check:
 * credentials, names and types of parameters, that the project is open to the caller and in which
 * role, that story and epic exist where the path says. Threads: with the Call. Errors: noted in the
 * Call. */
#pragma once

#include "tracker/body.h"
#include "tracker/call.h"

typedef gboolean (*HandlerFn)(Call *call);

typedef enum {
    ROUTE_PASSWORD = 1 << 0,    /* HTTP Basic is accepted */
    ROUTE_NOBODY = 1 << 1,      /* needs no credentials: the path itself is signed */
    ROUTE_ROOT = 1 << 2,        /* not below /services/v5 */
    ROUTE_STORY_ALIAS = 1 << 3, /* also without "projects/:p/" */
    ROUTE_READS = 1 << 4,       /* a POST that changes nothing: runs in a read transaction */
    ROUTE_RAW = 1 << 5,         /* the handler reads the body itself */
    ROUTE_UPLOAD = 1 << 6,      /* the body is stored before the write transaction begins */
} RouteFlags;

/* A line of the tables in routes_write.c and routes_manage.c: everything but GET. The body is
 * checked against `body` before the handler runs (NULL: no parameters), and what the handler
 * recorded (tracker/changes.h) becomes version and activity after it. `role` is the least that the
 * caller must be in the project of the path; NONE where the path has none. */
typedef struct WriteRoute {
    const char *method, *pattern;
    Role role;
    const ParamTable *body;
    HandlerFn handler;
    RouteFlags flags;
} WriteRoute;

extern const WriteRoute write_routes[], manage_routes[];
extern const gsize n_write_routes, n_manage_routes;

typedef struct Match Match;

/* Finds what a request asks for, without the database; FALSE: nothing. */
gboolean routes_find(Call *call);
void match_free(Match *match);
/* Of a request that writes, in a read transaction before: may the caller do it? Nobody else waits
 * for a turn to write; and what takes long is done here. FALSE as routes_run(). */
gboolean routes_prepare(Call *call);
/* Does it change anything? Then it must run in a write transaction. */
gboolean routes_writes(const Call *call);
/* Runs a request that was found inside a transaction; FALSE: the answer is call->problem, and
 * nothing may be committed. */
gboolean routes_run(Call *call);

/* read_me.c */
gboolean read_me(Call *call);
gboolean read_my_people(Call *call);
gboolean read_my_workspaces(Call *call);
gboolean read_my_workspace(Call *call);
gboolean read_accounts(Call *call);
gboolean read_account(Call *call);
gboolean read_account_summaries(Call *call);
gboolean read_account_memberships(Call *call);
gboolean read_account_membership(Call *call);
/* read_notifications.c */
gboolean read_my_notifications(Call *call);
gboolean read_my_notification(Call *call);
gboolean read_notifications_since(Call *call);
/* read_settings.c */
gboolean read_webhooks(Call *call);
gboolean read_webhook(Call *call);
gboolean read_integrations(Call *call);
gboolean read_integration(Call *call);
gboolean read_integration_stories(Call *call);
gboolean read_saved_searches(Call *call);
/* read_project.c */
gboolean read_projects(Call *call);
gboolean read_project(Call *call);
gboolean read_memberships(Call *call);
gboolean read_membership(Call *call);
gboolean read_labels(Call *call);
gboolean read_label(Call *call);
gboolean read_epics(Call *call);
gboolean read_epic(Call *call);
gboolean read_epic_comments(Call *call);
gboolean read_epic_comment(Call *call);
gboolean read_review_types(Call *call);
gboolean read_releases(Call *call);
gboolean read_release(Call *call);
gboolean read_release_stories(Call *call);
/* read_story.c */
gboolean read_stories(Call *call);
gboolean read_bulk(Call *call);
gboolean read_story(Call *call);
gboolean read_story_owners(Call *call);
gboolean read_story_labels(Call *call);
gboolean read_story_tasks(Call *call);
gboolean read_story_task(Call *call);
gboolean read_story_comments(Call *call);
gboolean read_story_comment(Call *call);
gboolean read_story_blockers(Call *call);
gboolean read_story_blocker(Call *call);
gboolean read_story_reviews(Call *call);
gboolean read_story_review(Call *call);
gboolean read_story_transitions(Call *call);
gboolean read_project_transitions(Call *call);
/* read_activity.c */
gboolean read_project_activity(Call *call);
gboolean read_story_activity(Call *call);
gboolean read_epic_activity(Call *call);
gboolean read_my_activity(Call *call);
gboolean read_my_workspace_activity(Call *call);
/* bundles.c */
gboolean export_project(Call *call);
gboolean export_stories(Call *call);
gboolean aggregate(Call *call);
/* read_search.c */
gboolean read_search(Call *call);
gboolean read_workspace_search(Call *call);
/* read_iterations.c */
gboolean read_iterations(Call *call);
gboolean read_iteration(Call *call);
gboolean read_analytics(Call *call);
gboolean read_cycle_times(Call *call);
/* read_history.c */
gboolean read_history_days(Call *call);
gboolean read_history_iteration(Call *call);
gboolean read_history_release(Call *call);
gboolean read_history_snapshots(Call *call);
/* download.c */
gboolean download_redirect(Call *call);
gboolean download_file(Call *call);
/* write_story.c */
gboolean write_story_create(Call *call);
gboolean write_story_update(Call *call);
gboolean write_story_delete(Call *call);
/* write_me.c */
gboolean write_me(Call *call);
gboolean write_workspace_create(Call *call);
gboolean write_workspace_update(Call *call);
gboolean write_workspace_delete(Call *call);
gboolean write_notification(Call *call);
gboolean write_mark_read(Call *call);
gboolean write_read_list(Call *call);
/* write_accounts.c */
gboolean write_account_member_create(Call *call);
gboolean write_account_member_update(Call *call);
gboolean write_account_member_delete(Call *call);
/* write_project.c */
gboolean write_project_create(Call *call);
gboolean write_project_update(Call *call);
gboolean write_project_delete(Call *call);
/* write_membership.c */
gboolean write_membership_create(Call *call);
gboolean write_membership_update(Call *call);
gboolean write_membership_delete(Call *call);
/* write_label.c */
gboolean write_label_create(Call *call);
gboolean write_label_update(Call *call);
gboolean write_label_delete(Call *call);
/* write_epic.c */
gboolean write_epic_create(Call *call);
gboolean write_epic_update(Call *call);
gboolean write_epic_delete(Call *call);
/* source_commits.c */
gboolean write_source_commit(Call *call);
/* write_iteration.c */
gboolean write_iteration_override(Call *call);
/* write_review_type.c */
gboolean write_review_type_create(Call *call);
gboolean write_review_type_update(Call *call);
/* write_settings.c */
gboolean write_webhook_create(Call *call);
gboolean write_webhook_update(Call *call);
gboolean write_webhook_delete(Call *call);
gboolean write_integration_create(Call *call);
gboolean write_integration_update(Call *call);
gboolean write_integration_delete(Call *call);
gboolean write_saved_search_create(Call *call);
gboolean write_saved_search_delete(Call *call);
/* write_story_lists.c */
gboolean write_story_owner_add(Call *call);
gboolean write_story_owner_remove(Call *call);
gboolean write_story_label_add(Call *call);
gboolean write_story_label_remove(Call *call);
/* write_task.c */
gboolean write_task_create(Call *call);
gboolean write_task_update(Call *call);
gboolean write_task_delete(Call *call);
/* write_comment.c: of stories and epics */
gboolean write_comment_create(Call *call);
gboolean write_comment_update(Call *call);
gboolean write_comment_delete(Call *call);
gboolean write_comment_file_delete(Call *call);
gboolean write_comment_google_delete(Call *call);
/* write_blocker.c */
gboolean write_blocker_create(Call *call);
gboolean write_blocker_update(Call *call);
gboolean write_blocker_delete(Call *call);
/* write_review.c */
gboolean write_review_create(Call *call);
gboolean write_review_update(Call *call);
gboolean write_review_delete(Call *call);
/* write_upload.c */
typedef struct Upload Upload;
gboolean upload_store(Call *call);
void upload_free(Upload *upload);
gboolean write_upload(Call *call);

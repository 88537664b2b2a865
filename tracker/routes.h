/* routes: from method and path to a handler, with everything checked that handlers would all check:
 * credentials, names of parameters, that the project is open to the caller, that story and epic
 * exist where the path says. Threads: with the Call. Errors: noted in the Call. */
#pragma once

#include "tracker/call.h"

typedef gboolean (*HandlerFn)(Call *call);

/* Runs a request inside a read transaction; FALSE: the answer is call->problem. */
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
/* read_iterations.c */
gboolean read_iterations(Call *call);
gboolean read_iteration(Call *call);
/* download.c */
gboolean download_redirect(Call *call);
gboolean download_file(Call *call);

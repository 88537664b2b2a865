/* One text per step of PRAGMA user_version; a step that was released never changes again.
 *
 * Rules for all tables:
 * - Times are integers, milliseconds since 1970, UTC. Dates (project.start_date) are text
 * YYYY-MM-DD. Booleans are 0 and 1. Ids are those of V5.
 * - NULL means: the server never said. It is left out of answers, so what was imported is given
 * back. Columns with a NOT NULL are those without which nothing works.
 * - AUTOINCREMENT: an id is never given twice, also not that of something deleted.
 * - `extra` is a JSON object, minified, of attributes that have no column here (old ones such as
 *   enable_planned_mode, or new ones), or NULL. They are given back after the known ones.
 * - `position` orders things, ascending; only the order counts, gaps are welcome. Stories of a
 * project have one linear order: accepted ones of done iterations (oldest acceptance first),
 * current and backlog, icebox. New databases number stories and epics in steps of 65536, so that a
 * move seldom renumbers.
 * - story.url, epic.url: NULL unless it differs from meta.web_base || '/story/show/' || id.
 * - Activities keep their JSON parts as they came, with ISO 8601 times; names of project and
 * performer are taken from their tables. activity_story and activity_epic say whose activity lists
 * they are in.
 * - What a story looks like has a number that grows with each change, by the triggers of
 * tracker/schema_shown.h.
 * - Texts are searchable by the words of tracker/schema_text.h without doing anything for it.
 * - No foreign keys: an import may name people and projects that are not part of it.
 *
 * Keys of `meta`: instance_id (made with the file), secret (signs downloads), local_person_id,
 * web_base ("https://www.pivotaltracker.com": beginning of story and epic addresses),
 * made_person_id (an importer's person of its own, when nobody saw everything). */
#include "tracker/schema.h"

#include "tracker/blocking.h"
#include "tracker/schema_shown.h"
#include "tracker/schema_text.h"

/* story_count: how many stories a project has, which every page of them says; to count 100 000
 * takes milliseconds. */
#define COUNT_STORY(row, sign)                                                                     \
    " INSERT INTO story_count(project_id, stories) SELECT " row ".project_id, 0"                   \
    " WHERE NOT EXISTS(SELECT 1 FROM story_count WHERE project_id = " row ".project_id);"          \
    " UPDATE story_count SET stories = stories " sign " 1 WHERE project_id = " row ".project_id;"
#define SCHEMA_COUNTS                                                                              \
    "CREATE TABLE story_count(project_id INTEGER PRIMARY KEY, stories INTEGER NOT NULL);"          \
    "CREATE TRIGGER story_count_insert AFTER INSERT ON story BEGIN" COUNT_STORY(                   \
        "new", "+") "END;"                                                                         \
                    "CREATE TRIGGER story_count_delete AFTER DELETE ON story BEGIN" COUNT_STORY(   \
                        "old", "-") "END;"                                                         \
                                    "CREATE TRIGGER story_count_move AFTER UPDATE OF project_id "  \
                                    "ON story BEGIN" COUNT_STORY("old", "-")                       \
                                        COUNT_STORY("new", "+") "END;"

static const char *const steps[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE person("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, email TEXT, initials TEXT, username TEXT, "
    "time_zone TEXT,"
    " has_google_identity INTEGER, receives_in_app_notifications INTEGER,"
    " created_at INTEGER, updated_at INTEGER,"
    /* NULL, or tracker/auth.h auth_password_hash() */
    " password_hash TEXT, extra TEXT);"
    "CREATE UNIQUE INDEX person_username ON person(username) WHERE username IS NOT NULL;"

    /* hash: tracker/auth.h auth_token_hash(); the token itself is nowhere. */
    "CREATE TABLE token(hash TEXT PRIMARY KEY, person_id INTEGER NOT NULL, created_at INTEGER,"
    " note TEXT) WITHOUT ROWID;"
    "CREATE INDEX token_person ON token(person_id);"

    "CREATE TABLE account("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, plan TEXT, status TEXT, days_left INTEGER,"
    " over_the_limit INTEGER, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE TABLE account_membership("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, person_id INTEGER NOT "
    "NULL,"
    " created_at INTEGER, updated_at INTEGER, owner INTEGER, admin INTEGER, project_creator "
    "INTEGER,"
    " timekeeper INTEGER, time_enterer INTEGER, extra TEXT);"
    "CREATE UNIQUE INDEX account_membership_person ON account_membership(account_id, person_id);"

    "CREATE TABLE project("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, status TEXT, version INTEGER NOT "
    "NULL DEFAULT 1,"
    " iteration_length INTEGER, week_start_day TEXT, point_scale TEXT, point_scale_is_custom "
    "INTEGER,"
    " bugs_and_chores_are_estimatable INTEGER, automatic_planning INTEGER, enable_following "
    "INTEGER,"
    " enable_tasks INTEGER, show_story_priority INTEGER, show_priority_icon INTEGER,"
    " show_priority_icon_in_all_panels INTEGER, start_date TEXT, time_zone TEXT,"
    " velocity_averaged_over INTEGER, start_time INTEGER, number_of_done_iterations_to_show "
    "INTEGER,"
    " has_google_domain INTEGER, description TEXT, profile_content TEXT, enable_incoming_emails "
    "INTEGER,"
    " initial_velocity INTEGER, project_type TEXT, public INTEGER, atom_enabled INTEGER,"
    " account_id INTEGER, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX project_account ON project(account_id);"

    /* What answers 403 and not 404. */
    "CREATE TABLE deleted_project(id INTEGER PRIMARY KEY);"

    "CREATE TABLE membership("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, person_id INTEGER NOT "
    "NULL,"
    " role TEXT NOT NULL, project_color TEXT, favorite INTEGER, last_viewed_at INTEGER,"
    " wants_comment_notification_emails INTEGER, will_receive_mention_notifications_or_emails "
    "INTEGER,"
    " created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE UNIQUE INDEX membership_project ON membership(project_id, person_id);"
    "CREATE INDEX membership_person ON membership(person_id);"

    "CREATE TABLE label("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL,"
    " created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE UNIQUE INDEX label_name ON label(project_id, name);"

    "CREATE TABLE story("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, position INTEGER NOT NULL,"
    " name TEXT NOT NULL, description TEXT, story_type TEXT NOT NULL, current_state TEXT NOT NULL,"
    " estimate REAL, accepted_at INTEGER, deadline INTEGER, requested_by_id INTEGER,"
    " created_at INTEGER, updated_at INTEGER, integration_id INTEGER, external_id TEXT,"
    " story_priority TEXT, url TEXT, extra TEXT);"
    "CREATE UNIQUE INDEX story_position ON story(project_id, position);"
    "CREATE INDEX story_state ON story(project_id, current_state, position);"
    /* for counts of labels: a tenth of reading the rows themselves */
    "CREATE INDEX story_counted ON story(id, current_state, estimate);"
    "CREATE INDEX story_updated ON story(project_id, updated_at);"
    "CREATE INDEX story_requester ON story(project_id, requested_by_id);"
    "CREATE INDEX story_accepted ON story(project_id, accepted_at) WHERE accepted_at IS NOT NULL;"
    /* position: 0 is the first owner, who is owned_by_id */
    "CREATE TABLE story_owner(story_id INTEGER NOT NULL, position INTEGER NOT NULL,"
    " person_id INTEGER NOT NULL, PRIMARY KEY(story_id, position)) WITHOUT ROWID;"
    "CREATE INDEX story_owner_person ON story_owner(person_id);"
    "CREATE TABLE story_follower(story_id INTEGER NOT NULL, person_id INTEGER NOT NULL,"
    " PRIMARY KEY(story_id, person_id)) WITHOUT ROWID;"
    "CREATE TABLE story_label(story_id INTEGER NOT NULL, label_id INTEGER NOT NULL,"
    " PRIMARY KEY(story_id, label_id)) WITHOUT ROWID;"
    "CREATE INDEX story_label_label ON story_label(label_id);"

    "CREATE TABLE task("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, story_id INTEGER NOT NULL, description TEXT, complete "
    "INTEGER,"
    " position INTEGER NOT NULL, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX task_story ON task(story_id, position);"

    /* exactly one of story_id and epic_id */
    "CREATE TABLE comment("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, story_id INTEGER, epic_id INTEGER, text TEXT, "
    "person_id INTEGER,"
    " commit_identifier TEXT, commit_type TEXT, created_at INTEGER, updated_at INTEGER, extra "
    "TEXT);"
    "CREATE INDEX comment_story ON comment(story_id, id) WHERE story_id IS NOT NULL;"
    "CREATE INDEX comment_epic ON comment(epic_id, id) WHERE epic_id IS NOT NULL;"

    /* content_hash: SHA-256 in lower-case hex, the name of the file in FILE.db.files/; NULL: we do
       not have the bytes. comment_id NULL: uploaded, not attached. big_url, thumbnail_url NULL:
       "#". */
    "CREATE TABLE file_attachment("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER, comment_id INTEGER, filename TEXT "
    "NOT NULL,"
    " content_type TEXT, size INTEGER, content_hash TEXT, thumbnailable INTEGER, height INTEGER,"
    " width INTEGER, uploaded INTEGER, uploader_id INTEGER, created_at INTEGER, big_url TEXT,"
    " thumbnail_url TEXT, extra TEXT);"
    "CREATE INDEX file_attachment_comment ON file_attachment(comment_id, id)"
    " WHERE comment_id IS NOT NULL;"
    "CREATE INDEX file_attachment_loose ON file_attachment(created_at) WHERE comment_id IS NULL;"
    "CREATE INDEX file_attachment_content ON file_attachment(content_hash)"
    " WHERE content_hash IS NOT NULL;"
    /* Contents that lost a row, until files_collect() has looked whether it was the last one. */
    "CREATE TABLE content_dropped(hash TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TRIGGER file_attachment_dropped AFTER DELETE ON file_attachment"
    " WHEN old.content_hash IS NOT NULL BEGIN INSERT INTO content_dropped(hash)"
    " SELECT old.content_hash WHERE NOT EXISTS(SELECT 1 FROM content_dropped"
    " WHERE hash = old.content_hash); END;"
    "CREATE TABLE google_attachment("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, comment_id INTEGER, person_id INTEGER, google_kind "
    "TEXT, title TEXT,"
    " google_id TEXT, alternate_link TEXT, resource_id TEXT, extra TEXT);"
    "CREATE INDEX google_attachment_comment ON google_attachment(comment_id, id);"

    "CREATE TABLE blocker("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, story_id INTEGER NOT NULL, person_id INTEGER, "
    "description TEXT,"
    " resolved INTEGER, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX blocker_story ON blocker(story_id, id);"
    "CREATE INDEX blocker_open ON blocker(story_id) WHERE COALESCE(resolved, 0) = 0;"
    "CREATE TABLE review_type("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL, "
    "hidden INTEGER,"
    " created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX review_type_project ON review_type(project_id, id);"
    "CREATE TABLE review("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, story_id INTEGER NOT NULL, review_type_id INTEGER, "
    "reviewer_id "
    "INTEGER,"
    " status TEXT, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX review_story ON review(story_id, id);"
    "CREATE TABLE story_transition("
    " id INTEGER PRIMARY KEY, story_id INTEGER NOT NULL, project_id INTEGER NOT NULL,"
    " state TEXT NOT NULL, project_version INTEGER, occurred_at INTEGER, performed_by_id INTEGER,"
    " extra TEXT);"
    "CREATE INDEX story_transition_story ON story_transition(story_id, occurred_at, id);"
    "CREATE INDEX story_transition_project ON story_transition(project_id, occurred_at, id);"
    "CREATE TABLE pull_request("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, story_id INTEGER NOT NULL, owner TEXT, repo TEXT, "
    "host_url TEXT,"
    " original_url TEXT, status TEXT, number INTEGER, created_at INTEGER, updated_at INTEGER,"
    " extra TEXT);"
    "CREATE INDEX pull_request_story ON pull_request(story_id, id);"
    "CREATE TABLE branch("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, story_id INTEGER NOT NULL, owner TEXT, repo TEXT, "
    "host_url TEXT,"
    " name TEXT, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX branch_story ON branch(story_id, id);"

    "CREATE TABLE epic("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, position INTEGER NOT NULL,"
    " name TEXT NOT NULL, label_id INTEGER, description TEXT, created_at INTEGER, updated_at "
    "INTEGER,"
    " completed_at INTEGER, projected_completion INTEGER, url TEXT, extra TEXT);"
    "CREATE UNIQUE INDEX epic_position ON epic(project_id, position);"
    "CREATE INDEX epic_label ON epic(label_id);"
    "CREATE TABLE epic_follower(epic_id INTEGER NOT NULL, person_id INTEGER NOT NULL,"
    " PRIMARY KEY(epic_id, person_id)) WITHOUT ROWID;"

    "CREATE TABLE iteration_override("
    " project_id INTEGER NOT NULL, number INTEGER NOT NULL, length INTEGER, team_strength REAL,"
    " PRIMARY KEY(project_id, number)) WITHOUT ROWID;"

    /* kind with its "_activity". changes, primary_resources, secondary_resources: JSON arrays. */
    "CREATE TABLE activity("
    " id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, version INTEGER NOT NULL,"
    " kind TEXT NOT NULL, message TEXT, highlight TEXT, performed_by_id INTEGER,"
    " occurred_at INTEGER NOT NULL, changes TEXT NOT NULL DEFAULT '[]',"
    " primary_resources TEXT NOT NULL DEFAULT '[]', secondary_resources TEXT, extra TEXT);"
    "CREATE UNIQUE INDEX activity_version ON activity(project_id, version);"
    "CREATE INDEX activity_occurred ON activity(occurred_at);"
    "CREATE TABLE activity_story(story_id INTEGER NOT NULL, activity_id INTEGER NOT NULL,"
    " PRIMARY KEY(story_id, activity_id)) WITHOUT ROWID;"
    "CREATE INDEX activity_story_activity ON activity_story(activity_id);"
    "CREATE TABLE activity_epic(epic_id INTEGER NOT NULL, activity_id INTEGER NOT NULL,"
    " PRIMARY KEY(epic_id, activity_id)) WITHOUT ROWID;"
    "CREATE INDEX activity_epic_activity ON activity_epic(activity_id);"

    "CREATE TABLE workspace(id INTEGER PRIMARY KEY AUTOINCREMENT, person_id INTEGER NOT NULL, name "
    "TEXT,"
    " extra TEXT);"
    "CREATE TABLE workspace_project(workspace_id INTEGER NOT NULL, position INTEGER NOT NULL,"
    " project_id INTEGER NOT NULL, PRIMARY KEY(workspace_id, position)) WITHOUT ROWID;"
    "CREATE INDEX workspace_person ON workspace(person_id, id);"

    "CREATE TABLE saved_search("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, person_id INTEGER NOT "
    "NULL,"
    " name TEXT NOT NULL, query TEXT NOT NULL, extra TEXT);"
    "CREATE INDEX saved_search_person ON saved_search(project_id, person_id, id);"

    /* person_id: who is told. At most one of story_id and epic_id; read_at NULL: unread. */
    "CREATE TABLE notification("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, person_id INTEGER NOT NULL, project_id INTEGER NOT "
    "NULL,"
    " performer_id INTEGER, message TEXT, context TEXT, notification_type TEXT NOT NULL,"
    " action TEXT NOT NULL, new_attachment_count INTEGER, story_id INTEGER, epic_id INTEGER,"
    " comment_id INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
    " read_at INTEGER, extra TEXT);"
    "CREATE INDEX notification_person ON notification(person_id, created_at);"

    /* last_error_code: the HTTP status of the last delivery that failed, 0 when there was no answer
       at all; last_response_body: what was answered, or why there was no answer. */
    "CREATE TABLE webhook("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, webhook_url TEXT NOT NULL,"
    " webhook_version TEXT NOT NULL, enabled INTEGER NOT NULL, last_error_code INTEGER,"
    " last_response_body TEXT, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX webhook_project ON webhook(project_id, id);"
    /* The queue: an activity that still has to reach a webhook. Written in the transaction of the
       change, deleted when it has arrived or was given up. due_at: not to be tried before. */
    "CREATE TABLE webhook_delivery("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id INTEGER NOT NULL,"
    " activity_id INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " due_at INTEGER NOT NULL);"
    "CREATE INDEX webhook_delivery_webhook ON webhook_delivery(webhook_id, id);"

    /* kind: type || '_integration'. secrets: a JSON object of the credentials for the other tool,
       which no answer shows; what else belongs to the type is in extra. */
    "CREATE TABLE integration("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, kind TEXT NOT NULL, name "
    "TEXT,"
    " active INTEGER, base_url TEXT, can_import INTEGER, is_other INTEGER, story_name TEXT,"
    " secrets TEXT, created_at INTEGER, updated_at INTEGER, extra TEXT);"
    "CREATE INDEX integration_project ON integration(project_id, id);"

    SCHEMA_BLOCKING SCHEMA_COUNTS SCHEMA_SHOWN SCHEMA_TEXT,
};

int
schema_version(void)
{
    return (int)G_N_ELEMENTS(steps);
}

const char *const *
schema_steps(void)
{
    return steps;
}

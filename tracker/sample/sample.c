/* sample: one transaction around what the other files write; the rows that both kinds of sample
 * share. */
#include "tracker/sample/sample.h"

#include <string.h>

#include "tracker/rows.h"
#include "tracker/sample/sample_internal.h"

static const char *const review_types[] = {"Test (QA)", "Design", "Code", "Security"};

gint64
sample_instant_ms(const SampleTime *time, int days_before, int minute_of_day)
{
    return zone_midnight_ms(time->zone, time->first_day - days_before) +
           (gint64)minute_of_day * 60000;
}

gint64
sample_person_id(char letter)
{
    for (gsize i = 0; i < sample_n_people; i++) {
        if (sample_people[i].letter == letter) {
            return SAMPLE_PERSON_ID + (gint64)i;
        }
    }
    return 0;
}

gint64
sample_review_type_id(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(review_types); i++) {
        if (strcmp(review_types[i], name) == 0) {
            return SAMPLE_REVIEW_TYPE_ID + (gint64)i;
        }
    }
    return 0;
}

static void
write_people(DbConn *conn, gint64 made_ms)
{
    for (gsize i = 0; i < sample_n_people; i++) {
        const SamplePerson *person = &sample_people[i];
        (void)row_run(conn,
                      "INSERT INTO person(id, name, email, initials, username, time_zone, "
                      "has_google_identity,"
                      " receives_in_app_notifications, created_at, updated_at)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, 1, ?7, ?7)",
                      "ittttti", SAMPLE_PERSON_ID + (gint64)i, person->name, person->email,
                      person->initials, person->username, person->time_zone, made_ms);
        (void)row_run(conn,
                      "INSERT INTO account_membership(id, account_id, person_id, created_at, "
                      "updated_at, owner,"
                      " admin, project_creator, timekeeper, time_enterer) VALUES(?1, ?2, ?3, ?4, "
                      "?4, ?5, ?5, ?5, 0, 0)",
                      "iiiib", SAMPLE_ACCOUNT_ID + 1 + (gint64)i, SAMPLE_ACCOUNT_ID,
                      SAMPLE_PERSON_ID + (gint64)i, made_ms, i == 0);
        (void)row_run(
            conn,
            "INSERT INTO membership(id, project_id, person_id, role, project_color, favorite,"
            " last_viewed_at, wants_comment_notification_emails,"
            " will_receive_mention_notifications_or_emails, created_at, updated_at)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 1, ?7, ?7)",
            "iiittbi", SAMPLE_MEMBERSHIP_ID + (gint64)i, SAMPLE_PROJECT_ID,
            SAMPLE_PERSON_ID + (gint64)i, person->role, person->color, i == 0, made_ms);
    }
}

void
sample_write_project(DbConn *conn, const SampleTime *time, const char *name)
{
    const gint64 made_ms = sample_instant_ms(time, SAMPLE_WEEKS * 7, 9 * 60);
    char start_date[ZONE_DAY_TEXT_BYTES];
    zone_day_to_text(time->first_day - (gint64)SAMPLE_WEEKS * 7, start_date);

    (void)row_run(conn,
                  "INSERT INTO account(id, name, plan, status, created_at, updated_at)"
                  " VALUES(?1, ?2, 'Free', 'active', ?3, ?3)",
                  "iti", SAMPLE_ACCOUNT_ID, name, made_ms);
    (void)row_run(
        conn,
        "INSERT INTO project(id, name, iteration_length, week_start_day, point_scale,"
        " point_scale_is_custom, bugs_and_chores_are_estimatable, automatic_planning, "
        "enable_following,"
        " enable_tasks, show_story_priority, show_priority_icon, show_priority_icon_in_all_panels,"
        " start_date, time_zone, velocity_averaged_over, start_time, "
        "number_of_done_iterations_to_show,"
        " has_google_domain, description, profile_content, enable_incoming_emails, "
        "initial_velocity,"
        " project_type, public, atom_enabled, account_id, created_at, updated_at)"
        " VALUES(?1, ?2, 1, 'Monday', '0,1,2,3,5,8', 0, 0, 1, 1, 1, 1, 1, 0, ?3, ?4, 3, ?5, 12, 0, "
        "?6, ?7,"
        " 1, 10, 'private', 0, 0, ?8, ?9, ?9)",
        "itttittii", SAMPLE_PROJECT_ID, name, start_date, SAMPLE_ZONE,
        sample_instant_ms(time, SAMPLE_WEEKS * 7, 0), sample_project_description, sample_profile,
        SAMPLE_ACCOUNT_ID, made_ms);
    write_people(conn, made_ms);
    for (gsize i = 0; i < G_N_ELEMENTS(review_types); i++) {
        (void)row_run(
            conn,
            "INSERT INTO review_type(id, project_id, name, hidden, created_at, updated_at)"
            " VALUES(?1, ?2, ?3, 0, ?4, ?4)",
            "iiti", SAMPLE_REVIEW_TYPE_ID + (gint64)i, SAMPLE_PROJECT_ID, review_types[i], made_ms);
    }
    g_autofree char *local = g_strdup_printf("%" G_GINT64_FORMAT, SAMPLE_PERSON_ID);
    (void)db_meta_set(conn, "local_person_id", local);
}

static gboolean
write_sample(DbConn *conn, guint stories, const SampleTime *time, GError **error)
{
    if (!db_begin(conn, DB_WRITE, error)) {
        return FALSE;
    }
    if (row_int(conn, "SELECT EXISTS(SELECT 1 FROM project) OR EXISTS(SELECT 1 FROM person)", "") !=
        0) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT,
                    "the database is not empty: a sample needs a file of its own");
        return FALSE;
    }
    if (stories == 0) {
        sample_write_project(conn, time, SAMPLE_PROJECT_NAME);
        if (!sample_write_history(conn, time, error)) {
            return FALSE;
        }
    } else {
        g_autofree char *name = g_strdup_printf("Generated %u", stories);
        sample_write_project(conn, time, name);
        sample_write_generated(conn, time, stories);
    }
    return db_check(conn, error) && db_commit(conn, error);
}

gboolean
tracker_make_sample(Tracker *tracker, guint stories, gint64 now_ms, GError **error)
{
    if (stories > SAMPLE_MAX_STORIES) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT,
                    "a sample has at most %d stories", SAMPLE_MAX_STORIES);
        return FALSE;
    }
    g_autoptr(DbConn) conn = db_take(tracker_db(tracker), error);
    if (conn == NULL) {
        return FALSE;
    }
    SampleTime time = {.zone = zone_open_or_utc(SAMPLE_ZONE)};
    gint64 today = zone_day_of(time.zone, now_ms);
    time.first_day = today - (zone_weekday(today) + 6) % 7; /* its Monday */
    gboolean ok = write_sample(conn, stories, &time, error);
    zone_close(time.zone);
    return ok;
}

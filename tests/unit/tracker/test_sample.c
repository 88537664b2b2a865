/* The sample: consistent with its own history, always in the past, the same for the same now; the
 * generated one of any size. */
#include "tracker/sample/sample.h"

#include <string.h>

#include <jansson.h>

#include "support_query.h"
#include "tests/unit/support_folder.h"
#include "tracker/db.h"

#define NOW_MS G_GINT64_CONSTANT(1709600000000) /* 2024-03-05T00:53:20Z */

typedef struct Sample {
    char *dir, *path;
    Tracker *tracker;
} Sample;

static gint64
clock_at(gpointer user)
{
    return *(gint64 *)user;
}

static void
sample_open(Sample *sample, guint stories, gint64 *now_ms)
{
    g_autoptr(GError) error = NULL;
    sample->dir = folder_new();
    sample->path = g_build_filename(sample->dir, "s.db", NULL);
    sample->tracker = tracker_open(sample->path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    tracker_set_clock(sample->tracker, clock_at, now_ms);
    g_assert_true(tracker_make_sample(sample->tracker, stories, *now_ms, &error));
    g_assert_no_error(error);
}

static void
sample_close(Sample *sample)
{
    tracker_close(sample->tracker);
    folder_remove(sample->dir);
    g_free(sample->path);
}

#define ASSERT_NUMBER(sample, sql, comparison, expected)                                           \
    g_assert_cmpint(query_number(tracker_db((sample)->tracker), sql), comparison, expected)

static json_t *
get(Sample *sample, const char *path, const char *query)
{
    json_t *body = query_get(sample->tracker, path, query);
    g_assert_nonnull(body);
    return body;
}

static void
test_has_everything(void)
{
    gint64 now_ms = NOW_MS;
    Sample sample;
    sample_open(&sample, 0, &now_ms);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story", >=, 60);
    ASSERT_NUMBER(&sample, "SELECT count(DISTINCT story_type) FROM story", ==, 4);
    ASSERT_NUMBER(&sample, "SELECT count(DISTINCT current_state) FROM story", ==,
                  7); /* planned: manual only */
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM epic", >=, 6);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM membership", >=, 3);
    ASSERT_NUMBER(&sample, "SELECT count(DISTINCT role) FROM membership", ==, 3);
    ASSERT_NUMBER(&sample, "SELECT count(DISTINCT status) FROM review", ==, 4);
    ASSERT_NUMBER(&sample, "SELECT count(DISTINCT resolved) FROM blocker", ==, 2);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story WHERE deadline IS NOT NULL", >=, 2);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story_follower", >, 0);
    ASSERT_NUMBER(&sample, "SELECT max(length(CAST(name AS BLOB))) FROM story", >, 255);
    ASSERT_NUMBER(&sample,
                  "SELECT count(*) FROM (SELECT name FROM story GROUP BY name HAVING count(*) > 1)",
                  >, 0);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story WHERE description LIKE '%payment%'", >, 3);
    sample_close(&sample);
}

static void
test_history_fits_the_present(void)
{
    gint64 now_ms = NOW_MS;
    Sample sample;
    sample_open(&sample, 0, &now_ms);
    /* One activity a version, none missing, in order of time, none in the future. */
    ASSERT_NUMBER(&sample, "SELECT (SELECT version FROM project) - count(*) FROM activity", ==, 1);
    ASSERT_NUMBER(&sample,
                  "SELECT count(*) FROM activity a JOIN activity b ON b.version = a.version + 1"
                  " WHERE b.occurred_at < a.occurred_at",
                  ==, 0);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM activity WHERE occurred_at > 1709600000000", ==,
                  0);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story WHERE updated_at > 1709600000000", ==, 0);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM activity WHERE NOT json_valid(changes)", ==, 0);
    /* The last transition is the state, the last change of a state too; the last activity the time
     * of update. */
    ASSERT_NUMBER(
        &sample,
        "SELECT count(*) FROM story s WHERE current_state <> (SELECT state FROM story_transition t"
        " WHERE t.story_id = s.id ORDER BY occurred_at DESC, id DESC LIMIT 1)",
        ==, 0);
    ASSERT_NUMBER(
        &sample,
        "SELECT count(*) FROM story s WHERE updated_at <> (SELECT max(occurred_at) FROM activity a"
        " JOIN activity_story x ON x.activity_id = a.id WHERE x.story_id = s.id)",
        ==, 0);
    ASSERT_NUMBER(
        &sample,
        "SELECT count(*) FROM story s WHERE current_state <> (SELECT json_extract(c.value,"
        " '$.new_values.current_state') FROM activity a JOIN activity_story x ON x.activity_id ="
        " a.id, json_each(a.changes) c WHERE x.story_id = s.id AND json_extract(c.value,"
        " '$.new_values.current_state') IS NOT NULL ORDER BY a.version DESC LIMIT 1)",
        ==, 0);
    /* Rules of V5. */
    ASSERT_NUMBER(
        &sample,
        "SELECT count(*) FROM story WHERE (current_state = 'accepted') <> (accepted_at NOTNULL)",
        ==, 0);
    ASSERT_NUMBER(&sample,
                  "SELECT count(*) FROM story WHERE story_type = 'feature' AND estimate IS NULL"
                  " AND current_state NOT IN ('unscheduled', 'unstarted')",
                  ==, 0);
    ASSERT_NUMBER(&sample,
                  "SELECT count(*) FROM story WHERE story_type <> 'feature' AND estimate NOTNULL",
                  ==, 0);
    ASSERT_NUMBER(&sample,
                  "SELECT count(*) FROM story WHERE story_type = 'chore'"
                  " AND current_state IN ('finished', 'delivered', 'rejected')",
                  ==, 0);
    ASSERT_NUMBER(&sample,
                  "SELECT count(*) FROM story WHERE story_type <> 'release' AND deadline NOTNULL",
                  ==, 0);
    /* Project order: accepted, in progress, unstarted, unscheduled. */
    ASSERT_NUMBER(
        &sample,
        "WITH r AS (SELECT position, CASE current_state WHEN 'accepted' THEN 0 WHEN 'unstarted' "
        "THEN 2"
        " WHEN 'unscheduled' THEN 3 ELSE 1 END AS rank FROM story)"
        " SELECT count(*) FROM r a JOIN r b ON b.position > a.position AND b.rank < a.rank",
        ==, 0);
    sample_close(&sample);
}

static void
test_iterations(void)
{
    gint64 now_ms = NOW_MS;
    Sample sample;
    sample_open(&sample, 0, &now_ms);
    json_t *project =
        get(&sample, "/services/v5/projects/2500001", "fields=:default,current_velocity");
    g_assert_cmpint(json_integer_value(json_object_get(project, "current_iteration_number")), ==,
                    105);
    g_assert_cmpfloat(json_number_value(json_object_get(project, "current_velocity")), >=, 1);
    json_t *iterations =
        get(&sample, "/services/v5/projects/2500001/iterations", "scope=current_backlog&limit=50");
    g_assert_cmpuint(json_array_size(iterations), >=, 3);
    json_t *stories = json_object_get(json_array_get(iterations, 0), "stories");
    g_assert_cmpuint(json_array_size(stories), >=, 6);
    json_decref(project);
    json_decref(iterations);
    sample_close(&sample);
}

static void
test_attachments_are_real(void)
{
    gint64 now_ms = NOW_MS;
    Sample sample;
    sample_open(&sample, 0, &now_ms);
    g_autoptr(DbConn) conn = db_take(tracker_db(sample.tracker), NULL);
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT content_hash, size, filename FROM file_attachment");
    int pictures = 0;
    int logs = 0;
    while (db_next(stmt)) {
        g_autofree char *path =
            g_build_filename(db_files_dir(tracker_db(sample.tracker)), db_text(stmt, 0), NULL);
        g_autofree char *bytes = NULL;
        gsize n = 0;
        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        g_assert_cmpuint(n, ==, (gsize)db_int(stmt, 1));
        g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)bytes, n);
        g_assert_cmpstr(hash, ==, db_text(stmt, 0));
        if (memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
            g_assert_cmpint(memcmp(bytes + n - 8, "IEND\xae\x42\x60\x82", 8), ==, 0);
            pictures++;
        } else {
            g_assert_nonnull(g_strstr_len(bytes, (gssize)n, "net lost"));
            logs++;
        }
    }
    g_assert_cmpint(pictures, >=, 1);
    g_assert_cmpint(logs, >=, 1);
    db_done(g_steal_pointer(&stmt));
    db_give(g_steal_pointer(&conn));
    sample_close(&sample);
}

/* Everything but what opening makes at random. */
static char *
content_of(Sample *sample)
{
    GString *all = g_string_new(NULL);
    static const char *const queries[] = {
        "SELECT json_array(id, position, name, created_at, updated_at, accepted_at) FROM story "
        "ORDER BY id",
        "SELECT json_array(version, kind, message, occurred_at, changes) FROM activity ORDER BY "
        "version",
        "SELECT json_array(id, text, created_at) FROM comment ORDER BY id",
    };
    g_autoptr(DbConn) conn = db_take(tracker_db(sample->tracker), NULL);
    for (guint i = 0; i < G_N_ELEMENTS(queries); i++) {
        g_autoptr(DbStmt) stmt = db_prepare(conn, queries[i]);
        while (db_next(stmt)) {
            g_string_append(all, db_text(stmt, 0));
        }
    }
    return g_string_free(all, FALSE);
}

static void
test_is_deterministic(void)
{
    static const guint sizes[] = {0, 50};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        gint64 now_ms = NOW_MS;
        gint64 later_ms = NOW_MS + 3 * 86400000; /* the same week */
        Sample a, b;
        sample_open(&a, sizes[i], &now_ms);
        sample_open(&b, sizes[i], &later_ms);
        g_autofree char *left = content_of(&a);
        g_autofree char *right = content_of(&b);
        g_assert_true(strcmp(left, right) == 0);
        sample_close(&a);
        sample_close(&b);
    }
}

static void
test_generated(void)
{
    gint64 now_ms = NOW_MS;
    Sample sample;
    sample_open(&sample, 1000, &now_ms);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story", ==, 1000);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story WHERE description LIKE '%needle%'", ==, 10);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM activity", ==, 1);
    ASSERT_NUMBER(&sample, "SELECT version FROM project", ==, 2);
    ASSERT_NUMBER(&sample, "SELECT min(length(CAST(description AS BLOB))) FROM story", >=, 190);
    ASSERT_NUMBER(&sample, "SELECT max(length(CAST(description AS BLOB))) FROM story", <=, 4200);
    ASSERT_NUMBER(&sample, "SELECT max(updated_at) FROM story", <, NOW_MS);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story WHERE updated_at < created_at", ==, 0);
    ASSERT_NUMBER(
        &sample,
        "SELECT count(*) FROM story WHERE (current_state = 'accepted') <> (accepted_at NOTNULL)",
        ==, 0);
    json_t *iterations =
        get(&sample, "/services/v5/projects/2500001/iterations", "scope=done&limit=50&offset=-50");
    g_assert_cmpuint(json_array_size(iterations), ==, 50);
    json_decref(iterations);
    sample_close(&sample);
}

static void
test_refuses_a_full_database(void)
{
    gint64 now_ms = NOW_MS;
    Sample sample;
    sample_open(&sample, 3, &now_ms);
    g_autoptr(GError) error = NULL;
    g_assert_false(tracker_make_sample(sample.tracker, 0, now_ms, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    ASSERT_NUMBER(&sample, "SELECT count(*) FROM story", ==, 3);
    sample_close(&sample);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sample/everything", test_has_everything);
    g_test_add_func("/sample/history", test_history_fits_the_present);
    g_test_add_func("/sample/iterations", test_iterations);
    g_test_add_func("/sample/attachments", test_attachments_are_real);
    g_test_add_func("/sample/deterministic", test_is_deterministic);
    g_test_add_func("/sample/generated", test_generated);
    g_test_add_func("/sample/full", test_refuses_a_full_database);
    return g_test_run();
}

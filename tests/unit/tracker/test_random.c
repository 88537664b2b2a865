/* Random valid operations, and what must be true of both projects whatever they were:
 *   - each change raises the version by one and makes the one activity of that version;
 *   - the activities alone rebuild the state that GET shows, order, counts of labels, members,
 *     settings and overrides included, and know what was there before;
 *   - what is refused leaves no trace;
 *   - the order of stories is a permutation: the chain of neighbours visits each once;
 *   - tasks of a story stand at 1..n;
 *   - the points of iterations add up to those of the stories in them;
 *   - a tracker that keeps pages of stories answers as one that does not. Both take part in the
 *     operations, so that each sees changes of another process.
 *
 * The same seed gives the same run. TRACKERFS_RANDOM_OPERATIONS and TRACKERFS_RANDOM_SEED change
 * length and seed (scripts/soak). Each failure names its operation. */
#include "support_random.h"
#include "support_replay.h"

#include <jansson.h>
#include <string.h>

#define PROJECT 99
#define DEFAULT_OPERATIONS 1500
#define CHECK_EVERY 100
#define MAX_STORIES 120

/* ---- what must be true ---- */

static void
check_version(World *world, Replay *replay, gint64 project_id)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT version FROM project WHERE id = %" G_GINT64_FORMAT, project_id);
    (void)random_get(world, "projects/%" G_GINT64_FORMAT "/labels", project_id);
    gint64 version = replay_advance(replay);
    gint64 header =
        g_ascii_strtoll(fixture_header(&world->fixture, "X-Tracker-Project-Version"), NULL, 10);
    g_assert_cmpint(version, ==, header);
    g_assert_cmpint(fixture_number(&world->fixture, sql), ==, version);
}

/* From the top, neighbour by neighbour. */
static void
check_order(World *world, gint64 project_id)
{
    json_t *list = json_incref(random_get(
        world,
        "projects/%" G_GINT64_FORMAT "/stories?limit=500&fields=before_id,after_id,current_state",
        project_id));
    size_t n = json_array_size(list);
    gboolean icebox = FALSE;
    for (size_t i = 0; i < n; i++) {
        json_t *story = json_array_get(list, i);
        gint64 above = i > 0 ? random_int_of(json_array_get(list, i - 1), "id") : 0;
        gint64 below = i + 1 < n ? random_int_of(json_array_get(list, i + 1), "id") : 0;
        const char *state = json_string_value(json_object_get(story, "current_state"));
        g_assert_cmpint(random_int_of(story, "after_id"), ==, above);
        g_assert_cmpint(random_int_of(story, "before_id"), ==, below);
        /* Scheduled stories stand before the icebox. */
        g_assert_true(!icebox || g_str_equal(state, "unscheduled"));
        icebox = icebox || g_str_equal(state, "unscheduled");
    }
    json_decref(list);
    g_assert_cmpint(
        fixture_number(&world->fixture,
                       "SELECT count(*) FROM (SELECT 1 FROM story GROUP BY project_id, position"
                       " HAVING count(*) > 1)"),
        ==, 0);
}

/* What pages of stories say without counting. */
static void
check_counts(World *world)
{
    g_assert_cmpint(fixture_number(&world->fixture,
                                   "SELECT count(*) FROM (SELECT project_id, count(*) stories"
                                   " FROM story GROUP BY project_id EXCEPT"
                                   " SELECT project_id, stories FROM story_count)"),
                    ==, 0);
    g_assert_cmpint(fixture_number(&world->fixture,
                                   "SELECT sum(stories) - (SELECT count(*) FROM story)"
                                   " FROM story_count"),
                    ==, 0);
}

static void
check_tasks(World *world)
{
    g_assert_cmpint(
        fixture_number(&world->fixture,
                       "SELECT count(*) FROM (SELECT story_id, count(*) n, min(position) low,"
                       " max(position) high, count(DISTINCT position) d FROM task"
                       " GROUP BY story_id) WHERE low <> 1 OR high <> n OR d <> n"),
        ==, 0);
}

static void
check_points(World *world, gint64 project_id)
{
    json_t *list = json_incref(random_get(world,
                                          "projects/%" G_GINT64_FORMAT
                                          "/iterations?limit=50&fields=number,points,"
                                          "accepted_points,stories(estimate,current_state)",
                                          project_id));
    size_t i = 0;
    size_t k = 0;
    json_t *iteration = NULL;
    json_t *story = NULL;
    json_array_foreach(list, i, iteration)
    {
        double points = 0;
        double accepted = 0;
        json_array_foreach(json_object_get(iteration, "stories"), k, story)
        {
            double estimate = json_number_value(json_object_get(story, "estimate"));
            const char *state = json_string_value(json_object_get(story, "current_state"));
            points += estimate;
            accepted += g_str_equal(state, "accepted") ? estimate : 0;
        }
        g_assert_cmpfloat(json_number_value(json_object_get(iteration, "points")), ==, points);
        g_assert_cmpfloat(json_number_value(json_object_get(iteration, "accepted_points")), ==,
                          accepted);
    }
    json_decref(list);
}

static void
check(World *world, Replay *replay, gint64 project_id)
{
    world->operation = "check";
    check_order(world, project_id);
    check_counts(world);
    check_tasks(world);
    check_points(world, project_id);
    check_version(world, replay, project_id);
    replay_compare(replay);
}

/* ---- with and without the memory of pages ---- */

#define KEPT_PAGES_BYTES (256 * 1024) /* so that pages are driven out, too */

static const char *const page_fields[] = {
    "",
    "fields=name,current_state,labels(name),owner_ids",
    "fields=:default,comments(:default,person,file_attachments,google_attachments,attachments),"
    "tasks,owners,followers,reviews(:default,review_type),blockers,transitions,pull_requests,"
    "branches,blocked_story_ids",
    "fields=:default,label_ids,task_ids,comment_ids,blocker_ids,review_ids,follower_ids,owned_by,"
    "requested_by,comments(attachment_ids)",
    "fields=name,before_id,after_id,cycle_time_details,labels(:default,counts)",
    "date_format=millis&fields=:default,tasks,transitions",
    "envelope=true&fields=url,tasks",
};

/* A page of some size somewhere, which both must answer with the same bytes. */
static void
compare_pages(World *world, Tracker *other, GRand *random)
{
    gint64 project_id = g_rand_int(random) % 3 ? PROJECT : world->second_id;
    g_autofree char *path =
        g_strdup_printf("/services/v5/projects/%" G_GINT64_FORMAT "/stories", project_id);
    g_autofree char *query =
        g_strdup_printf("%s&limit=%d&offset=%d",
                        page_fields[g_rand_int_range(random, 0, G_N_ELEMENTS(page_fields))],
                        g_rand_int_range(random, 1, 25), g_rand_int_range(random, 0, 4) * 8);
    TrackerRequest request = {.method = "GET", .path = path, .query = query, .token = TOKEN_ADA};
    TrackerResponse response;

    (void)fixture_request(&world->fixture, &request);
    tracker_handle(other, &request, &response);
    if (strcmp(world->fixture.response.body->str, response.body->str) != 0) {
        g_error("operation %" G_GUINT64_FORMAT " (%s): %s?%s: %s and %s", world->done,
                world->operation, path, query, world->fixture.response.body->str,
                response.body->str);
    }
    g_assert_cmpstr(fixture_header(&world->fixture, "ETag"), ==,
                    tracker_response_header(&response, "ETag"));
    g_assert_cmpint(response.status, ==, 200);
    tracker_response_clear(&response);
}

static guint64
setting(const char *name, guint64 fallback)
{
    const char *text = g_getenv(name);
    guint64 value = 0;
    return text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32, &value, NULL) ? value
                                                                                      : fallback;
}

static void
test_random(void)
{
    World world = {0};
    guint64 seed = setting("TRACKERFS_RANDOM_SEED", 1);
    guint64 n = setting("TRACKERFS_RANDOM_OPERATIONS", DEFAULT_OPERATIONS);
    world.random = seed * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) | 1;
    fixture_open(&world.fixture);
    Tracker *other = fixture_open_again(&world.fixture);
    tracker_keep_pages(world.fixture.tracker, KEPT_PAGES_BYTES);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)seed);
    random_begin(&world);
    Replay *replay = replay_new(&world.fixture, PROJECT);
    Replay *second = replay_new(&world.fixture, world.second_id);
    while (world.done < n) {
        if (g_rand_boolean(random)) {
            Tracker *turn = world.fixture.tracker;
            world.fixture.tracker = other;
            other = turn;
        }
        random_operate(&world);
        compare_pages(&world, other, random);
        if (fixture_number(&world.fixture, "SELECT count(*) FROM story WHERE project_id = 99") >
            MAX_STORIES) {
            random_delete_story(&world);
        }
        if (world.done % CHECK_EVERY == 0 || world.done == n) {
            check(&world, replay, PROJECT);
            check(&world, second, world.second_id);
        }
    }
    g_test_message("%" G_GUINT64_FORMAT " operations of seed %" G_GUINT64_FORMAT
                   ", version %" G_GINT64_FORMAT,
                   world.done, seed,
                   fixture_number(&world.fixture, "SELECT version FROM project WHERE id = 99"));
    replay_free(replay);
    replay_free(second);
    tracker_close(other);
    fixture_close(&world.fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/random/operations", test_random);
    return g_test_run();
}

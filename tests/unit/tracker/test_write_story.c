/* Stories made, changed and deleted: answers, rules, versions, activities, positions. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#include "tracker/db.h"

#define STORIES "projects/99/stories"
#define VERSION "SELECT version FROM project WHERE id = 99"

static char *
dumped(Fixture *f, const char *path)
{
    char *text = json_dumps(fixture_at(f, path), JSON_COMPACT | JSON_ENCODE_ANY);
    char *copy = g_strdup(text);

    free(text);
    return copy;
}

/* The ids of the project's stories, in order. */
static char *
order(Fixture *f)
{
    GString *ids = g_string_new(NULL);
    size_t i;
    json_t *story;

    (void)fixture_json(f, "GET", STORIES "?fields=id", NULL);
    json_array_foreach(f->json, i, story)
    {
        g_string_append_printf(ids, "%s%" JSON_INTEGER_FORMAT, ids->len ? " " : "",
                               json_integer_value(json_object_get(story, "id")));
    }
    return g_string_free(ids, FALSE);
}

#define assert_order(f, wanted)                                                                    \
    do {                                                                                           \
        g_autofree char *got_order = order(f);                                                     \
        g_assert_cmpstr(got_order, ==, wanted);                                                    \
    } while (0)

static void
test_create(Fixture *f)
{
    g_autofree char *changes = NULL;

    g_assert_cmpstr(
        fixture_send(f, "POST", STORIES, "{\"name\":\"Test story\"}"), ==,
        "{\"kind\":\"story\",\"id\":801,\"project_id\":99,\"name\":\"Test story\","
        "\"story_type\":\"feature\",\"current_state\":\"unscheduled\",\"requested_by_id\":101,"
        "\"owner_ids\":[],\"labels\":[],\"created_at\":\"2017-05-03T23:29:41Z\","
        "\"updated_at\":\"2017-05-03T23:29:41Z\","
        "\"url\":\"https://www.pivotaltracker.com/story/show/801\"}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_create_activity");
    g_assert_cmpstr(fixture_text(f, "0.guid"), ==, "99_231");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example added this feature");
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "added");
    changes = dumped(f, "0.changes");
    g_assert_cmpstr(
        changes, ==,
        "[{\"kind\":\"story\",\"change_type\":\"create\",\"id\":801,\"new_values\":{\"id\":801,"
        "\"created_at\":\"2017-05-03T23:29:41Z\",\"updated_at\":\"2017-05-03T23:29:41Z\","
        "\"story_type\":\"feature\",\"name\":\"Test story\",\"current_state\":\"unscheduled\","
        "\"requested_by_id\":101,\"project_id\":99,\"owner_ids\":[],\"label_ids\":[],\"labels\":[],"
        "\"follower_ids\":[],\"before_id\":557,\"after_id\":556},\"name\":\"Test story\","
        "\"story_type\":\"feature\"}]");
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.url"), ==,
                    "https://www.pivotaltracker.com/story/show/801");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story_transition WHERE story_id = 801"
                                      " AND state = 'unscheduled' AND project_version = 231"),
                    ==, 1);
}

static void
test_refuse(Fixture *f)
{
    static const struct {
        const char *body, *problem;
    } cases[] = {
        {"{}", "this endpoint requires the parameter: name"},
        {"{\"name\":null}", "Name can't be blank"},
        {"{\"name\":\" \\n \"}", "Name can't be blank"},
        {"{\"name\":7}", "'name' must be an extended_string"},
        {"{\"name\":\"a\",\"nope\":1}", "this endpoint cannot accept the parameter: nope"},
        {"{\"name\":\"a\",\"url\":\"u\"}", "this endpoint cannot accept the parameter: url"},
        {"{\"name\":\"a\",\"external_id\":7}", "'external_id' must be a string"},
        {"{\"name\":\"a\",\"estimate\":\"2\"}", "'estimate' must be a number value"},
        {"{\"name\":\"a\",\"requested_by_id\":\"x\"}",
         "'requested_by_id' must be an integer value"},
        {"{\"name\":\"a\",\"story_type\":\"epic\"}",
         "'story_type' must be one of: feature, bug, chore, release"},
        {"{\"name\":\"a\",\"owner_ids\":[\"x\"]}",
         "'owner_ids' must be an array of integer values"},
        {"{\"name\":\"a\",\"labels\":\"x\"}", "'labels' must be an array"},
        {"{\"name\":\"a\",\"created_at\":\"2019-10-15\"}",
         "'created_at' must be a time value represented as milliseconds/iso 8601 date"},
        {"{\"name\":\"a\",\"created_at\":\"2000-01-01T00:00:00Z\"}",
         "The date you entered 2000-01-01T00:00:00Z, is too far in the past. Please enter a date "
         "after 2005-01-01T00:00:00Z."},
        {"{\"name\":\"a\",\"created_at\":\"2018-01-01T00:00:00Z\"}", NULL},
        {"{\"name\":\"a\",\"current_state\":\"started\"}",
         "Stories in the started state must be estimated."},
        {"{\"name\":\"a\",\"current_state\":\"accepted\"}",
         "Stories in the accepted state must be estimated."},
        {"{\"name\":\"a\",\"story_type\":\"chore\",\"current_state\":\"finished\"}",
         "'current_state' is not valid for story_type chore"},
        {"{\"name\":\"a\",\"current_state\":\"planned\"}",
         "'current_state' is not valid for story_type feature"},
        {"{\"name\":\"a\",\"estimate\":5}", "'estimate' must be one of: 0, 1, 2, 3"},
        {"{\"name\":\"a\",\"estimate\":1,\"story_type\":\"bug\"}",
         "Estimates can only be set on features."},
        {"{\"name\":\"a\",\"accepted_at\":1493854000000}",
         "Only stories in accepted state may have accepted_at dates"},
        {"{\"name\":\"a\",\"deadline\":1493854000000}", "Deadline can only be set on releases."},
        {"{\"name\":\"a\",\"label_ids\":[7]}",
         "Label with id=7 does not exist within this project"},
        {"{\"name\":\"a\",\"labels\":[{\"id\":7}]}",
         "Label with id=7 does not exist within this project"},
        {"{\"name\":\"a\",\"labels\":[7]}", "Can't use content of 'labels' parameter."},
        {"{\"name\":\"a\",\"labels\":[{}]}", "Can't use content of 'labels' parameter."},
        {"{\"name\":\"a\",\"labels\":[{\"name\":true}]}",
         "The 'name' parameter value was 'true' but must be of type 'string'"},
        {"{\"name\":\"a\",\"labels\":[\" \"]}", "Please enter a name for the label."},
        {"{\"name\":\"a\",\"labels\":[\"a,b\"]}", "Label names can't contain commas."},
        {"{\"name\":\"a\",\"labels\":[],\"label_ids\":[]}",
         "Do not send label_ids with labels in the same request."},
        {"{\"name\":\"a\",\"owner_ids\":[103]}",
         "Person with id=103 does not exist within this project"},
        {"{\"name\":\"a\",\"after_id\":null}",
         "Got bad values for the following parameter(s):  none of the supplied object-move "
         "parameters match the generated results ('after_id' parameter was  but result was 556)"},
        {"{\"name\":\"a\",\"after_id\":1}",
         "Got bad values for the following parameter(s):  none of the supplied object-move "
         "parameters match the generated results ('after_id' parameter was 1 but result was 556)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_refused(f, "POST", STORIES, cases[i].body, cases[i].problem);
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story WHERE project_id = 99"), ==, 4);
    (void)fixture_json(f, "POST", STORIES,
                       "{\"name\":\"a\",\"created_at\":\"2018-01-01T00:00:00Z\"}");
    g_assert_cmpstr(fixture_text(f, "requirement"), ==,
                    "Story created_at cannot be in the future.");
    (void)fixture_json(f, "POST", STORIES, "{\"name\":");
    g_assert_cmpint(f->response.status, ==, 400);
    g_assert_cmpstr(fixture_text(f, "code"), ==, "could_not_parse_body");
    g_assert_cmpstr(fixture_text(f, "error"), ==, "Cannot parse the JSON-encoded request body.");
}

static void
test_too_long(Fixture *f)
{
    g_autofree char *name = g_strnfill(5001, 'x');
    g_autofree char *body = g_strdup_printf("{\"name\":\"%s\"}", name);
    g_autofree char *problem = g_strdup_printf("This extended_string is too long:  '%s'", name);

    fixture_refused(f, "POST", STORIES, body, problem);
    g_assert_cmpstr(fixture_text(f, "requirement"), ==,
                    "'name' parameter must be 5000 characters or less.");
}

static void
test_update(Fixture *f)
{
    g_autofree char *changes = NULL;

    (void)fixture_json(f, "PUT", "stories/555", "{\"name\":\"New\",\"kind\":\"story\"}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_cmpstr(fixture_text(f, "name"), ==, "New");
    g_assert_cmpstr(fixture_text(f, "updated_at"), ==, "2017-05-03T23:29:41Z");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example edited this feature");
    changes = dumped(f, "0.changes");
    g_assert_cmpstr(
        changes, ==,
        "[{\"kind\":\"story\",\"change_type\":\"update\",\"id\":555,\"original_values\":{"
        "\"updated_at\":\"2017-05-03T23:28:56Z\",\"name\":\"Exhaust ports\"},"
        "\"new_values\":{\"updated_at\":\"2017-05-03T23:29:41Z\",\"name\":\"New\"},"
        "\"name\":\"New\",\"story_type\":\"feature\"}]");
    (void)fixture_json(f, "PATCH", STORIES "/555", "{\"name\":\"Newer\"}");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 232);
    fixture_activity(f);
    g_assert_null(fixture_at(f, "0.changes.0.new_values.updated_at"));
}

static void
test_nothing_changed(Fixture *f)
{
    (void)fixture_json(f, "PUT", "stories/555", "{}");
    g_assert_cmpint(f->response.status, ==, 200);
    (void)fixture_json(f, "PUT", "stories/555",
                       "{\"name\":\"Exhaust ports\",\"current_state\":\"started\",\"estimate\":2,"
                       "\"owner_ids\":[102,101],\"labels\":[{\"id\":5001},\"Admin \"]}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "230");
    g_assert_cmpstr(fixture_text(f, "updated_at"), ==, "2017-05-03T23:28:56Z");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM activity WHERE project_id = 99"), ==,
                    2);
}

static void
test_state(Fixture *f)
{
    static const struct {
        const char *body, *message, *kind;
    } steps[] = {
        {"{\"current_state\":\"finished\"}", "Ada Example finished this feature", NULL},
        {"{\"current_state\":\"delivered\"}", "Ada Example delivered this feature", NULL},
        {"{\"current_state\":\"accepted\"}", "Ada Example accepted this feature", NULL},
        {"{\"current_state\":\"rejected\"}", "Ada Example rejected this feature", NULL},
        {"{\"current_state\":\"unstarted\",\"estimate\":1}", "Ada Example unstarted this feature",
         NULL},
        {"{\"estimate\":3}", "Ada Example estimated this feature as 3 points", NULL},
        {"{\"estimate\":1}", "Ada Example estimated this feature as 1 point", NULL},
        {"{\"estimate\":null}", "Ada Example edited this feature", NULL},
        {"{\"story_type\":\"bug\"}", "Ada Example edited this bug", NULL},
        {"{\"current_state\":\"started\"}", "Ada Example started this bug", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        f->now_ms += 60000;
        (void)fixture_json(f, "PUT", "stories/555", steps[i].body);
        g_assert_cmpint(f->response.status, ==, 200);
        g_assert_cmpint((fixture_at(f, "accepted_at") != NULL), ==, i == 2);
        fixture_activity(f);
        g_assert_cmpstr(fixture_text(f, "0.message"), ==, steps[i].message);
        if (i == 3) { /* rejected: the labels' counts, and null in so many words */
            int label = fixture_entry(f, "label"), story = fixture_entry(f, "story");
            g_autofree char *at =
                g_strdup_printf("0.changes.%d.new_values.counts.number_of_stories_by_state", label);
            g_autofree char *when = g_strdup_printf("0.changes.%d.new_values.accepted_at", story);
            json_t *counts = fixture_at(f, at);

            g_assert_true(json_is_null(fixture_at(f, when)));
            g_assert_cmpint(json_integer_value(json_object_get(counts, "rejected")), ==, 1);
        }
    }
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story_transition WHERE story_id = 555"),
                    ==, 2 + 6);
    fixture_refused(f, "PUT", "stories/555", "{\"accepted_at\":1493854000000}",
                    "Only stories in accepted state may have accepted_at dates");
    fixture_refused(f, "PUT", "stories/555", "{\"story_type\":\"release\"}",
                    "'current_state' is not valid for story_type release");
}

static void
test_type_drops_estimate(Fixture *f)
{
    (void)fixture_json(f, "PUT", "stories/555", "{\"story_type\":\"chore\"}");
    g_assert_null(fixture_at(f, "estimate"));
    fixture_activity(f);
    {
        int at = fixture_entry(f, "story");
        g_autofree char *original = g_strdup_printf("0.changes.%d.original_values.estimate", at);
        g_autofree char *fresh = g_strdup_printf("0.changes.%d.new_values.estimate", at);

        g_assert_cmpint(fixture_int(f, original), ==, 2);
        g_assert_true(json_is_null(fixture_at(f, fresh)));
    }
    (void)fixture_json(f, "PUT", "stories/556", "{\"deadline\":\"2017-06-01T00:00:00Z\"}");
    g_assert_cmpstr(fixture_text(f, "deadline"), ==, "2017-06-01T00:00:00Z");
    (void)fixture_json(f, "PUT", "stories/556", "{\"story_type\":\"feature\"}");
    g_assert_null(fixture_at(f, "deadline"));
}

static void
test_labels(Fixture *f)
{
    (void)fixture_json(f, "PUT", "stories/555",
                       "{\"labels\":[{\"id\":5001,\"name\":\"plans\"},{\"name\":\"New One\"},"
                       "\"Zoo\"]}");
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "232");
    g_assert_cmpstr(fixture_text(f, "labels.0.name"), ==, "new one");
    g_assert_cmpstr(fixture_text(f, "labels.2.name"), ==, "zoo");
    (void)fixture_json(f, "GET", "projects/99/activity?limit=2", NULL);
    g_assert_cmpstr(fixture_text(f, "1.message"), ==,
                    "Ada Example created labels: \"new one\", \"zoo\"");
    g_assert_cmpstr(fixture_text(f, "1.kind"), ==, "label_create_activity");
    g_assert_cmpint(json_array_size(fixture_at(f, "1.primary_resources")), ==, 2);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example edited this feature");
    /* admin lost it, two won it; plans counts as before */
    g_assert_cmpint(json_array_size(fixture_at(f, "0.changes")), ==, 4);
    (void)fixture_json(f, "PUT", "stories/555", "{\"labels\":[]}");
    g_assert_cmpint(json_array_size(fixture_at(f, "labels")), ==, 0);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 233);
}

static void
test_people(Fixture *f)
{
    (void)fixture_json(f, "PUT", "stories/557", "{\"owner_ids\":[102,101,102]}");
    g_assert_cmpint(fixture_int(f, "owned_by_id"), ==, 102);
    g_assert_cmpint(json_array_size(fixture_at(f, "owner_ids")), ==, 2);
    (void)fixture_json(f, "PUT", "stories/557", "{\"owned_by_id\":101}");
    g_assert_cmpint(json_array_size(fixture_at(f, "owner_ids")), ==, 1);
    (void)fixture_json(f, "PUT", "stories/557", "{\"owned_by_id\":null}");
    g_assert_null(fixture_at(f, "owned_by_id"));
    fixture_sql(f, "INSERT INTO person(id, name) VALUES (111, 'p'), (112, 'p'), (113, 'p'),"
                   " (114, 'p'), (115, 'v');"
                   "INSERT INTO membership(project_id, person_id, role) VALUES (99, 111, 'member'),"
                   " (99, 112, 'member'), (99, 113, 'member'), (99, 114, 'member'),"
                   " (99, 115, 'viewer');");
    fixture_refused(f, "PUT", "stories/557", "{\"owner_ids\":[101,102,111,112,113,114]}",
                    "Stories can have at most 5 owners.");
    fixture_refused(f, "PUT", "stories/557", "{\"owner_ids\":[115]}",
                    "Person with id=115 does not exist within this project");
    (void)fixture_json(f, "PUT", "stories/557?fields=follower_ids", "{\"follower_ids\":[115,101]}");
    g_assert_cmpint(json_array_size(fixture_at(f, "follower_ids")), ==, 2);
    /* someone who left may stay the owner */
    fixture_sql(f, "INSERT INTO story_owner VALUES (557, 0, 103)");
    (void)fixture_json(f, "PUT", "stories/557", "{\"owner_ids\":[103,101]}");
    g_assert_cmpint(f->response.status, ==, 200);
}

static void
test_roles(Fixture *f)
{
    f->token = TOKEN_CY;
    (void)fixture_json(f, "PUT", "stories/555", "{\"name\":\"x\"}");
    g_assert_cmpint(f->response.status, ==, 403);
    g_assert_cmpstr(fixture_text(f, "code"), ==, "unauthorized_operation");
    fixture_sql(f,
                "INSERT INTO membership(project_id, person_id, role) VALUES (99, 103, 'viewer')");
    (void)fixture_json(f, "PUT", "stories/555", "{\"name\":\"x\"}");
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_json(f, "POST", STORIES, "{\"name\":\"x\"}");
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_json(f, "DELETE", "stories/555", NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_json(f, "PUT", "stories/555", "{\"follower_ids\":[103]}");
    g_assert_cmpint(f->response.status, ==, 200);
    (void)fixture_json(f, "PUT", "stories/555", "{\"follower_ids\":[103,101]}");
    g_assert_cmpint(f->response.status, ==, 403);
    (void)fixture_json(f, "PUT", "stories/800", "{\"name\":\"x\"}"); /* of a public project */
    g_assert_cmpint(f->response.status, ==, 200);
    f->token = TOKEN_BO;
    (void)fixture_json(f, "PUT", "stories/800", "{\"name\":\"x\"}");
    g_assert_cmpint(f->response.status, ==, 403);
    f->token = "nobody's";
    (void)fixture_json(f, "PUT", "stories/555", "{\"name\":\"x\"}");
    g_assert_cmpstr(fixture_text(f, "code"), ==, "invalid_authentication");
    {
        TrackerRequest request = {.method = "PUT",
                                  .path = "/services/v5/stories/800",
                                  .body = "{\"name\":\"x\"}",
                                  .body_bytes = 12};

        (void)fixture_request(f, &request);
        g_assert_cmpint(f->response.status, ==, 403);
    }
}

/* Who may not write is told so at once, whoever is writing. */
static void
test_turned_away(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) writer = db_take(tracker_db(f->tracker), &error);

    g_assert_true(db_begin(writer, DB_WRITE, &error));
    f->token = "nobody's";
    fixture_expect(f, "PUT", "stories/555", "{\"name\":\"x\"}", 403);
    f->token = TOKEN_CY;
    fixture_expect(f, "DELETE", "stories/555", NULL, 403);
    f->token = NULL;
    fixture_expect(f, "DELETE", "stories/1", NULL, 404);
}

static void
test_order(Fixture *f)
{
    assert_order(f, "550 555 556 557");
    /* new ones: top of the icebox, end of the backlog, behind what is in progress */
    (void)fixture_json(f, "POST", STORIES, "{\"name\":\"a\"}"); /* 801 */
    (void)fixture_json(f, "POST", STORIES, "{\"name\":\"b\",\"current_state\":\"unstarted\"}");
    (void)fixture_json(
        f, "POST", STORIES,
        "{\"name\":\"c\",\"current_state\":\"started\",\"story_type\":\"bug\"}"); /* 803 */
    assert_order(f, "550 555 803 556 802 801 557");
    /* a place in the backlog makes it unstarted, as recorded */
    (void)fixture_json(f, "POST", STORIES, "{\"name\":\"d\",\"after_id\":555}");
    g_assert_cmpstr(fixture_text(f, "current_state"), ==, "unstarted");
    assert_order(f, "550 555 804 803 556 802 801 557");
    (void)fixture_json(f, "PUT", "stories/557", "{\"before_id\":802,\"group\":\"scheduled\"}");
    g_assert_cmpstr(fixture_text(f, "current_state"), ==, "unstarted");
    assert_order(f, "550 555 804 803 556 557 802 801");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_move_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==,
                    "Ada Example moved and scheduled this story before 'b'");
    g_assert_cmpint(fixture_int(f, "0.changes.0.new_values.before_id"), ==, 802);
    g_assert_cmpstr(fixture_text(f, "0.changes.0.original_values.current_state"), ==,
                    "unscheduled");
    (void)fixture_json(f, "PUT", "stories/557", "{\"group\":\"unscheduled\",\"after_id\":801}");
    assert_order(f, "550 555 804 803 556 802 801 557");
    (void)fixture_json(f, "PUT", "stories/802", "{\"after_id\":804,\"before_id\":803}");
    assert_order(f, "550 555 804 802 803 556 801 557");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example moved this story after 'd'");
    fixture_refused(f, "PUT", "stories/802", "{\"after_id\":550,\"before_id\":803}",
                    "Got bad values for the following parameter(s):  none of the supplied "
                    "object-move parameters match the generated results ('before_id' parameter was "
                    "803 but result was 803, 'after_id' parameter was 550 but result was 804)");
    fixture_refused(f, "PUT", "stories/802",
                    "{\"current_state\":\"unscheduled\",\"group\":"
                    "\"scheduled\"}",
                    "'group' is not the one of 'current_state'");
    /* states move, too */
    (void)fixture_json(f, "PUT", "stories/803", "{\"current_state\":\"unscheduled\"}");
    (void)fixture_json(f, "PUT", "stories/557", "{\"current_state\":\"unstarted\"}");
    assert_order(f, "550 555 804 802 556 557 803 801");
    (void)fixture_json(f, "PUT", "stories/804", "{\"current_state\":\"started\",\"estimate\":1}");
    (void)fixture_json(f, "PUT", "stories/804", "{\"current_state\":\"accepted\"}");
    assert_order(f, "550 804 555 802 556 557 803 801");
}

/* Moves into one gap until there is no room, with neighbours far and near: the order stays, and the
 * stories around are spread, not all of them. */
static void
test_order_no_room(Fixture *f)
{
    gint64 far;

    fixture_fill(f, 300);
    fixture_sql(f, "UPDATE story SET current_state = 'unstarted' WHERE id > 100000");
    far = fixture_number(f, "SELECT sum(position) FROM story WHERE id BETWEEN 100250 AND 100300");
    for (int i = 0; i < 40; i++) {
        g_autofree char *path = g_strdup_printf("stories/%d", 100101 + i % 2);

        fixture_expect(f, "PUT", path, "{\"after_id\":100050}", 200);
    }
    fixture_expect(f, "PUT", "stories/550", "{\"before_id\":555}", 200);
    g_assert_cmpint(
        fixture_number(f, "SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY position) AS a"
                          " FROM story WHERE project_id = 99 AND id > 100000) WHERE id < a"),
        ==, 2); /* 102 behind 50, and 51 behind 101 */
    g_assert_cmpint(
        fixture_number(f, "SELECT sum(position) FROM story WHERE id BETWEEN 100250 AND 100300"), ==,
        far);
}

/* The top of the icebox, where stories are made, stays cheap. */
static void
test_order_border(Fixture *f)
{
    for (int i = 0; i < 150; i++) {
        fixture_expect(f, "POST", STORIES "?fields=id", "{\"name\":\"a\"}", 200);
        fixture_expect(f, "POST", STORIES "?fields=id",
                       "{\"name\":\"b\",\"current_state\":\"unstarted\"}", 200);
    }
    /* newest first in the icebox, oldest first in the backlog */
    g_assert_cmpint(
        fixture_number(f, "SELECT count(*) FROM (SELECT id, name, lag(id) OVER (PARTITION BY name"
                          " ORDER BY position) AS a FROM story WHERE name IN ('a', 'b'))"
                          " WHERE (name = 'a' AND id > a) OR (name = 'b' AND id < a)"),
        ==, 0);
    g_assert_cmpint(fixture_number(f, "SELECT (SELECT max(position) FROM story WHERE name = 'b')"
                                      " < (SELECT min(position) FROM story WHERE name = 'a')"),
                    ==, 1);
}

static void
test_delete(Fixture *f)
{
    g_assert_cmpstr(fixture_send(f, "DELETE", "projects/99/stories/555", NULL), ==, "");
    g_assert_cmpint(f->response.status, ==, 204);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    g_assert_cmpstr(fixture_header(f, "Status"), ==, "204 No Content");
    g_assert_null(fixture_header(f, "Content-Type"));
    (void)fixture_json(f, "GET", "stories/555", NULL);
    g_assert_cmpint(f->response.status, ==, 404);
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_delete_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example deleted this feature");
    {
        g_autofree char *path = g_strdup_printf("0.changes.%d", fixture_entry(f, "story"));
        g_autofree char *change = dumped(f, path);

        g_assert_cmpstr(change, ==,
                        "{\"kind\":\"story\",\"change_type\":\"delete\",\"id\":555,"
                        "\"name\":\"Exhaust ports\",\"story_type\":\"feature\"}");
    }
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM comment WHERE story_id = 555"), ==, 0);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM task WHERE story_id = 555"), ==, 0);
    (void)fixture_json(f, "DELETE", "stories/800", NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    /* no id is given twice */
    (void)fixture_json(f, "POST", STORIES, "{\"name\":\"a\"}");
    g_assert_cmpint(fixture_int(f, "id"), ==, 801);
    (void)fixture_json(f, "DELETE", "stories/801", NULL);
    (void)fixture_json(f, "POST", STORIES, "{\"name\":\"a\"}");
    g_assert_cmpint(fixture_int(f, "id"), ==, 802);
}

static void
test_nested(Fixture *f)
{
    fixture_expect(f, "POST",
                   STORIES
                   "?fields=:default,tasks,comments,blockers,reviews,pull_requests,branches",
                   "{\"name\":\"a\",\"tasks\":[{\"description\":\"x\"},{\"description\":\"y\","
                   "\"complete\":true}],\"comments\":[{\"text\":\"c @bo.\"}],\"blockers\":[{"
                   "\"description\":\"#555\"}],\"reviews\":[{\"review_type_id\":22}],"
                   "\"pull_requests\":[{\"repo\":\"r\",\"number\":7}],\"branches\":[{"
                   "\"name\":\"b\"}],\"labels\":[\"plans\"]}",
                   200);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    g_assert_cmpint(fixture_int(f, "tasks.1.position"), ==, 2);
    g_assert_cmpstr(fixture_text(f, "comments.0.text"), ==, "c @bo.");
    g_assert_cmpstr(fixture_text(f, "blockers.0.description"), ==, "#555");
    g_assert_cmpstr(fixture_text(f, "reviews.0.status"), ==, "unstarted");
    g_assert_cmpint(fixture_int(f, "pull_requests.0.number"), ==, 7);
    g_assert_cmpstr(fixture_text(f, "branches.0.name"), ==, "b");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_create_activity");
    /* story, two tasks, comment, blocker, review, pull request, branch, label's counts */
    g_assert_cmpint(json_array_size(fixture_at(f, "0.changes")), ==, 9);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story_follower WHERE story_id = 801"),
                    ==, 2);
    fixture_refused(f, "POST", STORIES, "{\"name\":\"a\",\"tasks\":[{}]}",
                    "this endpoint requires the parameter: description");
    fixture_refused(f, "POST", STORIES, "{\"name\":\"a\",\"tasks\":[7]}",
                    "Can't use content of 'tasks' parameter.");
    fixture_refused(f, "POST", STORIES, "{\"name\":\"a\",\"comments\":[{\"text\":true}]}",
                    "The 'text' parameter value was 'true' but must be of type 'extended_string'");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
}

static void
test_with_comment(Fixture *f)
{
    fixture_expect(f, "PUT", "stories/555",
                   "{\"current_state\":\"rejected\",\"comment\":\"Try again\"}", 200);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_update_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==,
                    "Ada Example rejected this feature with comments: \"Try again\"");
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "rejected");
    g_assert_cmpint(fixture_entry(f, "comment"), >=, 0);
}

static void
test_move_project(Fixture *f)
{
    gint64 told;

    fixture_refused(f, "PUT", "stories/555", "{\"project_id\":22}",
                    "You do not have access to the destination project.");
    fixture_refused(f, "PUT", "stories/555", "{\"project_id\":7}",
                    "You do not have access to the destination project.");
    fixture_sql(f, "UPDATE membership SET role = 'member' WHERE id = 9005;"
                   "INSERT INTO review_type(id, project_id, name) VALUES (23, 22, 'Code');"
                   "INSERT INTO label(id, project_id, name) VALUES (5003, 22, 'admin')");
    fixture_expect(
        f, "PUT",
        "stories/555?fields=project_id,labels(name,project_id),owner_ids,reviews,comments",
        "{\"project_id\":22,\"before_id\":700}", 200);
    g_assert_cmpint(fixture_int(f, "project_id"), ==, 22);
    g_assert_cmpint(fixture_int(f, "labels.0.id"), ==, 5003);
    g_assert_cmpstr(fixture_text(f, "labels.1.name"), ==, "plans");
    g_assert_cmpint(fixture_int(f, "labels.1.project_id"), ==, 22);
    g_assert_cmpint(json_array_size(fixture_at(f, "owner_ids")), ==, 1);
    g_assert_cmpint(fixture_int(f, "owner_ids.0"), ==, 101);
    g_assert_cmpint(fixture_int(f, "reviews.0.review_type_id"), ==, 23);
    g_assert_cmpint(json_array_size(fixture_at(f, "comments")), ==, 2);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "story_move_from_project_activity");
    fixture_expect(f, "GET", "projects/22/activity", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==,
                    "story_move_into_project_and_prioritize_activity");
    g_assert_cmpstr(fixture_text(f, "1.kind"), ==, "label_create_activity");
    g_assert_cmpint(fixture_number(f, "SELECT version FROM project WHERE id = 22"), ==, 7);
    fixture_expect(f, "GET", "projects/22/stories?fields=id", NULL, 200);
    g_assert_cmpint(fixture_int(f, "0.id"), ==, 555);
    fixture_expect(f, "GET", "projects/99/stories/555", NULL, 404);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story_transition WHERE story_id = 555"),
                    ==, 2);
    /* On the way back its owner is told of nothing: nobody made him one. */
    fixture_sql(f,
                "INSERT INTO membership(project_id, person_id, role) VALUES (22, 102, 'member')");
    fixture_expect(f, "PUT", "stories/555", "{\"owner_ids\":[102]}", 200);
    told = fixture_number(f, "SELECT count(*) FROM notification");
    fixture_expect(f, "PUT", "stories/555", "{\"project_id\":99}", 200);
    g_assert_cmpint(fixture_int(f, "owner_ids.0"), ==, 102);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM notification"), ==, told);
}

/* What the other project has no place for stays behind. */
static void
test_move_fits(Fixture *f)
{
    g_autofree char *path = NULL;

    fixture_sql(f, "UPDATE membership SET role = 'member' WHERE id = 9005;"
                   "UPDATE project SET point_scale = '0,1,4' WHERE id = 22;"
                   "INSERT INTO integration(id, project_id, kind) VALUES"
                   " (41, 99, 'jira_integration'), (42, 22, 'jira_integration')");
    fixture_expect(f, "POST", "projects/99/stories",
                   "{\"name\":\"a\",\"estimate\":3,\"integration_id\":41}", 200);
    path = g_strdup_printf("stories/%" G_GINT64_FORMAT, fixture_int(f, "id"));
    fixture_refused(f, "PUT", path, "{\"integration_id\":42}",
                    "Integration with id=42 does not exist within this project");
    fixture_refused(f, "POST", "projects/99/stories", "{\"name\":\"b\",\"integration_id\":7}",
                    "Integration with id=7 does not exist within this project");
    fixture_expect(f, "PUT", path, "{\"integration_id\":41,\"name\":\"c\"}", 200);
    fixture_refused(f, "PUT", path, "{\"project_id\":22,\"estimate\":3}",
                    "'estimate' must be one of: 0, 1, 4");
    fixture_expect(f, "PUT", path, "{\"project_id\":22}", 200);
    g_assert_cmpfloat(json_number_value(fixture_at(f, "estimate")), ==, 3); /* as it was */
    g_assert_null(fixture_at(f, "integration_id"));
    fixture_expect(f, "PUT", path, "{\"project_id\":99,\"estimate\":3,\"integration_id\":41}", 200);
    g_assert_cmpint(fixture_int(f, "integration_id"), ==, 41);
    fixture_expect(f, "PUT", path, "{\"project_id\":22,\"estimate\":4,\"integration_id\":42}", 200);
    g_assert_cmpfloat(json_number_value(fixture_at(f, "estimate")), ==, 4);
    fixture_expect(f, "PUT", path, "{\"estimate\":1}", 200);
    fixture_expect(f, "PUT", path, "{\"project_id\":99}", 200);
    g_assert_cmpfloat(json_number_value(fixture_at(f, "estimate")), ==, 1); /* both know it */
    fixture_expect(f, "PUT", path, "{\"estimate\":2,\"current_state\":\"started\"}", 200);
    fixture_expect(f, "PUT", path, "{\"project_id\":22}", 200);
    g_assert_cmpfloat(json_number_value(fixture_at(f, "estimate")), ==, 2);
}

/* What the project's settings allow. */
static void
test_settings(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Tracker) reader = NULL;
    Tracker *writer = f->tracker;

    fixture_sql(f, "UPDATE project SET bugs_and_chores_are_estimatable = 1, automatic_planning = 0,"
                   " point_scale = '0,0.5,40' WHERE id = 99");
    fixture_expect(f, "POST", STORIES, "{\"name\":\"a\",\"story_type\":\"bug\",\"estimate\":0.5}",
                   200);
    g_assert_cmpfloat(json_real_value(fixture_at(f, "estimate")), ==, 0.5);
    fixture_refused(f, "POST", STORIES,
                    "{\"name\":\"a\",\"story_type\":\"chore\",\"current_state\":\"started\"}",
                    "Stories in the started state must be estimated.");
    g_assert_cmpstr(fixture_text(f, "validation_errors.0.field"), ==, "estimate");
    g_assert_cmpstr(fixture_text(f, "validation_errors.0.problem"), ==,
                    "Stories in the started state must be estimated.");
    fixture_refused(f, "POST", STORIES,
                    "{\"name\":\"a\",\"story_type\":\"release\",\"estimate\":0}",
                    "Estimates cannot be set on releases.");
    fixture_refused(f, "POST", STORIES, "{\"name\":\"a\",\"estimate\":1}",
                    "'estimate' must be one of: 0, 0.5, 40");
    fixture_expect(f, "PUT", "stories/801", "{\"group\":\"current\"}", 200);
    g_assert_cmpstr(fixture_text(f, "current_state"), ==, "planned");
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "moved and scheduled");
    /* story 555 has an estimate that the scale lost: everything else stays editable */
    fixture_expect(f, "PUT", "stories/555", "{\"name\":\"b\",\"current_state\":\"finished\"}", 200);

    reader = tracker_open(f->path, TRACKER_READ_ONLY, &error);
    g_assert_no_error(error);
    f->tracker = reader;
    fixture_expect(f, "PUT", "stories/555", "{\"name\":\"c\"}", 403);
    g_assert_cmpstr(fixture_text(f, "general_problem"), ==, "This tracker is opened read-only.");
    f->tracker = writer;
}

/* Whatever follows the name in a query or form is a text; in JSON it is not. */
static void
test_forms(Fixture *f)
{
    TrackerRequest request = {.method = "POST",
                              .path = "/services/v5/projects/99/stories",
                              .token = TOKEN_ADA,
                              .content_type = "application/x-www-form-urlencoded; charset=utf-8",
                              .body = "name=From+a+form&estimate=2&owner_ids=101,102&labels=a,b",
                              .body_bytes = 56};

    (void)fixture_json(f, "PUT", "stories/555?name=In+the+query&project_id=99", NULL);
    g_assert_cmpstr(fixture_text(f, "name"), ==, "In the query");
    (void)fixture_request(f, &request);
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_nonnull(strstr(f->response.body->str, "\"name\":\"From a form\""));
    g_assert_nonnull(strstr(f->response.body->str, "\"owner_ids\":[101,102]"));
    g_assert_nonnull(strstr(f->response.body->str, "\"name\":\"b\""));
    request.body = "estimate=x&name=a";
    request.body_bytes = 17;
    (void)fixture_request(f, &request);
    g_assert_nonnull(strstr(f->response.body->str, "'estimate' must be a number value"));
}

static void
test_methods(Fixture *f)
{
    static const struct {
        const char *method, *path;
    } cases[] = {
        {"DELETE", STORIES},         {"PUT", STORIES},
        {"POST", "stories/555"},     {"POST", "me"},
        {"DELETE", "my/workspaces"}, {"BREW", "stories/555"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        (void)fixture_json(f, cases[i].method, cases[i].path, NULL);
        g_assert_cmpint(f->response.status, ==, 404);
        g_assert_cmpstr(fixture_text(f, "code"), ==, "route_not_found");
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        FixtureTest run;
    } tests[] = {
        {"/write/story/create", test_create},
        {"/write/story/refuse", test_refuse},
        {"/write/story/too-long", test_too_long},
        {"/write/story/update", test_update},
        {"/write/story/nothing-changed", test_nothing_changed},
        {"/write/story/state", test_state},
        {"/write/story/type", test_type_drops_estimate},
        {"/write/story/labels", test_labels},
        {"/write/story/people", test_people},
        {"/write/story/roles", test_roles},
        {"/write/story/turned-away", test_turned_away},
        {"/write/story/order", test_order},
        {"/write/story/order-no-room", test_order_no_room},
        {"/write/story/order-border", test_order_border},
        {"/write/story/delete", test_delete},
        {"/write/story/nested", test_nested},
        {"/write/story/with-comment", test_with_comment},
        {"/write/story/move-project", test_move_project},
        {"/write/story/move-fits", test_move_fits},
        {"/write/story/settings", test_settings},
        {"/write/story/forms", test_forms},
        {"/write/story/methods", test_methods},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        fixture_test(tests[i].name, tests[i].run);
    }
    return g_test_run();
}

/* Search through its endpoints: what every keyword finds, the shape of answers, the words of
 * refusals, and that the index of words follows every kind of change. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#include "tracker/search_sql.h"

/* Project 99 has 550 (done), 555 (started), 556 (release), 557 (Icebox); these come to it. It is in
 * the iteration of 2017-05-01 (Los Angeles), Ada's days are those of Berlin. */
static const char more[] =
    "INSERT INTO story(id, project_id, position, name, description, story_type, current_state,"
    " estimate, accepted_at, requested_by_id, created_at, updated_at, story_priority, external_id,"
    " integration_id) VALUES"
    "(561, 99, 110, 'Accepted lately', 'wombat', 'feature', 'accepted', 1, 1493740800000, 102,"
    " 1493740800000, 1493740800000, 'p1', 'X-1', 71),"
    "(562, 99, 210, 'Stra\303\237e und foo-bar', 'Wombats eat C++', 'bug', 'unstarted', NULL, "
    "NULL, NULL,"
    " 1493762400000, 1493762400000, NULL, NULL, NULL),"
    "(563, 99, 220, 'Nameless [x] 100%', NULL, 'chore', 'unstarted', NULL, NULL, 103,"
    " 1493676000000, 1493676000000, NULL, 'y,z', NULL),"
    "(564, 99, 230, '\346\227\245\346\234\254\350\252\236 titles', NULL, 'feature', 'delivered', "
    "2, NULL, 101,"
    " 1493676000000, 1493676000000, NULL, NULL, NULL);"
    "INSERT INTO story(id, project_id, position, name, story_type, current_state) VALUES"
    " (701, 22, 2, 'wombat elsewhere', 'bug', 'unstarted');"
    "INSERT INTO story_owner VALUES (564, 0, 102);"
    "INSERT INTO label(id, project_id, name) VALUES (5003, 99, 'needs design'), (5004, 22, "
    "'plans');"
    "INSERT INTO story_label VALUES (562, 5003), (701, 5004);"
    "INSERT INTO task(id, story_id, description, position) VALUES (710, 563, 'feed the platypus', "
    "1);"
    "INSERT INTO comment(id, story_id, text) VALUES (810, 564, 'A platypus, too');"
    "INSERT INTO epic(id, project_id, position, name, description) VALUES"
    " (4002, 99, 2, 'Wombat care', 'about animals');"
    "INSERT INTO integration(id, project_id, kind) VALUES (71, 99, 'get_satisfaction_integration');"
    "INSERT INTO review(id, story_id, review_type_id, reviewer_id, status) VALUES"
    " (2901, 564, 22, NULL, 'in_review');"
    "INSERT INTO story_follower VALUES (564, 101), (562, 102);"
    "INSERT INTO epic_follower VALUES (4001, 101);";

/* The ids of an array of objects, as text. */
static char *
ids_of(const json_t *list)
{
    GString *text = g_string_new(NULL);
    const json_t *object;
    gsize i;

    g_assert_true(json_is_array(list));
    json_array_foreach(list, i, object)
    {
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i ? " " : "",
                               (gint64)json_integer_value(json_object_get(object, "id")));
    }
    return g_string_free(text, FALSE);
}

static json_t *
get_json(Fixture *fixture, const char *path, const char *parameter, const char *value)
{
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
    g_autofree char *query = g_strdup_printf("%s=%s", parameter, escaped);
    json_t *root = json_loads(fixture_get(fixture, path, query), 0, NULL);

    g_assert_nonnull(root);
    return root;
}

static void
assert_finds(Fixture *fixture, const char *query, const char *stories, const char *epics)
{
    json_t *root = get_json(fixture, "projects/99/search", "query", query);
    json_t *found = json_object_get(json_object_get(root, "stories"), "stories");
    g_autofree char *story_ids = NULL, *epic_ids = NULL;

    if (!found) {
        g_error("%s: %s", query, fixture->response.body->str);
    }
    g_assert_cmpint(fixture->response.status, ==, 200);
    story_ids = ids_of(found);
    epic_ids = ids_of(json_object_get(json_object_get(root, "epics"), "epics"));
    if (strcmp(story_ids, stories) != 0 || strcmp(epic_ids, epics) != 0) {
        g_test_message("%s: finds stories %s, epics %s", query, story_ids, epic_ids);
        g_test_fail();
    }
    json_decref(root);
}

/* Every keyword, every alias, every kind of value: stories in the order of a search, then epics. */
static void
test_keywords(Fixture *fixture)
{
    static const struct {
        const char *query, *stories, *epics;
    } cases[] = {
        {"", "561 555 564 562 563 556 557", "4001 4002"},
        {"includedone:true", "561 555 564 562 563 556 557 550", "4001 4002"},
        {"includedone:false", "561 555 564 562 563 556 557", "4001 4002"},
        /* bare text: title, description, comment, task, requester, owner, file, label */
        {"exhaust", "555", ""},
        {"EXHAUST Ports", "555", ""},
        {"quoted", "555", ""},
        {"platypus", "564 563", ""},
        {"ada", "555 564 556", ""},
        {"bo", "561 555 564 557", ""},
        {"txt", "555", ""},
        {"plans", "555", "4001"},
        {"hi", "555", ""},
        {"On epic", "", "4001"},
        {"wombat", "561", "4002"},
        {"animals", "", "4002"},
        {"ombat", "", ""},
        {"wombat*", "561 562", "4002"},
        {"w?mbat", "561", "4002"},
        {"*ombat*", "561 562", "4002"},
        {"foo-bar", "562", ""},
        {"\"bar foo\"", "", ""},
        {"\"und foo\"", "562", ""},
        {"\"wombat*\"", "561", "4002"},
        {"STRASSE", "", ""},
        {"stra\303\237e", "562", ""},
        {"foo-b?r", "562", ""},
        {"c++", "562", ""},
        {"\"++\"", "562", ""},
        {"100%", "563", ""},
        {"\346\227\245\346\234\254", "564", ""},
        {"/womb[ab]ts?/", "561 562", "4002"},
        {"/^exh.*s$/", "555", ""},
        {"/feed|too/", "564 563", ""},
        {"/needs\\s/", "562", ""},
        {"-wombat*", "555 564 563 556 557", "4001"},
        {"-/./", "", ""},
        {"wombat* OR platypus", "561 564 562 563", "4002"},
        {"platypus -(type:chore)", "564", ""},
        {"platypus AND chore", "", ""},
        {"type:bug OR type:chore label:\"needs design\"", "562", ""},
        {"type:bug OR (type:chore label:\"needs design\")", "562", ""},
        {"name:wombat", "", "4002"},
        {"name:\"Exhaust ports\"", "555", ""},
        {"name:exh*", "555", ""},
        {"name:*aust", "555", ""},
        {"name:/[px]/", "561 555 563", "4001"},
        {"name:quoted", "", ""},
        {"label:plans", "555", "4001"},
        {"label:PLANS includedone:true", "555 550", "4001"},
        {"labels:\"needs design\"", "562", ""},
        {"label:need*", "562", ""},
        {"label:\"need*\"", "", ""},
        {"label:/^a/", "555", ""},
        {"label:plans,\"needs design\"", "555 562", "4001"},
        {"label:\"\"", "561 564 563 556 557", "4002"},
        {"-label:\"\"", "555 562", "4001"},
        {"epic:Plans", "555", "4001"},
        {"epics:pl*", "555", "4001"},
        {"epic:\"\"", "561 564 562 563 556 557", ""},
        {"type:feature,release", "561 555 564 556 557", ""},
        {"type:BUG", "562", ""},
        {"type:nonsense", "", ""},
        {"state:started,delivered", "555 564", ""},
        {"-state:unstarted", "561 555 564 557", ""},
        {"estimate:2", "555 564", ""},
        {"estimate:0.5", "557", ""},
        {"estimate:-1", "562 563 556", ""},
        {"estimate:1,2", "561 555 564", ""},
        {"estimate:many", "", ""},
        {"-estimate:2", "561 562 563 556 557", ""},
        {"priority:p1", "561", ""},
        {"priority:none", "555 564 562 563 556 557", ""},
        {"owner:Bo", "555 564", ""},
        {"owner:exam", "555", ""},
        {"owner:AE", "555", ""},
        {"owned_by:ada", "555", ""},
        {"owner:101", "555", ""},
        {"owner:b*", "555 564", ""},
        {"owner:/^ad/", "555", ""},
        {"owner:\"\"", "561 562 563 556 557", ""},
        {"-owner:bo", "561 562 563 556 557", ""},
        {"requester:cy", "563", ""},
        {"requested_by:\"Ada Example\"", "555 564 556", ""},
        {"requester:\"\"", "562", ""},
        {"-requester:ada", "561 562 563 557", ""},
        {"mywork:bo", "555 564", ""},
        {"mywork:ada", "555", ""},
        {"reviewer:bo", "555", ""},
        {"reviewer:\"\"", "564", ""},
        {"review:code", "555 564", ""},
        {"review:code&pass", "555", ""},
        {"review:\"Code&in_review\"", "564", ""},
        {"review_status:in_review", "564", ""},
        {"review_status:pass,in_review", "555 564", ""},
        {"is:blocked", "555", ""},
        {"is:blocking", "557", ""},
        {"-is:blocked", "561 564 562 563 556 557", ""},
        {"is:following", "564", "4001"},
        {"has:blocker", "555", ""},
        {"has:blockers", "555", ""},
        {"has:blocked", "555", ""},
        {"has:blocking", "557", ""},
        {"no:blockers", "561 564 562 563 556 557", ""},
        {"has:label", "555 562", "4001"},
        {"no:labels", "561 564 563 556 557", "4002"},
        {"has:owner", "555 564", ""},
        {"has:attachment", "555", ""},
        {"-has:attachment", "561 564 562 563 556 557", "4001 4002"},
        {"has:external_id", "561 563", ""},
        {"has:epic", "555", ""},
        {"no:epics", "561 564 562 563 556 557", ""},
        {"id:555", "555", ""},
        {"id:#555", "555", ""},
        {"id:557,555,99999,x,4001", "555 557", "4001"},
        {"id:550", "", ""},
        {"id:550 includedone:true", "550", ""},
        {"id:701", "", ""},
        {"external_id:X-1", "561", ""},
        {"external_id:X-1,\"y,z\"", "561 563", ""},
        {"integration:\"Get Satisfaction\"", "561", ""},
        {"integration:jira", "", ""},
        /* 2017-05-02T16:00Z, 22:00Z (already the third in Berlin, where it is the fourth now),
           2017-05-01T22:00Z */
        {"created:5/2/2017", "561 564 563", ""},
        {"created_on:2017-05-03", "562", ""},
        {"created:\"may 1 2017..may 2 2017\"", "561 564 563", ""},
        {"created_since:yesterday", "562", ""},
        {"created_after:5/3/2017", "562", ""},
        {"created_before:2017-05-02", "555 556 557", ""},
        {"updated:-2d", "561 564 563", ""},
        {"updated_on:yesterday", "562", ""},
        {"updated:5/1/2017,5/2/2017", "561 564 563", ""},
        {"modified_since:-1d", "555 562 556 557", ""},
        {"updated_since:-1day", "555 562 556 557", ""},
        {"updated_after:-1d", "555 562 556 557", ""},
        {"updated_before:today", "561 564 562 563", ""},
        {"updated:-1h", "555 556 557", ""},
        {"accepted:5/2/2017", "561", ""},
        {"accepted_on:5/2/2017", "561", ""},
        {"accepted_since:2017-04-01", "561", ""},
        {"accepted_after:2017-04-01 includedone:true", "561 550", ""},
        {"accepted_before:2017-05-01 includedone:true", "550", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_finds(fixture, cases[i].query, cases[i].stories, cases[i].epics);
    }
}

static void
assert_refused(Fixture *fixture, const char *path, const char *query, const char *problem)
{
    json_t *root = json_loads(fixture_get(fixture, path, query), 0, NULL);

    g_assert_cmpint(fixture->response.status, ==, 400);
    g_assert_cmpstr(json_string_value(json_object_get(root, "code")), ==, "invalid_parameter");
    g_assert_cmpstr(json_string_value(json_object_get(root, "general_problem")), ==, problem);
    json_decref(root);
}

static void
test_refusals(Fixture *fixture)
{
    static const char date[] =
        "The date you requested could not be parsed. See FAQ for valid formats.";
    static const char search[] = "projects/99/search", stories[] = "projects/99/stories";

    assert_refused(fixture, search, NULL, "this endpoint requires the parameter: query");
    assert_refused(fixture, search, "query=a&limit=3",
                   "this endpoint cannot accept the parameter: limit");
    assert_refused(fixture, search, "query=%28a", "The search text lacks a closing parenthesis.");
    assert_refused(fixture, search, "query=%FF", "The search text is not valid UTF-8.");
    assert_refused(fixture, search, "query=has:x",
                   "'has' must be one of: blocker, blockers, blocked, blocking, label, labels,"
                   " owner, attachment, external_id, epic, epics");
    assert_refused(fixture, search, "query=is:x",
                   "'is' must be one of: blocked, blocking, following");
    assert_refused(fixture, search, "query=/a(/",
                   "The regular expression /a(/ could not be parsed.");
    assert_refused(fixture, search, "query=owner:/%5Ba/",
                   "The regular expression /[a/ could not be parsed.");
    assert_refused(fixture, search, "query=label:x,/a%7B2,1%7D/",
                   "The regular expression /a{2,1}/ could not be parsed.");
    assert_refused(fixture, search, "query=name:/%5CC/",
                   "The regular expression /\\C/ could not be parsed.");
    /* As recorded. */
    assert_refused(fixture, stories, "filter=created%3A-5days..now", date);
    assert_refused(fixture, "projects/99/epics", "filter=created:now", date);
    assert_refused(fixture, stories, "filter=a&with_state=started",
                   "the parameter 'filter' cannot be combined with the parameter: with_state");
    assert_refused(fixture, stories, "filter=a&limit=-1", "'limit' must be zero or greater");
}

/* Backtracking without end: refused within the time that a search has. */
static void
test_hostile_regexp(Fixture *fixture)
{
    gint64 before = g_get_monotonic_time();

    fixture_change(fixture,
                   "UPDATE story SET description = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'"
                   " WHERE id = 563");
    assert_refused(fixture, "projects/99/search", "query=/(a%2Ba%2B)%2B$/",
                   "The regular expression in your search takes too long.");
    assert_finds(fixture, "exhaust", "555", ""); /* the next one has its own time */
    g_assert_cmpint(g_get_monotonic_time() - before, <, 60 * G_TIME_SPAN_SECOND);
}

static void
assert_answered(Fixture *fixture, const char *query)
{
    json_t *root = get_json(fixture, "projects/99/search", "query", query);

    if (fixture->response.status != 200) {
        g_error("%s: %s", query, fixture->response.body->str);
    }
    json_decref(root);
}

/* What the language allows, SQLite can parse. */
static void
test_largest(Fixture *fixture)
{
    GString *right = g_string_new("e*t"), *left = g_string_new("e*t"), *chain = g_string_new("e*t");

    for (int level = 0; level < 4; level++) { /* three levels each: OR, AND, NOT */
        g_string_prepend(right, "name:w?m OR (e*t -(");
        g_string_append(right, "))");
        g_string_prepend(left, "-(");
        g_string_append(left, ") e*t OR name:w?m");
    }
    for (int i = 1; i < 100; i++) {
        g_string_append(chain, i % 2 ? " e*t" : " name:w?m*,e*t");
    }
    assert_answered(fixture, right->str);
    assert_answered(fixture, left->str);
    assert_answered(fixture, chain->str);
    (void)g_string_free(right, TRUE);
    (void)g_string_free(left, TRUE);
    (void)g_string_free(chain, TRUE);
}

static void
test_shape(Fixture *fixture)
{
    const char *body;

    body = fixture_get(fixture, "projects/99/search", "query=name:%22exhaust%20ports%22");
    g_assert_true(
        g_str_has_prefix(body, "{\"stories\":{\"stories\":[{\"kind\":\"story\",\"id\":555,"));
    g_assert_true(g_str_has_suffix(
        body, "}],\"total_points\":2,\"total_points_completed\":0,\"total_hits\":1,"
              "\"total_hits_with_done\":1},\"epics\":{\"epics\":[],\"total_hits\":0},"
              "\"query\":\"name:\\\"exhaust ports\\\"\"}"));
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Project-Version"), ==, "230");
    g_assert_null(fixture_header(fixture, "X-Tracker-Pagination-Total"));

    body = fixture_get(fixture, "projects/99/search", "query=label:plans");
    g_assert_nonnull(strstr(body,
                            "\"total_points\":2,\"total_points_completed\":0,\"total_hits\":1,"
                            "\"total_hits_with_done\":2}"));
    body = fixture_get(fixture, "projects/99/search", "query=label:plans%20includedone:true");
    g_assert_nonnull(strstr(body,
                            "\"total_points\":5,\"total_points_completed\":3,\"total_hits\":2,"
                            "\"total_hits_with_done\":2}"));
    body = fixture_get(fixture, "projects/99/search",
                       "query=id:555&fields=stories(total_hits,stories(name,tasks(description)))");
    g_assert_cmpstr(
        body, ==,
        "{\"stories\":{\"stories\":[{\"id\":555,\"name\":\"Exhaust ports\",\"tasks\":["
        "{\"id\":701,\"description\":\"first\"},{\"id\":702,\"description\":\"second\"}]"
        "}],\"total_hits\":1}}");
}

/* As a client of 2017 sends it. */
static void
test_query_in_body(Fixture *fixture)
{
    static const struct {
        const char *path, *query, *type, *body, *answer;
    } cases[] = {
        {"search", "fields=stories(total_hits)", "application/json", "{\"query\":\"id:555\"}",
         "{\"stories\":{\"total_hits\":1}}"},
        {"search", "fields=stories(total_hits)&query=id:1", "application/json",
         "{\"query\":\"id:555\"}", "{\"stories\":{\"total_hits\":0}}"},
        {"stories/bulk", NULL, "application/json; charset=utf-8",
         "{\"ids\":[555,557],\"fields\":\"id\"}", "[{\"id\":555},{\"id\":557}]"},
        {"stories", "limit=0", "application/json", "{\"envelope\":false,\"offset\":2}", "[]"},
        {"stories", "limit=0", "application/json", "null", "[]"},
        {"stories", "limit=0", "text/plain", "{", "[]"},
        {"stories", "limit=0", "application/json", "{", "could_not_parse_body"},
        {"stories", "limit=0", "application/json", "{\"nope\":1}",
         "cannot accept the parameter: nope"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/services/v5/projects/99/", cases[i].path, NULL);
        TrackerRequest request = {.method = "GET",
                                  .path = path,
                                  .query = cases[i].query,
                                  .token = TOKEN_ADA,
                                  .content_type = cases[i].type,
                                  .body = cases[i].body,
                                  .body_bytes = strlen(cases[i].body)};

        g_assert_nonnull(strstr(fixture_request(fixture, &request), cases[i].answer));
    }
}

static void
assert_filtered(Fixture *fixture, const char *query, const char *ids)
{
    json_t *root = json_loads(fixture_get(fixture, "projects/99/stories", query), 0, NULL);
    g_autofree char *got = ids_of(root);

    g_assert_cmpstr(got, ==, ids);
    json_decref(root);
}

static void
test_filter(Fixture *fixture)
{
    assert_filtered(fixture, "filter=type:feature", "561 555 564 557");
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Pagination-Total"), ==, "4");
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Pagination-Limit"), ==, "100");
    assert_filtered(fixture,
                    "filter=type:feature&limit=2&offset=1&date_format=millis&project_id=99",
                    "555 564");
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Pagination-Total"), ==, "4");
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Pagination-Returned"), ==, "2");
    assert_filtered(fixture, "filter=type:feature&offset=9&fields=id", "");
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Pagination-Total"), ==, "4");
    /* As recorded: nothing found, no total. */
    assert_filtered(fixture, "filter=type:nonsense", "");
    g_assert_null(fixture_header(fixture, "X-Tracker-Pagination-Total"));
    g_assert_cmpstr(fixture_header(fixture, "X-Tracker-Pagination-Returned"), ==, "0");
}

static void
test_epic_filter(Fixture *fixture)
{
    json_t *root;
    g_autofree char *ids = NULL;

    root = get_json(fixture, "projects/99/epics", "filter", "wombat");
    ids = ids_of(root);
    g_assert_cmpstr(ids, ==, "4002");
    json_decref(root);
}

/* What blocks by is:blocking blocks by blocked_story_ids, and nothing else does. */
static void
test_blocking(Fixture *fixture)
{
    static const struct {
        const char *description, *found;
    } cases[] = {
        {"#562", "562"},
        {"https://www.pivotaltracker.com/story/show/562", "562"},
        {"/n/projects/99/stories/562", "562"},
        {"until #562 is there", ""},
        {"see #562", ""},
        {"#555", ""}, /* it hangs on that */
        {"#700", ""}, /* of another project */
        {"#", ""},
        {"562", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(
            "UPDATE blocker SET description = '%s' WHERE id = 900", cases[i].description);
        const char *ids = *cases[i].found ? "[555]" : "[]";
        g_autofree char *told = g_strdup_printf("{\"id\":562,\"blocked_story_ids\":%s}", ids);

        fixture_sql(fixture, sql);
        assert_finds(fixture, "is:blocking", cases[i].found, "");
        g_assert_cmpstr(fixture_get(fixture, "stories/562", "fields=blocked_story_ids"), ==, told);
    }
}

/* What was accepted is done when its iteration ends: Monday, 2017-05-08 07:00 UTC. Velocity follows
 * the clock as well: one point in the only iteration with any, of three. */
static void
test_rollover(Fixture *fixture)
{
    assert_finds(fixture, "accepted_since:2017-05-01", "561", "");
    fixture->now_ms = G_GINT64_CONSTANT(1494226799000);
    assert_finds(fixture, "accepted_since:2017-05-01", "561", "");
    fixture->now_ms += 1000;
    assert_finds(fixture, "accepted_since:2017-05-01", "", "");
    assert_finds(fixture, "accepted_since:2017-05-01 includedone:true", "561", "");
    g_assert_cmpstr(
        fixture_get(fixture, "projects/99", "fields=current_velocity,current_iteration_number"), ==,
        "{\"id\":99,\"current_iteration_number\":5,\"current_velocity\":0}");
    fixture_change(fixture, "UPDATE story SET estimate = 8 WHERE id = 561");
    g_assert_cmpstr(fixture_get(fixture, "projects/99", "fields=current_velocity"), ==,
                    "{\"id\":99,\"current_velocity\":2}");
    fixture_change(fixture, "INSERT INTO iteration_override(project_id, number, team_strength)"
                            " VALUES (99, 4, 0.5), (99, 3, 0)");
    g_assert_cmpstr(fixture_get(fixture, "projects/99", "fields=current_velocity"), ==,
                    "{\"id\":99,\"current_velocity\":8}");
}

/* At most 500 are shown, all are counted. */
static void
test_many(Fixture *fixture)
{
    json_t *root, *part;

    fixture_change(
        fixture, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
                 " INSERT INTO story(id, project_id, position, name, story_type, current_state,"
                 " estimate) SELECT 10000 + i, 99, 10000 + i, 'Herd ' || i, 'feature', 'unstarted',"
                 " 1 FROM n");
    root = get_json(fixture, "projects/99/search", "query", "herd");
    part = json_object_get(root, "stories");
    g_assert_cmpuint(json_array_size(json_object_get(part, "stories")), ==, 500);
    g_assert_cmpint(json_integer_value(json_object_get(part, "total_hits")), ==, 600);
    g_assert_cmpint(json_integer_value(json_object_get(part, "total_points")), ==, 600);
    json_decref(root);
}

static void
test_workspace(Fixture *fixture)
{
    json_t *root;
    g_autofree char *ids = NULL;

    fixture_change(
        fixture,
        "INSERT INTO workspace(id, person_id, name) VALUES (1, 101, 'Mine'), (2, 102, 'X');"
        "INSERT INTO project(id, name) VALUES (44, 'Also');"
        "INSERT INTO membership(project_id, person_id, role) VALUES (44, 101, 'viewer');"
        "INSERT INTO story(id, project_id, position, name, story_type, current_state,"
        " estimate) VALUES (900, 44, 1, 'wombat', 'feature', 'started', 3);"
        "INSERT INTO workspace_project VALUES (1, 0, 44), (1, 1, 99), (1, 2, 22);");
    root = get_json(fixture, "my/workspaces/1/search", "query", "wombat");
    ids = ids_of(json_object_get(json_object_get(root, "stories"), "stories"));
    g_assert_cmpstr(ids, ==, "900 561"); /* nothing of project 22, which is closed to Ada */
    g_assert_cmpint(
        json_integer_value(json_object_get(json_object_get(root, "stories"), "total_points")), ==,
        4);
    json_decref(root);
    (void)fixture_get(fixture, "my/workspaces/2/search", "query=wombat");
    g_assert_cmpint(fixture->response.status, ==, 404);
}

/* Insert, update and delete of every kind of text, also twice within one change, by REPLACE, and
 * rolled back. */
static void
test_index_follows(Fixture *fixture)
{
    assert_finds(fixture, "gnu", "", "");
    fixture_change(fixture, "UPDATE story SET name = 'Gnu', description = NULL WHERE id = 555;"
                            "UPDATE comment SET text = 'zebra' WHERE id IN (801, 803);"
                            "UPDATE task SET description = 'yak' WHERE id = 701;"
                            "UPDATE file_attachment SET filename = 'newt.png' WHERE id = 300;"
                            "UPDATE epic SET name = 'Emu', description = 'gnu' WHERE id = 4001");
    assert_finds(fixture, "gnu", "555", "4001");
    assert_finds(fixture, "name:gnu", "555", "");
    assert_finds(fixture, "zebra", "555", "4001");
    assert_finds(fixture, "yak newt", "555", "");
    assert_finds(fixture, "exhaust OR quoted OR first OR hi", "", "");
    assert_finds(fixture, "name:emu", "", "4001");

    fixture_change(fixture, "UPDATE story SET name = 'Ibex' WHERE id = 555;"
                            "UPDATE story SET name = 'Okapi' WHERE id = 555;"
                            "DELETE FROM task WHERE id = 701;"
                            "INSERT INTO task(id, story_id, description, position) VALUES"
                            " (701, 556, 'lynx', 1);"
                            "INSERT INTO task(id, story_id, description, position) VALUES"
                            " (777, 556, 'vole', 1);"
                            "DELETE FROM task WHERE id = 777");
    assert_finds(fixture, "okapi", "555", "");
    assert_finds(fixture, "gnu OR ibex OR yak OR vole", "", "4001");
    assert_finds(fixture, "lynx", "556", "");

    fixture_change(fixture, "INSERT OR REPLACE INTO comment(id, story_id, text) VALUES"
                            " (801, 557, 'heron')");
    assert_finds(fixture, "heron", "557", "");
    assert_finds(fixture, "zebra", "", "4001");

    fixture_sql(fixture, "BEGIN; UPDATE story SET name = 'Kiwi' WHERE id = 556; ROLLBACK");
    fixture_change(fixture, "DELETE FROM story WHERE id = 555; DELETE FROM epic WHERE id = 4001");
    assert_finds(fixture, "okapi OR kiwi", "", "");
    assert_finds(fixture, "emu OR gnu", "", "");
    assert_finds(fixture, "beta", "556", "");
    /* Ids that have no number in the index are stories all the same. */
    fixture_change(fixture, "INSERT INTO story(id, project_id, position, name, story_type,"
                            " current_state) VALUES (9223372036854775807, 99, 5, 'Kudu', 'bug',"
                            " 'started')");
    assert_finds(fixture, "kudu", "", "");
    assert_finds(fixture, "name:/kudu/", "9223372036854775807", "");
}

/* The plan of a search's statement, as SQLite explains it. */
static char *
plan_of(DbConn *conn, const char *query)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Search) search = search_parse(query, &error);
    g_autoptr(GTimeZone) zone = zone_open_or_utc(NULL);
    SearchScope scope = {
        .project_id = 99, .person_id = 101, .zone = zone, .now_ms = FIXTURE_NOW_MS};
    GString *plan = g_string_new(NULL);
    g_autofree char *before = NULL;
    g_auto(Where) where;
    DbStmt *stmt;

    g_assert_no_error(error);
    where_init(&where);
    (void)where_bind_int(&where, 99);
    g_assert_true(search_add_stories(&where, search, &scope, &error));
    before = g_strconcat("EXPLAIN QUERY PLAN SELECT t.id, t.current_state FROM story t WHERE ",
                         search_is_selective(search) ? "+" : "", "t.project_id = ?1", NULL);
    stmt = where_prepare(&where, conn, before, " ORDER BY t.position");
    while (db_next(stmt)) {
        g_string_append_printf(plan, "%s\n", db_text(stmt, 3));
    }
    db_done(stmt);
    g_assert_true(db_check(conn, NULL));
    return g_string_free(plan, FALSE);
}

/* What selects few stories starts from them, not from the project. */
static void
test_plans(Fixture *fixture)
{
    static const struct {
        const char *query, *step;
    } cases[] = {
        {"wombat", "SEARCH t USING INTEGER PRIMARY KEY"},
        {"is:blocking", "SEARCH b USING INDEX blocker_named"},
        {"name:wombat", "SEARCH t USING INTEGER PRIMARY KEY"},
        {"w?mbat", "SEARCH t USING INTEGER PRIMARY KEY"},
        {"label:plans", "SEARCH t USING INTEGER PRIMARY KEY"},
        {"owner:ada state:started", "SEARCH t USING INTEGER PRIMARY KEY"},
        {"id:1,2,3", "SEARCH t USING INTEGER PRIMARY KEY"},
        {"state:started", "story_state (project_id=? AND current_state=?)"},
        {"updated_since:-1d", "story_updated (project_id=? AND updated_at>?)"},
        {"accepted:-3d..today",
         "story_accepted (project_id=? AND accepted_at>? AND accepted_at<?)"},
    };
    g_autoptr(DbConn) conn = NULL;

    conn = db_take(tracker_db(fixture->tracker), NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *plan = plan_of(conn, cases[i].query);

        if (!strstr(plan, cases[i].step)) {
            g_test_message("%s:\n%s", cases[i].query, plan);
            g_test_fail();
        }
    }
    db_give(g_steal_pointer(&conn));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test_with("/search/keywords", more, test_keywords);
    fixture_test_with("/search/refusals", more, test_refusals);
    fixture_test_with("/search/hostile-regexp", more, test_hostile_regexp);
    fixture_test_with("/search/largest", more, test_largest);
    fixture_test_with("/search/shape", more, test_shape);
    fixture_test_with("/search/filter", more, test_filter);
    fixture_test_with("/search/epic-filter", more, test_epic_filter);
    fixture_test_with("/search/rollover", more, test_rollover);
    fixture_test_with("/search/query-in-body", more, test_query_in_body);
    fixture_test_with("/search/blocking", more, test_blocking);
    fixture_test_with("/search/many", more, test_many);
    fixture_test_with("/search/workspace", more, test_workspace);
    fixture_test_with("/search/plans", more, test_plans);
    fixture_test_with("/search/index", more, test_index_follows);
    return g_test_run();
}

/* Kept lists of stories: what is given back and what goes; that every row which shows in a story
 * raises its number; that answers with the memory are those without it, also while others write. */
#include "support_service.h"

#include <pthread.h>
#include <string.h>

#include "tracker/db.h"
#include "tracker/story_pages.h"

/* ---- the memory by itself ---- */

/* A page of stories first .. first + n - 1, each with this number and so many bytes. */
static StoryPage *
make_page(gint64 first, gsize n, gint64 number, gsize bytes)
{
    GString *text = g_string_new("[");
    g_autofree StorySlot *slots = g_new0(StorySlot, n);

    for (gsize i = 0; i < n; i++) {
        gsize start = text->len;

        for (gsize k = 0; k < bytes; k++) {
            g_string_append_c(text, (char)('a' + (first + (gint64)i) % 26));
        }
        slots[i] = (StorySlot){first + (gint64)i, number, start, text->len, NULL};
    }
    return story_page_new(text, slots, n);
}

static void
keep_page(StoryPages *pages, const char *form, gint64 first, gsize n, gint64 number, gsize bytes)
{
    StoryPage *page = make_page(first, n, number, bytes);

    story_pages_keep(pages, form, page);
    story_page_unref(page);
}

/* The first byte of the story as it is kept with the number; '-': it is not. */
static char
look(StoryPages *pages, const char *form, gint64 id, gint64 number)
{
    const StorySlot *slot = NULL;
    char first;

    (void)story_pages_find(pages, form, &id, &number, 1, &slot);
    if (!slot) {
        return '-';
    }
    first = slot->page->text.str[slot->start];
    story_page_unref(slot->page);
    return first;
}

static void
test_numbers(void)
{
    StoryPages *pages = story_pages_new(100000);

    g_assert_cmpint(look(pages, "f", 1, 7), ==, '-');
    keep_page(pages, "f", 1, 3, 7, 10);
    g_assert_cmpint(look(pages, "f", 1, 7), ==, 'b');
    g_assert_cmpint(look(pages, "f", 3, 7), ==, 'd');
    g_assert_cmpint(look(pages, "f", 4, 7), ==, '-');
    g_assert_cmpint(look(pages, "f", 1, 8), ==, '-');
    g_assert_cmpint(look(pages, "f", 1, 6), ==, '-');
    g_assert_cmpint(look(pages, "g", 1, 7), ==, '-');
    /* Who began earlier and ended later does not take the place of what is newer. */
    keep_page(pages, "f", 2, 1, 9, 10);
    keep_page(pages, "f", 1, 3, 8, 10);
    g_assert_cmpint(look(pages, "f", 1, 8), ==, 'b');
    g_assert_cmpint(look(pages, "f", 2, 8), ==, '-');
    g_assert_cmpint(look(pages, "f", 2, 9), ==, 'c');
    story_pages_free(pages);
}

static void
test_bound(void)
{
    StoryPages *pages = story_pages_new(20000);
    gsize empty = story_pages_bytes(pages), one;

    g_assert_cmpuint(empty, ==, 0);
    keep_page(pages, "f", 1, 1, 1, 100);
    one = story_pages_bytes(pages);
    g_assert_cmpuint(one, >, 100);
    /* The same story again: the older page has nothing left and goes. */
    keep_page(pages, "f", 1, 1, 2, 100);
    g_assert_cmpuint(story_pages_bytes(pages), ==, one);
    for (gint64 id = 2; id < 1000; id++) {
        keep_page(pages, id % 2 ? "f" : "a form of its own", id, 1, 1, 500);
        g_assert_cmpint(look(pages, "f", 1, 2), ==, 'b'); /* asked for all the time: it stays */
        g_assert_cmpuint(story_pages_bytes(pages), <=, 20000);
    }
    g_assert_cmpint(look(pages, "f", 999, 1), !=, '-');
    g_assert_cmpint(look(pages, "f", 3, 1), ==, '-');
    /* What would drive out everything else is not kept. */
    keep_page(pages, "f", 5000, 1, 1, 15000);
    g_assert_cmpint(look(pages, "f", 5000, 1), ==, '-');
    g_assert_cmpint(look(pages, "f", 999, 1), !=, '-');
    story_pages_free(pages);
}

static int packings;

static GString *
pack(const GString *text)
{
    packings++;
    return g_string_new_len(text->str, (gssize)(text->len / 5));
}

static GString *
pack_badly(const GString *text)
{
    packings++;
    return g_string_new_len(text->str, (gssize)(text->len / 2));
}

static void
test_packed(void)
{
    StoryPage *page = make_page(1, 1, 1, 1000);
    GString *own = NULL;
    const GString *first;

    /* What would not fit in what the page counts is made each time. */
    g_assert_nonnull(story_page_packed(page, pack_badly, &own));
    g_assert_nonnull(own);
    (void)g_string_free(own, TRUE);
    own = NULL;
    first = story_page_packed(page, pack, &own);
    g_assert_null(own);
    g_assert_true(story_page_packed(page, pack, &own) == first);
    g_assert_null(own);
    g_assert_cmpint(packings, ==, 2);
    story_page_unref(page);
}

/* ---- the numbers of stories ---- */

static gint64
number_of(Fixture *f, gint64 id)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT sum(number) FROM story_shown WHERE story_id IN (%" G_GINT64_FORMAT ", -1)", id);

    return fixture_number(f, sql);
}

static void
assert_raises(Fixture *f, gint64 id, const char *sql)
{
    gint64 before = number_of(f, id);

    fixture_change(f, sql);
    if (number_of(f, id) <= before) {
        g_error("the number of story %" G_GINT64_FORMAT " did not grow: %s", id, sql);
    }
}

/* Each column of each table, so that a new one cannot be forgotten. */
static void
test_columns(Fixture *f)
{
    static const struct {
        const char *table, *row;
    } tables[] = {
        {"story", "id = 555"},
        {"story_owner", "story_id = 555"},
        {"story_label", "story_id = 555"},
        {"story_follower", "story_id = 555"},
        {"task", "id = 701"},
        {"comment", "id = 801"},
        {"file_attachment", "id = 300"},
        {"google_attachment", "id = 1"},
        {"blocker", "id = 900"},
        {"review", "id = 2900"},
        {"review_type", "id = 22"},
        {"story_transition", "id = 1"},
        {"pull_request", "id = 1"},
        {"branch", "id = 1"},
        {"person", "id = 101"},
        {"label", "id = 5001"},
        {"meta", "key = 'web_base'"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *select =
            g_strdup_printf("SELECT name FROM pragma_table_info('%s')", tables[i].table);
        g_autoptr(DbConn) conn = db_take(tracker_db(f->tracker), NULL);
        g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(g_free);
        DbStmt *stmt = db_prepare(conn, select);

        while (db_next(stmt)) {
            g_ptr_array_add(columns, g_strdup(db_text(stmt, 0)));
        }
        db_done(stmt);
        g_assert_cmpuint(columns->len, >=, 2);
        for (guint k = 0; k < columns->len; k++) {
            const char *column = g_ptr_array_index(columns, k);
            g_autofree char *sql = g_strdup_printf("UPDATE %s SET %s = %s WHERE %s",
                                                   tables[i].table, column, column, tables[i].row);

            if (strcmp(tables[i].table, "story") != 0 || strcmp(column, "position") != 0) {
                assert_raises(f, 555, sql);
            }
        }
    }
    /* Where it stands is no part of it: moving one story must not make all the others new. */
    gint64 before = number_of(f, 555);
    fixture_change(f, "UPDATE story SET position = position + 1000");
    g_assert_cmpint(number_of(f, 555), ==, before);
}

static const char more_rows[] = "INSERT INTO story_follower VALUES (555, 101);"
                                "INSERT INTO google_attachment(id, comment_id) VALUES (1, 801);"
                                "INSERT INTO pull_request(id, story_id) VALUES (1, 555);"
                                "INSERT INTO branch(id, story_id) VALUES (1, 555);";

static void
test_rows(Fixture *f)
{
    static const char *const changes[] = {
        "INSERT INTO story_owner VALUES (555, 7, 103)",
        "DELETE FROM story_owner WHERE story_id = 555 AND position = 7",
        "INSERT INTO story_follower VALUES (555, 103)",
        "DELETE FROM story_follower WHERE story_id = 555",
        "DELETE FROM story_label WHERE story_id = 555 AND label_id = 5002",
        "INSERT INTO story_label VALUES (555, 5002)",
        "INSERT INTO task(id, story_id, position) VALUES (710, 555, 9)",
        "DELETE FROM task WHERE id = 710",
        "INSERT INTO comment(id, story_id) VALUES (810, 555)",
        "INSERT INTO file_attachment(id, comment_id, filename) VALUES (310, 810, 'a')",
        "UPDATE file_attachment SET comment_id = NULL WHERE id = 310",
        "UPDATE file_attachment SET comment_id = 810 WHERE id = 310",
        "DELETE FROM file_attachment WHERE id = 310",
        "INSERT INTO google_attachment(id, comment_id) VALUES (11, 810)",
        "DELETE FROM google_attachment WHERE id = 11",
        "DELETE FROM comment WHERE id = 810",
        "INSERT INTO review(id, story_id) VALUES (2910, 555)",
        "DELETE FROM review WHERE id = 2910",
        "INSERT INTO story_transition(id, story_id, project_id, state) VALUES (9, 555, 99, 'x')",
        "DELETE FROM story_transition WHERE id = 9",
        "DELETE FROM pull_request WHERE story_id = 555",
        "DELETE FROM branch WHERE story_id = 555",
        "INSERT INTO person(id, name) VALUES (190, 'New')",
        "DELETE FROM person WHERE id = 190",
        "DELETE FROM review_type WHERE id = 22",
        "INSERT INTO review_type(id, project_id, name) VALUES (22, 99, 'Code')",
        "INSERT OR REPLACE INTO task(id, story_id, position) VALUES (701, 557, 1)",
        "DELETE FROM label WHERE id = 5002",
        "INSERT INTO label(id, project_id, name) VALUES (5002, 99, 'again')",
        "DELETE FROM story WHERE id = 555",
        "INSERT INTO story(id, project_id, position, name, story_type, current_state)"
        " VALUES (555, 99, 5, 'Again', 'bug', 'unstarted')",
    };
    /* 557 is named by a blocker of 555, in each of the forms that count. */
    static const char *const named[] = {
        "UPDATE blocker SET resolved = 1 WHERE id = 900",
        "UPDATE blocker SET resolved = 0 WHERE id = 900",
        "UPDATE blocker SET description = '#1 and https://x/STORY/SHOW/557' WHERE id = 900",
        "UPDATE blocker SET description = '/projects/9/stories/557' WHERE id = 900",
        "UPDATE story SET project_id = 22 WHERE id = 555",
        "UPDATE story SET project_id = 99 WHERE id = 555",
        "DELETE FROM story WHERE id = 555",
        "INSERT INTO story(id, project_id, position, name, story_type, current_state)"
        " VALUES (555, 99, 5, 'Again', 'bug', 'unstarted')",
        "DELETE FROM blocker WHERE id = 900",
        "INSERT INTO blocker(id, story_id, description) VALUES (900, 555, '#557')",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(named); i++) {
        assert_raises(f, 557, named[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        assert_raises(f, 555, changes[i]);
    }
}

/* ---- answers ---- */

#define NESTED                                                                                     \
    "fields=:default,comments(:default,person,file_attachments),tasks,owners,followers,"           \
    "reviews(:default,review_type),blockers,transitions,blocked_story_ids"

static void
test_answers(Fixture *f)
{
    g_autofree char *first = NULL, *tag = NULL, *part = NULL;

    tracker_keep_pages(f->tracker, 1 << 20);
    first = g_strdup(fixture_get(f, "projects/99/stories", NESTED));
    tag = g_strdup(fixture_header(f, "ETag"));
    g_assert_nonnull(f->response.page);
    g_assert_cmpstr(fixture_get(f, "projects/99/stories", NESTED), ==, first);
    g_assert_cmpstr(fixture_header(f, "ETag"), ==, tag);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Pagination-Returned"), ==, "4");
    /* A part of it, another order of fields, a wrapped one: each is itself. */
    part = g_strdup(fixture_get(f, "projects/99/stories", NESTED "&limit=1"));
    g_assert_cmpint(strncmp(first, part, strlen(part) - 1), ==, 0);
    g_assert_true(g_str_has_prefix(
        fixture_get(f, "projects/99/stories", NESTED "&envelope=true&limit=2"), "{\"data\":[{"));
    g_assert_nonnull(strstr(f->response.body->str, "\"returned\":2}"));
    g_assert_nonnull(strstr(fixture_get(f, "projects/99/stories", NESTED "&date_format=millis"),
                            "\"created_at\":1392595200000"));
    g_assert_cmpstr(fixture_get(f, "projects/99/stories", NESTED), ==, first);
    fixture_expect(f, "PUT", "projects/99/stories/555", "{\"name\":\"Other\"}", 200);
    g_assert_nonnull(strstr(fixture_get(f, "projects/99/stories", NESTED), "\"Other\""));
    g_assert_cmpstr(fixture_header(f, "ETag"), !=, tag);
    /* A body that is kept may be changed by who asked for its own. */
    tracker_response_own_body(&f->response);
    g_string_truncate(f->response.body, 3);
    g_assert_nonnull(strstr(fixture_get(f, "projects/99/stories", NESTED), "\"Other\""));
    /* What the clock or the neighbours change is not kept. */
    (void)fixture_get(f, "projects/99/stories", "fields=name,before_id");
    g_assert_null(f->response.page);
    (void)fixture_get(f, "projects/99/stories", "fields=name,cycle_time_details");
    g_assert_null(f->response.page);
    (void)fixture_get(f, "projects/99/stories", "fields=name,labels(name,counts)");
    g_assert_null(f->response.page);
}

/* A caller without a name sees no e-mail addresses, whoever asked before. */
static void
test_strangers(Fixture *f)
{
    static const char query[] = "fields=owners(name,email)";
    TrackerRequest known = {.method = "GET",
                            .path = "/services/v5/projects/33/stories",
                            .query = query,
                            .token = TOKEN_CY};
    TrackerRequest stranger = known;

    stranger.token = NULL;
    tracker_keep_pages(f->tracker, 1 << 20);
    for (int i = 0; i < 2; i++) {
        g_assert_nonnull(strstr(fixture_request(f, &known), "cy@example.org"));
        g_assert_null(strstr(fixture_request(f, &stranger), "cy@example.org"));
        g_assert_nonnull(strstr(f->response.body->str, "\"Cy\""));
    }
}

/* ---- while others write ---- */

#define WRITES 60
#define READERS 3

typedef struct Race {
    Tracker *kept, *plain;
    int writers_left; /* atomic */
    int compared;     /* atomic */
} Race;

static void
ask(Tracker *tracker, const char *method, const char *path, const char *query, const char *body,
    TrackerResponse *ret_response)
{
    TrackerRequest request = {.method = method,
                              .path = path,
                              .query = query,
                              .token = TOKEN_ADA,
                              .content_type = "application/json",
                              .body = body,
                              .body_bytes = body ? strlen(body) : 0};

    tracker_handle(tracker, &request, ret_response);
    g_assert_cmpint(ret_response->status, ==, 200);
}

typedef struct Writer {
    Race *race;
    Tracker *tracker;
    const char *path;
} Writer;

static void *
write_many(void *user)
{
    const Writer *writer = user;

    for (int i = 0; i < WRITES; i++) {
        g_autofree char *body = g_strdup_printf("{\"text\":\"n%d\"}", i);
        g_autofree char *label = g_strdup_printf("{\"labels\":[\"l%d\"]}", i % 5);
        gboolean comment = i % 2 == 0;
        g_autofree char *path = g_strconcat(writer->path, comment ? "/comments" : "", NULL);
        TrackerResponse response;

        ask(writer->tracker, comment ? "POST" : "PUT", path, NULL, comment ? body : label,
            &response);
        tracker_response_clear(&response);
    }
    g_atomic_int_add(&writer->race->writers_left, -1);
    return NULL;
}

/* Two answers of one version of the project are the same. */
static void *
read_many(void *user)
{
    Race *race = user;
    gboolean last = FALSE;

    while (!last) {
        TrackerResponse kept, plain;

        last = g_atomic_int_get(&race->writers_left) == 0;
        ask(race->kept, "GET", "/services/v5/projects/99/stories", NESTED, NULL, &kept);
        ask(race->plain, "GET", "/services/v5/projects/99/stories", NESTED, NULL, &plain);
        if (strcmp(tracker_response_header(&kept, "X-Tracker-Project-Version"),
                   tracker_response_header(&plain, "X-Tracker-Project-Version")) == 0) {
            g_assert_cmpstr(kept.body->str, ==, plain.body->str);
            g_assert_cmpstr(tracker_response_header(&kept, "ETag"), ==,
                            tracker_response_header(&plain, "ETag"));
            g_atomic_int_inc(&race->compared);
        }
        tracker_response_clear(&kept);
        tracker_response_clear(&plain);
    }
    return NULL;
}

static void
test_race(Fixture *f)
{
    g_autoptr(Tracker) other = fixture_open_again(f);
    Race race = {.kept = f->tracker, .plain = other, .writers_left = 2};
    /* One writes beside the memory, as another process would. */
    Writer writers[] = {{&race, f->tracker, "/services/v5/projects/99/stories/555"},
                        {&race, other, "/services/v5/projects/99/stories/557"}};
    pthread_t threads[READERS + G_N_ELEMENTS(writers)];

    /* Small enough that pages are driven out, too. */
    tracker_keep_pages(f->tracker, 64 * 1024);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        int rc = i < READERS ? pthread_create(&threads[i], NULL, read_many, &race)
                             : pthread_create(&threads[i], NULL, write_many, &writers[i - READERS]);

        g_assert_cmpint(rc, ==, 0);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        (void)pthread_join(threads[i], NULL);
    }
    g_test_message("%d answers compared", race.compared);
    g_assert_cmpint(race.compared, >=, READERS); /* the last of each, at least */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/story_pages/numbers", test_numbers);
    g_test_add_func("/story_pages/bound", test_bound);
    g_test_add_func("/story_pages/packed", test_packed);
    fixture_test_with("/story_pages/columns", more_rows, test_columns);
    fixture_test_with("/story_pages/rows", more_rows, test_rows);
    fixture_test("/story_pages/answers", test_answers);
    fixture_test("/story_pages/strangers", test_strangers);
    fixture_test("/story_pages/race", test_race);
    return g_test_run();
}

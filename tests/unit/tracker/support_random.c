#include "support_random_internal.h"

#include <jansson.h>
#include <string.h>

#define BASE RANDOM_BASE
#define DAY_MS G_GINT64_CONSTANT(86400000)

/* ---- chance ---- */

guint32
random_below(World *world, guint32 below)
{
    guint64 x = world->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    world->random = x;
    return (guint32)((x * G_GUINT64_CONSTANT(0x2545f4914f6cdd1d)) >> 33) % below;
}

gboolean
random_chance(World *world, guint32 percent)
{
    return random_below(world, 100) < percent;
}

/* Owned. */
static char *
some_text(World *world)
{
    static const char *const words[] = {"port", "Größe", "\"quoted\"", "line\n",   "漢字", "#123",
                                        "@bo",  "a/b",   "\\",         "trailing", "<b>",  "🚢"};
    GString *text = g_string_new(RANDOM_PICK(world, words));
    for (guint n = random_below(world, 6); n > 0; n--) {
        g_string_append_printf(text, " %s", RANDOM_PICK(world, words));
    }
    return g_string_free(text, FALSE);
}

static json_t *
text_json(World *world)
{
    g_autofree char *text = some_text(world);
    return json_string(text);
}

/* ---- requests ---- */

gint64
random_int_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* Takes `body`, which may be NULL. The parsed answer is the fixture's. */
json_t *
random_send(World *world, const char *method, const char *path, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_t *answer = fixture_json(&world->fixture, method, path, text);
    int status = world->fixture.response.status;
    if (status != 200 && status != 204) {
        g_error("operation %" G_GUINT64_FORMAT " (%s): %s %s %s: %d %s", world->done,
                world->operation, method, path, text ? text : "", status,
                world->fixture.response.body->str);
    }
    free(text); /* jansson allocates with malloc() */
    json_decref(body);
    return answer;
}

json_t *
random_get(World *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *path = g_strdup_vprintf(format, args);
    va_end(args);
    return random_send(world, "GET", path, NULL);
}

static char *
story_path(gint64 story, const char *below)
{
    return g_strdup_printf(BASE "stories/%" G_GINT64_FORMAT "%s", story, below);
}

static char *
child_path(gint64 story, const char *list, gint64 child)
{
    return g_strdup_printf(BASE "stories/%" G_GINT64_FORMAT "/%s/%" G_GINT64_FORMAT, story, list,
                           child);
}

/* 0: there is none. */
static gint64
some_id(World *world, const json_t *list)
{
    size_t n = json_array_size(list);
    return n ? random_int_of(json_array_get(list, random_below(world, (guint32)n)), "id") : 0;
}

static gint64
some_story(World *world)
{
    return some_id(world, random_get(world, BASE "stories?fields=id&limit=500"));
}

/* A story that has such a child, and the child; 0 when chance finds none. */
static gint64
some_child(World *world, const char *list, gint64 *ret_story)
{
    *ret_story = some_story(world);
    g_autofree char *path = story_path(*ret_story, "");
    return some_id(world, random_get(world, "%s/%s", path, list));
}

/* ---- operations ---- */

/* What a type may be and needs, as v5-reference 3.7 has it. */
static const char *const feature_states[] = {"unscheduled", "unstarted", "started", "finished",
                                             "delivered",   "rejected",  "accepted"};
static const char *const chore_states[] = {"unscheduled", "unstarted", "started", "accepted"};
static const char *const release_states[] = {"unscheduled", "unstarted", "accepted"};
static const char *const types[] = {"feature", "feature", "feature", "bug", "chore", "release"};

static const char *
some_state(World *world, const char *type)
{
    return g_str_equal(type, "chore")     ? RANDOM_PICK(world, chore_states)
           : g_str_equal(type, "release") ? RANDOM_PICK(world, release_states)
                                          : RANDOM_PICK(world, feature_states);
}

static json_t *
some_labels(World *world)
{
    json_t *labels = json_array();
    for (guint n = random_below(world, 3); n > 0; n--) {
        g_autofree char *name = g_strdup_printf("Label %u", random_below(world, 12));
        (void)json_array_append_new(labels, json_pack("{s:s}", "name", name));
    }
    return labels;
}

static json_t *
some_people(World *world)
{
    json_t *people = json_array();
    gint64 first = 101 + random_below(world, 2);
    if (random_chance(world, 70)) {
        (void)json_array_append_new(people, json_integer(first));
    }
    if (random_chance(world, 30)) {
        (void)json_array_append_new(people, json_integer(203 - first));
    }
    return people;
}

static void
set_state(World *world, json_t *body, const char *type)
{
    const char *state = some_state(world, type);
    (void)json_object_set_new(body, "story_type", json_string(type));
    (void)json_object_set_new(body, "current_state", json_string(state));
    if (g_str_equal(type, "feature") || (world->estimatable && !g_str_equal(type, "release"))) {
        (void)json_object_set_new(body, "estimate", json_integer(random_below(world, 4)));
    }
}

static void
story_create(World *world)
{
    json_t *body = json_pack("{s:o}", "name", text_json(world));
    set_state(world, body, RANDOM_PICK(world, types));
    if (random_chance(world, 50)) {
        (void)json_object_set_new(body, "description", text_json(world));
    }
    if (random_chance(world, 40)) {
        (void)json_object_set_new(body, "labels", some_labels(world));
    }
    if (random_chance(world, 40)) {
        (void)json_object_set_new(body, "owner_ids", some_people(world));
    }
    if (random_chance(world, 20)) {
        (void)json_object_set_new(body, "tasks",
                                  json_pack("[{s:s},{s:s, s:b}]", "description", "first",
                                            "description", "second", "complete", 1));
        (void)json_object_set_new(body, "comments", json_pack("[{s:o}]", "text", text_json(world)));
    }
    (void)random_send(world, "POST", BASE "stories", body);
}

static void
story_change(World *world)
{
    g_autofree char *path = story_path(some_story(world), "");
    json_t *body = json_object();
    if (random_chance(world, 40)) {
        (void)json_object_set_new(body, "name", text_json(world));
    }
    if (random_chance(world, 30)) {
        (void)json_object_set_new(body, "description",
                                  random_chance(world, 20) ? json_null() : text_json(world));
    }
    if (random_chance(world, 30)) {
        (void)json_object_set_new(body, "labels", some_labels(world));
    }
    if (random_chance(world, 30)) {
        (void)json_object_set_new(body, "owner_ids", some_people(world));
    }
    if (random_chance(world, 10)) {
        (void)json_object_set_new(body, "follower_ids", some_people(world));
    }
    (void)random_send(world, "PUT", path, body);
}

static void
story_state(World *world)
{
    g_autofree char *path = story_path(some_story(world), "");
    g_autofree char *type =
        g_strdup(json_string_value(json_object_get(random_get(world, "%s", path), "story_type")));
    json_t *body = json_object();
    set_state(world, body, type);
    (void)json_object_del(body, "story_type");
    (void)random_send(world, "PUT", path, body);
}

static void
story_type(World *world)
{
    g_autofree char *path = story_path(some_story(world), "");
    json_t *body = json_object();
    set_state(world, body, RANDOM_PICK(world, types));
    (void)random_send(world, "PUT", path, body);
}

/* To a neighbour's side, inside its list. */
static void
story_move(World *world)
{
    gint64 story = some_story(world);
    gint64 neighbour = some_story(world);
    g_autofree char *path = story_path(story, "");
    g_autofree char *of_neighbour = story_path(neighbour, "");
    g_autofree char *state = g_strdup(
        json_string_value(json_object_get(random_get(world, "%s", of_neighbour), "current_state")));
    const char *own_state = json_string_value(
        json_object_get(random_get(world, "%s?fields=current_state", path), "current_state"));
    gboolean scheduled = !g_str_equal(state, "unscheduled");
    /* Accepted stories stand by when they were accepted, not where someone puts them. */
    if (story == neighbour || g_str_equal(own_state, "accepted") ||
        g_str_equal(state, "accepted") || scheduled != !g_str_equal(own_state, "unscheduled")) {
        return;
    }
    (void)random_send(world, "PUT", path,
                      json_pack("{s:I, s:s}", random_chance(world, 50) ? "before_id" : "after_id",
                                (json_int_t)neighbour, "group",
                                scheduled ? "scheduled" : "unscheduled"));
}

/* What is there already is no change. */
static void
story_same(World *world)
{
    g_autofree char *path = story_path(some_story(world), "");
    json_t *story = random_get(world, "%s?fields=name,current_state,owner_ids", path);
    json_t *body = json_deep_copy(story);
    gint64 before = fixture_number(&world->fixture, "SELECT version FROM project WHERE id = 99");
    (void)json_object_del(body, "id");
    (void)random_send(world, "PUT", path, body);
    g_assert_cmpint(fixture_number(&world->fixture, "SELECT version FROM project WHERE id = 99"),
                    ==, before);
}

void
random_delete_story(World *world)
{
    g_autofree char *path = story_path(some_story(world), "");
    (void)random_send(world, "DELETE", path, NULL);
}

static void
task_create(World *world)
{
    g_autofree char *path = story_path(some_story(world), "/tasks");
    json_t *body = json_pack("{s:o}", "description", text_json(world));
    size_t n = json_array_size(random_get(world, "%s", path));
    if (random_chance(world, 40)) {
        (void)json_object_set_new(body, "position",
                                  json_integer(1 + random_below(world, (guint32)n + 1)));
    }
    (void)random_send(world, "POST", path, body);
}

static void
task_change(World *world)
{
    gint64 story = 0;
    gint64 task = some_child(world, "tasks", &story);
    g_autofree char *path = child_path(story, "tasks", task);
    g_autofree char *list = story_path(story, "/tasks");
    if (!task) {
        return;
    }
    size_t n = json_array_size(random_get(world, "%s", list));
    json_t *body = json_pack("{s:b}", "complete", (int)random_below(world, 2));
    if (random_chance(world, 60)) {
        (void)json_object_set_new(body, "position",
                                  json_integer(1 + random_below(world, (guint32)n)));
    }
    if (random_chance(world, 30)) {
        (void)json_object_set_new(body, "description", text_json(world));
    }
    (void)random_send(world, "PUT", path, body);
}

static void
child_delete(World *world)
{
    static const char *const lists[] = {"tasks", "comments", "blockers", "reviews"};
    const char *list = RANDOM_PICK(world, lists);
    gint64 story = 0;
    gint64 child = some_child(world, list, &story);
    g_autofree char *path = child_path(story, list, child);
    if (child) {
        (void)random_send(world, "DELETE", path, NULL);
    }
}

static void
comment_create(World *world)
{
    g_autofree char *path = story_path(some_story(world), "/comments");
    (void)random_send(world, "POST", path, json_pack("{s:o}", "text", text_json(world)));
}

static void
comment_change(World *world)
{
    gint64 story = 0;
    gint64 comment = some_child(world, "comments", &story);
    g_autofree char *path = child_path(story, "comments", comment);
    /* Only one's own. */
    if (comment && random_int_of(random_get(world, "%s", path), "person_id") == 101) {
        (void)random_send(world, "PUT", path, json_pack("{s:o}", "text", text_json(world)));
    }
}

static void
blocker_create(World *world)
{
    gint64 blocking = some_story(world);
    g_autofree char *path = story_path(some_story(world), "/blockers");
    g_autofree char *text = g_strdup_printf("waits for #%" G_GINT64_FORMAT, blocking);
    (void)random_send(world, "POST", path, json_pack("{s:s}", "description", text));
}

static void
blocker_change(World *world)
{
    gint64 story = 0;
    gint64 blocker = some_child(world, "blockers", &story);
    g_autofree char *path = child_path(story, "blockers", blocker);
    if (blocker) {
        (void)random_send(world, "PUT", path,
                          json_pack("{s:b}", "resolved", (int)random_below(world, 2)));
    }
}

static void
review_create(World *world)
{
    g_autofree char *path = story_path(some_story(world), "/reviews");
    (void)random_send(world, "POST", path,
                      json_pack("{s:i, s:i}", "review_type_id", 22, "reviewer_id",
                                101 + (int)random_below(world, 2)));
}

static void
review_change(World *world)
{
    static const char *const statuses[] = {"unstarted", "in_review", "pass", "revise"};
    gint64 story = 0;
    gint64 review = some_child(world, "reviews", &story);
    g_autofree char *path = child_path(story, "reviews", review);
    if (review) {
        (void)random_send(world, "PUT", path,
                          json_pack("{s:s}", "status", RANDOM_PICK(world, statuses)));
    }
}

static void
story_label(World *world)
{
    g_autofree char *path = story_path(some_story(world), "/labels");
    g_autofree char *name = g_strdup_printf("label %u", random_below(world, 12));
    gint64 label = random_chance(world, 40) ? some_id(world, random_get(world, "%s", path)) : 0;
    if (label) {
        g_autofree char *of_label = g_strdup_printf("%s/%" G_GINT64_FORMAT, path, label);
        (void)random_send(world, "DELETE", of_label, NULL);
    } else {
        (void)random_send(world, "POST", path, json_pack("{s:s}", "name", name));
    }
}

static void
story_owner(World *world)
{
    g_autofree char *path = story_path(some_story(world), "/owners");
    gint64 owner = some_id(world, random_get(world, "%s", path));
    if (owner) {
        g_autofree char *of_owner = g_strdup_printf("%s/%" G_GINT64_FORMAT, path, owner);
        (void)random_send(world, "DELETE", of_owner, NULL);
    } else {
        (void)random_send(world, "POST", path,
                          json_pack("{s:i}", "id", 101 + (int)random_below(world, 2)));
    }
}

/* ---- epics and labels ---- */

static char *
some_epic(World *world)
{
    gint64 epic = some_id(world, random_get(world, BASE "epics?fields=id"));
    return epic ? g_strdup_printf(BASE "epics/%" G_GINT64_FORMAT, epic) : NULL;
}

static void
epic_create(World *world)
{
    g_autofree char *name = g_strdup_printf("Epic %" G_GUINT64_FORMAT, world->done);
    (void)random_send(world, "POST", BASE "epics", json_pack("{s:s}", "name", name));
}

static void
epic_change(World *world)
{
    g_autofree char *path = some_epic(world);
    json_t *body = json_pack("{s:o}", "description", text_json(world));
    if (!path) {
        json_decref(body);
        return;
    }
    if (random_chance(world, 50)) {
        (void)json_object_set_new(body, "name", text_json(world));
    }
    (void)random_send(world, "PUT", path, body);
}

static void
epic_move(World *world)
{
    g_autofree char *path = some_epic(world);
    gint64 neighbour = some_id(world, random_get(world, BASE "epics?fields=id"));
    g_autofree char *of_neighbour = g_strdup_printf(BASE "epics/%" G_GINT64_FORMAT, neighbour);
    if (path && !g_str_equal(path, of_neighbour)) {
        (void)random_send(world, "PUT", path,
                          json_pack("{s:I}", random_chance(world, 50) ? "before_id" : "after_id",
                                    (json_int_t)neighbour));
    }
}

static void
epic_comment(World *world)
{
    g_autofree char *path = some_epic(world);
    if (path) {
        g_autofree char *comments = g_strconcat(path, "/comments", NULL);
        (void)random_send(world, "POST", comments, json_pack("{s:o}", "text", text_json(world)));
    }
}

static void
epic_delete(World *world)
{
    g_autofree char *path = some_epic(world);
    if (path) {
        (void)random_send(world, "DELETE", path, NULL);
    }
}

static void
label_create(World *world)
{
    g_autofree char *name = g_strdup_printf("made %" G_GUINT64_FORMAT, world->done);
    (void)random_send(world, "POST", BASE "labels", json_pack("{s:s}", "name", name));
}

static void
label_rename(World *world)
{
    gint64 label = some_id(world, random_get(world, BASE "labels"));
    g_autofree char *path = g_strdup_printf(BASE "labels/%" G_GINT64_FORMAT, label);
    g_autofree char *name = g_strdup_printf("renamed %" G_GUINT64_FORMAT, world->done);
    if (label) {
        (void)random_send(world, "PUT", path, json_pack("{s:s}", "name", name));
    }
}

/* Not one that an epic lives on. */
static void
label_delete(World *world)
{
    gint64 label = fixture_number(&world->fixture,
                                  "SELECT COALESCE(min(id), 0) FROM label WHERE project_id = 99"
                                  " AND id NOT IN (SELECT label_id FROM epic WHERE label_id > 0)");
    g_autofree char *path = g_strdup_printf(BASE "labels/%" G_GINT64_FORMAT, label);
    if (label) {
        (void)random_send(world, "DELETE", path, NULL);
    }
}

/* ---- what may be refused ---- */

/* A story is to be anything, anywhere: whatever is refused leaves no trace. */
static void
story_anything(World *world)
{
    static const char trace[] =
        "SELECT (SELECT version FROM project WHERE id = 99) * 1000000 + (SELECT count(*) FROM "
        "story)"
        " + (SELECT count(*) FROM label) + (SELECT count(*) FROM comment) + (SELECT count(*) FROM"
        " activity)";
    static const char *const groups[] = {"scheduled", "unscheduled", "current"};
    g_autofree char *path = story_path(some_story(world), "");
    gint64 neighbour = some_story(world);
    json_t *body = json_object();
    if (random_chance(world, 50)) {
        (void)json_object_set_new(body, "story_type", json_string(RANDOM_PICK(world, types)));
    }
    if (random_chance(world, 50)) {
        (void)json_object_set_new(body, "current_state",
                                  json_string(RANDOM_PICK(world, feature_states)));
    }
    if (random_chance(world, 40)) {
        (void)json_object_set_new(body, "estimate",
                                  random_chance(world, 30) ? json_null()
                                                           : json_integer(random_below(world, 6)));
    }
    if (random_chance(world, 30)) {
        (void)json_object_set_new(body, "group", json_string(RANDOM_PICK(world, groups)));
    }
    if (random_chance(world, 40)) {
        (void)json_object_set_new(body, random_chance(world, 50) ? "before_id" : "after_id",
                                  json_integer(neighbour));
    }
    if (random_chance(world, 20)) {
        (void)json_object_set_new(body, "owner_ids",
                                  json_pack("[i]", 101 + (int)random_below(world, 4)));
    }
    if (random_chance(world, 20)) {
        (void)json_object_set_new(body, "comment", text_json(world));
        (void)json_object_set_new(body, "labels", some_labels(world));
    }
    gint64 before = fixture_number(&world->fixture, trace);
    char *text = json_dumps(body, JSON_COMPACT);
    (void)fixture_json(&world->fixture, "PUT", path, text);
    int status = world->fixture.response.status;
    if (status != 200) {
        g_assert_cmpint(status, ==, 400);
        g_assert_cmpint(fixture_number(&world->fixture, trace), ==, before);
    }
    free(text);
    json_decref(body);
}

/* Nothing happens, but time passes: sometimes an iteration ends. */
static void
wait_some(World *world)
{
    world->fixture.now_ms += 1 + random_below(world, 3 * (guint32)DAY_MS);
}

static const struct {
    const char *name;
    void (*run)(World *world);
    guint weight;
} operations[] = {
    {"create a story", story_create, 14},
    {"change a story", story_change, 14},
    {"change a state", story_state, 12},
    {"change a type", story_type, 4},
    {"move a story", story_move, 10},
    {"change nothing", story_same, 3},
    {"delete a story", random_delete_story, 4},
    {"create a task", task_create, 7},
    {"change a task", task_change, 8},
    {"delete a child", child_delete, 5},
    {"create a comment", comment_create, 6},
    {"change a comment", comment_change, 4},
    {"create a blocker", blocker_create, 3},
    {"change a blocker", blocker_change, 2},
    {"create a review", review_create, 3},
    {"change a review", review_change, 3},
    {"label a story", story_label, 4},
    {"own a story", story_owner, 3},
    {"create an epic", epic_create, 2},
    {"change an epic", epic_change, 3},
    {"move an epic", epic_move, 3},
    {"comment on an epic", epic_comment, 2},
    {"delete an epic", epic_delete, 1},
    {"create a label", label_create, 1},
    {"rename a label", label_rename, 2},
    {"delete a label", label_delete, 2},
    {"ask for anything", story_anything, 12},
    {"wait", wait_some, 3},
    {"move a story to another project", random_move_away, 5},
    {"move a story back", random_move_back, 4},
    {"change the members", random_change_members, 3},
    {"change a setting", random_change_setting, 4},
    {"override an iteration", random_override_iteration, 2},
};

void
random_operate(World *world)
{
    guint total = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        total += operations[i].weight;
    }
    guint choice = random_below(world, total);
    gsize i = 0;
    while (choice >= operations[i].weight) {
        choice -= operations[i++].weight;
    }
    world->fixture.now_ms += random_below(world, 3000);
    world->operation = operations[i].name;
    operations[i].run(world);
    world->done++;
}

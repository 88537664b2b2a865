/* What happens to projects: stories that move between two of them, members, settings. */
#include "support_random_internal.h"

#include <jansson.h>

#define MAX_INVITED 4
#define NEWCOMER 103 /* of the fixture, in neither project */

void
random_begin(World *world)
{
    json_t *made = random_send(world, "POST", "projects", json_pack("{s:s}", "name", "Second"));

    world->second_id = random_int_of(made, "id");
    g_autofree char *members =
        g_strdup_printf("projects/%" G_GINT64_FORMAT "/memberships", world->second_id);
    (void)random_send(world, "POST", members,
                      json_pack("{s:i, s:s}", "person_id", 102, "role", "member"));
}

/* ---- between projects ---- */

static char *
state_of(World *world, gint64 story)
{
    json_t *answer = random_get(world, "stories/%" G_GINT64_FORMAT "?fields=current_state", story);

    return g_strdup(json_string_value(json_object_get(answer, "current_state")));
}

static gint64
some_story_of(World *world, gint64 project_id)
{
    json_t *list =
        random_get(world, "projects/%" G_GINT64_FORMAT "/stories?fields=id&limit=500", project_id);
    size_t n = json_array_size(list);

    return n ? random_int_of(json_array_get(list, random_below(world, (guint32)n)), "id") : 0;
}

/* Beside a story of the same list there, if chance finds one. */
static void
place(World *world, json_t *body, gint64 story, gint64 to)
{
    gint64 neighbour = some_story_of(world, to);

    if (!neighbour || random_chance(world, 50)) {
        return;
    }
    g_autofree char *own = state_of(world, story);
    g_autofree char *other = state_of(world, neighbour);
    gboolean scheduled = !g_str_equal(own, "unscheduled");

    if (g_str_equal(own, "accepted") || g_str_equal(other, "accepted") ||
        scheduled == g_str_equal(other, "unscheduled")) {
        return;
    }
    (void)json_object_set_new(body, random_chance(world, 50) ? "before_id" : "after_id",
                              json_integer(neighbour));
    (void)json_object_set_new(body, "group", json_string(scheduled ? "scheduled" : "unscheduled"));
}

static void
move_between(World *world, gint64 from, gint64 to)
{
    gint64 story = some_story_of(world, from);
    g_autofree char *path =
        g_strdup_printf("projects/%" G_GINT64_FORMAT "/stories/%" G_GINT64_FORMAT, from, story);

    if (story) {
        json_t *body = json_pack("{s:I}", "project_id", (json_int_t)to);

        place(world, body, story, to);
        if (random_chance(world, 20)) {
            (void)json_object_set_new(body, "labels", json_pack("[s, s]", "moved", "Label 3"));
        }
        (void)random_send(world, "PUT", path, body);
    }
}

void
random_move_away(World *world)
{
    move_between(world, 99, world->second_id);
}

void
random_move_back(World *world)
{
    move_between(world, world->second_id, 99);
}

/* ---- members ---- */

static const char *const roles[] = {"owner", "member", "viewer"};

static json_t *
someone(World *world, const json_t *members)
{
    json_t *body = json_pack("{s:s}", "role", RANDOM_PICK(world, roles));
    size_t i = 0;
    json_t *member = NULL;
    gboolean is_here = FALSE;

    json_array_foreach(members, i, member)
    {
        is_here = is_here || random_int_of(member, "person_id") == NEWCOMER;
    }
    if (!is_here) {
        (void)json_object_set_new(body, "person_id", json_integer(NEWCOMER));
        return body;
    }
    g_autofree char *name = g_strdup_printf("Guest %" G_GUINT64_FORMAT, world->done);
    g_autofree char *email = g_strdup_printf("guest%" G_GUINT64_FORMAT "@example.org", world->done);
    (void)json_object_set_new(body, "name", json_string(name));
    (void)json_object_set_new(body, "email", json_string(email));
    (void)json_object_set_new(body, "initials", json_string("G"));
    return body;
}

/* The two who own and review stories stay: they may be asked for at any time. */
void
random_change_members(World *world)
{
    gint64 project = random_chance(world, 70) ? 99 : world->second_id;
    json_t *members =
        random_get(world, "projects/%" G_GINT64_FORMAT "/memberships?fields=person_id", project);
    size_t n = json_array_size(members);
    json_t *member = json_array_get(members, random_below(world, (guint32)n));
    gboolean is_guest = random_int_of(member, "person_id") >= NEWCOMER;
    g_autofree char *list = g_strdup_printf("projects/%" G_GINT64_FORMAT "/memberships", project);
    g_autofree char *path =
        g_strdup_printf("%s/%" G_GINT64_FORMAT, list, random_int_of(member, "id"));

    if (!is_guest && n < 2 + MAX_INVITED) {
        (void)random_send(world, "POST", list, someone(world, members));
    } else if (!is_guest) {
        (void)random_send(
            world, "PUT", path,
            json_pack("{s:s}", "project_color", random_chance(world, 50) ? "74a4d7" : "e46642"));
    } else if (random_chance(world, 50)) {
        (void)random_send(world, "PUT", path,
                          json_pack("{s:s}", "role", RANDOM_PICK(world, roles)));
    } else {
        (void)random_send(world, "DELETE", path, NULL);
    }
}

/* ---- settings ---- */

/* Points 0 to 3 are in all of them: the operations on stories use no others. */
static const char *const scales[] = {"0,1,2,3", "0,1,2,3,5,8", "0,0.5,1,2,3,20"};
static const char *const zones[] = {"America/Los_Angeles", "Europe/Berlin", "Pacific/Apia"};
static const struct {
    const char *week, *date;
} weeks[] = {{"Monday", "2017-04-10"}, {"sunday", "2017-04-09"}, {"Thursday", "2016-12-29"}};

void
random_change_setting(World *world)
{
    json_t *body = json_object();
    guint32 number = random_below(world, 4);

    switch (random_below(world, 9)) {
    case 0:
        (void)json_object_set_new(body, "point_scale", json_string(RANDOM_PICK(world, scales)));
        break;
    case 1:
        (void)json_object_set_new(body, "week_start_day", json_string(weeks[number % 3].week));
        break;
    case 2:
        (void)json_object_set_new(body, "week_start_day", json_string(weeks[number % 3].week));
        (void)json_object_set_new(body, "start_date", json_string(weeks[number % 3].date));
        break;
    case 3:
        (void)json_object_set_new(body, "velocity_averaged_over", json_integer(1 + number));
        break;
    case 4:
        (void)json_object_set_new(body, "initial_velocity", json_integer(1 + 5 * number));
        break;
    case 5:
        (void)json_object_set_new(body, "iteration_length", json_integer(1 + number));
        break;
    case 6:
        (void)json_object_set_new(body, "automatic_planning", json_boolean(number > 0));
        break;
    case 7:
        world->estimatable = number > 1;
        (void)json_object_set_new(body, "bugs_and_chores_are_estimatable",
                                  json_boolean(world->estimatable));
        break;
    default:
        (void)json_object_set_new(body, "time_zone",
                                  json_pack("{s:s}", "olson_name", RANDOM_PICK(world, zones)));
    }
    (void)random_send(world, "PUT", "projects/99", body);
}

void
random_override_iteration(World *world)
{
    json_t *current = random_get(world, RANDOM_BASE "iterations?scope=current&fields=number");
    gint64 last = random_int_of(json_array_get(current, 0), "number");
    g_autofree char *path = g_strdup_printf(RANDOM_BASE "iteration_overrides/%" G_GINT64_FORMAT,
                                            (gint64)(1 + random_below(world, (guint32)last)));
    json_t *body = json_object();

    if (random_chance(world, 60)) {
        (void)json_object_set_new(
            body, "length",
            random_chance(world, 40) ? json_null() : json_integer(1 + random_below(world, 3)));
    }
    if (random_chance(world, 60) || json_object_size(body) == 0) {
        (void)json_object_set_new(body, "team_strength", json_real(random_below(world, 4) / 2.0));
    }
    (void)random_send(world, "PUT", path, body);
}

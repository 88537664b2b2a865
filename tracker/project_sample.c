/* A few stories of each type and state, for somebody who sees a tracker for the first time. They
 * hold for whatever settings the project was made with: estimates are taken from its scale, and
 * bugs and chores, which need one in some projects, are not begun. */
#include "tracker/project_sample.h"

#include "tracker/body.h"
#include "tracker/changes.h"
#include "tracker/rows.h"
#include "tracker/write_story.h"

#define NO_POINTS (-1)

static const struct {
    const char *type, *state;
    int points; /* which value of the scale, from the smallest */
    const char *name, *description, *label, *task, *comment;
} stories[] = {
    {"feature", "accepted", 1, "A visitor can see what the shop sells",
     "A list with a picture, a name and a price for each thing.", "catalogue",
     "Choose the pictures", "Accepted stories stay where they were done."},
    {"feature", "delivered", 2, "A visitor can put things into a basket", NULL, "basket", NULL,
     "Delivered: look at it, then accept or reject it."},
    {"feature", "started", 2, "A visitor can take things out of the basket again", NULL, "basket",
     "Ask before the last one goes", NULL},
    {"bug", "unstarted", NO_POINTS, "The basket forgets what is in it when the page is reloaded",
     "1. Put something in\n2. Reload\n\nThe basket is empty.", "basket", NULL, NULL},
    {"feature", "unstarted", 3, "A customer can pay by card",
     "The *backlog* is in order of priority: what stands on top is done next.", "checkout",
     "Find a payment service", NULL},
    {"release", "unstarted", NO_POINTS, "First customers", NULL, NULL, NULL, NULL},
    {"feature", "unstarted", NO_POINTS, "A customer gets the bill by e-mail",
     "Not estimated yet: it cannot be started before.", "checkout", NULL, NULL},
    {"chore", "unscheduled", NO_POINTS, "Move to a bigger machine", NULL, NULL, NULL, NULL},
    {"feature", "unscheduled", NO_POINTS, "A customer can write what they think of a thing",
     "The icebox holds what nobody has decided on.", "catalogue", NULL, NULL},
};

/* The value of that rank, or the largest there is. */
static double
points_of(const char *scale, int rank)
{
    g_auto(GStrv) values = g_strsplit(scale ? scale : "0", ",", -1);
    int last = (int)g_strv_length(values) - 1;

    return g_ascii_strtod(values[MIN(rank, last)], NULL);
}

/* As somebody would send it; owned. */
static json_t *
body_of(gsize i, const char *scale)
{
    json_t *body = json_pack("{s:s, s:s, s:s}", "name", stories[i].name, "story_type",
                             stories[i].type, "current_state", stories[i].state);

    if (stories[i].points != NO_POINTS) {
        (void)json_object_set_new(body, "estimate", json_real(points_of(scale, stories[i].points)));
    }
    if (stories[i].description) {
        (void)json_object_set_new(body, "description", json_string(stories[i].description));
    }
    if (stories[i].label) {
        (void)json_object_set_new(body, "labels", json_pack("[s]", stories[i].label));
    }
    if (stories[i].task) {
        (void)json_object_set_new(body, "tasks",
                                  json_pack("[{s:s}]", "description", stories[i].task));
    }
    if (stories[i].comment) {
        (void)json_object_set_new(body, "comments",
                                  json_pack("[{s:s}]", "text", stories[i].comment));
    }
    return body;
}

gboolean
project_sample_fill(Call *call, gint64 project_id)
{
    g_autofree char *scale =
        row_text(call->conn, "SELECT point_scale FROM project WHERE id = ?1", "i", project_id);
    json_t *given = call->given;
    gboolean ok = TRUE;

    call->project_id = project_id;
    change_project(call, project_id);
    for (gsize i = 0; i < G_N_ELEMENTS(stories) && ok; i++) {
        call->given = body_of(i, scale);
        ok = write_story_new(call) != 0;
        json_decref(call->given);
    }
    call->given = given;
    call->project_version = -1; /* the answer is about no project's path */
    return ok;
}

/* The order has four stretches: accepted stories, those in progress, the rest of the backlog, the
 * icebox. Where a state alone decides:
 *
 *     accepted      behind those accepted before it
 *     in progress   behind the last one in progress
 *     unstarted     at the end of the backlog
 *     unscheduled   on top of the icebox
 *
 * A story keeps its place when it becomes unstarted or rejected, as recorded. Only one rule is
 * never broken: scheduled stories stand before unscheduled ones. So a place between two stories
 * allows a scheduled story if the one above is scheduled, and an unscheduled one if the one below
 * is unscheduled; at the border both. */
#include "tracker/story_order.h"

#include <string.h>

#include "tracker/changes.h"
#include "tracker/positions.h"
#include "tracker/rows.h"

/* A place: between two stories, 0 for none. */
typedef struct Place {
    gint64 above, below;
    PositionLean lean;
} Place;

#define IN_PROGRESS "[\"started\",\"finished\",\"delivered\",\"rejected\"]"
#define SCHEDULED                                                                                  \
    "[\"accepted\",\"started\",\"finished\",\"delivered\",\"rejected\",\"unstarted\",\"planned\"]"

/* The last story in one of the states, `self` apart; 0: none. One index search for each state. */
static gint64
last_in(Call *call, const StoryDraft *self, const char *states)
{
    return row_int(call->conn,
                   "SELECT id FROM story WHERE project_id = ?1 AND position ="
                   " (SELECT max((SELECT s.position FROM story s WHERE s.project_id = ?1"
                   "  AND s.current_state = j.value AND s.id <> ?3"
                   "  ORDER BY s.position DESC LIMIT 1)) FROM json_each(?2) j)",
                   "iti", self->project_id, states, self->id);
}

static gint64
edge(Call *call, const StoryDraft *self, const char *sql)
{
    return row_int(call->conn, sql, "ii", self->project_id, self->id);
}

static gint64
first_of_all(Call *call, const StoryDraft *self)
{
    return edge(
        call, self,
        "SELECT id FROM story WHERE project_id = ?1 AND id <> ?2 ORDER BY position LIMIT 1");
}

static Place
place_below(Call *call, const StoryDraft *self, gint64 above)
{
    Place place = {.above = above, .lean = POSITION_MIDDLE};

    place.below = above ? position_below(call->conn, POSITION_STORY, above, self->id)
                        : first_of_all(call, self);
    return place;
}

static Place
place_above(Call *call, const StoryDraft *self, gint64 below)
{
    Place place = {.below = below, .lean = POSITION_MIDDLE};

    place.above = position_above(call->conn, POSITION_STORY, below, self->id);
    return place;
}

/* The plus keeps SQLite from collecting all that were accepted by then, to sort them. */
static Place
accepted_place(Call *call, const StoryDraft *self)
{
    gint64 earlier = row_int(
        call->conn,
        "SELECT id FROM story WHERE project_id = ?1 AND current_state = 'accepted' AND id <> ?2"
        " AND +accepted_at <= ?3 ORDER BY position DESC LIMIT 1",
        "iii", self->project_id, self->id, self->accepted_at);

    return place_below(call, self, earlier);
}

/* Where a state alone puts a story. */
static Place
default_place(Call *call, const StoryDraft *self)
{
    Place place;
    gint64 last;

    if (!story_is_scheduled(self->state)) {
        gint64 first = edge(call, self,
                            "SELECT id FROM story WHERE project_id = ?1 AND id <> ?2"
                            " AND current_state = 'unscheduled' ORDER BY position LIMIT 1");

        place = first ? place_above(call, self, first)
                      : place_below(call, self, last_in(call, self, SCHEDULED));
        place.lean = POSITION_NEAR_BELOW;
        return place;
    }
    if (strcmp(self->state, "accepted") == 0) {
        return accepted_place(call, self);
    }
    if (strcmp(self->state, "unstarted") == 0 || strcmp(self->state, "planned") == 0) {
        place = place_below(call, self, last_in(call, self, SCHEDULED));
        place.lean = POSITION_NEAR_ABOVE;
        return place;
    }
    last = last_in(call, self, IN_PROGRESS);
    return place_below(call, self, last ? last : last_in(call, self, "[\"accepted\"]"));
}

static Place
present_place(Call *call, const StoryDraft *self)
{
    return (Place){position_above(call->conn, POSITION_STORY, self->id, self->id),
                   position_below(call->conn, POSITION_STORY, self->id, self->id), POSITION_MIDDLE};
}

static void
add_mismatch(GString *text, const json_t *given, const char *name, gint64 result)
{
    if (!body_has(given, name)) {
        return;
    }
    g_string_append_printf(text, "%s'%s' parameter was ", text->len ? ", " : "", name);
    if (!body_is_null(given, name)) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT, body_int(given, name, 0));
    }
    g_string_append(text, " but result was ");
    if (result) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT, result);
    }
}

/* As recorded: what was asked for against where the story would have stood. */
static gboolean
fail_place(Call *call, const json_t *given, const Place *result)
{
    g_autoptr(GString) parts = g_string_new(NULL);
    g_autofree char *text = NULL;

    add_mismatch(parts, given, "before_id", result->below);
    add_mismatch(parts, given, "after_id", result->above);
    text = g_strdup_printf("Got bad values for the following parameter(s):  none of the supplied "
                           "object-move parameters match the generated results (%s)",
                           parts->str);
    (void)call_fail_rule(call, text,
                         "Command parameters that directly set properties of resources must be "
                         "identical to the result value.");
    call->problem.possible_fix =
        g_strdup("Normalize the parameter values before sending them to the server.");
    return FALSE;
}

static gboolean
is_neighbour(Call *call, const StoryDraft *self, gint64 id)
{
    return id != self->id &&
           row_int(call->conn, "SELECT 1 FROM story WHERE id = ?1 AND project_id = ?2", "ii", id,
                   self->project_id) != 0;
}

/* The place that before_id and after_id name; FALSE: there is none such. A null asks for the end of
 * the order, and like an id must turn out true. */
static gboolean
find_place(Call *call, const StoryDraft *self, const json_t *given, Place *ret_place)
{
    gint64 before = body_int(given, "before_id", 0), after = body_int(given, "after_id", 0);

    if ((before && !is_neighbour(call, self, before)) ||
        (after && !is_neighbour(call, self, after))) {
        return FALSE;
    }
    if (after) {
        *ret_place = place_below(call, self, after);
    } else if (before) {
        *ret_place = place_above(call, self, before);
    } else {
        *ret_place = self->id ? present_place(call, self) : default_place(call, self);
    }
    return (!body_has(given, "before_id") || before == ret_place->below) &&
           (!body_has(given, "after_id") || after == ret_place->above);
}

static gboolean
is_scheduled(Call *call, gint64 id)
{
    return row_int(call->conn, "SELECT current_state <> 'unscheduled' FROM story WHERE id = ?1",
                   "i", id) != 0;
}

/* May the story stand there in its state? Otherwise it takes the state of the list, unless the
 * request says another. */
static gboolean
join_list(Call *call, StoryDraft *draft, const Place *place, gboolean is_fixed)
{
    gboolean for_scheduled = place->above == 0 || is_scheduled(call, place->above);
    gboolean for_unscheduled = place->below == 0 || !is_scheduled(call, place->below);

    if (story_is_scheduled(draft->state) ? for_scheduled : for_unscheduled) {
        return TRUE;
    }
    if (is_fixed) {
        return FALSE;
    }
    story_draft_set_state(call, draft, story_state(for_scheduled ? "unstarted" : "unscheduled"));
    return TRUE;
}

static gboolean
plans_by_hand(Call *call, gint64 project_id)
{
    return row_int(call->conn,
                   "SELECT COALESCE(automatic_planning, 1) = 0 FROM project WHERE id = ?1", "i",
                   project_id) != 0;
}

/* `current` without manual planning is taken as `scheduled`: the reference is unsure whether it was
 * refused. */
static gboolean
join_group(Call *call, StoryDraft *draft, const char *group)
{
    gboolean scheduled = strcmp(group, "unscheduled") != 0;
    gboolean planned = strcmp(group, "current") == 0 && plans_by_hand(call, draft->project_id);

    if (draft->state_given) {
        return story_is_scheduled(draft->state) == scheduled
                   ? TRUE
                   : call_fail_text(call, "'group' is not the one of 'current_state'");
    }
    if (!scheduled) {
        story_draft_set_state(call, draft, story_state("unscheduled"));
    } else if (planned && (strcmp(draft->state, "unscheduled") == 0 ||
                           strcmp(draft->state, "unstarted") == 0)) {
        story_draft_set_state(call, draft, story_state("planned"));
    } else if (!story_is_scheduled(draft->state)) {
        story_draft_set_state(call, draft, story_state("unstarted"));
    }
    return TRUE;
}

typedef enum { STRETCH_ACCEPTED, STRETCH_IN_PROGRESS, STRETCH_BACKLOG, STRETCH_ICEBOX } Stretch;

static Stretch
stretch_of(const char *state)
{
    if (strcmp(state, "unscheduled") == 0) {
        return STRETCH_ICEBOX;
    }
    if (strcmp(state, "accepted") == 0) {
        return STRETCH_ACCEPTED;
    }
    return strcmp(state, "unstarted") == 0 || strcmp(state, "planned") == 0 ? STRETCH_BACKLOG
                                                                            : STRETCH_IN_PROGRESS;
}

/* Does the change of state alone move it? Backwards inside of the scheduled ones it stays. */
static gboolean
state_moves(const char *from, const char *to)
{
    Stretch old = stretch_of(from), fresh = stretch_of(to);

    return fresh < old || (old != fresh && fresh == STRETCH_ICEBOX);
}

static void
settle(Call *call, StoryDraft *draft, const Place *place)
{
    Place present;

    if (draft->id) {
        present = present_place(call, draft);
        if (present.above == place->above && present.below == place->below) {
            return;
        }
    }
    draft->position = position_between(call->conn, POSITION_STORY, draft->project_id, place->above,
                                       place->below, place->lean);
}

gboolean
story_order_place(Call *call, StoryDraft *draft, const StoryDraft *before, const json_t *given,
                  gboolean *ret_asked)
{
    const char *group = body_text(given, "group");
    gboolean by_id = body_has(given, "before_id") || body_has(given, "after_id");
    Place place, fallback;

    *ret_asked = group || by_id;
    if (group && !join_group(call, draft, group)) {
        return FALSE;
    }
    if (by_id) {
        if (!find_place(call, draft, given, &place) ||
            !join_list(call, draft, &place, group || draft->state_given)) {
            fallback = draft->id ? present_place(call, draft) : default_place(call, draft);
            return fail_place(call, given, &fallback);
        }
        settle(call, draft, &place);
    } else if (!before || state_moves(before->state, draft->state)) {
        place = default_place(call, draft);
        settle(call, draft, &place);
    }
    return TRUE;
}

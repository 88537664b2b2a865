/* script: when everything in the tables happened.
 *
 * A story's states are laid out backwards from the day of the last one; no deed of a story comes
 * before its creation, and states keep a distance of at least five minutes. Stories are numbered by
 * creation, so that ids grow with time. */
#include <string.h>

#include "tracker/sample/replay.h"

#define MAX_STEPS 6
#define AT(hour, minute) ((hour)*60 + (minute))
#define GAP_MS (5 * 60000)

typedef struct Step {
    const char *state;
    int day, minute;
} Step;

typedef struct Script {
    const SampleTime *time;
    GArray *deeds;
} Script;

static gint
compare_created(gconstpointer a, gconstpointer b)
{
    const SampleStory *const *left = a;
    const SampleStory *const *right = b;
    return (*right)->created - (*left)->created;
}

/* Of the tables, sorted by creation; made once and never freed: constants. */
static GPtrArray *
all_stories(void)
{
    static gsize once;
    static GPtrArray *stories;
    if (g_once_init_enter(&once)) {
        const struct {
            const SampleStory *stories;
            gsize n;
        } tables[] = {{sample_done, sample_n_done},
                      {sample_open, sample_n_open},
                      {sample_awkward, sample_n_awkward}};
        stories = g_ptr_array_new();
        for (gsize t = 0; t < G_N_ELEMENTS(tables); t++) {
            for (gsize i = 0; i < tables[t].n; i++) {
                g_ptr_array_add(stories, (gpointer)(guintptr)&tables[t].stories[i]);
            }
        }
        g_ptr_array_sort(stories, compare_created); /* stable: a merge sort */
        g_once_init_leave(&once, 1);
    }
    return stories;
}

const SampleStory *
script_story(guint index)
{
    return g_ptr_array_index(all_stories(), index);
}

guint
script_n_stories(void)
{
    return all_stories()->len;
}

static void
add(Script *script, gint64 at_ms, DeedKind kind, guint subject, guint item, const char *word)
{
    Deed deed = {.at_ms = at_ms,
                 .order = script->deeds->len,
                 .kind = kind,
                 .subject = subject,
                 .item = item,
                 .word = word};
    g_array_append_val(script->deeds, deed);
}

/* The way to the last state, by type; the days count back from `last`. */
static guint
plan_steps(const SampleStory *story, Step ret_steps[MAX_STEPS])
{
    const int last = story->last;
    const gboolean is_release = strcmp(story->type, "release") == 0;
    const gboolean is_chore = strcmp(story->type, "chore") == 0;
    static const struct {
        const char *state;
        int rank;
    } ways[] = {{"started", 1}, {"finished", 2}, {"delivered", 3}};
    guint n = 0;
    if (strcmp(story->state, "unscheduled") == 0) {
        return 0;
    }
    if (strcmp(story->state, "unstarted") == 0) {
        ret_steps[n++] = (Step){"unstarted", last, AT(13, 10)};
        return n;
    }
    ret_steps[n++] = (Step){"unstarted", last + (story->created - last) / 2, AT(13, 10)};
    int rank = 4; /* accepted, rejected */
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (strcmp(ways[i].state, story->state) == 0) {
            rank = ways[i].rank;
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(ways) && !is_release; i++) {
        if (ways[i].rank < rank && (!is_chore || i == 0)) {
            ret_steps[n++] =
                (Step){ways[i].state, last + rank - ways[i].rank, AT(10 + 2 * (int)i, 25)};
        }
    }
    ret_steps[n++] = (Step){story->state, last, AT(14, 40)};
    return n;
}

static void
add_small_deeds(Script *script, guint index, gint64 created_ms)
{
    const SampleStory *story = script_story(index);
    const gint64 first_ms = created_ms + GAP_MS;
    for (guint i = 0; i < SAMPLE_MAX_TASKS && story->tasks[i].text != NULL; i++) {
        if (story->tasks[i].complete) {
            gint64 at_ms =
                sample_instant_ms(script->time, MAX(story->last, 1), AT(11, 5 + 13 * (int)i));
            add(script, MAX(at_ms, first_ms), DEED_TASK, index, i, NULL);
        }
    }
    for (guint i = 0; i < SAMPLE_MAX_COMMENTS && story->comments[i].who != 0; i++) {
        gint64 at_ms =
            sample_instant_ms(script->time, MAX(story->created - story->comments[i].after, 1),
                              AT(10, 17 + 47 * (int)i + (int)index % 29));
        add(script, MAX(at_ms, first_ms), DEED_COMMENT, index, i, NULL);
    }
    for (guint i = 0; i < SAMPLE_MAX_REVIEWS && story->reviews[i].type != NULL; i++) {
        const char *status = story->reviews[i].status;
        gint64 at_ms = sample_instant_ms(script->time, story->last + 1, AT(12, 41 + 9 * (int)i));
        at_ms = MAX(at_ms, first_ms);
        add(script, at_ms, DEED_REVIEW, index, i, NULL);
        if (strcmp(status, "unstarted") != 0) {
            add(script, at_ms + 20 * 60000, DEED_REVIEW_STATUS, index, i, "in_review");
        }
        if (strcmp(status, "pass") == 0 || strcmp(status, "revise") == 0) {
            add(script, at_ms + 80 * 60000, DEED_REVIEW_STATUS, index, i, status);
        }
    }
    if (story->blocker.text != NULL) {
        gint64 at_ms = sample_instant_ms(script->time,
                                         MAX(story->created - story->blocker.after, 2), AT(9, 40));
        at_ms = MAX(at_ms, first_ms);
        add(script, at_ms, DEED_BLOCK, index, 0, NULL);
        if (story->blocker.resolved) {
            add(script, at_ms + 26 * 3600000, DEED_UNBLOCK, index, 0, NULL);
        }
    }
}

static void
add_story(Script *script, guint index)
{
    const SampleStory *story = script_story(index);
    gint64 created_ms =
        sample_instant_ms(script->time, story->created, AT(9, (int)(index * 7 % 60)));
    gint64 at_ms = created_ms;
    add(script, created_ms, DEED_CREATE, index, 0, NULL);
    if (story->points >= 0) {
        at_ms += 13 * GAP_MS;
        add(script, at_ms, DEED_ESTIMATE, index, 0, NULL);
    }
    Step steps[MAX_STEPS];
    guint n_steps = plan_steps(story, steps);
    for (guint i = 0; i < n_steps; i++) {
        int minute = steps[i].minute + (int)(index % 23);
        at_ms = MAX(at_ms + GAP_MS,
                    sample_instant_ms(script->time, MIN(steps[i].day, story->created), minute));
        add(script, at_ms, DEED_STATE, index, 0, steps[i].state);
    }
    add_small_deeds(script, index, created_ms);
}

static gint
compare_deeds(gconstpointer a, gconstpointer b)
{
    const Deed *left = a;
    const Deed *right = b;
    if (left->at_ms != right->at_ms) {
        return left->at_ms < right->at_ms ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

GArray *
script_new(const SampleTime *time)
{
    Script script = {.time = time, .deeds = g_array_new(FALSE, FALSE, sizeof(Deed))};
    for (guint i = 0; i < sample_n_epics; i++) {
        const SampleEpic *epic = &sample_epics[i];
        add(&script, sample_instant_ms(time, epic->created, AT(8, 10 + (int)i)), DEED_EPIC, i, 0,
            NULL);
        if (epic->comment != NULL) {
            add(&script, sample_instant_ms(time, epic->created / 2, AT(15, 5)), DEED_EPIC_COMMENT,
                i, 0, NULL);
        }
    }
    for (guint i = 0; i < script_n_stories(); i++) {
        add_story(&script, i);
    }
    add(&script, sample_instant_ms(time, (SAMPLE_OVERRIDE_WEEKS_AGO + 1) * 7, AT(9, 2)),
        DEED_OVERRIDE, 0, 0, NULL);
    g_array_sort(script.deeds, compare_deeds);
    return script.deeds;
}

/* sync_run: what every run of sync is made of: requests out, judged answers back on the clerk's
 * thread.
 *
 * Private to cache/sync*.c. A run counts the requests it waits for. When none is left `on_idle` is
 * called: it sends the next stage, or finishes and frees the run. A run that failed (run->error)
 * ignores what else arrives and reaches `on_idle` when all have. Threads: the clerk's only. */
#pragma once

#include "cache/api.h"
#include "cache/model_json.h"
#include "cache/overlay_view.h"
#include "cache/pages.h"
#include "cache/sync.h"

typedef enum { LEVEL_STORIES, LEVEL_EPICS, LEVEL_ITERATIONS, N_LEVELS } LevelKind;
#define LEVEL_FIXED N_LEVELS /* the request has no levels */

/* What the clerk knows of a project beside what is published. */
typedef struct ProjectSync {
    gint64 id;
    gboolean loaded;      /* the store was looked into */
    Project *project;     /* as published; NULL */
    gint64 filled_ms;     /* wall clock of the last complete listing */
    gint64 iterations_ms; /* wall clock of their last fetch */
    gint64
        activity_version; /* up to which the project's activity is stored; 0 none, -1 not looked */
    guint older_answers;  /* in a row: answers with a version below ours */
} ProjectSync;

struct Sync {
    SyncParts parts;
    gint64 *project_ids;
    gboolean closing;
    guint levels[N_LEVELS];
    GHashTable *projects; /* id in the ProjectSync to ProjectSync */
    CacheListener listener;
    OverlayView *view;
    gboolean is_looking, cannot_look; /* sync_poll.c: at all projects at once */
    gint64 looked_ms;                 /* when the last such look was sent; monotonic */
    gint64
        looked_until_ms; /* the time of the latest change that it showed, as the service tells it */
};

typedef struct Run Run;
typedef HttpRequest *(*RunBuildFn)(Run *run, guint level, gint64 tag);
/* `response` is a 200 with JSON. Returns FALSE with `error` to fail the run. */
typedef gboolean (*RunAnswerFn)(Run *run, const HttpResponse *response, gint64 tag, GError **error);
/* One kind of request of a run. */
typedef struct RunStep {
    const char *what; /* for messages: "stories" */
    LevelKind level;
    RunBuildFn build;
    RunAnswerFn answer;
} RunStep;

struct Run {
    Sync *sync;
    CacheKey key;
    Priority priority;
    guint pending;
    GError *error;
    void (*on_idle)(Run *run);
    gint64 min_version, max_version; /* of the answers; -1: none told */
    gint64 sent_ms;                  /* when the last request went out */
    Project *into;                   /* under construction; run_fetch_iterations() fills it */
    Pages iterations;
    const char *iterations_scope; /* NULL: all */
    guint n_kept_iterations;
};

void run_init(Run *run, Sync *sync, CacheKey key, Priority priority, void (*on_idle)(Run *run));
void run_clear(Run *run);
/* `step` is static. */
void run_send(Run *run, const RunStep *step, gint64 tag);
/* Calls on_idle when nothing is pending: after a stage that may have sent nothing. */
void run_settle(Run *run);
void run_fail(Run *run, const GError *error);

/* Shared steps: each parses into run->into. Iterations replace what is there. */
extern const RunStep run_step_project, run_step_members, run_step_labels, run_step_epics;
void run_fetch_iterations(Run *run);
/* Only the current one and the backlog; the done ones stay as they are in run->into. */
void run_fetch_coming_iterations(Run *run);

ProjectSync *sync_get_project(Sync *sync, gint64 id);
/* sync_publish.c. In one transaction writes `project` with all its rows in order and the stories of
 * `changed` (of ParsedStory; may be NULL), publishes it, tells the listener, and finishes nothing.
 */
gboolean sync_publish(Sync *sync, ProjectSync *known, Project *project, GPtrArray *changed,
                      gint64 sent_ms, GError **error);
void sync_publish_account(Sync *sync, Account *account, gint64 confirmed_ms, gint64 checked_ms);
/* sync_edits.c. The edits that a project shows once `base` is published (NULL: as it is), asked for
 * at `asked_ms`: all but those that retire. Of Edit; NULL: none. */
GPtrArray *sync_edits_of(Sync *sync, gint64 project_id, const Project *base, gint64 asked_ms);
Project *sync_view(Sync *sync, Project *base, const GPtrArray *edits, const GPtrArray *changed);
/* A story as readers see it: `story` (NULL: the server has none) with those of `edits` that concern
 * `id`. A new reference, NULL: none. */
Story *sync_view_story(Sync *sync, Project *base, const GPtrArray *edits, Story *story, gint64 id);
/* After `base` was published: lets go of the edits that it shows by itself. */
void sync_retire(Sync *sync, const Project *base, gint64 asked_ms);
/* After a check that found nothing new: the same, and publishes without them. */
void sync_retire_and_show(Sync *sync, ProjectSync *known, gint64 asked_ms);
/* A monotonic time as wall clock. */
gint64 sync_wall_of(gint64 monotonic_ms);
/* TRUE when `parsed` is what `base` has already; its row is then the one of `base`, so that equal
 * is seen by pointer. */
gboolean sync_is_unchanged(ParsedStory *parsed, const Project *base);

/* sync_fill.c: `known->project` may be there (a refill). Ends in index_finish(). */
void sync_fill(Sync *sync, ProjectSync *known, Priority priority, guint attempt);

/* sync_delta.c. Asks for the activity since the version of what is published, and follows it. */
void sync_check(Sync *sync, ProjectSync *known, Priority priority);
/* TRUE when a complete listing is due, for what moves no version. */
gboolean sync_wants_sweep(const Sync *sync, const ProjectSync *known);
/* For a fill during which the version moved: `base` (a reference, taken over) has what came, as of
 * `base->version` or later; the delta makes it whole, or the fill is tried again (`attempt`).
 * `filled` (taken over): those of its stories that are not stored yet. */
void sync_settle_fill(Sync *sync, ProjectSync *known, Priority priority, guint attempt,
                      Project *base, GPtrArray *filled);

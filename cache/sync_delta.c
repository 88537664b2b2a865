/* The way from one version of a project to the next, by its activity.
 *
 *   asked for activity since V -> nothing, same version      -> confirmed (and perhaps a sweep)
 *                              -> entries for each version   -> their stories by `bulk`, and the
 * lists that they touch
 *                              -> anything unexplained       -> the whole project again, behind the
 * readers
 *
 * The same run settles a fill during which the version moved: then what it starts from is not
 * published yet, and what comes out must also have as many stories as the service counts, with
 * those that have no id. Stories that `bulk` does not give back are gone. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/log.h"

#define FILL_ATTEMPTS 3
#define OLDER_ANSWERS_MAX 3
#define SWEEP_MIN_MS (15 * 60 * 1000)
#define SWEEP_TTL_FACTOR 10

typedef struct Delta {
    Run run; /* first: a Run * of a delta is a Delta * */
    ProjectSync *known;
    Project *base; /* what the delta starts from; a reference */
    gboolean settles_fill;
    guint attempt; /* of the fill that is settled */
    gboolean fetching;
    GPtrArray *activities; /* of ParsedActivity */
    gint64 activity_total;
    gint64 version; /* that the activity answer told */
    gint64 asked_ms;
    GArray *ids;        /* touched stories, sorted, unique */
    GHashTable *parsed; /* id in it to ParsedStory */
    guint n_left_out;   /* that came without an id */
    gint64 n_counted;   /* stories that the service counts; -1 unknown */
    GPtrArray *filled;  /* of ParsedStory: changed ones of the fill that is settled; NULL */
} Delta;

static void
delta_free(Delta *delta)
{
    run_clear(&delta->run);
    project_unref(delta->base);
    if (delta->activities) {
        g_ptr_array_unref(delta->activities);
    }
    g_array_unref(delta->ids);
    g_hash_table_unref(delta->parsed);
    if (delta->filled) {
        g_ptr_array_unref(delta->filled);
    }
    g_free(delta);
}

static void
delta_end(Delta *delta, const GError *error)
{
    index_finish(delta->run.sync->parts.index, delta->run.key, error);
    delta_free(delta);
}

/* A line for each change, oldest first: the activity as the service tells it. */
static void
note_events(const Delta *delta)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = delta->activities ? delta->activities->len : 0; i > 0; i--) {
        const ParsedActivity *activity = g_ptr_array_index(delta->activities, i - 1);
        if (activity->version > delta->base->version && activity->line.data) {
            g_string_append_len(lines, activity->line.data, (gssize)activity->line.length);
            g_string_append_c(lines, '\n');
        }
    }
    events_append(delta->run.sync->parts.events, lines);
}

/* What the activity cannot explain is fetched whole. */
static void
delta_refill(Delta *delta, const char *why)
{
    Sync *sync = delta->run.sync;
    log_debug(LOG_SYNC, "project %" G_GINT64_FORMAT ": %s, everything again", delta->known->id,
              why);
    if (delta->settles_fill) {
        if (delta->attempt >= FILL_ATTEMPTS) {
            g_autoptr(GError) error =
                g_error_new(ERR, ERR_PROTOCOL,
                            "project %" G_GINT64_FORMAT
                            ": incomplete listing: it changed each time it was read (%s)",
                            delta->known->id, why);
            index_set_progress(sync->parts.index, delta->known->id, FILL_FAILED, 0, 0);
            delta_end(delta, error);
            return;
        }
        sync_fill(sync, delta->known, delta->run.priority, delta->attempt + 1);
    } else {
        note_events(delta);
        index_refilling(sync->parts.index, delta->run.key);
        sync_fill(sync, delta->known, PRIORITY_PREFETCH, 1);
    }
    delta_free(delta);
}

/* --- The activity --- */

static HttpRequest *
build_activity(Run *run, guint level, gint64 tag)
{
    const Delta *delta = (Delta *)run;
    (void)level;
    (void)tag;
    return api_get_activity(run->key.id, 'p', run->key.id, delta->base->version, 0);
}

static gboolean
answer_activity(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    Delta *delta = (Delta *)run;
    (void)tag;
    delta->activities = model_parse_activities(response->body, response->body_bytes, error);
    delta->activity_total = response->total;
    delta->version = response->project_version;
    delta->asked_ms = run->sent_ms;
    return delta->activities != NULL;
}

static const RunStep step_activity = {"activity", LEVEL_FIXED, build_activity, answer_activity};

/* --- What it names --- */

static HttpRequest *
build_bulk(Run *run, guint level, gint64 tag)
{
    const Delta *delta = (Delta *)run;
    guint n = MIN(delta->ids->len - (guint)tag, API_BULK_MAX);
    return api_get_bulk(run->key.id, level, &g_array_index(delta->ids, gint64, tag), n);
}

static gboolean
answer_bulk(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    Delta *delta = (Delta *)run;
    (void)tag;
    guint n_left_out;
    g_autoptr(GPtrArray) stories =
        model_parse_stories(response->body, response->body_bytes, &n_left_out, error);
    if (!stories) {
        return FALSE;
    }
    delta->n_left_out += n_left_out;
    while (stories->len > 0) {
        ParsedStory *parsed = g_ptr_array_steal_index(stories, stories->len - 1);
        if (parsed->story->project_id != 0 && parsed->story->project_id != run->key.id) {
            parsed_story_free(parsed); /* it moved away */
            continue;
        }
        (void)sync_is_unchanged(parsed, delta->base);
        (void)g_hash_table_replace(delta->parsed, &parsed->story->id, parsed);
    }
    return TRUE;
}

static const RunStep step_bulk = {"changed stories", LEVEL_STORIES, build_bulk, answer_bulk};

static HttpRequest *
build_count(Run *run, guint level, gint64 tag)
{
    (void)level;
    (void)tag;
    return api_get_stories(run->key.id, API_LEVELS - 1, 0, 0);
}

static gboolean
answer_count(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    (void)tag;
    (void)error;
    ((Delta *)run)->n_counted = response->total;
    return TRUE;
}

static const RunStep step_count = {"number of stories", LEVEL_FIXED, build_count, answer_count};

static gint
compare_ids(gconstpointer a, gconstpointer b)
{
    gint64 left = *(const gint64 *)a;
    gint64 right = *(const gint64 *)b;
    return left < right ? -1 : left > right;
}

static void
sort_unique_ids(GArray *ids)
{
    guint kept = 0;
    g_array_sort(ids, compare_ids);
    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);
        if (kept == 0 || g_array_index(ids, gint64, kept - 1) != id) {
            g_array_index(ids, gint64, kept++) = id;
        }
    }
    (void)g_array_set_size(ids, kept);
}

/* TRUE when an iteration ended since they were last fetched: a rollover moves no version. */
static gboolean
iterations_rolled_over(const Delta *delta)
{
    const Iteration *current = project_find_iteration(delta->base, delta->base->current_iteration);
    return current && delta->known->iterations_ms < current->finish_ms &&
           clock_wall_ms() >= current->finish_ms;
}

/* Changed stories change the plan of the current iteration and the backlog; what is done stays,
 * unless the project's settings, a rollover or an acceptance back then changed it. */
static void
fetch_plan(Delta *delta, gboolean project)
{
    const Project *base = delta->base;
    const Iteration *current = project_find_iteration(base, base->current_iteration);
    gboolean all = project || delta->settles_fill || !current;
    for (guint i = 0; current && i < delta->activities->len; i++) {
        const ParsedActivity *activity = g_ptr_array_index(delta->activities, i);
        all |= activity->oldest_acceptance_ms > 0 &&
               activity->oldest_acceptance_ms < current->start_ms;
    }
    delta->known->iterations_ms = clock_wall_ms();
    if (all) {
        run_fetch_iterations(&delta->run);
    } else {
        run_fetch_coming_iterations(&delta->run);
    }
}

static void
fetch_touched(Delta *delta)
{
    Run *run = &delta->run;
    gboolean labels = FALSE;
    gboolean epics = FALSE;
    gboolean members = FALSE;
    gboolean project = iterations_rolled_over(delta);
    for (guint i = 0; i < delta->activities->len; i++) {
        const ParsedActivity *activity = g_ptr_array_index(delta->activities, i);
        g_array_append_vals(delta->ids, activity->story_ids, activity->n_story_ids);
        labels |= activity->touches_labels;
        epics |= activity->touches_epics;
        members |= activity->touches_members;
        project |= activity->touches_project;
    }
    sort_unique_ids(delta->ids);
    delta->fetching = TRUE;
    run->into = project_copy(delta->base);
    for (guint at = 0; at < delta->ids->len; at += API_BULK_MAX) {
        run_send(run, &step_bulk, at);
    }
    const struct {
        gboolean wanted;
        const RunStep *step;
    } lists[] = {
        {labels, &run_step_labels},         {epics, &run_step_epics},
        {members, &run_step_members},       {project, &run_step_project},
        {delta->settles_fill, &step_count},
    };
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (lists[i].wanted) {
            run_send(run, lists[i].step, 0);
        }
    }
    if (delta->ids->len > 0 || project) {
        fetch_plan(delta, project);
    }
    run_settle(run);
}

/* --- The board order --- */

static gboolean
find_row(const GPtrArray *rows, gint64 id, guint *ret_at)
{
    for (guint i = 0; id != 0 && i < rows->len; i++) {
        if (((const StoryRow *)g_ptr_array_index(rows, i))->id == id) {
            *ret_at = i;
            return TRUE;
        }
    }
    return FALSE;
}

/* Puts one story beside a neighbour that is in place already. */
static gboolean
place_by_neighbour(GPtrArray *rows, const ParsedStory *parsed)
{
    guint at;
    if (find_row(rows, parsed->before_id, &at)) {
        g_ptr_array_insert(rows, (gint)at, story_row_ref(parsed->row));
        return TRUE;
    }
    if (find_row(rows, parsed->after_id, &at)) {
        g_ptr_array_insert(rows, (gint)at + 1, story_row_ref(parsed->row));
        return TRUE;
    }
    return FALSE;
}

/* The rows of the base without the touched ones. A story whose neighbours were not told keeps its
 * place. */
static GPtrArray *
untouched_rows(const Delta *delta)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)story_row_unref);
    for (guint i = 0; i < delta->base->n_stories; i++) {
        StoryRow *row = delta->base->stories[i];
        gint64 id = row->id;
        const ParsedStory *parsed = g_hash_table_lookup(delta->parsed, &id);
        if (parsed && parsed->before_id == 0 && parsed->after_id == 0) {
            g_ptr_array_add(rows, story_row_ref(parsed->row));
        } else if (!parsed && !g_array_binary_search(delta->ids, &id, compare_ids, NULL)) {
            g_ptr_array_add(rows, story_row_ref(row));
        }
    }
    return rows;
}

/* A neighbour may itself be among the changed: it is placed first, in as many rounds as that takes.
 */
static GPtrArray *
ordered_rows(const Delta *delta)
{
    GPtrArray *rows = untouched_rows(delta);
    g_autoptr(GPtrArray) waiting = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, delta->parsed);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const ParsedStory *parsed = value;
        guint at;
        if (!find_row(rows, parsed->row->id, &at)) {
            g_ptr_array_add(waiting, value);
        }
    }
    for (gboolean progress = TRUE; progress && waiting->len > 0;) {
        progress = FALSE;
        for (guint i = waiting->len; i > 0; i--) {
            if (place_by_neighbour(rows, g_ptr_array_index(waiting, i - 1))) {
                (void)g_ptr_array_remove_index_fast(waiting, i - 1);
                progress = TRUE;
            }
        }
    }
    for (guint i = 0; i < waiting->len; i++) {
        const ParsedStory *parsed = g_ptr_array_index(waiting, i);
        g_ptr_array_add(rows, story_row_ref(parsed->row));
    }
    return rows;
}

/* --- The end --- */

/* The project's own activity is on the way here anyway: its file goes on without a request, when it
 * was complete. */
static void
keep_activity(Delta *delta)
{
    Store *store = delta->run.sync->parts.store;
    ProjectSync *known = delta->known;
    g_autoptr(GError) error = NULL;
    if (known->activity_version <= 0 || known->activity_version != delta->base->version ||
        !store_begin(store, &error)) {
        return;
    }
    if (store_put_activity(store, 'p', known->id, delta->version, delta->activities, &error) &&
        store_commit(store, &error)) {
        known->activity_version = delta->version;
        return;
    }
    store_rollback(store);
    log_debug(LOG_SYNC, "%s", error->message);
}

/* What is to be stored: what the fill before left for the end, and what came now. */
static GPtrArray *
changed_stories(Delta *delta)
{
    GPtrArray *changed = g_ptr_array_new();
    for (guint i = 0; delta->filled && i < delta->filled->len; i++) {
        ParsedStory *parsed = g_ptr_array_index(delta->filled, i);
        if (!g_array_binary_search(delta->ids, &parsed->row->id, compare_ids, NULL)) {
            g_ptr_array_add(changed, parsed);
        }
    }
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, delta->parsed);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (!sync_is_unchanged(value, delta->known->project)) {
            g_ptr_array_add(changed, value);
        }
    }
    return changed;
}

/* Which story it is that came without an id nobody can tell. At least so many are left out; the
 * next complete listing counts them all. */
static guint
count_left_out(const Delta *delta)
{
    guint lost = 0;
    for (guint i = 0; i < delta->ids->len; i++) {
        const gint64 id = g_array_index(delta->ids, gint64, i);
        lost += project_find_story(delta->base, id) && !g_hash_table_lookup(delta->parsed, &id);
    }
    return MAX(delta->base->left_out[LEFT_OUT_STORIES] + MIN(lost, delta->n_left_out),
               delta->n_left_out);
}

static void
delta_apply(Delta *delta)
{
    Run *run = &delta->run;
    g_autoptr(GError) error = NULL;
    project_set_stories(run->into, ordered_rows(delta));
    run->into->left_out[LEFT_OUT_STORIES] = count_left_out(delta);
    if (delta->settles_fill && delta->n_counted >= 0 &&
        delta->n_counted != (gint64)run->into->n_stories + run->into->left_out[LEFT_OUT_STORIES]) {
        delta_refill(delta, "the number of stories differs");
        return;
    }
    run->into->version = delta->version >= 0 ? delta->version : run->into->version;
    g_autoptr(GPtrArray) changed = changed_stories(delta);
    keep_activity(delta);
    if (sync_publish(run->sync, delta->known, run->into, changed, delta->asked_ms, &error) &&
        !delta->settles_fill) {
        note_events(delta);
    }
    delta_end(delta, error);
}

gboolean
sync_wants_sweep(const Sync *sync, const ProjectSync *known)
{
    const gint64 period_ms = MAX((gint64)SWEEP_MIN_MS, sync->parts.ttl_ms * SWEEP_TTL_FACTOR);
    const gint64 age_ms = clock_wall_ms() - known->filled_ms;
    return age_ms > period_ms || age_ms < 0;
}

static void
delta_confirm(Delta *delta)
{
    Sync *sync = delta->run.sync;
    g_autoptr(GError) error = NULL;
    gint64 checked_ms = clock_wall_ms() - (clock_monotonic_ms() - delta->asked_ms);
    index_touch_project(sync->parts.index, delta->known->id, delta->asked_ms, checked_ms);
    if (store_begin(sync->parts.store, &error) &&
        (!store_touch_project(sync->parts.store, delta->known->id, checked_ms, &error) ||
         !store_commit(sync->parts.store, &error))) {
        store_rollback(sync->parts.store);
    }
    if (error) {
        /* Only a remount would have profited. */
        log_debug(LOG_SYNC, "%s", error->message);
    }
    sync_retire_and_show(sync, delta->known, delta->asked_ms);
    if (sync_wants_sweep(sync, delta->known)) {
        delta_refill(delta, "the time for a sweep has come");
        return;
    }
    delta_end(delta, NULL);
}

/* Every version from the base's on has its entry, or nothing moved. NULL: explained; else what is
 * odd. */
static const char *
what_is_unexplained(const Delta *delta)
{
    gint64 from = delta->base->version;
    gint64 last = from;
    g_autoptr(GArray) versions = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < delta->activities->len; i++) {
        gint64 version = ((const ParsedActivity *)g_ptr_array_index(delta->activities, i))->version;
        if (version > from) {
            g_array_append_val(versions, version);
            last = MAX(last, version);
        }
    }
    sort_unique_ids(versions);
    if (delta->activities->len >= API_ACTIVITIES_PER_PAGE ||
        delta->activity_total > (gint64)delta->activities->len) {
        return "more changes than one page holds";
    }
    if (MAX(last, delta->version) - from != (gint64)versions->len) {
        return "versions without an activity";
    }
    return NULL;
}

static void
delta_read_activity(Delta *delta)
{
    ProjectSync *known = delta->known;
    if (delta->version >= 0 && delta->version < delta->base->version) {
        /* A replica that lags; or a service that was set back, when it goes on saying so. */
        if (++known->older_answers >= OLDER_ANSWERS_MAX) {
            known->older_answers = 0;
            delta_refill(delta, "the version went back");
        } else {
            delta_confirm(delta);
        }
        return;
    }
    known->older_answers = 0;
    const char *odd = what_is_unexplained(delta);
    if (odd) {
        delta_refill(delta, odd);
        return;
    }
    if (delta->activities->len == 0 && !delta->settles_fill && !iterations_rolled_over(delta)) {
        delta_confirm(delta);
        return;
    }
    fetch_touched(delta);
}

static void
delta_on_idle(Run *run)
{
    Delta *delta = (Delta *)run;
    if (run->error) {
        gboolean cannot_tell = !delta->fetching && (run->error->code == ERR_NOT_FOUND ||
                                                    run->error->code == ERR_INVALID);
        if (cannot_tell && !run->sync->closing) {
            delta_refill(delta, "its activity cannot be read");
        } else {
            if (delta->settles_fill) {
                index_set_progress(run->sync->parts.index, run->key.id, FILL_FAILED, 0, 0);
            }
            delta_end(delta, run->error);
        }
    } else if (delta->fetching) {
        delta_apply(delta);
    } else {
        delta_read_activity(delta);
    }
}

static Delta *
delta_new(Sync *sync, ProjectSync *known, Priority priority, Project *base)
{
    Delta *delta = g_new0(Delta, 1);
    run_init(&delta->run, sync, (CacheKey){CACHE_PROJECT, known->id}, priority, delta_on_idle);
    delta->known = known;
    delta->base = base;
    delta->n_counted = -1;
    delta->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    delta->parsed =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)parsed_story_free);
    return delta;
}

void
sync_check(Sync *sync, ProjectSync *known, Priority priority)
{
    Delta *delta = delta_new(sync, known, priority, project_ref(known->project));
    run_send(&delta->run, &step_activity, 0);
}

void
sync_settle_fill(Sync *sync, ProjectSync *known, Priority priority, guint attempt, Project *base,
                 GPtrArray *filled)
{
    Delta *delta = delta_new(sync, known, priority, base);
    delta->settles_fill = TRUE;
    delta->filled = filled;
    delta->attempt = attempt;
    run_send(&delta->run, &step_activity, 0);
}

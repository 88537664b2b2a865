/* A Call carries one request from the clerk to the transport and its answer back as a job. A 400
 * for a request whose fields have levels is asked again one level on, and the level is kept for the
 * next. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/log.h"

typedef struct Call {
    Run *run;
    const RunStep *step;
    gint64 tag;
    guint level;
    HttpResponse *response;
    GError *error;
} Call;

void
run_init(Run *run, Sync *sync, CacheKey key, Priority priority, void (*on_idle)(Run *run))
{
    run->sync = sync;
    run->key = key;
    run->priority = priority;
    run->on_idle = on_idle;
    run->min_version = run->max_version = -1;
}

void
run_clear(Run *run)
{
    g_clear_error(&run->error);
    project_unref(run->into);
}

void
run_fail(Run *run, const GError *error)
{
    if (!run->error) {
        run->error = g_error_copy(error);
    }
}

void
run_settle(Run *run)
{
    if (run->pending == 0) {
        run->on_idle(run);
    }
}

static void
note_version(Run *run, gint64 version)
{
    if (version < 0) {
        return;
    }
    run->min_version = run->min_version < 0 ? version : MIN(run->min_version, version);
    run->max_version = MAX(run->max_version, version);
}

static gboolean
call_wants_next_level(const Call *call, const GError *error)
{
    return error->code == ERR_INVALID && call->step->level < N_LEVELS &&
           call->level + 1 < API_LEVELS;
}

static void
call_judge(Call *call)
{
    Run *run = call->run;
    g_autoptr(GError) error = NULL;
    g_autofree char *what =
        run->key.kind == CACHE_ACCOUNT
            ? g_strdup(call->step->what)
            : g_strdup_printf("project %" G_GINT64_FORMAT ", %s",
                              run->into ? run->into->id : run->key.id, call->step->what);
    if (api_check(call->response, call->error, what, &error)) {
        note_version(run, call->response->project_version);
        if (!call->step->answer(run, call->response, call->tag, &error)) {
            g_prefix_error(&error, "%s: ", what);
        }
    } else if (call_wants_next_level(call, error)) {
        guint *level = &run->sync->levels[call->step->level];
        log_debug(LOG_SYNC, "%s; asking with fewer fields", error->message);
        *level = MAX(*level, call->level + 1);
        run_send(run, call->step, call->tag);
        return;
    }
    if (error) {
        run_fail(run, error);
    }
}

static void
call_finish(gpointer user)
{
    Call *call = user;
    Run *run = call->run;
    if (!run->error) {
        call_judge(call);
    }
    http_response_free(call->response);
    g_clear_error(&call->error);
    g_free(call);
    run->pending--;
    run_settle(run);
}

static void
call_done(HttpResponse *response, const GError *error, gpointer user)
{
    Call *call = user;
    call->response = response;
    call->error = error ? g_error_copy(error) : NULL;
    clerk_post(call->run->sync->parts.clerk, call->run->priority, call_finish, call);
}

void
run_send(Run *run, const RunStep *step, gint64 tag)
{
    Sync *sync = run->sync;
    Call *call = g_new0(Call, 1);
    g_assert(clerk_is_current(sync->parts.clerk));
    call->run = run;
    call->step = step;
    call->tag = tag;
    call->level = step->level < N_LEVELS ? sync->levels[step->level] : 0;
    run->pending++;
    if (sync->closing) {
        g_autoptr(GError) error = g_error_new(ERR, ERR_CANCELLED, "the mount is ending");
        call_done(NULL, error, call);
        return;
    }
    HttpRequest *request = step->build(run, call->level, tag);
    run->sent_ms = clock_monotonic_ms();
    request->priority = run->priority;
    request->deadline_ms = run->sent_ms + sync->parts.timeout_ms;
    sync->parts.transport->send(sync->parts.transport, request, call_done, call);
}

static HttpRequest *
build_project(Run *run, guint level, gint64 tag)
{
    (void)level;
    (void)tag;
    return api_get_project(run->into->id);
}

static gboolean
answer_project(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    (void)tag;
    gint64 id = run->into->id;
    if (!model_parse_project(run->into, response->body, response->body_bytes, error)) {
        return FALSE;
    }
    if (run->into->id != id) {
        g_set_error(error, ERR, ERR_PROTOCOL, "the answer is about another project");
        run->into->id = id;
        return FALSE;
    }
    return TRUE;
}

static HttpRequest *
build_members(Run *run, guint level, gint64 tag)
{
    (void)level;
    (void)tag;
    return api_get_members(run->into->id);
}

static gboolean
answer_members(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    (void)tag;
    return model_parse_members(run->into, response->body, response->body_bytes, error);
}

static HttpRequest *
build_labels(Run *run, guint level, gint64 tag)
{
    (void)level;
    (void)tag;
    return api_get_labels(run->into->id);
}

static gboolean
answer_labels(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    (void)tag;
    return model_parse_labels(run->into, response->body, response->body_bytes, error);
}

static HttpRequest *
build_epics(Run *run, guint level, gint64 tag)
{
    (void)tag;
    return api_get_epics(run->into->id, level);
}

static gboolean
answer_epics(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    (void)tag;
    return model_parse_epics(run->into, response->body, response->body_bytes, error);
}

const RunStep run_step_project = {"project", LEVEL_FIXED, build_project, answer_project};
const RunStep run_step_members = {"memberships", LEVEL_FIXED, build_members, answer_members};
const RunStep run_step_labels = {"labels", LEVEL_FIXED, build_labels, answer_labels};
const RunStep run_step_epics = {"epics", LEVEL_EPICS, build_epics, answer_epics};

static HttpRequest *
build_iterations(Run *run, guint level, gint64 tag)
{
    return api_get_iterations(run->into->id, level, (guint)tag, run->iterations_scope);
}

static gboolean answer_iterations(Run *run, const HttpResponse *response, gint64 tag,
                                  GError **error);

static const RunStep step_iterations = {"iterations", LEVEL_ITERATIONS, build_iterations,
                                        answer_iterations};

static gboolean
answer_iterations(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    Project *into = run->into;
    guint before = into->n_iterations;
    guint offset;
    if (!model_parse_iterations(into, response->body, response->body_bytes, error)) {
        return FALSE;
    }
    guint n_new = into->n_iterations - before;
    guint n_items = response->returned > 0 ? (guint)MIN(response->returned, G_MAXINT) : n_new;
    pages_note(&run->iterations, response, (guint)tag, n_items, n_new);
    while (pages_take(&run->iterations, &offset)) {
        run_send(run, &step_iterations, offset);
    }
    guint n_listed = into->n_iterations - run->n_kept_iterations;
    if (run->iterations.in_flight == 0 && run->iterations.total > n_listed) {
        g_set_error(error, ERR, ERR_PROTOCOL,
                    "incomplete listing: %u of %" G_GINT64_FORMAT " iterations", n_listed,
                    run->iterations.total);
        return FALSE;
    }
    return TRUE;
}

/* Moves the iterations from the one at `kept` on out of the way, so that those that are no longer
 * listed go. */
static void
drop_iterations(Project *project, guint kept)
{
    g_autoptr(Project) bin = project_new(project->id);
    bin->n_iterations = project->n_iterations - kept;
    bin->iterations = g_new0(Iteration, bin->n_iterations + 1);
    for (guint i = 0; i < bin->n_iterations; i++) {
        bin->iterations[i] = project->iterations[kept + i];
    }
    project->n_iterations = kept;
}

static void
fetch_iterations(Run *run, const char *scope, guint kept)
{
    guint offset;
    run->iterations_scope = scope;
    run->n_kept_iterations = kept;
    drop_iterations(run->into, kept);
    pages_init(&run->iterations, API_ITERATIONS_PER_PAGE);
    while (pages_take(&run->iterations, &offset)) {
        run_send(run, &step_iterations, offset);
    }
}

void
run_fetch_iterations(Run *run)
{
    fetch_iterations(run, NULL, 0);
}

void
run_fetch_coming_iterations(Run *run)
{
    guint kept = 0;
    while (kept < run->into->n_iterations &&
           run->into->iterations[kept].number < run->into->current_iteration) {
        kept++;
    }
    fetch_iterations(run, "current_backlog", kept);
}

/* The fill of a project: head, members, labels, epics, iterations and all stories, and the proof
 * that none is missing but those that came without an id, which are counted and left out.
 *
 * The first time, stories go to the store as their pages arrive, a transaction a page; only their
 * light rows stay in memory. When the project is published already, the stories that differ are
 * kept for the end instead, so that readers see the old state until they see the new. At the end:
 *   1. the version stood still, and ids, pages and total agree: published.
 *   2. the version stood still, and they do not agree: once more, then ERR_PROTOCOL.
 *   3. the version moved: the pages may overlap or have gaps. sync_settle_fill() applies what the
 * activity says since the smallest version seen and compares with a fresh total; no agreement: once
 * more. A project is never published with a story missing. */
#include "cache/sync_run.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/log.h"

#define ATTEMPTS 3

typedef struct Fill {
    Run run; /* first: a Run * of a fill is a Fill * */
    ProjectSync *known;
    guint attempt;
    Pages stories;
    GHashTable *rows_by_page; /* offset to GPtrArray of StoryRow */
    GHashTable *seen;         /* of gint64 *, in the rows */
    GPtrArray *changed;       /* of ParsedStory: to be stored at the end */
    guint n_rows, n_left_out;
    gboolean overlap;
} Fill;

static void
fill_free(Fill *fill)
{
    run_clear(&fill->run);
    g_hash_table_unref(fill->seen);
    g_hash_table_unref(fill->rows_by_page);
    if (fill->changed) {
        g_ptr_array_unref(fill->changed);
    }
    g_free(fill);
}

static HttpRequest *
build_stories(Run *run, guint level, gint64 tag)
{
    const Fill *fill = (Fill *)run;
    return api_get_stories(run->into->id, level, fill->stories.limit, (guint)tag);
}

static gboolean
store_page(Fill *fill, GPtrArray *page, GError **error)
{
    Store *store = fill->run.sync->parts.store;
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(guint64));
    if (!store_begin(store, error)) {
        return FALSE;
    }
    for (guint i = 0; i < page->len; i++) {
        const ParsedStory *parsed = g_ptr_array_index(page, i);
        guint64 key = (guint64)parsed->row->id;
        if (!store_put_story(store, parsed, error)) {
            store_rollback(store);
            return FALSE;
        }
        g_array_append_val(keys, key);
    }
    if (!store_commit(store, error)) {
        return FALSE;
    }
    lru_forget(fill->run.sync->parts.stories, (const guint64 *)(gconstpointer)keys->data,
               keys->len);
    return TRUE;
}

/* Keeps the rows of one page; returns how many ids are new. */
static guint
keep_rows(Fill *fill, GPtrArray *page, guint offset)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)story_row_unref);
    guint n_new = 0;
    for (guint i = 0; i < page->len; i++) {
        const ParsedStory *parsed = g_ptr_array_index(page, i);
        if (g_hash_table_contains(fill->seen, &parsed->row->id)) {
            fill->overlap = TRUE;
            continue;
        }
        StoryRow *row = story_row_ref(parsed->row);
        g_ptr_array_add(rows, row);
        (void)g_hash_table_add(fill->seen, &row->id);
        n_new++;
    }
    (void)g_hash_table_insert(fill->rows_by_page, GUINT_TO_POINTER(offset), rows);
    fill->n_rows += n_new;
    return n_new;
}

/* What is as it was gets the row of the published project. */
static void
compare_page(const Fill *fill, GPtrArray *page)
{
    for (guint i = 0; i < page->len; i++) {
        (void)sync_is_unchanged(g_ptr_array_index(page, i), fill->known->project);
    }
}

/* Takes over the stories that are to be stored at the end. */
static void
keep_changed(Fill *fill, GPtrArray *page)
{
    const Project *published = fill->known->project;
    while (published && page->len > 0) {
        ParsedStory *parsed = g_ptr_array_steal_index(page, page->len - 1);
        if (project_find_story(published, parsed->row->id) == parsed->row) {
            parsed_story_free(parsed);
        } else {
            g_ptr_array_add(fill->changed, parsed);
        }
    }
}

static gboolean answer_stories(Run *run, const HttpResponse *response, gint64 tag, GError **error);

static const RunStep step_stories = {"stories", LEVEL_STORIES, build_stories, answer_stories};

static gboolean
answer_stories(Run *run, const HttpResponse *response, gint64 tag, GError **error)
{
    Fill *fill = (Fill *)run;
    guint offset;
    guint n_left_out;
    g_autoptr(GPtrArray) page =
        model_parse_stories(response->body, response->body_bytes, &n_left_out, error);
    if (!page || (!fill->known->project && !store_page(fill, page, error))) {
        return FALSE;
    }
    const guint n_items = page->len + n_left_out;
    fill->n_left_out += n_left_out;
    if (fill->known->project) {
        compare_page(fill, page);
    }
    guint n_new = keep_rows(fill, page, (guint)tag);
    pages_note(&fill->stories, response, (guint)tag, n_items, n_new);
    keep_changed(fill, page);
    index_set_progress(run->sync->parts.index, run->key.id, FILL_RUNNING, fill->n_rows,
                       (guint)MAX(fill->stories.total, (gint64)fill->n_rows));
    while (pages_take(&fill->stories, &offset)) {
        run_send(run, &step_stories, offset);
    }
    return TRUE;
}

static gint
compare_offsets(gconstpointer a, gconstpointer b)
{
    guint left = GPOINTER_TO_UINT(a);
    guint right = GPOINTER_TO_UINT(b);
    return left < right ? -1 : left > right;
}

/* The rows of all pages, from top to bottom of the board. */
static GPtrArray *
all_rows(const Fill *fill)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)story_row_unref);
    g_autoptr(GList) offsets = g_hash_table_get_keys(fill->rows_by_page);
    offsets = g_list_sort(offsets, compare_offsets);
    for (GList *at = offsets; at; at = at->next) {
        GPtrArray *rows = g_hash_table_lookup(fill->rows_by_page, at->data);
        for (guint i = 0; i < rows->len; i++) {
            g_ptr_array_add(all, story_row_ref(g_ptr_array_index(rows, i)));
        }
    }
    return all;
}

static gboolean
fill_is_complete(const Fill *fill)
{
    if (fill->stories.total < 0) {
        /* A service without totals may also be one that ignores the offset and repeats itself. */
        return TRUE;
    }
    return !fill->overlap && !fill->stories.totals_differ &&
           (gint64)fill->n_rows + fill->n_left_out == fill->stories.total;
}

static void
fill_end(Fill *fill, const GError *error)
{
    Run *run = &fill->run;
    Sync *sync = run->sync;
    CacheKey key = run->key;
    if (error) {
        index_set_progress(sync->parts.index, key.id, FILL_FAILED, fill->n_rows,
                           (guint)MAX(fill->stories.total, (gint64)fill->n_rows));
    }
    index_finish(sync->parts.index, key, error);
    fill_free(fill);
}

static void
fill_again(Fill *fill)
{
    log_debug(LOG_SYNC, "project %" G_GINT64_FORMAT ": the listing moved, once more",
              fill->run.key.id);
    sync_fill(fill->run.sync, fill->known, fill->run.priority, fill->attempt + 1);
    fill_free(fill);
}

/* What a complete listing found though no activity told of it. */
static void
note_events(const Fill *fill)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (fill->changed->len == 0) {
        return;
    }
    g_string_append_printf(line,
                           "{\"kind\":\"listing_difference\",\"message\":\"found by a complete "
                           "listing\",\"project_id\":%" G_GINT64_FORMAT ",\"story_ids\":[",
                           fill->known->id);
    for (guint i = 0; i < fill->changed->len; i++) {
        const ParsedStory *parsed = g_ptr_array_index(fill->changed, i);
        g_string_append_printf(line, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", parsed->row->id);
    }
    g_string_append(line, "]}\n");
    events_append(fill->run.sync->parts.events, line);
}

static void
fill_publish(Fill *fill)
{
    Run *run = &fill->run;
    g_autoptr(GError) error = NULL;
    gboolean moved = run->min_version != run->max_version;
    fill->known->filled_ms = clock_wall_ms();
    fill->known->iterations_ms = fill->known->filled_ms;
    project_set_stories(run->into, all_rows(fill));
    run->into->left_out[LEFT_OUT_STORIES] = fill->n_left_out;
    if (run->max_version >= 0) {
        run->into->version = run->min_version;
    }
    if (moved) {
        sync_settle_fill(run->sync, fill->known, run->priority, fill->attempt,
                         g_steal_pointer(&run->into), g_steal_pointer(&fill->changed));
        fill_free(fill);
        return;
    }
    const gboolean is_first = !fill->known->project;
    if (sync_publish(run->sync, fill->known, run->into, fill->changed, run->sent_ms, &error) &&
        !is_first) {
        note_events(fill);
    }
    fill_end(fill, error);
}

static void
fill_on_idle(Run *run)
{
    Fill *fill = (Fill *)run;
    gboolean moved = run->min_version != run->max_version;
    gboolean may_repeat = fill->attempt < ATTEMPTS && !run->sync->closing;
    if (run->error) {
        if (moved && may_repeat && run->error->code == ERR_PROTOCOL) {
            fill_again(fill);
        } else {
            fill_end(fill, run->error);
        }
        return;
    }
    if (fill->n_rows == 0 && fill->n_left_out > 0) {
        g_autoptr(GError) error =
            g_error_new(ERR, ERR_PROTOCOL, "project %" G_GINT64_FORMAT ": stories: none has an id",
                        run->key.id);
        fill_end(fill, error);
        return;
    }
    if (moved || fill_is_complete(fill)) {
        fill_publish(fill);
        return;
    }
    if (fill->attempt < ATTEMPTS - 1 && may_repeat) {
        fill_again(fill);
        return;
    }
    g_autoptr(GError) error =
        g_error_new(ERR, ERR_PROTOCOL,
                    "project %" G_GINT64_FORMAT ": incomplete listing: %u different stories came, "
                    "the service says there are %" G_GINT64_FORMAT,
                    run->key.id, fill->n_rows, fill->stories.total);
    fill_end(fill, error);
}

void
sync_fill(Sync *sync, ProjectSync *known, Priority priority, guint attempt)
{
    Fill *fill = g_new0(Fill, 1);
    Run *run = &fill->run;
    guint offset;
    run_init(run, sync, (CacheKey){CACHE_PROJECT, known->id}, priority, fill_on_idle);
    run->into = project_new(known->id);
    fill->known = known;
    fill->attempt = attempt;
    fill->changed = g_ptr_array_new_with_free_func((GDestroyNotify)parsed_story_free);
    fill->seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    fill->rows_by_page = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    index_set_progress(sync->parts.index, known->id, FILL_RUNNING, 0, 0);
    run_send(run, &run_step_project, 0);
    pages_init(&fill->stories, API_STORIES_PER_PAGE);
    while (pages_take(&fill->stories, &offset)) {
        run_send(run, &step_stories, offset);
    }
    run_send(run, &run_step_members, 0);
    run_send(run, &run_step_labels, 0);
    run_send(run, &run_step_epics, 0);
    run_fetch_iterations(run);
}

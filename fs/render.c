/* Texts are given as they are, byte for byte, with nothing added: a copy of a file is the text.
 * Only a task gets its mark and a final newline, so that a task list reads as Markdown. */
#include "fs/render.h"

#include "fs/tree.h"

#include <jansson.h>
#include <string.h>

void
content_clear(Content *content)
{
    if (content->release) {
        content->release(content->owner);
    }
    *content = (Content){0};
}

Content
content_take(char *bytes, gsize length)
{
    return (Content){.data = bytes, .length = length, .owner = bytes, .release = g_free};
}

Content
render_text(const Text *text)
{
    return (Content){.data = text->data, .length = text->data ? text->length : 0};
}

Content
render_task(const Task *task)
{
    GString *line = g_string_sized_new(task->description.length + 8);
    g_string_append(line, task->complete ? "- [x] " : "- [ ] ");
    if (task->description.data) {
        g_string_append_len(line, task->description.data, (gssize)task->description.length);
    }
    g_string_append_c(line, '\n');
    const gsize length = line->len;
    return content_take(g_string_free(line, FALSE), length);
}

Content
render_line(const char *text)
{
    char *line = g_strconcat(text, "\n", NULL);
    return content_take(line, strlen(line));
}

/* Keys that could be no file name are left to the record itself. */
static gboolean
is_field_name(const char *key)
{
    g_autofree char *safe = tree_escape(key, TREE_NAME_BYTES, FALSE);
    return strcmp(safe, key) == 0;
}

/* One line: what would break it is shown as a space. The first of several counts. */
static void
add_field(const char *key, const char *value, gsize value_bytes, gpointer user)
{
    GHashTable *lines = user;
    if (!is_field_name(key) || g_hash_table_contains(lines, key)) {
        return;
    }
    char *line = g_malloc(value_bytes + 1);
    memcpy(line, value, value_bytes);
    line[value_bytes] = '\n';
    for (char *at = line; at < line + value_bytes; at++) {
        *at = *at == '\n' || *at == '\r' ? ' ' : *at;
    }
    (void)g_hash_table_insert(lines, g_strdup(key), g_bytes_new_take(line, value_bytes + 1));
}

/* Has a line: at least its newline. */
static gboolean
has_field(GHashTable *lines, const char *name)
{
    GBytes *line = name ? g_hash_table_lookup(lines, name) : NULL;
    return line && g_bytes_get_size(line) > 0;
}

GHashTable *
render_fields(const Text *record, EditOwner owner)
{
    const char *field;
    const char *other;
    GHashTable *lines =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    record_each_field(record, add_field, lines);
    /* What can be set and is not: a record leaves out what it has no value for. */
    for (guint i = 0; (field = edit_nth_field(owner, i, &other)); i++) {
        if (!has_field(lines, field) && !has_field(lines, other)) {
            (void)g_hash_table_insert(lines, g_strdup(field), g_bytes_new(NULL, 0));
        }
    }
    return lines;
}

gboolean
render_field(const Text *record, EditOwner owner, const char *name, Content *ret_content)
{
    g_autoptr(GHashTable) lines = render_fields(record, owner);
    GBytes *line = g_hash_table_lookup(lines, name);
    if (!line) {
        return FALSE;
    }
    ret_content->data = g_bytes_get_data(line, &ret_content->length);
    ret_content->owner = g_bytes_ref(line);
    ret_content->release = (GDestroyNotify)g_bytes_unref;
    return TRUE;
}

static json_t *
string_or_null(const char *text)
{
    json_t *string = text ? json_string(text) : NULL;
    return string ? string : json_null();
}

static json_t *
time_or_null(gint64 ms)
{
    g_autoptr(GDateTime) time = ms > 0 ? g_date_time_new_from_unix_utc(ms / 1000) : NULL;
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    return string_or_null(text);
}

static const char *
fill_word(FillState state)
{
    switch (state) {
    case FILL_NONE:
        return "none";
    case FILL_RUNNING:
        return "running";
    case FILL_DONE:
        return "done";
    case FILL_FAILED:
        return "failed";
    }
    return "none";
}

static json_t *
project_status(const CacheProjectStatus *project)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "id", json_integer(project->id));
    (void)json_object_set_new(object, "name", string_or_null(project->name));
    (void)json_object_set_new(object, "version", json_integer(project->version));
    (void)json_object_set_new(object, "fill", json_string(fill_word(project->state)));
    (void)json_object_set_new(object, "stories_done", json_integer(project->stories_done));
    (void)json_object_set_new(object, "stories_total", json_integer(project->stories_total));
    (void)json_object_set_new(object, "left_out", string_or_null(project->left_out));
    (void)json_object_set_new(object, "checked_at", time_or_null(project->checked_ms));
    (void)json_object_set_new(object, "last_error", string_or_null(project->last_error));
    return object;
}

static json_t *
request_status(const TransportStats *stats)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "sent", json_integer((json_int_t)stats->requests));
    (void)json_object_set_new(object, "repeated", json_integer((json_int_t)stats->retries));
    (void)json_object_set_new(object, "failed", json_integer((json_int_t)stats->failures));
    (void)json_object_set_new(object, "rate_limited",
                              json_integer((json_int_t)stats->rate_limited));
    (void)json_object_set_new(object, "in_flight", json_integer(stats->in_flight));
    (void)json_object_set_new(object, "allowed_at_once", json_integer(stats->allowed));
    (void)json_object_set_new(object, "bytes_received",
                              json_integer((json_int_t)stats->body_bytes_received));
    return object;
}

static json_t *
notice_status(const RenderStatus *process)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:i}", "entries", (json_int_t)process->notices.entries,
        "deletions", (json_int_t)process->notices.deletions, "attributes",
        (json_int_t)process->notices.attributes, "contents", (json_int_t)process->notices.contents,
        "before_opens", (json_int_t)process->notices.before_opens, "waiting",
        (int)process->notices.waiting);
}

Content
render_status(const RenderStatus *process, const CacheStatus *status)
{
    json_t *object = json_object();
    (void)json_object_set_new(object, "version", json_string(TRACKERFS_VERSION));
    (void)json_object_set_new(object, "pid", json_integer(process->pid));
    (void)json_object_set_new(object, "source", string_or_null(process->source));
    (void)json_object_set_new(object, "mount_point", string_or_null(process->mount_point));
    (void)json_object_set_new(object, "started_at", time_or_null(process->started_ms));
    (void)json_object_set_new(object, "uptime_seconds",
                              json_integer(MAX(process->now_ms - process->started_ms, 0) / 1000));
    (void)json_object_set_new(object, "online", json_boolean(status->online));
    (void)json_object_set_new(object, "waiting", json_integer(process->parked));
    (void)json_object_set_new(object, "known_nodes", json_integer(process->known_nodes));
    (void)json_object_set_new(object, "requests_from_kernel",
                              json_integer((json_int_t)process->kernel_requests));
    (void)json_object_set_new(object, "notices", notice_status(process));
    (void)json_object_set_new(object, "store_bytes", json_integer(status->store_bytes));
    (void)json_object_set_new(object, "attachment_bytes", json_integer(status->attachment_bytes));
    (void)json_object_set_new(object, "edits",
                              json_pack("{s:i, s:i}", "waiting",
                                        (int)(status->edits - status->edits_parked), "parked",
                                        (int)status->edits_parked));
    (void)json_object_set_new(object, "requests", request_status(&status->transport));
    json_t *asked = json_object();
    for (guint i = 0; i < CACHE_ASKED_KINDS; i++) {
        (void)json_object_set_new(asked, status->asked[i].word,
                                  json_integer((json_int_t)status->asked[i].n));
    }
    (void)json_object_set_new(object, "requests_by_kind", asked);
    (void)json_object_set_new(object, "answered_at_once", json_integer((json_int_t)status->hits));
    (void)json_object_set_new(object, "had_to_wait", json_integer((json_int_t)status->waits));
    json_t *projects = json_array();
    for (guint i = 0; i < status->n_projects; i++) {
        (void)json_array_append_new(projects, project_status(&status->projects[i]));
    }
    (void)json_object_set_new(object, "projects", projects);
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    char *line = g_strconcat(text ? text : "{}", "\n", NULL);
    free(text);
    return content_take(line, strlen(line));
}

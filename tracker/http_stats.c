/* How: counters by "METHOD TEMPLATE" in a hash table, the last requests in a ring of owned lines.
 */
#include "tracker/http_stats.h"

#include "tracker/lock.h"

#include <jansson.h>
#include <string.h>

struct HttpStats {
    pthread_mutex_t mutex;
    gint64 total, bytes;          /* protected by mutex */
    GHashTable *by_path;          /* char * to gint64 *; protected by mutex */
    gint64 by_status[600];        /* protected by mutex */
    char *lines[STATS_MAX_LINES]; /* ring; protected by mutex */
    guint next_line;              /* protected by mutex */
};

HttpStats *
http_stats_new(void)
{
    HttpStats *stats = g_new0(HttpStats, 1);
    (void)pthread_mutex_init(&stats->mutex, NULL);
    stats->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return stats;
}

void
http_stats_free(HttpStats *stats)
{
    if (!stats) {
        return;
    }
    http_stats_reset(stats);
    g_hash_table_unref(stats->by_path);
    (void)pthread_mutex_destroy(&stats->mutex);
    g_free(stats);
}

void
http_stats_reset(HttpStats *stats)
{
    TRACKER_LOCK(&stats->mutex);
    stats->total = stats->bytes = 0;
    g_hash_table_remove_all(stats->by_path);
    memset(stats->by_status, 0, sizeof(stats->by_status));
    for (guint i = 0; i < STATS_MAX_LINES; i++) {
        g_clear_pointer(&stats->lines[i], g_free);
    }
    stats->next_line = 0;
}

char *
http_stats_template(const char *target)
{
    gsize path_bytes = MIN(strcspn(target, "?"), STATS_MAX_LINE_BYTES);
    GString *out = g_string_sized_new(path_bytes);
    for (gsize i = 0; i < path_bytes;) {
        gsize segment = strcspn(target + i, "/?");
        segment = MIN(segment, path_bytes - i);
        gsize digits = strspn(target + i, "0123456789");
        if (segment > 0 && digits >= segment) {
            g_string_append(out, "{id}");
        } else {
            g_string_append_len(out, target + i, (gssize)segment);
        }
        i += segment;
        if (i < path_bytes) {
            g_string_append_c(out, target[i++]);
        }
    }
    return g_string_free(out, FALSE);
}

static void
count_path_locked(HttpStats *stats, const char *key)
{
    gint64 *count = g_hash_table_lookup(stats->by_path, key);
    if (!count && g_hash_table_size(stats->by_path) >= STATS_MAX_TEMPLATES) {
        key = "other";
        count = g_hash_table_lookup(stats->by_path, key);
    }
    if (!count) {
        count = g_new0(gint64, 1);
        g_hash_table_insert(stats->by_path, g_strdup(key), count);
    }
    (*count)++;
}

void
http_stats_count(HttpStats *stats, const char *method, const char *target, int status,
                 gint64 body_bytes)
{
    g_autofree char *template = http_stats_template(target);
    g_autofree char *key = g_strdup_printf("%.32s %s", method, template);
    char *line = g_strdup_printf("%.32s %.*s %d %" G_GINT64_FORMAT, method, STATS_MAX_LINE_BYTES,
                                 target, status, body_bytes);
    TRACKER_LOCK(&stats->mutex);
    stats->total++;
    stats->bytes += body_bytes;
    count_path_locked(stats, key);
    if (status >= 0 && status < (int)G_N_ELEMENTS(stats->by_status)) {
        stats->by_status[status]++;
    }
    g_free(stats->lines[stats->next_line]);
    stats->lines[stats->next_line] = line;
    stats->next_line = (stats->next_line + 1) % STATS_MAX_LINES;
}

/* Bytes of a client as a JSON string, whatever they are. */
static json_t *
text_to_json(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

GString *
http_stats_to_json(HttpStats *stats)
{
    json_t *by_path = json_object();
    json_t *by_status = json_object();
    json_t *requests = json_array();
    gint64 total = 0;
    gint64 bytes = 0;
    {
        TRACKER_LOCK(&stats->mutex);
        total = stats->total;
        bytes = stats->bytes;
        GHashTableIter iter;
        gpointer key = NULL;
        gpointer count = NULL;
        g_hash_table_iter_init(&iter, stats->by_path);
        while (g_hash_table_iter_next(&iter, &key, &count)) {
            g_autofree char *name = g_utf8_make_valid(key, -1);
            (void)json_object_set_new(by_path, name, json_integer(*(gint64 *)count));
        }
        for (guint status = 0; status < G_N_ELEMENTS(stats->by_status); status++) {
            if (stats->by_status[status] > 0) {
                char name[16];
                (void)g_snprintf(name, sizeof(name), "%u", status);
                (void)json_object_set_new(by_status, name, json_integer(stats->by_status[status]));
            }
        }
        for (guint i = 0; i < STATS_MAX_LINES; i++) {
            const char *line = stats->lines[(stats->next_line + i) % STATS_MAX_LINES];
            if (line) {
                (void)json_array_append_new(requests, text_to_json(line));
            }
        }
    }
    json_t *root = json_pack("{s:I, s:I, s:o, s:o, s:o}", "total", (json_int_t)total, "bytes",
                             (json_int_t)bytes, "by_path", by_path, "by_status", by_status,
                             "requests", requests);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
    GString *out = g_string_new(text);
    g_string_append_c(out, '\n');
    free(text); /* jansson allocates with malloc() */
    json_decref(root);
    return out;
}

/* Quoted so that a hostile target cannot make a second line or reach a terminal. */
static void
append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    gsize n = 0;
    for (const char *at = text; *at != '\0'; at++) {
        guchar c = (guchar)*at;
        if (++n > STATS_MAX_LINE_BYTES) {
            g_string_append(out, "...");
            break;
        }
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
            g_string_append_printf(out, "\\x%02x", c);
        } else {
            g_string_append_c(out, (char)c);
        }
    }
    g_string_append_c(out, '"');
}

void
http_log_line(FILE *log, const HttpLogLine *line)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(line->now_ms / 1000);
    g_autofree char *time_text =
        when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%S") : g_strdup("-");
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append_printf(out, "time=%s.%03dZ peer=%s", time_text, (int)(line->now_ms % 1000),
                           line->peer);
    if (line->forwarded_for) {
        g_string_append(out, " for=");
        append_quoted(out, line->forwarded_for);
    }
    g_string_append(out, " method=");
    append_quoted(out, line->method);
    g_string_append(out, " target=");
    append_quoted(out, line->target);
    g_string_append_printf(out, " status=%d bytes=%" G_GINT64_FORMAT " ms=%" G_GINT64_FORMAT,
                           line->status, line->body_bytes, line->duration_ms);
    if (line->gzip) {
        g_string_append(out, " gzip=1");
    }
    if (line->fault) {
        g_string_append_printf(out, " fault=%s", line->fault);
    }
    g_string_append_c(out, '\n');
    (void)fwrite(out->str, 1, out->len, log);
    (void)fflush(log);
}

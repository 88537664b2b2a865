#include "support_recorded.h"

#include <string.h>
#include <time.h>

/* ---- reading ---- */

/* "Mon, 17 Nov 2014 19:02:38 GMT" or "2015-11-11 22:38:12.312"; 0 when absent. */
static gint64
recorded_time(const json_t *root)
{
    static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"};
    const char *text = json_string_value(json_object_get(root, "recorded_at"));
    for (gsize i = 0; text && i < G_N_ELEMENTS(formats); i++) {
        struct tm when = {0};
        if (strptime(text, formats[i], &when)) {
            return (gint64)timegm(&when) * 1000;
        }
    }
    return 0;
}

/* Where the recording program kept no body, one that asks for what was answered. */
static json_t *
made_up_body(const json_t *answer)
{
    static const char *const keys[] = {"name",          "description", "story_type",
                                       "current_state", "estimate",    "complete"};
    json_t *body = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        json_t *value = json_object_get(answer, keys[i]);
        if (value) {
            (void)json_object_set(body, keys[i], value);
        }
    }
    return body;
}

static gboolean
is_made_up(const json_t *root, const char *part)
{
    size_t i = 0;
    json_t *value = NULL;
    json_array_foreach(json_object_get(root, "inferred"), i, value)
    {
        if (g_str_has_prefix(json_string_value(value), part)) {
            return TRUE;
        }
    }
    return FALSE;
}

static void
read_body(Exchange *exchange, const json_t *root, json_t *given)
{
    if (!g_str_equal(exchange->method, "POST") && !g_str_equal(exchange->method, "PUT")) {
        return;
    }
    const char *text = json_string_value(given);
    json_t *body = json_is_object(given)              ? json_incref(given)
                   : is_made_up(root, "request.body") ? made_up_body(exchange->answer)
                                                      : NULL;
    if (body) {
        char *dumped = json_dumps(body, JSON_COMPACT);
        exchange->body = g_strdup(dumped);
        free(dumped); /* jansson allocates with malloc() */
        json_decref(body);
        g_free(exchange->content_type);
        exchange->content_type = g_strdup("application/json");
    } else if (text && *text) {
        exchange->body = g_strdup(text);
    }
}

/* A project that the recording program did not know leaves the short path. */
static char *
known_path(const char *path)
{
    static const char unknown[] = "projects/{project_id}/";
    const char *at = strstr(path, unknown);
    return at ? g_strdup_printf("%.*s%s", (int)(at - path), path, at + strlen(unknown))
              : g_strdup(path);
}

static Exchange *
read_exchange(const char *dir, const char *name)
{
    g_autofree char *file = g_build_filename(dir, name, NULL);
    g_autofree char *source = g_path_get_basename(dir);
    json_error_t problem;
    json_t *root = json_load_file(file, JSON_ALLOW_NUL, &problem);
    if (!root) {
        g_error("%s: %s", file, problem.text);
    }
    json_t *request = json_object_get(root, "request");
    json_t *response = json_object_get(root, "response");
    json_t *answer = json_object_get(response, "body");
    const char *query = json_string_value(json_object_get(request, "query"));
    const char *type = json_string_value(
        json_object_get(json_object_get(request, "headers_of_interest"), "Content-Type"));
    Exchange *exchange = g_new0(Exchange, 1);
    exchange->name = g_strdup_printf("%s/%.*s", source, (int)(strlen(name) - 5), name);
    exchange->file = g_steal_pointer(&file);
    exchange->method = g_strdup(json_string_value(json_object_get(request, "method")));
    exchange->path = known_path(json_string_value(json_object_get(request, "path")));
    exchange->query = query && *query ? g_strdup(query) : NULL;
    exchange->made_up_query = query && strstr(query, "unknown");
    exchange->content_type = g_strdup(type);
    exchange->recorded_ms = recorded_time(root);
    exchange->status = (int)json_integer_value(json_object_get(response, "status"));
    exchange->headers = json_incref(json_object_get(response, "headers"));
    exchange->answer = json_is_object(answer) || json_is_array(answer) ? json_incref(answer) : NULL;
    read_body(exchange, root, json_object_get(request, "body"));
    json_decref(root);
    return exchange;
}

static void
exchange_free(gpointer data)
{
    Exchange *exchange = data;
    g_free(exchange->file);
    g_free(exchange->name);
    g_free(exchange->method);
    g_free(exchange->path);
    g_free(exchange->query);
    g_free(exchange->content_type);
    g_free(exchange->body);
    json_decref(exchange->headers);
    json_decref(exchange->answer);
    g_free(exchange);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
exchanges_read(const char *dir_path)
{
    GPtrArray *exchanges = g_ptr_array_new_with_free_func(exchange_free);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
    for (const char *name = NULL; dir && (name = g_dir_read_name(dir));) {
        if (g_str_has_suffix(name, ".json")) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_ptr_array_add(exchanges, read_exchange(dir_path, names->pdata[i]));
    }
    return exchanges;
}

/* ---- comparing ---- */

void
comparison_init(Comparison *comparison, gboolean by_place)
{
    *comparison =
        (Comparison){.differences = g_ptr_array_new_with_free_func(g_free), .by_place = by_place};
}

void
comparison_clear(Comparison *comparison)
{
    g_ptr_array_unref(comparison->differences);
}

static void note(Comparison *comparison, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
note(Comparison *comparison, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_ptr_array_find_with_equal_func(comparison->differences, text, g_str_equal, NULL)) {
        g_free(text);
    } else {
        g_ptr_array_add(comparison->differences, text);
    }
}

static const char *
type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "object",   [JSON_ARRAY] = "array", [JSON_STRING] = "string",
        [JSON_INTEGER] = "integer", [JSON_REAL] = "real",   [JSON_TRUE] = "boolean",
        [JSON_FALSE] = "boolean",   [JSON_NULL] = "null"};
    return names[json_typeof(value)];
}

/* What identifies an element of a list: kind with id, number, guid, or just its place. Owned. */
static char *
identity_of(const json_t *value, gsize place)
{
    static const char *const keys[] = {"guid", "id", "number", "date"};
    const char *kind = json_string_value(json_object_get(value, "kind"));
    for (gsize i = 0; json_is_object(value) && i < G_N_ELEMENTS(keys); i++) {
        const json_t *id = json_object_get(value, keys[i]);
        if (json_is_integer(id)) {
            return g_strdup_printf("%s %s %" JSON_INTEGER_FORMAT, kind ? kind : "", keys[i],
                                   json_integer_value(id));
        }
        if (json_is_string(id)) {
            return g_strdup_printf("%s %s %s", kind ? kind : "", keys[i], json_string_value(id));
        }
    }
    return g_strdup_printf("[%zu]", place);
}

static void compare(Comparison *comparison, const char *where, json_t *wanted, json_t *got);

static void
compare_objects(Comparison *comparison, const char *where, json_t *wanted, json_t *got)
{
    const char *kind = json_string_value(json_object_get(wanted, "kind"));
    const char *name = kind ? kind : where;
    const char *key = NULL;
    json_t *value = NULL;
    comparison->objects++;
    json_object_foreach(wanted, key, value)
    {
        g_autofree char *below = g_strdup_printf("%s.%s", name, key);
        json_t *other = json_object_get(got, key);
        if (other) {
            compare(comparison, below, value, other);
        } else {
            note(comparison, "missing %s", below);
        }
    }
    json_object_foreach(got, key, value)
    {
        if (!json_object_get(wanted, key)) {
            note(comparison, "extra %s.%s", name, key);
        }
    }
}

static void
compare_arrays(Comparison *comparison, const char *where, json_t *wanted, json_t *got)
{
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize i = 0;
    json_t *value = NULL;
    g_autofree char *below = g_strconcat(where, "[]", NULL);
    guint lost = 0;
    guint twins = 0;
    json_array_foreach(got, i, value)
    {
        g_hash_table_insert(found, identity_of(value, i), value);
    }
    json_array_foreach(wanted, i, value)
    {
        g_autofree char *identity = identity_of(value, i);
        json_t *other = g_hash_table_lookup(found, identity);
        if (!other && comparison->by_place) {
            other = json_array_get(got, i);
        }
        if (other) {
            compare(comparison, below, value, other);
            twins++;
        } else {
            lost++;
        }
    }
    if (lost > 0 && twins == 0) {
        note(comparison, "nothing of %s is there to be compared", where);
    }
}

static void
compare(Comparison *comparison, const char *where, json_t *wanted, json_t *got)
{
    const char *wanted_type = type_name(wanted);
    const char *got_type = type_name(got);
    if (!g_str_equal(wanted_type, got_type)) {
        note(comparison, "type %s %s, not %s", where, got_type, wanted_type);
    } else if (json_is_object(wanted)) {
        compare_objects(comparison, where, wanted, got);
    } else if (json_is_array(wanted)) {
        compare_arrays(comparison, where, wanted, got);
    }
}

/* Of the web server and its proxies, not of V5; Content-Length and the like are HTTP's, which
 * tracker/http.h adds. */
static gboolean
is_infrastructure(const char *name)
{
    static const char *const names[] = {"Server",
                                        "X-Powered-By",
                                        "Date",
                                        "X-Rack-Cache",
                                        "Connection",
                                        "X-UA-Compatible",
                                        "Content-Length",
                                        "Strict-Transport-Security",
                                        "Via",
                                        "X-Vcap-Request-Id",
                                        "Alt-Svc",
                                        "Transfer-Encoding",
                                        "Content-Encoding",
                                        "Set-Cookie"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(names[i], name) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
was_recorded(json_t *headers, const char *wanted)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(headers, name, value)
    {
        if (g_ascii_strcasecmp(name, wanted) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* What was recorded must be there; of ours, those of V5 must have been recorded. The pinger's
 * interval came later than the oldest recordings. */
static void
compare_headers(Comparison *comparison, const Exchange *exchange, const TrackerResponse *response)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(exchange->headers, name, value)
    {
        if (!is_infrastructure(name) && !tracker_response_header(response, name)) {
            note(comparison, "no header %s", name);
        }
    }
    for (guint i = 0; was_recorded(exchange->headers, "Status") && i < response->headers->len;
         i++) {
        const char *ours = g_array_index(response->headers, TrackerHeader, i).name;
        if (g_str_has_prefix(ours, "X-Tracker-") &&
            !g_str_equal(ours, "X-Tracker-Client-Pinger-Interval") &&
            !was_recorded(exchange->headers, ours)) {
            note(comparison, "a header %s", ours);
        }
    }
}

static void
compare_bodies(Comparison *comparison, const Exchange *exchange, const GString *body)
{
    json_t *got = json_loadb(body->str, body->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!got) {
        note(comparison, "no JSON");
    } else if (exchange->status >= 400) {
        if (!json_equal(exchange->answer, got)) {
            note(comparison, "another error: %s", body->str);
        }
        comparison->objects++;
    } else {
        compare(comparison, exchange->path, exchange->answer, got);
    }
    json_decref(got);
}

void
compare_answers(Comparison *comparison, const Exchange *exchange, const TrackerResponse *response)
{
    if (response->status != exchange->status) {
        note(comparison, "status %d, not %d%s%s", response->status, exchange->status,
             response->status >= 400 && response->body ? ": " : "",
             response->status >= 400 && response->body ? response->body->str : "");
        return;
    }
    compare_headers(comparison, exchange, response);
    if (exchange->answer && response->body) {
        compare_bodies(comparison, exchange, response->body);
    }
}

/* The canonical writer.
 *
 * Two texts of one resource must be equal bytes, whatever the server did on the way: keys are put
 * in one order (a fixed list, then the unknown ones sorted), lists that have no order of their own
 * are sorted, numbers have one form. One list of keys serves every kind of resource: a key means
 * the same place wherever it occurs. */
#include "cache/record.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Reading order: what it is, what it says, who, when, then what is nested. */
static const char *const key_order[] = {
    "id",
    "kind",
    "guid",
    "number",
    "project_version",
    "project_id",
    "story_id",
    "epic_id",
    "comment_id",
    "name",
    "title",
    "username",
    "initials",
    "email",
    "role",
    "message",
    "highlight",
    "change_type",
    "story_type",
    "current_state",
    "state",
    "status",
    "estimate",
    "story_priority",
    "complete",
    "resolved",
    "position",
    "text",
    "description",
    "profile_content",
    "requested_by_id",
    "requested_by",
    "owned_by_id",
    "owned_by",
    "owner_ids",
    "owners",
    "person_id",
    "person",
    "performed_by_id",
    "performed_by",
    "reviewer_id",
    "reviewer",
    "uploader_id",
    "uploader",
    "filename",
    "content_type",
    "size",
    "width",
    "height",
    "thumbnailable",
    "uploaded",
    "download_url",
    "big_url",
    "thumbnail_url",
    "length",
    "team_strength",
    "start",
    "finish",
    "velocity",
    "points",
    "accepted_points",
    "effective_points",
    "version",
    "label_id",
    "label",
    "label_ids",
    "labels",
    "deadline",
    "accepted_at",
    "occurred_at",
    "created_at",
    "updated_at",
    "url",
    "external_id",
    "integration_id",
    "iteration_length",
    "week_start_day",
    "point_scale",
    "point_scale_is_custom",
    "bugs_and_chores_are_estimatable",
    "automatic_planning",
    "enable_tasks",
    "start_date",
    "start_time",
    "time_zone",
    "velocity_averaged_over",
    "number_of_done_iterations_to_show",
    "initial_velocity",
    "current_iteration_number",
    "project_type",
    "public",
    "account_id",
    "review_type_id",
    "review_type",
    "original_values",
    "new_values",
    "primary_resources",
    "secondary_resources",
    "project",
    "changes",
    "follower_ids",
    "followers",
    "story_ids",
    "stories",
    "tasks",
    "blockers",
    "reviews",
    "transitions",
    "pull_requests",
    "branches",
    "comments",
    "file_attachments",
    "google_attachments",
    "projects",
};

static GHashTable *key_ranks; /* const after make_key_ranks */
static pthread_once_t key_ranks_once = PTHREAD_ONCE_INIT;

static void
make_key_ranks(void)
{
    key_ranks = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < G_N_ELEMENTS(key_order); i++) {
        (void)g_hash_table_insert(key_ranks, (gpointer)(guintptr)key_order[i],
                                  GUINT_TO_POINTER(i + 1));
    }
}

typedef struct {
    GString *out;
    gboolean indented;
} Writer;

static void
append_string(GString *out, const char *text, gsize length)
{
    gsize run = 0;
    g_string_append_c(out, '"');
    for (gsize i = 0; i < length; i++) {
        guchar c = (guchar)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }
        (void)g_string_append_len(out, text + run, (gssize)(i - run));
        run = i + 1;
        switch (c) {
        case '"':
            (void)g_string_append(out, "\\\"");
            break;
        case '\\':
            (void)g_string_append(out, "\\\\");
            break;
        case '\n':
            (void)g_string_append(out, "\\n");
            break;
        case '\r':
            (void)g_string_append(out, "\\r");
            break;
        case '\t':
            (void)g_string_append(out, "\\t");
            break;
        default:
            g_string_append_printf(out, "\\u%04x", (guint)c);
        }
    }
    (void)g_string_append_len(out, text + run, (gssize)(length - run));
    g_string_append_c(out, '"');
}

/* A service sends 2 in one year and 2.0 in the next: a whole number has no point. Others have the
 * fewest digits that read back as the same number. */
static void
append_real(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (value == floor(value) && fabs(value) < 1e15) {
        g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];
        (void)g_snprintf(format, sizeof format, "%%.%dg", digits);
        (void)g_ascii_formatd(text, sizeof text, format, value);
        if (g_ascii_strtod(text, NULL) == value) {
            break;
        }
    }
    (void)g_string_append(out, text);
    /* "1e+20" reads back as a real, but a bare "100000000000000000000" would not read back at all.
     */
    if (!strpbrk(text, ".eE")) {
        (void)g_string_append(out, ".0");
    }
}

static gint64
sort_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : 0;
}

static const char *
sort_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int
compare_by_id(const void *a, const void *b)
{
    gint64 left = sort_number(*(json_t *const *)a, "id");
    gint64 right = sort_number(*(json_t *const *)b, "id");
    return (left > right) - (left < right);
}

static int
compare_by_name(const void *a, const void *b)
{
    int order =
        strcmp(sort_text(*(json_t *const *)a, "name"), sort_text(*(json_t *const *)b, "name"));
    return order ? order : compare_by_id(a, b);
}

static int
compare_by_position(const void *a, const void *b)
{
    gint64 left = sort_number(*(json_t *const *)a, "position");
    gint64 right = sort_number(*(json_t *const *)b, "position");
    return left != right ? (left > right) - (left < right) : compare_by_id(a, b);
}

static int
compare_by_time(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a;
    const json_t *right = *(json_t *const *)b;
    gint64 left_version = sort_number(left, "project_version");
    gint64 right_version = sort_number(right, "project_version");
    if (left_version != right_version) {
        return (left_version > right_version) - (left_version < right_version);
    }
    int order = strcmp(sort_text(left, "occurred_at"), sort_text(right, "occurred_at"));
    return order ? order : strcmp(sort_text(left, "state"), sort_text(right, "state"));
}

static int
compare_numbers(const void *a, const void *b)
{
    gint64 left = json_integer_value(*(json_t *const *)a);
    gint64 right = json_integer_value(*(json_t *const *)b);
    return (left > right) - (left < right);
}

/* Lists whose order the server chose by chance. Owners, stories of an iteration and everything
 * unknown keep theirs: there it says something. */
static const struct {
    const char *key;
    gboolean of_objects;
    int (*compare)(const void *, const void *);
} unordered_lists[] = {
    {"comments", TRUE, compare_by_id},       {"file_attachments", TRUE, compare_by_id},
    {"reviews", TRUE, compare_by_id},        {"google_attachments", TRUE, compare_by_id},
    {"blockers", TRUE, compare_by_id},       {"followers", TRUE, compare_by_id},
    {"branches", TRUE, compare_by_id},       {"pull_requests", TRUE, compare_by_id},
    {"labels", TRUE, compare_by_name},       {"tasks", TRUE, compare_by_position},
    {"transitions", TRUE, compare_by_time},  {"label_ids", FALSE, compare_numbers},
    {"comment_ids", FALSE, compare_numbers}, {"follower_ids", FALSE, compare_numbers},
    {"task_ids", FALSE, compare_numbers},    {"file_attachment_ids", FALSE, compare_numbers},
};

static int (*list_order(const char *key, const json_t *list))(const void *, const void *)
{
    for (gsize i = 0; key && i < G_N_ELEMENTS(unordered_lists); i++) {
        if (!g_str_equal(key, unordered_lists[i].key)) {
            continue;
        }
        for (gsize n = 0; n < json_array_size(list); n++) {
            const json_t *element = json_array_get(list, n);
            if (unordered_lists[i].of_objects ? !json_is_object(element)
                                              : !json_is_integer(element)) {
                return NULL;
            }
        }
        return unordered_lists[i].compare;
    }
    return NULL;
}

static gboolean
is_left_out(RecordKind kind, const char *list, guint depth, const char *key)
{
    gboolean has_description = kind == RECORD_STORY || kind == RECORD_EPIC;
    if (depth == 0) {
        return (has_description &&
                (g_str_equal(key, "description") || g_str_equal(key, "before_id") ||
                 g_str_equal(key, "after_id"))) ||
               (kind == RECORD_PROJECT && g_str_equal(key, "profile_content")) ||
               (kind == RECORD_ME && g_str_equal(key, "api_token"));
    }
    if (depth != 1 || !list || !has_description) {
        return FALSE;
    }
    return (g_str_equal(list, "comments") && g_str_equal(key, "text")) ||
           (kind == RECORD_STORY && g_str_equal(list, "tasks") && g_str_equal(key, "description"));
}

/* Signed URLs expire and differ at each request; kept whole they would change the story's bytes,
 * and with them every rsync, at each refresh. What they point to is named by the part before the
 * query. */
static gsize
stable_length(const char *key, const char *text, gsize length)
{
    if (!key || (!g_str_equal(key, "thumbnail_url") && !g_str_equal(key, "big_url"))) {
        return length;
    }
    const char *query = memchr(text, '?', length);
    return query ? (gsize)(query - text) : length;
}

typedef struct {
    const char *key;
    const json_t *value;
    guint rank;
} Pair;

static int
compare_pairs(const void *a, const void *b)
{
    const Pair *left = a;
    const Pair *right = b;
    if (left->rank != right->rank) {
        return left->rank < right->rank ? -1 : 1;
    }
    return strcmp(left->key, right->key);
}

static void
append_break(const Writer *writer, guint depth)
{
    if (!writer->indented) {
        return;
    }
    g_string_append_c(writer->out, '\n');
    for (guint i = 0; i < depth; i++) {
        (void)g_string_append_len(writer->out, "  ", 2);
    }
}

static void append_value(const Writer *writer, const json_t *value, RecordKind kind,
                         const char *key, const char *list, guint depth, guint level);

static void
append_object(const Writer *writer, const json_t *object, RecordKind kind, const char *list,
              guint depth, guint level)
{
    gsize size = json_object_size(object);
    g_autofree Pair *pairs = g_new(Pair, size + 1);
    gsize n = 0;
    /* jansson's iterators take a non-const object and do not write to it. */
    json_t *iterable = (json_t *)(guintptr)object;
    for (void *at = json_object_iter(iterable); at; at = json_object_iter_next(iterable, at)) {
        const char *key = json_object_iter_key(at);
        if (is_left_out(kind, list, depth, key)) {
            continue;
        }
        guint rank = GPOINTER_TO_UINT(g_hash_table_lookup(key_ranks, key));
        pairs[n++] = (Pair){key, json_object_iter_value(at), rank ? rank : G_MAXUINT};
    }
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    g_string_append_c(writer->out, '{');
    for (gsize i = 0; i < n; i++) {
        if (i > 0) {
            g_string_append_c(writer->out, ',');
        }
        append_break(writer, level + 1);
        append_string(writer->out, pairs[i].key, strlen(pairs[i].key));
        (void)g_string_append(writer->out, writer->indented ? ": " : ":");
        append_value(writer, pairs[i].value, kind, pairs[i].key, NULL, depth + 1, level + 1);
    }
    if (n > 0) {
        append_break(writer, level);
    }
    g_string_append_c(writer->out, '}');
}

static void
append_list(const Writer *writer, const json_t *list, RecordKind kind, const char *key, guint depth,
            guint level)
{
    gsize n = json_array_size(list);
    g_autofree const json_t **elements = g_new(const json_t *, n + 1);
    gboolean nested = FALSE;
    for (gsize i = 0; i < n; i++) {
        elements[i] = json_array_get(list, i);
        nested |= json_is_object(elements[i]) || json_is_array(elements[i]);
    }
    int (*compare)(const void *, const void *) = list_order(key, list);
    if (compare) {
        qsort(elements, n, sizeof *elements, compare);
    }
    g_string_append_c(writer->out, '[');
    for (gsize i = 0; i < n; i++) {
        if (i > 0) {
            (void)g_string_append(writer->out, writer->indented && !nested ? ", " : ",");
        }
        if (nested) {
            append_break(writer, level + 1);
        }
        /* An object in a top-level list is at depth 1 for what is left out. */
        append_value(writer, elements[i], kind, NULL, key, depth, level + (nested ? 1 : 0));
    }
    if (nested) {
        append_break(writer, level);
    }
    g_string_append_c(writer->out, ']');
}

static void
append_value(const Writer *writer, const json_t *value, RecordKind kind, const char *key,
             const char *list, guint depth, guint level)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        append_object(writer, value, kind, list, depth, level);
        return;
    case JSON_ARRAY:
        append_list(writer, value, kind, key, depth, level);
        return;
    case JSON_STRING: {
        const char *text = json_string_value(value);
        append_string(writer->out, text, stable_length(key, text, json_string_length(value)));
        return;
    }
    case JSON_INTEGER:
        g_string_append_printf(writer->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        append_real(writer->out, json_real_value(value));
        return;
    case JSON_TRUE:
        (void)g_string_append(writer->out, "true");
        return;
    case JSON_FALSE:
        (void)g_string_append(writer->out, "false");
        return;
    case JSON_NULL:
        (void)g_string_append(writer->out, "null");
        return;
    }
}

void
record_write(GString *out, const json_t *value, RecordKind kind)
{
    const Writer writer = {.out = out, .indented = TRUE};
    (void)pthread_once(&key_ranks_once, make_key_ranks);
    append_value(&writer, value, kind, NULL, NULL, 0, 0);
    g_string_append_c(out, '\n');
}

void
record_write_line(GString *out, const json_t *value)
{
    const Writer writer = {.out = out, .indented = FALSE};
    (void)pthread_once(&key_ranks_once, make_key_ranks);
    append_value(&writer, value, RECORD_OTHER, NULL, NULL, 0, 0);
}

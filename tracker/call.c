/* The query string is decoded once into a table; a repeated name keeps its last value, as Rails
 * did. */
#include "tracker/call.h"

#include <string.h>
#include <unistd.h>

#include "tracker/body.h"
#include "tracker/changes.h"
#include "tracker/json_writer.h"
#include "tracker/routes.h"
#include "tracker/story_list.h"

#define MAX_GET_BODY_BYTES (16 * 1024)

typedef struct WhereValue {
    char *text; /* NULL: a number */
    gint64 number;
} WhereValue;

void
call_clear(Call *call)
{
    render_clear(&call->render);
    g_clear_pointer(&call->match, match_free);
    g_clear_pointer(&call->changes, changes_free);
    g_clear_pointer(&call->given, json_decref);
    g_clear_pointer(&call->upload, upload_free);
    g_clear_pointer(&call->params, g_hash_table_unref);
    g_clear_pointer(&call->name, g_free);
    g_clear_pointer(&call->location, g_free);
    g_clear_pointer(&call->derived_token, g_free);
    g_clear_pointer(&call->known_token, g_free);
    g_clear_pointer(&call->file_type, g_free);
    g_clear_pointer(&call->file_name, g_free);
    if (call->body) {
        (void)g_string_free(g_steal_pointer(&call->body), TRUE);
    }
    g_clear_pointer(&call->page, story_page_unref);
    if (call->file_fd >= 0) {
        (void)close(call->file_fd);
        call->file_fd = -1;
    }
    problem_clear(&call->problem);
}

gboolean
call_fail(Call *call, ProblemCode code)
{
    problem_set(&call->problem, code, NULL);
    return FALSE;
}

gboolean
call_fail_text(Call *call, const char *general_problem)
{
    problem_set(&call->problem, PROBLEM_INVALID_PARAMETER, general_problem);
    return FALSE;
}

gboolean
call_fail_parameter(Call *call, const char *format, const char *parameter)
{
    g_autofree char *valid = g_utf8_make_valid(parameter, -1);
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    g_autofree char *text = g_strjoin(valid, parts[0], parts[1], NULL);

    return call_fail_text(call, text);
}

gboolean
call_fail_rule(Call *call, const char *general_problem, const char *requirement)
{
    (void)call_fail_text(call, general_problem);
    call->problem.requirement = g_strdup(requirement);
    return FALSE;
}

gboolean
call_fail_field(Call *call, const char *field, const char *problem)
{
    (void)call_fail_text(call, problem);
    call->problem.field = g_strdup(field);
    return FALSE;
}

static char *
decode(const char *text, gsize bytes)
{
    GString *out = g_string_sized_new(bytes);

    for (gsize i = 0; i < bytes; i++) {
        if (text[i] == '+') {
            g_string_append_c(out, ' ');
        } else if (text[i] == '%' && i + 2 < bytes && g_ascii_isxdigit(text[i + 1]) &&
                   g_ascii_isxdigit(text[i + 2])) {
            int byte = g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]);

            /* A NUL would cut the value short: it cannot be part of any. */
            g_string_append_c(out, byte ? (char)byte : ' ');
            i += 2;
        } else {
            g_string_append_c(out, text[i]);
        }
    }
    return g_string_free(out, FALSE);
}

static gboolean
read_common(Call *call)
{
    const char *envelope = call_param(call, "envelope");
    const char *format;

    if (!call_param_enum(call, "date_format", "iso8601,millis", &format)) {
        return FALSE;
    }
    call->render.millis = g_strcmp0(format, "millis") == 0;
    call->envelope = g_strcmp0(envelope, "true") == 0;
    if (envelope && !call->envelope && strcmp(envelope, "false") != 0) {
        return call_fail_text(call, "'envelope' must be a non-string boolean true or false value");
    }
    return TRUE;
}

GHashTable *
call_decode_form(Call *call, const char *text, gsize bytes)
{
    g_autoptr(GHashTable) params = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    gsize at = 0;

    while (at < bytes) {
        const char *part = text + at, *amp = memchr(part, '&', bytes - at);
        gsize length = amp ? (gsize)(amp - part) : bytes - at;
        const char *equals = memchr(part, '=', length);
        gsize name_bytes = equals ? (gsize)(equals - part) : length;
        gsize skip = equals ? name_bytes + 1 : length;

        if (length > 0) {
            if (g_hash_table_size(params) >= CALL_MAX_PARAMS) {
                (void)call_fail_text(call, "there are too many parameters");
                return NULL;
            }
            (void)g_hash_table_insert(params, decode(part, name_bytes),
                                      decode(part + skip, length - skip));
        }
        at += length + 1;
    }
    return g_steal_pointer(&params);
}

/* As it would stand in a query: lists without brackets. */
static char *
plain_dump(const json_t *value)
{
    g_autofree char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    gsize bytes = strlen(text);

    return json_is_array(value) ? g_strndup(text + 1, bytes - 2) : g_steal_pointer(&text);
}

/* Clients were seen to send the parameters of a GET as a JSON object, and were answered
 * (v5-reference 1.4). What the query says wins. */
static gboolean
add_from_body(Call *call)
{
    const TrackerRequest *request = call->request;
    json_t *root, *value;
    const char *name;

    if (strcmp(request->method, "GET") != 0 || request->body_bytes == 0 || !request->content_type ||
        g_ascii_strncasecmp(request->content_type, "application/json", 16) != 0) {
        return TRUE;
    }
    root = request->body_bytes > MAX_GET_BODY_BYTES
               ? NULL
               : json_loadb(request->body, request->body_bytes, JSON_DECODE_ANY, NULL);
    if (!root) {
        return call_fail(call, PROBLEM_UNPARSABLE_BODY);
    }
    json_object_foreach(root, name, value)
    {
        if (!g_hash_table_contains(call->params, name)) {
            (void)g_hash_table_insert(call->params, g_strdup(name),
                                      json_is_string(value) ? g_strdup(json_string_value(value))
                                                            : plain_dump(value));
        }
    }
    json_decref(root);
    return TRUE;
}

gboolean
call_parse_query(Call *call)
{
    const char *query = call->request->query ? call->request->query : "";

    g_clear_pointer(&call->params, g_hash_table_unref);
    call->params = call_decode_form(call, query, strlen(query));
    return call->params && add_from_body(call) && read_common(call);
}

gboolean
call_is_listed(const char *list, const char *name)
{
    gsize bytes = strlen(name);

    for (const char *at = list; *at; at += *at == ',' ? 1 : 0) {
        gsize length = strcspn(at, ",");

        if (length == bytes && strncmp(at, name, bytes) == 0) {
            return TRUE;
        }
        at += length;
    }
    return FALSE;
}

gboolean
call_is_common_param(const char *name)
{
    return call_is_listed("fields,date_format,envelope,token", name);
}

gboolean
call_check_params(Call *call, const char *allowed)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, call->params);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        gboolean of_path = (call->project_id && strcmp(name, "project_id") == 0) ||
                           (call->story_id && strcmp(name, "story_id") == 0) ||
                           (call->epic_id && strcmp(name, "epic_id") == 0) ||
                           (call->id && (strcmp(name, "id") == 0 || strcmp(name, "number") == 0 ||
                                         g_str_has_suffix(name, "_id")));

        if (!of_path && !call_is_common_param(name) && !call_is_listed(allowed, name)) {
            return call_fail_parameter(call, "this endpoint cannot accept the parameter: %s", name);
        }
    }
    return TRUE;
}

const char *
call_param(const Call *call, const char *name)
{
    return g_hash_table_lookup(call->params, name);
}

gboolean
call_param_int(Call *call, const char *name, gboolean *ret_there, gint64 *ret_value)
{
    const char *text = call_param(call, name);
    gint64 value;

    *ret_there = text != NULL;
    if (!text) {
        return TRUE;
    }
    if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &value, NULL)) {
        return call_fail_parameter(call, "'%s' must be an integer value", name);
    }
    *ret_value = value;
    return TRUE;
}

gboolean
call_param_time(Call *call, const char *name, gboolean *ret_there, gint64 *ret_ms)
{
    const char *text = call_param(call, name);

    *ret_there = text != NULL;
    if (text && !json_time_parse(text, ret_ms)) {
        return call_fail_parameter(
            call, "'%s' must be a time value represented as milliseconds/iso 8601 date", name);
    }
    return TRUE;
}

gboolean
call_param_enum(Call *call, const char *name, const char *values, const char **ret_value)
{
    const char *text = call_param(call, name);

    *ret_value = text;
    if (text && (!*text || !call_is_listed(values, text))) {
        g_auto(GStrv) parts = g_strsplit(values, ",", -1);
        g_autofree char *list = g_strjoinv(", ", parts);
        g_autofree char *problem = g_strdup_printf("'%s' must be one of: %s", name, list);

        return call_fail_text(call, problem);
    }
    return TRUE;
}

gboolean
call_page(Call *call, gint64 default_limit, gint64 max_limit, gboolean negative_offset)
{
    gboolean there;

    call->paged = TRUE;
    call->limit = default_limit;
    call->offset = 0;
    if (!call_param_int(call, "limit", &there, &call->limit) ||
        !call_param_int(call, "offset", &there, &call->offset)) {
        return FALSE;
    }
    if (call->limit < 0) {
        return call_fail_text(call, "'limit' must be zero or greater");
    }
    if (call->offset < 0 && !negative_offset) {
        return call_fail_text(call, "'offset' must be zero or greater");
    }
    call->limit = MIN(call->limit, max_limit);
    return TRUE;
}

Selection *
call_fields(Call *call, const Kind *kind)
{
    g_autoptr(GError) error = NULL;
    const char *fields = call_param(call, "fields");
    Selection *selection = routes_writes(call) ? fields_select_written(kind, fields, &error)
                                               : fields_select(kind, fields, &error);

    if (!selection) {
        (void)call_fail_text(call, error->message);
    }
    return selection;
}

gboolean
call_answer_list(Call *call, const Kind *kind, const GArray *ids)
{
    g_autoptr(Selection) selection = call_fields(call, kind);
    guint n;

    if (!selection) {
        return FALSE;
    }
    call->page = story_list_page(&call->render, selection, (const gint64 *)(const void *)ids->data,
                                 ids->len, &n);
    if (call->page) {
        call->returned = n;
        return TRUE;
    }
    g_string_append_c(call->body, '[');
    call->returned = render_list(&call->render, selection, (const gint64 *)(const void *)ids->data,
                                 ids->len, call->body);
    g_string_append_c(call->body, ']');
    return TRUE;
}

gboolean
call_answer_stmt(Call *call, const Kind *kind, DbStmt *ids_stmt)
{
    g_autoptr(GArray) ids = render_ids(ids_stmt);

    return call_answer_list(call, kind, ids);
}

gboolean
call_answer_one(Call *call, const Kind *kind, gint64 id)
{
    g_autoptr(Selection) selection = call_fields(call, kind);

    if (!selection) {
        return FALSE;
    }
    return render_one(&call->render, selection, id, call->body) || call_fail(call, PROBLEM_UNFOUND);
}

gboolean
call_answer_child(Call *call, const Kind *kind, const char *sql, gint64 parent)
{
    DbStmt *stmt = db_prepare(call->conn, sql);
    gboolean there;

    db_bind_int(stmt, 1, call->id);
    db_bind_int(stmt, 2, parent);
    there = db_next(stmt);
    db_done(stmt);
    return there ? call_answer_one(call, kind, call->id) : call_fail(call, PROBLEM_UNFOUND);
}

static void
value_clear(gpointer data)
{
    g_free(((WhereValue *)data)->text);
}

void
where_init(Where *where)
{
    where->made = FALSE;
    where->count = NULL;
    where->sql = g_string_new(NULL);
    where->values = g_array_new(FALSE, TRUE, sizeof(WhereValue));
    g_array_set_clear_func(where->values, value_clear);
}

void
where_clear(Where *where)
{
    (void)g_string_free(where->sql, TRUE);
    g_array_unref(where->values);
}

static void
where_add(Where *where, const char *condition, WhereValue value)
{
    gsize before = strcspn(condition, "?");

    g_array_append_val(where->values, value);
    g_string_append(where->sql, " AND ");
    g_string_append_len(where->sql, condition, (gssize)before);
    g_string_append_printf(where->sql, "?%u", where->values->len);
    g_string_append(where->sql, condition + before + 1);
}

void
where_int(Where *where, const char *condition, gint64 value)
{
    where_add(where, condition, (WhereValue){.number = value});
}

void
where_text(Where *where, const char *condition, const char *value)
{
    where_add(where, condition, (WhereValue){.text = g_strdup(value)});
}

guint
where_bind_int(Where *where, gint64 value)
{
    g_array_append_vals(where->values, &(WhereValue){.number = value}, 1);
    return where->values->len;
}

guint
where_bind_text(Where *where, const char *value)
{
    g_array_append_vals(where->values, &(WhereValue){.text = g_strdup(value)}, 1);
    return where->values->len;
}

void
where_condition(Where *where, const char *condition)
{
    g_string_append_printf(where->sql, " AND (%s)", condition);
    where->made = TRUE;
}

gboolean
where_time(Where *where, Call *call, const char *parameter, const char *condition)
{
    gboolean there;
    gint64 ms = 0;

    if (!call_param_time(call, parameter, &there, &ms)) {
        return FALSE;
    }
    if (there) {
        where_int(where, condition, ms);
    }
    return TRUE;
}

static void
where_bind(const Where *where, DbStmt *stmt)
{
    for (guint i = 0; i < where->values->len; i++) {
        const WhereValue *value = &g_array_index(where->values, WhereValue, i);

        if (value->text) {
            db_bind_text(stmt, (int)i + 1, value->text);
        } else {
            db_bind_int(stmt, (int)i + 1, value->number);
        }
    }
}

DbStmt *
where_prepare(const Where *where, DbConn *conn, const char *before, const char *after)
{
    g_autofree char *sql = g_strconcat(before, where->sql->str, after, NULL);
    DbStmt *stmt = where->made ? db_prepare_once(conn, sql) : db_prepare(conn, sql);

    where_bind(where, stmt);
    return stmt;
}

gboolean
call_answer_page(Call *call, const Kind *kind, const char *from, const char *order,
                 const Where *where)
{
    g_autofree char *each = g_strconcat("SELECT count(*) ", from, NULL);
    g_autofree char *select = g_strconcat("SELECT t.id ", from, NULL);
    g_autofree char *page = g_strdup_printf(" ORDER BY %s LIMIT ?%u OFFSET ?%u", order,
                                            where->values->len + 1, where->values->len + 2);
    DbStmt *stmt = where->count ? db_prepare(call->conn, where->count)
                                : where_prepare(where, call->conn, each, "");

    if (where->count) {
        where_bind(where, stmt);
    }
    call->total = db_next(stmt) ? db_int(stmt, 0) : 0;
    db_done(stmt);
    stmt = where_prepare(where, call->conn, select, page);
    db_bind_int(stmt, (int)where->values->len + 1, call->limit);
    db_bind_int(stmt, (int)where->values->len + 2, call->offset);
    return call_answer_stmt(call, kind, stmt);
}

/* One pass over the given members: each is looked up in the table, converted when it came as text
 * (query string, form), and checked by its type. The order of complaints: a name that is not
 * accepted, a wrong value, a missing parameter. */
#include "tracker/body.h"

#include <string.h>

#include "tracker/ids.h"
#include "tracker/json_writer.h"

#define COMMON "fields,date_format,envelope,token"

static const char *const type_names[] = {
    [PARAM_STRING] = "string",
    [PARAM_EXTENDED_STRING] = "extended_string",
    [PARAM_INT] = "int",
    [PARAM_NUMBER] = "float",
    [PARAM_BOOL] = "boolean",
    [PARAM_TIME] = "datetime",
    [PARAM_DATE] = "date",
    [PARAM_ENUM] = "enumerated_string",
    [PARAM_INT_LIST] = "List[int]",
    [PARAM_LIST] = "List",
    [PARAM_OBJECT] = "object",
    [PARAM_ANY] = "object",
};

/* What follows "'name' must be ". */
static const char *const demands[] = {
    [PARAM_STRING] = "a string",
    [PARAM_EXTENDED_STRING] = "an extended_string",
    [PARAM_INT] = "an integer value",
    [PARAM_NUMBER] = "a number value",
    [PARAM_BOOL] = "a non-string boolean true or false value",
    [PARAM_TIME] = "a time value represented as milliseconds/iso 8601 date",
    [PARAM_DATE] = "a date value represented as iso 8601 date",
    [PARAM_ENUM] = "one of: ",
    /* The real texts of these three are unknown (unsure). */
    [PARAM_INT_LIST] = "an array of integer values",
    [PARAM_LIST] = "an array",
    [PARAM_OBJECT] = "an object",
    [PARAM_ANY] = "a value",
};

static const Param *
find_param(const ParamTable *table, const char *name)
{
    for (; table; table = table->base) {
        for (gsize i = 0; i < table->n_params; i++) {
            if (strcmp(table->params[i].name, name) == 0) {
                return &table->params[i];
            }
        }
    }
    return NULL;
}

static gboolean fail_printf(Call *call, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
fail_printf(Call *call, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list values;

    va_start(values, format);
    text = g_strdup_vprintf(format, values);
    va_end(values);
    return call_fail_text(call, text);
}

/* "a,b" as "a, b". */
static char *
spaced(const char *list)
{
    g_auto(GStrv) parts = g_strsplit(list, ",", -1);

    return g_strjoinv(", ", parts);
}

static gboolean
fail_type(Call *call, const Param *param, const json_t *value, const char *what)
{
    g_autofree char *list = NULL;

    if (what) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        gboolean ok = fail_printf(
            call, "The '%s' parameter value was '%s' but must be of type '%s'", param->name,
            json_is_string(value) ? json_string_value(value) : (text ? text : ""),
            type_names[param->type]);

        free(text);
        return ok;
    }
    list = param->type == PARAM_ENUM ? spaced(param->values) : g_strdup("");
    return fail_printf(call, "'%s' must be %s%s", param->name, demands[param->type], list);
}

static gboolean
check_length(Call *call, const Param *param, const char *text)
{
    g_autofree char *problem = NULL, *requirement = NULL;

    if (param->max_chars == 0 || (gsize)g_utf8_strlen(text, -1) <= param->max_chars) {
        return TRUE;
    }
    problem = g_strdup_printf("This %s is too long:  '%s'", type_names[param->type], text);
    requirement = g_strdup_printf("'%s' parameter must be %" G_GSIZE_FORMAT " characters or less.",
                                  param->name, param->max_chars);
    return call_fail_rule(call, problem, requirement);
}

/* One of the values, in the table's spelling; NULL: none. */
static json_t *
enum_value(const Param *param, const char *text)
{
    g_auto(GStrv) values = g_strsplit(param->values, ",", -1);

    for (char **value = values; *value; value++) {
        if (strcmp(*value, text) == 0 ||
            ((param->flags & PARAM_ANY_CASE) && g_ascii_strcasecmp(*value, text) == 0)) {
            return json_string(*value);
        }
    }
    return NULL;
}

static gboolean
is_date(const char *text)
{
    int year, month, day;
    char after;

    return strlen(text) == 10 && strspn(text, "0123456789-") == 10 &&
           sscanf(text, "%4d-%2d-%2d%c", &year, &month, &day, &after) == 3 &&
           g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year);
}

/* Times are kept in whole seconds, as V5 shows them. */
static json_t *
time_value(const json_t *value)
{
    gint64 ms;

    if (json_is_integer(value)) {
        ms = json_integer_value(value);
    } else if (!json_is_string(value) || !json_time_parse(json_string_value(value), &ms)) {
        return NULL;
    }
    /* Years 1 to 9999, as far as a date can be written. */
    if (ms < G_GINT64_CONSTANT(-62135596800000) || ms > G_GINT64_CONSTANT(253402300799999)) {
        return NULL;
    }
    return json_integer(ms - ms % 1000);
}

static json_t *
int_list(const json_t *value)
{
    json_t *list, *item;
    gsize i;

    if (!json_is_array(value)) {
        return NULL;
    }
    json_array_foreach(value, i, item)
    {
        if (!json_is_integer(item)) {
            return NULL;
        }
    }
    list = json_deep_copy(value);
    return list;
}

/* The value in the form of its type; NULL: it is not of the type. New reference. */
static json_t *
convert(const Param *param, json_t *value)
{
    switch (param->type) {
    case PARAM_STRING:
    case PARAM_EXTENDED_STRING:
        return json_is_string(value) ? json_incref(value) : NULL;
    case PARAM_INT:
        return json_is_integer(value) ? json_incref(value) : NULL;
    case PARAM_NUMBER:
        return json_is_number(value) ? json_incref(value) : NULL;
    case PARAM_BOOL:
        return json_is_boolean(value) ? json_incref(value) : NULL;
    case PARAM_TIME:
        return time_value(value);
    case PARAM_DATE:
        return json_is_string(value) && is_date(json_string_value(value)) ? json_incref(value)
                                                                          : NULL;
    case PARAM_ENUM:
        return json_is_string(value) ? enum_value(param, json_string_value(value)) : NULL;
    case PARAM_INT_LIST:
        return int_list(value);
    case PARAM_LIST:
        return json_is_array(value) ? json_incref(value) : NULL;
    case PARAM_OBJECT:
        return json_is_object(value) ? json_incref(value) : NULL;
    case PARAM_ANY:
        return json_incref(value);
    }
    return NULL;
}

static json_t *
list_of_text(const char *text, gboolean numbers)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", BODY_MAX_ITEMS + 1);
    json_t *list = json_array();

    for (char **part = parts; *part; part++) {
        gint64 number;

        if (!numbers) {
            (void)json_array_append_new(list, json_string(*part));
        } else if (g_ascii_string_to_signed(*part, 10, G_MININT64, G_MAXINT64, &number, NULL)) {
            (void)json_array_append_new(list, json_integer(number));
        } else {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* A value that came as text, as JSON that convert() understands. Text that is no such value stays
 * text, which convert() refuses. New reference. */
static json_t *
from_text(const Param *param, const char *text)
{
    gint64 number;
    char *end;
    double real;
    json_t *value = NULL;

    switch (param->type) {
    case PARAM_INT:
        if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL)) {
            value = json_integer(number);
        }
        break;
    case PARAM_NUMBER:
        real = g_ascii_strtod(text, &end);
        if (*text && *end == '\0') {
            value = json_real(real); /* NULL for infinities */
        }
        break;
    case PARAM_BOOL:
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
            value = json_boolean(*text == 't');
        }
        break;
    case PARAM_INT_LIST:
    case PARAM_LIST:
        value = *text ? list_of_text(text, param->type == PARAM_INT_LIST) : json_array();
        break;
    default:
        break;
    }
    return value ? value : json_string(text);
}

/* Checks one member; *ret_value is a new reference, NULL for a parameter that is ignored. */
static gboolean
check_value(Call *call, const Param *param, json_t *value, const char *what, json_t **ret_value)
{
    *ret_value = NULL;
    if (param->flags & PARAM_IGNORED) {
        return TRUE;
    }
    if (json_is_null(value) && (param->flags & PARAM_NULL)) {
        *ret_value = json_null();
        return TRUE;
    }
    *ret_value = convert(param, value);
    if (!*ret_value) {
        return fail_type(call, param, value, what);
    }
    if (json_is_array(*ret_value) && json_array_size(*ret_value) > BODY_MAX_ITEMS) {
        json_decref(*ret_value);
        return fail_printf(call, "'%s' must have %d values or fewer", param->name, BODY_MAX_ITEMS);
    }
    if (json_is_string(*ret_value) && !check_length(call, param, json_string_value(*ret_value))) {
        json_decref(*ret_value);
        return FALSE;
    }
    return TRUE;
}

/* Is it the id of something in the path, repeated? */
static gboolean
is_of_path(const Call *call, const char *name)
{
    return (call->project_id && strcmp(name, "project_id") == 0) ||
           (call->story_id && strcmp(name, "story_id") == 0) ||
           (call->epic_id && strcmp(name, "epic_id") == 0);
}

static gboolean
check_members(Call *call, json_t *object, const ParamTable *table, const char *what)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach(object, name, value)
    {
        if (!find_param(table, name) && (what || !is_of_path(call, name))) {
            return call_fail_parameter(call, "this endpoint cannot accept the parameter: %s", name);
        }
    }
    json_object_foreach_safe(object, next, name, value)
    {
        const Param *param = find_param(table, name);
        json_t *checked = NULL;

        if (param && !check_value(call, param, value, what, &checked)) {
            return FALSE;
        }
        if (checked) {
            (void)json_object_set_new(object, name, checked);
        } else {
            (void)json_object_del(object, name);
        }
    }
    return TRUE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
fail_needs_one(Call *call, const ParamTable *table)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *list = NULL;

    for (; table; table = table->base) {
        for (gsize i = 0; i < table->n_params; i++) {
            if (!(table->params[i].flags & (PARAM_IGNORED | PARAM_UNLISTED))) {
                g_ptr_array_add(names, (gpointer)(guintptr)table->params[i].name);
            }
        }
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    list = g_strjoinv(", ", (char **)names->pdata);
    return fail_printf(call, "this endpoint requires at least one of the following parameters: %s",
                       list);
}

static gboolean
check_presence(Call *call, const json_t *object, const ParamTable *table)
{
    g_autoptr(GString) missing = g_string_new(NULL);
    guint n_missing = 0;

    for (const ParamTable *part = table; part; part = part->base) {
        for (gsize i = 0; i < part->n_params; i++) {
            const Param *param = &part->params[i];

            if ((param->flags & PARAM_REQUIRED) && !json_object_get(object, param->name)) {
                g_string_append_printf(missing, "%s%s", n_missing ? ", " : "", param->name);
                n_missing++;
            }
        }
    }
    if (n_missing > 0) {
        return fail_printf(call, "this endpoint requires the parameter%s: %s",
                           n_missing > 1 ? "s" : "", missing->str);
    }
    if (table->needs_one && json_object_size(object) == 0) {
        return fail_needs_one(call, table);
    }
    return TRUE;
}

gboolean
body_check(Call *call, json_t *object, const ParamTable *table, const char *what)
{
    if (!json_is_object(object)) {
        return fail_printf(call, "Can't use content of '%s' parameter.", what);
    }
    return check_members(call, object, table, what) && check_presence(call, object, table);
}

static void
add_texts(json_t *object, GHashTable *texts, const ParamTable *table)
{
    GHashTableIter iter;
    gpointer name, text;

    g_hash_table_iter_init(&iter, texts);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        const Param *param = find_param(table, name);
        g_autofree char *valid_name = g_utf8_make_valid(name, -1);
        g_autofree char *valid = g_utf8_make_valid(text, -1);

        /* What the body says wins. */
        if ((!param && call_is_listed(COMMON, name)) || json_object_get(object, valid_name)) {
            continue;
        }
        (void)json_object_set_new(object, valid_name,
                                  param ? from_text(param, valid) : json_string(valid));
    }
}

json_t *
body_json(Call *call)
{
    const TrackerRequest *request = call->request;
    json_t *root = NULL;

    if (request->body_bytes <= TRACKER_MAX_BODY_BYTES) {
        root = json_loadb(request->body, request->body_bytes, JSON_DECODE_ANY, NULL);
    }
    if (!root) {
        (void)call_fail(call, PROBLEM_UNPARSABLE_BODY);
    }
    return root;
}

static gboolean
is_blank(const char *text, gsize bytes)
{
    for (gsize i = 0; i < bytes; i++) {
        if (!g_ascii_isspace(text[i])) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
is_form(const TrackerRequest *request)
{
    return request->content_type &&
           g_ascii_strncasecmp(request->content_type, "application/x-www-form-urlencoded",
                               strlen("application/x-www-form-urlencoded")) == 0;
}

gboolean
body_parse(Call *call, const ParamTable *table)
{
    const TrackerRequest *request = call->request;

    g_clear_pointer(&call->given, json_decref);
    if (!request->body || is_blank(request->body, request->body_bytes)) {
        call->given = json_object();
    } else if (is_form(request)) {
        g_autoptr(GHashTable) form = NULL;

        if (request->body_bytes > TRACKER_MAX_BODY_BYTES) {
            return call_fail(call, PROBLEM_UNPARSABLE_BODY);
        }
        form = call_decode_form(call, request->body, request->body_bytes);
        if (!form) {
            return FALSE;
        }
        call->given = json_object();
        add_texts(call->given, form, table);
    } else {
        call->given = body_json(call);
        if (!call->given) {
            return FALSE;
        }
        if (!json_is_object(call->given)) {
            return call_fail(call, PROBLEM_UNPARSABLE_BODY);
        }
    }
    add_texts(call->given, call->params, table);
    return check_members(call, call->given, table, NULL) &&
           check_presence(call, call->given, table);
}

gboolean
body_has(const json_t *given, const char *name)
{
    return json_object_get(given, name) != NULL;
}

gboolean
body_is_null(const json_t *given, const char *name)
{
    return json_is_null(json_object_get(given, name));
}

const char *
body_text(const json_t *given, const char *name)
{
    return json_string_value(json_object_get(given, name));
}

gint64
body_int(const json_t *given, const char *name, gint64 fallback)
{
    const json_t *value = json_object_get(given, name);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double
body_number(const json_t *given, const char *name, double fallback)
{
    const json_t *value = json_object_get(given, name);

    return json_is_number(value) ? json_number_value(value) : fallback;
}

gboolean
body_bool(const json_t *given, const char *name, gboolean fallback)
{
    const json_t *value = json_object_get(given, name);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

GArray *
body_ids(const json_t *given, const char *name)
{
    GArray *ids = ids_new();
    const json_t *item;
    gsize i;

    json_array_foreach(json_object_get(given, name), i, item)
    {
        ids_add(ids, json_integer_value(item));
    }
    return ids;
}

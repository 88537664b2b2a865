/* How: a JSON body is parsed, changed and written again; what is no JSON is only cut short.
 *
 * Bytes that no JSON text may contain are put in last, in place of markers. */
#include "tracker/faults.h"

#include <jansson.h>
#include <string.h>

static json_t *
wrong_value(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_array();
    case JSON_ARRAY:
        return json_object();
    case JSON_STRING:
        return json_integer(42);
    case JSON_INTEGER:
    case JSON_REAL:
        return json_string("forty-two");
    case JSON_TRUE:
    case JSON_FALSE:
        return json_string("yes");
    case JSON_NULL:
        return json_real(0.5);
    }
    return json_null();
}

static void
swap_every_value(json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        (void)json_object_set_new(object, key, wrong_value(value));
    }
}

/* Three ways to be wrong: the top level, every attribute of the (first) object, or for a list an
 * element that is no object. */
static json_t *
wrong_document(json_t *root, guint32 choice)
{
    if (choice % 3 == 0) {
        return wrong_value(root);
    }
    if (json_is_array(root)) {
        json_t *first = json_array_get(root, 0);
        if (choice % 3 == 1 && json_is_object(first)) {
            swap_every_value(first);
        } else {
            (void)json_array_insert_new(root, 0, json_string("no object"));
        }
        return json_incref(root);
    }
    if (json_is_object(root) && json_object_size(root) > 0) {
        swap_every_value(root);
        return json_incref(root);
    }
    return wrong_value(root);
}

/* ---- hostile and long texts ---- */

/* Attributes whose values are words of the protocol; all other strings are texts of people. */
static gboolean
is_protocol(const char *key)
{
    static const char *const words[] = {"kind", "current_state", "story_type", "role", "status",
                                        "guid", "change_type",   "url",        "code"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_equal(words[i], key)) {
            return TRUE;
        }
    }
    return g_str_has_suffix(key, "_at") || g_str_has_suffix(key, "_day") ||
           g_str_has_suffix(key, "_date") || g_str_has_suffix(key, "start") ||
           g_str_has_suffix(key, "finish");
}

/* Markers for what jansson would not write; see put_bytes(). */
#define MARK_WRONG_UTF8 "@@wrong-utf8@@"
#define MARK_SURROGATE "@@surrogate@@"
#define VERY_LONG_BYTES (128 * 1024)

static json_t *
long_text(gint64 bytes)
{
    g_autofree char *text = g_strnfill((gsize)bytes, 'x');
    return json_string(text);
}

static json_t *
hostile_text(guint32 n)
{
    static const char *const texts[] = {
        "",
        "..",
        "../../../../etc/passwd",
        "-rf /",
        "line\r\nfeed\ttab \x1b]0;title\x07 \x7f",
        "\xe2\x80\xaegnp.exe",
        "<script>alert(1)</script>$(reboot)`reboot`%2e%2e%2f",
        MARK_WRONG_UTF8,
        MARK_SURROGATE,
    };
    guint32 choice = n % (G_N_ELEMENTS(texts) + 2);
    return choice < G_N_ELEMENTS(texts)    ? json_string(texts[choice])
           : choice == G_N_ELEMENTS(texts) ? json_stringn_nocheck("nul\0byte", 8)
                                           : long_text(VERY_LONG_BYTES);
}

static json_t *
nested_arrays(void)
{
    json_t *inner = json_array();
    for (guint i = 0; i < 100; i++) {
        json_t *outer = json_array();
        (void)json_array_append_new(outer, inner);
        inner = outer;
    }
    return inner;
}

static void replace_texts(json_t *value, const FaultPlan *plan, guint32 *n);

static void
replace_in_object(json_t *object, const FaultPlan *plan, guint32 *n)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        if (json_is_string(value) && !is_protocol(key)) {
            json_t *text = plan->hostile ? hostile_text((*n)++) : long_text(plan->long_bytes);
            (void)json_object_set_new(object, key, text);
        } else if (plan->hostile && g_str_equal(key, "estimate")) {
            (void)json_object_set_new(object, key, json_real(1e300));
        } else {
            replace_texts(value, plan, n);
        }
    }
    if (plan->hostile) {
        (void)json_object_set_new(object, "x_nested", nested_arrays());
    }
}

static void
replace_texts(json_t *value, const FaultPlan *plan, guint32 *n)
{
    if (json_is_object(value)) {
        replace_in_object(value, plan, n);
        return;
    }
    gsize i = 0;
    json_t *element = NULL;
    json_array_foreach(value, i, element) /* nothing for what is no array */
    {
        replace_texts(element, plan, n);
    }
}

static void
put_bytes(GString *body)
{
    (void)g_string_replace(body, MARK_WRONG_UTF8, "wrong \xc3\x28 \xff\xfe", 0);
    (void)g_string_replace(body, MARK_SURROGATE, "half \\ud83d", 0);
}

gboolean
faults_plan_spoils_body(const FaultPlan *plan)
{
    return plan->bad_json || plan->wrong_type || plan->hostile || plan->long_bytes > 0;
}

void
faults_spoil_body(const FaultPlan *plan, GString *body)
{
    gboolean texts = plan->hostile || plan->long_bytes > 0;
    json_t *root = plan->wrong_type || texts
                       ? json_loadb(body->str, body->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                       : NULL;
    if (root) {
        guint32 n = plan->choice;
        if (texts) {
            replace_texts(root, plan, &n);
        }
        json_t *result = plan->wrong_type ? wrong_document(root, plan->choice) : json_incref(root);
        char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text) {
            g_string_assign(body, text);
            free(text); /* jansson allocates with malloc() */
            put_bytes(body);
        }
        json_decref(result);
        json_decref(root);
    }
    if (plan->bad_json) {
        g_string_truncate(body, body->len / 2);
    }
}

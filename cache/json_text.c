/* Reading JSON, above all what a service wrote.
 *
 * The plain parse is tried first, since nearly all answers are right and mending costs a copy. Only
 * when it fails is the text copied with each wrong piece replaced; a text that still fails is
 * refused. */
#include "cache/json_text.h"

#include <string.h>

#include "cache/base/err.h"
#include "cache/model_json.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static gboolean
is_hex4(const char *text, const char *end, guint *ret_value)
{
    guint value = 0;
    if (end - text < 4) {
        return FALSE;
    }
    for (int i = 0; i < 4; i++) {
        if (!g_ascii_isxdigit(text[i])) {
            return FALSE;
        }
        value = value * 16 + (guint)g_ascii_xdigit_value(text[i]);
    }
    *ret_value = value;
    return TRUE;
}

/* `at` stands on a backslash inside a string. Copies the escape, mended; returns what follows it.
 */
static const char *
mend_escape(GString *out, const char *at, const char *end)
{
    guint high;
    guint low;
    if (end - at < 2) {
        return end;
    }
    if (at[1] != 'u' || !is_hex4(at + 2, end, &high)) {
        (void)g_string_append_len(out, at, 2);
        return at + 2;
    }
    if (high >= 0xd800 && high < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u' &&
        is_hex4(at + 8, end, &low) && low >= 0xdc00 && low < 0xe000) {
        (void)g_string_append_len(out, at, 12);
        return at + 12;
    }
    if (high == 0 || (high >= 0xd800 && high < 0xe000)) {
        (void)g_string_append(out, REPLACEMENT);
    } else {
        (void)g_string_append_len(out, at, 6);
    }
    return at + 6;
}

static const char *
mend_string_byte(GString *out, const char *at, const char *end)
{
    if (*at == '\\') {
        return mend_escape(out, at, end);
    }
    if ((guchar)*at < 0x20) {
        g_string_append_printf(out, "\\u%04x", (guint)(guchar)*at);
        return at + 1;
    }
    if ((guchar)*at < 0x80) {
        g_string_append_c(out, *at);
        return at + 1;
    }
    gunichar c = g_utf8_get_char_validated(at, end - at);
    if (c == (gunichar)-1 || c == (gunichar)-2) {
        (void)g_string_append(out, REPLACEMENT);
        return at + 1;
    }
    const char *next = g_utf8_next_char(at);
    (void)g_string_append_len(out, at, next - at);
    return next;
}

/* A run of more digits than 64 bits hold becomes a real: its value is rounded, the page is not
 * lost. */
static const char *
mend_number(GString *out, const char *at, const char *end)
{
    const char *stop = at;
    while (stop < end && g_ascii_isdigit(*stop)) {
        stop++;
    }
    (void)g_string_append_len(out, at, stop - at);
    if (stop - at > 18 && (stop == end || (*stop != '.' && *stop != 'e' && *stop != 'E'))) {
        (void)g_string_append(out, ".0");
    }
    /* A fraction or exponent is copied here, so that its digits are not taken for a number. */
    while (stop < end && (g_ascii_isdigit(*stop) || strchr(".eE+-", *stop))) {
        g_string_append_c(out, *stop++);
    }
    return stop;
}

static GString *
mend(const char *text, gsize bytes)
{
    GString *out = g_string_sized_new(bytes + 64);
    const char *end = text + bytes;
    gboolean in_string = FALSE;
    const char *at = text;
    while (at < end) {
        if (*at == '"') {
            in_string = !in_string;
            g_string_append_c(out, *at++);
        } else if (in_string) {
            at = mend_string_byte(out, at, end);
        } else if (g_ascii_isdigit(*at)) {
            at = mend_number(out, at, end);
        } else {
            g_string_append_c(out, *at++);
        }
    }
    return out;
}

static gboolean
is_too_deep(const json_t *value, guint left)
{
    gsize i;
    const json_t *element;
    if (left == 0) {
        return TRUE;
    }
    if (json_is_array(value)) {
        json_array_foreach(value, i, element)
        {
            if (is_too_deep(element, left - 1)) {
                return TRUE;
            }
        }
    } else if (json_is_object(value)) {
        json_t *object = (json_t *)(guintptr)value;
        for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
            if (is_too_deep(json_object_iter_value(at), left - 1)) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

json_t *
json_text_parse(const char *text, gsize bytes, GError **error)
{
    json_error_t where;
    json_t *value = json_loadb(text, bytes, JSON_ALLOW_NUL | JSON_DECODE_ANY, &where);
    if (!value) {
        GString *mended = mend(text, bytes);
        json_error_t second;
        value = json_loadb(mended->str, mended->len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &second);
        g_string_free(mended, TRUE);
    }
    if (!value) {
        g_set_error(error, ERR, ERR_PROTOCOL, "the answer is not JSON (line %d: %s)", where.line,
                    where.text);
        return NULL;
    }
    if (is_too_deep(value, MODEL_JSON_MAX_DEPTH)) {
        json_decref(value);
        g_set_error(error, ERR, ERR_PROTOCOL, "the answer nests deeper than %d levels",
                    MODEL_JSON_MAX_DEPTH);
        return NULL;
    }
    return value;
}

json_t *
json_text_parse_written(const char *text, gsize bytes, GError **error)
{
    json_error_t where;
    json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!value) {
        g_set_error(error, ERR, ERR_INVALID, "it is not JSON: line %d, column %d: %s", where.line,
                    where.column, where.text);
        return NULL;
    }
    if (is_too_deep(value, MODEL_JSON_MAX_DEPTH)) {
        json_decref(value);
        g_set_error(error, ERR, ERR_INVALID, "it nests deeper than %d levels",
                    MODEL_JSON_MAX_DEPTH);
        return NULL;
    }
    return value;
}

static gboolean
integer_of(const json_t *value, gint64 *ret_integer)
{
    if (json_is_integer(value)) {
        *ret_integer = json_integer_value(value);
        return TRUE;
    }
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (real > -9e15 && real < 9e15) {
            *ret_integer = (gint64)real;
            return TRUE;
        }
        return FALSE;
    }
    const char *text = json_string_value(value);
    return text && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, ret_integer, NULL);
}

gint64
json_get_integer(const json_t *object, const char *key)
{
    gint64 value = 0;
    (void)integer_of(json_object_get(object, key), &value);
    return value;
}

gint64
json_get_id(const json_t *object, const char *key)
{
    return MAX(json_get_integer(object, key), 0);
}

gint64
json_get_time(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    gint64 time_ms = 0;
    if (json_is_string(value)) {
        (void)model_parse_time(json_string_value(value), &time_ms);
    } else {
        (void)integer_of(value, &time_ms);
    }
    return time_ms;
}

char *
json_dup_string(const json_t *object, const char *key)
{
    return g_strdup(json_string_value(json_object_get(object, key)));
}

Text
json_dup_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    Text text = {NULL, 0};
    if (json_is_string(value)) {
        text.length = json_string_length(value);
        text.data = g_malloc(text.length + 1);
        memcpy(text.data, json_string_value(value), text.length);
        text.data[text.length] = '\0';
    }
    return text;
}

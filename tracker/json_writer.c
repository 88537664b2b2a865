/* Escapes copy runs of plain bytes at once. The reading half walks JSON text that our own tables
 * hold (`extra`, parts of activities); it trusts nothing: every step ends at NUL. */
#include "tracker/json_writer.h"

#include <math.h>
#include <string.h>

#define MS_PER_DAY G_GINT64_CONSTANT(86400000)

void
json_separate(GString *out)
{
    char last = out->len ? out->str[out->len - 1] : '[';

    if (last != '{' && last != '[') {
        g_string_append_c(out, ',');
    }
}

void
json_key(GString *out, const char *name)
{
    json_separate(out);
    g_string_append_c(out, '"');
    g_string_append(out, name);
    g_string_append(out, "\":");
}

static void
append_escaped(GString *out, guchar byte)
{
    switch (byte) {
    case '"':
        g_string_append(out, "\\\"");
        break;
    case '\\':
        g_string_append(out, "\\\\");
        break;
    case '\n':
        g_string_append(out, "\\n");
        break;
    case '\r':
        g_string_append(out, "\\r");
        break;
    case '\t':
        g_string_append(out, "\\t");
        break;
    default:
        g_string_append_printf(out, "\\u%04x", byte);
    }
}

void
json_text(GString *out, const char *text, gsize bytes)
{
    g_autofree char *valid = NULL;
    gsize run = 0;

    if (!g_utf8_validate_len(text, bytes, NULL)) {
        /* A NUL inside is valid UTF-8 to nobody but JSON: it is kept as \u0000. */
        GString *copy = g_string_sized_new(bytes);
        gsize at = 0;

        while (at < bytes) {
            gsize part = strnlen(text + at, bytes - at);
            g_autofree char *made = g_utf8_make_valid(text + at, (gssize)part);

            g_string_append(copy, made);
            at += part;
            if (at < bytes) {
                g_string_append_c(copy, '\0');
                at++;
            }
        }
        bytes = copy->len;
        valid = g_string_free(copy, FALSE);
        text = valid;
    }
    g_string_append_c(out, '"');
    for (gsize i = 0; i < bytes; i++) {
        guchar byte = (guchar)text[i];

        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f) {
            g_string_append_len(out, text + run, (gssize)(i - run));
            append_escaped(out, byte);
            run = i + 1;
        }
    }
    g_string_append_len(out, text + run, (gssize)(bytes - run));
    g_string_append_c(out, '"');
}

void
json_int(GString *out, gint64 value)
{
    char digits[24];
    guint64 rest = value < 0 ? (guint64)0 - (guint64)value : (guint64)value;
    gsize at = sizeof digits;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    g_string_append_len(out, digits + at, (gssize)(sizeof digits - at));
}

void
json_number(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (!isfinite(value)) {
        g_string_append_c(out, '0'); /* JSON has no other numbers */
    } else if (floor(value) == value && fabs(value) < 1e15) {
        json_int(out, (gint64)value);
    } else {
        for (int digits = 6; digits <= 17; digits++) {
            char format[8];

            (void)g_snprintf(format, sizeof format, "%%.%dg", digits);
            g_ascii_formatd(text, sizeof text, format, value);
            if (g_ascii_strtod(text, NULL) >= value && g_ascii_strtod(text, NULL) <= value) {
                break;
            }
        }
        g_string_append(out, text);
    }
}

void
json_float(GString *out, double value)
{
    gsize before = out->len;

    json_number(out, value);
    if (!strpbrk(out->str + before, ".e")) {
        g_string_append(out, ".0");
    }
}

static char *
put_digits(char *at, gint64 value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

void
json_time(GString *out, gint64 at_ms, gboolean millis)
{
    gint64 day, ms, era, of_era, year, of_year, month;
    char text[48], *at = text;

    if (millis) {
        json_int(out, at_ms);
        return;
    }
    day = at_ms / MS_PER_DAY - (at_ms % MS_PER_DAY < 0 ? 1 : 0);
    ms = at_ms - day * MS_PER_DAY;
    /* Days to a date in the proleptic Gregorian calendar, in years that begin in March. */
    day += 719468;
    era = (day >= 0 ? day : day - 146096) / 146097;
    of_era = day - era * 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;
    year += era * 400 + (month >= 10 ? 1 : 0);
    *at++ = '"';
    at = put_digits(at, CLAMP(year, 0, 9999), 4);
    *at++ = '-';
    at = put_digits(at, month < 10 ? month + 3 : month - 9, 2);
    *at++ = '-';
    at = put_digits(at, of_year - (153 * month + 2) / 5 + 1, 2);
    *at++ = 'T';
    at = put_digits(at, ms / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, ms / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, ms / 1000 % 60, 2);
    *at++ = 'Z';
    *at++ = '"';
    g_string_append_len(out, text, at - text);
}

static const char *
skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') {
        at++;
    }
    return at;
}

/* From an opening quote to behind the closing one; NULL when the text ends before. */
static const char *
skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        }
    }
    return *at == '"' ? at + 1 : NULL;
}

static const char *
skip_value(const char *at)
{
    int depth = 0;

    do {
        if (*at == '"') {
            at = skip_string(at);
            if (!at) {
                return NULL;
            }
            continue;
        }
        if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0) {
                return at;
            }
            depth--;
        } else if (*at == '\0') {
            return NULL;
        } else if (*at == ',' && depth == 0) {
            return at;
        }
        at++;
    } while (depth > 0 || (*at && *at != ',' && *at != '}' && *at != ']'));
    return at;
}

gboolean
json_member(const char *json, const char *name, const char **ret_value, gsize *ret_bytes)
{
    gsize name_bytes = strlen(name);
    const char *at = json ? skip_space(json) : "";

    if (*at != '{') {
        return FALSE;
    }
    at = skip_space(at + 1);
    while (*at == '"') {
        const char *end = skip_string(at), *value, *after;

        if (!end || *(value = skip_space(end)) != ':') {
            return FALSE;
        }
        value = skip_space(value + 1);
        after = skip_value(value);
        if (!after) {
            return FALSE;
        }
        if ((gsize)(end - at - 2) == name_bytes && strncmp(at + 1, name, name_bytes) == 0) {
            *ret_value = value;
            *ret_bytes = (gsize)(after - value);
            return TRUE;
        }
        at = skip_space(after);
        if (*at == ',') {
            at = skip_space(at + 1);
        }
    }
    return FALSE;
}

void
json_splice(GString *out, const char *json)
{
    const char *at = skip_space(json);
    gsize bytes = strlen(at);

    while (bytes > 0 && g_ascii_isspace(at[bytes - 1])) {
        bytes--;
    }
    if (bytes < 2 || at[0] != '{' || at[bytes - 1] != '}') {
        return;
    }
    at = skip_space(at + 1);
    if (*at != '"') {
        return;
    }
    json_separate(out);
    g_string_append_len(out, at, (gssize)(bytes - (gsize)(at - skip_space(json)) - 1));
}

static gboolean
names_a_time(const char *name, gsize bytes)
{
    static const char *const others[] = {"deadline", "start", "finish", "start_time",
                                         "projected_completion"};

    if (bytes > 3 && strncmp(name + bytes - 3, "_at", 3) == 0) {
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        if (strlen(others[i]) == bytes && strncmp(name, others[i], bytes) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

void
json_append_millis(GString *out, const char *json)
{
    const char *at = json;

    while (*at) {
        const char *end = *at == '"' ? skip_string(at) : NULL, *value, *after;
        gint64 ms;

        if (!end) {
            g_string_append_c(out, *at++);
            continue;
        }
        g_string_append_len(out, at, end - at);
        value = skip_space(end);
        if (*value == ':') {
            const char *quote = skip_space(value + 1);

            after = *quote == '"' ? skip_string(quote) : NULL;
            if (after && names_a_time(at + 1, (gsize)(end - at - 2))) {
                g_autofree char *text = g_strndup(quote + 1, (gsize)(after - quote - 2));

                if (json_time_parse(text, &ms)) {
                    g_string_append_c(out, ':');
                    json_int(out, ms);
                    end = after;
                }
            }
        }
        at = end;
    }
}

gboolean
json_time_parse(const char *text, gint64 *ret_ms)
{
    g_autoptr(GDateTime) time = NULL;
    g_autoptr(GTimeZone) utc = NULL;
    gint64 ms;

    if (g_ascii_string_to_signed(text, 10, G_MININT64 / 1000, G_MAXINT64 / 1000, &ms, NULL)) {
        *ret_ms = ms;
        return TRUE;
    }
    if (!strchr(text, 'T')) {
        return FALSE;
    }
    utc = g_time_zone_new_utc();
    time = g_date_time_new_from_iso8601(text, utc);
    if (!time) {
        return FALSE;
    }
    *ret_ms = g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
    return TRUE;
}

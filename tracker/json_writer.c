/* Most of a page is texts, and most of a text goes out as it is: plain_run() finds how far, looking
 * at eight bytes at a time and checking UTF-8 on the way, and that is copied at once. The reading
 * half walks JSON text that our own tables hold (`extra`, parts of activities); it trusts nothing:
 * every step ends at NUL. */
#include "tracker/json_writer.h"

#include <math.h>
#include <string.h>

#define MS_PER_DAY G_GINT64_CONSTANT(86400000)

/* Room for `bytes` more, which the caller fills and counts with wrote(). */
static char *
room(GString *out, gsize bytes)
{
    gsize length = out->len;

    if (out->allocated_len - length <= bytes) {
        (void)g_string_set_size(out, length + bytes);
        out->len = length;
    }
    return out->str + length;
}

static void
wrote(GString *out, const char *end)
{
    out->len = (gsize)(end - out->str);
    out->str[out->len] = '\0';
}

void
json_append(GString *out, const char *text, gsize bytes)
{
    char *at = room(out, bytes);

    memcpy(at, text, bytes);
    wrote(out, at + bytes);
}

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
    gsize bytes = strlen(name);
    char last = out->len ? out->str[out->len - 1] : '{', *at = room(out, bytes + 4);

    if (last != '{' && last != '[') {
        *at++ = ',';
    }
    *at++ = '"';
    memcpy(at, name, bytes);
    at += bytes;
    *at++ = '"';
    *at++ = ':';
    wrote(out, at);
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
        if (byte < 0x80) {
            g_string_append_printf(out, "\\u%04x", byte);
        } else {
            g_string_append(out, "\xef\xbf\xbd"); /* U+FFFD: it is no UTF-8 */
        }
    }
}

#define EACH_BYTE(value) (G_GUINT64_CONSTANT(0x0101010101010101) * (value))

/* Is there a byte below 0x20 or beyond ASCII, a quote, a backslash or DEL among the eight? To
 * subtract from each byte borrows into its highest bit where it was smaller, and what is equal to c
 * is smaller than 1 after xor with c. (A borrow may mark the byte behind such a one as well: no
 * matter.) */
static gboolean
word_is_plain(guint64 word)
{
    guint64 quote = word ^ EACH_BYTE('"'), slash = word ^ EACH_BYTE('\\');
    guint64 delete = word ^ EACH_BYTE(0x7f), one = EACH_BYTE(1);
    guint64 found =
        (word - EACH_BYTE(0x20)) | (quote - one) | (slash - one) | (delete - one) | word;

    return (found & EACH_BYTE(0x80)) == 0;
}

static gboolean
follows(guchar byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The bytes of one character beyond ASCII; 0 when they are not UTF-8. */
static gsize
sequence_bytes(const guchar *at, gsize left)
{
    if (at[0] >= 0xc2 && at[0] < 0xe0) {
        return left >= 2 && follows(at[1]) ? 2 : 0;
    }
    if ((at[0] & 0xf0) == 0xe0) {
        gboolean canonical = left >= 3 && (at[0] != 0xe0 || at[1] >= 0xa0);
        gboolean surrogate = canonical && at[0] == 0xed && at[1] >= 0xa0;

        return canonical && !surrogate && follows(at[1]) && follows(at[2]) ? 3 : 0;
    }
    if (at[0] >= 0xf0 && at[0] < 0xf5) {
        gboolean in_range =
            left >= 4 && (at[0] != 0xf0 || at[1] >= 0x90) && (at[0] != 0xf4 || at[1] < 0x90);

        return in_range && follows(at[1]) && follows(at[2]) && follows(at[3]) ? 4 : 0;
    }
    return 0;
}

/* How many bytes go out as they are. */
static gsize
plain_run(const char *text, gsize bytes)
{
    gsize at = 0;

    while (at < bytes) {
        guint64 word;
        guchar byte = (guchar)text[at];

        if (at + sizeof word <= bytes) {
            memcpy(&word, text + at, sizeof word);
            if (word_is_plain(word)) {
                at += sizeof word;
                continue;
            }
        }
        if (byte >= 0x80) {
            gsize sequence = sequence_bytes((const guchar *)text + at, bytes - at);

            if (sequence == 0) {
                break;
            }
            at += sequence;
        } else if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
            at++;
        } else {
            break;
        }
    }
    return at;
}

void
json_text(GString *out, const char *text, gsize bytes)
{
    g_string_append_c(out, '"');
    for (gsize at = 0; at < bytes;) {
        gsize run = plain_run(text + at, bytes - at);

        json_append(out, text + at, run);
        at += run;
        if (at < bytes) {
            append_escaped(out, (guchar)text[at++]);
        }
    }
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
    json_append(out, digits + at, sizeof digits - at);
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
    json_append(out, text, (gsize)(at - text));
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

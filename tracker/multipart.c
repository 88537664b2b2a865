/* The body is cut at its delimiters: "--" and the boundary at the beginning of a line. Each part is
 * headers, an empty line, data; the line end before the next delimiter belongs to that. Lines may
 * end with a bare LF. Of headers only Content-Disposition and Content-Type count. */
#include "tracker/multipart.h"

#include <string.h>

#define MAX_BOUNDARY_BYTES 70

typedef struct Span {
    const char *at;
    gsize bytes;
} Span;

/* The value of a parameter of a header ("; name=value" or quoted); NULL: absent. Owned. In quotes a
 * backslash escapes a quote or itself; elsewhere it is what Windows paths are made of. */
static char *
parameter(const char *header, gsize bytes, const char *name)
{
    gsize at = 0, name_bytes = strlen(name);

    while (at < bytes) {
        gsize start;

        while (at < bytes && header[at] != ';') {
            if (header[at] == '"') {
                at++;
                while (at < bytes && header[at] != '"') {
                    at += header[at] == '\\' && at + 1 < bytes ? 2 : 1;
                }
            }
            at++;
        }
        at++;
        while (at < bytes && g_ascii_isspace(header[at])) {
            at++;
        }
        start = at;
        if (start + name_bytes >= bytes || header[start + name_bytes] != '=' ||
            g_ascii_strncasecmp(header + start, name, name_bytes) != 0) {
            continue;
        }
        at = start + name_bytes + 1;
        if (at < bytes && header[at] == '"') {
            GString *value = g_string_new(NULL);

            for (at++; at < bytes && header[at] != '"'; at++) {
                if (header[at] == '\\' && at + 1 < bytes &&
                    (header[at + 1] == '"' || header[at + 1] == '\\')) {
                    at++;
                }
                g_string_append_c(value, header[at]);
            }
            return g_string_free(value, FALSE);
        }
        for (start = at; at < bytes && header[at] != ';' && !g_ascii_isspace(header[at]); at++) {
        }
        return g_strndup(header + start, at - start);
    }
    return NULL;
}

/* A header of a part; *ret_value is without the spaces around. */
static gboolean
find_header(Span headers, const char *name, Span *ret_value)
{
    gsize name_bytes = strlen(name);
    const char *at = headers.at, *end = headers.at + headers.bytes;

    while (at < end) {
        const char *line_end = memchr(at, '\n', (gsize)(end - at));
        const char *stop = line_end ? line_end : end;

        if ((gsize)(stop - at) > name_bytes && at[name_bytes] == ':' &&
            g_ascii_strncasecmp(at, name, name_bytes) == 0) {
            at += name_bytes + 1;
            while (at < stop && g_ascii_isspace(*at)) {
                at++;
            }
            while (stop > at && g_ascii_isspace(stop[-1])) {
                stop--;
            }
            *ret_value = (Span){at, (gsize)(stop - at)};
            return TRUE;
        }
        at = line_end ? line_end + 1 : end;
    }
    return FALSE;
}

/* Does the delimiter end here, and not go on as a longer word? */
static gboolean
ends_line(const char *at, const char *end)
{
    return at == end || (*at && strchr("\r\n \t", *at)) ||
           (end - at >= 2 && at[0] == '-' && at[1] == '-');
}

/* Where the next delimiter line begins, at or after `at`; NULL: nowhere. */
static const char *
next_delimiter(Span body, const char *at, const char *delimiter)
{
    const char *end = body.at + body.bytes;
    gsize length = strlen(delimiter);

    while (at < end) {
        const char *found = memmem(at, (gsize)(end - at), delimiter, length);

        if (!found || ((found == body.at || found[-1] == '\n') && ends_line(found + length, end))) {
            return found;
        }
        at = found + 1;
    }
    return NULL;
}

/* Cuts a part into headers and data. */
static gboolean
split_part(Span part, Span *ret_headers, Span *ret_data)
{
    const char *at = part.at, *end = part.at + part.bytes;

    for (;;) {
        gsize left = (gsize)(end - at);
        const char *line_end = memchr(at, '\n', MIN(left, MULTIPART_MAX_HEADER_BYTES));

        if (!line_end || (gsize)(line_end - part.at) > MULTIPART_MAX_HEADER_BYTES) {
            return FALSE;
        }
        if (line_end == at || (line_end == at + 1 && *at == '\r')) {
            *ret_headers = (Span){part.at, (gsize)(at - part.at)};
            *ret_data = (Span){line_end + 1, (gsize)(end - line_end - 1)};
            return TRUE;
        }
        at = line_end + 1;
    }
}

/* Browsers escape quotes and line ends of names as %22, %0D, %0A and nothing else; RFC 5987 gives
 * the whole name in another parameter. Only the last segment of a path is the name. */
static char *
filename_of(Span disposition)
{
    g_autofree char *extended = parameter(disposition.at, disposition.bytes, "filename*");
    g_autofree char *name = NULL;
    char *slash;

    if (extended && g_ascii_strncasecmp(extended, "UTF-8''", 7) == 0) {
        name = g_uri_unescape_string(extended + 7, NULL);
    }
    if (!name) {
        g_autofree char *plain = parameter(disposition.at, disposition.bytes, "filename");
        g_auto(GStrv) parts = plain ? g_strsplit(plain, "%22", -1) : NULL;

        name = parts ? g_strjoinv("\"", parts) : NULL;
    }
    if (!name) {
        return NULL;
    }
    slash = strrchr(name, '/');
    slash = slash ? slash : strrchr(name, '\\');
    return g_utf8_make_valid(slash ? slash + 1 : name, -1);
}

static gboolean
is_wanted(Span headers, Span data, const char *name, Multipart *ret_part)
{
    Span disposition, type;
    g_autofree char *part_name = NULL, *filename = NULL;

    if (!find_header(headers, "Content-Disposition", &disposition)) {
        return FALSE;
    }
    part_name = parameter(disposition.at, disposition.bytes, "name");
    filename = filename_of(disposition);
    if (g_strcmp0(part_name, name) != 0 || !filename || !*filename) {
        return FALSE;
    }
    *ret_part = (Multipart){data.at, data.bytes, g_steal_pointer(&filename), NULL};
    if (find_header(headers, "Content-Type", &type) && type.bytes > 0) {
        ret_part->content_type = g_strndup(type.at, type.bytes);
    }
    return TRUE;
}

/* The data without the line end that belongs to the delimiter. */
static Span
trimmed(Span data)
{
    data.bytes -= data.bytes > 0 && data.at[data.bytes - 1] == '\n' ? 1 : 0;
    data.bytes -= data.bytes > 0 && data.at[data.bytes - 1] == '\r' ? 1 : 0;
    return data;
}

/* Old clients say multipart/related, and got away with it: npm's pivotaljs does. */
static gboolean
is_multipart(const char *content_type)
{
    static const char *const types[] = {"multipart/form-data", "multipart/related",
                                        "multipart/mixed"};

    for (gsize i = 0; content_type && i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_strncasecmp(content_type, types[i], strlen(types[i])) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

const char *
multipart_find(const char *content_type, const char *body, gsize bytes, const char *name,
               Multipart *ret_part)
{
    Span whole = {body, bytes};
    g_autofree char *boundary = NULL, *delimiter = NULL;
    const char *at;

    if (!is_multipart(content_type)) {
        return "The upload must be multipart/form-data.";
    }
    boundary = parameter(content_type, strlen(content_type), "boundary");
    if (!boundary || !*boundary || strlen(boundary) > MAX_BOUNDARY_BYTES) {
        return "The upload has no valid multipart boundary.";
    }
    delimiter = g_strconcat("--", boundary, NULL);
    at = body ? next_delimiter(whole, body, delimiter) : NULL;
    for (int n = 0; at && n < MULTIPART_MAX_PARTS; n++) {
        const char *end = body + bytes, *line_end, *next;
        Span headers, data;

        at += strlen(delimiter);
        if (end - at >= 2 && at[0] == '-' && at[1] == '-') {
            return "this endpoint requires the parameter: file";
        }
        line_end = memchr(at, '\n', (gsize)(end - at));
        next = line_end ? next_delimiter(whole, line_end + 1, delimiter) : NULL;
        if (!next) {
            return "The upload is cut off: its last part has no end.";
        }
        if (!split_part((Span){line_end + 1, (gsize)(next - line_end - 1)}, &headers, &data)) {
            return "The upload has a part whose headers do not end.";
        }
        if (is_wanted(headers, trimmed(data), name, ret_part)) {
            return NULL;
        }
        at = next;
    }
    return at ? "The upload has too many parts." : "The upload has no multipart boundary in it.";
}

void
multipart_clear(Multipart *part)
{
    g_clear_pointer(&part->filename, g_free);
    g_clear_pointer(&part->content_type, g_free);
}

/* What every transport shares: making and freeing requests and responses. */
#include "cache/transport.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static HttpRequest *request_new(const char *method, const char *format, va_list args)
    G_GNUC_PRINTF(2, 0);

static HttpRequest *
request_new(const char *method, const char *format, va_list args)
{
    HttpRequest *request = g_new0(HttpRequest, 1);
    request->target = g_strdup_vprintf(format, args);
    request->method = method;
    request->out_fd = request->in_fd = -1;
    return request;
}

HttpRequest *
http_request_new_get(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    HttpRequest *request = request_new("GET", format, args);
    va_end(args);
    request->priority = PRIORITY_DEMAND;
    return request;
}

HttpRequest *
http_request_new_write(const char *method, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    HttpRequest *request = request_new(method, format, args);
    va_end(args);
    request->priority = PRIORITY_SAVE;
    request->once = TRUE;
    return request;
}

void
http_request_set_json(HttpRequest *request, char *json)
{
    request->body = json;
    request->body_bytes = strlen(json);
    request->content_type = g_strdup("application/json");
}

/* What HTML forms do with a name: quotes and line ends are percent-encoded, all else stands. */
static void
append_form_name(GString *out, const char *name)
{
    for (const char *at = name; *at; at++) {
        if (*at == '"' || *at == '\r' || *at == '\n') {
            g_string_append_printf(out, "%%%02X", (guint)(guchar)*at);
        } else {
            g_string_append_c(out, *at);
        }
    }
}

void
http_request_set_upload(HttpRequest *request, const char *part, const char *filename, int fd,
                        gint64 bytes)
{
    /* Random, so that no file can hold it but by an accident of one in 2^122. */
    g_autofree char *boundary = g_uuid_string_random();
    GString *head = g_string_new(NULL);
    g_string_append_printf(head, "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"",
                           boundary, part);
    append_form_name(head, filename);
    g_string_append(head, "\"\r\nContent-Type: application/octet-stream\r\n\r\n");
    request->body_bytes = head->len;
    request->body = g_string_free(head, FALSE);
    request->in_fd = fd;
    request->in_bytes = bytes;
    request->tail = g_strdup_printf("\r\n--%s--\r\n", boundary);
    request->content_type = g_strdup_printf("multipart/form-data; boundary=%s", boundary);
}

void
http_request_free(HttpRequest *request)
{
    if (!request) {
        return;
    }
    g_free(request->target);
    g_free(request->body);
    g_free(request->tail);
    g_free(request->content_type);
    if (request->in_fd >= 0) {
        (void)close(request->in_fd);
    }
    g_free(request);
}

void
http_response_free(HttpResponse *response)
{
    if (!response) {
        return;
    }
    g_free(response->body);
    g_free(response->location);
    g_free(response);
}

void
transport_free(Transport *transport)
{
    if (transport) {
        transport->free(transport);
    }
}

/* What every transport shares: making and freeing requests and responses. */
#include "cache/transport.h"

#include <stdarg.h>

HttpRequest *
http_request_new_get(const char *format, ...)
{
    HttpRequest *request = g_new0(HttpRequest, 1);
    va_list args;
    va_start(args, format);
    request->target = g_strdup_vprintf(format, args);
    va_end(args);
    request->method = "GET";
    request->priority = PRIORITY_DEMAND;
    request->out_fd = -1;
    return request;
}

void
http_request_free(HttpRequest *request)
{
    if (!request) {
        return;
    }
    g_free(request->target);
    g_free(request->body);
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

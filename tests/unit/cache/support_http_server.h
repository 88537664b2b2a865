/* support_http_server: a web server of a few lines that does exactly what a test tells it.
 *
 * Each connection is served by a thread of its own; each request calls `answer` with the request's
 * number (from 1) and text (headers included), on that thread. The callback writes what it wants to
 * `fd`, raw, and returns whether to keep the connection. Waiting inside the callback is how a test
 * makes a slow server: by a condition, not by the clock. */
#pragma once

#include <glib.h>

typedef struct HttpServer HttpServer;
typedef gboolean (*HttpServerFn)(int fd, guint number, const char *request, gpointer user);

HttpServer *http_server_start(HttpServerFn answer, gpointer user);
/* Closes every connection and joins every thread. Callbacks that wait must have been let go. */
void http_server_stop(HttpServer *server);

/* "http://127.0.0.1:PORT", borrowed. */
const char *http_server_url(HttpServer *server);
guint http_server_requests(HttpServer *server);

void http_server_write(int fd, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A whole 200 answer with a JSON body. */
void http_server_json(int fd, const char *body);

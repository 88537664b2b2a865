/* Sockets, a thread a connection, and nothing clever. */
#include "tests/unit/cache/support_http_server.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cache/base/lock.h"

struct HttpServer {
    HttpServerFn answer;
    gpointer user;
    int listener;
    char *url;
    pthread_t acceptor;
    pthread_mutex_t lock;
    GArray *threads; /* of pthread_t; acceptor only until it is joined */
    GArray *fds;     /* of int; protected by lock */
    guint requests;  /* protected by lock */
};

typedef struct {
    HttpServer *server;
    int fd;
} Connection;

/* Reads up to the blank line that ends the headers. FALSE when the client went away. */
static gboolean
read_request(int fd, GString *text)
{
    char byte;
    (void)g_string_truncate(text, 0);
    while (!g_str_has_suffix(text->str, "\r\n\r\n")) {
        if (recv(fd, &byte, 1, 0) != 1) {
            return FALSE;
        }
        (void)g_string_append_c(text, byte);
    }
    return TRUE;
}

static gpointer
serve_connection(gpointer user)
{
    Connection *connection = user;
    HttpServer *server = connection->server;
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean keep = TRUE;
    while (keep && read_request(connection->fd, text)) {
        guint number;
        {
            LOCK_SCOPE(&server->lock);
            number = ++server->requests;
        }
        keep = server->answer(connection->fd, number, text->str, server->user);
    }
    (void)shutdown(connection->fd, SHUT_RDWR);
    g_free(connection);
    return NULL;
}

static gpointer
accept_connections(gpointer user)
{
    HttpServer *server = user;
    for (int fd; (fd = accept(server->listener, NULL, NULL)) >= 0;) {
        Connection *connection = g_new(Connection, 1);
        *connection = (Connection){server, fd};
        {
            LOCK_SCOPE(&server->lock);
            g_array_append_val(server->fds, fd);
        }
        pthread_t thread;
        g_assert_cmpint(pthread_create(&thread, NULL, serve_connection, connection), ==, 0);
        g_array_append_val(server->threads, thread);
    }
    return NULL;
}

HttpServer *
http_server_start(HttpServerFn answer, gpointer user)
{
    HttpServer *server = g_new0(HttpServer, 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->answer = answer;
    server->user = user;
    server->threads = g_array_new(FALSE, FALSE, sizeof(pthread_t));
    server->fds = g_array_new(FALSE, FALSE, sizeof(int));
    (void)pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(server->listener, 128), ==, 0);
    g_assert_cmpint(getsockname(server->listener, (struct sockaddr *)&address, &length), ==, 0);
    server->url = g_strdup_printf("http://127.0.0.1:%d", ntohs(address.sin_port));
    g_assert_cmpint(pthread_create(&server->acceptor, NULL, accept_connections, server), ==, 0);
    return server;
}

void
http_server_stop(HttpServer *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    (void)pthread_join(server->acceptor, NULL);
    (void)close(server->listener);
    for (guint i = 0; i < server->fds->len; i++) {
        (void)shutdown(g_array_index(server->fds, int, i), SHUT_RDWR);
    }
    for (guint i = 0; i < server->threads->len; i++) {
        (void)pthread_join(g_array_index(server->threads, pthread_t, i), NULL);
    }
    for (guint i = 0; i < server->fds->len; i++) {
        (void)close(g_array_index(server->fds, int, i));
    }
    g_array_unref(server->threads);
    g_array_unref(server->fds);
    (void)pthread_mutex_destroy(&server->lock);
    g_free(server->url);
    g_free(server);
}

const char *
http_server_url(HttpServer *server)
{
    return server->url;
}

guint
http_server_requests(HttpServer *server)
{
    LOCK_SCOPE(&server->lock);
    return server->requests;
}

void
http_server_write(int fd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

void
http_server_json(int fd, const char *body)
{
    http_server_write(fd,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
                      "Content-Length: %zu\r\nX-Tracker-Project-Version: 7\r\n"
                      "X-Tracker-Pagination-Total: 172\r\n\r\n%s",
                      strlen(body), body);
}

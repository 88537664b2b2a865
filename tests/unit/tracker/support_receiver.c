#include "support_receiver.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tracker/lock.h"

#define WAIT_S 10

struct Receiver {
    int listener;
    char *url;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GPtrArray *heads, *bodies; /* of char *; protected by lock, like all below */
    int status;
    char *answer;
};

/* The head up to the blank line and as many bytes as it announces; FALSE when the peer went away.
 */
static gboolean
read_post(int fd, GString *head, GString *body)
{
    char byte;
    const char *length;
    gsize left;

    while (!g_str_has_suffix(head->str, "\r\n\r\n")) {
        if (recv(fd, &byte, 1, 0) != 1) {
            return FALSE;
        }
        g_string_append_c(head, byte);
    }
    length = strstr(head->str, "Content-Length: ");
    left = length ? (gsize)g_ascii_strtoull(length + strlen("Content-Length: "), NULL, 10) : 0;
    g_string_set_size(body, left);
    return left == 0 || recv(fd, body->str, left, MSG_WAITALL) == (ssize_t)left;
}

static void
take_post(Receiver *receiver, int fd)
{
    g_autoptr(GString) head = g_string_new(NULL), body = g_string_new(NULL);
    g_autofree char *text = NULL;

    if (!read_post(fd, head, body)) {
        return;
    }
    {
        TRACKER_LOCK(&receiver->lock);
        if (receiver->status) {
            text = g_strdup_printf("HTTP/1.1 %d Said\r\nContent-Length: %zu\r\nConnection: close"
                                   "\r\nLocation: http://127.0.0.1:1/\r\n\r\n%s",
                                   receiver->status, strlen(receiver->answer), receiver->answer);
        }
        g_ptr_array_add(receiver->heads, g_strdup(head->str));
        g_ptr_array_add(receiver->bodies, g_strdup(body->str));
        (void)pthread_cond_broadcast(&receiver->changed);
    }
    if (text) {
        (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
    }
}

static void *
accept_posts(void *user)
{
    Receiver *receiver = user;

    for (int fd; (fd = accept(receiver->listener, NULL, NULL)) >= 0;) {
        take_post(receiver, fd);
        (void)shutdown(fd, SHUT_RDWR);
        (void)close(fd);
    }
    return NULL;
}

Receiver *
receiver_start(void)
{
    Receiver *receiver = g_new0(Receiver, 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    receiver->heads = g_ptr_array_new_with_free_func(g_free);
    receiver->bodies = g_ptr_array_new_with_free_func(g_free);
    receiver->status = 200;
    receiver->answer = g_strdup("");
    (void)pthread_mutex_init(&receiver->lock, NULL);
    (void)pthread_cond_init(&receiver->changed, NULL);
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(receiver->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(receiver->listener, 16), ==, 0);
    g_assert_cmpint(getsockname(receiver->listener, (struct sockaddr *)&address, &length), ==, 0);
    receiver->url = g_strdup_printf("http://127.0.0.1:%d/", ntohs(address.sin_port));
    g_assert_cmpint(pthread_create(&receiver->thread, NULL, accept_posts, receiver), ==, 0);
    return receiver;
}

void
receiver_stop(Receiver *receiver)
{
    (void)shutdown(receiver->listener, SHUT_RDWR);
    (void)pthread_join(receiver->thread, NULL);
    (void)close(receiver->listener);
    (void)pthread_cond_destroy(&receiver->changed);
    (void)pthread_mutex_destroy(&receiver->lock);
    g_ptr_array_unref(receiver->heads);
    g_ptr_array_unref(receiver->bodies);
    g_free(receiver->answer);
    g_free(receiver->url);
    g_free(receiver);
}

const char *
receiver_url(const Receiver *receiver)
{
    return receiver->url;
}

void
receiver_answer(Receiver *receiver, int status, const char *body)
{
    TRACKER_LOCK(&receiver->lock);
    receiver->status = status;
    g_free(receiver->answer);
    receiver->answer = g_strdup(body);
}

gboolean
receiver_wait(Receiver *receiver, guint posts)
{
    struct timespec until;
    TRACKER_LOCK(&receiver->lock);

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    while (receiver->bodies->len < posts) {
        if (pthread_cond_timedwait(&receiver->changed, &receiver->lock, &until) != 0) {
            return FALSE;
        }
    }
    return TRUE;
}

guint
receiver_count(Receiver *receiver)
{
    TRACKER_LOCK(&receiver->lock);
    return receiver->bodies->len;
}

char *
receiver_body(Receiver *receiver, guint i)
{
    TRACKER_LOCK(&receiver->lock);
    return g_strdup(g_ptr_array_index(receiver->bodies, i));
}

char *
receiver_head(Receiver *receiver, guint i)
{
    TRACKER_LOCK(&receiver->lock);
    return g_strdup(g_ptr_array_index(receiver->heads, i));
}

/* A queue and a thread. */
#include "tests/unit/cache/support_fake_transport.h"

#include <string.h>

#include "cache/base/err.h"

typedef struct {
    HttpRequest *request;
    TransportDoneFn done;
    gpointer user;
} Asked;

static HttpResponse *
answer_locked(FakeTransport *fake, const HttpRequest *request, GError **error)
{
    while (fake->holds_back && !fake->stops) {
        (void)cond_wait_ms(&fake->changed, &fake->lock, -1);
    }
    if (fake->stops) {
        g_set_error(error, ERR, ERR_CANCELLED, "ending");
        return NULL;
    }
    fake->requests++;
    if (fake->is_offline) {
        g_set_error(error, ERR, ERR_OFFLINE, "unplugged");
        return NULL;
    }
    return fake->answer(fake, request, error);
}

static void
answer(FakeTransport *fake, Asked *asked)
{
    g_autoptr(GError) error = NULL;
    HttpResponse *response;
    {
        LOCK_SCOPE(&fake->lock);
        response = answer_locked(fake, asked->request, &error);
        fake->answering = NULL;
    }
    asked->done(response, error, asked->user);
    http_request_free(asked->request);
    g_free(asked);
}

static gpointer
fake_thread(gpointer user)
{
    FakeTransport *fake = user;
    for (;;) {
        Asked *asked = NULL;
        {
            LOCK_SCOPE(&fake->lock);
            while (!(asked = g_queue_pop_head(&fake->queue)) && !fake->stops) {
                (void)cond_wait_ms(&fake->changed, &fake->lock, -1);
            }
            fake->answering = asked ? asked->request : NULL;
        }
        if (!asked) {
            return NULL;
        }
        answer(fake, asked);
    }
}

static void
fake_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    FakeTransport *fake = (FakeTransport *)transport;
    Asked *asked = g_new(Asked, 1);
    *asked = (Asked){request, done, user};
    LOCK_SCOPE(&fake->lock);
    g_queue_push_tail(&fake->queue, asked);
    (void)pthread_cond_broadcast(&fake->changed);
}

static void
fake_get_stats(Transport *transport, TransportStats *ret_stats)
{
    FakeTransport *fake = (FakeTransport *)transport;
    LOCK_SCOPE(&fake->lock);
    *ret_stats = (TransportStats){.requests = fake->requests};
}

static void
fake_free(Transport *transport)
{
    FakeTransport *fake = (FakeTransport *)transport;
    {
        LOCK_SCOPE(&fake->lock);
        fake->stops = TRUE;
        (void)pthread_cond_broadcast(&fake->changed);
    }
    (void)pthread_join(fake->thread, NULL);
    if (fake->clear) {
        fake->clear(fake);
    }
    (void)pthread_cond_destroy(&fake->changed);
    (void)pthread_mutex_destroy(&fake->lock);
    g_free(fake);
}

void
fake_transport_start(FakeTransport *fake)
{
    fake->transport =
        (Transport){.send = fake_send, .get_stats = fake_get_stats, .free = fake_free};
    g_queue_init(&fake->queue);
    (void)pthread_mutex_init(&fake->lock, NULL);
    cond_init_monotonic(&fake->changed);
    g_assert_cmpint(pthread_create(&fake->thread, NULL, fake_thread, fake), ==, 0);
}

static gboolean
is_of(const HttpRequest *request, const char *path)
{
    const gsize length = strcspn(request->target, "?");
    const gsize tail = strlen(path);
    return length >= tail && strncmp(request->target + length - tail, path, tail) == 0;
}

guint
fake_transport_count_waiting(FakeTransport *fake, const char *path)
{
    LOCK_SCOPE(&fake->lock);
    guint n = fake->answering && is_of(fake->answering, path);
    for (const GList *at = fake->queue.head; at; at = at->next) {
        const Asked *asked = at->data;
        n += is_of(asked->request, path);
    }
    return n;
}

HttpResponse *
fake_response(int status, gint64 project_version, char *body)
{
    HttpResponse *response = g_new(HttpResponse, 1);
    *response = (HttpResponse){.status = status,
                               .body = body ? body : g_strdup(""),
                               .body_bytes = body ? strlen(body) : 0,
                               .project_version = project_version,
                               .total = -1,
                               .limit = -1,
                               .offset = -1,
                               .returned = -1,
                               .retry_after_ms = -1};
    return response;
}

gint64
fake_parameter(const char *target, const char *name, gint64 otherwise)
{
    g_autofree char *key = g_strdup_printf("%s=", name);
    const char *at = strstr(target, key);
    return at ? g_ascii_strtoll(at + strlen(key), NULL, 10) : otherwise;
}

GArray *
fake_ids(const char *target)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    const char *at = strstr(target, "ids=") + 4;
    for (char *end; g_ascii_isdigit(*at); at = *end == ',' ? end + 1 : end) {
        gint64 id = g_ascii_strtoll(at, &end, 10);
        g_array_append_val(ids, id);
    }
    return ids;
}

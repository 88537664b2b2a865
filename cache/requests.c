/* A ring of lines under one lock. Each line is made when the answer is there: when it was asked,
 * what, what came of it, how long that took from the moment of asking (waiting for a place and
 * repeats included), and how many bytes came. */
#include "cache/requests.h"

#include <string.h>

#include "cache/base/clock.h"
#include "cache/base/lock.h"

#define LINES_MAX 1000
#define TARGET_CHARACTERS 200

struct RequestLog {
    Transport transport; /* first: handed out */
    Transport *inner;
    pthread_mutex_t lock;
    GQueue lines; /* of char *; protected by lock, like the counts */
    guint64 counts[ASKED_KINDS];
};

typedef struct Asked {
    RequestLog *requests;
    TransportDoneFn done;
    gpointer user;
    const char *method;
    char *target;
    Priority priority;
    gint64 began_ms, wall_ms;
} Asked;

const char *
asked_word(AskedKind kind)
{
    static const char *const words[ASKED_KINDS] = {"account",     "activity",   "stories",
                                                   "changed",     "iterations", "lists",
                                                   "attachments", "writes"};
    return words[kind];
}

static AskedKind
kind_of(const HttpRequest *request)
{
    const char *target = request->target;
    if (!g_str_equal(request->method, "GET")) {
        return ASKED_WRITES;
    }
    if (request->out_fd >= 0) {
        return ASKED_FILES;
    }
    if (strstr(target, "/activity")) {
        return ASKED_ACTIVITY;
    }
    if (!g_str_has_prefix(target, "/projects/")) {
        return ASKED_ACCOUNT;
    }
    if (strstr(target, "/stories/")) {
        return ASKED_CHANGED;
    }
    if (strstr(target, "/stories")) {
        return ASKED_STORIES;
    }
    return strstr(target, "/iterations") ? ASKED_ITERATIONS : ASKED_LISTS;
}

static char *
line_of(const Asked *asked, const HttpResponse *response, const GError *error)
{
    static const char *const who[] = {"save", "demand", "prefetch"};
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(asked->wall_ms / 1000);
    g_autofree char *stamp = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    g_autofree char *outcome =
        error ? g_strdup_printf("(%s)", error->message) : g_strdup_printf("%d", response->status);
    return g_strdup_printf("%s.%03dZ %s %s %.*s %s %" G_GINT64_FORMAT "ms %" G_GSIZE_FORMAT "B\n",
                           stamp, (int)(asked->wall_ms % 1000), who[asked->priority], asked->method,
                           TARGET_CHARACTERS, asked->target, outcome,
                           clock_monotonic_ms() - asked->began_ms,
                           response ? response->body_bytes : 0);
}

static void
on_answer(HttpResponse *response, const GError *error, gpointer user)
{
    Asked *asked = user;
    RequestLog *requests = asked->requests;
    char *dropped = NULL;
    char *line = line_of(asked, response, error);
    {
        LOCK_SCOPE(&requests->lock);
        g_queue_push_tail(&requests->lines, line);
        if (g_queue_get_length(&requests->lines) > LINES_MAX) {
            dropped = g_queue_pop_head(&requests->lines);
        }
    }
    g_free(dropped);
    asked->done(response, error, asked->user);
    g_free(asked->target);
    g_free(asked);
}

static void
log_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    RequestLog *requests = (RequestLog *)transport;
    Asked *asked = g_new0(Asked, 1);
    asked->requests = requests;
    asked->done = done;
    asked->user = user;
    asked->method = request->method;
    asked->target = g_strdup(request->target);
    asked->priority = request->priority;
    asked->began_ms = clock_monotonic_ms();
    asked->wall_ms = clock_wall_ms();
    {
        LOCK_SCOPE(&requests->lock);
        requests->counts[kind_of(request)]++;
    }
    requests->inner->send(requests->inner, request, on_answer, asked);
}

static void
log_get_stats(Transport *transport, TransportStats *ret_stats)
{
    Transport *inner = ((RequestLog *)transport)->inner;
    inner->get_stats(inner, ret_stats);
}

static void
log_free(Transport *transport)
{
    requests_end((RequestLog *)transport);
}

RequestLog *
requests_new(Transport *inner)
{
    RequestLog *requests = g_new0(RequestLog, 1);
    requests->transport = (Transport){log_send, log_get_stats, log_free};
    requests->inner = inner;
    (void)pthread_mutex_init(&requests->lock, NULL);
    g_queue_init(&requests->lines);
    return requests;
}

Transport *
requests_transport(RequestLog *requests)
{
    return &requests->transport;
}

void
requests_end(RequestLog *requests)
{
    transport_free(g_steal_pointer(&requests->inner));
}

void
requests_free(RequestLog *requests)
{
    if (!requests) {
        return;
    }
    requests_end(requests);
    g_queue_clear_full(&requests->lines, g_free);
    (void)pthread_mutex_destroy(&requests->lock);
    g_free(requests);
}

char *
requests_text(RequestLog *requests)
{
    g_autoptr(GString) text = g_string_new(NULL);
    LOCK_SCOPE(&requests->lock);
    for (const GList *at = requests->lines.head; at; at = at->next) {
        g_string_append(text, at->data);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void
requests_count(RequestLog *requests, guint64 ret_counts[ASKED_KINDS])
{
    LOCK_SCOPE(&requests->lock);
    memcpy(ret_counts, requests->counts, sizeof requests->counts);
}

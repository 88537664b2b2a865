/* support_fake_transport: a Transport that answers in memory: one request after the other, in
 * order, on a thread of its own. A fake service is a struct that begins with one and says what the
 * answers are. */
#pragma once

#include <pthread.h>

#include "cache/base/lock.h"
#include "cache/transport.h"

typedef struct FakeTransport FakeTransport;
struct FakeTransport {
    Transport transport;
    pthread_mutex_t lock; /* of all that follows, and of the service's own fields */
    pthread_cond_t changed;
    gboolean is_offline; /* ERR_OFFLINE for every request */
    gboolean holds_back; /* no answer until it is FALSE again, or the transport ends */
    guint requests;      /* answered so far, if only with ERR_OFFLINE */

    /* The service's answer, with the lock held; NULL with `error`. */
    HttpResponse *(*answer)(FakeTransport *fake, const HttpRequest *request, GError **error);
    /* Frees what the service's own fields hold; the thread has ended. NULL: nothing to free. */
    void (*clear)(FakeTransport *fake);

    gboolean stops;
    pthread_t thread;
    GQueue queue;
    const HttpRequest *answering; /* out of the queue, and not answered yet */
};

/* Sets a field of a service whose FakeTransport is called `wire`, and wakes who waits for it. */
#define FAKE_SET(fake, field, value)                                                               \
    do {                                                                                           \
        LOCK_SCOPE(&(fake)->wire.lock);                                                            \
        (fake)->field = (value);                                                                   \
        (void)pthread_cond_broadcast(&(fake)->wire.changed);                                       \
    } while (0)

/* Starts one that is zero but for `answer` and `clear`: the first member of allocated memory. The
 * transport belongs to the cache that it is given to, which frees it and the service with it. */
void fake_transport_start(FakeTransport *fake);

/* How many requests whose target ends in `path` (their query aside) wait for an answer. */
guint fake_transport_count_waiting(FakeTransport *fake, const char *path);

/* An answer with this status and `body` (taken over; NULL: none), without pages. */
HttpResponse *fake_response(int status, gint64 project_version, char *body);
/* A number in the query of a target. */
gint64 fake_parameter(const char *target, const char *name, gint64 otherwise);
/* The list in the parameter `ids`, of gint64. */
GArray *fake_ids(const char *target);

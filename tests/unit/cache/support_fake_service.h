/* support_fake_service: a V5 service in memory behind a Transport, with one project (id 9) of
 * numbered stories.
 *
 * Answers on a thread of its own, in order. The public fields are switches; take the lock with
 * FAKE_SET, or set them while no request is under way. Knows the requests that the cache makes and
 * aborts on any other. */
#pragma once

#include <pthread.h>

#include "cache/base/lock.h"
#include "cache/transport.h"

typedef struct FakeService FakeService;
struct FakeService {
    Transport transport;
    pthread_mutex_t lock;
    guint n_stories; /* ids 1..n, each in its own order */
    gint64 version;
    gint64 logged_from; /* activities exist for the versions above this one */
    guint changed_id;   /* the story that every activity names; 0: the activity deletes story 1 */
    const char *title;  /* of the changed story */
    guint page_limit;
    gboolean is_offline, loses_a_story, moves_between_pages, is_html, holds_back;
    guint requests;
    GString *log; /* one target a line */
    pthread_cond_t changed;
    pthread_t thread;
    GQueue queue;
    gboolean stops;
};

#define FAKE_SET(fake, field, value)                                                               \
    do {                                                                                           \
        LOCK_SCOPE(&(fake)->lock);                                                                 \
        (fake)->field = (value);                                                                   \
        (void)pthread_cond_broadcast(&(fake)->changed);                                            \
    } while (0)

/* The transport belongs to the cache that it is given to, which frees it. */
FakeService *fake_service_new(guint n_stories);
guint fake_service_requests(FakeService *fake);
/* Forgets what was asked so far. */
void fake_service_reset(FakeService *fake);

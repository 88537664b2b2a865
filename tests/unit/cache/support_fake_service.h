/* support_fake_service: a V5 service in memory behind a Transport, with one project (id 9) of
 * numbered stories.
 *
 * Answers on a thread of its own, in order. The public fields are switches; take the lock with
 * FAKE_SET, or set them while no request is under way. Knows the requests that the cache makes and
 * aborts on any other. */
#pragma once

#include "tests/unit/cache/support_fake_transport.h"

typedef struct FakeService FakeService;
struct FakeService {
    FakeTransport wire;
    guint n_stories; /* ids 1..n, each in its own order */
    gint64 version;
    gint64 logged_from; /* activities exist for the versions above this one */
    guint changed_id;   /* the story that every activity names; 0: the activity deletes story 1 */
    const char *title;  /* of the changed story */
    guint nameless_from, nameless_to; /* these stories are sent without an id; 0: none */
    guint page_limit;
    gboolean loses_a_story, moves_between_pages, is_html;
};

FakeService *fake_service_new(guint n_stories);
guint fake_service_requests(FakeService *fake);
/* Counts anew. */
void fake_service_reset(FakeService *fake);

/* requests: a transport around another one that remembers what was asked: the last lines for
 * .trackerfs/requests.log, and counts by kind.
 *
 * Threads: as for any transport; reading is any's. The token never passes here: it is the inner
 * transport's. */
#pragma once

#include "cache/transport.h"

/* What a request is for; of its path alone. */
typedef enum {
    ASKED_ACCOUNT,
    ASKED_ACTIVITY,
    ASKED_STORIES, /* pages of a listing */
    ASKED_CHANGED, /* single stories, by bulk */
    ASKED_ITERATIONS,
    ASKED_LISTS, /* project, labels, epics, memberships */
    ASKED_FILES, /* attachments */
    ASKED_WRITES,
    ASKED_KINDS,
} AskedKind;

const char *asked_word(AskedKind kind);

typedef struct RequestLog RequestLog;

/* Takes over `inner`. */
RequestLog *requests_new(Transport *inner);
Transport *requests_transport(RequestLog *requests);
/* Ends the inner transport, like transport_free(); the log stays readable. */
void requests_end(RequestLog *requests);
void requests_free(RequestLog *requests);

/* One line for each of the last requests, oldest first, the caller's. */
char *requests_text(RequestLog *requests);
void requests_count(RequestLog *requests, guint64 ret_counts[ASKED_KINDS]);

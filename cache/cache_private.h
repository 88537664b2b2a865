/* cache_private: the parts behind the door, for cache.c and cache_write.c. */
#pragma once

#include "cache/attachments.h"
#include "cache/cache.h"
#include "cache/clerk.h"
#include "cache/events.h"
#include "cache/index.h"
#include "cache/lru.h"
#include "cache/requests.h"
#include "cache/saving.h"
#include "cache/store.h"
#include "cache/sync.h"

struct Cache {
    char *directory;
    int lock_fd; /* holds the directory's lock */
    Store *store;
    Attachments *attachments; /* NULL: not shown */
    RequestLog *requests;
    Events *events;
    Index *index;
    Lru *stories;
    Clerk *clerk;
    Sync *sync;
    Saving *saving; /* NULL: nothing is written */
    gint64 ttl_ms, poll_ms;
};

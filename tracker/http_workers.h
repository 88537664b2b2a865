/* http_workers: the threads on which tracker_handle() runs, so that those of the connections only
 * move bytes.
 *
 * Each lane has a queue and threads of its own: writers wait for one another at the database, large
 * uploads for the disk, and neither must take the places of readers meanwhile. Length of the
 * queues: each connection has at most one request in them. Threads: any may add; new and stop from
 * one. Errors: TRACKER_ERROR_FAILED when a thread cannot be started. */
#pragma once

#include <glib.h>

typedef struct HttpWorkers HttpWorkers;
struct HttpRequest;

typedef enum { HTTP_LANE_READ, HTTP_LANE_WRITE, HTTP_LANE_UPLOAD, HTTP_LANES } HttpLane;

/* With `run` FALSE the request was queued when the workers were stopped. */
typedef void (*HttpWorkFn)(struct HttpRequest *request, gboolean run);

/* `threads` of each lane. */
HttpWorkers *http_workers_new(const guint threads[HTTP_LANES], HttpWorkFn work, GError **error);
void http_workers_add(HttpWorkers *workers, struct HttpRequest *request, HttpLane lane);
/* Lets what runs finish, hands back what waits and what comes later, ends the threads. */
void http_workers_stop(HttpWorkers *workers);
/* Stops first, if need be. NULL is allowed. */
void http_workers_free(HttpWorkers *workers);

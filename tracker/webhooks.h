/* webhooks: tells the addresses that asked for it what happens in a project (v5-reference 2.13).
 *
 * The queue is a table of the database, filled in the transaction of the change: no change is
 * forgotten, whatever ends the process. One thread of the Tracker delivers it. A webhook gets its
 * activities one at a time and in order; the next one follows when the one before has arrived
 * (status 2xx) or was given up after WEBHOOKS_MAX_ATTEMPTS; each wait is four times the one before.
 * The last failure stays in the webhook's last_error_code and
 * last_response_body, a later success does not wipe it out. What was sent when the process died is
 * sent again: a receiver tells repetitions by `guid`. Of several processes with one database one
 * delivers (a lock on FILE.db.webhooks).
 *
 * V5 has https only. http to this machine is taken where tracker_deliver_webhooks() was told so,
 * as `serve --faults` and tests do. */
#pragma once

#include "tracker/db.h"

#define WEBHOOKS_MAX_ATTEMPTS 8
#define WEBHOOKS_FIRST_RETRY_MS 5000 /* then 20 s, 80 s, ... up to an hour */
#define WEBHOOKS_MAX_RETRY_MS (60 * 60 * 1000)
#define WEBHOOKS_MAX_QUEUED 10000 /* of one webhook: beyond it the oldest is dropped */

typedef struct Webhooks Webhooks;

/* In the transaction of a change: queues its activity for each enabled webhook of its project. */
void webhooks_enqueue(DbConn *conn, gint64 activity_id, gint64 now_ms);
/* In the transaction that switches a webhook off or deletes it. */
void webhooks_forget(DbConn *conn, gint64 webhook_id);

/* Starts the thread. The tracker must live longer. */
Webhooks *webhooks_start(Tracker *tracker, gboolean allow_http, GError **error);
/* Cuts off what is under way (it is sent again at the next start) and ends the thread. */
void webhooks_stop(Webhooks *webhooks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Webhooks, webhooks_stop)
/* Something was queued, or time was moved; from any thread. */
void webhooks_wake(Webhooks *webhooks);

/* The same by the tracker whose thread it is; nothing when it has none. */
void tracker_wake_webhooks(Tracker *tracker);
/* Whether webhooks may be http addresses of this machine. */
gboolean tracker_http_webhooks(Tracker *tracker);

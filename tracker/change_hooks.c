/* The hooks of tracker/changes.h, in the order in which they run. */
#include "tracker/changes.h"
#include "tracker/changes_internal.h"
#include "tracker/notify.h"
#include "tracker/webhooks.h"

static void
queue_webhooks(Call *call, const Activity *activity)
{
    webhooks_enqueue(call->conn, activity->id, change_now(call));
}

static const ChangeHook hooks[] = {
    {notify_recorded, NULL}, {queue_webhooks, tracker_wake_webhooks}, {NULL, NULL}, /* the end */
};

void
change_hooks_recorded(Call *call, const Activity *activity)
{
    for (const ChangeHook *hook = hooks; hook->recorded || hook->committed; hook++) {
        if (hook->recorded) {
            hook->recorded(call, activity);
        }
    }
}

void
change_hooks_committed(Tracker *tracker, const Call *call)
{
    if (!call->changes || call->changes->n_activities == 0) {
        return;
    }
    for (const ChangeHook *hook = hooks; hook->recorded || hook->committed; hook++) {
        if (hook->committed) {
            hook->committed(tracker);
        }
    }
}

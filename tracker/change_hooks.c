/* The hooks of tracker/changes.h, in the order in which they run. */
#include "tracker/changes.h"
#include "tracker/changes_internal.h"

static const ChangeHook hooks[] = {
    {NULL, NULL}, /* the end */
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

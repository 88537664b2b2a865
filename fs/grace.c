/* Two counters, of which one takes those who enter: waiting turns to the other and waits for the
 * first to empty. Whoever entered before is in one of the two; the other one was emptied by the
 * wait before. */
#include "fs/grace.h"

#include "cache/base/lock.h"

struct Grace {
    pthread_mutex_t lock;
    pthread_cond_t emptied;
    guint inside[2], side; /* protected by lock */
};

Grace *
grace_new(void)
{
    Grace *grace = g_new0(Grace, 1);
    (void)pthread_mutex_init(&grace->lock, NULL);
    cond_init_monotonic(&grace->emptied);
    return grace;
}

void
grace_free(Grace *grace)
{
    if (!grace) {
        return;
    }
    (void)pthread_cond_destroy(&grace->emptied);
    (void)pthread_mutex_destroy(&grace->lock);
    g_free(grace);
}

guint
grace_enter(Grace *grace)
{
    LOCK_SCOPE(&grace->lock);
    grace->inside[grace->side]++;
    return grace->side;
}

void
grace_leave(Grace *grace, guint side)
{
    LOCK_SCOPE(&grace->lock);
    if (--grace->inside[side] == 0 && side != grace->side) {
        (void)pthread_cond_signal(&grace->emptied);
    }
}

void
grace_wait(Grace *grace)
{
    LOCK_SCOPE(&grace->lock);
    const guint before = grace->side;
    grace->side = 1 - before;
    while (grace->inside[before] > 0) {
        (void)cond_wait_ms(&grace->emptied, &grace->lock, -1);
    }
}

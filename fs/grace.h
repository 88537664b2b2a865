/* grace: waiting until every operation that may still use an old snapshot has given its answer.
 *
 * An operation enters before it asks the cache and leaves when its answer is handed to the kernel.
 * grace_wait() returns when all that had entered before it have left; later ones are not waited
 * for. Between the two nothing blocks on the network, so the wait is short. Threads: any enter and
 * leave; one at a time waits. */
#pragma once

#include <glib.h>

typedef struct Grace Grace;

Grace *grace_new(void);
void grace_free(Grace *grace);

/* The value is for grace_leave(). */
guint grace_enter(Grace *grace);
void grace_leave(Grace *grace, guint side);
void grace_wait(Grace *grace);

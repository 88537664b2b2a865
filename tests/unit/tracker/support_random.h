/* support_random: random valid operations on a project of the fixture and a second one that stories
 * move to and back from, for tests of what must be true whatever they were. The same seed gives the
 * same operations. */
#pragma once

#include "support_service.h"

typedef struct World {
    Fixture fixture;
    guint64 random;       /* state of the generator, not 0 */
    guint64 done;         /* operations so far */
    gint64 second_id;     /* the other project */
    gboolean estimatable; /* so are bugs and chores */
    const char *operation;
} World;

/* Makes the second project; before everything else. */
void random_begin(World *world);
/* One operation, chosen by weight. A refusal fails the test with the request. */
void random_operate(World *world);
/* Removes a story, whichever. */
void random_delete_story(World *world);

/* GET below /services/v5/; the answer is the fixture's, until the next request. */
struct json_t *random_get(World *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
gint64 random_int_of(const struct json_t *object, const char *key);

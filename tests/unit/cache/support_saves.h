/* support_saves: a cache over a service in memory that has one story, "first", with five lines of
 * text. Waiting is for conditions; back-offs pass by moving the clock (test_clock_begin() comes
 * first). */
#pragma once

#include "tests/unit/base/support_clock.h"
#include "tests/unit/cache/support_cache.h"
#include "tests/unit/cache/support_fake_tracker.h"

#define SAVES_TTL_MS 60000 /* what a reader is shown may be that old */

typedef struct {
    char *folder;
    FakeTracker *fake;
    Cache *cache;
    gint64 story;
} SavesFixture;

void saves_setup(SavesFixture *f, gconstpointer unused);
void saves_teardown(SavesFixture *f, gconstpointer unused);
/* The process ends in order, and begins again. */
void saves_restart(SavesFixture *f);

/* As of readers who begin now. */
Project *saves_get_project(SavesFixture *f);
Story *saves_get_story(SavesFixture *f, gint64 id);
char *saves_shown_description(SavesFixture *f, gint64 id);

/* cache_submit() of `mine` over what is shown. */
gint64 saves_submit(SavesFixture *f, EditFile file, gint64 owner, gint64 id, const char *name,
                    const char *mine, GError **error);
/* Until there is a verdict, or the server is away. */
EditVerdict saves_verdict(SavesFixture *f, gint64 number, gint64 *ret_id, GError **error);
/* Fails the test if it is not. */
void saves_accepted(SavesFixture *f, gint64 number, gint64 *ret_id);
/* What was written to the service since the last call. */
void saves_expect_log(SavesFixture *f, const char *expected);

/* Waits for a condition that the clerk brings about. */
#define UNTIL(condition)                                                                           \
    for (int tries_ = 0; !(condition); tries_++) {                                                 \
        g_assert_cmpint(tries_, <, 2000);                                                          \
        test_clock_advance_ms(50);                                                                 \
        g_usleep(5000);                                                                            \
    }

/* support_fake_tracker: a V5 service in memory that can be written to, behind a Transport.
 *
 * One project (id 9, members ada (1, owner) and bob (2)) with stories as JSON objects, everything
 * nested. Each write moves the version and notes an activity. What goes wrong next is set with
 * fake_tracker_fault(); what somebody else does, with fake_tracker_put(). */
#pragma once

#include <jansson.h>

#include "tests/unit/cache/support_fake_transport.h"

typedef enum {
    FAULT_NONE,
    FAULT_LOST_BEFORE, /* the next write: no answer, and nothing happened */
    FAULT_LOST_AFTER,  /* the next write: no answer, and it happened */
    FAULT_IGNORED,     /* the next write: 200 with what was there before */
    FAULT_STATUS,      /* the next write: this status, with words */
} Fault;

typedef struct FakeTracker FakeTracker;
struct FakeTracker {
    FakeTransport wire;
    json_t *project, *stories, *epics, *activities;
    gint64 version, next_id;
    Fault fault;
    int fault_status;
    GString *log; /* "PUT /projects/9/stories/1 {...}": one write a line; without the query */
    guint looks;  /* GETs of one story */
};

FakeTracker *fake_tracker_new(void);
/* Adds a story: its id. */
gint64 fake_tracker_add(FakeTracker *fake, const char *name, const char *description);
/* Somebody else sets attributes of a story, given as JSON. */
void fake_tracker_put(FakeTracker *fake, gint64 id, const char *json);
void fake_tracker_delete(FakeTracker *fake, gint64 id);
void fake_tracker_fault(FakeTracker *fake, Fault fault, int status);
void fake_tracker_set_offline(FakeTracker *fake, gboolean offline);
/* An attribute as text ("" when absent); comments and tasks by index: "comments/0/text". */
char *fake_tracker_get(FakeTracker *fake, gint64 id, const char *path);
guint fake_tracker_count(FakeTracker *fake);
/* The writes since the last call, one a line. */
char *fake_tracker_take_log(FakeTracker *fake);

/* replay: turns the tables of the sample into deeds in order of time (tracker/sample/script.c),
 * then does one after the other, each raising the version and leaving an activity
 * (tracker/sample/replay.c). */
#pragma once

#include "tracker/sample/sample_internal.h"

typedef enum {
    DEED_EPIC,
    DEED_EPIC_COMMENT,
    DEED_CREATE,
    DEED_ESTIMATE,
    DEED_STATE,
    DEED_COMMENT,
    DEED_TASK,
    DEED_REVIEW,
    DEED_REVIEW_STATUS,
    DEED_BLOCK,
    DEED_UNBLOCK,
    DEED_OVERRIDE,
} DeedKind;

typedef struct Deed {
    gint64 at_ms;
    guint order; /* of equal times */
    DeedKind kind;
    guint subject;    /* index of the story or epic */
    guint item;       /* index of the comment, task, review */
    const char *word; /* new state or status */
} Deed;

/* A story of the tables, in the order in which ids are given. */
const SampleStory *script_story(guint index);
guint script_n_stories(void);

/* GArray of Deed, sorted by time; owned. */
GArray *script_new(const SampleTime *time);

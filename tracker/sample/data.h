/* data: the hand-written sample project as tables (tracker/sample/data.c, stories_*.c). Constants
 * only.
 *
 * Days count backwards from the first day of the project's current iteration: created = 30 is 30
 * days before it. So the sample is always recent, and nothing in it happens after `now`. People are
 * letters. */
#pragma once

#include <glib.h>

typedef struct SamplePerson {
    char letter;
    const char *name, *username, *initials, *email, *role, *color, *time_zone;
} SamplePerson;

typedef struct SampleEpic {
    const char *name, *label, *description;
    int created;
    const char *comment; /* by the owner of the project; NULL: none */
} SampleEpic;

typedef struct SampleComment {
    int after; /* days after the story's creation */
    char who;
    const char *text; /* NULL: only a file */
    const char *file; /* "chart.png", "scanner.log"; NULL: none */
} SampleComment;

typedef struct SampleTask {
    const char *text;
    gboolean complete;
} SampleTask;

typedef struct SampleReview {
    const char *type;
    char who; /* 0: nobody yet */
    const char *status;
} SampleReview;

typedef struct SampleBlocker {
    int after;
    char who;
    const char *text;
    const char *story; /* name of the blocking story, written as #id before the text; NULL: none */
    gboolean resolved;
} SampleBlocker;

#define SAMPLE_MAX_TASKS 6
#define SAMPLE_MAX_COMMENTS 6
#define SAMPLE_MAX_REVIEWS 4

typedef struct SampleStory {
    const char *name, *description; /* description NULL: none */
    const char *type, *state;
    int points;         /* -1: not estimated */
    const char *labels; /* separated by commas; NULL: none */
    char requester;
    const char *owners; /* letters */
    int created, last;  /* days: creation, the last change of state */
    int deadline;       /* of releases: days, below 0 in the future; 0: none */
    const char *priority;
    SampleTask tasks[SAMPLE_MAX_TASKS];
    SampleComment comments[SAMPLE_MAX_COMMENTS];
    SampleReview reviews[SAMPLE_MAX_REVIEWS];
    SampleBlocker blocker;
} SampleStory;

#define SAMPLE_PROJECT_NAME "Ferryline"
#define SAMPLE_ZONE "Europe/Stockholm"
#define SAMPLE_WEEKS 104 /* done iterations */
#define SAMPLE_OVERRIDE_WEEKS_AGO 20
#define SAMPLE_OVERRIDE_STRENGTH 0.5

extern const char sample_project_description[], sample_profile[];
extern const SamplePerson sample_people[];
extern const gsize sample_n_people;
extern const SampleEpic sample_epics[];
extern const gsize sample_n_epics;
extern const SampleStory sample_done[], sample_open[], sample_awkward[];
extern const gsize sample_n_done, sample_n_open, sample_n_awkward;

const SamplePerson *sample_person(char letter);

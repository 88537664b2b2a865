/* support_service: a tracker on a temporary database with a small project, for the tests of this
 * room.
 *
 * Project 99 "Demo" of Ada (101, owner, token TOKEN_ADA) and Bo (102, member); project 22 is not
 * theirs (Cy, 103); project 33 is public. Time stands still at FIXTURE_NOW_MS. */
#pragma once

#include <glib.h>

#include "tracker/service.h"

#define TOKEN_ADA "0123456789abcdef0123456789abcdef"
#define FIXTURE_NOW_MS G_GINT64_CONSTANT(1493854181000) /* 2017-05-03T23:29:41Z */

typedef struct Fixture {
    char *dir, *path;
    Tracker *tracker;
    gint64 now_ms;
    TrackerResponse response; /* of the last request */
} Fixture;

void fixture_open(Fixture *fixture);
void fixture_close(Fixture *fixture);

void fixture_sql(Fixture *fixture, const char *sql);

/* GET with Ada's token of a path below /services/v5/; the body, borrowed until the next one. */
const char *fixture_get(Fixture *fixture, const char *path, const char *query);
/* The same with everything chosen. */
const char *fixture_request(Fixture *fixture, const TrackerRequest *request);
const char *fixture_header(Fixture *fixture, const char *name);

/* Fills project 99 with more stories, each with comments, tasks, owners, reviews, blockers,
 * transitions. */
void fixture_fill(Fixture *fixture, int n_stories);

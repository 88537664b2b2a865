/* support_service: a tracker on a temporary database with a small project, for the tests of this
 * room.
 *
 * Project 99 "Demo" of Ada (101, owner, token TOKEN_ADA) and Bo (102, member, TOKEN_BO); project 22
 * is not theirs (Cy, 103, TOKEN_CY); project 33 is public. Time stands still at FIXTURE_NOW_MS. */
#pragma once

#include <glib.h>

#include "tracker/service.h"

#define TOKEN_ADA "0123456789abcdef0123456789abcdef"
#define TOKEN_BO "1123456789abcdef0123456789abcdef"
#define TOKEN_CY "2123456789abcdef0123456789abcdef"
#define FIXTURE_NOW_MS G_GINT64_CONSTANT(1493854181000) /* 2017-05-03T23:29:41Z */

typedef struct Fixture {
    char *dir, *path;
    Tracker *tracker;
    gint64 now_ms;
    const char *token;        /* of fixture_send(); NULL: Ada's */
    TrackerResponse response; /* of the last request */
    struct json_t *json;      /* of the last fixture_json() */
} Fixture;

void fixture_open(Fixture *fixture);
void fixture_close(Fixture *fixture);
/* The same database opened once more, as another process would; owned. */
Tracker *fixture_open_again(Fixture *fixture);

/* A test with a fixture of its own, opened before it and closed after it. */
typedef void (*FixtureTest)(Fixture *fixture);
void fixture_test(const char *path, FixtureTest test);
/* The same with these rows more (static), added as fixture_change() does. */
void fixture_test_with(const char *path, const char *sql, FixtureTest test);

void fixture_sql(Fixture *fixture, const char *sql);
/* The same as a change is made: in a transaction, so that texts become searchable. */
void fixture_change(Fixture *fixture, const char *sql);

/* GET with Ada's token of a path below /services/v5/; the body, borrowed until the next one. */
const char *fixture_get(Fixture *fixture, const char *path, const char *query);
/* Another method with a JSON body (NULL: none), as the fixture's `token` (NULL: Ada's). */
const char *fixture_send(Fixture *fixture, const char *method, const char *path, const char *body);
/* The same, parsed; owned by the fixture. NULL when it is no JSON. */
struct json_t *fixture_json(Fixture *fixture, const char *method, const char *path,
                            const char *body);
/* A member of the last fixture_json(), by a path of names and indexes: "changes.0.new_values.name".
 * NULL: no such. */
struct json_t *fixture_at(Fixture *fixture, const char *path);
const char *fixture_text(Fixture *fixture, const char *path);
gint64 fixture_int(Fixture *fixture, const char *path);
/* The newest activity of project 99 becomes what they look into ("0.message"). */
void fixture_activity(Fixture *fixture);
/* The index of the entry of a kind among its changes; -1: none. */
int fixture_entry(Fixture *fixture, const char *kind);
/* Sends a request that is answered with this status. */
void fixture_expect(Fixture *fixture, const char *method, const char *path, const char *body,
                    int status);
/* The request is refused with 400 and this general_problem (NULL: none). */
void fixture_refused(Fixture *fixture, const char *method, const char *path, const char *body,
                     const char *general_problem);
/* A number from the database. */
gint64 fixture_number(Fixture *fixture, const char *sql);
/* Everything chosen. */
const char *fixture_request(Fixture *fixture, const TrackerRequest *request);
const char *fixture_header(Fixture *fixture, const char *name);

/* Fills project 99 with more stories, each with comments, tasks, owners, reviews, blockers,
 * transitions. */
void fixture_fill(Fixture *fixture, int n_stories);

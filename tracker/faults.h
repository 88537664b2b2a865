/* faults: what `trackerfs serve --faults` does wrong on purpose, so that clients can be tested.
 *
 * A specification says which requests suffer what; faults_plan() decides for one request,
 * tracker/http_request.c acts on the plan, and faults_do() plays the colleague who changes
 * something just before. Owns the rules, their counters and a random generator of its own; touches
 * no socket and waits for nothing but the database.
 *
 * Threads: any; one leaf lock. The same specification (with seed=N) and the same order of requests
 * give the same plans. Errors: TRACKER_ERROR_BAD_INPUT that names the part that cannot be read; the
 * rules in force stay. Limits: FAULTS_MAX_*.
 *
 * SPEC is a comma-separated list of NAME[=VALUE][@[METHOD:]PATH-PREFIX][*COUNT]; COUNT: only so
 * many requests.
 *
 *   latency=MS            answer only after MS
 *   rate429=PCT           429 with Retry-After (retry_after=SEC, default 1)
 *   err5xx=PCT            status=500|502|503|504, default 500; retry_after=SEC adds the header
 *   hang                  never answers, does nothing
 *   reset                 the connection is reset before anything is done
 *   lost                  the request is done, then the connection is reset: the answer is lost
 *   ignore                a PUT is answered with what was there before, and nothing is done
 *   html                  200 text/html instead of the answer
 *   redirect=HOST:PORT    302 to the same path on another host
 *   revoke                403 invalid_authentication
 *   badjson               the body ends in the middle, with a Content-Length that fits
 *   wrongtype             valid JSON of the wrong types
 *   cut=BYTES             the whole Content-Length is promised, the connection closed after BYTES
 *   stall=MS|forever[:BYTES]  sends BYTES (default 0) of the body, then nothing for MS
 *   slow=BYTES_PER_SEC    the body drips
 *   hostile               texts of the answer become hostile ones: control characters, wrong UTF-8,
 *                         paths, nothing at all, very long; estimates become 1e300
 *   long=BYTES            texts of the answer become that long
 *   edit=STORY[:FIELD]    before the request somebody else changes the story's name, description
 *                         or labels
 *   move=STORY            ... moves it by one place
 *   delete=STORY          ... deletes it
 *   vjump=PROJECT[:BY]    before the request the project's version rises, without an activity
 *   seed=N                where the random generator starts, default 1
 *
 * retry_after= and status= belong to the rule before them; before any rule they are the default. */
#pragma once

#include <glib.h>

#define FAULTS_MAX_RULES 64
#define FAULTS_MAX_SPEC_BYTES 4096
#define FAULTS_MAX_HOST_BYTES 256
#define FAULTS_MAX_WAIT_MS (60 * 60 * 1000)
#define FAULTS_MAX_LONG_BYTES (16 * 1024 * 1024)
#define FAULTS_MAX_DEEDS 8 /* before one request */

typedef struct Faults Faults;

Faults *faults_new(void);
void faults_free(Faults *faults);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Faults, faults_free)

/* Replaces all rules; "" clears them. After failure nothing has changed. */
gboolean faults_set(Faults *faults, const char *spec, GError **error);
/* Owned: the rules in force as a specification, with the counts that are left. */
char *faults_describe(Faults *faults);

typedef enum {
    FAULT_NONE,
    FAULT_HANG,
    FAULT_RESET,
    FAULT_RATE_LIMIT,
    FAULT_SERVER_ERROR,
    FAULT_HTML,
    FAULT_REDIRECT,
    FAULT_REVOKE,
} FaultAnswer;

typedef enum { FAULT_EDIT, FAULT_MOVE, FAULT_DELETE, FAULT_VERSION_JUMP } FaultDeedKind;

typedef struct FaultDeed {
    FaultDeedKind kind;
    gint64 id;         /* of a story, or the project */
    const char *field; /* that is edited; a constant */
    gint64 by;         /* how far the version jumps */
} FaultDeed;

typedef struct FaultPlan {
    gint64 latency_ms;
    FaultAnswer answer;               /* instead of asking the service */
    int status;                       /* of FAULT_SERVER_ERROR */
    gint64 retry_after_s;             /* -1: no such header */
    char host[FAULTS_MAX_HOST_BYTES]; /* of FAULT_REDIRECT */
    gboolean lose_answer, ignore_put;
    gboolean bad_json, wrong_type, hostile;
    gint64 long_bytes;       /* 0: texts keep their length */
    gint64 cut_at;           /* -1: not cut */
    gint64 stall_at;         /* -1: no stall */
    gint64 stall_ms;         /* -1: forever */
    gint64 bytes_per_second; /* 0: full speed */
    guint32 choice;          /* a random number for whoever has to choose */
    FaultDeed deeds[FAULTS_MAX_DEEDS];
    guint n_deeds;
    guint rules; /* bit set of the rules that fired, for faults_plan_names() */
} FaultPlan;

/* Decides for one request and counts it. `path` is percent-encoded, without the query. */
void faults_plan(Faults *faults, const char *method, const char *path, FaultPlan *ret_plan);
/* Whether the body must pass through the drip feeder: cut, stalled or slow. */
gboolean faults_plan_shapes_body(const FaultPlan *plan);
/* Owned: "latency+cut"; NULL when nothing fired. */
char *faults_plan_names(const FaultPlan *plan);

/* Whether the next function does anything. */
gboolean faults_plan_spoils_body(const FaultPlan *plan);
/* Applies bad_json, wrong_type, hostile and long_bytes to a JSON body; anything else than JSON is
 * only cut short. */
void faults_spoil_body(const FaultPlan *plan, GString *body);

struct Tracker;
/* Does the plan's deeds, through the service like anybody else's: by another member of the project
 * than `caller`, who is made if there is none. What cannot be done is logged. */
void faults_do(struct Tracker *tracker, const FaultPlan *plan, gint64 caller);

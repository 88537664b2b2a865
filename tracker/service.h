/* service: the V5 tracker of our own, as one function from request to response.
 *
 * The state is one SQLite file (tracker/db.h) and a folder of attachments beside it,
 * FILE.db.files/, named by content hash. The same function serves a mount in-process and `trackerfs
 * serve` over HTTP (tracker/http.h), so both give the same bytes. Stands alone: includes nothing of
 * fs/ or cache/.
 *
 * Threads: any number may call tracker_handle() at once; each uses a connection of a pool. Blocks
 * on disk only. Errors: V5 error objects in the response (tracker/errors.h); opening reports
 * TRACKER_ERROR. Limits: TRACKER_MAX_*. */
#pragma once

#include <glib.h>

#define TRACKER_ERROR (tracker_error_quark())
typedef enum {
    TRACKER_ERROR_FAILED,    /* disk, permissions, a file that is no database of ours */
    TRACKER_ERROR_NEWER,     /* written by a newer trackerfs: the message says so */
    TRACKER_ERROR_BAD_INPUT, /* an import that cannot be read: the message names file and place */
    TRACKER_ERROR_NO_SPACE,
} TrackerErrorCode;
GQuark tracker_error_quark(void);

#define TRACKER_MAX_BODY_BYTES (4 * 1024 * 1024)     /* of a JSON request */
#define TRACKER_MAX_UPLOAD_BYTES (100 * 1024 * 1024) /* of a file */

typedef struct Tracker Tracker;

typedef enum {
    TRACKER_CREATE = 1 << 0,    /* make the file when it is missing */
    TRACKER_READ_ONLY = 1 << 1, /* never write, not even to migrate */
} TrackerOpenFlags;

/* Wall clock in milliseconds since 1970; injectable so that tests and the sample move through time.
 */
typedef gint64 (*TrackerClockFn)(gpointer user);

Tracker *tracker_open(const char *path, TrackerOpenFlags flags, GError **error);
void tracker_close(Tracker *tracker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tracker, tracker_close)

/* Deletes what there is of a database that nobody has open: the file, its log and, when told, its
 * attachments. A log that lost its file would be replayed into the next database of that name. */
void tracker_remove(const char *path, gboolean attachments);

void tracker_set_clock(Tracker *tracker, TrackerClockFn clock, gpointer user);
gint64 tracker_now_ms(Tracker *tracker);

/* Starts a thread that posts what happens to the projects' webhooks (tracker/webhooks.h), until
 * tracker_close(). `allow_http`: for tests, see there. Call after tracker_set_clock(). */
gboolean tracker_deliver_webhooks(Tracker *tracker, gboolean allow_http, GError **error);

/* From now on lists of stories of which nothing changed since they were last asked for in the same
 * form are answered from a memory of at most so many bytes (tracker/story_pages.h): for who is
 * asked the same again and again. Call once, before threads start. */
void tracker_keep_pages(Tracker *tracker, gsize max_bytes);

/* A random id made with the database: tells two databases at one path apart. Borrowed. */
const char *tracker_instance_id(Tracker *tracker);

typedef struct TrackerRequest {
    const char *method;                      /* "GET", ... */
    const char *path;                        /* percent-encoded, from the root: "/services/v5/me" */
    const char *query;                       /* without "?"; NULL: none */
    const char *token;                       /* X-TrackerToken; NULL: none */
    const char *basic_user, *basic_password; /* HTTP Basic, for GET /me; NULL: none */
    gint64
        trusted_person_id; /* not 0: the caller is this person, no token needed (in-process only) */
    const char *content_type;
    const char *body;
    gsize body_bytes;
} TrackerRequest;

typedef struct TrackerHeader {
    char *name, *value;
} TrackerHeader;

typedef struct TrackerResponse {
    int status;
    GArray *headers; /* of TrackerHeader, Content-Type included; those that every V5 answer carries
                        too */
    GString *body;   /* NULL when `file_fd` is set */
    struct StoryPage *page; /* that `body` is part of, to be read only; NULL: it is its own */
    int file_fd;            /* -1, or the descriptor of a download of file_bytes; the response's */
    gint64 file_bytes;
} TrackerResponse;

/* Always answers: at worst 500 unhandled_condition. `ret_response` needs no initialisation. */
void tracker_handle(Tracker *tracker, const TrackerRequest *request, TrackerResponse *ret_response);
void tracker_response_clear(TrackerResponse *response);

/* Does such a request leave everything as it is? Some that are no GETs do (exports, the
 * aggregator); so does one that leads nowhere. For those who keep writers and readers apart. */
gboolean tracker_only_reads(const char *method, const char *path);

/* Whose request one with this token would be: for those who must know before it is complete. 0:
 * nobody's. */
gint64 tracker_token_person(Tracker *tracker, const char *token);

/* From now on `body` may be changed. */
void tracker_response_own_body(TrackerResponse *response);

/* Replaces the body by what `pack` makes of it, which is owned; NULL: it stays. What is kept is
 * packed only once. */
gboolean tracker_response_pack(TrackerResponse *response, GString *(*pack)(const GString *body));

/* A body for who sends it later. */
typedef struct TrackerBody {
    const GString *text;
    GString *own;           /* or */
    struct StoryPage *page; /* it belongs to these */
} TrackerBody;
/* Takes it out of the response. */
TrackerBody *tracker_response_take_body(TrackerResponse *response);
void tracker_body_free(TrackerBody *body);

/* Value of a header (case-insensitive), borrowed, NULL if absent. */
const char *tracker_response_header(const TrackerResponse *response, const char *name);

/* The person a local mount acts as: the one noted in the database (import: the owner with the most
 * projects; sample: its first member). 0 when there is none. */
gint64 tracker_local_person(Tracker *tracker);

/* The in-process transport: a queue by priority and one thread that asks the tracker.
 *
 * The tracker answers in microseconds to milliseconds, so there is nothing to multiplex; a thread
 * of its own keeps the promise that sending never blocks. */
#include "fs/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/net.h"
#include "tracker/sample/sample.h"
#include "tracker/service.h"

#define CONNECT_TIMEOUT_MS 10000
#define HTTP_IN_FLIGHT_MAX 8
#define N_PRIORITIES (PRIORITY_PREFETCH + 1)
#define API_ROOT "/services/v5"

typedef struct Asked {
    HttpRequest *request;
    TransportDoneFn done;
    gpointer user;
} Asked;

typedef struct Local {
    Transport transport;
    Tracker *tracker;
    gint64 person_id;
    pthread_t thread;
    gboolean has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GQueue asked[N_PRIORITIES]; /* of Asked; protected by lock */
    gboolean stops;             /* protected by lock */
    TransportStats stats;       /* protected by lock */
} Local;

static Asked *
take_asked(Local *local)
{
    LOCK_SCOPE(&local->lock);
    for (;;) {
        for (int i = 0; i < N_PRIORITIES && !local->stops; i++) {
            Asked *asked = g_queue_pop_head(&local->asked[i]);
            if (asked) {
                local->stats.in_flight = 1;
                return asked;
            }
        }
        if (local->stops) {
            return NULL;
        }
        (void)cond_wait_ms(&local->changed, &local->lock, -1);
    }
}

static void
call_tracker(Local *local, const char *method, const char *target, const HttpRequest *request,
             TrackerResponse *ret_response)
{
    const char *query = strchr(target, '?');
    g_autofree char *path = query ? g_strndup(target, (gsize)(query - target)) : g_strdup(target);
    const TrackerRequest asked = {
        .method = method,
        .path = path,
        .query = query ? query + 1 : NULL,
        .trusted_person_id = local->person_id,
        .content_type = request->content_type,
        .body = request->body,
        .body_bytes = request->body_bytes,
    };
    tracker_handle(local->tracker, &asked, ret_response);
}

static gint64
header_number(const TrackerResponse *from, const char *name)
{
    const char *value = tracker_response_header(from, name);
    gint64 number;
    return value && g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &number, NULL)
               ? number
               : -1;
}

static HttpResponse *
translate(const TrackerResponse *from)
{
    HttpResponse *response = g_new0(HttpResponse, 1);
    const char *type = tracker_response_header(from, "Content-Type");
    response->status = from->status;
    response->project_version = header_number(from, "X-Tracker-Project-Version");
    response->total = header_number(from, "X-Tracker-Pagination-Total");
    response->limit = header_number(from, "X-Tracker-Pagination-Limit");
    response->offset = header_number(from, "X-Tracker-Pagination-Offset");
    response->returned = header_number(from, "X-Tracker-Pagination-Returned");
    response->is_json = type && g_ascii_strncasecmp(type, "application/json", 16) == 0;
    response->location = g_strdup(tracker_response_header(from, "Location"));
    return response;
}

static gboolean
copy_file(int from, int to, GError **error)
{
    char buffer[65536];
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got == 0) {
            return TRUE;
        }
        for (ssize_t done = 0; done < got;) {
            ssize_t wrote = write(to, buffer + done, (gsize)(got - done));
            if (wrote < 0) {
                got = -1;
                break;
            }
            done += wrote;
        }
        if (got < 0) {
            g_set_error(error, ERR, errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                        "copying the attachment: %s", g_strerror(errno));
            return FALSE;
        }
    }
}

static HttpResponse *
answer(Local *local, const HttpRequest *request, GError **error)
{
    TrackerResponse from;
    g_autofree char *target = request->at_origin ? g_strdup(request->target)
                                                 : g_strconcat(API_ROOT, request->target, NULL);
    call_tracker(local, request->method, target, request, &from);
    if (request->out_fd >= 0 && from.status == 302) {
        const char *location = tracker_response_header(&from, "Location");
        g_autofree char *next = g_strdup(location ? location : "");
        tracker_response_clear(&from);
        call_tracker(local, "GET", next, request, &from);
    }
    g_autoptr(HttpResponse) response = translate(&from);
    if (from.file_fd >= 0 && request->out_fd >= 0) {
        if (!copy_file(from.file_fd, request->out_fd, error)) {
            g_clear_pointer(&response, http_response_free);
        }
    } else if (from.body && from.body->len > request->max_bytes) {
        g_set_error(error, ERR, ERR_TOO_LARGE,
                    "the answer is larger than %" G_GSIZE_FORMAT " bytes", request->max_bytes);
        g_clear_pointer(&response, http_response_free);
    } else if (from.body) {
        response->body_bytes = from.body->len;
        response->body = g_string_free(g_steal_pointer(&from.body), FALSE);
    }
    tracker_response_clear(&from);
    return g_steal_pointer(&response);
}

static void
asked_end(Asked *asked, HttpResponse *response, const GError *error)
{
    asked->done(response, error, asked->user);
    http_request_free(asked->request);
    g_free(asked);
}

static gpointer
local_thread(gpointer user)
{
    Local *local = user;
    for (Asked *asked; (asked = take_asked(local));) {
        g_autoptr(GError) error = NULL;
        HttpResponse *response = answer(local, asked->request, &error);
        {
            LOCK_SCOPE(&local->lock);
            local->stats.in_flight = 0;
            local->stats.requests++;
            local->stats.failures += response ? 0 : 1;
            local->stats.body_bytes_received += response ? response->body_bytes : 0;
        }
        asked_end(asked, response, error);
    }
    return NULL;
}

static void
local_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    Local *local = (Local *)transport;
    Asked *asked = g_new(Asked, 1);
    *asked = (Asked){request, done, user};
    {
        LOCK_SCOPE(&local->lock);
        if (!local->stops) {
            g_queue_push_tail(&local->asked[request->priority], asked);
            (void)pthread_cond_signal(&local->changed);
            return;
        }
    }
    g_autoptr(GError) ending = g_error_new(ERR, ERR_CANCELLED, "unmounting");
    asked_end(asked, NULL, ending);
}

static void
local_get_stats(Transport *transport, TransportStats *ret_stats)
{
    Local *local = (Local *)transport;
    LOCK_SCOPE(&local->lock);
    *ret_stats = local->stats;
}

static void
local_free(Transport *transport)
{
    Local *local = (Local *)transport;
    g_autoptr(GError) ending = g_error_new(ERR, ERR_CANCELLED, "unmounting");
    {
        LOCK_SCOPE(&local->lock);
        local->stops = TRUE;
        (void)pthread_cond_signal(&local->changed);
    }
    if (local->has_thread) {
        (void)pthread_join(local->thread, NULL);
    }
    for (int i = 0; i < N_PRIORITIES; i++) {
        for (Asked *asked; (asked = g_queue_pop_head(&local->asked[i]));) {
            asked_end(asked, NULL, ending);
        }
    }
    tracker_close(local->tracker);
    (void)pthread_cond_destroy(&local->changed);
    (void)pthread_mutex_destroy(&local->lock);
    g_free(local);
}

/* The tracker's errors in the mount's terms; both have messages for the user. */
static void
take_tracker_error(GError **error, GError *cause)
{
    ErrCode code = g_error_matches(cause, TRACKER_ERROR, TRACKER_ERROR_NO_SPACE) ? ERR_NO_SPACE
                   : g_error_matches(cause, TRACKER_ERROR, TRACKER_ERROR_NEWER)  ? ERR_INVALID
                                                                                 : ERR_LOCAL;
    g_set_error_literal(error, ERR, code, cause->message);
    g_error_free(cause);
}

static Tracker *
open_database(const Location *location, GError **error)
{
    GError *cause = NULL;
    gboolean makes_demo =
        location->kind == LOCATION_DEMO && !g_file_test(location->path, G_FILE_TEST_EXISTS);
    if (makes_demo) {
        g_autofree char *folder = g_path_get_dirname(location->path);
        if (g_mkdir_with_parents(folder, 0700) != 0) {
            g_set_error(error, ERR, ERR_LOCAL, "%s: %s", folder, g_strerror(errno));
            return NULL;
        }
    }
    g_autoptr(Tracker) tracker =
        tracker_open(location->path, makes_demo ? TRACKER_CREATE : 0, &cause);
    if (tracker && makes_demo && !tracker_make_sample(tracker, 0, clock_wall_ms(), &cause)) {
        g_clear_pointer(&tracker, tracker_close);
        (void)unlink(location->path);
    }
    if (!tracker) {
        take_tracker_error(error, cause);
        return NULL;
    }
    return g_steal_pointer(&tracker);
}

static char *
cache_name(const char *readable, const char *identity)
{
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    g_autofree char *safe =
        g_strcanon(g_strdup(readable), G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".-_", '-');
    return g_strdup_printf("%.60s-%.12s", safe, hash);
}

static Transport *
open_local(const Location *location, char **ret_cache_name, GError **error)
{
    g_autoptr(Tracker) tracker = open_database(location, error);
    if (!tracker) {
        return NULL;
    }
    gint64 person_id = tracker_local_person(tracker);
    if (person_id == 0) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s has no people yet: fill it first (trackerfs import), or add one (trackerfs "
                    "serve --add-user)",
                    location->path);
        return NULL;
    }
    g_autofree char *readable = g_path_get_basename(location->path);
    g_autofree char *identity =
        g_strdup_printf("%s\n%s", location->path, tracker_instance_id(tracker));
    Local *local = g_new0(Local, 1);
    g_autoptr(Transport) transport = &local->transport;
    local->transport.send = local_send;
    local->transport.get_stats = local_get_stats;
    local->transport.free = local_free;
    local->tracker = g_steal_pointer(&tracker);
    local->person_id = person_id;
    (void)pthread_mutex_init(&local->lock, NULL);
    cond_init_monotonic(&local->changed);
    for (int i = 0; i < N_PRIORITIES; i++) {
        g_queue_init(&local->asked[i]);
    }
    int rc = pthread_create(&local->thread, NULL, local_thread, local);
    if (rc != 0) {
        g_set_error(error, ERR, ERR_LOCAL, "no thread for the tracker: %s", g_strerror(rc));
        return NULL;
    }
    local->has_thread = TRUE;
    *ret_cache_name = cache_name(readable, identity);
    return g_steal_pointer(&transport);
}

static Transport *
open_http(const Location *location, const char *token, char **ret_cache_name, GError **error)
{
    const NetConfig config = {
        .base_url = location->url,
        .token = token,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .max_in_flight = HTTP_IN_FLIGHT_MAX,
    };
    Transport *transport = net_new(&config, error);
    if (transport) {
        g_autoptr(GUri) uri = g_uri_parse(location->url, G_URI_FLAGS_NONE, NULL);
        g_autofree char *identity = g_strdup_printf("%s\n%s", location->url, token ? token : "");
        *ret_cache_name = cache_name(uri ? g_uri_get_host(uri) : "service", identity);
        explicit_bzero(identity, strlen(identity));
    }
    return transport;
}

Transport *
source_open(const Options *options, const char *token, char **ret_cache_name, GError **error)
{
    return options->location->kind == LOCATION_HTTP
               ? open_http(options->location, token, ret_cache_name, error)
               : open_local(options->location, ret_cache_name, error);
}

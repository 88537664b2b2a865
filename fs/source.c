/* The transport in this process: one worker thread takes requests in order of priority, then age,
 * and answers each by tracker_handle(), trusted as the database's local person. A download's
 * redirect is followed here, without that trust, as the HTTP transport follows it without the
 * token.
 *
 * States of a request: queued (local_send) -> in work (worker) -> answered (answer). Ending:
 * local_free sets `ending`; the worker finishes what it has in hand, answers the rest
 * ERR_CANCELLED, and ends. */
#include "fs/source.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/net.h"
#include "tracker/sample/sample.h"
#include "tracker/service.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define N_PRIORITIES (PRIORITY_PREFETCH + 1)
#define API_ROOT "/services/v5"
#define REDIRECTS_MAX 5
#define COPY_BYTES (64 * 1024)
#define MAX_IN_FLIGHT 6

typedef struct Task {
    HttpRequest *request;
    TransportDoneFn done;
    gpointer user;
} Task;

typedef struct LocalTransport {
    Transport base;
    Tracker *tracker; /* const after new */
    gint64 person_id; /* const after new */
    pthread_t worker; /* const after new */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GQueue queues[N_PRIORITIES]; /* of Task; protected by lock */
    gboolean ending;             /* protected by lock */
    TransportStats stats;        /* protected by lock */
} LocalTransport;

/* Requests */

static gint64
header_number(const TrackerResponse *answer, const char *name)
{
    const char *text = tracker_response_header(answer, name);
    guint64 value = 0;
    return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &value, NULL) ? (gint64)value
                                                                                     : -1;
}

static HttpResponse *
response_of(const TrackerResponse *answer)
{
    HttpResponse *response = g_new0(HttpResponse, 1);
    const char *type = tracker_response_header(answer, "Content-Type");
    response->status = answer->status;
    response->project_version = header_number(answer, "X-Tracker-Project-Version");
    response->total = header_number(answer, "X-Tracker-Pagination-Total");
    response->limit = header_number(answer, "X-Tracker-Pagination-Limit");
    response->offset = header_number(answer, "X-Tracker-Pagination-Offset");
    response->returned = header_number(answer, "X-Tracker-Pagination-Returned");
    response->is_json = type && g_str_has_prefix(type, "application/json");
    response->retry_after_ms = -1;
    response->location = g_strdup(tracker_response_header(answer, "Location"));
    return response;
}

static gboolean
write_all(int fd, const char *data, gsize length, GError **error)
{
    while (length > 0) {
        ssize_t wrote = write(fd, data, length);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            int code = errno;
            g_set_error(error, ERR, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                        "storing a download: %s", g_strerror(code));
            return FALSE;
        }
        data += wrote;
        length -= (gsize)wrote;
    }
    return TRUE;
}

static gboolean
too_large(gsize max_bytes, GError **error)
{
    g_set_error(error, ERR, ERR_TOO_LARGE, "the answer is larger than %" G_GSIZE_FORMAT " bytes",
                max_bytes);
    return FALSE;
}

/* The body of a file, to the request's descriptor or into memory. */
static gboolean
take_file(const TrackerResponse *answer, const HttpRequest *request, HttpResponse *response,
          GError **error)
{
    gboolean to_fd = request->out_fd >= 0 && answer->status == 200;
    g_autofree char *buffer = g_malloc(COPY_BYTES);
    g_autoptr(GString) body = g_string_new(NULL);
    for (;;) {
        ssize_t got = read(answer->file_fd, buffer, COPY_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            g_set_error(error, ERR, ERR_LOCAL, "reading an attachment: %s", g_strerror(errno));
            return FALSE;
        }
        if (got == 0) {
            break;
        }
        response->body_bytes += (gsize)got;
        if (response->body_bytes > request->max_bytes) {
            return too_large(request->max_bytes, error);
        }
        if (to_fd && !write_all(request->out_fd, buffer, (gsize)got, error)) {
            return FALSE;
        }
        if (!to_fd) {
            g_string_append_len(body, buffer, got);
        }
    }
    if (answer->file_bytes >= 0 && response->body_bytes != (gsize)answer->file_bytes) {
        g_set_error(error, ERR, ERR_PROTOCOL, "an attachment's file has not the announced size");
        return FALSE;
    }
    response->body = to_fd ? NULL : g_string_free(g_steal_pointer(&body), FALSE);
    return TRUE;
}

static gboolean
take_body(TrackerResponse *answer, const HttpRequest *request, HttpResponse *response,
          GError **error)
{
    if (answer->file_fd >= 0) {
        return take_file(answer, request, response, error);
    }
    response->body_bytes = answer->body ? answer->body->len : 0;
    /* The limit of a download is the file's size; the words of a refusal may be longer. */
    if (answer->status == 200 && response->body_bytes > request->max_bytes) {
        return too_large(request->max_bytes, error);
    }
    if (request->out_fd >= 0 && answer->status == 200) {
        return response->body_bytes == 0 ||
               write_all(request->out_fd, answer->body->str, answer->body->len, error);
    }
    response->body =
        answer->body ? g_string_free(g_steal_pointer(&answer->body), FALSE) : g_strdup("");
    return TRUE;
}

/* The whole body of an upload in memory: the tracker takes no more than it would over HTTP. */
static char *
read_upload(const HttpRequest *request, gsize *ret_bytes, GError **error)
{
    gsize tail_bytes = strlen(request->tail);
    gsize bytes = request->body_bytes + (gsize)request->in_bytes + tail_bytes;
    if (request->in_bytes > TRACKER_MAX_UPLOAD_BYTES) {
        g_set_error(error, ERR, ERR_TOO_LARGE, "a file may have %d bytes at most",
                    TRACKER_MAX_UPLOAD_BYTES);
        return NULL;
    }
    g_autofree char *body = g_malloc(bytes);
    memcpy(body, request->body, request->body_bytes);
    for (gint64 done = 0; done < request->in_bytes;) {
        ssize_t got = pread(request->in_fd, body + request->body_bytes + done,
                            (gsize)(request->in_bytes - done), done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            g_set_error(error, ERR, ERR_LOCAL, "reading the file to upload: %s",
                        got < 0 ? g_strerror(errno) : "it became shorter");
            return NULL;
        }
        done += got;
    }
    memcpy(body + bytes - tail_bytes, request->tail, tail_bytes);
    *ret_bytes = bytes;
    return g_steal_pointer(&body);
}

static void
ask_tracker(LocalTransport *local, const HttpRequest *request, const char *target, gboolean trusted,
            const char *upload, gsize upload_bytes, TrackerResponse *ret_answer)
{
    const char *question = strchr(target, '?');
    g_autofree char *path =
        question ? g_strndup(target, (gsize)(question - target)) : g_strdup(target);
    const TrackerRequest asked = {
        .method = request->method,
        .path = path,
        .query = question ? question + 1 : NULL,
        .trusted_person_id = trusted ? local->person_id : 0,
        .content_type = request->content_type,
        .body = upload ? upload : request->body,
        .body_bytes = upload ? upload_bytes : request->body_bytes,
    };
    tracker_handle(local->tracker, &asked, ret_answer);
}

static gboolean
is_redirect(const TrackerResponse *answer)
{
    return answer->status >= 301 && answer->status <= 308 && answer->status != 304;
}

static HttpResponse *
perform(LocalTransport *local, const HttpRequest *request, GError **error)
{
    if (clock_monotonic_ms() > request->deadline_ms) {
        g_set_error(error, ERR, ERR_TIMEOUT, "%s: no answer in time", request->target);
        return NULL;
    }
    g_autofree char *target =
        g_strconcat(request->at_origin ? "" : API_ROOT, request->target, NULL);
    g_autofree char *upload = NULL;
    gsize upload_bytes = 0;
    if (request->in_fd >= 0 && !(upload = read_upload(request, &upload_bytes, error))) {
        return NULL;
    }
    TrackerResponse answer;
    ask_tracker(local, request, target, TRUE, upload, upload_bytes, &answer);
    for (int hop = 0; request->out_fd >= 0 && is_redirect(&answer); hop++) {
        g_autofree char *next = g_strdup(tracker_response_header(&answer, "Location"));
        tracker_response_clear(&answer);
        if (!next || *next != '/' || hop == REDIRECTS_MAX) {
            g_set_error(error, ERR, ERR_PROTOCOL, "%s: a redirect that leads nowhere",
                        request->target);
            return NULL;
        }
        ask_tracker(local, request, next, FALSE, NULL, 0, &answer);
    }
    g_autoptr(HttpResponse) response = response_of(&answer);
    gboolean ok = take_body(&answer, request, response, error);
    tracker_response_clear(&answer);
    return ok ? g_steal_pointer(&response) : NULL;
}

/* The worker */

static Task *
pop_locked(LocalTransport *local)
{
    for (int i = 0; i < N_PRIORITIES; i++) {
        Task *task = g_queue_pop_head(&local->queues[i]);
        if (task) {
            return task;
        }
    }
    return NULL;
}

static Task *
take_task(LocalTransport *local, gboolean *ret_ending)
{
    LOCK_SCOPE(&local->lock);
    for (;;) {
        Task *task = pop_locked(local);
        *ret_ending = local->ending;
        if (task || local->ending) {
            return task;
        }
        (void)cond_wait_ms(&local->changed, &local->lock, -1);
    }
}

static void
count(LocalTransport *local, const HttpResponse *response)
{
    LOCK_SCOPE(&local->lock);
    local->stats.in_flight--;
    local->stats.failures += response ? 0 : 1;
    local->stats.body_bytes_received += response ? response->body_bytes : 0;
}

static gpointer
worker_main(gpointer user)
{
    LocalTransport *local = user;
    gboolean ending = FALSE;
    for (Task *task; (task = take_task(local, &ending));) {
        g_autoptr(GError) error = NULL;
        HttpResponse *response = NULL;
        if (ending) {
            g_set_error(&error, ERR, ERR_CANCELLED, "the mount ends");
        } else {
            response = perform(local, task->request, &error);
        }
        count(local, response);
        task->done(response, error, task->user);
        http_request_free(task->request);
        g_free(task);
    }
    return NULL;
}

/* The transport */

static void
local_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    LocalTransport *local = (LocalTransport *)transport;
    Task *task = g_new0(Task, 1);
    *task = (Task){request, done, user};
    LOCK_SCOPE(&local->lock);
    local->stats.requests++;
    local->stats.in_flight++;
    g_queue_push_tail(&local->queues[request->priority], task);
    (void)pthread_cond_signal(&local->changed);
}

static void
local_get_stats(Transport *transport, TransportStats *ret_stats)
{
    LocalTransport *local = (LocalTransport *)transport;
    LOCK_SCOPE(&local->lock);
    *ret_stats = local->stats;
}

static void
local_free(Transport *transport)
{
    LocalTransport *local = (LocalTransport *)transport;
    {
        LOCK_SCOPE(&local->lock);
        local->ending = TRUE;
        (void)pthread_cond_signal(&local->changed);
    }
    (void)pthread_join(local->worker, NULL);
    (void)pthread_cond_destroy(&local->changed);
    (void)pthread_mutex_destroy(&local->lock);
    tracker_close(local->tracker);
    g_free(local);
}

/* Takes `tracker` when it succeeds. */
static Transport *
local_new(Tracker *tracker, gint64 person_id, GError **error)
{
    LocalTransport *local = g_new0(LocalTransport, 1);
    local->base = (Transport){.send = local_send, .get_stats = local_get_stats, .free = local_free};
    local->tracker = tracker;
    local->person_id = person_id;
    (void)pthread_mutex_init(&local->lock, NULL);
    cond_init_monotonic(&local->changed);
    for (int i = 0; i < N_PRIORITIES; i++) {
        g_queue_init(&local->queues[i]);
    }
    int code = pthread_create(&local->worker, NULL, worker_main, local);
    if (code != 0) {
        (void)pthread_cond_destroy(&local->changed);
        (void)pthread_mutex_destroy(&local->lock);
        g_free(local);
        g_set_error(error, ERR, ERR_LOCAL, "cannot start a thread: %s", g_strerror(code));
        return NULL;
    }
    return &local->base;
}

static void
take_tracker_error(const GError *cause, GError **error)
{
    gboolean full = g_error_matches(cause, TRACKER_ERROR, TRACKER_ERROR_NO_SPACE);
    g_set_error_literal(error, ERR, full ? ERR_NO_SPACE : ERR_INVALID, cause->message);
}

/* First the attachments, then the database that knows them. What an earlier sample of that name
 * left, whose database was deleted, would be in the way. */
static gboolean
move_sample(const char *made, const char *path, GError **error)
{
    g_autofree char *made_files = g_strconcat(made, ".files", NULL);
    g_autofree char *files = g_strconcat(path, ".files", NULL);
    tracker_remove(path, TRUE);
    if ((g_rename(made_files, files) == 0 || errno == ENOENT) && g_rename(made, path) == 0) {
        return TRUE;
    }
    g_set_error(error, ERR, ERR_LOCAL, "cannot put the sample project to %s: %s", path,
                g_strerror(errno));
    return FALSE;
}

/* Makes the sample in a private folder beside its place and moves it there whole: whoever is
 * interrupted leaves no half a sample. */
static gboolean
make_sample(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *work = g_build_filename(folder, "new-XXXXXX", NULL);
    g_autoptr(GError) cause = NULL;
    if (g_mkdir_with_parents(folder, 0700) != 0 || !g_mkdtemp_full(work, 0700)) {
        int code = errno;
        g_set_error(error, ERR, code == ENOSPC || code == EDQUOT ? ERR_NO_SPACE : ERR_LOCAL,
                    "cannot make the sample project in %s: %s", folder, g_strerror(code));
        return FALSE;
    }
    g_autofree char *made = g_build_filename(work, "demo.db", NULL);
    Tracker *tracker = tracker_open(made, TRACKER_CREATE, &cause);
    gboolean ok = tracker && tracker_make_sample(tracker, 0, clock_wall_ms(), &cause);
    tracker_close(tracker);
    if (!ok) {
        take_tracker_error(cause, error);
    }
    ok = ok && move_sample(made, path, error);
    tracker_remove(made, TRUE);
    (void)g_rmdir(work);
    return ok;
}

/* Two first mounts at once: one makes it, the other waits for it. */
static gboolean
ensure_sample(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *lock = g_strconcat(path, ".lock", NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        return TRUE;
    }
    (void)g_mkdir_with_parents(folder, 0700);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        (void)flock(fd, LOCK_EX);
    }
    gboolean ok = g_file_test(path, G_FILE_TEST_EXISTS) || make_sample(path, error);
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

static Transport *
open_database(const char *path, gboolean writes, char **ret_identity, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(Tracker) tracker = tracker_open(path, writes ? 0 : TRACKER_READ_ONLY, &cause);
    if (!tracker) {
        take_tracker_error(cause, error);
        return NULL;
    }
    gint64 person_id = tracker_local_person(tracker);
    if (person_id == 0) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s holds no account yet: fill it first, see `trackerfs help import`", path);
        return NULL;
    }
    if (!tracker_deliver_webhooks(tracker, FALSE, &cause)) {
        take_tracker_error(cause, error);
        return NULL;
    }
    g_autofree char *identity = g_strconcat(path, "\n", tracker_instance_id(tracker), NULL);
    Transport *transport = local_new(tracker, person_id, error);
    if (transport) {
        (void)g_steal_pointer(&tracker);
        *ret_identity = g_steal_pointer(&identity);
    }
    return transport;
}

static Transport *
open_http(const char *url, const char *token, gint64 timeout_ms, char **ret_identity,
          GError **error)
{
    const NetConfig config = {
        .base_url = url,
        .token = token,
        .connect_timeout_ms = MIN(timeout_ms, 10 * 1000),
        .max_in_flight = MAX_IN_FLIGHT,
    };
    Transport *transport = net_new(&config, error);
    if (transport) {
        g_autofree char *hash =
            g_compute_checksum_for_string(G_CHECKSUM_SHA256, token ? token : "", -1);
        *ret_identity = g_strconcat(url, "\n", hash, NULL);
    }
    return transport;
}

Transport *
source_open(const Location *location, const char *token, gint64 timeout_ms, gboolean writes,
            char **ret_identity, GError **error)
{
    switch (location->kind) {
    case LOCATION_HTTP:
        return open_http(location->url, token, timeout_ms, ret_identity, error);
    case LOCATION_DATABASE:
        return open_database(location->path, writes, ret_identity, error);
    case LOCATION_DEMO:
        return ensure_sample(location->path, error)
                   ? open_database(location->path, writes, ret_identity, error)
                   : NULL;
    }
    return NULL;
}

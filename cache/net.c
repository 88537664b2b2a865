/* HTTP by libcurl's multi interface, on one thread.
 *
 * A request becomes a Job and goes through these states, all on the net thread but the first:
 *
 *   queued (net_send) -> waiting -> running -> answered
 *                           ^          |
 *                           +----------+  worth repeating, and time left
 *
 * Waiting jobs start by priority, then age, when their time has come and a place is free; how many
 * places there are follows the host's answers (note_outcome), and prefetch loses its places first.
 * A 429 holds back everything of less priority than a save until the time that the server named;
 * what has not that long fails at once (ERR_RATE_LIMITED).
 * Only the queue between net_send() and the thread is shared; it has the one lock.
 *
 * curl's own redirect and retry machinery is not used: who gets the token is decided here
 * (start_job). */
#include "cache/net.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"

#define N_PRIORITIES (PRIORITY_PREFETCH + 1)
#define MAX_ATTEMPTS 6
#define MAX_REDIRECTS 5
#define REFUSAL_MAX_BYTES ((gsize)64 * 1024)
#define MAX_HEADER_BYTES (64 * 1024)
#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 8000
#define REFUSED_RETRY_MS                                                                           \
    800 /* a server that restarts is waited for, one that is down is reported */
#define LOW_SPEED_SECONDS 20
#define POLL_MAX_MS 1000
/* Places that only saves may take when all others are taken. */
#define PLACES_FOR_SAVES 2

typedef struct {
    HttpRequest *request;
    TransportDoneFn done;
    gpointer user;
    guint64 number;
    gint64 queued_ms, next_try_ms;
    guint attempts, redirects;
    char *url; /* of the present try */

    /* of the present try */
    CURL *easy;
    struct curl_slist *headers; /* the token's line and the body's; NULL without a body */
    gint64 sent_bytes;          /* of an upload */
    GString *body;
    gsize body_bytes, header_bytes;
    gboolean is_gone_over_limit;
    int write_errno;
    gint64 retry_after_ms;
    HttpResponse *response;
    char error_text[CURL_ERROR_SIZE];
} Job;

typedef struct {
    Transport transport;
    char *base_url, *origin, *host;
    gboolean is_loopback;
    char *token; /* locked memory of token_bytes; NULL: none */
    gsize token_bytes;
    struct curl_slist *headers; /* the token's line; const after net_new */
    gint64 connect_timeout_ms;
    guint max_in_flight;

    pthread_t thread;
    CURLM *multi;
    pthread_mutex_t lock;
    GQueue queued;  /* of Job; protected by lock */
    gboolean stops; /* protected by lock */

    GQueue waiting[N_PRIORITIES]; /* net thread only, like all below */
    GPtrArray *running;
    gint64 held_back_until_ms;
    double window; /* how many at once the host bears, as far as its answers tell: 1 to
                      max_in_flight */
    GRand *random;

    atomic_uint_least64_t requests, retries, failures, rate_limited, bytes_received;
    atomic_uint in_flight, allowed;
    atomic_uint_least64_t last_number;
} Net;

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- Jobs --- */

static void
headers_free(struct curl_slist *headers)
{
    for (struct curl_slist *at = headers; at; at = at->next) {
        explicit_bzero(at->data, strlen(at->data));
    }
    curl_slist_free_all(headers);
}

static void
job_clear_try(Job *job)
{
    if (job->easy) {
        curl_easy_cleanup(job->easy);
        job->easy = NULL;
    }
    headers_free(g_steal_pointer(&job->headers));
    if (job->body) {
        g_string_free(job->body, TRUE);
        job->body = NULL;
    }
    g_clear_pointer(&job->response, http_response_free);
    job->body_bytes = job->header_bytes = 0;
    job->is_gone_over_limit = FALSE;
    job->write_errno = 0;
    job->retry_after_ms = -1;
}

static void
job_free(Job *job)
{
    job_clear_try(job);
    http_request_free(job->request);
    g_free(job->url);
    g_free(job);
}

/* The one place where a request ends. Takes the job. */
static void
job_answer(Net *net, Job *job, GError *error)
{
    g_autoptr(GError) owned = error;
    HttpResponse *response = NULL;
    if (!owned) {
        response = g_steal_pointer(&job->response);
        response->retry_after_ms = job->retry_after_ms;
        if (job->body) {
            response->body_bytes = job->body->len;
            response->body = g_string_free(g_steal_pointer(&job->body), FALSE);
        }
    } else {
        atomic_fetch_add(&net->failures, 1);
    }
    log_debug(LOG_NET, "#%" G_GUINT64_FORMAT " %s %s: %s", job->number, job->request->method,
              job->request->target, owned ? owned->message : "answered");
    job->done(response, owned, job->user);
    job_free(job);
}

static gboolean
is_repeatable(const Job *job)
{
    return !job->request->once && !g_str_equal(job->request->method, "POST");
}

/* Puts the job back for another try, or returns FALSE when there is no time or no point. */
static gboolean
job_retry(Net *net, Job *job, gint64 wait_ms)
{
    gint64 now = clock_monotonic_ms();
    if (!is_repeatable(job) || job->attempts >= MAX_ATTEMPTS ||
        now + wait_ms >= job->request->deadline_ms) {
        return FALSE;
    }
    if (job->request->out_fd >= 0 && (ftruncate(job->request->out_fd, 0) != 0 ||
                                      lseek(job->request->out_fd, 0, SEEK_SET) != 0)) {
        return FALSE;
    }
    atomic_fetch_add(&net->retries, 1);
    job_clear_try(job);
    job->next_try_ms = now + wait_ms;
    g_queue_push_tail(&net->waiting[job->request->priority], job);
    return TRUE;
}

static gint64
backoff_ms(Net *net, const Job *job)
{
    gint64 most = MIN((gint64)BACKOFF_FIRST_MS << (job->attempts - 1), (gint64)BACKOFF_MAX_MS);
    /* Between half and whole, so that clients that failed together do not come back together. */
    return most / 2 + g_rand_int_range(net->random, 0, (gint32)(most / 2) + 1);
}

/* --- What curl tells --- */

static size_t
on_body(char *data, size_t size, size_t count, void *user)
{
    Job *job = user;
    gsize bytes = size * count;
    /* The limit of a download is the file's size; the words of a refusal may be longer. */
    gsize limit = job->response->status == 200 ? job->request->max_bytes
                                               : MAX(job->request->max_bytes, REFUSAL_MAX_BYTES);
    if (bytes > limit - job->body_bytes) {
        job->is_gone_over_limit = TRUE;
        return 0;
    }
    job->body_bytes += bytes;
    if (job->request->out_fd < 0 || job->response->status != 200) {
        (void)g_string_append_len(job->body, data, (gssize)bytes);
        return bytes;
    }
    for (gsize done = 0; done < bytes;) {
        ssize_t wrote = write(job->request->out_fd, data + done, bytes - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            job->write_errno = wrote < 0 ? errno : ENOSPC;
            return 0;
        }
        done += (gsize)wrote;
    }
    return bytes;
}

static gint64
header_number(const char *value)
{
    gint64 number;
    return g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &number, NULL) ? number : -1;
}

/* Seconds, or an HTTP date. */
static gint64
parse_retry_after_ms(const char *value)
{
    gint64 seconds;
    if (g_ascii_string_to_signed(value, 10, 0, 86400, &seconds, NULL)) {
        return seconds * 1000;
    }
    time_t when = curl_getdate(value, NULL);
    return when < 0 ? -1 : MAX((gint64)when * 1000 - clock_wall_ms(), 0);
}

static void
note_header(Job *job, const char *name, const char *value)
{
    HttpResponse *response = job->response;
    const struct {
        const char *name;
        gint64 *number;
    } numbers[] = {
        {"X-Tracker-Project-Version", &response->project_version},
        {"X-Tracker-Pagination-Total", &response->total},
        {"X-Tracker-Pagination-Limit", &response->limit},
        {"X-Tracker-Pagination-Offset", &response->offset},
        {"X-Tracker-Pagination-Returned", &response->returned},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (g_ascii_strcasecmp(name, numbers[i].name) == 0) {
            *numbers[i].number = header_number(value);
        }
    }
    if (g_ascii_strcasecmp(name, "Content-Type") == 0) {
        response->is_json = g_ascii_strncasecmp(value, "application/json", 16) == 0;
    } else if (g_ascii_strcasecmp(name, "Retry-After") == 0) {
        job->retry_after_ms = parse_retry_after_ms(value);
    } else if (g_ascii_strcasecmp(name, "Location") == 0) {
        g_free(response->location);
        response->location = g_strdup(value);
    }
}

static void
reset_response(Job *job, int status)
{
    http_response_free(job->response);
    job->response = g_new0(HttpResponse, 1);
    job->response->status = status;
    job->response->project_version = -1;
    job->response->total = job->response->limit = job->response->offset = -1;
    job->response->returned = -1;
}

static size_t
on_header(char *data, size_t size, size_t count, void *user)
{
    Job *job = user;
    gsize bytes = size * count;
    job->header_bytes += bytes;
    if (job->header_bytes > MAX_HEADER_BYTES) {
        job->is_gone_over_limit = TRUE;
        return 0;
    }
    g_autofree char *line = g_strstrip(g_strndup(data, bytes));
    if (g_str_has_prefix(line, "HTTP/")) {
        /* Also after a 100 Continue: the last status line counts. */
        const char *space = strchr(line, ' ');
        reset_response(job, space ? (int)g_ascii_strtoll(space, NULL, 10) : 0);
        return bytes;
    }
    char *colon = strchr(line, ':');
    if (colon && job->response) {
        *colon = '\0';
        note_header(job, line, g_strstrip(colon + 1));
    }
    return bytes;
}

/* --- Starting --- */

static gboolean
is_at_origin(const Net *net, const char *url)
{
    gsize length = strlen(net->origin);
    return g_str_has_prefix(url, net->origin) && (url[length] == '/' || url[length] == '\0');
}

/* The bytes of a write: its body, or the frame's head, the file and the frame's tail. */
static size_t
on_send(char *buffer, size_t size, size_t count, void *user)
{
    Job *job = user;
    const HttpRequest *request = job->request;
    gint64 at = job->sent_bytes;
    gint64 head_bytes = (gint64)request->body_bytes;
    gsize tail_bytes = request->tail ? strlen(request->tail) : 0;
    gsize room = size * count;
    ssize_t given;
    if (at < head_bytes) {
        given = (ssize_t)MIN(room, (gsize)(head_bytes - at));
        memcpy(buffer, request->body + at, (gsize)given);
    } else if (at < head_bytes + request->in_bytes) {
        gint64 left = head_bytes + request->in_bytes - at;
        do {
            given = pread(request->in_fd, buffer, MIN(room, (gsize)left), at - head_bytes);
        } while (given < 0 && errno == EINTR);
        if (given <= 0) {
            return CURL_READFUNC_ABORT; /* the file became shorter, or cannot be read */
        }
    } else {
        gsize done = (gsize)(at - head_bytes - request->in_bytes);
        given = (ssize_t)MIN(room, tail_bytes - done);
        if (given > 0) {
            memcpy(buffer, request->tail + done, (gsize)given);
        }
    }
    job->sent_bytes += given;
    return (size_t)given;
}

/* When a connection that it had kept dies without an answer, curl sends the request again by
 * itself, a POST as well, although it may have been carried out. Here it is kept from that. */
static int
on_rewind(void *user, curl_off_t offset, int origin)
{
    Job *job = user;
    if (job->request->once && job->sent_bytes > 0) {
        return CURL_SEEKFUNC_FAIL;
    }
    if (origin != SEEK_SET) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    job->sent_bytes = offset;
    return CURL_SEEKFUNC_OK;
}

static void
set_method(Job *job)
{
    const HttpRequest *request = job->request;
    if (request->body && request->once) {
        (void)curl_easy_setopt(job->easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(job->easy, CURLOPT_READFUNCTION, on_send);
        (void)curl_easy_setopt(job->easy, CURLOPT_READDATA, job);
        (void)curl_easy_setopt(job->easy, CURLOPT_SEEKFUNCTION, on_rewind);
        (void)curl_easy_setopt(job->easy, CURLOPT_SEEKDATA, job);
        (void)curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)((gint64)request->body_bytes + request->in_bytes +
                                            (gint64)(request->tail ? strlen(request->tail) : 0)));
        job->sent_bytes = 0;
    } else if (request->body) {
        (void)curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS, request->body);
        (void)curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)request->body_bytes);
    }
    if (!g_str_equal(request->method, "GET")) {
        (void)curl_easy_setopt(job->easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static struct curl_slist *
body_headers(const Net *net, Job *job)
{
    g_autofree char *type = g_strconcat("Content-Type: ", job->request->content_type, NULL);
    job->headers = curl_slist_append(NULL, net->headers->data);
    job->headers = curl_slist_append(job->headers, type);
    job->headers = curl_slist_append(job->headers, "Expect:");
    return job->headers;
}

static void
start_job(Net *net, Job *job)
{
    gint64 left_ms = job->request->deadline_ms - clock_monotonic_ms();
    job_clear_try(job);
    job->attempts++;
    job->body = g_string_new(NULL);
    job->error_text[0] = '\0';
    reset_response(job, 0);
    job->easy = curl_easy_init();
    g_assert(job->easy);
#define SET(option, value) (void)curl_easy_setopt(job->easy, option, value)
    SET(CURLOPT_URL, job->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Only TLS tells early whether streams can share a connection; without it a second request
     * would wait for the first answer to find out. */
    SET(CURLOPT_PIPEWAIT, g_str_has_prefix(job->url, "https:") ? 1L : 0L);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_USERAGENT, "trackerfs/" TRACKERFS_VERSION);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(net->connect_timeout_ms, MAX(left_ms, 1)));
    SET(CURLOPT_TIMEOUT_MS, (long)(MAX(left_ms, 1) + job->request->grace_ms));
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_SECONDS);
    SET(CURLOPT_ERRORBUFFER, job->error_text);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, job);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, job);
    SET(CURLOPT_PRIVATE, job);
    if (net->is_loopback) {
        SET(CURLOPT_NOPROXY, "*");
    }
    if (job->redirects == 0 && is_at_origin(net, job->url)) {
        SET(CURLOPT_HTTPHEADER, job->request->body ? body_headers(net, job) : net->headers);
    }
#undef SET
    set_method(job);
    atomic_fetch_add(&net->requests, 1);
    log_debug(LOG_NET, "#%" G_GUINT64_FORMAT " %s %s (try %u)", job->number, job->request->method,
              job->request->target, job->attempts);
    g_ptr_array_add(net->running, job);
    (void)curl_multi_add_handle(net->multi, job->easy);
}

/* --- Ending --- */

/* A download was sent elsewhere. Returns FALSE with `error` when it must not be followed. */
static gboolean
follow_redirect(Net *net, Job *job, GError **error)
{
    g_autofree char *target = NULL;
    CURLU *parsed = curl_url();
    char *text = NULL;
    if (curl_url_set(parsed, CURLUPART_URL, job->url, 0) == CURLUE_OK &&
        curl_url_set(parsed, CURLUPART_URL, job->response->location, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        target = g_strdup(text);
    }
    curl_free(text);
    curl_url_cleanup(parsed);
    gboolean is_plain = target && g_str_has_prefix(target, "http://");
    if (!target || (!is_plain && !g_str_has_prefix(target, "https://")) ||
        (is_plain && g_str_has_prefix(job->url, "https://")) || job->redirects >= MAX_REDIRECTS) {
        g_set_error(error, ERR, ERR_PROTOCOL,
                    "%s redirects the download to where it is not followed", net->host);
        return FALSE;
    }
    g_free(job->url);
    job->url = g_steal_pointer(&target);
    job->redirects++;
    job->attempts = 0;
    job_clear_try(job);
    job->next_try_ms = clock_monotonic_ms();
    g_queue_push_tail(&net->waiting[job->request->priority], job);
    return TRUE;
}

static char *
host_of(const char *url)
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    char *copy = NULL;
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        copy = g_strdup(host);
    }
    curl_free(host);
    curl_url_cleanup(parsed);
    return copy;
}

/* A host in trouble gets half as much at once, and one more for each round that goes well. */
static void
note_outcome(Net *net, gboolean in_trouble)
{
    const double most = net->max_in_flight;
    net->window = in_trouble ? MAX(net->window / 2, 1.0) : MIN(net->window + 1 / net->window, most);
    atomic_store(&net->allowed, (guint)net->window);
}

/* Places for requests of a priority, those of better ones included. Prefetch gives way first. */
static guint
places_for(const Net *net, int priority)
{
    const guint window = (guint)net->window;
    switch (priority) {
    case PRIORITY_SAVE:
        return net->max_in_flight + PLACES_FOR_SAVES;
    case PRIORITY_DEMAND:
        return window;
    default:
        return window < net->max_in_flight ? MAX(window / 2, 1) : window;
    }
}

static void
end_answered(Net *net, Job *job)
{
    int status = job->response->status;
    gint64 wait_ms = -1;
    note_outcome(net, status == 429 || status >= 500);
    if (status == 429) {
        atomic_fetch_add(&net->rate_limited, 1);
        wait_ms = job->retry_after_ms >= 0 ? job->retry_after_ms : backoff_ms(net, job);
        net->held_back_until_ms = MAX(net->held_back_until_ms, clock_monotonic_ms() + wait_ms);
    } else if (status == 502 || status == 503 || status == 504) {
        wait_ms = MAX(job->retry_after_ms, backoff_ms(net, job));
    }
    if (wait_ms >= 0 && job_retry(net, job, wait_ms)) {
        return;
    }
    if (status < 300 || status >= 400 || status == 304) {
        job_answer(net, job, NULL);
        return;
    }
    GError *error = NULL;
    if (job->request->out_fd >= 0 && job->response->location) {
        if (follow_redirect(net, job, &error)) {
            return;
        }
    } else {
        g_autofree char *target = job->response->location ? host_of(job->response->location) : NULL;
        error = g_error_new(ERR, ERR_PROTOCOL,
                            "%s redirects (status %d) to %s: not followed; is the URL right?",
                            net->host, status, target ? target : "another place");
    }
    job_answer(net, job, error);
}

static gboolean
is_tls_failure(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CIPHER ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_INVALIDCERTSTATUS;
}

static gboolean
is_lost_connection(CURLcode code)
{
    return code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
           code == CURLE_PARTIAL_FILE || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

/* Everything that is not an answer becomes one of our errors here. A TLS failure counts as
 * unreachable: what is stored is still served, and the message says what is wrong with the
 * certificate. */
static GError *
error_of(const Net *net, const Job *job, CURLcode code)
{
    const char *detail = job->error_text[0] ? job->error_text : curl_easy_strerror(code);
    if (job->is_gone_over_limit) {
        return g_error_new(ERR, ERR_TOO_LARGE,
                           "the answer of %s is larger than %" G_GSIZE_FORMAT " bytes", net->host,
                           job->request->max_bytes);
    }
    if (job->write_errno) {
        return g_error_new(ERR,
                           job->write_errno == ENOSPC || job->write_errno == EDQUOT ||
                                   job->write_errno == EFBIG
                               ? ERR_NO_SPACE
                               : ERR_LOCAL,
                           "writing the download: %s", g_strerror(job->write_errno));
    }
    if (is_tls_failure(code)) {
        return g_error_new(ERR, ERR_OFFLINE, "no secure connection to %s: %s", net->host, detail);
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
        code == CURLE_COULDNT_CONNECT) {
        return g_error_new(ERR, ERR_OFFLINE, "%s cannot be reached: %s", net->host, detail);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return g_error_new(ERR, ERR_TIMEOUT, "%s did not answer in time: %s", net->host, detail);
    }
    return g_error_new(ERR, ERR_PROTOCOL, "%s broke off its answer: %s", net->host, detail);
}

static void
end_job(Net *net, Job *job, CURLcode code)
{
    (void)curl_multi_remove_handle(net->multi, job->easy);
    (void)g_ptr_array_remove_fast(net->running, job);
    atomic_fetch_add(&net->bytes_received, job->body_bytes);
    if (code == CURLE_OK) {
        end_answered(net, job);
        return;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        note_outcome(net, TRUE);
    }
    GError *error = error_of(net, job, code);
    gboolean is_refused =
        code == CURLE_COULDNT_CONNECT && clock_monotonic_ms() - job->queued_ms < REFUSED_RETRY_MS;
    if ((is_lost_connection(code) && !job->is_gone_over_limit && !job->write_errno) || is_refused) {
        if (job_retry(net, job, backoff_ms(net, job))) {
            g_error_free(error);
            return;
        }
    }
    job_answer(net, job, error);
}

/* --- The thread --- */

static void
take_queued(Net *net)
{
    LOCK_SCOPE(&net->lock);
    for (Job *job; (job = g_queue_pop_head(&net->queued));) {
        g_queue_push_tail(&net->waiting[job->request->priority], job);
    }
}

/* A prefetch must not sit before the demand that found it: the first due job of the best priority
 * for which there is a place. */
static Job *
next_due(Net *net, gint64 now, gint64 *wake_ms)
{
    for (int priority = 0; priority < N_PRIORITIES; priority++) {
        if (net->running->len >= places_for(net, priority)) {
            return NULL;
        }
        if (priority != PRIORITY_SAVE && now < net->held_back_until_ms) {
            *wake_ms = MIN(*wake_ms, net->held_back_until_ms);
            return NULL;
        }
        for (GList *at = net->waiting[priority].head; at; at = at->next) {
            Job *job = at->data;
            if (job->next_try_ms <= now) {
                g_queue_delete_link(&net->waiting[priority], at);
                return job;
            }
            *wake_ms = MIN(*wake_ms, job->next_try_ms);
        }
    }
    return NULL;
}

static void
fail_late(Net *net, Job *job)
{
    gboolean is_held_back = clock_monotonic_ms() < net->held_back_until_ms;
    job_answer(net, job,
               g_error_new(ERR, is_held_back ? ERR_RATE_LIMITED : ERR_TIMEOUT, "%s %s", net->host,
                           is_held_back ? "asks for fewer requests" : "did not answer in time"));
}

/* When a running job has had its time: later for one whose body is arriving. */
static gint64
end_of(const Job *job)
{
    return job->request->deadline_ms + (job->body_bytes > 0 ? job->request->grace_ms : 0);
}

/* The host has named a time, and the job will not live to see it. */
static gboolean
is_held_back_for_good(const Net *net, const Job *job, gint64 now)
{
    return job->request->priority != PRIORITY_SAVE && now < net->held_back_until_ms &&
           net->held_back_until_ms >= job->request->deadline_ms;
}

/* Ends what is past its deadline, or held back beyond it: waiting jobs, and running ones whose curl
 * timeout a moved clock outran. */
static void
expire(Net *net, gint64 now, gint64 *wake_ms)
{
    for (int priority = 0; priority < N_PRIORITIES; priority++) {
        for (GList *at = net->waiting[priority].head; at;) {
            GList *next = at->next;
            Job *job = at->data;
            if (job->request->deadline_ms <= now || is_held_back_for_good(net, job, now)) {
                g_queue_delete_link(&net->waiting[priority], at);
                fail_late(net, job);
            } else {
                *wake_ms = MIN(*wake_ms, job->request->deadline_ms);
            }
            at = next;
        }
    }
    for (guint i = net->running->len; i > 0; i--) {
        Job *job = net->running->pdata[i - 1];
        if (end_of(job) <= now) {
            (void)curl_multi_remove_handle(net->multi, job->easy);
            (void)g_ptr_array_remove_index_fast(net->running, i - 1);
            fail_late(net, job);
        } else {
            *wake_ms = MIN(*wake_ms, end_of(job));
        }
    }
}

static gboolean
is_stopping(Net *net)
{
    LOCK_SCOPE(&net->lock);
    return net->stops;
}

static void
cancel_all(Net *net)
{
    take_queued(net);
    while (net->running->len > 0) {
        Job *job = g_ptr_array_steal_index_fast(net->running, net->running->len - 1);
        (void)curl_multi_remove_handle(net->multi, job->easy);
        job_answer(net, job, g_error_new(ERR, ERR_CANCELLED, "unmounting"));
    }
    for (int priority = 0; priority < N_PRIORITIES; priority++) {
        for (Job *job; (job = g_queue_pop_head(&net->waiting[priority]));) {
            job_answer(net, job, g_error_new(ERR, ERR_CANCELLED, "unmounting"));
        }
    }
}

static void
run_once(Net *net)
{
    int n_running;
    int n_left;
    gint64 now = clock_monotonic_ms();
    gint64 wake_ms = now + POLL_MAX_MS;
    take_queued(net);
    expire(net, now, &wake_ms);
    for (Job *job; (job = next_due(net, now, &wake_ms));) {
        start_job(net, job);
    }
    (void)curl_multi_perform(net->multi, &n_running);
    gboolean ended = FALSE;
    for (CURLMsg *message; (message = curl_multi_info_read(net->multi, &n_left));) {
        if (message->msg == CURLMSG_DONE) {
            Job *job = NULL;
            CURLcode code = message->data.result;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
            end_job(net, job, code);
            ended = TRUE;
        }
    }
    atomic_store(&net->in_flight, net->running->len);
    if (!ended) {
        (void)curl_multi_poll(net->multi, NULL, 0, (int)clock_wait_ms(wake_ms), NULL);
    }
}

static gpointer
net_thread(gpointer user)
{
    Net *net = user;
    while (!is_stopping(net)) {
        run_once(net);
    }
    cancel_all(net);
    return NULL;
}

/* --- The transport --- */

static void
net_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    Net *net = (Net *)transport;
    Job *job = g_new0(Job, 1);
    job->request = request;
    job->done = done;
    job->user = user;
    job->number = atomic_fetch_add(&net->last_number, 1) + 1;
    job->queued_ms = clock_monotonic_ms();
    job->retry_after_ms = -1;
    /* A download may be named by a whole URL, at whatever host. */
    const char *prefix = !request->at_origin         ? net->base_url
                         : request->target[0] == '/' ? net->origin
                                                     : "";
    job->url = g_strconcat(prefix, request->target, NULL);
    gboolean accepted;
    {
        LOCK_SCOPE(&net->lock);
        accepted = !net->stops;
        if (accepted) {
            g_queue_push_tail(&net->queued, job);
        }
    }
    if (accepted) {
        (void)curl_multi_wakeup(net->multi);
    } else {
        job_answer(net, job, g_error_new(ERR, ERR_CANCELLED, "unmounting"));
    }
}

static void
net_get_stats(Transport *transport, TransportStats *ret_stats)
{
    Net *net = (Net *)transport;
    ret_stats->requests = atomic_load(&net->requests);
    ret_stats->retries = atomic_load(&net->retries);
    ret_stats->failures = atomic_load(&net->failures);
    ret_stats->rate_limited = atomic_load(&net->rate_limited);
    ret_stats->allowed = atomic_load(&net->allowed);
    ret_stats->body_bytes_received = atomic_load(&net->bytes_received);
    ret_stats->in_flight = atomic_load(&net->in_flight);
}

static void
net_free(Transport *transport)
{
    Net *net = (Net *)transport;
    {
        LOCK_SCOPE(&net->lock);
        net->stops = TRUE;
    }
    if (net->multi) {
        (void)curl_multi_wakeup(net->multi);
        (void)pthread_join(net->thread, NULL);
        (void)curl_multi_cleanup(net->multi);
    }
    headers_free(net->headers);
    if (net->token) {
        explicit_bzero(net->token, net->token_bytes);
        (void)munlock(net->token, net->token_bytes);
        g_free(net->token);
    }
    g_ptr_array_unref(net->running);
    g_rand_free(net->random);
    (void)pthread_mutex_destroy(&net->lock);
    g_free(net->base_url);
    g_free(net->origin);
    g_free(net->host);
    g_free(net);
}

/* By address, not by prefix: 127.0.0.1.example.org is somebody else. */
static gboolean
is_loopback_host(const char *host)
{
    struct in_addr address;
    return g_str_equal(host, "localhost") || g_str_equal(host, "[::1]") ||
           (inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127);
}

static gboolean
read_base_url(Net *net, const char *url, GError **error)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    gboolean is_url = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                      curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                      curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    gboolean is_http = is_url && (g_str_equal(scheme, "http") || g_str_equal(scheme, "https"));
    if (is_http) {
        (void)curl_url_get(parsed, CURLUPART_PORT, &port, 0);
        net->host = port ? g_strdup_printf("%s:%s", host, port) : g_strdup(host);
        net->origin = g_strdup_printf("%s://%s", scheme, net->host);
        net->base_url = g_strdup(url);
        net->is_loopback = is_loopback_host(host);
    }
    gboolean is_clear = is_http && g_str_equal(scheme, "http");
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parsed);
    if (!is_http) {
        g_set_error(error, ERR, ERR_INVALID, "%s is no http or https URL", url);
        return FALSE;
    }
    if (is_clear && net->token && !net->is_loopback) {
        g_set_error(
            error, ERR, ERR_INVALID,
            "the token would travel unencrypted to %s: use https (http is for this machine only)",
            net->host);
        return FALSE;
    }
    return TRUE;
}

static void
make_headers(Net *net)
{
    g_autofree char *line = net->token ? g_strdup_printf("X-TrackerToken: %s", net->token)
                                       : g_strdup("X-TrackerToken:");
    net->headers = curl_slist_append(NULL, line);
    explicit_bzero(line, strlen(line));
}

Transport *
net_new(const NetConfig *config, GError **error)
{
    (void)pthread_once(&curl_once, start_curl);
    Net *net = g_new0(Net, 1);
    g_autoptr(Transport) transport = &net->transport;
    net->transport.send = net_send;
    net->transport.get_stats = net_get_stats;
    net->transport.free = net_free;
    net->connect_timeout_ms = config->connect_timeout_ms;
    net->max_in_flight = MAX(config->max_in_flight, 1);
    net->window = net->max_in_flight;
    atomic_init(&net->allowed, net->max_in_flight);
    net->running = g_ptr_array_new();
    net->random = g_rand_new();
    g_queue_init(&net->queued);
    for (int i = 0; i < N_PRIORITIES; i++) {
        g_queue_init(&net->waiting[i]);
    }
    (void)pthread_mutex_init(&net->lock, NULL);
    if (config->token) {
        net->token = g_strdup(config->token);
        net->token_bytes = strlen(net->token) + 1;
        (void)mlock(net->token, net->token_bytes);
    }
    if (!read_base_url(net, config->base_url, error)) {
        return NULL;
    }
    make_headers(net);
    net->multi = curl_multi_init();
    (void)curl_multi_setopt(net->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                            (long)net->max_in_flight + PLACES_FOR_SAVES);
    int rc = pthread_create(&net->thread, NULL, net_thread, net);
    if (rc != 0) {
        (void)curl_multi_cleanup(g_steal_pointer(&net->multi));
        g_set_error(error, ERR, ERR_LOCAL, "no thread for the network: %s", g_strerror(rc));
        return NULL;
    }
    return g_steal_pointer(&transport);
}

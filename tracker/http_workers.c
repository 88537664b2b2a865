/* How: each lane is a queue under a mutex and a few threads that wait for it. */
#include "tracker/http_workers.h"

#include "tracker/lock.h"
#include "tracker/service.h"

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    GQueue waiting;    /* of HttpRequest *; protected by mutex */
    gboolean stopping; /* protected by mutex */
    HttpWorkFn work;
    const char *name;
    GArray *threads; /* of pthread_t; of the starting thread */
} Lane;

struct HttpWorkers {
    Lane lanes[HTTP_LANES];
};

/* NULL: the lane ends. */
static struct HttpRequest *
lane_next(Lane *lane)
{
    TRACKER_LOCK(&lane->mutex);
    while (!lane->stopping && g_queue_is_empty(&lane->waiting)) {
        (void)pthread_cond_wait(&lane->wake, &lane->mutex);
    }
    return lane->stopping ? NULL : g_queue_pop_head(&lane->waiting);
}

static void *
lane_run(void *user)
{
    Lane *lane = user;
    (void)pthread_setname_np(pthread_self(), lane->name);
    for (struct HttpRequest *request = NULL; (request = lane_next(lane));) {
        lane->work(request, TRUE);
    }
    return NULL;
}

static gboolean
lane_start(Lane *lane, guint threads, HttpWorkFn work, const char *name, GError **error)
{
    (void)pthread_mutex_init(&lane->mutex, NULL);
    (void)pthread_cond_init(&lane->wake, NULL);
    g_queue_init(&lane->waiting);
    lane->work = work;
    lane->name = name;
    lane->threads = g_array_new(FALSE, FALSE, sizeof(pthread_t));
    for (guint i = 0; i < threads; i++) {
        pthread_t thread;
        int rc = pthread_create(&thread, NULL, lane_run, lane);
        if (rc != 0) {
            g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED, "cannot start a thread: %s",
                        g_strerror(rc));
            return FALSE;
        }
        g_array_append_val(lane->threads, thread);
    }
    return TRUE;
}

static void
lane_stop(Lane *lane)
{
    {
        TRACKER_LOCK(&lane->mutex);
        lane->stopping = TRUE;
        (void)pthread_cond_broadcast(&lane->wake);
    }
    for (guint i = 0; i < lane->threads->len; i++) {
        (void)pthread_join(g_array_index(lane->threads, pthread_t, i), NULL);
    }
    g_array_set_size(lane->threads, 0);
    /* No lock: it is stopped, and nobody adds any more. */
    for (struct HttpRequest *request = NULL; (request = g_queue_pop_head(&lane->waiting));) {
        lane->work(request, FALSE);
    }
}

static void
lane_free(Lane *lane)
{
    lane_stop(lane);
    g_array_unref(lane->threads);
    (void)pthread_cond_destroy(&lane->wake);
    (void)pthread_mutex_destroy(&lane->mutex);
}

HttpWorkers *
http_workers_new(const guint threads[HTTP_LANES], HttpWorkFn work, GError **error)
{
    static const char *const names[HTTP_LANES] = {"http-read", "http-write", "http-upload"};
    HttpWorkers *workers = g_new0(HttpWorkers, 1);
    gboolean ok = TRUE;
    for (guint i = 0; i < HTTP_LANES; i++) {
        ok = lane_start(&workers->lanes[i], ok ? threads[i] : 0, work, names[i], error) && ok;
    }
    if (!ok) {
        http_workers_free(workers);
        return NULL;
    }
    return workers;
}

static gboolean
lane_add(Lane *lane, struct HttpRequest *request)
{
    TRACKER_LOCK(&lane->mutex);
    if (lane->stopping) {
        return FALSE;
    }
    g_queue_push_tail(&lane->waiting, request);
    (void)pthread_cond_signal(&lane->wake);
    return TRUE;
}

void
http_workers_add(HttpWorkers *workers, struct HttpRequest *request, HttpLane lane)
{
    if (!lane_add(&workers->lanes[lane], request)) {
        workers->lanes[lane].work(request, FALSE);
    }
}

void
http_workers_stop(HttpWorkers *workers)
{
    for (guint i = 0; i < G_N_ELEMENTS(workers->lanes); i++) {
        lane_stop(&workers->lanes[i]);
    }
}

void
http_workers_free(HttpWorkers *workers)
{
    if (!workers) {
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(workers->lanes); i++) {
        lane_free(&workers->lanes[i]);
    }
    g_free(workers);
}

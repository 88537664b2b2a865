/* Bodies on their way in, in memory and in a file, and the queue of those who answer. */
#include "tracker/http.h"
#include "tracker/http_body.h"
#include "tracker/http_workers.h"
#include "tracker/lock.h"

#include <glib/gstdio.h>
#include <string.h>

static void
check_kept(const char *spool_dir)
{
    HttpBudget budget = {0};
    HttpBody body;
    http_body_init(&body, &budget, 10, spool_dir);
    gsize bytes = 1;
    g_assert_null(http_body_data(&body, &bytes));
    g_assert_cmpuint(bytes, ==, 0);
    g_assert_true(http_body_take(&body, "hello", 5));
    g_assert_true(http_body_take(&body, "world", 5));
    atomic_llong *used = spool_dir ? &budget.spool : &budget.memory;
    g_assert_cmpint(atomic_load(used), ==, 10);
    const char *data = http_body_data(&body, &bytes);
    g_assert_cmpmem(data, bytes, "helloworld", 10);
    g_assert_true((spool_dir != NULL) == (body.memory == NULL));

    g_assert_true(http_body_take(&body, "!", 1));
    g_assert_cmpint(body.state, ==, HTTP_BODY_TOO_LARGE);
    g_assert_cmpint(atomic_load(used), ==, 0);
    char much[20] = {0};
    g_assert_true(http_body_take(&body, much, 19));
    g_assert_false(http_body_take(&body, much, 1));
    http_body_clear(&body);
}

static void
test_memory(void)
{
    check_kept(NULL);
}

static void
test_spool(void)
{
    g_autofree char *dir = g_dir_make_tmp("trackerfs-test-XXXXXX", NULL);
    g_autofree char *files = g_build_filename(dir, "t.db.files", NULL);
    check_kept(files);
    g_assert_cmpint(g_rmdir(files), ==, 0); /* empty: nothing is left behind */
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_no_room(void)
{
    HttpBudget budget = {0};
    HttpBody body;
    http_body_init(&body, &budget, 100, "/proc/no-such-folder");
    g_assert_true(http_body_take(&body, "hello", 5));
    g_assert_cmpint(body.state, ==, HTTP_BODY_NO_SPACE);
    http_body_clear(&body);

    atomic_store(&budget.memory, TRACKER_HTTP_MAX_BODIES_BYTES - 4);
    http_body_init(&body, &budget, 100, NULL);
    g_assert_true(http_body_take(&body, "hello", 5));
    g_assert_cmpint(body.state, ==, HTTP_BODY_BUSY);
    http_body_clear(&body);
    g_assert_cmpint(atomic_load(&budget.memory), ==, TRACKER_HTTP_MAX_BODIES_BYTES - 4);
}

static void
test_ignored(void)
{
    HttpBudget budget = {0};
    HttpBody body;
    http_body_init(&body, &budget, 4, "/proc/no-such-folder");
    body.ignored = TRUE;
    g_assert_true(http_body_take(&body, "hello", 5));
    g_assert_cmpint(body.state, ==, HTTP_BODY_OK);
    gsize bytes = 1;
    g_assert_null(http_body_data(&body, &bytes));
    g_assert_cmpuint(bytes, ==, 0);
    g_assert_false(http_body_take(&body, "hello", 5));
    http_body_clear(&body);
}

/* ---- workers ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static guint running, done, handed_back; /* protected by mutex */
static gboolean held;                    /* protected by mutex */

/* A request whose address is SLOW runs until it is let go. */
static char slow, fast;
#define SLOW ((struct HttpRequest *)(void *)&slow)
#define FAST ((struct HttpRequest *)(void *)&fast)

static void
work(struct HttpRequest *request, gboolean run)
{
    TRACKER_LOCK(&mutex);
    if (!run) {
        handed_back++;
        return;
    }
    running++;
    (void)pthread_cond_broadcast(&changed);
    while (request == SLOW && held) {
        (void)pthread_cond_wait(&changed, &mutex);
    }
    done++;
    (void)pthread_cond_broadcast(&changed);
}

static void *
stop_workers(void *user)
{
    http_workers_stop(user);
    return NULL;
}

/* Writers that wait keep no reader from being answered; a stop lets them finish and hands back the
 * rest. */
static void
test_workers(void)
{
    g_autoptr(GError) error = NULL;
    HttpWorkers *workers = http_workers_new((const guint[]){1, 1, 1}, work, &error);
    g_assert_no_error(error);
    pthread_t thread;
    held = TRUE;
    http_workers_add(workers, SLOW, HTTP_LANE_WRITE);
    http_workers_add(workers, FAST, HTTP_LANE_WRITE); /* waits behind it */
    http_workers_add(workers, FAST, HTTP_LANE_READ);
    {
        TRACKER_LOCK(&mutex);
        while (running < 2 || done < 1) {
            (void)pthread_cond_wait(&changed, &mutex);
        }
    }
    g_assert_cmpint(pthread_create(&thread, NULL, stop_workers, workers), ==, 0);
    for (gboolean stopped = FALSE; !stopped;) {
        http_workers_add(workers, FAST, HTTP_LANE_READ); /* answered or handed back */
        TRACKER_LOCK(&mutex);
        stopped = handed_back > 0;
    }
    {
        TRACKER_LOCK(&mutex);
        held = FALSE;
        (void)pthread_cond_broadcast(&changed);
    }
    (void)pthread_join(thread, NULL);
    guint back = handed_back;
    http_workers_add(workers, FAST, HTTP_LANE_WRITE);
    g_assert_cmpuint(handed_back, ==, back + 1);
    http_workers_free(workers);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-body/memory", test_memory);
    g_test_add_func("/http-body/spool", test_spool);
    g_test_add_func("/http-body/no-room", test_no_room);
    g_test_add_func("/http-body/ignored", test_ignored);
    g_test_add_func("/http-workers/lanes", test_workers);
    return g_test_run();
}

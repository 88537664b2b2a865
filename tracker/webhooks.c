/* The thread's loop: look for the first queued activity of each webhook, post those that are due
 * and not under way, wait until one is answered, something is queued or becomes due; write down
 * what became of it. The state is in the database alone, so there is nothing to restore at a start.
 *
 * Times of retries are those of the tracker's clock. While something is queued the loop waits no
 * longer than POLL_MS, so that it sees a moved clock; nor while the lock is ours, so that it sees
 * what another process has queued. Otherwise it sleeps until it is woken, or IDLE_MS: whoever never
 * uses webhooks pays next to nothing. */
#include "tracker/webhooks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <unistd.h>

#include "tracker/render.h"
#include "tracker/webhook_post.h"

#define POLL_MS 2000
#define IDLE_MS 60000
#define TROUBLE_WAIT_MS 5000 /* after a database error */

struct Webhooks {
    Tracker *tracker;
    Poster *poster; /* the thread's, except for poster_wake() */
    pthread_t thread;
    atomic_bool stops;
    int lock_fd; /* -1: not ours; the thread's, like all below */
    gint64 trouble_until_ms;
};

void
webhooks_enqueue(DbConn *conn, gint64 activity_id, gint64 now_ms)
{
    g_autoptr(DbStmt) add =
        db_prepare(conn, "INSERT INTO webhook_delivery(webhook_id, activity_id, due_at)"
                         " SELECT w.id, a.id, ?2 FROM activity a JOIN webhook w"
                         " ON w.project_id = a.project_id AND w.enabled = 1 WHERE a.id = ?1");
    g_autoptr(DbStmt) trim = NULL;

    db_bind_int(add, 1, activity_id);
    db_bind_int(add, 2, now_ms);
    if (!db_run(add) || db_changes(conn) == 0) {
        return;
    }
    trim = db_prepare(conn, "DELETE FROM webhook_delivery WHERE id IN (SELECT (SELECT d.id"
                            " FROM webhook_delivery d WHERE d.webhook_id = w.id ORDER BY d.id DESC"
                            " LIMIT 1 OFFSET ?2) FROM activity a JOIN webhook w"
                            " ON w.project_id = a.project_id AND w.enabled = 1 WHERE a.id = ?1)");
    db_bind_int(trim, 1, activity_id);
    db_bind_int(trim, 2, WEBHOOKS_MAX_QUEUED);
    (void)db_run(trim);
}

void
webhooks_forget(DbConn *conn, gint64 webhook_id)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, "DELETE FROM webhook_delivery WHERE webhook_id = ?1");

    db_bind_int(stmt, 1, webhook_id);
    (void)db_run(stmt);
}

/* ---- what the thread does ---- */

static void
note_trouble(Webhooks *webhooks, const GError *error)
{
    g_debug("webhooks: %s", error->message);
    webhooks->trouble_until_ms = tracker_now_ms(webhooks->tracker) + TROUBLE_WAIT_MS;
}

/* One deliverer for all processes that have the database open. */
static gboolean
is_ours(Webhooks *webhooks)
{
    g_autofree char *path = NULL;
    int fd;

    if (webhooks->lock_fd >= 0) {
        return TRUE;
    }
    path = g_strconcat(db_path(tracker_db(webhooks->tracker)), ".webhooks", NULL);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        g_debug("webhooks: %s: %s", path, g_strerror(errno));
        return FALSE;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return FALSE;
    }
    webhooks->lock_fd = fd;
    return TRUE;
}

/* The activity as the webhook gets it: times in milliseconds, nulls as they are stored. */
static gboolean
write_body(DbConn *conn, gint64 activity_id, gint64 now_ms, GString *body)
{
    Render render = {.conn = conn, .millis = TRUE, .now_ms = now_ms};
    g_autoptr(Selection) selection = fields_select(&kind_activity, NULL, NULL);
    gboolean there = render_one(&render, selection, activity_id, body);

    render_clear(&render);
    return there;
}

static void
drop_delivery(DbConn *conn, gint64 id)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, "DELETE FROM webhook_delivery WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    (void)db_run(stmt);
}

/* The first queued activity of each webhook that is not busy. */
#define HEADS                                                                                      \
    "SELECT d.id, d.activity_id, d.due_at, w.webhook_url FROM webhook w JOIN webhook_delivery d"   \
    " ON d.id = (SELECT MIN(x.id) FROM webhook_delivery x WHERE x.webhook_id = w.id)"              \
    " ORDER BY d.due_at"

/* Starts what is due; gives the time to wait for the next. */
static int
start_due(Webhooks *webhooks, DbConn *conn)
{
    gint64 now = tracker_now_ms(webhooks->tracker), orphan = 0;
    gint64 wait = webhooks->lock_fd >= 0 ? POLL_MS : IDLE_MS;
    DbStmt *heads = db_prepare(conn, HEADS);

    while (db_next(heads)) {
        gint64 id = db_int(heads, 0), due = db_int(heads, 2);
        g_autoptr(GString) body = g_string_new(NULL);

        wait = MIN(wait, POLL_MS);
        if (poster_is_busy(webhooks->poster, id)) {
            continue;
        }
        if (due > now) {
            wait = MIN(wait, due - now);
            break;
        }
        if (!is_ours(webhooks)) {
            break;
        }
        if (!write_body(conn, db_int(heads, 1), now, body)) {
            orphan = id; /* its project was deleted */
            break;
        }
        if (!poster_start(webhooks->poster, id, db_text(heads, 3), body)) {
            break;
        }
    }
    db_done(heads);
    if (orphan) {
        drop_delivery(conn, orphan);
        return 0;
    }
    return (int)wait;
}

static gint64
retry_wait_ms(gint64 attempts)
{
    gint64 wait = WEBHOOKS_FIRST_RETRY_MS;

    for (gint64 i = 1; i < attempts && wait < WEBHOOKS_MAX_RETRY_MS; i++) {
        wait *= 4;
    }
    return MIN(wait, WEBHOOKS_MAX_RETRY_MS);
}

static void
note_failure(DbConn *conn, gint64 id, int status, const char *text, gint64 now_ms)
{
    g_autoptr(DbStmt) what =
        db_prepare(conn, "SELECT webhook_id, attempts FROM webhook_delivery WHERE id = ?1");
    g_autoptr(DbStmt) webhook = NULL, delivery = NULL;
    gint64 webhook_id, attempts;

    db_bind_int(what, 1, id);
    if (!db_next(what)) {
        return; /* switched off or deleted meanwhile */
    }
    webhook_id = db_int(what, 0);
    attempts = db_int(what, 1) + 1;
    webhook = db_prepare(conn, "UPDATE webhook SET last_error_code = ?2, last_response_body = ?3"
                               " WHERE id = ?1");
    db_bind_int(webhook, 1, webhook_id);
    db_bind_int(webhook, 2, status);
    db_bind_text(webhook, 3, text);
    (void)db_run(webhook);
    if (attempts >= WEBHOOKS_MAX_ATTEMPTS) {
        drop_delivery(conn, id);
        return;
    }
    delivery =
        db_prepare(conn, "UPDATE webhook_delivery SET attempts = ?2, due_at = ?3 WHERE id = ?1");
    db_bind_int(delivery, 1, id);
    db_bind_int(delivery, 2, attempts);
    db_bind_int(delivery, 3, now_ms + retry_wait_ms(attempts));
    (void)db_run(delivery);
}

static void
on_answer(gint64 id, int status, const char *text, gpointer user)
{
    Webhooks *webhooks = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(tracker_db(webhooks->tracker), &error);

    if (conn && db_begin(conn, DB_WRITE, &error)) {
        if (status >= 200 && status <= 299) {
            drop_delivery(conn, id);
        } else {
            note_failure(conn, id, status, text, tracker_now_ms(webhooks->tracker));
        }
        (void)db_commit(conn, &error);
    }
    if (error) {
        note_trouble(webhooks, error); /* it will be sent again */
    }
}

static int
work(Webhooks *webhooks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = NULL;
    int wait;

    if (tracker_now_ms(webhooks->tracker) < webhooks->trouble_until_ms) {
        return POLL_MS;
    }
    conn = db_take(tracker_db(webhooks->tracker), &error);
    wait = conn ? start_due(webhooks, conn) : POLL_MS;
    if (error || !db_check(conn, &error)) {
        note_trouble(webhooks, error);
        return POLL_MS;
    }
    return wait;
}

static void *
thread_main(void *user)
{
    Webhooks *webhooks = user;

    while (!atomic_load(&webhooks->stops)) {
        poster_wait(webhooks->poster, work(webhooks), on_answer, webhooks);
    }
    return NULL;
}

Webhooks *
webhooks_start(Tracker *tracker, gboolean allow_http, GError **error)
{
    Webhooks *webhooks = g_new0(Webhooks, 1);
    int code;

    webhooks->tracker = tracker;
    webhooks->poster = poster_new(allow_http);
    webhooks->lock_fd = -1;
    atomic_init(&webhooks->stops, FALSE);
    code = pthread_create(&webhooks->thread, NULL, thread_main, webhooks);
    if (code != 0) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED,
                    "cannot start the thread for webhooks: %s", g_strerror(code));
        poster_free(webhooks->poster);
        g_free(webhooks);
        return NULL;
    }
    return webhooks;
}

void
webhooks_stop(Webhooks *webhooks)
{
    if (!webhooks) {
        return;
    }
    atomic_store(&webhooks->stops, TRUE);
    poster_wake(webhooks->poster);
    (void)pthread_join(webhooks->thread, NULL);
    poster_free(webhooks->poster);
    if (webhooks->lock_fd >= 0) {
        (void)close(webhooks->lock_fd);
    }
    g_free(webhooks);
}

void
webhooks_wake(Webhooks *webhooks)
{
    poster_wake(webhooks->poster);
}

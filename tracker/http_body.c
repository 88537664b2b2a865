#include "tracker/http_body.h"

#include "tracker/http.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <unistd.h>

void
http_body_init(HttpBody *body, HttpBudget *budget, gint64 limit, const char *spool_dir)
{
    *body = (HttpBody){.budget = budget, .spool_dir = spool_dir, .limit = limit, .spool_fd = -1};
}

static atomic_llong *
budget_of(HttpBody *body)
{
    return body->spool_dir ? &body->budget->spool : &body->budget->memory;
}

void
http_body_clear(HttpBody *body)
{
    if (!body->budget) {
        return; /* never begun */
    }
    (void)atomic_fetch_sub(budget_of(body), (long long)body->bytes);
    if (body->map) {
        (void)munmap(body->map, (size_t)body->bytes);
        body->map = NULL;
    }
    if (body->spool_fd >= 0) {
        (void)close(body->spool_fd);
        body->spool_fd = -1;
    }
    g_clear_pointer(&body->memory, g_byte_array_unref);
    body->bytes = 0;
}

static int
open_spool(const char *dir)
{
    (void)g_mkdir_with_parents(dir, 0700);
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) {
        return fd;
    }
    /* A file system that does not know O_TMPFILE. */
    g_autofree char *path = g_build_filename(dir, "spool.XXXXXX", NULL);
    fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)g_unlink(path);
    }
    return fd;
}

static gboolean
write_spool(HttpBody *body, const char *data, gsize bytes)
{
    if (body->spool_fd < 0) {
        body->spool_fd = open_spool(body->spool_dir);
    }
    while (body->spool_fd >= 0 && bytes > 0) {
        ssize_t n = write(body->spool_fd, data, bytes);
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        data += MAX(n, 0);
        bytes -= (gsize)MAX(n, 0);
    }
    return body->spool_fd >= 0;
}

/* What will not be used is let go at once. */
static void
give_up(HttpBody *body, HttpBodyState state)
{
    http_body_clear(body);
    body->state = state;
}

gboolean
http_body_take(HttpBody *body, const char *data, gsize bytes)
{
    gint64 allowed = body->spool_dir ? TRACKER_HTTP_MAX_SPOOL_BYTES : TRACKER_HTTP_MAX_BODIES_BYTES;
    if (body->state == HTTP_BODY_OK && !body->ignored) {
        if (body->bytes + (gint64)bytes > body->limit) {
            give_up(body, HTTP_BODY_TOO_LARGE);
        } else if (atomic_load(budget_of(body)) + (gint64)bytes > allowed) {
            give_up(body, HTTP_BODY_BUSY);
        }
    }
    if (body->state != HTTP_BODY_OK || body->ignored) {
        /* The answer can only be given at the end: who does not come to one is cut off. */
        body->dropped += (gint64)bytes;
        return body->dropped <= 2 * body->limit;
    }
    if (body->spool_dir) {
        if (!write_spool(body, data, bytes)) {
            give_up(body, HTTP_BODY_NO_SPACE);
            return TRUE;
        }
    } else {
        if (!body->memory) {
            body->memory = g_byte_array_new();
        }
        g_byte_array_append(body->memory, (const guint8 *)data, (guint)bytes);
    }
    body->bytes += (gint64)bytes;
    (void)atomic_fetch_add(budget_of(body), (long long)bytes);
    return TRUE;
}

const char *
http_body_data(HttpBody *body, gsize *ret_bytes)
{
    *ret_bytes = 0;
    if (body->spool_fd >= 0 && !body->map) {
        void *map = mmap(NULL, (size_t)body->bytes, PROT_READ, MAP_PRIVATE | MAP_NORESERVE,
                         body->spool_fd, 0);
        if (map == MAP_FAILED) {
            give_up(body, HTTP_BODY_NO_SPACE);
            return NULL;
        }
        body->map = map;
        (void)madvise(map, (size_t)body->bytes, MADV_SEQUENTIAL);
    }
    *ret_bytes = (gsize)body->bytes;
    return body->map ? body->map : body->memory ? (const char *)body->memory->data : NULL;
}

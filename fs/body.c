/* What a body takes from its pool is `charged`: the largest end that was written or allocated since
 * it was last cut, which is what the memory is at most. Charged before the write, so that a full
 * pool is noticed while the writer can still be told. */
#include "fs/body.h"

#include "cache/base/err.h"
#include "cache/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors that are left to everything else: sockets, databases, attachments. */
#define SPARE_DESCRIPTORS 128

struct BodyPool {
    int max; /* const after new */
    _Atomic gint64 bytes;
    atomic_int bodies;
};

struct Body {
    BodyPool *pool; /* NULL: on disk */
    int fd;
    pthread_mutex_t lock;
    gint64 charged; /* protected by lock */
};

BodyPool *
body_pool_new(void)
{
    BodyPool *pool = g_new0(BodyPool, 1);
    struct rlimit limit;
    pool->max = BODY_POOL_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < BODY_POOL_MAX + SPARE_DESCRIPTORS) {
        const int n = (int)limit.rlim_cur;
        pool->max = MAX(n - SPARE_DESCRIPTORS, n / 2);
    }
    return pool;
}

void
body_pool_free(BodyPool *pool)
{
    g_assert(!pool || atomic_load(&pool->bodies) == 0);
    g_free(pool);
}

static gboolean
fail(GError **error, int code, const char *what)
{
    const ErrCode err = code == ENOSPC || code == EDQUOT || code == EMFILE ? ERR_NO_SPACE
                        : code == EFBIG                                    ? ERR_TOO_LARGE
                        : code == EOPNOTSUPP                               ? ERR_UNSUPPORTED
                        : code == EINVAL                                   ? ERR_INVALID
                                                                           : ERR_LOCAL;
    g_set_error(error, ERR, (int)err, "%s: %s", what, g_strerror(code));
    return FALSE;
}

static Body *
make(BodyPool *pool, int fd)
{
    Body *body = g_new0(Body, 1);
    body->pool = pool;
    body->fd = fd;
    (void)pthread_mutex_init(&body->lock, NULL);
    return body;
}

Body *
body_new(BodyPool *pool, gboolean lasts, GError **error)
{
    const int max = lasts ? pool->max - pool->max / 8 : pool->max;
    if (atomic_fetch_add(&pool->bodies, 1) >= max) {
        atomic_fetch_sub(&pool->bodies, 1);
        g_set_error(error, ERR, ERR_NO_SPACE, "too many files are being edited");
        return NULL;
    }
    const int fd = memfd_create("trackerfs", MFD_CLOEXEC);
    if (fd < 0) {
        atomic_fetch_sub(&pool->bodies, 1);
        (void)fail(error, errno, "memory for a file that is edited");
        return NULL;
    }
    return make(pool, fd);
}

Body *
body_new_on_disk(int fd)
{
    return make(NULL, fd);
}

void
body_free(Body *body)
{
    if (!body) {
        return;
    }
    (void)close(body->fd);
    if (body->pool) {
        atomic_fetch_sub(&body->pool->bytes, body->charged);
        atomic_fetch_sub(&body->pool->bodies, 1);
    }
    (void)pthread_mutex_destroy(&body->lock);
    g_free(body);
}

int
body_fd(const Body *body)
{
    return body->fd;
}

gint64
body_size(const Body *body)
{
    struct stat attributes;
    return fstat(body->fd, &attributes) == 0 ? attributes.st_size : 0;
}

static gboolean
charge(Body *body, gint64 end, GError **error)
{
    if (!body->pool) {
        return TRUE;
    }
    if (end > BODY_BYTES_MAX) {
        g_set_error(error, ERR, ERR_TOO_LARGE, "a text is at most %" G_GINT64_FORMAT " bytes",
                    BODY_BYTES_MAX);
        return FALSE;
    }
    LOCK_SCOPE(&body->lock);
    const gint64 more = end - body->charged;
    if (more <= 0) {
        return TRUE;
    }
    if (atomic_fetch_add(&body->pool->bytes, more) + more > BODY_POOL_BYTES_MAX) {
        atomic_fetch_sub(&body->pool->bytes, more);
        g_set_error(error, ERR, ERR_NO_SPACE, "the memory for files that are edited is used up");
        return FALSE;
    }
    body->charged = end;
    return TRUE;
}

static void
discharge(Body *body, gint64 end)
{
    if (!body->pool) {
        return;
    }
    LOCK_SCOPE(&body->lock);
    if (end < body->charged) {
        atomic_fetch_sub(&body->pool->bytes, body->charged - end);
        body->charged = end;
    }
}

gboolean
body_write(Body *body, const char *data, gsize length, gint64 offset, GError **error)
{
    if (!charge(body, offset + (gint64)length, error)) {
        return FALSE;
    }
    while (length > 0) {
        const ssize_t n = pwrite(body->fd, data, length, offset);
        if (n < 0 && errno != EINTR) {
            return fail(error, errno, "write");
        }
        if (n > 0) {
            data += n;
            offset += n;
            length -= (gsize)n;
        }
    }
    return TRUE;
}

gboolean
body_truncate(Body *body, gint64 size, GError **error)
{
    if (!charge(body, size, error)) {
        return FALSE;
    }
    if (ftruncate(body->fd, size) != 0) {
        return fail(error, errno, "truncate");
    }
    discharge(body, size);
    return TRUE;
}

gboolean
body_allocate(Body *body, int mode, gint64 offset, gint64 length, GError **error)
{
    const gboolean grows = !(mode & FALLOC_FL_KEEP_SIZE);
    if (grows && !charge(body, offset + length, error)) {
        return FALSE;
    }
    if (fallocate(body->fd, mode, offset, length) != 0) {
        return fail(error, errno, "fallocate");
    }
    return TRUE;
}

char *
body_dup(const Body *body, gsize *ret_length, GError **error)
{
    const gsize size = (gsize)body_size(body);
    g_autofree char *data = g_malloc(size + 1);
    gsize done = 0;
    while (done < size) {
        const ssize_t n = pread(body->fd, data + done, size - done, (off_t)done);
        if (n < 0 && errno != EINTR) {
            (void)fail(error, errno, "read");
            return NULL;
        }
        if (n == 0) {
            break; /* cut meanwhile */
        }
        done += n > 0 ? (gsize)n : 0;
    }
    data[done] = '\0';
    *ret_length = done;
    return g_steal_pointer(&data);
}

/* Length and time are kept beside the descriptor, so that a stat costs no system call. A reader
 * gets a descriptor of its own and never reads beyond the length that it was told: lines are whole
 * before the length includes them. */
#include "cache/events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"

struct Events {
    char *path;
    int fd; /* the clerk's */
    pthread_mutex_t lock;
    gint64 bytes, changed_ms; /* protected by lock */
};

Events *
events_open(const char *path)
{
    Events *events = g_new0(Events, 1);
    struct stat facts;
    events->path = g_strdup(path);
    (void)pthread_mutex_init(&events->lock, NULL);
    events->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (events->fd < 0 || fstat(events->fd, &facts) != 0) {
        log_debug(LOG_SYNC, "%s: %s", path, g_strerror(errno));
        return events;
    }
    events->bytes = facts.st_size;
    if (facts.st_size > 0) {
        events->changed_ms = (gint64)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000;
    }
    return events;
}

void
events_close(Events *events)
{
    if (!events) {
        return;
    }
    if (events->fd >= 0) {
        (void)close(events->fd);
    }
    (void)pthread_mutex_destroy(&events->lock);
    g_free(events->path);
    g_free(events);
}

static gboolean
write_at(int fd, const char *data, gsize length, gint64 at)
{
    while (length > 0) {
        const ssize_t wrote = pwrite(fd, data, length, at);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return FALSE;
        }
        data += wrote;
        length -= (gsize)wrote;
        at += wrote;
    }
    return TRUE;
}

void
events_append(Events *events, const GString *lines)
{
    gint64 at;
    if (events->fd < 0 || lines->len == 0) {
        return;
    }
    {
        LOCK_SCOPE(&events->lock);
        if (events->bytes + (gint64)lines->len > EVENTS_MAX_BYTES) {
            events->bytes = 0;
        }
        at = events->bytes;
    }
    if ((at == 0 && ftruncate(events->fd, 0) != 0) ||
        !write_at(events->fd, lines->str, lines->len, at)) {
        log_debug(LOG_SYNC, "%s: %s", events->path, g_strerror(errno));
        return;
    }
    LOCK_SCOPE(&events->lock);
    events->bytes = at + (gint64)lines->len;
    events->changed_ms = clock_wall_ms();
}

int
events_read(Events *events, gint64 *ret_bytes, gint64 *ret_changed_ms)
{
    {
        LOCK_SCOPE(&events->lock);
        *ret_bytes = events->bytes;
        *ret_changed_ms = events->changed_ms;
    }
    return open(events->path, O_RDONLY | O_CLOEXEC);
}

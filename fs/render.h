/* render: model -> the bytes of a file. Pure, any thread.
 *
 * A Content borrows from a snapshot where it can and owns its bytes where it cannot; either way it
 * is whole and never changes, so that a file's size can be told before anything is read. */
#pragma once

#include "cache/cache.h"

typedef struct Content {
    const char *data; /* may be NULL when length is 0 */
    gsize length;
    gpointer owner; /* what keeps `data`; released with `release` */
    GDestroyNotify release;
} Content;

void content_clear(Content *content);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

/* Takes `bytes`. */
Content content_take(char *bytes, gsize length);

/* A text of a snapshot; its owner is added by who holds the snapshot. */
Content render_text(const Text *text);

/* "- [x] text\n" */
Content render_task(const Task *task);

/* One line. */
Content render_line(const char *text);

/* One attribute of `owner`'s record as one line, or no line when it could be set and is not. FALSE:
 * there is no such attribute. */
gboolean render_field(const Text *record, EditOwner owner, const char *name, Content *ret_content);

/* All of them: from an attribute's name to its line, a GBytes. */
GHashTable *render_fields(const Text *record, EditOwner owner);

typedef struct RenderStatus {
    const char *source, *mount_point; /* may be NULL */
    gint64 started_ms, now_ms;
    gint64 pid;
    guint parked, known_nodes;
    guint64 kernel_requests; /* that were asked of this process, forgets left out */
    struct {
        guint64 entries, deletions, attributes, contents, before_opens;
        guint waiting;
    } notices; /* to the kernel */
} RenderStatus;

/* .trackerfs/status.json */
Content render_status(const RenderStatus *process, const CacheStatus *status);

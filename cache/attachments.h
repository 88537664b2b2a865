/* attachments: the bytes of file attachments, as files on disk under a size limit.
 *
 * A folder of ours holds one file an attachment, named by its id; a fetch writes ID.part, checks
 * its size, and renames it. When the sum exceeds the limit the least recently used files are
 * removed; an open descriptor keeps its bytes. A size of 0 or an unknown one is taken as announced.
 * Leftover .part files are removed at start. Threads: any; one mutex, never held across I/O on the
 * file bodies. Errors: ERR_LOCAL, ERR_NO_SPACE, ERR_PROTOCOL (a size that differs from the
 * announced one), ERR_TOO_LARGE (over the limit). */
#pragma once

#include "cache/model.h"
#include "cache/transport.h"

typedef struct Attachments Attachments;

Attachments *attachments_open(const char *directory, gint64 limit_bytes, GError **error);
void attachments_close(Attachments *attachments);

/* A read-only descriptor of the complete file, the caller's; -1 when it is not here. */
int attachments_open_file(Attachments *attachments, const Attachment *attachment);

/* Starts the download (one at a time for each id: a second call joins the first, and none is made
 * of what has come meanwhile); `done` comes once, from a thread of the transport or at once.
 * `deadline_ms` of clock_monotonic_ms(). `error` is borrowed.
 */
typedef void (*AttachmentsDoneFn)(gint64 id, const GError *error, gpointer user);
void attachments_fetch(Attachments *attachments, Transport *transport, const Attachment *attachment,
                       gint64 deadline_ms, AttachmentsDoneFn done, gpointer user);

/* Keeps a file that was just uploaded, under the id that it got: a second name for `path`. Where
 * that is not possible it is fetched like any other. */
void attachments_adopt(Attachments *attachments, gint64 id, const char *path);

gint64 attachments_bytes(Attachments *attachments); /* on disk now */

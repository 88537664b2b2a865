/* body: bytes that somebody is writing.
 *
 * A body is an unlinked file: in memory (memfd) for texts and for what editors make up, or one of
 * the caller's on disk for uploads. So reads, writes and holes are the kernel's, and any thread may
 * use one at any time; what two writers do at once is what two writers of a file get. Limits: a
 * body in memory BODY_BYTES_MAX (ERR_TOO_LARGE); all of a pool BODY_POOL_BYTES_MAX and
 * BODY_POOL_MAX bodies, or what the limit of open files leaves (ERR_NO_SPACE). One on disk ends
 * with the disk. Errors: these and ERR_LOCAL.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define BODY_BYTES_MAX ((gint64)64 << 20)
#define BODY_POOL_BYTES_MAX ((gint64)512 << 20)
#define BODY_POOL_MAX 4096

typedef struct BodyPool BodyPool;
BodyPool *body_pool_new(void);
/* After the last of its bodies. */
void body_pool_free(BodyPool *pool);

typedef struct Body Body;
/* `lasts`: it may be kept for long; of these there may be fewer, so that something is left for
 * those that are only saved. */
Body *body_new(BodyPool *pool, gboolean lasts, GError **error);
/* Takes the descriptor of an empty file on disk. */
Body *body_new_on_disk(int fd);
void body_free(Body *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Body, body_free)

/* For reading, also by splice; borrowed. */
int body_fd(const Body *body);
gint64 body_size(const Body *body);

/* All of `data` or an error; the bytes before a failure may have been written. */
gboolean body_write(Body *body, const char *data, gsize length, gint64 offset, GError **error);
gboolean body_truncate(Body *body, gint64 size, GError **error);
/* As fallocate(2) with `mode`: FALLOC_FL_*; ERR_UNSUPPORTED for those that the file cannot. */
gboolean body_allocate(Body *body, int mode, gint64 offset, gint64 length, GError **error);

/* Everything, NUL-terminated beyond `*ret_length`; the caller's. */
char *body_dup(const Body *body, gsize *ret_length, GError **error);

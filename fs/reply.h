/* reply: the one place where an ERR becomes an errno, and where a request is answered: once.
 *
 * A Reply is held by whoever answers; it asserts that nobody did before. Hold no lock when
 * answering. Threads: any, one at a time for one Reply. */
#pragma once

#include <fuse_lowlevel.h>
#include <glib.h>

/* The positive errno of an error; EIO for one of another domain. */
int reply_errno(const GError *error);

typedef struct Reply {
    fuse_req_t req;
    gboolean is_answered;
} Reply;

void reply_init(Reply *reply, fuse_req_t req);

/* Each answers; those that return gboolean are FALSE when the kernel did not take the answer (the
 * asker was killed), and then what the answer handed out (a lookup, a handle) is the caller's to
 * take back. */
void reply_error(Reply *reply, const GError *error);
void reply_code(Reply *reply, int code);
gboolean reply_entry(Reply *reply, const struct fuse_entry_param *entry);
gboolean reply_open(Reply *reply, const struct fuse_file_info *info);
gboolean reply_create(Reply *reply, const struct fuse_entry_param *entry,
                      const struct fuse_file_info *info);
void reply_written(Reply *reply, gsize length);
void reply_attr(Reply *reply, const struct stat *attributes, double timeout);
void reply_buffer(Reply *reply, const char *data, gsize length);
void reply_data(Reply *reply, struct fuse_bufvec *vector);
void reply_link(Reply *reply, const char *target);
void reply_statfs(Reply *reply, const struct statvfs *figures);

/* For an answer that libfuse wants whole: the request, which counts as answered. */
fuse_req_t reply_take(Reply *reply);

/* The rules of getxattr(2) and listxattr(2): with `room` 0 the length alone, ERANGE when it does
 * not fit. */
void reply_xattr(Reply *reply, const char *data, gsize length, gsize room);

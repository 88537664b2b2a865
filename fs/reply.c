/* ERR -> errno is a full switch without default, so that a new code does not compile until it has
 * an errno. ERR_RATE_LIMITED is EAGAIN: the one errno that says "try later" and nothing else. */
#include "fs/reply.h"

#include "cache/base/err.h"

#include <errno.h>

int
reply_errno(const GError *error)
{
    if (!error || error->domain != ERR) {
        return EIO;
    }
    switch ((ErrCode)error->code) {
    case ERR_NOT_FOUND:
        return ENOENT;
    case ERR_AUTH:
        return EACCES;
    case ERR_RATE_LIMITED:
        return EAGAIN;
    case ERR_OFFLINE:
        return ENETDOWN;
    case ERR_TIMEOUT:
        return ETIMEDOUT;
    case ERR_SERVER:
    case ERR_PROTOCOL:
    case ERR_LOCAL:
        return EIO;
    case ERR_INVALID:
        return EINVAL;
    case ERR_CONFLICT:
        return ESTALE;
    case ERR_TOO_LARGE:
        return EFBIG;
    case ERR_NO_SPACE:
        return ENOSPC;
    case ERR_CANCELLED:
        return EINTR;
    case ERR_UNSUPPORTED:
        return EOPNOTSUPP;
    }
    return EIO;
}

void
reply_init(Reply *reply, fuse_req_t req)
{
    *reply = (Reply){.req = req};
}

/* From here on libfuse may free the request. */
static fuse_req_t
answer(Reply *reply)
{
    g_assert(!reply->is_answered);
    reply->is_answered = TRUE;
    return reply->req;
}

fuse_req_t
reply_take(Reply *reply)
{
    return answer(reply);
}

void
reply_code(Reply *reply, int code)
{
    (void)fuse_reply_err(answer(reply), code);
}

void
reply_error(Reply *reply, const GError *error)
{
    reply_code(reply, reply_errno(error));
}

gboolean
reply_entry(Reply *reply, const struct fuse_entry_param *entry)
{
    return fuse_reply_entry(answer(reply), entry) == 0;
}

gboolean
reply_open(Reply *reply, const struct fuse_file_info *info)
{
    return fuse_reply_open(answer(reply), info) == 0;
}

gboolean
reply_create(Reply *reply, const struct fuse_entry_param *entry, const struct fuse_file_info *info)
{
    return fuse_reply_create(answer(reply), entry, info) == 0;
}

void
reply_written(Reply *reply, gsize length)
{
    (void)fuse_reply_write(answer(reply), length);
}

void
reply_attr(Reply *reply, const struct stat *attributes, double timeout)
{
    (void)fuse_reply_attr(answer(reply), attributes, timeout);
}

void
reply_buffer(Reply *reply, const char *data, gsize length)
{
    (void)fuse_reply_buf(answer(reply), data, length);
}

void
reply_data(Reply *reply, struct fuse_bufvec *vector)
{
    (void)fuse_reply_data(answer(reply), vector, (enum fuse_buf_copy_flags)0);
}

void
reply_link(Reply *reply, const char *target)
{
    (void)fuse_reply_readlink(answer(reply), target);
}

void
reply_statfs(Reply *reply, const struct statvfs *figures)
{
    (void)fuse_reply_statfs(answer(reply), figures);
}

void
reply_xattr(Reply *reply, const char *data, gsize length, gsize room)
{
    if (room == 0) {
        (void)fuse_reply_xattr(answer(reply), length);
    } else if (room < length) {
        reply_code(reply, ERANGE);
    } else {
        reply_buffer(reply, data, length);
    }
}

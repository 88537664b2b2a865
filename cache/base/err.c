/* The error domain and the one judgement about it. */
#include "cache/base/err.h"

G_DEFINE_QUARK(trackerfs - err - quark, err)

gboolean
err_is_transient(const GError *error)
{
    if (!error || error->domain != ERR) {
        return FALSE;
    }
    switch ((ErrCode)error->code) {
    case ERR_RATE_LIMITED:
    case ERR_OFFLINE:
    case ERR_TIMEOUT:
    case ERR_SERVER:
        return TRUE;
    case ERR_NOT_FOUND:
    case ERR_AUTH:
    case ERR_PROTOCOL:
    case ERR_INVALID:
    case ERR_CONFLICT:
    case ERR_TOO_LARGE:
    case ERR_NO_SPACE:
    case ERR_LOCAL:
    case ERR_CANCELLED:
    case ERR_UNSUPPORTED:
        return FALSE;
    }
    return FALSE;
}

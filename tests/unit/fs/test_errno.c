/* Every ERR has its errno, as ARCHITECTURE.md lists them. */
#include <errno.h>
#include <glib.h>

#include "cache/base/err.h"
#include "fs/reply.h"

static void
test_table(void)
{
    static const struct {
        ErrCode code;
        int expected;
    } table[] = {
        {ERR_NOT_FOUND, ENOENT},    {ERR_AUTH, EACCES},
        {ERR_RATE_LIMITED, EAGAIN}, {ERR_OFFLINE, ENETDOWN},
        {ERR_TIMEOUT, ETIMEDOUT},   {ERR_SERVER, EIO},
        {ERR_PROTOCOL, EIO},        {ERR_INVALID, EINVAL},
        {ERR_CONFLICT, ESTALE},     {ERR_TOO_LARGE, EFBIG},
        {ERR_NO_SPACE, ENOSPC},     {ERR_LOCAL, EIO},
        {ERR_CANCELLED, EINTR},     {ERR_UNSUPPORTED, EOPNOTSUPP},
    };
    g_assert_cmpuint(G_N_ELEMENTS(table), ==, ERR_UNSUPPORTED + 1);
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GError) error = g_error_new(ERR, (gint)table[i].code, "x");
        g_assert_cmpint(reply_errno(error), ==, table[i].expected);
    }
    g_autoptr(GError) foreign = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "x");
    g_assert_cmpint(reply_errno(foreign), ==, EIO);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reply/errno", test_table);
    return g_test_run();
}

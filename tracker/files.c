/* The same content is stored once, whoever uploads it. Sizes of pictures are read from the few
 * bytes of their headers: nothing is decoded. */
#include "tracker/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail(GError **error, const char *path, int code)
{
    g_set_error(error, TRACKER_ERROR,
                code == ENOSPC || code == EDQUOT ? TRACKER_ERROR_NO_SPACE : TRACKER_ERROR_FAILED,
                "%s: %s", path, g_strerror(code));
    return FALSE;
}

static gboolean
sync_folder(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean ok = fd >= 0 && fsync(fd) == 0;
    int code = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    return ok ? TRUE : fail(error, path, code);
}

gboolean
files_store(Db *db, const char *data, gsize bytes, char **ret_hash, GError **error)
{
    const char *dir = db_files_dir(db);
    g_autofree char *hash =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, bytes);
    g_autofree char *path = g_build_filename(dir, hash, NULL);
    g_autoptr(GError) cause = NULL;
    struct stat st;

    if (g_mkdir_with_parents(dir, 0700) != 0) {
        return fail(error, dir, errno);
    }
    /* A file of the right size is whole: it got its name only then. */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (gsize)st.st_size != bytes) {
        if (!g_file_set_contents_full(path, data, (gssize)bytes,
                                      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                      0600, &cause)) {
            gboolean full = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC);

            g_set_error(error, TRACKER_ERROR, full ? TRACKER_ERROR_NO_SPACE : TRACKER_ERROR_FAILED,
                        "%s", cause->message);
            return FALSE;
        }
        if (!sync_folder(dir, error)) {
            return FALSE;
        }
    }
    *ret_hash = g_steal_pointer(&hash);
    return TRUE;
}

static int
big_endian(const guint8 *at, int bytes)
{
    int value = 0;

    for (int i = 0; i < bytes; i++) {
        value = (int)((guint)value << 8 | at[i]);
    }
    return value;
}

/* Walks from segment to segment to the frame header. */
static gboolean
jpeg_size(const guint8 *data, gsize bytes, int *ret_width, int *ret_height)
{
    gsize at = 2;

    while (at + 9 < bytes && data[at] == 0xff) {
        guint8 marker = data[at + 1];

        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
            marker != 0xcc) {
            *ret_height = big_endian(data + at + 5, 2);
            *ret_width = big_endian(data + at + 7, 2);
            return TRUE;
        }
        at += 2 + (gsize)big_endian(data + at + 2, 2);
    }
    return FALSE;
}

gboolean
files_picture_size(const char *data, gsize bytes, int *ret_width, int *ret_height)
{
    const guint8 *raw = (const guint8 *)data;

    if (bytes >= 24 && memcmp(raw, "\x89PNG\r\n\x1a\n", 8) == 0) {
        *ret_width = big_endian(raw + 16, 4);
        *ret_height = big_endian(raw + 20, 4);
    } else if (bytes >= 10 && memcmp(raw, "GIF8", 4) == 0) {
        *ret_width = raw[6] | raw[7] << 8;
        *ret_height = raw[8] | raw[9] << 8;
    } else if (bytes < 4 || raw[0] != 0xff || raw[1] != 0xd8 ||
               !jpeg_size(raw, bytes, ret_width, ret_height)) {
        return FALSE;
    }
    return *ret_width > 0 && *ret_height > 0;
}

/* The same content is stored once, whoever uploads it. So it may be wanted again at the moment in
 * which its last row goes: contents are removed only inside a write transaction, and an upload
 * looks inside its own whether what it has stored is still there.
 *
 * Sizes of pictures are read from the few
 * bytes of their headers: nothing is decoded. */
#include "tracker/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_CHARS 64

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

gboolean
files_has(Db *db, const char *hash)
{
    g_autofree char *path = g_build_filename(db_files_dir(db), hash, NULL);

    return access(path, F_OK) == 0;
}

/* A hash becomes part of a path: nothing else may, whatever a file says. */
static gboolean
is_hash(const char *name)
{
    return strlen(name) == HASH_CHARS && strspn(name, "0123456789abcdef") == HASH_CHARS;
}

/* Inside a write transaction. */
static void
remove_unnamed(DbConn *conn, const char *hash)
{
    g_autofree char *path = g_build_filename(db_files_dir(db_of(conn)), hash, NULL);
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT 1 FROM file_attachment WHERE content_hash = ?1");

    db_bind_text(stmt, 1, hash);
    if (is_hash(hash) && !db_next(stmt) && db_check(conn, NULL) && unlink(path) != 0 &&
        errno != ENOENT) {
        g_debug("tracker: %s: %s", path, g_strerror(errno));
    }
}

static GPtrArray *
dropped(DbConn *conn)
{
    GPtrArray *hashes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT hash FROM content_dropped");

    while (db_next(stmt)) {
        g_ptr_array_add(hashes, g_strdup(db_text(stmt, 0)));
    }
    return hashes;
}

void
files_collect(DbConn *conn)
{
    g_autoptr(GPtrArray) hashes = dropped(conn);

    if (hashes->len == 0 || !db_begin(conn, DB_WRITE, NULL)) {
        return;
    }
    for (guint i = 0; i < hashes->len; i++) {
        g_autoptr(DbStmt) stmt = db_prepare(conn, "DELETE FROM content_dropped WHERE hash = ?1");

        remove_unnamed(conn, g_ptr_array_index(hashes, i));
        db_bind_text(stmt, 1, g_ptr_array_index(hashes, i));
        (void)db_run(stmt);
    }
    (void)db_commit(conn, NULL);
}

void
files_forget_loose(DbConn *conn, gint64 now_ms)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        conn, "DELETE FROM file_attachment WHERE comment_id IS NULL AND created_at < ?1");

    db_bind_int(stmt, 1, now_ms - FILES_LOOSE_DAYS * G_GINT64_CONSTANT(86400000));
    (void)db_run(stmt);
}

void
files_sweep(Db *db, gint64 now_ms)
{
    g_autoptr(DbConn) conn = db_read_only(db) ? NULL : db_take(db, NULL);
    g_autoptr(GDir) folder = g_dir_open(db_files_dir(db), 0, NULL);

    if (!conn || !folder || !db_begin(conn, DB_WRITE, NULL)) {
        return;
    }
    files_forget_loose(conn, now_ms);
    for (const char *name; (name = g_dir_read_name(folder));) {
        remove_unnamed(conn, name);
    }
    (void)db_exec(conn, "DELETE FROM content_dropped", NULL);
    (void)db_commit(conn, NULL);
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

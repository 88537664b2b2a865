/* Bytes of attachments, in two steps as V5 had them: a request with credentials is sent to an
 * address that is signed and expires, and that address answers to everyone. So a client never needs
 * to show its token where the bytes are. The signature is an HMAC over id, time limit and name with
 * the database's own secret. Contents are files named by their hash; the name that the file was
 * uploaded under is only text. */
#include "tracker/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define VALID_FOR_S (30 * 60)
#define HASH_DIGITS 64

static char *
signature_of(Call *call, gint64 id, gint64 expires_s, const char *name)
{
    g_autofree char *secret = db_meta_get(call->conn, "secret");
    g_autofree char *text =
        g_strdup_printf("%" G_GINT64_FORMAT "\n%" G_GINT64_FORMAT "\n%s", id, expires_s, name);

    if (!secret) {
        return NULL;
    }
    return g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)secret, strlen(secret),
                                     text, -1);
}

static gboolean
equal_in_constant_time(const char *a, const char *b)
{
    gsize bytes = strlen(a);
    guint8 difference = 0;

    if (strlen(b) != bytes) {
        return FALSE;
    }
    for (gsize i = 0; i < bytes; i++) {
        difference |= (guint8)(a[i] ^ b[i]);
    }
    return difference == 0;
}

/* A path segment for the address: any name is possible, "/" and ".." included. */
static char *
segment_of(const char *filename)
{
    g_autofree char *valid = g_utf8_make_valid(filename, -1);

    g_strdelimit(valid, "/\\", '_');
    if (*valid == '\0' || strcmp(valid, ".") == 0 || strcmp(valid, "..") == 0) {
        return g_strdup("file");
    }
    return g_steal_pointer(&valid);
}

gboolean
download_redirect(Call *call)
{
    DbStmt *stmt = db_prepare(
        call->conn,
        "SELECT f.filename, f.content_hash, COALESCE(f.project_id, s.project_id, e.project_id)"
        " FROM file_attachment f LEFT JOIN comment c ON c.id = f.comment_id"
        " LEFT JOIN story s ON s.id = c.story_id LEFT JOIN epic e ON e.id = c.epic_id"
        " WHERE f.id = ?1");
    gint64 expires_s = call->now_ms / 1000 + VALID_FOR_S, project_id;
    g_autofree char *name = NULL, *signature = NULL, *escaped = NULL;
    gboolean there;

    db_bind_int(stmt, 1, call->id);
    if (!db_next(stmt)) {
        db_done(stmt);
        return call_fail(call, call->person_id ? PROBLEM_UNFOUND : PROBLEM_INVALID_AUTHENTICATION);
    }
    name = segment_of(db_text(stmt, 0));
    there = !db_is_null(stmt, 1);
    project_id = db_int(stmt, 2);
    db_done(stmt);
    if (!call_enter_project(call, project_id)) {
        return FALSE;
    }
    call->project_version = -1;
    signature = signature_of(call, call->id, expires_s, name);
    if (!there || !signature) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    escaped = g_uri_escape_string(name, NULL, FALSE);
    call->location =
        g_strdup_printf("/resource/%" G_GINT64_FORMAT "/%s?signature=%s&expires=%" G_GINT64_FORMAT,
                        call->id, escaped, signature, expires_s);
    return TRUE;
}

static gboolean
is_signed(Call *call)
{
    const char *given = call_param(call, "signature");
    g_autofree char *right = NULL;
    gboolean there;
    gint64 expires_s = 0;

    if (!call_param_int(call, "expires", &there, &expires_s)) {
        return FALSE;
    }
    right = signature_of(call, call->id, expires_s, call->name ? call->name : "");
    if (!given || !there || !right || !equal_in_constant_time(right, given) ||
        expires_s < call->now_ms / 1000) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    return TRUE;
}

gboolean
download_file(Call *call)
{
    g_autoptr(DbStmt) stmt = NULL;
    g_autofree char *path = NULL;
    const char *hash;
    struct stat st;

    if (!is_signed(call)) {
        return FALSE;
    }
    stmt = db_prepare(call->conn, "SELECT content_hash, content_type, filename FROM file_attachment"
                                  " WHERE id = ?1");
    db_bind_int(stmt, 1, call->id);
    hash = db_next(stmt) ? db_text(stmt, 0) : NULL;
    /* The hash is part of a path: nothing but a hash may be. */
    if (!hash || strlen(hash) != HASH_DIGITS || strspn(hash, "0123456789abcdef") != HASH_DIGITS) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    path = g_build_filename(db_files_dir(db_of(call->conn)), hash, NULL);
    call->file_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (call->file_fd < 0 || fstat(call->file_fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return call_fail(call, errno == ENOENT ? PROBLEM_UNFOUND : PROBLEM_UNHANDLED);
    }
    call->file_bytes = (gint64)st.st_size;
    call->file_type = g_strdup(db_text(stmt, 1));
    call->file_name = segment_of(db_text(stmt, 2));
    return TRUE;
}

/* POST uploads: a file that nothing shows yet; a comment takes it later (v5-reference 2.17).
 *
 * Storing bytes takes time, so it is done before the write transaction, after the caller's right to
 * do it was checked: upload_store() first, write_upload() then. The texts for uploads that cannot
 * be read are ours (unsure: none is known). */
#include "tracker/files.h"
#include "tracker/multipart.h"
#include "tracker/routes.h"

#include "tracker/changes.h"
#include "tracker/rows.h"

struct Upload {
    char *hash, *filename, *content_type;
    gint64 bytes;
    gboolean is_picture;
    int width, height;
};

void
upload_free(Upload *upload)
{
    g_free(upload->hash);
    g_free(upload->filename);
    g_free(upload->content_type);
    g_free(upload);
}

gboolean
upload_store(Call *call)
{
    const TrackerRequest *request = call->request;
    g_autoptr(GError) error = NULL;
    Multipart part;
    const char *problem;
    Upload *upload;

    if (request->body_bytes > TRACKER_MAX_UPLOAD_BYTES + TRACKER_MAX_BODY_BYTES) {
        return call_fail_text(call, "The upload is too large.");
    }
    problem =
        multipart_find(request->content_type, request->body, request->body_bytes, "file", &part);
    if (problem) {
        return call_fail_text(call, problem);
    }
    upload = call->upload = g_new0(Upload, 1);
    upload->filename = g_steal_pointer(&part.filename);
    upload->content_type = g_steal_pointer(&part.content_type);
    upload->bytes = (gint64)part.bytes;
    upload->is_picture = files_picture_size(part.data, part.bytes, &upload->width, &upload->height);
    multipart_clear(&part);
    if (upload->bytes > TRACKER_MAX_UPLOAD_BYTES) {
        return call_fail_text(call, "The upload is too large.");
    }
    if (!files_store(db_of(call->conn), part.data, part.bytes, &upload->hash, &error)) {
        g_debug("tracker: %s", error->message);
        return call_fail(call, PROBLEM_UNHANDLED);
    }
    return TRUE;
}

gboolean
write_upload(Call *call)
{
    const Upload *upload = call->upload;

    if (!files_has(db_of(call->conn), upload->hash)) { /* lost its last row since */
        g_clear_pointer(&call->upload, upload_free);
        if (!upload_store(call)) {
            return FALSE;
        }
        upload = call->upload;
    }
    files_forget_loose(call->conn, call->now_ms);
    (void)row_run(call->conn,
                  "INSERT INTO file_attachment(project_id, filename, content_type, size,"
                  " content_hash, thumbnailable, width, height, uploaded, uploader_id, created_at)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10)",
                  "ittitbIIii", call->project_id, upload->filename,
                  upload->content_type ? upload->content_type : "application/octet-stream",
                  upload->bytes, upload->hash, upload->is_picture, (gint64)upload->width,
                  (gint64)upload->height, call->person_id, change_now(call));
    return call_answer_one(call, &kind_file_attachment, db_last_id(call->conn));
}

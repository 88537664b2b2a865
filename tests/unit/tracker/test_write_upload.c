/* Uploads: the multipart body, what is stored, how a comment takes it and lets it go. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "tracker/files.h"
#include "tracker/multipart.h"

#define COMMENTS "projects/99/stories/555/comments"
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* "hello" */

static const char *
upload(Fixture *f, const char *type, const char *body, gsize bytes)
{
    TrackerRequest request = {.method = "POST",
                              .path = "/services/v5/projects/99/uploads",
                              .token = f->token ? f->token : TOKEN_ADA,
                              .content_type = type,
                              .body = body,
                              .body_bytes = bytes};

    return fixture_request(f, &request);
}

#define PART                                                                                       \
    "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"notes.txt\"\r\n"           \
    "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello\r\n--xyz--\r\n"

static void
test_upload(Fixture *f)
{
    static const char body[] = PART;
    g_autofree char *path = NULL, *contents = NULL;

    g_assert_cmpstr(upload(f, "multipart/form-data; boundary=xyz", body, sizeof body - 1), ==,
                    "{\"kind\":\"file_attachment\",\"id\":302,\"filename\":\"notes.txt\","
                    "\"created_at\":\"2017-05-03T23:29:41Z\",\"uploader_id\":101,"
                    "\"thumbnailable\":false,\"size\":5,"
                    "\"download_url\":\"/file_attachments/302/download\","
                    "\"content_type\":\"text/plain\",\"uploaded\":true,\"big_url\":\"#\","
                    "\"thumbnail_url\":\"#\"}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "230");
    path = g_strconcat(f->path, ".files/" HELLO, NULL);
    g_assert_true(g_file_get_contents(path, &contents, NULL, NULL));
    g_assert_cmpstr(contents, ==, "hello");

    fixture_expect(f, "POST", COMMENTS "?fields=:default,file_attachments",
                   "{\"text\":\"see file\",\"file_attachments\":[{\"type\":\"file_attachment\","
                   "\"id\":302,\"kind\":\"file_attachment\",\"uploader_id\":101}]}",
                   200);
    g_assert_cmpint(fixture_int(f, "file_attachments.0.id"), ==, 302);
    fixture_refused(f, "PUT", COMMENTS "/801", "{\"file_attachment_ids_to_add\":[302]}",
                    "File attachment with id=302 does not exist within this project");
    fixture_expect(f, "PUT", COMMENTS "/804?fields=:default,file_attachments",
                   "{\"file_attachment_ids_to_remove\":[302]}", 200);
    g_assert_cmpint(json_array_size(fixture_at(f, "file_attachments")), ==, 0);
    g_assert_cmpint(fixture_number(f, "SELECT version FROM project WHERE id = 99"), ==, 232);
    fixture_activity(f);
    g_assert_cmpint(fixture_entry(f, "file_attachment"), >=, 0);
}

/* What only a file was on is told by the file's name. */
static void
test_delete(Fixture *f)
{
    static const char body[] = PART;

    (void)upload(f, "multipart/related; boundary=\"xyz\"", body, sizeof body - 1);
    (void)upload(f, "multipart/form-data; boundary=\"xyz\"", body, sizeof body - 1);
    fixture_expect(f, "POST", COMMENTS, "{\"file_attachment_ids\":[302,303]}", 200);
    g_assert_null(fixture_at(f, "text"));
    fixture_expect(f, "DELETE", COMMENTS "/804/file_attachments/300", NULL, 404);
    fixture_expect(f, "DELETE", COMMENTS "/804/file_attachments/302", NULL, 204);
    fixture_expect(f, "DELETE", COMMENTS "/804/google_attachments/303", NULL, 404);
    fixture_expect(f, "DELETE", COMMENTS "/804", NULL, 204);
    fixture_activity(f);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example deleted: notes.txt");
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "deleted:");
}

/* A content goes with its last row, however that goes, and comes back with a new one. */
static void
test_contents(Fixture *f)
{
    gint64 before;
    static const char body[] = PART;
    Db *db = tracker_db(f->tracker);
    g_autofree char *orphan = g_strnfill(64, 'a');
    g_autofree char *path = g_build_filename(db_files_dir(db), orphan, NULL);
    g_autofree char *other = g_build_filename(db_files_dir(db), "README", NULL);

    fixture_sql(f, "DELETE FROM file_attachment"); /* they have the same content */
    for (int i = 0; i < 2; i++) {
        (void)upload(f, "multipart/form-data; boundary=xyz", body, sizeof body - 1);
    }
    fixture_expect(f, "POST", COMMENTS, "{\"file_attachment_ids\":[302]}", 200);
    fixture_expect(f, "POST", "projects/99/epics/4001/comments", "{\"file_attachment_ids\":[303]}",
                   200);
    fixture_expect(f, "DELETE", COMMENTS "/804/file_attachments/302", NULL, 204);
    g_assert_true(files_has(db, HELLO));
    fixture_expect(f, "DELETE", "projects/99/epics/4001", NULL, 204);
    g_assert_false(files_has(db, HELLO));
    (void)upload(f, "multipart/form-data; boundary=xyz", body, sizeof body - 1);
    g_assert_true(files_has(db, HELLO));

    /* What a crash left: before the file was removed, before a row was written. */
    g_assert_true(g_file_set_contents(path, "x", 1, NULL) &&
                  g_file_set_contents(other, "x", 1, NULL));
    fixture_sql(f, "INSERT INTO content_dropped VALUES ('README')"); /* no hash: no file of ours */
    fixture_sql(f, "DELETE FROM file_attachment WHERE content_hash = '" HELLO "'");
    g_assert_true(files_has(db, HELLO));
    fixture_expect(f, "PUT", "stories/555", "{\"name\":\"Something else\"}", 200);
    g_assert_false(files_has(db, HELLO));
    g_assert_true(files_has(db, orphan));
    (void)upload(f, "multipart/form-data; boundary=xyz", body, sizeof body - 1);
    files_sweep(db, f->now_ms);
    g_assert_false(files_has(db, orphan));
    g_assert_true(files_has(db, HELLO) && files_has(db, "README"));
    /* An upload is waited for, but not for ever. */
    files_sweep(db, f->now_ms + FILES_LOOSE_DAYS * G_GINT64_CONSTANT(86400000));
    g_assert_true(files_has(db, HELLO));
    files_sweep(db, f->now_ms + FILES_LOOSE_DAYS * G_GINT64_CONSTANT(86400000) + 1);
    g_assert_false(files_has(db, HELLO));
    (void)upload(f, "multipart/form-data; boundary=xyz", body, sizeof body - 1);
    before = fixture_number(f, "SELECT max(id) FROM file_attachment");
    f->now_ms += (FILES_LOOSE_DAYS + 1) * G_GINT64_CONSTANT(86400000);
    (void)upload(f, "multipart/form-data; boundary=xyz", body, sizeof body - 1);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM file_attachment WHERE id >= 302"), ==,
                    1);
    g_assert_cmpint(fixture_number(f, "SELECT max(id) FROM file_attachment"), ==, before + 1);
    g_assert_true(files_has(db, HELLO)); /* the newer one has the same content */
    g_assert_cmpint(unlink(other), ==, 0);
}

static void
test_google(Fixture *f)
{
    fixture_expect(f, "POST", COMMENTS "?fields=:default,google_attachments,attachment_ids",
                   "{\"google_attachments\":[{\"google_kind\":\"document\",\"title\":\"Plan\"}]}",
                   200);
    g_assert_cmpstr(fixture_text(f, "google_attachments.0.title"), ==, "Plan");
    g_assert_cmpint(fixture_int(f, "attachment_ids.0"), ==, 1);
    fixture_expect(f, "PUT", COMMENTS "/804?fields=:default,attachments",
                   "{\"attachments_to_add\":[{\"kind\":\"google_attachment\",\"title\":\"B\"}],"
                   "\"attachment_ids_to_remove\":[1],\"text\":\"t\"}",
                   200);
    g_assert_cmpstr(fixture_text(f, "attachments.0.title"), ==, "B");
    fixture_expect(f, "DELETE", COMMENTS "/804/google_attachments/2", NULL, 204);
}

static void
test_picture(Fixture *f)
{
    static const char body[] =
        "--b\r\nContent-Disposition: form-data; name=file; filename=a.png\r\n\r\n"
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\0\x20\r\n--b--";

    (void)upload(f, "Multipart/Form-Data;charset=utf-8; boundary=b", body, sizeof body - 1);
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_nonnull(strstr(f->response.body->str, "\"thumbnailable\":true,\"height\":32,"
                                                   "\"width\":256,\"size\":24,"));
    g_assert_nonnull(
        strstr(f->response.body->str, "\"content_type\":\"application/octet-stream\""));
}

static void
test_refused(Fixture *f)
{
    static const struct {
        const char *type, *body, *problem;
    } cases[] = {
        {NULL, PART, "The upload must be multipart/form-data."},
        {"application/json", "{}", "The upload must be multipart/form-data."},
        {"multipart/form-data", PART, "The upload has no valid multipart boundary."},
        {"multipart/form-data; boundary=\"\"", PART, "The upload has no valid multipart boundary."},
        {"multipart/form-data; boundary=xyz", "", "The upload has no multipart boundary in it."},
        {"multipart/form-data; boundary=abc", PART, "The upload has no multipart boundary in it."},
        {"multipart/form-data; boundary=xyz", "--xyz--\r\n",
         "this endpoint requires the parameter: file"},
        {"multipart/form-data; boundary=xyz",
         "--xyz\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--xyz--\r\n",
         "this endpoint requires the parameter: file"},
        {"multipart/form-data; boundary=xyz",
         "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhel",
         "The upload is cut off: its last part has no end."},
        {"multipart/form-data; boundary=xyz", "--xyz\r\nX: y\r\n--xyz--\r\n",
         "The upload has a part whose headers do not end."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        (void)upload(f, cases[i].type, cases[i].body, strlen(cases[i].body));
        g_assert_cmpint(f->response.status, ==, 400);
        g_assert_nonnull(strstr(f->response.body->str, cases[i].problem));
    }
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM file_attachment"), ==, 2);
    /* Who may not upload stores nothing. */
    f->token = TOKEN_CY;
    (void)upload(f, "multipart/form-data; boundary=xyz", PART, strlen(PART));
    g_assert_cmpint(f->response.status, ==, 403);
    {
        g_autofree char *path = g_strconcat(f->path, ".files/" HELLO, NULL);

        g_assert_cmpint(access(path, F_OK), !=, 0);
    }
}

static void
test_names(void)
{
    static const struct {
        const char *disposition, *name;
    } cases[] = {
        {"name=\"file\"; filename=\"C:\\dir\\a.txt\"", "a.txt"},
        {"name=\"file\"; filename=\"../../etc/passwd\"", "passwd"},
        {"filename=\"a;b.txt\"; name=\"file\"", "a;b.txt"},
        {"name=\"file\"; filename=\"say \\\"hi\\\"\"", "say \"hi\""},
        {"name=\"file\"; filename=\"a%22b\"", "a\"b"},
        {"name=file; filename=\"plain\"; filename*=UTF-8''na%C3%AFve.txt", "na\xc3\xafve.txt"},
        {"name=file; filename=\"\xff\"", "\xef\xbf\xbd"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf(
            "preamble\r\n--q\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n"
            "x\r\n--q\r\ncontent-disposition: form-data; %s\r\n\r\n--qq\r\n\r\n--q--",
            cases[i].disposition);
        Multipart part;

        g_assert_null(
            multipart_find("multipart/form-data; boundary=q", body, strlen(body), "file", &part));
        g_assert_cmpstr(part.filename, ==, cases[i].name);
        g_assert_cmpmem(part.data, part.bytes, "--qq\r\n", 6);
        multipart_clear(&part);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/write/upload/upload", test_upload);
    fixture_test("/write/upload/delete", test_delete);
    fixture_test("/write/upload/contents", test_contents);
    fixture_test("/write/upload/google", test_google);
    fixture_test("/write/upload/picture", test_picture);
    fixture_test("/write/upload/refused", test_refused);
    g_test_add_func("/write/upload/names", test_names);
    return g_test_run();
}

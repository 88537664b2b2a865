/* Attachments: the redirect, the signed address behind it, and what it refuses. */
#include "support_service.h"

#include <string.h>
#include <unistd.h>

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void
put_content(Fixture *f)
{
    g_autofree char *dir = g_strconcat(f->path, ".files", NULL);
    g_autofree char *file = g_build_filename(dir, HELLO, NULL);

    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "hello", 5, NULL));
}

/* The address of attachment 300, in two parts. */
static void
ask_address(Fixture *f, char **ret_path, char **ret_query)
{
    TrackerRequest request = {
        .method = "GET", .path = "/file_attachments/300/download", .token = TOKEN_ADA};
    const char *location;
    g_auto(GStrv) parts = NULL;

    (void)fixture_request(f, &request);
    g_assert_cmpint(f->response.status, ==, 302);
    location = fixture_header(f, "Location");
    g_assert_nonnull(location);
    g_assert_null(strstr(location, TOKEN_ADA));
    parts = g_strsplit(location, "?", 2);
    *ret_path = g_strdup(parts[0]);
    *ret_query = g_strdup(parts[1]);
}

static int
fetch(Fixture *f, const char *path, const char *query)
{
    TrackerRequest request = {.method = "GET", .path = path, .query = query};

    (void)fixture_request(f, &request);
    return f->response.status;
}

static void
test_download(Fixture *f)
{
    g_autofree char *path = NULL, *query = NULL;
    char bytes[16];

    put_content(f);
    ask_address(f, &path, &query);
    g_assert_cmpstr(path, ==, "/resource/300/a_b%20%22x%22.txt");
    g_assert_cmpint(fetch(f, path, query), ==, 200);
    g_assert_null(f->response.body);
    g_assert_cmpint(f->response.file_bytes, ==, 5);
    g_assert_cmpint((int)read(f->response.file_fd, bytes, sizeof bytes), ==, 5);
    g_assert_cmpint(memcmp(bytes, "hello", 5), ==, 0);
    g_assert_cmpstr(fixture_header(f, "Content-Type"), ==, "text/plain");
    g_assert_cmpstr(fixture_header(f, "Content-Disposition"), ==,
                    "attachment; filename*=UTF-8''a_b%20%22x%22.txt");
}

static void
test_refusals(Fixture *f)
{
    g_autofree char *path = NULL, *query = NULL, *wrong = NULL;

    put_content(f);
    ask_address(f, &path, &query);
    g_assert_cmpint(fetch(f, path, NULL), ==, 403);
    g_assert_cmpint(fetch(f, path, "signature=&expires="), ==, 400);
    g_assert_cmpint(fetch(f, "/resource/301/secret.txt", query), ==, 403);
    g_assert_cmpint(fetch(f, "/resource/300/other.txt", query), ==, 403);
    wrong = g_strdelimit(g_strdup(query), "9", '8');
    g_assert_cmpint(fetch(f, path, wrong), ==, 403);
    f->now_ms += 29 * 60 * 1000;
    g_assert_cmpint(fetch(f, path, query), ==, 200);
    f->now_ms += 2 * 60 * 1000;
    g_assert_cmpint(fetch(f, path, query), ==, 403);
}

/* What the database says about a file is not trusted with the file system or with headers. */
static void
test_hostile_rows(Fixture *f)
{
    g_autofree char *path = NULL, *query = NULL;

    put_content(f);
    fixture_sql(f, "UPDATE file_attachment SET content_type = 'a' || char(13, 10) || 'X: y',"
                   " filename = '..' WHERE id = 300");
    ask_address(f, &path, &query);
    g_assert_cmpstr(path, ==, "/resource/300/file");
    g_assert_cmpint(fetch(f, path, query), ==, 200);
    g_assert_cmpstr(fixture_header(f, "Content-Type"), ==, "application/octet-stream");
    fixture_sql(f, "UPDATE file_attachment SET content_hash = '../t.db' WHERE id = 300");
    g_assert_cmpint(fetch(f, path, query), ==, 404);
    fixture_sql(f, "UPDATE file_attachment SET content_hash = NULL WHERE id = 300");
    g_assert_cmpint(fetch(f, path, query), ==, 404);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/tracker/download/download", test_download);
    fixture_test("/tracker/download/refusals", test_refusals);
    fixture_test("/tracker/download/hostile-rows", test_hostile_rows);
    return g_test_run();
}

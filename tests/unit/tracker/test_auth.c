/* Who may read what, and what the database knows of secrets. */
#include "support_service.h"

#include <string.h>

#include "tracker/auth.h"

static const char rejected[] =
    "{\"code\":\"invalid_authentication\",\"kind\":\"error\",\"error\":\"Invalid authentication "
    "credentials were presented.\",\"possible_fix\":\"Verify that your token value matches what's "
    "shown on your Profile page in Tracker.\"}";

static int
status_of(Fixture *f, TrackerRequest request)
{
    request.method = "GET";
    (void)fixture_request(f, &request);
    return f->response.status;
}

static void
test_tokens(Fixture *f)
{
    TrackerRequest wrong = {.method = "GET", .path = "/services/v5/projects/99", .token = "x"};

    g_assert_cmpstr(fixture_request(f, &wrong), ==, rejected);
    g_assert_cmpint(f->response.status, ==, 403);
    wrong.path = "/services/v5/projects/0";
    g_assert_cmpstr(fixture_request(f, &wrong), ==, rejected);
    wrong.token = "";
    wrong.path = "/services/v5/projects/33"; /* even for a public one: an empty token is a token */
    g_assert_cmpint(status_of(f, wrong), ==, 403);
    wrong.token = NULL;
    wrong.path = "/services/v5/me";
    g_assert_cmpint(status_of(f, wrong), ==, 403);
    wrong.path = "/services/v5/projects";
    g_assert_cmpint(status_of(f, wrong), ==, 403);
    wrong.path = "/services/v5/accounts/100";
    g_assert_cmpint(status_of(f, wrong), ==, 403);
    wrong.path = "/services/v5/stories/1";
    g_assert_cmpint(status_of(f, wrong), ==, 403);
    wrong.path = "/file_attachments/300/download";
    g_assert_cmpint(status_of(f, wrong), ==, 403);
    wrong.path = "/services/v5/me";
    wrong.query = "token=" TOKEN_ADA;
    g_assert_cmpint(status_of(f, wrong), ==, 200);
}

static void
test_public_project(Fixture *f)
{
    TrackerRequest nobody = {
        .method = "GET", .path = "/services/v5/stories/800", .query = "fields=owners"};

    g_assert_cmpstr(fixture_request(f, &nobody), ==,
                    "{\"id\":800,\"owners\":[{\"kind\":\"person\",\"id\":103,\"name\":\"Cy\","
                    "\"initials\":\"C\",\"username\":\"cy\"}]}");
    nobody.path = "/services/v5/stories/555";
    g_assert_cmpint(status_of(f, nobody), ==, 403);
    nobody.trusted_person_id = 103;
    nobody.path = "/services/v5/stories/800";
    g_assert_nonnull(strstr(fixture_request(f, &nobody), "cy@example.org"));
}

static void
test_password(Fixture *f)
{
    TrackerRequest basic = {.method = "GET",
                            .path = "/services/v5/me",
                            .basic_user = "ada",
                            .basic_password = "secret",
                            .query = "fields=api_token"};
    g_autofree char *hash = auth_password_hash("secret");
    g_autofree char *sql =
        g_strdup_printf("UPDATE person SET password_hash = '%s' WHERE id = 101", hash);
    g_autofree char *body = NULL, *token = NULL;

    g_assert_cmpint(status_of(f, basic), ==, 403);
    g_assert_nonnull(strstr(f->response.body->str, "Recheck your name"));
    fixture_sql(f, sql);
    body = g_strdup(fixture_request(f, &basic));
    g_assert_true(g_str_has_prefix(body, "{\"id\":101,\"api_token\":\""));
    token = g_strndup(body + strlen("{\"id\":101,\"api_token\":\""), 32);
    g_assert_cmpstr(fixture_request(f, &basic), ==, body);
    basic.basic_user = "ADA@example.org";
    g_assert_cmpint(status_of(f, basic), ==, 200);
    basic.basic_password = "wrong";
    g_assert_cmpint(status_of(f, basic), ==, 403);
    basic.basic_password = "secret";
    basic.path = "/services/v5/projects/99"; /* nowhere but at /me */
    g_assert_cmpint(status_of(f, basic), ==, 403);
    basic = (TrackerRequest){.method = "GET", .path = "/services/v5/projects/99", .token = token};
    g_assert_cmpint(status_of(f, basic), ==, 200);
}

static void
test_hashes(void)
{
    g_autofree char *first = auth_token_new(), *second = auth_token_new();
    g_autofree char *hash = auth_token_hash("abc");
    g_autofree char *password = auth_password_hash("x"), *again = auth_password_hash("x");

    g_assert_cmpuint(strlen(first), ==, 32);
    g_assert_cmpstr(first, !=, second);
    g_assert_cmpstr(hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    g_assert_cmpstr(password, !=, again);
    g_assert_null(strstr(password, "$x"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/tracker/auth/tokens", test_tokens);
    fixture_test("/tracker/auth/public-project", test_public_project);
    fixture_test("/tracker/auth/password", test_password);
    g_test_add_func("/tracker/auth/hashes", test_hashes);
    return g_test_run();
}

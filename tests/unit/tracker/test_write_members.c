/* Who belongs to projects and accounts, and who is who. */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#define MEMBERS "projects/99/memberships"
#define ACCOUNT "accounts/100/memberships"
#define VERSION "SELECT version FROM project WHERE id = 99"

static void
test_add(Fixture *f)
{
    fixture_expect(f, "POST", MEMBERS, "{\"person_id\":103,\"role\":\"viewer\"}", 200);
    g_assert_cmpstr(fixture_text(f, "kind"), ==, "project_membership");
    g_assert_cmpstr(fixture_text(f, "role"), ==, "viewer");
    g_assert_cmpstr(fixture_text(f, "person.name"), ==, "Cy");
    g_assert_cmpint((gint64)strlen(fixture_text(f, "project_color")), ==, 6);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    fixture_expect(f, "GET", "projects/99/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "project_membership_create_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example added Cy as a viewer");
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "added");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.kind"), ==, "project_membership");
    g_assert_cmpint(fixture_int(f, "0.changes.0.new_values.person_id"), ==, 103);
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.kind"), ==, "project");
    g_assert_cmpint((gint64)json_array_size(fixture_at(f, "0.changes")), ==, 1);
}

static void
test_invite(Fixture *f)
{
    gint64 id;

    fixture_expect(f, "POST", MEMBERS,
                   "{\"email\":\"dee@example.org\",\"name\":\"Dee Door\",\"initials\":\"DX\","
                   "\"role\":\"owner\",\"project_color\":\"00FF00\",\"message\":\"Come\"}",
                   200);
    g_assert_cmpstr(fixture_text(f, "person.name"), ==, "Dee Door");
    g_assert_cmpstr(fixture_text(f, "person.initials"), ==, "DX");
    g_assert_cmpstr(fixture_text(f, "person.username"), ==, "deedoor");
    g_assert_cmpstr(fixture_text(f, "project_color"), ==, "00FF00");
    id = fixture_int(f, "person.id");
    g_assert_cmpint(id, >, 103);
    fixture_expect(f, "GET", "projects/99/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example added Dee Door as an owner");
    /* The same address is the same person; without a name the address gives one. */
    fixture_refused(f, "POST", MEMBERS, "{\"email\":\"DEE@example.org\",\"role\":\"member\"}",
                    "Dee Door is already a project member");
    fixture_expect(f, "POST", MEMBERS, "{\"email\":\"eli@example.org\",\"role\":\"member\"}", 200);
    g_assert_cmpstr(fixture_text(f, "person.name"), ==, "eli");
    g_assert_cmpstr(fixture_text(f, "person.initials"), ==, "E");
}

static void
test_refuse(Fixture *f)
{
    static const struct {
        const char *body, *problem;
    } cases[] = {
        {"{\"person_id\":103}", "this endpoint requires the parameter: role"},
        {"{\"role\":\"boss\",\"person_id\":103}", "'role' must be one of: owner, member, viewer"},
        {"{\"role\":\"member\",\"person_id\":\"x\"}", "'person_id' must be an integer value"},
        {"{\"role\":\"member\",\"person_id\":102}", "Bo is already a project member"},
        {"{\"role\":\"member\",\"person_id\":9999}", "Couldn't find Person with 'id'=9999"},
        {"{\"role\":\"member\",\"person_id\":99999999999}",
         "Couldn't find Person with an out of range value for 'id'"},
        {"{\"role\":\"member\",\"person_id\":103,\"email\":\"a@b.org\"}",
         "Do not send person_id with email, initials, or name in the same request."},
        {"{\"role\":\"member\"}", "Email can't be blank., Name can't be blank"},
        {"{\"role\":\"member\",\"name\":\"X\"}", "Email can't be blank"},
        {"{\"role\":\"member\",\"email\":\"nobody\"}",
         "One or more consistency checks failed on the supplied Person."},
        {"{\"role\":\"member\",\"person_id\":103,\"project_color\":\"red\"}",
         "Project color must be six hexadecimal digits."},
        {"{\"role\":\"member\",\"person_id\":103,\"favorite\":true}",
         "this endpoint cannot accept the parameter: favorite"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_refused(f, "POST", MEMBERS, cases[i].body, cases[i].problem);
    }
    fixture_refused(f, "POST", MEMBERS, "{\"role\":\"member\",\"email\":\"a b@c.org\"}",
                    "One or more consistency checks failed on the supplied Person.");
    g_assert_cmpstr(fixture_text(f, "requirement"), ==, "a b@c.org is not a valid email address.");
    fixture_refused(f, "PUT", MEMBERS "/9002", "{}",
                    "this endpoint requires at least one of the following parameters: favorite, "
                    "last_viewed_at, project_color, role");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
    f->token = TOKEN_BO;
    fixture_expect(f, "POST", MEMBERS, "{\"role\":\"member\",\"person_id\":103}", 403);
}

static void
test_update(Fixture *f)
{
    fixture_expect(f, "PUT", MEMBERS "/9002", "{\"role\":\"owner\",\"project_color\":\"123abc\"}",
                   200);
    g_assert_cmpstr(fixture_text(f, "role"), ==, "owner");
    fixture_expect(f, "GET", "projects/99/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "project_membership_update_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==,
                    "Ada Example changed the role of Bo to owner");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.original_values.role"), ==, "member");
    /* What is only somebody's own makes no version. */
    fixture_expect(f, "PUT", MEMBERS "/9001",
                   "{\"favorite\":true,\"last_viewed_at\":\"2017-05-03T10:00:00Z\"}", 200);
    g_assert_cmpstr(fixture_text(f, "last_viewed_at"), ==, "2017-05-03T10:00:00Z");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
    fixture_expect(f, "PUT", MEMBERS "/9001", "{\"role\":\"member\"}", 200);
    f->token = TOKEN_BO;
    fixture_refused(f, "PUT", MEMBERS "/9002", "{\"role\":\"viewer\"}",
                    "A project must have at least one owner.");
    fixture_expect(f, "PUT", MEMBERS "/9003", "{\"role\":\"viewer\"}", 404);
    /* A member changes only what is theirs. */
    f->token = TOKEN_ADA;
    fixture_expect(f, "PUT", MEMBERS "/9001", "{\"project_color\":\"00aa00\"}", 200);
    fixture_expect(f, "PUT", MEMBERS "/9001", "{\"role\":\"owner\"}", 403);
    fixture_expect(f, "PUT", MEMBERS "/9002", "{\"project_color\":\"00aa00\"}", 403);
}

static void
test_remove(Fixture *f)
{
    fixture_refused(f, "DELETE", MEMBERS "/9001", NULL, "A project must have at least one owner.");
    f->token = TOKEN_BO;
    fixture_expect(f, "DELETE", MEMBERS "/9001", NULL, 403);
    fixture_expect(f, "DELETE", MEMBERS "/9002", NULL, 204);
    (void)fixture_json(f, "GET", "projects/99", NULL);
    g_assert_cmpint(f->response.status, ==, 403);
    f->token = NULL;
    fixture_expect(f, "GET", "projects/99/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "project_membership_delete_activity");
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Bo left this project");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.change_type"), ==, "delete");
    g_assert_cmpint(fixture_int(f, "0.changes.0.id"), ==, 9002);
    fixture_expect(f, "POST", MEMBERS, "{\"person_id\":102,\"role\":\"member\"}", 200);
    g_assert_cmpint(fixture_int(f, "id"), ==, 9006);
    fixture_expect(f, "DELETE", MEMBERS "/9006", NULL, 204);
    fixture_expect(f, "GET", "projects/99/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, "Ada Example removed Bo from this project");
}

/* Somebody whose membership was made inactive comes back by the same row. */
static void
test_inactive(Fixture *f)
{
    fixture_expect(f, "PUT", MEMBERS "/9002", "{\"role\":\"inactive\"}", 200);
    fixture_expect(f, "GET", MEMBERS "?fields=id", NULL, 200);
    g_assert_cmpint((gint64)json_array_size(f->json), ==, 1);
    fixture_expect(f, "POST", MEMBERS, "{\"person_id\":102,\"role\":\"viewer\"}", 200);
    g_assert_cmpint(fixture_int(f, "id"), ==, 9002);
    g_assert_cmpstr(fixture_text(f, "role"), ==, "viewer");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 232);
}

static void
test_account(Fixture *f)
{
    TrackerRequest request = {.method = "POST",
                              .path = "/services/v5/" ACCOUNT,
                              .query = "email=person18%40example.com&initials=AW&name=Hazle%20P",
                              .token = TOKEN_ADA};
    gint64 id;

    /* As recorded: everything in the query string, no body. */
    (void)fixture_request(f, &request);
    g_assert_cmpint(f->response.status, ==, 200);
    g_assert_nonnull(strstr(f->response.body->str, "\"name\":\"Hazle P\""));
    g_assert_nonnull(strstr(f->response.body->str,
                            "\"account_id\":100,\"created_at\":\"2017-05-03T23:29:41Z\","
                            "\"updated_at\":\"2017-05-03T23:29:41Z\",\"owner\":false,"
                            "\"admin\":false,\"project_creator\":false,\"timekeeper\":false,"
                            "\"time_enterer\":false}"));
    (void)fixture_request(f, &request);
    g_assert_nonnull(strstr(f->response.body->str, "Member already exists."));
    fixture_expect(f, "POST", ACCOUNT,
                   "{\"person_id\":102,\"admin\":true,\"created_at\":\"2016-01-01T00:00:00Z\"}",
                   200);
    g_assert_true(json_is_true(fixture_at(f, "admin")));
    g_assert_cmpstr(fixture_text(f, "created_at"), ==, "2016-01-01T00:00:00Z");
    id = fixture_int(f, "id");
    fixture_expect(f, "PUT", ACCOUNT "/102", "{\"project_creator\":true,\"admin\":false}", 200);
    g_assert_cmpint(fixture_int(f, "id"), ==, id);
    g_assert_true(json_is_true(fixture_at(f, "project_creator")));
    g_assert_true(json_is_false(fixture_at(f, "admin")));
    f->token = TOKEN_BO;
    fixture_expect(f, "POST", ACCOUNT, "{\"person_id\":103}", 403);
    fixture_expect(f, "DELETE", ACCOUNT "/101", NULL, 403);
    f->token = NULL;
    fixture_expect(f, "DELETE", ACCOUNT "/101", NULL, 403); /* the owner stays */
    fixture_expect(f, "DELETE", ACCOUNT "/102", NULL, 204);
    fixture_expect(f, "GET", ACCOUNT "/102", NULL, 404);
    fixture_expect(f, "DELETE", ACCOUNT "/102", NULL, 404);
    fixture_expect(f, "PUT", "accounts/7/memberships/102", "{\"admin\":true}", 404);
    fixture_refused(f, "POST", ACCOUNT, "{}",
                    "this endpoint requires at least one of the following parameters: admin, "
                    "created_at, email, initials, name, person_id, project_creator, time_enterer, "
                    "timekeeper");
    fixture_refused(f, "POST", ACCOUNT, "{\"admin\":true}",
                    "Email can't be blank., Name can't be blank");
    fixture_refused(f, "POST", ACCOUNT, "{\"email\":\"new@example.org\"}", "Name can't be blank");
    fixture_refused(f, "POST", ACCOUNT, "{\"email\":\"new\",\"name\":\"New\"}",
                    "One or more consistency checks failed on the supplied Person.");
    g_assert_cmpstr(fixture_text(f, "requirement"), ==, "new is not a valid email address.");
}

static void
test_me(Fixture *f)
{
    static const struct {
        const char *body, *problem;
    } cases[] = {
        {"{}", "this endpoint requires at least one of the following parameters: email, initials, "
               "name, receives_in_app_notifications, time_zone, username"},
        {"{\"name\":\"\"}", "Name can't be blank"},
        {"{\"initials\":\" \"}", "Initials can't be blank"},
        {"{\"username\":\"bo\"}", "Username has already been taken"},
        {"{\"username\":\"a b\"}",
         "Username may only have letters, digits, dots, dashes and underscores"},
        {"{\"email\":\"BO@example.org\"}", "Email has already been taken"},
        {"{\"email\":\"x\"}", "One or more consistency checks failed on the supplied Person."},
        {"{\"time_zone\":{\"olson_name\":\"Nowhere\"}}",
         "Can't use content of 'time_zone' parameter."},
        {"{\"time_zone\":\"UTC\"}", "'time_zone' must be an object"},
        {"{\"api_token\":\"x\"}", "this endpoint cannot accept the parameter: api_token"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_refused(f, "PUT", "me", cases[i].body, cases[i].problem);
    }
    fixture_expect(f, "PUT", "me",
                   "{\"name\":\"Ada L\",\"initials\":\"AL\",\"username\":\"lovelace\","
                   "\"email\":\"ada@example.com\",\"time_zone\":{\"olson_name\":\"Asia/Tokyo\"},"
                   "\"receives_in_app_notifications\":false}",
                   200);
    g_assert_cmpstr(fixture_text(f, "kind"), ==, "me");
    g_assert_cmpstr(fixture_text(f, "name"), ==, "Ada L");
    g_assert_cmpstr(fixture_text(f, "initials"), ==, "AL");
    g_assert_cmpstr(fixture_text(f, "username"), ==, "lovelace");
    g_assert_cmpstr(fixture_text(f, "email"), ==, "ada@example.com");
    g_assert_cmpstr(fixture_text(f, "time_zone.olson_name"), ==, "Asia/Tokyo");
    g_assert_cmpstr(fixture_text(f, "time_zone.offset"), ==, "+09:00");
    g_assert_true(json_is_false(fixture_at(f, "receives_in_app_notifications")));
    g_assert_cmpstr(fixture_text(f, "api_token"), ==, TOKEN_ADA);
    fixture_expect(f, "DELETE", "me", NULL, 404);
}

#define ADD(name, test) fixture_test("/write-members/" name, test)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("add", test_add);
    ADD("invite", test_invite);
    ADD("refuse", test_refuse);
    ADD("update", test_update);
    ADD("remove", test_remove);
    ADD("inactive", test_inactive);
    ADD("account", test_account);
    ADD("me", test_me);
    return g_test_run();
}

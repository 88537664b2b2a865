/* People, tokens and memberships, as `trackerfs serve --add-...` makes them. */
#include "support_query.h"
#include "tests/unit/support_folder.h"
#include "tracker/auth.h"
#include "tracker/users.h"

#include <string.h>

typedef struct {
    char *dir, *path;
    Db *db;
} Fixture;

static void
setup(Fixture *fixture, gconstpointer user)
{
    (void)user;
    g_autoptr(GError) error = NULL;
    fixture->dir = folder_new();
    fixture->path = g_build_filename(fixture->dir, "t.db", NULL);
    fixture->db = db_open(fixture->path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
    g_autoptr(DbConn) conn = db_take(fixture->db, &error);
    g_assert_true(db_exec(conn,
                          "INSERT INTO project(id, name, version) VALUES(99, 'Moon', 41),"
                          " (100, 'Twin', 1), (101, 'Twin', 1)",
                          &error));
}

static void
teardown(Fixture *fixture, gconstpointer user)
{
    (void)user;
    db_close(fixture->db);
    folder_remove(fixture->dir);
    g_free(fixture->path);
}

static gint64
add(Fixture *fixture, const char *name, const char *email)
{
    g_autoptr(GError) error = NULL;
    gint64 id = users_add_person(fixture->db, name, email, 1000, &error);
    g_assert_no_error(error);
    return id;
}

static void
test_people(Fixture *fixture, gconstpointer user)
{
    (void)user;
    gint64 ada = add(fixture, "Ada Lovelace", "ada@example.org");
    gint64 same_username = add(fixture, "ada lovelace", NULL);
    gint64 umlaut = add(fixture, "Jörg Öz", NULL);
    g_assert_cmpint(same_username, >, ada);
    g_assert_cmpint(umlaut, >, same_username);
    g_autofree char *names = query_text(
        fixture->db,
        "SELECT group_concat(username || ' ' || initials, ', ') FROM person ORDER BY id");
    g_assert_cmpstr(names, ==, "adalovelace AL, adalovelace2 AL, jörgöz JÖ");
    static const struct {
        const char *name, *email;
    } refused[] = {
        {"Ada Lovelace", NULL},
        {"adalovelace", NULL},
        {"Eve", "ADA@example.org"},
        {"", NULL},
        {"a\nb", NULL},
        {"Eve", "no address"},
        {"Eve", "eve"},
        {"\xff", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(users_add_person(fixture->db, refused[i].name, refused[i].email, 1, &error),
                        ==, 0);
        g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    }
    g_assert_cmpint(query_number(fixture->db, "SELECT count(*) FROM person"), ==, 3);
}

static void
test_tokens(Fixture *fixture, gconstpointer user)
{
    (void)user;
    gint64 ada = add(fixture, "Ada Lovelace", "ada@example.org");
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, ada);
    const char *const ways[] = {id, "adalovelace", "Ada Lovelace", "ADA@EXAMPLE.ORG"};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *token = users_add_token(fixture->db, ways[i], 1, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(strlen(token), ==, 32);
        g_assert_cmpuint(strspn(token, "0123456789abcdef"), ==, 32);
        g_autoptr(DbConn) conn = db_take(fixture->db, &error);
        g_assert_cmpint(auth_token_person(conn, token), ==, ada);
        g_autoptr(DbStmt) stmt = db_prepare(
            conn, "SELECT count(*) FROM token WHERE instr(hash || coalesce(note, ''), ?1)");
        db_bind_text(stmt, 1, token);
        g_assert_true(db_next(stmt));
        g_assert_cmpint(db_int(stmt, 0), ==, 0);
    }
    g_assert_cmpint(query_number(fixture->db, "SELECT count(*) FROM token"), ==, 4);
    static const char *const nobody[] = {"Eve", "", "0", "-1", "' OR 1=1 --", "\xff"};
    for (gsize i = 0; i < G_N_ELEMENTS(nobody); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(users_add_token(fixture->db, nobody[i], 1, &error));
        g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    }
}

static void
test_members(Fixture *fixture, gconstpointer user)
{
    (void)user;
    (void)add(fixture, "Ada", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(users_add_member(fixture->db, "Ada", "Moon", "member", 5000, &error));
    g_assert_no_error(error);
    g_assert_cmpint(query_number(fixture->db, "SELECT version FROM project WHERE id = 99"), ==, 42);
    g_autofree char *joined = query_text(
        fixture->db,
        "SELECT kind || ' ' || message FROM activity WHERE project_id = 99 AND version = 42");
    g_assert_cmpstr(joined, ==,
                    "project_membership_create_activity Ada joined the project as member");
    /* Again: nothing changes. Another role: an update. */
    g_assert_true(users_add_member(fixture->db, "Ada", "99", "member", 6000, &error));
    g_assert_cmpint(query_number(fixture->db, "SELECT version FROM project WHERE id = 99"), ==, 42);
    g_assert_true(users_add_member(fixture->db, "Ada", "99", "owner", 7000, &error));
    g_assert_cmpint(query_number(fixture->db, "SELECT version FROM project WHERE id = 99"), ==, 43);
    g_assert_cmpint(query_number(fixture->db, "SELECT count(*) FROM membership"), ==, 1);
    g_autofree char *role = query_text(fixture->db, "SELECT role FROM membership");
    g_assert_cmpstr(role, ==, "owner");
    g_autofree char *changes = query_text(
        fixture->db,
        "SELECT changes FROM activity WHERE kind = 'project_membership_update_activity'");
    const char *values = strstr(changes, "\"new_values\":");
    g_assert_nonnull(values);
    g_assert_nonnull(g_strstr_len(changes, values - changes, "\"role\":\"member\""));
    g_assert_nonnull(strstr(values, "\"role\":\"owner\""));
    static const struct {
        const char *user, *project, *role;
    } refused[] = {{"Ada", "Moon", "king"},
                   {"Ada", "Mars", "owner"},
                   {"Eve", "Moon", "owner"},
                   {"Ada", "Twin", "owner"}};
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) problem = NULL;
        g_assert_false(users_add_member(fixture->db, refused[i].user, refused[i].project,
                                        refused[i].role, 1, &problem));
        g_assert_error(problem, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/users/people", Fixture, NULL, setup, test_people, teardown);
    g_test_add("/users/tokens", Fixture, NULL, setup, test_tokens, teardown);
    g_test_add("/users/members", Fixture, NULL, setup, test_members, teardown);
    return g_test_run();
}

/* The database room: opening, transactions, errors that stick, statements in use twice. */
#include "support_service.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tracker/db.h"

static gint64
count(DbConn *conn, const char *sql)
{
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);

    return db_next(stmt) ? db_int(stmt, 0) : -1;
}

static void
test_transactions(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    DbConn *conn;

    conn = db_take(tracker_db(f->tracker), &error);
    g_assert_true(db_begin(conn, DB_WRITE, &error));
    g_assert_true(db_exec(conn, "DELETE FROM story", &error));
    db_give(conn); /* forgotten: undone */
    conn = db_take(tracker_db(f->tracker), &error);
    g_assert_cmpint(count(conn, "SELECT count(*) FROM story"), ==, 6);
    g_assert_true(db_begin(conn, DB_WRITE, &error));
    g_assert_true(db_exec(conn, "DELETE FROM story WHERE id = 700", &error));
    g_assert_cmpint(db_changes(conn), ==, 1);
    g_assert_true(db_commit(conn, &error));
    g_assert_cmpint(count(conn, "SELECT count(*) FROM story"), ==, 5);
    db_give(conn);
}

/* A reader's transaction sees one state, whatever is written meanwhile. */
static void
test_snapshot(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    DbConn *reader;

    reader = db_take(tracker_db(f->tracker), &error);
    g_assert_true(db_begin(reader, DB_READ, &error));
    g_assert_cmpint(count(reader, "SELECT version FROM project WHERE id = 99"), ==, 230);
    fixture_sql(f, "UPDATE project SET version = 231 WHERE id = 99");
    g_assert_cmpint(count(reader, "SELECT version FROM project WHERE id = 99"), ==, 230);
    g_assert_true(db_commit(reader, &error));
    g_assert_cmpint(count(reader, "SELECT version FROM project WHERE id = 99"), ==, 231);
    db_give(reader);
}

static void
test_errors_stick(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    DbConn *conn;
    DbStmt *stmt;

    conn = db_take(tracker_db(f->tracker), &error);
    g_assert_null(db_prepare(conn, "SELECT nonsense FROM nowhere"));
    stmt = db_prepare(conn, "SELECT 1");
    g_assert_null(stmt);
    db_bind_int(stmt, 1, 1);
    g_assert_false(db_next(stmt));
    g_assert_false(db_run(stmt));
    db_done(stmt);
    g_assert_false(db_check(conn, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "nowhere"));
    db_rollback(conn);
    g_assert_cmpint(count(conn, "SELECT 1"), ==, 1);
    db_give(conn);
}

static void
test_statements(Fixture *f)
{
    DbConn *conn;
    DbStmt *outer, *inner;

    conn = db_take(tracker_db(f->tracker), NULL);
    outer = db_prepare(conn, "SELECT id FROM person ORDER BY id");
    g_assert_true(db_next(outer));
    inner = db_prepare(conn, "SELECT id FROM person ORDER BY id");
    g_assert_true(inner != outer);
    g_assert_true(db_next(inner));
    g_assert_cmpint(db_int(inner, 0), ==, 101);
    db_done(inner);
    g_assert_true(db_next(outer));
    g_assert_cmpint(db_int(outer, 0), ==, 102);
    /* More texts than the cache holds, while one is in use. */
    for (int i = 0; i < 3 * DB_MAX_STATEMENTS; i++) {
        g_autofree char *sql = g_strdup_printf("SELECT %d", i);

        g_assert_cmpint(count(conn, sql), ==, i);
    }
    g_assert_true(db_next(outer));
    g_assert_cmpint(db_int(outer, 0), ==, 103);
    db_done(outer);
    db_give(conn);
}

/* A statement that has ended stays ended: SQLite by itself would begin again. */
static void
test_ended(Fixture *f)
{
    DbConn *conn;
    DbStmt *stmt;

    conn = db_take(tracker_db(f->tracker), NULL);
    stmt = db_prepare(conn, "INSERT INTO deleted_project(id) VALUES(?1) RETURNING id");
    db_bind_int(stmt, 1, 5);
    g_assert_true(db_next(stmt));
    g_assert_false(db_next(stmt));
    g_assert_false(db_next(stmt));
    g_assert_true(db_run(stmt)); /* nothing twice: the id would be */
    db_bind_int(stmt, 1, 6);
    g_assert_true(db_run(stmt));
    db_done(stmt);
    db_give(conn);
    g_assert_cmpint(fixture_number(f, "SELECT sum(id) FROM deleted_project WHERE id < 10"), ==, 11);
}

static void
test_files(Fixture *f)
{
    struct stat st;
    g_autoptr(GError) error = NULL;
    Db *db;
    DbConn *conn;

    g_assert_cmpint(g_stat(f->path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_assert_true(g_str_has_suffix(db_files_dir(tracker_db(f->tracker)), "/t.db.files"));
    db = db_open(f->path, TRACKER_READ_ONLY, &error);
    g_assert_no_error(error);
    g_assert_true(db_read_only(db));
    conn = db_take(db, &error);
    g_assert_false(db_exec(conn, "DELETE FROM story", &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
    g_clear_error(&error);
    db_give(conn);
    db_close(db);
    g_assert_null(db_open(f->dir, 0, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
}

/* Writers of one process take turns: none is refused or lost, however many come at once. */
static gpointer
write_often(gpointer user)
{
    for (int i = 0; i < 25; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DbConn) conn = db_take(user, &error);

        g_assert_true(db_begin(conn, DB_WRITE, &error));
        g_assert_true(
            db_exec(conn, "UPDATE project SET version = version + 1 WHERE id = 22", &error));
        if (i % 5 == 0) {
            continue; /* forgotten: undone, and the turn goes on */
        }
        g_assert_true(db_commit(conn, &error));
    }
    return NULL;
}

static void
test_turns(Fixture *f)
{
    GThread *threads[8];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("writer", write_often, tracker_db(f->tracker));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        (void)g_thread_join(threads[i]);
    }
    g_assert_cmpint(fixture_number(f, "SELECT version FROM project WHERE id = 22"), ==,
                    5 + 20 * (gint64)G_N_ELEMENTS(threads));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/tracker/db/transactions", test_transactions);
    fixture_test("/tracker/db/turns", test_turns);
    fixture_test("/tracker/db/snapshot", test_snapshot);
    fixture_test("/tracker/db/errors-stick", test_errors_stick);
    fixture_test("/tracker/db/statements", test_statements);
    fixture_test("/tracker/db/ended", test_ended);
    fixture_test("/tracker/db/files", test_files);
    return g_test_run();
}

/* Migrations by version, with steps of the future behind those there are. */
#include "support_service.h"

#include <string.h>

#include "tracker/db.h"
#include "tracker/migrate.h"
#include "tracker/schema.h"

#define VERSION "SELECT user_version FROM pragma_user_version"

/* The present steps, then these: two more, one that keeps data, one that fails half-way. */
static const char *const future[] = {
    "CREATE TABLE colour(id INTEGER PRIMARY KEY, name TEXT);"
    "INSERT INTO colour(name) VALUES ('red'), ('blue');",
    "ALTER TABLE colour ADD COLUMN length INTEGER; UPDATE colour SET length = length(name);",
    "DELETE FROM colour; SELECT nonsense;",
};

static GPtrArray *
steps_with(guint more)
{
    GPtrArray *steps = g_ptr_array_new();

    for (int i = 0; i < schema_version(); i++) {
        g_ptr_array_add(steps, (gpointer)(guintptr)schema_steps()[i]);
    }
    for (guint i = 0; i < more; i++) {
        g_ptr_array_add(steps, (gpointer)(guintptr)future[i]);
    }
    return steps;
}

static gboolean
migrate(Fixture *f, guint more, GError **error)
{
    g_autoptr(GPtrArray) steps = steps_with(more);
    g_autoptr(DbConn) conn = db_take(tracker_db(f->tracker), error);

    return migrate_run(conn, (const char *const *)steps->pdata, (int)steps->len, error);
}

static void
test_steps(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    gint64 stories = fixture_number(f, "SELECT count(*) FROM story");

    g_assert_cmpint(fixture_number(f, VERSION), ==, schema_version());
    g_assert_true(migrate(f, 1, &error));
    fixture_sql(f, "UPDATE colour SET name = 'green' WHERE name = 'red'");
    g_assert_true(migrate(f, 2, &error)); /* from where it is, the first step not again */
    g_assert_true(migrate(f, 2, &error)); /* nothing to do */
    g_assert_no_error(error);
    g_assert_cmpint(fixture_number(f, VERSION), ==, schema_version() + 2);
    g_assert_cmpint(fixture_number(f, "SELECT sum(length) FROM colour"), ==, 9);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story"), ==, stories);
}

static void
test_failure(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(migrate(f, 3, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "nonsense"));
    /* the steps before it stay, and nothing of it */
    g_assert_cmpint(fixture_number(f, VERSION), ==, schema_version() + 2);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM colour"), ==, 2);
}

/* A program that does not know the new version refuses the file, and does not touch it. */
static void
test_newer(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(migrate(f, 2, &error));
    g_assert_null(tracker_open(f->path, 0, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_NEWER);
    g_assert_cmpint(fixture_number(f, VERSION), ==, schema_version() + 2);
}

static gpointer
migrate_thread(gpointer user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) steps = steps_with(2);
    g_autoptr(DbConn) conn = db_take(user, &error);

    g_assert_true(migrate_run(conn, (const char *const *)steps->pdata, (int)steps->len, &error));
    return NULL;
}

/* Of several that open the file at once, one does each step. */
static void
test_at_once(Fixture *f)
{
    GThread *threads[4];
    Db *dbs[4]; /* each a program of its own */

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        dbs[i] = db_open(f->path, 0, NULL);
        g_assert_nonnull(dbs[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("migrate", migrate_thread, dbs[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        (void)g_thread_join(threads[i]);
        db_close(dbs[i]);
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, schema_version() + 2);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM colour"), ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/migrate/steps", test_steps);
    fixture_test("/migrate/failure", test_failure);
    fixture_test("/migrate/newer", test_newer);
    fixture_test("/migrate/at-once", test_at_once);
    return g_test_run();
}

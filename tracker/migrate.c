/* The version is read again inside the transaction: another process may have been faster. */
#include "tracker/migrate.h"

#include "tracker/rows.h"
#include "tracker/schema.h"

static int
version_of(DbConn *conn)
{
    return (int)row_int(conn, "PRAGMA user_version", "");
}

/* What every database of ours has beside its tables. */
static void
mark_as_ours(DbConn *conn)
{
    g_autofree char *id = db_random_hex(16), *secret = db_random_hex(32);
    g_autofree char *mark = g_strdup_printf("PRAGMA application_id=%d", SCHEMA_APPLICATION_ID);

    (void)db_exec(conn, mark, NULL);
    (void)db_meta_set(conn, "instance_id", id);
    (void)db_meta_set(conn, "secret", secret);
    (void)db_meta_set(conn, "web_base", "https://www.pivotaltracker.com");
}

static gboolean
run_step(DbConn *conn, const char *sql, int version, GError **error)
{
    g_autofree char *pragma = g_strdup_printf("PRAGMA user_version=%d", version + 1);

    if (!db_begin(conn, DB_WRITE, error)) {
        return FALSE;
    }
    if (version_of(conn) != version) {
        db_rollback(conn);
        return TRUE;
    }
    if (!db_exec(conn, sql, error) || !db_exec(conn, pragma, error)) {
        db_rollback(conn);
        return FALSE;
    }
    if (version == 0) {
        mark_as_ours(conn);
    }
    return db_commit(conn, error);
}

gboolean
migrate_run(DbConn *conn, const char *const *steps, int n_steps, GError **error)
{
    for (int version = version_of(conn); version < n_steps; version = version_of(conn)) {
        if (!run_step(conn, steps[version], version, error)) {
            return FALSE;
        }
    }
    return db_check(conn, error);
}

/* The search language to its end: any bytes are refused with a sentence or become SQL that SQLite
 * runs without an error, on stories and on epics, and leave no value that NOT would turn wrong. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tracker/search_sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static DbConn *conn;

/* One story and one epic of everything; the file is gone as soon as it is open. */
static void
open_database(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("trackerfs-fuzz-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "t.db", NULL);
    Db *db = db_open(path, TRACKER_CREATE, &error);

    g_assert_no_error(error);
    conn = db_take(db, &error);
    (void)db_begin(conn, DB_WRITE, NULL);
    (void)db_exec(conn,
                  "INSERT INTO person(id, name, initials, username) VALUES (1, 'Ada', 'A', 'ada');"
                  "INSERT INTO project(id, name) VALUES (1, 'P');"
                  "INSERT INTO label(id, project_id, name) VALUES (1, 1, 'x');"
                  "INSERT INTO story(id, project_id, position, name, description, story_type,"
                  " current_state) VALUES (1, 1, 1, 'a b', 'text', 'bug', 'started');"
                  "INSERT INTO story_label VALUES (1, 1); INSERT INTO story_owner VALUES (1, 0, 1);"
                  "INSERT INTO comment(id, story_id, text) VALUES (1, 1, 'words');"
                  "INSERT INTO blocker(id, story_id, description) VALUES (1, 1, '#1'), (2, 1, 'x');"
                  "INSERT INTO epic(id, project_id, position, name, label_id) VALUES"
                  " (1, 1, 1, 'a b', 1)",
                  NULL);
    (void)db_commit(conn, &error);
    g_assert_no_error(error);
    for (const char *const *suffix = (const char *const[]){"", "-wal", "-shm", NULL}; *suffix;
         suffix++) {
        g_autofree char *file = g_strconcat(path, *suffix, NULL);

        (void)g_remove(file);
    }
    (void)g_rmdir(dir);
}

/* The condition has a value for the one object, whatever it is. */
static void
run(const Search *search, const SearchScope *scope, const char *table, gboolean of_epics)
{
    g_autoptr(GError) error = NULL;
    g_auto(Where) where;
    g_autofree char *after = g_strdup_printf(") IS NULL) FROM %s t WHERE t.project_id = 1", table);
    DbStmt *stmt;

    where_init(&where);
    if (of_epics ? !search_add_epics(&where, search, scope, &error)
                 : !search_add_stories(&where, search, scope, &error)) {
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        return;
    }
    db_regexp_restart(conn);
    stmt = where_prepare(&where, conn, "SELECT count(*), sum((1", after);
    g_assert_true(db_next(stmt));
    g_assert_cmpint(db_int(stmt, 0), ==, 1);
    g_assert_cmpint(db_int(stmt, 1), ==, 0);
    db_done(stmt);
    (void)db_check(conn, &error);
    g_assert_no_error(error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Search) search = search_parse(text, &error);
    g_autoptr(GTimeZone) zone = zone_open_or_utc(NULL);
    SearchScope scope = {
        .project_id = 1, .person_id = 1, .zone = zone, .now_ms = G_GINT64_CONSTANT(1493854181000)};

    g_assert_true((search != NULL) == (error == NULL));
    if (!search) {
        return 0;
    }
    if (!conn) {
        open_database();
    }
    run(search, &scope, "story", FALSE);
    run(search, &scope, "epic", TRUE);
    return 0;
}

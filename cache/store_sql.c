/* The store's schema and statements.
 *
 * What listings need of a story (story) and its long texts (story_text) are two tables, so that
 * loading a project's index reads no text. What belongs to a story is clustered by it. Lists of ids
 * are blobs of native 64-bit integers: the file never leaves the machine, and is thrown away when
 * its version differs. */
#include "cache/store_sql.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <glib/gstdio.h>

#include "cache/base/err.h"

#define BUSY_TIMEOUT_MS 10000

const char store_schema[] =
    "CREATE TABLE account(one INTEGER PRIMARY KEY, id INTEGER, name TEXT, username TEXT,"
    " initials TEXT, created INTEGER, updated INTEGER, record TEXT, checked INTEGER);"
    "CREATE TABLE account_project(id INTEGER PRIMARY KEY, name TEXT, created INTEGER,"
    " updated INTEGER);"
    "CREATE TABLE project(id INTEGER PRIMARY KEY, account_id INTEGER, version INTEGER,"
    " created INTEGER, updated INTEGER, current_iteration INTEGER, name TEXT, record TEXT,"
    " profile TEXT, checked INTEGER, filled INTEGER, left_out BLOB);"
    "CREATE TABLE member(project_id INTEGER, person_id INTEGER, name TEXT, username TEXT,"
    " initials TEXT, membership_id INTEGER, created INTEGER, updated INTEGER, role TEXT,"
    " record TEXT, PRIMARY KEY(project_id, person_id)) WITHOUT ROWID;"
    "CREATE TABLE label(project_id INTEGER, id INTEGER, name TEXT, created INTEGER,"
    " updated INTEGER, PRIMARY KEY(project_id, id)) WITHOUT ROWID;"
    "CREATE TABLE epic(id INTEGER PRIMARY KEY, project_id INTEGER, position INTEGER,"
    " label_id INTEGER, created INTEGER, updated INTEGER, name TEXT, url TEXT, record TEXT,"
    " description TEXT);"
    "CREATE INDEX epic_project ON epic(project_id, position);"
    "CREATE TABLE epic_comment(epic_id INTEGER, id INTEGER, person_id INTEGER, created INTEGER,"
    " updated INTEGER, author TEXT, text TEXT, PRIMARY KEY(epic_id, id)) WITHOUT ROWID;"
    "CREATE TABLE iteration(project_id INTEGER, number INTEGER, start INTEGER, finish INTEGER,"
    " record TEXT, story_ids BLOB, PRIMARY KEY(project_id, number)) WITHOUT ROWID;"
    "CREATE TABLE story(id INTEGER PRIMARY KEY, project_id INTEGER, position INTEGER,"
    " created INTEGER, updated INTEGER, name TEXT, story_type TEXT, current_state TEXT,"
    " requested_by INTEGER, owners BLOB, followers BLOB, reviewers BLOB, labels BLOB,"
    " blocked INTEGER, digest INTEGER);"
    "CREATE INDEX story_project ON story(project_id, position);"
    "CREATE TABLE story_text(id INTEGER PRIMARY KEY, url TEXT, record TEXT, description TEXT);"
    "CREATE TABLE comment(story_id INTEGER, id INTEGER, person_id INTEGER, created INTEGER,"
    " updated INTEGER, author TEXT, text TEXT, PRIMARY KEY(story_id, id)) WITHOUT ROWID;"
    "CREATE TABLE task(story_id INTEGER, position INTEGER, id INTEGER, complete INTEGER,"
    " created INTEGER, updated INTEGER, description TEXT,"
    " PRIMARY KEY(story_id, position, id)) WITHOUT ROWID;"
    "CREATE TABLE attachment(story_id INTEGER, id INTEGER, comment_id INTEGER,"
    " uploader_id INTEGER, size INTEGER, created INTEGER, filename TEXT, content_type TEXT,"
    " download_url TEXT, PRIMARY KEY(story_id, id)) WITHOUT ROWID;"
    "CREATE TABLE activity(kind TEXT, owner_id INTEGER, version INTEGER, occurred INTEGER,"
    " line TEXT, PRIMARY KEY(kind, owner_id, version)) WITHOUT ROWID;"
    "CREATE TABLE activity_state(kind TEXT, owner_id INTEGER, version INTEGER,"
    " PRIMARY KEY(kind, owner_id)) WITHOUT ROWID;";

static const char *const sql_text[N_SQL] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_PUT_ACCOUNT] = "INSERT OR REPLACE INTO account VALUES(1, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_CLEAR_ACCOUNT_PROJECTS] = "DELETE FROM account_project",
    [SQL_PUT_ACCOUNT_PROJECT] = "INSERT INTO account_project VALUES(?, ?, ?, ?)",
    [SQL_PUT_PROJECT] = "INSERT OR REPLACE INTO project VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                        " ?)",
    [SQL_TOUCH_PROJECT] = "UPDATE project SET checked = ?2 WHERE id = ?1",
    [SQL_DELETE_PROJECT] = "DELETE FROM project WHERE id = ?",
    [SQL_CLEAR_MEMBERS] = "DELETE FROM member WHERE project_id = ?",
    [SQL_PUT_MEMBER] = "INSERT INTO member VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_CLEAR_LABELS] = "DELETE FROM label WHERE project_id = ?",
    [SQL_PUT_LABEL] = "INSERT INTO label VALUES(?, ?, ?, ?, ?)",
    [SQL_CLEAR_EPIC_COMMENTS] =
        "DELETE FROM epic_comment WHERE epic_id IN (SELECT id FROM epic WHERE project_id = ?)",
    [SQL_CLEAR_EPICS] = "DELETE FROM epic WHERE project_id = ?",
    [SQL_PUT_EPIC] = "INSERT OR REPLACE INTO epic VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_EPIC_COMMENT] = "INSERT OR REPLACE INTO epic_comment VALUES(?, ?, ?, ?, ?, ?, ?)",
    [SQL_CLEAR_ITERATIONS] = "DELETE FROM iteration WHERE project_id = ?",
    [SQL_PUT_ITERATION] = "INSERT INTO iteration VALUES(?, ?, ?, ?, ?, ?)",
    /* A story keeps its position until the whole order is set. */
    [SQL_PUT_STORY] =
        "INSERT INTO story VALUES(?1, ?2, -1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        " ON CONFLICT(id) DO UPDATE SET project_id = ?2, created = ?3, updated = ?4, name = ?5,"
        " story_type = ?6, current_state = ?7, requested_by = ?8, owners = ?9, followers = ?10,"
        " reviewers = ?11, labels = ?12, blocked = ?13, digest = ?14",
    [SQL_PUT_STORY_TEXT] = "INSERT OR REPLACE INTO story_text VALUES(?, ?, ?, ?)",
    [SQL_DELETE_STORY] = "DELETE FROM story WHERE id = ?",
    [SQL_DELETE_STORY_TEXT] = "DELETE FROM story_text WHERE id = ?",
    [SQL_CLEAR_COMMENTS] = "DELETE FROM comment WHERE story_id = ?",
    [SQL_PUT_COMMENT] = "INSERT INTO comment VALUES(?, ?, ?, ?, ?, ?, ?)",
    [SQL_CLEAR_TASKS] = "DELETE FROM task WHERE story_id = ?",
    [SQL_PUT_TASK] = "INSERT OR REPLACE INTO task VALUES(?, ?, ?, ?, ?, ?, ?)",
    [SQL_CLEAR_ATTACHMENTS] = "DELETE FROM attachment WHERE story_id = ?",
    [SQL_PUT_ATTACHMENT] = "INSERT INTO attachment VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_LIST_POSITIONS] = "SELECT id, position FROM story WHERE project_id = ?",
    [SQL_SET_POSITION] = "UPDATE story SET position = ?2 WHERE id = ?1",
    [SQL_PUT_ACTIVITY] = "INSERT OR REPLACE INTO activity VALUES(?, ?, ?, ?, ?)",
    [SQL_PUT_ACTIVITY_STATE] = "INSERT OR REPLACE INTO activity_state VALUES(?, ?, ?)",
    [SQL_CLEAR_ACTIVITY] = "DELETE FROM activity WHERE kind = ? AND owner_id = ?",
    [SQL_CLEAR_ACTIVITY_STATE] = "DELETE FROM activity_state WHERE kind = ? AND owner_id = ?",
    [SQL_GET_ACCOUNT] =
        "SELECT id, name, username, initials, created, updated, record, checked FROM account",
    [SQL_GET_ACCOUNT_PROJECTS] =
        "SELECT id, name, created, updated FROM account_project ORDER BY id",
    [SQL_GET_PROJECT] = "SELECT account_id, version, created, updated, current_iteration, name,"
                        " record, profile, checked, filled, left_out FROM project"
                        " WHERE id = ?",
    [SQL_GET_MEMBERS] = "SELECT person_id, name, username, initials, membership_id, created,"
                        " updated, role, record FROM member WHERE project_id = ?"
                        " ORDER BY person_id",
    [SQL_GET_LABELS] =
        "SELECT id, name, created, updated FROM label WHERE project_id = ? ORDER BY id",
    [SQL_GET_EPICS] = "SELECT id, label_id, created, updated, name, url, record, description"
                      " FROM epic WHERE project_id = ? ORDER BY position",
    [SQL_GET_EPIC_COMMENTS] = "SELECT id, person_id, created, updated, author, text"
                              " FROM epic_comment WHERE epic_id = ? ORDER BY id",
    [SQL_GET_ITERATIONS] = "SELECT number, start, finish, record, story_ids FROM iteration"
                           " WHERE project_id = ? ORDER BY number",
    [SQL_GET_STORY_ROWS] = "SELECT id, created, updated, name, story_type, current_state,"
                           " requested_by, owners, followers, reviewers, labels, blocked, digest"
                           " FROM story WHERE project_id = ? ORDER BY position, id",
    [SQL_GET_STORY] = "SELECT project_id, created, updated, name, url, record, description"
                      " FROM story JOIN story_text USING(id) WHERE id = ?",
    [SQL_GET_COMMENTS] = "SELECT id, person_id, created, updated, author, text FROM comment"
                         " WHERE story_id = ? ORDER BY id",
    [SQL_GET_TASKS] = "SELECT id, position, complete, created, updated, description FROM task"
                      " WHERE story_id = ? ORDER BY position, id",
    [SQL_GET_ATTACHMENTS] = "SELECT id, comment_id, uploader_id, size, created, filename,"
                            " content_type, download_url FROM attachment WHERE story_id = ?"
                            " ORDER BY id",
    [SQL_GET_ACTIVITY_STATE] = "SELECT version FROM activity_state WHERE kind = ? AND owner_id = ?",
    [SQL_GET_ACTIVITY] = "SELECT line, occurred FROM activity WHERE kind = ? AND owner_id = ?"
                         " ORDER BY version",
    [SQL_FIND_STORY] = "SELECT project_id FROM story WHERE id = ?",
    [SQL_FIND_EPIC] = "SELECT project_id FROM epic WHERE id = ?",
    [SQL_PROJECT_CREATED] = "SELECT created FROM project WHERE id = ?",
    [SQL_STORY_CREATED] = "SELECT created FROM story WHERE id = ?",
    [SQL_EPIC_CREATED] = "SELECT created FROM epic WHERE id = ?",
};

void
store_remove_files(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        (void)g_unlink(file);
    }
}

void
connection_set_error(Connection *connection, GError **error)
{
    int code = sqlite3_errcode(connection->db) & 0xff;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        store_remove_files(sqlite3_db_filename(connection->db, "main"));
        g_set_error_literal(error, ERR, ERR_LOCAL,
                            "the store in the cache folder is damaged and was removed: unmount, "
                            "and mount again to read everything anew");
        return;
    }
    gboolean full = code == SQLITE_FULL ||
                    (code == SQLITE_IOERR && sqlite3_system_errno(connection->db) == ENOSPC);
    g_set_error(error, ERR, full ? ERR_NO_SPACE : ERR_LOCAL, "the store in the cache folder: %s",
                full ? "the disk is full" : sqlite3_errmsg(connection->db));
}

Connection *
connection_open(const char *path, int flags, GError **error)
{
    g_autoptr(Connection) connection = g_new0(Connection, 1);
    int rc = sqlite3_open_v2(path, &connection->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        g_set_error(error, ERR, ERR_LOCAL, "%s: %s", path, sqlite3_errstr(rc));
        return NULL;
    }
    (void)sqlite3_busy_timeout(connection->db, BUSY_TIMEOUT_MS);
    (void)sqlite3_extended_result_codes(connection->db, 1);
    return g_steal_pointer(&connection);
}

void
connection_free(Connection *connection)
{
    if (!connection) {
        return;
    }
    for (int i = 0; i < N_SQL; i++) {
        (void)sqlite3_finalize(connection->statements[i]);
    }
    (void)sqlite3_close(connection->db);
    g_free(connection);
}

static sqlite3_stmt *
bind_list(Connection *connection, SqlId id, GError **error, const char *types, va_list args)
{
    sqlite3_stmt **statement = &connection->statements[id];
    if (!*statement &&
        sqlite3_prepare_v3(connection->db, sql_text[id], -1, SQLITE_PREPARE_PERSISTENT, statement,
                           NULL) != SQLITE_OK) {
        connection_set_error(connection, error);
        return NULL;
    }
    (void)sqlite3_reset(*statement);
    for (int i = 0; types[i]; i++) {
        int rc = SQLITE_OK;
        if (types[i] == 'i') {
            rc = sqlite3_bind_int64(*statement, i + 1, va_arg(args, gint64));
        } else if (types[i] == 's') {
            rc =
                sqlite3_bind_text(*statement, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
        } else if (types[i] == 't') {
            const Text *text = va_arg(args, const Text *);
            rc = sqlite3_bind_text64(*statement, i + 1, text->data, text->length, SQLITE_STATIC,
                                     SQLITE_UTF8);
        } else {
            g_assert(types[i] == 'b');
            const void *blob = va_arg(args, const void *);
            gsize bytes = va_arg(args, gsize);
            rc = sqlite3_bind_blob64(*statement, i + 1, blob, bytes, SQLITE_STATIC);
        }
        if (rc != SQLITE_OK) {
            connection_set_error(connection, error);
            return NULL;
        }
    }
    return *statement;
}

sqlite3_stmt *
connection_bind(Connection *connection, SqlId id, GError **error, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *statement = bind_list(connection, id, error, types, args);
    va_end(args);
    return statement;
}

int
connection_step(Connection *connection, sqlite3_stmt *statement, GError **error)
{
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    if (rc == SQLITE_DONE) {
        (void)sqlite3_reset(statement);
        return 0;
    }
    connection_set_error(connection, error);
    (void)sqlite3_reset(statement);
    return -1;
}

gboolean
connection_run(Connection *connection, SqlId id, GError **error, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *statement = bind_list(connection, id, error, types, args);
    va_end(args);
    return statement && connection_step(connection, statement, error) == 0;
}

char *
column_string(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

Text
column_text(sqlite3_stmt *statement, int column)
{
    Text text = {NULL, 0};
    const void *data = sqlite3_column_text(statement, column);
    if (data) {
        text.length = (gsize)sqlite3_column_bytes(statement, column);
        text.data = g_malloc(text.length + 1);
        memcpy(text.data, data, text.length);
        text.data[text.length] = '\0';
    }
    return text;
}

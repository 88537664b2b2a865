/* The store: opening, the writer, the pool of readers. Loading is in store_load.c, SQL in
 * store_sql.c.
 *
 * One connection writes (the clerk's thread); readers borrow one of a few read-only connections.
 * WAL lets them go on during a write, each seeing the last commit. synchronous=NORMAL: after a
 * power failure the file is sound and perhaps a little old, which is all that a copy needs. */
#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"
#include "cache/store_sql.h"

#define STORE_APPLICATION_ID 0x74666373 /* "tfcs" */
#define MAX_IDLE_READERS 8

struct Store {
    char *path;
    Connection *writer; /* clerk only */
    pthread_mutex_t lock;
    GPtrArray *idle_readers; /* protected by lock */
};

static gint64
pragma_value(sqlite3 *db, const char *pragma)
{
    sqlite3_stmt *statement = NULL;
    gint64 value = -1;
    if (sqlite3_prepare_v2(db, pragma, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

static gboolean
run_text(Connection *connection, const char *sql, GError **error)
{
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        connection_set_error(connection, error);
        return FALSE;
    }
    return TRUE;
}

/* What stands in the file. */
typedef enum { FILE_EMPTY, FILE_OURS, FILE_NEWER, FILE_USELESS } FileState;

static FileState
file_state(Connection *connection)
{
    gint64 version = pragma_value(connection->db, "PRAGMA user_version");
    gint64 application = pragma_value(connection->db, "PRAGMA application_id");
    if (version == 0 && application == 0 &&
        pragma_value(connection->db, "SELECT count(*) FROM sqlite_master") == 0) {
        return FILE_EMPTY;
    }
    if (application != STORE_APPLICATION_ID || version < STORE_SCHEMA_VERSION) {
        return FILE_USELESS;
    }
    return version == STORE_SCHEMA_VERSION ? FILE_OURS : FILE_NEWER;
}

static gboolean
make_schema(Connection *connection, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("BEGIN; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                        store_schema, STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
    return run_text(connection, sql, error);
}

static Connection *
open_writer(const char *path, FileState *ret_state, GError **error)
{
    /* SQLite makes files with the umask's mode; WAL and shared memory follow the database's. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int code = errno;
        g_set_error(error, ERR, code == ENOSPC ? ERR_NO_SPACE : ERR_LOCAL, "%s: %s", path,
                    g_strerror(code));
        return NULL;
    }
    (void)close(fd);
    g_autoptr(Connection) writer = connection_open(path, SQLITE_OPEN_READWRITE, error);
    if (!writer) {
        return NULL;
    }
    *ret_state = file_state(writer);
    if (*ret_state == FILE_USELESS || *ret_state == FILE_NEWER) {
        return g_steal_pointer(&writer);
    }
    if (!run_text(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", error) ||
        (*ret_state == FILE_EMPTY && !make_schema(writer, error))) {
        return NULL;
    }
    return g_steal_pointer(&writer);
}

Store *
store_open(const char *path, GError **error)
{
    FileState state = FILE_EMPTY;
    g_autoptr(GError) first = NULL;
    g_autoptr(Connection) writer = open_writer(path, &state, &first);
    if (state == FILE_NEWER) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s was written by a newer trackerfs; remove it or choose another cache_dir",
                    path);
        return NULL;
    }
    if (state == FILE_USELESS) {
        /* An older schema, or damage: everything in it can be fetched again. */
        log_debug(LOG_STORE, "%s is of no use and is made anew", path);
        g_clear_pointer(&writer, connection_free);
        g_clear_error(&first);
        store_remove_files(path);
        writer = open_writer(path, &state, &first);
    }
    if (!writer) {
        g_propagate_error(error, g_steal_pointer(&first));
        return NULL;
    }
    Store *store = g_new0(Store, 1);
    store->path = g_strdup(path);
    store->writer = g_steal_pointer(&writer);
    store->idle_readers = g_ptr_array_new_with_free_func((GDestroyNotify)connection_free);
    (void)pthread_mutex_init(&store->lock, NULL);
    return store;
}

void
store_close(Store *store)
{
    if (!store) {
        return;
    }
    g_ptr_array_unref(store->idle_readers);
    connection_free(store->writer);
    (void)pthread_mutex_destroy(&store->lock);
    g_free(store->path);
    g_free(store);
}

Connection *
store_take_reader(Store *store, GError **error)
{
    {
        LOCK_SCOPE(&store->lock);
        if (store->idle_readers->len > 0) {
            return g_ptr_array_steal_index_fast(store->idle_readers, store->idle_readers->len - 1);
        }
    }
    return connection_open(store->path, SQLITE_OPEN_READONLY, error);
}

void
store_give_reader(Store *store, Connection *reader)
{
    if (!reader) {
        return;
    }
    {
        LOCK_SCOPE(&store->lock);
        if (store->idle_readers->len < MAX_IDLE_READERS) {
            g_ptr_array_add(store->idle_readers, g_steal_pointer(&reader));
        }
    }
    connection_free(reader);
}

gint64
store_bytes(Store *store)
{
    GStatBuf info;
    g_autofree char *wal = g_strconcat(store->path, "-wal", NULL);
    gint64 bytes = g_stat(store->path, &info) == 0 ? info.st_size : 0;
    return bytes + (g_stat(wal, &info) == 0 ? info.st_size : 0);
}

void
store_limit_pages_for_tests(Store *store, guint n_pages)
{
    gint64 limit = pragma_value(store->writer->db, "PRAGMA page_count") + n_pages;
    g_autofree char *sql = g_strdup_printf("PRAGMA max_page_count = %" G_GINT64_FORMAT, limit);
    (void)pragma_value(store->writer->db, sql);
}

/* --- Writing --- */

gboolean
store_begin(Store *store, GError **error)
{
    return connection_run(store->writer, SQL_BEGIN, error, "");
}

gboolean
store_commit(Store *store, GError **error)
{
    if (connection_run(store->writer, SQL_COMMIT, error, "")) {
        return TRUE;
    }
    store_rollback(store);
    return FALSE;
}

void
store_rollback(Store *store)
{
    /* A full disk has rolled back by itself. */
    if (!sqlite3_get_autocommit(store->writer->db)) {
        (void)sqlite3_exec(store->writer->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

gboolean
store_put_account(Store *store, const Account *account, gint64 checked_ms, GError **error)
{
    if (!connection_run(store->writer, SQL_PUT_ACCOUNT, error, "isssiiti", account->me.id,
                        account->me.name, account->me.username, account->me.initials,
                        account->created_ms, account->updated_ms, &account->record, checked_ms) ||
        !connection_run(store->writer, SQL_CLEAR_ACCOUNT_PROJECTS, error, "")) {
        return FALSE;
    }
    for (guint i = 0; i < account->n_projects; i++) {
        const ProjectName *project = &account->projects[i];
        if (!connection_run(store->writer, SQL_PUT_ACCOUNT_PROJECT, error, "isii", project->id,
                            project->name, project->created_ms, project->updated_ms)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
put_members(Connection *writer, const Project *project, GError **error)
{
    if (!connection_run(writer, SQL_CLEAR_MEMBERS, error, "i", project->id)) {
        return FALSE;
    }
    for (guint i = 0; i < project->n_members; i++) {
        const Member *member = &project->members[i];
        if (!connection_run(writer, SQL_PUT_MEMBER, error, "iisssiiist", project->id,
                            member->person.id, member->person.name, member->person.username,
                            member->person.initials, member->membership_id, member->created_ms,
                            member->updated_ms, member->role, &member->record)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
put_labels(Connection *writer, const Project *project, GError **error)
{
    if (!connection_run(writer, SQL_CLEAR_LABELS, error, "i", project->id)) {
        return FALSE;
    }
    for (guint i = 0; i < project->n_labels; i++) {
        const Label *label = &project->labels[i];
        if (!connection_run(writer, SQL_PUT_LABEL, error, "iisii", project->id, label->id,
                            label->name, label->created_ms, label->updated_ms)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
put_epics(Connection *writer, const Project *project, GError **error)
{
    if (!connection_run(writer, SQL_CLEAR_EPIC_COMMENTS, error, "i", project->id) ||
        !connection_run(writer, SQL_CLEAR_EPICS, error, "i", project->id)) {
        return FALSE;
    }
    for (guint i = 0; i < project->n_epics; i++) {
        const Epic *epic = &project->epics[i];
        if (!connection_run(writer, SQL_PUT_EPIC, error, "iiiiiisstt", epic->id, project->id,
                            (gint64)i, epic->label_id, epic->created_ms, epic->updated_ms,
                            epic->name, epic->url, &epic->record, &epic->description)) {
            return FALSE;
        }
        for (guint k = 0; k < epic->n_comments; k++) {
            const Comment *comment = &epic->comments[k];
            if (!connection_run(writer, SQL_PUT_EPIC_COMMENT, error, "iiiiist", epic->id,
                                comment->id, comment->person_id, comment->created_ms,
                                comment->updated_ms, comment->author, &comment->text)) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean
put_iterations(Connection *writer, const Project *project, GError **error)
{
    if (!connection_run(writer, SQL_CLEAR_ITERATIONS, error, "i", project->id)) {
        return FALSE;
    }
    for (guint i = 0; i < project->n_iterations; i++) {
        const Iteration *iteration = &project->iterations[i];
        if (!connection_run(writer, SQL_PUT_ITERATION, error, "iiiitb", project->id,
                            iteration->number, iteration->start_ms, iteration->finish_ms,
                            &iteration->record, iteration->story_ids,
                            iteration->n_stories * sizeof(gint64))) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
store_put_project(Store *store, const Project *project, gint64 checked_ms, gboolean filled,
                  GError **error)
{
    Connection *writer = store->writer;
    return connection_run(writer, SQL_PUT_PROJECT, error, "iiiiiisttiib", project->id,
                          project->account_id, project->version, project->created_ms,
                          project->updated_ms, project->current_iteration, project->name,
                          &project->record, &project->profile, checked_ms, (gint64)filled,
                          project->left_out, sizeof project->left_out) &&
           put_members(writer, project, error) && put_labels(writer, project, error) &&
           put_epics(writer, project, error) && put_iterations(writer, project, error);
}

gboolean
store_touch_project(Store *store, gint64 project_id, gint64 checked_ms, GError **error)
{
    return connection_run(store->writer, SQL_TOUCH_PROJECT, error, "ii", project_id, checked_ms);
}

static gboolean
put_story_parts(Connection *writer, const Story *story, GError **error)
{
    for (guint i = 0; i < story->n_comments; i++) {
        const Comment *comment = &story->comments[i];
        if (!connection_run(writer, SQL_PUT_COMMENT, error, "iiiiist", story->id, comment->id,
                            comment->person_id, comment->created_ms, comment->updated_ms,
                            comment->author, &comment->text)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < story->n_tasks; i++) {
        const Task *task = &story->tasks[i];
        if (!connection_run(writer, SQL_PUT_TASK, error, "iiiiiit", story->id, task->position,
                            task->id, (gint64)task->complete, task->created_ms, task->updated_ms,
                            &task->description)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < story->n_attachments; i++) {
        const Attachment *file = &story->attachments[i];
        if (!connection_run(writer, SQL_PUT_ATTACHMENT, error, "iiiiiisss", story->id, file->id,
                            file->comment_id, file->uploader_id, file->size_bytes, file->created_ms,
                            file->filename, file->content_type, file->download_url)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
clear_story_parts(Connection *writer, gint64 story_id, GError **error)
{
    return connection_run(writer, SQL_CLEAR_COMMENTS, error, "i", story_id) &&
           connection_run(writer, SQL_CLEAR_TASKS, error, "i", story_id) &&
           connection_run(writer, SQL_CLEAR_ATTACHMENTS, error, "i", story_id);
}

gboolean
store_put_story(Store *store, const ParsedStory *parsed, GError **error)
{
    const Story *story = parsed->story;
    const StoryRow *row = parsed->row;
    const gsize id_bytes = sizeof(gint64);
    return connection_run(store->writer, SQL_PUT_STORY, error, "iiiisssibbbbii", story->id,
                          story->project_id, row->created_ms, row->updated_ms, row->name,
                          row->story_type, row->current_state, row->requested_by_id, row->owner_ids,
                          row->n_owners * id_bytes, row->follower_ids, row->n_followers * id_bytes,
                          row->reviewer_ids, row->n_reviewers * id_bytes, row->label_ids,
                          row->n_labels * id_bytes, (gint64)row->blocked, (gint64)row->digest) &&
           connection_run(store->writer, SQL_PUT_STORY_TEXT, error, "istt", story->id, story->url,
                          &story->record, &story->description) &&
           clear_story_parts(store->writer, story->id, error) &&
           put_story_parts(store->writer, story, error);
}

gboolean
store_delete_story(Store *store, gint64 story_id, GError **error)
{
    return clear_story_parts(store->writer, story_id, error) &&
           connection_run(store->writer, SQL_CLEAR_ACTIVITY, error, "si", "s", story_id) &&
           connection_run(store->writer, SQL_CLEAR_ACTIVITY_STATE, error, "si", "s", story_id) &&
           connection_run(store->writer, SQL_DELETE_STORY_TEXT, error, "i", story_id) &&
           connection_run(store->writer, SQL_DELETE_STORY, error, "i", story_id);
}

/* id -> position of every story that the store has of a project. */
static GHashTable *
stored_positions(Connection *writer, gint64 project_id, GError **error)
{
    g_autoptr(GHashTable) positions =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    sqlite3_stmt *list = connection_bind(writer, SQL_LIST_POSITIONS, error, "i", project_id);
    int more = -1;
    while (list && (more = connection_step(writer, list, error)) == 1) {
        gint64 id = sqlite3_column_int64(list, 0);
        (void)g_hash_table_insert(positions, g_memdup2(&id, sizeof id),
                                  GINT_TO_POINTER(sqlite3_column_int(list, 1)));
    }
    return more == 0 ? g_steal_pointer(&positions) : NULL;
}

gboolean
store_set_order(Store *store, gint64 project_id, StoryRow *const *rows, guint n_rows,
                GError **error)
{
    g_autoptr(GHashTable) positions = stored_positions(store->writer, project_id, error);
    if (!positions) {
        return FALSE;
    }
    for (guint i = 0; i < n_rows; i++) {
        gpointer position;
        if (!g_hash_table_lookup_extended(positions, &rows[i]->id, NULL, &position)) {
            continue;
        }
        if (GPOINTER_TO_INT(position) != (gint)i &&
            !connection_run(store->writer, SQL_SET_POSITION, error, "ii", rows[i]->id, (gint64)i)) {
            return FALSE;
        }
        (void)g_hash_table_remove(positions, &rows[i]->id);
    }
    GHashTableIter iter;
    gpointer gone;
    g_hash_table_iter_init(&iter, positions);
    while (g_hash_table_iter_next(&iter, &gone, NULL)) {
        if (!store_delete_story(store, *(gint64 *)gone, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
store_delete_project(Store *store, gint64 project_id, GError **error)
{
    Connection *writer = store->writer;
    return store_set_order(store, project_id, NULL, 0, error) &&
           connection_run(writer, SQL_CLEAR_MEMBERS, error, "i", project_id) &&
           connection_run(writer, SQL_CLEAR_LABELS, error, "i", project_id) &&
           connection_run(writer, SQL_CLEAR_EPIC_COMMENTS, error, "i", project_id) &&
           connection_run(writer, SQL_CLEAR_EPICS, error, "i", project_id) &&
           connection_run(writer, SQL_CLEAR_ITERATIONS, error, "i", project_id) &&
           connection_run(writer, SQL_CLEAR_ACTIVITY, error, "si", "p", project_id) &&
           connection_run(writer, SQL_CLEAR_ACTIVITY_STATE, error, "si", "p", project_id) &&
           connection_run(writer, SQL_DELETE_PROJECT, error, "i", project_id);
}

gboolean
store_put_activity(Store *store, char kind, gint64 id, gint64 version, GPtrArray *parsed,
                   GError **error)
{
    const char kind_text[] = {kind, '\0'};
    for (guint i = 0; i < parsed->len; i++) {
        const ParsedActivity *activity = parsed->pdata[i];
        if (!connection_run(store->writer, SQL_PUT_ACTIVITY, error, "siiit", kind_text, id,
                            activity->version, activity->occurred_ms, &activity->line)) {
            return FALSE;
        }
    }
    return connection_run(store->writer, SQL_PUT_ACTIVITY_STATE, error, "sii", kind_text, id,
                          version);
}

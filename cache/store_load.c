/* Loading snapshots from the store, on the caller's thread.
 *
 * A snapshot is read inside one read transaction, so all of its parts are of one commit. */
#include <string.h>

#include "cache/base/err.h"
#include "cache/model_private.h"
#include "cache/store.h"
#include "cache/store_sql.h"

typedef struct {
    Store *store;
    Connection *connection; /* in a read transaction */
} Reader;

static gboolean
reader_begin(Reader *reader, Store *store, GError **error)
{
    reader->store = store;
    reader->connection = store_take_reader(store, error);
    if (!reader->connection) {
        return FALSE;
    }
    if (sqlite3_exec(reader->connection->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        connection_set_error(reader->connection, error);
        return FALSE;
    }
    return TRUE;
}

static void
reader_end(Reader *reader)
{
    if (!reader->connection) {
        return;
    }
    for (int i = 0; i < N_SQL; i++) {
        if (reader->connection->statements[i]) {
            (void)sqlite3_reset(reader->connection->statements[i]);
        }
    }
    (void)sqlite3_exec(reader->connection->db, "COMMIT", NULL, NULL, NULL);
    store_give_reader(reader->store, reader->connection);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_end)

/* Grows `array` by one zeroed element and returns it. */
#define APPEND(array) (g_array_set_size((array), (array)->len + 1), (array)->len - 1)

/* Hands the elements of a GArray over to a plain array that the snapshot owns. */
static gpointer
take_elements(GArray *array, guint *ret_n)
{
    *ret_n = array->len;
    return g_array_free(array, FALSE);
}

static gint64
integer_at(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_int64(statement, column);
}

Account *
store_load_account(Store *store, gint64 *ret_checked_ms, GError **error)
{
    g_auto(Reader) reader = {NULL, NULL};
    if (!reader_begin(&reader, store, error)) {
        return NULL;
    }
    Connection *db = reader.connection;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_ACCOUNT, error, "");
    if (!row || connection_step(db, row, error) != 1) {
        return NULL;
    }
    g_autoptr(Account) account = model_account_new();
    account->me.id = integer_at(row, 0);
    account->me.name = column_string(row, 1);
    account->me.username = column_string(row, 2);
    account->me.initials = column_string(row, 3);
    account->created_ms = integer_at(row, 4);
    account->updated_ms = integer_at(row, 5);
    account->record = column_text(row, 6);
    *ret_checked_ms = integer_at(row, 7);

    GArray *projects = g_array_new(FALSE, TRUE, sizeof(ProjectName));
    int more = -1;
    row = connection_bind(db, SQL_GET_ACCOUNT_PROJECTS, error, "");
    while (row && (more = connection_step(db, row, error)) == 1) {
        ProjectName *project = &g_array_index(projects, ProjectName, APPEND(projects));
        project->id = integer_at(row, 0);
        project->name = column_string(row, 1);
        project->created_ms = integer_at(row, 2);
        project->updated_ms = integer_at(row, 3);
    }
    account->projects = take_elements(projects, &account->n_projects);
    return more == 0 ? g_steal_pointer(&account) : NULL;
}

static gboolean
load_members(Connection *db, Project *project, GError **error)
{
    GArray *members = g_array_new(FALSE, TRUE, sizeof(Member));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_MEMBERS, error, "i", project->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Member *member = &g_array_index(members, Member, APPEND(members));
        member->person.id = integer_at(row, 0);
        member->person.name = column_string(row, 1);
        member->person.username = column_string(row, 2);
        member->person.initials = column_string(row, 3);
        member->membership_id = integer_at(row, 4);
        member->created_ms = integer_at(row, 5);
        member->updated_ms = integer_at(row, 6);
        member->role = column_string(row, 7);
        member->record = column_text(row, 8);
    }
    project->members = take_elements(members, &project->n_members);
    return more == 0;
}

static gboolean
load_labels(Connection *db, Project *project, GError **error)
{
    GArray *labels = g_array_new(FALSE, TRUE, sizeof(Label));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_LABELS, error, "i", project->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Label *label = &g_array_index(labels, Label, APPEND(labels));
        label->id = integer_at(row, 0);
        label->name = column_string(row, 1);
        label->created_ms = integer_at(row, 2);
        label->updated_ms = integer_at(row, 3);
    }
    project->labels = take_elements(labels, &project->n_labels);
    return more == 0;
}

static gboolean
load_comments(Connection *db, SqlId sql, gint64 owner_id, Comment **ret_comments, guint *ret_n,
              GError **error)
{
    GArray *comments = g_array_new(FALSE, TRUE, sizeof(Comment));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, sql, error, "i", owner_id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Comment *comment = &g_array_index(comments, Comment, APPEND(comments));
        comment->id = integer_at(row, 0);
        comment->person_id = integer_at(row, 1);
        comment->created_ms = integer_at(row, 2);
        comment->updated_ms = integer_at(row, 3);
        comment->author = column_string(row, 4);
        comment->text = column_text(row, 5);
    }
    *ret_comments = take_elements(comments, ret_n);
    return more == 0;
}

static gboolean
load_epics(Connection *db, Project *project, GError **error)
{
    GArray *epics = g_array_new(FALSE, TRUE, sizeof(Epic));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_EPICS, error, "i", project->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Epic *epic = &g_array_index(epics, Epic, APPEND(epics));
        epic->id = integer_at(row, 0);
        epic->label_id = integer_at(row, 1);
        epic->created_ms = integer_at(row, 2);
        epic->updated_ms = integer_at(row, 3);
        epic->name = column_string(row, 4);
        epic->url = column_string(row, 5);
        epic->record = column_text(row, 6);
        epic->description = column_text(row, 7);
    }
    project->epics = take_elements(epics, &project->n_epics);
    for (guint i = 0; more == 0 && i < project->n_epics; i++) {
        Epic *epic = &project->epics[i];
        if (!load_comments(db, SQL_GET_EPIC_COMMENTS, epic->id, &epic->comments, &epic->n_comments,
                           error)) {
            return FALSE;
        }
    }
    return more == 0;
}

static guint
column_ids(sqlite3_stmt *row, int column)
{
    return (guint)((gsize)sqlite3_column_bytes(row, column) / sizeof(gint64));
}

static void
copy_column_ids(gint64 *to, sqlite3_stmt *row, int column, guint n)
{
    if (n > 0) {
        memcpy(to, sqlite3_column_blob(row, column), n * sizeof *to);
    }
}

static gboolean
load_iterations(Connection *db, Project *project, GError **error)
{
    GArray *iterations = g_array_new(FALSE, TRUE, sizeof(Iteration));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_ITERATIONS, error, "i", project->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Iteration *iteration = &g_array_index(iterations, Iteration, APPEND(iterations));
        iteration->number = integer_at(row, 0);
        iteration->start_ms = integer_at(row, 1);
        iteration->finish_ms = integer_at(row, 2);
        iteration->record = column_text(row, 3);
        iteration->n_stories = column_ids(row, 4);
        iteration->story_ids = g_new(gint64, iteration->n_stories + 1);
        copy_column_ids(iteration->story_ids, row, 4, iteration->n_stories);
    }
    project->iterations = take_elements(iterations, &project->n_iterations);
    return more == 0;
}

static StoryRow *
load_story_row(sqlite3_stmt *row)
{
    StoryRow *story = model_story_row_new(column_ids(row, 7), column_ids(row, 8),
                                          column_ids(row, 9), column_ids(row, 10));
    story->id = integer_at(row, 0);
    story->created_ms = integer_at(row, 1);
    story->updated_ms = integer_at(row, 2);
    story->name = column_string(row, 3);
    story->story_type = g_intern_string((const char *)sqlite3_column_text(row, 4));
    story->current_state = g_intern_string((const char *)sqlite3_column_text(row, 5));
    story->requested_by_id = integer_at(row, 6);
    copy_column_ids(story->owner_ids, row, 7, story->n_owners);
    copy_column_ids(story->follower_ids, row, 8, story->n_followers);
    copy_column_ids(story->reviewer_ids, row, 9, story->n_reviewers);
    copy_column_ids(story->label_ids, row, 10, story->n_labels);
    story->blocked = sqlite3_column_int(row, 11) != 0;
    story->digest = (guint64)integer_at(row, 12);
    return story;
}

static gboolean
load_story_rows(Connection *db, Project *project, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)story_row_unref);
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_STORY_ROWS, error, "i", project->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        g_ptr_array_add(rows, load_story_row(row));
    }
    project_set_stories(project, g_steal_pointer(&rows));
    return more == 0;
}

Project *
store_load_project(Store *store, gint64 project_id, gint64 *ret_checked_ms, gboolean *ret_filled,
                   GError **error)
{
    g_auto(Reader) reader = {NULL, NULL};
    if (!reader_begin(&reader, store, error)) {
        return NULL;
    }
    Connection *db = reader.connection;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_PROJECT, error, "i", project_id);
    if (!row || connection_step(db, row, error) != 1) {
        return NULL;
    }
    g_autoptr(Project) project = project_new(project_id);
    project->account_id = integer_at(row, 0);
    project->version = integer_at(row, 1);
    project->created_ms = integer_at(row, 2);
    project->updated_ms = integer_at(row, 3);
    project->current_iteration = integer_at(row, 4);
    project->name = column_string(row, 5);
    project->record = column_text(row, 6);
    project->profile = column_text(row, 7);
    *ret_checked_ms = integer_at(row, 8);
    *ret_filled = sqlite3_column_int(row, 9) != 0;
    if (sqlite3_column_bytes(row, 10) == sizeof project->left_out) {
        memcpy(project->left_out, sqlite3_column_blob(row, 10), sizeof project->left_out);
    }
    if (!load_members(db, project, error) || !load_labels(db, project, error) ||
        !load_epics(db, project, error) || !load_iterations(db, project, error) ||
        !load_story_rows(db, project, error)) {
        return NULL;
    }
    project_finish(project);
    return g_steal_pointer(&project);
}

static gboolean
load_tasks(Connection *db, Story *story, GError **error)
{
    GArray *tasks = g_array_new(FALSE, TRUE, sizeof(Task));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_TASKS, error, "i", story->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Task *task = &g_array_index(tasks, Task, APPEND(tasks));
        task->id = integer_at(row, 0);
        task->position = integer_at(row, 1);
        task->complete = sqlite3_column_int(row, 2) != 0;
        task->created_ms = integer_at(row, 3);
        task->updated_ms = integer_at(row, 4);
        task->description = column_text(row, 5);
    }
    story->tasks = take_elements(tasks, &story->n_tasks);
    return more == 0;
}

static gboolean
load_attachments(Connection *db, Story *story, GError **error)
{
    GArray *attachments = g_array_new(FALSE, TRUE, sizeof(Attachment));
    int more = -1;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_ATTACHMENTS, error, "i", story->id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        Attachment *file = &g_array_index(attachments, Attachment, APPEND(attachments));
        file->id = integer_at(row, 0);
        file->comment_id = integer_at(row, 1);
        file->uploader_id = integer_at(row, 2);
        file->size_bytes = integer_at(row, 3);
        file->created_ms = integer_at(row, 4);
        file->filename = column_string(row, 5);
        file->content_type = column_string(row, 6);
        file->download_url = column_string(row, 7);
    }
    story->attachments = take_elements(attachments, &story->n_attachments);
    return more == 0;
}

Story *
store_load_story(Store *store, gint64 story_id, GError **error)
{
    g_auto(Reader) reader = {NULL, NULL};
    if (!reader_begin(&reader, store, error)) {
        return NULL;
    }
    Connection *db = reader.connection;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_STORY, error, "i", story_id);
    if (!row || connection_step(db, row, error) != 1) {
        return NULL;
    }
    g_autoptr(Story) story = model_story_new();
    story->id = story_id;
    story->project_id = integer_at(row, 0);
    story->created_ms = integer_at(row, 1);
    story->updated_ms = integer_at(row, 2);
    story->name = column_string(row, 3);
    story->url = column_string(row, 4);
    story->record = column_text(row, 5);
    story->description = column_text(row, 6);
    if (!load_comments(db, SQL_GET_COMMENTS, story_id, &story->comments, &story->n_comments,
                       error) ||
        !load_tasks(db, story, error) || !load_attachments(db, story, error)) {
        return NULL;
    }
    model_story_finish(story);
    return g_steal_pointer(&story);
}

/* The first column of the first row, 0 when there is none. */
static gint64
single_value(Connection *db, SqlId sql, gint64 id)
{
    sqlite3_stmt *row = connection_bind(db, sql, NULL, "i", id);
    gint64 value = row && connection_step(db, row, NULL) == 1 ? integer_at(row, 0) : 0;
    if (row) {
        (void)sqlite3_reset(row);
    }
    return value;
}

Activity *
store_load_activity(Store *store, char kind, gint64 id, gint64 *ret_version, GError **error)
{
    const char kind_text[] = {kind, '\0'};
    g_auto(Reader) reader = {NULL, NULL};
    if (!reader_begin(&reader, store, error)) {
        return NULL;
    }
    Connection *db = reader.connection;
    sqlite3_stmt *row = connection_bind(db, SQL_GET_ACTIVITY_STATE, error, "si", kind_text, id);
    if (!row || connection_step(db, row, error) != 1) {
        return NULL;
    }
    *ret_version = integer_at(row, 0);
    g_autoptr(Activity) activity = model_activity_new();
    activity->changed_ms = single_value(db,
                                        kind == 'p'   ? SQL_PROJECT_CREATED
                                        : kind == 's' ? SQL_STORY_CREATED
                                                      : SQL_EPIC_CREATED,
                                        id);
    g_autoptr(GString) lines = g_string_new(NULL);
    int more = -1;
    row = connection_bind(db, SQL_GET_ACTIVITY, error, "si", kind_text, id);
    while (row && (more = connection_step(db, row, error)) == 1) {
        (void)g_string_append_len(lines, (const char *)sqlite3_column_text(row, 0),
                                  sqlite3_column_bytes(row, 0));
        g_string_append_c(lines, '\n');
        activity->changed_ms = integer_at(row, 1);
    }
    if (more != 0) {
        return NULL;
    }
    activity->lines.length = lines->len;
    activity->lines.data = g_string_free(g_steal_pointer(&lines), FALSE);
    return g_steal_pointer(&activity);
}

static gint64
find_project(Store *store, SqlId sql, gint64 id)
{
    g_auto(Reader) reader = {NULL, NULL};
    return reader_begin(&reader, store, NULL) ? single_value(reader.connection, sql, id) : 0;
}

gint64
store_find_story_project(Store *store, gint64 story_id)
{
    return find_project(store, SQL_FIND_STORY, story_id);
}

gint64
store_find_epic_project(Store *store, gint64 epic_id)
{
    return find_project(store, SQL_FIND_EPIC, epic_id);
}

/* One connection for each question. */
#include "support_query.h"

gint64
query_number(Db *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(db, &error);
    g_assert_no_error(error);
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    gboolean found = db_next(stmt);
    gint64 number = found ? db_int(stmt, 0) : 0;
    (void)db_check(conn, &error);
    g_assert_no_error(error);
    g_assert_true(found);
    return number;
}

char *
query_text(Db *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DbConn) conn = db_take(db, &error);
    g_assert_no_error(error);
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);
    char *text = db_next(stmt) ? g_strdup(db_text(stmt, 0)) : NULL;
    (void)db_check(conn, &error);
    g_assert_no_error(error);
    return text;
}

json_t *
query_get(Tracker *tracker, const char *path, const char *query)
{
    const TrackerRequest request = {.method = "GET",
                                    .path = path,
                                    .query = query,
                                    .trusted_person_id = tracker_local_person(tracker)};
    TrackerResponse response;
    tracker_handle(tracker, &request, &response);
    json_t *body = NULL;
    if (response.status == 200) {
        body = json_loadb(response.body->str, response.body->len, JSON_ALLOW_NUL, NULL);
        g_assert_nonnull(body);
    }
    tracker_response_clear(&response);
    return body;
}

/* What the caller is told: notifications, newest first, by both of their paths. They are not paged;
 * a client comes back with the header's time as created_after. */
#include "tracker/routes.h"

#include <string.h>

#define TYPES "story,epic,comment,comment_with_mention,blocker"

/* The time of the newest notification of all, whatever the request asked for. */
static void
note_newest(Call *call)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(call->conn, "SELECT MAX(created_at) FROM notification WHERE person_id = ?1");

    db_bind_int(stmt, 1, call->person_id);
    call->last_notification_ms = db_next(stmt) ? db_int(stmt, 0) : 0;
}

/* notification_types is a comma list; (unsure) in the reference beyond its name. */
static gboolean
check_types(Call *call, const char *types)
{
    g_auto(GStrv) names = g_strsplit(types, ",", -1);
    g_auto(GStrv) known = g_strsplit(TYPES, ",", -1);

    for (guint i = 0; names[i]; i++) {
        if (!g_strv_contains((const char *const *)known, names[i])) {
            return call_fail_text(call, "'notification_types' must be one of: story, epic, "
                                        "comment, comment_with_mention, blocker");
        }
    }
    return TRUE;
}

static gboolean
answer_notifications(Call *call, Where *where)
{
    DbStmt *stmt;

    note_newest(call);
    where_int(where, "t.person_id = ?", call->person_id);
    stmt = where_prepare(where, call->conn, "SELECT t.id FROM notification t WHERE TRUE",
                         " ORDER BY t.created_at DESC, t.id DESC");
    return call_answer_stmt(call, &kind_notification, stmt);
}

gboolean
read_my_notifications(Call *call)
{
    const char *types = call_param(call, "notification_types");
    g_auto(Where) where;

    where_init(&where);
    if (!where_time(&where, call, "created_after", "t.created_at > ?") ||
        (types && !check_types(call, types))) {
        return FALSE;
    }
    if (types) {
        g_autofree char *list = g_strdup_printf(",%s,", types);

        where_text(&where, "instr(?, ',' || t.notification_type || ',') > 0", list);
    }
    return answer_notifications(call, &where);
}

/* The old form; only one's own. */
gboolean
read_notifications_since(Call *call)
{
    g_auto(Where) where;

    where_init(&where);
    if (call->path_person_id != call->person_id) {
        return call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    where_int(&where, "t.created_at > ?", call->id);
    return answer_notifications(call, &where);
}

gboolean
read_my_notification(Call *call)
{
    return call_answer_child(call, &kind_notification,
                             "SELECT 1 FROM notification WHERE id = ?1 AND person_id = ?2",
                             call->person_id);
}

/* Review types: made and hidden, never deleted. */
#include "tracker/changes.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

static gboolean
check_name(Call *call, const char *name)
{
    return name && write_is_blank(name) ? call_fail_field(call, "name", "Name can't be blank")
                                        : TRUE;
}

gboolean
write_review_type_create(Call *call)
{
    const char *name = body_text(call->given, "name");
    gint64 id;

    if (!check_name(call, name)) {
        return FALSE;
    }
    (void)row_run(call->conn,
                  "INSERT INTO review_type(project_id, name, hidden, created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?4, ?4)",
                  "itbi", call->project_id, name, body_bool(call->given, "hidden", FALSE),
                  change_now(call));
    id = db_last_id(call->conn);
    change_created(call, &kind_review_type, id);
    change_describe(call, "review_type_create_activity", "added", "added review type: \"%s\"",
                    name);
    return change_close(call) && call_answer_one(call, &kind_review_type, id);
}

gboolean
write_review_type_update(Call *call)
{
    const char *name = body_text(call->given, "name");

    if (!row_int(call->conn, "SELECT 1 FROM review_type WHERE id = ?1 AND project_id = ?2", "ii",
                 call->id, call->project_id)) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    if (!check_name(call, name)) {
        return FALSE;
    }
    change_touch(call, &kind_review_type, call->id);
    (void)row_run(call->conn, "UPDATE review_type SET name = COALESCE(?2, name) WHERE id = ?1",
                  "it", call->id, name);
    if (body_has(call->given, "hidden")) {
        (void)row_run(call->conn, "UPDATE review_type SET hidden = ?2 WHERE id = ?1", "ib",
                      call->id, body_bool(call->given, "hidden", FALSE));
    }
    change_describe(call, "review_type_update_activity", "edited", "edited this review type");
    return change_close(call) && call_answer_one(call, &kind_review_type, call->id);
}

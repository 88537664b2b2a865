/* An activity is gone through change by change. Each kind of change has its reasons to tell
 * somebody, the weightiest first; nobody is told twice of one object: who is mentioned hears of the
 * mention, not of the comment as well.
 *
 * Of the sentences only those of mentions and owners were recorded; the others are (unsure). */
#include "tracker/notify.h"

#include <string.h>

#include "tracker/mentions.h"
#include "tracker/people.h"
#include "tracker/rows.h"

/* What is told, and who was told already. */
typedef struct Notice {
    const char *type, *action;
    const char *context;                  /* NULL: none */
    gint64 n_attachments;                 /* negative: the notice says nothing of any */
    gint64 story_id, epic_id, comment_id; /* 0: none */
    GArray *told;                         /* of gint64 */
} Notice;

static void
notice_clear(Notice *notice)
{
    g_clear_pointer(&notice->told, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Notice, notice_clear)

static gint64
int_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static gboolean
has_id(const json_t *list, gint64 id)
{
    const json_t *item;
    gsize i;

    json_array_foreach(list, i, item)
    {
        if (json_integer_value(item) == id) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
was_told(const Notice *notice, gint64 person_id)
{
    for (guint i = 0; i < notice->told->len; i++) {
        if (g_array_index(notice->told, gint64, i) == person_id) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Is the person an active member who wants to be told, of mentions if it is one? */
static gboolean
wants(Call *call, gint64 project_id, gint64 person_id, gboolean mention)
{
    return row_int(call->conn,
                   "SELECT 1 FROM membership m JOIN person p ON p.id = m.person_id"
                   " WHERE m.project_id = ?1 AND m.person_id = ?2 AND m.role <> 'inactive'"
                   " AND COALESCE(p.receives_in_app_notifications, 1)"
                   " AND (NOT ?3 OR COALESCE(m.will_receive_mention_notifications_or_emails, 1))",
                   "iib", project_id, person_id, mention) != 0;
}

/* `format` has one %s, for the name of who did it. */
static void
tell(Call *call, const Activity *activity, Notice *notice, gint64 person_id, const char *format)
{
    gboolean mention = strcmp(notice->type, "comment_with_mention") == 0;
    g_autofree char *name = NULL, *message = NULL;
    g_auto(GStrv) parts = NULL;

    if (person_id == 0 || person_id == call->person_id || was_told(notice, person_id) ||
        !wants(call, activity->project_id, person_id, mention)) {
        return;
    }
    g_array_append_val(notice->told, person_id);
    name = people_name(call->conn, call->person_id);
    parts = g_strsplit(format, "%s", 2);
    message = g_strjoin(name, parts[0], parts[1], NULL);
    (void)row_run(call->conn,
                  "INSERT INTO notification(person_id, project_id, performer_id, message, context,"
                  " notification_type, action, new_attachment_count, story_id, epic_id, comment_id,"
                  " created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, NULLIF(?8, -1), ?9, ?10, ?11, ?12, ?12)",
                  "iiittttiIIIi", person_id, activity->project_id, call->person_id, message,
                  notice->context, notice->type, notice->action, notice->n_attachments,
                  notice->story_id, notice->epic_id, notice->comment_id, change_now(call));
}

static void
tell_all(Call *call, const Activity *activity, Notice *notice, const GArray *ids,
         const char *format)
{
    for (guint i = 0; i < ids->len; i++) {
        tell(call, activity, notice, g_array_index(ids, gint64, i), format);
    }
}

static GArray *
people_by(Call *call, const char *sql, gint64 id)
{
    DbStmt *stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, id);
    return render_ids(stmt);
}

static GArray *
followers_of(Call *call, const Notice *notice)
{
    return notice->story_id ? people_by(call,
                                        "SELECT person_id FROM story_follower WHERE story_id = ?1"
                                        " ORDER BY person_id",
                                        notice->story_id)
                            : people_by(call,
                                        "SELECT person_id FROM epic_follower WHERE epic_id = ?1"
                                        " ORDER BY person_id",
                                        notice->epic_id);
}

static GArray *
owners_of(Call *call, gint64 story_id)
{
    return people_by(
        call, "SELECT person_id FROM story_owner WHERE story_id = ?1 ORDER BY position", story_id);
}

/* ---- comments ---- */

/* Who was mentioned before is not told again when the text is edited. */
static void
skip_mentioned(Call *call, const Activity *activity, Notice *notice, const Change *change)
{
    g_autoptr(GArray) ids =
        mentions_in(call, activity->project_id, text_of(change->before, "text"));

    g_array_append_vals(notice->told, ids->data, ids->len);
}

static void
notify_comment(Call *call, const Activity *activity, const Change *change)
{
    gboolean is_new = change->type == CHANGE_CREATE;
    g_auto(Notice) notice = {
        .type = "comment_with_mention",
        .action = "create",
        .context = text_of(change->after, "text"),
        .n_attachments = (gint64)json_array_size(json_object_get(change->after, "attachment_ids")),
        .story_id = int_of(change->after, "story_id"),
        .epic_id = int_of(change->after, "epic_id"),
        .comment_id = change->id,
        .told = g_array_new(FALSE, FALSE, sizeof(gint64)),
    };
    g_autoptr(GArray) mentioned = mentions_in(call, activity->project_id, notice.context);
    g_autoptr(GArray) followers = NULL;

    if (!is_new) {
        skip_mentioned(call, activity, &notice, change);
    }
    tell_all(call, activity, &notice, mentioned, "You were mentioned by %s");
    if (is_new) {
        notice.type = "comment";
        followers = followers_of(call, &notice);
        tell_all(call, activity, &notice, followers,
                 notice.story_id ? "%s commented on this story" : "%s commented on this epic");
    }
}

/* ---- stories ---- */

static void
notify_owners(Call *call, const Activity *activity, const Change *change, Notice *notice)
{
    const json_t *before = json_object_get(change->before, "owner_ids"), *item;
    gsize i;

    notice->action = "ownership";
    json_array_foreach(json_object_get(change->after, "owner_ids"), i, item)
    {
        if (!has_id(before, json_integer_value(item))) {
            tell(call, activity, notice, json_integer_value(item),
                 "%s has made you an owner of this story");
        }
    }
}

static void
notify_state(Call *call, const Activity *activity, const Change *change, Notice *notice)
{
    static const struct {
        const char *state, *action, *message;
    } states[] = {
        {"delivered", "delivery", "%s delivered this story"},
        {"accepted", "acceptance", "%s accepted this story"},
        {"rejected", "rejection", "%s rejected this story"},
    };
    const char *state = text_of(change->after, "current_state");

    if (!change->before || g_strcmp0(state, text_of(change->before, "current_state")) == 0) {
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_strcmp0(state, states[i].state) == 0) {
            g_autoptr(GArray) owners = owners_of(call, change->id);
            g_autoptr(GArray) followers = followers_of(call, notice);

            notice->action = states[i].action;
            tell(call, activity, notice, int_of(change->after, "requested_by_id"),
                 states[i].message);
            tell_all(call, activity, notice, owners, states[i].message);
            tell_all(call, activity, notice, followers, states[i].message);
        }
    }
}

static void
notify_story(Call *call, const Activity *activity, const Change *change)
{
    g_auto(Notice) notice = {
        .type = "story",
        .n_attachments = -1,
        .story_id = change->id,
        .told = g_array_new(FALSE, FALSE, sizeof(gint64)),
    };

    notify_owners(call, activity, change, &notice);
    notify_state(call, activity, change, &notice);
}

static void
notify_blocker(Call *call, const Activity *activity, const Change *change)
{
    g_auto(Notice) notice = {
        .type = "blocker",
        .action = "create",
        .context = text_of(change->after, "description"),
        .n_attachments = -1,
        .story_id = int_of(change->after, "story_id"),
        .told = g_array_new(FALSE, FALSE, sizeof(gint64)),
    };
    g_autoptr(GArray) owners = owners_of(call, notice.story_id);
    g_autoptr(GArray) followers = followers_of(call, &notice);

    tell_all(call, activity, &notice, owners, "%s added a blocker to this story");
    tell_all(call, activity, &notice, followers, "%s added a blocker to this story");
}

void
notify_recorded(Call *call, const Activity *activity)
{
    for (guint i = 0; i < activity->changes->len; i++) {
        const Change *change = g_ptr_array_index(activity->changes, i);

        if (change->type == CHANGE_DELETE || change->arrived) {
            continue;
        }
        if (change->kind == &kind_comment) {
            notify_comment(call, activity, change);
        } else if (change->kind == &kind_story) {
            notify_story(call, activity, change);
        } else if (change->kind == &kind_blocker && change->type == CHANGE_CREATE) {
            notify_blocker(call, activity, change);
        }
    }
}

/* An announced object is kept as a JSON object of its tracked attributes, rendered by the same code
 * that answers GET: so an activity can never tell anything else than a reader would have seen.
 * change_close() renders each once more and compares.
 *
 * updated_at: set in one place, here, and only for what differs. A second change within the same
 * second leaves the same updated_at, and then the entry of a story on which only something hangs
 * is empty and left out, as in V5. */
#include "tracker/changes.h"

#include <string.h>

#include "tracker/changes_internal.h"
#include "tracker/iteration_override.h"
#include "tracker/json_writer.h"
#include "tracker/rows.h"

#define STORY_FIELDS                                                                               \
    "project_id,name,description,story_type,current_state,estimate,accepted_at,deadline,"          \
    "requested_by_id,owned_by_id,owner_ids,label_ids,follower_ids,created_at,updated_at,"          \
    "before_id,after_id,external_id,integration_id,story_priority,labels(name),url"
#define COMMENT_FIELDS                                                                             \
    "story_id,epic_id,text,person_id,created_at,updated_at,commit_identifier,commit_type,"         \
    "file_attachment_ids,google_attachment_ids,attachment_ids,file_attachments,google_attachments"

static const Tracked tracked[] = {
    {&kind_story, STORY_FIELDS, "name,story_type", NULL, TRUE},
    {&kind_epic,
     "project_id,name,label_id,description,follower_ids,created_at,updated_at,before_id,after_id,"
     "label(name),url",
     "name", NULL, TRUE},
    {&kind_label, "project_id,name,created_at,updated_at,counts", "name", NULL, TRUE},
    {&kind_comment, COMMENT_FIELDS, "", "story_id, epic_id", TRUE},
    {&kind_task, "story_id,description,complete,position,created_at,updated_at", "",
     "story_id, NULL", TRUE},
    {&kind_blocker, "story_id,person_id,description,resolved,created_at,updated_at", "",
     "story_id, NULL", TRUE},
    {&kind_review, "story_id,review_type_id,reviewer_id,status,created_at,updated_at", "",
     "story_id, NULL", TRUE},
    {&kind_pull_request,
     "story_id,owner,repo,host_url,original_url,status,number,created_at,updated_at", "",
     "story_id, NULL", TRUE},
    {&kind_branch, "story_id,owner,repo,host_url,name,created_at,updated_at", "", "story_id, NULL",
     TRUE},
    {&kind_file_attachment, "filename,content_type,size", "", NULL, FALSE},
    {&kind_google_attachment, "comment_id,person_id,google_kind,title,google_id,alternate_link", "",
     NULL, FALSE},
    {&kind_review_type, "project_id,name,hidden,created_at,updated_at", "", NULL, TRUE},
    {&kind_project,
     "name,iteration_length,week_start_day,point_scale,point_scale_is_custom,"
     "bugs_and_chores_are_estimatable,automatic_planning,enable_tasks,start_date,time_zone,"
     "velocity_averaged_over,number_of_done_iterations_to_show,description,profile_content,"
     "enable_incoming_emails,initial_velocity,project_type,public,atom_enabled,account_id,"
     "show_story_priority,show_priority_icon,show_priority_icon_in_all_panels,updated_at",
     "", NULL, TRUE},
    {&kind_membership,
     "person_id,project_id,role,project_color,wants_comment_notification_emails,"
     "will_receive_mention_notifications_or_emails,created_at,updated_at",
     "", NULL, TRUE},
    /* Known by its number: iteration_override_snapshot(). */
    {&kind_iteration_override, "", "", NULL, FALSE},
};

const Tracked *
changes_tracked(const Kind *kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tracked); i++) {
        if (tracked[i].kind == kind) {
            return &tracked[i];
        }
    }
    g_assert_not_reached();
}

static void
change_free(gpointer data)
{
    Change *change = data;

    json_decref(change->before);
    json_decref(change->after);
    g_free(change);
}

static void
forget(ChangeSet *changes)
{
    g_ptr_array_set_size(changes->subjects, 0);
    g_ptr_array_set_size(changes->entries, 0);
    g_clear_pointer(&changes->kind, g_free);
    g_clear_pointer(&changes->highlight, g_free);
    g_clear_pointer(&changes->sentence, g_free);
}

void
changes_free(ChangeSet *changes)
{
    if (!changes) {
        return;
    }
    forget(changes);
    g_ptr_array_unref(changes->subjects);
    g_ptr_array_unref(changes->entries);
    g_free(changes);
}

static ChangeSet *
changes_of(Call *call)
{
    if (!call->changes) {
        call->changes = g_new0(ChangeSet, 1);
        call->changes->project_id = call->project_id;
        call->changes->entries = g_ptr_array_new_with_free_func(change_free);
        call->changes->subjects = g_ptr_array_new();
    }
    return call->changes;
}

/* Activities name labels, where stories and epics nest them. */
static void
name_labels(json_t *object)
{
    json_t *labels = json_object_get(object, "labels"), *label = json_object_get(object, "label");

    if (labels) {
        json_t *names = json_array(), *item;
        gsize i;

        json_array_foreach(labels, i, item)
        {
            (void)json_array_append(names, json_object_get(item, "name"));
        }
        (void)json_object_set_new(object, "labels", names);
    }
    if (json_is_object(label)) {
        json_t *name = json_incref(json_object_get(label, "name"));

        (void)json_object_set_new(object, "label", name);
    }
}

json_t *
changes_snapshot(Call *call, const Kind *kind, gint64 id)
{
    g_autoptr(Selection) selection = fields_select(kind, changes_tracked(kind)->fields, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean millis = call->render.millis;
    json_t *object = NULL;

    if (kind == &kind_iteration_override) {
        return iteration_override_snapshot(call, id);
    }
    call->render.millis = FALSE; /* activities are stored with ISO 8601 times */
    if (render_one(&call->render, selection, id, text)) {
        object = json_loadb(text->str, text->len, 0, NULL);
    }
    call->render.millis = millis;
    if (object) {
        name_labels(object);
    }
    return object;
}

/* Where an object stands among its like, kept beside the snapshot; 0 for what has no order. */
static gint64
position_of(Call *call, const Kind *kind, gint64 id)
{
    if (kind != &kind_story && kind != &kind_epic) {
        return 0;
    }
    return row_int(call->conn,
                   kind == &kind_story ? "SELECT position FROM story WHERE id = ?1"
                                       : "SELECT position FROM epic WHERE id = ?1",
                   "i", id);
}

/* Who did not move has no new neighbours to tell of: it is they who came or went. */
static void
keep_neighbours(Change *change)
{
    static const char *const names[] = {"before_id", "after_id"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        json_t *value = json_object_get(change->before, names[i]);

        if (value) {
            (void)json_object_set(change->after, names[i], value);
        } else {
            (void)json_object_del(change->after, names[i]);
        }
    }
}

static Change *
find_entry(ChangeSet *changes, const Kind *kind, gint64 id)
{
    for (guint i = 0; i < changes->entries->len; i++) {
        Change *change = g_ptr_array_index(changes->entries, i);

        if (change->kind == kind && change->id == id) {
            return change;
        }
    }
    return NULL;
}

static Change *announce(Call *call, const Kind *kind, gint64 id, ChangeType type, gboolean quiet);

/* What the object hangs on; NULL: nothing. */
static Change *
announce_parent(Call *call, const Kind *kind, gint64 id)
{
    const Tracked *how = changes_tracked(kind);
    g_autofree char *sql = NULL;
    g_autoptr(DbStmt) stmt = NULL;

    if (!how->parents) {
        return NULL;
    }
    sql = g_strdup_printf("SELECT %s FROM %s WHERE id = ?1", how->parents, kind->table);
    stmt = db_prepare(call->conn, sql);
    db_bind_int(stmt, 1, id);
    if (!db_next(stmt)) {
        return NULL;
    }
    return db_is_null(stmt, 0) ? announce(call, &kind_epic, db_int(stmt, 1), CHANGE_UPDATE, FALSE)
                               : announce(call, &kind_story, db_int(stmt, 0), CHANGE_UPDATE, FALSE);
}

static Change *
announce(Call *call, const Kind *kind, gint64 id, ChangeType type, gboolean quiet)
{
    ChangeSet *changes = changes_of(call);
    Change *change = find_entry(changes, kind, id);

    if (change) {
        change->quiet = change->quiet && quiet;
        if (type == CHANGE_DELETE) {
            change->type = CHANGE_DELETE;
        }
        return change;
    }
    change = g_new0(Change, 1);
    change->kind = kind;
    change->id = id;
    change->type = type;
    change->quiet = quiet;
    change->before = type == CHANGE_CREATE ? NULL : changes_snapshot(call, kind, id);
    change->position = position_of(call, kind, id);
    g_ptr_array_add(changes->entries, change);
    (void)announce_parent(call, kind, id);
    return change;
}

void
change_touch(Call *call, const Kind *kind, gint64 id)
{
    (void)announce(call, kind, id, CHANGE_UPDATE, FALSE);
}

void
change_touch_quietly(Call *call, const Kind *kind, gint64 id)
{
    (void)announce(call, kind, id, CHANGE_UPDATE, TRUE);
}

void
change_created(Call *call, const Kind *kind, gint64 id)
{
    (void)announce(call, kind, id, CHANGE_CREATE, FALSE);
}

void
change_arrived(Call *call, const Kind *kind, gint64 id)
{
    announce(call, kind, id, CHANGE_CREATE, FALSE)->arrived = TRUE;
}

void
change_deleted(Call *call, const Kind *kind, gint64 id)
{
    (void)announce(call, kind, id, CHANGE_DELETE, FALSE);
}

void
change_describe(Call *call, const char *activity_kind, const char *highlight, const char *format,
                ...)
{
    ChangeSet *changes = changes_of(call);
    va_list values;

    g_free(changes->kind);
    g_free(changes->highlight);
    g_free(changes->sentence);
    changes->kind = g_strdup(activity_kind);
    changes->highlight = g_strdup(highlight);
    va_start(values, format);
    changes->sentence = g_strdup_vprintf(format, values);
    va_end(values);
}

void
change_subject(Call *call, const Kind *kind, gint64 id)
{
    ChangeSet *changes = changes_of(call);

    g_ptr_array_add(changes->subjects, announce(call, kind, id, CHANGE_UPDATE, FALSE));
}

void
change_project(Call *call, gint64 project_id)
{
    changes_of(call)->project_id = project_id;
}

gint64
change_now(const Call *call)
{
    return call->now_ms - call->now_ms % 1000;
}

gint64
change_version(Call *call)
{
    return row_int(call->conn, "SELECT version FROM project WHERE id = ?1", "i",
                   changes_of(call)->project_id) +
           1;
}

gboolean
changes_differ(const Change *change)
{
    switch (change->type) {
    case CHANGE_CREATE:
        return change->after != NULL;
    case CHANGE_DELETE:
        return change->before != NULL;
    case CHANGE_UPDATE:
        break;
    }
    return change->before && change->after && !json_equal(change->before, change->after);
}

static json_t *
time_json(gint64 at_ms)
{
    g_autoptr(GString) text = g_string_new(NULL);

    json_time(text, at_ms, FALSE);
    return json_loadb(text->str, text->len, JSON_DECODE_ANY, NULL);
}

static void
stamp(Call *call, Change *change)
{
    g_autofree char *sql = NULL;

    if (!changes_tracked(change->kind)->has_updated_at || !change->after) {
        return;
    }
    sql = g_strdup_printf("UPDATE %s SET updated_at = ?2 WHERE id = ?1", change->kind->table);
    (void)row_run(call->conn, sql, "ii", change->id, change_now(call));
    (void)json_object_set_new(change->after, "updated_at", time_json(change_now(call)));
}

/* The entry of what the object hangs on, announced with it. */
static Change *
parent_of(ChangeSet *changes, const Change *change)
{
    const json_t *values = change->before ? change->before : change->after;
    gint64 story_id, epic_id;

    if (!changes_tracked(change->kind)->parents || !values) {
        return NULL;
    }
    story_id = json_integer_value(json_object_get(values, "story_id"));
    epic_id = json_integer_value(json_object_get(values, "epic_id"));
    return story_id ? find_entry(changes, &kind_story, story_id)
                    : find_entry(changes, &kind_epic, epic_id);
}

/* Looks at every object again, then moves updated_at of those that differ and of what they hang
 * on. */
static gboolean
compare(Call *call, ChangeSet *changes)
{
    g_autoptr(GPtrArray) stamped = g_ptr_array_new();

    for (guint i = 0; i < changes->entries->len; i++) {
        Change *change = g_ptr_array_index(changes->entries, i);

        change->after =
            change->type == CHANGE_DELETE ? NULL : changes_snapshot(call, change->kind, change->id);
        if (change->type == CHANGE_UPDATE && change->after &&
            change->position == position_of(call, change->kind, change->id)) {
            keep_neighbours(change);
        }
    }
    for (guint i = 0; i < changes->entries->len; i++) {
        Change *change = g_ptr_array_index(changes->entries, i);
        Change *parent = parent_of(changes, change);

        if (changes_differ(change)) {
            if (change->type == CHANGE_UPDATE && !change->quiet) {
                g_ptr_array_add(stamped, change);
            }
            if (parent && parent->type == CHANGE_UPDATE) {
                g_ptr_array_add(stamped, parent);
            }
        }
    }
    for (guint i = 0; i < stamped->len; i++) {
        stamp(call, g_ptr_array_index(stamped, i));
    }
    for (guint i = 0; i < changes->entries->len; i++) {
        if (changes_differ(g_ptr_array_index(changes->entries, i))) {
            return TRUE;
        }
    }
    return FALSE;
}

static void
add_transition(Call *call, const Change *change, gint64 version)
{
    const char *before = json_string_value(json_object_get(change->before, "current_state"));
    const char *after = json_string_value(json_object_get(change->after, "current_state"));

    if (change->kind != &kind_story || change->arrived || !after || g_strcmp0(before, after) == 0) {
        return;
    }
    (void)row_run(call->conn,
                  "INSERT INTO story_transition(story_id, project_id, state, project_version,"
                  " occurred_at, performed_by_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                  "iitiii", change->id, call->changes->project_id, after, version, change_now(call),
                  call->person_id);
}

static char *
performer_name(Call *call)
{
    return row_text(call->conn,
                    "SELECT COALESCE((SELECT name FROM person WHERE id = ?1), 'Someone')", "i",
                    call->person_id);
}

/* Whose activity lists it is in. */
static void
link_activity(Call *call, const Change *change, gint64 activity_id)
{
    if (change->kind == &kind_story) {
        (void)row_run(call->conn,
                      "INSERT OR IGNORE INTO activity_story(story_id, activity_id) VALUES(?1, ?2)",
                      "ii", change->id, activity_id);
    } else if (change->kind == &kind_epic) {
        (void)row_run(call->conn,
                      "INSERT OR IGNORE INTO activity_epic(epic_id, activity_id) VALUES(?1, ?2)",
                      "ii", change->id, activity_id);
    }
}

static void
write_activity(Call *call, ChangeSet *changes, const GPtrArray *differing)
{
    gint64 version = change_version(call);
    g_autofree char *name = performer_name(call);
    g_autofree char *message = g_strdup_printf("%s %s", name, changes->sentence);
    g_autofree char *entries = changes_json(call, differing);
    g_autofree char *resources = changes_subjects_json(changes->subjects);
    Activity activity = {.project_id = changes->project_id,
                         .version = version,
                         .kind = changes->kind,
                         .message = message,
                         .changes = differing};

    (void)row_run(call->conn, "UPDATE project SET version = ?2 WHERE id = ?1", "ii",
                  changes->project_id, version);
    (void)row_run(call->conn,
                  "INSERT INTO activity(project_id, version, kind, message, highlight,"
                  " performed_by_id, occurred_at, changes, primary_resources, secondary_resources)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '[]')",
                  "iitttiitt", changes->project_id, version, changes->kind, message,
                  changes->highlight, call->person_id, change_now(call), entries, resources);
    activity.id = db_last_id(call->conn);
    for (guint i = 0; i < differing->len; i++) {
        link_activity(call, g_ptr_array_index(differing, i), activity.id);
        add_transition(call, g_ptr_array_index(differing, i), version);
    }
    for (guint i = 0; i < changes->subjects->len; i++) {
        link_activity(call, g_ptr_array_index(changes->subjects, i), activity.id);
    }
    if (changes->project_id == call->project_id) {
        call->project_version = version;
    }
    changes->n_activities++;
    change_hooks_recorded(call, &activity);
}

gboolean
change_close(Call *call)
{
    ChangeSet *changes = call->changes;
    g_autoptr(GPtrArray) differing = NULL;

    if (call->problem.code != PROBLEM_NONE) {
        return FALSE;
    }
    if (!changes || changes->entries->len == 0) {
        return TRUE;
    }
    if (compare(call, changes)) {
        g_assert(changes->kind); /* a handler that changes something says what */
        differing = g_ptr_array_new();
        for (guint i = 0; i < changes->entries->len; i++) {
            if (changes_differ(g_ptr_array_index(changes->entries, i))) {
                g_ptr_array_add(differing, g_ptr_array_index(changes->entries, i));
            }
        }
        if (changes->subjects->len == 0) {
            Change *first = g_ptr_array_index(changes->entries, 0);
            Change *parent = parent_of(changes, first);

            g_ptr_array_add(changes->subjects, parent ? parent : first);
        }
        write_activity(call, changes, differing);
    }
    forget(changes);
    return TRUE;
}

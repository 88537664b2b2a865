/* replay: does the script's deeds in order, as the service would: rows change, the version rises by
 * one, an activity says what changed (v5-reference 4.8, 5.6). A label named for the first time gets
 * an activity of its own before.
 *
 * The project order is an array of story indexes kept in four stretches: accepted, in progress,
 * unstarted, unscheduled. place() puts a story behind the last one of its stretch, and new
 * unscheduled ones on top of theirs. Stories are written at the end, when position and times are
 * final; what hangs on them is written at once. */
#include <string.h>

#include <jansson.h>

#include "tracker/files.h"
#include "tracker/planning.h"
#include "tracker/rows.h"
#include "tracker/sample/replay.h"

#define MAX_OWNERS 3

typedef struct Live {
    const SampleStory *table;
    gint64 id;
    const char *state;
    gboolean is_estimated;
    gint64 created_ms, updated_ms, accepted_ms;
    const char *owners; /* letters; "" before the start */
    GString *followers; /* letters */
    gint64 task_ids[SAMPLE_MAX_TASKS], review_ids[SAMPLE_MAX_REVIEWS], blocker_id;
    const char *review_status[SAMPLE_MAX_REVIEWS];
    gint64 review_updated_ms[SAMPLE_MAX_REVIEWS];
} Live;

typedef struct Replay {
    DbConn *conn;
    const SampleTime *time;
    Live *stories;
    guint n_stories;
    GArray *order;      /* guint: project order of stories that exist */
    GHashTable *labels; /* name -> gint64 * */
    gint64 version, now_ms;
    gint64 next_comment_id, next_task_id, next_attachment_id, next_review_id, next_blocker_id;
    GError *error;
} Replay;

static json_t *
json_time(gint64 at_ms)
{
    if (at_ms == 0) {
        return json_null();
    }
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    return json_string(text);
}

static json_t *
json_people(const char *letters)
{
    json_t *ids = json_array();
    for (const char *at = letters; at != NULL && *at != '\0'; at++) {
        (void)json_array_append_new(ids, json_integer(sample_person_id(*at)));
    }
    return ids;
}

static char *
minified(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text);
    json_decref(value);
    return copy;
}

/* ---- project order ---- */

static int
stretch_of(const Live *story)
{
    switch (plan_state_from_name(story->state)) {
    case PLAN_ACCEPTED:
        return 0;
    case PLAN_IN_PROGRESS:
        return 1;
    case PLAN_UNSTARTED:
    case PLAN_PLANNED:
        return 2;
    case PLAN_UNSCHEDULED:
        break;
    }
    return 3;
}

static void
place(Replay *replay, guint index)
{
    const int stretch = stretch_of(&replay->stories[index]);
    guint at = 0;
    for (guint i = 0; i < replay->order->len; i++) {
        if (g_array_index(replay->order, guint, i) == index) {
            g_array_remove_index(replay->order, i);
            break;
        }
    }
    while (at < replay->order->len) {
        int other = stretch_of(&replay->stories[g_array_index(replay->order, guint, at)]);
        if (other > stretch || (stretch == 3 && other == 3)) {
            break;
        }
        at++;
    }
    g_array_insert_val(replay->order, at, index);
}

/* Adds before_id and after_id, where there are neighbours. */
static void
add_neighbours(const Replay *replay, guint index, json_t *values)
{
    for (guint i = 0; i < replay->order->len; i++) {
        if (g_array_index(replay->order, guint, i) != index) {
            continue;
        }
        if (i + 1 < replay->order->len) {
            const Live *below = &replay->stories[g_array_index(replay->order, guint, i + 1)];
            (void)json_object_set_new(values, "before_id", json_integer(below->id));
        }
        if (i > 0) {
            const Live *above = &replay->stories[g_array_index(replay->order, guint, i - 1)];
            (void)json_object_set_new(values, "after_id", json_integer(above->id));
        }
    }
}

/* ---- activities ---- */

static json_t *
story_resource(const Live *story)
{
    g_autofree char *url =
        g_strdup_printf("https://www.pivotaltracker.com/story/show/%" G_GINT64_FORMAT, story->id);
    return json_pack("{s:s,s:I,s:s,s:s,s:s}", "kind", "story", "id", (json_int_t)story->id, "name",
                     story->table->name, "story_type", story->table->type, "url", url);
}

/* Takes the two values. Moves the story's updated_at to now, and says so. */
static json_t *
story_update(Replay *replay, Live *story, json_t *original, json_t *fresh)
{
    (void)json_object_set_new(original, "updated_at", json_time(story->updated_ms));
    (void)json_object_set_new(fresh, "updated_at", json_time(replay->now_ms));
    story->updated_ms = replay->now_ms;
    return json_pack("{s:s,s:s,s:I,s:o,s:o,s:s,s:s}", "kind", "story", "change_type", "update",
                     "id", (json_int_t)story->id, "original_values", original, "new_values", fresh,
                     "name", story->table->name, "story_type", story->table->type);
}

static json_t *
created(const char *kind, gint64 id, json_t *values)
{
    return json_pack("{s:s,s:s,s:I,s:o}", "kind", kind, "change_type", "create", "id",
                     (json_int_t)id, "new_values", values);
}

typedef struct Act {
    const char *kind;
    char who;
    const char *highlight;
    json_t *changes, *resources; /* given away */
    gint64 story_id, epic_id;    /* whose list it is in */
} Act;

/* The version is the one of replay->version, raised by the caller before it built the rows. */
static void G_GNUC_PRINTF(3, 4) act(Replay *replay, Act act, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    g_autofree char *sentence = g_strdup_vprintf(format, values);
    va_end(values);
    g_autofree char *message = g_strdup_printf("%s %s", sample_person(act.who)->name, sentence);
    g_autofree char *changes = minified(act.changes);
    g_autofree char *resources = minified(act.resources);
    (void)row_run(replay->conn,
                  "INSERT INTO activity(project_id, version, kind, message, highlight, "
                  "performed_by_id, occurred_at,"
                  " changes, primary_resources, secondary_resources) VALUES(?1, ?2, ?3, ?4, ?5, "
                  "?6, ?7, ?8, ?9, '[]')",
                  "iitttiitt", SAMPLE_PROJECT_ID, replay->version, act.kind, message, act.highlight,
                  sample_person_id(act.who), replay->now_ms, changes, resources);
    gint64 id = db_last_id(replay->conn);
    if (act.story_id != 0) {
        (void)row_run(replay->conn,
                      "INSERT INTO activity_story(story_id, activity_id) VALUES(?1, ?2)", "ii",
                      act.story_id, id);
    }
    if (act.epic_id != 0) {
        (void)row_run(replay->conn,
                      "INSERT INTO activity_epic(epic_id, activity_id) VALUES(?1, ?2)", "ii",
                      act.epic_id, id);
    }
}

static json_t *
list_of(json_t *first)
{
    json_t *list = json_array();
    if (first != NULL) {
        (void)json_array_append_new(list, first);
    }
    return list;
}

/* ---- labels and epics ---- */

static json_t *
label_values(const Replay *replay, gint64 id, const char *name)
{
    return json_pack("{s:I,s:I,s:s,s:o,s:o}", "id", (json_int_t)id, "project_id",
                     (json_int_t)SAMPLE_PROJECT_ID, "name", name, "created_at",
                     json_time(replay->now_ms), "updated_at", json_time(replay->now_ms));
}

static gint64
write_label(Replay *replay, const char *name)
{
    gint64 id = SAMPLE_LABEL_ID + g_hash_table_size(replay->labels);
    (void)g_hash_table_insert(replay->labels, g_strdup(name), g_memdup2(&id, sizeof id));
    (void)row_run(replay->conn,
                  "INSERT INTO label(id, project_id, name, created_at, updated_at) VALUES(?1, ?2, "
                  "?3, ?4, ?4)",
                  "iiti", id, SAMPLE_PROJECT_ID, name, replay->now_ms);
    return id;
}

static gint64
label_id(Replay *replay, const char *name, char who)
{
    const gint64 *known = g_hash_table_lookup(replay->labels, name);
    if (known != NULL) {
        return *known;
    }
    replay->version++;
    gint64 id = write_label(replay, name);
    act(replay,
        (Act){.kind = "label_create_activity",
              .who = who,
              .highlight = "created",
              .changes = list_of(created("label", id, label_values(replay, id, name))),
              .resources = list_of(
                  json_pack("{s:s,s:I,s:s}", "kind", "label", "id", (json_int_t)id, "name", name))},
        "created labels: \"%s\"", name);
    return id;
}

static json_t *
epic_resource(guint index)
{
    gint64 id = SAMPLE_EPIC_ID + index;
    g_autofree char *url =
        g_strdup_printf("https://www.pivotaltracker.com/epic/show/%" G_GINT64_FORMAT, id);
    return json_pack("{s:s,s:I,s:s,s:s}", "kind", "epic", "id", (json_int_t)id, "name",
                     sample_epics[index].name, "url", url);
}

static void
do_epic(Replay *replay, const Deed *deed)
{
    const SampleEpic *epic = &sample_epics[deed->subject];
    const gint64 id = SAMPLE_EPIC_ID + deed->subject;
    gint64 label = label_id(replay, epic->label, 'a');
    replay->version++;
    (void)row_run(replay->conn,
                  "INSERT INTO epic(id, project_id, position, name, label_id, description, "
                  "created_at, updated_at)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                  "iiititi", id, SAMPLE_PROJECT_ID,
                  (gint64)(deed->subject + 1) * SAMPLE_POSITION_STEP, epic->name, label,
                  epic->description, replay->now_ms);
    json_t *values = json_pack("{s:I,s:I,s:s,s:s,s:I,s:o,s:o}", "id", (json_int_t)id, "project_id",
                               (json_int_t)SAMPLE_PROJECT_ID, "name", epic->name, "description",
                               epic->description, "label_id", (json_int_t)label, "created_at",
                               json_time(replay->now_ms), "updated_at", json_time(replay->now_ms));
    json_t *change = created("epic", id, values);
    (void)json_object_set_new(change, "name", json_string(epic->name));
    act(replay,
        (Act){.kind = "epic_create_activity",
              .who = 'a',
              .highlight = "added",
              .changes = list_of(change),
              .resources = list_of(epic_resource(deed->subject)),
              .epic_id = id},
        "added this epic");
}

/* ---- comments ---- */

static json_t *
write_attachment(Replay *replay, gint64 comment_id, const SampleComment *comment)
{
    gboolean is_picture = g_str_has_suffix(comment->file, ".png");
    g_autoptr(GByteArray) bytes = sample_file(comment->file, replay->time);
    g_autofree char *hash = NULL;
    gint64 id = replay->next_attachment_id++;
    if (replay->error != NULL || !files_store(db_of(replay->conn), (const char *)bytes->data,
                                              bytes->len, &hash, &replay->error)) {
        return json_null();
    }
    (void)row_run(
        replay->conn,
        "INSERT INTO file_attachment(id, project_id, comment_id, filename, content_type, size,"
        " content_hash, thumbnailable, width, height, uploaded, uploader_id, created_at)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12)",
        "iiittitbIIii", id, SAMPLE_PROJECT_ID, comment_id, comment->file,
        is_picture ? "image/png" : "text/plain", (gint64)bytes->len, hash, is_picture,
        (gint64)(is_picture ? SAMPLE_CHART_WIDTH : 0),
        (gint64)(is_picture ? SAMPLE_CHART_HEIGHT : 0), sample_person_id(comment->who),
        replay->now_ms);
    g_autofree char *url = g_strdup_printf("/file_attachments/%" G_GINT64_FORMAT "/download", id);
    return json_pack("{s:s,s:I,s:s,s:o,s:I,s:b,s:I,s:s,s:s,s:b}", "kind", "file_attachment", "id",
                     (json_int_t)id, "filename", comment->file, "created_at",
                     json_time(replay->now_ms), "uploader_id",
                     (json_int_t)sample_person_id(comment->who), "thumbnailable", is_picture,
                     "size", (json_int_t)bytes->len, "download_url", url, "content_type",
                     is_picture ? "image/png" : "text/plain", "uploaded", 1);
}

/* Writes the row and gives the change entry. */
static json_t *
write_comment(Replay *replay, const SampleComment *comment, const char *parent, gint64 parent_id)
{
    gint64 id = replay->next_comment_id++;
    gboolean on_story = strcmp(parent, "story_id") == 0;
    (void)row_run(
        replay->conn,
        "INSERT INTO comment(id, story_id, epic_id, text, person_id, created_at, updated_at)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        "iIItii", id, on_story ? parent_id : (gint64)0, on_story ? (gint64)0 : parent_id,
        comment->text, sample_person_id(comment->who), replay->now_ms);
    json_t *files = json_array();
    json_t *file_ids = json_array();
    if (comment->file != NULL) {
        json_t *file = write_attachment(replay, id, comment);
        (void)json_array_append(file_ids, json_object_get(file, "id"));
        (void)json_array_append_new(files, file);
    }
    json_t *values =
        json_pack("{s:I,s:I,s:s*,s:I,s:o,s:o}", "id", (json_int_t)id, parent, (json_int_t)parent_id,
                  "text", comment->text, "person_id", (json_int_t)sample_person_id(comment->who),
                  "created_at", json_time(replay->now_ms), "updated_at", json_time(replay->now_ms));
    (void)json_object_set(values, "file_attachment_ids", file_ids);
    (void)json_object_set_new(values, "google_attachment_ids", json_array());
    (void)json_object_set_new(values, "attachment_ids", file_ids);
    (void)json_object_set_new(values, "file_attachments", files);
    (void)json_object_set_new(values, "google_attachments", json_array());
    return created("comment", id, values);
}

static void
do_epic_comment(Replay *replay, const Deed *deed)
{
    const SampleComment comment = {.who = 'a', .text = sample_epics[deed->subject].comment};
    const gint64 id = SAMPLE_EPIC_ID + deed->subject;
    replay->version++;
    (void)row_run(replay->conn, "UPDATE epic SET updated_at = ?2 WHERE id = ?1", "ii", id,
                  replay->now_ms);
    act(replay,
        (Act){.kind = "comment_create_activity",
              .who = comment.who,
              .highlight = "added comment:",
              .changes = list_of(write_comment(replay, &comment, "epic_id", id)),
              .resources = list_of(epic_resource(deed->subject)),
              .epic_id = id},
        "added comment: \"%s\"", comment.text);
}

static void
do_comment(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    const SampleComment *comment = &story->table->comments[deed->item];
    replay->version++;
    json_t *changes = list_of(write_comment(replay, comment, "story_id", story->id));
    json_t *original = json_object();
    json_t *fresh = json_object();
    if (strchr(story->followers->str, comment->who) == NULL) {
        (void)json_object_set_new(original, "follower_ids", json_people(story->followers->str));
        g_string_append_c(story->followers, comment->who);
        (void)json_object_set_new(fresh, "follower_ids", json_people(story->followers->str));
        (void)row_run(replay->conn,
                      "INSERT INTO story_follower(story_id, person_id) VALUES(?1, ?2)", "ii",
                      story->id, sample_person_id(comment->who));
    }
    (void)json_array_append_new(changes, story_update(replay, story, original, fresh));
    act(replay,
        (Act){.kind = "comment_create_activity",
              .who = comment->who,
              .highlight = "added comment:",
              .changes = changes,
              .resources = list_of(story_resource(story)),
              .story_id = story->id},
        "added comment: \"%s\"", comment->text != NULL ? comment->text : "");
}

/* ---- stories ---- */

static char
first_owner(const Live *story)
{
    const char *owners = story->table->owners;
    return owners != NULL && *owners != '\0' ? *owners : 'a';
}

static json_t *
write_tasks(Replay *replay, Live *story, json_t *changes)
{
    for (guint i = 0; i < SAMPLE_MAX_TASKS && story->table->tasks[i].text != NULL; i++) {
        gint64 id = story->task_ids[i] = replay->next_task_id++;
        const char *text = story->table->tasks[i].text;
        (void)row_run(replay->conn,
                      "INSERT INTO task(id, story_id, description, complete, position, created_at, "
                      "updated_at)"
                      " VALUES(?1, ?2, ?3, 0, ?4, ?5, ?5)",
                      "iitii", id, story->id, text, (gint64)i + 1, replay->now_ms);
        json_t *values = json_pack(
            "{s:I,s:I,s:s,s:b,s:i,s:o,s:o}", "id", (json_int_t)id, "story_id",
            (json_int_t)story->id, "description", text, "complete", 0, "position", (int)i + 1,
            "created_at", json_time(replay->now_ms), "updated_at", json_time(replay->now_ms));
        (void)json_array_append_new(changes, created("task", id, values));
    }
    return changes;
}

/* The creation counts as one. */
static void
write_transition(Replay *replay, const Live *story, char who)
{
    (void)row_run(
        replay->conn,
        "INSERT INTO story_transition(story_id, project_id, state, project_version, occurred_at,"
        " performed_by_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        "iitiii", story->id, SAMPLE_PROJECT_ID, story->state, replay->version, replay->now_ms,
        sample_person_id(who));
}

static void
do_create(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    const SampleStory *table = story->table;
    json_t *label_ids = json_array();
    g_auto(GStrv) labels = g_strsplit(table->labels != NULL ? table->labels : "", ",", -1);
    json_t *names = json_array();
    for (guint i = 0; labels[i] != NULL; i++) {
        gint64 label = label_id(replay, labels[i], table->requester);
        (void)json_array_append_new(label_ids, json_integer(label));
        (void)json_array_append_new(names, json_string(labels[i]));
        (void)row_run(replay->conn, "INSERT INTO story_label(story_id, label_id) VALUES(?1, ?2)",
                      "ii", story->id, label);
    }
    replay->version++;
    story->created_ms = story->updated_ms = replay->now_ms;
    place(replay, deed->subject);
    write_transition(replay, story, table->requester);
    json_t *values = json_pack("{s:I,s:I,s:s,s:s*,s:s,s:s,s:I,s:[],s:o,s:[],s:o,s:o}", "id",
                               (json_int_t)story->id, "project_id", (json_int_t)SAMPLE_PROJECT_ID,
                               "name", table->name, "description", table->description, "story_type",
                               table->type, "current_state", story->state, "requested_by_id",
                               (json_int_t)sample_person_id(table->requester), "owner_ids",
                               "label_ids", label_ids, "follower_ids", "created_at",
                               json_time(replay->now_ms), "updated_at", json_time(replay->now_ms));
    add_neighbours(replay, deed->subject, values);
    (void)json_object_set_new(values, "labels", names);
    json_t *change = created("story", story->id, values);
    (void)json_object_set_new(change, "name", json_string(table->name));
    (void)json_object_set_new(change, "story_type", json_string(table->type));
    act(replay,
        (Act){.kind = "story_create_activity",
              .who = table->requester,
              .highlight = "added",
              .changes = write_tasks(replay, story, list_of(change)),
              .resources = list_of(story_resource(story)),
              .story_id = story->id},
        "added this %s", table->type);
}

static void
do_estimate(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    int points = story->table->points;
    replay->version++;
    story->is_estimated = TRUE;
    act(replay,
        (Act){.kind = "story_update_activity",
              .who = first_owner(story),
              .highlight = "estimated",
              .changes = list_of(story_update(replay, story, json_pack("{s:n}", "estimate"),
                                              json_pack("{s:i}", "estimate", points))),
              .resources = list_of(story_resource(story)),
              .story_id = story->id},
        "estimated this feature as %d point%s", points, points == 1 ? "" : "s");
}

static void
set_owners(Replay *replay, Live *story, json_t *original, json_t *fresh)
{
    const char *owners = story->table->owners != NULL ? story->table->owners : "";
    if (*owners == '\0' || *story->owners != '\0') {
        return;
    }
    (void)json_object_set_new(original, "owned_by_id", json_null());
    (void)json_object_set_new(original, "owner_ids", json_array());
    (void)json_object_set_new(fresh, "owned_by_id", json_integer(sample_person_id(*owners)));
    (void)json_object_set_new(fresh, "owner_ids", json_people(owners));
    story->owners = owners;
    for (gint64 i = 0; owners[i] != '\0'; i++) {
        (void)row_run(replay->conn,
                      "INSERT INTO story_owner(story_id, position, person_id) VALUES(?1, ?2, ?3)",
                      "iii", story->id, i, sample_person_id(owners[i]));
    }
}

static void
do_state(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    const gboolean is_verdict =
        strcmp(deed->word, "accepted") == 0 || strcmp(deed->word, "rejected") == 0;
    const gboolean is_scheduling = strcmp(deed->word, "unstarted") == 0;
    /* The requester judges; one who may only look leaves it to the owner of the project. */
    char judge = strcmp(sample_person(story->table->requester)->role, "viewer") == 0
                     ? 'a'
                     : story->table->requester;
    char who = is_verdict || is_scheduling ? judge : first_owner(story);
    replay->version++;
    json_t *original = json_pack("{s:s}", "current_state", story->state);
    json_t *fresh = json_pack("{s:s}", "current_state", deed->word);
    gboolean moves = is_scheduling || strcmp(deed->word, "started") == 0;
    if (moves) {
        add_neighbours(replay, deed->subject, original);
    }
    if (!is_verdict && (!is_scheduling || strcmp(story->table->state, "unstarted") == 0)) {
        set_owners(replay, story, original, fresh);
    }
    story->state = deed->word;
    if (strcmp(deed->word, "accepted") == 0) {
        story->accepted_ms = replay->now_ms;
        (void)json_object_set_new(original, "accepted_at", json_null());
        (void)json_object_set_new(fresh, "accepted_at", json_time(replay->now_ms));
    }
    place(replay, deed->subject);
    if (moves) {
        add_neighbours(replay, deed->subject, fresh);
    }
    write_transition(replay, story, who);
    Act move = {.kind = is_scheduling ? "story_move_activity" : "story_update_activity",
                .who = who,
                .highlight = is_scheduling ? "moved and scheduled" : deed->word,
                .changes = list_of(story_update(replay, story, original, fresh)),
                .resources = list_of(story_resource(story)),
                .story_id = story->id};
    if (is_scheduling) {
        act(replay, move, "moved and scheduled this story to the Backlog");
    } else {
        act(replay, move, "%s this %s", deed->word, story->table->type);
    }
}

static void
do_task(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    const char *text = story->table->tasks[deed->item].text;
    gint64 id = story->task_ids[deed->item];
    replay->version++;
    (void)row_run(replay->conn, "UPDATE task SET complete = 1, updated_at = ?2 WHERE id = ?1", "ii",
                  id, replay->now_ms);
    json_t *changes = list_of(story_update(replay, story, json_object(), json_object()));
    (void)json_array_append_new(
        changes, json_pack("{s:s,s:s,s:I,s:{s:b,s:o},s:{s:b,s:o}}", "kind", "task", "change_type",
                           "update", "id", (json_int_t)id, "original_values", "complete", 0,
                           "updated_at", json_time(story->created_ms), "new_values", "complete", 1,
                           "updated_at", json_time(replay->now_ms)));
    act(replay,
        (Act){.kind = "task_update_activity",
              .who = first_owner(story),
              .highlight = "completed task:",
              .changes = changes,
              .resources = list_of(story_resource(story)),
              .story_id = story->id},
        "completed task: \"%s\"", text);
}

/* ---- reviews and blockers ---- */

static void
do_review(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    const SampleReview *review = &story->table->reviews[deed->item];
    const gboolean is_new = deed->kind == DEED_REVIEW;
    const char *status = is_new ? "unstarted" : deed->word;
    replay->version++;
    json_t *changes = json_array();
    if (is_new) {
        gint64 id = story->review_ids[deed->item] = replay->next_review_id++;
        (void)row_run(replay->conn,
                      "INSERT INTO review(id, story_id, review_type_id, reviewer_id, status, "
                      "created_at, updated_at)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                      "iiiIti", id, story->id, sample_review_type_id(review->type),
                      review->who != 0 ? sample_person_id(review->who) : (gint64)0, status,
                      replay->now_ms);
        json_t *values = json_pack(
            "{s:I,s:I,s:I,s:s,s:o,s:o}", "id", (json_int_t)id, "story_id", (json_int_t)story->id,
            "review_type_id", (json_int_t)sample_review_type_id(review->type), "status", status,
            "created_at", json_time(replay->now_ms), "updated_at", json_time(replay->now_ms));
        if (review->who != 0) {
            (void)json_object_set_new(values, "reviewer_id",
                                      json_integer(sample_person_id(review->who)));
        }
        (void)json_array_append_new(changes, created("review", id, values));
    } else {
        (void)row_run(replay->conn, "UPDATE review SET status = ?2, updated_at = ?3 WHERE id = ?1",
                      "iti", story->review_ids[deed->item], status, replay->now_ms);
        (void)json_array_append_new(
            changes,
            json_pack("{s:s,s:s,s:I,s:{s:s,s:o},s:{s:s,s:o}}", "kind", "review", "change_type",
                      "update", "id", (json_int_t)story->review_ids[deed->item], "original_values",
                      "status", story->review_status[deed->item], "updated_at",
                      json_time(story->review_updated_ms[deed->item]), "new_values", "status",
                      status, "updated_at", json_time(replay->now_ms)));
    }
    story->review_status[deed->item] = status;
    story->review_updated_ms[deed->item] = replay->now_ms;
    (void)json_array_append_new(changes, story_update(replay, story, json_object(), json_object()));
    act(replay,
        (Act){.kind = is_new ? "review_create_activity" : "review_update_activity",
              .who = review->who != 0 && !is_new ? review->who : first_owner(story),
              .highlight = is_new ? "added review:" : "updated review:",
              .changes = changes,
              .resources = list_of(story_resource(story)),
              .story_id = story->id},
        is_new ? "added review: %s" : "updated review: %s", review->type);
}

static gint64
story_named(const Replay *replay, const char *name)
{
    for (guint i = 0; i < replay->n_stories; i++) {
        if (strcmp(replay->stories[i].table->name, name) == 0) {
            return replay->stories[i].id;
        }
    }
    return 0;
}

static void
do_blocker(Replay *replay, const Deed *deed)
{
    Live *story = &replay->stories[deed->subject];
    const SampleBlocker *blocker = &story->table->blocker;
    const gboolean is_new = deed->kind == DEED_BLOCK;
    gint64 other = blocker->story != NULL ? story_named(replay, blocker->story) : 0;
    g_autofree char *text = other != 0
                                ? g_strdup_printf("#%" G_GINT64_FORMAT " %s", other, blocker->text)
                                : g_strdup(blocker->text);
    replay->version++;
    json_t *changes = json_array();
    if (is_new) {
        gint64 id = story->blocker_id = replay->next_blocker_id++;
        (void)row_run(replay->conn,
                      "INSERT INTO blocker(id, story_id, person_id, description, resolved, "
                      "created_at, updated_at)"
                      " VALUES(?1, ?2, ?3, ?4, 0, ?5, ?5)",
                      "iiiti", id, story->id, sample_person_id(blocker->who), text, replay->now_ms);
        (void)json_array_append_new(
            changes, created("blocker", id,
                             json_pack("{s:I,s:I,s:I,s:s,s:b,s:o,s:o}", "id", (json_int_t)id,
                                       "story_id", (json_int_t)story->id, "person_id",
                                       (json_int_t)sample_person_id(blocker->who), "description",
                                       text, "resolved", 0, "created_at", json_time(replay->now_ms),
                                       "updated_at", json_time(replay->now_ms))));
    } else {
        (void)row_run(replay->conn,
                      "UPDATE blocker SET resolved = 1, updated_at = ?2 WHERE id = ?1", "ii",
                      story->blocker_id, replay->now_ms);
        (void)json_array_append_new(
            changes,
            json_pack("{s:s,s:s,s:I,s:{s:b},s:{s:b,s:o}}", "kind", "blocker", "change_type",
                      "update", "id", (json_int_t)story->blocker_id, "original_values", "resolved",
                      0, "new_values", "resolved", 1, "updated_at", json_time(replay->now_ms)));
    }
    (void)json_array_append_new(changes, story_update(replay, story, json_object(), json_object()));
    act(replay,
        (Act){.kind = is_new ? "blocker_create_activity" : "blocker_update_activity",
              .who = blocker->who,
              .highlight = is_new ? "added blocker:" : "resolved blocker:",
              .changes = changes,
              .resources = list_of(story_resource(story)),
              .story_id = story->id},
        is_new ? "added blocker: \"%s\"" : "resolved blocker: \"%s\"", text);
}

static void
do_override(Replay *replay)
{
    const gint64 number = SAMPLE_WEEKS + 1 - SAMPLE_OVERRIDE_WEEKS_AGO;
    gint64 finish_ms = sample_instant_ms(replay->time, (SAMPLE_OVERRIDE_WEEKS_AGO - 1) * 7, 0);
    replay->version++;
    (void)row_run(
        replay->conn,
        "INSERT INTO iteration_override(project_id, number, team_strength) VALUES(?1, ?2, ?3)",
        "iid", SAMPLE_PROJECT_ID, number, SAMPLE_OVERRIDE_STRENGTH);
    json_t *change = json_pack(
        "{s:s,s:s,s:I,s:{s:s,s:i,s:o,s:I},s:{s:s,s:f,s:o,s:I}}", "kind", "iteration_override",
        "change_type", "update", "number", (json_int_t)number, "original_values", "length",
        "default", "team_strength", 1, "finish", json_time(finish_ms), "number", (json_int_t)number,
        "new_values", "length", "default", "team_strength", SAMPLE_OVERRIDE_STRENGTH, "finish",
        json_time(finish_ms), "number", (json_int_t)number);
    act(replay,
        (Act){.kind = "iteration_update_activity",
              .who = 'a',
              .highlight = "updated",
              .changes = list_of(change),
              .resources = json_array()},
        "updated the team strength of iteration %" G_GINT64_FORMAT, number);
}

/* ---- the end ---- */

static void
write_stories(Replay *replay)
{
    for (guint i = 0; i < replay->order->len; i++) {
        const Live *story = &replay->stories[g_array_index(replay->order, guint, i)];
        const SampleStory *table = story->table;
        (void)row_run(
            replay->conn,
            "INSERT INTO story(id, project_id, position, name, description, story_type, "
            "current_state,"
            " accepted_at, deadline, requested_by_id, created_at, updated_at, story_priority)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            "iiittttIIiiit", story->id, SAMPLE_PROJECT_ID, (gint64)(i + 1) * SAMPLE_POSITION_STEP,
            table->name, table->description, table->type, story->state, story->accepted_ms,
            table->deadline != 0 ? sample_instant_ms(replay->time, table->deadline, 12 * 60)
                                 : (gint64)0,
            sample_person_id(table->requester), story->created_ms, story->updated_ms,
            table->priority != NULL ? table->priority : "none");
        if (story->is_estimated) {
            (void)row_run(replay->conn, "UPDATE story SET estimate = ?2 WHERE id = ?1", "ii",
                          story->id, (gint64)table->points);
        }
    }
    (void)row_run(replay->conn, "UPDATE project SET version = ?2 WHERE id = ?1", "ii",
                  SAMPLE_PROJECT_ID, replay->version);
}

static void
do_deed(Replay *replay, const Deed *deed)
{
    switch (deed->kind) {
    case DEED_EPIC:
        do_epic(replay, deed);
        break;
    case DEED_EPIC_COMMENT:
        do_epic_comment(replay, deed);
        break;
    case DEED_CREATE:
        do_create(replay, deed);
        break;
    case DEED_ESTIMATE:
        do_estimate(replay, deed);
        break;
    case DEED_STATE:
        do_state(replay, deed);
        break;
    case DEED_COMMENT:
        do_comment(replay, deed);
        break;
    case DEED_TASK:
        do_task(replay, deed);
        break;
    case DEED_REVIEW:
    case DEED_REVIEW_STATUS:
        do_review(replay, deed);
        break;
    case DEED_BLOCK:
    case DEED_UNBLOCK:
        do_blocker(replay, deed);
        break;
    case DEED_OVERRIDE:
        do_override(replay);
        break;
    }
}

gboolean
sample_write_history(DbConn *conn, const SampleTime *time, GError **error)
{
    Replay replay = {.conn = conn,
                     .time = time,
                     .n_stories = script_n_stories(),
                     .order = g_array_new(FALSE, FALSE, sizeof(guint)),
                     .labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                     .version = 1,
                     .next_comment_id = SAMPLE_COMMENT_ID,
                     .next_task_id = SAMPLE_TASK_ID,
                     .next_attachment_id = SAMPLE_ATTACHMENT_ID,
                     .next_review_id = SAMPLE_REVIEW_ID,
                     .next_blocker_id = SAMPLE_BLOCKER_ID};
    replay.stories = g_new0(Live, replay.n_stories);
    for (guint i = 0; i < replay.n_stories; i++) {
        replay.stories[i] = (Live){.table = script_story(i),
                                   .id = SAMPLE_STORY_ID + i,
                                   .state = "unscheduled",
                                   .owners = "",
                                   .followers = g_string_new(NULL)};
    }
    GArray *deeds = script_new(time);
    for (guint i = 0; i < deeds->len && replay.error == NULL; i++) {
        const Deed *deed = &g_array_index(deeds, Deed, i);
        replay.now_ms = deed->at_ms;
        do_deed(&replay, deed);
    }
    write_stories(&replay);
    for (guint i = 0; i < replay.n_stories; i++) {
        (void)g_string_free(replay.stories[i].followers, TRUE);
    }
    g_array_unref(deeds);
    g_array_unref(replay.order);
    g_hash_table_unref(replay.labels);
    g_free(replay.stories);
    if (replay.error != NULL) {
        g_propagate_error(error, replay.error);
        return FALSE;
    }
    return db_check(conn, error);
}

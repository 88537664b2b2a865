/* V5 JSON to snapshots.
 *
 * Each resource is read twice from one parsed tree: its known attributes into typed fields, and the
 * whole of it into its record (cache/record.c), so nothing that the server sent is lost by not
 * being known here. Elements without an id are refused: they could not be named, and leaving them
 * out would be a short listing. */
#include "cache/model_json.h"

#include <stdlib.h>
#include <string.h>

#include "cache/base/digest.h"
#include "cache/base/err.h"
#include "cache/edit.h"
#include "cache/json_text.h"
#include "cache/model_private.h"
#include "cache/model_tree.h"
#include "cache/record.h"

gboolean
model_parse_time(const char *text, gint64 *ret_ms)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (!time) {
        return FALSE;
    }
    *ret_ms = g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
    return TRUE;
}

static Text
record_of(const json_t *value, RecordKind kind)
{
    GString *out = g_string_sized_new(2048);
    record_write(out, value, kind);
    Text text = {.length = out->len};
    text.data = g_realloc(g_string_free(out, FALSE), text.length + 1);
    return text;
}

/* `list` NULL or absent counts as empty: `fields` of old services leave associations out. */
static guint
list_size(const json_t *object, const char *key)
{
    return (guint)json_array_size(json_object_get(object, key));
}

static const json_t *
list_element(const json_t *object, const char *key, guint i)
{
    return json_array_get(json_object_get(object, key), i);
}

static char *
author_of(const json_t *comment)
{
    const json_t *person = json_object_get(comment, "person");
    const char *name = json_string_value(json_object_get(person, "username"));
    if (!name || !*name) {
        name = json_string_value(json_object_get(person, "name"));
    }
    return name && *name ? g_strdup(name) : NULL;
}

static int
compare_comments(const void *a, const void *b)
{
    gint64 left = ((const Comment *)a)->id;
    gint64 right = ((const Comment *)b)->id;
    return (left > right) - (left < right);
}

/* Removes equal neighbours of a sorted array; the freed one is the earlier. */
#define DROP_DUPLICATES(array, n, id, clear)                                                       \
    do {                                                                                           \
        guint kept_ = 0;                                                                           \
        for (guint i_ = 0; i_ < (n); i_++) {                                                       \
            if (kept_ > 0 && (array)[kept_ - 1].id == (array)[i_].id) {                            \
                clear(&(array)[kept_ - 1]);                                                        \
                kept_--;                                                                           \
            }                                                                                      \
            (array)[kept_++] = (array)[i_];                                                        \
        }                                                                                          \
        (n) = kept_;                                                                               \
    } while (0)

static void
comment_clear(Comment *comment)
{
    g_free(comment->author);
    model_text_clear(&comment->text);
}

static Comment *
parse_comments(const json_t *owner, guint *ret_n)
{
    guint size = list_size(owner, "comments");
    Comment *comments = g_new0(Comment, size + 1);
    guint n = 0;
    for (guint i = 0; i < size; i++) {
        const json_t *comment = list_element(owner, "comments", i);
        if (json_get_id(comment, "id") == 0) {
            continue;
        }
        comments[n++] = (Comment){
            .id = json_get_id(comment, "id"),
            .person_id = json_get_id(comment, "person_id"),
            .created_ms = json_get_time(comment, "created_at"),
            .updated_ms = json_get_time(comment, "updated_at"),
            .author = author_of(comment),
            .text = json_dup_text(comment, "text"),
        };
        if (comments[n - 1].person_id == 0) {
            comments[n - 1].person_id = json_get_id(json_object_get(comment, "person"), "id");
        }
    }
    qsort(comments, n, sizeof *comments, compare_comments);
    DROP_DUPLICATES(comments, n, id, comment_clear);
    *ret_n = n;
    return comments;
}

static int
compare_attachments(const void *a, const void *b)
{
    gint64 left = ((const Attachment *)a)->id;
    gint64 right = ((const Attachment *)b)->id;
    return (left > right) - (left < right);
}

static void
attachment_clear(Attachment *attachment)
{
    g_free(attachment->filename);
    g_free(attachment->content_type);
    g_free(attachment->download_url);
}

static void
parse_attachments(Story *story, const json_t *object)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Attachment));
    for (guint i = 0; i < list_size(object, "comments"); i++) {
        const json_t *comment = list_element(object, "comments", i);
        for (guint k = 0; k < list_size(comment, "file_attachments"); k++) {
            const json_t *file = list_element(comment, "file_attachments", k);
            Attachment attachment = {
                .id = json_get_id(file, "id"),
                .comment_id = json_get_id(comment, "id"),
                .uploader_id = json_get_id(file, "uploader_id"),
                .size_bytes = MAX(json_get_integer(file, "size"), 0),
                .created_ms = json_get_time(file, "created_at"),
            };
            if (attachment.id == 0) {
                continue;
            }
            /* An archive may tell of files that it does not hold. The story's record does, too; a
             * name in the folder that nobody can open would end each walk with an error. */
            attachment.download_url = json_dup_string(file, "download_url");
            if (!attachment.download_url && !edit_id_is_provisional(attachment.id)) {
                continue;
            }
            attachment.filename = json_dup_string(file, "filename");
            attachment.content_type = json_dup_string(file, "content_type");
            g_array_append_val(found, attachment);
        }
    }
    story->n_attachments = found->len;
    story->attachments = g_memdup2(found->data, (gsize)found->len * sizeof(Attachment));
    if (found->len > 0) {
        qsort(story->attachments, found->len, sizeof(Attachment), compare_attachments);
        DROP_DUPLICATES(story->attachments, story->n_attachments, id, attachment_clear);
    }
}

static int
compare_tasks(const void *a, const void *b)
{
    const Task *left = a;
    const Task *right = b;
    if (left->position != right->position) {
        return (left->position > right->position) - (left->position < right->position);
    }
    return (left->id > right->id) - (left->id < right->id);
}

static void
parse_tasks(Story *story, const json_t *object)
{
    guint size = list_size(object, "tasks");
    story->tasks = g_new0(Task, size + 1);
    for (guint i = 0; i < size; i++) {
        const json_t *task = list_element(object, "tasks", i);
        if (json_get_id(task, "id") == 0) {
            continue;
        }
        story->tasks[story->n_tasks++] = (Task){
            .id = json_get_id(task, "id"),
            .position = json_get_integer(task, "position"),
            .complete = json_is_true(json_object_get(task, "complete")),
            .created_ms = json_get_time(task, "created_at"),
            .updated_ms = json_get_time(task, "updated_at"),
            .description = json_dup_text(task, "description"),
        };
    }
    qsort(story->tasks, story->n_tasks, sizeof *story->tasks, compare_tasks);
}

/* Ids of `key_ids`, or of the objects in `key_objects` where the service sends those (some call the
 * id `user_id`). */
static GArray *
collect_ids(const json_t *object, const char *key_ids, const char *key_objects)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    const json_t *list = json_object_get(object, key_ids);
    gsize i;
    const json_t *element;
    json_array_foreach(list, i, element)
    {
        gint64 id = json_is_integer(element)
                        ? json_integer_value(element)
                        : g_ascii_strtoll(json_string_value(element) ?: "", NULL, 10);
        if (id > 0) {
            g_array_append_val(ids, id);
        }
    }
    if (ids->len > 0) {
        return ids;
    }
    json_array_foreach(json_object_get(object, key_objects), i, element)
    {
        gint64 id = json_get_id(element, "user_id");
        id = id ? id : json_get_id(element, "id");
        if (id > 0) {
            g_array_append_val(ids, id);
        }
    }
    return ids;
}

static GArray *
collect_reviewers(const json_t *object)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < list_size(object, "reviews"); i++) {
        const json_t *review = list_element(object, "reviews", i);
        const char *status = json_string_value(json_object_get(review, "status"));
        gint64 id = json_get_id(review, "reviewer_id");
        id = id ? id : json_get_id(json_object_get(review, "reviewer"), "id");
        if (id > 0 && status &&
            (g_str_equal(status, "unstarted") || g_str_equal(status, "in_review"))) {
            g_array_append_val(ids, id);
        }
    }
    return ids;
}

static gboolean
is_blocked(const json_t *object)
{
    for (guint i = 0; i < list_size(object, "blockers"); i++) {
        if (json_is_false(json_object_get(list_element(object, "blockers", i), "resolved"))) {
            return TRUE;
        }
    }
    return FALSE;
}

static char *
name_of(const json_t *object)
{
    char *name = json_dup_string(object, "name");
    return name ? name : json_dup_string(object, "title");
}

static const char *
interned(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    /* Types and states are few; a service that makes up thousands must not fill the intern table.
     */
    return text && strlen(text) <= 64 ? g_intern_string(text) : g_intern_static_string("");
}

static void
copy_ids(gint64 *to, const GArray *from)
{
    if (from->len > 0) {
        memcpy(to, from->data, from->len * sizeof *to);
    }
}

static StoryRow *
parse_row(const json_t *object, const Story *story)
{
    g_autoptr(GArray) owners = collect_ids(object, "owner_ids", "owners");
    g_autoptr(GArray) followers = collect_ids(object, "follower_ids", "followers");
    g_autoptr(GArray) reviewers = collect_reviewers(object);
    g_autoptr(GArray) labels = collect_ids(object, "label_ids", "labels");
    StoryRow *row = model_story_row_new(owners->len, followers->len, reviewers->len, labels->len);
    row->id = story->id;
    row->created_ms = story->created_ms;
    row->updated_ms = story->updated_ms;
    row->name = g_strdup(story->name ? story->name : "");
    row->story_type = interned(object, "story_type");
    row->current_state = interned(object, "current_state");
    row->requested_by_id = json_get_id(object, "requested_by_id");
    if (row->requested_by_id == 0) {
        row->requested_by_id = json_get_id(json_object_get(object, "requested_by"), "id");
    }
    copy_ids(row->owner_ids, owners);
    copy_ids(row->follower_ids, followers);
    copy_ids(row->reviewer_ids, reviewers);
    copy_ids(row->label_ids, labels);
    row->blocked = is_blocked(object);
    return row;
}

static guint64
text_digest(const Text *text, guint64 seed)
{
    return text->data ? digest_bytes(text->data, text->length, seed) : ~seed;
}

/* The record has every key but the texts that have files of their own. */
static guint64
story_digest(const Story *story)
{
    guint64 digest = text_digest(&story->description, text_digest(&story->record, 0));
    for (guint i = 0; i < story->n_comments; i++) {
        digest = text_digest(&story->comments[i].text, digest ^ (guint64)story->comments[i].id);
    }
    for (guint i = 0; i < story->n_tasks; i++) {
        digest = text_digest(&story->tasks[i].description, digest ^ (guint64)story->tasks[i].id);
    }
    return digest;
}

ParsedStory *
model_tree_parse_story(const json_t *object)
{
    ParsedStory *parsed = g_new0(ParsedStory, 1);
    Story *story = model_story_new();
    story->id = json_get_id(object, "id");
    story->project_id = json_get_id(object, "project_id");
    story->created_ms = json_get_time(object, "created_at");
    story->updated_ms = json_get_time(object, "updated_at");
    story->name = name_of(object);
    story->url = json_dup_string(object, "url");
    story->record = record_of(object, RECORD_STORY);
    story->description = json_dup_text(object, "description");
    story->comments = parse_comments(object, &story->n_comments);
    parse_tasks(story, object);
    parse_attachments(story, object);
    model_story_finish(story);
    parsed->story = story;
    parsed->row = parse_row(object, story);
    parsed->row->digest = story_digest(story);
    parsed->before_id = json_get_id(object, "before_id");
    parsed->after_id = json_get_id(object, "after_id");
    return parsed;
}

static gboolean
is_usable(const json_t *element, const char *id_key)
{
    return json_is_object(element) && (!id_key || json_get_id(element, id_key) != 0);
}

/* The elements of the array that `json` is, if they are objects with a positive `id_key`. Others
 * are left out and counted; with `ret_left_out` NULL, and when there is no array, it is NULL with
 * ERR_PROTOCOL. */
static json_t *
parse_list(const char *json, gsize bytes, const char *what, const char *id_key, guint *ret_left_out,
           GError **error)
{
    gsize i;
    json_t *element;
    g_autoptr(Json) list = json_text_parse(json, bytes, error);
    if (!list) {
        g_prefix_error(error, "%s: ", what);
        return NULL;
    }
    if (!json_is_array(list)) {
        g_set_error(error, ERR, ERR_PROTOCOL, "%s: the answer is no list", what);
        return NULL;
    }
    json_t *usable = json_array();
    json_array_foreach(list, i, element)
    {
        if (is_usable(element, id_key)) {
            (void)json_array_append(usable, element);
        } else if (!ret_left_out) {
            g_set_error(error, ERR, ERR_PROTOCOL, "%s: element %zu has no %s", what, i, id_key);
            json_decref(usable);
            return NULL;
        }
    }
    if (ret_left_out) {
        *ret_left_out = (guint)(json_array_size(list) - json_array_size(usable));
    }
    return usable;
}

GPtrArray *
model_parse_stories(const char *json, gsize bytes, guint *ret_left_out, GError **error)
{
    g_autoptr(Json) list = parse_list(json, bytes, "stories", "id", ret_left_out, error);
    if (!list) {
        return NULL;
    }
    gsize n = json_array_size(list);
    GPtrArray *stories = g_ptr_array_new_full((guint)n, (GDestroyNotify)parsed_story_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (gsize i = 0; i < n; i++) {
        ParsedStory *parsed = model_tree_parse_story(json_array_get(list, i));
        gpointer earlier;
        if (g_hash_table_lookup_extended(seen, &parsed->story->id, NULL, &earlier)) {
            guint at = GPOINTER_TO_UINT(earlier);
            (void)g_hash_table_remove(seen, &parsed->story->id);
            parsed_story_free(stories->pdata[at]);
            stories->pdata[at] = parsed;
            (void)g_hash_table_insert(seen, &parsed->story->id, earlier);
            continue;
        }
        (void)g_hash_table_insert(seen, &parsed->story->id, GUINT_TO_POINTER(stories->len));
        g_ptr_array_add(stories, parsed);
    }
    return stories;
}

/* --- Activities --- */

static void
note_id(GArray *ids, gint64 id)
{
    for (guint i = 0; i < ids->len; i++) {
        if (g_array_index(ids, gint64, i) == id) {
            return;
        }
    }
    if (id > 0) {
        g_array_append_val(ids, id);
    }
}

static gboolean
string_is(const json_t *object, const char *key, const char *wanted)
{
    return g_strcmp0(json_string_value(json_object_get(object, key)), wanted) == 0;
}

static void
read_change(ParsedActivity *parsed, const json_t *change, GArray *stories, GArray *epics)
{
    static const char *const values[] = {"new_values", "original_values"};
    if (string_is(change, "kind", "story")) {
        note_id(stories, json_get_id(change, "id"));
        parsed->deletes_stories |= string_is(change, "change_type", "delete");
    } else if (string_is(change, "kind", "epic")) {
        note_id(epics, json_get_id(change, "id"));
        parsed->touches_epics = TRUE;
    } else if (string_is(change, "kind", "label")) {
        /* A story's change of labels shows here as an update of their counts. */
        parsed->touches_labels |= !string_is(change, "change_type", "update") ||
                                  json_object_get(json_object_get(change, "new_values"), "name");
    } else if (string_is(change, "kind", "project_membership")) {
        parsed->touches_members = TRUE;
    } else if (string_is(change, "kind", "project") ||
               string_is(change, "kind", "iteration_override")) {
        parsed->touches_project = TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        const json_t *object = json_object_get(change, values[i]);
        note_id(stories, json_get_id(object, "story_id"));
        note_id(epics, json_get_id(object, "epic_id"));
        gint64 accepted_ms = json_get_time(object, "accepted_at");
        if (accepted_ms > 0 &&
            (parsed->oldest_acceptance_ms == 0 || accepted_ms < parsed->oldest_acceptance_ms)) {
            parsed->oldest_acceptance_ms = accepted_ms;
        }
    }
}

static gint64
activity_project(const json_t *object)
{
    gint64 id = json_get_id(json_object_get(object, "project"), "id");
    const char *guid = json_string_value(json_object_get(object, "guid"));
    id = id ? id : json_get_id(object, "project_id");
    return id ? id : guid ? g_ascii_strtoll(guid, NULL, 10) : 0;
}

static ParsedActivity *
parse_activity(const json_t *object)
{
    ParsedActivity *parsed = g_new0(ParsedActivity, 1);
    g_autoptr(GArray) stories = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) epics = g_array_new(FALSE, FALSE, sizeof(gint64));
    const char *kind = json_string_value(json_object_get(object, "kind"));
    parsed->project_id = activity_project(object);
    parsed->version = json_get_id(object, "project_version");
    parsed->occurred_ms = json_get_time(object, "occurred_at");
    for (guint i = 0; i < list_size(object, "changes"); i++) {
        read_change(parsed, list_element(object, "changes", i), stories, epics);
    }
    for (guint i = 0; i < list_size(object, "primary_resources"); i++) {
        const json_t *resource = list_element(object, "primary_resources", i);
        if (string_is(resource, "kind", "story")) {
            note_id(stories, json_get_id(resource, "id"));
        } else if (string_is(resource, "kind", "epic")) {
            note_id(epics, json_get_id(resource, "id"));
        }
    }
    parsed->deletes_stories |= kind && (g_str_has_prefix(kind, "story_delete") ||
                                        g_str_has_prefix(kind, "story_move_from_project"));
    parsed->touches_epics |= epics->len > 0;
    parsed->touches_project |= kind && g_str_has_prefix(kind, "model_import");
    parsed->n_story_ids = stories->len;
    parsed->n_epic_ids = epics->len;
    parsed->story_ids = g_memdup2(stories->data, stories->len * sizeof(gint64));
    parsed->epic_ids = g_memdup2(epics->data, epics->len * sizeof(gint64));
    GString *line = g_string_sized_new(512);
    record_write_line(line, object);
    parsed->line.length = line->len;
    parsed->line.data = g_string_free(line, FALSE);
    return parsed;
}

GPtrArray *
model_parse_activities(const char *json, gsize bytes, GError **error)
{
    g_autoptr(Json) list = parse_list(json, bytes, "activity", "project_version", NULL, error);
    if (!list) {
        return NULL;
    }
    gsize n = json_array_size(list);
    GPtrArray *activities = g_ptr_array_new_full((guint)n, (GDestroyNotify)parsed_activity_free);
    for (gsize i = 0; i < n; i++) {
        g_ptr_array_add(activities, parse_activity(json_array_get(list, i)));
    }
    return activities;
}

/* --- The parts of a project --- */

void
model_tree_read_project(Project *project, const json_t *object)
{
    g_free(project->name);
    model_text_clear(&project->record);
    model_text_clear(&project->profile);
    project->name = name_of(object);
    project->name = project->name ? project->name : g_strdup("");
    project->account_id = json_get_id(object, "account_id");
    project->version = json_get_integer(object, "version");
    project->created_ms = json_get_time(object, "created_at");
    project->updated_ms = json_get_time(object, "updated_at");
    project->current_iteration = json_get_integer(object, "current_iteration_number");
    project->profile = json_dup_text(object, "profile_content");
    project->record = record_of(object, RECORD_PROJECT);
}

gboolean
model_parse_project(Project *project, const char *json, gsize bytes, GError **error)
{
    g_autoptr(Json) object = json_text_parse(json, bytes, error);
    if (!object) {
        g_prefix_error(error, "project: ");
        return FALSE;
    }
    if (!json_is_object(object) || json_get_id(object, "id") != project->id) {
        g_set_error(error, ERR, ERR_PROTOCOL, "the answer is not project %" G_GINT64_FORMAT,
                    project->id);
        return FALSE;
    }
    model_tree_read_project(project, object);
    return TRUE;
}

static void
parse_person(Person *person, const json_t *object)
{
    person->id = json_get_id(object, "id");
    person->name = json_dup_string(object, "name");
    person->username = json_dup_string(object, "username");
    person->initials = json_dup_string(object, "initials");
}

static void
member_clear(Member *member)
{
    g_free(member->person.name);
    g_free(member->person.username);
    g_free(member->person.initials);
    g_free(member->role);
    model_text_clear(&member->record);
}

static int
compare_members(const void *a, const void *b)
{
    gint64 left = ((const Member *)a)->person.id;
    gint64 right = ((const Member *)b)->person.id;
    return (left > right) - (left < right);
}

gboolean
model_parse_members(Project *project, const char *json, gsize bytes, GError **error)
{
    guint left_out;
    g_autoptr(Json) list = parse_list(json, bytes, "memberships", NULL, &left_out, error);
    if (!list) {
        return FALSE;
    }
    guint size = (guint)json_array_size(list);
    Member *members = g_new0(Member, size + 1);
    guint n = 0;
    for (guint i = 0; i < size; i++) {
        const json_t *object = json_array_get(list, i);
        Member *member = &members[n];
        parse_person(&member->person, json_object_get(object, "person"));
        if (member->person.id == 0) {
            member->person.id = json_get_id(object, "person_id");
        }
        if (member->person.id == 0) {
            member_clear(member);
            *member = (Member){0};
            left_out++;
            continue;
        }
        member->membership_id = json_get_id(object, "id");
        member->created_ms = json_get_time(object, "created_at");
        member->updated_ms = json_get_time(object, "updated_at");
        member->role = json_dup_string(object, "role");
        member->record = record_of(object, RECORD_OTHER);
        n++;
    }
    qsort(members, n, sizeof *members, compare_members);
    DROP_DUPLICATES(members, n, person.id, member_clear);
    model_members_free(project->members, project->n_members);
    project->members = members;
    project->n_members = n;
    project->left_out[LEFT_OUT_MEMBERS] = left_out;
    return TRUE;
}

static void
label_clear(Label *label)
{
    g_free(label->name);
}

static int
compare_labels(const void *a, const void *b)
{
    gint64 left = ((const Label *)a)->id;
    gint64 right = ((const Label *)b)->id;
    return (left > right) - (left < right);
}

gboolean
model_parse_labels(Project *project, const char *json, gsize bytes, GError **error)
{
    g_autoptr(Json) list =
        parse_list(json, bytes, "labels", "id", &project->left_out[LEFT_OUT_LABELS], error);
    if (!list) {
        return FALSE;
    }
    guint n = (guint)json_array_size(list);
    Label *labels = g_new0(Label, n + 1);
    for (guint i = 0; i < n; i++) {
        const json_t *object = json_array_get(list, i);
        labels[i].id = json_get_id(object, "id");
        labels[i].created_ms = json_get_time(object, "created_at");
        labels[i].updated_ms = json_get_time(object, "updated_at");
        labels[i].name = name_of(object);
        labels[i].name = labels[i].name ? labels[i].name : g_strdup("");
    }
    qsort(labels, n, sizeof *labels, compare_labels);
    DROP_DUPLICATES(labels, n, id, label_clear);
    model_labels_free(project->labels, project->n_labels);
    project->labels = labels;
    project->n_labels = n;
    return TRUE;
}

void
model_tree_read_epic(Epic *epic, const json_t *object)
{
    epic->id = json_get_id(object, "id");
    epic->label_id = json_get_id(object, "label_id");
    if (epic->label_id == 0) {
        epic->label_id = json_get_id(json_object_get(object, "label"), "id");
    }
    epic->created_ms = json_get_time(object, "created_at");
    epic->updated_ms = json_get_time(object, "updated_at");
    epic->name = name_of(object);
    epic->name = epic->name ? epic->name : g_strdup("");
    epic->url = json_dup_string(object, "url");
    epic->record = record_of(object, RECORD_EPIC);
    epic->description = json_dup_text(object, "description");
    epic->comments = parse_comments(object, &epic->n_comments);
}

gboolean
model_parse_epics(Project *project, const char *json, gsize bytes, GError **error)
{
    g_autoptr(Json) list =
        parse_list(json, bytes, "epics", "id", &project->left_out[LEFT_OUT_EPICS], error);
    if (!list) {
        return FALSE;
    }
    guint size = (guint)json_array_size(list);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    Epic *epics = g_new0(Epic, size + 1);
    guint n = 0;
    for (guint i = 0; i < size; i++) {
        const json_t *object = json_array_get(list, i);
        Epic *epic = &epics[n];
        epic->id = json_get_id(object, "id");
        if (!g_hash_table_add(seen, &epic->id)) {
            continue;
        }
        n++;
        model_tree_read_epic(epic, object);
    }
    model_epics_free(project->epics, project->n_epics);
    project->epics = epics;
    project->n_epics = n;
    return TRUE;
}

static void
iteration_clear(Iteration *iteration)
{
    model_text_clear(&iteration->record);
    g_free(iteration->story_ids);
}

static int
compare_iterations(const void *a, const void *b)
{
    gint64 left = ((const Iteration *)a)->number;
    gint64 right = ((const Iteration *)b)->number;
    return (left > right) - (left < right);
}

/* The record names its stories by id: whole stories, which some services send whatever `fields`
 * asks for, would repeat what stories/ has. */
static void
parse_iteration(Iteration *iteration, json_t *object)
{
    g_autoptr(GArray) ids = collect_ids(object, "story_ids", "stories");
    iteration->number = json_get_id(object, "number");
    iteration->start_ms = json_get_time(object, "start");
    iteration->finish_ms = json_get_time(object, "finish");
    iteration->n_stories = ids->len;
    iteration->story_ids = g_memdup2(ids->data, ids->len * sizeof(gint64));
    if (json_is_array(json_object_get(object, "stories"))) {
        json_t *list = json_array();
        for (guint i = 0; i < ids->len; i++) {
            (void)json_array_append_new(list, json_integer(g_array_index(ids, gint64, i)));
        }
        (void)json_object_set_new(object, "story_ids", list);
        (void)json_object_del(object, "stories");
    }
    iteration->record = record_of(object, RECORD_OTHER);
}

gboolean
model_parse_iterations(Project *project, const char *json, gsize bytes, GError **error)
{
    g_autoptr(Json) list = parse_list(json, bytes, "iterations", "number", NULL, error);
    if (!list) {
        return FALSE;
    }
    guint size = (guint)json_array_size(list);
    guint n = project->n_iterations + size;
    Iteration *iterations = g_new0(Iteration, n + 1);
    if (project->n_iterations > 0) {
        memcpy(iterations, project->iterations, project->n_iterations * sizeof *iterations);
    }
    g_free(project->iterations);
    for (guint i = 0; i < size; i++) {
        Iteration *iteration = &iterations[project->n_iterations + i];
        parse_iteration(iteration, json_array_get(list, i));
        /* A number that is there already is replaced. */
        for (guint k = 0; k < project->n_iterations + i; k++) {
            if (iterations[k].number == iteration->number) {
                iteration_clear(&iterations[k]);
                iterations[k] = *iteration;
                *iteration = (Iteration){.number = 0};
                break;
            }
        }
    }
    qsort(iterations, n, sizeof *iterations, compare_iterations);
    guint gaps = 0;
    while (gaps < n && iterations[gaps].number == 0) {
        gaps++;
    }
    memmove(iterations, iterations + gaps, (n - gaps) * sizeof *iterations);
    project->iterations = iterations;
    project->n_iterations = n - gaps;
    return TRUE;
}

static int
compare_project_names(const void *a, const void *b)
{
    gint64 left = ((const ProjectName *)a)->id;
    gint64 right = ((const ProjectName *)b)->id;
    return (left > right) - (left < right);
}

static void
project_name_clear(ProjectName *project)
{
    g_free(project->name);
}

Account *
model_parse_account(const char *me, gsize me_bytes, const char *projects, gsize projects_bytes,
                    GError **error)
{
    g_autoptr(Json) person = json_text_parse(me, me_bytes, error);
    if (!person) {
        g_prefix_error(error, "me: ");
        return NULL;
    }
    if (!json_is_object(person) || json_get_id(person, "id") == 0) {
        g_set_error(error, ERR, ERR_PROTOCOL, "the answer of /me is not a person");
        return NULL;
    }
    g_autoptr(Json) list = parse_list(projects, projects_bytes, "projects", "id", NULL, error);
    if (!list) {
        return NULL;
    }
    Account *account = model_account_new();
    parse_person(&account->me, person);
    account->created_ms = json_get_time(person, "created_at");
    account->updated_ms = json_get_time(person, "updated_at");
    account->record = record_of(person, RECORD_ME);
    account->n_projects = (guint)json_array_size(list);
    account->projects = g_new0(ProjectName, account->n_projects + 1);
    for (guint i = 0; i < account->n_projects; i++) {
        const json_t *object = json_array_get(list, i);
        ProjectName *project = &account->projects[i];
        project->id = json_get_id(object, "id");
        project->created_ms = json_get_time(object, "created_at");
        project->updated_ms = json_get_time(object, "updated_at");
        project->name = name_of(object);
        project->name = project->name ? project->name : g_strdup("");
    }
    qsort(account->projects, account->n_projects, sizeof(ProjectName), compare_project_names);
    DROP_DUPLICATES(account->projects, account->n_projects, id, project_name_clear);
    return account;
}

/* --- For fields and tests --- */

char *
model_canonical_json(const char *json, gsize bytes, gsize *ret_bytes, GError **error)
{
    g_autoptr(Json) value = json_text_parse(json, bytes, error);
    if (!value) {
        return NULL;
    }
    GString *out = g_string_new(NULL);
    record_write(out, value, RECORD_OTHER);
    *ret_bytes = out->len;
    return g_string_free(out, FALSE);
}

/* FALSE for what has no one-line value: objects, and lists of them. */
static gboolean
append_scalar(GString *out, const json_t *value)
{
    gsize i;
    const json_t *element;
    if (json_is_array(value)) {
        json_array_foreach(value, i, element)
        {
            const char *name = json_string_value(json_object_get(element, "name"));
            if (i > 0) {
                g_string_append_c(out, ',');
            }
            if (json_is_object(element) && name) {
                (void)g_string_append(out, name);
            } else if (json_is_object(element) || json_is_array(element) ||
                       !append_scalar(out, element)) {
                return FALSE;
            }
        }
        return TRUE;
    }
    if (json_is_object(value)) {
        return FALSE;
    }
    if (json_is_string(value)) {
        (void)g_string_append_len(out, json_string_value(value), (gssize)json_string_length(value));
    } else if (!json_is_null(value)) {
        record_write_line(out, value);
    }
    return TRUE;
}

void
record_each_field(const Text *record, RecordFieldFn each, gpointer user)
{
    const char *key;
    json_t *value;
    if (!record->data) {
        return;
    }
    g_autoptr(Json) object = json_text_parse(record->data, record->length, NULL);
    json_object_foreach(object, key, value)
    {
        g_autoptr(GString) text = g_string_new(NULL);
        if (append_scalar(text, value)) {
            each(key, text->str, text->len, user);
        }
    }
}

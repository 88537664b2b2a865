/* JSON objects in a list, a path matched by hand, and no validation but of what tests need. */
#include "tests/unit/cache/support_fake_tracker.h"

#include <stdlib.h>
#include <string.h>

#include "cache/base/err.h"

#define ME 1

/* --- The state --- */

static json_t *
find_in(const json_t *list, gint64 id)
{
    gsize i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (json_integer_value(json_object_get(element, "id")) == id) {
            return element;
        }
    }
    return NULL;
}

static void
remove_from(json_t *list, gint64 id)
{
    for (gsize i = json_array_size(list); i > 0; i--) {
        if (json_integer_value(json_object_get(json_array_get(list, i - 1), "id")) == id) {
            (void)json_array_remove(list, i - 1);
        }
    }
}

static void
note_activity(FakeTracker *fake, const char *kind, const char *what, gint64 id, const char *type)
{
    fake->version++;
    (void)json_array_insert_new(
        fake->activities, 0,
        json_pack("{s:s,s:I,s:{s:I},s:{s:I},s:[{s:s,s:I}],s:[{s:s,s:I,s:s}],s:I}", "kind", kind,
                  "project_version", (json_int_t)fake->version, "project", "id", (json_int_t)9,
                  "performed_by", "id", (json_int_t)ME, "primary_resources", "kind", what, "id",
                  (json_int_t)id, "changes", "kind", what, "id", (json_int_t)id, "change_type",
                  type, "occurred_at", (json_int_t)(fake->version * 1000)));
}

/* Sets attributes as V5 does: labels by name, null removes. */
static void
set_attributes(FakeTracker *fake, json_t *object, const json_t *values)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(guintptr)values, key, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(object, key);
        } else if (strcmp(key, "labels") == 0) {
            json_t *labels = json_array();
            gsize i;
            const json_t *label;
            json_array_foreach(value, i, label)
            {
                const char *name = json_string_value(json_object_get(label, "name"));
                (void)json_array_append_new(
                    labels,
                    json_pack("{s:I,s:s}", "id", (json_int_t)g_str_hash(name), "name", name));
            }
            (void)json_object_set_new(object, "labels", labels);
        } else if (strcmp(key, "file_attachments") == 0) {
            (void)json_object_set_new(object, key, json_deep_copy(value));
        } else {
            (void)json_object_set(object, key, value);
        }
    }
    (void)json_object_set_new(object, "updated_at", json_integer(fake->version * 1000 + 1000));
}

static json_t *
new_story(FakeTracker *fake, gint64 id)
{
    json_t *story = json_pack("{s:I,s:s,s:I,s:s,s:s,s:s,s:[],s:[],s:[],s:[],s:I,s:I,s:I}", "id",
                              (json_int_t)id, "kind", "story", "project_id", (json_int_t)9, "name",
                              "", "story_type", "feature", "current_state", "unscheduled", "labels",
                              "owner_ids", "comments", "tasks", "requested_by_id", (json_int_t)ME,
                              "created_at", (json_int_t)1000, "updated_at", (json_int_t)1000);
    (void)json_array_insert_new(fake->stories, 0, json_incref(story));
    json_decref(story);
    return find_in(fake->stories, id);
}

/* --- Requests --- */

typedef struct Path {
    char **parts; /* without the first, empty one */
    guint n;
} Path;

static gint64
id_at(const Path *path, guint at)
{
    return at < path->n ? g_ascii_strtoll(path->parts[at], NULL, 10) : 0;
}

static gboolean
part_is(const Path *path, guint at, const char *word)
{
    return at < path->n && strcmp(path->parts[at], word) == 0;
}

static json_t *
list_activities(FakeTracker *fake, const char *target)
{
    gint64 since = fake_parameter(target, "since_version", 0);
    json_t *list = json_array();
    gsize i;
    json_t *activity;
    json_array_foreach(fake->activities, i, activity)
    {
        if (json_integer_value(json_object_get(activity, "project_version")) > since) {
            (void)json_array_append(list, activity);
        }
    }
    return list;
}

static json_t *
list_bulk(FakeTracker *fake, const char *target)
{
    json_t *list = json_array();
    g_autoptr(GArray) ids = fake_ids(target);
    for (guint i = 0; i < ids->len; i++) {
        json_t *story = find_in(fake->stories, g_array_index(ids, gint64, i));
        if (story) {
            (void)json_array_append(list, story);
        }
    }
    return list;
}

static json_t *
members(void)
{
    return json_pack("[{s:I,s:s,s:{s:I,s:s,s:s,s:s}},{s:I,s:s,s:{s:I,s:s,s:s,s:s}}]", "id",
                     (json_int_t)11, "role", "owner", "person", "id", (json_int_t)1, "name",
                     "Ada Example", "username", "ada", "initials", "AE", "id", (json_int_t)12,
                     "role", "member", "person", "id", (json_int_t)2, "name", "Bob Example",
                     "username", "bob", "initials", "BE");
}

/* A new reference; NULL: 404. */
static json_t *
answer_get(FakeTracker *fake, const Path *path, const char *target)
{
    if (part_is(path, 0, "me")) {
        return json_pack("{s:I,s:s,s:s}", "id", (json_int_t)ME, "name", "Ada Example", "username",
                         "ada");
    }
    if (part_is(path, 0, "stories")) {
        return json_incref(find_in(fake->stories, id_at(path, 1)));
    }
    if (path->n == 1) {
        return json_pack("[{s:I,s:s}]", "id", (json_int_t)9, "name", "P");
    }
    if (path->n == 2) {
        (void)json_object_set_new(fake->project, "version", json_integer(fake->version));
        return json_incref(fake->project);
    }
    if (part_is(path, 2, "activity")) {
        return list_activities(fake, target);
    }
    if (part_is(path, 2, "memberships")) {
        return members();
    }
    if (part_is(path, 2, "epics")) {
        return json_incref(path->n == 3 ? fake->epics : find_in(fake->epics, id_at(path, 3)));
    }
    if (!part_is(path, 2, "stories")) {
        return json_array(); /* labels, iterations */
    }
    if (path->n == 3) {
        return json_incref(fake->stories);
    }
    if (part_is(path, 3, "bulk")) {
        return list_bulk(fake, target);
    }
    fake->looks++;
    return json_incref(find_in(fake->stories, id_at(path, 3)));
}

static json_t *
answer_part(FakeTracker *fake, const char *method, const Path *path, json_t *owner,
            const json_t *body)
{
    json_t *list = json_object_get(owner, path->parts[4]);
    gint64 id = path->n > 5 ? id_at(path, 5) : fake->next_id;
    json_t *part = find_in(list, id);
    gboolean is_task = part_is(path, 4, "tasks");
    if (strcmp(method, "POST") == 0) {
        part = json_pack("{s:I,s:I,s:I,s:I}", "id", (json_int_t)id, "person_id", (json_int_t)ME,
                         "created_at", (json_int_t)2000, "updated_at", (json_int_t)2000);
        if (is_task) {
            (void)json_object_set_new(part, "position",
                                      json_integer((json_int_t)json_array_size(list) + 1));
            (void)json_object_set_new(part, "complete", json_false());
        }
        fake->next_id++;
        (void)json_array_append_new(list, part);
    } else if (!part) {
        return NULL;
    }
    note_activity(fake, is_task ? "task_update_activity" : "comment_update_activity",
                  part_is(path, 2, "epics") ? "epic" : "story", id_at(path, 3), "update");
    if (strcmp(method, "DELETE") == 0) {
        remove_from(list, id);
        return json_null();
    }
    set_attributes(fake, part, body);
    return json_incref(part);
}

static json_t *
answer_write(FakeTracker *fake, const char *method, const Path *path, const json_t *body)
{
    gboolean is_epic = part_is(path, 2, "epics");
    json_t *list = is_epic ? fake->epics : fake->stories;
    if (part_is(path, 2, "uploads")) {
        return json_pack("{s:I,s:s,s:s,s:i,s:s}", "id", (json_int_t)fake->next_id++, "kind",
                         "file_attachment", "filename", "a.png", "size", 3, "download_url",
                         "/file_attachments/1/download");
    }
    if (path->n == 2) {
        note_activity(fake, "project_update_activity", "project", 9, "update");
        set_attributes(fake, fake->project, body);
        return json_incref(fake->project);
    }
    if (path->n == 3) {
        gint64 id = fake->next_id++;
        json_t *made;
        if (is_epic) {
            (void)json_array_append_new(list, json_pack("{s:I,s:s,s:[]}", "id", (json_int_t)id,
                                                        "kind", "epic", "comments"));
            made = find_in(list, id);
        } else {
            made = new_story(fake, id);
        }
        note_activity(fake, is_epic ? "epic_create_activity" : "story_create_activity",
                      is_epic ? "epic" : "story", id, "create");
        set_attributes(fake, made, body);
        return json_incref(made);
    }
    json_t *owner = find_in(list, id_at(path, 3));
    if (!owner) {
        return NULL;
    }
    if (path->n > 4) {
        return answer_part(fake, method, path, owner, body);
    }
    gboolean deletes = strcmp(method, "DELETE") == 0;
    note_activity(fake, deletes ? "story_delete_activity" : "story_update_activity",
                  is_epic ? "epic" : "story", id_at(path, 3), deletes ? "delete" : "update");
    if (deletes) {
        remove_from(list, id_at(path, 3));
        return json_null();
    }
    set_attributes(fake, owner, body);
    return json_incref(owner);
}

static json_t *
present_of(FakeTracker *fake, const Path *path)
{
    json_t *story = find_in(fake->stories, id_at(path, 3));
    return story ? json_deep_copy(story) : json_object();
}

/* Returns the status; *ret_body is a new reference, NULL: none. -1: no answer. */
static int
make_answer(FakeTracker *fake, const HttpRequest *request, json_t **ret_body)
{
    g_autofree char *whole = g_strdup(request->target + 1);
    char *question = strchr(whole, '?');
    if (question) {
        *question = '\0';
    }
    g_auto(GStrv) parts = g_strsplit(whole, "/", -1);
    const Path path = {parts, g_strv_length(parts)};
    gboolean is_write = strcmp(request->method, "GET") != 0;
    if (!is_write) {
        *ret_body = answer_get(fake, &path, request->target);
        return *ret_body ? 200 : 404;
    }
    g_string_append_printf(fake->log, "%s /%s%s%s\n", request->method, whole,
                           request->body && request->in_fd < 0 ? " " : "",
                           request->body && request->in_fd < 0 ? request->body : "");
    Fault fault = fake->fault;
    fake->fault = FAULT_NONE;
    if (fault == FAULT_LOST_BEFORE) {
        return -1;
    }
    if (fault == FAULT_STATUS) {
        *ret_body = json_pack("{s:s,s:s,s:s}", "kind", "error", "error", "No.", "general_problem",
                              "The server does not like it.");
        return fake->fault_status;
    }
    if (fault == FAULT_IGNORED) {
        *ret_body = present_of(fake, &path);
        return 200;
    }
    json_t *body = request->body ? json_loads(request->body, 0, NULL) : NULL;
    json_t *answer = answer_write(fake, request->method, &path, body);
    json_decref(body);
    if (fault == FAULT_LOST_AFTER) {
        json_decref(answer);
        return -1;
    }
    *ret_body = answer && !json_is_null(answer) ? json_deep_copy(answer) : NULL;
    int status = !answer ? 404 : json_is_null(answer) ? 204 : 200;
    json_decref(answer);
    return status;
}

static HttpResponse *
answer(FakeTransport *wire, const HttpRequest *request, GError **error)
{
    FakeTracker *fake = (FakeTracker *)wire;
    json_t *body = NULL;
    int status = make_answer(fake, request, &body);
    if (status < 0) {
        g_set_error(error, ERR, ERR_PROTOCOL, "the answer broke off");
        return NULL;
    }
    if (status == 404) {
        body = json_pack("{s:s,s:s}", "kind", "error", "error", "It could not be found.");
    }
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    HttpResponse *response = fake_response(status, fake->version, g_strdup(text));
    free(text);
    response->total = json_is_array(body) ? (gint64)json_array_size(body) : -1;
    response->limit = 500;
    response->offset = 0;
    response->returned = response->total;
    json_decref(body);
    return response;
}

static void
clear(FakeTransport *wire)
{
    FakeTracker *fake = (FakeTracker *)wire;
    json_decref(fake->project);
    json_decref(fake->stories);
    json_decref(fake->epics);
    json_decref(fake->activities);
    (void)g_string_free(fake->log, TRUE);
}

/* --- For the tests --- */

FakeTracker *
fake_tracker_new(void)
{
    FakeTracker *fake = g_new0(FakeTracker, 1);
    fake->wire.answer = answer;
    fake->wire.clear = clear;
    fake->project = json_pack("{s:I,s:s,s:s,s:s}", "id", (json_int_t)9, "kind", "project", "name",
                              "P", "point_scale", "0,1,2,3");
    fake->stories = json_array();
    fake->epics = json_array();
    fake->activities = json_array();
    fake->version = 10;
    fake->next_id = 500;
    fake->log = g_string_new(NULL);
    fake_transport_start(&fake->wire);
    return fake;
}

gint64
fake_tracker_add(FakeTracker *fake, const char *name, const char *description)
{
    LOCK_SCOPE(&fake->wire.lock);
    gint64 id = fake->next_id++;
    json_t *story = new_story(fake, id);
    (void)json_object_set_new(story, "name", json_string(name));
    (void)json_object_set_new(story, "description", json_string(description));
    return id;
}

void
fake_tracker_put(FakeTracker *fake, gint64 id, const char *json)
{
    json_t *values = json_loads(json, 0, NULL);
    g_assert_nonnull(values);
    LOCK_SCOPE(&fake->wire.lock);
    note_activity(fake, "story_update_activity", "story", id, "update");
    set_attributes(fake, find_in(fake->stories, id), values);
    json_decref(values);
}

void
fake_tracker_delete(FakeTracker *fake, gint64 id)
{
    LOCK_SCOPE(&fake->wire.lock);
    note_activity(fake, "story_delete_activity", "story", id, "delete");
    remove_from(fake->stories, id);
}

void
fake_tracker_fault(FakeTracker *fake, Fault fault, int status)
{
    LOCK_SCOPE(&fake->wire.lock);
    fake->fault = fault;
    fake->fault_status = status;
}

void
fake_tracker_set_offline(FakeTracker *fake, gboolean offline)
{
    FAKE_SET(fake, wire.is_offline, offline);
}

char *
fake_tracker_get(FakeTracker *fake, gint64 id, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    LOCK_SCOPE(&fake->wire.lock);
    const json_t *at = find_in(fake->stories, id);
    for (guint i = 0; parts[i]; i++) {
        at = json_is_array(at) ? json_array_get(at, (gsize)g_ascii_strtoull(parts[i], NULL, 10))
                               : json_object_get(at, parts[i]);
    }
    if (!at) {
        return g_strdup("");
    }
    if (json_is_string(at)) {
        return g_strdup(json_string_value(at));
    }
    char *dumped = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

guint
fake_tracker_count(FakeTracker *fake)
{
    LOCK_SCOPE(&fake->wire.lock);
    return (guint)json_array_size(fake->stories);
}

char *
fake_tracker_take_log(FakeTracker *fake)
{
    LOCK_SCOPE(&fake->wire.lock);
    char *text = g_strdup(fake->log->str);
    (void)g_string_truncate(fake->log, 0);
    return text;
}

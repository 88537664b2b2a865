/* A Sending is a chain of requests with one answer each. `next` is the function that judges the
 * answer under way; each judge either sends the next request or ends the chain with send_end(). */
#include "cache/edit_send.h"

#include <string.h>
#include <unistd.h>

#include "cache/api.h"
#include "cache/base/clock.h"
#include "cache/base/crash.h"
#include "cache/base/err.h"
#include "cache/base/log.h"
#include "cache/edit_apply.h"
#include "cache/edit_merge.h"
#include "cache/json_text.h"

#define ID G_GINT64_FORMAT

typedef struct Sending Sending;
/* `answer`: the JSON of a 2xx, NULL when it had none; borrowed. `error`: of everything else. */
typedef void (*JudgeFn)(Sending *sending, const json_t *answer, const GError *error);

struct Sending {
    SendParts *parts;
    Edit *edit; /* our copy */
    Project *project;
    Person me;
    gboolean has_me;
    SendDoneFn done;
    gpointer user;
    JudgeFn next;
    gboolean is_write;
    gboolean looked_elsewhere; /* the story is not in its project: asked for without one */
    json_t *owner;             /* as the server has it */
    json_t *sent;              /* values of the PUT under way */
    GArray *candidates;        /* ids that may be the twin */
    /* of the request under way */
    HttpResponse *response;
    GError *error;
    gint64 version; /* told by the last answer */
};

static EditContext
context_of(const Sending *sending)
{
    return (EditContext){.project = sending->project,
                         .me = sending->has_me ? &sending->me : NULL,
                         .now_ms = clock_wall_ms()};
}

static void
send_end(Sending *sending, Outcome outcome, const GError *error, gint64 retry_after_ms)
{
    sending->done(outcome, g_steal_pointer(&sending->edit), error, retry_after_ms, sending->user);
    project_unref(sending->project);
    g_free(sending->me.name);
    g_free(sending->me.username);
    g_free(sending->me.initials);
    json_decref(sending->owner);
    json_decref(sending->sent);
    if (sending->candidates) {
        g_array_unref(sending->candidates);
    }
    g_free(sending);
}

/* --- Requests --- */

/* Whether the thing may go well next time; a service that does not speak V5 for a moment is a proxy
 * that tells of an outage. */
static gboolean
is_passing(const GError *error)
{
    return err_is_transient(error) || error->code == ERR_PROTOCOL || error->code == ERR_CANCELLED ||
           error->code == ERR_LOCAL || error->code == ERR_NO_SPACE;
}

/* The server's words with the lines that every refusal has: what was sent, and its rule. */
static GError *
explain(const Sending *sending, const GError *error)
{
    const json_t *values = sending->sent ? sending->sent : sending->edit->changes;
    g_autofree char *what = edit_describe(sending->edit);
    g_autoptr(GString) keys = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(error->message);
    const char *key;
    const char *rule = error->message;
    json_t *value;
    json_object_foreach((json_t *)(guintptr)values, key, value)
    {
        g_string_append_printf(keys, "%s%s", keys->len ? ", " : "", key);
    }
    if (g_str_has_prefix(rule, what) && g_str_has_prefix(rule + strlen(what), ": ")) {
        rule += strlen(what) + 2;
    }
    edit_append_line(text, "field", keys->len ? keys->str : what);
    if (json_object_size(values) == 1) {
        value = json_object_iter_value(json_object_iter((json_t *)(guintptr)values));
        g_autofree char *written =
            json_is_string(value) ? g_strdup(json_string_value(value)) : edit_json_to_text(value);
        edit_append_line(text, "value", written);
    }
    edit_append_line(text, "rule", rule);
    return g_error_new_literal(ERR, error->code, text->str);
}

static void
end_by_error(Sending *sending, const GError *error)
{
    if (is_passing(error)) {
        gint64 wait_ms = sending->response ? sending->response->retry_after_ms : -1;
        send_end(sending, OUTCOME_LATER, error, wait_ms);
    } else {
        g_autoptr(GError) whole = explain(sending, error);
        send_end(sending, OUTCOME_REFUSED, whole, -1);
    }
}

static void
judge(gpointer user)
{
    Sending *sending = user;
    g_autoptr(GError) error = NULL;
    g_autofree char *what = edit_describe(sending->edit);
    g_autoptr(HttpResponse) response = g_steal_pointer(&sending->response);
    g_autoptr(GError) failure = g_steal_pointer(&sending->error);
    g_autoptr(Json) answer = NULL;
    crash_point(sending->is_write ? CRASH_WRITE_JUDGED : CRASH_LOOK_JUDGED);
    if (response && response->status == 204 && sending->is_write) {
        sending->version = response->project_version;
    } else if (api_check(response, failure, what, &error)) {
        answer = json_text_parse(response->body, response->body_bytes, &error);
        sending->version = response->project_version;
    }
    /* The judge may end the sending; what it needs of the response it reads before. */
    sending->response = response;
    sending->next(sending, answer, error);
}

static void
on_answer(HttpResponse *response, const GError *error, gpointer user)
{
    Sending *sending = user;
    crash_point(sending->is_write ? CRASH_WRITE_ANSWERED : CRASH_LOOK_ANSWERED);
    sending->response = response;
    sending->error = error ? g_error_copy(error) : NULL;
    clerk_post(sending->parts->clerk, PRIORITY_SAVE, judge, sending);
}

static void
ask(Sending *sending, HttpRequest *request, JudgeFn next, gboolean is_write)
{
    SendParts *parts = sending->parts;
    sending->next = next;
    sending->is_write = is_write;
    sending->response = NULL;
    request->priority = PRIORITY_SAVE;
    request->deadline_ms = clock_monotonic_ms() + parts->timeout_ms;
    if (is_write) {
        request->max_bytes = API_WRITE_MAX_BYTES;
        crash_point(CRASH_WRITE_BUILT);
    }
    log_debug(LOG_CACHE, "edit %" ID ": %s %s", sending->edit->number, request->method,
              request->target);
    parts->transport->send(parts->transport, request, on_answer, sending);
    crash_point(is_write ? CRASH_WRITE_SENT : CRASH_LOOK_SENT);
}

/* --- What was learnt --- */

static void
end_accepted(Sending *sending, const json_t *result)
{
    Edit *edit = sending->edit;
    edit->state = STATE_ACCEPTED;
    edit->version = sending->version;
    edit->accepted_ms = clock_monotonic_ms();
    edit_set_json(&edit->result, json_deep_copy(result));
    edit_set_error(edit, NULL);
    send_end(sending, OUTCOME_ACCEPTED, NULL, -1);
}

static void
end_gone(Sending *sending)
{
    g_autofree char *what = edit_describe(sending->edit);
    g_autoptr(GError) error = g_error_new(
        ERR, ERR_NOT_FOUND, "%s: it is not at the server any more: removed, or moved away", what);
    send_end(sending, OUTCOME_REFUSED, error, -1);
}

static void
end_conflict(Sending *sending, json_t *theirs)
{
    g_autoptr(GString) keys = g_string_new(NULL);
    const char *key;
    json_t *value;
    json_object_foreach(theirs, key, value)
    {
        g_string_append_printf(keys, "%s%s", keys->len ? ", " : "", key);
    }
    edit_set_json(&sending->edit->theirs, theirs);
    g_autoptr(GError) error = g_error_new(
        ERR, ERR_CONFLICT,
        "%s: changed at the server since it was opened; nothing was sent\nfield: %s\nrule: look "
        "at .conflict/theirs, then save again, changed or not, to put yours in its place (before "
        "that look a save fails again, with ESTALE); or remove .conflict to keep the server's",
        keys->str, keys->str);
    send_end(sending, OUTCOME_CONFLICT, error, -1);
}

static char *
owner_path(const Edit *edit)
{
    return edit->owner == EDIT_OF_PROJECT
               ? g_strdup_printf("/projects/%" ID, edit->project_id)
               : g_strdup_printf("/projects/%" ID "/%s/%" ID, edit->project_id,
                                 edit->owner == EDIT_OF_EPIC ? "epics" : "stories", edit->owner_id);
}

/* Where the object of the edit is, or (creations) where it is made. */
static char *
object_path(const Edit *edit)
{
    g_autofree char *owner = owner_path(edit);
    switch (edit->object) {
    case OBJECT_STORY:
    case OBJECT_EPIC:
        return edit->verb == EDIT_CREATE
                   ? g_strdup_printf("/projects/%" ID "/%s", edit->project_id,
                                     edit->object == OBJECT_EPIC ? "epics" : "stories")
                   : g_steal_pointer(&owner);
    case OBJECT_PROJECT:
        return g_steal_pointer(&owner);
    case OBJECT_TASK:
    case OBJECT_COMMENT:
    case OBJECT_ATTACHMENT:
        break;
    }
    const char *list = edit->object == OBJECT_TASK ? "tasks" : "comments";
    return edit->verb == EDIT_CREATE ? g_strdup_printf("%s/%s", owner, list)
                                     : g_strdup_printf("%s/%s/%" ID, owner, list, edit->id);
}

static const char *
fields_of(const Sending *sending)
{
    guint level = sending->parts->level;
    switch (sending->edit->object) {
    case OBJECT_STORY:
        return api_story_fields(level);
    case OBJECT_EPIC:
        return api_epic_fields(level);
    case OBJECT_COMMENT:
    case OBJECT_ATTACHMENT:
        return api_comment_fields(level);
    case OBJECT_PROJECT:
    case OBJECT_TASK:
        break;
    }
    return NULL;
}

/* The request that writes, with `values` (normalised) as its body. */
static HttpRequest *
write_request(const Sending *sending, const char *method, char *body)
{
    g_autofree char *path = object_path(sending->edit);
    const char *fields = body ? fields_of(sending) : NULL;
    g_autofree char *escaped = fields ? g_uri_escape_string(fields, NULL, FALSE) : NULL;
    HttpRequest *request =
        http_request_new_write(method, "%s%s%s", path, escaped ? "?fields=" : "", escaped ?: "");
    if (body) {
        http_request_set_json(request, body);
    }
    return request;
}

/* A service may not know the attributes that are asked for in an answer: 400 says so, and nothing
 * was done. Of a write that was refused only the words tell whether that is why. */
static gboolean
wants_fewer_fields(Sending *sending, const GError *error)
{
    if (!error || error->code != ERR_INVALID || sending->parts->level + 1 >= API_LEVELS ||
        (sending->is_write && !strstr(error->message, "fields"))) {
        return FALSE;
    }
    sending->parts->level++;
    return TRUE;
}

/* --- Updates --- */

static void send_put(Sending *sending);

static void
judge_put(Sending *sending, const json_t *answer, const GError *error)
{
    g_autoptr(GError) difference = NULL;
    const EditContext context = context_of(sending);
    if (wants_fewer_fields(sending, error)) {
        send_put(sending);
        return;
    }
    if (error) {
        end_by_error(sending, error);
        return;
    }
    if (!json_is_object(answer)) {
        difference = g_error_new(ERR, ERR_PROTOCOL, "the answer to a change is no object");
        end_by_error(sending, difference);
        return;
    }
    if (!edit_check_answer(sending->edit->object, sending->sent, answer, &context, &difference)) {
        send_end(sending, OUTCOME_REFUSED, difference, -1);
        return;
    }
    crash_point(CRASH_ANSWER_CHECKED);
    end_accepted(sending, answer);
}

static void
send_put(Sending *sending)
{
    char *body = edit_wire_text(sending->edit->object, sending->sent);
    ask(sending, write_request(sending, "PUT", body), judge_put, TRUE);
}

static void
update(Sending *sending, const json_t *theirs)
{
    const EditContext context = context_of(sending);
    json_t *conflicts = NULL;
    MergeResult result = edit_merge(sending->edit, theirs, &context, &sending->sent, &conflicts);
    crash_point(CRASH_MERGED);
    switch (result) {
    case MERGE_NOTHING:
        end_accepted(sending, theirs);
        return;
    case MERGE_CONFLICT:
        end_conflict(sending, conflicts);
        return;
    case MERGE_SEND:
        send_put(sending);
        return;
    }
}

/* --- Removals --- */

static void
judge_delete(Sending *sending, const json_t *answer, const GError *error)
{
    (void)answer;
    if (error && error->code != ERR_NOT_FOUND) {
        end_by_error(sending, error);
    } else {
        end_accepted(sending, NULL);
    }
}

static void
remove_it(Sending *sending)
{
    Edit *edit = sending->edit;
    HttpRequest *request;
    if (edit->object == OBJECT_ATTACHMENT) {
        gint64 comment = 0;
        gsize i;
        const json_t *element;
        json_array_foreach(json_object_get(sending->owner, "comments"), i, element)
        {
            g_autoptr(Json) alone = json_pack("{s:[O]}", "comments", element);
            if (edit_find_part(alone, OBJECT_ATTACHMENT, edit->id)) {
                comment = json_get_id(element, "id");
            }
        }
        g_autofree char *owner = owner_path(edit);
        request = http_request_new_write("DELETE", "%s/comments/%" ID "/file_attachments/%" ID,
                                         owner, comment, edit->id);
    } else {
        request = write_request(sending, "DELETE", NULL);
    }
    ask(sending, request, judge_delete, TRUE);
}

/* --- Creations --- */

static void send_post(Sending *sending);

static void
take_made(Sending *sending, const json_t *made)
{
    Edit *edit = sending->edit;
    gint64 id = json_get_id(made, "id");
    if (edit->object == OBJECT_STORY || edit->object == OBJECT_EPIC) {
        edit->owner_id = id;
    } else if (edit->object == OBJECT_ATTACHMENT) {
        /* The comment was made; the file in it is what was asked for. */
        edit->id = json_get_id(edit->result, "id");
    } else {
        edit->id = id;
    }
    end_accepted(sending, made);
}

static void
judge_post(Sending *sending, const json_t *answer, const GError *error)
{
    const EditContext context = context_of(sending);
    g_autoptr(GError) difference = NULL;
    if (wants_fewer_fields(sending, error)) {
        send_post(sending);
        return;
    }
    if (!error && json_get_id(answer, "id") == 0) {
        difference = g_error_new(ERR, ERR_PROTOCOL, "the answer to a creation has no id");
        error = difference;
    }
    if (error) {
        end_by_error(sending, error);
        return;
    }
    if (sending->edit->object != OBJECT_ATTACHMENT &&
        !edit_check_answer(sending->edit->object, sending->edit->changes, answer, &context,
                           &difference)) {
        /* It is made, and that it differs is for the user to see; made twice would be worse. */
        log_warning("%s", difference->message);
    }
    crash_point(CRASH_ANSWER_CHECKED);
    take_made(sending, answer);
}

static void
send_post(Sending *sending)
{
    Edit *edit = sending->edit;
    char *body;
    if (edit->object == OBJECT_ATTACHMENT) {
        g_autoptr(Json) comment = json_pack("{s:[O]}", "file_attachments", edit->result);
        body = edit_json_to_text(comment);
    } else {
        body = edit_wire_text(edit->object, edit->changes);
    }
    ask(sending, write_request(sending, "POST", body), judge_post, TRUE);
}

static void
on_marked(const GError *error, gpointer user)
{
    Sending *sending = user;
    if (error) {
        send_end(sending, OUTCOME_LATER, error, -1);
        return;
    }
    crash_point(CRASH_MARK_COMMITTED);
    send_post(sending);
}

/* From here on the request may have arrived, whatever happens to this process. */
static void
mark_and_post(Sending *sending)
{
    sending->edit->state = STATE_SENT;
    crash_point(CRASH_MARK_QUEUED);
    sending->parts->note(edit_copy(sending->edit), on_marked, sending, sending->parts->user);
}

static void
on_upload_noted(const GError *error, gpointer user)
{
    Sending *sending = user;
    crash_point(CRASH_UPLOAD_NOTED);
    on_marked(error, sending);
}

static void
judge_upload(Sending *sending, const json_t *answer, const GError *error)
{
    g_autoptr(GError) strange = NULL;
    crash_point(CRASH_UPLOAD_ANSWERED);
    if (!error && json_get_id(answer, "id") == 0) {
        strange = g_error_new(ERR, ERR_PROTOCOL, "the answer to an upload has no id");
        error = strange;
    }
    if (error) {
        end_by_error(sending, error);
        return;
    }
    edit_set_json(&sending->edit->result, json_deep_copy(answer));
    sending->edit->state = STATE_SENT;
    sending->parts->note(edit_copy(sending->edit), on_upload_noted, sending, sending->parts->user);
}

static void
upload(Sending *sending)
{
    Edit *edit = sending->edit;
    g_autoptr(GError) error = NULL;
    int fd = journal_spool_open(sending->parts->journal, edit->spool, &error);
    if (fd < 0) {
        send_end(sending, OUTCOME_REFUSED, error, -1);
        return;
    }
    gint64 bytes = lseek(fd, 0, SEEK_END);
    HttpRequest *request =
        http_request_new_write("POST", "/projects/%" ID "/uploads", edit->project_id);
    const char *name = json_string_value(json_object_get(edit->changes, "filename"));
    http_request_set_upload(request, "file", name ?: "file", fd, bytes);
    ask(sending, request, judge_upload, TRUE);
    crash_point(CRASH_UPLOAD_SENT);
}

static gboolean
is_mine(const Sending *sending, const json_t *made)
{
    gint64 person = json_get_id(made, "person_id");
    person = person ? person : json_get_id(json_object_get(made, "person"), "id");
    return person == 0 || !sending->has_me || person == sending->me.id;
}

static gboolean
is_twin(const Sending *sending, const json_t *made)
{
    const Edit *edit = sending->edit;
    const EditContext context = context_of(sending);
    gint64 id = json_get_id(made, "id");
    if (id <= edit->since || sending->parts->is_ours(id, edit, sending->parts->user)) {
        return FALSE;
    }
    if (edit->object == OBJECT_ATTACHMENT) {
        g_autoptr(Json) alone = json_pack("{s:[O]}", "comments", made);
        return edit_find_part(alone, OBJECT_ATTACHMENT, json_get_id(edit->result, "id")) != NULL;
    }
    return (edit->object != OBJECT_COMMENT || is_mine(sending, made)) &&
           edit_check_answer(edit->object, edit->changes, made, &context, NULL);
}

/* A comment, task or attachment: what is newer than the look before the first POST. */
static void
create_part(Sending *sending)
{
    Edit *edit = sending->edit;
    const json_t *list =
        json_object_get(sending->owner, edit->object == OBJECT_TASK ? "tasks" : "comments");
    gint64 largest = 0;
    gsize i;
    const json_t *element;
    json_array_foreach(list, i, element)
    {
        if (edit->state == STATE_SENT && is_twin(sending, element)) {
            crash_point(CRASH_TWIN_FOUND);
            take_made(sending, element);
            return;
        }
        largest = MAX(largest, json_get_id(element, "id"));
    }
    if (edit->state != STATE_SENT) {
        edit->since = largest;
    }
    if (edit->object == OBJECT_ATTACHMENT && !edit->result) {
        upload(sending);
    } else if (edit->state == STATE_SENT) {
        send_post(sending);
    } else {
        mark_and_post(sending);
    }
}

/* --- The twin of a story or epic --- */

static void try_candidate(Sending *sending);

static void
judge_candidate(Sending *sending, const json_t *answer, const GError *error)
{
    const EditContext context = context_of(sending);
    if (error && error->code != ERR_NOT_FOUND) {
        end_by_error(sending, error);
        return;
    }
    if (!error &&
        edit_check_answer(sending->edit->object, sending->edit->changes, answer, &context, NULL)) {
        crash_point(CRASH_TWIN_FOUND);
        take_made(sending, answer);
        return;
    }
    try_candidate(sending);
}

static void
try_candidate(Sending *sending)
{
    Edit *edit = sending->edit;
    GArray *candidates = sending->candidates;
    if (candidates->len == 0) {
        send_post(sending);
        return;
    }
    gint64 id = g_array_index(candidates, gint64, candidates->len - 1);
    (void)g_array_set_size(candidates, candidates->len - 1);
    ask(sending,
        edit->object == OBJECT_EPIC ? api_get_epic(edit->project_id, id, sending->parts->level)
                                    : api_get_story(edit->project_id, id, sending->parts->level),
        judge_candidate, FALSE);
}

static void
judge_activity(Sending *sending, const json_t *answer, const GError *error)
{
    const Edit *edit = sending->edit;
    const char *kind =
        edit->object == OBJECT_EPIC ? "epic_create_activity" : "story_create_activity";
    gsize i;
    const json_t *activity;
    crash_point(CRASH_TWIN_SOUGHT);
    if (error) {
        end_by_error(sending, error);
        return;
    }
    sending->candidates = g_array_new(FALSE, FALSE, sizeof(gint64));
    json_array_foreach(answer, i, activity)
    {
        gint64 person = json_get_id(json_object_get(activity, "performed_by"), "id");
        gint64 id =
            json_get_id(json_array_get(json_object_get(activity, "primary_resources"), 0), "id");
        if (g_strcmp0(json_string_value(json_object_get(activity, "kind")), kind) == 0 && id > 0 &&
            (person == 0 || !sending->has_me || person == sending->me.id) &&
            !sending->parts->is_ours(id, edit, sending->parts->user)) {
            g_array_append_val(sending->candidates, id);
        }
    }
    try_candidate(sending);
}

static void
judge_project_version(Sending *sending, const json_t *answer, const GError *error)
{
    Edit *edit = sending->edit;
    if (error) {
        end_by_error(sending, error);
        return;
    }
    edit->since = MAX(sending->version, json_get_integer(answer, "version"));
    mark_and_post(sending);
}

/* --- The look --- */

static void
with_owner(Sending *sending)
{
    Edit *edit = sending->edit;
    gboolean is_part = edit->object == OBJECT_COMMENT || edit->object == OBJECT_TASK ||
                       edit->object == OBJECT_ATTACHMENT;
    if (!is_part) {
        if (edit->verb == EDIT_DELETE) {
            remove_it(sending);
        } else {
            update(sending, sending->owner);
        }
        return;
    }
    if (edit->verb == EDIT_CREATE) {
        create_part(sending);
        return;
    }
    const json_t *part = edit_find_part(sending->owner, edit->object, edit->id);
    if (!part && edit->verb == EDIT_DELETE) {
        end_accepted(sending, NULL);
    } else if (!part) {
        end_gone(sending);
    } else if (edit->verb == EDIT_DELETE) {
        remove_it(sending);
    } else {
        update(sending, part);
    }
}

/* A service that knows no nested fields gives the parts on their own. */
static void
judge_parts(Sending *sending, const json_t *answer, const GError *error)
{
    if (error) {
        end_by_error(sending, error);
        return;
    }
    (void)json_object_set(sending->owner,
                          sending->edit->object == OBJECT_TASK ? "tasks" : "comments",
                          (json_t *)(guintptr)answer);
    with_owner(sending);
}

static void look(Sending *sending);

static void
judge_look(Sending *sending, const json_t *answer, const GError *error)
{
    Edit *edit = sending->edit;
    if (wants_fewer_fields(sending, error)) {
        look(sending);
        return;
    }
    if (error && error->code == ERR_NOT_FOUND && edit->owner == EDIT_OF_STORY &&
        !sending->looked_elsewhere) {
        sending->looked_elsewhere = TRUE;
        ask(sending, api_get_story(0, edit->owner_id, sending->parts->level), judge_look, FALSE);
        return;
    }
    if (error && error->code == ERR_NOT_FOUND) {
        if (edit->verb == EDIT_DELETE) {
            end_accepted(sending, NULL);
        } else {
            end_gone(sending);
        }
        return;
    }
    if (error) {
        end_by_error(sending, error);
        return;
    }
    if (edit->owner == EDIT_OF_STORY && json_get_id(answer, "project_id") > 0) {
        edit->project_id = json_get_id(answer, "project_id");
    }
    edit_set_json(&sending->owner, json_incref((json_t *)(guintptr)answer));
    const char *list = edit->object == OBJECT_TASK ? "tasks" : "comments";
    if (edit->object >= OBJECT_COMMENT && !json_object_get(answer, list)) {
        g_autofree char *path = owner_path(edit);
        HttpRequest *request = http_request_new_get("%s/%s", path, list);
        request->max_bytes = API_WRITE_MAX_BYTES;
        ask(sending, request, judge_parts, FALSE);
        return;
    }
    with_owner(sending);
}

static void
look(Sending *sending)
{
    const Edit *edit = sending->edit;
    guint level = sending->parts->level;
    if (edit->verb == EDIT_CREATE &&
        (edit->object == OBJECT_STORY || edit->object == OBJECT_EPIC)) {
        if (edit->state == STATE_SENT) {
            ask(sending, api_get_activity(edit->project_id, 'p', edit->project_id, edit->since, 0),
                judge_activity, FALSE);
        } else {
            ask(sending, api_get_project(edit->project_id), judge_project_version, FALSE);
        }
        return;
    }
    ask(sending,
        edit->owner == EDIT_OF_PROJECT ? api_get_project(edit->project_id)
        : edit->owner == EDIT_OF_EPIC  ? api_get_epic(edit->project_id, edit->owner_id, level)
                                       : api_get_story(edit->project_id, edit->owner_id, level),
        judge_look, FALSE);
}

void
edit_send(SendParts *parts, const Edit *edit, Project *project, const Person *me, SendDoneFn done,
          gpointer user)
{
    Sending *sending = g_new0(Sending, 1);
    sending->parts = parts;
    sending->edit = edit_copy(edit);
    sending->project = project_ref(project);
    if (me) {
        sending->has_me = TRUE;
        sending->me =
            (Person){me->id, g_strdup(me->name), g_strdup(me->username), g_strdup(me->initials)};
    }
    sending->done = done;
    sending->user = user;
    sending->version = -1;
    crash_point(CRASH_SEND_BEGUN);
    look(sending);
}

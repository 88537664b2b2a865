/* v5_recognise: tables of kinds, collections and shapes. */
#include "tracker/import/v5_recognise.h"

#include <string.h>

static const struct {
    V5Kind kind;
    const char *name;
    const char *collection; /* NULL: never a list of its own */
} kinds[] = {
    {V5_ACCOUNT, "account", "accounts"},
    {V5_ACCOUNT, "account_summary", NULL},
    {V5_ACCOUNT_MEMBERSHIP, "account_membership", NULL},
    {V5_ACTIVITY, "activity", "activity"},
    {V5_BLOCKER, "blocker", "blockers"},
    {V5_BRANCH, "branch", "branches"},
    {V5_COMMENT, "comment", "comments"},
    {V5_EPIC, "epic", "epics"},
    {V5_FILE_ATTACHMENT, "file_attachment", "file_attachments"},
    {V5_FILE_ATTACHMENT, "file_attachment", "uploads"},
    {V5_GOOGLE_ATTACHMENT, "google_attachment", "google_attachments"},
    {V5_ITERATION, "iteration", "iterations"},
    {V5_ITERATION_OVERRIDE, "iteration_override", "iteration_overrides"},
    {V5_LABEL, "label", "labels"},
    {V5_ME, "me", "me"},
    {V5_MEMBERSHIP, "project_membership", "memberships"},
    {V5_MEMBERSHIP_SUMMARY, "membership_summary", NULL},
    {V5_PERSON, "person", "people"},
    {V5_PERSON, "person", "owners"},
    {V5_PERSON, "person", "followers"},
    {V5_PROJECT, "project", "projects"},
    {V5_PULL_REQUEST, "pull_request", "pull_requests"},
    {V5_RELEASE, "release", "releases"},
    {V5_REVIEW, "review", "reviews"},
    {V5_REVIEW_TYPE, "review_type", "review_types"},
    {V5_STORY, "story", "stories"},
    {V5_TASK, "task", "tasks"},
    {V5_TRANSITION, "story_transition", "transitions"},
    {V5_TRANSITION, "story_transition", "story_transitions"},
    {V5_WORKSPACE, "workspace", "workspaces"},
};

/* Keys that only one kind has, most telling first: an object without `kind` is what the first line
 * says of which it has both keys. */
static const struct {
    const char *first, *second;
    V5Kind kind;
} shapes[] = {
    {"guid", "project_version", V5_ACTIVITY},
    {"number", "start", V5_ITERATION},
    {"number", "team_strength", V5_ITERATION_OVERRIDE},
    {"current_state", "name", V5_STORY},
    {"story_type", "name", V5_STORY},
    {"point_scale", "name", V5_PROJECT},
    {"iteration_length", "name", V5_PROJECT},
    {"api_token", "id", V5_ME},
    {"state", "occurred_at", V5_TRANSITION},
    {"role", "person", V5_MEMBERSHIP},
    {"role", "person_id", V5_MEMBERSHIP},
    {"role", "project_name", V5_MEMBERSHIP_SUMMARY},
    {"filename", "size", V5_FILE_ATTACHMENT},
    {"google_id", "title", V5_GOOGLE_ATTACHMENT},
    {"review_type_id", "status", V5_REVIEW},
    {"resolved", "description", V5_BLOCKER},
    {"complete", "description", V5_TASK},
    {"text", "person_id", V5_COMMENT},
    {"text", "story_id", V5_COMMENT},
    {"text", "epic_id", V5_COMMENT},
    {"label", "name", V5_EPIC},
    {"label_id", "name", V5_EPIC},
    {"project_ids", "person_id", V5_WORKSPACE},
    {"hidden", "project_id", V5_REVIEW_TYPE},
    {"initials", "name", V5_PERSON},
    {"username", "name", V5_PERSON},
};

const char *
v5_kind_name(V5Kind kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "unknown";
}

V5Kind
v5_recognise(const json_t *object, V5Kind hint)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    if (kind != NULL) {
        for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
            if (strcmp(kinds[i].name, kind) == 0) {
                return kinds[i].kind;
            }
        }
        return g_str_has_suffix(kind, "_activity") ? V5_ACTIVITY : V5_UNKNOWN;
    }
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        if (json_object_get(object, shapes[i].first) != NULL &&
            json_object_get(object, shapes[i].second) != NULL) {
            return shapes[i].kind;
        }
    }
    return hint;
}

V5Kind
v5_kind_of_collection(const char *key, gsize key_bytes)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].collection != NULL && strlen(kinds[i].collection) == key_bytes &&
            strncmp(kinds[i].collection, key, key_bytes) == 0) {
            return kinds[i].kind;
        }
    }
    return V5_UNKNOWN;
}

static void
note_parent(V5Context *context, V5Kind collection, gint64 id)
{
    switch (collection) {
    case V5_PROJECT:
        context->project_id = id;
        break;
    case V5_STORY:
    case V5_RELEASE:
        context->story_id = id;
        break;
    case V5_EPIC:
        context->epic_id = id;
        break;
    case V5_COMMENT:
        context->comment_id = id;
        break;
    default:
        break;
    }
}

V5Context
v5_context_of_path(const char *path, const char *query)
{
    V5Context context = {.hint = V5_UNKNOWN};
    gboolean is_list = FALSE;
    const char *at = path;
    while (at != NULL && *at != '\0' && *at != '?') {
        gsize bytes = strcspn(at, "/?");
        if (bytes > 0 && g_ascii_isdigit(*at)) {
            note_parent(&context, context.hint, g_ascii_strtoll(at, NULL, 10));
            is_list = FALSE;
        } else if (bytes > 0) {
            V5Kind kind = v5_kind_of_collection(at, bytes);
            if (kind != V5_UNKNOWN) {
                context.hint = kind;
            }
            is_list = kind == V5_STORY || kind == V5_ITERATION;
        }
        at += bytes + (at[bytes] == '/' ? 1 : 0);
    }
    if (query == NULL && path != NULL && strchr(path, '?') != NULL) {
        query = strchr(path, '?') + 1;
    }
    /* A filter or a label picks stories out of the order, which stays the order. A search does not
     * keep it. */
    context.is_project_order = is_list && (query == NULL || strstr(query, "filter=") == NULL);
    return context;
}

gint64
v5_time_ms(const json_t *value)
{
    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) > 40 || strlen(text) < 10) {
        return 0;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (time == NULL) {
        return 0;
    }
    return g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
}

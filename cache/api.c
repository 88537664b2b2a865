/* Field sets and query strings in one place, statuses and error bodies in another.
 *
 * What is not asked for, and why: cycle_time_details counts up to now, so a story would never be
 * the same twice; requested_by may replace requested_by_id, and the person is among the members;
 * before_id and after_id of a full listing are its order, and go stale with every move of a
 * neighbour. */
#include "cache/api.h"

#include "cache/base/err.h"
#include "cache/model.h"

#include <string.h>

#define PAGE_MAX_BYTES ((gsize)256 * 1024 * 1024)
#define SMALL_MAX_BYTES ((gsize)64 * 1024 * 1024)
#define WORDS_MAX_BYTES 2000

#define ATTACHED "file_attachments,google_attachments"

#define STORY_FIELDS                                                                               \
    ":default,comments(:default,person," ATTACHED "),tasks,owners,followers,"                      \
    "reviews(:default,review_type),blockers,transitions,pull_requests,branches,blocked_story_ids"
#define STORY_FIELDS_FEWER ":default,comments(:default,person,file_attachments),tasks,owners"
#define NEIGHBOURS ",before_id,after_id"

static const char *const story_fields[API_LEVELS] = {STORY_FIELDS, STORY_FIELDS_FEWER, NULL};
static const char *const one_story_fields[API_LEVELS] = {STORY_FIELDS NEIGHBOURS,
                                                         STORY_FIELDS_FEWER NEIGHBOURS, NULL};
static const char *const comment_fields[API_LEVELS] = {":default,person," ATTACHED,
                                                       ":default,person,file_attachments", NULL};

static const char *const epic_fields[API_LEVELS] = {
    ":default,comments(:default,person," ATTACHED "),followers",
    ":default,comments(:default,person)",
    NULL,
};

static const char *const iteration_fields[API_LEVELS] = {
    "kind,number,project_id,length,team_strength,start,finish,velocity,points,accepted_points,"
    "effective_points,story_ids",
    "kind,number,project_id,length,team_strength,start,finish,story_ids",
    NULL,
};

static HttpRequest *
limit_bytes(HttpRequest *request, gsize max_bytes)
{
    request->max_bytes = max_bytes;
    return request;
}

/* "&fields=..." (or with `lead` '?'), escaped; "" at a level without. The caller's. */
static char *
fields_parameter(char lead, const char *fields, const char *more)
{
    if (!fields) {
        return g_strdup("");
    }
    g_autofree char *all = g_strconcat(fields, more, NULL);
    g_autofree char *escaped = g_uri_escape_string(all, NULL, FALSE);
    return g_strdup_printf("%cfields=%s", lead, escaped);
}

HttpRequest *
api_get_me(void)
{
    return limit_bytes(http_request_new_get("/me"), SMALL_MAX_BYTES);
}

HttpRequest *
api_get_projects(void)
{
    return limit_bytes(http_request_new_get("/projects"), SMALL_MAX_BYTES);
}

HttpRequest *
api_get_project(gint64 project_id)
{
    return limit_bytes(http_request_new_get("/projects/%" G_GINT64_FORMAT, project_id),
                       SMALL_MAX_BYTES);
}

HttpRequest *
api_get_members(gint64 project_id)
{
    return limit_bytes(
        http_request_new_get("/projects/%" G_GINT64_FORMAT "/memberships", project_id),
        SMALL_MAX_BYTES);
}

HttpRequest *
api_get_labels(gint64 project_id)
{
    return limit_bytes(http_request_new_get("/projects/%" G_GINT64_FORMAT "/labels", project_id),
                       SMALL_MAX_BYTES);
}

HttpRequest *
api_get_epics(gint64 project_id, guint level)
{
    g_autofree char *fields = fields_parameter('?', epic_fields[level], "");
    return limit_bytes(
        http_request_new_get("/projects/%" G_GINT64_FORMAT "/epics%s", project_id, fields),
        PAGE_MAX_BYTES);
}

HttpRequest *
api_get_iterations(gint64 project_id, guint level, guint offset, const char *scope)
{
    g_autofree char *fields = fields_parameter('&', iteration_fields[level], "");
    return limit_bytes(http_request_new_get("/projects/%" G_GINT64_FORMAT
                                            "/iterations?limit=%d&offset=%u%s%s%s",
                                            project_id, API_ITERATIONS_PER_PAGE, offset,
                                            scope ? "&scope=" : "", scope ? scope : "", fields),
                       PAGE_MAX_BYTES);
}

HttpRequest *
api_get_stories(gint64 project_id, guint level, guint limit, guint offset)
{
    g_autofree char *fields = fields_parameter('&', story_fields[level], "");
    return limit_bytes(http_request_new_get("/projects/%" G_GINT64_FORMAT
                                            "/stories?limit=%u&offset=%u%s",
                                            project_id, limit, offset, fields),
                       PAGE_MAX_BYTES);
}

HttpRequest *
api_get_story(gint64 project_id, gint64 story_id, guint level)
{
    g_autofree char *fields = fields_parameter('?', one_story_fields[level], "");
    g_autofree char *project =
        project_id > 0 ? g_strdup_printf("/projects/%" G_GINT64_FORMAT, project_id) : g_strdup("");
    return limit_bytes(
        http_request_new_get("%s/stories/%" G_GINT64_FORMAT "%s", project, story_id, fields),
        SMALL_MAX_BYTES);
}

HttpRequest *
api_get_epic(gint64 project_id, gint64 epic_id, guint level)
{
    g_autofree char *fields = fields_parameter('?', epic_fields[level], "");
    return limit_bytes(http_request_new_get("/projects/%" G_GINT64_FORMAT "/epics/%" G_GINT64_FORMAT
                                            "%s",
                                            project_id, epic_id, fields),
                       SMALL_MAX_BYTES);
}

const char *
api_story_fields(guint level)
{
    return one_story_fields[level];
}

const char *
api_epic_fields(guint level)
{
    return epic_fields[level];
}

const char *
api_comment_fields(guint level)
{
    return comment_fields[level];
}

HttpRequest *
api_get_bulk(gint64 project_id, guint level, const gint64 *ids, guint n_ids)
{
    g_assert(n_ids > 0 && n_ids <= API_BULK_MAX);
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < n_ids; i++) {
        g_string_append_printf(list, "%s%" G_GINT64_FORMAT, i ? "," : "", ids[i]);
    }
    g_autofree char *fields = fields_parameter('&', story_fields[level], NEIGHBOURS);
    return limit_bytes(http_request_new_get("/projects/%" G_GINT64_FORMAT "/stories/bulk?ids=%s%s",
                                            project_id, list->str, fields),
                       PAGE_MAX_BYTES);
}

HttpRequest *
api_get_activity(gint64 project_id, char kind, gint64 id, gint64 since_version, guint offset)
{
    g_autoptr(GString) target = g_string_new(NULL);
    g_string_append_printf(target, "/projects/%" G_GINT64_FORMAT, project_id);
    if (kind != 'p') {
        g_string_append_printf(target, "/%s/%" G_GINT64_FORMAT, kind == 's' ? "stories" : "epics",
                               id);
    }
    g_string_append_printf(target, "/activity?limit=%d&offset=%u", API_ACTIVITIES_PER_PAGE, offset);
    if (since_version > 0) {
        g_string_append_printf(target, "&since_version=%" G_GINT64_FORMAT, since_version);
    }
    return limit_bytes(http_request_new_get("%s", target->str), PAGE_MAX_BYTES);
}

HttpRequest *
api_get_my_activity(gint64 occurred_after_ms)
{
    if (occurred_after_ms <= 0) {
        return limit_bytes(http_request_new_get("/my/activity?limit=1"), PAGE_MAX_BYTES);
    }
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(occurred_after_ms / 1000);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    return limit_bytes(http_request_new_get("/my/activity?limit=%d&occurred_after=%s",
                                            API_ACTIVITIES_PER_PAGE, text ? text : ""),
                       PAGE_MAX_BYTES);
}

typedef struct Words {
    char *kind, *error, *general_problem, *requirement, *possible_fix;
} Words;

static void
words_clear(Words *words)
{
    g_free(words->kind);
    g_free(words->error);
    g_free(words->general_problem);
    g_free(words->requirement);
    g_free(words->possible_fix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static void
take_word(const char *key, const char *value, gsize value_bytes, gpointer user)
{
    Words *words = user;
    const struct {
        const char *key;
        char **slot;
    } wanted[] = {
        {"kind", &words->kind},
        {"error", &words->error},
        {"general_problem", &words->general_problem},
        {"requirement", &words->requirement},
        {"possible_fix", &words->possible_fix},
    };
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (g_str_equal(key, wanted[i].key) && !*wanted[i].slot && value_bytes > 0) {
            g_autofree char *cut = g_strndup(value, MIN(value_bytes, WORDS_MAX_BYTES));
            *wanted[i].slot = g_utf8_make_valid(cut, -1);
        }
    }
}

/* What the server said, as one line; NULL when the body is no V5 error. The caller's. */
static char *
server_words(const HttpResponse *response)
{
    g_auto(Words) words = {0};
    if (!response->body || response->body_bytes == 0) {
        return NULL;
    }
    const Text body = {response->body, response->body_bytes};
    record_each_field(&body, take_word, &words);
    if (!words.error && !words.general_problem) {
        return NULL;
    }
    g_autoptr(GString) line = g_string_new(words.error);
    const char *const more[] = {words.general_problem, words.requirement, words.possible_fix};
    for (guint i = 0; i < G_N_ELEMENTS(more); i++) {
        if (more[i] && !strstr(line->str, more[i])) {
            g_string_append_printf(line, "%s%s", line->len ? " " : "", more[i]);
        }
    }
    return g_string_free(g_steal_pointer(&line), FALSE);
}

static gboolean
looks_like_json(const HttpResponse *response)
{
    const char *body = response->body ? response->body : "";
    gsize at = strspn(body, " \t\r\n");
    return body[at] == '[' || body[at] == '{';
}

/* `strange`: the status means nothing from a service that does not speak V5's error shape. */
static ErrCode
code_of_status(int status, gboolean spoke_v5, gboolean *ret_strange)
{
    *ret_strange = FALSE;
    if (status == 401 || status == 403) {
        return ERR_AUTH;
    }
    if (status == 429) {
        return ERR_RATE_LIMITED;
    }
    if (status >= 500) {
        return ERR_SERVER;
    }
    *ret_strange = !spoke_v5;
    if (*ret_strange) {
        return ERR_PROTOCOL;
    }
    if (status == 404 || status == 410) {
        return ERR_NOT_FOUND;
    }
    return ERR_INVALID;
}

gboolean
api_check(const HttpResponse *response, const GError *transport_error, const char *what,
          GError **error)
{
    if (!response) {
        g_set_error(error, ERR, transport_error ? transport_error->code : ERR_OFFLINE, "%s: %s",
                    what, transport_error ? transport_error->message : "no answer");
        return FALSE;
    }
    int status = response->status;
    if (status == 200) {
        if (looks_like_json(response)) {
            return TRUE;
        }
        g_set_error(error, ERR, ERR_PROTOCOL, "%s: the answer is not JSON: not a V5 service?",
                    what);
        return FALSE;
    }
    if (status < 400) {
        g_set_error(error, ERR, ERR_PROTOCOL, "%s: answered with status %d%s%s: not a V5 service?",
                    what, status, response->location ? ", a redirect to " : "",
                    response->location ? response->location : "");
        return FALSE;
    }
    g_autofree char *words = server_words(response);
    gboolean strange;
    ErrCode code = code_of_status(status, words != NULL, &strange);
    if (words) {
        g_set_error(error, ERR, code, "%s: %s (status %d)", what, words, status);
    } else {
        g_set_error(error, ERR, code, "%s: answered with status %d%s", what, status,
                    strange ? ": not a V5 service?" : "");
    }
    return FALSE;
}

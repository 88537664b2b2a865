/* Commits tell stories what was done (v5-reference 2.16): each "[...]" of the message that holds
 * "#" and a story's id adds the commit as a comment to that story; "fixes", "finishes", "completes"
 * and "delivers" in their forms, before or behind the id, move the state on, and a mere mention
 * starts an unstarted story (the reference is unsure of that). A state only ever moves on: a commit
 * that finishes a delivered story does not take it back. Where the rules forbid the new state (no
 * estimate) the comment is added alone: a hook of a repository cannot answer questions.
 *
 * Each story is a version of its own project. Who did it is the member whose name is that of the
 * commit's author, otherwise the caller. Stories that are unknown or where the caller is no member
 * are passed over. */
#include <string.h>

#include "tracker/changes.h"
#include "tracker/parts.h"
#include "tracker/routes.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"
#include "tracker/write_story.h"

#define MAX_STORIES 100

typedef enum { DOES_MENTION, DOES_FINISH, DOES_DELIVER } Deed;

typedef struct Mention {
    gint64 story_id;
    Deed deed;
} Mention;

/* ---- the message ---- */

static gboolean
deed_of(const char *word, gsize bytes, Deed *ret_deed)
{
    static const struct {
        const char *word;
        Deed deed;
    } words[] = {
        {"fix", DOES_FINISH},         {"fixes", DOES_FINISH},     {"fixed", DOES_FINISH},
        {"fixing", DOES_FINISH},      {"finish", DOES_FINISH},    {"finishes", DOES_FINISH},
        {"finished", DOES_FINISH},    {"finishing", DOES_FINISH}, {"complete", DOES_FINISH},
        {"completes", DOES_FINISH},   {"completed", DOES_FINISH}, {"completing", DOES_FINISH},
        {"deliver", DOES_DELIVER},    {"delivers", DOES_DELIVER}, {"delivered", DOES_DELIVER},
        {"delivering", DOES_DELIVER},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strlen(words[i].word) == bytes &&
            g_ascii_strncasecmp(words[i].word, word, bytes) == 0) {
            *ret_deed = words[i].deed;
            return TRUE;
        }
    }
    return FALSE;
}

/* A story that is named again does the weightier thing. */
static void
add_mention(GArray *mentions, gint64 story_id, Deed deed)
{
    Mention mention = {story_id, deed};

    for (guint i = 0; i < mentions->len; i++) {
        Mention *known = &g_array_index(mentions, Mention, i);

        if (known->story_id == story_id) {
            known->deed = MAX(known->deed, deed);
            return;
        }
    }
    if (mentions->len < MAX_STORIES) {
        g_array_append_val(mentions, mention);
    }
}

/* What stands between "[" and "]". */
static void
read_group(GArray *mentions, const char *at, const char *end)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    Deed deed = DOES_MENTION;

    while (at < end) {
        gsize letters = 0, digits = 0;
        gint64 id;

        while (at + letters < end && g_ascii_isalpha(at[letters])) {
            letters++;
        }
        while (*at == '#' && at + 1 + digits < end && g_ascii_isdigit(at[1 + digits])) {
            digits++;
        }
        if (digits > 0) {
            g_autofree char *number = g_strndup(at + 1, digits);

            if (g_ascii_string_to_signed(number, 10, 1, G_MAXINT64, &id, NULL)) {
                g_array_append_val(ids, id);
            }
        } else if (letters > 0) {
            (void)deed_of(at, letters, &deed);
        }
        at += MAX(letters, digits + 1);
    }
    for (guint i = 0; i < ids->len; i++) {
        add_mention(mentions, g_array_index(ids, gint64, i), deed);
    }
}

static GArray *
read_message(const char *message)
{
    GArray *mentions = g_array_new(FALSE, FALSE, sizeof(Mention));

    for (const char *open = strchr(message, '['); open; open = strchr(open + 1, '[')) {
        const char *close = open + 1 + strcspn(open + 1, "[]");

        if (*close == ']') {
            read_group(mentions, open + 1, close);
        }
    }
    return mentions;
}

/* ---- the stories ---- */

static int
rank_of(const char *state)
{
    static const char *const order[] = {"unscheduled", "unstarted", "planned",   "rejected",
                                        "started",     "finished",  "delivered", "accepted"};

    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        if (strcmp(order[i], state) == 0) {
            return (int)i;
        }
    }
    return 0;
}

/* The state that the deed gives the story; NULL: the one it has. */
static const char *
next_state(const StoryDraft *story, Deed deed)
{
    gboolean is_chore = strcmp(story->type, "chore") == 0;
    const char *state;

    if (deed == DOES_MENTION) {
        state = strcmp(story->state, "unstarted") == 0 ? "started" : NULL;
    } else if (is_chore) {
        state = "accepted";
    } else {
        state = deed == DOES_FINISH ? "finished" : "delivered";
    }
    return state && rank_of(state) > rank_of(story->state) ? state : NULL;
}

/* Its layout is (unsure). */
static char *
comment_of(const json_t *commit)
{
    GString *text = g_string_new(NULL);
    const char *author = body_text(commit, "author"), *url = body_text(commit, "url");

    if (author && *author) {
        g_string_append_printf(text, "Commit by %s\n", author);
    }
    if (url && *url) {
        g_string_append_printf(text, "%s\n", url);
    }
    if (text->len > 0) {
        g_string_append_c(text, '\n');
    }
    g_string_append(text, body_text(commit, "message"));
    return g_string_free(text, FALSE);
}

/* The kind of repository, as far as its address tells. */
static const char *
commit_type_of(const json_t *commit)
{
    static const char *const hosts[] = {"github", "gitlab", "bitbucket", "beanstalk"};
    const char *url = body_text(commit, "url");

    for (gsize i = 0; url && i < G_N_ELEMENTS(hosts); i++) {
        if (strstr(url, hosts[i])) {
            return hosts[i];
        }
    }
    return NULL;
}

static gint64
author_of(Call *call, gint64 project_id, const json_t *commit)
{
    gint64 id = row_int(call->conn,
                        "SELECT p.id FROM person p JOIN membership m ON m.person_id = p.id"
                        " WHERE p.name = ?1 AND m.project_id = ?2"
                        " AND m.role IN ('owner', 'member') ORDER BY p.id",
                        "ti", body_text(commit, "author"), project_id);

    return id ? id : call->person_id;
}

static gboolean
add_comment_alone(Call *call, const json_t *comment)
{
    if (!comment_insert(call, &kind_story, call->story_id, comment)) {
        return FALSE;
    }
    change_subject(call, &kind_story, call->story_id);
    change_describe(call, "comment_create_activity", "added comment:", "added comment: \"%s\"",
                    body_text(comment, "text"));
    return change_close(call);
}

/* With the state, as a PUT of both would; FALSE and a problem when the rules forbid it. */
static gboolean
add_with_state(Call *call, const json_t *comment, const char *state)
{
    json_t *given = call->given;
    gboolean ok;

    call->given = json_pack("{s:s, s:O, s:O, s:O*}", "current_state", state, "comment",
                            json_object_get(comment, "text"), "commit_identifier",
                            json_object_get(comment, "commit_identifier"), "commit_type",
                            json_object_get(comment, "commit_type"));
    ok = story_update(call);
    json_decref(call->given);
    call->given = given;
    return ok;
}

/* Makes story and project of a mention the call's. FALSE: it is not for the caller. */
static gboolean
enter_story(Call *call, gint64 story_id)
{
    gint64 project_id =
        row_int(call->conn, "SELECT project_id FROM story WHERE id = ?1", "i", story_id);

    call->role = project_id ? call_role_of(call, project_id, call->person_id) : ROLE_NONE;
    if (call->role < ROLE_MEMBER) {
        return FALSE;
    }
    call->project_id = project_id;
    call->story_id = story_id;
    change_project(call, project_id);
    return TRUE;
}

static gboolean
tell_story(Call *call, const Mention *mention, const json_t *commit, const json_t *comment)
{
    g_autoptr(StoryDraft) story = story_draft_load(call, mention->story_id);
    const char *state = next_state(story, mention->deed);
    gint64 caller = call->person_id;
    gboolean ok;

    call->person_id = author_of(call, call->project_id, commit);
    ok = state && add_with_state(call, comment, state);
    if (!ok) {
        problem_clear(&call->problem);
        ok = add_comment_alone(call, comment);
    }
    call->person_id = caller;
    return ok;
}

static gboolean
check_commit(Call *call, json_t *commit)
{
    static const Param params[] = {
        {"commit_id", PARAM_STRING, PARAM_REQUIRED, 255, NULL},
        {"message", PARAM_EXTENDED_STRING, PARAM_REQUIRED, 15000, NULL},
        {"url", PARAM_STRING, PARAM_NULL, 2000, NULL},
        {"author", PARAM_STRING, PARAM_NULL, 255, NULL},
        {"repo", PARAM_STRING, PARAM_NULL, 255, NULL},
    };
    static const ParamTable table = PARAM_TABLE(params, FALSE, NULL);

    return body_check(call, commit, &table, "source_commit");
}

gboolean
write_source_commit(Call *call)
{
    json_t *commit = json_object_get(call->given, "source_commit"), *comment;
    g_autoptr(GArray) mentions = NULL, told = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autofree char *text = NULL;
    gboolean ok = TRUE;

    if (!check_commit(call, commit)) {
        return FALSE;
    }
    mentions = read_message(body_text(commit, "message"));
    text = comment_of(commit);
    comment = json_pack("{s:s, s:s, s:s*}", "text", text, "commit_identifier",
                        body_text(commit, "commit_id"), "commit_type", commit_type_of(commit));
    for (guint i = 0; i < mentions->len && ok; i++) {
        const Mention *mention = &g_array_index(mentions, Mention, i);

        if (enter_story(call, mention->story_id)) {
            ok = tell_story(call, mention, commit, comment);
            g_array_append_val(told, mention->story_id);
        }
    }
    json_decref(comment);
    call->project_version = -1; /* of several projects, perhaps */
    return ok && call_answer_list(call, &kind_story, told);
}

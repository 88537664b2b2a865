/* Making, changing and deleting stories.
 *
 * An update: the labels it names (they may need a version of their own), then the story as it is
 * and as it is going to be, the rules, its place; then rows. What happened is told by what differs:
 * a change of state wins over an estimate, that over a move, that over any other edit. */
#include "tracker/routes.h"

#include <string.h>

#include "tracker/changes.h"
#include "tracker/ids.h"
#include "tracker/labels.h"
#include "tracker/parts.h"
#include "tracker/rows.h"
#include "tracker/story_order.h"
#include "tracker/write_story.h"

/* The verb of a change of state, by the new one. */
static const struct {
    const char *state, *verb;
} state_verbs[] = {
    {"started", "started"},   {"finished", "finished"},       {"delivered", "delivered"},
    {"accepted", "accepted"}, {"rejected", "rejected"},       {"unstarted", "unstarted"},
    {"planned", "planned"},   {"unscheduled", "unscheduled"}, /* (unsure) */
};

static char *
points_text(double estimate)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup_printf("%s %s", g_ascii_formatd(number, sizeof number, "%.15g", estimate),
                           estimate == 1 ? "point" : "points");
}

/* ---- labels ---- */

gboolean
story_apply_labels(Call *call, StoryDraft *draft)
{
    GArray *ids;

    if (body_has(call->given, "labels") && body_has(call->given, "label_ids")) {
        /* After the text for person_id and email (unsure). */
        return call_fail_text(call, "Do not send label_ids with labels in the same request.");
    }
    if (body_has(call->given, "labels")) {
        ids = labels_of_list(call, draft->project_id, json_object_get(call->given, "labels"));
    } else if (body_has(call->given, "label_ids")) {
        ids = labels_of_ids(call, draft->project_id, json_object_get(call->given, "label_ids"));
    } else {
        return TRUE;
    }
    if (!ids) {
        return FALSE;
    }
    g_array_unref(draft->label_ids);
    draft->label_ids = ids;
    return TRUE;
}

/* ---- create ---- */

gint64
write_story_new(Call *call)
{
    g_autoptr(StoryDraft) draft = story_draft_new(call);
    gboolean asked;

    story_draft_apply(call, draft, call->given);
    if (!story_order_place(call, draft, NULL, call->given, &asked) ||
        !story_draft_check(call, draft, NULL) || !story_apply_labels(call, draft)) {
        return 0;
    }
    story_draft_insert(call, draft);
    change_created(call, &kind_story, draft->id);
    if (!parts_insert(call, draft->id, call->given)) {
        return 0;
    }
    change_describe(call, "story_create_activity", "added", "added this %s", draft->type);
    return change_close(call) ? draft->id : 0;
}

gboolean
write_story_create(Call *call)
{
    gint64 id = write_story_new(call);

    return id && call_answer_one(call, &kind_story, id);
}

/* ---- update ---- */

static void
describe_move(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    gboolean scheduled = story_is_scheduled(draft->state) && !story_is_scheduled(before->state);
    const char *verb = scheduled ? "moved and scheduled" : "moved";
    gint64 below = row_int(call->conn,
                           "SELECT id FROM story WHERE project_id = ?1 AND position > ?2"
                           " ORDER BY position LIMIT 1",
                           "ii", draft->project_id, draft->position);
    gint64 above = row_int(call->conn,
                           "SELECT id FROM story WHERE project_id = ?1 AND position < ?2"
                           " ORDER BY position DESC LIMIT 1",
                           "ii", draft->project_id, draft->position);
    gboolean by_above = above != 0 && (below == 0 || body_has(call->given, "after_id"));
    g_autofree char *name =
        row_text(call->conn, "SELECT name FROM story WHERE id = ?1", "i", by_above ? above : below);

    if (above == 0 && below == 0) {
        change_describe(call, "story_move_activity", verb, "%s this story", verb);
        return;
    }
    change_describe(call, "story_move_activity", verb, "%s this story %s '%s'", verb,
                    by_above ? "after" : "before", name);
}

/* Is anything given besides a place? */
static gboolean
only_moves(const json_t *given)
{
    const char *name;
    const json_t *value;

    json_object_foreach((json_t *)(guintptr)given, name, value)
    {
        if (!call_is_listed("before_id,after_id,group", name)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The verb of what differs, for the sentence "P VERB this feature". */
static const char *
verb_of(const StoryDraft *draft, const StoryDraft *before)
{
    for (gsize i = 0; before->state != draft->state && i < G_N_ELEMENTS(state_verbs); i++) {
        if (strcmp(state_verbs[i].state, draft->state) == 0) {
            return state_verbs[i].verb;
        }
    }
    return draft->has_estimate && (!before->has_estimate || before->estimate != draft->estimate)
               ? "estimated"
               : "edited";
}

static void
describe_update(Call *call, const StoryDraft *draft, const StoryDraft *before, gboolean asked)
{
    const char *verb = verb_of(draft, before), *comment = body_text(call->given, "comment");
    g_autofree char *estimate = NULL, *with = NULL;

    if (asked && only_moves(call->given)) {
        describe_move(call, draft, before);
        return;
    }
    if (strcmp(verb, "estimated") == 0) {
        g_autofree char *points = points_text(draft->estimate);

        estimate = g_strdup_printf(" as %s", points);
    }
    if (comment && *comment) {
        with = g_strdup_printf(" with comments: \"%s\"", comment);
    }
    change_describe(call, "story_update_activity", verb, "%s this %s%s%s", verb, draft->type,
                    estimate ? estimate : "", with ? with : "");
}

/* A comment given with a change is part of it: one version, one activity. */
static gboolean
add_comment(Call *call, gint64 story_id)
{
    const char *text = body_text(call->given, "comment");
    json_t *comment;
    gint64 id;

    if (!text || !*text) {
        return TRUE;
    }
    /* The commit is given by source_commits.c only. */
    comment = json_pack("{s:s, s:s*, s:s*}", "text", text, "commit_identifier",
                        body_text(call->given, "commit_identifier"), "commit_type",
                        body_text(call->given, "commit_type"));
    id = comment_insert(call, &kind_story, story_id, comment);
    json_decref(comment);
    return id != 0;
}

/* Are all of `some` but one person among `others`? */
static gboolean
all_among(const GArray *some, const GArray *others, gint64 apart_from)
{
    for (guint i = 0; i < some->len; i++) {
        gint64 id = g_array_index(some, gint64, i);

        if (id != apart_from && !ids_has(others, id)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* A viewer may begin or cease to follow, and nothing else. */
static gboolean
check_viewer(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    if (call->role >= ROLE_MEMBER ||
        (json_object_size(call->given) == 1 && body_has(call->given, "follower_ids") &&
         all_among(draft->follower_ids, before->follower_ids, call->person_id) &&
         all_among(before->follower_ids, draft->follower_ids, call->person_id))) {
        return TRUE;
    }
    return call_fail(call, PROBLEM_UNAUTHORIZED);
}

/* Within its project. */
static gboolean
update_here(Call *call, StoryDraft *draft, const StoryDraft *before)
{
    gboolean asked;

    story_draft_apply(call, draft, call->given);
    if (!check_viewer(call, draft, before) || !story_apply_labels(call, draft)) {
        return FALSE;
    }
    change_touch(call, &kind_story, draft->id);
    if (!story_order_place(call, draft, before, call->given, &asked) ||
        !story_draft_check(call, draft, before)) {
        return FALSE;
    }
    story_draft_save(call, draft);
    if (before->state != draft->state && strcmp(draft->state, "accepted") == 0) {
        blockers_resolve(call, draft->id);
    }
    if (!add_comment(call, draft->id)) {
        return FALSE;
    }
    describe_update(call, draft, before, asked);
    return change_close(call);
}

gboolean
story_update(Call *call)
{
    g_autoptr(StoryDraft) before = story_draft_load(call, call->story_id);
    g_autoptr(StoryDraft) draft = story_draft_load(call, call->story_id);

    return before && draft ? update_here(call, draft, before) : call_fail(call, PROBLEM_UNFOUND);
}

gboolean
write_story_update(Call *call)
{
    g_autoptr(StoryDraft) before = story_draft_load(call, call->story_id);
    g_autoptr(StoryDraft) draft = story_draft_load(call, call->story_id);
    gint64 target_id;

    if (!before || !draft) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    target_id = body_int(call->given, "project_id", draft->project_id);
    if (target_id != draft->project_id) {
        return call->role >= ROLE_MEMBER ? write_story_move(call, draft, before, target_id)
                                         : call_fail(call, PROBLEM_UNAUTHORIZED);
    }
    return update_here(call, draft, before) && call_answer_one(call, &kind_story, draft->id);
}

/* ---- delete ---- */

static const char *const story_tables[] = {
    "story_owner", "story_follower",   "story_label",  "task",  "blocker",
    "review",      "story_transition", "pull_request", "branch"};

gboolean
write_story_delete(Call *call)
{
    g_autoptr(StoryDraft) draft = story_draft_load(call, call->story_id);

    if (!draft) {
        return call_fail(call, PROBLEM_UNFOUND);
    }
    blockers_resolve(call, draft->id);
    change_deleted(call, &kind_story, draft->id);
    change_subject(call, &kind_story, draft->id);
    (void)row_run(call->conn,
                  "DELETE FROM file_attachment WHERE comment_id IN"
                  " (SELECT id FROM comment WHERE story_id = ?1)",
                  "i", draft->id);
    (void)row_run(call->conn,
                  "DELETE FROM google_attachment WHERE comment_id IN"
                  " (SELECT id FROM comment WHERE story_id = ?1)",
                  "i", draft->id);
    (void)row_run(call->conn, "DELETE FROM comment WHERE story_id = ?1", "i", draft->id);
    for (gsize i = 0; i < G_N_ELEMENTS(story_tables); i++) {
        g_autofree char *sql =
            g_strdup_printf("DELETE FROM %s WHERE story_id = ?1", story_tables[i]);

        (void)row_run(call->conn, sql, "i", draft->id);
    }
    (void)row_run(call->conn, "DELETE FROM story WHERE id = ?1", "i", draft->id);
    change_describe(call, "story_delete_activity", "deleted", "deleted this %s", draft->type);
    call->no_content = TRUE;
    return change_close(call);
}

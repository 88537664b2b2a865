/* A story that moves to another project keeps its id and all that hangs below it. What refers to
 * things of the old project is carried over by name (labels are made where they lack, reviews find
 * the type of that name) or left behind (owners and followers who are no members there, reviews of
 * a type that is not known there; the reference is unsure, and allows it). So is the integration.
 * An estimate stays, also one that is not in the scale there, as when a project's scale is changed
 * (unsure): nobody is to lose it by a move.
 *
 * Both projects get a version. For the old one the story changes its project_id; for the new one it
 * begins to exist, so that each project's activities tell its whole state. */
#include "tracker/write_story.h"

#include "tracker/changes.h"
#include "tracker/labels.h"
#include "tracker/parts.h"
#include "tracker/rows.h"
#include "tracker/story_order.h"

static gboolean
carry_labels(Call *call, StoryDraft *draft, gint64 target_id)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GArray *ids;

    change_project(call, target_id); /* a label that is made is the target's */
    if (body_has(call->given, "labels") || body_has(call->given, "label_ids")) {
        draft->project_id = target_id;
        if (!story_apply_labels(call, draft)) {
            return FALSE;
        }
    } else {
        for (guint i = 0; i < draft->label_ids->len; i++) {
            char *name = row_text(call->conn, "SELECT name FROM label WHERE id = ?1", "i",
                                  g_array_index(draft->label_ids, gint64, i));

            if (name) {
                g_ptr_array_add(names, name);
            }
        }
        ids = labels_of_names(call, target_id, names);
        if (!ids) {
            return FALSE;
        }
        g_array_unref(draft->label_ids);
        draft->label_ids = ids;
    }
    change_project(call, call->project_id);
    return TRUE;
}

static void
keep_members(Call *call, GArray *ids, gint64 project_id, Role least)
{
    for (guint i = 0; i < ids->len;) {
        if (call_role_of(call, project_id, g_array_index(ids, gint64, i)) < least) {
            g_array_remove_index(ids, i);
        } else {
            i++;
        }
    }
}

static void
carry_parts(Call *call, gint64 story_id, gint64 target_id)
{
    (void)row_run(call->conn,
                  "UPDATE file_attachment SET project_id = ?2 WHERE comment_id IN"
                  " (SELECT id FROM comment WHERE story_id = ?1)",
                  "ii", story_id, target_id);
    (void)row_run(call->conn,
                  "UPDATE review SET review_type_id = (SELECT n.id FROM review_type o"
                  " JOIN review_type n ON n.name = o.name AND n.project_id = ?2"
                  " WHERE o.id = review.review_type_id ORDER BY n.id LIMIT 1) WHERE story_id = ?1",
                  "ii", story_id, target_id);
    (void)row_run(call->conn, "DELETE FROM review WHERE story_id = ?1 AND review_type_id IS NULL",
                  "i", story_id);
}

gboolean
write_story_move(Call *call, StoryDraft *draft, const StoryDraft *before, gint64 target_id)
{
    static const char name_sql[] = "SELECT name FROM project WHERE id = ?1";
    g_autofree char *from = row_text(call->conn, name_sql, "i", before->project_id);
    g_autofree char *to = row_text(call->conn, name_sql, "i", target_id);
    gboolean asked;

    if (call_role_of(call, target_id, call->person_id) < ROLE_MEMBER) {
        return call_fail_text(call, "You do not have access to the destination project.");
    }
    if (!carry_labels(call, draft, target_id)) {
        return FALSE;
    }
    change_touch(call, &kind_story, draft->id);
    draft->project_id = target_id;
    draft->integration_id = 0;
    keep_members(call, draft->owner_ids, target_id, ROLE_MEMBER);
    keep_members(call, draft->follower_ids, target_id, ROLE_VIEWER);
    story_draft_apply(call, draft, call->given);
    if (!story_order_place(call, draft, NULL, call->given, &asked) ||
        !story_draft_check(call, draft, before)) {
        return FALSE;
    }
    story_draft_save(call, draft);
    carry_parts(call, draft->id, target_id);
    /* The words of these two are unknown (unsure). */
    change_describe(call, "story_move_from_project_activity", "moved",
                    "moved this %s to project '%s'", draft->type, to);
    if (!change_close(call)) {
        return FALSE;
    }
    change_project(call, target_id);
    change_arrived(call, &kind_story, draft->id);
    parts_arrived(call, draft->id);
    change_describe(call,
                    asked ? "story_move_into_project_and_prioritize_activity"
                          : "story_move_into_project_activity",
                    "moved", "moved this %s from project '%s'", draft->type, from);
    return change_close(call) && call_answer_one(call, &kind_story, draft->id);
}

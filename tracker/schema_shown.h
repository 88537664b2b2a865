/* schema_shown: the part of the schema that numbers what stories look like (tracker/schema.c has
 * the rest).
 *
 * story_shown.number of a story grows with every change of a row that its JSON is made of, whoever
 * makes the change and by whatever statement: triggers see to it, in the transaction of the change.
 * What is in many stories (people, names of labels and of review types, the base of addresses)
 * raises the number of the row SHOWN_ALL instead. So two answers of the same fields are the same
 * bytes when the sum of both numbers is the same: neither ever falls, and a row outlives its story.
 * Left out is what the place of a story or the clock changes: fields with FIELD_FLEETING.
 *
 * Which story a blocker names is told as tracker/blocking.h tells it, and by a little more: by the
 * digits that end its text. */
#pragma once

#include "tracker/blocking.h"

#define SHOWN_ALL "-1"

#define SHOWN_RAISE(which) " UPDATE story_shown SET number = number + 1 WHERE story_id " which ";"
#define SHOWN_DO(table, name, event, what)                                                         \
    "CREATE TRIGGER " table "_shown_" name " AFTER " event " ON " table " BEGIN" what " END;"
#define SHOWN_TRIGGER(table, name, event, which) SHOWN_DO(table, name, event, SHOWN_RAISE(which))

/* `old`, `new`: SQL of what a story's id is "IN". */
#define SHOWN_CHILD(table, old_stories, new_stories)                                               \
    SHOWN_TRIGGER(table, "insert", "INSERT", "IN (" new_stories ")")                               \
    SHOWN_TRIGGER(table, "update", "UPDATE", "IN (" old_stories ", " new_stories ")")              \
    SHOWN_TRIGGER(table, "delete", "DELETE", "IN (" old_stories ")")
#define SHOWN_BY_ID(table) SHOWN_CHILD(table, "old.story_id", "new.story_id")
#define SHOWN_BY_COMMENT(table)                                                                    \
    SHOWN_CHILD(table, "(SELECT story_id FROM comment WHERE id = old.comment_id)",                 \
                "(SELECT story_id FROM comment WHERE id = new.comment_id)")
#define SHOWN_EVERYWHERE(table)                                                                    \
    SHOWN_TRIGGER(table, "insert", "INSERT", "= " SHOWN_ALL)                                       \
    SHOWN_TRIGGER(table, "update", "UPDATE", "= " SHOWN_ALL)                                       \
    SHOWN_TRIGGER(table, "delete", "DELETE", "= " SHOWN_ALL)

#define SHOWN_NAMED(text) "CAST(" BLOCKING_DIGITS(text) " AS INTEGER)"
#define SHOWN_NAMED_BY_BLOCKERS_OF(row)                                                            \
    "IN (SELECT " SHOWN_NAMED("description") " FROM blocker WHERE story_id = " row ".id)"

/* All columns of story but its position. */
#define SHOWN_STORY_COLUMNS                                                                        \
    "id, project_id, name, description, story_type, current_state, estimate, accepted_at,"         \
    " deadline, requested_by_id, created_at, updated_at, integration_id, external_id,"             \
    " story_priority, url, extra"

#define SHOWN_NEW_STORY                                                                            \
    " INSERT INTO story_shown(story_id, number) SELECT new.id, 0"                                  \
    " WHERE NOT EXISTS(SELECT 1 FROM story_shown WHERE story_id = new.id);"
#define SHOWN_STORY                                                                                \
    SHOWN_DO("story", "add", "INSERT", SHOWN_NEW_STORY)                                            \
    SHOWN_TRIGGER("story", "insert", "INSERT", "= new.id")                                         \
    SHOWN_TRIGGER("story", "insert_named", "INSERT", SHOWN_NAMED_BY_BLOCKERS_OF("new"))            \
    SHOWN_TRIGGER("story", "update", "UPDATE OF " SHOWN_STORY_COLUMNS, "IN (old.id, new.id)")      \
    SHOWN_TRIGGER("story", "leave", "UPDATE OF id, project_id", SHOWN_NAMED_BY_BLOCKERS_OF("old")) \
    SHOWN_TRIGGER("story", "arrive", "UPDATE OF id, project_id",                                   \
                  SHOWN_NAMED_BY_BLOCKERS_OF("new"))                                               \
    SHOWN_TRIGGER("story", "delete", "DELETE", "= old.id")                                         \
    SHOWN_TRIGGER("story", "delete_named", "DELETE", SHOWN_NAMED_BY_BLOCKERS_OF("old"))
#define SHOWN_CHILDREN                                                                             \
    SHOWN_BY_ID("story_owner")                                                                     \
    SHOWN_BY_ID("story_follower")                                                                  \
    SHOWN_BY_ID("story_label")                                                                     \
    SHOWN_BY_ID("task")                                                                            \
    SHOWN_BY_ID("comment")                                                                         \
    SHOWN_BY_ID("review")                                                                          \
    SHOWN_BY_ID("story_transition")                                                                \
    SHOWN_BY_ID("pull_request")                                                                    \
    SHOWN_BY_ID("branch")                                                                          \
    SHOWN_BY_COMMENT("file_attachment")                                                            \
    SHOWN_BY_COMMENT("google_attachment")                                                          \
    SHOWN_CHILD("blocker", "old.story_id, " SHOWN_NAMED("old.description"),                        \
                "new.story_id, " SHOWN_NAMED("new.description"))
/* A new label is in no story yet, or in the few that its rows name. */
#define SHOWN_ELSEWHERE                                                                            \
    SHOWN_EVERYWHERE("person")                                                                     \
    SHOWN_EVERYWHERE("review_type")                                                                \
    SHOWN_EVERYWHERE("meta")                                                                       \
    SHOWN_TRIGGER("label", "insert", "INSERT",                                                     \
                  "IN (SELECT story_id FROM story_label WHERE label_id = new.id)")                 \
    SHOWN_TRIGGER("label", "update", "UPDATE", "= " SHOWN_ALL)                                     \
    SHOWN_TRIGGER("label", "delete", "DELETE", "= " SHOWN_ALL)

#define SHOWN_TABLE                                                                                \
    "CREATE TABLE story_shown(story_id INTEGER PRIMARY KEY, number INTEGER NOT NULL);"             \
    "INSERT INTO story_shown(story_id, number) VALUES(" SHOWN_ALL ", 0);"
#define SCHEMA_SHOWN SHOWN_TABLE SHOWN_STORY SHOWN_CHILDREN SHOWN_ELSEWHERE

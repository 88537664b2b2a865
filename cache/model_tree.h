/* model_tree: snapshots as the JSON objects that a service would send for them, and back.
 *
 * An edit is applied to such an object and read like an answer, so that what is shown before the
 * server agreed is made by the same code as what is shown after. A record holds everything but the
 * texts with files of their own; these are put back in their places. Pure, any thread. */
#pragma once

#include <jansson.h>

#include "cache/model_json.h"

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

/* The caller's (json_decref); NULL when the record is no object, which no record of ours is. */
json_t *model_tree_of_story(const Story *story);
json_t *model_tree_of_epic(const Epic *epic);
json_t *model_tree_of_project(const Project *project);

/* `object` has a positive id. */
ParsedStory *model_tree_parse_story(const json_t *object);
/* Into one with nothing in it. */
void model_tree_read_epic(Epic *epic, const json_t *object);
/* The head only; what was there is freed. */
void model_tree_read_project(Project *project, const json_t *object);

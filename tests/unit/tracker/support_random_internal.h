/* support_random_internal: what the files of support_random share. */
#pragma once

#include "support_random.h"

#define RANDOM_BASE "projects/99/"
#define RANDOM_PICK(world, array) ((array)[random_below(world, G_N_ELEMENTS(array))])

guint32 random_below(World *world, guint32 below);
gboolean random_chance(World *world, guint32 percent);
/* Takes `body`, which may be NULL. The parsed answer is the fixture's. */
struct json_t *random_send(World *world, const char *method, const char *path, struct json_t *body);

/* Operations on more than stories (support_random_project.c). */
void random_move_away(World *world);
void random_move_back(World *world);
void random_change_members(World *world);
void random_change_setting(World *world);
void random_override_iteration(World *world);

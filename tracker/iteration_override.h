/* iteration_override: an iteration's override as activities tell it, for tracker/changes.h: it has
 * no id and no row while everything is as the project says. */
#pragma once

#include <jansson.h>

#include "tracker/call.h"

/* length ("default" or weeks), team_strength, finish. Owned. */
json_t *iteration_override_snapshot(Call *call, gint64 number);

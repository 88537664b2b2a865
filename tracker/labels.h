/* labels: names of labels, and labels made by naming them (v5-reference 4.2).
 *
 * Names are kept in lower case and trimmed, and are unique in a project. Threads: with the Call.
 * Errors: 400. */
#pragma once

#include "tracker/body.h"

#define LABEL_MAX_CHARS 255

/* The name as it is kept; NULL and a 400 when it cannot be one. Owned. */
char *label_clean_name(Call *call, const char *name);
/* 0: none of that name. */
gint64 label_find(Call *call, gint64 project_id, const char *clean_name);

/* The labels of a list of names and of objects with a name or an id. Those that do not exist are
 * made, in a version of their own: announce nothing else before. Owned gint64s in the order of the
 * list, each once; NULL and a 400. */
GArray *labels_of_list(Call *call, gint64 project_id, const json_t *list);
/* The same for ids; all must exist. */
GArray *labels_of_ids(Call *call, gint64 project_id, const json_t *ids);
/* The same for a list of clean names (char *). */
GArray *labels_of_names(Call *call, gint64 project_id, const GPtrArray *names);

/* ids: arrays of gint64, as lists of ids are kept. Threads: any. */
#pragma once

#include <glib.h>

GArray *ids_new(void);
/* -1: not among them. */
int ids_find(const GArray *ids, gint64 id);
gboolean ids_has(const GArray *ids, gint64 id);
/* Unless it is among them. */
void ids_add(GArray *ids, gint64 id);

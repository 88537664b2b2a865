/* export_csv: stories as the CSV that the real service exported (v5-reference 6.1, the columns of
 * 2019 and later).
 *
 * UTF-8, LF, a cell quoted only where it must be. Columns that repeat (owners, comments, tasks with
 * their states, ...) are there as often as the busiest story needs; a row ends with its last cell
 * that has something, as in recorded files, but has its owners' cells always. Days are those of the
 * story's project.
 *
 * Threads: with the Render. Errors: stick to its connection. Memory: the text. */
#pragma once

#include "tracker/render.h"

/* In the given order; ids that are no story are skipped. */
void export_csv(Render *render, const GArray *ids, GString *out);

/* "demo_project_20170503_2329.csv"; owned. */
char *export_csv_name(const char *project_name, gint64 now_ms);

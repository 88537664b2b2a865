/* v5_json: loads V5 resources from JSON files into a tracker database.
 *
 * Takes what people have: single answers, lists, objects keyed by anything, envelopes, recorded
 * exchanges (request and response), folders of them. Resources are recognised by `kind`, else by
 * shape; what is not known is counted and reported, never fatal. The same resource twice: the newer
 * updated_at wins, attribute by attribute, and what only the older one knows is kept. Missing
 * parents are made. Attributes without a column go to `extra`. Threads: any; holds one write
 * transaction at the end. Blocks on disk. Errors: TRACKER_ERROR_BAD_INPUT names file and line; else
 * as db.h. After an error the database is as before. Limits: a file has at most V5_MAX_FILE_BYTES;
 * nesting V5_MAX_DEPTH. Memory: one file at a time; what was recognised waits in a temporary
 * database on disk. */
#pragma once

#include <glib.h>

#include "tracker/service.h"

#define V5_MAX_FILE_BYTES ((gint64)512 * 1024 * 1024)
#define V5_MAX_DEPTH 32

typedef struct V5ImportCount {
    char *kind;
    guint64 resources; /* different ones; of unknown kinds: how often it occurred */
    gboolean unknown;  /* not taken */
} V5ImportCount;

typedef struct V5ImportReport {
    GArray *counts; /* of V5ImportCount, by kind */
    guint64 files;
    guint64 made_projects, made_stories, made_people; /* parents nobody described */
    guint64 files_without_bytes; /* attachments of the database, told of and not there */
} V5ImportReport;

void v5_import_report_clear(V5ImportReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(V5ImportReport, v5_import_report_clear)

typedef struct V5ImportProgress {
    const char *path;    /* of the file being read; NULL while writing */
    guint64 done, total; /* bytes of files while reading, resources while writing */
} V5ImportProgress;

typedef void (*V5ImportProgressFn)(const V5ImportProgress *progress, gpointer user);

/* `paths`: files, or folders that are walked for *.json. `progress` may be NULL. `ret_report` may
 * be NULL; else it is filled on success and cleared by the caller. */
gboolean tracker_import_v5_json(Tracker *tracker, const char *const *paths, gsize n_paths,
                                V5ImportProgressFn progress, gpointer user,
                                V5ImportReport *ret_report, GError **error);

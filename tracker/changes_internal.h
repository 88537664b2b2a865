/* changes_internal: what the files of tracker/changes.h share. */
#pragma once

#include "tracker/changes.h"

/* A kind whose changes are told. */
typedef struct Tracked {
    const Kind *kind;
    const char *fields;  /* the attributes, in the grammar of `fields` */
    const char *beside;  /* attributes that stand beside the values of every entry; "" none */
    const char *parents; /* columns of story and epic that it hangs on; NULL: it hangs on none */
    gboolean has_updated_at;
} Tracked;

struct ChangeSet {
    gint64 project_id;
    GPtrArray *entries;  /* of Change; each object once */
    GPtrArray *subjects; /* of Change, borrowed from entries */
    char *kind, *highlight, *sentence;
    guint n_activities; /* of the whole request */
};

/* NULL when the object of an id is not told about, which is a defect. */
const Tracked *changes_tracked(const Kind *kind);
/* Attributes of an object; NULL when there is none. */
json_t *changes_snapshot(Call *call, const Kind *kind, gint64 id);
gboolean changes_differ(const Change *change);

/* changes_activity.c: the JSON of the entries that differ; adds the labels whose counts changed. */
char *changes_json(Call *call, const GPtrArray *changes);
/* The primary_resources. */
char *changes_subjects_json(const GPtrArray *subjects);

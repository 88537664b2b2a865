/* kinds: the table-driven list of what V5 resources are made of (tracker/kinds.c): attributes in
 * the order of the GET serializer, which of them are default, from which SQL expression each one
 * comes, and what nests in what. Constants only; no state. */
#pragma once

#include <glib.h>

typedef struct Kind Kind;

typedef enum {
    FIELD_KIND, /* the kind's own name */
    FIELD_INT,
    FIELD_NUMBER,
    FIELD_TEXT,
    FIELD_EMAIL, /* text, left out for callers without a name */
    FIELD_BOOL,
    FIELD_TIME,
    FIELD_JSON,     /* JSON text, times in it as date_format says */
    FIELD_ZONE,     /* an Olson name, written as a time_zone object */
    FIELD_TOKEN,    /* the caller's own token */
    FIELD_ONE,      /* sql: the id of an object of `nested` */
    FIELD_MANY,     /* a list of objects of `link` */
    FIELD_IDS,      /* their ids */
    FIELD_COMPUTED, /* `compute` writes the value, from the id */
} FieldType;

typedef enum {
    FIELD_DEFAULT = 1 << 0,
    FIELD_ALWAYS = 1 << 1,   /* identifies the object: in every answer */
    FIELD_FLEETING = 1 << 2, /* hangs on more than the rows of tracker/schema_shown.h: the clock,
                                the neighbours, sums over other objects */
} FieldFlags;

/* The objects that belong to a parent. `from` names the table or join, with the objects as t. */
typedef struct Link {
    const Kind *kind;
    const char *from, *parent, *order;
    const char *id; /* of the object; NULL: "t.id" */
} Link;

struct Render;
/* Appends a value for the object; nothing means: no such member. */
typedef void (*FieldComputeFn)(struct Render *render, GString *out, gint64 id);

typedef struct Field {
    const char *name;
    FieldType type;
    FieldFlags flags;
    const char *sql;
    const Kind *nested;
    const Link *link;
    FieldComputeFn compute;
    const char *replaces; /* an attribute that is left out when this one is asked for */
} Field;

struct Kind {
    const char *name;
    const char *table; /* NULL: not from a table */
    const Field *fields;
    gsize n_fields;
    gboolean has_extra;
    const char *write_order; /* of the answer to POST and PUT: after all other members come these;
                                NULL: as in GET */
};

extern const Kind kind_account, kind_account_membership, kind_account_summary, kind_activity,
    kind_blocker, kind_branch, kind_comment, kind_epic, kind_epics_found, kind_epic_light,
    kind_file_attachment, kind_google_attachment, kind_integration, kind_iteration,
    kind_iteration_override, kind_label, kind_me, kind_membership, kind_membership_summary,
    kind_notification, kind_person, kind_person_light, kind_performer, kind_project,
    kind_project_light, kind_pull_request, kind_release, kind_review, kind_review_type,
    kind_saved_search, kind_search, kind_stories_found, kind_story, kind_story_light, kind_task,
    kind_transition, kind_webhook, kind_workspace, kind_workspace_alone;

/* Which member of kind_iteration a field is. */
typedef enum {
    ITERATION_NUMBER,
    ITERATION_PROJECT_ID,
    ITERATION_LENGTH,
    ITERATION_TEAM_STRENGTH,
    ITERATION_STORIES,
    ITERATION_STORY_IDS,
    ITERATION_START,
    ITERATION_FINISH,
    ITERATION_VELOCITY,
    ITERATION_POINTS,
    ITERATION_ACCEPTED_POINTS,
    ITERATION_EFFECTIVE_POINTS,
    ITERATION_ACCEPTED,
    ITERATION_CREATED,
    ITERATION_ANALYTICS,
    ITERATION_KIND,
} IterationField;

const Field *kind_field(const Kind *kind, const char *name, gsize bytes);
/* An attribute that some years' V5 knew and that lives in `extra` when it was imported. */
gboolean kind_is_historic(const char *name, gsize bytes);

/* edit_fields: the attributes that can be written, and the one form of each value.
 *
 * A value may come from a person's hand ("ada, bob", "3", "2024-05-01"), from story.json, or from a
 * service (owners as ids or as objects). field_normalise() gives all of these one form, so that two
 * values are the same exactly when json_equal() says so. Pure, any thread. */
#pragma once

#include "cache/edit_private.h"

typedef enum {
    FIELD_TEXT,     /* string; empty is the same as none */
    FIELD_NAME,     /* string on one line, not blank */
    FIELD_WORD,     /* one of `words` */
    FIELD_STATE,    /* a word that depends on the story's type */
    FIELD_ESTIMATE, /* number on the project's point scale */
    FIELD_TIME,     /* "2024-05-01T12:00:00Z" */
    FIELD_DATE,     /* "2024-05-01" */
    FIELD_INTEGER,
    FIELD_BOOLEAN,
    FIELD_PERSON, /* id */
    FIELD_PEOPLE, /* ids, without duplicates */
    FIELD_LABELS, /* names in lower case, sorted, without duplicates */
    FIELD_STORY,  /* id of another story or of a project */
    FIELD_OTHER,  /* any JSON, as it is */
} FieldType;

typedef struct Field {
    const char *name;  /* as it is sent */
    const char *other; /* the other name in records: owners for owner_ids; NULL */
    FieldType type;
    guint max_chars; /* texts; integers: the largest value; 0: no limit */
    gboolean may_clear;
    gboolean moves_only; /* not in story.json: only by moving */
    const char *const *words;
} Field;

/* By either name, among those of an object; NULL: none such, or not writable. */
const Field *field_find(EditObject object, const char *name);
/* The writable name that is nearest to a mistyped one; NULL: none is near. Static. */
const char *field_nearest(EditObject object, const char *name);
/* A key that nobody can write, or that does not exist (`is_known` FALSE): ERR_INVALID, with the
 * names that can be. */
void field_refuse_key(EditObject object, const char *key, gboolean is_known, GError **error);
/* All names, for messages: "a, b, c". The caller's. */
char *field_names(EditObject object);

/* The value in a record or an answer: under its name, or its other one. Borrowed; NULL: absent. */
const json_t *field_get(const Field *field, const json_t *object);

/* A new reference, json_null() for nothing. `strict`: what a person wrote, checked against what the
 * project has; else what a service sent, taken as it is (json_null() when it makes no sense).
 * ERR_INVALID. */
json_t *field_normalise(const Field *field, const json_t *value, const EditContext *context,
                        gboolean strict, GError **error);

/* A line of text, as a file in `.fields/` has it, to the JSON that field_normalise() takes. */
json_t *field_from_line(const Field *field, const char *line);

/* Normalised to what is sent. A new reference. */
json_t *field_to_wire(const Field *field, const json_t *value);

gboolean field_is_list(const Field *field);
/* A text long enough to be merged by lines. */
gboolean field_is_long_text(const Field *field);

/* "feature" with state "started" and so on: the rules that bind several attributes of a story
 * together. `now` is the story as it would be. ERR_INVALID. */
gboolean field_check_story(const json_t *now, const json_t *changes, const EditContext *context,
                           GError **error);

/* "0,1,2,3"; NULL: not known. The caller's. */
char *field_point_scale(const Project *project);

/* FALSE: a story that becomes one of `story_type` loses its estimate. */
gboolean field_type_has_estimate(const Project *project, const char *story_type);

/* record: the canonical text of a JSON value (see cache/model.h), written into a GString. Pure, any
 * thread. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* The neighbours of stories and epics are left out: only some requests ask for them, and they
 * change with every move of another one while the object itself does not. */
typedef enum {
    RECORD_OTHER,
    RECORD_STORY,   /* leaves out description, comments' text, tasks' description */
    RECORD_EPIC,    /* leaves out description, comments' text */
    RECORD_PROJECT, /* leaves out profile_content */
    RECORD_ME,      /* leaves out api_token */
} RecordKind;

/* Indented, with a final newline. */
void record_write(GString *out, const json_t *value, RecordKind kind);

/* On one line, without a newline at the end; leaves out nothing. */
void record_write_line(GString *out, const json_t *value);

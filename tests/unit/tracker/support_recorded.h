/* support_recorded: exchanges with the real service as files, and what an answer of ours has to
 * have in common with a recorded one. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "tracker/service.h"

typedef struct Exchange {
    char *file; /* its path */
    char *name; /* "tracker_api/010" */
    char *method, *path, *query, *content_type, *body;
    gboolean made_up_query; /* the recording program kept none */
    gint64 recorded_ms;     /* 0: unknown */
    int status;
    json_t *headers; /* an object */
    json_t *answer;  /* NULL: no JSON */
} Exchange;

/* All of a folder, in order; of Exchange. */
GPtrArray *exchanges_read(const char *dir);

typedef struct Comparison {
    GPtrArray *differences; /* texts, each once */
    guint objects;          /* compared */
    gboolean by_place;      /* ids are new ones: an element without its twin is compared by place */
} Comparison;

void comparison_init(Comparison *comparison, gboolean by_place);
void comparison_clear(Comparison *comparison);

/* Status; names of headers; for errors the same body; else every object that was recorded, found
 * again by its id, with the same keys and values of the same JSON type. An element of a list that
 * is not there is a difference, unless elements of its kind were compared. */
void compare_answers(Comparison *comparison, const Exchange *exchange,
                     const TrackerResponse *response);

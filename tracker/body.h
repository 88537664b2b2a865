/* body: what a writing request gives: typed, checked, in one place (v5-reference 1.3, 1.4, 1.12.3).
 *
 * Every writing route has a ParamTable. body_parse() joins the query string and the body (a JSON
 * object, or form-encoded) into call->given, a jansson object of which handlers know: all names are
 * of the table, all types are right, nothing required is missing, no text is too long. Values are
 * there in one form: times are integers (milliseconds, whole seconds), dates are texts, numbers
 * that came as text are numbers. A null is kept where the table allows it: it clears the attribute.
 *
 * Threads: with the Call. Errors: the 400s of the catalogue, noted in the Call. Limits:
 * TRACKER_MAX_BODY_BYTES, BODY_MAX_ITEMS. */
#pragma once

#include <jansson.h>

#include "tracker/call.h"

#define BODY_MAX_ITEMS 1000 /* of one list */

typedef enum {
    PARAM_STRING,          /* one line, as a rule */
    PARAM_EXTENDED_STRING, /* differs from STRING in error texts only */
    PARAM_INT,
    PARAM_NUMBER,
    PARAM_BOOL,
    PARAM_TIME,
    PARAM_DATE,
    PARAM_ENUM,
    PARAM_INT_LIST,
    PARAM_LIST,   /* of anything: the handler looks at its elements */
    PARAM_OBJECT, /* anything inside: body_check() with a table of its own */
    PARAM_ANY,
} ParamType;

typedef enum {
    PARAM_REQUIRED = 1 << 0,
    PARAM_NULL = 1 << 1,     /* null is a value (of a list: the empty one) */
    PARAM_IGNORED = 1 << 2,  /* accepted for old clients' sake; never in call->given */
    PARAM_ANY_CASE = 1 << 3, /* of an ENUM */
    PARAM_UNLISTED = 1 << 4, /* not among those that a request with none of them is told */
} ParamFlags;

typedef struct Param {
    const char *name;
    ParamType type;
    ParamFlags flags;
    gsize max_chars;    /* of texts; 0: no limit */
    const char *values; /* of an ENUM: comma list */
} Param;

typedef struct ParamTable {
    const Param *params;
    gsize n_params;
    gboolean needs_one;            /* a request with none of them is refused */
    const struct ParamTable *base; /* whose parameters are accepted too; NULL: none */
} ParamTable;

#define PARAM_TABLE(array, needs_one, base)                                                        \
    {                                                                                              \
        array, G_N_ELEMENTS(array), needs_one, base                                                \
    }

/* Fills call->given. */
gboolean body_parse(Call *call, const ParamTable *table);

/* The request's body as JSON of any shape, for endpoints whose parameter it is as a whole; NULL and
 * a 400. Owned by the caller. */
json_t *body_json(Call *call);

/* An object inside the body, `what` (for "Can't use content of 'what' parameter."), checked and put
 * into the same form. Changes `object`. */
gboolean body_check(Call *call, json_t *object, const ParamTable *table, const char *what);

/* Reading call->given, or a checked object. Given at all? As null? */
gboolean body_has(const json_t *given, const char *name);
gboolean body_is_null(const json_t *given, const char *name);
/* NULL or the fallback when not given or null. Texts and lists are borrowed. */
const char *body_text(const json_t *given, const char *name);
gint64 body_int(const json_t *given, const char *name, gint64 fallback);
double body_number(const json_t *given, const char *name, double fallback);
gboolean body_bool(const json_t *given, const char *name, gboolean fallback);
/* gint64s without repetitions; empty when not given or null. Owned. */
GArray *body_ids(const json_t *given, const char *name);

/* errors: V5 error objects: status, code and the protocol's fixed sentences (v5-reference 1.12).
 *
 * Threads: any; a Problem belongs to one request. Texts that clients match on are in errors.c only.
 */
#pragma once

#include <glib.h>

typedef enum {
    PROBLEM_NONE,
    PROBLEM_INVALID_PARAMETER,      /* 400 */
    PROBLEM_UNPARSABLE_BODY,        /* 400 */
    PROBLEM_INVALID_AUTHENTICATION, /* 403 */
    PROBLEM_UNAUTHORIZED,           /* 403 */
    PROBLEM_UNFOUND,                /* 404 */
    PROBLEM_NO_ROUTE,               /* 404 */
    PROBLEM_UNHANDLED,              /* 500 */
} ProblemCode;

typedef struct Problem {
    ProblemCode code;
    char *general_problem, *possible_fix, *requirement; /* owned, NULL: none */
    char *field; /* of one entry of validation_errors, whose problem is general_problem; owned */
} Problem;

/* Replaces what the problem was. Code UNAUTHORIZED and INVALID_AUTHENTICATION bring their own
 * texts. */
void problem_set(Problem *problem, ProblemCode code, const char *general_problem);
void problem_clear(Problem *problem);
int problem_status(const Problem *problem);
void problem_write(const Problem *problem, GString *out);
/* "200 OK": the header Status. */
const char *problem_status_line(int status);

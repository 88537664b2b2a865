/* multipart: the one file in a multipart/form-data body (RFC 7578).
 *
 * A pure function over bytes; the result points into them. Threads: any. Errors: a sentence.
 * Limits: MULTIPART_MAX_*. */
#pragma once

#include <glib.h>

#define MULTIPART_MAX_PARTS 32
#define MULTIPART_MAX_HEADER_BYTES 8192

typedef struct Multipart {
    const char *data; /* borrowed from the body */
    gsize bytes;
    char *filename, *content_type; /* owned; content_type NULL: none */
} Multipart;

/* The part `name` that has a filename. NULL, or what is wrong: a constant. */
const char *multipart_find(const char *content_type, const char *body, gsize bytes,
                           const char *name, Multipart *ret_part);
void multipart_clear(Multipart *part);

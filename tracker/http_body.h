/* http_body: one request's body on its way in: small ones in memory, uploads in a file.
 *
 * The file has no name, lies in the folder of attachments, where an upload will need the room
 * anyway, and is mapped when the body is complete: whoever reads it sees plain bytes, and the
 * kernel may drop the pages. Threads: belongs to one request. Errors: the state says what to
 * answer; after one, further bytes are counted and forgotten. Limits: those given, and the budget,
 * shared by all requests. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

/* Bytes held by all bodies together. */
typedef struct {
    atomic_llong memory, spool;
} HttpBudget;

typedef enum {
    HTTP_BODY_OK,
    HTTP_BODY_TOO_LARGE,
    HTTP_BODY_BUSY,     /* the budget is used up */
    HTTP_BODY_NO_SPACE, /* the disk is full, or cannot be written */
} HttpBodyState;

typedef struct HttpBody {
    HttpBudget *budget;
    const char *spool_dir; /* borrowed; NULL: in memory */
    gint64 limit, bytes, dropped;
    HttpBodyState state;
    gboolean ignored; /* nothing is kept, as if there were no body */
    GByteArray *memory;
    int spool_fd; /* -1: none */
    void *map;
} HttpBody;

void http_body_init(HttpBody *body, HttpBudget *budget, gint64 limit, const char *spool_dir);
/* Gives its share of the budget back. */
void http_body_clear(HttpBody *body);

/* FALSE: the client has sent far too much and is to be cut off. */
gboolean http_body_take(HttpBody *body, const char *data, gsize bytes);

/* When it is complete: the bytes, borrowed until http_body_clear(), NULL for none. May set the
 * state. */
const char *http_body_data(HttpBody *body, gsize *ret_bytes);

/* err: what went wrong, as the few kinds of trouble that a caller can act on.
 *
 * One GError domain for fs/ and cache/. A code says what can be done about it; the message says
 * what happened, in words meant for the user. HTTP statuses and curl codes become ERR_* in
 * cache/net.c and cache/api.c, SQLite codes in cache/store.c; ERR_* becomes an errno in fs/reply.c
 * and nowhere else. Threads: any. */
#pragma once

#include <glib.h>

#define ERR (err_quark())

typedef enum {
    ERR_NOT_FOUND,    /* the thing does not exist, or no longer */
    ERR_AUTH,         /* the token is refused, or may not do this */
    ERR_RATE_LIMITED, /* the server asked for patience, and the deadline came first */
    ERR_OFFLINE,      /* the server cannot be reached and nothing is stored */
    ERR_TIMEOUT,      /* no answer in time */
    ERR_SERVER,       /* the server failed (5xx) */
    ERR_PROTOCOL,     /* the server broke the V5 protocol: bad JSON, cut body, missing pages */
    ERR_INVALID,      /* refused: by us before sending, or by the server's rules */
    ERR_CONFLICT,     /* someone else changed the same thing */
    ERR_TOO_LARGE,    /* over one of our limits */
    ERR_NO_SPACE,     /* the local disk is full */
    ERR_LOCAL,        /* the local disk or database failed otherwise */
    ERR_CANCELLED,    /* the asker went away */
    ERR_UNSUPPORTED,  /* never possible here */
} ErrCode;

GQuark err_quark(void);

/* True when the same request may succeed later: the only judgement of that kind. */
gboolean err_is_transient(const GError *error);

/* net: the HTTP transport, on libcurl's multi interface.
 *
 * One thread owns the multi handle and every easy handle in it; it neither parses JSON nor touches
 * the cache. HTTP/2 multiplexing over TLS, gzip, keep-alive; per request a deadline, a low-speed
 * limit, a cap on decoded bytes. Bodies are collected in memory or written to a descriptor, never
 * paused. Redirects are refused (ERR_PROTOCOL, naming the target) except for downloads, which are
 * followed without the token. Threads: any may send. */
#pragma once

#include "cache/transport.h"

typedef struct NetConfig {
    const char *base_url; /* "https://host/services/v5", no slash at the end */
    const char *token;    /* copied into locked memory; NULL: send none */
    gint64 connect_timeout_ms;
    guint max_in_flight; /* requests at once; others wait by priority, then age */
} NetConfig;

/* Fails with ERR_INVALID for a URL that is not http or https, or plain http to a host that is not a
 * loopback address while a token is set (the token would travel in the clear). */
Transport *net_new(const NetConfig *config, GError **error);

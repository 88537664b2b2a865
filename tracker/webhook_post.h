/* webhook_post: several HTTP POSTs at once on the thread that waits for them: the tracker's one use
 * of libcurl.
 *
 * Threads: all calls but poster_wake() on one thread. Each post is answered exactly once, in
 * poster_wait(), unless the Poster is freed before: then it is cut off. Errors: an answer without
 * HTTP status says why in its text. Limits: POSTER_MAX_*; an answer's text is cut to
 * POSTER_MAX_TEXT_BYTES and made valid UTF-8. Redirects are not followed: they are answers. */
#pragma once

#include <glib.h>

#define POSTER_MAX_AT_ONCE 16
#define POSTER_MAX_TEXT_BYTES 1000
#define POSTER_TIMEOUT_S 15

typedef struct Poster Poster;

/* `status` 0: there was no answer, and `text` says why. */
typedef void (*PosterDoneFn)(gint64 key, int status, const char *text, gpointer user);

/* allow_http: for tests; otherwise https only. */
Poster *poster_new(gboolean allow_http);
void poster_free(Poster *poster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Poster, poster_free)

/* FALSE when there is no place, or a post of this key is under way. Takes no body: it is copied. */
gboolean poster_start(Poster *poster, gint64 key, const char *url, const GString *body);
gboolean poster_is_busy(const Poster *poster, gint64 key);
/* Works until something is answered, the time is over, or poster_wake(). */
void poster_wait(Poster *poster, int timeout_ms, PosterDoneFn done, gpointer user);
/* From any thread; a wait that begins later ends at once too. */
void poster_wake(Poster *poster);

/* What V5 takes for an address of a webhook. */
typedef enum {
    WEBHOOK_URL_GOOD,
    WEBHOOK_URL_INVALID,
    WEBHOOK_URL_NOT_HTTPS, /* http: only with allow_http, and only to this machine */
} WebhookUrl;
WebhookUrl webhook_url_check(const char *url, gboolean allow_http);

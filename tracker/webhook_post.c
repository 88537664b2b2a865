/* A thin layer over curl's multi handle: a Post is one easy handle with its bytes, found again by
 * its key. Signals, redirects and cookies are off; nothing of the tracker's own credentials is
 * anywhere near. */
#include "tracker/webhook_post.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

#define CONNECT_TIMEOUT_S 5
#define MAX_ANSWER_BYTES (64 * 1024)
#define MAX_URL_BYTES 2000

typedef struct Post {
    gint64 key;
    CURL *easy;
    char *body;
    GString *answer;
    gsize answer_bytes; /* all that came, of which `answer` keeps the beginning */
    char error[CURL_ERROR_SIZE];
} Post;

struct Poster {
    CURLM *multi;
    struct curl_slist *headers;
    const char *protocols;
    GPtrArray *posts; /* of Post */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void
post_free(gpointer data)
{
    Post *post = data;

    curl_easy_cleanup(post->easy);
    (void)g_string_free(post->answer, TRUE);
    g_free(post->body);
    g_free(post);
}

Poster *
poster_new(gboolean allow_http)
{
    Poster *poster = g_new0(Poster, 1);

    (void)pthread_once(&curl_once, start_curl);
    poster->multi = curl_multi_init();
    g_assert(poster->multi);
    poster->headers =
        curl_slist_append(poster->headers, "Content-Type: application/json; charset=utf-8");
    poster->headers = curl_slist_append(poster->headers, "Expect:");
    poster->protocols = allow_http ? "https,http" : "https";
    poster->posts = g_ptr_array_new_with_free_func(post_free);
    return poster;
}

static void
drop(Poster *poster, guint i)
{
    Post *post = g_ptr_array_index(poster->posts, i);

    (void)curl_multi_remove_handle(poster->multi, post->easy);
    (void)g_ptr_array_remove_index_fast(poster->posts, i);
}

void
poster_free(Poster *poster)
{
    if (!poster) {
        return;
    }
    while (poster->posts->len > 0) {
        drop(poster, 0);
    }
    g_ptr_array_unref(poster->posts);
    (void)curl_multi_cleanup(poster->multi);
    curl_slist_free_all(poster->headers);
    g_free(poster);
}

gboolean
poster_is_busy(const Poster *poster, gint64 key)
{
    for (guint i = 0; i < poster->posts->len; i++) {
        if (((const Post *)g_ptr_array_index(poster->posts, i))->key == key) {
            return TRUE;
        }
    }
    return FALSE;
}

static size_t
on_answer(char *data, size_t size, size_t count, void *user)
{
    Post *post = user;
    gsize bytes = size * count;
    gsize kept = MIN(bytes, POSTER_MAX_TEXT_BYTES - post->answer->len);

    (void)g_string_append_len(post->answer, data, (gssize)kept);
    post->answer_bytes += bytes;
    return post->answer_bytes > MAX_ANSWER_BYTES ? 0 : bytes;
}

gboolean
poster_start(Poster *poster, gint64 key, const char *url, const GString *body)
{
    Post *post;

    if (poster->posts->len >= POSTER_MAX_AT_ONCE || poster_is_busy(poster, key)) {
        return FALSE;
    }
    post = g_new0(Post, 1);
    post->key = key;
    post->body = g_strndup(body->str, body->len);
    post->answer = g_string_new(NULL);
    post->easy = curl_easy_init();
    g_assert(post->easy);
    (void)curl_easy_setopt(post->easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(post->easy, CURLOPT_PROTOCOLS_STR, poster->protocols);
    (void)curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, post->body);
    (void)curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    (void)curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, poster->headers);
    (void)curl_easy_setopt(post->easy, CURLOPT_USERAGENT, "trackerfs/" TRACKERFS_VERSION);
    (void)curl_easy_setopt(post->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(post->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    (void)curl_easy_setopt(post->easy, CURLOPT_TIMEOUT, (long)POSTER_TIMEOUT_S);
    (void)curl_easy_setopt(post->easy, CURLOPT_WRITEFUNCTION, on_answer);
    (void)curl_easy_setopt(post->easy, CURLOPT_WRITEDATA, post);
    (void)curl_easy_setopt(post->easy, CURLOPT_ERRORBUFFER, post->error);
    (void)curl_easy_setopt(post->easy, CURLOPT_PRIVATE, post);
    g_ptr_array_add(poster->posts, post);
    (void)curl_multi_add_handle(poster->multi, post->easy);
    return TRUE;
}

/* A status counts even when the body did not come whole: the receiver has seen the post. */
static void
answer(Post *post, CURLcode code, PosterDoneFn done, gpointer user)
{
    g_autofree char *text = NULL;
    long status = 0;

    (void)curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 0) {
        text = g_strdup(*post->error ? post->error : curl_easy_strerror(code));
    } else {
        text = g_utf8_make_valid(post->answer->str, (gssize)post->answer->len);
    }
    done(post->key, (int)status, text, user);
}

static guint
collect(Poster *poster, PosterDoneFn done, gpointer user)
{
    guint answered = 0;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(poster->multi, &left))) {
        CURLcode code = message->data.result;
        Post *post = NULL;
        guint i;

        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
        answer(post, code, done, user);
        if (g_ptr_array_find(poster->posts, post, &i)) {
            drop(poster, i);
        }
        answered++;
    }
    return answered;
}

void
poster_wait(Poster *poster, int timeout_ms, PosterDoneFn done, gpointer user)
{
    int running;

    (void)curl_multi_perform(poster->multi, &running);
    if (collect(poster, done, user) > 0) {
        return;
    }
    (void)curl_multi_poll(poster->multi, NULL, 0, timeout_ms, NULL);
    (void)curl_multi_perform(poster->multi, &running);
    (void)collect(poster, done, user);
}

void
poster_wake(Poster *poster)
{
    (void)curl_multi_wakeup(poster->multi);
}

static gboolean
is_this_machine(const char *host)
{
    return g_str_equal(host, "localhost") || g_str_equal(host, "[::1]") ||
           (g_str_has_prefix(host, "127.") && g_hostname_is_ip_address(host));
}

WebhookUrl
webhook_url_check(const char *url, gboolean allow_http)
{
    g_autofree char *scheme = NULL, *host = NULL;
    CURLU *parsed = curl_url();
    char *part = NULL;

    if (strlen(url) <= MAX_URL_BYTES &&
        curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
        if (curl_url_get(parsed, CURLUPART_SCHEME, &part, 0) == CURLUE_OK) {
            scheme = g_strdup(part);
            curl_free(part);
        }
        if (curl_url_get(parsed, CURLUPART_HOST, &part, 0) == CURLUE_OK) {
            host = g_strdup(part);
            curl_free(part);
        }
    }
    curl_url_cleanup(parsed);
    if (!scheme || !host || !*host) {
        return WEBHOOK_URL_INVALID;
    }
    if (g_str_equal(scheme, "https")) {
        return WEBHOOK_URL_GOOD;
    }
    if (g_str_equal(scheme, "http")) {
        return allow_http && is_this_machine(host) ? WEBHOOK_URL_GOOD : WEBHOOK_URL_NOT_HTTPS;
    }
    return WEBHOOK_URL_INVALID;
}

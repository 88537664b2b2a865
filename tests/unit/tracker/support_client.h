/* support_client: a server on a free port over a small database, and an HTTP client for it. */
#pragma once

#include "tracker/http.h"

#include <glib.h>

#define SUPPORT_PROJECT_ID 99
#define SUPPORT_STORIES 200
#define SUPPORT_FILE_TEXT "hello\n"
#define SUPPORT_FILE_ID 7

typedef struct {
    char *dir, *db_path, *token;
    Tracker *tracker;
    Faults *faults;
    TrackerHttp *http;
} Server;

/* A database with one person, one project and its stories, one attachment; served as `config` says
 * (listen and faults are filled in). */
void server_start(Server *server, TrackerHttpConfig config);
void server_stop(Server *server);

typedef struct {
    const char *method; /* NULL: GET */
    const char *token;  /* NULL: none */
    const char *header; /* one more; NULL: none */
    const char *body;   /* NULL: none */
    gsize body_bytes;
    gboolean gzip, follow, chunked;
} Ask;

typedef struct {
    int curl_code;
    int status; /* 0: no answer */
    GString *headers, *body;
    gint64 wire_bytes; /* of the body as it was sent */
    gint64 ms;
    gint64 connects; /* new connections made for it */
} Reply;

void reply_clear(Reply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reply, reply_clear)

/* `path` with query, or a whole address. Connections are kept from call to call. */
void server_ask(Server *server, const char *path, const Ask *ask, Reply *ret_reply);
/* With the token of the person. */
void server_get(Server *server, const char *path, Reply *ret_reply);
/* Owned; NULL when absent. */
char *reply_header(const Reply *reply, const char *name);

/* A connected socket that has sent `text`. */
int server_connect(Server *server, const char *text);
/* Replaces the rules of the server's faults. */
void server_set_faults(Server *server, const char *spec);

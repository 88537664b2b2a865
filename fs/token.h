/* token: where the service's token comes from: a private file, the environment, a command, a
 * systemd credential; never the command line.
 *
 * Precedence: the file or command that the options or the configuration name; TRACKERFS_TOKEN;
 * $CREDENTIALS_DIRECTORY/trackerfs-token. The variable is removed from the environment in any case,
 * its bytes overwritten, so that no child and no reader of /proc sees it. Threads: main, before any
 * other exists. token_find() may block: the command may ask the user something. Errors:
 * ERR_INVALID. Limits: TOKEN_BYTES_MAX, TOKEN_COMMAND_MS. */
#pragma once

#include <glib.h>

#define TOKEN_BYTES_MAX 512
#define TOKEN_COMMAND_MS (60 * 1000)

typedef struct TokenSources {
    const char *file, *command; /* at most one; NULL: look elsewhere */
    gint64 command_ms;          /* 0: TOKEN_COMMAND_MS */
} TokenSources;

/* The caller's, to be freed with token_free(). With nothing found it fails, listing
 * the ways. */
char *token_find(const TokenSources *sources, GError **error);

/* Takes TRACKERFS_TOKEN out of the environment; NULL when it is not set or empty. */
char *token_take_environment(void);

/* Overwrites, then frees. */
void token_free(char *token);

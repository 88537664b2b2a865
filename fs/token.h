/* token: where the caller's token comes from. Never argv.
 *
 * In this order: -o token_file= or token_command= (or those of the configuration's section), the
 * environment variable TRACKERFS_TOKEN (removed from the environment once read), a systemd
 * credential named trackerfs-token. Threads: main, before any other thread. Errors: ERR_INVALID,
 * ERR_LOCAL; the message says what to do. Limits: TOKEN_BYTES_MAX; a command has
 * TOKEN_COMMAND_SECONDS. */
#pragma once

#include "fs/options.h"

#define TOKEN_BYTES_MAX 512
#define TOKEN_COMMAND_SECONDS 60

/* The caller's, to be given back with token_free(). */
char *token_read(const Options *options, GError **error);
/* Overwrites and frees; NULL is fine. */
void token_free(char *token);

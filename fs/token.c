/* Each source gives a text; its first line is the token. A token is checked for being one word,
 * because a stray line end or a password with spaces would otherwise become a broken header. */
#include "fs/token.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"

void
token_free(char *token)
{
    if (token) {
        explicit_bzero(token, strlen(token));
        g_free(token);
    }
}

/* Takes the first line of `text`, which it erases. */
static char *
take_line(char *text, gsize length, const char *where, GError **error)
{
    gsize line = strcspn(text, "\r\n");
    g_autofree char *token = g_strstrip(g_strndup(text, line));
    explicit_bzero(text, length);
    if (!*token) {
        g_set_error(error, ERR, ERR_INVALID, "%s holds no token", where);
        return NULL;
    }
    for (const char *at = token; *at; at++) {
        if ((guchar)*at <= ' ' || (guchar)*at >= 0x7f) {
            explicit_bzero(token, strlen(token));
            g_set_error(error, ERR, ERR_INVALID, "%s: a token is one word of plain characters",
                        where);
            return NULL;
        }
    }
    return g_steal_pointer(&token);
}

/* Reads what `fd` gives until its end, at most TOKEN_BYTES_MAX, until `deadline_ms`. */
static gboolean
read_text(int fd, char *text, gsize *ret_length, gint64 deadline_ms, int *ret_errno)
{
    gsize length = 0;
    while (length < TOKEN_BYTES_MAX) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int rc = poll(&ready, 1, (int)clock_wait_ms(deadline_ms));
        if (rc == 0 && clock_monotonic_ms() >= deadline_ms) {
            *ret_errno = ETIMEDOUT;
            return FALSE;
        }
        ssize_t got = rc > 0 ? read(fd, text + length, TOKEN_BYTES_MAX - length) : -1;
        if (got == 0) {
            break;
        }
        if (got < 0 && (rc == 0 || errno == EINTR)) {
            continue;
        }
        if (got < 0) {
            *ret_errno = errno;
            return FALSE;
        }
        length += (gsize)got;
    }
    text[length] = '\0';
    *ret_length = length;
    return TRUE;
}

static char *
read_file(const char *path, gboolean must_be_private, GError **error)
{
    char text[TOKEN_BYTES_MAX + 1];
    gsize length = 0;
    int code = 0;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        g_set_error(error, ERR, ERR_LOCAL, "the token file %s: %s", path, g_strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return NULL;
    }
    if (must_be_private && (info.st_mode & 077) != 0) {
        (void)close(fd);
        g_autofree char *quoted = g_shell_quote(path);
        g_set_error(error, ERR, ERR_INVALID,
                    "the token file %s can be read by others; make it private: chmod 600 %s", path,
                    quoted);
        return NULL;
    }
    gboolean ok =
        read_text(fd, text, &length, clock_monotonic_ms() + TOKEN_COMMAND_SECONDS * 1000, &code);
    (void)close(fd);
    if (!ok) {
        g_set_error(error, ERR, ERR_LOCAL, "the token file %s: %s", path, g_strerror(code));
        return NULL;
    }
    return take_line(text, length, path, error);
}

static char *
run_command(const char *command, GError **error)
{
    char text[TOKEN_BYTES_MAX + 1];
    gsize length = 0;
    int code = 0;
    int status = 0;
    int out = -1;
    GPid pid = 0;
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) cause = NULL;
    if (!g_shell_parse_argv(command, NULL, &argv, &cause) ||
        !g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  NULL, NULL, &pid, NULL, &out, NULL, &cause)) {
        g_set_error(error, ERR, ERR_INVALID, "token_command: %s", cause->message);
        return NULL;
    }
    gboolean ok =
        read_text(out, text, &length, clock_monotonic_ms() + TOKEN_COMMAND_SECONDS * 1000, &code);
    (void)close(out);
    if (!ok) {
        (void)kill(pid, SIGKILL);
    }
    (void)waitpid(pid, &status, 0);
    if (!ok || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        explicit_bzero(text, sizeof text);
        g_set_error(error, ERR, ERR_LOCAL, "token_command %s: %s", argv[0],
                    ok ? "it failed" : g_strerror(code));
        return NULL;
    }
    return take_line(text, length, "the output of token_command", error);
}

char *
token_read(const Options *options, GError **error)
{
    const char *variable = g_getenv("TRACKERFS_TOKEN");
    const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
    if (options->token_file) {
        return read_file(options->token_file, TRUE, error);
    }
    if (options->token_command) {
        return run_command(options->token_command, error);
    }
    if (variable) {
        g_autofree char *copy = g_strdup(variable);
        g_unsetenv("TRACKERFS_TOKEN");
        return take_line(copy, strlen(copy), "TRACKERFS_TOKEN", error);
    }
    if (credentials) {
        g_autofree char *path = g_build_filename(credentials, "trackerfs-token", NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            return read_file(path, FALSE, error);
        }
    }
    g_set_error(error, ERR, ERR_INVALID,
                "%s needs a token: put it into a private file and give -o token_file=FILE, or set "
                "TRACKERFS_TOKEN",
                options->location->label);
    return NULL;
}

/* A file must be readable by its owner alone: anything else stops the mount with the command that
 * repairs it. A command is run without a shell; the first line that it prints is the token, and it
 * has a limit of time because nothing is mounted before it ends. */
#include "fs/token.h"

#include "cache/base/clock.h"
#include "cache/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "TRACKERFS_TOKEN"
#define CREDENTIAL "trackerfs-token"

void
token_free(char *token)
{
    if (token) {
        explicit_bzero(token, strlen(token));
        g_free(token);
    }
}

char *
token_take_environment(void)
{
    char *value = getenv(VARIABLE);
    if (!value) {
        return NULL;
    }
    char *token = *value ? g_strdup(value) : NULL;
    explicit_bzero(value, strlen(value));
    (void)unsetenv(VARIABLE);
    return token;
}

/* Takes `text`; gives its first line if that can be a token. `origin` is for the message. */
static char *
check_token(char *text, const char *origin, GError **error)
{
    char *token = g_strstrip(g_strndup(text, strcspn(text, "\n")));
    token_free(text);
    gboolean clean = *token != '\0';
    for (const char *at = token; *at; at++) {
        clean &= g_ascii_isgraph(*at);
    }
    if (clean && strlen(token) <= TOKEN_BYTES_MAX) {
        return token;
    }
    g_set_error(error, ERR, ERR_INVALID,
                *token ? "%s holds no token: it has spaces or other odd characters, or is too long"
                       : "%s holds no token: its first line is empty",
                origin);
    token_free(token);
    return NULL;
}

/* At most TOKEN_BYTES_MAX and a few; reading ends with the file, the limit, or the deadline. */
static char *
read_some(int fd, gint64 deadline_ms, gboolean *ret_late)
{
    char *text = g_malloc0(TOKEN_BYTES_MAX + 3);
    gsize length = 0;
    while (length < TOKEN_BYTES_MAX + 2) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        gint64 left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0) {
            *ret_late = TRUE;
            break;
        }
        ssize_t got = read(fd, text + length, TOKEN_BYTES_MAX + 2 - length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        length += (gsize)got;
    }
    return text;
}

static char *
read_file(const char *path, gboolean must_be_private, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        int code = errno;
        g_set_error(error, ERR, ERR_INVALID, "the token file %s: %s", path, g_strerror(code));
        if (fd >= 0) {
            (void)close(fd);
        }
        return NULL;
    }
    const char *wrong = NULL;
    if (!S_ISREG(status.st_mode)) {
        wrong = "is not a regular file";
    } else if (must_be_private && status.st_uid != geteuid() && status.st_uid != 0) {
        wrong = "belongs to another user";
    }
    g_autofree char *quoted = g_shell_quote(path);
    if (wrong) {
        g_set_error(error, ERR, ERR_INVALID, "the token file %s %s", path, wrong);
    } else if (must_be_private && (status.st_mode & 077) != 0) {
        wrong = "is not private";
        g_set_error(error, ERR, ERR_INVALID, "others can read the token file %s; run: chmod 600 %s",
                    path, quoted);
    }
    char *text = NULL;
    if (!wrong) {
        gboolean late = FALSE;
        text = read_some(fd, clock_monotonic_ms() + TOKEN_COMMAND_MS, &late);
    }
    (void)close(fd);
    return text ? check_token(text, path, error) : NULL;
}

/* Waits for the end of the child; kills it at the deadline. Returns FALSE when that was necessary.
 */
static gboolean
reap(pid_t child, gint64 deadline_ms, int *ret_status)
{
    int fd = pidfd_open(child, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    gint64 left_ms = deadline_ms - clock_monotonic_ms();
    gboolean ended = fd >= 0 && poll(&wait, 1, (int)MAX(left_ms, 0)) > 0;
    if (!ended) {
        (void)kill(child, SIGKILL);
    }
    while (waitpid(child, ret_status, 0) < 0 && errno == EINTR) {
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return ended;
}

/* Standard input and error stay the user's: a password manager may have a question. */
static char *
run_command(const char *command, gint64 limit_ms, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) words = NULL;
    GPid child = 0;
    int out = -1;
    if (!g_shell_parse_argv(command, NULL, &words, &cause) ||
        !g_spawn_async_with_pipes(NULL, words, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                      G_SPAWN_CHILD_INHERITS_STDIN,
                                  NULL, NULL, &child, NULL, &out, NULL, &cause)) {
        g_set_error(error, ERR, ERR_INVALID, "token_command: %s", cause->message);
        return NULL;
    }
    gint64 deadline_ms = clock_monotonic_ms() + limit_ms;
    gboolean late = FALSE;
    int status = 0;
    char *text = read_some(out, deadline_ms, &late);
    (void)close(out);
    late = !reap(child, late ? 0 : deadline_ms, &status) || late;
    if (late) {
        g_set_error(error, ERR, ERR_INVALID,
                    "token_command: `%s` did not end within %" G_GINT64_FORMAT " seconds", command,
                    limit_ms / 1000);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        g_set_error(error, ERR, ERR_INVALID, "token_command: `%s` failed (%s %d)", command,
                    WIFEXITED(status) ? "status" : "signal",
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    } else {
        g_autofree char *origin = g_strdup_printf("the output of `%s`", command);
        return check_token(text, origin, error);
    }
    token_free(text);
    return NULL;
}

char *
token_find(const TokenSources *sources, GError **error)
{
    char *token = token_take_environment();
    if (sources->file || sources->command) {
        token_free(token);
        return sources->file
                   ? read_file(sources->file, TRUE, error)
                   : run_command(sources->command,
                                 sources->command_ms ? sources->command_ms : TOKEN_COMMAND_MS,
                                 error);
    }
    if (token) {
        return check_token(token, VARIABLE, error);
    }
    /* systemd shows the mask of an access list as group rights: its folder is what is private. */
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = folder ? g_build_filename(folder, CREDENTIAL, NULL) : NULL;
    if (path && g_file_test(path, G_FILE_TEST_EXISTS)) {
        return read_file(path, FALSE, error);
    }
    g_set_error(error, ERR, ERR_INVALID,
                "no token: give -o token_file=FILE (private), set " VARIABLE
                ", or put token_file= or "
                "token_command= into the configuration file");
    return NULL;
}

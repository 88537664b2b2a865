/* Lines through a pipe: "N text" a note, "E status text" the failure, "R" mounted, "P done total
 * what" progress, "D" done. The end of the pipe without E or R says that the child died. */
#include "fs/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAR_CELLS 30u

struct Starter {
    int pipe_fd; /* -1: in the foreground, or nobody listens any more */
    gboolean foreground, is_terminal, shows_bar;
};

static volatile sig_atomic_t was_interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    was_interrupted = 1;
}

static void
show_bar(guint done, guint total, const char *what)
{
    char bar[BAR_CELLS + 1];
    guint filled = total > 0 ? (guint)((guint64)MIN(done, total) * BAR_CELLS / total) : 0;
    memset(bar, ' ', BAR_CELLS);
    memset(bar, '#', filled);
    bar[BAR_CELLS] = '\0';
    if (total > 0) {
        (void)fprintf(stderr, "\r[%s] %u of %u stories  %.30s\033[K", bar, done, total, what);
    } else {
        (void)fprintf(stderr, "\r[%s] asking for stories  %.30s\033[K", bar, what);
    }
}

/* --- The parent --- */

typedef struct {
    gboolean is_terminal, shows_bar, is_ready, is_done;
    int status; /* -1: not told */
} Watch;

static void
end_bar(Watch *watch)
{
    if (watch->shows_bar) {
        (void)fputs("\r\033[K", stderr);
        watch->shows_bar = FALSE;
    }
}

static void
show_line(Watch *watch, char *line)
{
    char *at = line + 1;
    if (line[0] == 'P') {
        guint done = (guint)strtoul(at, &at, 10);
        guint total = (guint)strtoul(at, &at, 10);
        show_bar(done, total, g_strstrip(at));
        watch->shows_bar = TRUE;
        return;
    }
    end_bar(watch);
    if (line[0] == 'N') {
        (void)fprintf(stderr, "trackerfs: %s\n", g_strstrip(at));
    } else if (line[0] == 'E') {
        watch->status = (int)strtol(at, &at, 10);
        (void)fprintf(stderr, "trackerfs: %s\n", g_strstrip(at));
    } else if (line[0] == 'R') {
        watch->is_ready = TRUE;
        watch->status = STATUS_OK;
        watch->is_done = !watch->is_terminal;
    } else if (line[0] == 'D') {
        watch->is_done = TRUE;
    }
}

/* Shows what the child says until it has no more to say. Returns the exit status. */
static int
watch_child(int fd, pid_t child)
{
    Watch watch = {.is_terminal = isatty(STDERR_FILENO), .status = -1};
    g_autoptr(GString) text = g_string_new(NULL);
    while (!watch.is_done) {
        char byte;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR && !was_interrupted) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        if (byte != '\n') {
            g_string_append_c(text, byte);
            continue;
        }
        if (text->len > 0) {
            show_line(&watch, text->str);
        }
        (void)g_string_truncate(text, 0);
    }
    end_bar(&watch);
    if (was_interrupted && watch.is_ready) {
        (void)fputs("trackerfs: mounted; the stories go on being read in the background\n", stderr);
    }
    if (was_interrupted && watch.status < 0) {
        (void)kill(child, SIGTERM);
        (void)waitpid(child, NULL, 0);
        return command_fail(STATUS_USAGE, NULL, "interrupted: nothing is mounted");
    }
    if (watch.status < 0) {
        int status = 0;
        (void)waitpid(child, &status, 0);
        return command_fail(STATUS_MOUNT, NULL, "the mount ended before it was ready%s%s",
                            WIFSIGNALED(status) ? ": " : "",
                            WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "");
    }
    return watch.status;
}

/* --- The child, or the only process --- */

static void
send_line(Starter *starter, const char *line)
{
    gsize length = strlen(line);
    if (starter->pipe_fd >= 0 && write(starter->pipe_fd, line, length) < 0) {
        (void)close(starter->pipe_fd); /* the parent was ended; the mount goes on */
        starter->pipe_fd = -1;
    }
}

static char *
one_line(const char *text)
{
    return g_strdelimit(g_strdup(text), "\r\n", ' ');
}

Starter *
starter_begin(gboolean foreground, int *ret_status)
{
    Starter *starter = g_new0(Starter, 1);
    starter->pipe_fd = -1;
    starter->foreground = foreground;
    starter->is_terminal = isatty(STDERR_FILENO);
    (void)signal(SIGPIPE, SIG_IGN);
    if (foreground) {
        return starter;
    }
    int ends[2];
    pid_t child = -1;
    /* Before the fork, so that a Ctrl-C does not fall between. */
    const struct sigaction on_int = {.sa_handler = on_interrupt};
    struct sigaction before;
    (void)sigaction(SIGINT, &on_int, &before);
    if (pipe2(ends, O_CLOEXEC) == 0) {
        child = fork();
    }
    if (child < 0) {
        *ret_status =
            command_fail(STATUS_MOUNT, NULL, "cannot go to the background: %s", g_strerror(errno));
        starter_free(starter);
        return NULL;
    }
    if (child > 0) {
        (void)close(ends[1]);
        *ret_status = watch_child(ends[0], child);
        (void)close(ends[0]);
        starter_free(starter);
        return NULL;
    }
    (void)sigaction(SIGINT, &before, NULL);
    (void)close(ends[0]);
    (void)setsid();
    starter->pipe_fd = ends[1];
    return starter;
}

void
starter_free(Starter *starter)
{
    if (starter && starter->pipe_fd >= 0) {
        (void)close(starter->pipe_fd);
    }
    g_free(starter);
}

gboolean
starter_wants_progress(const Starter *starter)
{
    return starter->is_terminal && (starter->foreground || starter->pipe_fd >= 0);
}

void
starter_note(Starter *starter, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *text = one_line(message);
    if (starter->foreground) {
        (void)fprintf(stderr, "trackerfs: %s\n", text);
        return;
    }
    g_autofree char *line = g_strdup_printf("N %s\n", text);
    send_line(starter, line);
}

int
starter_fail(Starter *starter, CommandStatus status, const char *message)
{
    g_autofree char *text = one_line(message);
    if (starter->foreground) {
        return command_fail(status, NULL, "%s", text);
    }
    g_autofree char *line = g_strdup_printf("E%d %s\n", (int)status, text);
    send_line(starter, line);
    return (int)status;
}

void
starter_ready(Starter *starter)
{
    send_line(starter, "R\n");
}

void
starter_progress(Starter *starter, const char *what, guint done, guint total)
{
    g_autofree char *text = one_line(what);
    if (starter->foreground) {
        show_bar(done, total, text);
        starter->shows_bar = TRUE;
        return;
    }
    g_autofree char *line = g_strdup_printf("P%u %u %s\n", done, total, text);
    send_line(starter, line);
}

void
starter_finish(Starter *starter, int log_fd)
{
    if (starter->foreground) {
        if (starter->shows_bar) {
            (void)fputs("\r\033[K", stderr);
        }
        return;
    }
    send_line(starter, "D\n");
    if (starter->pipe_fd >= 0) {
        (void)close(starter->pipe_fd);
        starter->pipe_fd = -1;
    }
    if (log_fd >= 0) {
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(null_fd, STDIN_FILENO);
        (void)dup2(null_fd, STDOUT_FILENO);
        (void)dup2(log_fd, STDERR_FILENO);
        (void)close(null_fd);
    }
}

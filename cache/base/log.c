/* One line is formatted into one buffer and written with one write(2), so lines of different
 * threads never mix. The settings are plain ints written before the threads start. */
#include "cache/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static LogLevel max_level = LOG_LEVEL_INFO; /* const after log_init */
static guint debug_mask;                    /* const after log_init */
static gboolean to_journal;                 /* const after log_init */
static int log_fd = STDERR_FILENO;          /* const after log_set_fd */
static atomic_llong log_max_bytes;

static const struct {
    const char *name;
    LogModule module;
} modules[] = {
    {"fs", LOG_FS},       {"cache", LOG_CACHE}, {"sync", LOG_SYNC},
    {"store", LOG_STORE}, {"net", LOG_NET},     {"tracker", LOG_TRACKER},
};

gboolean
log_parse_modules(const char *list, guint *ret_modules, char **ret_unknown)
{
    g_auto(GStrv) words = g_strsplit(list, ",", -1);
    guint mask = 0;
    for (char **word = words; *word; word++) {
        guint bit = g_str_equal(*word, "all") ? ~0u : 0;
        for (gsize i = 0; i < G_N_ELEMENTS(modules); i++) {
            bit |= g_str_equal(*word, modules[i].name) ? (guint)modules[i].module : 0;
        }
        if (!bit) {
            *ret_unknown = g_strdup(*word);
            return FALSE;
        }
        mask |= bit;
    }
    *ret_modules = mask;
    return TRUE;
}

void
log_init(LogLevel level, guint debug_modules)
{
    max_level = level;
    debug_mask = debug_modules;
    to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void
log_set_fd(int fd)
{
    log_fd = fd;
}

void
log_set_max_bytes(gint64 max_bytes)
{
    log_max_bytes = max_bytes;
}

gboolean
log_wants_debug(LogModule module)
{
    return (debug_mask & (guint)module) != 0;
}

void
log_line(LogLevel level, const char *format, ...)
{
    static const char *const prefix[] = {"<3>", "<4>", "<6>", "<7>"};
    static const char *const word[] = {"error: ", "warning: ", "", "debug: "};

    if (level > max_level && level != LOG_LEVEL_DEBUG) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);

    GString *line = g_string_new(to_journal ? prefix[level] : "trackerfs: ");
    g_string_append(line, to_journal ? "" : word[level]);
    for (const char *at = message; *at; at++) {
        if ((guchar)*at < 0x20 || *at == 0x7f) {
            g_string_append_printf(line, "\\x%02x", (guint)(guchar)*at);
        } else {
            g_string_append_c(line, *at);
        }
    }
    g_string_append_c(line, '\n');
    struct stat status;
    const gint64 max_bytes = log_max_bytes;
    if (max_bytes > 0 && fstat(log_fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size > max_bytes) {
        (void)!ftruncate(log_fd, 0);
    }
    ssize_t ignored = write(log_fd, line->str, line->len);
    (void)ignored;
    g_string_free(line, TRUE);
}

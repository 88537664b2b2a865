/* log: messages for the operator, on standard error, one line each.
 *
 * Functions below cache/cache.h return errors and log at debug only; whoever handles an error logs
 * it, once. Under systemd (JOURNAL_STREAM set) lines carry the priority prefix of sd-daemon(3);
 * else "trackerfs: LEVEL: ...". Never log a token, nor a body above debug. Control characters are
 * escaped: much of what is logged comes from a server. Threads: any, after log_init(). */
#pragma once

#include <glib.h>

typedef enum { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

/* One flag a module; `-o debug=net,store` turns on the debug lines of those modules, `debug=all`
 * all. */
typedef enum {
    LOG_FS = 1 << 0,
    LOG_CACHE = 1 << 1,
    LOG_SYNC = 1 << 2,
    LOG_STORE = 1 << 3,
    LOG_NET = 1 << 4,
    LOG_TRACKER = 1 << 5,
} LogModule;

/* Parses "net,store" into flags. Returns FALSE and names the first unknown word, to be freed, if
 * any. */
gboolean log_parse_modules(const char *list, guint *ret_modules, char **ret_unknown);

void log_init(LogLevel level, guint debug_modules);

/* Where lines go instead of standard error; the descriptor stays the caller's. Before the threads.
 */
void log_set_fd(int fd);

/* A regular file (the descriptor above, opened to append) that has grown over this is emptied, so
 * that a server failing every minute for a year fills no disk. 0, the default: never. Any time. */
void log_set_max_bytes(gint64 max_bytes);

gboolean log_wants_debug(LogModule module);

void log_line(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(module, ...)                                                                     \
    do {                                                                                           \
        if (log_wants_debug(module)) {                                                             \
            log_line(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                \
        }                                                                                          \
    } while (0)

/* Start: which command was asked for. Everything else is in the fs/command_*.c.
 *
 * A word of the table below as the first argument is that command; anything else is a mount. Called
 * as mount.fuse.trackerfs (a link made at installation, for mount(8)) it always mounts, whatever
 * the source is called. */
#include "cache/base/clock.h"
#include "cache/base/log.h"
#include "fs/commands.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct {
    const char *name;
    CommandFn run;
} commands[] = {
    {"help", command_help},     {"mount", command_mount},     {"status", command_status},
    {"umount", command_umount}, {"refresh", command_refresh}, {"serve", command_serve},
    {"import", command_import}, {"queue", command_queue},
};

static CommandFn
find_command(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(commands[i].name, name)) {
            return commands[i].run;
        }
    }
    return NULL;
}

/* "help COMMAND" is "COMMAND --help". */
static int
help_about(char *name)
{
    CommandFn run = find_command(name);
    if (!run) {
        return command_fail(STATUS_USAGE, NULL, "no command %s: see trackerfs --help", name);
    }
    char help[] = "--help";
    return run(2, (char *[]){name, help, NULL});
}

static int
run_command(int argc, char **argv)
{
    g_autofree char *program = g_path_get_basename(argc > 0 ? argv[0] : "trackerfs");
    if (g_str_has_prefix(program, "mount.")) {
        return command_mount(argc, argv);
    }
    const char *word = argc > 1 ? argv[1] : "help";
    if (g_str_equal(word, "--version") || g_str_equal(word, "-V")) {
        (void)printf("trackerfs %s\n", TRACKERFS_VERSION);
        return STATUS_OK;
    }
    if (g_str_equal(word, "--help") || g_str_equal(word, "-h")) {
        return command_help(argc - 1, argv + 1);
    }
    if (g_str_equal(word, "help") && argc > 2) {
        return help_about(argv[2]);
    }
    CommandFn run = find_command(word);
    return run ? run(argc - 1, argv + 1) : command_mount(argc, argv);
}

int
main(int argc, char **argv)
{
    clock_init();
    log_init(LOG_LEVEL_INFO, 0);
    g_set_prgname("trackerfs");
    (void)umask(077);
    const int status = run_command(argc, argv);
    if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        return command_fail(STATUS_USAGE, NULL, "cannot write the output: %s", g_strerror(errno));
    }
    return status;
}

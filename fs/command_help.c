/* `trackerfs help`, and how every command says that something is wrong. */
#include "fs/commands.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

static const char usage[] =
    "Mount a Pivotal Tracker (V5) project as folders and files.\n"
    "\n"
    "  trackerfs SOURCE MOUNTPOINT [-o OPTIONS] [-f] [-d]\n"
    "  trackerfs status [MOUNTPOINT] [--json]    what is mounted, how fresh it is\n"
    "  trackerfs refresh MOUNTPOINT [PROJECT]    ask for changes now, return when seen\n"
    "  trackerfs queue MOUNTPOINT [retry|drop|show ID]   changes not yet accepted\n"
    "  trackerfs umount MOUNTPOINT [--lazy]      send what is pending, unmount\n"
    "  trackerfs serve FILE.db [OPTIONS]         a V5 service over a tracker database\n"
    "  trackerfs import FILE... FILE.db          fill a tracker database\n"
    "  trackerfs help COMMAND                    more about mount, status, umount, ...\n"
    "\n"
    "SOURCE  demo           a sample project, made on first use\n"
    "        FILE.db        a tracker database of our own, no server needed\n"
    "        https://HOST   a V5 service; http:// on this machine only\n"
    "        NAME           a section of ~/.config/trackerfs/config\n"
    "\n"
    "A service needs a token: -o token_file=FILE (private), TRACKERFS_TOKEN in the\n"
    "environment, or token_file= or token_command= in the configuration file.\n"
    "Try:  mkdir t && trackerfs demo t && cat t/README.md\n";

int
command_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)fputs(usage, stdout);
    return STATUS_OK;
}

int
command_fail(CommandStatus status, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    (void)fprintf(stderr, "trackerfs: %s\n", message);
    if (hint) {
        (void)fprintf(stderr, "trackerfs: %s\n", hint);
    }
    return (int)status;
}

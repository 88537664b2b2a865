/* commands: what `trackerfs COMMAND` can be asked to do, one function each, one file each
 * (fs/command_*.c).
 *
 * Each gets its own argument vector, argv[0] being the name of the command, and returns the exit
 * status of the program. It explains itself on standard error in one line, and never exits by
 * itself. clock_init() has been called, log_init() with LOG_LEVEL_INFO too. Threads: the main
 * thread, and there is no other yet.
 *
 * Each answers --help on standard output, at most 24 lines of 80 columns. */
#pragma once

typedef enum {
    STATUS_OK = 0,
    STATUS_USAGE = 1,  /* the command line, the configuration or a local file is wrong */
    STATUS_SOURCE = 2, /* the service, the token, the network or the database said no */
    STATUS_MOUNT = 3,  /* the mount point, FUSE or mount(8) said no */
} CommandStatus;

typedef int (*CommandFn)(int argc, char **argv);

/* trackerfs SOURCE MOUNTPOINT [-o OPTIONS] [-f] [-d]; argv[0] is the program's name. */
int command_mount(int argc, char **argv);
int command_status(int argc, char **argv);
int command_umount(int argc, char **argv);
int command_queue(int argc, char **argv);
int command_refresh(int argc, char **argv);
int command_help(int argc, char **argv);
int command_import(int argc, char **argv);
int command_serve(int argc, char **argv);

/* Prints "trackerfs: MESSAGE" and, if `hint` is not NULL, "trackerfs: HINT" on standard error;
 * returns `status`. */
int command_fail(CommandStatus status, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

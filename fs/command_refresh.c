/* `trackerfs refresh`: reads an attribute whose reading asks the service, and so returns when the
 * answer is known. */
#include "fs/commands.h"
#include "fs/mountpoint.h"
#include "fs/refresh.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

static const char usage[] =
    "Usage: trackerfs refresh MOUNTPOINT [PROJECT]\n"
    "Asks the service for changes now, and returns when they are visible.\n"
    "\n"
    "PROJECT is an id; without it every project that was looked into is asked about.\n"
    "A mount that is not read-only does the same for `touch .trackerfs/refresh`, and\n"
    "every mount, without saying when it is done, for SIGHUP.\n"
    "\n"
    "Exit status: 0 done, 1 wrong arguments, 2 the service did not answer or said no,\n"
    "3 not mounted.\n";

static int
refresh(const char *word, const char *project)
{
    char answer[32];
    g_autoptr(GError) error = NULL;
    g_autofree char *path = mountpoint_resolve(word);
    g_autoptr(GPtrArray) mounts = mountpoint_list(&error);
    const Mount *mount = mounts ? mountpoint_find(mounts, path) : NULL;
    if (!mount || !g_str_equal(mount->type, MOUNTPOINT_TYPE)) {
        return command_fail(STATUS_MOUNT, "trackerfs status shows what is mounted",
                            "no tracker is mounted at %s", path);
    }
    g_autofree char *target = project ? g_build_filename(path, project, NULL) : g_strdup(path);
    if (getxattr(target, REFRESH_ATTRIBUTE, answer, sizeof answer) >= 0) {
        return STATUS_OK;
    }
    if (errno == ENOENT) {
        return command_fail(STATUS_USAGE, NULL, "there is no project %s in %s", project, path);
    }
    return command_fail(STATUS_SOURCE, "trackerfs status shows the last error", "%s: %s", target,
                        g_strerror(errno));
}

int
command_refresh(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    int n = 0;
    for (int i = 1; i < argc; i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
        }
        if (argv[i][0] == '-' || n == 2) {
            return command_fail(STATUS_USAGE, "see trackerfs refresh --help", "what is %s?",
                                argv[i]);
        }
        words[n++] = argv[i];
    }
    if (n == 0 || !*words[0] || (n == 2 && strspn(words[1], "0123456789") != strlen(words[1]))) {
        return command_fail(STATUS_USAGE, "see trackerfs refresh --help",
                            "expected a MOUNTPOINT, and perhaps the id of a project");
    }
    return refresh(words[0], words[1]);
}

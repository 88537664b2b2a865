/* `trackerfs status`: what is mounted and how it does, from each mount's .trackerfs/status.json.
 *
 * The file is read in a child with a time limit: a mount that hangs must not hang the one command
 * that could tell. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cache/base/clock.h"
#include "fs/commands.h"
#include "fs/mountpoint.h"

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

static const char usage[] = "Show what is mounted and how it does.\n"
                            "\n"
                            "  trackerfs status [MOUNTPOINT] [--json]\n"
                            "\n"
                            "Without MOUNTPOINT: every mounted tracker. --json prints what\n"
                            "MOUNTPOINT/.trackerfs/status.json holds, as one list.\n"
                            "\n"
                            "Exit status: 0 all answer, 1 wrong usage, 3 one does not answer, or\n"
                            "nothing is mounted there.\n";

static gint64
number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void
print_project(const json_t *project)
{
    const char *checked_at = json_string_value(json_object_get(project, "checked_at"));
    const char *name = json_string_value(json_object_get(project, "name"));
    const char *state = json_string_value(json_object_get(project, "fill"));
    const char *last_error = json_string_value(json_object_get(project, "last_error"));
    const char *left_out = json_string_value(json_object_get(project, "left_out"));
    (void)printf("  %" G_GINT64_FORMAT " %s: ", number(project, "id"), name ? name : "");
    if (checked_at) {
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(checked_at, utc);
        gint64 age_s = clock_wall_ms() / 1000 - (time ? g_date_time_to_unix(time) : 0);
        (void)printf("version %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                     " stories, confirmed %" G_GINT64_FORMAT " s ago",
                     number(project, "version"), number(project, "stories_total"), MAX(age_s, 0));
    } else {
        (void)printf("%s", g_strcmp0(state, "running") == 0 ? "being read" : "not read yet");
    }
    if (g_strcmp0(state, "running") == 0) {
        (void)printf(", %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " stories",
                     number(project, "stories_done"), number(project, "stories_total"));
    }
    (void)printf("%s%s", left_out ? "; left out: " : "", left_out ? left_out : "");
    (void)printf("%s%s\n", last_error ? "; last error: " : "", last_error ? last_error : "");
}

static void
print_edits(const Mount *mount, const json_t *edits)
{
    const gint64 waiting = number(edits, "waiting");
    const gint64 parked = number(edits, "parked");
    if (waiting > 0) {
        (void)printf("  %" G_GINT64_FORMAT " changes wait for the server\n", waiting);
    }
    if (parked > 0) {
        (void)printf("  %" G_GINT64_FORMAT
                     " changes were refused, or meet somebody else's: trackerfs queue %s\n",
                     parked, mount->path);
    }
}

static void
print_mount(const Mount *mount, const json_t *status)
{
    gsize i;
    const json_t *project;
    const json_t *requests = json_object_get(status, "requests");
    (void)printf("%s  %s  %s\n", mount->path, mount->source,
                 json_is_false(json_object_get(status, "online")) ? "OFFLINE: stored data is shown"
                                                                  : "online");
    json_array_foreach(json_object_get(status, "projects"), i, project)
    {
        print_project(project);
    }
    print_edits(mount, json_object_get(status, "edits"));
    (void)printf("  requests %" G_GINT64_FORMAT ", repeated %" G_GINT64_FORMAT
                 ", failed %" G_GINT64_FORMAT "; stored %.1f MB, attachments %.1f MB\n",
                 number(requests, "sent"), number(requests, "repeated"), number(requests, "failed"),
                 (double)number(status, "store_bytes") / 1e6,
                 (double)number(status, "attachment_bytes") / 1e6);
}

static int
show_mount(const Mount *mount, json_t *list)
{
    MountHealth health = MOUNT_ALIVE;
    g_autofree char *path = g_build_filename(mount->path, ".trackerfs", "status.json", NULL);
    (void)fflush(stdout); /* what is buffered must not be printed by the child as well */
    g_autofree char *text = mountpoint_read(path, MOUNTPOINT_PROBE_MS, &health);
    g_autoptr(Json) status = text ? json_loads(text, 0, NULL) : NULL;
    if (list) {
        json_t *entry = status
                            ? json_incref(status)
                            : json_pack("{s:b, s:b}", "answers", 0, "dead", health == MOUNT_DEAD);
        (void)json_object_set_new(entry, "mount_point", json_string(mount->path));
        (void)json_array_append_new(list, entry);
    } else if (status) {
        print_mount(mount, status);
    } else {
        (void)printf("%s  %s  %s (trackerfs umount --lazy %s)\n", mount->path, mount->source,
                     health == MOUNT_DEAD ? "DEAD: its process is gone" : "DOES NOT ANSWER",
                     mount->path);
    }
    return status ? STATUS_OK : STATUS_MOUNT;
}

static int
show(const char *path, gboolean as_json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) mounts = mountpoint_list(&error);
    g_autofree char *absolute = path ? mountpoint_resolve(path) : NULL;
    g_autoptr(Json) list = as_json ? json_array() : NULL;
    int status = STATUS_OK;
    guint shown = 0;
    if (!mounts) {
        return command_fail(STATUS_MOUNT, NULL, "%s", error->message);
    }
    for (guint i = 0; i < mounts->len; i++) {
        const Mount *mount = mounts->pdata[i];
        if (!g_str_equal(mount->type, MOUNTPOINT_TYPE)) {
            continue;
        }
        if (!absolute || g_str_equal(mount->path, absolute)) {
            int one = show_mount(mount, list);
            status = MAX(status, one);
            shown++;
        }
    }
    if (absolute && shown == 0) {
        return command_fail(STATUS_MOUNT, NULL, "no tracker is mounted at %s", absolute);
    }
    if (as_json) {
        g_autofree char *text = json_dumps(list, JSON_INDENT(2));
        (void)puts(text);
    } else if (shown == 0) {
        (void)puts("nothing is mounted");
    }
    return status;
}

int
command_status(int argc, char **argv)
{
    const char *path = NULL;
    gboolean as_json = FALSE;
    for (int i = 1; i < argc; i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
        }
        if (g_str_equal(argv[i], "--json")) {
            as_json = TRUE;
        } else if (argv[i][0] == '-' || path) {
            return command_fail(STATUS_USAGE, "trackerfs status [MOUNTPOINT] [--json]",
                                "status: \"%s\" is not understood", argv[i]);
        } else {
            path = argv[i];
        }
    }
    return show(path, as_json);
}

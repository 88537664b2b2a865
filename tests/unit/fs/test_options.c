/* The command line: what it may say, what wins, what is refused and how. */
#include "cache/base/err.h"
#include "fs/options.h"

#include <string.h>
#include <unistd.h>

static Config *config;

/* A command line without the program's name, words separated by blanks. */
static Options *
parse(const char *program, const char *line, GError **error)
{
    g_autofree char *all = g_strconcat(program, " ", line, NULL);
    g_auto(GStrv) argv = g_strsplit(all, " ", -1);
    return options_parse((int)g_strv_length(argv), argv, config, error);
}

static Options *
parse_ok(const char *line)
{
    g_autoptr(GError) error = NULL;
    Options *options = parse("trackerfs", line, &error);
    g_assert_no_error(error);
    g_assert_nonnull(options);
    return options;
}

static void
refuse_as(const char *program, const char *line, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Options) options = parse(program, line, &error);
    g_assert_null(options);
    g_assert_error(error, ERR, ERR_INVALID);
    if (!strstr(error->message, words)) {
        g_error("%s: \"%s\" does not say \"%s\"", line, error->message, words);
    }
}

static void
refuse(const char *line, const char *words)
{
    refuse_as("trackerfs", line, words);
}

static void
test_defaults(void)
{
    g_autoptr(Options) o = parse_ok("https://tracker.example.com /mnt/t");
    g_assert_cmpstr(o->location->url, ==, "https://tracker.example.com/services/v5");
    g_assert_cmpstr(o->mount_point, ==, "/mnt/t");
    g_assert_cmpint(o->ttl_ms, ==, 60000);
    g_assert_cmpint(o->timeout_ms, ==, 30000);
    g_assert_cmpint(o->attachment_limit_bytes, ==, 1 << 30);
    g_assert_false(o->id_names || o->allow_other || o->foreground || o->nonempty);
    g_assert_cmpuint(o->uid, ==, getuid());
    g_assert_cmpuint(o->umask, ==, 022);
    g_assert_cmpuint(o->n_project_ids, ==, 0);
    g_assert_cmpstr(o->kernel_options, ==, "");
}

static void
test_values(void)
{
    g_autoptr(Options) o = parse_ok("demo /mnt -f -o ttl=0,timeout=5,names=id,attachments=500m "
                                    "-oallow_other,default_permissions,uid=7,gid=8,umask=077 "
                                    "-o cache_dir=/var/x,debug=net:store,token_file=/t,nonempty");
    g_assert_true(o->foreground && o->id_names && o->allow_other && o->nonempty);
    g_assert_cmpint(o->ttl_ms, ==, 0);
    g_assert_cmpint(o->timeout_ms, ==, 5000);
    g_assert_cmpint(o->attachment_limit_bytes, ==, 500 * 1024 * 1024);
    g_assert_cmpuint(o->uid, ==, 7);
    g_assert_cmpuint(o->gid, ==, 8);
    g_assert_cmpuint(o->umask, ==, 077);
    g_assert_cmpstr(o->cache_dir, ==, "/var/x");
    g_assert_cmpstr(o->token_file, ==, "/t");
    g_assert_cmpuint(o->debug_modules, !=, 0);

    g_autoptr(Options) none = parse_ok("demo /mnt -o attachments=none");
    g_assert_cmpint(none->attachment_limit_bytes, ==, 0);
    g_autoptr(Options) last =
        parse_ok("demo /mnt -o ttl=1,ttl=2 -o token_file=/t,token_command=pass");
    g_assert_cmpint(last->ttl_ms, ==, 2000);
    g_assert_null(last->token_file);
    g_assert_cmpstr(last->token_command, ==, "pass");
}

static void
test_projects(void)
{
    static const char *const ways[] = {"project=11,12", "project=11:12", "project=11,project=12",
                                       "project=11,12,11,ttl=5"};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *line = g_strconcat("demo /mnt -o ", ways[i], NULL);
        g_autoptr(Options) o = parse_ok(line);
        g_assert_cmpuint(o->n_project_ids, ==, 2);
        g_assert_cmpint(o->project_ids[0], ==, 11);
        g_assert_cmpint(o->project_ids[1], ==, 12);
    }
    refuse("demo /mnt -o project=abc", "project=abc: expected the number");
    refuse("demo /mnt -o project=0", "expected the number");
    refuse("demo /mnt -o project=1:", "expected the number");
    refuse("demo /mnt -o project=99999999999999999999", "expected the number");
    refuse("demo /mnt -o ttl=5,12", "unknown option \"12\"");
}

/* Everything that mount(8), fstab and systemd are known to pass on. */
static void
test_words_of_mount(void)
{
    g_autoptr(Options) o = parse_ok(
        "demo /mnt -o rw,noauto,user,_netdev,nofail,x-systemd.automount,"
        "x-systemd.requires=a,X-mount.mkdir,defaults,relatime,comment=x,dev,nosuid,noatime");
    g_assert_cmpstr(o->kernel_options, ==, "dev,nosuid,noatime");
    g_assert_false(o->read_only);
    g_autoptr(Options) ro = parse_ok("demo /mnt -o rw,ro");
    g_assert_true(ro->read_only);
}

static void
test_commas(void)
{
    g_autoptr(Options) o = parse_ok("demo /mnt -o cache_dir=/a\\,b\\\\c,ttl=9,,");
    g_assert_cmpstr(o->cache_dir, ==, "/a,b\\c");
    g_assert_cmpint(o->ttl_ms, ==, 9000);
}

static void
test_refusals(void)
{
    refuse("demo /mnt -o tttl=5", "did you mean \"ttl\"");
    refuse("demo /mnt -o atachments=5", "did you mean \"attachments\"");
    refuse("demo /mnt -o allowother", "did you mean \"allow_other\"");
    refuse("demo /mnt -o qwertyuiop", "unknown option \"qwertyuiop\"");
    refuse("demo /mnt -o token=abc", "use token_file=FILE");
    refuse("demo /mnt -o ttl", "ttl needs a value");
    refuse("demo /mnt -o ttl=", "from 0 to");
    refuse("demo /mnt -o ttl=-1", "from 0 to");
    refuse("demo /mnt -o timeout=0", "from 1 to");
    refuse("demo /mnt -o names=long", "expected full");
    refuse("demo /mnt -o attachments=0", "such as 500M");
    refuse("demo /mnt -o attachments=5X", "such as 500M");
    refuse("demo /mnt -o attachments=5MB", "such as 500M");
    refuse("demo /mnt -o attachments=99999999999G", "such as 500M");
    refuse("demo /mnt -o umask=9", "octal");
    refuse("demo /mnt -o uid=no-such-user", "user's name or number");
    refuse("demo /mnt -o gid=no-such-group", "group's name or number");
    refuse("demo /mnt -o debug=nett", "none of fs, cache");
    refuse("demo /mnt -o ro=1", "takes no value");
    refuse("demo /mnt -o noatime=1", "takes no value");
    refuse("demo /mnt -o cache_dir=", "expected a path");
    refuse("demo /mnt -o", "-o needs options");
    refuse("demo /mnt -x", "unknown flag -x");
    refuse("demo", "where to mount \"demo\"");
    refuse("-f", "nothing to mount");
    refuse("demo /mnt more", "one word too many: \"more\"");
    refuse("demo ", "must not be empty");
}

static void
test_helper(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Options) o = parse("/sbin/mount.fuse.trackerfs",
                                 "demo /mnt -n -v -s -t fuse.trackerfs -o rw,odd=1", &error);
    g_assert_no_error(error);
    g_assert_false(o->fake || o->foreground);
    g_autoptr(Options) fake = parse("mount.fuse.trackerfs", "demo /mnt -sf", &error);
    g_assert_no_error(error);
    g_assert_true(fake->fake);
    refuse_as("mount.fuse.trackerfs", "demo /mnt -z", "unknown flag -z");
    refuse_as("mount.fuse.trackerfs", "demo /mnt -o odd=1", "unknown option \"odd\"");
}

static void
test_section(void)
{
    g_autoptr(Options) o = parse_ok("work /mnt");
    g_assert_cmpstr(o->location->url, ==, "https://work.example.com/services/v5");
    g_assert_cmpstr(o->location->label, ==, "work");
    g_assert_cmpint(o->ttl_ms, ==, 300000);
    g_assert_cmpuint(o->n_project_ids, ==, 2);
    g_assert_cmpstr(o->token_file, ==, "/etc/work.token");

    g_autoptr(Options) other = parse_ok("work /mnt -o project=102,ttl=5,token_command=pass");
    g_assert_cmpuint(other->n_project_ids, ==, 1);
    g_assert_cmpint(other->project_ids[0], ==, 102);
    g_assert_cmpint(other->ttl_ms, ==, 5000);
    g_assert_null(other->token_file);

    refuse("bad /mnt", "[bad] options=: unknown option \"tttl\"");
    refuse("two /mnt", "both token_file= and token_command=");
    refuse("nobody /mnt", "has only the sections work, bad, two");
}

static void
test_help(void)
{
    char *yes[] = {(char[]){"trackerfs"}, (char[]){"demo"}, (char[]){"--help"}, NULL};
    char *no[] = {(char[]){"trackerfs"}, (char[]){"-o"}, (char[]){"-h"}, (char[]){"x"}, NULL};
    g_assert_true(options_want_help(3, yes));
    g_assert_false(options_want_help(4, no));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "trackerfs-config-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(fd, >=, 0);
    (void)close(fd);
    g_assert_true(
        g_file_set_contents(path,
                            "[work]\nurl=https://work.example.com\ntoken_file=/etc/work.token\n"
                            "options=project=101:102,ttl=300\n"
                            "[bad]\nurl=https://bad.example.com\noptions=tttl=5\n"
                            "[two]\nurl=https://two.example.com\ntoken_file=/a\ntoken_command=b\n",
                            -1, NULL));
    config = config_load(path, NULL);
    g_assert_nonnull(config);
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/values", test_values);
    g_test_add_func("/options/projects", test_projects);
    g_test_add_func("/options/words-of-mount", test_words_of_mount);
    g_test_add_func("/options/commas", test_commas);
    g_test_add_func("/options/refusals", test_refusals);
    g_test_add_func("/options/helper", test_helper);
    g_test_add_func("/options/section", test_section);
    g_test_add_func("/options/help", test_help);
    int rc = g_test_run();
    config_free(config);
    (void)unlink(path);
    return rc;
}

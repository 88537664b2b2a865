/* Where a token may come from, what is refused, and that the environment is left without one. */
#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "fs/token.h"
#include "tests/unit/support_error.h"
#include "tests/unit/support_folder.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char *folder;

static char *
put(const char *name, const char *text, int mode)
{
    char *path = folder_put(folder, name, text);
    g_assert_cmpint(g_chmod(path, (mode_t)mode), ==, 0);
    return path;
}

static void
expect(const TokenSources *sources, const char *token)
{
    g_autoptr(GError) error = NULL;
    char *found = token_find(sources, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, token);
    token_free(found);
}

static void
expect_refused(const TokenSources *sources, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(token_find(sources, &error));
    g_assert_error(error, ERR, ERR_INVALID);
    error_says(error, ERR, words);
}

static void
test_file(void)
{
    g_autofree char *good = put("good", "abc123\nsecond line\n", 0600);
    g_autofree char *spaces = put("spaces", "abc 123\n", 0600);
    g_autofree char *empty = put("empty", "\nabc\n", 0600);
    g_autofree char *open_to_all = put("it's open", "abc123\n", 0640);
    g_autofree char *missing = g_build_filename(folder, "missing", NULL);
    g_autofree char *huge_text = g_strnfill(TOKEN_BYTES_MAX + 1, 'a');
    g_autofree char *huge = put("huge", huge_text, 0600);
    expect(&(TokenSources){.file = good}, "abc123");
    expect_refused(&(TokenSources){.file = spaces}, "odd characters");
    expect_refused(&(TokenSources){.file = huge}, "too long");
    expect_refused(&(TokenSources){.file = empty}, "first line is empty");
    expect_refused(&(TokenSources){.file = missing}, "No such file");
    expect_refused(&(TokenSources){.file = folder}, "not a regular file");
    expect_refused(&(TokenSources){.file = open_to_all}, "run: chmod 600 '");
}

static void
test_command(void)
{
    expect(&(TokenSources){.command = "printf 'abc\\nmore\\n'"}, "abc");
    expect_refused(&(TokenSources){.command = "false"}, "status 1");
    expect_refused(&(TokenSources){.command = "true"}, "empty");
    expect_refused(&(TokenSources){.command = "/no/such/program"}, "token_command");
    expect_refused(&(TokenSources){.command = "echo 'unbalanced"}, "token_command");
    expect_refused(&(TokenSources){.command = "sh -c 'echo secret; exit 3'"}, "status 3");
}

/* One that never ends, and one that closes its output and never ends. */
static void
test_command_is_limited_in_time(void)
{
    expect_refused(&(TokenSources){.command = "sleep 600", .command_ms = 50}, "did not end");
    expect_refused(
        &(TokenSources){.command = "sh -c 'echo a; exec >&-; exec sleep 600'", .command_ms = 50},
        "did not end");
}

static void
test_environment(void)
{
    g_setenv("TRACKERFS_TOKEN", "fromenv", TRUE);
    const char *at = getenv("TRACKERFS_TOKEN");
    expect(&(TokenSources){0}, "fromenv");
    g_assert_null(g_getenv("TRACKERFS_TOKEN"));
    g_assert_cmpint(at[0], ==, '\0');

    g_autofree char *file = put("file", "fromfile\n", 0600);
    g_setenv("TRACKERFS_TOKEN", "fromenv", TRUE);
    expect(&(TokenSources){.file = file}, "fromfile");
    g_assert_null(g_getenv("TRACKERFS_TOKEN"));

    g_setenv("TRACKERFS_TOKEN", "with\ttab", TRUE);
    expect_refused(&(TokenSources){0}, "TRACKERFS_TOKEN");
}

/* Its mode shows an access list's mask, so it may look readable by the group. */
static void
test_credential(void)
{
    g_autofree char *file = put("trackerfs-token", "fromsystemd\n", 0440);
    g_setenv("CREDENTIALS_DIRECTORY", folder, TRUE);
    expect(&(TokenSources){0}, "fromsystemd");
    g_setenv("TRACKERFS_TOKEN", "fromenv", TRUE);
    expect(&(TokenSources){0}, "fromenv");
    g_unsetenv("CREDENTIALS_DIRECTORY");
}

static void
test_none(void)
{
    expect_refused(&(TokenSources){0}, "token_file=FILE");
    g_setenv("TRACKERFS_TOKEN", "", TRUE);
    expect_refused(&(TokenSources){0}, "no token");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    clock_init();
    g_unsetenv("TRACKERFS_TOKEN");
    g_unsetenv("CREDENTIALS_DIRECTORY");
    folder = folder_new();
    g_test_add_func("/token/file", test_file);
    g_test_add_func("/token/command", test_command);
    g_test_add_func("/token/command-is-limited", test_command_is_limited_in_time);
    g_test_add_func("/token/environment", test_environment);
    g_test_add_func("/token/credential", test_credential);
    g_test_add_func("/token/none", test_none);
    int rc = g_test_run();
    folder_remove(folder);
    return rc;
}

/* The configuration file and what SOURCE means. */
#include "cache/base/err.h"
#include "fs/config.h"
#include "fs/location.h"
#include "tests/unit/support_error.h"
#include "tests/unit/support_folder.h"

#include <string.h>

static char *folder;

static void
refuse_config(const char *text, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = folder_put(folder, "refused", text);
    g_autoptr(Config) config = config_load(path, &error);
    g_assert_null(config);
    error_says(error, ERR, words);
}

/* A mistake in one section is of no concern to the others. */
static void
refuse_section(const char *text, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *both = g_strconcat("[fine]\nurl=https://fine\n", text, NULL);
    g_autofree char *path = folder_put(folder, "partly", both);
    g_autoptr(Config) config = config_load(path, &error);
    g_assert_no_error(error);
    const ConfigSection *section = NULL;
    g_autoptr(Location) none = location_find("a", config, &section, &error);
    g_assert_null(none);
    error_says(error, ERR, words);
    g_clear_error(&error);
    g_autoptr(Location) fine = location_find("fine", config, &section, &error);
    g_assert_no_error(error);
    g_assert_nonnull(fine);
}

static void
test_config(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        folder_put(folder, "config",
                   "# mine\n[a]\nurl = https://a.example.com \ntoken_file=~/a.token\n"
                   "[b]\nurl=~/b.db\n");
    g_autoptr(Config) config = config_load(path, &error);
    g_assert_no_error(error);
    const ConfigSection *a = config_find(config, "a");
    g_assert_cmpstr(a->url, ==, "https://a.example.com");
    g_autofree char *token_file = g_build_filename(g_get_home_dir(), "a.token", NULL);
    g_assert_cmpstr(a->token_file, ==, token_file);
    g_assert_null(a->options);
    g_assert_null(config_find(config, "c"));
    g_assert_cmpint(g_strv_length(config_names(config)), ==, 2);
}

static void
test_config_missing_and_empty(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = g_build_filename(folder, "no", "such", NULL);
    g_autoptr(Config) none = config_load(missing, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_strv_length(config_names(none)), ==, 0);
    g_autofree char *path = folder_put(folder, "empty", "");
    g_autoptr(Config) empty = config_load(path, &error);
    g_assert_no_error(error);
    g_assert_nonnull(empty);
}

static void
test_config_refusals(void)
{
    refuse_section("[a]\nurl=https://a\nttl=5\n", "unknown key \"ttl\"");
    refuse_section("[a]\nurl=https://a\ntoken=5\n", "private file of its own");
    refuse_section("[a]\nurl=https://a\nurl=https://b\n", "says url= twice");
    refuse_section("[a]\n", "[a] has no url=");
    refuse_config("url=https://a\n", "refused");
    refuse_config("[a\n", "refused");
    g_autofree char *long_text = g_strnfill(CONFIG_BYTES_MAX + 1, '#');
    refuse_config(long_text, "too large");
}

static void
test_base_url(void)
{
    static const char *const good[][2] = {
        {"https://Tracker.Example.com", "https://tracker.example.com/services/v5"},
        {"https://h/", "https://h/services/v5"},
        {"https://h/services/v5", "https://h/services/v5"},
        {"https://h:8443/pre/services/v5/", "https://h:8443/pre/services/v5"},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080/services/v5"},
        {"http://localhost", "http://localhost/services/v5"},
        {"http://[::1]:9", "http://[::1]:9/services/v5"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *base = location_base_url(good[i][0], &error);
        g_assert_no_error(error);
        g_assert_cmpstr(base, ==, good[i][1]);
    }
    static const char *const bad[][2] = {
        {"http://tracker.example.com", "in the clear"},
        {"http://127.0.0.1.example.com", "in the clear"},
        {"http://localhost.example.com", "in the clear"},
        {"https://user:secret@h", "shows up in process lists"},
        {"https://h/services/v5?token=x", "no place"},
        {"https://h/services/v5#x", "no place"},
        {"https://h/n/projects/123", "with -o project=123"},
        {"https://h/elsewhere", "must be empty or end in"},
        {"ftp://h", "only https://"},
        {"https://", "no host"},
        {"https://h:99999", "https://h:99999"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *base = location_base_url(bad[i][0], &error);
        g_assert_null(base);
        error_says(error, ERR, bad[i][1]);
        g_assert_null(strstr(error->message, "secret"));
    }
}

static void
refuse_source(const Config *config, const char *word, const char *words)
{
    g_autoptr(GError) error = NULL;
    const ConfigSection *section = NULL;
    g_autoptr(Location) location = location_find(word, config, &section, &error);
    g_assert_null(location);
    error_says(error, ERR, words);
}

static void
test_location(void)
{
    g_autoptr(GError) error = NULL;
    const ConfigSection *section = NULL;
    g_autofree char *db = folder_put(folder, "my.db", "x");
    g_autofree char *zip = folder_put(folder, "export.zip", "x");
    g_autofree char *gone = g_build_filename(folder, "gone.db", NULL);
    g_autofree char *text = g_strdup_printf("[web]\nurl=https://w.example.com\n[file]\nurl=%s\n"
                                            "[lost]\nurl=%s\n",
                                            db, gone);
    g_autofree char *path = folder_put(folder, "sources", text);
    g_autoptr(Config) config = config_load(path, &error);
    g_assert_no_error(error);

    g_autoptr(Location) file = location_find(db, config, &section, &error);
    g_assert_no_error(error);
    g_assert_cmpint(file->kind, ==, LOCATION_DATABASE);
    g_assert_cmpstr(file->path, ==, db);
    g_assert_cmpstr(file->label, ==, db);
    g_assert_null(section);

    g_autoptr(Location) demo = location_find("demo", config, &section, &error);
    g_assert_cmpint(demo->kind, ==, LOCATION_DEMO);
    g_assert_true(g_str_has_suffix(demo->path, "/trackerfs/demo.db"));

    g_autoptr(Location) named = location_find("file", config, &section, &error);
    g_assert_cmpint(named->kind, ==, LOCATION_DATABASE);
    g_assert_cmpstr(named->label, ==, "file");
    g_assert_cmpstr(section->name, ==, "file");

    refuse_source(config, zip, "trackerfs help import");
    refuse_source(config, folder, "is a folder");
    refuse_source(config, gone, "No such file");
    refuse_source(config, "/dev/null", "not a regular file");
    refuse_source(config, "lost", "[lost] url=");
    refuse_source(config, "nothing", "sections web, file, lost");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = folder_new();
    g_test_add_func("/config/read", test_config);
    g_test_add_func("/config/missing-and-empty", test_config_missing_and_empty);
    g_test_add_func("/config/refusals", test_config_refusals);
    g_test_add_func("/location/base-url", test_base_url);
    g_test_add_func("/location/find", test_location);
    int rc = g_test_run();
    folder_remove(folder);
    return rc;
}

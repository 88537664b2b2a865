/* GKeyFile does the syntax; everything is read and checked at once, and a mistake is kept with its
 * section. */
#include "fs/config.h"

#include "cache/base/err.h"

#include <string.h>

struct Config {
    char *path;
    GPtrArray *sections; /* of ConfigSection */
    char **names;
};

static void
section_free(gpointer data)
{
    ConfigSection *section = data;
    g_free(section->name);
    g_free(section->url);
    g_free(section->token_file);
    g_free(section->token_command);
    g_free(section->options);
    g_clear_error(&section->mistake);
    g_free(section);
}

void
config_free(Config *config)
{
    if (!config) {
        return;
    }
    g_free(config->path);
    g_ptr_array_unref(config->sections);
    g_strfreev(config->names);
    g_free(config);
}

/* "~/x" below the home folder; everything else as it is. */
static char *
expand_home(char *value)
{
    if (!value || !g_str_has_prefix(value, "~/")) {
        return value;
    }
    char *expanded = g_build_filename(g_get_home_dir(), value + 2, NULL);
    g_free(value);
    return expanded;
}

static gboolean
read_section(const Config *config, GKeyFile *file, ConfigSection *section, GError **error)
{
    const char *name = section->name;
    const struct {
        const char *key;
        char **value;
    } keys[] = {
        {"url", &section->url},
        {"token_file", &section->token_file},
        {"token_command", &section->token_command},
        {"options", &section->options},
    };
    g_auto(GStrv) present = g_key_file_get_keys(file, name, NULL, NULL);
    for (char **key = present; key && *key; key++) {
        char **value = NULL;
        for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
            value = g_str_equal(keys[i].key, *key) ? keys[i].value : value;
        }
        if (!value) {
            g_set_error(error, ERR, ERR_INVALID,
                        "%s: [%s] has an unknown key \"%s\" (known: url, token_file, "
                        "token_command, options)%s",
                        config->path, name, *key,
                        g_str_equal(*key, "token") ? "; keep the token in a private file of its own"
                                                   : "");
            return FALSE;
        }
        if (*value) {
            g_set_error(error, ERR, ERR_INVALID, "%s: [%s] says %s= twice", config->path, name,
                        *key);
            return FALSE;
        }
        g_autoptr(GError) cause = NULL;
        *value = g_key_file_get_string(file, name, *key, &cause);
        if (!*value) {
            g_set_error(error, ERR, ERR_INVALID, "%s: [%s] %s: %s", config->path, name, *key,
                        cause->message);
            return FALSE;
        }
        (void)g_strstrip(*value);
    }
    if (!section->url || !*section->url) {
        g_set_error(error, ERR, ERR_INVALID, "%s: [%s] has no url=", config->path, name);
        return FALSE;
    }
    section->url = expand_home(section->url);
    section->token_file = expand_home(section->token_file);
    return TRUE;
}

Config *
config_load(const char *path, GError **error)
{
    g_autoptr(Config) config = g_new0(Config, 1);
    config->path = path ? g_strdup(path)
                        : g_build_filename(g_get_user_config_dir(), "trackerfs", "config", NULL);
    config->sections = g_ptr_array_new_with_free_func(section_free);

    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(config->path, &text, &length, &cause)) {
        if (g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
            g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOTDIR)) {
            config->names = g_new0(char *, 1);
            return g_steal_pointer(&config);
        }
        g_set_error(error, ERR, ERR_LOCAL, "%s", cause->message);
        return NULL;
    }
    if (length > CONFIG_BYTES_MAX) {
        g_set_error(error, ERR, ERR_INVALID, "%s: too large for a configuration file",
                    config->path);
        return NULL;
    }
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (length > 0 && !g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, &cause)) {
        g_set_error(error, ERR, ERR_INVALID, "%s: %s", config->path, cause->message);
        return NULL;
    }
    config->names = g_key_file_get_groups(file, NULL);
    for (char **name = config->names; *name; name++) {
        ConfigSection *section = g_new0(ConfigSection, 1);
        section->name = g_strdup(*name);
        g_ptr_array_add(config->sections, section);
        (void)read_section(config, file, section, &section->mistake);
    }
    return g_steal_pointer(&config);
}

const char *
config_path(const Config *config)
{
    return config->path;
}

const ConfigSection *
config_find(const Config *config, const char *name)
{
    for (guint i = 0; i < config->sections->len; i++) {
        const ConfigSection *section = g_ptr_array_index(config->sections, i);
        if (g_str_equal(section->name, name)) {
            return section;
        }
    }
    return NULL;
}

const GPtrArray *
config_sections(const Config *config)
{
    return config->sections;
}

char **
config_names(const Config *config)
{
    return config->names;
}

/* config: the configuration file, ~/.config/trackerfs/config.
 *
 * One section per named source; the name is what a mount is asked for (`trackerfs NAME
 * MOUNTPOINT`):
 *
 *     [work]
 *     url=https://tracker.example.com
 *     token_file=~/.config/trackerfs/work.token
 *     options=project=101:102,ttl=300
 *
 * Keys: url (a URL or the path of a database), token_file, token_command, options (as after -o).
 * Others are errors: a misspelt key must not be ignored silently. A mistake in one section is in
 * the way of that source alone. A leading "~/" is the home folder. A missing file is an empty one.
 * Threads: any; nothing is shared. Errors: ERR_INVALID, ERR_LOCAL. Limit: CONFIG_BYTES_MAX. */
#pragma once

#include <glib.h>

#define CONFIG_BYTES_MAX (256 * 1024)

typedef struct Config Config;

typedef struct ConfigSection {
    char *name, *url;
    char *token_file, *token_command, *options; /* each may be NULL */
    GError *mistake; /* NULL: none; else the section is not to be used. ERR_INVALID */
} ConfigSection;

/* `path` NULL: the user's own. */
Config *config_load(const char *path, GError **error);
void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* Where it was read from, or would have been. Borrowed. */
const char *config_path(const Config *config);

/* Borrowed; NULL when there is no such section. */
const ConfigSection *config_find(const Config *config, const char *name);

/* All of them, in order; of ConfigSection, borrowed. */
const GPtrArray *config_sections(const Config *config);

/* NULL-terminated, borrowed. */
char **config_names(const Config *config);

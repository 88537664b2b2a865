/* location: what the word SOURCE on the command line means: a service's URL or a database file.
 *
 * Decides by looking at the word, the configuration and which files exist; opens nothing.
 * In this order: a URL; "demo"; a section of the configuration (a word without "/"); a file.
 * Threads: any; nothing is shared. Errors: ERR_INVALID, whose message says what was tried. */
#pragma once

#include "fs/config.h"

typedef enum { LOCATION_HTTP, LOCATION_DATABASE, LOCATION_DEMO } LocationKind;

typedef struct Location {
    LocationKind kind;
    char *label; /* for people and mount(8): the word itself, a file's with its folders; never a
                    credential */
    char *url;   /* LOCATION_HTTP: "https://host/services/v5", no slash at the end */
    char *path;  /* otherwise: of the database, absolute; of a demo perhaps not yet there */
} Location;

/* `ret_section`: of the configuration, borrowed from it; NULL when the word named none. */
Location *location_find(const char *word, const Config *config, const ConfigSection **ret_section,
                        GError **error);
void location_free(Location *location);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Location, location_free)

/* Makes "https://host/services/v5" of what people write. https, or http to this machine; no user,
 * no query. */
char *location_base_url(const char *url, GError **error);

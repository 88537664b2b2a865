/* The checks are strict because a token will be sent to what comes out: a URL with a user in it, or
 * in clear text to another machine, is refused with the reason. */
#include "fs/location.h"

#include "cache/base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define V5_PATH "/services/v5"

void
location_free(Location *location)
{
    if (!location) {
        return;
    }
    g_free(location->label);
    g_free(location->url);
    g_free(location->path);
    g_free(location);
}

static gboolean
is_loopback(const char *host)
{
    /* By address, not by prefix: 127.0.0.1.example.org is somebody else. */
    return (g_str_has_prefix(host, "127.") && g_hostname_is_ip_address(host)) ||
           g_ascii_strcasecmp(host, "localhost") == 0 || g_str_equal(host, "::1");
}

/* A browser's address of a project is what people have at hand: say what it becomes. */
static gboolean
refuse_path(const char *url, GUri *uri, GError **error)
{
    const char *path = g_uri_get_path(uri);
    const char *digits = strstr(path, "/projects/");
    gint64 project = digits ? g_ascii_strtoll(digits + strlen("/projects/"), NULL, 10) : 0;
    if (project > 0) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s: mount the service: %s://%s with -o project=%" G_GINT64_FORMAT, url,
                    g_uri_get_scheme(uri), g_uri_get_host(uri), project);
    } else {
        g_set_error(error, ERR, ERR_INVALID, "%s: the path must be empty or end in " V5_PATH, url);
    }
    return FALSE;
}

static gboolean
check_url(const char *url, GUri *uri, GError **error)
{
    const char *host = g_uri_get_host(uri);
    const char *path = g_uri_get_path(uri);
    if (!host || !*host) {
        g_set_error(error, ERR, ERR_INVALID, "%s: there is no host in this URL", url);
        return FALSE;
    }
    if (g_uri_get_userinfo(uri)) {
        g_set_error(error, ERR, ERR_INVALID,
                    "a URL with a user or a token before the host shows up in process lists: give "
                    "https://%s "
                    "and -o token_file=FILE",
                    host);
        return FALSE;
    }
    if (g_uri_get_query(uri) || g_uri_get_fragment(uri)) {
        g_set_error(error, ERR, ERR_INVALID, "%s: \"?\" and \"#\" have no place in a service's URL",
                    url);
        return FALSE;
    }
    if (g_str_equal(g_uri_get_scheme(uri), "http") && !is_loopback(host)) {
        g_set_error(
            error, ERR, ERR_INVALID,
            "%s: http would send the token in the clear: use https (http is for this machine only)",
            url);
        return FALSE;
    }
    return *path == '\0' || g_str_equal(path, "/") || g_str_has_suffix(path, V5_PATH) ||
           g_str_has_suffix(path, V5_PATH "/") || refuse_path(url, uri, error);
}

char *
location_base_url(const char *url, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED, &cause);
    if (!uri) {
        g_set_error(error, ERR, ERR_INVALID, "%s: %s", url, cause->message);
        return NULL;
    }
    const char *scheme = g_uri_get_scheme(uri);
    if (!g_str_equal(scheme, "http") && !g_str_equal(scheme, "https")) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s: only https:// and http:// (to this machine) can be mounted", url);
        return NULL;
    }
    if (!check_url(url, uri, error)) {
        return NULL;
    }
    const char *path = g_uri_get_path(uri);
    gsize length = strlen(path);
    g_autofree char *prefix =
        g_strndup(path, length > 0 && path[length - 1] == '/' ? length - 1 : length);
    const char *base_path = *prefix ? prefix : V5_PATH;
    const char *host = g_uri_get_host(uri);
    g_autofree char *bracketed =
        strchr(host, ':') ? g_strdup_printf("[%s]", host) : g_ascii_strdown(host, -1);
    return g_uri_get_port(uri) < 0
               ? g_strdup_printf("%s://%s%s", scheme, bracketed, base_path)
               : g_strdup_printf("%s://%s:%d%s", scheme, bracketed, g_uri_get_port(uri), base_path);
}

static Location *
new_http(const char *label, const char *url, GError **error)
{
    g_autofree char *base = location_base_url(url, error);
    if (!base) {
        return NULL;
    }
    Location *location = g_new0(Location, 1);
    location->kind = LOCATION_HTTP;
    location->label = g_strdup(label);
    location->url = g_steal_pointer(&base);
    return location;
}

static Location *
new_file(LocationKind kind, const char *label, const char *path)
{
    Location *location = g_new0(Location, 1);
    location->kind = kind;
    location->path = g_canonicalize_filename(path, NULL);
    location->label = g_strdup(label ? label : location->path);
    return location;
}

static Location *
find_file(const char *label, const char *path, GError **error)
{
    static const char *const archives[] = {".zip", ".csv", ".json", ".jsonl", ".gz"};
    struct stat status;
    if (stat(path, &status) != 0) {
        g_set_error(error, ERR, ERR_INVALID, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (S_ISDIR(status.st_mode)) {
        g_set_error(error, ERR, ERR_INVALID,
                    "%s is a folder, not a tracker database: see `trackerfs help import`", path);
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(archives); i++) {
        if (g_str_has_suffix(path, archives[i])) {
            g_set_error(
                error, ERR, ERR_INVALID,
                "%s is not a tracker database: make one of it first, see `trackerfs help import`",
                path);
            return NULL;
        }
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, ERR, ERR_INVALID, "%s is not a regular file", path);
        return NULL;
    }
    return new_file(LOCATION_DATABASE, label, path);
}

static Location *
find_section(const ConfigSection *section, const Config *config, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Location *location = strstr(section->url, "://")
                             ? new_http(section->name, section->url, &cause)
                             : find_file(section->name, section->url, &cause);
    if (!location) {
        g_set_error(error, ERR, ERR_INVALID, "%s: [%s] url=%s", config_path(config), section->name,
                    cause->message);
    }
    return location;
}

Location *
location_find(const char *word, const Config *config, const ConfigSection **ret_section,
              GError **error)
{
    if (strstr(word, "://")) {
        return new_http(word, word, error);
    }
    if (g_str_equal(word, "demo")) {
        g_autofree char *path =
            g_build_filename(g_get_user_data_dir(), "trackerfs", "demo.db", NULL);
        return new_file(LOCATION_DEMO, word, path);
    }
    const ConfigSection *section = config_find(config, word);
    if (section && section->mistake) {
        g_propagate_error(error, g_error_copy(section->mistake));
        return NULL;
    }
    if (section) {
        Location *location = find_section(section, config, error);
        *ret_section = location ? section : *ret_section;
        return location;
    }
    if (g_file_test(word, G_FILE_TEST_EXISTS) || strchr(word, '/')) {
        return find_file(NULL, word, error);
    }
    g_autofree char *names = g_strjoinv(", ", config_names(config));
    g_set_error(error, ERR, ERR_INVALID,
                "\"%s\" is no source: it is not a URL (https://...), not \"demo\", no file of that "
                "name is here, "
                "and %s %s%s",
                word, config_path(config),
                *names ? "has only the sections " : "has no such section", names);
    return NULL;
}

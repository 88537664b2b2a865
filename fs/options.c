/* First the command line is taken apart (two words, flags, the texts after -o), then the source is
 * looked up, because its section of the configuration may bring options that come before those of
 * the command line; then each text is split at its commas and every word is looked up in one table.
 */
#include "fs/options.h"

#include "cache/base/err.h"
#include "cache/base/log.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define POLL_DEFAULT_MS (15 * 1000)

typedef gboolean (*SetFn)(Options *options, const char *value, GError **error);

typedef enum {
    WORD_OURS_FLAG,  /* no value */
    WORD_OURS_VALUE, /* a value is needed */
    WORD_KERNEL,     /* handed on */
    WORD_IGNORED,    /* mount(8)'s own */
} WordKind;

typedef struct Word {
    const char *name;
    WordKind kind;
    SetFn set;
} Word;

typedef struct CommandLine {
    char *source, *mount_point;
    GPtrArray *option_texts; /* of char *, borrowed from argv */
    gboolean foreground, debug_fuse, fake, sloppy;
} CommandLine;

void
options_free(Options *options)
{
    if (!options) {
        return;
    }
    location_free(options->location);
    g_free(options->mount_point);
    g_free(options->project_ids);
    g_free(options->cache_dir);
    g_free(options->token_file);
    g_free(options->token_command);
    g_free(options->kernel_options);
    g_free(options);
}

static gboolean fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, ERR, ERR_INVALID, message);
    return FALSE;
}

/* Values. */

static gboolean
add_projects(Options *options, const char *value, GError **error)
{
    g_auto(GStrv) ids = g_strsplit(value, ":", -1);
    for (char **id = ids; *id || id == ids; id++) {
        guint64 number = 0;
        if (!*id || !g_ascii_string_to_unsigned(*id, 10, 1, G_MAXINT64, &number, NULL)) {
            return fail(error,
                        "project=%s: expected the number of a project, or several: project=101:102",
                        value);
        }
        if (options->n_project_ids == OPTIONS_PROJECTS_MAX) {
            return fail(error, "project=: more than %d projects", OPTIONS_PROJECTS_MAX);
        }
        gboolean known = FALSE;
        for (guint i = 0; i < options->n_project_ids; i++) {
            known |= options->project_ids[i] == (gint64)number;
        }
        if (!known) {
            options->project_ids =
                g_renew(gint64, options->project_ids, options->n_project_ids + 1);
            options->project_ids[options->n_project_ids++] = (gint64)number;
        }
    }
    return TRUE;
}

static gboolean
parse_seconds(const char *name, const char *value, guint64 min, guint64 max, gint64 *ret_ms,
              GError **error)
{
    guint64 seconds = 0;
    if (!g_ascii_string_to_unsigned(value, 10, min, max, &seconds, NULL)) {
        return fail(
            error, "%s=%s: expected whole seconds from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
            name, value, min, max);
    }
    *ret_ms = (gint64)seconds * 1000;
    return TRUE;
}

static gboolean
set_ttl(Options *options, const char *value, GError **error)
{
    return parse_seconds("ttl", value, 0, 30 * 86400, &options->ttl_ms, error);
}

static gboolean
set_poll(Options *options, const char *value, GError **error)
{
    return parse_seconds("poll", value, 0, 86400, &options->poll_ms, error);
}

static gboolean
set_timeout(Options *options, const char *value, GError **error)
{
    return parse_seconds("timeout", value, 1, 3600, &options->timeout_ms, error);
}

static gboolean
set_names(Options *options, const char *value, GError **error)
{
    if (!g_str_equal(value, "full") && !g_str_equal(value, "id")) {
        return fail(error, "names=%s: expected full (123-its-title) or id (123)", value);
    }
    options->id_names = g_str_equal(value, "id");
    return TRUE;
}

static gboolean
set_attachments(Options *options, const char *value, GError **error)
{
    static const char units[] = "KMGT";
    if (g_str_equal(value, "none")) {
        options->attachment_limit_bytes = 0;
        return TRUE;
    }
    char *end = NULL;
    guint64 number = g_ascii_isdigit(*value) ? g_ascii_strtoull(value, &end, 10) : 0;
    const char *unit = end && *end ? strchr(units, g_ascii_toupper(*end)) : NULL;
    guint shift = unit ? 10 * (guint)(unit - units + 1) : 0;
    if (number == 0 || (*end && (!unit || end[1])) || number > (guint64)G_MAXINT64 >> shift) {
        return fail(error,
                    "attachments=%s: expected how much disk fetched attachments may fill, such as "
                    "500M or 2G, "
                    "or none to leave them out",
                    value);
    }
    options->attachment_limit_bytes = (gint64)(number << shift);
    return TRUE;
}

/* Every path is made absolute while the working directory is still the user's. */
static gboolean
set_path(char **at, const char *name, const char *value, GError **error)
{
    if (!*value) {
        return fail(error, "%s=: expected a path", name);
    }
    g_free(*at);
    *at = g_str_has_prefix(value, "~/") ? g_build_filename(g_get_home_dir(), value + 2, NULL)
                                        : g_canonicalize_filename(value, NULL);
    return TRUE;
}

static gboolean
set_cache_dir(Options *options, const char *value, GError **error)
{
    return set_path(&options->cache_dir, "cache_dir", value, error);
}

static gboolean
set_token_file(Options *options, const char *value, GError **error)
{
    g_clear_pointer(&options->token_command, g_free);
    return set_path(&options->token_file, "token_file", value, error);
}

static gboolean
set_token_command(Options *options, const char *value, GError **error)
{
    if (!*value) {
        return fail(error, "token_command=: expected a command that prints the token");
    }
    g_clear_pointer(&options->token_file, g_free);
    g_free(options->token_command);
    options->token_command = g_strdup(value);
    return TRUE;
}

static gboolean
refuse_token(Options *options, const char *value, GError **error)
{
    (void)options;
    (void)value;
    return fail(error,
                "token=: every user of this machine can read the command line: use token_file=FILE "
                "(private), TRACKERFS_TOKEN in the environment, or token_command=");
}

static gboolean
set_uid(Options *options, const char *value, GError **error)
{
    guint64 number = 0;
    const struct passwd *entry = getpwnam(value);
    if (!entry && !g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        return fail(error, "uid=%s: expected a user's name or number", value);
    }
    options->uid = entry ? entry->pw_uid : (uid_t)number;
    return TRUE;
}

static gboolean
set_gid(Options *options, const char *value, GError **error)
{
    guint64 number = 0;
    const struct group *entry = getgrnam(value);
    if (!entry && !g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        return fail(error, "gid=%s: expected a group's name or number", value);
    }
    options->gid = entry ? entry->gr_gid : (gid_t)number;
    return TRUE;
}

static gboolean
set_umask(Options *options, const char *value, GError **error)
{
    guint64 mask = 0;
    if (!g_ascii_string_to_unsigned(value, 8, 0, 0777, &mask, NULL)) {
        return fail(error, "umask=%s: expected an octal number such as 022 or 077", value);
    }
    options->umask = (mode_t)mask;
    return TRUE;
}

/* Several modules: debug=net:store, since a comma ends an option. */
static gboolean
set_debug(Options *options, const char *value, GError **error)
{
    g_autofree char *list = g_strdelimit(g_strdup(value), ":", ',');
    g_autofree char *unknown = NULL;
    guint modules = 0;
    if (!log_parse_modules(list, &modules, &unknown)) {
        return fail(error, "debug=%s: \"%s\" is none of fs, cache, sync, store, net, tracker, all",
                    value, unknown);
    }
    options->debug_modules |= modules;
    return TRUE;
}

static gboolean
set_save_wait(Options *options, const char *value, GError **error)
{
    return parse_seconds("save_wait", value, 0, 3600, &options->save_wait_ms, error);
}

static gboolean
set_delete(Options *options, const char *value, GError **error)
{
    (void)value;
    (void)error;
    options->may_delete = TRUE;
    return TRUE;
}

static gboolean
set_ro(Options *options, const char *value, GError **error)
{
    (void)value;
    (void)error;
    options->read_only = TRUE;
    return TRUE;
}

static gboolean
set_rw(Options *options, const char *value, GError **error)
{
    (void)value;
    (void)error;
    options->read_only = FALSE;
    return TRUE;
}

static gboolean
set_allow_other(Options *options, const char *value, GError **error)
{
    (void)value;
    (void)error;
    options->allow_other = TRUE;
    return TRUE;
}

/* They are always in force; fstab may still say so. */
static gboolean
set_default_permissions(Options *options, const char *value, GError **error)
{
    (void)options;
    (void)value;
    (void)error;
    return TRUE;
}

static gboolean
set_nonempty(Options *options, const char *value, GError **error)
{
    (void)value;
    (void)error;
    options->nonempty = TRUE;
    return TRUE;
}

static const Word words[] = {
    {"project", WORD_OURS_VALUE, add_projects},
    {"poll", WORD_OURS_VALUE, set_poll},
    {"ttl", WORD_OURS_VALUE, set_ttl},
    {"timeout", WORD_OURS_VALUE, set_timeout},
    {"names", WORD_OURS_VALUE, set_names},
    {"attachments", WORD_OURS_VALUE, set_attachments},
    {"cache_dir", WORD_OURS_VALUE, set_cache_dir},
    {"token_file", WORD_OURS_VALUE, set_token_file},
    {"token_command", WORD_OURS_VALUE, set_token_command},
    {"token", WORD_OURS_VALUE, refuse_token},
    {"uid", WORD_OURS_VALUE, set_uid},
    {"gid", WORD_OURS_VALUE, set_gid},
    {"umask", WORD_OURS_VALUE, set_umask},
    {"debug", WORD_OURS_VALUE, set_debug},
    {"ro", WORD_OURS_FLAG, set_ro},
    {"delete", WORD_OURS_FLAG, set_delete},
    {"save_wait", WORD_OURS_VALUE, set_save_wait},
    {"rw", WORD_OURS_FLAG, set_rw},
    {"allow_other", WORD_OURS_FLAG, set_allow_other},
    {"default_permissions", WORD_OURS_FLAG, set_default_permissions},
    {"nonempty", WORD_OURS_FLAG, set_nonempty},
    {"auto_unmount", WORD_KERNEL, NULL},
    {"dev", WORD_KERNEL, NULL},
    {"nodev", WORD_KERNEL, NULL},
    {"suid", WORD_KERNEL, NULL},
    {"nosuid", WORD_KERNEL, NULL},
    {"exec", WORD_KERNEL, NULL},
    {"noexec", WORD_KERNEL, NULL},
    {"atime", WORD_KERNEL, NULL},
    {"noatime", WORD_KERNEL, NULL},
    {"nodiratime", WORD_IGNORED, NULL},
    {"diratime", WORD_IGNORED, NULL},
    {"relatime", WORD_IGNORED, NULL},
    {"norelatime", WORD_IGNORED, NULL},
    {"strictatime", WORD_IGNORED, NULL},
    {"nostrictatime", WORD_IGNORED, NULL},
    {"lazytime", WORD_IGNORED, NULL},
    {"nolazytime", WORD_IGNORED, NULL},
    {"async", WORD_IGNORED, NULL},
    {"sync", WORD_IGNORED, NULL},
    {"dirsync", WORD_IGNORED, NULL},
    {"defaults", WORD_IGNORED, NULL},
    {"auto", WORD_IGNORED, NULL},
    {"noauto", WORD_IGNORED, NULL},
    {"user", WORD_IGNORED, NULL},
    {"nouser", WORD_IGNORED, NULL},
    {"users", WORD_IGNORED, NULL},
    {"owner", WORD_IGNORED, NULL},
    {"group", WORD_IGNORED, NULL},
    {"nofail", WORD_IGNORED, NULL},
    {"_netdev", WORD_IGNORED, NULL},
    {"comment", WORD_IGNORED, NULL},
};

/* Edit distance; words here are short. */
static guint
distance(const char *a, const char *b)
{
    guint row[33];
    gsize n = strlen(b);
    if (n > 32 || strlen(a) > 32) {
        return G_MAXUINT;
    }
    for (guint j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (guint i = 1; a[i - 1]; i++) {
        guint diagonal = row[0];
        row[0] = i;
        for (guint j = 1; j <= n; j++) {
            guint replaced = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
            diagonal = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

const char *
options_nearest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    guint best_distance = 3;
    for (const char *const *at = candidates; *at; at++) {
        guint d = distance(word, *at);
        if (d < best_distance && d < strlen(*at)) {
            best = *at;
            best_distance = d;
        }
    }
    return best;
}

static gboolean
refuse_word(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(words) + 1] = {NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        names[i] = words[i].name;
    }
    const char *nearest = options_nearest(name, names);
    return nearest ? fail(error, "unknown option \"%s\": did you mean \"%s\"?", name, nearest)
                   : fail(error, "unknown option \"%s\" (see `trackerfs help mount`)", name);
}

static const Word *
find_word(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_equal(words[i].name, name)) {
            return &words[i];
        }
    }
    return NULL;
}

static gboolean
hand_to_kernel(Options *options, const char *name)
{
    char *joined =
        g_strconcat(options->kernel_options, *options->kernel_options ? "," : "", name, NULL);
    g_free(options->kernel_options);
    options->kernel_options = joined;
    return TRUE;
}

static gboolean
apply_word(Options *options, const char *text, gboolean sloppy, GError **error)
{
    if (g_str_has_prefix(text, "x-") || g_str_has_prefix(text, "X-")) {
        return TRUE;
    }
    const char *equals = strchr(text, '=');
    g_autofree char *name = equals ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text);
    const Word *word = find_word(name);
    if (!word) {
        return sloppy || refuse_word(name, error);
    }
    switch (word->kind) {
    case WORD_OURS_VALUE:
        return equals ? word->set(options, equals + 1, error)
                      : fail(error, "%s needs a value: %s=...", name, name);
    case WORD_OURS_FLAG:
        return equals ? fail(error, "%s takes no value", name) : word->set(options, NULL, error);
    case WORD_KERNEL:
        return equals ? fail(error, "%s takes no value", name) : hand_to_kernel(options, name);
    case WORD_IGNORED:
        return TRUE;
    }
    return FALSE;
}

/* Splits at commas; "\," is a comma in a value and "\\" a backslash, as in fuse(8). */
static GPtrArray *
split_words(const char *text)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    GString *word = g_string_new(NULL);
    for (const char *at = text;; at++) {
        if (*at == '\\' && (at[1] == ',' || at[1] == '\\')) {
            g_string_append_c(word, *++at);
        } else if (*at && *at != ',') {
            g_string_append_c(word, *at);
        } else {
            if (word->len > 0) {
                g_ptr_array_add(list, g_strdup(word->str));
            }
            g_string_truncate(word, 0);
        }
        if (!*at) {
            break;
        }
    }
    (void)g_string_free(word, TRUE);
    return list;
}

/* A bare number after project=ID is one more project: "project=101,102". */
static gboolean
apply_text(Options *options, const char *text, gboolean sloppy, GError **error)
{
    g_autoptr(GPtrArray) list = split_words(text);
    gboolean after_project = FALSE;
    for (guint i = 0; i < list->len; i++) {
        const char *word = g_ptr_array_index(list, i);
        if (after_project && strspn(word, "0123456789") == strlen(word)) {
            if (!add_projects(options, word, error)) {
                return FALSE;
            }
            continue;
        }
        after_project = g_str_has_prefix(word, "project=");
        if (!apply_word(options, word, sloppy, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The selection on the command line replaces the one in the configuration, as every other option
 * does. */
static gboolean
apply_all(Options *options, const ConfigSection *section, const CommandLine *line,
          const Config *config, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (section && section->options && !apply_text(options, section->options, FALSE, &cause)) {
        return fail(error, "%s: [%s] options=: %s", config_path(config), section->name,
                    cause->message);
    }
    g_autofree gint64 *configured = g_steal_pointer(&options->project_ids);
    guint n_configured = options->n_project_ids;
    options->n_project_ids = 0;
    for (guint i = 0; i < line->option_texts->len; i++) {
        if (!apply_text(options, g_ptr_array_index(line->option_texts, i), line->sloppy, error)) {
            return FALSE;
        }
    }
    if (options->n_project_ids == 0) {
        options->project_ids = g_steal_pointer(&configured);
        options->n_project_ids = n_configured;
    }
    return TRUE;
}

/* The flags of mount(8)'s helpers; those of one letter differ from ours, so they are kept apart. */
static gboolean
take_helper_flag(CommandLine *line, const char *flags, gboolean *ret_takes_value, GError **error)
{
    for (const char *flag = flags + 1; *flag; flag++) {
        switch (*flag) {
        case 's':
            line->sloppy = TRUE;
            break;
        case 'f':
            line->fake = TRUE;
            break;
        case 'n':
        case 'v':
            break;
        case 't':
        case 'N':
            *ret_takes_value = TRUE;
            return flag[1] ? fail(error, "unknown flag %s", flags) : TRUE;
        default:
            return fail(error, "unknown flag %s", flags);
        }
    }
    return TRUE;
}

static gboolean
take_flag(CommandLine *line, const char *flag, GError **error)
{
    if (g_str_equal(flag, "-f") || g_str_equal(flag, "--foreground")) {
        line->foreground = TRUE;
        return TRUE;
    }
    if (g_str_equal(flag, "-d") || g_str_equal(flag, "--debug")) {
        line->foreground = line->debug_fuse = TRUE;
        return TRUE;
    }
    return fail(error, "unknown flag %s (options come after -o; see `trackerfs help mount`)", flag);
}

static gboolean
take_position(CommandLine *line, char *word, GError **error)
{
    if (!line->source) {
        line->source = word;
    } else if (!line->mount_point) {
        line->mount_point = word;
    } else {
        return fail(error, "one word too many: \"%s\" (SOURCE is \"%s\", MOUNTPOINT is \"%s\")",
                    word, line->source, line->mount_point);
    }
    return TRUE;
}

static gboolean
take_command_line(int argc, char **argv, CommandLine *line, GError **error)
{
    g_autofree char *program = g_path_get_basename(argv[0]);
    gboolean is_helper = g_str_has_prefix(program, "mount.");
    gboolean only_words = FALSE;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        gboolean takes_value = FALSE;
        if (only_words || word[0] != '-' || !word[1]) {
            if (!take_position(line, word, error)) {
                return FALSE;
            }
        } else if (g_str_equal(word, "--")) {
            only_words = TRUE;
        } else if (g_str_has_prefix(word, "-o")) {
            if (!word[2] && ++i == argc) {
                return fail(error, "-o needs options after it");
            }
            g_ptr_array_add(line->option_texts, word[2] ? word + 2 : argv[i]);
        } else if (!(is_helper ? take_helper_flag(line, word, &takes_value, error)
                               : take_flag(line, word, error))) {
            return FALSE;
        }
        i += takes_value ? 1 : 0;
    }
    if (!line->source) {
        return fail(error,
                    "nothing to mount: trackerfs SOURCE MOUNTPOINT (try: trackerfs demo FOLDER)");
    }
    if (!*line->source || (line->mount_point && !*line->mount_point)) {
        return fail(error, "SOURCE and MOUNTPOINT must not be empty");
    }
    return line->mount_point || fail(error, "where to mount \"%s\"? trackerfs %s MOUNTPOINT",
                                     line->source, line->source);
}

Options *
options_parse(int argc, char **argv, const Config *config, GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    CommandLine line = {.option_texts = texts};
    if (!take_command_line(argc, argv, &line, error)) {
        return NULL;
    }
    g_autoptr(Options) options = g_new0(Options, 1);
    options->foreground = line.foreground;
    options->debug_fuse = line.debug_fuse;
    options->fake = line.fake;
    options->ttl_ms = 60 * 1000;
    options->poll_ms = -1;
    options->timeout_ms = 30 * 1000;
    options->save_wait_ms = 5 * 1000;
    options->attachment_limit_bytes = (gint64)1 << 30;
    options->uid = getuid();
    options->gid = getgid();
    options->umask = 022;
    options->kernel_options = g_strdup("");
    options->mount_point = g_canonicalize_filename(line.mount_point, NULL);

    const ConfigSection *section = NULL;
    options->location = location_find(line.source, config, &section, error);
    if (!options->location) {
        return NULL;
    }
    if (section && section->token_file && section->token_command) {
        (void)fail(error, "%s: [%s] has both token_file= and token_command=", config_path(config),
                   section->name);
        return NULL;
    }
    if (section &&
        ((section->token_file && !set_token_file(options, section->token_file, error)) ||
         (section->token_command && !set_token_command(options, section->token_command, error)))) {
        return NULL;
    }
    if (!apply_all(options, section, &line, config, error)) {
        return NULL;
    }
    if (options->poll_ms < 0) {
        options->poll_ms = MIN(POLL_DEFAULT_MS, options->ttl_ms);
    }
    return g_steal_pointer(&options);
}

gboolean
options_want_help(int argc, char **argv)
{
    for (int i = 1; i < argc && !g_str_equal(argv[i], "--"); i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            return TRUE;
        }
        i += g_str_equal(argv[i], "-o") ? 1 : 0;
    }
    return FALSE;
}

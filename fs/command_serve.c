/* `trackerfs serve`: a V5 service over a tracker database, and who may use it.
 *
 * Serving: signals are blocked before the first thread starts, so that only the main thread takes
 * them, in sigwaitinfo(); everything else happens in tracker/http.c. The --add-... options change
 * the database and end; they may be used while another process serves it. */
#include "cache/base/clock.h"
#include "fs/commands.h"
#include "tracker/http.h"
#include "tracker/users.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A dozen pages of 500 stories with everything nested. */
#define KEPT_PAGES_BYTES (32 * 1024 * 1024)
#define USAGE_ERROR(...) command_fail(STATUS_USAGE, "see trackerfs serve --help", __VA_ARGS__)

static const char usage[] =
    "Usage: trackerfs serve FILE.db [OPTIONS]\n"
    "Serves a tracker database as a V5 service, until SIGTERM or Ctrl-C.\n"
    "\n"
    "  --listen HOST:PORT      default 127.0.0.1:8080; port 0 takes a free one\n"
    "  --allow-remote          let HOST be reachable from other machines; there is no\n"
    "                          TLS: better put a reverse proxy in front\n"
    "  --access-log FILE|-     one line per request, without tokens\n"
    "  --port-file FILE        write the port there once listening\n"
    "\n"
    "Every request needs a token. These change the database and end:\n"
    "  --add-user NAME[:EMAIL]         a new user; prints a token, the only time\n"
    "  --add-token USER                one more token for a user; prints it\n"
    "  --add-member USER:PROJECT:ROLE  ROLE is owner, member or viewer;\n"
    "                                  USER and PROJECT are ids or names\n"
    "\n"
    "  --faults[=SPEC]         for testing clients: go wrong on purpose, such as\n"
    "                          latency=200,err5xx=10,cut=100@/services/v5/projects*3\n"
    "                          Also POST /__faults; GET /__stats counts requests.\n"
    "                          Webhooks may then be http: addresses of this machine.\n"
    "\n"
    "Try:  trackerfs import --sample t.db && trackerfs serve t.db --add-user Ada\n";

typedef struct {
    const char *file, *listen, *access_log, *port_file, *faults;
    const char *add_user, *add_token, *add_member;
    gboolean allow_remote, help;
} ServeOptions;

static int
parse_options(int argc, char **argv, ServeOptions *options)
{
    static const struct option names[] = {
        {"listen", required_argument, NULL, 'l'},
        {"access-log", required_argument, NULL, 'a'},
        {"port-file", required_argument, NULL, 'p'},
        {"add-user", required_argument, NULL, 'u'},
        {"add-token", required_argument, NULL, 't'},
        {"add-member", required_argument, NULL, 'm'},
        {"faults", optional_argument, NULL, 'f'},
        {"allow-remote", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    optind = 0; /* begin anew: GNU */
    for (int c = 0; (c = getopt_long(argc, argv, ":h", names, NULL)) != -1;) {
        const char *const last = argv[optind - 1];
        switch (c) {
        case 'l':
            options->listen = optarg;
            break;
        case 'a':
            options->access_log = optarg;
            break;
        case 'p':
            options->port_file = optarg;
            break;
        case 'u':
            options->add_user = optarg;
            break;
        case 't':
            options->add_token = optarg;
            break;
        case 'm':
            options->add_member = optarg;
            break;
        case 'f':
            options->faults = optarg ? optarg : "";
            break;
        case 'r':
            options->allow_remote = TRUE;
            break;
        case 'h':
            options->help = TRUE;
            break;
        case ':':
            return USAGE_ERROR("the option %s needs a value", last);
        default:
            return USAGE_ERROR("serve has no option %s", last);
        }
    }
    if (options->help) {
        return STATUS_OK;
    }
    if (optind == argc) {
        return USAGE_ERROR("%s", "which database? Give the name of its file");
    }
    if (optind + 1 < argc) {
        return USAGE_ERROR("one database at a time: what is %s?", argv[optind + 1]);
    }
    options->file = argv[optind];
    return STATUS_OK;
}

static int
check_file(const char *file)
{
    if (g_file_test(file, G_FILE_TEST_EXISTS)) {
        return STATUS_OK;
    }
    g_autofree char *hint = g_strdup_printf(
        "make one: trackerfs import --sample %s, or trackerfs import ARCHIVE... %s", file, file);
    return command_fail(STATUS_SOURCE, hint, "%s: there is no such database", file);
}

/* ---- users and tokens ---- */

static int
report(const GError *error)
{
    gboolean input = g_error_matches(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    return command_fail(input ? STATUS_USAGE : STATUS_SOURCE, NULL, "%s", error->message);
}

static int
print_token(Db *db, const char *user)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *token = users_add_token(db, user, clock_wall_ms(), &error);
    if (!token) {
        return report(error);
    }
    (void)fprintf(stderr, "This token is shown only now; keep it in a private file:\n");
    return printf("%s\n", token) < 0 || fflush(stdout) != 0
               ? command_fail(STATUS_USAGE, NULL, "cannot print the token: %s", g_strerror(errno))
               : STATUS_OK;
}

static int
add_user(Db *db, const char *text)
{
    g_autoptr(GError) error = NULL;
    const char *colon = strrchr(text, ':');
    g_autofree char *name = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    gint64 id = users_add_person(db, name, colon ? colon + 1 : NULL, clock_wall_ms(), &error);
    if (id == 0) {
        return report(error);
    }
    char id_text[32];
    (void)g_snprintf(id_text, sizeof(id_text), "%" G_GINT64_FORMAT, id);
    (void)fprintf(stderr, "%s is user %s, of no project yet: see --add-member.\n", name, id_text);
    return print_token(db, id_text);
}

static int
add_member(Db *db, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *user = g_strdup(text);
    char *role = strrchr(user, ':');
    if (role) {
        *role++ = '\0';
    }
    char *project = role ? strrchr(user, ':') : NULL;
    if (!project) {
        return USAGE_ERROR("“%s” is not USER:PROJECT:ROLE", text);
    }
    *project++ = '\0';
    return users_add_member(db, user, project, role, clock_wall_ms(), &error) ? STATUS_OK
                                                                              : report(error);
}

static int
change_users(const ServeOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = db_open(options->file, 0, &error);
    if (!db) {
        return report(error);
    }
    int status = options->add_user ? add_user(db, options->add_user) : STATUS_OK;
    if (status == STATUS_OK && options->add_member) {
        status = add_member(db, options->add_member);
    }
    if (status == STATUS_OK && options->add_token) {
        status = print_token(db, options->add_token);
    }
    return status;
}

/* ---- serving ---- */

static int
open_access_log(const char *name, FILE **ret_log)
{
    *ret_log = NULL;
    if (!name) {
        return STATUS_OK;
    }
    if (g_str_equal(name, "-")) {
        *ret_log = stdout;
        return STATUS_OK;
    }
    *ret_log = fopen(name, "ae");
    return *ret_log
               ? STATUS_OK
               : command_fail(STATUS_USAGE, NULL, "cannot write %s: %s", name, g_strerror(errno));
}

static void
serve_until_signal(TrackerHttp *http)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)printf("listening on %s/services/v5\n", tracker_http_url(http));
    (void)fflush(stdout);
    while (sigwaitinfo(&signals, NULL) < 0 && errno == EINTR) {
    }
}

static void
block_signals(void)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGPIPE); /* a reader of the log or a client that went away */
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static int
run_server(Tracker *tracker, const ServeOptions *options, const TrackerHttpConfig *config)
{
    g_autoptr(GError) error = NULL;
    TrackerHttp *http = tracker_http_start(tracker, config, &error);
    if (!http) {
        return report(error);
    }
    int status = STATUS_OK;
    g_autofree char *port = g_strdup_printf("%u\n", tracker_http_port(http));
    if (options->port_file && !g_file_set_contents(options->port_file, port, -1, &error)) {
        status = command_fail(STATUS_USAGE, NULL, "%s", error->message);
    } else {
        serve_until_signal(http);
    }
    tracker_http_stop(http);
    if (options->port_file) {
        (void)g_unlink(options->port_file);
    }
    return status;
}

/* A test moves the service's time with everything else (cache/base/clock.h). */
static gint64
wall_clock(gpointer user)
{
    (void)user;
    return clock_wall_ms();
}

static int
serve(const ServeOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Faults) faults = options->faults ? faults_new() : NULL;
    if (faults && !faults_set(faults, options->faults, &error)) {
        return command_fail(STATUS_USAGE,
                            "switches: latency rate429 err5xx hang reset lost html redirect revoke "
                            "badjson wrongtype cut stall slow hostile long edit move delete vjump "
                            "seed status retry_after",
                            "%s", error->message);
    }
    block_signals();
    g_autoptr(Tracker) tracker = tracker_open(options->file, 0, &error);
    if (!tracker) {
        return report(error);
    }
    tracker_set_clock(tracker, wall_clock, NULL);
    tracker_keep_pages(tracker, KEPT_PAGES_BYTES);
    if (!tracker_deliver_webhooks(tracker, faults != NULL, &error)) {
        return report(error);
    }
    TrackerHttpConfig config = {
        .listen = options->listen, .allow_remote = options->allow_remote, .faults = faults};
    int status = open_access_log(options->access_log, &config.access_log);
    if (status != STATUS_OK) {
        return status;
    }
    status = run_server(tracker, options, &config);
    if (config.access_log && config.access_log != stdout) {
        (void)fclose(config.access_log);
    }
    return status;
}

int
command_serve(int argc, char **argv)
{
    ServeOptions options = {0};
    int status = parse_options(argc, argv, &options);
    if (options.help) {
        return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = check_file(options.file);
    }
    if (status != STATUS_OK) {
        return status;
    }
    gboolean changes = options.add_user || options.add_token || options.add_member;
    return changes ? change_users(&options) : serve(&options);
}

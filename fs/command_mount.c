/* `trackerfs SOURCE MOUNTPOINT`: from the command line to a running mount, and its end.
 *
 * Start: command line, token and mount point are checked in the first process, where questions can
 * still be answered. Then the fork; only after it SQLite, curl and threads, none of which survives
 * one. Then the source is opened and must answer (or the store must know it), and only then is
 * anything mounted.
 *
 * Stop order: the loop ends (unmounted, or a signal) -> parked operations answered -> unmounted ->
 * session and tree freed -> cache closed (transport, clerk, store). */
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"
#include "cache/base/log.h"
#include "cache/cache.h"
#include "fs/commands.h"
#include "fs/instance.h"
#include "fs/mountpoint.h"
#include "fs/ops.h"
#include "fs/options.h"
#include "fs/source.h"
#include "fs/starter.h"
#include "fs/token.h"

#define WORKERS 4
#define PREFILL_PROJECTS_MAX 8 /* a larger account is read as its folders are opened */
#define PROGRESS_EVERY_MS 200

static const char usage[] =
    "Mount a tracker.\n"
    "\n"
    "  trackerfs SOURCE MOUNTPOINT [-o OPTIONS] [-f] [-d]\n"
    "\n"
    "  -f   stay in the foreground        -d   also show every FUSE request\n"
    "  -o   project=ID[,ID]  only these projects     ttl=SECONDS    freshness (60)\n"
    "       timeout=SECONDS  no wait is longer (30)  poll=SECONDS   look for changes (15)\n"
    "       names=full|id    123-title or 123\n"
    "       attachments=SIZE|none  disk for fetched attachments (1G)\n"
    "       token_file=FILE, token_command=COMMAND   where the token comes from\n"
    "       ro               nothing is written       delete  rm removes at the service\n"
    "       save_wait=SECONDS  how long close(2) waits for the verdict of a save (5)\n"
    "       cache_dir=DIR    uid=, gid=, umask=      owner and permissions shown\n"
    "       allow_other      others may look in      nonempty  hide what is there\n"
    "       debug=net:sync:store:cache:fs:tracker|all  and what mount(8) knows\n"
    "\n"
    "Exit status: 0 mounted, 1 usage, configuration or token, 2 the service or the\n"
    "database said no, 3 the mount point or FUSE. In the background, messages go to\n"
    "the file `log` in the cache folder. `man trackerfs` has more.\n";

typedef struct Running {
    const Options *options;
    const char *mount_point;
    Starter *starter;
    Cache *cache;
    Fs *fs;
    struct fuse_session *session;
    pthread_mutex_t lock;
    pthread_cond_t ending;
    gboolean ends; /* protected by lock */
    int log_fd;    /* where messages go once the starter is told the last; -1: nowhere else */
} Running;

/* Blocked while threads are made, so that only the main thread takes these signals: it is the one
 * that sleeps in the session loop, and only a signal that arrives there wakes it. Until the session
 * has handlers they end the process, which harms nothing: nothing is mounted. */
static void
mask_signals(int how, gboolean endings, gboolean hangups)
{
    sigset_t set;
    (void)sigemptyset(&set);
    if (endings) {
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGTERM);
    }
    if (hangups) {
        (void)sigaddset(&set, SIGHUP);
    }
    (void)pthread_sigmask(how, &set, NULL);
}

static void
block_signals(gboolean block)
{
    mask_signals(block ? SIG_BLOCK : SIG_UNBLOCK, TRUE, TRUE);
}

/* --- The first fill, for whoever watches --- */

/* Sums up what is being filled; FALSE when nothing is. */
static gboolean
read_progress(Cache *cache, char **ret_what, guint *ret_done, guint *ret_total)
{
    CacheStatus status;
    gboolean runs = FALSE;
    cache_get_status(cache, &status);
    for (guint i = 0; i < status.n_projects; i++) {
        const CacheProjectStatus *project = &status.projects[i];
        if (project->state == FILL_RUNNING && !runs) {
            *ret_what = g_strdup(project->name);
            runs = TRUE;
        }
        *ret_done += project->stories_done;
        *ret_total += project->stories_total;
    }
    cache_status_clear(&status);
    return runs;
}

static gpointer
show_progress(gpointer user)
{
    Running *running = user;
    gboolean goes_on = TRUE;
    while (goes_on) {
        g_autofree char *what = NULL;
        guint done = 0;
        guint total = 0;
        goes_on = read_progress(running->cache, &what, &done, &total);
        if (goes_on) {
            starter_progress(running->starter, what, done, total);
            LOCK_SCOPE(&running->lock);
            if (!running->ends) {
                (void)cond_wait_ms(&running->ending, &running->lock, PROGRESS_EVERY_MS);
            }
            goes_on = !running->ends;
        }
    }
    starter_finish(running->starter, running->log_fd);
    return NULL;
}

/* --- SIGHUP: look for changes now --- */

/* SIGHUP is blocked in every thread and taken here, so that what it starts is no signal handler's
 * work. */
static void *
take_hangups(void *user)
{
    Running *running = user;
    sigset_t set;
    int number;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    while (sigwait(&set, &number) == 0) {
        {
            LOCK_SCOPE(&running->lock);
            if (running->ends) {
                return NULL;
            }
        }
        cache_refresh(running->cache);
    }
    return NULL;
}

/* --- The session --- */

/* A comma in a source's name must not start another option. */
static char *
fuse_options(const Options *options)
{
    g_autoptr(GString) text = g_string_new(options->read_only ? "ro" : "rw");
    g_string_append(text, ",default_permissions,subtype=trackerfs,fsname=");
    for (const char *at = options->location->label; *at; at++) {
        if (*at == ',' || *at == '\\') {
            g_string_append_c(text, '\\');
        }
        g_string_append_c(text, *at);
    }
    g_string_append(text, options->allow_other ? ",allow_other" : "");
    if (*options->kernel_options) {
        g_string_append_printf(text, ",%s", options->kernel_options);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static struct fuse_session *
make_session(const Options *options, Fs *fs)
{
    g_autofree char *text = fuse_options(options);
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct fuse_session *session = NULL;
    if (fuse_opt_add_arg(&args, "trackerfs") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
        fuse_opt_add_arg(&args, text) == 0 &&
        (!options->debug_fuse || fuse_opt_add_arg(&args, "-d") == 0)) {
        session = fuse_session_new(&args, ops_table(), sizeof *ops_table(), fs);
    }
    fuse_opt_free_args(&args);
    return session;
}

static void
serve(Running *running)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    pthread_t progress;
    gboolean shows = FALSE;
    CacheStatus status;
    cache_get_status(running->cache, &status);
    if (status.n_projects <= PREFILL_PROJECTS_MAX) {
        cache_prefill(running->cache);
    }
    cache_status_clear(&status);
    running->log_fd =
        running->options->foreground ? -1 : instance_open_log(cache_directory(running->cache));
    if (running->log_fd >= 0) {
        log_set_max_bytes(INSTANCE_LOG_BYTES);
    }
    starter_ready(running->starter);
    if (starter_wants_progress(running->starter)) {
        block_signals(TRUE);
        shows = pthread_create(&progress, NULL, show_progress, running) == 0;
        mask_signals(SIG_UNBLOCK, TRUE, FALSE); /* hang-ups stay with their thread */
    }
    fuse_loop_cfg_set_max_threads(config, WORKERS);
    if (!shows) {
        starter_finish(running->starter, running->log_fd);
    }
    if (!shows) { /* else it would stand in the middle of the bar */
        log_info("%s is mounted at %s", running->options->location->label, running->mount_point);
    }
    int result = fuse_session_loop_mt(running->session, config);
    log_info("%s: %s", running->mount_point, result < 0 ? g_strerror(-result) : "the mount ends");
    if (shows) {
        {
            LOCK_SCOPE(&running->lock);
            running->ends = TRUE;
            (void)pthread_cond_signal(&running->ending);
        }
        (void)pthread_join(progress, NULL);
    }
    if (running->log_fd >= 0) {
        (void)close(running->log_fd);
    }
    fuse_loop_cfg_destroy(config);
}

static gboolean
start_fs(Fs *fs, struct fuse_session *session, GError **error)
{
    block_signals(TRUE);
    gboolean started = fs_start(fs, session, error);
    block_signals(FALSE);
    return started;
}

static int
mount_and_serve(Running *running)
{
    g_autoptr(GError) error = NULL;
    const Options *options = running->options;
    running->session = make_session(options, running->fs);
    if (!running->session) {
        return starter_fail(running->starter, STATUS_MOUNT,
                            "FUSE does not accept the mount options");
    }
    int status = STATUS_OK;
    if (fuse_set_signal_handlers(running->session) != 0 ||
        fuse_session_mount(running->session, running->mount_point) != 0) {
        g_autofree char *message = g_strdup_printf(
            "cannot mount at %s%s", running->mount_point,
            geteuid() == 0 ? "" : " (fusermount3 of the package fuse3 does it for a user)");
        status = starter_fail(running->starter, STATUS_MOUNT, message);
    } else if (!start_fs(running->fs, running->session, &error)) {
        status = starter_fail(running->starter, STATUS_MOUNT, error->message);
        fuse_session_unmount(running->session);
    } else {
        pthread_t hangups;
        /* A closed terminal does not end a mount; libfuse's handler of SIGHUP would. */
        mask_signals(SIG_BLOCK, FALSE, TRUE);
        (void)signal(SIGHUP, SIG_DFL);
        const gboolean takes = pthread_create(&hangups, NULL, take_hangups, running) == 0;
        serve(running);
        if (takes) {
            {
                LOCK_SCOPE(&running->lock);
                running->ends = TRUE;
            }
            (void)pthread_kill(hangups, SIGHUP);
            (void)pthread_join(hangups, NULL);
        }
        fs_stop(running->fs);
        fuse_session_unmount(running->session);
    }
    fuse_remove_signal_handlers(running->session);
    fuse_session_destroy(running->session);
    return status;
}

/* --- From the options to the cache --- */

/* The server's words need the user's: what to do about it. */
static char *
explain_refusal(const Options *options, const GError *error)
{
    const char *label = options->location->label;
    if (g_error_matches(error, ERR, ERR_AUTH)) {
        return g_strdup_printf("%s refuses the token: %s", label, error->message);
    }
    return g_strdup_printf("%s: %s", label, error->message);
}

/* A full disk is this machine's trouble, wherever it was noticed. */
static CommandStatus
status_of(const GError *error, CommandStatus otherwise)
{
    gboolean local =
        g_error_matches(error, ERR, ERR_LOCAL) || g_error_matches(error, ERR, ERR_NO_SPACE);
    return local ? STATUS_USAGE : otherwise;
}

/* No core file and no debugger of the same user gets to see the token. */
static void
protect_memory(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) &&                                                              \
    !defined(__SANITIZE_THREAD__) /* the leak check is a debugger */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* What one thread frees another can use, and what was large goes back to the system: with an arena
 * for each thread and the threshold that glibc raises by itself, a third of a walked mount was
 * holes. */
static void
keep_memory_dense(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

/* Each file that an editor makes up is a descriptor here. */
static void
raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

G_GNUC_PRINTF(2, 0)
static void
on_fuse_log(enum fuse_log_level level, const char *format, va_list args)
{
    g_autofree char *text = g_strchomp(g_strdup_vprintf(format, args));
    log_line(level <= FUSE_LOG_ERR       ? LOG_LEVEL_ERROR
             : level <= FUSE_LOG_WARNING ? LOG_LEVEL_WARNING
                                         : LOG_LEVEL_INFO,
             "%s", text);
}

/* `ret_trash`: the caller's. */
static Cache *
open_cache(const Options *options, Starter *starter, const char *token, char **ret_trash,
           int *ret_status)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *identity = NULL;
    g_autofree char *state = NULL;
    gboolean offline = FALSE;
    g_autoptr(Transport) transport = source_open(options->location, token, options->timeout_ms,
                                                 !options->read_only, &identity, &error);
    if (!transport) {
        *ret_status = starter_fail(starter, status_of(error, STATUS_SOURCE), error->message);
        return NULL;
    }
    g_autofree char *folder =
        instance_cache_directory(options->cache_dir, options->location->label, identity, &error);
    if (folder && !options->read_only) {
        state = instance_state_directory(options->location->label, identity, &error);
    }
    if (error) {
        *ret_status = starter_fail(starter, STATUS_USAGE, error->message);
        return NULL;
    }
    *ret_trash = instance_trash_directory(options->location->label, identity);
    const CacheConfig config = {
        .directory = folder,
        .state_directory = state,
        .source = options->location->label,
        .ttl_ms = options->ttl_ms,
        .poll_ms = options->poll_ms,
        .timeout_ms = options->timeout_ms,
        .attachment_limit_bytes = options->attachment_limit_bytes,
        .project_ids = options->project_ids,
        .n_project_ids = options->n_project_ids,
    };
    g_autoptr(Cache) cache = cache_open(&config, g_steal_pointer(&transport), &error);
    if (!cache) {
        *ret_status = starter_fail(starter, STATUS_USAGE, error->message);
        return NULL;
    }
    block_signals(FALSE);
    if (!cache_connect(cache, options->timeout_ms, &offline, &error)) {
        g_autofree char *message = explain_refusal(options, error);
        *ret_status = starter_fail(starter, status_of(error, STATUS_SOURCE), message);
        return NULL;
    }
    if (offline) {
        starter_note(starter, "%s cannot be reached: showing what was stored",
                     options->location->label);
    }
    return g_steal_pointer(&cache);
}

static void
tell_remaining(guint remaining, gpointer user)
{
    instance_tell_remaining(user, remaining);
}

/* What was saved and not sent yet goes out before the process does, if the server is there; what
 * remains is in the journal and goes out with the next mount. */
static void
send_the_rest(Cache *cache, const Options *options, const char *mount_point)
{
    const guint remaining =
        cache_drain(cache, options->timeout_ms, tell_remaining, (gpointer)(guintptr)mount_point);
    instance_tell_remaining(mount_point, remaining);
    if (remaining > 0) {
        log_warning("%s: the server has not accepted %u changes; they are kept for the next mount",
                    mount_point, remaining);
    }
}

static int
run_mount(const Options *options, const char *mount_point, Starter *starter, const char *token)
{
    int status = STATUS_OK;
    block_signals(TRUE);
    g_autofree char *trash = NULL;
    g_autoptr(Cache) cache = open_cache(options, starter, token, &trash, &status);
    if (!cache) {
        return status;
    }
    const FsConfig config = {
        .uid = options->uid,
        .gid = options->gid,
        .umask = options->umask,
        .id_names = options->id_names,
        .read_only = options->read_only,
        .may_delete = options->may_delete,
        .trash = trash,
        .save_wait_ms = options->save_wait_ms,
        .show_attachments = options->attachment_limit_bytes > 0,
        .timeout_ms = options->timeout_ms,
        .mount_point = mount_point,
        .source = options->location->label,
        .started_ms = clock_wall_ms(),
    };
    Running running = {
        .options = options,
        .mount_point = mount_point,
        .starter = starter,
        .cache = cache,
        .fs = fs_new(&config, cache),
    };
    (void)pthread_mutex_init(&running.lock, NULL);
    cond_init_monotonic(&running.ending);
    status = mount_and_serve(&running);
    fs_free(running.fs);
    if (status == STATUS_OK && !options->read_only) {
        send_the_rest(cache, options, mount_point);
    }
    (void)pthread_cond_destroy(&running.ending);
    (void)pthread_mutex_destroy(&running.lock);
    return status;
}

static int
mount_with_token(const Options *options, const char *token)
{
    g_autoptr(GError) error = NULL;
    gboolean healed = FALSE;
    int status = STATUS_OK;
    if (access("/dev/fuse", F_OK) != 0) {
        return command_fail(STATUS_MOUNT, NULL,
                            "/dev/fuse is missing: no FUSE here (modprobe fuse; in a container: "
                            "--device /dev/fuse --cap-add SYS_ADMIN)");
    }
    g_autofree char *mount_point =
        mountpoint_prepare(options->mount_point, options->nonempty, &healed, &error);
    if (!mount_point) {
        return command_fail(STATUS_MOUNT, NULL, "%s", error->message);
    }
    if (options->fake) {
        return STATUS_OK;
    }
    Starter *starter = starter_begin(options->foreground, &status);
    if (!starter) {
        return status;
    }
    if (token) {
        protect_memory();
    }
    raise_file_limit();
    keep_memory_dense();
    if (chdir("/") != 0) {
        log_debug(LOG_FS, "chdir /: %s", g_strerror(errno));
    }
    fuse_set_log_func(on_fuse_log);
    instance_announce(mount_point);
    if (healed) {
        starter_note(starter, "%s: a mount without a daemon was left here and is cleared away",
                     mount_point);
    }
    status = run_mount(options, mount_point, starter, token);
    starter_free(starter);
    return status;
}

/* A database needs none; the environment is cleared of it all the same. */
static gboolean
find_token(const Options *options, char **ret_token, GError **error)
{
    const TokenSources sources = {.file = options->token_file, .command = options->token_command};
    if (options->location->kind != LOCATION_HTTP) {
        token_free(token_take_environment());
        return TRUE;
    }
    *ret_token = token_find(&sources, error);
    return *ret_token != NULL;
}

int
command_mount(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (options_want_help(argc, argv)) {
        return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
    }
    g_autoptr(Config) config = config_load(NULL, &error);
    g_autoptr(Options) options = config ? options_parse(argc, argv, config, &error) : NULL;
    if (!options) {
        return command_fail(STATUS_USAGE, NULL, "%s", error->message);
    }
    log_init(LOG_LEVEL_INFO, options->debug_modules);
    for (guint i = 0; i < config_sections(config)->len; i++) {
        const ConfigSection *section = g_ptr_array_index(config_sections(config), i);
        if (section->mistake) {
            log_warning("%s (nothing that this mount uses)", section->mistake->message);
        }
    }
    char *token = NULL;
    if (!find_token(options, &token, &error)) {
        return command_fail(STATUS_USAGE, NULL, "%s", error->message);
    }
    int status = mount_with_token(options, token);
    token_free(token);
    return status;
}

/* `trackerfs import`: fills a tracker database, from V5 JSON or with a sample.
 *
 * A new database is made under its own name and removed again when the import fails, so that a
 * failed import leaves nothing that looks like an archive. Into one that exists everything goes in
 * one transaction. Progress is one line that is written over on a terminal, and a line per tenth
 * elsewhere. */
#include "cache/base/clock.h"
#include "fs/commands.h"
#include "tracker/import/v5_json.h"
#include "tracker/sample/sample.h"

#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USAGE_ERROR(...) command_fail(STATUS_USAGE, "see trackerfs import --help", __VA_ARGS__)
#define BAR_CELLS 30
#define REDRAW_MS 100

static const char usage[] =
    "Usage: trackerfs import --v5-json FILE|FOLDER... FILE.db\n"
    "       trackerfs import --sample[=STORIES] FILE.db\n"
    "Loads stories and all that belongs to them into a tracker database, which is\n"
    "made when it is missing. Mount it with: trackerfs FILE.db MOUNTPOINT\n"
    "\n"
    "  --v5-json          answers of the V5 API as JSON files: single resources,\n"
    "                     lists, envelopes, recorded exchanges; folders are searched\n"
    "                     for *.json. Of the same thing twice the newer one wins.\n"
    "  --sample[=STORIES] a sample project; with a number a generated one of that\n"
    "                     many stories\n"
    "  -q, --quiet        no progress, no summary\n"
    "  -h, --help         this\n"
    "\n"
    "What is not known is counted and reported, and does not stop the import. A\n"
    "file that is not JSON does: nothing is imported then.\n";

typedef struct {
    gboolean v5_json, sample, quiet, help;
    guint stories;
    const char *file;         /* the database */
    const char *const *paths; /* what to read */
    gsize n_paths;
} ImportOptions;

static int
parse_stories(const char *text, guint *ret_stories)
{
    guint64 stories = 0;
    if (!g_ascii_string_to_unsigned(text, 10, 1, SAMPLE_MAX_STORIES, &stories, NULL)) {
        return USAGE_ERROR("--sample=%s: a number of stories from 1 to %d is wanted", text,
                           SAMPLE_MAX_STORIES);
    }
    *ret_stories = (guint)stories;
    return STATUS_OK;
}

static int
check_operands(int argc, char **argv, ImportOptions *options)
{
    int n = argc - optind;
    if (options->v5_json == options->sample) {
        return USAGE_ERROR("%s", options->sample
                                     ? "--v5-json and --sample exclude each other"
                                     : "what is to be imported? Give --v5-json or --sample");
    }
    if (n == 0) {
        return USAGE_ERROR("%s", "into which database? Give the name of its file last");
    }
    options->file = argv[argc - 1];
    options->paths = (const char *const *)argv + optind;
    options->n_paths = (gsize)n - 1;
    if (options->sample && n > 1) {
        return USAGE_ERROR("a sample takes nothing but FILE.db: what is %s?", argv[optind]);
    }
    if (options->v5_json && n == 1) {
        return USAGE_ERROR("from %s, or into it? Give both: what to import, then FILE.db",
                           options->file);
    }
    /* The likeliest slip: the database was forgotten, and the last archive would be taken for it.
     */
    if (g_str_has_suffix(options->file, ".json") ||
        g_file_test(options->file, G_FILE_TEST_IS_DIR)) {
        return USAGE_ERROR("the database comes last, and %s is none", options->file);
    }
    return STATUS_OK;
}

static int
parse_options(int argc, char **argv, ImportOptions *options)
{
    static const struct option names[] = {
        {"v5-json", no_argument, NULL, 'j'},
        {"sample", optional_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    optind = 0; /* begin anew: GNU */
    for (int c = 0; (c = getopt_long(argc, argv, ":qh", names, NULL)) != -1;) {
        int rc = STATUS_OK;
        switch (c) {
        case 'j':
            options->v5_json = TRUE;
            break;
        case 's':
            options->sample = TRUE;
            rc = optarg ? parse_stories(optarg, &options->stories) : STATUS_OK;
            break;
        case 'q':
            options->quiet = TRUE;
            break;
        case 'h':
            options->help = TRUE;
            return STATUS_OK;
        default:
            return USAGE_ERROR("import has no option %s", argv[optind - 1]);
        }
        if (rc != STATUS_OK) {
            return rc;
        }
    }
    return check_operands(argc, argv, options);
}

/* ---- progress ---- */

typedef struct {
    gboolean tty, shown;
    gint64 drawn_ms;
    int tenth;        /* last one printed where there is no terminal */
    gboolean writing; /* the phase of the last line */
} Bar;

static void
draw(Bar *bar, const V5ImportProgress *progress, int percent)
{
    char cells[BAR_CELLS + 1];
    memset(cells, ' ', BAR_CELLS);
    memset(cells, '#', (gsize)(percent * BAR_CELLS / 100));
    cells[BAR_CELLS] = '\0';
    (void)fprintf(stderr, "\r%s [%s] %3d %%", progress->path ? "reading" : "writing", cells,
                  percent);
    (void)fflush(stderr);
    bar->shown = TRUE;
}

static void
show_progress(const V5ImportProgress *progress, gpointer user)
{
    Bar *bar = user;
    int percent = progress->total > 0
                      ? (int)(MIN(progress->done, progress->total) * 100 / progress->total)
                      : 0;
    gboolean writing = progress->path == NULL;
    if (bar->tty) {
        gint64 now_ms = clock_monotonic_ms();
        if (now_ms - bar->drawn_ms >= REDRAW_MS || writing != bar->writing) {
            bar->drawn_ms = now_ms;
            draw(bar, progress, percent);
        }
    } else if (percent / 10 != bar->tenth && percent > 0) {
        (void)fprintf(stderr, "%s: %d %%\n", writing ? "writing" : "reading", percent / 10 * 10);
        bar->tenth = percent / 10;
    }
    if (writing != bar->writing) {
        bar->tenth = 0;
    }
    bar->writing = writing;
}

static void
end_progress(const Bar *bar)
{
    if (bar->shown) {
        (void)fputs("\r\033[K", stderr);
    }
}

/* ---- summary ---- */

/* FALSE when standard output does not take it. */
static gboolean
print_report(const V5ImportReport *report, const char *file)
{
    gboolean unknown = FALSE, lacks_recipient = FALSE;
    (void)printf("%" G_GUINT64_FORMAT " file%s into %s:\n", report->files,
                 report->files == 1 ? "" : "s", file);
    if (report->counts->len == 0) {
        (void)printf("nothing was taken: no resource of the V5 API is in %s\n",
                     report->files == 1 ? "it" : "them");
    }
    for (guint i = 0; i < report->counts->len; i++) {
        const V5ImportCount *count = &g_array_index(report->counts, V5ImportCount, i);
        if (count->unknown && !unknown) {
            (void)printf("not taken:\n");
            unknown = TRUE;
        }
        (void)printf("%10" G_GUINT64_FORMAT " %s\n", count->resources, count->kind);
        lacks_recipient |= count->unknown && g_str_equal(count->kind, "notification");
    }
    if (lacks_recipient) {
        (void)printf("(A notification does not say whom it was for, so it has no place.)\n");
    }
    if (report->files_without_bytes > 0) {
        (void)printf("without their bytes: %" G_GUINT64_FORMAT " attachments; story.json tells of "
                     "them, attachments/ does not list them\n",
                     report->files_without_bytes);
    }
    if (report->made_projects + report->made_stories + report->made_people > 0) {
        (void)printf("named, but not described: %" G_GUINT64_FORMAT " projects, %" G_GUINT64_FORMAT
                     " stories, %" G_GUINT64_FORMAT " people\n",
                     report->made_projects, report->made_stories, report->made_people);
    }
    return fflush(stdout) == 0 && !ferror(stdout);
}

/* ---- running ---- */

static int
status_of(const GError *error)
{
    return g_error_matches(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT) ? STATUS_USAGE
                                                                          : STATUS_SOURCE;
}

static gboolean
import_files(Tracker *tracker, const ImportOptions *options, V5ImportReport *report, GError **error)
{
    Bar bar = {.tty = isatty(STDERR_FILENO) == 1};
    gboolean ok =
        tracker_import_v5_json(tracker, options->paths, options->n_paths,
                               options->quiet ? NULL : show_progress, &bar, report, error);
    end_progress(&bar);
    return ok;
}

int
command_import(int argc, char **argv)
{
    ImportOptions options = {.quiet = FALSE};
    int rc = parse_options(argc, argv, &options);
    if (rc != STATUS_OK) {
        return rc;
    }
    if (options.help) {
        return fputs(usage, stdout) < 0 ? STATUS_USAGE : STATUS_OK;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *files = g_strconcat(options.file, ".files", NULL);
    gboolean existed = g_file_test(options.file, G_FILE_TEST_EXISTS);
    gboolean files_existed = g_file_test(files, G_FILE_TEST_EXISTS);
    Tracker *tracker = tracker_open(options.file, TRACKER_CREATE, &error);
    if (!tracker) {
        return command_fail(status_of(error), NULL, "%s", error->message);
    }
    g_auto(V5ImportReport) report = {.counts = NULL};
    gboolean ok = options.sample
                      ? tracker_make_sample(tracker, options.stories, clock_wall_ms(), &error)
                      : import_files(tracker, &options, &report, &error);
    tracker_close(tracker);
    if (!ok) {
        if (!existed) {
            tracker_remove(options.file, !files_existed);
        }
        return command_fail(status_of(error), NULL, "%s", error->message);
    }
    if (options.quiet) {
        return STATUS_OK;
    }
    gboolean printed = options.sample
                           ? printf("%s: the sample project is ready\n", options.file) > 0
                           : print_report(&report, options.file);
    return printed ? STATUS_OK
                   : command_fail(STATUS_USAGE, NULL, "cannot print the summary: %s",
                                  g_strerror(errno));
}

/* Feeds every file of the given directories (or the given files) to a fuzz target, once, so that a
 * corpus is an ordinary test: what an input once broke stays mended. Prints the number of inputs;
 * fails when there are none, since a misspelled directory must not look like success. */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAX_INPUT_BYTES (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
run_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *contents = NULL;
    gsize bytes = 0;
    if (!g_file_get_contents(path, &contents, &bytes, &error) || bytes > MAX_INPUT_BYTES) {
        (void)fprintf(stderr, "%s: %s\n", path, error ? error->message : "too large");
        return FALSE;
    }
    /* A copy of exactly that size: the address sanitizer then sees a read beyond the end. */
    g_autofree uint8_t *exact = g_malloc(bytes > 0 ? bytes : 1);
    memcpy(exact, contents, bytes);
    (void)printf("%s\n", path);
    (void)fflush(stdout); /* the last name printed is the one that broke it */
    (void)LLVMFuzzerTestOneInput(exact, bytes);
    return TRUE;
}

/* Number of inputs run; -1 after an error. */
static int
run_directory(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    if (!dir) {
        (void)fprintf(stderr, "%s\n", error->message);
        return -1;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = NULL; (name = g_dir_read_name(dir));) {
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        if (!run_file(names->pdata[i])) {
            return -1;
        }
    }
    return (int)names->len;
}

static int
run(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        return run_file(path) ? 1 : -1;
    }
    return run_directory(path);
}

int
main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = run(argv[i]);
        if (n < 0) {
            return 1;
        }
        total += n;
    }
    (void)printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}

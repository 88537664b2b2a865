/* Walked from the bottom up, since a folder goes last. */
#include "tests/unit/support_folder.h"

#include <ftw.h>
#include <stdio.h>

#define OPEN_FOLDERS 16

char *
folder_new(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("trackerfs-test-XXXXXX", &error);
    g_assert_no_error(error);
    return folder;
}

static int
remove_one(const char *path, const struct stat *facts, int type, struct FTW *place)
{
    (void)facts;
    (void)type;
    (void)place;
    return remove(path);
}

void
folder_remove(char *folder)
{
    g_assert_cmpint(nftw(folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS), ==, 0);
    g_free(folder);
}

char *
folder_put(const char *folder, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(folder, name, NULL);
    (void)g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    return path;
}

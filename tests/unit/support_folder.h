/* support_folder: a folder of the test's own in the temporary one, gone at the end with all that is
 * in it. Whatever fails here fails the test. */
#pragma once

#include <glib.h>

/* A new, empty one; owned, until folder_remove(). */
char *folder_new(void);
/* Removes the folder, follows no links, and frees the path. */
void folder_remove(char *folder);
/* Writes a file into it: its path, owned. */
char *folder_put(const char *folder, const char *name, const char *text);

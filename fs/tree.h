/* tree: which name a thing has in its folder. Pure: the same text gives the same name, on any
 * thread.
 *
 * Text from a server is hostile. A name made here is never empty, ".", "..", longer than
 * TREE_NAME_BYTES, never holds "/", NUL or a control character, never begins with "-" or ".", is
 * valid UTF-8, and within one folder no two names are equal, nor equal but for case or Unicode
 * normalisation: a copy on any file system keeps them apart. */
#pragma once

#include <glib.h>

#define TREE_NAME_BYTES 255

/* "<id>-<slug>", with "new-<n>" for the id of what the server has not accepted yet: letters, digits
 * and marks of any script, the rest "-". `title` may be NULL. With `id_only`, or when nothing is
 * left, "<id>". */
char *tree_item_name(gint64 id, const char *title, gboolean id_only);

/* The same with "<position>-" before it, zero-padded so that sorting keeps the order of
 * `n_positions`. */
char *tree_position_name(guint position, guint n_positions, gint64 id, const char *title,
                         gboolean id_only);

/* "<position>-<id>.md" */
char *tree_task_name(guint position, guint n_positions, gint64 id);

/* "<id>-<YYYY-MM-DD>-<author>.md"; without a time or an author that part is left out. */
char *tree_comment_name(gint64 id, gint64 created_ms, const char *author);

/* The positive decimal number that `name` begins with, as it is written by the functions above: no
 * sign, no leading zero; `ret_rest` is what follows. */
gboolean tree_parse_id(const char *name, gint64 *ret_id, const char **ret_rest);

/* True for "<id>" and "<id>-anything". */
gboolean tree_parse_item_name(const char *name, gint64 *ret_id);

/* True for "<digits>-<id>…": gives both numbers. */
gboolean tree_parse_position_name(const char *name, guint *ret_position, gint64 *ret_id);

/* A name as close to the text as is safe; NULL and invalid UTF-8 are fine. With `keep_extension` a
 * cut is made before the last ".ext". */
char *tree_escape(const char *text, gsize max_bytes, gboolean keep_extension);

typedef struct TreeName {
    gint64 id;        /* in: unique */
    const char *text; /* in: borrowed, may be NULL */
    char *name;       /* out: the caller's */
} TreeName;

/* Names a whole folder. Names that would be the same but for case or normalisation get "~<id>"
 * (before the extension with `keep_extension`), all but that of the lowest id. `suffix` ("" or
 * ".json") ends every name. Sorts `names` by id. In time linear in the number of names but for
 * sorting. */
void tree_name_folder(TreeName *names, guint n, const char *suffix, gboolean keep_extension);

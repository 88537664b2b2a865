/* Names: slugs for what has an id, escaping for what is known by its text, and uniqueness in a
 * folder.
 *
 * A slug may lose anything, as its id is the name; an escaped text loses only what is unsafe, each
 * such character becoming "_". Uniqueness is decided on a folded form (case folded, NFC): two
 * passes, first every text's lowest id takes the plain name, then the others take theirs with
 * "~<id>"; so neither depends on the order of the input, and a literal "a~7" that is there already
 * keeps its name. */
#include "fs/tree.h"

#include "cache/cache.h"

#include <string.h>

#define PROVISIONAL_PREFIX "new-"
#define EXTENSION_BYTES 16

#define FIRST_BYTE_OF_MARKS 0xcc /* of U+0300 in UTF-8 */

static gboolean
is_slug_char(gunichar c)
{
    return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* Whether it is sure, without composing it, that `title` is valid and composed (NFC): so is all
 * text below U+0300, where the combining marks begin, and UTF-8 writes what is above with greater
 * first bytes. Listings make a name of every title, and most of a title's time was the composing.
 */
static gboolean
is_surely_composed(const char *title)
{
    gboolean ascii = TRUE;
    for (const char *at = title; *at; at++) {
        if ((guchar)*at >= FIRST_BYTE_OF_MARKS) {
            return FALSE;
        }
        ascii = ascii && (guchar)*at < 0x80;
    }
    return ascii || g_utf8_validate(title, -1, NULL);
}

/* Appends the slug of `title` after a "-", within `limit` bytes for the whole; appends nothing when
 * nothing is left. A mark has a place only behind a letter: alone it would sit on the "-". */
static void
append_slug(GString *name, const char *title, gsize limit)
{
    g_autofree char *owned = NULL;
    if (!is_surely_composed(title)) {
        g_autofree char *valid = g_utf8_make_valid(title, -1);
        owned = g_utf8_normalize(valid, -1, G_NORMALIZE_NFC);
        title = owned ? owned : "";
    }
    gboolean gap = TRUE;
    for (const char *at = title; *at; at = g_utf8_next_char(at)) {
        const gunichar c = g_utf8_get_char(at);
        if (c < 0x80 ? !g_ascii_isalnum(c) : !is_slug_char(c) || (gap && g_unichar_ismark(c))) {
            gap = TRUE;
            continue;
        }
        const gsize bytes = (gsize)(g_utf8_next_char(at) - at);
        if (name->len + bytes + (gap ? 1 : 0) > limit) {
            return;
        }
        if (gap) {
            g_string_append_c(name, '-');
            gap = FALSE;
        }
        g_string_append_len(name, at, (gssize)bytes);
    }
}

/* "new-<n>" for what the server does not know yet. */
static void
append_id(GString *name, gint64 id)
{
    if (edit_id_is_provisional(id)) {
        g_string_append_printf(name, PROVISIONAL_PREFIX "%" G_GINT64_FORMAT,
                               id - EDIT_PROVISIONAL_FIRST + 1);
    } else {
        g_string_append_printf(name, "%" G_GINT64_FORMAT, id);
    }
}

char *
tree_item_name(gint64 id, const char *title, gboolean id_only)
{
    GString *name = g_string_sized_new(64);
    append_id(name, id);
    if (title && !id_only) {
        append_slug(name, title, TREE_NAME_BYTES);
    }
    return g_string_free(name, FALSE);
}

static int
position_width(guint n_positions)
{
    int width = 3;
    for (guint rest = n_positions / 1000; rest > 0; rest /= 10) {
        width++;
    }
    return width;
}

char *
tree_position_name(guint position, guint n_positions, gint64 id, const char *title,
                   gboolean id_only)
{
    GString *name = g_string_sized_new(64);
    g_string_append_printf(name, "%0*u-", position_width(n_positions), position);
    append_id(name, id);
    if (title && !id_only) {
        append_slug(name, title, TREE_NAME_BYTES);
    }
    return g_string_free(name, FALSE);
}

char *
tree_task_name(guint position, guint n_positions, gint64 id)
{
    GString *name = g_string_sized_new(32);
    g_string_append_printf(name, "%0*u-", position_width(n_positions), position);
    append_id(name, id);
    g_string_append(name, ".md");
    return g_string_free(name, FALSE);
}

char *
tree_comment_name(gint64 id, gint64 created_ms, const char *author)
{
    GString *name = g_string_sized_new(64);
    append_id(name, id);
    g_autoptr(GDateTime) created =
        created_ms > 0 ? g_date_time_new_from_unix_utc(created_ms / 1000) : NULL;
    if (created) {
        g_autofree char *date = g_date_time_format(created, "-%Y-%m-%d");
        g_string_append(name, date);
    }
    if (author && *author) {
        const gsize used = name->len + strlen("-.md");
        g_autofree char *safe = tree_escape(author, TREE_NAME_BYTES - used, FALSE);
        g_string_append_printf(name, "-%s", safe);
    }
    g_string_append(name, ".md");
    return g_string_free(name, FALSE);
}

gboolean
tree_parse_id(const char *name, gint64 *ret_id, const char **ret_rest)
{
    if (g_str_has_prefix(name, PROVISIONAL_PREFIX)) {
        gint64 number;
        if (!tree_parse_id(name + strlen(PROVISIONAL_PREFIX), &number, ret_rest) ||
            number >= EDIT_PROVISIONAL_FIRST) {
            return FALSE;
        }
        *ret_id = EDIT_PROVISIONAL_FIRST + number - 1;
        return TRUE;
    }
    if (*name < '1' || *name > '9') {
        return FALSE;
    }
    gint64 id = 0;
    const char *at = name;
    for (; g_ascii_isdigit(*at); at++) {
        if (id > (G_MAXINT64 - 9) / 10) {
            return FALSE;
        }
        id = id * 10 + (*at - '0');
    }
    *ret_id = id;
    *ret_rest = at;
    return TRUE;
}

gboolean
tree_parse_item_name(const char *name, gint64 *ret_id)
{
    const char *rest;
    gint64 id;
    if (!tree_parse_id(name, &id, &rest) || (*rest != '\0' && *rest != '-')) {
        return FALSE;
    }
    *ret_id = id;
    return TRUE;
}

gboolean
tree_parse_position_name(const char *name, guint *ret_position, gint64 *ret_id)
{
    guint64 position = 0;
    const char *at = name;
    for (; g_ascii_isdigit(*at) && at - name < 10; at++) {
        position = position * 10 + (guint64)(*at - '0');
    }
    const char *rest;
    if (at == name || *at != '-' || position > G_MAXUINT || !tree_parse_id(at + 1, ret_id, &rest)) {
        return FALSE;
    }
    *ret_position = (guint)position;
    return TRUE;
}

/* What would let a name leave its folder, break a line of output, or show as another name than it
 * is. */
static gboolean
is_unsafe(gunichar c)
{
    return c == '/' || g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Where ".ext" begins; the end of the name when it has none worth keeping. */
static gsize
extension_at(const char *name, gsize length)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || length - (gsize)(dot - name) > EXTENSION_BYTES) {
        return length;
    }
    return (gsize)(dot - name);
}

/* Cuts `name` to `max_bytes`, on a character boundary, with `insert` put before the extension. */
static char *
fit(const char *name, gsize max_bytes, gboolean keep_extension, const char *insert)
{
    gsize length = strlen(name);
    gsize stem = keep_extension ? extension_at(name, length) : length;
    gsize tail = length - stem + strlen(insert);
    if (tail >= max_bytes) {
        stem = length;
        tail = strlen(insert);
    }
    gsize keep = MIN(stem, max_bytes - tail);
    while (keep > 0 && keep < stem && ((guchar)name[keep] & 0xc0) == 0x80) {
        keep--;
    }
    return g_strdup_printf("%.*s%s%s", (int)keep, name, insert, name + stem);
}

static void
mend_ends(char *name)
{
    if (name[0] == '-' || name[0] == '.') {
        name[0] = '_';
    }
    for (gsize end = strlen(name); end > 0 && (name[end - 1] == ' ' || name[end - 1] == '.');
         end--) {
        name[end - 1] = '_';
    }
}

char *
tree_escape(const char *text, gsize max_bytes, gboolean keep_extension)
{
    g_assert(max_bytes > EXTENSION_BYTES);
    /* A text of megabytes is cut before it is looked at: only its ends can matter. */
    g_autofree char *head = NULL;
    gsize length = text ? strlen(text) : 0;
    if (length > 16 * (gsize)TREE_NAME_BYTES) {
        head = g_strdup_printf("%.*s%s", 8 * TREE_NAME_BYTES, text,
                               text + length - 2 * EXTENSION_BYTES);
        text = head;
    }
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    GString *safe = g_string_sized_new(64);
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(safe, is_unsafe(c) ? '_' : c);
    }
    g_autofree char *whole = g_string_free(safe, FALSE);
    char *name = fit(whole, max_bytes, keep_extension, "");
    mend_ends(name);
    if (!*name) {
        g_free(name);
        return g_strdup("_");
    }
    return name;
}

static int
compare_ids(gconstpointer left, gconstpointer right)
{
    const TreeName *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static char *
fold(const char *name)
{
    g_autofree char *folded = g_utf8_casefold(name, -1);
    char *normal = g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);
    return normal ? normal : g_steal_pointer(&folded);
}

/* TRUE when the name was free, and is taken now. */
static gboolean
take(GHashTable *taken, const char *name)
{
    return g_hash_table_add(taken, fold(name));
}

static char *
numbered(const char *text, const TreeName *entry, gsize max_bytes, gboolean keep_extension,
         GHashTable *taken)
{
    g_autofree char *plain = tree_escape(text, max_bytes, keep_extension);
    for (guint round = 1;; round++) {
        g_autofree char *mark = round == 1
                                    ? g_strdup_printf("~%" G_GINT64_FORMAT, entry->id)
                                    : g_strdup_printf("~%" G_GINT64_FORMAT "~%u", entry->id, round);
        g_autofree char *name = fit(plain, max_bytes, keep_extension, mark);
        if (take(taken, name)) {
            return g_steal_pointer(&name);
        }
    }
}

void
tree_name_folder(TreeName *names, guint n, const char *suffix, gboolean keep_extension)
{
    const gsize max_bytes = TREE_NAME_BYTES - strlen(suffix);
    if (n == 0) {
        return;
    }
    qsort(names, n, sizeof(*names), compare_ids);
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < n; i++) {
        char *plain = tree_escape(names[i].text, max_bytes, keep_extension);
        names[i].name = take(taken, plain) ? plain : (g_free(plain), NULL);
    }
    for (guint i = 0; i < n; i++) {
        if (!names[i].name) {
            names[i].name = numbered(names[i].text, &names[i], max_bytes, keep_extension, taken);
        }
        if (*suffix) {
            g_autofree char *stem = names[i].name;
            names[i].name = g_strconcat(stem, suffix, NULL);
        }
    }
}

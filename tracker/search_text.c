/* A word or a phrase is found by the index: a phrase is what the index makes of a quoted text, so
 * "foo-bar" is foo followed by bar. A word that ends in "*" is a prefix, which the index knows too.
 * A single word with other wildcards goes through the list of all words. What is left is read text
 * by text with a regular expression: regular expressions themselves, several words with wildcards
 * in the middle, values without a letter or digit ("++"), and scripts that do not part words. */
#include "tracker/search_text.h"

#include <string.h>

#include "tracker/db_functions.h"
#include "tracker/service.h"

/* What unicode61 takes for part of a word. */
static gboolean
is_word_char(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
    case G_UNICODE_PRIVATE_USE:
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean
is_unparted_script(gunichar c)
{
    switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
        return TRUE;
    default:
        return FALSE;
    }
}

typedef struct Shape {
    gboolean has_words, unparted;
    gboolean single; /* nothing but one word and wildcards */
    gboolean wild;   /* a wildcard other than one "*" at the end */
    gboolean prefix; /* that one */
} Shape;

static Shape
shape_of(const SearchValue *value)
{
    Shape shape = {.single = TRUE};
    const char *text = value->text;

    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (value->form == SEARCH_BARE && (c == '*' || c == '?')) {
            gboolean last = c == '*' && at[1] == '\0' && at > text && !shape.wild;

            shape.prefix = last && is_word_char(g_utf8_get_char(g_utf8_prev_char(at)));
            shape.wild = shape.wild || !shape.prefix;
        } else if (is_word_char(c)) {
            shape.has_words = TRUE;
            shape.unparted = shape.unparted || is_unparted_script(c);
        } else {
            shape.single = FALSE;
        }
    }
    return shape;
}

/* The same as a regular expression: whole words, except where the script has none. */
static char *
regexp_of(const SearchValue *value, const Shape *shape)
{
    GString *out = g_string_new("(*UCP)");
    gboolean whole = shape->has_words && !shape->unparted;
    gunichar last = 0;

    if (whole && is_word_char(g_utf8_get_char(value->text))) {
        g_string_append(out, "(?<!\\w)");
    }
    for (const char *at = value->text; *at; at = g_utf8_next_char(at)) {
        gsize bytes = (gsize)(g_utf8_next_char(at) - at);

        last = g_utf8_get_char(at);
        if (value->form == SEARCH_BARE && last == '*') {
            g_string_append(out, whole ? "\\w*" : ".*");
        } else if (value->form == SEARCH_BARE && last == '?') {
            g_string_append(out, whole ? "\\w" : ".");
        } else {
            g_autofree char *escaped = g_regex_escape_string(at, (int)bytes);

            g_string_append(out, escaped);
        }
    }
    if (whole && is_word_char(last)) {
        g_string_append(out, "(?!\\w)");
    }
    return g_string_free(out, FALSE);
}

/* "text" for MATCH, as a phrase; of a prefix without its "*", which stands behind. */
static char *
words_of(const SearchValue *value, const Shape *shape)
{
    gsize bytes = strlen(value->text) - (shape->prefix ? 1 : 0);
    GString *out = g_string_new("\"");

    for (gsize i = 0; i < bytes; i++) {
        g_string_append_c(out, value->text[i]);
        if (value->text[i] == '"') {
            g_string_append_c(out, '"');
        }
    }
    g_string_append(out, shape->prefix ? "\" *" : "\"");
    return g_string_free(out, FALSE);
}

gboolean
text_check(const SearchValue *value, GError **error)
{
    g_autoptr(GRegex) regex =
        value->form == SEARCH_REGEX ? db_functions_compile(value->text, NULL) : NULL;

    if (value->form == SEARCH_REGEX && !regex) {
        g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT,
                    "The regular expression /%s/ could not be parsed.", value->text);
        return FALSE;
    }
    return TRUE;
}

void
text_match_init(TextMatch *match, const SearchValue *value)
{
    Shape shape = shape_of(value);

    *match = (TextMatch){0};
    if (value->form == SEARCH_REGEX) {
        match->regexp = g_strdup(value->text);
        return;
    }
    match->regexp = regexp_of(value, &shape);
    if (!shape.has_words || shape.unparted) {
        return;
    }
    if (!shape.wild) {
        match->words = words_of(value, &shape);
    } else if (shape.single) {
        match->pattern = g_utf8_strdown(value->text, -1);
    }
}

void
text_match_clear(TextMatch *match)
{
    g_free(match->words);
    g_free(match->pattern);
    g_free(match->regexp);
}

/* search_text: how one value of a search finds words: in the index, and in texts that no index
 * holds (labels, names).
 *
 * Threads: any; no state. Errors: only of text_check(), TRACKER_ERROR_BAD_INPUT. */
#pragma once

#include "tracker/search_parse.h"

typedef struct TextMatch {
    char *words;   /* a MATCH expression; NULL: the index cannot answer */
    char *pattern; /* for GLOB over single words of the index; NULL: none */
    char *regexp;  /* for REGEXP over whole texts; always there */
} TextMatch;

/* Can it be read, if it is a regular expression? */
gboolean text_check(const SearchValue *value, GError **error);

void text_match_init(TextMatch *match, const SearchValue *value);
void text_match_clear(TextMatch *match);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TextMatch, text_match_clear)

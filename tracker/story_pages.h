/* story_pages: lists of stories as they were answered last, to be answered again.
 *
 * A page is the JSON of a list, and where in it each story is. It is of a form: a name of
 * everything that decides what is written beside the rows themselves (tracker/story_form.h). Each
 * story comes with the number that it had in the view of the database which the page was made of
 * (tracker/schema_shown.h), and is given back only to who sees that number: so nobody has to be
 * told what changed, and a change by another process counts, too. Never keep what was read in a
 * transaction that writes: it may be rolled back, and its numbers given to something else.
 *
 * Threads: all functions, at any time. Limits: `max_bytes`, what the memory itself needs included;
 * beyond it goes the page that was not asked for longest. Errors: none. */
#pragma once

#include <glib.h>

#include "tracker/digest.h"

typedef struct StoryPages StoryPages;
typedef struct StoryPage StoryPage;

/* Where a story is in the text of its page. */
typedef struct StorySlot {
    gint64 id, number;
    gsize start, end;
    StoryPage *page;
} StorySlot;

/* The text in a shorter form; owned, NULL when there is none. */
typedef GString *(*StoryPagePackFn)(const GString *text);

/* Counted; constant once it is kept, so that an answer and the memory share it. */
struct StoryPage {
    GString text;
    GString *packed;                /* NULL: not made yet; atomic */
    char digest[DIGEST_TEXT_BYTES]; /* of the text */
    gsize n_slots;
    StorySlot *slots; /* in the order of the list */
};

StoryPages *story_pages_new(gsize max_bytes);
void story_pages_free(StoryPages *pages);

/* Fills `ret_found` for each id: a slot, with a reference to its page, or NULL when nothing of that
 * number is there. Returns about how many bytes a story of this form takes; 0: not known. */
gsize story_pages_find(StoryPages *pages, const char *form, const gint64 *ids,
                       const gint64 *numbers, gsize n, const StorySlot **ret_found);
/* Takes the text and copies the slots, whose `page` is set. One reference. */
StoryPage *story_page_new(GString *text, const StorySlot *slots, gsize n_slots);
StoryPage *story_page_ref(StoryPage *page);
/* What `pack` makes of the text: made once, if it is not too long to be kept, too. Borrowed from
 * the page, or *ret_own is set to it; NULL when there is none. */
const GString *story_page_packed(StoryPage *page, StoryPagePackFn pack, GString **ret_own);
/* NULL: nothing. */
void story_page_unref(StoryPage *page);
/* Keeps a reference of its own. Its stories take the place of older ones; a page none of whose
 * stories is the newest goes. */
void story_pages_keep(StoryPages *pages, const char *form, StoryPage *page);

/* What it counts against max_bytes. */
gsize story_pages_bytes(StoryPages *pages);

/* pages: which page of a listing to ask for next, from what the answers so far said. Pure.
 *
 * The first page tells the total and the limit in force; then up to PAGES_IN_FLIGHT go at once. A
 * service without these headers is asked page by page until one brings nothing new. Every sequence
 * of answers ends: an empty page, a page without news and PAGES_MAX_ITEMS each stop it. */
#pragma once

#include "cache/transport.h"

#define PAGES_IN_FLIGHT 4
#define PAGES_MAX_ITEMS 4000000

typedef struct Pages {
    guint limit; /* asked for, then the one in force */
    guint step;  /* from page to page */
    guint next_offset;
    guint in_flight;
    gint64 total; /* -1 unknown */
    gboolean knows_step, ended, totals_differ;
} Pages;

void pages_init(Pages *pages, guint limit);
/* TRUE: ask for `*ret_offset` now, and note the answer. */
gboolean pages_take(Pages *pages, guint *ret_offset);
/* `n_items` came with the page at `offset`, `n_new` of them not seen before. */
void pages_note(Pages *pages, const HttpResponse *response, guint offset, guint n_items,
                guint n_new);

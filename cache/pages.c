/* See the header: this is arithmetic on answers that may lie. */
#include "cache/pages.h"

void
pages_init(Pages *pages, guint limit)
{
    *pages = (Pages){.limit = limit, .total = -1};
}

gboolean
pages_take(Pages *pages, guint *ret_offset)
{
    gboolean first = pages->next_offset == 0 && pages->in_flight == 0 && !pages->knows_step;
    guint most = pages->total >= 0 ? PAGES_IN_FLIGHT : 1;
    if (pages->ended || (!first && !pages->knows_step) || pages->in_flight >= most) {
        return FALSE;
    }
    if (pages->next_offset >= PAGES_MAX_ITEMS ||
        (pages->total >= 0 && !first && pages->next_offset >= pages->total)) {
        return FALSE;
    }
    *ret_offset = pages->next_offset;
    pages->next_offset += pages->step;
    pages->in_flight++;
    return TRUE;
}

/* What the first page taught: a lowered limit is said in the header, or only shown by a short page.
 */
static void
learn_step(Pages *pages, const HttpResponse *response, guint n_items)
{
    if (response->limit > 0 && response->limit < pages->limit) {
        pages->limit = (guint)response->limit;
    }
    pages->total = response->total;
    pages->step = response->limit > 0 ? pages->limit : MAX(n_items, 1);
    pages->next_offset = pages->step;
    pages->knows_step = TRUE;
    if (pages->total < 0 && response->limit > 0 && n_items < pages->limit) {
        pages->ended = TRUE;
    }
}

void
pages_note(Pages *pages, const HttpResponse *response, guint offset, guint n_items, guint n_new)
{
    pages->in_flight--;
    if (offset == 0) {
        learn_step(pages, response, n_items);
    } else if (response->total != pages->total) {
        pages->totals_differ = TRUE;
    }
    if (n_items == 0 || (pages->total < 0 && n_new == 0)) {
        pages->ended = TRUE;
    }
}

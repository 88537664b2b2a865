/* story_list: a list of stories through the tracker's memory of them (tracker/story_pages.h).
 *
 * Threads: with the Render. Errors: stick to its connection. */
#pragma once

#include "tracker/render.h"

/* The list as a page, "[...]", that is the caller's reference; *ret_n says of how many stories.
 * NULL: the memory has no part in it, render_list() has. */
StoryPage *story_list_page(Render *render, Selection *selection, const gint64 *ids, gsize n_ids,
                           guint *ret_n);

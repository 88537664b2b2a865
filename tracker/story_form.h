/* story_form: the name of the form in which a request sees stories, for tracker/story_memory.h.
 *
 * Threads: pure. */
#pragma once

#include "tracker/render.h"

/* Two requests with the same name write the same bytes for a story with the same number. NULL: what
 * is asked for has no such form, because it changes without a change of the story. Owned. */
char *story_form(const Render *render, const Selection *selection);

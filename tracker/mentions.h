/* mentions: the people named in a text by "@" and their user name (v5-reference 4.5).
 *
 * Threads: with the Call. Errors: stick to the connection. */
#pragma once

#include "tracker/call.h"

/* Active members of the project whose user name stands in the text, each once, in the order of the
 * text. A text without "@" costs nothing. Owned gint64s. */
GArray *mentions_in(Call *call, gint64 project_id, const char *text);

/* overlay: the edits that snapshots show over what the server was last known to have.
 *
 * Readers see, for each object, the server's snapshot with every edit of the journal applied in
 * order, and accepted edits too until the server's own data has them. The clerk puts and removes;
 * any thread reads. One lock, never held across I/O, a callback or a free of an edit.
 *
 * Order for readers: first ask for the edits, then read what they are applied to. The writer does
 * it the other way round (first the store, then the overlay), so that a reader never misses an
 * edit between the two; applying one twice changes nothing. */
#pragma once

#include "cache/edit_private.h"

typedef struct Overlay Overlay;

Overlay *overlay_new(void);
void overlay_free(Overlay *overlay);

/* Takes over `edit`, in place of the one of the same number. */
void overlay_put(Overlay *overlay, Edit *edit);
void overlay_remove(Overlay *overlay, gint64 number);

/* References. NULL: not there. */
Edit *overlay_get(Overlay *overlay, gint64 number);
/* All, by number; of Edit, with a free function. */
GPtrArray *overlay_list(Overlay *overlay);
/* Those of one story, epic or project, shown or not. NULL: none. */
GPtrArray *overlay_list_of(Overlay *overlay, EditOwner owner, gint64 id);
/* Those of a project and all in it, shown ones only. NULL: none. */
GPtrArray *overlay_list_in(Overlay *overlay, gint64 project_id);

/* What provisional ids became. */
void overlay_note_id(Overlay *overlay, gint64 provisional, gint64 id);
gint64 overlay_resolve(Overlay *overlay, gint64 id);

/* `story` with the edits of its own applied (a new reference; `story` itself where there are none,
 * NULL where one removed it). `story` NULL: one that only an edit has made. `edits` were listed
 * before `story` was read. */
Story *overlay_story(GPtrArray *edits, Story *story, const EditContext *context);

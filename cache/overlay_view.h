/* overlay_view: a project's snapshot with the edits applied, for the clerk to publish.
 *
 * Remembers what it computed for each story that edits touch, so that publishing again costs only
 * what changed since. Threads: the clerk's only. */
#pragma once

#include "cache/overlay.h"
#include "cache/store.h"

typedef struct OverlayView OverlayView;

OverlayView *overlay_view_new(Store *store);
void overlay_view_free(OverlayView *view);

/* `base` is what the server has, `edits` (NULL: none) what is done to it and `changed` (of
 * ParsedStory; NULL: none) the stories that are not in the store yet. A new reference: `base`
 * itself when no edit touches it. */
Project *overlay_view_make(OverlayView *view, Project *base, const GPtrArray *edits,
                           const GPtrArray *changed, const Person *me);

/* Keeps only what concerns the stories of `edits` (all there are). */
void overlay_view_forget(OverlayView *view, const GPtrArray *edits);

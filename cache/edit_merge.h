/* edit_merge: what was opened, what was written, and what the server has now.
 *
 * Only attributes that the user changed are looked at. The same on both sides: nothing to send.
 * Changed on one side: that one. Lists merge as sets, long texts by lines; anything else that both
 * changed is a conflict, and then nothing at all is sent. Pure, any thread. */
#pragma once

#include "cache/edit_private.h"

typedef enum {
    MERGE_NOTHING, /* the server has it all already */
    MERGE_SEND,
    MERGE_CONFLICT,
} MergeResult;

/* `theirs`: the object itself as a service sends it. `ret_send`: the values to send, normalised
 * (MERGE_SEND). `ret_theirs`: the server's values of what is in conflict (MERGE_CONFLICT). The
 * caller's. */
MergeResult edit_merge(const Edit *edit, const json_t *theirs, const EditContext *context,
                       json_t **ret_send, json_t **ret_theirs);

/* What `values` (normalised) look like in a request: the caller's text. */
char *edit_wire_text(EditObject object, const json_t *values);

/* FALSE with ERR_PROTOCOL, naming the attribute, when `answer` is not what was asked for. */
gboolean edit_check_answer(EditObject object, const json_t *sent, const json_t *answer,
                           const EditContext *context, GError **error);

/* The bytes of `.conflict/`: one text as it is, several attributes as `name: value` lines. */
Text edit_conflict_text(const Edit *edit, EditSide side);

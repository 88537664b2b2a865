/* write_person: who a request means, by id or as an invitation, for memberships of projects and
 * accounts alike; and what else of a person requests give.
 *
 * Threads: with the Call, inside its transaction. Errors: the 400s of the catalogue. */
#pragma once

#include "tracker/body.h"

/* The person of call->given: person_id, or an e-mail address. An address that nobody has makes a
 * new person; with `needs_name` only if it comes with a name, otherwise the address gives it. */
gboolean write_find_person(Call *call, gboolean needs_name, gint64 *ret_person_id);

gboolean write_fail_email(Call *call, const char *email);
/* The Olson name in the member time_zone; NULL when it is not given. Owned. */
gboolean write_time_zone(Call *call, const json_t *given, char **ret_zone);
/* White space and nothing else. */
gboolean write_is_blank(const char *text);
/* 204. */
gboolean write_answer_nothing(Call *call);

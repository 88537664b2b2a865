/* notify: tells people what happens to what concerns them (v5-reference 2.1, 3.21, 4.3).
 *
 * A hook of tracker/changes.h: whoever is mentioned in a comment, follows what is commented on or
 * blocked, becomes an owner of a story, or asked for or owns one that is delivered, accepted or
 * rejected gets a notification, in the transaction of the change. Nobody is told what they did
 * themselves, nor what happens where they are no members, nor who wants none.
 *
 * Threads: with the Call. Errors: stick to the connection. */
#pragma once

#include "tracker/changes.h"

void notify_recorded(Call *call, const Activity *activity);

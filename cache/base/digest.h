/* digest: a 64-bit number that tells byte strings apart. Not for secrets: whoever chooses the bytes
 * can make two strings agree.
 *
 * Stable over runs and machines of one byte order; written to no file that leaves the machine.
 * Pure, any thread. */
#pragma once

#include <glib.h>

/* `seed` chains: the digest of what came before, or 0. */
guint64 digest_bytes(const void *data, gsize length, guint64 seed);

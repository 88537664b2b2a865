/* Eight bytes a step, each multiplied in over 128 bits, so that every bit reaches every other: a
 * story of some kilobytes costs about a microsecond. The length is mixed in first: otherwise
 * trailing zeros would not count. */
#include "cache/base/digest.h"

#include <string.h>

#define PRIME_A G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)
#define PRIME_B G_GUINT64_CONSTANT(0xe7037ed1a0b428db)

static guint64
mix(guint64 a, guint64 b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (guint64)product ^ (guint64)(product >> 64);
}

guint64
digest_bytes(const void *data, gsize length, guint64 seed)
{
    const guchar *at = data;
    guint64 digest = mix(seed ^ PRIME_A, (guint64)length ^ PRIME_B);
    for (; length >= sizeof(guint64); at += sizeof(guint64), length -= sizeof(guint64)) {
        guint64 word;
        memcpy(&word, at, sizeof word);
        digest = mix(digest ^ word, PRIME_A);
    }
    if (length > 0) {
        guint64 word = 0;
        memcpy(&word, at, length);
        digest = mix(digest ^ word, PRIME_A);
    }
    return mix(digest ^ PRIME_B, PRIME_A);
}

/* digest: tells two answers apart, quickly: 128 bits as 32 lower-case hex digits, which is what an
 * ETag of the real service looks like. Not a defence against anybody: who wants two texts of one
 * digest can make them. Threads: any; no state. */
#pragma once

#include <glib.h>

#define DIGEST_TEXT_BYTES 33

void digest_text(const char *bytes, gsize n_bytes, char ret_text[DIGEST_TEXT_BYTES]);

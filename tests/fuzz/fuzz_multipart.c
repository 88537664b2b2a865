/* Any bytes as an upload. Input: the content type, "\n", the body.
 *
 * What is found lies inside of the body, has a name that is one path segment of valid UTF-8, and no
 * NUL in its type; everything else is refused with a sentence. */
#include "tracker/multipart.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (!end) {
        return 0;
    }
    g_autofree char *type = g_strndup((const char *)data, (gsize)(end - data));
    gsize bytes = size - (gsize)(end - data) - 1;
    /* Without a byte behind it, so that reading too far shows. */
    g_autofree char *body = g_memdup2(end + 1, bytes);
    Multipart part;
    const char *problem = multipart_find(type, body, bytes, "file", &part);
    if (problem) {
        g_assert_cmpuint(strlen(problem), >, 10);
        return 0;
    }
    g_assert_true(part.data >= body && part.data + part.bytes <= body + bytes);
    g_assert_true(g_utf8_validate(part.filename, -1, NULL));
    g_assert_true(*part.filename != '\0' && !strchr(part.filename, '/'));
    multipart_clear(&part);
    return 0;
}

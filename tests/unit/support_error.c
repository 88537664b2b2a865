/* Shows what was said instead. */
#include "tests/unit/support_error.h"

#include <string.h>

void
error_says(const GError *error, GQuark domain, const char *words)
{
    g_assert_nonnull(error);
    g_assert_cmpstr(g_quark_to_string(error->domain), ==, g_quark_to_string(domain));
    if (!strstr(error->message, words)) {
        g_error("\"%s\" does not say \"%s\"", error->message, words);
    }
}

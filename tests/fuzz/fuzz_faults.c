/* Any text as a specification of faults: read or refused with a message, and what was read is
 * described in words that read back to the same. */
#include "tracker/faults.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *spec = g_strndup((const char *)data, size);
    g_autoptr(Faults) faults = faults_new();
    g_autoptr(GError) error = NULL;
    if (!faults_set(faults, spec, &error)) {
        g_assert_true(error && g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    FaultPlan plan;
    faults_plan(faults, "GET", "/services/v5/me", &plan);
    g_autofree char *once = faults_describe(faults);
    if (strlen(once) <= FAULTS_MAX_SPEC_BYTES) {
        g_assert_true(faults_set(faults, once, &error));
        g_autofree char *twice = faults_describe(faults);
        g_assert_cmpstr(once, ==, twice);
    }
    return 0;
}

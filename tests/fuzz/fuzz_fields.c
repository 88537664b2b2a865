/* The `fields` parameter and the readers of our own JSON columns: any bytes end in a selection or a
 * refusal, and a selection is never empty. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "tracker/fields.h"
#include "tracker/json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Selection) selection = fields_select(&kind_story, text, &error);
    GString *out = g_string_new("{");
    const char *value;
    gsize bytes;
    gint64 ms;

    g_assert_true((selection != NULL) == (error == NULL));
    g_assert_true(!selection || selection->picked->len > 0);
    if (json_member(text, "a", &value, &bytes)) {
        g_assert_true(value >= text && value + bytes <= text + size);
    }
    json_splice(out, text);
    json_append_millis(out, text);
    json_text(out, (const char *)data, size);
    (void)json_time_parse(text, &ms);
    (void)g_string_free(out, TRUE);
    return 0;
}

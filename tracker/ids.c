/* Such lists are short: people and labels of a story. They are searched from the front. */
#include "tracker/ids.h"

GArray *
ids_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(gint64));
}

int
ids_find(const GArray *ids, gint64 id)
{
    for (guint i = 0; i < ids->len; i++) {
        if (g_array_index(ids, gint64, i) == id) {
            return (int)i;
        }
    }
    return -1;
}

gboolean
ids_has(const GArray *ids, gint64 id)
{
    return ids_find(ids, id) >= 0;
}

void
ids_add(GArray *ids, gint64 id)
{
    if (!ids_has(ids, id)) {
        g_array_append_val(ids, id);
    }
}

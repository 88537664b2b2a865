/* A mention begins at "@" where no word goes on ("ada@example.org" is none), and is as long a run
 * of letters, digits, "_", "-" and "." as is somebody's user name: the dot that ends a sentence is
 * tried as part of it first, then left out. */
#include "tracker/mentions.h"

#include <string.h>

#include "tracker/ids.h"
#include "tracker/rows.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
#define MAX_NAME_BYTES 100
#define MAX_MENTIONS 100

static gint64
member_named(Call *call, gint64 project_id, const char *name)
{
    return row_int(call->conn,
                   "SELECT p.id FROM person p JOIN membership m ON m.person_id = p.id"
                   " WHERE p.username = ?1 AND m.project_id = ?2 AND m.role <> 'inactive'",
                   "ti", name, project_id);
}

GArray *
mentions_in(Call *call, gint64 project_id, const char *text)
{
    GArray *ids = ids_new();
    const char *at = text ? strchr(text, '@') : NULL;

    for (; at && ids->len < MAX_MENTIONS; at = strchr(at + 1, '@')) {
        gsize bytes = MIN(strspn(at + 1, NAME_CHARS), MAX_NAME_BYTES);
        g_autofree char *name = g_strndup(at + 1, bytes);
        gint64 id;

        if (bytes == 0 || (at > text && (g_ascii_isalnum(at[-1]) || (guchar)at[-1] >= 0x80))) {
            continue;
        }
        id = member_named(call, project_id, name);
        while (!id && bytes > 1 && name[bytes - 1] == '.') {
            name[--bytes] = '\0';
            id = member_named(call, project_id, name);
        }
        if (id) {
            ids_add(ids, id);
        }
    }
    return ids;
}

/* Making, freeing, and telling listings apart. */
#include "fs/handle.h"

#include "cache/base/digest.h"

#include <string.h>
#include <unistd.h>

Handle *
handle_new(guint64 number)
{
    Handle *handle = g_new0(Handle, 1);
    atomic_init(&handle->references, 1);
    handle->number = number;
    handle->fd = -1;
    return handle;
}

Handle *
handle_ref(Handle *handle)
{
    atomic_fetch_add(&handle->references, 1);
    return handle;
}

void
handle_unref(Handle *handle)
{
    if (!handle || atomic_fetch_sub(&handle->references, 1) > 1) {
        return;
    }
    content_clear(&handle->content);
    draft_unref(handle->draft);
    listing_clear(&handle->listing);
    scene_clear(&handle->scene);
    g_free(handle->cookies);
    if (handle->fd >= 0) {
        (void)close(handle->fd);
    }
    g_free(handle);
}

guint64
handle_listing_digest(const Listing *listing)
{
    guint64 digest = listing->entries->len;
    for (guint i = 0; i < listing->entries->len; i++) {
        const ListEntry *entry = &g_array_index(listing->entries, ListEntry, i);
        const gint64 numbers[] = {(gint64)entry->key.kind, entry->key.id, entry->key.sub};
        digest = digest_bytes(numbers, sizeof(numbers), digest);
        digest = digest_bytes(entry->name, strlen(entry->name), digest);
    }
    return digest;
}

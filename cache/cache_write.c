/* The writing side of the door: hands on to saving*.c, or says that nothing is written here. */
#include "cache/cache_private.h"

#include "cache/base/err.h"

static gboolean
is_read_only(const Cache *cache, GError **error)
{
    if (!cache->saving) {
        g_set_error(error, ERR, ERR_UNSUPPORTED, "this is mounted read-only");
    }
    return !cache->saving;
}

gint64
cache_submit(Cache *cache, const EditTarget *target, const Text *base, const Text *mine,
             GError **error)
{
    return is_read_only(cache, error) ? 0 : saving_submit(cache->saving, target, base, mine, error);
}

EditVerdict
cache_edit_verdict(Cache *cache, gint64 number, gboolean last, gint64 *ret_id, GError **error)
{
    return is_read_only(cache, error) ? EDIT_REFUSED
                                      : saving_verdict(cache->saving, number, last, ret_id, error);
}

gint64
cache_resolve_id(Cache *cache, gint64 id)
{
    return cache->saving ? overlay_resolve(saving_overlay(cache->saving), id) : id;
}

int
cache_spool_new(Cache *cache, char **ret_name, GError **error)
{
    return is_read_only(cache, error) ? -1 : saving_spool_new(cache->saving, ret_name, error);
}

void
cache_spool_drop(Cache *cache, const char *name)
{
    if (cache->saving) {
        saving_spool_drop(cache->saving, name);
    }
}

gboolean
cache_may_write(Cache *cache, gint64 project_id)
{
    return cache->saving && saving_may_write(cache->saving, project_id);
}

char *
cache_dup_error(Cache *cache, EditOwner owner, gint64 id)
{
    return cache->saving ? saving_dup_error(cache->saving, owner, id) : NULL;
}

void
cache_set_error(Cache *cache, EditOwner owner, gint64 id, const char *text)
{
    if (cache->saving) {
        saving_set_error(cache->saving, owner, id, text);
    }
}

gint64
cache_get_conflict(Cache *cache, EditOwner owner, gint64 id, EditSide side, Text *ret_text)
{
    return cache->saving ? saving_get_conflict(cache->saving, owner, id, side, ret_text) : 0;
}

GPtrArray *
cache_list_earlier_conflicts(Cache *cache, EditOwner owner, gint64 id)
{
    return cache->saving ? saving_list_earlier_conflicts(cache->saving, owner, id) : NULL;
}

void
cache_note_conflict_read(Cache *cache, EditOwner owner, gint64 id)
{
    if (cache->saving) {
        saving_note_conflict_read(cache->saving, owner, id);
    }
}

gboolean
cache_drop_conflict(Cache *cache, EditOwner owner, gint64 id, GError **error)
{
    return !is_read_only(cache, error) && saving_drop_conflict(cache->saving, owner, id, error);
}

GPtrArray *
cache_list_edits(Cache *cache)
{
    return cache->saving ? saving_list(cache->saving)
                         : g_ptr_array_new_with_free_func((GDestroyNotify)edit_status_free);
}

guint
cache_count_edits(Cache *cache, guint *ret_parked)
{
    if (ret_parked) {
        *ret_parked = 0;
    }
    return cache->saving ? saving_count(cache->saving, ret_parked) : 0;
}

char *
cache_show_edit(Cache *cache, gint64 number)
{
    return cache->saving ? saving_show(cache->saving, number) : NULL;
}

gboolean
cache_retry_edit(Cache *cache, gint64 number, GError **error)
{
    return !is_read_only(cache, error) && saving_retry(cache->saving, number, error);
}

gboolean
cache_drop_edit(Cache *cache, gint64 number, GError **error)
{
    return !is_read_only(cache, error) && saving_drop(cache->saving, number, error);
}

guint
cache_drain(Cache *cache, gint64 timeout_ms, CacheDrainFn progress, gpointer user)
{
    return cache->saving ? saving_drain(cache->saving, timeout_ms, progress, user) : 0;
}

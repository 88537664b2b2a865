/* A page that is kept with exactly these stories is the answer as it is. Otherwise what is kept of
 * them is copied, the others are written, and the whole is kept as a new page: unless it is just a
 * part of one. A page of which nothing is kept is written straight into its place. */
#include "tracker/story_list.h"

#include "tracker/json_writer.h"
#include "tracker/schema_shown.h"
#include "tracker/story_form.h"

typedef struct List {
    Render *render;
    Selection *selection;
    const gint64 *ids;
    gsize n_ids;
    gint64 *numbers;         /* owned */
    const StorySlot **found; /* owned, with a reference to the page of each that is not NULL */
    GString *text;           /* owned, until it is the page's */
    GArray *slots;           /* of StorySlot; owned */
} List;

static void
list_clear(List *list)
{
    for (gsize i = 0; i < list->n_ids; i++) {
        if (list->found[i]) {
            story_page_unref(list->found[i]->page);
        }
    }
    g_free(list->numbers);
    g_free(list->found);
    if (list->text) {
        (void)g_string_free(list->text, TRUE);
    }
    g_array_unref(list->slots);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(List, list_clear)

/* -1 where there is no such story. */
static void
read_numbers(List *list)
{
    g_autofree char *json = render_ids_json(list->ids, list->n_ids);
    g_autoptr(DbStmt) stmt = db_prepare(
        list->render->conn, "SELECT COALESCE(s.number + every.number, -1) FROM json_each(?1) asked"
                            " CROSS JOIN story_shown every"
                            " LEFT JOIN story_shown s ON s.story_id = asked.value"
                            " WHERE every.story_id = " SHOWN_ALL " ORDER BY asked.key");

    db_bind_text(stmt, 1, json);
    for (gsize i = 0; i < list->n_ids; i++) {
        list->numbers[i] = db_next(stmt) ? db_int(stmt, 0) : -1;
    }
}

static void
note_slot(List *list, gsize i, gsize start)
{
    StorySlot slot = {list->ids[i], list->numbers[i], start, list->text->len, NULL};

    g_array_append_val(list->slots, slot);
}

static void
copy_story(List *list, gsize i, const char *text, gsize bytes)
{
    gsize start;

    json_separate(list->text);
    start = list->text->len;
    json_append(list->text, text, bytes);
    note_slot(list, i, start);
}

static void
write_all(List *list)
{
    g_autoptr(Pieces) pieces =
        render_each(list->render, list->selection, list->ids, list->n_ids, list->text);

    for (gsize i = 0; i < list->n_ids; i++) {
        gsize start, end;

        if (pieces_find(pieces, list->ids[i], &start, &end)) {
            StorySlot slot = {list->ids[i], list->numbers[i], start, end, NULL};

            g_array_append_val(list->slots, slot);
        }
    }
}

/* Writes those that were not found into a text of their own. */
static Pieces *
write_others(List *list, GString *text)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));

    for (gsize i = 0; i < list->n_ids; i++) {
        if (!list->found[i]) {
            g_array_append_val(ids, list->ids[i]);
        }
    }
    return render_each(list->render, list->selection, (const gint64 *)(const void *)ids->data,
                       ids->len, text);
}

static void
merge(List *list)
{
    g_autoptr(GString) others = g_string_new(NULL);
    g_autoptr(Pieces) pieces = write_others(list, others);

    for (gsize i = 0; i < list->n_ids; i++) {
        const StorySlot *slot = list->found[i];
        gsize start, end;

        if (slot) {
            copy_story(list, i, slot->page->text.str + slot->start, slot->end - slot->start);
        } else if (pieces_find(pieces, list->ids[i], &start, &end)) {
            copy_story(list, i, others->str + start, end - start);
        }
    }
}

/* What is found, by how much of it there is. */
static void
look_at_found(const List *list, gsize *ret_n_found, gsize *ret_bytes, StoryPage **ret_only)
{
    gsize n = 0, bytes = 0;
    StoryPage *only = NULL;
    gboolean many = FALSE;

    for (gsize i = 0; i < list->n_ids; i++) {
        const StorySlot *slot = list->found[i];

        if (slot) {
            n++;
            bytes += slot->end - slot->start + 1;
            many = many || (only && only != slot->page);
            only = slot->page;
        }
    }
    *ret_n_found = n;
    *ret_bytes = bytes;
    *ret_only = many ? NULL : only;
}

/* Is it the page with all of these and no others? */
static gboolean
is_whole(const List *list, const StoryPage *page)
{
    if (page->n_slots != list->n_ids) {
        return FALSE;
    }
    for (gsize i = 0; i < list->n_ids; i++) {
        if (list->found[i] != &page->slots[i]) {
            return FALSE;
        }
    }
    return TRUE;
}

/* May it be kept? Not when the database failed in the middle, or does not know one of the stories.
 */
static gboolean
is_sound(const List *list)
{
    for (guint i = 0; i < list->slots->len; i++) {
        if (g_array_index(list->slots, StorySlot, i).number < 0) {
            return FALSE;
        }
    }
    return list->slots->len > 0 && db_check(list->render->conn, NULL);
}

static StoryPage *
make_page(Render *render, Selection *selection, const char *form, const gint64 *ids, gsize n_ids,
          guint *ret_n)
{
    g_auto(List) list = {
        .render = render,
        .selection = selection,
        .ids = ids,
        .n_ids = n_ids,
        .numbers = g_new(gint64, n_ids),
        .found = g_new0(const StorySlot *, n_ids),
        .slots = g_array_sized_new(FALSE, FALSE, sizeof(StorySlot), (guint)n_ids),
    };
    gsize n_found, found_bytes, story_bytes;
    StoryPage *page, *only;

    read_numbers(&list);
    story_bytes = story_pages_find(render->pages, form, ids, list.numbers, n_ids, list.found);
    look_at_found(&list, &n_found, &found_bytes, &only);
    if (only && is_whole(&list, only)) {
        *ret_n = (guint)n_ids;
        return story_page_ref(only);
    }
    /* An eighth more, so that pages a little above the average need not grow, either. */
    list.text = g_string_sized_new(found_bytes + (n_ids - n_found) * (story_bytes * 9 / 8) + 2);
    g_string_append_c(list.text, '[');
    if (n_found == 0) {
        write_all(&list);
    } else {
        merge(&list);
    }
    g_string_append_c(list.text, ']');
    page = story_page_new(g_steal_pointer(&list.text),
                          (const StorySlot *)(const void *)list.slots->data, list.slots->len);
    if (is_sound(&list) && (n_found < n_ids || !only)) {
        story_pages_keep(render->pages, form, page);
    }
    *ret_n = list.slots->len;
    return page;
}

StoryPage *
story_list_page(Render *render, Selection *selection, const gint64 *ids, gsize n_ids, guint *ret_n)
{
    g_autofree char *form = render->pages && selection->kind == &kind_story && n_ids > 0
                                ? story_form(render, selection)
                                : NULL;

    return form ? make_page(render, selection, form, ids, n_ids, ret_n) : NULL;
}

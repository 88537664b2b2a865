/* A shelf for each form says for each story which slot of which page has it; all pages of all
 * shelves are in one queue, last used first. Under the lock nothing happens but look-ups and moving
 * references: texts are made, copied and freed outside. */
#include "tracker/story_pages.h"

#include <pthread.h>
#include <string.h>

#include "tracker/lock.h"

/* What a node of a table and the blocks of a shelf cost beside what they hold. */
#define NODE_BYTES 40
#define SHELF_BYTES 512
/* What a page counts for its packed form, made or not: JSON of stories takes a fifth. */
#define PACKED_BYTES(text_bytes) ((text_bytes) / 3)

typedef struct Shelf {
    char *form;
    GHashTable *by_id; /* StorySlot.id → StorySlot, of a page in the queue */
    gsize story_bytes; /* on the average, in the last page */
} Shelf;

typedef struct Page {
    StoryPage page;
    int references; /* atomic */
    Shelf *shelf;   /* this and the rest: protected by the lock of the memory */
    gsize n_newest;
    GList link;
} Page;

struct StoryPages {
    gsize max_bytes; /* const after new */
    pthread_mutex_t lock;
    GHashTable *shelves; /* form → Shelf; protected by lock */
    GQueue used;         /* of Page; protected by lock */
    gsize bytes;         /* protected by lock */
};

/* What left the memory under the lock, to be freed after it. */
typedef struct Leavings {
    GPtrArray *pages, *shelves;
} Leavings;

static void
shelf_free(gpointer data)
{
    Shelf *shelf = data;

    g_hash_table_unref(shelf->by_id);
    g_free(shelf->form);
    g_free(shelf);
}

static void
page_unref_data(gpointer data)
{
    story_page_unref(data);
}

static Leavings
leavings_new(void)
{
    return (Leavings){g_ptr_array_new_with_free_func(page_unref_data),
                      g_ptr_array_new_with_free_func(shelf_free)};
}

static void
leavings_free(Leavings *leavings)
{
    g_ptr_array_unref(leavings->pages);
    g_ptr_array_unref(leavings->shelves);
}

StoryPage *
story_page_new(GString *text, const StorySlot *slots, gsize n_slots)
{
    Page *made = g_new0(Page, 1);
    StoryPage *page = &made->page;
    gsize bytes = text->len + 1;

    /* It grew by doubling. */
    page->text = (GString){NULL, text->len, bytes};
    page->text.str = g_realloc(g_string_free(text, FALSE), bytes);
    digest_text(page->text.str, page->text.len, page->digest);
    page->n_slots = n_slots;
    page->slots = g_memdup2(slots, n_slots * sizeof *slots);
    for (gsize i = 0; i < n_slots; i++) {
        page->slots[i].page = page;
    }
    made->references = 1;
    made->link.data = made;
    return page;
}

StoryPage *
story_page_ref(StoryPage *page)
{
    g_atomic_int_inc(&((Page *)page)->references);
    return page;
}

void
story_page_unref(StoryPage *page)
{
    Page *made = (Page *)page;

    if (made && g_atomic_int_dec_and_test(&made->references)) {
        if (page->packed) {
            (void)g_string_free(page->packed, TRUE);
        }
        g_free(page->text.str);
        g_free(page->slots);
        g_free(made);
    }
}

const GString *
story_page_packed(StoryPage *page, StoryPagePackFn pack, GString **ret_own)
{
    GString *packed = g_atomic_pointer_get(&page->packed);

    if (packed) {
        return packed;
    }
    packed = pack(&page->text);
    if (!packed) {
        return NULL;
    }
    packed->str = g_realloc(packed->str, packed->len + 1);
    packed->allocated_len = packed->len + 1;
    if (packed->len > PACKED_BYTES(page->text.len) ||
        !g_atomic_pointer_compare_and_exchange(&page->packed, NULL, packed)) {
        *ret_own = packed;
    }
    return packed;
}

StoryPages *
story_pages_new(gsize max_bytes)
{
    StoryPages *pages = g_new0(StoryPages, 1);

    pages->max_bytes = max_bytes;
    pages->shelves = g_hash_table_new(g_str_hash, g_str_equal);
    (void)pthread_mutex_init(&pages->lock, NULL);
    return pages;
}

static gsize
page_bytes(const Page *made)
{
    return sizeof *made + made->page.text.allocated_len + PACKED_BYTES(made->page.text.len) +
           made->page.n_slots * (sizeof(StorySlot) + NODE_BYTES);
}

static gsize
shelf_bytes(const Shelf *shelf)
{
    return sizeof *shelf + strlen(shelf->form) + SHELF_BYTES;
}

/* With the lock held. None of its slots is the newest of its story any more. */
static void
remove_page(StoryPages *pages, Page *made, Leavings *leavings)
{
    Shelf *shelf = made->shelf;

    g_queue_unlink(&pages->used, &made->link);
    pages->bytes -= page_bytes(made);
    made->shelf = NULL;
    g_ptr_array_add(leavings->pages, &made->page);
    if (g_hash_table_size(shelf->by_id) == 0) {
        (void)g_hash_table_remove(pages->shelves, shelf->form);
        pages->bytes -= shelf_bytes(shelf);
        g_ptr_array_add(leavings->shelves, shelf);
    }
}

/* With the lock held. */
static void
remove_oldest(StoryPages *pages, Leavings *leavings)
{
    Page *made = pages->used.tail->data;

    for (gsize i = 0; i < made->page.n_slots; i++) {
        StorySlot *slot = &made->page.slots[i];

        if (g_hash_table_lookup(made->shelf->by_id, &slot->id) == slot) {
            (void)g_hash_table_remove(made->shelf->by_id, &slot->id);
        }
    }
    remove_page(pages, made, leavings);
}

void
story_pages_free(StoryPages *pages)
{
    Leavings leavings;

    if (!pages) {
        return;
    }
    leavings = leavings_new();
    while (pages->used.tail) {
        remove_oldest(pages, &leavings);
    }
    leavings_free(&leavings);
    g_hash_table_unref(pages->shelves);
    (void)pthread_mutex_destroy(&pages->lock);
    g_free(pages);
}

/* With the lock held. */
static void
use_page(StoryPages *pages, Page *made)
{
    g_queue_unlink(&pages->used, &made->link);
    g_queue_push_head_link(&pages->used, &made->link);
}

gsize
story_pages_find(StoryPages *pages, const char *form, const gint64 *ids, const gint64 *numbers,
                 gsize n, const StorySlot **ret_found)
{
    TRACKER_LOCK(&pages->lock);
    const Shelf *shelf = g_hash_table_lookup(pages->shelves, form);
    const StoryPage *last = NULL;

    for (gsize i = 0; i < n; i++) {
        const StorySlot *slot = shelf ? g_hash_table_lookup(shelf->by_id, &ids[i]) : NULL;

        ret_found[i] = slot && slot->number == numbers[i] ? slot : NULL;
        if (ret_found[i]) {
            (void)story_page_ref(slot->page);
            if (slot->page != last) {
                use_page(pages, (Page *)slot->page);
                last = slot->page;
            }
        }
    }
    return shelf ? shelf->story_bytes : 0;
}

/* With the lock held. */
static Shelf *
find_shelf(StoryPages *pages, const char *form)
{
    Shelf *shelf = g_hash_table_lookup(pages->shelves, form);

    if (!shelf) {
        shelf = g_new0(Shelf, 1);
        shelf->form = g_strdup(form);
        shelf->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
        (void)g_hash_table_insert(pages->shelves, shelf->form, shelf);
        pages->bytes += shelf_bytes(shelf);
    }
    return shelf;
}

/* With the lock held. The newest of a story is the one with the higher number, or the later page
 * of two with the same. */
static void
show_slot(StoryPages *pages, Page *made, StorySlot *slot, Leavings *leavings)
{
    GHashTable *by_id = made->shelf->by_id;
    StorySlot *known = g_hash_table_lookup(by_id, &slot->id);

    if (known && known->number > slot->number) {
        return;
    }
    (void)g_hash_table_replace(by_id, &slot->id, slot);
    made->n_newest++;
    if (known) {
        Page *older = (Page *)known->page;

        older->n_newest--;
        if (older->n_newest == 0 && older != made) {
            remove_page(pages, older, leavings);
        }
    }
}

static void
keep(StoryPages *pages, const char *form, Page *made, Leavings *leavings)
{
    TRACKER_LOCK(&pages->lock);

    made->shelf = find_shelf(pages, form);
    made->shelf->story_bytes = made->page.text.len / made->page.n_slots;
    (void)story_page_ref(&made->page);
    g_queue_push_head_link(&pages->used, &made->link);
    pages->bytes += page_bytes(made);
    for (gsize i = 0; i < made->page.n_slots; i++) {
        show_slot(pages, made, &made->page.slots[i], leavings);
    }
    if (made->n_newest == 0) {
        remove_page(pages, made, leavings);
    }
    while (pages->bytes > pages->max_bytes) {
        remove_oldest(pages, leavings);
    }
}

void
story_pages_keep(StoryPages *pages, const char *form, StoryPage *page)
{
    Page *made = (Page *)page;

    if (page_bytes(made) <= pages->max_bytes / 2) {
        Leavings leavings = leavings_new();

        keep(pages, form, made, &leavings);
        leavings_free(&leavings);
    }
}

gsize
story_pages_bytes(StoryPages *pages)
{
    TRACKER_LOCK(&pages->lock);

    return pages->bytes;
}

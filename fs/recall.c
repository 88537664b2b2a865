/* Reads are kept by thread, as FUSE names it, so that an ordinary open costs no look into /proc;
 * who asks for them later gives his process, and there the threads are compared. Each reader has
 * its own short list, so that a `grep -r` of a whole project drives out nobody else's. */
#include "fs/recall.h"

#include "cache/base/lock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Read {
    guint64 number;
    GBytes *bytes;
} Read;

typedef struct Reader {
    gint64 thread;
    GQueue reads; /* Read *, the latest first */
} Reader;

typedef struct Pin {
    guint64 number, digest;
    RecallPin pin;
} Pin;

struct Recall {
    pthread_mutex_t lock;
    GQueue readers;     /* Reader *, the latest first; protected by lock, like the next */
    GQueue pins;        /* Pin *, the latest first */
    atomic_uint n_pins; /* to be read without the lock */
};

static void
free_read(gpointer data)
{
    Read *read = data;
    g_bytes_unref(read->bytes);
    g_free(read);
}

static void
free_reader(gpointer data)
{
    Reader *reader = data;
    g_queue_clear_full(&reader->reads, free_read);
    g_free(reader);
}

static void
free_pin(gpointer data)
{
    Pin *pin = data;
    g_clear_pointer(&pin->pin.bytes, g_bytes_unref);
    g_free(pin);
}

Recall *
recall_new(void)
{
    Recall *recall = g_new0(Recall, 1);
    (void)pthread_mutex_init(&recall->lock, NULL);
    g_queue_init(&recall->readers);
    g_queue_init(&recall->pins);
    return recall;
}

void
recall_free(Recall *recall)
{
    if (!recall) {
        return;
    }
    g_queue_clear_full(&recall->readers, free_reader);
    g_queue_clear_full(&recall->pins, free_pin);
    (void)pthread_mutex_destroy(&recall->lock);
    g_free(recall);
}

/* The reader, moved to the front; made if need be. */
static Reader *
reader_locked(Recall *recall, gint64 thread)
{
    for (GList *at = recall->readers.head; at; at = at->next) {
        Reader *reader = at->data;
        if (reader->thread == thread) {
            g_queue_unlink(&recall->readers, at);
            g_queue_push_head_link(&recall->readers, at);
            return reader;
        }
    }
    if (recall->readers.length >= RECALL_READERS) {
        free_reader(g_queue_pop_tail(&recall->readers));
    }
    Reader *reader = g_new0(Reader, 1);
    reader->thread = thread;
    g_queue_init(&reader->reads);
    g_queue_push_head(&recall->readers, reader);
    return reader;
}

static void
forget_read(Reader *reader, guint64 number)
{
    for (GList *at = reader->reads.head; at; at = at->next) {
        if (((Read *)at->data)->number == number) {
            free_read(at->data);
            g_queue_delete_link(&reader->reads, at);
            return;
        }
    }
}

void
recall_read(Recall *recall, guint64 number, gint64 thread, GBytes *bytes)
{
    LOCK_SCOPE(&recall->lock);
    Reader *reader = reader_locked(recall, thread);
    forget_read(reader, number);
    if (reader->reads.length >= RECALL_READS) {
        free_read(g_queue_pop_tail(&reader->reads));
    }
    Read *read = g_new0(Read, 1);
    read->number = number;
    read->bytes = g_bytes_ref(bytes);
    g_queue_push_head(&reader->reads, read);
}

gint64
recall_process(gint64 thread)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/status", thread);
    g_autofree char *text = NULL;
    if (thread <= 0 || !g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    const char *line = strstr(text, "\nTgid:");
    return line ? g_ascii_strtoll(line + strlen("\nTgid:"), NULL, 10) : 0;
}

gboolean
recall_process_lives(gint64 process)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/status", process);
    g_autofree char *text = NULL;
    return process > 0 && g_file_get_contents(path, &text, NULL, NULL) &&
           !strstr(text, "\nState:\tZ") && !strstr(text, "\nState:\tX");
}

static gboolean
is_thread_of(gint64 thread, gint64 process)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%" G_GINT64_FORMAT "/task/%" G_GINT64_FORMAT, process, thread);
    return access(path, F_OK) == 0;
}

/* What each thread saw of the file: two arrays side by side, the latest reader first. */
static void
collect(Recall *recall, guint64 number, GArray *threads, GPtrArray *bytes)
{
    LOCK_SCOPE(&recall->lock);
    for (GList *at = recall->readers.head; at; at = at->next) {
        const Reader *reader = at->data;
        for (GList *each = reader->reads.head; each; each = each->next) {
            const Read *read = each->data;
            if (read->number == number) {
                g_array_append_val(threads, reader->thread);
                g_ptr_array_add(bytes, g_bytes_ref(read->bytes));
            }
        }
    }
}

GBytes *
recall_seen(Recall *recall, guint64 number, gint64 thread)
{
    g_autoptr(GArray) threads = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GPtrArray) bytes = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    collect(recall, number, threads, bytes);
    gint64 process = 0;
    for (guint i = 0; i < threads->len; i++) {
        const gint64 reader = g_array_index(threads, gint64, i);
        if (reader == thread) {
            return g_bytes_ref(g_ptr_array_index(bytes, i));
        }
        process = process ? process : recall_process(thread);
        if (process > 0 && is_thread_of(reader, process)) {
            return g_bytes_ref(g_ptr_array_index(bytes, i));
        }
    }
    return NULL;
}

GBytes *
recall_seen_by_anyone(Recall *recall, guint64 number)
{
    g_autoptr(GArray) threads = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GPtrArray) bytes = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    collect(recall, number, threads, bytes);
    return bytes->len > 0 ? g_bytes_ref(g_ptr_array_index(bytes, 0)) : NULL;
}

static GList *
find_pin_locked(Recall *recall, guint64 number)
{
    for (GList *at = recall->pins.head; at; at = at->next) {
        if (((Pin *)at->data)->number == number) {
            return at;
        }
    }
    return NULL;
}

static void
drop_pin_locked(Recall *recall, GList *at)
{
    if (at) {
        free_pin(at->data);
        g_queue_delete_link(&recall->pins, at);
        atomic_store(&recall->n_pins, recall->pins.length);
    }
}

void
recall_pin(Recall *recall, guint64 number, guint64 digest, const RecallPin *pin)
{
    LOCK_SCOPE(&recall->lock);
    drop_pin_locked(recall, find_pin_locked(recall, number));
    if (recall->pins.length >= RECALL_PINS) {
        drop_pin_locked(recall, recall->pins.tail);
    }
    Pin *kept = g_new0(Pin, 1);
    *kept = (Pin){.number = number, .digest = digest, .pin = *pin};
    if (pin->bytes) {
        kept->pin.bytes = g_bytes_ref(pin->bytes);
    }
    g_queue_push_head(&recall->pins, kept);
    atomic_store(&recall->n_pins, recall->pins.length);
}

gboolean
recall_has_pin(Recall *recall, guint64 number)
{
    if (atomic_load(&recall->n_pins) == 0) {
        return FALSE;
    }
    LOCK_SCOPE(&recall->lock);
    return find_pin_locked(recall, number) != NULL;
}

gboolean
recall_pinned(Recall *recall, guint64 number, guint64 digest, RecallPin *ret_pin)
{
    LOCK_SCOPE(&recall->lock);
    GList *at = find_pin_locked(recall, number);
    const Pin *pin = at ? at->data : NULL;
    if (!pin) {
        return FALSE;
    }
    if (pin->digest != digest) {
        drop_pin_locked(recall, at);
        return FALSE;
    }
    *ret_pin = pin->pin;
    if (pin->pin.bytes) {
        ret_pin->bytes = g_bytes_ref(pin->pin.bytes);
    }
    return TRUE;
}

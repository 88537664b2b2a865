/* Attachment files on disk.
 *
 * The table of what is here is read from the folder once, at start; a file's access time is ours to
 * set (utimensat at each open), so that the order of use survives a restart on file systems mounted
 * noatime. */
#include "cache/attachments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "cache/base/clock.h"
#include "cache/base/err.h"
#include "cache/base/lock.h"

/* An attachment may take longer than its reader waits: at this pace or better, after a slow start,
 * it goes on arriving, so that the next reader finds it. Given up too early it would be begun again
 * for each reader, and arrive for none. */
#define SLOWEST_BYTES_PER_MS 1
#define SLOW_START_MS 10000

typedef struct {
    gint64 id, bytes, used_ms;
} Kept;

typedef struct {
    AttachmentsDoneFn done;
    gpointer user;
} Waiter;

typedef struct {
    Attachments *attachments;
    gint64 id, size_bytes;
    int fd;
    GArray *waiters; /* of Waiter; protected by the lock */
} Fetch;

struct Attachments {
    char *directory;
    gint64 limit_bytes;
    pthread_mutex_t lock;
    GHashTable *kept;    /* gint64 id -> Kept; protected by lock */
    GHashTable *fetches; /* gint64 id -> Fetch, owned by the request under way; protected by lock */
    gint64 bytes;        /* sum of kept; protected by lock */
};

static char *
path_of(const Attachments *attachments, gint64 id, const char *suffix)
{
    return g_strdup_printf("%s/%" G_GINT64_FORMAT "%s", attachments->directory, id, suffix);
}

static void
set_system_error(GError **error, int code, const char *path)
{
    gboolean full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    g_set_error(error, ERR, full ? ERR_NO_SPACE : ERR_LOCAL, "%s: %s", path, g_strerror(code));
}

static void
keep_locked(Attachments *attachments, gint64 id, gint64 bytes, gint64 used_ms)
{
    Kept *kept = g_new(Kept, 1);
    *kept = (Kept){id, bytes, used_ms};
    const Kept *old = g_hash_table_lookup(attachments->kept, &id);
    attachments->bytes += bytes - (old ? old->bytes : 0);
    (void)g_hash_table_replace(attachments->kept, &kept->id, kept);
}

static void
read_folder(Attachments *attachments)
{
    g_autoptr(GDir) folder = g_dir_open(attachments->directory, 0, NULL);
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        g_autofree char *path = g_build_filename(attachments->directory, name, NULL);
        GStatBuf info;
        gint64 id;
        if (g_str_has_suffix(name, ".part")) {
            (void)g_unlink(path);
        } else if (g_ascii_string_to_signed(name, 10, 1, G_MAXINT64, &id, NULL) &&
                   g_stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            keep_locked(attachments, id, info.st_size, (gint64)info.st_atim.tv_sec * 1000);
        }
    }
}

Attachments *
attachments_open(const char *directory, gint64 limit_bytes, GError **error)
{
    if (g_mkdir_with_parents(directory, 0700) != 0) {
        set_system_error(error, errno, directory);
        return NULL;
    }
    Attachments *attachments = g_new0(Attachments, 1);
    attachments->directory = g_strdup(directory);
    attachments->limit_bytes = limit_bytes;
    attachments->kept = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    attachments->fetches = g_hash_table_new(g_int64_hash, g_int64_equal);
    (void)pthread_mutex_init(&attachments->lock, NULL);
    read_folder(attachments);
    return attachments;
}

void
attachments_close(Attachments *attachments)
{
    if (!attachments) {
        return;
    }
    g_assert(g_hash_table_size(attachments->fetches) == 0);
    g_hash_table_unref(attachments->kept);
    g_hash_table_unref(attachments->fetches);
    (void)pthread_mutex_destroy(&attachments->lock);
    g_free(attachments->directory);
    g_free(attachments);
}

/* A crash of the machine can leave a file under its name without its bytes. */
static gboolean
is_whole(int fd, const Attachment *attachment)
{
    struct stat info;
    return fstat(fd, &info) == 0 &&
           (attachment->size_bytes <= 0 || info.st_size == attachment->size_bytes);
}

int
attachments_open_file(Attachments *attachments, const Attachment *attachment)
{
    const gint64 id = attachment->id;
    static const struct timespec now_and_unchanged[] = {{.tv_nsec = UTIME_NOW},
                                                        {.tv_nsec = UTIME_OMIT}};
    {
        LOCK_SCOPE(&attachments->lock);
        Kept *kept = g_hash_table_lookup(attachments->kept, &id);
        if (!kept) {
            return -1;
        }
        kept->used_ms = clock_wall_ms();
    }
    g_autofree char *path = path_of(attachments, id, "");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && is_whole(fd, attachment)) {
        (void)futimens(fd, now_and_unchanged);
        return fd;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    /* Someone emptied the folder, or the file: it is a cache, and is fetched again. */
    LOCK_SCOPE(&attachments->lock);
    const Kept *gone = g_hash_table_lookup(attachments->kept, &id);
    if (gone) {
        attachments->bytes -= gone->bytes;
        (void)g_hash_table_remove(attachments->kept, &id);
    }
    return -1;
}

static int
compare_use(const void *a, const void *b)
{
    const Kept *left = *(Kept *const *)a;
    const Kept *right = *(Kept *const *)b;
    if (left->used_ms != right->used_ms) {
        return left->used_ms < right->used_ms ? -1 : 1;
    }
    return (left->id > right->id) - (left->id < right->id);
}

/* Takes the least recently used out of the table until the rest and `incoming` fit. Returns their
 * ids. */
static GArray *
choose_victims_locked(Attachments *attachments, gint64 incoming)
{
    GArray *victims = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (attachments->bytes + incoming <= attachments->limit_bytes) {
        return victims;
    }
    guint n = g_hash_table_size(attachments->kept);
    g_autofree const Kept **all = g_new(const Kept *, n + 1);
    GHashTableIter iter;
    gpointer value;
    guint i = 0;
    g_hash_table_iter_init(&iter, attachments->kept);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        all[i++] = value;
    }
    qsort(all, n, sizeof *all, compare_use);
    for (i = 0; i < n && attachments->bytes + incoming > attachments->limit_bytes; i++) {
        gint64 id = all[i]->id;
        attachments->bytes -= all[i]->bytes;
        g_array_append_val(victims, id);
        (void)g_hash_table_remove(attachments->kept, &id);
    }
    return victims;
}

static void
make_room(Attachments *attachments, gint64 incoming)
{
    g_autoptr(GArray) victims = NULL;
    {
        LOCK_SCOPE(&attachments->lock);
        victims = choose_victims_locked(attachments, incoming);
    }
    for (guint i = 0; i < victims->len; i++) {
        g_autofree char *path = path_of(attachments, g_array_index(victims, gint64, i), "");
        (void)g_unlink(path);
    }
}

void
attachments_adopt(Attachments *attachments, gint64 id, const char *from)
{
    struct stat info;
    g_autofree char *path = path_of(attachments, id, "");
    if (stat(from, &info) != 0 || info.st_size > attachments->limit_bytes) {
        return;
    }
    make_room(attachments, info.st_size);
    if (link(from, path) == 0) {
        LOCK_SCOPE(&attachments->lock);
        keep_locked(attachments, id, info.st_size, clock_wall_ms());
    }
}

/* Checks the size and gives the file its name. */
static gboolean
finish_file(Fetch *fetch, const HttpResponse *response, GError **error)
{
    struct stat info;
    g_autofree char *part = path_of(fetch->attachments, fetch->id, ".part");
    g_autofree char *path = path_of(fetch->attachments, fetch->id, "");
    if (response->status != 200) {
        g_set_error(error, ERR,
                    response->status == 404   ? ERR_NOT_FOUND
                    : response->status == 403 ? ERR_AUTH
                    : response->status == 429 ? ERR_RATE_LIMITED
                    : response->status >= 500 ? ERR_SERVER
                                              : ERR_PROTOCOL,
                    "the attachment: the server answered with status %d", response->status);
        return FALSE;
    }
    if (fstat(fetch->fd, &info) != 0) {
        set_system_error(error, errno, part);
        return FALSE;
    }
    if (fetch->size_bytes > 0 && info.st_size != fetch->size_bytes) {
        g_set_error(error, ERR, ERR_PROTOCOL,
                    "the attachment has %" G_GINT64_FORMAT
                    " bytes, announced were %" G_GINT64_FORMAT,
                    (gint64)info.st_size, fetch->size_bytes);
        return FALSE;
    }
    make_room(fetch->attachments, info.st_size);
    if (rename(part, path) != 0) {
        set_system_error(error, errno, path);
        return FALSE;
    }
    LOCK_SCOPE(&fetch->attachments->lock);
    keep_locked(fetch->attachments, fetch->id, info.st_size, clock_wall_ms());
    return TRUE;
}

static void
on_fetched(HttpResponse *response, const GError *error, gpointer user)
{
    Fetch *fetch = user;
    Attachments *attachments = fetch->attachments;
    g_autoptr(HttpResponse) owned = response;
    g_autoptr(GError) failure = error ? g_error_copy(error) : NULL;
    if (failure || !finish_file(fetch, owned, &failure)) {
        g_autofree char *part = path_of(attachments, fetch->id, ".part");
        (void)g_unlink(part);
    }
    if (fetch->fd >= 0) {
        (void)close(fetch->fd);
    }
    {
        LOCK_SCOPE(&attachments->lock);
        (void)g_hash_table_remove(attachments->fetches, &fetch->id);
    }
    for (guint i = 0; i < fetch->waiters->len; i++) {
        const Waiter *waiter = &g_array_index(fetch->waiters, Waiter, i);
        waiter->done(fetch->id, failure, waiter->user);
    }
    g_array_unref(fetch->waiters);
    g_free(fetch);
}

/* Joins a fetch under way, or makes a new one, which it returns. A fetch may have ended after the
 * caller looked for the file: then there is nothing to fetch any more. */
static Fetch *
join_or_new(Attachments *attachments, const Attachment *attachment, const Waiter *waiter,
            gboolean *ret_is_kept)
{
    LOCK_SCOPE(&attachments->lock);
    *ret_is_kept = g_hash_table_contains(attachments->kept, &attachment->id);
    if (*ret_is_kept) {
        return NULL;
    }
    Fetch *fetch = g_hash_table_lookup(attachments->fetches, &attachment->id);
    gboolean joins = fetch != NULL;
    if (!joins) {
        fetch = g_new0(Fetch, 1);
        fetch->attachments = attachments;
        fetch->id = attachment->id;
        fetch->size_bytes = attachment->size_bytes;
        fetch->fd = -1;
        fetch->waiters = g_array_new(FALSE, FALSE, sizeof(Waiter));
        (void)g_hash_table_insert(attachments->fetches, &fetch->id, fetch);
    }
    g_array_append_vals(fetch->waiters, waiter, 1);
    return joins ? NULL : fetch;
}

void
attachments_fetch(Attachments *attachments, Transport *transport, const Attachment *attachment,
                  gint64 deadline_ms, AttachmentsDoneFn done, gpointer user)
{
    const Waiter waiter = {done, user};
    gboolean is_kept;
    Fetch *fetch = join_or_new(attachments, attachment, &waiter, &is_kept);
    if (is_kept) {
        done(attachment->id, NULL, user);
    }
    if (!fetch) {
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *part = path_of(attachments, attachment->id, ".part");
    if (attachment->size_bytes > attachments->limit_bytes) {
        g_set_error(&error, ERR, ERR_TOO_LARGE,
                    "the attachment has %" G_GINT64_FORMAT
                    " bytes, more than -o attachments= allows",
                    attachment->size_bytes);
    } else if (!attachment->download_url || !*attachment->download_url) {
        g_set_error(&error, ERR, ERR_NOT_FOUND, "the service names no place to download it from");
    } else {
        fetch->fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fetch->fd < 0) {
            set_system_error(&error, errno, part);
        }
    }
    if (error) {
        on_fetched(NULL, error, fetch);
        return;
    }
    HttpRequest *request = http_request_new_get("%s", attachment->download_url);
    request->at_origin = TRUE;
    request->deadline_ms = deadline_ms;
    request->grace_ms =
        SLOW_START_MS + MIN(attachment->size_bytes, G_MAXINT32) / SLOWEST_BYTES_PER_MS;
    request->max_bytes =
        (gsize)(attachment->size_bytes > 0 ? attachment->size_bytes + 1 : attachments->limit_bytes);
    request->out_fd = fetch->fd;
    transport->send(transport, request, on_fetched, fetch);
}

gint64
attachments_bytes(Attachments *attachments)
{
    LOCK_SCOPE(&attachments->lock);
    return attachments->bytes;
}

/* fsx FILE OPERATIONS SEED MAX_BYTES TEXT: random operations on one file, each compared with a
 * model in memory.
 *
 * Reads, writes, appends, truncations, holes filled by fallocate(2), shared and private mappings,
 * copy_file_range(2), a second descriptor, dup(2), fsync(2), closing and opening again. After each
 * operation the size must be the model's; every read and mapping must show the model's bytes; now
 * and then the whole file is read through a new descriptor. With TEXT 1 what the file holds between
 * operations is a text without NUL, as it will be sent to a server when it is closed. The same seed
 * does the same operations. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Test {
    const char *path;
    int fd;
    size_t max, size;
    bool text;
    uint64_t seed, operation;
    unsigned char *model, *buffer;
    const char *what;
} Test;

static uint64_t
next(Test *test)
{
    test->seed ^= test->seed << 13;
    test->seed ^= test->seed >> 7;
    test->seed ^= test->seed << 17;
    return test->seed;
}

static size_t
below(Test *test, size_t limit)
{
    return limit ? (size_t)(next(test) % limit) : 0;
}

static void
fail(const Test *test, const char *why)
{
    (void)fprintf(stderr, "operation %" PRIu64 " (%s): %s: %s\n", test->operation, test->what, why,
                  strerror(errno));
    _Exit(1);
}

#define NEED(condition, why)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail(test, (why));                                                                     \
        }                                                                                          \
    } while (0)

static void
fill(Test *test, unsigned char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t number = next(test);
        at[i] = test->text ? (unsigned char)(number % 40 ? 'a' + number % 26 : '\n')
                           : (unsigned char)number;
    }
}

static void
expect(Test *test, const unsigned char *seen, size_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (seen[i] != test->model[offset + i]) {
            (void)fprintf(stderr, "at %zu: saw %02x, expected %02x\n", offset + i, seen[i],
                          test->model[offset + i]);
            fail(test, "other bytes than were written");
        }
    }
}

static void
write_at(Test *test, int fd, size_t offset, size_t n)
{
    fill(test, test->buffer, n);
    if (offset > test->size) {
        memset(test->model + test->size, 0, offset - test->size);
    }
    memcpy(test->model + offset, test->buffer, n);
    test->size = offset + n > test->size ? offset + n : test->size;
    NEED(pwrite(fd, test->buffer, n, (off_t)offset) == (ssize_t)n, "pwrite");
}

/* A text has no holes. */
static void
fill_hole(Test *test, size_t from)
{
    if (test->text && test->size > from) {
        const size_t end = test->size;
        write_at(test, test->fd, from, end - from);
    }
}

static void
do_read(Test *test)
{
    test->what = "read";
    const size_t offset = below(test, test->size + 1);
    const size_t n = below(test, 8192) + 1;
    const ssize_t got = pread(test->fd, test->buffer, n, (off_t)offset);
    const size_t expected = test->size - offset < n ? test->size - offset : n;
    NEED(got == (ssize_t)expected, "read another length");
    expect(test, test->buffer, offset, expected);
}

static void
do_write(Test *test)
{
    test->what = "write";
    const size_t n = below(test, 4096) + 1;
    const size_t limit = test->text ? test->size + 1 : test->max - n;
    const size_t offset = below(test, limit < test->max - n ? limit : test->max - n);
    write_at(test, test->fd, offset, n);
}

static void
do_append(Test *test)
{
    test->what = "append";
    const size_t n = below(test, 1000) + 1;
    if (test->size + n > test->max) {
        return;
    }
    const int fd = open(test->path, O_WRONLY | O_APPEND);
    NEED(fd >= 0, "open to append");
    fill(test, test->model + test->size, n);
    NEED(write(fd, test->model + test->size, n) == (ssize_t)n, "append");
    test->size += n;
    NEED(close(fd) == 0, "close after an append");
}

static void
do_truncate(Test *test)
{
    test->what = "truncate";
    const size_t size = below(test, test->max) + (test->text ? 1 : 0);
    const size_t old = test->size;
    NEED(ftruncate(test->fd, (off_t)size) == 0, "ftruncate");
    if (size > old) {
        memset(test->model + old, 0, size - old);
    }
    test->size = size;
    fill_hole(test, old);
}

static void
do_allocate(Test *test)
{
    test->what = "fallocate";
    const size_t offset = below(test, test->max / 2);
    const size_t n = below(test, test->max / 2) + 1;
    const size_t old = test->size;
    NEED(fallocate(test->fd, 0, (off_t)offset, (off_t)n) == 0, "fallocate");
    if (offset + n > old) {
        memset(test->model + old, 0, offset + n - old);
        test->size = offset + n;
    }
    fill_hole(test, old);
}

static void
do_map(Test *test, bool writes)
{
    test->what = writes ? "shared mapping" : "private mapping";
    if (test->size == 0) {
        return;
    }
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t offset = below(test, test->size) / page * page;
    const size_t n = below(test, test->size - offset) + 1;
    unsigned char *map = mmap(NULL, n, writes ? PROT_READ | PROT_WRITE : PROT_READ,
                              writes ? MAP_SHARED : MAP_PRIVATE, test->fd, (off_t)offset);
    NEED(map != MAP_FAILED, "mmap");
    expect(test, map, offset, n);
    if (writes) {
        fill(test, test->model + offset, n);
        memcpy(map, test->model + offset, n);
        if (below(test, 2)) {
            NEED(msync(map, n, MS_SYNC) == 0, "msync");
        }
    }
    NEED(munmap(map, n) == 0, "munmap");
}

static void
do_copy(Test *test)
{
    test->what = "copy_file_range";
    const size_t half = test->size / 2;
    if (half == 0) {
        return;
    }
    const size_t n = below(test, half) + 1;
    off_t from = (off_t)below(test, half - n + 1);
    off_t to = (off_t)(half + below(test, test->size - half - n + 1));
    memcpy(test->model + to, test->model + from, n);
    size_t left = n;
    while (left > 0) {
        const ssize_t done = copy_file_range(test->fd, &from, test->fd, &to, left, 0);
        NEED(done > 0, "copy_file_range");
        left -= (size_t)done;
    }
}

static void
check_all(Test *test)
{
    const int fd = open(test->path, O_RDONLY);
    NEED(fd >= 0, "open to check");
    size_t done = 0;
    for (;;) {
        const ssize_t n = pread(fd, test->buffer, test->max + 1, (off_t)done);
        NEED(n >= 0 && done + (size_t)n <= test->size, "read beyond the end");
        expect(test, test->buffer, done, (size_t)n);
        done += (size_t)n;
        if (n == 0) {
            break;
        }
    }
    NEED(done == test->size, "the file is shorter than what was written");
    NEED(close(fd) == 0, "close after a check");
}

static void
do_reopen(Test *test)
{
    test->what = "close, check, open";
    NEED(close(test->fd) == 0, "close");
    check_all(test);
    test->fd = open(test->path, O_RDWR);
    NEED(test->fd >= 0, "open");
}

static void
do_small(Test *test)
{
    switch (below(test, 4)) {
    case 0:
        test->what = "fsync";
        NEED(test->text ? fdatasync(test->fd) == 0 : fsync(test->fd) == 0, "fsync");
        break;
    case 1: {
        test->what = "dup and close";
        const int fd = dup(test->fd);
        NEED(fd >= 0 && close(fd) == 0, "dup");
        break;
    }
    case 2:
        test->what = "check";
        check_all(test);
        break;
    default:
        do_reopen(test);
        break;
    }
}

static void
step(Test *test)
{
    struct stat attributes;
    const size_t kind = below(test, 1000);
    if (kind < 300) {
        do_read(test);
    } else if (kind < 640) {
        do_write(test);
    } else if (kind < 740) {
        do_truncate(test);
    } else if (kind < 800) {
        do_allocate(test);
    } else if (kind < 880) {
        do_map(test, true);
    } else if (kind < 940) {
        do_map(test, false);
    } else if (kind < 990) {
        do_copy(test);
    } else if (!test->text || kind == 999) { /* each of these saves, when a server is asked */
        if (kind < 995) {
            do_append(test);
        } else {
            do_small(test);
        }
    }
    NEED(fstat(test->fd, &attributes) == 0 && (size_t)attributes.st_size == test->size,
         "another size");
}

int
main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: fsx FILE OPERATIONS SEED MAX_BYTES TEXT\n");
        return 2;
    }
    Test state = {.path = argv[1],
                  .seed = strtoull(argv[3], NULL, 10) * 2654435761U + 88172645463325252U,
                  .max = strtoull(argv[4], NULL, 10),
                  .text = argv[5][0] == '1',
                  .what = "begin"};
    Test *test = &state;
    const uint64_t n = strtoull(argv[2], NULL, 10);
    test->model = calloc(1, test->max + 8192);
    test->buffer = calloc(1, test->max + 8192);
    test->fd = open(test->path, O_RDWR | O_CREAT, 0644);
    NEED(test->model && test->buffer && test->fd >= 0, "open");
    NEED(ftruncate(test->fd, 0) == 0, "ftruncate");
    write_at(test, test->fd, 0, 100);
    for (test->operation = 1; test->operation <= n; test->operation++) {
        step(test);
    }
    do_reopen(test);
    NEED(close(test->fd) == 0, "the last close");
    free(test->model);
    free(test->buffer);
    return 0;
}

/* file_clock: how long single operations take, one line of microseconds for each.
 *
 *   file_clock stat|cat|save THREADS ROUNDS FILE...
 *
 * Every thread takes each THREADS-th file in turn, ROUNDS times. `save` is what an editor does in
 * place: open with O_TRUNC, write, close; the text differs each time. A failed operation ends the
 * program with status 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *operation;
static char **files;
static int n_files, n_threads, n_rounds;

static double
now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int
cat(const char *path)
{
    char buffer[65536];
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && got > 0) {
        got = read(fd, buffer, sizeof buffer);
    }
    return fd < 0 || got < 0 || close(fd) != 0 ? -1 : 0;
}

static int
save(const char *path, int thread, int round)
{
    char text[2048];
    int bytes = snprintf(text, sizeof text, "Saved at %.0f by thread %d in round %d.\n", now_us(),
                         thread, round);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t done = write(fd, text, (size_t)bytes);
    return close(fd) != 0 || done != bytes ? -1 : 0;
}

static void *
work(void *data)
{
    const int thread = (int)(long)data;
    for (int round = 0; round < n_rounds; round++) {
        for (int i = thread; i < n_files; i += n_threads) {
            struct stat status;
            const double begin = now_us();
            int failed = operation[0] == 's' && operation[1] == 't' ? lstat(files[i], &status)
                         : operation[0] == 'c'                      ? cat(files[i])
                                                                    : save(files[i], thread, round);
            const double took = now_us() - begin;
            if (failed) {
                (void)fprintf(stderr, "%s %s: %s\n", operation, files[i], strerror(errno));
                _exit(1);
            }
            (void)printf("%.1f\n", took);
        }
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    if (argc < 5 || atoi(argv[2]) < 1 || atoi(argv[2]) > 256) {
        (void)fprintf(stderr, "usage: file_clock stat|cat|save THREADS ROUNDS FILE...\n");
        return 2;
    }
    operation = argv[1];
    n_threads = atoi(argv[2]);
    n_rounds = atoi(argv[3]);
    files = argv + 4;
    n_files = argc - 4;
    pthread_t threads[256];
    for (long i = 0; i < n_threads; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < n_threads; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return 0;
}

/* scratch_calls FOLDER: what system calls do with files that editors make up, in a folder of a
 * mount.
 *
 * Names that match an editor's are files like any other: created, linked, renamed, removed, with
 * modes, times, and the errno that POSIX or Linux gives for what cannot be. Each CALL names the
 * errno it expects, 0 for success. Folders, FIFOs and devices cannot be made there: EPERM. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE "one.tmp"
#define TWO ".two.swp"
#define THREE "three~"

static void
stop(int line, const char *what, int saw)
{
    (void)fprintf(stderr, "line %d: %s: %s\n", line, what, saw ? strerror(saw) : "succeeded");
    _Exit(1);
}

#define CALL(expected, call)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        const int seen_ = (call) == -1 ? errno : 0;                                                \
        if (seen_ != (expected)) {                                                                 \
            stop(__LINE__, #call " was to give " #expected, seen_);                                \
        }                                                                                          \
    } while (0)
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            stop(__LINE__, #condition " does not hold", errno);                                    \
        }                                                                                          \
    } while (0)

static struct stat
look(const char *name)
{
    struct stat attributes;
    CALL(0, lstat(name, &attributes));
    return attributes;
}

static bool
is_there(const char *name)
{
    struct stat attributes;
    return lstat(name, &attributes) == 0;
}

static int
opened(const char *name, int flags, mode_t mode)
{
    const int fd = open(name, flags, mode);
    NEED(fd >= 0);
    return fd;
}

static void
made(const char *name, const char *text)
{
    const int fd = opened(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CALL(0, close(fd));
}

static bool
holds(const char *name, const char *text)
{
    char buffer[64] = "";
    const int fd = opened(name, O_RDONLY, 0);
    const ssize_t n = read(fd, buffer, sizeof(buffer) - 1);
    CALL(0, close(fd));
    return n == (ssize_t)strlen(text) && memcmp(buffer, text, (size_t)n) == 0;
}

static void
test_open(void)
{
    (void)umask(027);
    const int fd = opened(ONE, O_CREAT | O_EXCL | O_RDWR, 0666);
    (void)umask(0);
    NEED(look(ONE).st_mode == (S_IFREG | 0640) && look(ONE).st_uid == geteuid());
    CALL(EEXIST, open(ONE, O_CREAT | O_EXCL | O_RDWR, 0644));
    CALL(ENOTDIR, open(ONE, O_RDONLY | O_DIRECTORY));
    CALL(ENOTDIR, open(ONE "/x", O_RDONLY));
    CALL(ENOENT, open(TWO, O_RDONLY));
    CALL(0, symlink(ONE, TWO));
    CALL(ELOOP, open(TWO, O_RDONLY | O_NOFOLLOW));
    CALL(EEXIST, open(TWO, O_CREAT | O_EXCL | O_RDWR, 0644));
    char name[300] = "tmp";
    memset(name + 3, 'x', 296);
    name[255] = '\0';
    CALL(0, close(opened(name, O_CREAT | O_WRONLY, 0600)));
    CALL(0, unlink(name));
    name[255] = 'x';
    CALL(ENAMETOOLONG, open(name, O_CREAT | O_WRONLY, 0600));
    CALL(0, unlink(TWO));
    CALL(0, unlink(ONE));
    CALL(0, close(fd));
    CALL(ENOENT, unlink(ONE));
}

static void
test_access_modes(void)
{
    char byte = 'x';
    made(ONE, "text");
    const int to_read = opened(ONE, O_RDONLY, 0);
    const int to_write = opened(ONE, O_WRONLY, 0);
    CALL(EBADF, (int)write(to_read, "x", 1));
    CALL(EBADF, (int)read(to_write, &byte, 1));
    CALL(EINVAL, ftruncate(to_read, 0));
    CALL(EINVAL, ftruncate(to_write, -1));
    CALL(EINVAL, truncate(ONE, -1));
    CALL(EFBIG, (int)pwrite(to_write, "x", 1, 1LL << 40));
    NEED(look(ONE).st_size == 4);
    CALL(0, ftruncate(to_write, 6));
    NEED(pread(to_read, &byte, 1, 5) == 1 && byte == '\0');
    CALL(0, truncate(ONE, 2));
    NEED(look(ONE).st_size == 2 && pread(to_read, &byte, 1, 2) == 0);
    NEED(posix_fallocate(to_write, 0, 0) == EINVAL);
    NEED(posix_fallocate(to_write, 10, 10) == 0 && look(ONE).st_size == 20);
    CALL(0, close(to_read));
    CALL(0, close(to_write));
    const int to_append = opened(ONE, O_WRONLY | O_APPEND | O_TRUNC, 0);
    CALL(0, (int)lseek(to_append, 0, SEEK_SET));
    NEED(write(to_append, "ab", 2) == 2 && write(to_append, "cd", 2) == 2 && holds(ONE, "abcd"));
    CALL(0, close(to_append));
    CALL(0, unlink(ONE));
}

static void
test_links(void)
{
    char target[16];
    made(ONE, "one");
    CALL(0, link(ONE, THREE));
    NEED(look(ONE).st_ino == look(THREE).st_ino && look(ONE).st_nlink == 2);
    CALL(EEXIST, link(ONE, THREE));
    CALL(ENOENT, link(TWO, "other.tmp"));
    CALL(0, chmod(THREE, 0600));
    NEED((look(ONE).st_mode & 07777) == 0600);
    CALL(0, unlink(ONE));
    NEED(holds(THREE, "one") && look(THREE).st_nlink == 1);

    CALL(0, symlink("nowhere", ONE));
    NEED(S_ISLNK(look(ONE).st_mode) && look(ONE).st_size == 7);
    NEED(readlink(ONE, target, sizeof(target)) == 7 && memcmp(target, "nowhere", 7) == 0);
    CALL(EINVAL, (int)readlink(THREE, target, sizeof(target)));
    CALL(ENOENT, open(ONE, O_RDONLY));
    CALL(EEXIST, symlink("elsewhere", ONE));
    CALL(0, symlink(TWO, "loop.tmp"));
    CALL(0, symlink("loop.tmp", TWO));
    CALL(ELOOP, open(TWO, O_RDONLY));
    CALL(0, unlink("loop.tmp"));
    CALL(0, unlink(TWO));
    CALL(0, unlink(ONE));
    CALL(0, unlink(THREE));
}

static void
test_removed_while_open(void)
{
    struct stat attributes;
    char bytes[4];
    made(ONE, "one");
    const int fd = opened(ONE, O_RDWR, 0);
    CALL(0, unlink(ONE));
    NEED(!is_there(ONE));
    CALL(0, fstat(fd, &attributes));
    NEED(attributes.st_nlink == 0 && attributes.st_size == 3);
    NEED(pwrite(fd, "!", 1, 3) == 1 && pread(fd, bytes, 4, 0) == 4 &&
         memcmp(bytes, "one!", 4) == 0);
    made(ONE, "new");
    CALL(0, close(fd));
    NEED(holds(ONE, "new"));
    CALL(0, unlink(ONE));
}

static void
test_rename(void)
{
    made(ONE, "one");
    made(THREE, "three");
    const ino_t one = look(ONE).st_ino;
    const ino_t three = look(THREE).st_ino;
    CALL(0, rename(ONE, ONE));
    CALL(EEXIST, renameat2(AT_FDCWD, ONE, AT_FDCWD, THREE, RENAME_NOREPLACE));
    CALL(0, renameat2(AT_FDCWD, ONE, AT_FDCWD, THREE, RENAME_EXCHANGE));
    NEED(look(ONE).st_ino == three && look(THREE).st_ino == one);
    NEED(holds(ONE, "three") && holds(THREE, "one"));
    CALL(0, renameat2(AT_FDCWD, ONE, AT_FDCWD, TWO, RENAME_NOREPLACE));
    NEED(!is_there(ONE) && holds(TWO, "three"));
    CALL(ENOENT, rename(ONE, TWO));
    CALL(ENOENT, renameat2(AT_FDCWD, ONE, AT_FDCWD, TWO, RENAME_EXCHANGE));
    const int fd = opened(THREE, O_RDONLY, 0);
    CALL(0, rename(TWO, THREE));
    NEED(look(THREE).st_ino == three && holds(THREE, "three"));
    char bytes[4];
    NEED(pread(fd, bytes, 4, 0) == 3 && memcmp(bytes, "one", 3) == 0);
    CALL(0, close(fd));
    CALL(ENOTDIR, rename(THREE, THREE "/x"));
    /* Two names of one file: nothing happens, as POSIX has it. */
    CALL(0, link(THREE, ONE));
    CALL(0, rename(THREE, ONE));
    NEED(is_there(THREE) && is_there(ONE));
    CALL(0, unlink(THREE));
    CALL(0, unlink(ONE));
}

static bool
is_time(struct timespec seen, time_t seconds, long nanoseconds)
{
    return seen.tv_sec == seconds && seen.tv_nsec == nanoseconds;
}

static void
test_attributes(void)
{
    made(ONE, "one");
    static const mode_t modes[] = {0, 0111, 0222, 0444, 0755, 01777, 04755};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        CALL(0, chmod(ONE, modes[i]));
        NEED((look(ONE).st_mode & 07777) == modes[i]);
    }
    CALL(0, chown(ONE, (uid_t)-1, (gid_t)-1));
    const struct timespec set[] = {{.tv_sec = 1000000000, .tv_nsec = 123456789},
                                   {.tv_sec = -1000, .tv_nsec = 5}};
    CALL(0, utimensat(AT_FDCWD, ONE, set, 0));
    NEED(is_time(look(ONE).st_atim, 1000000000, 123456789) && is_time(look(ONE).st_mtim, -1000, 5));
    const struct timespec kept[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 7, .tv_nsec = 0}};
    CALL(0, utimensat(AT_FDCWD, ONE, kept, 0));
    NEED(is_time(look(ONE).st_atim, 1000000000, 123456789) && is_time(look(ONE).st_mtim, 7, 0));
    const struct timespec wrong[] = {{.tv_nsec = 1000000000}, {.tv_nsec = UTIME_OMIT}};
    CALL(EINVAL, utimensat(AT_FDCWD, ONE, wrong, 0));
    CALL(0, truncate(ONE, 0));
    NEED(look(ONE).st_mtim.tv_sec > 7);
    CALL(0, unlink(ONE));
}

static void
test_what_cannot_be_made(void)
{
    CALL(EPERM, mkdir("folder.tmp", 0755));
    CALL(EPERM, mkfifo("fifo.tmp", 0644));
    CALL(EPERM, mknod("device.tmp", S_IFCHR | 0644, 0));
    CALL(0, mknod("plain.tmp", S_IFREG | 0644, 0));
    CALL(EEXIST, mknod("plain.tmp", S_IFREG | 0644, 0));
    CALL(ENOTDIR, rmdir("plain.tmp"));
    CALL(0, unlink("plain.tmp"));
}

int
main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) != 0) {
        (void)fprintf(stderr, "usage: scratch_calls FOLDER\n");
        return 2;
    }
    (void)umask(0);
    test_open();
    test_access_modes();
    test_links();
    test_removed_while_open();
    test_rename();
    test_attributes();
    test_what_cannot_be_made();
    return 0;
}

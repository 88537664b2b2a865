# What programs do that cannot be had here: their system calls in their order, as their sources and traces have them; and what
# only a careful program does: descriptors that are duplicated and inherited, mappings, locks, exchange.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount
count_stories

in_python() { # in_python FILE LINE COLUMN TEXT: PATTERN's body with path, old and new (bytes)
    python3 - "$@" <<END
import ctypes, fcntl, mmap, os, sys, tempfile, threading, time
path, line, column, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
folder, name = os.path.split(path)
def read():
    with open(path, "rb", buffering=0) as f:
        return f.read()
old = read()
lines = old.split(b"\n")
lines[line - 1] = lines[line - 1][:column - 1] + text.encode() + lines[line - 1][column - 1:]
new = b"\n".join(lines)
def fails(code, call):
    try:
        call()
    except OSError as e:
        assert e.errno == code, e
    else:
        raise SystemExit("no error where %d was due" % code)
import errno
$PATTERN
END
}
pattern() { PATTERN=$2; saves_once "$1" in_python; }

pattern "VS Code, in place" '
fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)   # "r+" semantics: truncated after it is open
os.ftruncate(fd, 0)
os.write(fd, new); os.fdatasync(fd); os.close(fd); os.stat(path)'
pattern "VS Code, its file service" '
fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
def work():                                            # libuv: each call on another thread
    os.write(fd, new[:4]); os.write(fd, new[4:])
t = threading.Thread(target=work); t.start(); t.join()
t = threading.Thread(target=lambda: os.fdatasync(fd)); t.start(); t.join()
t = threading.Thread(target=lambda: os.close(fd)); t.start(); t.join()'
pattern "VS Code, atomic" '
temporary = path + ".vsctmp"
fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
os.write(fd, new); os.fsync(fd); os.close(fd); os.rename(temporary, path)'
pattern "LibreOffice" '
lock = os.path.join(folder, ".~lock." + name + "#")
fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644); os.write(fd, b",ada,host;"); os.close(fd)
temporary = os.path.join(folder, "lu12ab34.tmp")
fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600); os.write(fd, new); os.close(fd)
os.chmod(temporary, 0o644); os.rename(temporary, path); os.unlink(lock)'
pattern "gedit" '
temporary = os.path.join(folder, ".goutputstream-ABC123")
fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
os.write(fd, new); os.fchmod(fd, 0o644); os.fsync(fd); os.close(fd)
os.rename(temporary, path)'
pattern "git checkout" '
os.unlink(path)
fails(errno.ENOENT, lambda: os.stat(path))
fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
os.write(fd, new); os.fstat(fd); os.close(fd)'
pattern "a lock file renamed" '
lock = path + ".lock"
fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
fails(errno.EEXIST, lambda: os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL))
os.write(fd, new); os.close(fd); os.rename(lock, path)'
pattern "a lock by a symbolic link" '
lock = os.path.join(folder, ".#" + name)
os.symlink("ada@host.1234:5678", lock)
assert os.readlink(lock) == "ada@host.1234:5678"
fails(errno.EEXIST, lambda: os.symlink("other", lock))
with open(path, "wb") as f: f.write(new)
os.unlink(lock)'
pattern "a backup by a hard link" '
os.link(path, path + "~")
fd = os.open(path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600); os.write(fd, new); os.close(fd)
os.rename(path + ".tmp", path)
assert open(path + "~", "rb").read() == old
os.unlink(path + "~")'
pattern "renamed away, written, restored on no error" '
os.rename(path, path + "~")
fails(errno.ENOENT, lambda: os.stat(path))
fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644); os.write(fd, new); os.close(fd)
os.unlink(path + "~")'
pattern "exchange" '
temporary = path + ".tmp"
with open(temporary, "wb") as f: f.write(new)
libc = ctypes.CDLL(None, use_errno=True)
def rename2(a, b, flags):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")
fails(errno.EEXIST, lambda: rename2(temporary, path, 1))       # RENAME_NOREPLACE
rename2(temporary, path, 2)                                    # RENAME_EXCHANGE
limit = time.monotonic() + 10                                  # the kernel is told right after its answer
while open(temporary, "rb").read() != old:
    assert time.monotonic() < limit
os.unlink(temporary)'
pattern "dup and a child" '
fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
os.close(os.dup(fd))
os.write(fd, new[:5])
child = os.fork()
if child == 0:
    os.write(fd, new[5:]); os._exit(0)                         # closes its copies
os.waitpid(child, 0)
os.close(fd)'
pattern "a shared mapping" '
fd = os.open(path, os.O_RDWR)
os.ftruncate(fd, len(new))
with mmap.mmap(fd, len(new)) as m:
    m[:] = new
os.close(fd)'
pattern "fallocate, then written" '
fd = os.open(path, os.O_RDWR | os.O_TRUNC)
os.posix_fallocate(fd, 0, len(new)); os.pwrite(fd, new, 0); os.close(fd)'
pattern "locked, cut, appended" '
fd = os.open(path, os.O_RDWR | os.O_APPEND)
fcntl.flock(fd, fcntl.LOCK_EX)
os.ftruncate(fd, 0); os.write(fd, new[:3]); os.write(fd, new[3:]); os.close(fd)'
pattern "written by bytes, synced at the end" '
fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
for i in range(len(new)): os.write(fd, new[i:i+1])
os.fsync(fd); os.close(fd)'
pattern "copied within the kernel" '
temporary = path + ".tmp"
with open(temporary, "wb") as f: f.write(new)
a, b = os.open(temporary, os.O_RDONLY), os.open(path, os.O_WRONLY | os.O_TRUNC)
n = 0
while n < len(new): n += os.copy_file_range(a, b, len(new) - n)
os.close(a); os.close(b); os.unlink(temporary)'
pattern "times and modes set afterwards" '
fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
os.write(fd, new); os.fchmod(fd, 0o600); os.utime(fd, (1700000000, 1700000000)); os.close(fd)
os.chmod(path, 0o644); os.utime(path, (1700000000, 1700000000))
assert int(os.stat(path).st_mtime) == 1700000000'

# A time stays where it was left, as long as nobody changes the file.
stamp=$(stat -c %Y "$story/description.md")
find "$m" -name nothing
equal "$(stat -c %Y "$story/description.md")" "$stamp" "the time after a save"
unmount "$m"

#!/usr/bin/env bash
# How a mount begins and ends: signals, unmounting from outside, death and healing, a daemon that hangs, two mounts of one
# source, mount(8) with a helper's flags, what `status` and `umount` say of each.
. "$(dirname "$0")/../lib/mount.sh"

mnt=$work/mnt
mkdir "$mnt"
# daemon_of MOUNTPOINT: its process
daemon_of() { jq .pid "$1/.trackerfs/status.json"; }
ended() { until_true 20 "process $1 ends" dead "$1"; ! mountpoint -q "$mnt" || fail "$2: still mounted"; }
said() { grep -qF -- "$1" "$work/err" || fail "no '$1' in: $(cat "$work/err")"; }

# Each signal that means "end" unmounts, in the background...
for signal in TERM INT; do
    mount_fs demo "$mnt"
    pid=$(daemon_of "$mnt")
    kill -$signal "$pid"
    ended "$pid" "SIG$signal"
done
# ...and in the foreground, with status 0 and the log on standard error.
"$trackerfs" demo "$mnt" -f 2>"$work/fg.log" &
pid=$!
until_true 20 "foreground mount" test -e "$mnt/README.md"
equal "$(daemon_of "$mnt")" "$pid" "-f stays the same process"
kill -TERM "$pid"
wait "$pid" || fail "-f: status $? after SIGTERM"
! mountpoint -q "$mnt" || fail "-f: still mounted after SIGTERM"
grep -q 'is mounted at' "$work/fg.log" || fail "-f does not log to standard error"
# A closed terminal does not end it.
mount_fs demo "$mnt"
pid=$(daemon_of "$mnt")
kill -HUP "$pid"
[ -e "$mnt/README.md" ] || fail "SIGHUP ended the mount"
# Unmounted by somebody else, it ends by itself.
umount "$mnt"
ended "$pid" "umount(8)"

# In use: refused by name, unless lazy.
mount_fs demo "$mnt"
pid=$(daemon_of "$mnt")
(
    cd "$mnt"
    exec sleep 600
) &
sleeper=$!
is_there() { [ "$(readlink "/proc/$sleeper/cwd")" = "$mnt" ]; }
until_true 20 "the sleeper is there" is_there
status=0
"$trackerfs" umount "$mnt" 2>"$work/err" || status=$?
equal "$status" 3 "umount of a mount in use"
said "sleep ($sleeper)"
"$trackerfs" umount --lazy "$mnt"
! mountpoint -q "$mnt" || fail "lazy: still there"
kill "$sleeper"
wait "$sleeper" || :
ended "$pid" "lazy umount"

# umount waits for the process: the next mount finds the same cache folder.
for round in 1 2 3; do
    mount_fs demo "$mnt"
    unmount "$mnt"
done
equal "$(find "$XDG_CACHE_HOME/trackerfs" -maxdepth 1 -name 'demo-*' | wc -l)" 1 "cache folders of one source, round $round"
for path in "$XDG_CACHE_HOME/trackerfs" "$XDG_CACHE_HOME"/trackerfs/demo-* "$XDG_RUNTIME_DIR/trackerfs"; do
    equal "$(stat -c %a "$path")" 700 "mode of $path"
done
[ -z "$(find "$work/cache" "$work/data" -type f ! -perm 600)" ] || fail "not private: $(find "$work/cache" "$work/data" -type f ! -perm 600)"

# Killed: the mount point is dead, says so, and is healed; also two layers of it. What the kernel still answers from memory is no
# life: both kinds of mount, after somebody listed them.
for kind in rw ro; do
    mount_fs demo "$mnt" $kind
    find "$mnt" >/dev/null
    pid=$(daemon_of "$mnt")
    kill -KILL "$pid"
    until_true 20 "the dead one is gone" dead "$pid"
    ls "$mnt" >/dev/null 2>&1 || :
    status=0
    "$trackerfs" status "$mnt" >"$work/out" || status=$?
    equal "$status" 3 "status of a dead mount that was listed, $kind"
    "$trackerfs" demo "$mnt" -o $kind 2>"$work/err" || fail "not healed, $kind: $(cat "$work/err")"
    unmount "$mnt"
done
mount_fs demo "$mnt"
pid=$(daemon_of "$mnt")
kill -KILL "$pid"
until_true 20 "the dead one is gone" dead "$pid"
status=0
"$trackerfs" status "$mnt" >"$work/out" || status=$?
equal "$status" 3 "status of a dead mount"
grep -q DEAD "$work/out" || fail "status of a dead mount: $(cat "$work/out")"
"$trackerfs" demo "$mnt" 2>"$work/err"
grep -qi 'cleared away' "$work/err" || fail "no note about healing: $(cat "$work/err")"
[ -e "$mnt/README.md" ] || fail "not healed"
equal "$(awk -v at="$mnt" '$5 == at' /proc/self/mountinfo | wc -l)" 1 "layers after healing"

# Hung: nobody hangs with it.
pid=$(daemon_of "$mnt")
kill -STOP "$pid"
status=0
timeout 20 "$trackerfs" status >"$work/out" || status=$?
equal "$status" 3 "status of a hung mount"
grep -q 'DOES NOT ANSWER' "$work/out" || fail "status of a hung mount: $(cat "$work/out")"
timeout 20 bash -c '"$1" status | cat' - "$trackerfs" >/dev/null || fail "who reads what status says hangs with the mount"
status=0
timeout 20 "$trackerfs" demo "$mnt" 2>"$work/err" || status=$?
equal "$status" 3 "mounting over a hung one"
said "does not answer"
kill -CONT "$pid"
unmount "$mnt"

# The same source twice: each has its own process and cache.
mount_fs demo "$mnt"
mount_fs demo "$work/second" names=id
equal "$("$trackerfs" status --json | jq "[.[] | select(.source == \"demo\" and (.mount_point | startswith(\"$work/\")))] | length")" 2 "mounts in status --json"
diff "$mnt/me.json" "$work/second/me.json"
unmount "$work/second"
unmount "$mnt"
"$trackerfs" status "$mnt" 2>"$work/err" && fail "status of nothing succeeds"
said "no tracker is mounted"

# A link to the mount point, a path with blanks and commas.
mkdir "$work/a b,c"
ln -s "a b,c" "$work/link"
mount_fs demo "$work/link"
[ -e "$work/a b,c/README.md" ] || fail "mount through a link"
"$trackerfs" status "$work/link" >/dev/null || fail "status through a link"
"$trackerfs" umount "$work/link"
! mountpoint -q "$work/a b,c" || fail "umount through a link"

# As mount(8) calls it: flags of a helper, words of fstab.
ln -s "$trackerfs" "$work/mount.fuse.trackerfs"
"$work/mount.fuse.trackerfs" demo "$mnt" -n -s -o rw,noauto,user,_netdev,nofail,x-systemd.automount,nosuid,nodev,noatime,names=id 2>"$work/err"
grep -q " $mnt rw,nosuid,nodev" /proc/self/mountinfo || fail "options: $(grep " $mnt " /proc/self/mountinfo)"
grep " $mnt " /proc/self/mountinfo | grep -q -- '- fuse.trackerfs demo ' || fail "type and source: $(grep " $mnt " /proc/self/mountinfo)"
expect_errno "Operation not permitted" touch "$mnt/x"
unmount "$mnt"
mount_fs demo "$mnt" ro
expect_errno "Read-only file system" touch "$mnt/x"
unmount "$mnt"
"$work/mount.fuse.trackerfs" demo "$mnt" -f -o rw
! mountpoint -q "$mnt" || fail "-f of a helper means fake"

# mount(8) itself, when it may: in a namespace of its own, where a link can stand in a system folder.
if [ "$(id -u)" = 0 ] && command -v mount.fuse3 >/dev/null && unshare -m true 2>/dev/null; then
    unshare -m bash -euc '
        mount -t tmpfs none /usr/local/bin
        ln -s "$1" /usr/local/bin/trackerfs
        mount -t fuse.trackerfs demo "$2" -o rw,nosuid,names=id,ttl=5
        [ -e "$2/README.md" ]
        umount "$2"' - "$trackerfs" "$mnt" >"$work/err" 2>&1 || fail "mount -t fuse.trackerfs: $(cat "$work/err")"
fi

# The token is in no argument list, no environment, no log.
if [ -r /proc/self/environ ]; then
    sqlite3 "$XDG_DATA_HOME/trackerfs/demo.db" ".backup $work/t.db"
    start_server "$work/t.db"
    TRACKERFS_TOKEN=$(cat "$work/token") "$trackerfs" "$url" "$mnt" -o debug=all
    pid=$(daemon_of "$mnt")
    ls "$mnt"/*/stories >/dev/null
    ! grep -qaF "$(cat "$work/token")" "/proc/$pid/environ" "/proc/$pid/cmdline" || fail "the token can be seen in /proc"
    unmount "$mnt"
    ! grep -rqF "$(cat "$work/token")" "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR" || fail "the token is in a file"
fi

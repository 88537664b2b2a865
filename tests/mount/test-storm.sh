# Many readers at once with a TTL of 0, remounts and interrupted readers in between: every reader sees whole files.
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db" 15
start_server "$work/s.db" --faults
mount_fs "$url" "$work/mnt" ttl=3600
rsync -a "$work/mnt/" "$work/copy/"
unmount "$work/mnt"

for round in 1 2; do
    mount_fs "$url" "$work/mnt" ttl=0,timeout=60
    readers=()
    for reader in 1 2 3 4; do
        (
            diff -rq --no-dereference "$work/mnt" "$work/copy" >"$work/diff.$round.$reader" 2>&1
            find "$work/mnt" -type f -exec stat {} + >/dev/null
        ) &
        readers+=($!)
    done
    (
        for name in $(find "$work/copy" -name description.md -printf '%P\n' | head -n 20); do
            timeout -s INT 0.01 cat "$work/mnt/$name" >/dev/null 2>&1 || :
        done
    ) &
    readers+=($!)
    for pid in "${readers[@]}"; do
        wait "$pid" || { cat "$work"/diff.$round.*; fail "a reader failed"; }
    done
    for reader in 1 2 3 4; do
        [ ! -s "$work/diff.$round.$reader" ] || { cat "$work/diff.$round.$reader"; fail "a reader saw other bytes"; }
    done
    unmount "$work/mnt"
done

# The network goes away in the middle of each workload (the server is stopped, as in a suspend, or ended): nothing waits longer
# than the timeout, what is cached reads on, and everything comes back without a remount.
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db" 400
start_server "$work/s.db" --faults
mnt=$work/mnt
timeout_s=4
mount_fs "$url" "$work/good" ttl=3600,poll=0
rsync -a --exclude events.jsonl "$work/good/" "$work/copy/"
unmount "$work/good"
folder=$(basename "$(project_of "$work/copy")")

in_time() { # in_time WHAT COMMAND...: it ends, well or not, before the timeout and some slack for a busy machine is over
    local what=$1 began=$SECONDS
    shift
    "$@" >/dev/null 2>&1 || :
    at_most $((SECONDS - began)) $((timeout_s + 16)) "seconds of $what without a network"
}
freeze() { kill -STOP "$server_pid"; }
thaw() { kill -CONT "$server_pid"; }

# --- Nothing cached: the first walk is stopped in its middle; afterwards it is whole.
for workload in "ls -lR" "grep -r needle" "find" "tar cf $work/out.tar"; do
    rm -rf "$work"/cache
    faults "latency=150@/services/v5/projects/"
    mount_fs "$url" "$mnt" "ttl=3600,timeout=$timeout_s"
    $workload "$mnt/$folder" >"$work/out" 2>"$work/err" &
    walker=$!
    has_begun() { [ "$(requests)" -gt 2 ]; }
    until_true 20 "the walk has begun" has_begun
    freeze
    in_time "$workload" wait "$walker"
    in_time "stat of the root" stat "$mnt" "$mnt/README.md"
    thaw
    faults ""
    until_true 60 "the folder is back" ls "$mnt/$folder/stories"
    equal "$(find "$mnt/$folder/stories" -type f | wc -l)" "$(find "$work/copy/$folder/stories" -type f | wc -l)" "files after $workload was stopped"
    unmount "$mnt"
done

# --- All cached: everything goes on at once, and a change is seen when the server is back.
mount_fs "$url" "$mnt" "ttl=2,poll=1,timeout=$timeout_s"
grep -r . "$mnt/$folder/stories" >/dev/null
freeze
for workload in "ls -lR $mnt/$folder/stories" "grep -r needle $mnt/$folder/stories" "find $mnt/$folder" "rsync -an $mnt/$folder/stories $work/out/"; do
    in_time "${workload%% *}" $workload
done
diff -r "$mnt/$folder/stories" "$work/copy/$folder/stories" >"$work/diff" || { head "$work/diff"; fail "cached files differ without a network"; }
thaw
id=$(basename "$(find "$mnt/$folder/stories" -mindepth 1 -maxdepth 1 | sort | sed -n 1p)" | cut -d- -f1)
curl -fsS -o /dev/null -X PUT -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' --data '{"description": "Back again."}' "$url/services/v5/projects/${folder%%-*}/stories/$id"
is_back() { [ "$(cat "$mnt/$folder/stories/$id"/description.md)" = "Back again." ]; }
until_true 90 "the change is seen when the server goes on" is_back

# --- The server ends and another one begins at the same place.
stop_server
in_time "grep -r" grep -r needle "$mnt/$folder/stories"
in_time "refresh" "$trackerfs" refresh "$mnt"
start_server "$work/s.db" --faults
curl -fsS -o /dev/null -X PUT -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' --data '{"description": "And again."}' "$url/services/v5/projects/${folder%%-*}/stories/$id"
is_back_again() { [ "$(cat "$mnt/$folder/stories/$id"/description.md)" = "And again." ]; }
until_true 90 "the change is seen at the new server" is_back_again
equal "$(jq .waiting "$mnt/.trackerfs/status.json")" 0 "operations that still wait"
unmount "$mnt"

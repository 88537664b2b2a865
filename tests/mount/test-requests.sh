# How much a walk costs at the server: a cold grep -r of 1 000 stories at most 20 requests, a remount
# within the TTL none, a second walk after the TTL one.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db" 1000
start_server "$work/s.db" --faults
mount_fs "$url" "$work/mnt" ttl=60
reset_requests
unmount "$work/mnt"
rm -rf "$work/cache"

reset_requests
mount_fs "$url" "$work/mnt" ttl=60
grep -r needle "$work/mnt" >"$work/found" || fail "no needle"
[ "$(cut -d: -f1 "$work/found" | sort -u | wc -l)" -ge 5 ] || fail "too few needles"
cold=$(requests)
echo "cold grep -r of 1000 stories: $cold requests"
at_most "$cold" 20 "requests of a cold grep -r"
equal "$(find "$(project_of "$work/mnt")/stories" -mindepth 1 -maxdepth 1 | wc -l)" 1000 "stories listed"
equal "$(requests)" "$cold" "find after grep asks nothing"
unmount "$work/mnt"

reset_requests
mount_fs "$url" "$work/mnt" ttl=60
grep -r needle "$work/mnt" | sort | cmp - <(sort "$work/found") || fail "other text after a remount"
equal "$(requests)" 0 "requests after a remount within the TTL"

advance_clock 61000
grep -r needle "$work/mnt" | sort | cmp - <(sort "$work/found") || fail "other text after the TTL"
request_lines
at_most "$(requests)" 3 "requests of a walk after the TTL with nothing changed"

# A server that takes the question and never answers: names and attributes are there at once, from the store; who opens a
# file waits for the look at the server, and not for ever. The clock of the mount is turned back after the look began, so
# that its patience never ends by itself: what is answered below was not waited for. (After 20 s of silence the request is
# given up.)
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mnt=$work/mnt
waiting() { jq .waiting "$mnt/.trackerfs/status.json"; }
waits() { [ "$(waiting)" = "$1" ]; }
looks() { [ "$(jq .requests.in_flight "$mnt/.trackerfs/status.json")" = 1 ]; }

# stalled_mount MODE: mounted with a full store that is too old, and the look at the project under way
stalled_mount() {
    faults ""
    mount_fs "$url" "$mnt" "$1,ttl=60,poll=15"
    project=$(project_of "$mnt")
    pid=$(basename "$project" | cut -d- -f1)
    ls -lR "$mnt" >"$work/before.list"
    find "$mnt" ! -path '*/.trackerfs*' >"$work/before"
    story=$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | sort | sed -n 1p)
    id=$(basename "$story" | cut -d- -f1)
    unmount "$mnt"
    advance_clock 90000000
    faults "hang@/services/v5/projects/$pid/activity"
    mount_fs "$url" "$mnt" "$1,ttl=60,poll=15,timeout=3000"
    until_true 20 "the look has begun" looks
    advance_clock -40000000
}

at_once() { timeout 30 "$@" >"$work/out" 2>"$work/err" || { cat "$work/err"; fail "waited, or failed: $*"; }; }

stalled_mount rw
cat "$story/description.md" >"$work/text" &
opener=$!
until_true 20 "an open waits for the look" waits 1
at_once stat "$project"
at_once find "$mnt" ! -path '*/.trackerfs*'
diff "$work/before" "$work/out" >"$work/diff" || { head "$work/diff"; fail "the stored tree is another one"; }
at_once ls -lR "$mnt"
diff "$work/before.list" "$work/out" >"$work/diff" || { head "$work/diff"; fail "the stored tree has other attributes"; }
at_once stat -L "$project/stories/$id"
at_once stat "$story/story.json" "$story/.fields/name"
at_once readlink "$project/stories/$id-once"
at_once getfattr -d -m user.tracker "$story"
equal "$(waiting)" 1 "operations that wait"
# A name that the store does not have may have come since.
stat "$project/stories/99999999" >/dev/null 2>&1 &
stranger=$!
until_true 20 "what is not known is waited for" waits 2
advance_clock 40010000
wait "$opener" || fail "an open whose patience is over"
! wait "$stranger" || fail "a story that nobody made"
cmp "$work/text" <(cat "$story/description.md") || fail "another text"
equal "$(waiting)" 0 "operations that wait after all patience is over"
unmount "$mnt"

# Read-only, where the kernel opens files by itself and a name is all there is of an open: half a second of patience.
stalled_mount ro
stat "$story" >/dev/null &
asker=$!
until_true 20 "a name is waited for" waits 1
advance_clock 40000600
wait "$asker" || fail "a name when its patience is over"
at_once find "$mnt" ! -path '*/.trackerfs*'
diff "$work/before" "$work/out" >"$work/diff" || { head "$work/diff"; fail "the stored tree is another one, read-only"; }
at_once cmp "$work/text" "$story/description.md"
equal "$(waiting)" 0 "operations that wait, read-only"
unmount "$mnt"

# The account does not answer either: a mount with a store shows it after some seconds.
advance_clock 90000000
faults "hang@/services/v5/"
began=$SECONDS
mount_fs "$url" "$mnt" "ro,timeout=100"
at_most $((SECONDS - began)) 40 "seconds of a mount whose server does not answer"
grep -q "showing what was stored" "$work/mount.log" || fail "it does not say that it is old"
at_once ls "$project/stories"
unmount "$mnt"

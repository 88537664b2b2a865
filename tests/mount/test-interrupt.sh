# A cat that waits for a hanging server can be interrupted; stat and cached reads are not held up meanwhile.
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mount_fs "$url" "$work/mnt" ttl=3600,timeout=300
project=$(project_of "$work/mnt")
find "$work/mnt" -type f ! -path '*/attachments/*' -exec cat {} + >/dev/null
attachment=$(find "$project/stories" -path '*/attachments/*' -type f | sort | sed -n 1p)
faults "hang"
reset_requests
# (A shell without job control starts its background with SIGINT ignored.)
env --default-signal=INT cat "$attachment" >/dev/null 2>"$work/cat.err" &
waiting=$!
until_true 20 "the request is at the server" sh -c "[ \"\$(curl -fsS '$url/__stats' | jq .total)\" -ge 1 ]"
timeout 5 stat "$attachment" >/dev/null || fail "stat waits"
timeout 5 stat -f "$work/mnt" >/dev/null || fail "statfs waits"
timeout 20 grep -rq . "$project" --include=story.json || fail "cached reads wait"
dead $waiting && fail "cat did not wait: $(cat "$work/cat.err")"
kill -INT $waiting
until_true 10 "cat is interrupted" dead $waiting
if wait $waiting; then fail "cat succeeded"; fi
faults ""
until_true 20 "readable after the fault" timeout 20 cat "$attachment"

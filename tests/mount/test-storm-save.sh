# 200 stories edited by several writers at once, while readers walk and the poller looks: each edit arrives once and whole, and
# nobody reads half of one. Many threads: this runs under ThreadSanitizer too.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
sample_database "$work/t.db" 200
start_server "$work/t.db" --faults
mount_fs "$url" "$work/m" "rw,ttl=2,poll=1,save_wait=60,timeout=60"
m=$work/m
project=$(project_of "$m")
pid=$(jq .id "$project/project.json")
find "$project/stories" -mindepth 1 -maxdepth 1 | sort >"$work/stories"
equal "$(wc -l <"$work/stories")" 200 "stories"
reset_requests

(while [ ! -e "$work/done" ]; do find "$project/stories" -name description.md -exec cat {} + || exit 1; done >"$work/read" 2>"$work/read.err") &
reader=$!
# Two lines that belong together: a reader that sees one sees the other.
export work
save() { printf '(first %s\nsecond %s)\n' "$1" "$1" >"$work/new.$1" && cp "$work/new.$1" "$2/description.md"; }
export -f save
nl -ba <"$work/stories" | awk '{ print $1, $2 }' | xargs -P 6 -L 1 bash -c 'save "$0" "$1"' || fail "a save failed"
touch "$work/done"
wait "$reader" || fail "the reader: $(head -n 3 "$work/read.err")"
equal "$(grep -o '(first [0-9]' "$work/read" | wc -l)" "$(grep -o 'second [0-9]*)' "$work/read" | wc -l)" "beginnings and ends that were read"

until_true 60 "the queue is empty" bash -c "[ -z \"\$(ls -A '$m/.trackerfs/queue')\" ]"
equal "$(puts)" 200 "requests that write"
api GET "/projects/$pid/stories?limit=500&fields=description" | jq -r '.[].description' | grep -c '^(first ' >"$work/count"
equal "$(cat "$work/count")" 200 "descriptions at the server"
unmount "$m"

# Without a poller a change at the server is seen after the TTL, and not one request is spent before it.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mount_fs "$url" "$work/mnt" ttl=60,poll=0
project=$(project_of "$work/mnt")
pid=$(basename "$project" | cut -d- -f1)
story=$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | sort | sed -n 1p)
id=$(basename "$story" | cut -d- -f1)
cat "$story/description.md" >"$work/before"
find "$work/mnt" >"$work/before.list"

# As a service does: the story, its version and its activity in one transaction.
version=$(($(sqlite3 "$work/s.db" "SELECT version FROM project WHERE id = $pid") + 1))
cat >"$work/change.json" <<JSON
[$(jq -c --arg now "$(date -u +%FT%TZ)" '. + {name: "A new title", description: "Changed at the server.\n", updated_at: $now} | del(.comments, .tasks, .owners, .followers, .reviews, .blockers, .transitions)' "$story/story.json"),
 {"kind": "story_update_activity", "guid": "${pid}_$version", "project_version": $version, "message": "someone edited this feature",
  "highlight": "edited", "changes": [{"kind": "story", "change_type": "update", "id": $id, "original_values": {}, "new_values": {}, "name": "A new title", "story_type": "feature"}],
  "primary_resources": [{"kind": "story", "id": $id, "name": "A new title", "story_type": "feature", "url": "https://www.pivotaltracker.com/story/show/$id"}],
  "secondary_resources": [], "project": {"kind": "project", "id": $pid, "name": "x"}, "performed_by": {"kind": "person", "id": 1, "name": "x", "initials": "x"}, "occurred_at": "$(date -u +%FT%TZ)"}]
JSON
"$trackerfs" import --v5-json "$work/change.json" "$work/s.db" >"$work/import.log" 2>&1 || fail "import of the change"

reset_requests
cmp "$story/description.md" "$work/before" || fail "changed before the TTL"
equal "$(requests)" 0 "requests before the TTL"
advance_clock 61000
# The kernel may keep what it was told for a moment (see use_clock), not longer.
text_is() { [ "$(cat "$project/stories/$id/description.md")" = "$1" ]; }
until_true 5 "text after the TTL" text_is "Changed at the server."
at_most "$(requests)" 3 "requests for one changed story"
equal "$(basename "$(readlink -f "$project/stories/$id")")" "$id-A-new-title" "name after the TTL"
equal "$(cat "$story/description.md")" "Changed at the server." "the old name leads to the new one"
size_is() { [ "$(stat -c %s "$project/stories/$id/description.md")" = "$1" ]; }
until_true 5 "size after the TTL" size_is 23
equal "$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | wc -l)" "$(grep -cE "^$project/stories/[^/]+$" "$work/before.list")" "no story came or went"

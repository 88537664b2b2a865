# The mount follows the server: by its poller, on request, through deletions, moves between projects, and versions that no
# activity explains. events.jsonl tells what was seen, requests.log what was asked.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mnt=$work/mnt
api() { # api METHOD PATH [JSON]
    curl -fsS -X "$1" -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' ${3:+--data-binary "$3"} "$url/services/v5$2"
}
mount_fs "$url" "$mnt" ttl=600,poll=5
project=$(project_of "$mnt")
pid=$(basename "$project" | cut -d- -f1)
ls -R "$mnt" >/dev/null
mapfile -t ids < <(find "$project/stories" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | cut -d- -f1 | sort | head -n 8)
text_of() { cat "$project/stories/$1/description.md"; }
text_is() { [ "$(text_of "$1")" = "$2" ]; }
events() { cat "$mnt/events.jsonl"; }

# --- An idle mount: one request a look, and none between.
reset_requests
advance_clock 5100
one_look() { [ "$(requests)" -ge 1 ]; }
until_true 10 "the first look" one_look
equal "$(requests)" 1 "requests of one look with one project"
cat "$project/stories/${ids[0]}/description.md" "$project"/stories/*/description.md >/dev/null 2>&1 || :
equal "$(requests)" 1 "requests of a walk between two looks"

# --- trackerfs refresh returns when the change is visible.
tail -n +1 -f "$mnt/events.jsonl" >"$work/tailed" 2>/dev/null &
tail_pid=$!
api PUT "/projects/$pid/stories/${ids[0]}" '{"description": "First change."}' >/dev/null
"$trackerfs" refresh "$mnt" || fail "refresh"
equal "$(text_of "${ids[0]}")" "First change." "text right after refresh"
api PUT "/projects/$pid/stories/${ids[1]}" '{"description": "Second change."}' >/dev/null
"$trackerfs" refresh "$mnt" "$pid" || fail "refresh of one project"
equal "$(text_of "${ids[1]}")" "Second change." "text right after refresh of one project"
expect_errno "no project 1 " "$trackerfs" refresh "$mnt" 1
expect_errno "no tracker is mounted" "$trackerfs" refresh "$work"

# --- events.jsonl: one line for each, and tail -f sees them come.
equal "$(events | wc -l)" 2 "lines of events.jsonl"
events | jq -e . >/dev/null || fail "events.jsonl is not one JSON object a line"
events | jq -e --argjson id "${ids[1]}" 'select(.primary_resources[].id == $id)' >/dev/null || fail "no event of the second story"
tailed() { [ "$(wc -l <"$work/tailed")" -ge "$1" ]; }
until_true 20 "tail -f shows what came" tailed 2

# --- SIGHUP looks now; nobody waits for it.
daemon=$(jq .pid "$mnt/.trackerfs/status.json")
api PUT "/projects/$pid/stories/${ids[2]}" '{"description": "Third change."}' >/dev/null
kill -HUP "$daemon"
until_true 20 "the change is seen after SIGHUP" text_is "${ids[2]}" "Third change."
until_true 20 "tail -f shows the third" tailed 3
kill "$tail_pid"

# --- A deletion, and a new story under a name that was looked for before.
[ ! -e "$project/stories/${ids[3]}x" ] || fail "a name that nobody made"
api DELETE "/projects/$pid/stories/${ids[3]}" >/dev/null
new=$(api POST "/projects/$pid/stories" '{"name": "Just made"}' | jq .id)
"$trackerfs" refresh "$mnt"
[ -z "$(find "$project/stories" -name "${ids[3]}-*")" ] || fail "a deleted story is listed"
[ -f "$project/stories/$new-Just-made/story.json" ] || fail "a new story is not there"

# --- Moves between projects: gone here, there in the other one, with its files.
other=$(api POST /projects '{"name": "Elsewhere"}' | jq .id)
advance_clock 6100000
until_true 20 "the new project is listed" test -d "$mnt/$other-Elsewhere"
ls "$mnt/$other-Elsewhere/stories" >/dev/null
reset_requests
api PUT "/projects/$pid/stories/${ids[4]}" "{\"project_id\": $other}" >/dev/null
advance_clock 6000
moved() { [ -n "$(find "$mnt/$other-Elsewhere/stories" -name "${ids[4]}-*")" ] && [ -z "$(find "$project/stories" -name "${ids[4]}-*")" ]; }
until_true 20 "a moved story is where it went" moved
grep -q '"project_id": '"$other" "$mnt/$other-Elsewhere/stories/${ids[4]}"/story.json || fail "a moved story has its old project"
request_lines | grep -q /my/activity || fail "several projects are not looked at by one request"

# --- Several projects: still one request a look.
"$trackerfs" refresh "$mnt"
reset_requests
advance_clock 5100
until_true 10 "a look" one_look
equal "$(requests)" 1 "requests of one look with two projects"

# --- A version that no activity explains: everything again, behind the readers.
sqlite3 "$work/s.db" "UPDATE story SET description = 'Behind your back.' WHERE id = ${ids[5]}; UPDATE project SET version = version + 1 WHERE id = $pid"
"$trackerfs" refresh "$mnt" "$pid"
equal "$(text_of "${ids[5]}")" "Behind your back." "text after a version without an activity"
events | tail -n 1 | jq -e --argjson id "${ids[5]}" '.story_ids == [$id]' >/dev/null || fail "no event of what a listing found"

# --- What moves no version is found by the sweep.
sqlite3 "$work/s.db" "UPDATE story SET description = 'Without a trace.' WHERE id = ${ids[6]}"
advance_clock 6100000
until_true 20 "the sweep has found it" text_is "${ids[6]}" "Without a trace."

# --- requests.log
log=$mnt/.trackerfs/requests.log
grep -qE '^20[0-9-]+T[0-9:.]+Z (demand|prefetch) GET /projects/[0-9]+/activity\?[^ ]* 200 [0-9]+ms [0-9]+B$' "$log" || fail "requests.log: $(head -n 3 "$log")"
! grep -q "$(cat "$work/token")" "$log" || fail "the token stands in requests.log"
jq -e '.requests_by_kind.activity > 3 and .requests_by_kind.stories > 0' "$mnt/.trackerfs/status.json" >/dev/null || fail "requests by kind"

# --- A host that refuses gets fewer requests at once, and more again when it answers.
allowed() { jq .requests.allowed_at_once "$mnt/.trackerfs/status.json"; }
most=$(allowed)
faults "err5xx=100@/services/v5/projects/*2,status=503"
"$trackerfs" refresh "$mnt" "$pid" || fail "refresh of a server in passing trouble"
[ "$(allowed)" -lt "$most" ] || fail "still $(allowed) requests at once after two refusals"
goes_up() { "$trackerfs" refresh "$mnt" "$pid" && [ "$(allowed)" = "$most" ]; }
until_true 30 "as many requests as before" goes_up

# --- Refresh says when it could not.
stop_server
! "$trackerfs" refresh "$mnt" 2>"$work/said" || fail "refresh without a server succeeds"
grep -q "trackerfs:" "$work/said" || fail "refresh says nothing"
equal "$(text_of "${ids[6]}")" "Without a trace." "text without a server"
unmount "$mnt"

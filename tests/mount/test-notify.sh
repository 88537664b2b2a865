# What changes at the server is dropped from the kernel's caches, and only that. Each kind of notice is left out once
# (TRACKERFS_TEST_MUTE), and then the kernel shows what is no longer true: so each is needed.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mnt=$work/mnt
api() { # api METHOD PATH [JSON]
    curl -fsS -X "$1" -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' ${3:+--data-binary "$3"} "$url/services/v5$2"
}

# mounted MUTED: mounts, picks two stories, and lets the kernel see all there is of them
mounted() {
    export TRACKERFS_TEST_MUTE=$1
    mount_fs "$url" "$mnt" ttl=600,poll=5
    project=$(project_of "$mnt")
    pid=$(basename "$project" | cut -d- -f1)
    story=$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | sort | sed -n 3p)
    id=$(basename "$story" | cut -d- -f1)
    ls -lR "$mnt" >"$work/seen"
    cat "$story"/* >/dev/null 2>&1 || :
    readlink "$project/stories/$id" >/dev/null
    ! [ -e "$project/stories/none-such" ] || fail "a name that nobody made"
}
# The change is published, and everything that there was to say to the kernel is said.
is_told() { [ "$(jq .notices.waiting "$mnt/.trackerfs/status.json")" = 0 ]; }
seen_at() { jq -e --argjson v "$1" '.projects[] | select(.version >= $v)' "$mnt/.trackerfs/status.json"; }
poll() { # poll VERSION: the poller's next look has found that version
    advance_clock 6000
    until_true 20 "version $1 is published" seen_at "$1"
    until_true 20 "the kernel is told" is_told
}
version() { api GET "/projects/$pid" | jq .version; }
change() { # change PATH JSON
    api PUT "$1" "$2" >/dev/null
    poll "$(version)"
}
age_of() { stat -c %Y "$1"; }

# --- Everything told: each view is right at once, and nothing else was asked of the process again. A read-only mount whose
# files the kernel opens by itself, and one with a handle for each open.
everything() { # everything NAME
    local name=$1
    mounted ''
    exec 8<"$story/description.md" 9<"$story/story.json"
    head -c 10 <&9 >/dev/null
    cp "$story/description.md" "$work/old.md"
    cp "$story/story.json" "$work/old.json"
    reset_requests
    change "/projects/$pid/stories/$id" "{\"name\": \"Quite $name\", \"description\": \"Changed by a colleague, $name.\\n\"}"
    at_most "$(requests)" 5 "requests for one changed story, two of them the test's own"
    now=$project/stories/$id-Quite-$name
    equal "$(cat "$now/description.md")" "Changed by a colleague, $name." "the text, without a remount"
    equal "$(readlink "$project/stories/$id")" "$id-Quite-$name" "where the alias leads"
    [ -L "$story" ] || fail "the old name is still a folder"
    [ "$(find "$project"/by-state/* -name "$id-*" -printf '%f\n' | sort -u)" = "$id-Quite-$name" ] || fail "links keep the old name"
    [ -n "$(find "$project/stories" -mindepth 1 -maxdepth 1 -name "$id-Quite-$name")" ] || fail "the listing keeps the old name"
    grep -q "Quite $name" "$now/story.json" || fail "story.json keeps the old name"
    cat <&8 >"$work/new.md"
    cat <(head -c 10 "$work/old.json") - <&9 >"$work/new.json"
    exec 8<&- 9<&-
    cmp "$work/new.md" "$work/old.md" || fail "who had the file open reads other bytes than were there"
    cmp "$work/new.json" "$work/old.json" || fail "who was reading the file sees a mix"
    size_now() { [ "$(stat -c %s "$now/description.md")" = $((26 + ${#name})) ]; }
    until_true 10 "the size, when nobody reads the old version any more" size_now
    jq -e '.notices.attributes > 0 and .notices.entries > 0 and .notices.contents > 0' "$mnt/.trackerfs/status.json" >/dev/null || fail "no notices counted"
    # What did not change is not asked for again.
    other=$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d ! -name "$id-*" | sort | sed -n 1p)
    grep -r . "$other" >/dev/null
    before=$(calls)
    own=$(($(calls) - before))
    before=$(calls)
    grep -r . "$other" >/dev/null
    again=$(($(calls) - before - own))
    echo "a second grep -r of a story, $name: $again requests of the kernel"
    [ "$name" != unopened ] || equal "$again" 0 "requests of a second grep -r on a read-only mount"
    # `ls -l` asks for the label and the ACL of what it lists, until it is told that there are none in this file system.
    ls -lR "$other" >/dev/null
    before=$(calls)
    ls -lR "$other" >/dev/null
    again=$(($(calls) - before - own))
    echo "a second ls -lR of a story, $name: $again requests of the kernel"
    at_most "$again" $((2 + $(find "$other" -type d | wc -l))) "requests of a second ls -lR of $(find "$other" | wc -l) nodes: two, and the openings of folders"
    unmount "$mnt"
}
calls() { jq .requests_from_kernel "$mnt/.trackerfs/status.json"; }
everything unopened
export TRACKERFS_TEST_OPENS=1
everything opened
unset TRACKERFS_TEST_OPENS

# --- entry: the old name of a story goes on being its folder
mounted entry
change "/projects/$pid/stories/$id" '{"name": "Muted entries"}'
[ -d "$story" ] && [ ! -L "$story" ] || fail "without entry notices nothing is stale: the notices are needless, or the test is"
unmount "$mnt"

# --- attributes: a folder in which nothing else changes keeps its time, which is that of the project's last change
mounted attributes
before=$(age_of "$project/members")
change "/projects/$pid/stories/$id" '{"name": "Muted attributes"}'
equal "$(age_of "$project/members")" "$before" "time of the folder without attribute notices (stale on purpose)"
unmount "$mnt"
mounted ''
before=$(age_of "$project/members")
advance_clock 2000
change "/projects/$pid/stories/$id" '{"name": "Told attributes"}'
[ "$(age_of "$project/members")" != "$before" ] || fail "the folder keeps its time though the kernel was told"
unmount "$mnt"

# --- open (with handles): the kernel was not told of a new size; an open tells it before it is answered
export TRACKERFS_TEST_OPENS=1
mounted entry,attributes,content
change "/projects/$pid/stories/$id" '{"description": "Longer than whatever stood here before. Longer than whatever stood here before. END\n"}'
equal "$(tail -c 4 "$story/description.md")" "END" "the end of a file that grew"
unmount "$mnt"
mounted entry,attributes,content,open
change "/projects/$pid/stories/$id" '{"description": "Longer than whatever stood here before. Longer than whatever stood here before. And longer still. LAST\n"}'
[ "$(tail -c 5 "$story/description.md")" != "LAST" ] || fail "without notices before opens nothing is cut: they are needless, or the test is"
unmount "$mnt"
unset TRACKERFS_TEST_OPENS

# --- content: a listing that the kernel keeps, of a folder whose time does not tell (as for the second change in a second). What
# is new has no name yet that the kernel could be told to forget.
create() { # create NAME: a story
    api POST "/projects/$pid/stories" "{\"name\": \"$1\"}" >/dev/null
    poll "$(version)"
}
mounted attributes,content
before=$(ls "$project/stories")
create "Muted content"
equal "$(ls "$project/stories")" "$before" "listing without content notices (stale on purpose)"
unmount "$mnt"
mounted attributes
create "Told content"
ls "$project/stories" | grep -q -- "-Told-content$" || fail "the listing is old though the kernel was told"
unmount "$mnt"

# --- delete: what is gone at the server stays
mounted delete
api DELETE "/projects/$pid/stories/$id" >/dev/null
poll "$(version)"
[ -d "$story" ] || fail "without delete notices nothing is stale: the notices are needless, or the test is"
unmount "$mnt"
mounted ''
api DELETE "/projects/$pid/stories/$id" >/dev/null
poll "$(version)"
[ ! -e "$story" ] || fail "a deleted story is still there"
unmount "$mnt"

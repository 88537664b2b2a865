# What each errno of a change means, one example each. Elsewhere: ESTALE in mount/test-conflict, ENOSPC in fault/test-full-disk,
# and what reading says in fault/test-http-faults and mount/test-offline.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount
# says WORDS: the story's .error has them
says() { grep -q "$1" "$story/.error" || fail ".error lacks '$1': $(cat "$story/.error")"; }
# refused ERRNO FILE TEXT WORDS: saving TEXT in FILE fails so, sends nothing, leaves FILE as it was, and .error has WORDS
refused() {
    local before
    before=$(cat "$2")
    printf '%s' "$3" >"$work/new"
    reset_requests
    expect_errno "$1" cp "$work/new" "$2"
    equal "$(puts)" 0 "requests of what is refused: $3"
    says "$4"
    equal "$(cat "$2")" "$before" "$2 after a refused save"
}
echo "a text" >"$story/description.md"
invalid="Invalid argument"
refused "$invalid" "$story/.fields/current_state" nonsense "allowed: .*started"
refused "$invalid" "$story/.fields/name" " " blank
refused "$invalid" "$story/.fields/owner_ids" "nobody here" "nobody here"
refused "$invalid" "$story/.fields/deadline" "the day after" deadline
refused "$invalid" "$story/.fields/name" "$(printf 'x%.0s' {1..6000})" "5000"
refused "$invalid" "$story/story.json" "{" "line 1, column"
refused "$invalid" "$story/story.json" "$(sed 's/"story_type"/"storytype"/' "$story/story.json")" "story_type"
jq '.kind = "epic"' "$story/story.json" >"$work/json"
refused "$invalid" "$story/story.json" "$(cat "$work/json")" "only the service sets it"
expect_errno "Operation not permitted" cp "$work/new" "$story/.url"
says "nobody can write"
# Each refusal says field, value, rule and what is allowed, and takes the place of the last one.
refused "$invalid" "$story/.fields/estimate" abc "allowed: .*1,2"
jq '.requester = "Ada"' "$story/story.json" >"$work/json"
refused "$invalid" "$story/story.json" "$(cat "$work/json")" "did you mean requested_by?"
expect_errno "Operation not permitted" cp "$work/new" "$story/.fields/created_at"
says "field: created_at"
says "rule: only the service sets it"
expect_errno "Operation not permitted" cp "$work/new" "$story/.fields/estimat"
says "field: estimat$"
says "did you mean estimate?"
echo "a text" >"$story/description.md"
: >"$story/description.md"
says "field: description"
cp "$work/new" "$story/attachments/twice.txt"
expect_errno "Operation not permitted" cp "$work/new" "$story/attachments/twice.txt"
says "an attachment cannot be changed"
echo mine >"$story/comments/mine.md"
cp "$work/new" "$work/other.md"
expect_errno "Operation not permitted" rm "$story/comments/mine.md"
says "mv from another file system"
"$trackerfs" serve "$work/t.db" --add-user "Olaf:olaf@example.org" >/dev/null 2>&1
"$trackerfs" serve "$work/t.db" --add-member "olaf@example.org:$pid:viewer" >/dev/null
"$trackerfs" refresh "$m"
viewer=$(api GET "/projects/$pid/memberships" | jq '.[] | select(.role == "viewer") | .person.id' | tail -n 1)
reset_requests
echo "$viewer" >"$work/new"
expect_errno "$invalid" cp "$work/new" "$story/.fields/owner_ids"
equal "$(puts)" 0 "requests of an owner who may not be one"
says "role viewer"
grep "^allowed:" "$story/.error" | grep -qi olaf && fail "a viewer is offered as owner: $(cat "$story/.error")"
expect_errno "Operation not permitted" cp "$work/new" "$project/activity.jsonl"
expect_errno "File exists" mkdir "$story"
expect_errno "File name too long" cp "$work/new" "$story/comments/$(printf 'x%.0s' {1..256})"
expect_errno "File too large" truncate -s 70M "$story/description.md"
equal "$(cat "$story/description.md")" "a text" "a text that was made too large"
faults "delete=$sid@GET:/services/v5/projects/$pid/stories/$sid*1"
expect_errno "No such file" cp "$work/new" "$story/description.md"

# EIO: the server says yes and does not do it, or what it says it did is something else.
choose_story 2
echo "a text" >"$story/description.md"
for fault in ignore long=10; do
    faults "$fault@PUT:/services/v5/projects/$pid/stories/$sid*1"
    expect_errno "Input/output error" cp "$work/new" "$story/description.md"
    faults ""
    says "the server took the change and did not make it"
    [ $fault != ignore ] || equal "$(remote .description)" "a text" "the server, after a change that it did not make"
    "$trackerfs" refresh "$m"
    equal "$(cat "$story/description.md")" "$(remote .description)" "the file, after $fault"
done

# What a change needs is not at hand, and cannot be had: EAGAIN, ETIMEDOUT, ENETDOWN, and nothing is sent. A removal needs the
# story's attachments, for the trash; a change of a story that was never seen, the story.
cp "$work/new" "$story/attachments/needed.txt"
echo mine >"$story/comments/mine.md"
fresh_mount() { # fresh_mount TIMEOUT [FAULTS]: nothing is kept, and nothing is fetched ahead before the faults begin
    unmount "$m"
    rm -rf "$work/cache"
    faults "${2:-}"
    mount_fs "$url" "$m" rw,delete,poll=0,ttl=3600,timeout="$1"
}
n_comments() { api GET "/projects/$pid/stories/$sid/comments" | jq length; }
n=$(n_comments)
cannot_remove() { # cannot_remove ERRNO: the comment that says mine
    expect_errno "$1" rm "$mine"
    [ -f "$mine" ] || fail "gone from the tree, though not removed: $1"
}
cannot_make() { # cannot_make ERRNO: a story in a project of which nothing is known
    expect_errno "$1" mkdir "$project/stories/Never made"
}
while read -r timeout fault errno; do
    fresh_mount "$timeout"
    mine=$(grep -lx mine "$story"/comments/*.md)
    faults "${fault/SOME/\/resource\/}"
    cannot_remove "$errno"
    faults ""
    reset_requests
    fresh_mount "$timeout" "${fault/SOME//services/v5/projects/$pid}"
    cannot_make "$errno"
    faults ""
    equal "$(puts)" 0 "requests that write, under $fault"
done <<END_OF_FAULTS
20 rate429=100@SOME,retry_after=60 Resource temporarily unavailable
1 hang@SOME Connection timed out
END_OF_FAULTS
fresh_mount 5
mine=$(grep -lx mine "$story"/comments/*.md)
stop_server
cannot_remove "Network is down"
start_server "$work/t.db" --faults
fresh_mount 5 "hang@/services/v5/projects/$pid"
stop_server
cannot_make "Network is down"
start_server "$work/t.db" --faults
equal "$(n_comments)" "$n" "comments after removals that could not be"
unmount "$m"

# EACCES: a viewer reads, and the modes say so.
"$trackerfs" serve "$work/t.db" --add-user "Vera:vera@example.org" >"$work/user" 2>&1 || { cat "$work/user"; fail "--add-user"; }
"$trackerfs" serve "$work/t.db" --add-member "vera@example.org:$pid:viewer" >/dev/null
"$trackerfs" serve "$work/t.db" --add-token vera@example.org | grep -oE '[0-9a-f]{32}' >"$work/token"
mount_fs "$url" "$m" rw
choose_story 1
echo x >"$work/new"
expect_errno "Permission denied" cp "$work/new" "$story/description.md"
expect_errno "Permission denied" mkdir "$project/stories/Mine"
expect_errno "Permission denied" cp "$work/new" "$story/comments/new.md"
equal "$(stat -c %A "$story/description.md")" "-r--r--r--" "the mode of what a viewer sees"
unmount "$m"

# EROFS: -o ro, whoever it is.
mount_fs "$url" "$m" ro
expect_errno "Read-only file system" cp "$work/new" "$story/description.md"
unmount "$m"

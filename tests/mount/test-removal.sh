# What rm and rmdir do at the server: nothing, with the reason, unless mounted with -o delete; with it never more than the
# guard lets through, and the trash has all of that.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
# refused PATH WORDS WHERE: removing PATH is EPERM, and WHERE/.error has WORDS
refused() {
    expect_errno "Operation not permitted" rm -f "$1"
    grep -q "$2" "$3/.error" || fail "rm $1: $3/.error says '$(cat "$3/.error")'"
}
comments() { api GET "/projects/$pid/stories/$sid/comments" | jq length; }
everything() { api GET "/projects/$pid/stories?limit=500&fields=id,labels,owner_ids,comments(id),tasks(id)"; }
link_to() { find "$project/$1" -mindepth 1 -maxdepth 2 -type l -name "*$sid-*" | sed -n 1p; } # link_to VIEW: of $story
trashed() { find "$XDG_DATA_HOME/trackerfs/trash" -mindepth 2 -maxdepth 2 -name "*-$sid-*" 2>/dev/null | wc -l; }

open_mount
echo mine >"$story/comments/new.md"
(cd "$project/labels/booking" && ln -s "../../stories/$(basename "$story")" .)
api PUT "/projects/$pid/stories/$sid" "{\"owner_ids\": [$(api GET /me | jq .id)]}" >/dev/null
"$trackerfs" refresh "$m"
everything >"$work/before"

# Without -o delete.
reset_requests
refused "$story"/comments/*-ada.md "mount with -o delete" "$story"
refused "$story/comments/new.md" "mount with -o delete" "$story"
refused "$(link_to labels)" "mount with -o delete" "$story"
refused "$(link_to by-owner)" "mount with -o delete" "$story"
refused "$(link_to by-state)" "always in one of these folders" "$story"
refused "$project/stories/$sid" "another name of a folder" "$story"
expect_errno "Operation not permitted" rmdir "$story"
grep -q "mount with -o delete" "$story/.error"
rm -rf "$m" 2>/dev/null && fail "rm -rf of a mount succeeded"
equal "$(puts)" 0 "requests that write, of removals that are refused"
unmount "$m"

# With it: by both of its names, and what a link in a view says of the story.
mount_fs "$url" "$m" rw,delete
n=$(comments)
rm "$story"/comments/*-ada.md
equal "$(comments)" $((n - 1)) "comments after rm"
echo again >"$story/comments/new.md"
equal "$(comments)" "$n" "comments after a new one"
rm "$story/comments/new.md"
equal "$(comments)" $((n - 1)) "comments after rm of the first name of one"
[ ! -L "$story/comments/new.md" ] || fail "the first name is left behind"
refused "$(link_to by-state)" "always in one of these folders" "$story"
refused "$project/stories/$sid" "another name of a folder" "$story"
rm "$(link_to labels)"
equal "$(remote '[.labels[].name] | index("booking")')" null "the label after rm of the link in its folder"
rm "$(link_to by-owner)"
equal "$(remote '.owner_ids | length')" 0 "owners after rm of the link in by-owner/"
# Tasks move up when one is removed, in the middle of an rm: each is known by its id all the same.
for task in one two three; do echo "- [ ] $task" >"$story/tasks/$task.md"; done
named_before=$(ls "$story/tasks" | tail -n 2)
rm $(ls -d "$story"/tasks/* | tail -n 3 | head -n 1)
for name in $named_before; do
    [ -e "$story/tasks/$name" ] || fail "$name leads nowhere after the task before it was removed"
    rm "$story/tasks/$name"
done
equal "$(api GET "/projects/$pid/stories/$sid/tasks" | jq '[.[] | select(.description | test("^(one|two|three)$"))] | length')" 0 "tasks after rm"
equal "$(trashed)" 7 "copies in the trash"
grep -qx again "$XDG_DATA_HOME"/trackerfs/trash/*/*-"$sid"-*/comments/* || fail "the trash has not what was removed"
rmdir "$story"
equal "$(curl -s -o /dev/null -w '%{http_code}' -H "X-TrackerToken: $(token)" "$url/services/v5/projects/$pid/stories/$sid")" 404 "a removed story"

# The trash has bounds: what is older than 30 days goes at a mount, older things than a day when there is too much.
trash=$(dirname "$(find "$XDG_DATA_HOME/trackerfs/trash" -name "*-$sid-*" | head -n 1)")
in_trash() { # in_trash AGE: a copy of that age, made by hand
    echo "$trash/$(date -u -d "$1 ago" +%Y%m%dT%H%M%S)-1-1-$sid-Old"
}
of_last_month=$(in_trash "31 days") of_yesterday=$(in_trash "25 hours") of_today=$(in_trash "1 hour")
mkdir "$of_last_month" "$of_yesterday" "$of_today"
unmount "$m"
mount_fs "$url" "$m" rw
[ -d "$of_last_month" ] || fail "a mount that removes nothing has dropped something from the trash"
unmount "$m"
mount_fs "$url" "$m" rw,delete
[ ! -e "$of_last_month" ] || fail "a copy of a month ago is still in the trash"
[ -d "$of_yesterday" ] || fail "a copy of yesterday is gone"
truncate -s 1500M "$of_yesterday/file" "$of_today/file"
unmount "$m" # what was put there by hand is counted at a mount
mount_fs "$url" "$m" rw,delete
[ ! -e "$of_yesterday" ] && [ -d "$of_today" ] || fail "too much in the trash: $(ls "$trash")"
truncate -s 2500M "$of_today/file"
unmount "$m"
mount_fs "$url" "$m" rw,delete
choose_story 3
echo mine >"$story/comments/new.md"
before=$(ls "$trash")
reset_requests
expect_errno "No space left" rm "$story/comments/new.md"
grep -q "last 24 hours" "$story/.error" || fail "a full trash: $(cat "$story/.error")"
equal "$(puts)" 0 "requests that write, with a full trash"
equal "$(ls "$trash")" "$before" "the trash, after it was full"
rm -r "$of_today"
rm "$story/comments/new.md" || fail "rm, with room in the trash: $(cat "$story/.error")"
equal "$(ls "$trash" | wc -l)" $(($(wc -l <<<"$before"))) "copies in the trash, one dropped and one made"

# rm -rf of everything: the guard stops it (20 a minute, 2 were tried by this mount), and the trash has what went.
everything >"$work/before"
reset_requests
rm -rf "$m" 2>/dev/null && fail "rm -rf of a mount succeeded"
equal "$(puts)" 18 "removals of an rm -rf"
everything >"$work/after"
ids() { jq -r '.[] | .id, .comments[].id, .tasks[].id' "$1" | sort; }
find "$XDG_DATA_HOME/trackerfs/trash" -printf '%f\n' >"$work/names"
for id in $(comm -23 <(ids "$work/before") <(ids "$work/after")); do
    grep -qE -- "(^|-)$id(-|\.)" "$work/names" || fail "$id was removed, and is not in the trash"
done
unmount "$m"

# Making, moving and removing things of the tracker with mkdir, cp, mv, ln and rm.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount

# A new story: its folder is at once there under the final name; the first name leads to it until the mount ends.
mkdir "$project/stories/A new one"
equal "$(readlink "$project/stories/A new one" | sed 's/^[0-9]*-//')" A-new-one "where the first name leads"
new=$(readlink "$project/stories/A new one")
[ -d "$project/stories/$new" ] || fail "the new story's folder"
! ls "$project/stories" | grep -qx 'A new one' || fail "the first name is listed"
equal "$(api GET "/projects/$pid/stories/${new%%-*}" | jq -r .name)" "A new one" "the name at the server"
echo "Some text" >"$project/stories/A new one/description.md"
equal "$(api GET "/projects/$pid/stories/${new%%-*}" | jq -r .description)" "Some text" "the text of a new story"
mkdir "$project/epics/Great plan"
equal "$(api GET "/projects/$pid/epics" | jq '[.[] | select(.name == "Great plan")] | length')" 1 "the new epic at the server"
expect_errno "File exists" mkdir "$project/stories/A new one"
expect_errno "Operation not permitted" mkdir "$project/nothing"

# Comments, tasks, attachments; each is sent once.
reset_requests
printf 'Looks **good**\n' >"$story/comments/mine.md"
equal "$(puts)" 1 "requests of a comment"
equal "$(cat "$story"/comments/mine.md)" "Looks **good**" "a comment by its first name"
[ -L "$story"/comments/mine.md ] || fail "the first name is a link"
equal "$(api GET "/projects/$pid/stories/$sid/comments" | jq -r '.[-1].text')" "Looks **good**" "the comment at the server"
echo "Looks better" >"$story/comments/mine.md"
equal "$(api GET "/projects/$pid/stories/$sid/comments" | jq -r '.[-1].text')" "Looks better" "the comment, changed"
tasks=$(ls "$story"/tasks | wc -l)
echo '- [x] write it down' >"$story/tasks/new.md"
equal "$(ls "$story"/tasks | wc -l)" $((tasks + 1)) "tasks listed"
equal "$(api GET "/projects/$pid/stories/$sid/tasks" | jq -c '.[-1] | [.description, .complete]')" '["write it down",true]' "the task at the server"
last=$(ls "$story"/tasks | tail -n 1)
mv "$story/tasks/$last" "$story/tasks/1-${last#*-}"
equal "$(api GET "/projects/$pid/stories/$sid/tasks" | jq -r '.[0].description')" "write it down" "the task that was moved up"
head -c 300000 /dev/urandom >"$work/shot.png"
cp "$work/shot.png" "$story/attachments/"
equal "$(ls "$story"/attachments)" shot.png "attachments listed"
cmp "$story"/attachments/shot.png "$work/shot.png" || fail "the attachment reads otherwise"

# Links from one folder of a view to another.
id=$(api GET "/projects/$pid/stories?limit=500" | jq '[.[] | select(.current_state == "unstarted" and (.story_type == "bug" or .story_type == "chore" or .estimate))][0].id')
link=$(basename "$project/by-state/unstarted/$id"-*)
mv "$project/by-state/unstarted/$link" "$project/by-state/started/" 2>"$work/err" || { cat "$project/stories/$id/.error"; fail "mv between states: $(cat "$work/err")"; }
equal "$(api GET "/projects/$pid/stories/$id" | jq -r .current_state)" started "the state after mv"
[ -L "$project/by-state/started/$link" ] && [ ! -e "$project/by-state/unstarted/$link" ] || fail "the link has not moved"
[ -e "$project/by-state/started/$link/story.json" ] || fail "the moved link leads nowhere"
label=$(ls "$project/labels" | head -n 1)
ln -s "../../stories/$link" "$project/labels/$label/" 2>/dev/null || [ -L "$project/labels/$label/$link" ] || fail "ln -s into a label"
api GET "/projects/$pid/stories/$id" | jq -e --arg l "$label" '.labels | map(.name | gsub(" "; "-")) | index($l)' >/dev/null || fail "the label at the server"
owner=$(ls "$project/by-owner" | tail -n 1)
ln -s "../../stories/$link" "$project/by-owner/$owner/" 2>/dev/null || [ -L "$project/by-owner/$owner/$link" ] || fail "ln -s into an owner"
[ -L "$project/by-owner/$owner/$link" ] || fail "the owner's folder lists the story"
last=$(ls "$project/icebox" | tail -n 1)
[ "$(ls "$project/icebox" | wc -l)" -ge 2 ] || fail "the sample's icebox is too small"
mv "$project/icebox/$last" "$project/icebox/1-${last#*-}"
equal "$(ls "$project/icebox" | head -n 1 | sed 's/^[0-9]*-//')" "${last#*-}" "the first of the icebox after mv"
expect_errno "Operation not permitted" mv "$project/by-state/started/$link" "$project/labels/$label/"
grep -q 'ln -s' "$project/stories/$id/.error" || fail "no hint in .error"

# Nothing is removed unless the mount was made for that.
before=$(api GET "/projects/$pid/stories?limit=500" | jq -c '[.[].id] | sort')
comments=$(api GET "/projects/$pid/stories/$sid/comments" | jq length)
expect_errno "Operation not permitted" rm -f "$story"/comments/[0-9]*.md
grep -q 'o delete' "$story/.error" || fail "no reason in .error"
rm -rf "$project" >/dev/null 2>&1 && fail "rm -rf succeeded" || :
equal "$(api GET "/projects/$pid/stories?limit=500" | jq -c '[.[].id] | sort')" "$before" "stories after rm -rf"
equal "$(api GET "/projects/$pid/stories/$sid/comments" | jq length)" "$comments" "comments after rm -rf"
unmount "$m"

# With -o delete: a copy first, and not more than 20.
mount_fs "$url" "$m" rw,delete
story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
rm "$story"/comments/[0-9]*.md
equal "$(ls "$story/comments")" "" "comments listed after rm"
trash=$(find "$XDG_DATA_HOME/trackerfs/trash" -name story.json | head -n 1)
[ -s "$trash" ] || fail "no copy in the trash"
cmp "$(dirname "$trash")/attachments/shot.png" "$work/shot.png" || fail "the attachment is not in the trash"
rm -rf "$project/stories" >/dev/null 2>&1 && fail "rm -rf succeeded" || :
left=$(api GET "/projects/$pid/stories?limit=500" | jq length)
[ "$left" -ge $(($(jq length <<<"$before") - 20)) ] || fail "the guard let $left of $(jq length <<<"$before") stories"
[ "$left" -lt "$(jq length <<<"$before")" ] || fail "nothing was removed"
copies=$(find "$XDG_DATA_HOME/trackerfs/trash" -mindepth 2 -maxdepth 2 -type d | wc -l)
[ "$copies" -ge $(($(jq length <<<"$before") - left)) ] || fail "$copies copies of what was removed"
unmount "$m"

# Without the server: what is changed and made shows at once, stands in the queue, survives kill -9 and remount, and arrives
# once and in order when the server is back. What is dropped from the queue never does.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount save_wait=0,timeout=5
cat "$story"/*.* "$story/comments"/* "$story/tasks"/* >/dev/null 2>&1 || :
count_stories
said=$(api GET "/projects/$pid/stories/$sid/comments" | jq length)
stop_server
daemon() { jq .pid "$m/.trackerfs/status.json"; }
queue() { "$trackerfs" queue "$m" "$@"; }
queue_is_empty() { [ "$(queue)" = "the server has accepted everything" ]; }

# --- Making ---
made=$project/stories/"Made offline"
mkdir "$made"
mkdir "$project/stories/Dropped again"
echo "its text" >"$made/description.md"
echo "first" >"$made/comments/new.md"
echo "second" >"$made/comments/more.md"
echo "- [x] done offline" >"$made/tasks/new.md"
head -c 300000 /dev/urandom >"$work/shot.bin"
cp "$work/shot.bin" "$made/attachments/"
echo started >"$made/.fields/current_state" 2>"$work/refusal" && fail "a feature without an estimate was started"
grep -q estimate "$made/.error" || fail "no reason: $(cat "$made/.error")"
echo 1 >"$made/.fields/estimate"
echo started >"$made/.fields/current_state"
# --- Changing what is there ---
for text in one two three; do echo "$text" >"$story/description.md"; done
echo "said offline" >"$story/comments/new.md"
mv "$project/by-state/$(jq -r .current_state "$story/story.json")/$(basename "$story")" "$project/by-type/bug/" 2>/dev/null && fail "a move between views"
(cd "$project/labels/booking" && ln -s "../../stories/$(basename "$story")" .)

looks_right() { # looks_right WHEN
    local folder
    folder=$(find "$project/stories" -maxdepth 1 -name "*-Made-offline")
    [ -n "$folder" ] || fail "the new story is not listed $1"
    equal "$(cat "$folder/description.md")" "its text" "the new story's text $1"
    equal "$(cat "$folder"/comments/* | sort | paste -sd,)" "first,second" "its comments $1"
    equal "$(cat "$folder"/tasks/*)" "- [x] done offline" "its task $1"
    cmp "$work/shot.bin" "$folder/attachments/shot.bin" || fail "its attachment $1"
    equal "$(jq -r '.current_state, .estimate' "$folder/story.json" | paste -sd,)" started,1 "its state $1"
    [ -L "$project/by-state/started/$(basename "$folder")" ] || fail "no link in by-state/ $1"
    equal "$(cat "$story/description.md")" three "a text that was changed three times $1"
    equal "$(cat "$story"/comments/* | grep -c "said offline")" 1 "the new comment $1"
    [ -L "$project/labels/booking/$(basename "$story")" ] || fail "no link in labels/ $1"
}
looks_right "while offline"
name=$(basename "$(find "$project/stories" -maxdepth 1 -name "*-Made-offline")")
[[ $name =~ ^new-[0-9]+-Made-offline$ ]] || fail "the name of what has no number yet: $name"

# --- The queue, as a command and as files ---
queue >"$work/list"
grep -qE "^ *[0-9]+  pending .*new story" "$work/list" || { cat "$work/list"; fail "the queue does not name the new story"; }
equal "$(ls "$m/.trackerfs/queue" | wc -l)" "$(wc -l <"$work/list")" "files of the queue"
dropped=$(for id in $(awk '{ print $1 }' "$work/list"); do queue show "$id" | jq -r 'select(.changes.name == "Dropped again") | .id'; done)
queue show "$dropped" | jq -e '.changes.name == "Dropped again" and .state == "pending"' >/dev/null || fail "queue show $dropped"
queue drop "$dropped"
queue show "$dropped" 2>/dev/null && fail "a dropped edit is still shown"
[ -z "$(find "$project/stories" -name "*Dropped*")" ] || fail "a dropped story is still there"
queue drop 999999 2>"$work/refusal" && fail "drop of an edit that is not there"
grep -q "no edit 999999" "$work/refusal" || fail "drop: $(cat "$work/refusal")"
touch "$m/.trackerfs/queue" # tries all again; in vain
"$trackerfs" status "$m" >"$work/status"
grep -q " $(($(wc -l <"$work/list") - 1)) changes wait" "$work/status" || { cat "$work/status"; fail "status does not count the edits"; }
says_offline() { "$trackerfs" status "$m" | grep -q OFFLINE; }
until_true 10 "status says offline" says_offline

# --- kill -9, remount without the server, and a look at what unmounting says ---
kill -9 "$(daemon)"
until_true 20 "the mount is dead" bash -c "! cat '$m/.trackerfs/status.json' 2>/dev/null" # its kept listings outlive it
umount -l "$m"
mount_fs "$url" "$m" rw,save_wait=0,timeout=5
looks_right "after kill -9"
"$trackerfs" umount "$m" 2>"$work/said"
grep -q "has not accepted $(($(wc -l <"$work/list") - 1)) changes" "$work/said" || { cat "$work/said"; fail "umount does not count what remains"; }
mount_fs "$url" "$m" rw,save_wait=0,timeout=5
looks_right "after a remount"

# --- The server is back ---
comment=$(basename "$(find "$story/comments" -name "new-*")")
task=$(basename "$(find "$project/stories/$name/tasks" -name "*-new-*")")
start_server "$work/t.db" --faults
queue retry
until_true 60 "the queue is empty" queue_is_empty || fail "left in the queue: $(queue)"
looks_right "when the server has it"
made_id=$(api GET "/projects/$pid/stories?limit=500" | jq '.[] | select(.name == "Made offline") | .id')
[[ $made_id =~ ^[0-9]+$ ]] || fail "stories of that name at the server: '$made_id'"
equal "$(api GET "/projects/$pid/stories?limit=500" | jq length)" $((n_stories + 1)) "stories at the server"
equal "$(api GET "/projects/$pid/stories/$made_id/comments" | jq -r '[.[] | .text // ""] | map(rtrimstr("\n")) | join(",")')" "first,second," "comments of the new story, in order, and that of the upload"
equal "$(api GET "/projects/$pid/stories/$made_id/tasks" | jq -r '[.[] | .description] | join(",")')" "done offline" "its tasks"
equal "$(api GET "/projects/$pid/stories/$sid/comments" | jq length)" $((said + 1)) "comments of the other story"
equal "$(remote .description)" three "its text"
api GET "/projects/$pid/stories/$made_id/activity?limit=500" | jq -r '.[].kind' | tac >"$work/kinds"
equal "$(head -n 1 "$work/kinds")" story_create_activity "the first that arrived of the new story"
equal "$(grep -c create_activity "$work/kinds")" 5 "what was made: a story, three comments, a task"
[ -d "$project/stories/$made_id-Made-offline" ] || fail "no folder under its number"

# --- Who has listed or opened what was made finds it by the name it had, and does not make it twice ---
equal "$(readlink "$project/stories/$name")" "$made_id-Made-offline" "the story's former name"
equal "$(stat -L -c %i "$project/stories/$name")" "$(stat -c %i "$project/stories/$made_id-Made-offline")" "what it leads to"
[ "$(stat -c %F "$project/stories/new-999-Made-offline" 2>&1)" != "symbolic link" ] || fail "a name that nothing had"
echo "said again" >"$story/comments/$comment"
echo "- [ ] to do again" >"$project/stories/$name/tasks/$task"
until_true 60 "the queue is empty again" queue_is_empty || fail "left in the queue: $(queue)"
equal "$(api GET "/projects/$pid/stories/$sid/comments" | jq -r 'map(.text) | .[] | select(startswith("said"))')" "said again" "the comment"
equal "$(api GET "/projects/$pid/stories/$made_id/tasks" | jq -r '[.[] | "\(.description) \(.complete)"] | join(",")')" "to do again false" "the task"
unmount "$m"

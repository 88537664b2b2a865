# The examples of trackerfs(1) and of the README.md in a mount do what they say: each line is run as it stands there, with names
# put in for its placeholders.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount delete
editor() { echo "By the editor." >>"$1"; }
export EDITOR=editor
title="A new story"
label=$(find "$project/labels" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | sed -n 1p)
echo "Written by hand." >"$work/mine.md"
echo "From both." >"$work/merged.md"
printf 'PNG' >"$work/shot.png"

# A feature that can be started.
choose() {
    sid=$(api GET "/projects/$pid/stories?limit=500" | jq '[.[] | select(.story_type == "feature" and .current_state == "unstarted" and .estimate)][0].id')
    story=$(echo "$project/stories/$sid"-*)
}

# run_lines WHERE: runs the lines on standard input in that folder
run_lines() {
    local line
    cd "$1"
    while read -r line; do
        line=${line#'$ '}
        line=${line//LABEL/$label}
        line=${line//A new story/$title}
        other=$(find "$project/icebox" -type l -printf '%f\n' | sort | tail -n 1)
        line=${line//012-ID-\*/$other}
        line=${line//1-ID/1-$(sed -E 's/^[0-9]+-([0-9]+)-.*/\1/' <<<"$other")}
        line=${line//PROJECT\//}
        line=${line//stories\/ID/stories/$sid}
        line=${line//ID-/$sid-}
        line=${line//MOUNTPOINT/$m}
        line=${line//shot.png/$work/shot.png}
        line=${line// mine.md/ $work/mine.md}
        line=${line// merged.md/ $work/merged.md}
        reset_requests
        eval "$line" >>"$work/out" 2>&1 </dev/null || fail "'$line': $(tail -n 3 "$work/out")"
        echo "ok: $line"
    done
    cd "$work"
}
# block N: the Nth example of EDITING in trackerfs(1)
block() { sed -n '/^# EDITING/,/^# TOKEN/p' "$TRACKERFS_SOURCE_DIR/scripts/packaging/trackerfs.1.scd" | awk -v n=$((2 * $1 - 1)) '/^```/ { i++; next } i == n'; }

# 1: edits. Each is one request that writes, but for an upload with its comment.
choose
[ "$(block 1 | wc -l)" -ge 9 ] || fail "the examples are not found"
run_lines "$project" < <(block 1)
[[ $(remote .description) == *"By the editor." ]] || fail "the editor's save"
equal "$(remote .current_state)" finished "after started and finished"
equal "$(remote .estimate)" 3 "the estimate"
api GET "/projects/$pid/stories/$sid?fields=tasks,comments(text,file_attachments),labels" >"$work/json"
jq -e '.tasks[] | select(.description == "to do")' "$work/json" >/dev/null || fail "no task"
jq -e '.comments[] | select((.text // "") | startswith("I agree"))' "$work/json" >/dev/null || fail "no comment"
jq -e '.comments[].file_attachments[] | select(.filename == "shot.png")' "$work/json" >/dev/null || fail "no attachment"
jq -e --arg l "$label" '.labels[] | select(.name == $l)' "$work/json" >/dev/null || fail "no label"
api GET "/projects/$pid/stories?limit=500" | jq -e '.[] | select(.name == "A new story")' >/dev/null || fail "no new story"

# 2: a refusal, word for word.
echo started >"$story/.fields/current_state"
! (echo nonsense >"$story/.fields/current_state") 2>"$work/said" || fail "nonsense was taken"
grep -q "$(block 2 | sed -n '2s/^bash: //p')" "$work/said" || fail "not said as in the manual: $(cat "$work/said")"
block 2 | sed -n '4,8p' | diff - "$story/.error" || fail ".error is not that of the manual"
grep -qx finished "$story/.next_states" || fail ".next_states"

# 3: a conflict, both ways out.
# (Opened in a process of its own: what a process read last is what its next save is compared with.)
make_conflict() (
    local reader
    exec {reader}<"$story/description.md"
    api PUT "/projects/$pid/stories/$sid" "{\"description\": \"Theirs $1\"}" >/dev/null
    expect_errno "Stale file handle" cp "$work/mine.md" "$story/description.md"
    exec {reader}<&-
    equal "$(ls "$story/.conflict" | tr '\n' ' ')" "base mine theirs " "the sides of a conflict"
)
make_conflict 1
! diff "$story/.conflict/mine" "$story/.conflict/theirs" >/dev/null || fail "no difference"
run_lines "$project" < <(block 3 | sed -n 3p)
equal "$(remote .description)" "From both." "after the merge"
[ ! -e "$story/.conflict" ] || fail "the conflict is still there after the merge"
make_conflict 2
run_lines "$project" < <(block 3 | sed -n 4p)
[ ! -e "$story/.conflict" ] || fail "the conflict is still there after rm"
is_theirs() { [ "$(cat "$story/description.md")" = "Theirs 2" ]; }
until_true 5 "the file has what the server has" is_theirs

# 4: without a server.
stop_server
echo "Without a server." >"$story/description.md"
equal "$(cat "$story/description.md")" "Without a server." "what a save without a server shows"
"$trackerfs" queue "$m" >"$work/queue"
grep -q "story $sid: description: .*cannot be reached" "$work/queue" || fail "queue: $(cat "$work/queue")"
equal "$(wc -l <"$work/queue")" 1 "lines of the queue"
edit=$(sed 's/ .*//' "$work/queue")
equal "$("$trackerfs" queue "$m" show "$edit" | jq -r .changes.description)" "Without a server." "queue show"
start_server "$work/t.db" --faults
"$trackerfs" queue "$m" retry
there() { [ "$(remote .description)" = "Without a server." ]; }
until_true 20 "the server has it" there
stop_server
echo "To be given up." >"$story/description.md"
edit=$("$trackerfs" queue "$m" | sed 's/ .*//')
"$trackerfs" queue "$m" drop "$edit"
equal "$("$trackerfs" queue "$m")" "the server has accepted everything" "after drop"
start_server "$work/t.db" --faults

# Removing copies first.
task=$(find "$story/tasks" -name '*.md' | sort | sed -n 1p)
words=$(cat "$task")
rm "$task"
grep -rqxF -e "$words" "$XDG_DATA_HOME/trackerfs/trash" || fail "the trash has no copy of the task"

# The README.md in the mount, its indented lines under Edit.
choose
label=$(find "$project/labels" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | sed -n 2p)
run_lines "$story" < <(sed -n '/^## Edit/,/^##[^#]* /p' "$m/README.md" | sed -n 's/^    //p' | grep -v 'PROJECT/')
choose
title="Another new story"
run_lines "$project" < <(sed -n '/^## Edit/,$p' "$m/README.md" | sed -n 's/^    //p' | grep 'PROJECT/')
unmount "$m"

# Somebody else changed the same thing: nothing is sent over it, .conflict has the three sides, and it ends when somebody who
# has seen the other side saves, or when it is removed. What was changed beside it is merged.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount poll=0,ttl=3600
put() { api PUT "/projects/$pid/stories/$sid" "$1" >/dev/null; } # the colleague
no_conflict() { [ ! -e "$story/.conflict" ]; }
sides() { # sides BASE MINE THEIRS
    local side
    for side in base mine theirs; do
        printf '%s' "$1" | cmp - "$story/.conflict/$side" || fail ".conflict/$side is '$(cat "$story/.conflict/$side")', not '$1'"
        shift
    done
}
# An editor: one process that reads once and writes each time it is told to. Its answers: ok, or the error's name.
cat >"$work/editor.py" <<'END'
import errno, os, sys
path = sys.argv[1]
open(path).read()
print("ready", flush=True)
for line in sys.stdin:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
        os.write(fd, line.rstrip("\n").replace("|", "\n").encode())
        os.close(fd)
        print("ok", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
END
editor() { coproc EDITOR { exec python3 "$work/editor.py" "$1"; }; read -r _ <&"${EDITOR[0]}"; }
saves() { # saves TEXT ANSWER
    local answer
    echo "$1" >&"${EDITOR[1]}"
    read -r answer <&"${EDITOR[0]}"
    equal "$answer" "$2" "saving '$1'"
}
quit() { local pid=$EDITOR_PID in=${EDITOR[1]}; exec {in}>&-; wait "$pid"; }

printf 'one\ntwo\nthree\n' >"$story/description.md"

# --- The same line on both sides; an editor that tries again and again sends nothing.
editor "$story/description.md"
put '{"description": "one\ntheirs\nthree\n"}'
reset_requests
saves 'one|mine|three|' ESTALE
saves 'one|mine|three|' ESTALE
saves 'one|mine again|three|' ESTALE
equal "$(puts)" 0 "requests that write, of saves in conflict"
equal "$(remote .description)" "$(printf 'one\ntheirs\nthree')" "the server, in conflict"
sides $'one\ntwo\nthree\n' $'one\nmine again\nthree\n' $'one\ntheirs\nthree\n' # theirs is looked at here
grep -q "theirs" "$story/.error" || fail "no reason in .error: $(cat "$story/.error")"
"$trackerfs" queue "$m" >"$work/queue"
grep -q conflict "$work/queue" || fail "the queue does not show the conflict"
equal "$(wc -l <"$work/queue")" 2 "lines of the queue: each text once, however often it was saved"
equal "$(cat "$story/.conflict"/mine.*)" $'one\nmine\nthree' "the earlier text"
saves 'one|both|three|' ok
equal "$(remote .description)" "$(printf 'one\nboth\nthree')" "a resolution"
no_conflict || fail "the conflict outlives its resolution"
[ ! -s "$story/.error" ] || fail ".error outlives it: $(cat "$story/.error")"

# --- Changed once more after it was looked at: in conflict with that.
put '{"description": "one\nfirst\nthree\n"}'
saves 'one|mine|three|' ESTALE
cat "$story/.conflict/theirs" >/dev/null
put '{"description": "one\nsecond\nthree\n"}'
saves 'one|mine|three|' ESTALE
sides $'one\nfirst\nthree\n' $'one\nmine\nthree\n' $'one\nsecond\nthree\n'

# --- Removed: the server's stays, and is what the file has.
rmdir "$story/.conflict"
no_conflict || fail "rmdir .conflict left it"
"$trackerfs" refresh "$m"
equal "$(cat "$story/description.md")" "$(printf 'one\nsecond\nthree')" "the file after .conflict was removed"
quit

# --- Who has read the file anew has seen the other side.
editor "$story/description.md"
put '{"description": "one\nthird\nthree\n"}'
saves 'one|mine|three|' ESTALE
"$trackerfs" refresh "$m"
quit
editor "$story/description.md"
saves 'one|over the third|three|' ok
equal "$(remote .description)" "$(printf 'one\nover the third\nthree')" "a save by who has read the file anew"
no_conflict || fail "the conflict outlives it"
quit

# --- Other lines, other attributes, lists: merged, in one request.
editor "$story/description.md"
put '{"description": "ONE\nover the third\nthree\n", "name": "A new name", "labels": [{"name": "theirs"}]}'
reset_requests
saves 'one|over the third|THREE|' ok
equal "$(puts)" 1 "requests of a merge"
equal "$(remote .description)" "$(printf 'ONE\nover the third\nTHREE')" "lines of both"
equal "$(remote .name)" "A new name" "their name"
story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
quit
jq '.labels = ["mine"]' "$story/story.json" >"$work/new.json" # read before the next change
put '{"labels": [{"name": "theirs too"}]}'
cp "$work/new.json" "$story/story.json"
equal "$(remote '[.labels[].name] | sort | join(",")')" "mine,theirs too" "labels of both"

# --- A copy that is older than the last look at the file would take back what came between: it is refused.
epic=$(find "$project/epics" -mindepth 1 -maxdepth 1 -type d | sort | sed -n 1p)
eid=$(basename "$epic" | cut -d- -f1)
cp "$epic/epic.json" "$work/epic.json"
cp "$project/project.json" "$work/project.json"
api PUT "/projects/$pid/epics/$eid" '{"name": "Theirs"}' >/dev/null
api PUT "/projects/$pid" '{"week_start_day": "Friday"}' >/dev/null
"$trackerfs" refresh "$m"
epic=$(find "$project/epics" -mindepth 1 -maxdepth 1 -name "$eid-*")
cat "$epic/epic.json" "$project/project.json" >/dev/null
reset_requests
expect_errno "Stale file handle" cp "$work/epic.json" "$epic/epic.json"
grep -q "read it again" "$epic/.error" || fail "no reason in .error: $(cat "$epic/.error")"
expect_errno "Stale file handle" cp "$work/project.json" "$project/project.json"
equal "$(puts)" 0 "requests of older copies"
sed -i 's/"Theirs"/"Ours"/' "$epic/epic.json"
sed -i 's/"week_start_day": "Friday"/"week_start_day": "Sunday"/' "$project/project.json"
equal "$(api GET "/projects/$pid/epics/$eid" | jq -r .name)" Ours "the epic's name, changed in the present file"
equal "$(api GET "/projects/$pid" | jq -r .week_start_day)" Sunday "the project's first day, likewise"

# --- A conflict survives kill -9.
editor "$story/.fields/name"
quit
put '{"name": "Theirs"}'
echo Mine >"$work/name"
expect_errno "Stale file handle" cp "$work/name" "$story/.fields/name"
kill -9 "$(jq .pid "$m/.trackerfs/status.json")"
until_true 20 "the mount is dead" bash -c "! cat '$m/.trackerfs/status.json' 2>/dev/null"
umount -l "$m"
mount_fs "$url" "$m" rw,poll=0,ttl=3600
"$trackerfs" refresh "$m"
story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
sides "A new name" Mine Theirs
"$trackerfs" queue "$m" drop "$("$trackerfs" queue "$m" | awk '/conflict/ { print $1 }')"
no_conflict || fail "queue drop left the conflict"
unmount "$m"

# What was saved offline and turns out to be in conflict: it is shown, can be insisted on with the very same bytes, is one conflict
# whose base is what the server had, and never stands over what was accepted after it. Every text is kept until it is settled.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount poll=0,ttl=3600,save_wait=0
queue() { "$trackerfs" queue "$m" "$@"; }
queue_is() { [ "$(queue | grep -c "^$1")" = "$2" ]; }
queue_is_empty() { [ "$(queue)" = "the server has accepted everything" ]; }
# meanwhile JSON: somebody changes the story while the mount cannot reach the server, which then comes back
meanwhile() {
    local here=$port
    port=0
    start_server "$work/t.db" --faults
    api PUT "/projects/$pid/stories/$sid" "$1" >/dev/null
    stop_server
    port=$here
    start_server "$work/t.db" --faults
    queue retry
}
offline_save() { # offline_save FILE: in place of the description, read before
    cat "$story/description.md" >/dev/null
    cp "$1" "$story/description.md"
}
side() { printf '%s' "$2" | cmp - "$story/.conflict/$1" || fail ".conflict/$1 is '$(cat "$story/.conflict/$1")', not '$2'"; }
number() { queue | awk '/conflict/ { print $1 }'; }
old=$'one\ntwo\nthree\n'
begin() { # the server has $old, and so has the mount; a text that it has not seen would make that a conflict
    "$trackerfs" refresh "$m"
    printf '%s' "$old" >"$story/description.md"
    until_true 60 "the first text is accepted" queue_is_empty || fail "left in the queue: $(queue)"
}
start() { # and the mount is then alone
    begin
    stop_server
}

# --- Three saves of one text are one conflict. Shown is the last; its base is what the server had.
start
for text in first second third; do
    printf '%s\n' "$text" >"$work/$text"
    offline_save "$work/$text"
done
meanwhile '{"description": "one\ntheirs\nthree\n"}'
until_true 60 "one conflict" queue_is ".*conflict" 1
equal "$(queue | wc -l)" 1 "lines of the queue"
equal "$(cat "$story/description.md")" third "the file, with a conflict in the queue"
side base "$old"
side mine $'third\n'

# --- The same bytes again: in conflict as long as nobody has looked, then in the place of theirs.
grep -q ESTALE "$story/.error" || fail ".error does not say what a save does: $(cat "$story/.error")"
queue retry "$(number)"
until_true 60 "in conflict as before" queue_is ".*conflict" 1
equal "$(remote .description)" $'one\ntheirs\nthree' "the server, after a retry without a look"
side theirs $'one\ntheirs\nthree\n' # looks
cp "$work/third" "$story/description.md"
until_true 60 "the same bytes are accepted" queue_is_empty
equal "$(remote .description)" third "the server, after the same bytes were saved again"
[ ! -e "$story/.conflict" ] && [ ! -e "$story/.error" ] || fail "the conflict outlives its resolution"

# --- queue retry ID does the same; other saves of the story leave the reason in .error.
start
offline_save "$work/first"
meanwhile '{"description": "one\ntheirs\nthree\n"}'
until_true 60 "one conflict" queue_is ".*conflict" 1
echo "Another name" >"$story/.fields/name"
until_true 60 "the name is accepted" bash -c "[ \$('$trackerfs' queue '$m' | wc -l) = 1 ]"
story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
equal "$(remote .name)" "Another name" "the name"
grep -q "^description" "$story/.error" || fail ".error went with another save: $(cat "$story/.error" 2>&1)"
cat "$story/.conflict/theirs" >/dev/null
queue retry "$(number)"
until_true 60 "it is accepted" queue_is_empty
equal "$(remote .description)" first "the server, after queue retry ID"

# --- Two who had read the same text: one is in conflict, the other merged. Readers see what was accepted.
cat >"$work/editor.py" <<'END_OF_EDITOR'
import sys
path = sys.argv[1]
open(path).read()
print("ready", flush=True)
sys.stdin.readline()
for text in sys.argv[2:]:
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        pass
END_OF_EDITOR
begin
coproc OTHER { exec python3 "$work/editor.py" "$story/description.md" $'one\ntwo\nTHREE\n'; }
other=$OTHER_PID
read -r _ <&"${OTHER[0]}"
stop_server
printf 'MINE\ntwo\nthree\n' >"$work/mine"
offline_save "$work/mine"
echo >&"${OTHER[1]}"
wait "$other"
meanwhile '{"description": "theirs\ntwo\nthree\n"}'
until_true 60 "one conflict, the other accepted" bash -c "'$trackerfs' queue '$m' >'$work/q'; [ \$(wc -l <'$work/q') = 1 ] && grep -q conflict '$work/q'"
merged=$'theirs\ntwo\nTHREE'
equal "$(remote .description)" "$merged" "the server, of two who had read the same"
holds() { [ "$(cat "$story/description.md")" = "$1" ]; }
until_true 10 "the kernel is told" holds "$merged" || fail "the file, of two who had read the same: $(cat "$story/description.md")"
"$trackerfs" refresh "$m"
equal "$(cat "$story/description.md")" "$merged" "the file, when the server's data show it"
unmount "$m" 2>"$work/said" # with one change in the queue
mount_fs "$url" "$m" rw,poll=0,ttl=3600,save_wait=5
equal "$(cat "$story/description.md")" "$merged" "the file, after a remount"
side mine $'MINE\ntwo\nthree\n'

# --- Removed while a shell stands in it; the next conflict's is there for all that.
exec 7<"$story/.conflict"
rmdir "$story/.conflict"
"$trackerfs" refresh "$m" # which also ends the one that rmdir began
queue_is_empty || fail "rmdir .conflict left: $(queue)"

# --- Each text that a writer was told ESTALE of is kept, also if he did not listen.
in_conflict() { # in_conflict TEXT...: saved by one who has read the file, while somebody changed it
    coproc OTHER { exec python3 "$work/editor.py" "$story/description.md" "$@"; }
    other=$OTHER_PID
    read -r _ <&"${OTHER[0]}"
    api PUT "/projects/$pid/stories/$sid" "{\"description\": \"theirs beside $1\"}" >/dev/null
    echo >&"${OTHER[1]}"
    wait "$other"
}
in_conflict "- a thought" "- another"
equal "$(cat "$story/.conflict/mine")" "- another" "the last text in conflict"
exec 7<&-
earlier=$(find "$story/.conflict/" -name "mine.*")
equal "$(wc -l <<<"$earlier")" 1 "earlier texts in conflict"
grep -q "^- a thought" "$earlier" || fail "the earlier text: $(cat "$earlier")"
rm -r "$story/.conflict"
"$trackerfs" refresh "$m"
queue_is_empty || fail "rm -r .conflict left: $(queue)"
in_conflict "- a third"
equal "$(cat "$story/.conflict/mine")" "- a third" "a text in conflict after rm -r .conflict"
unmount "$m"

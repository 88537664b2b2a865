# Saves while the server fails: nothing is lost, nothing is done twice, nothing goes over somebody else's change, and the
# writer hears what he can act on.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount save_wait=10,timeout=5
one=/services/v5/projects/$pid/stories/$sid
all=/services/v5/projects/$pid/stories
queue_is_empty() { [ -z "$(ls -A "$m/.trackerfs/queue")" ]; }
there() { [ "$(remote .description)" = "$1" ]; }

# Passing troubles, before and after the change was made: the save succeeds, and the server has it once.
n=0
for fault in "err5xx=100@PUT:$one*1,status=503" "err5xx=100@PUT:$one*1,status=500" "rate429=100@PUT:$one*1,retry_after=1" \
    "reset@PUT:$one*1" "lost@PUT:$one*1" "cut=10@PUT:$one*1" "reset@GET:$one*1"; do
    n=$((n + 1))
    faults "$fault"
    echo "save $n" >"$story/description.md" || fail "a save under $fault"
    until_true 20 "the server has what was saved under $fault" there "save $n"
    until_true 20 "nothing is left in the queue after $fault" queue_is_empty
done
count_stories
before=$n_stories
for fault in "lost@POST:$all*1" "reset@POST:$all*1" "err5xx=100@POST:$all*1,status=502"; do
    faults "$fault"
    mkdir "$project/stories/Made under a fault $before"
    before=$((before + 1))
    until_true 20 "nothing is left in the queue after $fault" queue_is_empty
    count_stories
    equal "$n_stories" "$before" "stories after $fault"
done
comments=$(api GET "/projects/$pid/stories/$sid/comments" | jq length)
faults "lost@POST:$one/comments*1"
echo "said once" >"$story/comments/new.md"
until_true 20 "nothing is left in the queue after a lost comment" queue_is_empty
equal "$(api GET "/projects/$pid/stories/$sid/comments" | jq length)" $((comments + 1)) "comments after a lost answer"

# Lasting ones: the writer is told, and the file is what it was.
faults ""
echo good >"$story/description.md"
faults "revoke@PUT:$one"
echo bad >"$work/bad"
expect_errno "Permission denied" cp "$work/bad" "$story/description.md" # a shell does not look at what close(2) says
faults ""
equal "$(cat "$story/description.md")" good "a refused save"
equal "$(remote .description)" good "the server after a refused save"

# Somebody else, just before: the same attribute is a conflict, another one is not.
faults "edit=$sid:name@GET:$one*1"
echo mine >"$work/mine"
expect_errno "Stale file handle" cp "$work/mine" "$story/.fields/name"
faults ""
theirs=$(remote .name)
[ "$theirs" != mine ] || fail "a newer name was written over"
equal "$(cat "$story/.conflict/mine")" mine "what the conflict says was mine"
equal "$(cat "$story/.conflict/theirs")" "$theirs" "what it says is the server's"
faults "edit=$sid:name@GET:$one*1"
echo "beside it" >"$story/description.md"
faults ""
equal "$(remote .description)" "beside it" "a change beside another's"
[ "$(remote .name)" != "$theirs" ] || fail "nobody changed the name meanwhile"

# No answer in time: the save is in the journal, and goes out again.
faults "hang@PUT:$one*1"
echo "after a timeout" >"$story/description.md" || fail "a save that times out"
until_true 30 "the server has what timed out" there "after a timeout"

# Moved to another project meanwhile: the save follows it.
second=$(api POST /projects '{"name": "Second"}' | jq .id)
api PUT "/projects/$pid/stories/$sid" "{\"project_id\": $second}" >/dev/null
echo "moved meanwhile" >"$work/moved"
cp "$work/moved" "$story/description.md" || fail "a save of a story that was moved: $(cat "$story/.error")"
equal "$(api GET "/stories/$sid" | jq -r '[.project_id, .description] | join(",")')" "$second,moved meanwhile" "a story that was moved meanwhile"
choose_story 1
one=/services/v5/projects/$pid/stories/$sid

# Deleted meanwhile.
faults "delete=$sid@GET:$one*1"
expect_errno "No such file" cp "$work/bad" "$story/description.md"
faults ""
unmount "$m"

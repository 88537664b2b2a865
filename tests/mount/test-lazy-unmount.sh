# A mount that is let go of (umount -l, fusermount3 -uz) with saves that are not sent: those in the queue, and the one of a program that
# still has its file open and writes on. Nothing is lost, nothing is sent twice, also when the next mount comes before the old
# process has ended.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount save_wait=0,timeout=5
count_stories
daemon() { jq .pid "$m/.trackerfs/status.json"; }
queue_is_empty() { [ "$("$trackerfs" queue "$m")" = "the server has accepted everything" ]; }
there() { [ "$(remote .description)" = "$1" ]; }
let_go() { # let_go COMMAND...: of the mount
    process=$(daemon)
    "$@" "$m"
    ! mountpoint -q "$m" || fail "$1: it is still mounted"
}
cat >"$work/writer.py" <<'END_OF_WRITER'
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
os.write(fd, sys.argv[2].encode())
print("begun", flush=True)
sys.stdin.readline()
os.write(fd, sys.argv[3].encode())
os.close(fd)
END_OF_WRITER
open=$sid
choose_story 2
saved=$sid

# --- Without the server: one save in the queue, one file still open.
for how in "umount -l" "fusermount3 -uz"; do
    sid=$open
    story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
    stop_server
    mkdir "$project/stories/Made before $how"
    echo "in the queue before $how" >"$project/stories/$saved/description.md"
    coproc WRITER { exec python3 "$work/writer.py" "$story/description.md" "begun before $how"$'\n' "ended after it"$'\n'; }
    writer=$WRITER_PID
    read -r _ <&"${WRITER[0]}"
    let_go $how
    ! dead "$process" || fail "the process ended while a program had a file open: $how"
    echo >&"${WRITER[1]}"
    wait "$writer" || fail "a write and close after $how"
    until_true 60 "the process ends after $how" dead "$process"

    mount_fs "$url" "$m" rw,save_wait=0,timeout=5
    text="begun before $how"$'\n'"ended after it"
    equal "$(cat "$story/description.md")" "$text" "the file that was open at $how"
    equal "$(cat "$project/stories/$saved/description.md")" "in the queue before $how" "the file that was in the queue at $how"
    equal "$(find "$project/stories" -name "new-*" | wc -l)" 1 "stories made before $how"
    start_server "$work/t.db" --faults
    "$trackerfs" queue "$m" retry
    until_true 60 "the server accepts what was left by $how" queue_is_empty
    there "$text" || fail "the server, of the open file: $(remote .description)"
    sid=$saved
    there "in the queue before $how" || fail "the server, of the queue: $(remote .description)"
    n_stories=$((n_stories + 1))
    equal "$(api GET "/projects/$pid/stories?limit=500" | jq length)" "$n_stories" "stories at the server after $how"
    equal "$(puts)" 3 "requests that write, of what was left by $how"
done

# --- A slow server, and a mount that comes while the old process still sends: with a journal of its own, it hears of the change
# from the server.
sid=$saved
faults "latency=4000@PUT:/services/v5/projects/$pid"
reset_requests
echo "on its way" >"$project/stories/$saved/description.md"
let_go umount -l
mount_fs "$url" "$m" rw,save_wait=0,timeout=5
faults ""
until_true 60 "the process ends" dead "$process"
there "on its way" || fail "the server, of what was on its way: $(remote .description)"
"$trackerfs" refresh "$m"
equal "$(cat "$project/stories/$saved/description.md")" "on its way" "what was on its way"
queue_is_empty || fail "still in the queue: $("$trackerfs" queue "$m")"
equal "$(puts)" 1 "requests that write, of what was on its way"
unmount "$m"

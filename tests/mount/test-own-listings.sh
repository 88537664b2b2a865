# The kernel keeps listings of a mount that writes, and opens folders by itself; yet who changes a name finds it in each listing
# when the call returns, before anything else is told.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"

listings() { find "$project" -name "*$1*" -printf '%P\n' | sort; }
places() { listings "$1" | cut -d/ -f1 | sort -u | tr '\n' ' '; }
calls() { jq .requests_from_kernel "$m/.trackerfs/status.json"; }

# --- A warm find asks nothing of the process. (After the first one the kernel asks for the folders' attributes once, as they
# have been read: st_atime.)
warm() { find "$project" >/dev/null && find "$project" >/dev/null; }
open_mount
warm
before=$(calls)
own=$(($(calls) - before))
asks_nothing() {
    before=$(calls)
    find "$project" >/dev/null
    [ $(($(calls) - before - own)) = 0 ]
}
until_true 10 "a find without a request of the kernel" asks_nothing

# --- A new story is in all its listings at once, as one that was fetched is.
mkdir "$project/stories/Told at once"
equal "$(places Told-at-once)" "by-requester by-state by-type icebox stories " "where a new story is listed"
unmount "$m"

# --- The notice before the answer does that, and nothing later.
export TRACKERFS_TEST_MUTE=entry,attributes,content
mount_fs "$url" "$m" rw
warm
mkdir "$project/stories/Told before"
equal "$(places Told-before)" "by-requester by-state by-type icebox stories " "where it is listed, without later notices"
unmount "$m"
export TRACKERFS_TEST_MUTE=entry,attributes,content,listing
mount_fs "$url" "$m" rw
warm
mkdir "$project/stories/Told by nobody"
equal "$(places Told-by-nobody)" "stories " "where it is listed when nothing is told (stale on purpose)"
unmount "$m"
unset TRACKERFS_TEST_MUTE

# --- What no publication tells: the queue, whose time is another one for each listing.
mount_fs "$url" "$m" rw,save_wait=0
queue=$m/.trackerfs/queue
equal "$(ls "$queue")" "" "the queue before"
before=$(stat -c %y "$queue")
equal "$(stat -c %y "$queue")" "$before" "the time of a queue in which nothing happens"
stop_server
echo "while away" >"$story/description.md"
[ -n "$(ls "$queue")" ] || fail "the queue's listing does not show the edit"
unmount "$m"

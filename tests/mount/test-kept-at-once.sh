# What a call has kept for the server is there when the call returns, and not before it is kept: with a disk that is slow to keep
# it, and many times, as the one who answers is not the one who keeps.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
TRACKERFS_SLOW_AT=FLUSH_BEGUN:25 open_mount save_wait=0,timeout=5 # where the build has that
cat "$story/description.md" >/dev/null
stop_server
make_and_save() { # make_and_save N
    mkdir "$project/stories/Made $1" || fail "the making of story $1"
    [ -n "$(find "$project/stories" -maxdepth 1 -name "new-*-Made-$1")" ] || fail "story $1 is not there when it is made"
    echo "text $1" >"$story/description.md" || fail "save $1"
    equal "$(cat "$story/description.md")" "text $1" "what save $1 left"
}
for n in $(seq 1 10); do make_and_save "$n"; done
"$trackerfs" umount "$m" 2>"$work/said"
mount_fs "$url" "$m" rw,save_wait=0,timeout=5
for n in $(seq 11 60); do make_and_save "$n"; done
equal "$("$trackerfs" queue "$m" | grep -c 'new story')" 60 "stories that wait"
[ ! -e "$story/.conflict" ] || fail "the saves are in conflict with each other: $(cat "$story/.error")"

# And the server gets them, the text as it was at last.
start_server "$work/t.db" --faults
touch "$m/.trackerfs/queue"
is_sent() { [ "$("$trackerfs" queue "$m")" = "the server has accepted everything" ]; }
until_true 60 "everything is sent" is_sent || fail "left in the queue: $("$trackerfs" queue "$m")"
equal "$(remote .description)" "text 60" "the text at the server"
equal "$(api GET "/projects/$pid/stories?limit=500&fields=name" | jq '[.[] | select(.name | startswith("Made "))] | length')" 60 "stories made at the server"
unmount "$m"

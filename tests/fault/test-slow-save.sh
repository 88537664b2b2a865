# While a save waits for a slow server the kernel goes on hearing of other changes; and when the mount is killed meanwhile, the
# writer ends. (The kernel locks the pages of a cached write until it is answered, and whoever tells it to forget them waits.)
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount save_wait=20
saved=$sid
line=$story/.fields/name
cat "$line" >/dev/null
choose_story 2
echo Mine >"$work/mine"
faults "latency=5000@PUT:/services/v5/projects/$pid/stories/$saved"
cp "$work/mine" "$line" 2>"$work/said" &
writer=$!
waits_to_be_sent() { [ -n "$(ls "$m/.trackerfs/queue")" ]; }
until_true 10 "the save is in the queue" waits_to_be_sent

api PUT "/projects/$pid/stories/$sid" '{"description": "Changed meanwhile"}' >/dev/null
"$trackerfs" refresh "$m"
equal "$(cat "$story/description.md")" "Changed meanwhile" "another story's description"
! dead "$writer" || fail "the change was seen only after the save"

daemon=$(jq .pid "$m/.trackerfs/status.json")
kill -9 "$daemon"
until_true 10 "the writer ends" dead "$writer" || {
    umount -f "$m"
    fail "the writer hangs after the mount was killed"
}
! wait "$writer" || fail "the writer was told of success by a mount that is no more"
umount -l "$m"

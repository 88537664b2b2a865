# No room for the journal: the save fails with ENOSPC, the file is what it was, and the mount goes on reading; with room again
# it goes on saving. The same for the trash: nothing is removed that could not be copied.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
mkdir -p "$XDG_STATE_HOME" "$XDG_DATA_HOME"
mount -t tmpfs -o size=1m tmpfs "$XDG_STATE_HOME" 2>/dev/null || skip "no tmpfs can be mounted here"
mount -t tmpfs -o size=1m tmpfs "$XDG_DATA_HOME"
fill() { dd if=/dev/zero of="$1/filler" bs=4096 2>/dev/null || :; } # up to the last page
open_mount delete
echo "as it was" >"$story/description.md"
echo "a comment" >"$story/comments/new.md"
seq 3500 >"$work/much"

fill "$XDG_STATE_HOME"
reset_requests
expect_errno "No space left on device" cp "$work/much" "$story/description.md"
grep -q "the disk is full" "$story/.error" || fail "no reason in .error: $(cat "$story/.error")"
equal "$(cat "$story/description.md")" "as it was" "the file after a save without room"
expect_errno "No space left on device" cp "$work/much" "$story/attachments/much.txt"
[ ! -e "$story/attachments/much.txt" ] || [ ! -s "$story/attachments/much.txt" ] || fail "an attachment that there was no room for"
equal "$(puts)" 0 "requests of saves without room"
cat "$project"/stories/*/description.md >/dev/null || fail "reading beside a full disk"
rm "$XDG_STATE_HOME/filler"
cp "$work/much" "$story/description.md"
equal "$(remote .description | head -c -1 | cksum)" "$(cksum <"$work/much")" "a save with room again"

fill "$XDG_DATA_HOME"
reset_requests
expect_errno "No space left on device" rm -f "$story/comments/new.md"
equal "$(puts)" 0 "requests of a removal without room for the copy"
rm "$XDG_DATA_HOME/filler"
rm "$story/comments/new.md"
equal "$(puts)" 1 "requests of a removal with room"
unmount "$m"

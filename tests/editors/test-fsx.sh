# Random operations on a file that is sent when it is closed, and on files of an editor, against a model in memory. FSX_OPERATIONS is
# how many on each: the soak takes 100 000.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
fsx=$TRACKERFS_BUILD_DIR/tests/fsx
open_mount
n=${FSX_OPERATIONS:-12000}
"$fsx" "$story/x.tmp" "$n" 1 200000 0
"$fsx" "$story/.x.swp" "$n" 2 20000 0
"$fsx" "$story/description.md" "$n" 3 16000 1
remote .description | head -c -1 | cmp - "$story/description.md" || fail "the server holds other bytes than the file"
only_ours fsx
unmount "$m"

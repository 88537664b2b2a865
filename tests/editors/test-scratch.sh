# What system calls do with the files that editors make up, beside a file of the tree.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount
reset_requests
"$TRACKERFS_BUILD_DIR/tests/scratch_calls" "$story"
equal "$(puts)" 0 "requests that write"
only_ours "system calls"
unmount "$m"

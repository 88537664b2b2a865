# Random operations on a file that is sent when it is closed, and on files of an editor, against a model in memory. FSX_OPERATIONS is
# how many on each, FSX_SEED another row of them: `scripts/soak fsx` does 100 000.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
fsx=$TRACKERFS_BUILD_DIR/tests/fsx
open_mount
n=${FSX_OPERATIONS:-12000} seed=${FSX_SEED:-1}
# run NAME MAX_BYTES TEXT
run() {
    local from=$SECONDS
    "$fsx" "$story/$1" "$n" "$seed" "$2" "$3"
    echo "$1: $n operations in $((SECONDS - from)) s"
}
run x.tmp 200000 0
run .x.swp 20000 0
run description.md 16000 1
remote .description | head -c -1 | cmp - "$story/description.md" || fail "the server holds other bytes than the file"
only_ours fsx
unmount "$m"

# Files that editors make up cost the mount a descriptor each. However few it may have, it goes on reading and saving.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
# make_up N: so many files; how many there are of them
make_up() {
    local i made=0
    for ((i = 0; i < $1; i++)); do
        : 2>/dev/null >"$story/.#file$i" || break
        made=$((made + 1))
    done
    echo $made
}
works() {
    "$trackerfs" refresh "$m"
    cat "$project"/stories/*/description.md >/dev/null
    echo "$1" >"$story/.fields/name"
    equal "$(remote .name)" "$1" "a save beside many files"
    story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
}

# A low soft limit is raised to the hard one.
ulimit -Sn 64
open_mount
equal "$(make_up 300)" 300 "files under a low soft limit"
works "beside three hundred"
unmount "$m"

# Under a low hard limit there is an end to them, and to nothing else.
(ulimit -n 256; exec "$trackerfs" "$url" "$work/m" -o "rw,token_file=$work/token" 2>>"$work/mount.log")
made=$(make_up 300)
{ [ "$made" -gt 0 ] && [ "$made" -lt 300 ]; } || fail "made $made files with 256 descriptors"
expect_errno "No space left on device" touch "$story/.#one more"
works "beside as many as there may be"
rm "$story"/.#file0
touch "$story/.#one more"
unmount "$m"

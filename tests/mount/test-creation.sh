# What is made in the tree: under which names it is found, and what its first name stands for.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount
parts() { api GET "/projects/$pid/stories/$sid/$1"; } # parts comments

# A file that is put in the place of a first name is a save of what was made, and makes nothing more.
for kind in comments tasks; do
    n=$(parts $kind | jq length)
    echo "one" >"$story/$kind/new.md"
    equal "$(parts $kind | jq length)" $((n + 1)) "$kind after a new file"
    reset_requests
    sed -i s/one/two/ "$story/$kind/new.md"
    echo three >"$work/three.md"
    cp "$work/three.md" "$story/$kind/new.md"
    equal "$(cat "$story/$kind/new.md" | sed 's/^- \[ \] //')" three "the first name in $kind/"
    equal "$(parts $kind | jq length)" $((n + 1)) "$kind after two saves by its first name"
    equal "$(puts)" 2 "requests of two saves by the first name in $kind/"
done
unmount "$m"

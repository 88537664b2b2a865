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

# Attributes that a new story lacks can be set all the same, and are empty when read.
mkdir "$project/stories/Without an estimate"
sid=$(basename "$(readlink "$project/stories/Without an estimate")" | cut -d- -f1)
fields=$project/stories/$sid/.fields
equal "$(cat "$fields/estimate")" "" "an estimate that there is not"
echo 2 >"$fields/estimate"
equal "$(remote .estimate)" 2 "the estimate at the server"
echo booking >"$fields/labels"
equal "$(remote '.labels[0].name')" booking "the label at the server"
echo "booking, quite new" >"$fields/labels"
[ -d "$project/labels/quite new" ] || fail "a new label's folder is not named after it: $(ls "$project/labels")"
for name in description nonsense; do
    [ ! -e "$fields/$name" ] || fail ".fields/$name is there"
done
expect_errno "Operation not permitted" cp /dev/null "$fields/nonsense"
unmount "$m"

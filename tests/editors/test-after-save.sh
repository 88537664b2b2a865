# What a writer finds after its own save: the new names at once, old names that lead there however often they changed hands, and
# the time that it left, also when the server's own data has come.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount

# --- Names that come back. The kernel keeps where a link leads, so two old names must not end up leading to each other.
folder=$project/stories
rename_to() {
    echo "$1" >"$folder/$sid/.fields/name"
    equal "$(readlink "$folder/$sid")" "$sid-$1" "where the bare id leads"
    [ -d "$folder/$sid-$1" ] && [ ! -L "$folder/$sid-$1" ] || fail "$sid-$1 is no folder after it was renamed to that"
    find "$folder" -mindepth 1 -maxdepth 1 -name "$sid-*" -printf '%f\n' | grep -qx "$sid-$1" || fail "the listing has not heard of $1"
    for earlier in $names; do
        [ "$earlier" = "$1" ] || [ -L "$folder/$sid-$earlier" ] || fail "$earlier is no link now that the name is $1"
        equal "$(jq -r .name "$folder/$sid-$earlier/story.json")" "$1" "the name in story.json, by way of $earlier"
    done
}
names=
for name in One Two One Two Three One Three Two Four One; do
    rename_to $name
    names="$names $name"
done

# --- The time stays put. The server writes the record otherwise than the writer did, and its own data comes a moment later.
is_settled() {
    request_lines | grep -q 'stories/bulk' && [ "$(jq .notices.waiting "$m/.trackerfs/status.json")" = 0 ] &&
        [ "$(jq '[.projects[].version] | max' "$m/.trackerfs/status.json")" = "$(api GET "/projects/$pid" | jq .version)" ]
}
story=$folder/$sid-One
for file in story.json description.md; do
    sed 's/"One"/"One, said twice"/' "$story/$file" >"$work/mine"
    [ $file = story.json ] || echo 'One more line.' >>"$work/mine"
    reset_requests
    cat "$work/mine" >"$story/$file"
    story=$(find "$folder" -mindepth 1 -maxdepth 1 -name "$sid-*")
    saved=$(stat -c '%i %y' "$story/$file")
    until_true 20 "the server's own data has come" is_settled
    equal "$(stat -c '%i %y' "$story/$file")" "$saved" "inode and time of $file when the server's own data has come"
    cmp "$story/$file" "$work/mine" || fail "$file is not what its writer left"
done

# --- Opened to write and closed again, as micro does to see whether it may: the file is as it was, also while it is open.
for file in story.json description.md .fields/name; do
    before=$(stat --cached=never -c '%i %s %y %z' "$story/$file")
    exec 7<>"$story/$file"
    cmp "$story/$file" - <&7 || fail "$file reads otherwise while it is open to write"
    equal "$(stat --cached=never -c '%i %s %y %z' "$story/$file")" "$before" "$file, open to write"
    exec 7>&-
    equal "$(stat --cached=never -c '%i %s %y %z' "$story/$file")" "$before" "$file, after it was open to write"
    touch -d '2020-02-02 02:02:02 UTC' "$story/$file"
    equal "$(stat -c %Y "$story/$file")" 1580608922 "the time of $file, set by touch"
    reset_requests
    touch -c "$story/$file"
    [ "$(stat -c %Y "$story/$file")" -gt 1580608922 ] || fail "touch does not set the time of $file"
    equal "$(puts)" 0 "requests that write, of touch"
done
unmount "$m"

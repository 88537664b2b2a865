# <id> and <id>-anything lead to the present name; unlisted names are reachable; -o names=id lists bare ids.
[ -n "${mode:-}" ] || { mode=ro bash "$0" && mode=rw exec bash "$0"; exit; } # in both kinds of mount
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db"
mount_fs "$work/s.db" "$work/mnt"
project=$(project_of "$work/mnt")
story=$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | sort | sed -n 1p)
id=$(basename "$story" | grep -oE '^[0-9]+')

equal "$(readlink -f "$project/stories/$id")" "$story" "<id>"
equal "$(readlink -f "$project/stories/$id-an-old-title")" "$story" "<id>-anything"
[ -e "$project/stories/${id}x" ] && fail "<id>x exists"
[ -e "$project/stories/0$id" ] && fail "0<id> exists"
[ -e "$project/stories/99999999999999999999999" ] && fail "a number beyond 64 bits exists"
equal "$(basename "$(readlink -f "$work/mnt/$(basename "$project" | cut -d- -f1)")")" "$(basename "$project")" "project by id"

# Unlisted: grep -r, find and rsync never see them, but they can be named.
[ -z "$(find "$work/mnt" -name '.*' -mindepth 1)" ] || fail "listed dot names"
jq -r .url "$story/story.json" | cmp - "$story/.url" || fail ".url"
equal "$(cat "$story/.fields/name")" "$(jq -r .name "$story/story.json")" ".fields/name"
equal "$(cat "$story/.fields/current_state")" "$(jq -r .current_state "$story/story.json")" ".fields/current_state"
[ "$(ls "$story/.fields" | wc -l)" -ge 5 ] || fail ".fields lists its fields"
jq -e . "$story/.activity.jsonl" >/dev/null || fail ".activity.jsonl"
jq -e '.projects[0].version >= 1' "$work/mnt/.trackerfs/status.json" >/dev/null || fail "status.json"

equal "$(getfattr --only-values -n user.tracker.id "$story/story.json")" "$id" "xattr id"
equal "$(getfattr --only-values -n user.tracker.kind "$story")" story "xattr kind"
equal "$(getfattr --only-values -n user.tracker.url "$story")" "$(cat "$story/.url")" "xattr url"
comment=$(find "$project/stories" -path '*/comments/*.md' | sort | sed -n 1p)
for name in id kind created version; do
    getfattr -d -m user.tracker "$story" | grep -q "^user.tracker.$name=" || fail "xattr $name is not listed"
done
! getfattr -d -m user.tracker "$story" | grep -q "^user.tracker.error=" || fail "xattr error without one"
expect_errno "No such attribute" getfattr -n user.nothing "$story"
expect_errno "not supported" getfattr -n security.selinux "$story"
[ -n "$(getfattr --only-values -n user.tracker.author "$comment")" ] || fail "xattr author"

# Names are safe in every folder: no control character, none over 255 bytes, none that differ in case only.
if find "$work/mnt" -mindepth 1 -printf '%f\n' | grep -qP '[\x00-\x1f\x7f]'; then fail "a control character in a name"; fi
find "$work/mnt" -mindepth 1 -printf '%f\n' | awk 'length($0) > 255 { exit 1 }' || fail "a name over 255 bytes"
if find "$work/mnt" -mindepth 1 -printf '%h/%f\n' | LC_ALL=C.UTF-8 awk '{ print tolower($0) }' | sort | uniq -d | grep .; then fail "names differ in case only"; fi
unmount "$work/mnt"

mount_fs "$work/s.db" "$work/mnt" names=id
project=$(project_of "$work/mnt")
if find "$project/stories" -mindepth 1 -maxdepth 1 -printf '%f\n' | grep -vE '^[0-9]+$'; then fail "names=id lists more than ids"; fi
[ -z "$(find "$work/mnt" -xtype l)" ] || fail "dangling with names=id"

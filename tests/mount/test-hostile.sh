# A service that sends the worst names and values: nothing escapes, collides or breaks the listing.
[ -n "${mode:-}" ] || { mode=ro bash "$0" && mode=rw exec bash "$0"; exit; } # in both kinds of mount
. "$(dirname "$0")/../lib/mount.sh"

long=$(printf 'ö%.0s' $(seq 300))
cat >"$work/hostile.json" <<JSON
[{"kind": "project", "id": 7, "name": "../../etc", "version": 1},
 {"kind": "project_membership", "id": 1, "project_id": 7, "role": "owner", "person": {"kind": "person", "id": 1, "name": "..", "username": "../x", "initials": "/"}},
 {"kind": "project_membership", "id": 2, "project_id": 7, "role": "member", "person": {"kind": "person", "id": 2, "name": "..", "username": "../X", "initials": ""}},
 $(n=100; for name in '..' '.' '' '/' 'a/b/../../c' '-rf *' '.hidden' 'tab\there' 'line\nfeed' 'nul\u0000byte' 'del\u007f' '\u202eexe.gpj' 'con' 'A' 'a' "$long" 'trailing. ' '\ud83d\ude00' '\u0041\u030a' '\u00c5' '<script>' "\$(reboot)" '%2e%2e%2f' '\\\\..\\\\'; do
    n=$((n + 1))
    printf '{"kind": "story", "id": %d, "project_id": 7, "name": "%s", "story_type": "feature", "current_state": "started", "requested_by_id": 1, "owner_ids": [1, 2], "labels": [{"kind": "label", "id": %d, "project_id": 7, "name": "%s"}], "description": "text of %d", "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-02T00:00:00Z", "url": "https://www.pivotaltracker.com/story/show/%d", "strange_key": {"deep": [1, 2.50, null, true]}},\n' "$n" "$name" $((n + 1000)) "$name" "$n" "$n"
done)
 {"kind": "story", "id": 999, "project_id": 7, "name": "last", "story_type": "../type", "current_state": "no/such state", "requested_by_id": 424242, "owner_ids": [], "labels": [], "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-02T00:00:00Z", "estimate": 3.0}]
JSON
"$trackerfs" import --v5-json "$work/hostile.json" "$work/h.db" >"$work/import.log" 2>&1 || { cat "$work/import.log"; fail "import"; }
mount_fs "$work/h.db" "$work/mnt"
project=$(project_of "$work/mnt")
equal "$(basename "$project" | cut -c1-2)" "7-" "the project's folder"
equal "$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | wc -l)" 25 "stories"
grep -rq "text of 124" "$project/stories" || fail "a text is missing"
if find "$work/mnt" -mindepth 1 -printf '%f\n' | grep -qP '[\x00-\x1f\x7f]'; then fail "a control character in a name"; fi
if find "$work/mnt" -mindepth 1 -name '-*' | grep .; then fail "a name begins with -"; fi
if find "$work/mnt" -mindepth 1 -name '.*' | grep .; then fail "a name begins with ."; fi
find "$work/mnt" -mindepth 1 -printf '%f\n' | awk 'length($0) > 255 { exit 1 }' || fail "a name over 255 bytes"
[ -z "$(find "$work/mnt" -xtype l)" ] || fail "dangling: $(find "$work/mnt" -xtype l | head -n 3)"
if find "$work/mnt" -type l -exec readlink -f {} + | grep -v "^$work/mnt/"; then fail "a link leads out"; fi
equal "$(find "$project/labels" -mindepth 2 -type l | wc -l)" 24 "links in label folders"
equal "$(jq -c .strange_key "$project/stories/101/story.json")" '{"deep":[1,2.5,null,true]}' "an unknown key"
rsync -a "$work/mnt/" "$work/copy/"
diff -r --no-dereference "$work/mnt" "$work/copy" || fail "the copy differs"

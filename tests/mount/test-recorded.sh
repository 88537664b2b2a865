# Real recordings: all of them imported, mounted and read, in-process and over HTTP; every key of a recorded story is
# in its story.json or has a file of its own.
. "$(dirname "$0")/../lib/mount.sh"

[ -d "$shared/recorded" ] || skip "no recordings beside the checkout"
"$trackerfs" import --v5-json "$shared/recorded" "$work/r.db" >"$work/import.log" 2>&1 || { tail "$work/import.log"; fail "import"; }
# Projects of which no story is recorded start a month ago: three of four iterations would be theirs, 43,000 empty ones since 2009.
sqlite3 "$work/r.db" "UPDATE project SET start_date = date('now', '-30 days') WHERE id NOT IN (SELECT project_id FROM story)"
start_server "$work/r.db"
mount_fs "$work/r.db" "$work/local"
mount_fs "$url" "$work/http" timeout=120
# The recordings tell of attachments and do not hold their bytes: story.json tells of them, no walk falls over them.
grep -q "^without their bytes: 12 attachments" "$work/import.log" || fail "import does not say that files are missing"
grep -q "^(A notification does not say whom it was for" "$work/import.log" || fail "import does not say why it takes no notification"
grep -r . "$work/local" >"$work/local.text" || fail "reading in-process"
grep -r . "$work/http" >"$work/http.text" || fail "reading over HTTP"
(cd "$work/local" && find . -printf '%P\t%y\t%s\t%T@\t%l\n' | sort) >"$work/local.list"
(cd "$work/http" && find . -printf '%P\t%y\t%s\t%T@\t%l\n' | sort) >"$work/http.list"
cmp "$work/local.list" "$work/http.list" || fail "the trees differ"
! grep "/attachments/" "$work/local.list" || fail "files without bytes are listed"
mkdir "$work/synced"
for folder in "$work/local"/982890-* "$work/local"/1027488-*; do
    ls -lR "$folder" >/dev/null || fail "ls -lR of $folder"
    tar cf "$work/out.tar" -C "$folder" . || fail "tar of $folder"
    rsync -a "$folder/" "$work/synced/${folder##*/}/" || fail "rsync of $folder"
done
told=$(find "$work/synced" -name story.json -exec jq '.comments[]?.file_attachments[]? | select(.size and .download_url == null) | .id' {} +)
equal "$(sort -u <<<"$told" | wc -l)" 7 "attachments that story.json tells of"
[ -z "$(find "$work/local" -xtype l)" ] || fail "dangling: $(find "$work/local" -xtype l | head -n 3)"

# id<TAB>key of every recorded story in its latest recording (a story's keys come and go with its state), against what is mounted.
find "$shared/recorded" -name '*.json' -print0 | xargs -0 cat |
    jq -c 'select(.response.status == 200) | .response.body | .. | objects
           | select(.kind == "story" and has("current_state") and has("story_type") and (has("change_type") | not) and has("created_at"))
           | {id, updated_at: (.updated_at | tostring), keys: keys}' |
    jq -rs 'group_by(.id)[] | (map(.updated_at) | max) as $latest | map(select(.updated_at == $latest))[]
            | .id as $id | .keys[] | "\($id)\t\(.)"' | sort -u >"$work/recorded.keys"
find "$work/local" -path '*/stories/*/story.json' -type f -print0 | xargs -0 cat |
    jq -r '.id as $id | keys[] | "\($id)\t\(.)"' | sort -u >"$work/mounted.keys"
# `description` is description.md; `owned_by` stands for the same person as `owned_by_id`.
comm -23 "$work/recorded.keys" "$work/mounted.keys" | grep -vE "	(description|owned_by)$" >"$work/lost" || :
[ ! -s "$work/lost" ] || { head "$work/lost"; fail "$(wc -l <"$work/lost") keys of recorded stories are lost"; }
echo "$(cut -f1 "$work/recorded.keys" | sort -u | wc -l) recorded stories, $(wc -l <"$work/recorded.keys") keys: none lost"

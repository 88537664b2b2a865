# The ordinary tools on first touch, in-process: true bytes, sizes and times, and nothing to copy twice.
[ -n "${mode:-}" ] || { mode=ro bash "$0" && mode=rw exec bash "$0"; exit; } # in both kinds of mount
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db"
mount_fs "$work/s.db" "$work/mnt"
project=$(project_of "$work/mnt")

find "$work/mnt" -printf '%P\t%y\t%s\t%T@\t%i\t%l\n' | sort >"$work/first.list"
ls -lR "$work/mnt" >"$work/ls"
du -a --apparent-size "$work/mnt" >"$work/du"
[ "$(grep -c . "$work/first.list")" -gt 500 ] || fail "a small tree"
at_most 50 "$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | wc -l)" "stories"

# Every size is the number of bytes that a read gives, every file takes blocks as its size says.
find "$work/mnt" -type f -print0 | while IFS= read -r -d '' file; do
    equal "$(stat -c %s "$file")" "$(wc -c <"$file")" "size of $file"
done
[ -z "$(find "$work/mnt" -type f -size +0 -printf '%b %p\n' | awk '$1 == 0')" ] || fail "files without blocks"
grep -ra . "$work/mnt" >"$work/grep" || fail "grep -r"

# The inode number that readdir gives is the one that stat gives.
find "$work/mnt" -mindepth 1 -printf '%i\n' | sort -u | wc -l >"$work/inodes"
equal "$(cat "$work/inodes")" "$(find "$work/mnt" -mindepth 1 | wc -l)" "inode numbers are unique"
ls -aiU "$project/stories" | awk '$2 ~ /^[0-9]/ { print $1, $2 }' | sed -n 1,20p | while read -r number name; do
    equal "$(stat -c %i "$project/stories/$name")" "$number" "inode of $name"
done

# Links lead somewhere, and stay inside.
[ -z "$(find "$work/mnt" -xtype l)" ] || fail "dangling: $(find "$work/mnt" -xtype l | head -n 3)"
if find "$work/mnt" -type l -printf '%l\n' | grep -q '^/'; then fail "an absolute link"; fi
if find "$work/mnt" -type l -exec readlink -f {} + | grep -v "^$work/mnt/"; then fail "a link leads out of the mount"; fi

# JSON parses; texts stand in their files only.
find "$project" -name '*.json' -print0 | xargs -0 -n 50 jq -e . >/dev/null || fail "a file is no JSON"
find "$project" -name '*.jsonl' -print0 | xargs -0 -n 50 jq -e . >/dev/null || fail "a line is no JSON"
while IFS= read -r file; do
    jq -e 'has("description") or any(.comments[]?; has("text")) or any(.tasks[]?; has("description")) | not' \
        "$file" >/dev/null || fail "$file repeats a text"
done < <(find "$project/stories" -name story.json)

# Times are the server's: mtime of a story is its updated_at, of a comment the comment's.
for file in "$project"/stories/*/story.json; do
    equal "$(date -u -d @"$(stat -c %Y "$file")" +%FT%TZ)" "$(jq -r .updated_at "$file")" "mtime of $file"
done
equal "$(find "$work/mnt" -newermt '+1 day' | wc -l)" 0 "nothing is newer than now"
[ "$(find "$project/stories" -name story.json ! -newermt '-30 days' | wc -l)" -gt 0 ] || fail "all stories are new"

# rsync copies every byte once, tar the same; again and after a remount there is nothing to do.
rsync -a "$work/mnt/" "$work/copy/"
diff -r --no-dereference "$work/mnt" "$work/copy" || fail "the copy differs"
equal "$(rsync -ai "$work/mnt/" "$work/copy/")" "" "second rsync"
tar -C "$work/mnt" -cf "$work/tree.tar" .
mkdir "$work/untar" && tar -C "$work/untar" -xf "$work/tree.tar"
diff -r --no-dereference "$work/copy" "$work/untar" || fail "the tar copy differs"
unmount "$work/mnt"
mount_fs "$work/s.db" "$work/mnt"
equal "$(rsync -ai "$work/mnt/" "$work/copy/")" "" "rsync after a remount"
find "$work/mnt" -printf '%P\t%y\t%s\t%T@\t%i\t%l\n' | sort >"$work/second.list"
cmp "$work/first.list" "$work/second.list" || fail "names, sizes, times or inodes changed by a remount"
unmount "$work/mnt"
rm -rf "$work/cache"
mount_fs "$work/s.db" "$work/mnt"
find "$work/mnt" -printf '%P\t%y\t%s\t%T@\t%i\t%l\n' | sort | cmp "$work/first.list" || fail "changed by the loss of the store"

# Read-only, said with the right word.
[ "$mode" = rw ] || expect_errno "Read-only file system" touch "$project/stories/new"
[ "$mode" = rw ] || expect_errno "Read-only file system" sh -c "echo x > '$project/project.json'"
[ "$mode" = rw ] || expect_errno "Read-only file system" rm -f "$project/project.json"
expect_errno "No such file or directory" cat "$project/stories/1-none"
[ "$(stat -f -c %l "$work/mnt")" = 255 ] || fail "name length of statfs"
[ "$(stat -f -c %b "$work/mnt")" -gt 0 ] || fail "blocks of statfs"

# Attachments: real bytes fetched on read and kept under a limit; the token is never sent on to where a download
# is redirected; a body of another size than announced is an error.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mount_fs "$url" "$work/mnt" ttl=3600
project=$(project_of "$work/mnt")
mapfile -t files < <(find "$project/stories" -path '*/attachments/*' -type f | sort)
[ ${#files[@]} -ge 2 ] || fail "the sample has ${#files[@]} attachments"
png=$(printf '%s\n' "${files[@]}" | grep 'png$' | sed -n 1p)

reset_requests
ls -lR "$project/stories" >/dev/null
equal "$(requests)" 0 "requests of ls -lR"
equal "$(head -c 8 "$png" | od -An -tx1 | tr -d ' \n')" 89504e470d0a1a0a "the PNG signature"
fetched=$(requests)
cat "$png" >/dev/null
equal "$(requests)" "$fetched" "a second read asks nothing"
for file in "${files[@]}"; do
    equal "$(wc -c <"$file")" "$(stat -c %s "$file")" "bytes of $file"
    story=$(dirname "$(dirname "$file")")
    jq -e --argjson size "$(stat -c %s "$file")" '[.comments[].file_attachments[]?.size] | index($size)' "$story/story.json" >/dev/null ||
        fail "size of $file is not the announced one"
done
(cd "$work/mnt" && sha256sum "${files[@]}") >"$work/sums"
unmount "$work/mnt"

# Kept on disk: a remount reads them without a request.
mount_fs "$url" "$work/mnt" ttl=3600
reset_requests
sha256sum -c --quiet "$work/sums" || fail "other bytes after a remount"
equal "$(requests)" 0 "requests after a remount"
unmount "$work/mnt"

# A file that a crash left without its bytes is fetched again, not served.
for file in "$XDG_CACHE_HOME"/trackerfs/*/attachments/[0-9]*; do
    echo damaged >"$file"
done
mount_fs "$url" "$work/mnt" ttl=3600
sha256sum -c --quiet "$work/sums" || fail "a damaged file is served"
unmount "$work/mnt"

# Slower than the timeout: its reader is told so, the download goes on, and the next reader has it.
rm -rf "$work/cache"
mount_fs "$url" "$work/mnt" ttl=3600,timeout=1
faults "slow=$(($(stat -c %s "$png") / 4))@/resource/"
reset_requests
expect_errno "Connection timed out" cat "$png"
until_true 20 "the slow attachment" cat "$png"
equal "$(request_lines | grep -c resource)" 1 "downloads of a slow attachment"
faults ""
unmount "$work/mnt"

# A limit that holds only some of them still reads all.
rm -rf "$work/cache"
largest=$(stat -c %s "${files[@]}" 2>/dev/null | sort -n | tail -n 1 || :)
mount_fs "$url" "$work/mnt" ttl=3600,attachments=1M
sha256sum -c --quiet "$work/sums" || fail "other bytes under a limit"
at_most "$(find "$work/cache" -path '*attachments*' -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }')" 1048576 "kept bytes"
unmount "$work/mnt"
rm -rf "$work/cache"
mount_fs "$url" "$work/mnt" attachments=none
[ -z "$(find "$(project_of "$work/mnt")/stories" -path '*/attachments/*')" ] || fail "attachments=none shows some"
unmount "$work/mnt"

# The host that a download is redirected to must not learn the token: a second server counts who came with one.
rm -rf "$work/cache"
first=$url first_pid=$server_pid
port=0 start_server "$work/s.db" --faults
second=$url
url=$first server_pid=$first_pid
mount_fs "$url" "$work/mnt" ttl=3600,timeout=5
png=$(find "$(project_of "$work/mnt")/stories" -path '*/attachments/*.png' | sort | sed -n 1p)
faults "redirect=${second#http://}@/file_attachments"
cat "$png" >/dev/null 2>&1 || :
[ "$(curl -fsS "$second/__stats" | jq .total)" -ge 1 ] || fail "the redirect was not followed"
equal "$(curl -fsS "$second/__stats" | jq '.with_token // 0')" 0 "requests with a token at the other host"
faults "cut=100@/resource"
advance_clock 120000 # the refusal above is remembered until its back-off is over
rm -rf "$work"/cache/trackerfs/*/attachments/*
expect_errno "error" cat "$png"
[ -z "$(find "$work/cache" -name '*.part')" ] || fail "a partial file was left"

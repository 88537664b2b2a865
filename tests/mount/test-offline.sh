# With the server gone: what was read reads on, stat never waits, what was never fetched says so, and
# everything comes back without a remount.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mount_fs "$url" "$work/mnt" ttl=1,timeout=5
project=$(project_of "$work/mnt")
rsync -a --exclude attachments "$work/mnt/" "$work/copy/"
attachment=$(find "$project/stories" -path '*/attachments/*' -type f | sort | sed -n 1p)
kept=$(find "$project/stories" -path '*/attachments/*' -type f | sort | tail -n 1)
sha256sum <"$kept" >"$work/kept.sum"
[ "$attachment" != "$kept" ] || fail "the sample has one attachment only"

stop_server
advance_clock 10000
equal "$(rsync -ai --exclude attachments "$work/mnt/" "$work/copy/")" "" "the stored tree, with the server stopped"
find "$work/mnt" -type f -size -100k ! -path '*/attachments/*' -exec cat {} + >/dev/null || fail "reading offline"
sha256sum <"$kept" | cmp - "$work/kept.sum" || fail "a kept attachment"
expect_errno "Network is down" cat "$attachment"
stat "$attachment" >/dev/null || fail "stat of what cannot be read"
"$trackerfs" status "$work/mnt" | grep -qi offline || fail "status does not say offline"

start_server "$work/s.db" --faults
advance_clock 120000
until_true 10 "attachment readable again" cat "$attachment"
equal "$(stat -c %s "$attachment")" "$(wc -c <"$attachment")" "size of the attachment"
unmount "$work/mnt"

# A remount with the server gone still shows the tree, and says that it is old.
stop_server
advance_clock 60000 # so the mount has asked for the account, and knows that nothing answers, when the project is asked for
mount_fs "$url" "$work/mnt" ttl=1,timeout=5
equal "$(rsync -ai --exclude attachments "$work/mnt/" "$work/copy/")" "" "remounted offline"
unmount "$work/mnt"

# Without a store there is nothing to show: refused at the start.
rm -rf "$work/cache"
mkdir -p "$work/mnt"
if "$trackerfs" "$url" "$work/mnt" -o token_file="$work/token" 2>"$work/refused"; then fail "mounted with neither server nor store"; fi
grep -q "127.0.0.1" "$work/refused" || { cat "$work/refused"; fail "the message does not name the host"; }

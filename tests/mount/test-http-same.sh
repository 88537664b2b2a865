# The same tree over HTTP and in-process, byte for byte, times and inode numbers too.
[ -n "${mode:-}" ] || { mode=ro bash "$0" && mode=rw exec bash "$0"; exit; } # in both kinds of mount
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db"
start_server "$work/s.db"
mount_fs "$work/s.db" "$work/local"
mount_fs "$url" "$work/http"
for way in local http; do
    (cd "$work/$way" && find . -printf '%P\t%y\t%m\t%s\t%T@\t%i\t%l\n' | sort >"$work/$way.list")
done
diff "$work/local.list" "$work/http.list" >"$work/list.diff" || { head -n 20 "$work/list.diff"; fail "the listings differ"; }
diff -r --no-dereference "$work/local" "$work/http" >"$work/tree.diff" || { head -n 20 "$work/tree.diff"; fail "the bytes differ"; }
find "$work/http" -path '*/attachments/*' -type f | grep -q . || fail "no attachment was compared"
if grep -rq "$(cat "$work/token")" "$work/http" "$work/cache" "$work"/*.log; then fail "the token stands somewhere"; fi

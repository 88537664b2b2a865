# V5 clients that nobody here wrote, as npm has them, walk through our tracker unchanged. They are installed into a cache
# outside the tree, once; without node or the registry the test is skipped.
. "$(dirname "$0")/../lib/mount.sh"
here=$(cd "$(dirname "$0")" && pwd)

command -v npm >/dev/null || skip "no npm here"
cache=${TRACKERFS_CLIENT_CACHE:-${TMPDIR:-/tmp}/trackerfs-outside-clients}
if ! [ -e "$cache/complete" ]; then
    mkdir -p "$cache"
    npm install --prefix "$cache" --ignore-scripts --no-audit --no-fund --fetch-retries=0 --fetch-timeout=30000 \
        pivotaljs@1.0.3 pivotaltracker@0.1.4 >"$work/npm.log" 2>&1 ||
        skip "npm cannot install the clients: $(grep -m 1 -i error "$work/npm.log")"
    : >"$cache/complete"
fi

sample_database "$work/t.db"
start_server "$work/t.db" --access-log "$work/access"
for client in pivotaljs pivotaltracker; do
    NODE_PATH=$cache/node_modules TRACKER_URL=$url TRACKER_TOKEN=$(cat "$work/token") SCRATCH=$work \
        node --no-deprecation --require "$here/elsewhere.js" "$here/$client.js" || fail "$client; $(tail -n 3 "$work/access")"
done

# What has no id, from a broken server or a broken dump: it alone is missing, log and status say so once, and the others read.
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db"
stories=$(sqlite3 "$work/s.db" 'SELECT count(*) FROM story WHERE project_id = (SELECT min(id) FROM project)')
broken=$(sqlite3 "$work/s.db" 'SELECT max(id) FROM story WHERE project_id = (SELECT min(id) FROM project)')
sqlite3 "$work/s.db" "UPDATE story SET id = 0 WHERE id = $broken;
    UPDATE epic SET id = 0 WHERE id = (SELECT max(id) FROM epic);
    UPDATE label SET id = 0 WHERE id = (SELECT max(id) FROM label);
    UPDATE person SET id = -1 WHERE id = (SELECT max(id) FROM person)" # not the one who mounts: she is the first
start_server "$work/s.db" --faults
said='1 story, 1 epic, 1 label, 1 member: no id'

# check MOUNT SOURCE
check() {
    mount_fs "$2" "$1"
    project=$(project_of "$1")
    equal "$(find "$project/stories" -mindepth 1 -maxdepth 1 -type d | wc -l)" $((stories - 1)) "$2: stories"
    grep -r . "$1" >/dev/null || fail "$2: reading"
    equal "$(jq -r '.projects[0].left_out' "$1/.trackerfs/status.json")" "$said" "$2: status.json"
    "$trackerfs" status "$1" >"$work/status" || fail "$2: status"
    grep -qF "; left out: $said" "$work/status" || { cat "$work/status"; fail "$2: status does not tell"; }
    equal "$(jq '.projects[0].last_error' "$1/.trackerfs/status.json")" null "$2: last error"
}
check "$work/local" "$work/s.db"
check "$work/http" "$url"

# Looking again costs what it costs without such a story, and says nothing new.
reset_requests
"$trackerfs" refresh "$work/http" >/dev/null
"$trackerfs" refresh "$work/http" >/dev/null
request_lines | grep -q "/activity" || fail "the server was not asked"
! request_lines | grep "/stories" || fail "the stories are asked for again"
unmount "$work/http"
check "$work/http" "$url"
equal "$(cat "$work"/cache/trackerfs/*/log | grep -cF "$said")" 2 "lines in the logs of two caches"

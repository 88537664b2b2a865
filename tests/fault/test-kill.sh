# A server that is killed with -9 while clients write: every change that was answered is there afterwards, at most the one
# unanswered request of each client is there besides, and the database is whole.
. "$(dirname "$0")/../lib/mount.sh"

rounds=5 clients=4 before_kill=25
sample_database "$work/k.db" 20
start_server "$work/k.db"
token=$(cat "$work/token")
project=$(sqlite3 "$work/k.db" 'SELECT id FROM project')
began=$(sqlite3 "$work/k.db" 'SELECT version FROM project')
sql() { sqlite3 "$work/k.db" "$1"; }

# write ROUND CLIENT: stories with a label and a comment, until the server has gone; says which were answered
write() {
    local n=0 name
    while :; do
        n=$((n + 1)) name="kill $1 $2 $n"
        curl -fsS -H "X-TrackerToken: $token" -H 'Content-Type: application/json' -o /dev/null \
            -d "{\"name\": \"$name\", \"labels\": [\"kill $2\"], \"comments\": [{\"text\": \"$name\"}]}" \
            "$url/services/v5/projects/$project/stories" 2>/dev/null || return 0
        echo "$name" >>"$work/answered"
    done
}
# upload: files whose name is the digest of their content, until the server has gone
upload() {
    local sum
    while :; do
        head -c 200000 /dev/urandom >"$work/upload"
        sum=$(sha256sum "$work/upload" | cut -c1-64)
        curl -fsS -H "X-TrackerToken: $token" -o /dev/null -F "file=@$work/upload;filename=$sum" \
            "$url/services/v5/projects/$project/uploads" 2>/dev/null || return 0
        echo "$sum" >>"$work/uploaded"
    done
}
: >"$work/answered"
: >"$work/uploaded"
for ((round = 1; round <= rounds; round++)); do
    writers=()
    for ((client = 1; client <= clients; client++)); do
        write $round $client &
        writers+=($!)
    done
    upload &
    writers+=($!)
    answered=$(wc -l <"$work/answered")
    until_true 60 "round $round: writes are answered" eval "[ \$(wc -l <'$work/answered') -ge $((answered + before_kill)) ]"
    kill -9 "$server_pid"
    wait "$server_pid" 2>/dev/null || :
    wait "${writers[@]}"
    equal "$(sql 'PRAGMA integrity_check')" ok "round $round: the file"
    equal "$(sql 'PRAGMA foreign_key_check')" "" "round $round: references"
    sql "SELECT name FROM story WHERE name LIKE 'kill %'" | sort >"$work/there"
    sort "$work/answered" >"$work/wanted"
    lost=$(comm -13 "$work/there" "$work/wanted")
    [ -z "$lost" ] || fail "round $round: answered and lost: $lost"
    at_most "$(comm -23 "$work/there" "$work/wanted" | wc -l)" $((round * clients)) "round $round: unanswered and there"
    equal "$(sql "SELECT count(*) FROM story_label JOIN label ON id = label_id WHERE name LIKE 'kill %'")" "$(wc -l <"$work/there")" \
        "round $round: labels, one for each story"
    equal "$(sql "SELECT count(*) FROM comment WHERE text LIKE 'kill %'")" "$(wc -l <"$work/there")" "round $round: comments, one for each story"
    equal "$(sql 'SELECT version FROM project')" $((began + $(sql "SELECT count(*) FROM activity WHERE project_id = $project AND version > $began"))) \
        "round $round: version and activities"
    equal "$(sql 'SELECT count(*) - count(DISTINCT version) FROM activity')" 0 "round $round: two activities of one version"
    equal "$(sql 'SELECT count(*) - count(DISTINCT position) FROM story')" 0 "round $round: two stories in one place"
    # Every upload that was answered is a row, and every row has its bytes.
    sql "SELECT filename FROM file_attachment WHERE length(filename) = 64" | sort >"$work/rows"
    equal "$(sort "$work/uploaded" | comm -13 "$work/rows" -)" "" "round $round: uploads lost"
    while read -r sum; do
        equal "$(sha256sum <"$work/k.db.files/$sum" | cut -c1-64)" "$sum" "round $round: an uploaded file"
    done <"$work/rows"
    start_server "$work/k.db"
    curl -fsS -H "X-TrackerToken: $token" -o /dev/null "$url/services/v5/projects/$project/stories?limit=1"
done
[ -s "$work/uploaded" ] || fail "nothing was uploaded"

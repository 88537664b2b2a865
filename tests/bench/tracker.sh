# The tracker of our own as a server: a page of 500 stories with everything nested, one story, one change, 100 clients at a
# time, in a small and a large database. Each client call is one curl with one connection, which times each request
# itself; the floor of a page is nginx with the very same bytes as a file, a moment before.
# What a mount asks for (STORY_FIELDS of cache/api.c).
page_fields='fields=:default,comments(:default,person,file_attachments,google_attachments),tasks,owners,followers,reviews(:default,review_type),blockers,transitions,pull_requests,branches,blocked_story_ids'

bench_tracker() {
    local n run
    tracker_sizes=$(awk '{ print $1, $NF }' <<<"$sizes" | xargs -n 1 | uniq | xargs)
    for n in $tracker_sizes; do
        project_server "$n"
        latency 0
        api=$url/services/v5 project=$(sqlite3 "$db" 'SELECT id FROM project LIMIT 1')
        story=$(sqlite3 "$db" 'SELECT max(id) FROM story')
        tracker_floor "$n"
        for ((run = 1; run <= runs; run++)); do
            say "tracker: $n stories, run $run of $runs"
            tracker_round "$n"
        done
        note tracker memory "$n" peak "$(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$server_pid/status")"
        kill "$server_pid"
        wait "$server_pid" || :
    done
    tracker_table >"$out/tracker.md"
}

ask() { # ARGUMENTS...: the seconds of each request
    (pinned curl -fsS -H "X-TrackerToken: $(cat "$work/token")" -w '%{time_total}\n' "$@")
}
times() { # WORKLOAD STORIES: notes the median of the seconds on stdin, in µs
    note tracker "$1" "$2" median "$(median | awk '{ printf "%.0f", $1 * 1e6 }')"
}
many() { # COUNT URL: COUNT times "-o /dev/null URL"
    local i
    for ((i = 0; i < $1; i++)); do printf -- '-o\n/dev/null\n%s\n' "$2"; done
}

tracker_floor() { # STORIES
    mkdir -p "$work/tracker-page"
    page_url="$api/projects/$project/stories?limit=500&offset=$(($1 / 2))&$page_fields"
    curl -fsSg -H "X-TrackerToken: $(cat "$work/token")" "$page_url" -o "$work/tracker-page/page-$1.json"
    note tracker bytes "$1" page "$(stat -c %s "$work/tracker-page/page-$1.json")"
    floor_url=
    command -v nginx >/dev/null || { say "tracker: no nginx here: the floor is left out"; return 0; }
    [ -e "$work/tracker-nginx" ] || web_server "$work/tracker-nginx" 18083 "$work/tracker-page"
    floor_url=http://127.0.0.1:18083/page-$1.json
}

tracker_round() { # STORIES
    local arguments i
    [ -z "$floor_url" ] || { mapfile -t arguments < <(many 20 "$floor_url"); ask "${arguments[@]}" | times floor "$1"; }
    mapfile -t arguments < <(many 20 "$page_url")
    ask -g "${arguments[@]}" | times page "$1"
    ask -g -H 'Accept-Encoding: gzip' "${arguments[@]}" | times packed "$1"
    # Twenty pages of their own are more than the server keeps: each comes from the database.
    arguments=()
    for ((i = 0; i < 20; i++)); do
        arguments+=(-o /dev/null "$api/projects/$project/stories?limit=500&offset=$((i * 500))&$page_fields")
    done
    ask -g "${arguments[@]}" | times unseen "$1"
    mapfile -t arguments < <(many 200 "$api/projects/$project/stories/$story")
    ask "${arguments[@]}" | times get "$1"
    for ((i = 0; i < 200; i++)); do
        [ $i = 0 ] || echo next
        printf 'url = "%s/projects/%s/stories/%s"\nrequest = PUT\nheader = "Content-Type: application/json"\nheader = "X-TrackerToken: %s"\n' \
            "$api" "$project" "$story" "$(cat "$work/token")"
        printf 'data = "{\\"description\\": \\"%s %s\\"}"\noutput = /dev/null\nwrite-out = "%%{time_total}\\n"\nfail\n' "$EPOCHREALTIME" $i
    done >"$work/puts"
    (pinned curl -sS -K "$work/puts") | times put "$1"
    mapfile -t arguments < <(many 3000 "$api/projects/$project/stories/$story")
    clock eval 'ask --parallel --parallel-immediate --parallel-max 100 "${arguments[@]}" 2>&1 >"$work/parallel"'
    note tracker clients "$1" "a second" "$((3000 * 1000000 / took))"
    note tracker clients "$1" p99 "$(quantile 0.99 <"$work/parallel" | awk '{ printf "%.0f", $1 * 1e6 }')"
}

tracker_table() {
    local n
    echo "| stories | page of 500, bytes | nginx, the same bytes | page asked for again | to nginx | gzip | not asked for before | GET of a story | PUT of a story | 100 clients: GETs a second | 99th percentile | peak memory |"
    echo "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for n in $tracker_sizes; do
        awk -v n="$n" -v bytes="$(figure tracker bytes "$n" page)" -v floor="$(figure tracker floor "$n" median)" -v page="$(figure tracker page "$n" median)" \
            -v unseen="$(figure tracker unseen "$n" median)" -v packed="$(figure tracker packed "$n" median)" -v get="$(figure tracker get "$n" median)" -v put="$(figure tracker put "$n" median)" \
            -v rate="$(figure tracker clients "$n" "a second")" -v p99="$(figure tracker clients "$n" p99)" -v memory="$(figure tracker memory "$n" peak)" 'BEGIN {
            printf "| %d | %.0f KB | %s | %.1f ms | %s | %.1f ms | %.1f ms | %.2f ms | %.2f ms | %d | %.0f ms | %d MB |\n", n, bytes / 1000,
                floor ? sprintf("%.1f ms", floor / 1e3) : "-", page / 1e3, floor ? sprintf("%.1f", page / floor) : "-", packed / 1e3, unseen / 1e3, get / 1e3, put / 1e3, rate, p99 / 1e3, memory }'
    done
}

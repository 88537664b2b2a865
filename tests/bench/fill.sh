# What a first walk costs when everything has to be fetched: `grep -r` over an empty store at each latency, against the floor that the
# protocol and the libraries set: with 4 pages of 500 stories in flight, max(round trips, parsing + inserting) + the walk.
# Parsing and inserting are those of a program that does nothing else (syncbench: jansson and SQLite over the very same
# pages, a moment before, on the same CPU), the walk is that of limitfs with a cold kernel: nothing of ours is in the floor.
bench_fill() {
    local run ms
    shared_project
    fill_floor
    for ((run = 1; run <= runs; run++)); do
        for ms in 0 $latencies; do
            say "fill: run $run of $runs: latency $ms ms"
            fill_once "$ms"
        done
    done
    fill_table >"$out/fill.md"
    fill_chart "$out/fill.svg"
}

fill_once() { # LATENCY
    latency "$1"
    reset_requests
    mount_ours fill "$url" "$ours,ro,attachments=none" cold
    clock_job grep "$work/mnt.fill"
    note fill grep "$1" cold "$took"
    note fill requests "$1" cold "$(requests)"
    note fill bytes "$1" cold "$(answer_bytes)"
    note fill memory "$1" cold "$(peak_memory_mb fill)"
    unmount_bench fill
}

# Sets nothing: notes "fill,parse+insert" and "fill,walk", each $runs times, where the harness is at hand.
fill_floor() {
    local pages=$work/pages syncbench target run n=0
    syncbench=$(perf_harness syncbench) && perf_harness limitfs >/dev/null && command -v nginx >/dev/null ||
        { say "fill: no syncbench, limitfs or nginx here: the floor is left out"; return 0; }
    mkdir -p "$pages"
    latency 0
    tree_on_disk
    reset_requests
    mount_ours fill "$url" "$ours,ro,attachments=none" cold
    clock_job find "$work/mnt.fill"
    unmount_bench fill
    while IFS= read -r target; do
        curl -fsS -H "X-TrackerToken: $(cat "$work/token")" "$url$target" -o "$(printf '%s/page-%05d.json' "$pages" $n)"
        n=$((n + 1))
    done < <(curl -fsS "$url/__stats" | jq -r '.requests[]' | awk '{ print $2 }' | grep -E '/stories\?.*limit=500')
    [ "$n" -ge $((stories / 500)) ] || { say "fill: only $n pages were seen"; exit 1; }
    mkdir -p "$work/nginx-pages"
    web_server "$work/nginx-pages" 18082 "$pages"
    for ((run = 1; run <= runs; run++)); do
        rm -f "$work/sync.db"*
        (pinned "$syncbench" -r 1 -j 4 http://127.0.0.1:18082 $n "$work/sync.db") >"$work/syncbench.out"
        note fill parse+insert limit cold "$(sed -nE 's|.*parse ([0-9.]+), insert ([0-9.]+).*|\1 \2|p' "$work/syncbench.out" | awk '{ printf "%d", ($1 + $2) * 1e6 }')"
        mount_limit fill-limit ro,open=no "$disk"
        clock_job grep "$work/mnt.fill-limit"
        note fill walk limit cold "$took"
        unmount_bench fill-limit
    done
}

# fill_floor_us LATENCY
fill_floor_us() {
    awk -v ms="$1" -v pages=$(((stories + 499) / 500)) -v cpu="$(figure fill parse+insert limit cold)" -v walk="$(figure fill walk limit cold)" 'BEGIN {
        trips = ms * 1000 * (int((pages + 3) / 4) + 1)
        printf "%d", cpu == "" ? 0 : (trips > cpu ? trips : cpu) + walk }'
}

fill_table() {
    local ms
    echo "Cold \`grep -r\` over $stories stories without attachments, everything fetched ($(((stories + 499) / 500)) pages of 500). Floor: the larger of the round trips with 4 pages"
    echo "in flight and parsing plus inserting by a program that does nothing else ($(seconds "$(figure fill parse+insert limit cold)")), and the walk of limitfs ($(seconds "$(figure fill walk limit cold)"))."
    echo "Medians of $runs runs, pinned to CPU: $cpu."
    echo
    echo "| latency | cold grep -r | floor | ratio | requests | answers | peak memory |"
    echo "|---:|---:|---:|---:|---:|---:|---:|"
    for ms in 0 $latencies; do
        awk -v ms="$ms" -v us="$(figure fill grep "$ms" cold)" -v floor="$(fill_floor_us "$ms")" -v n="$(figure fill requests "$ms" cold)" \
            -v bytes="$(figure fill bytes "$ms" cold)" -v mb="$(figure fill memory "$ms" cold)" 'BEGIN {
            printf "| %d ms | %.2f s | %s | %s | %d | %.1f MB | %d MB |\n", ms, us / 1e6, floor ? sprintf("%.2f s", floor / 1e6) : "-",
                floor ? sprintf("%.2f", us / floor) : "-", n, bytes / 1e6, mb }'
    done
}

fill_chart() { # FILE.svg
    local ms
    {
        echo 'latency "cold grep -r" floor'
        for ms in 0 $latencies; do
            echo "\"$ms ms\" $(figure fill grep "$ms" cold) $(fill_floor_us "$ms")" | awk '{ print $1, $2, $3 / 1e6, $4 / 1e6 }'
        done
    } >"$work/chart"
    bars "$1" "Cold grep -r over $stories stories" seconds 2
}

# What a first walk costs when everything has to be fetched: `grep -r` over an empty store at each latency, against the floor that the
# protocol and the libraries set: with 4 pages of 500 stories in flight, max(round trips, parsing + inserting) + the walk.
# Parsing and inserting are those of a program that does nothing else (syncbench: jansson and SQLite over the very same
# pages, a moment before, on the same CPU), the walk is that of limitfs with a cold kernel: nothing of ours is in the floor.
bench_fill() {
    local run ms
    fill_floor
    for ((run = 1; run <= runs; run++)); do
        for ms in 0 $latencies; do
            say "fill: run $run of $runs: latency $ms ms"
            fill_once "$ms"
        done
    done
    fill_table >"$out/fill.md"
}

fill_once() { # LATENCY
    latency "$1"
    reset_requests
    mount_ours fill "$url" "$ours,ro,attachments=none" cold
    clock_job grep "$work/mnt.fill" fill
    note fill grep "$1" cold "$took"
    note fill requests "$1" cold "$(requests)"
    note fill bytes "$1" cold "$(answer_bytes)"
    note fill memory "$1" cold "$(peak_memory_mb fill)"
    unmount_bench fill
}

# Sets nothing: notes "fill,parse+insert" and "fill,walk", each $runs times, where the harness is at hand.
fill_floor() {
    local pages=$work/pages syncbench limitfs target run n=0
    syncbench=$(perf_harness syncbench) && limitfs=$(perf_harness limitfs) && command -v nginx >/dev/null ||
        { say "fill: no syncbench, limitfs or nginx here: the floor is left out"; return 0; }
    mkdir -p "$pages"
    latency 0
    reset_requests
    mount_ours fill "$url" "$ours,ro,attachments=none" cold
    rsync -a "$work/mnt.fill/" "$work/filled/"
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
        mount_limit fill-limit ro,open=no "$work/filled"
        clock_job grep "$work/mnt.fill-limit" fill
        note fill walk limit cold "$took"
        unmount_bench fill-limit
    done
}

fill_table() {
    local ms pages=$(((stories + 499) / 500)) cpu_us walk_us
    cpu_us=$(figure fill parse+insert limit cold)
    walk_us=$(figure fill walk limit cold)
    echo "Cold \`grep -r\` over $stories stories without attachments, everything fetched ($pages pages of 500). Floor: the larger of the round trips with 4 pages"
    echo "in flight and parsing plus inserting by a program that does nothing else ($(seconds "$cpu_us")), and the walk of limitfs ($(seconds "$walk_us"))."
    echo "Medians of $runs runs, pinned to CPU: $cpu."
    echo
    echo "| latency | cold grep -r | floor | ratio | requests | answers | peak memory |"
    echo "|---:|---:|---:|---:|---:|---:|---:|"
    for ms in 0 $latencies; do
        awk -v ms="$ms" -v us="$(figure fill grep "$ms" cold)" -v pages="$pages" -v cpu="${cpu_us:-0}" -v walk="${walk_us:-0}" \
            -v n="$(figure fill requests "$ms" cold)" -v bytes="$(figure fill bytes "$ms" cold)" -v mb="$(figure fill memory "$ms" cold)" 'BEGIN {
            trips = ms * 1000 * (int((pages + 3) / 4) + 1)
            floor = (trips > cpu ? trips : cpu) + walk
            printf "| %d ms | %.2f s | %.2f s | %.2f | %d | %.1f MB | %d MB |\n", ms, us / 1e6, floor / 1e6, us / floor, n, bytes / 1e6, mb }'
    done
}

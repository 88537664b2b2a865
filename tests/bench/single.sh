# Single operations, as somebody at a keyboard feels them: reads of cached files while a hundred requests hang, and a save: until it is
# safe in the journal (close(2) with save_wait=0), alone and 30 at once, and until the server has accepted it.
bench_single() {
    local run folder ms
    project_server "$stories"
    clock_program=$work/file_clock
    cc -O2 -pthread -o "$clock_program" "$top/tests/bench/file_clock.c"
    for ((run = 1; run <= runs; run++)); do
        say "single: run $run of $runs: reads"
        latency 0
        mount_ours single "$url" "$ours,ro" cold
        folder=$(project_folder "$work/mnt.single")/stories
        mapfile -t texts < <(find "$folder" -name description.md -size +0 | sort | head -n 200)
        cat "${texts[@]}" >/dev/null
        operations quiet stat 1 50 "${texts[@]}"
        operations quiet cat 1 50 "${texts[@]}"
        curl -fsS -X POST --data-binary "hang@/services/v5/projects/$(sqlite3 "$db" "SELECT id FROM project LIMIT 1")/stories/" "$url/__faults" >/dev/null
        hanging=()
        for story in $(find "$folder" -mindepth 1 -maxdepth 1 | sort | head -n 100); do
            cat "$story/.activity.jsonl" >/dev/null 2>&1 & # asked of the server when somebody reads it
            hanging+=($!)
        done
        wait_until 20 "${#hanging[@]} readers wait" waiting "${#hanging[@]}"
        operations hanging stat 1 50 "${texts[@]}"
        operations hanging cat 1 50 "${texts[@]}"
        kill "${hanging[@]}"
        wait "${hanging[@]}" 2>/dev/null || :
        latency 0
        unmount_bench single

        say "single: run $run of $runs: saves"
        mount_ours single "$url" "$ours,rw,save_wait=0"
        operations "journal: 1 at a time" save 1 1 "${texts[@]:0:60}"
        operations "journal: 30 at once" save 30 4 "${texts[@]:0:60}"
        unmount_bench single
        for ms in 0 50; do
            latency "$ms"
            mount_ours single "$url" "$ours,rw,save_wait=60"
            operations "accepted: $ms ms away" save 1 1 "${texts[@]:0:60}"
            unmount_bench single
        done
    done
    single_table >"$out/single.md"
}

waiting() { [ "$(jq .waiting "$work/mnt.single/.trackerfs/status.json")" -ge "$1" ]; }

operations() { # SITUATION OPERATION THREADS ROUNDS FILE...
    local situation=$1
    shift
    (pinned "$clock_program" "$@") >"$work/operations"
    note single "$1" "$situation" p50 "$(quantile 0.5 <"$work/operations")"
    note single "$1" "$situation" p99 "$(quantile 0.99 <"$work/operations")"
}

single_table() {
    echo "Single operations, µs; medians over $runs runs of the median and the 99th percentile of a run. Pinned to CPU: $cpu."
    echo
    echo "| operation | situation | median | p99 |"
    echo "|---|---|---:|---:|"
    while IFS=, read -r operation situation; do
        printf '| %s | %s | %.0f | %.0f |\n' "$operation" "$situation" \
            "$(awk -F, -v o="$operation" -v s="$situation" '$1 == "single" && $2 == o && $3 == s && $4 == "p50" { print $5 }' "$work/raw" | median)" \
            "$(awk -F, -v o="$operation" -v s="$situation" '$1 == "single" && $2 == o && $3 == s && $4 == "p99" { print $5 }' "$work/raw" | median)"
    done < <(awk -F, '$1 == "single" && $4 == "p50" && !seen[$2, $3]++ { print $2 "," $3 }' "$work/raw")
}

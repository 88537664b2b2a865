# Whole walks with ordinary programs, interleaved: the same tree on a local disk, as limitfs (an in-memory FUSE file system: the
# limit), and mounted by us in each way.
#
# A round is, for each workload: the disk, then each contestant right after a mount (a cold kernel, a filled store); and then, with
# all of them mounted and walked, for each workload: the disk, then each contestant warm. The figure of a contestant is paired with
# the disk's of the same lap, and who comes first moves on with each lap, so that a slow moment of the machine hits everybody.
# Only the workloads of $remounted are walked cold, and a first rsync only there. No round begins that would not end within $walk_minutes
# minutes, so that a large tree ends too: the table says how many there were.
bench_walks() {
    local run=0 contestant began deadline=$((SECONDS + walk_minutes * 60)) longest=0
    shared_project
    latency "$walk_latency"
    tree_on_disk
    mount_ours local "$db" "$ours"
    diff -rq --no-dereference "$disk" "$work/mnt.local" >&2 || { say "the trees differ"; exit 1; }
    contestants=(http http-ro local)
    if perf_harness limitfs >/dev/null; then contestants=(limit limit-ro "${contestants[@]}"); else say "walks: no limitfs here: its columns are left out"; fi
    order=("${contestants[@]}")
    while [ $run -lt "$runs" ] && { [ $run = 0 ] || [ $((SECONDS + longest)) -le $deadline ]; }; do
        run=$((run + 1)) began=$SECONDS
        walks_round
        longest=$((SECONDS - began > longest ? SECONDS - began : longest))
        say "walks: round $run of $runs took $((SECONDS - began)) seconds"
    done
    walk_rounds=$run
    for contestant in "${contestants[@]}"; do unmount_bench "$contestant"; done
    walks_table >"$out/walks.md"
    walks_chart "$out/walks.svg"
}

walks_round() {
    local workload
    clock_job find "$disk" # the round before may have pushed the disk's tree out of the kernel's memory
    clock_job grep "$disk"
    for workload in $workloads; do
        case " $remounted " in *" $workload "*) lap "$workload" remounted ;; esac
    done
    for workload in $workloads; do
        [ "$workload" = rsync1 ] || lap "$workload" warm
    done
}

lap() { # WORKLOAD TEMPERATURE
    local contestant on_disk
    prepare "$1" "$disk"
    clock_job "$1" "$disk"
    on_disk=$took
    note walks "$1" disk "lap-$2" "$on_disk"
    order=("${order[@]:1}" "${order[0]}")
    for contestant in "${order[@]}"; do
        [ "$2" = warm ] || remount "$contestant"
        prepare "$1" "$disk"
        clock_job "$1" "$work/mnt.$contestant"
        note walks "$1" "$contestant" "$2" "$took" "$on_disk"
    done
}

remount() { # CONTESTANT: a cold kernel, a filled store
    case $1 in
    limit) mount_limit limit "" "$work/disk" ;;
    limit-ro) mount_limit limit-ro ro,open=no "$work/disk" ;;
    http) mount_ours http "$url" "$ours" ;;
    http-ro) mount_ours http-ro "$url" "$ours,ro" ;;
    local) mount_ours local "$db" "$ours" ;;
    esac
}
walks_table() {
    local workload contestant temperature
    echo "Whole walks of $stories stories ($inodes inodes): time, and in brackets the ratio to the local disk a moment before. Medians of $walk_rounds rounds, pinned to CPU: $cpu."
    for temperature in remounted warm; do
        echo
        printf '| %s | local disk ' $temperature
        printf '| %s ' "${contestants[@]}"
        echo "|"
        printf '|---|---:'
        for contestant in "${contestants[@]}"; do printf '|---:'; done
        echo "|"
        for workload in $workloads; do
            [ -n "$(figure walks "$workload" disk lap-$temperature)" ] || continue
            printf '| %s | %s ' "$workload" "$(seconds "$(figure walks "$workload" disk lap-$temperature)")"
            for contestant in "${contestants[@]}"; do
                printf '| %s (%.2f) ' "$(seconds "$(figure walks "$workload" "$contestant" $temperature)")" \
                    "$(ratio walks "$workload" "$contestant" $temperature)"
            done
            echo "|"
        done
    done
}

walks_chart() { # FILE.svg: ratios to the disk, warm
    local workload contestant
    {
        printf 'workload'
        printf ' "%s"' "${contestants[@]}"
        echo
        for workload in $workloads; do
            [ "$workload" != rsync1 ] || continue
            printf '%s' "$workload"
            for contestant in "${contestants[@]}"; do printf ' %.3f' "$(ratio walks "$workload" "$contestant" warm)"; done
            echo
        done
    } >"$work/chart"
    bars "$1" "Warm walks of $stories stories" "time, as a ratio to the local disk" "${#contestants[@]}" '1 with lines dashtype 2 linecolor "black" title "local disk",'
}

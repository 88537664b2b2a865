# Whole walks with ordinary programs, interleaved: the same tree on a local disk, as limitfs (an in-memory FUSE file system: the
# limit), and mounted by us in each way. Each figure is paired with the disk's of a moment before.
bench_walks() {
    local run workload contestant disk=$work/disk
    latency "$walk_latency"
    say "walks: copying the tree to the local disk"
    mount_ours http "$url" "$ours"
    rsync -a "$work/mnt.http/" "$disk/"
    inodes=$(find "$disk" | wc -l)
    mount_ours local "$db" "$ours"
    diff -rq --no-dereference "$disk" "$work/mnt.local" >&2 || { say "the trees differ"; exit 1; }
    contestants=(http http-ro local)
    if perf_harness limitfs >/dev/null; then contestants=(limit limit-ro "${contestants[@]}"); else say "walks: no limitfs here: its columns are left out"; fi

    for ((run = 1; run <= runs; run++)); do
        for workload in $workloads; do
            for contestant in "${contestants[@]}"; do
                say "walks: run $run of $runs: $workload, $contestant"
                pair "$workload" "$contestant" "$disk"
            done
        done
    done
    walks_table >"$out/walks.md"
    walks_chart "$out/walks.svg"
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
pair() { # WORKLOAD CONTESTANT DISK
    local tree=$work/mnt.$2 on_disk
    prepare "$1" "$3" disk
    clock_job "$1" "$3" disk # once for the cache
    prepare "$1" "$3" disk
    clock_job "$1" "$3" disk
    on_disk=$took
    note walks "$1" disk warm "$on_disk"
    remount "$2"
    [ "$1" != rsync2 ] || { prepare "$1" "$tree" "$2"; remount "$2"; }
    prepare "$1" "$tree" "$2"
    clock_job "$1" "$tree" "$2"
    note walks "$1" "$2" remounted "$took" "$on_disk"
    prepare "$1" "$tree" "$2"
    clock_job "$1" "$tree" "$2"
    note walks "$1" "$2" warm "$took" "$on_disk"
    unmount_bench "$2"
}

walks_table() {
    local workload contestant temperature
    echo "Whole walks of $stories stories ($inodes inodes): seconds, and in brackets the ratio to the local disk a moment before. Medians of $runs runs, pinned to CPU: $cpu."
    echo
    printf '| workload | local disk '
    for contestant in "${contestants[@]}"; do printf '| %s, remounted | %s, warm ' "$contestant" "$contestant"; done
    echo "|"
    printf '|---|---:'
    for contestant in "${contestants[@]}"; do printf '|---:|---:'; done
    echo "|"
    for workload in $workloads; do
        printf '| %s | %s ' "$workload" "$(seconds "$(figure walks "$workload" disk warm)")"
        for contestant in "${contestants[@]}"; do
            for temperature in remounted warm; do
                printf '| %s (%.2f) ' "$(seconds "$(figure walks "$workload" "$contestant" $temperature)")" \
                    "$(ratio walks "$workload" "$contestant" $temperature)"
            done
        done
        echo "|"
    done
}

walks_chart() { # FILE.svg: ratios to the disk, warm
    local workload contestant
    {
        printf 'workload'
        printf ' "%s"' "${contestants[@]}"
        echo
        for workload in $workloads; do
            printf '%s' "$workload"
            for contestant in "${contestants[@]}"; do printf ' %.3f' "$(ratio walks "$workload" "$contestant" warm)"; done
            echo
        done
    } >"$work/chart"
    gnuplot <<PLOT
set terminal svg size 900,420 font "sans-serif,12" background "white"
set output "$1"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set key outside right
set yrange [0:]
set ylabel "time, as a ratio to the local disk"
set title "Warm walks of $stories stories"
set grid ytics
plot 1 with lines dashtype 2 linecolor "black" title "local disk", for [i=2:$((${#contestants[@]} + 1))] "$work/chart" using i:xtic(1) title columnheader(i)
PLOT
}

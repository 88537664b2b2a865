# A large project: what it costs to fill, to walk completely, and to come back after a remount; and whether that grows in proportion.
bench_memory() {
    local n
    for n in $sizes; do
        project_server "$n"
        latency 0
        say "memory: $n stories: first fill and walk"
        mount_ours large "$url" "$ours,ro,attachments=none" cold
        clock_job find "$work/mnt.large"
        note memory find "$n" cold "$took"
        clock_job grep "$work/mnt.large"
        note memory grep "$n" cold "$took"
        note memory resident "$n" cold "$(peak_memory_mb large)"
        say "memory: $n stories: remounted"
        mount_ours large "$url" "$ours,ro,attachments=none"
        clock_job find "$work/mnt.large"
        note memory find "$n" remounted "$took"
        clock_job grep "$work/mnt.large"
        note memory grep "$n" remounted "$took"
        note memory resident "$n" remounted "$(peak_memory_mb large)"
        unmount_bench large
        rm -rf "$work/cache.large"
    done
    {
        echo "| stories | find, everything fetched | µs a story | grep -r after it | peak memory | remounted: find | µs a story | grep -r | peak memory |"
        echo "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        for n in $sizes; do
            awk -v n="$n" -v a="$(figure memory find "$n" cold)" -v b="$(figure memory grep "$n" cold)" -v c="$(figure memory resident "$n" cold)" \
                -v d="$(figure memory find "$n" remounted)" -v e="$(figure memory grep "$n" remounted)" -v f="$(figure memory resident "$n" remounted)" 'BEGIN {
                printf "| %d | %.2f s | %.0f | %.2f s | %d MB | %.2f s | %.0f | %.2f s | %d MB |\n", n, a / 1e6, a / n, b / 1e6, c, d / 1e6, d / n, e / 1e6, f }'
        done
    } >"$out/memory.md"
    {
        echo 'stories "first fill and walk" remounted'
        for n in $sizes; do echo "$n $(figure memory resident "$n" cold) $(figure memory resident "$n" remounted)"; done
    } >"$work/chart"
    bars "$out/memory.svg" "Peak memory after a complete walk" MB 2
}

# rclone over an HTTP server with the same latency, on a project of 1 000 stories: what a general remote file system makes of such a
# tree. Both walk a tree with the same bytes; the server is nginx with listings, behind a relay that adds the latency.
bench_rclone() {
    local proxy small=$work/small ms=20
    command -v rclone >/dev/null && command -v nginx >/dev/null || { say "rclone: not installed (scripts/setup --bench)"; return 0; }
    proxy=$(perf_harness delayproxy) || { say "rclone: no delayproxy here: left out"; return 0; }
    project_server 1000
    latency $ms
    mount_ours peer "$url" "$ours,ro,attachments=none" cold
    rsync -a "$(project_folder "$work/mnt.peer")/stories/" "$small/"
    mkdir -p "$work/mnt.rclone"
    web_server "$work/nginx" 18081 "$small"
    "$proxy" -H -d $ms 18091 18081 &
    bench_pids+=($!)
    wait_until 20 "the relay answers" curl -fsS -o "$work/nginx/first" http://127.0.0.1:18091/
    # Once: rclone needs minutes, and beside such a ratio no spread matters.
    rclone mount :http: "$work/mnt.rclone" --http-url http://127.0.0.1:18091/ --config /dev/null --read-only \
        --vfs-cache-mode off --cache-dir "$work/cache.rclone" --log-level ERROR &
    wait_until 20 "rclone is mounted" mountpoint -q "$work/mnt.rclone"
    clock_job grep "$work/mnt.rclone"
    note rclone grep rclone cold "$took"
    umount "$work/mnt.rclone"
    mount_ours peer "$url" "$ours,ro,attachments=none" cold
    clock_job grep "$(project_folder "$work/mnt.peer")/stories"
    note rclone grep ours cold "$took"
    unmount_bench peer
    awk -v ms=$ms -v a="$(figure rclone grep ours cold)" -v b="$(figure rclone grep rclone cold)" 'BEGIN {
        printf "Cold `grep -r` over the story folders of 1 000 stories at %d ms: ours %.2f s, rclone (http) %.1f s: %.0f times.\n", ms, a / 1e6, b / 1e6, b / a }' >"$out/rclone.md"
}

# Sourced by scripts/bench. Gives the sections in tests/bench/ a project, a server whose latency can be changed, mounts that are
# cold, remounted or warm, and a clock whose figures end in $work/raw: "section,workload,contestant,temperature,µs,µs of the disk".
#
# Everything runs under `taskset -c $cpu` unless $cpu is "none": waking an idle CPU of a virtual machine costs 50 to
# 100 µs, ten times the rest of a FUSE request, and would make each figure a lottery.
set -euo pipefail
export LC_ALL=C TZ=UTC

say() { echo "bench: $*" >&2; }

pinned() { # COMMAND...: becomes it, so that a background job's number is the program's
    [ "$cpu" = none ] || exec taskset -c "$cpu" "$@"
    exec "$@"
}

bench_begin() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/trackerfs-bench.XXXXXX")
    copies=$(mktemp -d /dev/shm/trackerfs-bench.XXXXXX) # what rsync writes is not to be measured: memory
    export XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/data XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR=$work/run
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    unset TRACKERFS_TOKEN CREDENTIALS_DIRECTORY
    : >"$work/raw"
    bench_pids=()
    trap bench_end EXIT
}
bench_end() {
    local target pid
    trap - EXIT
    while read -r target; do
        umount "$target" 2>/dev/null || umount -l "$target" || :
    done < <(awk -v under="$work/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | tac)
    for pid in "${bench_pids[@]}"; do
        kill "$pid" 2>/dev/null || :
    done
    wait
    rm -rf "$work" "$copies"
}

wait_until() { # SECONDS WHAT COMMAND...
    local left=$(($1 * 50)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { say "gave up waiting: $what"; exit 1; }
        sleep 0.02
    done
}

# project_server STORIES: a generated project, served with --faults; sets $db, $url
project_server() {
    local person
    [ -z "${server_pid:-}" ] || kill "$server_pid" 2>/dev/null || :
    db=$work/project.db
    say "making a project of $1 stories"
    rm -rf "$db"* "$work/token" "$work/port"
    "$trackerfs" import --sample="$1" "$db" >/dev/null 2>"$work/import.log" || { cat "$work/import.log" >&2; exit 1; }
    person=$(sqlite3 "$db" "SELECT name FROM person WHERE id = (SELECT value FROM meta WHERE key = 'local_person_id')")
    "$trackerfs" serve "$db" --add-token "$person" 2>/dev/null | grep -oE '[0-9a-f]{32}' >"$work/token"
    chmod 600 "$work/token"
    "$trackerfs" serve "$db" --listen 127.0.0.1:0 --port-file "$work/port" --faults 2>"$work/server.log" >&2 &
    server_pid=$!
    bench_pids+=("$server_pid")
    wait_until 20 "the server listens" test -s "$work/port"
    url=http://127.0.0.1:$(cat "$work/port")
}
# shared_project: the project of $stories stories that walks and fill share; others change theirs or need another size
shared_project() {
    [ "$shared_url" != "$url" ] || return 0
    project_server "$stories"
    shared_url=$url disk=
}
url= shared_url=none
latency() { curl -fsS -X POST --data-binary "latency=$1" "$url/__faults" >/dev/null; }
reset_requests() { curl -fsS -X POST "$url/__stats/reset" >/dev/null; }
requests() { curl -fsS "$url/__stats" | jq .total; }
answer_bytes() { curl -fsS "$url/__stats" | jq '.bytes // .bytes_sent // 0'; }

# The harness with limitfs, treegen, delayproxy: not part of this repository, and optional.
perf_harness() { # PROGRAM: its path on stdout, or false
    local source=${TRACKERFS_SHARED_DIR:-$top/../shared}/perf
    [ -d "$source" ] || return 1
    [ -x "$work/perf/$1" ] || {
        mkdir -p "$work/perf"
        cp -r "$source/." "$work/perf/"
        make -s -C "$work/perf" "$1" >/dev/null 2>&1 || return 1
    }
    echo "$work/perf/$1"
}

web_server() { # FOLDER PORT ROOT: nginx with listings, its files in FOLDER
    mkdir -p "$1"
    printf 'daemon off; pid %s/pid; error_log %s/error.log;\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:%s; root %s; autoindex on; } }\n' \
        "$1" "$1" "$2" "$3" >"$1/conf"
    [ "$(id -u)" != 0 ] || sed -i '1i user root;' "$1/conf" # its workers read what we may read
    nginx -c "$1/conf" -e "$1/error.log" &
    bench_pids+=($!)
    wait_until 20 "nginx answers" curl -sS -o "$1/first" "http://127.0.0.1:$2/"
}

# Mounts. mount_ours NAME SOURCE OPTIONS [cold]: (re)mounts $work/mnt.NAME; its process is ${mount_pid[NAME]}.
declare -A mount_pid
mount_ours() {
    local name=$1 source=$2 options=$3 target=$work/mnt.$1
    mkdir -p "$target"
    unmount_bench "$name"
    [ "${4:-}" != cold ] || rm -rf "$work/cache.$name"
    case $source in http*) options=token_file=$work/token,$options ;; esac
    XDG_CACHE_HOME=$work/cache.$name XDG_STATE_HOME=$work/state.$name \
        pinned "$trackerfs" "$source" "$target" -f -o "$options" >>"$work/mount.log" 2>&1 &
    mount_pid[$name]=$!
    wait_until 600 "$source is mounted" mounted_or_dead "$target" "${mount_pid[$name]}"
    mountpoint -q "$target" || { tail -n 5 "$work/mount.log" >&2; exit 1; }
}
mounted_or_dead() { mountpoint -q "$1" || ! kill -0 "$2"; }
mount_limit() { # NAME OPTIONS TREE
    local target=$work/mnt.$1
    mkdir -p "$target"
    unmount_bench "$1"
    (pinned "$(perf_harness limitfs)" -o "$2" "$3" "$target" >>"$work/mount.log" 2>&1)
    wait_until 600 "limitfs is mounted" mountpoint -q "$target"
}
unmount_bench() {
    local target=$work/mnt.$1 pid=${mount_pid[$1]:-}
    ! mountpoint -q "$target" || umount "$target"
    [ -z "$pid" ] || wait "$pid" || { tail -n 20 "$work/mount.log" >&2; exit 1; }
    unset "mount_pid[$1]"
}
peak_memory_mb() { awk '/VmHWM/ { print int($2 / 1024) }' "/proc/${mount_pid[$1]}/status"; }
project_folder() { find "$1" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' | sort | sed -n 1p; }

# tree_on_disk: $disk is what a mount of the shared project shows, $inodes how much that is; made once
tree_on_disk() {
    [ -z "$disk" ] || return 0
    disk=$work/disk
    say "copying the tree to the local disk"
    rm -rf "$disk" "$work/cache.http" "$work/cache.local"
    mount_ours http "$url" "$ours"
    rsync -a "$work/mnt.http/" "$disk/"
    unmount_bench http
    inodes=$(find "$disk" | wc -l)
}

# Workloads.
job() { # WORKLOAD TREE
    case $1 in
    find) find "$2" -type f | wc -l ;;
    lslr) ls -lR "$2" | wc -l ;;
    grep) grep -r needle "$2" | wc -l ;;
    tar) tar cf - -C "$2" . | cat | wc -c ;;
    rsync1 | rsync2) rsync -a "$2/" "$copies/tree/" ;;
    esac >/dev/null
}
prepare() { # WORKLOAD TREE: what must be there before the clock starts; all trees are the same, so one copy will do
    case $1 in
    rsync1) rm -rf "${copies:?}/tree" ;;
    rsync2) [ -d "$copies/tree" ] || rsync -a "$2/" "$copies/tree/" ;;
    esac
}
clock() { # COMMAND...: sets $took, in µs
    local a b
    a=$EPOCHREALTIME
    "$@" >/dev/null
    b=$EPOCHREALTIME
    took=$((${b/./} - ${a/./}))
}
clock_job() { # WORKLOAD TREE
    clock pinned_job bash -c "$(declare -f job); copies='$copies'; job \"\$@\"" job "$@"
}
pinned_job() { (pinned "$@"); }
note() { echo "$1,$2,$3,$4,$5,${6:-}" >>"$work/raw"; } # SECTION WORKLOAD CONTESTANT TEMPERATURE µs [µs of the disk]

# Figures.
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) printf "%.9g\n", (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
quantile() { sort -n | awk -v q="$1" '{ v[NR] = $1 } END { if (NR) print v[int((NR - 1) * q) + 1] }'; }
figure() { awk -F, -v s="$1" -v w="$2" -v c="$3" -v t="$4" '$1 == s && $2 == w && $3 == c && $4 == t { print $5 }' "$work/raw" | median; }
# The median of the ratios of pairs, each to the disk a moment before.
ratio() { awk -F, -v s="$1" -v w="$2" -v c="$3" -v t="$4" '$1 == s && $2 == w && $3 == c && $4 == t && $6 { print $5 / $6 }' "$work/raw" | median; }
seconds() { awk -v us="$1" 'BEGIN { if (us == "") print "-"; else if (us < 1e6) printf "%.0f ms", us / 1e3; else printf "%.2f s", us / 1e6 }'; }

# bars FILE.svg TITLE LABEL SERIES [PLOT,]: clustered bars of $work/chart: a line of titles, then a line for each cluster
bars() {
    gnuplot <<PLOT
set terminal svg size 900,420 font "sans-serif,12" background "white"
set output "$1"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set key outside right
set yrange [0:]
set ylabel "$3"
set title "$2"
set grid ytics
plot ${5:-} for [i=2:$(($4 + 1))] "$work/chart" using i:xtic(1) title columnheader(i)
PLOT
}

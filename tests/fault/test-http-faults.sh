# Each way in which a server can fail: passing troubles are waited out, lasting ones end in their errno within the
# timeout, never in a short directory, and the mount recovers by itself.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

sample_database "$work/s.db" 300
sqlite3 "$work/s.db" 'PRAGMA wal_checkpoint' >/dev/null
start_server "$work/s.db" --faults
mount_fs "$url" "$work/good" ttl=3600
whole=$(find "$(project_of "$work/good")/stories" -type f | wc -l)
unmount "$work/good"

fresh_mount() { # FAULTS OPTIONS: mounts with an empty cache; faults begin after the account is known
    faults ""
    rm -rf "$work/cache"
    faults "$1"
    mount_fs "$url" "$work/mnt" "ttl=3600,timeout=${2:-20}"
}
project_folder() { find "$work/mnt" -mindepth 1 -maxdepth 1 -name '[0-9]*' | sed -n 1p; }

for fault in 'rate429=100@/services/v5/projects/*2,retry_after=1' 'err5xx=100@/services/v5/projects/*2,status=503' \
    'cut=2000@/services/v5/projects/*2' 'reset@/services/v5/projects/*2' 'latency=200@/services/v5/projects/' 'slow=200000@/services/v5/projects/'; do
    fresh_mount "$fault" 60
    equal "$(find "$(project_folder)/stories" -type f | wc -l)" "$whole" "files under $fault"
    unmount "$work/mnt"
done

lasting() { # FAULT ERRNO-TEXT...
    local fault=$1 began listed
    shift
    fresh_mount "$fault" 4
    began=$SECONDS
    if listed=$(ls "$(project_folder)/stories" 2>"$work/ls.err"); then
        fail "$fault: a listing of $(wc -w <<<"$listed") names instead of an error"
    fi
    for text in "$@"; do grep -q "$text" "$work/ls.err" && break; done || :
    grep -qE "$(IFS='|'; echo "$*")" "$work/ls.err" || fail "$fault: $(cat "$work/ls.err")"
    at_most $((SECONDS - began)) 12 "seconds until $fault is reported"
    faults ""
    advance_clock 120000
    until_true 20 "recovery from $fault" ls "$(project_folder)/stories"
    equal "$(find "$(project_folder)/stories" -type f | wc -l)" "$whole" "files after $fault"
    unmount "$work/mnt"
}
stories=/services/v5/projects/$(basename "$(fresh_mount "" >/dev/null; project_folder)" | cut -d- -f1)/stories
unmount "$work/mnt"
lasting "html@$stories" "Input/output error"
lasting "badjson@$stories" "Input/output error"
lasting "wrongtype@$stories" "Input/output error"
lasting "redirect=127.0.0.1:9@$stories" "Input/output error"
lasting "err5xx=100@$stories,status=500" "Input/output error"
lasting "cut=3000@$stories" "Input/output error|Connection timed out"
lasting "rate429=100@$stories,retry_after=30" "Resource temporarily unavailable|Connection timed out"
lasting "stall=forever:1000@$stories" "Connection timed out"
lasting "hang@$stories" "Connection timed out"
lasting "revoke@$stories" "Permission denied"

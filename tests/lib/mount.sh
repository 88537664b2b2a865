# Sourced by the mount and fault tests. Gives each test a folder of its own, server and mounts that end with it,
# and checks that say what they saw. Nothing here waits for time to pass: waiting is for a condition,
# with a limit after which the test fails.
#
# A test may use: $work (its folder), $trackerfs, $shared, and the functions below.
set -euo pipefail
export LC_ALL=C TZ=UTC

trackerfs=${TRACKERFS_BUILD_DIR:?run by ctest}/trackerfs
shared=${TRACKERFS_SHARED_DIR:-/nonexistent}

skip() {
    echo "skipped: $*"
    exit 77
}
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
[ -c /dev/fuse ] && [ -w /dev/fuse ] || skip "no /dev/fuse here"

work=$(mktemp -d "${TMPDIR:-/tmp}/trackerfs-test.XXXXXX")
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/data XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/run
mkdir -p "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
unset TRACKERFS_TOKEN CREDENTIALS_DIRECTORY
unset TRACKERFS_TEST_CLOCK
server_pids=()

cleanup() {
    local status=$? pid target
    trap - EXIT
    cd /
    while read -r target; do
        umount "$target" 2>/dev/null || umount -l "$target" || :
    done < <(awk -v under="$work/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | tac)
    for pid in "${server_pids[@]}"; do
        kill "$pid" 2>/dev/null || :
    done
    # The daemons end when they are unmounted; what a sanitizer had to say stands in their logs.
    for pid in $(pgrep -f "$work/" || :); do
        [ "$pid" = $$ ] || until_true 20 "process $pid ends" dead "$pid" || kill -9 "$pid" || :
    done
    if grep -rlE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$work" --include='*log*' 2>/dev/null; then
        echo "FAILED: a sanitizer reported:" >&2
        grep -rhE -A 25 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$work" --include='*log*' | head -n 80 >&2
        status=1
    fi
    if [ $status -ne 0 ] && [ $status -ne 77 ]; then
        for log in "$work"/*.log "$work"/cache/trackerfs/*/log; do
            [ ! -s "$log" ] || { echo "--- $log"; tail -n 40 "$log"; } >&2
        done
    fi
    rm -rf "$work"
    exit $status
}
trap cleanup EXIT
dead() { ! kill -0 "$1" 2>/dev/null; }

# until_true SECONDS WHAT COMMAND...: repeats COMMAND until it succeeds
until_true() {
    local left=$(($1 * 20)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "gave up waiting: $what" >&2; return 1; }
        sleep 0.05
    done
}

# sample_database FILE [STORIES]: the hand-written sample, or a generated project of so many stories
sample_database() { "$trackerfs" import --sample${2:+=$2} "$1" >"$work/import.log" 2>&1 || { cat "$work/import.log"; fail "import of the sample"; }; }

# start_server FILE.db [OPTION...]: sets $url, $server_pid; the caller's token is in $work/token (mode 600)
start_server() {
    local db=$1
    shift
    rm -f "$work/port"
    [ -s "$work/token" ] || make_token "$db"
    "$trackerfs" serve "$db" --listen 127.0.0.1:"${port:-0}" --port-file "$work/port" "$@" >>"$work/server.log" 2>&1 &
    server_pid=$!
    server_pids+=("$server_pid")
    until_true 20 "server listens" test -s "$work/port"
    port=$(cat "$work/port")
    url=http://127.0.0.1:$port
}
make_token() {
    local person
    person=$(sqlite3 "$1" "SELECT name FROM person WHERE id = (SELECT value FROM meta WHERE key = 'local_person_id')")
    "$trackerfs" serve "$1" --add-token "$person" | grep -oE '[0-9a-f]{32}' >"$work/token"
    chmod 600 "$work/token"
}
stop_server() {
    kill "$server_pid"
    until_true 20 "server ends" dead "$server_pid"
}

# mount_fs SOURCE FOLDER [OPTIONS]: -o options; read-only unless they or $mode say rw; token_file is added for http sources
mount_fs() {
    local source=$1 target=$2 options=${3:-}
    [[ ,$options, == *,r[ow],* ]] || options=${options:+$options,}${mode:-ro}
    mkdir -p "$target"
    case $source in http*) options=${options:+$options,}token_file=$work/token ;; esac
    "$trackerfs" "$source" "$target" ${options:+-o "$options"} 2>>"$work/mount.log" || { cat "$work/mount.log"; fail "mount $source"; }
}
unmount() {
    "$trackerfs" umount "$1"
    ! mountpoint -q "$1" || fail "$1 is still mounted"
}
project_of() { find "$1" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' | sort | sed -n 1p; }

# What the server (started with --faults) has been asked since the last reset.
requests() { curl -fsS "$url/__stats" | jq .total; }
reset_requests() { curl -fsS -X POST "$url/__stats/reset" >/dev/null; }
request_lines() { curl -fsS "$url/__stats" | jq -r '.requests[]'; }
faults() { curl -fsS -X POST --data-binary "$1" "$url/__faults" >/dev/null; }

# use_clock: gives everything started from here on a clock that the test moves. The kernel's clock is not moved, so such mounts
# let it keep names and attributes for a moment only.
use_clock() {
    export TRACKERFS_TEST_CLOCK=$work/clock
    echo 0 >"$TRACKERFS_TEST_CLOCK"
}
# advance_clock MILLISECONDS
advance_clock() {
    echo $(($(cat "$TRACKERFS_TEST_CLOCK") + $1)) >"$TRACKERFS_TEST_CLOCK.new"
    cat "$TRACKERFS_TEST_CLOCK.new" >"$TRACKERFS_TEST_CLOCK"
}

equal() { [ "$1" = "$2" ] || fail "$3: expected '$2', saw '$1'"; }
at_most() { [ "$1" -le "$2" ] || fail "$3: at most $2, saw $1"; }
expect_errno() { # expect_errno "Message" COMMAND...: the command fails with strerror text
    local text=$1 out
    shift
    if out=$("$@" 2>&1 >/dev/null); then fail "succeeded, expected '$text': $*"; fi
    [[ $out == *"$text"* ]] || fail "expected '$text' from '$*', saw '$out'"
}

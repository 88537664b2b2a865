#!/usr/bin/env bash
# The command `trackerfs serve`: what it refuses and says, who gets in, how it ends.
set -euo pipefail
program=${TRACKERFS_BUILD_DIR:?}/trackerfs
dir=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAIL: $*" >&2
    exit 1
}
# refuses STATUS TEXT ARGUMENTS...: that status, one line with that text, nothing on standard output
refuses() {
    local want=$1 text=$2 status=0
    shift 2
    "$program" serve "$@" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" = "$want" ] || fail "serve $*: status $status, not $want: $(cat "$dir/err")"
    grep -qF -- "$text" "$dir/err" || fail "serve $*: said $(cat "$dir/err")"
    [ ! -s "$dir/out" ] || fail "serve $*: wrote $(cat "$dir/out")"
}
# ask PATH [HEADER]: the status line and all the rest
ask() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n' "$1" "${2:+$2$'\r\n'}" >&3
    cat <&3
    exec 3>&-
}
db=$dir/t.db

refuses 1 'which database'
refuses 1 'no option --nonsense' "$db" --nonsense
refuses 1 'needs a value' "$db" --listen
refuses 2 'there is no such database' "$db"
refuses 2 'trackerfs import --sample' "$db"
head -c 4096 /dev/urandom >"$dir/noise.db"
refuses 2 'noise.db' "$dir/noise.db"
: >"$db" # an empty file is an empty database
refuses 1 'allow-remote' "$db" --listen 0.0.0.0:0
refuses 1 'HOST:PORT' "$db" --listen 8080
refuses 1 'bogus' "$db" --faults=bogus
refuses 1 'no role' "$db" --add-member ada:1:king
refuses 1 'no user' "$db" --add-token nobody
[ "$("$program" serve --help | wc -l)" -le 24 ] || fail "--help does not fit a screen"

token=$("$program" serve "$db" --add-user 'Ada Example:ada@example.org' 2>"$dir/err")
[[ $token =~ ^[0-9a-f]{32}$ ]] || fail "no token: $token"
grep -q 'only now' "$dir/err"
! grep -q "$token" "$db" "$db"-wal 2>/dev/null || fail "the token itself is in the database"
refuses 1 'already' "$db" --add-user 'Ada Example'

"$program" serve "$db" --listen 127.0.0.1:0 --port-file "$dir/port" --access-log "$dir/log" >"$dir/said" 2>&1 &
server=$!
for _ in $(seq 200); do
    [ -s "$dir/port" ] && break
    sleep 0.05
done
port=$(cat "$dir/port")
grep -qx "listening on http://127.0.0.1:$port/services/v5" "$dir/said" || fail "said $(cat "$dir/said")"
ask /services/v5/me | grep -q '^HTTP/1.1 403' || fail "no token, and let in"
ask /services/v5/me "X-TrackerToken: $token" | grep -q '"username":"adaexample"' || fail "the token does not work"
ask /__stats | grep -q '^HTTP/1.1 404' || fail "counters without --faults"
# While it serves, another token can be made, and works at once.
second=$("$program" serve "$db" --add-token ada@example.org 2>/dev/null)
ask "/services/v5/me?token=$second" | grep -q '^HTTP/1.1 200' || fail "the second token does not work"
refuses 2 'port is in use' "$db" --listen "127.0.0.1:$port"
kill -TERM "$server"
wait "$server" || fail "SIGTERM: status $?"
server=
[ ! -e "$dir/port" ] || fail "the port file is still there"
[ "$(wc -l <"$dir/log")" = 4 ] || fail "access log: $(cat "$dir/log")"
! grep -qE "$token|$second" "$dir/log" || fail "a token in the access log"
grep -q 'token=REDACTED' "$dir/log"
echo ok

#!/usr/bin/env bash
# Everything that can be wrong when a mount starts: one clear line, the right exit status, nothing left mounted.
. "$(dirname "$0")/../lib/mount.sh"

mnt=$work/mnt
mkdir "$mnt"
# refuses STATUS TEXT ARGUMENTS...: that status, one line with that text on standard error, nothing mounted
refuses() {
    local want=$1 text=$2 status=0
    shift 2
    timeout 60 "$trackerfs" "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = "$want" ] || fail "$*: status $status, not $want: $(cat "$work/err")"
    grep -qF -- "$text" "$work/err" || fail "$*: no '$text' in: $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "$*: more than one line: $(cat "$work/err")"
    [ ! -s "$work/out" ] || fail "$*: wrote $(cat "$work/out")"
    ! mountpoint -q "$mnt" || fail "$*: is mounted"
}

# A database to serve: the sample.
"$trackerfs" demo "$mnt"
unmount "$mnt"
db=$work/t.db
sqlite3 "$XDG_DATA_HOME/trackerfs/demo.db" ".backup $db"
cp -r "$XDG_DATA_HOME/trackerfs/demo.db.files" "$db.files"
start_server "$db" --faults
token=token_file=$work/token

# The command line and the configuration
refuses 1 'no command nonsense' help nonsense
[ "$("$trackerfs" help umount)" = "$("$trackerfs" umount --help)" ] || fail "help umount is not umount --help"
for words in --help --version 'help mount' 'umount --help'; do
    status=0
    # shellcheck disable=SC2086 # words
    "$trackerfs" $words >/dev/full 2>"$work/err" || status=$?
    [ $status = 1 ] || fail "$words to a full disk: status $status"
    grep -q 'No space left on device' "$work/err" || fail "$words to a full disk: $(cat "$work/err")"
done
refuses 1 'where to mount' demo
refuses 1 'did you mean "ttl"' demo "$mnt" -o tttl=3
refuses 1 'expected whole seconds' demo "$mnt" -o ttl=soon
refuses 1 'use token_file=FILE' "$url" "$mnt" -o token=abc
refuses 1 'is no source' nothing-of-that-name "$mnt"
refuses 1 'No such file' "$work/nothing.db" "$mnt"
refuses 1 'in the clear' http://tracker.example.com "$mnt" -o "$token"
mkdir -p "$XDG_CONFIG_HOME/trackerfs"
printf '[work]\nurl=%s\ntokenfile=x\n' "$url" >"$XDG_CONFIG_HOME/trackerfs/config"
refuses 1 'unknown key "tokenfile"' work "$mnt"
printf '[other]\nurl=%s\n' "$db" >>"$XDG_CONFIG_HOME/trackerfs/config"
"$trackerfs" other "$mnt" 2>"$work/err" || { cat "$work/err"; fail "a mistake in another section stops a mount"; }
grep -q 'unknown key "tokenfile"' "$work/err" || fail "no warning of the mistake in another section"
unmount "$mnt"
rm "$XDG_CONFIG_HOME/trackerfs/config"

# The token
refuses 1 'no token' "$url" "$mnt"
cp "$work/token" "$work/open"
chmod 644 "$work/open"
refuses 1 "chmod 600 '$work/open'" "$url" "$mnt" -o "token_file=$work/open"
refuses 1 'status 3' "$url" "$mnt" -o "token_command=sh -c \"exit 3\""
echo 0123456789abcdef0123456789abcdef >"$work/wrong"
chmod 600 "$work/wrong"
refuses 2 'refuses the token' "$url" "$mnt" -o "token_file=$work/wrong"

# The service
refuses 2 '99' "$url" "$mnt" -o "$token,project=99"
refuses 2 '127.0.0.1' http://127.0.0.1:1 "$mnt" -o "$token,timeout=5"
rm -rf "$XDG_CACHE_HOME"
refuses 2 "https://127.0.0.1:$port" "https://127.0.0.1:$port" "$mnt" -o "$token,timeout=5"
grep -qiE 'tls|ssl' "$work/err" || fail "does not speak of TLS: $(cat "$work/err")"
refuses 2 'no-such-host.invalid' https://no-such-host.invalid "$mnt" -o "$token,timeout=5"
refuses 2 "$url" "$url/other/services/v5" "$mnt" -o "$token"
for fault in html cut=20 badjson wrongtype redirect=127.0.0.2:9 err5xx=100 revoke hang; do
    rm -rf "$XDG_CACHE_HOME" # what was fetched before would be shown
    faults "$fault"
    refuses 2 "$url" "$url" "$mnt" -o "$token,timeout=2"
    faults ''
done

# The database
head -c 65536 /dev/urandom >"$work/noise.db"
refuses 2 'noise.db' "$work/noise.db" "$mnt"
cp "$db" "$work/newer.db"
sqlite3 "$work/newer.db" 'PRAGMA user_version = 999'
refuses 2 'newer' "$work/newer.db" "$mnt"
: >"$work/empty.db"
refuses 2 'empty.db' "$work/empty.db" "$mnt"

# The cache folder
refuses 1 'cache_dir=FOLDER' "$db" "$mnt" -o "cache_dir=$db"
refuses 1 'cache_dir=FOLDER' "$db" "$mnt" -o cache_dir=/proc/nowhere
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=32k none "$work/small"; then
    refuses 1 'disk is full' "$db" "$mnt" -o "cache_dir=$work/small/a/b/c/d"
    umount "$work/small"
fi

# The sample: a full disk leaves nothing behind, a deleted database is made anew.
if [ "$(id -u)" = 0 ] && mkdir "$work/tiny" && mount -t tmpfs -o size=512k none "$work/tiny"; then
    XDG_DATA_HOME=$work/tiny/data refuses 1 'full' demo "$mnt"
    refuses 2 'full' import --sample "$work/tiny/s.db"
    left=$(find "$work/tiny" -mindepth 1 ! -type d ! -name '*.lock'; find "$work/tiny" -name 'new-*' -o -name '*.files')
    equal "$left" '' "left on a full disk"
    umount "$work/tiny"
fi
rm "$XDG_DATA_HOME/trackerfs/demo.db"
"$trackerfs" demo "$mnt"
cat "$mnt"/*/stories/*/attachments/* >/dev/null
unmount "$mnt"

# The mount point
refuses 3 'mkdir -p' demo "$work/none"
refuses 3 'is not a folder' demo "$db"
touch "$mnt/file"
refuses 3 'is not empty' demo "$mnt"
"$trackerfs" demo "$mnt" -o nonempty
[ -e "$mnt/README.md" ] || fail "nonempty does not mount"
status=0
"$trackerfs" demo "$mnt" 2>"$work/err" || status=$?
equal $status 3 "mounting over a live mount"
grep -qF "trackerfs umount $mnt" "$work/err" || fail "live mount: $(cat "$work/err")"
unmount "$mnt"
[ -e "$mnt/file" ] || fail "the file below is gone"
rm "$mnt/file"
refuses 3 'already' demo /proc

# --- An import that finds nothing says so.
echo null >"$work/null.json"
"$trackerfs" import --v5-json "$work/null.json" "$work/null.db" >"$work/said" || fail "import of null: $(cat "$work/said")"
grep -q "nothing was taken" "$work/said" || fail "import of null says: $(cat "$work/said")"

# Writers at the server, readers on the mount, looks and kernel notices all the time, remounts in between: a reader never sees a
# torn or cut file, nor one that is older than what was true before the last look. Once for a mount whose files the
# kernel opens by itself, once with handles.
. "$(dirname "$0")/../lib/mount.sh"

sample_database "$work/s.db"
start_server "$work/s.db" --faults
mnt=$work/mnt
pid=$(sqlite3 "$work/s.db" 'SELECT id FROM project LIMIT 1')
mapfile -t ids < <(sqlite3 "$work/s.db" "SELECT id FROM story WHERE project_id = $pid ORDER BY id LIMIT 4")
poll_s=1
slack_s=8 # sanitizers on a busy machine
filler=$(printf 'x%.0s' {1..80})

# A text says itself whether it is whole: its first and last line carry the version, its second the number of lines.
text() { # text VERSION
    local lines=$(($1 * 37 % 150 + 1)) body=
    printf -v body '%*s' "$lines" ''
    printf 'begin %s\n%s\n%send %s' "$1" "$lines" "${body// /$filler
}" "$1"
}
is_whole() { # is_whole TEXT: prints the version
    local first last
    first=$(head -n 1 <<<"$1") last=$(tail -n 1 <<<"$1")
    [[ $first == begin\ * && $last == "end ${first#begin }" ]] || return 1
    [ "$(wc -l <<<"$1")" = $(($(sed -n 2p <<<"$1") + 3)) ] || return 1
    echo "${first#begin }"
}
put() { # put ID VERSION
    text "$2" | jq -Rsc --arg name "Storm $2 of $1" '{description: ., name: $name}' |
        curl -fsS -o /dev/null -X PUT -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' --data-binary @- "$url/services/v5/projects/$pid/stories/$1"
}
writer() { # writer ID: notes each version with the second at which it was surely there
    local version=1
    while [ -e "$work/go" ]; do
        version=$((version + 1))
        put "$1" $version && echo "$version $EPOCHSECONDS" >>"$work/written.$1"
        sleep 0.$((RANDOM % 6 + 1))
    done
}
oldest_allowed() { # oldest_allowed ID TIME: the last version that was there a look and some slack before
    awk -v until=$(($2 - poll_s - slack_s)) '$2 <= until { version = $1 } END { print version + 0 }' "$work/written.$1"
}
reader() { # reader ID NUMBER
    local folder=$mnt/$pid/stories/$1 began seen version
    while [ -e "$work/go" ]; do
        [ ! -e "$work/pause" ] || { sleep 0.1; continue; }
        began=$EPOCHSECONDS
        case $((RANDOM % 3)) in
        0) seen=$(cat "$folder/description.md" 2>"$work/err.$2") || { gone "$2" && continue; } ;;
        1) seen=$({ head -c 100 && sleep 0.2 && cat; } 2>"$work/err.$2" <"$folder/description.md") || { gone "$2" && continue; } ;;
        2) seen=$(dd if="$folder/description.md" bs=777 2>"$work/err.$2") || { gone "$2" && continue; } ;;
        esac
        version=$(is_whole "$seen") || { printf '%s\n' "$seen" >"$work/torn.$2"; echo "torn: story $1" >>"$work/wrong"; return; }
        [ "$version" -ge "$(oldest_allowed "$1" "$began")" ] || echo "story $1: version $version at $began, wanted $(oldest_allowed "$1" "$began")" >>"$work/wrong"
        echo . >>"$work/reads"
    done
}
gone() { # between two mounts, and while a name changes, there is nothing to read: anything else is wrong
    grep -qE 'No such file|not connected|aborted|Interrupted' "$work/err.$1" || { cat "$work/err.$1" >>"$work/wrong"; return 1; }
}
lister() {
    local n
    while [ -e "$work/go" ]; do
        [ ! -e "$work/pause" ] || { sleep 0.1; continue; }
        n=$(find "$mnt/$(sqlite3 "$work/s.db" "SELECT id FROM project LIMIT 1")/stories/" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)
        [ "$n" = "$stories" ] || [ "$n" = 0 ] || echo "a listing of $n stories, there are $stories" >>"$work/wrong"
    done
}
stories=$(sqlite3 "$work/s.db" "SELECT count(*) FROM story WHERE project_id = $pid")

: >"$work/wrong"
touch "$work/go"
: >"$work/reads"
for id in "${ids[@]}"; do
    put "$id" 1
    echo "1 $EPOCHSECONDS" >"$work/written.$id"
done
jobs_pids=()
mount_fs "$url" "$mnt" ttl=3,poll=$poll_s,timeout=60
for id in "${ids[@]}"; do
    writer "$id" &
    jobs_pids+=($!)
    reader "$id" "$id.a" &
    jobs_pids+=($!)
    reader "$id" "$id.b" &
    jobs_pids+=($!)
done
lister &
jobs_pids+=($!)
has_reads() { [ "$(wc -l <"$work/reads")" -ge "$1" ] || [ -s "$work/wrong" ]; }
for round in unopened opened; do
    for beat in 1 2 3 4; do
        until_true 60 "readers read" has_reads $(($(wc -l <"$work/reads") + 25)) || break
        kill -HUP "$(jq .pid "$mnt/.trackerfs/status.json")"
        [ $beat -ne 2 ] || "$trackerfs" refresh "$mnt" || fail "refresh"
    done
    [ ! -s "$work/wrong" ] && [ "$beat" = 4 ] || break
    touch "$work/pause"
    until_true 30 "nobody reads" "$trackerfs" umount "$mnt"
    export TRACKERFS_TEST_OPENS=1
    rm "$work/pause"
    mount_fs "$url" "$mnt" ttl=3,poll=$poll_s,timeout=60
done
rm "$work/go"
for job in "${jobs_pids[@]}"; do wait "$job" || :; done
echo "$(wc -l <"$work/reads") reads of $(cat "$work"/written.* | wc -l) versions"
[ "$beat" = 4 ] || [ -s "$work/wrong" ] || echo "the readers stand still" >>"$work/wrong"
[ ! -s "$work/wrong" ] || { sort "$work/wrong" | uniq -c | head -n 20; head -c 600 "$work"/torn.* 2>/dev/null || :; fail "a reader saw what never was"; }
unmount "$mnt"

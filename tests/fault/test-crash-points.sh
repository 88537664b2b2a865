# kill -9 at each numbered place of a save (cache/base/crash.h), of the program itself: a real mount, a server over HTTP.
#
# For each place a mount of its own saves one thing after the other, on a story of its own, until it dies there. What was saved
# with success must show at once in the next mount; when that has sent everything, the server must have each of those, and
# none twice. CRASH_POINTS is which places (default: all), CRASH_ARRIVALS at which arrivals there (1).
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
mapfile -t every < <(sed -n 's/^    X(\([A-Z_]*\)).*/\1/p' "$TRACKERFS_SOURCE_DIR/cache/base/crash.h")
[ "${#every[@]}" -ge 30 ] || fail "only ${#every[@]} places in crash.h"
grep -q '^TRACKERFS_CRASH_POINTS:BOOL=ON' "$TRACKERFS_BUILD_DIR/CMakeCache.txt" || skip "no crash points in this build"

# attempt THING COMMAND...: notes THING if COMMAND succeeds; fails when the mount's process is gone.
attempt() {
    local thing=$1
    shift
    if "$@" 2>>"$here/said"; then echo "$thing" >>"$here/told"; fi
    ! gone
}
gone() { ! cat "$m/.trackerfs/status.json" >/dev/null 2>&1; } # a file that the kernel never answers by itself

# A change of a name that somebody else has just changed; again, if the mount had seen that before.
conflict() {
    local try
    for try in 1 2 3 4 5; do
        api PUT "/projects/$pid/stories/$sid" "{\"name\": \"Theirs $try\"}" >/dev/null
        cp "$work/mine" "$story/.fields/name" || return
    done
}
# A change of a task that somebody else deleted; again, if the mount had seen that before.
refusal() {
    local task try
    for try in 1 2 3 4 5; do
        cp "$work/doomed" "$story/tasks/doomed$try.md" || return
        task=$(api GET "/projects/$pid/stories/$sid/tasks" | jq '.[] | select(.description == "Doomed") | .id')
        api DELETE "/projects/$pid/stories/$sid/tasks/$task"
        cp "$work/finished" "$story/tasks/doomed$try.md" || return
    done
}
queue_holds_parked_only() { ! ls "$m/.trackerfs/queue" | grep -qv -- '-\(refused\|conflict\)\.json$'; }

# Ends when the mount died.
save_until_dead() {
    attempt description cp "$work/description" "$story/description.md" || return 0
    attempt story mkdir "$project/stories/Made $point $arrival" || return 0
    attempt comment cp "$work/comment" "$story/comments/new.md" || return 0
    attempt task cp "$work/task" "$story/tasks/new.md" || return 0
    attempt file cp "$work/picture.png" "$story/attachments/" || return 0
    attempt conflict conflict || return 0
    attempt refusal refusal || return 0
    until_true 20 "$point: everything is sent" queue_holds_parked_only || gone || return 1
    "$trackerfs" refresh "$m" 2>>"$here/said" || :
    [ "$arrival" != 1 ] || until_true 20 "$point: the mount dies" gone
}

told() { grep -qx "$1" "$here/told"; }
has_line() { grep -rqx -e "$@"; }
shows_what_was_told() {
    local p
    p=$(project_of "$m")
    ! told description || cmp "$story/description.md" "$work/description" || fail "$point: the description is not what was saved"
    ! told story || [ -n "$(find "$p/stories" -maxdepth 1 -name "*-Made-${point//_/-}-$arrival")" ] || fail "$point: the story made is not there"
    ! told comment || has_line "Said before." "$story/comments" || fail "$point: the comment is not there"
    ! told task || has_line '- \[ \] Planned before' "$story/tasks" || fail "$point: the task is not there"
    ! told file || cmp "$story/attachments/picture.png" "$work/picture.png" || fail "$point: the file is not there"
}

# at_server THING NUMBER: never twice, and there if it was told of
at_server() {
    [ "$2" -le 1 ] || fail "$point: $1 is $2 times at the server"
    ! told "$1" || [ "$2" = 1 ] || fail "$point: $1 was saved, and is not at the server"
}
server_has_each_once() {
    local answer
    answer=$(api GET "/projects/$pid/stories/$sid?fields=description,tasks(description),comments(text,file_attachments)")
    at_server description "$(jq '[select(.description // "" | startswith("Written before."))] | length' <<<"$answer")"
    at_server comment "$(jq '[.comments[] | select(.text // "" | startswith("Said before."))] | length' <<<"$answer")"
    at_server task "$(jq '[.tasks[] | select(.description == "Planned before")] | length' <<<"$answer")"
    at_server file "$(jq '[.comments[].file_attachments[]] | length' <<<"$answer")"
    at_server story "$(api GET "/projects/$pid/stories?limit=500&fields=name" | jq "[.[] | select(.name == \"Made $point $arrival\")] | length")"
}

mount_again() { mount_fs "$url" "$m" rw,save_wait=10,timeout=20; }
let_go() { umount -l "$m" || fail "$point: there is no mount to give up"; }

# die_and_recover PLACE ARRIVAL STORY
die_and_recover() {
    local point=$1 arrival=$2 sid=$3 first=$1:$2 here=$work/at/$1-$2
    export XDG_STATE_HOME=$here/state XDG_CACHE_HOME=$here/cache
    mkdir -p "$here"
    : >"$here/told"
    cp -r "$work/warm" "$XDG_CACHE_HOME"
    m=$here/m
    # A twin is looked for only after a creation whose answer was lost.
    case $point in TWIN_*) first=WRITE_ANSWERED:2 ;; esac
    TRACKERFS_CRASH_AT=$first mount_again
    project=$(project_of "$m")
    story=$project/stories/$sid
    save_until_dead || fail "$point: never came there"
    let_go
    case $point in
    TWIN_*)
        # What was left is sent from the start, so it may die there before it is mounted.
        if (TRACKERFS_CRASH_AT=$point mount_again) >>"$here/said" 2>&1; then
            until_true 20 "$point: the mount dies" gone || fail "$point: never came there"
            let_go
        else
            tail -n 2 "$here/said" | grep -q 'before it was ready: Killed' || fail "$point: no mount: $(cat "$here/said")"
            umount -l "$m" 2>>"$here/said" || :
        fi
        ;;
    esac
    mount_again
    shows_what_was_told
    until_true 20 "$point: the queue empties" queue_holds_parked_only || fail "$point: left: $(ls "$m/.trackerfs/queue")"
    shows_what_was_told
    server_has_each_once
    unmount "$m"
    echo "$point, arrival $arrival: $(paste -sd ' ' "$here/told")"
}

printf 'Written before.\nAnd a second line.\n' >"$work/description"
echo "Said before." >"$work/comment"
echo "- [ ] Planned before" >"$work/task"
echo Mine >"$work/mine"
echo "- [ ] Doomed" >"$work/doomed"
echo "- [x] Finished" >"$work/finished"
head -c 5000 /dev/urandom >"$work/picture.png"

# One mount fills the cache that all begin with.
sample_database "$work/t.db" 150
open_mount
grep -r . "$project/stories" >/dev/null
mapfile -t stories < <(api GET "/projects/$pid/stories?limit=500&fields=id,comments(file_attachments)" |
    jq '.[] | select([.comments[].file_attachments[]] | length == 0) | .id')
unmount "$m"
mv "$XDG_CACHE_HOME" "$work/warm"

chosen=()
for arrival in ${CRASH_ARRIVALS:-1}; do
    for point in ${CRASH_POINTS:-"${every[@]}"}; do
        [[ $point = TWIN_* && $arrival != 1 ]] || chosen+=("$point $arrival")
    done
done
[ "${#chosen[@]}" -le "${#stories[@]}" ] || fail "only ${#stories[@]} stories for ${#chosen[@]} deaths"
jobs=()
for ((i = 0; i < ${#chosen[@]}; i++)); do
    read -r point arrival <<<"${chosen[i]}"
    (die_and_recover "$point" "$arrival" "${stories[i]}") &
    jobs+=($!)
    [ "$(jobs -rp | wc -l)" -lt 5 ] || wait -n || :
done
failed=0
for job in "${jobs[@]}"; do
    wait "$job" || failed=$((failed + 1))
done
[ $failed = 0 ] || head -n 20 "$work"/at/*/said
equal "$failed" 0 "places after which something was lost or doubled"
echo "${#chosen[@]} deaths"

# At the end what is pending is sent, and unmounting says how much that is; touching .trackerfs/refresh on a mount that writes
# returns when what was changed elsewhere is there.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount save_wait=0,poll=0,ttl=3600
api PUT "/projects/$pid/stories/$sid" '{"description": "from elsewhere"}' >/dev/null
[ "$(cat "$story/description.md")" != "from elsewhere" ] || fail "seen before anybody asked"
touch "$m/.trackerfs/refresh"
equal "$(cat "$story/description.md")" "from elsewhere" "after touching refresh"

faults "latency=3000@PUT:/services/v5/projects/$pid"
ids=()
for n in 1 2 3 4 5 6; do
    choose_story $n
    ids+=("$sid")
    echo "pending $n" >"$story/description.md"
done
[ "$("$trackerfs" queue "$m" | wc -l)" -ge 2 ] || fail "all was sent at once: $("$trackerfs" queue "$m")"
"$trackerfs" umount "$m" 2>"$work/said" || fail "umount: $(cat "$work/said")"
grep -qE "still to be sent: [1-6]" "$work/said" || fail "umount says '$(cat "$work/said")'"
if grep -q "has not accepted" "$work/said"; then fail "umount gave up: $(cat "$work/said")"; fi
faults ""
n=0
for sid in "${ids[@]}"; do
    n=$((n + 1))
    equal "$(remote .description)" "pending $n" "what was pending at the end"
done

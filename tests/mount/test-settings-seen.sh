# What somebody changes at the server beside stories is seen in a mount after the TTL: labels, epics, members, the project's
# settings, iterations.
. "$(dirname "$0")/../lib/mount.sh"
use_clock

api() { # METHOD PATH [BODY]
    curl -fsS -X "$1" -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' \
        ${3:+--data-binary "$3"} "$url/services/v5/projects/$pid$2"
}
# seen WHAT COMMAND...: it becomes true once the TTL is over
seen() {
    advance_clock 61000
    until_true 5 "$@"
}
label_names() { jq -r '.labels[].name' "$project/stories/$story/story.json"; }
has_label() { label_names | grep -qx "$1"; }
lacks_label() { ! label_names | grep -qx "$1"; }
is_length() { [ "$(jq .length "$project/iterations/done/1/iteration.json")" = "$1" ]; }

sample_database "$work/s.db"
start_server "$work/s.db"
mount_fs "$url" "$work/mnt" ttl=60,poll=0
project=$(project_of "$work/mnt")
pid=$(basename "$project" | cut -d- -f1)
label=$(api GET /labels | jq '[.[] | select(.name == "offline")][0].id')
story=$(api GET '/stories?with_label=offline&limit=1' | jq '.[0].id')
has_label offline || fail "the story lacks its label at first"
is_length 1 || fail "the first iteration is not a week long at first"

api PUT "/labels/$label" '{"name": "Without a net"}' >/dev/null
seen "the label's new name in a story" has_label "without a net"
[ -d "$project/labels/without a net" ] || fail "no folder of the label's new name"
[ ! -e "$project/labels/offline" ] || fail "the label's old folder is still there"
api POST /labels '{"name": "loose"}' >/dev/null
api PUT "/labels/$label" '{"name": "Loose"}' >/dev/null
seen "the label that it was merged into" has_label loose
lacks_label "without a net" || fail "the merged label is still on the story"

epic=$(api POST /epics '{"name": "Brand new"}' | jq .id)
seen "the new epic" test -d "$project/epics/$epic-Brand-new"
api DELETE "/epics/$epic"
seen "the epic is gone" test ! -e "$project/epics/$epic"

member=$(api POST /memberships '{"email": "new@example.org", "name": "New Person", "role": "viewer"}' | jq .id)
seen "the new member" test -e "$project/members/newperson.json"
api DELETE "/memberships/$member"
seen "the member is gone" test ! -e "$project/members/newperson.json"

api PUT /iteration_overrides/1 '{"length": 2}' >/dev/null
seen "the longer iteration" is_length 2

api PUT '' '{"name": "Another name", "profile_content": "What it is about."}' >/dev/null
seen "the project's new name" test -d "$work/mnt/$pid-Another-name"
equal "$(cat "$work/mnt/$pid/profile.md")" "What it is about." "the profile"

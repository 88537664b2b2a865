# mv and ln -s of links and folders: each is one change at the server, and the tree shows it at once.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
sample_database "$work/t.db"
start_server "$work/t.db" --faults
second=$(api POST /projects '{"name": "Second"}' | jq .id)
mount_fs "$url" "$work/m" rw
m=$work/m project=$(project_of "$work/m")
other=$(find "$m" -maxdepth 1 -name "$second-*")
pid=$(jq .id "$project/project.json")
choose_story 1
name=$(basename "$story")

# once WHAT COMMAND...: COMMAND succeeds, with one request that writes
once() {
    local what=$1
    shift
    reset_requests
    "$@" || fail "$what: $(cat "$story/.error" 2>&1)"
    equal "$(puts)" 1 "requests that write, of $what"
}
shown() { [ -e "$1" ] || fail "$1 is not there, or leads nowhere"; }
not_shown() { [ ! -L "$1" ] || fail "$1 is still there"; }
# refused WORDS COMMAND...: EPERM, and the story's or project's .error says why
refused() {
    local words=$1
    shift
    expect_errno "Operation not permitted" "$@"
    grep -qs "$words" "$story/.error" "$project/.error" || fail "$*: no reason '$words' in .error"
}

# --- The views ---
cd "$project"
api PUT "/projects/$pid/stories/$sid" '{"story_type": "chore", "current_state": "unstarted", "owner_ids": [], "labels": [{"name": "offline"}]}' >/dev/null
"$trackerfs" refresh "$m"

once "mv in by-state/" mv "by-state/unstarted/$name" by-state/started/
equal "$(remote .current_state)" started "the state after mv in by-state/"
shown "by-state/started/$name"
not_shown "by-state/unstarted/$name"
expect_errno "cannot move" mv "by-state/started/$name" by-state/rejected/ # EINVAL: no chore is rejected
grep -q "^allowed: .*accepted" "$story/.error" || fail "a state that a chore cannot have: $(cat "$story/.error")"
shown "by-state/started/$name"
once "ln -s in by-state/" ln -s "../../stories/$name" by-state/accepted/
equal "$(remote .current_state)" accepted "the state after ln -s in by-state/"
once "mv back" mv "by-state/accepted/$name" by-state/unstarted/

once "mv in by-type/" mv "by-type/chore/$name" by-type/bug/
equal "$(remote .story_type)" bug "the type after mv in by-type/"
shown "by-type/bug/$name"
not_shown "by-type/chore/$name"
once "ln -s in by-type/" ln -s "../../stories/$sid" by-type/chore/ # by its number alone
equal "$(remote .story_type)" chore "the type after ln -s in by-type/"

people() { jq -r ".[] | .person | select(.username == \"$1\") | .id" <(api GET "/projects/$pid/memberships"); }
once "ln -s in by-owner/" ln -s "../../stories/$name" by-owner/ada/
once "ln -s in by-owner/ again" ln -s "../../stories/$name" by-owner/olena/
equal "$(remote '.owner_ids | sort | join(",")')" "$(printf '%s\n' "$(people ada)" "$(people olena)" | sort | paste -sd,)" "owners after two ln -s"
once "mv in by-owner/" mv "by-owner/olena/$name" by-owner/misaki/
equal "$(remote '.owner_ids | sort | join(",")')" "$(printf '%s\n' "$(people ada)" "$(people misaki)" | sort | paste -sd,)" "owners after mv"
shown "by-owner/misaki/$name"
shown "by-owner/ada/$name"
not_shown "by-owner/olena/$name"

from=$(find by-requester -name "$name")
to=$(find by-requester -mindepth 1 -maxdepth 1 ! -path "$(dirname "$from")" | sed -n 1p)
once "mv in by-requester/" mv "$from" "$to/"
equal "$(remote .requested_by_id)" "$(people "$(basename "$to")")" "the requester after mv"
shown "$to/$name"
not_shown "$from"

once "ln -s in labels/" ln -s "../../stories/$name" labels/booking/
once "mv in labels/" mv "labels/offline/$name" labels/payments/
equal "$(remote '[.labels[].name] | sort | join(",")')" "booking,payments" "labels after ln -s and mv"
shown "labels/payments/$name"
not_shown "labels/offline/$name"
expect_errno "File exists" ln -s "../../stories/$name" labels/booking/

refused "another folder of the same view" mv "labels/booking/$name" by-state/started/
refused "no such story" ln -s ../../stories/1-nothing labels/booking/
refused "leads to a story" ln -s ../../project.json labels/booking/
refused "links can be made in" ln -s "../stories/$name" releases/
refused "made of its id and title" mv "stories/$name" stories/.other

# --- A folder's new name is the new title ---
title=$(remote .name)
once "mv in stories/" mv "stories/$name" "stories/Other: words?"
equal "$(remote .name)" "Other: words?" "the title after mv"
shown "stories/$sid-Other-words"
[ -L "stories/Other: words?" ] || fail "the name that mv gave is no link"
equal "$(jq -r .name "stories/Other: words?/story.json")" "Other: words?" "what is behind it"
once "mv of the link in stories/" mv "stories/Other: words?" "stories/$title"
equal "$(remote .name)" "$title" "the title after the second mv"
[ ! -e "stories/Other: words?" ] || fail "the name before is still there"
shown "stories/$name"
story=$project/stories/$name
mkdir "epics/New Folder"
epic=$(basename "epics/"*-New-Folder | cut -d- -f1)
once "mv in epics/" mv "epics/New Folder" "epics/Rough seas"
equal "$(api GET "/projects/$pid/epics/$epic" | jq -r .name)" "Rough seas" "the name of the epic after mv"
shown "epics/$epic-Rough-seas"

# --- The board ---
position() { basename "$1" | cut -d- -f1 | sed 's/^0*//'; }
placed() { find "$1" -mindepth 1 -maxdepth 1 -type l -name "*-$2-*" -o -mindepth 1 -maxdepth 1 -type l -name "*-$2"; } # placed FOLDER ID
order() { find "$1" -mindepth 1 -maxdepth 1 -type l -printf '%f\n' | sort | cut -d- -f2; }                             # order FOLDER: ids
# board: ids of all iterations to come, in order; where one of them ends its points decide
board() { find iterations/{current,backlog} -type l | sort -V | sed 's,.*/[0-9]*-\([0-9]*\).*,\1,'; }
follows() { board | grep -A 1 -x "$1" | grep -qx "$2" || fail "$2 does not follow $1 on the board: $(board | paste -sd' ')"; }

last=$(order icebox | tail -n 1)
once "mv to the top of icebox/" mv "$(placed icebox "$last")" "icebox/1-$last"
equal "$(order icebox | head -n 1)" "$last" "the first of icebox/"
equal "$(position "$(placed icebox "$last")")" 1 "its position"
once "mv to the third place" mv "$(placed icebox "$last")" "icebox/3-$last"
equal "$(order icebox | sed -n 3p)" "$last" "the third of icebox/"
once "mv to the end" mv "$(placed icebox "$last")" "icebox/999-$last"
equal "$(order icebox | tail -n 1)" "$last" "the last of icebox/"
"$trackerfs" refresh "$m"
equal "$(order icebox | tail -n 1)" "$last" "the last of icebox/, by the server"

iteration=$(dirname "$(find iterations/backlog -mindepth 2 -name '003-*' | sort -V | sed -n 1p)")
third=$(order "$iteration" | sed -n 3p)
first=$(order "$iteration" | sed -n 1p)
once "mv to the top of an iteration" mv "$(placed "$iteration" "$third")" "$iteration/1-$third"
"$trackerfs" refresh "$m"
equal "$(api GET "/projects/$pid/stories/$third?fields=before_id" | jq .before_id)" "$first" "before whom it stands at the server"
follows "$third" "$first"
iteration=$(dirname "$(find iterations/backlog -name "*-$first-*")")
once "mv from icebox/ to an iteration" mv "$(placed icebox "$last")" "$iteration/$(position "$(placed "$iteration" "$first")")-$last"
equal "$(api GET "/projects/$pid/stories/$last" | jq -r .current_state)" unstarted "the state of what came out of the icebox"
"$trackerfs" refresh "$m"
follows "$last" "$first"
once "mv to icebox/" mv "$(find iterations -name "*-$last-*")" icebox/
equal "$(api GET "/projects/$pid/stories/$last" | jq -r .current_state)" unscheduled "the state of what went back"
[ -n "$(placed icebox "$last")" ] || fail "it is not in icebox/ again"

# --- Tasks ---
tasks() { api GET "/projects/$pid/stories/$sid/tasks" | jq -r '.[].id'; }
ids=($(tasks))
[ "${#ids[@]}" -ge 3 ] || fail "the story has no three tasks"
once "mv of a task" mv "$story/tasks/003-${ids[2]}.md" "$story/tasks/1-${ids[2]}.md"
equal "$(tasks | paste -sd,)" "${ids[2]},$(printf '%s\n' "${ids[@]:0:2}" "${ids[@]:3}" | paste -sd,)" "tasks at the server after mv"
shown "$story/tasks/001-${ids[2]}.md"
shown "$story/tasks/002-${ids[0]}.md"
refused "another position" mv "$story/tasks/001-${ids[2]}.md" "$story/tasks/first.md"

# --- Between projects ---
once "mv of a story to another project" mv "stories/$name" "$other/stories/"
equal "$(api GET "/stories/$sid" | jq .project_id)" "$second" "the project of a story that was moved"
looked_at_both() { request_lines | grep -q "/projects/$second/activity" && request_lines | grep -q "/projects/$pid/activity"; }
until_true 20 "both projects are looked at" looked_at_both
shown "$other/stories/$name/description.md"
equal "$(ls "$other/stories")" "$name" "stories of the other project"
[ ! -e "stories/$name" ] || fail "the story is still in its old project"
story=$other/stories/$name
echo "from the other side" >"$story/description.md"
equal "$(api GET "/stories/$sid" | jq -r .description)" "from the other side" "a save after the move"
once "mv back to its project" mv "$story" stories/
shown "stories/$name/description.md"
cd /
unmount "$m"

# Sourced by the tests that write: a server, a mount that writes, and checks of what the server then holds.
#
# After open_mount: $m the mount, $project its folder there, $pid the project's id; $story a story's folder with its id in $sid.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/mount.sh"
export XDG_STATE_HOME=$work/state
token() { cat "$work/token"; }
# api METHOD PATH [JSON]: what the server answers
api() { curl -fsS -X "$1" -H "X-TrackerToken: $(token)" ${3:+-H "Content-Type: application/json" --data-binary "$3"} "$url/services/v5$2"; }

# open_mount [OPTIONS]: the sample behind a server with faults, mounted to write
open_mount() {
    [ -s "$work/t.db" ] || sample_database "$work/t.db"
    start_server "$work/t.db" --faults
    mount_fs "$url" "$work/m" "rw${1:+,$1}"
    m=$work/m
    project=$(project_of "$m")
    pid=$(jq .id "$project/project.json")
    choose_story 1
}
# choose_story N: the Nth story that is not accepted
choose_story() {
    sid=$(api GET "/projects/$pid/stories?limit=500" | jq "[.[] | select(.current_state != \"accepted\")][$1].id")
    story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
}
remote() { api GET "/projects/$pid/stories/$sid" | jq -r "$1"; }      # remote .name: of the chosen story
# Writes since reset_requests, counted by the server: its list of requests has only the last ones.
puts() { curl -fsS "$url/__stats" | jq '[.by_path | to_entries[] | select(.key | test("^(PUT|POST|DELETE) .*/v5/")).value] | add // 0'; }

# insertion FILE LINE COLUMN TEXT: FILE's bytes with TEXT put in before that column
insertion() { awk -v l="$2" -v c="$3" -v t="$4" 'NR == l { print substr($0, 1, c - 1) t substr($0, c); next } { print }' "$1"; }

# Names that editors made, which the listing must not show.
only_ours() {
    local names
    names=$(cd "$story" && find . -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')
    equal "$names" "attachments comments description.md story.json tasks " "what the folder lists after $1"
}

# saves_once WHO COMMAND...: COMMAND puts a letter into line 1 of description.md, then into the name in story.json, each twice,
# by `COMMAND FILE LINE COLUMN TEXT`. Each time the server must get exactly those bytes, in one request that writes.
saves_once() {
    local who=$1 round expected=$work/expected inode line before
    shift
    printf 'alpha\nbeta\ngamma\n' >"$story/description.md"
    echo Title >"$story/.fields/name"
    story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
    inode=$(stat -c %i "$story/description.md")
    for round in 1 2; do
        insertion "$story/description.md" 1 3 "$round" >"$expected"
        reset_requests
        "$@" "$story/description.md" 1 3 "$round" || fail "$who: exit status $?"
        remote .description | head -c -1 | cmp - "$expected" || fail "$who: the server holds another description"
        equal "$(puts)" 1 "requests that write, of $who, description, round $round"
        cmp "$story/description.md" "$expected" || fail "$who: the file reads otherwise than it was saved"
        equal "$(stat -c %i "$story/description.md")" "$inode" "inode number after $who"
    done
    for round in 1 2; do
        line=$(grep -n '^  "name": "' "$story/story.json" | cut -d: -f1)
        before=$(jq -r .name "$story/story.json")
        reset_requests
        "$@" "$story/story.json" "$line" 12 "$round" || fail "$who: exit status $?"
        equal "$(remote .name)" "$round$before" "the name at the server, by $who"
        equal "$(puts)" 1 "requests that write, of $who, name, round $round"
        story=$(find "$project/stories" -maxdepth 1 -name "$sid-*")
        equal "$(jq -r .name "$story/story.json")" "$round$before" "the name in story.json, by $who"
    done
    only_ours "$who"
    equal "$(api GET "/projects/$pid/stories?limit=500" | jq length)" "$n_stories" "stories after $who"
    echo "ok: $who"
}
count_stories() { n_stories=$(api GET "/projects/$pid/stories?limit=500" | jq length); }

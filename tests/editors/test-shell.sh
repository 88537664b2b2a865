# Saving with the tools of a shell: each writes the whole file in its own way, and the server gets one request with the final bytes.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
open_mount
count_stories

by_sed() { sed -i -E "$2s/^(.{$(($3 - 1))})/\1$4/" "$1"; }
by_sed_backup() { sed -i.bak -E "$2s/^(.{$(($3 - 1))})/\1$4/" "$1"; }
by_perl() { perl -i -pe "substr(\$_, $(($3 - 1)), 0) = '$4' if \$. == $2" "$1"; }
by_perl_backup() { perl -i.orig -pe "substr(\$_, $(($3 - 1)), 0) = '$4' if \$. == $2" "$1"; }
by_ed() { printf '%ss/^.\\{%s\\}/&%s/\nw\nq\n' "$2" $(($3 - 1)) "$4" | ed -s "$1"; }
by_redirection() { local all; all=$(insertion "$@"; echo .); printf %s "${all%.}" >"$1"; }
by_commands() { # each command's end closes a copy of the descriptor
    insertion "$@" >"$work/new"
    { head -n 1 "$work/new"; tail -n +2 "$work/new" | cat; } >"$1"
}
by_dash() { insertion "$@" >"$work/new"; dash -c "cat '$work/new' > '$1'"; }
by_tee() { insertion "$@" >"$work/new"; tee "$1" <"$work/new" >/dev/null; }
by_cp() { insertion "$@" >"$work/new"; cp "$work/new" "$1"; }
by_cp_archive() { insertion "$@" >"$work/new"; cp -a "$work/new" "$1"; }
by_mv() { insertion "$@" >"$work/new"; mv "$work/new" "$1"; }
by_install() { insertion "$@" >"$work/new"; install -m 644 "$work/new" "$1"; }
by_dd() { insertion "$@" >"$work/new"; dd if="$work/new" of="$1" bs=7 status=none; }
by_rename() { insertion "$@" >"$1.new" && mv "$1.new" "$1"; }
by_tmp() { (cd "$(dirname "$1")" && insertion "$(basename "$1")" "$2" "$3" "$4" >tmp && mv tmp "$(basename "$1")"); }
by_rsync() { mkdir -p "$work/r"; insertion "$@" >"$work/r/$(basename "$1")"; rsync -a "$work/r/$(basename "$1")" "$(dirname "$1")/"; }
by_rsync_inplace() { mkdir -p "$work/r"; insertion "$@" >"$work/r/$(basename "$1")"; rsync -a --inplace --no-whole-file "$work/r/$(basename "$1")" "$(dirname "$1")/"; }
by_python() { python3 - "$@" <<'END'
import os, sys, tempfile
path, line, column, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
lines = open(path).read().split("\n")
lines[line - 1] = lines[line - 1][:column - 1] + text + lines[line - 1][column - 1:]
fd, new = tempfile.mkstemp(dir=os.path.dirname(path))
with os.fdopen(fd, "w") as f:
    f.write("\n".join(lines))
    f.flush()
    os.fsync(f.fileno())
os.replace(new, path)
END
}
for tool in sed sed_backup perl perl_backup ed redirection commands dash tee cp cp_archive mv install dd rename tmp rsync rsync_inplace python; do
    saves_once "$tool" "by_$tool"
done

# Appending is a save of its own each time.
echo first >"$story/description.md"
reset_requests
echo second >>"$story/description.md"
equal "$(remote .description)" "$(printf 'first\nsecond\n')" "after >>"
equal "$(puts)" 1 "requests of >>"

# A second rsync of the same has nothing to do, although the server has set times of its own.
mkdir -p "$work/r"
echo again >"$work/r/description.md"
rsync -a "$work/r/description.md" "$story/"
reset_requests
equal "$(rsync -ai "$work/r/description.md" "$story/")" "" "what a second rsync does"
equal "$(puts)" 0 "requests of a second rsync"

# What has no value yet is set like what has one, and listed with it.
mkdir "$project/stories/Not estimated"
new=$(readlink -f "$project/stories/Not estimated")
equal "$(cat "$new/.fields/estimate")" "" "an estimate that is not set"
ls "$new/.fields" | grep -qx estimate || fail "what could be set is not listed"
echo 3 >"$new/.fields/estimate"
echo "night shift, pier" >"$new/.fields/labels"
sid=$(jq .id "$new/story.json")
equal "$(remote '"\(.estimate) \([.labels[].name] | sort | join(","))"')" "3 night shift,pier" "what was set in .fields"
echo >"$new/.fields/estimate"
equal "$(remote .estimate)" null "an estimate that was cleared"

# Cut to nothing, and nothing after it: the record stays, and the reason is told.
reset_requests
: >"$story/description.md"
equal "$(cat "$story/description.md")" again "after an empty >"
equal "$(puts)" 0 "requests of an empty >"
grep -q 'cut to nothing' "$story/.error" || fail "no reason in .error"
unmount "$m"

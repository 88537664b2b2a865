# The arrows between the rooms point one way: fs/ -> cache/ -> transport; tracker/ knows neither. First the rule
# itself is shown to refuse a wrong arrow.
set -euo pipefail
cd "${TRACKERFS_SOURCE_DIR:?}"

wrong_arrows() { # FOLDER: prints each include that must not be
    (
        cd "$1"
        ties='fs/(main|source|command_[a-z]+)\.c'
        grep -rnE '^#include "' fs cache tracker --include='*.[ch]' | while IFS= read -r line; do
            file=${line%%:*}
            target=$(sed -E 's/.*#include "([^"]*)".*/\1/' <<<"$line")
            case $file in
            fs/*)
                case $target in
                fs/* | cache/cache.h | cache/model.h | cache/base/*) ;;
                *) [[ $file =~ ^$ties$ && $target =~ ^(cache/(net|transport)\.h|tracker/) ]] ||
                    [[ $file == fs/source.h && $target == cache/transport.h ]] || echo "$line" ;;
                esac
                ;;
            cache/base/*) case $target in cache/base/*) ;; *) echo "$line" ;; esac ;;
            cache/*) case $target in cache/*) ;; *) echo "$line" ;; esac ;;
            tracker/*) case $target in tracker/*) ;; *) echo "$line" ;; esac ;;
            esac
        done
        # Each library has one place in a room, and FUSE stays in fs/.
        grep -rlE '#include <curl/' cache fs tracker | grep -vxE 'cache/net.c|tracker/webhook_post.c' || :
        grep -rlE '#include <jansson' cache | grep -vE '^cache/(json_text|record|model_tree|edit(_[a-z]+)?|overlay(_[a-z]+)?|saving(_[a-z]+)?)\.[ch]$|^cache/model_json.c$' || :
        grep -rlE '#include <sqlite3' cache fs | grep -vE '^cache/(store(_[a-z]+)?|journal)\.[ch]$' || :
        grep -rlE '#include <git2' cache fs tracker | grep -vx 'cache/edit_merge.c' || :
        grep -rlE '#include <fuse' cache tracker || :
        # Private parts of a room are for the makers of its objects.
        grep -rn 'model_private.h"' cache fs --include='*.[ch]' | grep -vE '^cache/(model|model_json|store_load|overlay_view)\.c:' || :
    )
}

bad=$(mktemp -d)
trap 'rm -rf "$bad"' EXIT
mkdir -p "$bad"/fs "$bad"/cache/base "$bad"/tracker
printf '#include "fs/ops.h"\n' >"$bad/cache/store.c"
printf '#include "cache/store.h"\n#include "tracker/service.h"\n' >"$bad/fs/ops.c"
printf '#include "cache/cache.h"\n' >"$bad/tracker/db.c"
printf '#include "cache/cache.h"\n#include <curl/curl.h>\n' >"$bad/cache/base/err.c"
found=$(wrong_arrows "$bad" | wc -l)
[ "$found" = 6 ] || { echo "the rule sees $found of 6 wrong arrows:"; wrong_arrows "$bad"; exit 1; }

wrong=$(wrong_arrows .)
[ -z "$wrong" ] || { printf 'arrows in the wrong direction:\n%s\n' "$wrong"; exit 1; }

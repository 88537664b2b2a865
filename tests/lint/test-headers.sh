# Every header compiles alone, so the order of includes never matters.
set -euo pipefail
cd "${TRACKERFS_SOURCE_DIR:?}"
flags="-std=gnu17 -D_GNU_SOURCE -DFUSE_USE_VERSION=312 -DTRACKERFS_VERSION=\"0\" -I. -fsyntax-only -Wall -Werror
    $(pkg-config --cflags fuse3 glib-2.0 jansson sqlite3 libmicrohttpd)"
compiles() { echo "#include \"$1\"" | ${CC:-cc} $flags -x c - 2>&1; }
alone=$(mktemp -d)
trap 'rm -rf "$alone"' EXIT
echo 'gint64 needs_glib(void);' >"$alone/bad.h"
if compiles "$alone/bad.h" >/dev/null; then
    echo "it accepts anything"
    exit 1
fi
status=0
while IFS= read -r header; do
    compiles "$header" || { echo "$header does not compile alone"; status=1; }
done < <(find fs cache tracker -name '*.h' | sort)
exit $status

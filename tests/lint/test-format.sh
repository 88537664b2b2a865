# Layout is clang-format's business.
set -euo pipefail
cd "${TRACKERFS_SOURCE_DIR:?}"
command -v clang-format >/dev/null || { echo "skipped: no clang-format"; exit 77; }
clang-format --version | grep -q 'version 14' || { echo "skipped: the layout is that of clang-format 14"; exit 77; }
if printf 'int  main( ){return 0 ;}\n' | clang-format --dry-run -Werror --assume-filename=x.c 2>/dev/null; then
    echo "it accepts anything"
    exit 1
fi
find fs cache tracker tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror

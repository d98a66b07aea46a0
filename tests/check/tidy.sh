#!/usr/bin/env bash
# clang-tidy finds nothing of what .clang-tidy asks for. Called on a file alone it also says how it
# came to what it found.
set -uo pipefail
. tests/check/tree.sh
need clang-tidy
files 'connector/*.c' 'producer/*.c' 'sandbox/*.c' |
    xargs -P "$(nproc)" -I{} clang-tidy --quiet {} -- "${flags[@]}" 2>&1 |
    awk '/ (error|warning): / && !seen[$0]++ { print; bad = 1 } END { exit bad }'

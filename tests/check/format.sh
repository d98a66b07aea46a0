#!/usr/bin/env bash
# Every .c and .h is as clang-format 14 writes it (other versions differ in what they do).
set -uo pipefail
. tests/check/tree.sh
need clang-format
if ! clang-format --version | grep -q ' version 14\.'; then
    echo "it takes clang-format 14, this is $(clang-format --version)"
    exit 77
fi
files '*.c' '*.h' | xargs clang-format --dry-run -Werror 2>&1 |
    awk -F: '/error:/ && !seen[$1]++ { print $1 ":" $2 ": run clang-format -i on it"; bad = 1 }
             END { exit bad }'

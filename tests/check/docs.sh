#!/usr/bin/env bash
# README.md's tables of options are what the program prints of itself.
set -uo pipefail
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"${BUILD:-build}/kafka-connector" --help=markdown >"$printed" || exit 1
awk '$0 == "<!-- /options -->" { inside = 0 }
     inside
     $0 == "<!-- options -->" { inside = 1 }' README.md |
    diff -B --label README.md --label 'kafka-connector --help=markdown' -u - "$printed"

#!/usr/bin/env bash
# README.md's tables of options and metrics are what the program prints of itself.
set -uo pipefail
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"${BUILD:-build}/kafka-connector" --help=markdown >"$printed" || exit 1
awk '/^<!-- \/(options|metrics) -->$/ { inside = 0 }
     inside
     /^<!-- (options|metrics) -->$/ { inside = 1 }' README.md |
    diff -B --label README.md --label 'kafka-connector --help=markdown' -u - "$printed"

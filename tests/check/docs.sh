#!/usr/bin/env bash
# The tables of options and metrics, README.md's and those of a mode's page, are what the program
# prints of itself.
set -uo pipefail
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
bad=0

compare() { # PAGE MODE
    "${BUILD:-build}/kafka-connector" "$2" --help=markdown >"$printed" || bad=1
    awk '/^<!-- \/(options|metrics) -->$/ { inside = 0 }
         inside
         /^<!-- (options|metrics) -->$/ { inside = 1 }' "$1" |
        diff -B --label "$1" --label "kafka-connector $2 --help=markdown" -u - "$printed" || bad=1
}

compare README.md invoke
compare docs/watch.md watch
exit $bad
